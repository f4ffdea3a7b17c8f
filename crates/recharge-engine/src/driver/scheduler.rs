//! Whose turn it is: orders whose time has come, those whose gate has opened, and those that the store has
//! to hand out.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::time::Duration;

use super::core::{AFTER_TROUBLE, BATCH, Core, lock};
use super::gate::{Called, Lane};
use crate::store::OrderKey;
use crate::{Moment, StoreError, WallTime};

/// How far the two clocks may drift apart between two looks before it is called a jump.
const JUMP: Duration = Duration::from_secs(2);

/// What is to be done when.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    /// Orders at hand. One that is there twice finds at its turn that it isn't due.
    due: BinaryHeap<Reverse<(WallTime, OrderKey)>>,
    /// When the store may have something to hand out.
    claimable: Option<WallTime>,
}

/// Goes to work. The clock was last looked at then: before the orders were looked through.
pub(super) fn start(core: &Arc<Core>, seen: Moment) {
    let scheduler = core.clone();
    core.tasks
        .spawn(async move { scheduler.schedule(seen).await });
}

impl Core {
    /// Sees to it that an order at hand has its turn then.
    pub(super) fn put_down(&self, due: WallTime, key: OrderKey) {
        let mut agenda = lock(&self.agenda);
        let sooner = agenda
            .due
            .peek()
            .is_none_or(|Reverse((first, _))| due < *first);
        agenda.due.push(Reverse((due, key)));
        if sooner {
            self.wake.notify_one();
        }
    }

    /// Sees to it that all that were put down have a turn now: when, was said by the clock as it was before a
    /// jump.
    fn put_down_anew(&self, now: WallTime) {
        let mut agenda = lock(&self.agenda);
        let at_once =
            |Reverse((due, key)): Reverse<(WallTime, OrderKey)>| Reverse((now.min(due), key));
        agenda.due = agenda.due.drain().map(at_once).collect();
    }

    /// The store has something to hand out then.
    pub(super) fn may_be_claimed(&self, due: WallTime) {
        let mut agenda = lock(&self.agenda);
        if agenda.claimable.is_none_or(|known| due < known) {
            agenda.claimable = Some(due);
            self.wake.notify_one();
        }
    }

    async fn schedule(self: Arc<Self>, mut seen: Moment) {
        // Whatever the store has is looked for at least as often as the scheduler wakes by itself.
        let mut look = Duration::ZERO;
        // Until every order has been told that must know.
        let mut jump = false;
        while !self.stopping() {
            // What happens to the clock from here on, also while the store is waited for, is seen next time.
            let current = self.clock.now();
            jump |= jumped(seen, current);
            seen = current;
            if jump {
                // The clock of the next epoch begins at zero.
                look = Duration::ZERO;
                let Ok(begun) = self.clock_jumped().await else {
                    self.pause(AFTER_TROUBLE).await;
                    continue;
                };
                seen = begun;
                jump = false;
                self.put_down_anew(seen.wall);
            }
            // Should it fail, the hold lasts longer.
            drop(self.count_hold().await);
            let now = self.clock.now();
            self.call_due(now.wall);
            let gates = self.call_up(now);
            if now.monotonic >= look || self.is_claimable(now.wall) {
                look = now.monotonic.saturating_add(self.heartbeat);
                match self.claim(now.wall).await {
                    Ok(true) => continue,
                    Ok(false) => {}
                    // What it has is due as before.
                    Err(_) => {
                        lock(&self.agenda).claimable = None;
                        look = now.monotonic.saturating_add(AFTER_TROUBLE);
                    }
                }
            }
            let next = {
                let agenda = lock(&self.agenda);
                let due = agenda.due.peek().map(|Reverse((due, _))| *due);
                let first = [due, agenda.claimable].into_iter().flatten().min();
                first.map_or(self.heartbeat, |due| due.since(now.wall))
            };
            let gates = gates.map_or(self.heartbeat, |until| until.saturating_sub(now.monotonic));
            let wait = next.min(gates).min(self.heartbeat);
            tokio::select! {
                biased;
                () = self.wake.notified() => {}
                () = self.clock.sleep(wait.max(Duration::from_millis(1))) => {}
            }
        }
    }

    fn is_claimable(&self, now: WallTime) -> bool {
        let agenda = lock(&self.agenda);
        agenda.claimable.is_some_and(|due| due <= now)
    }

    /// Calls those at hand whose time has come.
    fn call_due(self: &Arc<Self>, now: WallTime) {
        loop {
            let key = {
                let mut agenda = lock(&self.agenda);
                match agenda.due.peek() {
                    Some(Reverse((due, key))) if *due <= now => {
                        let key = *key;
                        agenda.due.pop();
                        key
                    }
                    Some(_) | None => return,
                }
            };
            if let Some(held) = self.at_hand(key) {
                self.take_turn(held, None);
            }
        }
    }

    /// Calls those whose gate has opened; answers when one opens by itself.
    fn call_up(self: &Arc<Self>, now: Moment) -> Option<Duration> {
        let mut next: Option<Duration> = None;
        for upstream in self.upstreams.values() {
            for lane in Lane::BOTH {
                let (called, again) = upstream.call_up(lane, now.monotonic, now.wall);
                for called in called {
                    match called {
                        Called::Turn(key, pass) => self.take_turn_of(key, pass),
                        // Whoever waited may have gone; then the pass goes back.
                        Called::Call(give, pass) => drop(give.send(pass)),
                    }
                }
                next = [next, again].into_iter().flatten().min();
            }
        }
        next
    }

    /// Claims what is due in the store; answers whether there may be more.
    async fn claim(self: &Arc<Self>, now: WallTime) -> Result<bool, StoreError> {
        lock(&self.agenda).claimable = None;
        let limit = if self.crowded() { 0 } else { BATCH };
        let claimed = self.store.claim_due(self.lease, now, limit).await?;
        let more = limit > 0 && claimed.len() == limit;
        let in_vain = limit > 0 && claimed.is_empty();
        for stored in claimed {
            let held = self.keep(stored.key, stored.order);
            self.take_turn(held, None);
        }
        if !more && let Some(due) = self.store.next_due().await? {
            // One that is due, and could not be claimed, must not be asked for without end: there is no
            // room for it, or another worker has begun, whose it is to claim.
            let due = match (due <= now, in_vain) {
                (true, true) => now.after(self.heartbeat),
                (true, false) | (false, _) => due.max(now.after(AFTER_TROUBLE)),
            };
            let mut agenda = lock(&self.agenda);
            let known = agenda.claimable.map_or(due, |known| known.min(due));
            agenda.claimable = Some(known);
        }
        Ok(more)
    }
}

/// Whether the wall clock went another way than the monotonic one.
fn jumped(before: Moment, now: Moment) -> bool {
    if before.epoch != now.epoch {
        return false;
    }
    let steady = now.monotonic.saturating_sub(before.monotonic);
    let expected = before.wall.after(steady);
    now.wall.since(expected).max(expected.since(now.wall)) > JUMP
}
