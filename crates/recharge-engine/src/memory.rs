//! The in-memory driver: gives [`step()`] hands and a clock, and a memory that ends with the process.
//!
//! For demonstrations and tests. Each order is followed by one caller; what it does is always the same:
//! write the events down, then do the effects, then tell [`step()`] what became of them. No lock is held
//! across a call to an upstream.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

mod clock;
mod effects;

pub use clock::{Clock, SystemClock};

use recharge_core::{
    AccountKind, Callback, OrderId, OrderState, Provider, ProviderExt, ProviderId,
};
use tokio::sync::Notify;

use crate::{
    Alarm, Command, CommandError, Effect, Event, Input, Jitter, NewOrder, Notice, NumberKey, Order,
    Policy, Recorded, Route, SendToken, Step, Times, step,
};

/// Follows orders, in memory.
pub struct MemoryDriver {
    providers: BTreeMap<ProviderId, Arc<dyn Provider>>,
    policies: BTreeMap<AccountKind, Policy>,
    clock: Arc<dyn Clock>,
    request_timeout: Duration,
    orders: Mutex<Orders>,
}

#[derive(Default)]
struct Orders {
    by_name: BTreeMap<Name, Entry>,
    random: u64,
}

/// An order's name: merchant and order id.
type Name = (String, OrderId);

struct Entry {
    order: Order,
    log: Vec<Recorded>,
    notices: Vec<Notice>,
    alarms: Vec<Alarm>,
    followed: bool,
    changed: Arc<Notify>,
}

/// Why an order is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AcceptError {
    /// The same merchant has used the same order id for something else. Nothing has changed.
    #[error("this order id stands for another order already; use a new one")]
    Conflict,
}

/// Why an order is not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FollowError {
    /// It was never accepted.
    #[error("there is no such order; accept it first")]
    NoSuchOrder,
    /// Somebody follows it already.
    #[error("this order is being followed already")]
    Followed,
}

impl MemoryDriver {
    /// A driver whose orders go to these providers, each kind of account to all that sell it, in the
    /// given order. `seed` makes tokens and jitter.
    pub fn new(
        providers: Vec<Arc<dyn Provider>>,
        numbers: &NumberKey,
        times: &Times,
        clock: Arc<dyn Clock>,
        seed: u64,
    ) -> Self {
        let policy = |kind| Policy {
            routes: providers
                .iter()
                .filter(|provider| provider.offer(kind).is_some())
                .map(|provider| Route::new(provider.id().clone(), provider.capabilities()))
                .collect(),
            times: times.clone(),
            numbers: numbers.clone(),
        };
        let policies = AccountKind::ALL
            .into_iter()
            .map(|kind| (kind, policy(kind)))
            .collect();
        let providers = providers.into_iter().map(|p| (p.id().clone(), p)).collect();
        let orders = Mutex::new(Orders {
            random: seed,
            ..Orders::default()
        });
        Self {
            providers,
            policies,
            clock,
            request_timeout: times.request_timeout,
            orders,
        }
    }

    /// Takes an order. The same content again gives the same order; other content under the same name is
    /// refused.
    pub fn accept(&self, what: &NewOrder) -> Result<Order, AcceptError> {
        let now = self.clock.now();
        let name = (what.merchant.clone(), what.order_id.clone());
        let mut orders = self.lock();
        let entry = orders.by_name.entry(name).or_insert_with(|| Entry {
            order: Order::accept(what.clone(), now),
            log: Vec::new(),
            notices: Vec::new(),
            alarms: Vec::new(),
            followed: false,
            changed: Arc::default(),
        });
        if entry.order.what() == what {
            Ok(entry.order.clone())
        } else {
            Err(AcceptError::Conflict)
        }
    }

    /// Follows an order until it rests: ended, or on a person's desk.
    ///
    /// Dropping the future leaves the order as it is. What was being sent then is in doubt, and the next
    /// to follow it asks; it is not sent again.
    pub async fn follow(&self, merchant: &str, order_id: &OrderId) -> Result<Order, FollowError> {
        let name = (merchant.to_owned(), order_id.clone());
        let hold = self.hold(&name)?;
        loop {
            let order = self
                .order(merchant, order_id)
                .ok_or(FollowError::NoSuchOrder)?;
            let at_rest = order.state().is_end() || matches!(order.state(), OrderState::Review(_));
            let (false, Some(due)) = (at_rest, order.due()) else {
                return Ok(order);
            };
            let wait = due.since(self.clock.now().wall);
            if wait > Duration::ZERO {
                // A callback or a person may bring something sooner.
                let _ = tokio::time::timeout(wait, hold.changed.notified()).await;
                continue;
            }
            let input = |token, jitter| Input::Due { token, jitter };
            self.tell(&name, input).await;
        }
    }

    /// Hands in a genuine callback of a provider. `false` if no order has its number: then it is for the
    /// caller to keep.
    #[must_use = "no order has this number when it is false: keep the callback"]
    pub async fn callback(&self, provider: &ProviderId, callback: &Callback) -> bool {
        let found = self.lock().by_name.iter().find_map(|(name, entry)| {
            let ours = |attempt: &crate::Attempt| {
                attempt.provider() == provider && attempt.number().as_str() == callback.number
            };
            let index = entry.order.attempts().iter().position(ours)?;
            Some((name.clone(), u32::try_from(index).ok()?))
        });
        let Some((name, attempt)) = found else {
            return false;
        };
        let callback = callback.clone();
        self.tell(&name, |_, jitter| Input::Callback {
            attempt,
            upstream_order_id: callback.upstream_order_id,
            claims: callback.claims,
            covers_state: callback.covers_state,
            jitter,
        })
        .await;
        true
    }

    /// Carries out a person's command on an order whose version `seen` they have looked at.
    pub async fn command(
        &self,
        merchant: &str,
        order_id: &OrderId,
        command: Command,
        seen: u64,
    ) -> Result<(), CommandError> {
        let name = (merchant.to_owned(), order_id.clone());
        let effects = self.write_down(&name, |_, _| Input::Command { command, seen })?;
        self.carry_out(&name, effects).await;
        Ok(())
    }

    /// An order as it stands.
    pub fn order(&self, merchant: &str, order_id: &OrderId) -> Option<Order> {
        let orders = self.lock();
        Some(
            orders
                .by_name
                .get(&(merchant.to_owned(), order_id.clone()))?
                .order
                .clone(),
        )
    }

    /// What was written down about an order.
    pub fn log(&self, merchant: &str, order_id: &OrderId) -> Vec<Recorded> {
        let orders = self.lock();
        let entry = orders.by_name.get(&(merchant.to_owned(), order_id.clone()));
        entry.map(|entry| entry.log.clone()).unwrap_or_default()
    }

    /// What the merchant would have been told of an order, versions rising.
    pub fn notices(&self, merchant: &str, order_id: &OrderId) -> Vec<Notice> {
        let orders = self.lock();
        let entry = orders.by_name.get(&(merchant.to_owned(), order_id.clone()));
        entry.map(|entry| entry.notices.clone()).unwrap_or_default()
    }

    /// What an operator would have been alarmed of.
    pub fn alarms(&self, merchant: &str, order_id: &OrderId) -> Vec<Alarm> {
        let orders = self.lock();
        let entry = orders.by_name.get(&(merchant.to_owned(), order_id.clone()));
        entry.map(|entry| entry.alarms.clone()).unwrap_or_default()
    }

    fn hold(&self, name: &Name) -> Result<Hold<'_>, FollowError> {
        let changed = {
            let mut orders = self.lock();
            let entry = orders
                .by_name
                .get_mut(name)
                .ok_or(FollowError::NoSuchOrder)?;
            if entry.followed {
                return Err(FollowError::Followed);
            }
            entry.followed = true;
            entry.changed.clone()
        };
        let hold = Hold {
            driver: self,
            name: name.clone(),
            changed,
        };
        if self
            .order(&name.0, &name.1)
            .is_some_and(|order| order.state() == OrderState::Submitting)
        {
            // Whoever was sending it is gone. Recovery has no effects of its own.
            let _ = self.write_down(name, |_, jitter| Input::Recovered { jitter });
        }
        Ok(hold)
    }

    /// Tells `step` a fact and does what comes of it.
    async fn tell(&self, name: &Name, input: impl FnOnce(SendToken, Jitter) -> Input) {
        // A fact is never refused, and orders don't go away.
        let effects = self.write_down(name, input).unwrap_or_default();
        self.carry_out(name, effects).await;
    }

    /// Makes one step and writes it down.
    fn write_down(
        &self,
        name: &Name,
        input: impl FnOnce(SendToken, Jitter) -> Input,
    ) -> Result<Vec<Effect>, CommandError> {
        let now = self.clock.now();
        let mut orders = self.lock();
        let token = SendToken((u128::from(orders.draw()) << 64) | u128::from(orders.draw()));
        let [_, _, _, _, _, _, high, low] = orders.draw().to_be_bytes();
        let jitter = Jitter(u16::from_be_bytes([high, low]));
        let Some(entry) = orders.by_name.get_mut(name) else {
            return Err(CommandError::NoSuchOrder);
        };
        let Some(policy) = self.policies.get(&entry.order.what().account.kind()) else {
            return Ok(Vec::new());
        };
        let Step {
            events,
            notices,
            alarms,
            effects,
            order,
        } = step(policy, &entry.order, input(token, jitter), now)?;
        if events.iter().any(|recorded| {
            matches!(
                recorded.event,
                Event::Moved { .. } | Event::Scheduled { .. }
            )
        }) {
            entry.changed.notify_one();
        }
        entry.log.extend(events);
        entry.order = order;
        entry.notices.extend(notices);
        entry.alarms.extend(alarms);
        Ok(effects)
    }

    fn note(&self, name: &Name, note: impl FnOnce(&mut Entry)) {
        if let Some(entry) = self.lock().by_name.get_mut(name) {
            note(entry);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Orders> {
        // A step either happens or doesn't, so what a panicking thread left is whole.
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Orders {
    /// SplitMix64: for jitter and for telling sends apart, not for secrets.
    fn draw(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

impl fmt::Debug for MemoryDriver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryDriver")
            .field("providers", &self.providers.keys().collect::<Vec<_>>())
            .field("orders", &self.lock().by_name.len())
            .finish_non_exhaustive()
    }
}

/// The right to follow an order, given back when dropped.
struct Hold<'a> {
    driver: &'a MemoryDriver,
    name: Name,
    changed: Arc<Notify>,
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        self.driver.note(&self.name, |entry| entry.followed = false);
    }
}
