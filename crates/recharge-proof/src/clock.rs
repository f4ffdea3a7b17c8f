//! The clocks of a worker: the executor's time, and a wall clock that can be wrong.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use recharge_engine::{Clock, Epoch, Moment, WallTime};

use crate::executor::{Executor, Process, lock};

/// What the wall clock truly shows when time begins: 2027-01-15.
pub(crate) const BEGINNING: WallTime = WallTime::from_millis(1_800_000_000_000);

#[derive(Debug)]
pub(crate) struct WorkerClock {
    executor: Executor,
    process: Process,
    /// The present epoch, and the process's monotonic time when it began.
    epoch: Mutex<(Epoch, Duration)>,
    epochs: Epochs,
    /// Where virtual time begins on the clock by which requests carry their deadline.
    zero: Instant,
}

impl WorkerClock {
    pub(crate) fn new(epochs: Epochs, process: Process, zero: Instant) -> Self {
        let executor = epochs.executor.clone();
        let epoch = Mutex::new((Epoch(0), executor.monotonic(process)));
        Self {
            executor,
            process,
            epoch,
            epochs,
            zero,
        }
    }
}

/// When each epoch began and on whose clock, so that the judge need not ask the engine's clocks what came
/// before what. Of a number that was given twice, because the first was lost with its machine, the second
/// counts: nothing is left of the first.
#[derive(Debug, Clone)]
pub(crate) struct Epochs {
    executor: Executor,
    began: Arc<Mutex<BTreeMap<Epoch, (Process, Duration)>>>,
}

impl Epochs {
    pub(crate) fn new(executor: Executor) -> Self {
        Self {
            executor,
            began: Arc::default(),
        }
    }

    /// When a moment truly was, whatever clocks said; `None` of an epoch that nobody began.
    pub(crate) fn truly(&self, moment: Moment) -> Option<Duration> {
        let (process, began) = *lock(&self.began).get(&moment.epoch)?;
        let shown = began.saturating_add(moment.monotonic);
        Some(self.executor.truly(process, shown))
    }
}

/// A wall clock that is off by so many milliseconds.
pub(crate) fn wall(now: Duration, offset: i64) -> WallTime {
    let right = BEGINNING.after(now);
    WallTime::from_millis(right.millis().saturating_add(offset))
}

#[async_trait]
impl Clock for WorkerClock {
    fn now(&self) -> Moment {
        let (epoch, began) = *lock(&self.epoch);
        Moment {
            wall: wall(self.executor.now(), self.executor.wall_offset(self.process)),
            epoch,
            monotonic: self.executor.monotonic(self.process).saturating_sub(began),
        }
    }

    fn begin(&self, epoch: Epoch) {
        let now = self.executor.monotonic(self.process);
        *lock(&self.epoch) = (epoch, now);
        lock(&self.epochs.began).insert(epoch, (self.process, now));
    }

    fn instant(&self, moment: Moment, later: Duration) -> Option<Instant> {
        let (epoch, began) = *lock(&self.epoch);
        let within = began.checked_add(moment.monotonic)?.checked_add(later)?;
        (moment.epoch == epoch).then(|| self.zero.checked_add(within))?
    }

    async fn sleep(&self, duration: Duration) {
        self.executor.sleep(self.process, duration).await;
    }
}
