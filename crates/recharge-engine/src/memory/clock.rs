//! Where the driver reads the time.

use std::fmt;
use std::time::{Instant, SystemTime};

use crate::{Epoch, Moment, WallTime};

/// Where a driver reads the time.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The present moment.
    fn now(&self) -> Moment;
}

/// The clocks of the machine. One epoch, from when it is made.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    epoch: Epoch,
    began: Instant,
}

impl SystemClock {
    /// Begins an epoch. A log that outlives the process needs one above all that it has seen.
    pub fn start(epoch: Epoch) -> Self {
        Self {
            epoch,
            began: Instant::now(),
        }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        // A clock set before 1970 reads as 1970; limits then end an order's waiting later, never sooner.
        let wall = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let wall = WallTime::from_millis(0).after(wall);
        Moment {
            wall,
            epoch: self.epoch,
            monotonic: self.began.elapsed(),
        }
    }
}
