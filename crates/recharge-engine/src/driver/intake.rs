//! What comes in from outside: orders, commands, callbacks, and who waits for an end.

use std::sync::Arc;

use recharge_core::{MerchantId, OrderId};
use tokio::sync::oneshot;

use super::by::By;
use super::core::{AFTER_TROUBLE, Core, Held, TellError, lock};
use super::trace;
use super::{ActError, WaitError};
use crate::store::{Accepted, Hold, InboxEntry, KeptCallback};
use crate::{AcceptError, Acceptance, Command, Effect, Input, NewOrder, Order, StoreError};

impl Core {
    pub(super) async fn accept(
        self: Arc<Self>,
        what: NewOrder,
        allow_duplicate: bool,
    ) -> Result<Accepted, AcceptError> {
        if self.stopping() {
            return Err(AcceptError::Stopping);
        }
        let now = self.clock.now();
        let held = match *lock(&self.hold) {
            Some(Hold::Restored | Hold::For(_)) => true,
            None => false,
        };
        // Only a new order must be sold; one that is there already is what it is.
        let offered = self.policy(&what).is_some_and(|policy| {
            let mut routes = policy.routes.iter();
            routes.any(|route| route.takes(&what))
        });
        if !offered {
            let known = self.store.find(&what.merchant, &what.order_id).await?;
            if known.is_none() {
                return Err(AcceptError::NotOffered(self.not_offered(&what)));
            }
        }
        let guards = self.caution.guards(now.wall, allow_duplicate);
        let room = !self.crowded();
        let acceptance = Acceptance {
            what,
            at: now,
            held,
        };
        let lease = room.then_some(self.lease);
        let accepted = self.store.accept(acceptance, guards, lease).await;
        if let Err(AcceptError::Store(StoreError::Unknown(_))) = &accepted {
            // If it was accepted, it is nobody's.
            self.may_be_claimed(now.wall);
        }
        let accepted = accepted?;
        if accepted.new && room {
            let stored = accepted.stored.clone();
            let held = self.keep(stored.key, stored.order);
            self.take_turn(held, None);
        } else if accepted.new {
            self.may_be_claimed(now.wall);
        }
        Ok(accepted)
    }

    fn not_offered(&self, what: &NewOrder) -> String {
        let (kind, amount) = (what.account.kind(), what.amount);
        let routes = self.policy(what).map_or(&[][..], |policy| &policy.routes);
        let by = what
            .provider
            .as_ref()
            .map_or_else(|| "no provider".to_owned(), |p| format!("{p} does not"));
        let mut sold: Vec<_> = routes
            .iter()
            .filter(|route| route.enabled)
            .flat_map(|route| route.offer.face_values.iter().map(|value| value.yuan()))
            .collect();
        sold.sort_unstable();
        sold.dedup();
        let carriers = routes.iter().any(|route| !route.offer.carriers.is_empty());
        let hint = if sold.is_empty() {
            format!("no route sells {kind} at all")
        } else if carriers && what.carrier.is_none() {
            format!("{kind} is sold for {sold:?} yuan, with the carrier named")
        } else {
            format!("{kind} is sold for {sold:?} yuan")
        };
        match &what.provider {
            Some(_) => format!("{by} sell {amount} yuan of this {kind} account; {hint}"),
            None => format!("{by} sells {amount} yuan of this {kind} account; {hint}"),
        }
    }

    pub(super) async fn until_at_rest(
        &self,
        merchant: &MerchantId,
        order_id: &OrderId,
    ) -> Result<Order, WaitError> {
        let key = self.store.find(merchant, order_id).await?;
        let key = key.ok_or(WaitError::NoSuchOrder)?;
        // Most that are asked for have ended; who waits for those would never be told.
        let rests = async || {
            let stored = self.store.read(key).await?;
            Ok::<_, StoreError>(stored.map(|it| it.order).filter(Order::is_at_rest))
        };
        if let Some(order) = rests().await? {
            return Ok(order);
        }
        // First be told of what comes, then look again, or its end could fall between.
        let (tell, told) = oneshot::channel();
        {
            let mut waiting = lock(&self.waiting);
            let waiting = waiting.entry(key).or_default();
            // Those who have gone away.
            waiting.retain(|waiter| !waiter.is_closed());
            waiting.push(tell);
        }
        if let Some(order) = rests().await? {
            return Ok(order);
        }
        if self.stopping() {
            return Err(WaitError::Stopping);
        }
        told.await.map_err(|_| WaitError::Stopping)
    }

    pub(super) async fn command(
        self: Arc<Self>,
        merchant: &MerchantId,
        order_id: &OrderId,
        command: Command,
    ) -> Result<Order, ActError> {
        if self.stopping() {
            return Err(ActError::Stopping);
        }
        let key = self
            .store
            .find(merchant, order_id)
            .await?
            .ok_or(ActError::NoSuchOrder)?;
        let held = self.obtain(key).await.map_err(act_error)?;
        let _care = self.care(key);
        let input = |_, _| Input::Command(command.clone());
        let told = self.tell(&held, Some(self.lease), input).await;
        let order = held.order.lock().await.clone();
        match told {
            Ok(effects) => {
                self.go_on(held, effects);
                Ok(order)
            }
            Err(error) => {
                self.settle(&held).await;
                Err(act_error(error))
            }
        }
    }

    pub(super) async fn keep_callback(
        self: Arc<Self>,
        callback: KeptCallback,
    ) -> Result<(), StoreError> {
        let entry = self
            .store
            .keep_callback(callback, self.clock.now().wall)
            .await?;
        let core = self.clone();
        self.tasks.spawn(async move {
            if let Some((held, effects)) = core.hear(entry).await {
                core.follow(held, effects).await;
            }
        });
        Ok(())
    }

    /// Tells an order of a callback; answers what is to be done now. One of an unknown order stays where it is
    /// kept.
    pub(super) async fn hear(
        self: &Arc<Self>,
        entry: InboxEntry,
    ) -> Option<(Arc<Held>, Vec<Effect>)> {
        let (key, attempt) = entry.whose?;
        let held = loop {
            match self.obtain(key).await {
                Ok(held) => break held,
                Err(TellError::Store(StoreError::Unavailable(_) | StoreError::Unknown(_)))
                    if !self.stopping() =>
                {
                    self.pause(AFTER_TROUBLE).await;
                }
                // It stays unhandled, and is found at the next start.
                Err(_) => return None,
            }
        };
        let _care = self.care(key);
        let callback = entry.callback;
        let input = |_, jitter| Input::Callback {
            attempt,
            upstream_order_id: callback.upstream_order_id.clone(),
            claims: callback.claims,
            covers_state: callback.covers_state,
            jitter,
        };
        let told = self.tell(&held, By::Callback(entry.id), input);
        if let Ok(effects) = trace::about(&held, told).await {
            return Some((held, effects));
        }
        self.settle(&held).await;
        None
    }
}

fn act_error(error: TellError) -> ActError {
    match error {
        TellError::Refused(refused) => ActError::Refused(refused),
        TellError::LeaseLost => ActError::Busy,
        TellError::NoSuchOrder => ActError::NoSuchOrder,
        TellError::Store(error) => ActError::Store(error),
    }
}
