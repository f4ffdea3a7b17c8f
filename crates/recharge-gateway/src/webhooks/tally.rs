//! [`Tally`]: how many messages went which way, since the service began.

use std::sync::atomic::{AtomicU64, Ordering};

/// How many messages went which way.
#[derive(Debug, Default)]
pub struct Tally {
    delivered: AtomicU64,
    failed: AtomicU64,
    given_up: AtomicU64,
    alarms: AtomicU64,
}

impl Tally {
    /// Notices whose arrival was answered.
    pub fn delivered(&self) -> u64 {
        self.delivered.load(Ordering::Relaxed)
    }

    /// Tries in vain.
    pub fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    /// Notices that were given up.
    pub fn given_up(&self) -> u64 {
        self.given_up.load(Ordering::Relaxed)
    }

    /// Alarms that were logged.
    pub fn alarms(&self) -> u64 {
        self.alarms.load(Ordering::Relaxed)
    }

    pub(crate) fn count_delivered(&self) {
        self.delivered.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_failed(&self, given_up: bool) {
        self.failed.fetch_add(1, Ordering::Relaxed);
        self.given_up
            .fetch_add(u64::from(given_up), Ordering::Relaxed);
    }

    pub(crate) fn count_alarm(&self) {
        self.alarms.fetch_add(1, Ordering::Relaxed);
    }
}
