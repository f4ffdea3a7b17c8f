//! [`MemoryStore`]: a store that keeps everything in memory and records what became durable, in order.
//!
//! It honours the contract of [`Store`](crate::Store) and can be cut off at any point of its record, as a crash does:
//! what recovery makes of that is tested on it. It can also be told to fail.

mod store;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use recharge_core::{MerchantId, OrderId, OrderState};

use crate::record;
use crate::store::{
    AccountLimit, Delivery, Guards, Hold, InboxEntry, KeptCallback, Lease, Message, OrderKey,
    Stored, Told,
};
use crate::{AcceptError, Acceptance, NewOrder, Order, Recorded, StoreError, WallTime};

/// A store in memory. Clones are handles to the same store.
#[derive(Clone)]
pub struct MemoryStore(Arc<Mutex<Books>>);

/// How the next write goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Not at all.
    None,
    /// Nothing is written, and that is said.
    Unavailable,
    /// Nothing is written, and nobody knows.
    Lost,
    /// It is written, and nobody knows.
    Landed,
}

/// One thing that became durable.
#[derive(Debug, Clone)]
enum Entry {
    Begin,
    NextEpoch,
    Accept(Acceptance),
    Append {
        key: OrderKey,
        record: String,
        told: Vec<Told>,
        at: WallTime,
    },
    Callback(KeptCallback),
    Handled(u64),
    PutOff(u64, Delivery),
    Delivered(Vec<u64>),
    Restored,
    Hold(Option<Duration>),
    Nothing,
}

struct Books {
    key: [u8; 32],
    durable: Vec<Entry>,
    faults: VecDeque<Fault>,
    state: State,
}

/// What the record adds up to, and the claims, which no record has.
#[derive(Default)]
struct State {
    lease: u64,
    epoch: u64,
    hold: Option<Hold>,
    orders: Vec<Kept>,
    by_name: BTreeMap<(MerchantId, OrderId), OrderKey>,
    by_number: BTreeMap<String, (OrderKey, u32)>,
    /// Due orders that nobody has claimed.
    free: BTreeSet<(WallTime, OrderKey)>,
    claims: BTreeMap<OrderKey, Lease>,
    messages: BTreeMap<u64, Message>,
    message_ids: u64,
    callbacks: Vec<(KeptCallback, bool)>,
}

struct Kept {
    order: Order,
    log: Vec<Recorded>,
}

impl MemoryStore {
    /// An empty store of an installation with this key.
    pub fn new(key: [u8; 32]) -> Self {
        Self::holding(key, Vec::new())
    }

    fn holding(key: [u8; 32], durable: Vec<Entry>) -> Self {
        let mut state = State::default();
        for entry in &durable {
            // What is replayed here was written by this store.
            if let Err(error) = state.replay(entry) {
                debug_assert!(false, "the record of this store can't be replayed: {error}");
            }
        }
        Self(Arc::new(Mutex::new(Books {
            key,
            durable,
            faults: VecDeque::new(),
            state,
        })))
    }

    /// How many writes have become durable.
    pub fn writes(&self) -> usize {
        self.lock().durable.len()
    }

    /// The store as a crash leaves it after this many writes: claims are gone, and what came later.
    #[must_use]
    pub fn crashed_after(&self, writes: usize) -> Self {
        let books = self.lock();
        let durable = books.durable.iter().take(writes).cloned().collect();
        Self::holding(books.key, durable)
    }

    /// A backup that was made after this many writes, restored: its hold is in force.
    #[must_use]
    pub fn restored_from(&self, writes: usize) -> Self {
        let books = self.lock();
        let mut durable: Vec<_> = books.durable.iter().take(writes).cloned().collect();
        durable.push(Entry::Restored);
        Self::holding(books.key, durable)
    }

    /// Lets the next writes fail, one by one.
    pub fn fail(&self, faults: impl IntoIterator<Item = Fault>) {
        self.lock().faults.extend(faults);
    }

    fn lock(&self) -> MutexGuard<'_, Books> {
        // A write either happens or doesn't, so what a panicking thread left is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Books {
    /// Makes a write durable, or fails as it has been told to.
    fn write(&mut self, entry: Entry) -> Result<(), StoreError> {
        let fault = self
            .faults
            .pop_front()
            .filter(|fault| *fault != Fault::None);
        match fault {
            Some(Fault::Unavailable) => {
                return Err(StoreError::Unavailable("told to fail".to_owned()));
            }
            Some(Fault::Lost) => return Err(StoreError::Unknown("told to fail".to_owned())),
            Some(Fault::Landed | Fault::None) | None => {}
        }
        self.state.replay(&entry)?;
        self.durable.push(entry);
        match fault {
            Some(_) => Err(StoreError::Unknown("told to fail".to_owned())),
            None => Ok(()),
        }
    }
}

impl State {
    fn replay(&mut self, entry: &Entry) -> Result<(), StoreError> {
        match entry {
            Entry::Begin => {
                self.lease += 1;
                self.epoch += 1;
                for key in std::mem::take(&mut self.claims).into_keys() {
                    self.free(key);
                }
            }
            Entry::NextEpoch => self.epoch += 1,
            Entry::Accept(acceptance) => {
                let key = OrderKey(self.orders.len() as u64 + 1);
                let what = &acceptance.what;
                let name = (what.merchant.clone(), what.order_id.clone());
                self.by_name.insert(name, key);
                self.orders.push(Kept {
                    order: Order::accept(acceptance.clone()),
                    log: Vec::new(),
                });
                self.free(key);
            }
            Entry::Append {
                key,
                record,
                told,
                at,
            } => {
                let events = record::decode(record).map_err(damaged)?;
                let Some(kept) = self.kept_mut(*key) else {
                    return Err(damaged("events of an order that isn't there"));
                };
                let before = kept.order.due();
                for recorded in &events {
                    kept.order.apply(recorded).map_err(damaged)?;
                }
                kept.log.extend(events);
                let numbers: Vec<_> = kept
                    .order
                    .attempts()
                    .iter()
                    .map(|attempt| attempt.number().to_string())
                    .collect();
                let what = kept.order.what().clone();
                for (index, number) in (0_u32..).zip(numbers) {
                    self.by_number.insert(number, (*key, index));
                }
                if let Some(before) = before {
                    self.free.remove(&(before, *key));
                }
                self.free(*key);
                for told in told {
                    self.message_ids += 1;
                    let message = Message {
                        id: self.message_ids,
                        key: *key,
                        merchant: what.merchant.clone(),
                        order_id: what.order_id.clone(),
                        what: *told,
                        since: *at,
                        delivery: Delivery::at(*at),
                    };
                    self.messages.insert(self.message_ids, message);
                }
            }
            Entry::Callback(callback) => self.callbacks.push((callback.clone(), false)),
            Entry::Handled(id) => {
                let at = usize::try_from(id.saturating_sub(1)).unwrap_or(usize::MAX);
                if let Some((_, handled)) = self.callbacks.get_mut(at) {
                    *handled = true;
                }
            }
            Entry::PutOff(id, delivery) => {
                if let Some(message) = self.messages.get_mut(id) {
                    message.delivery = delivery.clone();
                }
            }
            Entry::Delivered(ids) => self.messages.retain(|id, _| !ids.contains(id)),
            Entry::Restored => self.hold = Some(Hold::Restored),
            Entry::Hold(left) => self.hold = left.map(Hold::For),
            Entry::Nothing => {}
        }
        Ok(())
    }

    /// The oldest message of each kind and order that has not been given up, and when it is due.
    fn first_messages(&self) -> impl Iterator<Item = (WallTime, &Message)> {
        let mut seen = BTreeSet::new();
        self.messages.values().filter_map(move |message| {
            let next = message.delivery.next?;
            let is_notice = matches!(message.what, Told::Notice(_));
            seen.insert((message.key, is_notice))
                .then_some((next, message))
        })
    }

    fn kept(&self, key: OrderKey) -> Option<&Kept> {
        self.orders
            .get(usize::try_from(key.0.checked_sub(1)?).ok()?)
    }

    fn kept_mut(&mut self, key: OrderKey) -> Option<&mut Kept> {
        self.orders
            .get_mut(usize::try_from(key.0.checked_sub(1)?).ok()?)
    }

    fn stored(&self, key: OrderKey) -> Option<Stored> {
        let order = self.kept(key)?.order.clone();
        Some(Stored { key, order })
    }

    fn keys(&self) -> impl DoubleEndedIterator<Item = (OrderKey, &Order)> {
        self.orders
            .iter()
            .enumerate()
            .map(|(at, kept)| (OrderKey(at as u64 + 1), &kept.order))
    }

    /// Lets an order be claimed when it is due, unless somebody has it.
    fn free(&mut self, key: OrderKey) {
        let due = self.kept(key).and_then(|kept| kept.order.due());
        if let (Some(due), false) = (due, self.claims.contains_key(&key)) {
            self.free.insert((due, key));
        }
    }

    fn take(&mut self, lease: Lease, key: OrderKey) -> Option<Stored> {
        let stored = self.stored(key)?;
        if let Some(due) = stored.order.due() {
            self.free.remove(&(due, key));
        }
        self.claims.insert(key, lease);
        Some(stored)
    }

    fn present(&self, lease: Lease) -> bool {
        lease.0 == self.lease
    }

    fn guard(&self, what: &NewOrder, guards: Guards) -> Result<(), AcceptError> {
        let since = |since: WallTime| {
            self.keys().map(|(_, order)| order).filter(move |order| {
                order.what().account == what.account
                    && order.accepted().wall >= since
                    && order.state() != OrderState::Failed
            })
        };
        if let Some(from) = guards.duplicate_since
            && let Some(other) = since(from).find(|other| other.what().amount == what.amount)
        {
            return Err(AcceptError::Duplicate {
                merchant: other.what().merchant.clone(),
                order_id: other.what().order_id.clone(),
                state: other.state(),
            });
        }
        if let Some(limits) = guards.account {
            let others: Vec<_> = since(limits.since).collect();
            let reached = |limit, had| Err(AcceptError::AccountLimit { limit, had });
            let orders = others.len() as u64;
            if let Some(most) = limits.orders
                && orders >= u64::from(most)
            {
                return reached(AccountLimit::Orders(most), orders);
            }
            let yuan = others
                .iter()
                .map(|other| u64::from(other.what().amount.yuan()))
                .sum();
            if let Some(most) = limits.yuan
                && yuan + u64::from(what.amount.yuan()) > u64::from(most)
            {
                return reached(AccountLimit::Yuan(most), yuan);
            }
        }
        Ok(())
    }

    fn inbox(&self, id: u64, again: bool) -> Option<InboxEntry> {
        let at = usize::try_from(id.checked_sub(1)?).ok()?;
        let (callback, _) = self.callbacks.get(at)?;
        let whose = self
            .by_number
            .get(&callback.number)
            .copied()
            .filter(|(key, index)| {
                self.kept(*key).is_some_and(|kept| {
                    kept.order.due().is_some()
                        && kept
                            .order
                            .attempt(*index)
                            .is_some_and(|attempt| *attempt.provider() == callback.provider)
                })
            });
        Some(InboxEntry {
            id,
            callback: callback.clone(),
            whose,
            again,
        })
    }
}

fn damaged(why: impl fmt::Display) -> StoreError {
    StoreError::Damaged(why.to_string())
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let books = self.lock();
        f.debug_struct("MemoryStore")
            .field("orders", &books.state.orders.len())
            .field("writes", &books.durable.len())
            .finish_non_exhaustive()
    }
}
