//! Time as the lifecycle sees it: always passed in, never read; and where a driver reads it.

use std::cmp::Ordering;
use std::fmt;
#[cfg(feature = "driver")]
use std::sync::{Mutex, PoisonError};
#[cfg(feature = "driver")]
use std::time::SystemTime;
use std::time::{Duration, Instant};

use async_trait::async_trait;

/// Wall-clock time: milliseconds since 1970-01-01 UTC. It can jump.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WallTime(i64);

impl WallTime {
    /// From milliseconds since 1970-01-01 UTC.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970-01-01 UTC.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// This time and a duration later; at the end of the range it stays there.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// This time and a duration earlier; at the beginning of the range it stays there.
    #[must_use]
    pub fn before(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// When the day of this time began in China, which has one offset all year: its upstreams and merchants
    /// count days so.
    #[must_use]
    pub const fn midnight_in_china(self) -> Self {
        const DAY: i64 = 24 * 60 * 60 * 1_000;
        const OFFSET: i64 = 8 * 60 * 60 * 1_000;
        let since = self.0.saturating_add(OFFSET).rem_euclid(DAY);
        Self(self.0.saturating_sub(since))
    }

    /// How long ago `earlier` was; zero when the clock says that it is still to come.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

/// A stretch of time in which the monotonic clock can be trusted: a start, a takeover and a jump of the
/// wall clock each begin one. Numbers rise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub u64);

/// A moment on both clocks. Every event stores one.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Moment {
    /// The wall clock.
    pub wall: WallTime,
    /// The epoch of the monotonic clock.
    pub epoch: Epoch,
    /// Monotonic time since that epoch began. Every nanosecond of it counts: what is stored coarser may
    /// put a question before what it was asked after.
    pub monotonic: Duration,
}

impl Moment {
    /// How long ago `earlier` was, as far as monotonic time knows: the difference inside one epoch, else
    /// all of the later epoch's; zero if it is not earlier.
    ///
    /// A restart or a jump of the wall clock makes it too short: who waits waits too long, and who must be
    /// quick compares inside one epoch only. So does a machine that is suspended, if its monotonic clock
    /// stands still; who must be quick may be late then, as the proof's assumptions say. Too long it is only
    /// for what an overtaken worker wrote after the later epoch had begun. It can send nothing then; what
    /// counts from its acceptance, the hold of a restored backup, is safe from that begin on; and a callback
    /// that it heard may cause one question sooner than the next should.
    pub fn elapsed_since(self, earlier: Self) -> Duration {
        match self.epoch.cmp(&earlier.epoch) {
            Ordering::Less => Duration::ZERO,
            Ordering::Equal => self.monotonic.saturating_sub(earlier.monotonic),
            Ordering::Greater => self.monotonic,
        }
    }

    /// Whether this moment is at or after `other`. Moments of different epochs are ordered by epoch.
    pub fn not_before(self, other: Self) -> bool {
        (self.epoch, self.monotonic) >= (other.epoch, other.monotonic)
    }
}

impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}ms (epoch {} + {:?})",
            self.wall.0, self.epoch.0, self.monotonic
        )
    }
}

/// Where a driver reads the time, and waits. `SystemClock` in production; in tests, one that is moved
/// by hand.
#[async_trait]
pub trait Clock: fmt::Debug + Send + Sync {
    /// The present moment. Epoch 0 before the first [`begin`](Self::begin).
    fn now(&self) -> Moment;

    /// Begins an epoch: monotonic time counts from zero. Its number is above all that the log has seen. A
    /// driver calls it; one clock serves one driver.
    fn begin(&self, epoch: Epoch);

    /// That moment, and a while later, on the clock by which requests carry their deadline. `None` for a
    /// moment that it can't name, such as one of an earlier epoch.
    fn instant(&self, moment: Moment, later: Duration) -> Option<Instant>;

    /// Waits at least so long on the monotonic clock. May be dropped at any time.
    async fn sleep(&self, duration: Duration);
}

/// The clocks of the machine. It waits with tokio's timers.
#[cfg(feature = "driver")]
#[derive(Debug)]
pub struct SystemClock(Mutex<(Epoch, Instant)>);

#[cfg(feature = "driver")]
impl Default for SystemClock {
    fn default() -> Self {
        Self(Mutex::new((Epoch(0), Instant::now())))
    }
}

#[cfg(feature = "driver")]
impl SystemClock {
    /// A clock that has begun no epoch yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn began(&self) -> (Epoch, Instant) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(feature = "driver")]
#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Moment {
        // A clock set before 1970 reads as 1970; limits then end an order's waiting later, never sooner.
        let wall = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let (epoch, began) = self.began();
        Moment {
            wall: WallTime::from_millis(0).after(wall),
            epoch,
            monotonic: began.elapsed(),
        }
    }

    fn begin(&self, epoch: Epoch) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (epoch, Instant::now());
    }

    fn instant(&self, moment: Moment, later: Duration) -> Option<Instant> {
        let (epoch, began) = self.began();
        let within = moment.monotonic.checked_add(later)?;
        (moment.epoch == epoch).then(|| began.checked_add(within))?
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(epoch: u64, seconds: u64) -> Moment {
        Moment {
            wall: WallTime(0),
            epoch: Epoch(epoch),
            monotonic: Duration::from_secs(seconds),
        }
    }

    #[test]
    fn elapsed_time_is_never_longer_than_what_one_epoch_has_seen() {
        assert_eq!(
            moment(1, 90).elapsed_since(moment(1, 30)),
            Duration::from_mins(1)
        );
        assert_eq!(
            moment(2, 5).elapsed_since(moment(1, 30)),
            Duration::from_secs(5)
        );
        assert_eq!(moment(1, 30).elapsed_since(moment(1, 90)), Duration::ZERO);
        assert_eq!(moment(1, 90).elapsed_since(moment(2, 5)), Duration::ZERO);
    }

    #[test]
    fn epochs_order_moments_whatever_their_clocks_say() {
        assert!(moment(2, 0).not_before(moment(1, 999)));
        assert!(!moment(1, 999).not_before(moment(2, 0)));
        assert!(moment(1, 1).not_before(moment(1, 1)));
    }

    #[test]
    fn a_moment_is_shown_on_both_clocks() {
        let shown = format!("{:?}", moment(3, 90));
        assert_eq!(shown, "0ms (epoch 3 + 90s)");
    }

    #[test]
    fn a_day_begins_at_midnight_in_china() {
        // 2027-01-15 00:00 at +08:00, an hour before it and an hour before the next.
        const MIDNIGHT: i64 = 1_799_942_400_000;
        const HOUR: i64 = 3_600_000;
        let midnight = |millis| WallTime(millis).midnight_in_china().millis();
        assert_eq!(midnight(MIDNIGHT), MIDNIGHT);
        assert_eq!(midnight(MIDNIGHT - HOUR), MIDNIGHT - 24 * HOUR);
        assert_eq!(midnight(MIDNIGHT + 23 * HOUR), MIDNIGHT);
        assert_eq!(midnight(MIDNIGHT + 24 * HOUR), MIDNIGHT + 24 * HOUR);
        // Of 1970 as well, which began there before it did in Greenwich.
        assert_eq!(midnight(0), -8 * HOUR);
        for end in [i64::MIN, i64::MAX] {
            assert!(midnight(end) <= end);
        }
    }

    #[test]
    fn wall_time_saturates() {
        assert_eq!(WallTime(i64::MAX).after(Duration::MAX), WallTime(i64::MAX));
        assert_eq!(WallTime(5).since(WallTime(9)), Duration::ZERO);
        assert_eq!(WallTime(i64::MIN).since(WallTime(i64::MAX)), Duration::ZERO);
    }
}
