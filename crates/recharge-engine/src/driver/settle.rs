//! What becomes of an order at hand when nobody works on it any more.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::core::{AFTER_TROUBLE, Core, Held, lock};
use crate::WallTime;
use crate::store::OrderKey;

/// An order that is due within this is kept at hand.
const SOON: Duration = Duration::from_mins(1);

/// What a task that dies leaves is seen to a little later.
pub(super) struct Care(Arc<Core>, OrderKey);

impl Drop for Care {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let again = self.0.clock.now().wall.after(AFTER_TROUBLE);
            self.0.put_down(again, self.1);
        }
    }
}

impl Core {
    /// Sees to what an order needs next, if nobody else does.
    pub(super) async fn settle(self: &Arc<Self>, held: &Arc<Held>) {
        if held.seen_to.load(Ordering::Acquire) {
            return;
        }
        let due = held.order.lock().await.due();
        let now = self.clock.now().wall;
        match due {
            Some(due) if due <= now && !self.stopping() => self.take_turn(held.clone(), None),
            Some(due) if due <= now.after(SOON) && !self.crowded() => self.put_down(due, held.key),
            Some(due) if self.let_go(held) => self.give_back(held.clone(), due).await,
            // Nothing is left to be done; a claim that is not given back is void at the next start.
            None if self.let_go(held) => drop(self.store.release(self.lease, &[held.key]).await),
            // Whoever else has it may be about to go as well, and leave it to this one.
            due => self.put_down(due.unwrap_or(now.after(SOON)), held.key),
        }
    }

    /// Lets the store hand an order out when it is due. One that can't be given back stays at hand: nobody
    /// else would see to it.
    pub(super) async fn give_back(&self, held: Arc<Held>, due: WallTime) {
        let key = held.key;
        if self.store.release(self.lease, &[key]).await.is_ok() {
            return self.may_be_claimed(due);
        }
        lock(&self.held).entry(key).or_insert(held);
        self.put_down(due.max(self.clock.now().wall.after(AFTER_TROUBLE)), key);
    }

    /// Sees to it that an order that is at hand has a turn, should the task that has it die.
    pub(super) fn care(self: &Arc<Self>, key: OrderKey) -> Care {
        Care(self.clone(), key)
    }
}
