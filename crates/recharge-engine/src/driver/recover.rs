//! Carrying out the plan of [`recovery`]: at a start, and after a jump of the clock.

use std::sync::Arc;
use std::time::Duration;

use super::core::{BATCH, Core, TellError, lock};
use super::recovery::{self, Occasion};
use crate::store::{Hold, OrderKey};
use crate::{Input, Moment, StoreError};

/// For how long after a restore orders are held that are accepted anew: their merchant may have sent them
/// before. The longest that an upstream is known to pay late.
const HOLD: Duration = Duration::from_hours(7 * 24);

/// How often it is written down how much of it is left. What a crash takes of that makes it longer.
const COUNTED: Duration = Duration::from_hours(1);

impl Core {
    /// Looks through the orders that an earlier worker left, and tells those that must know.
    pub(super) async fn recover_at_start(self: &Arc<Self>) -> Result<(), StoreError> {
        let restored = *lock(&self.hold) == Some(Hold::Restored);
        self.recover(Occasion::Start { restored }).await?;
        if restored {
            self.store.set_hold(Some(HOLD)).await?;
            *lock(&self.hold) = Some(Hold::For(HOLD));
        }
        *lock(&self.hold_counted) = Some(self.clock.now());
        self.hear_unhandled().await?;
        Ok(())
    }

    /// Counts the time that the hold of a restored backup still has: that of workers at work, whatever the
    /// wall clock says.
    pub(super) async fn count_hold(&self) -> Result<(), StoreError> {
        let Some(Hold::For(left)) = *lock(&self.hold) else {
            return Ok(());
        };
        let now = self.clock.now();
        let Some(counted) = *lock(&self.hold_counted) else {
            return Ok(());
        };
        let passed = now.elapsed_since(counted);
        if passed < COUNTED.min(left) {
            return Ok(());
        }
        let left = left.checked_sub(passed).filter(|left| !left.is_zero());
        self.store.set_hold(left).await?;
        *lock(&self.hold) = left.map(Hold::For);
        *lock(&self.hold_counted) = Some(now);
        Ok(())
    }

    /// Tells orders of the callbacks that were kept, and not told, before.
    async fn hear_unhandled(self: &Arc<Self>) -> Result<(), StoreError> {
        let mut last = 0;
        loop {
            let entries = self.store.unhandled(BATCH).await?;
            // Those that are still there could not be told; the next start tries again.
            let fresh: Vec<_> = entries.into_iter().filter(|it| it.id > last).collect();
            let Some(newest) = fresh.last() else {
                return Ok(());
            };
            last = newest.id;
            for entry in fresh {
                if let Some((held, effects)) = self.hear(entry).await {
                    self.go_on(held, effects);
                }
            }
        }
    }

    pub(super) async fn recover(self: &Arc<Self>, occasion: Occasion) -> Result<(), StoreError> {
        let restored = occasion == Occasion::Start { restored: true };
        let mut after = None;
        loop {
            let now = self.clock.now().wall;
            let beyond = recovery::beyond(now, &self.times);
            let briefs = self.store.survey(beyond, after, BATCH).await?;
            let Some(last) = briefs.last() else {
                return Ok(());
            };
            after = Some(last.key);
            let told: Vec<_> = briefs
                .iter()
                .filter(|brief| recovery::must_be_told(occasion, brief, now, &self.times))
                .map(|brief| {
                    let (core, key) = (self.clone(), brief.key);
                    // Together, so that they share commits.
                    self.detached(async move { core.recovered(key, restored).await })
                })
                .collect();
            for told in told {
                let Some(told) = told.await else {
                    return Err(StoreError::Unavailable("a task died".to_owned()));
                };
                match told {
                    // Of a backup it must not be crossed off by whoever could not hold all of it.
                    Err(TellError::LeaseLost) if restored => {
                        let why = "another worker has begun on the restored store";
                        return Err(StoreError::Unavailable(why.to_owned()));
                    }
                    Ok(())
                    | Err(TellError::NoSuchOrder | TellError::LeaseLost | TellError::Refused(_)) => {
                    }
                    // It would keep the others waiting for ever.
                    Err(TellError::Store(StoreError::Damaged(_))) if occasion == Occasion::Jump => {
                    }
                    Err(TellError::Store(error)) => return Err(error),
                }
            }
        }
    }

    async fn recovered(self: &Arc<Self>, key: OrderKey, restored: bool) -> Result<(), TellError> {
        let held = self.obtain(key).await?;
        let _care = self.care(key);
        let input = |_, jitter| Input::Recovered { restored, jitter };
        let told = self.tell(&held, Some(self.lease), input).await;
        // One of a restored backup has no turn before it knows that it is held; this start fails.
        if told.is_ok() || !restored {
            self.settle(&held).await;
        }
        told.map(|_| ())
    }

    /// Begins an epoch, after a jump of the wall clock; answers when. Not if another worker has begun: the
    /// orders are its.
    pub(super) async fn clock_jumped(self: &Arc<Self>) -> Result<Moment, StoreError> {
        let Some(epoch) = self.store.next_epoch(self.lease).await? else {
            return Ok(self.clock.now());
        };
        self.clock.begin(epoch);
        let begun = self.clock.now();
        self.recover(Occasion::Jump).await?;
        Ok(begun)
    }
}
