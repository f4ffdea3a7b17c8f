//! What becomes of an order at hand when nobody works on it any more.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::core::{AFTER_TROUBLE, Core, Held, TellError, lock};
use super::recovery::{Occasion, must_be_told};
use crate::store::{Brief, OrderKey};
use crate::{Input, WallTime};

/// An order that is due within this is kept at hand, as long as half of the room is left for those that are
/// worked on.
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
        if self.is_put_off(held).await {
            let again = self.clock.now().wall.after(AFTER_TROUBLE);
            return self.put_down(again, held.key);
        }
        let due = held.order.lock().await.due();
        let now = self.clock.now().wall;
        match due {
            Some(due) if due <= now && !self.stopping() => self.take_turn(held.clone(), None),
            Some(due) if due <= now.after(SOON) && !self.half_full() => {
                self.put_down(due, held.key);
            }
            Some(due) if self.let_go(held) => self.give_back(held.clone(), due).await,
            // Nothing is left to be done; a claim that is not given back is void at the next start.
            None if self.let_go(held) => drop(self.store.release(self.lease, &[held.key]).await),
            // Whoever else has it may be about to go as well, and leave it to this one.
            due => {
                let again = now.after(SOON);
                self.put_down(due.map_or(again, |due| due.min(again)), held.key);
            }
        }
    }

    /// Whether an order waits for longer than it may, and can't be told so now. What was stepped by the clock as
    /// it was before a jump may be written down only after every order has been looked at for the jump's sake.
    async fn is_put_off(self: &Arc<Self>, held: &Arc<Held>) -> bool {
        let brief = {
            let order = held.order.lock().await;
            Brief {
                key: held.key,
                state: order.state(),
                due: order.due(),
            }
        };
        let now = self.clock.now();
        let stepped_in = held.stepped_in.load(Ordering::Acquire);
        let before = stepped_in != 0 && stepped_in < now.epoch.0;
        if !before || !must_be_told(Occasion::Jump, &brief, now.wall, &self.times) {
            return false;
        }
        let input = |_, jitter| Input::Recovered {
            restored: false,
            jitter,
        };
        // No effect comes of it. One that is another worker's by now is told by that one.
        let told = self.tell(held, Some(self.lease), input).await;
        matches!(told, Err(TellError::Store(_)))
    }

    /// Lets the store hand an order out when it is due. One that can't be given back stays at hand, where it
    /// takes up room, until it can: nobody else would see to it.
    pub(super) async fn give_back(&self, held: Arc<Held>, due: WallTime) {
        let key = held.key;
        if self.store.release(self.lease, &[key]).await.is_ok() {
            return self.may_be_claimed(due);
        }
        lock(&self.held).entry(key).or_insert(held);
        self.put_down(self.clock.now().wall.after(AFTER_TROUBLE), key);
    }

    /// Sees to it that an order that is at hand has a turn, should the task that has it die.
    pub(super) fn care(self: &Arc<Self>, key: OrderKey) -> Care {
        Care(self.clone(), key)
    }
}
