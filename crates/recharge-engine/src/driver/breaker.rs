//! What keeps new submits back: a rate, and a breaker. Both are pure; the monotonic clock comes in.

use std::time::Duration;

use recharge_core::{DoubtKind, QueryOutcome, SubmitOutcome, UnavailableKind};

/// So many a second, on average, and a tenth of a second's share at once.
#[derive(Debug)]
pub(super) struct Rate {
    gap: Duration,
    burst: Duration,
    /// When the next one would be in step with the rate.
    next: Duration,
}

impl Rate {
    pub(super) fn per_second(rate: u32) -> Self {
        Self {
            gap: Duration::from_secs(1) / rate.max(1),
            burst: Duration::from_millis(100),
            next: Duration::ZERO,
        }
    }

    /// Lets one pass, or says when.
    pub(super) fn take(&mut self, now: Duration) -> Result<(), Duration> {
        // Further off only by another epoch's clock, which has begun again since.
        let furthest = now.saturating_add(self.burst).saturating_add(self.gap);
        self.next = self.next.min(furthest);
        if self.next > now.saturating_add(self.burst) {
            return Err(self.next.saturating_sub(self.burst));
        }
        self.next = self.next.max(now).saturating_add(self.gap);
        Ok(())
    }

    /// Gives back what was taken and not used.
    pub(super) fn give_back(&mut self) {
        self.next = self.next.saturating_sub(self.gap);
    }
}

/// Opens after so many calls in a row that did not reach the provider.
#[derive(Debug)]
pub(super) struct Breaker {
    after: u32,
    trial: Duration,
    failures: u32,
    next_trial: Duration,
}

impl Breaker {
    pub(super) const fn new(after: u32, trial: Duration) -> Self {
        Self {
            after,
            trial,
            failures: 0,
            next_trial: Duration::ZERO,
        }
    }

    /// Lets one pass, or says when one may try.
    pub(super) fn take(&mut self, now: Duration) -> Result<(), Duration> {
        if self.failures < self.after {
            return Ok(());
        }
        // Further off only by another epoch's clock, which has begun again since.
        self.next_trial = self.next_trial.min(now.saturating_add(self.trial));
        if now < self.next_trial {
            return Err(self.next_trial);
        }
        self.next_trial = now.saturating_add(self.trial);
        Ok(())
    }

    /// Whether it keeps all back but a trial now and then.
    pub(super) const fn is_open(&self) -> bool {
        self.failures >= self.after
    }

    /// A call has ended: whether it reached the provider, where that is known.
    pub(super) fn record(&mut self, reached: Option<bool>, now: Duration) {
        match reached {
            Some(true) => self.failures = 0,
            Some(false) => {
                self.failures = self.failures.saturating_add(1);
                if self.failures == self.after {
                    self.next_trial = now.saturating_add(self.trial);
                }
            }
            None => {}
        }
    }
}

/// Whether a submit reached the provider.
pub(super) const fn submit_reached(outcome: &SubmitOutcome) -> bool {
    match outcome {
        SubmitOutcome::Accepted(_) | SubmitOutcome::Rejected(_) => true,
        SubmitOutcome::NotSent(_) => false,
        SubmitOutcome::Unknown(doubt) => match doubt.kind {
            DoubtKind::NoAnswer | DoubtKind::HttpStatus | DoubtKind::Dropped => false,
            DoubtKind::Code | DoubtKind::Echo | DoubtKind::Unreadable => true,
        },
    }
}

/// Whether a question did; `None` where there was nothing to reach.
pub(super) fn query_reached(outcome: &QueryOutcome) -> Option<bool> {
    match outcome {
        QueryOutcome::Found(_) | QueryOutcome::NotFound(_) => Some(true),
        QueryOutcome::Unavailable(trouble) => match trouble.kind {
            UnavailableKind::Transport => Some(false),
            UnavailableKind::Unsupported => None,
            UnavailableKind::RateLimited
            | UnavailableKind::Maintenance
            | UnavailableKind::Denied
            | UnavailableKind::Unreadable
            | UnavailableKind::Code => Some(true),
        },
    }
}

#[cfg(test)]
mod tests {
    use recharge_core::{Doubt, Unavailable};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_rate_lets_its_share_pass_and_says_when_the_next_may() {
        let mut rate = Rate::per_second(10);
        assert_eq!(rate.take(Duration::ZERO), Ok(()));
        assert_eq!(rate.take(Duration::ZERO), Ok(()));
        let next = rate.take(Duration::ZERO).unwrap_err();
        assert_eq!(next, Duration::from_millis(100));
        assert_eq!(rate.take(next), Ok(()));
        let passed = (0..10_000)
            .filter(|tick| rate.take(SECOND + Duration::from_millis(*tick)).is_ok())
            .count();
        assert!((100..=102).contains(&passed), "{passed} in ten seconds");
    }

    #[test]
    fn a_clock_that_begins_again_shuts_neither_for_long() {
        let mut rate = Rate::per_second(2);
        let mut breaker = Breaker::new(1, SECOND);
        let late = SECOND * 100_000;
        while rate.take(late).is_ok() {}
        breaker.record(Some(false), late);
        assert_eq!(breaker.take(late), Err(late + SECOND));
        let again = rate.take(Duration::ZERO).unwrap_err();
        assert_eq!(again, SECOND / 2);
        assert_eq!(rate.take(again), Ok(()));
        assert_eq!(breaker.take(Duration::ZERO), Err(SECOND));
        assert_eq!(breaker.take(SECOND / 2), Err(SECOND));
        assert_eq!(breaker.take(SECOND), Ok(()));
    }

    #[test]
    fn a_provider_has_been_reached_when_it_has_answered() {
        let reached = |kind| submit_reached(&SubmitOutcome::Unknown(Doubt::new(kind, "")));
        for kind in [
            DoubtKind::NoAnswer,
            DoubtKind::HttpStatus,
            DoubtKind::Dropped,
        ] {
            assert!(!reached(kind), "{kind:?}");
        }
        for kind in [DoubtKind::Code, DoubtKind::Echo, DoubtKind::Unreadable] {
            assert!(reached(kind), "{kind:?}");
        }
        let reached = |kind| query_reached(&QueryOutcome::Unavailable(Unavailable::new(kind, "")));
        assert_eq!(reached(UnavailableKind::Transport), Some(false));
        assert_eq!(reached(UnavailableKind::Unsupported), None);
        for kind in [
            UnavailableKind::RateLimited,
            UnavailableKind::Maintenance,
            UnavailableKind::Denied,
            UnavailableKind::Unreadable,
            UnavailableKind::Code,
        ] {
            assert_eq!(reached(kind), Some(true), "{kind:?}");
        }
    }

    #[test]
    fn what_is_given_back_can_be_taken_again() {
        let mut rate = Rate::per_second(1);
        assert_eq!(rate.take(SECOND), Ok(()));
        assert!(rate.take(SECOND).is_err());
        rate.give_back();
        assert_eq!(rate.take(SECOND), Ok(()));
        assert!(rate.take(SECOND).is_err());
    }

    #[test]
    fn a_breaker_opens_after_failures_in_a_row_and_tries_once_in_a_while() {
        let mut breaker = Breaker::new(3, SECOND);
        for reached in [false, false, true, false, false] {
            breaker.record(Some(reached), Duration::ZERO);
            assert_eq!(breaker.take(Duration::ZERO), Ok(()));
        }
        breaker.record(Some(false), Duration::ZERO);
        assert_eq!(breaker.take(Duration::ZERO), Err(SECOND));
        assert_eq!(breaker.take(SECOND), Ok(()), "one may try");
        assert_eq!(breaker.take(SECOND), Err(SECOND * 2), "and no other");
        breaker.record(Some(false), SECOND);
        assert_eq!(breaker.take(SECOND * 2), Ok(()));
        breaker.record(Some(true), SECOND * 2);
        assert_eq!(breaker.take(SECOND * 2), Ok(()));
        assert_eq!(breaker.take(SECOND * 2), Ok(()));
    }
}
