//! How long things take.

use std::time::Duration;

/// How long things take. The defaults are the lifecycle's; shortening them weakens what they protect, as
/// [`warnings`](Self::warnings) says. [`validate`](Self::validate) refuses only what makes no sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Times {
    /// Gaps between queries; the last repeats.
    pub query_after: Vec<Duration>,
    /// How long after the answer "failed" a second one must be sent to confirm it.
    pub confirm_failure_after: Duration,
    /// How long "no such order" proves nothing, on the monotonic clock, counted from the moment at
    /// which no byte can be under way any more.
    pub not_found_quarantine: Duration,
    /// How many explicit "no such order" it takes, the last one asked after the quarantine.
    pub not_found_answers: u32,
    /// How long an order may be charging before a person looks at it.
    pub charging_limit: Duration,
    /// How long nobody may know of an order before a person looks at it.
    pub unknown_limit: Duration,
    /// How long after our own commit the first byte may go out.
    pub send_deadline: Duration,
    /// The longest that one request takes, connection included.
    pub request_timeout: Duration,
    /// How long an order may wait to be sent.
    pub pending_limit: Duration,
    /// How many times in a row "not sent" is tried again at the same provider.
    pub not_sent_tries: u32,
    /// The least time between two queries that callbacks of one order cause.
    pub callback_gap: Duration,
    /// When, after an end, attempts are asked about again.
    pub watch_after: Vec<Duration>,
}

impl Default for Times {
    fn default() -> Self {
        const MINUTE: u64 = 60;
        const HOUR: u64 = 60 * MINUTE;
        let seconds = |list: &[u64]| list.iter().copied().map(Duration::from_secs).collect();
        Self {
            query_after: seconds(&[
                5,
                15,
                30,
                60,
                2 * MINUTE,
                5 * MINUTE,
                10 * MINUTE,
                30 * MINUTE,
                HOUR,
            ]),
            confirm_failure_after: Duration::from_mins(1),
            not_found_quarantine: Duration::from_mins(30),
            not_found_answers: 6,
            charging_limit: Duration::from_hours(24),
            unknown_limit: Duration::from_hours(2),
            send_deadline: Duration::from_secs(10),
            request_timeout: Duration::from_secs(35),
            pending_limit: Duration::from_mins(30),
            not_sent_tries: 3,
            callback_gap: Duration::from_secs(30),
            watch_after: seconds(&[
                10 * MINUTE,
                HOUR,
                6 * HOUR,
                24 * HOUR,
                72 * HOUR,
                168 * HOUR,
            ]),
        }
    }
}

impl Times {
    /// The gap before query number `asked` (from 0): the last of the list repeats.
    pub fn query_gap(&self, asked: u32) -> Duration {
        let at = usize::try_from(asked).unwrap_or(usize::MAX);
        self.query_after
            .get(at)
            .or(self.query_after.last())
            .copied()
            .unwrap_or(Duration::from_mins(1))
    }

    /// How long after the intent to send "no such order" proves nothing.
    pub fn quarantine(&self) -> Duration {
        self.in_flight().saturating_add(self.not_found_quarantine)
    }

    /// How long after the intent to send a byte of it may still be under way.
    pub fn in_flight(&self) -> Duration {
        self.send_deadline.saturating_add(self.request_timeout)
    }

    /// Refuses times that make no sense: any duration will do but none at all.
    pub fn validate(&self) -> Result<(), TimesError> {
        let Self {
            query_after,
            confirm_failure_after,
            not_found_quarantine,
            not_found_answers,
            charging_limit,
            unknown_limit,
            send_deadline,
            request_timeout,
            pending_limit,
            // None is right for those who would rather have the next provider at once.
            not_sent_tries: _,
            callback_gap,
            watch_after,
        } = self;
        let durations = [
            ("confirm_failure_after", confirm_failure_after),
            ("not_found_quarantine", not_found_quarantine),
            ("charging_limit", charging_limit),
            ("unknown_limit", unknown_limit),
            ("send_deadline", send_deadline),
            ("request_timeout", request_timeout),
            ("pending_limit", pending_limit),
            ("callback_gap", callback_gap),
        ];
        let queries = query_after.iter().map(|gap| ("query_after", gap));
        let watches = watch_after.iter().map(|after| ("watch_after", after));
        let zero = |(_, duration): &(&str, &Duration)| duration.is_zero();
        if let Some((name, _)) = durations
            .into_iter()
            .chain(queries)
            .chain(watches)
            .find(zero)
        {
            return Err(TimesError::Zero(name));
        }
        if *not_found_answers == 0 {
            return Err(TimesError::Zero("not_found_answers"));
        }
        if query_after.is_empty() {
            return Err(TimesError::NoQueries);
        }
        if !watch_after.is_sorted_by(|before, after| before < after) {
            return Err(TimesError::WatchNotRising);
        }
        Ok(())
    }

    /// A sentence for each time that is shorter than the default and weakens what it protects.
    pub fn warnings(&self) -> Vec<String> {
        let usual = Self::default();
        let mut warnings = Vec::new();
        let mut warn = |name: &str, shorter: bool, usual: String, so: &str| {
            if shorter {
                warnings.push(format!("{name} is less than {usual}: {so}"));
            }
        };
        let known = self.query_after.len().max(usual.query_after.len());
        let hasty = (0..u32::try_from(known).unwrap_or(u32::MAX))
            .any(|asked| self.query_gap(asked) < usual.query_gap(asked));
        warn(
            "query_after",
            hasty,
            "the lifecycle's".to_owned(),
            "upstreams that limit questions may answer none",
        );
        warn(
            "confirm_failure_after",
            self.confirm_failure_after < usual.confirm_failure_after,
            format!("{:?}", usual.confirm_failure_after),
            "one mistake of an upstream, told twice, may fail an order that it charges",
        );
        warn(
            "not_found_quarantine",
            self.not_found_quarantine < usual.not_found_quarantine,
            format!("{:?}", usual.not_found_quarantine),
            "an order that arrives late may be called probably not taken, and a restored backup may send \
             one again",
        );
        warn(
            "not_found_answers",
            self.not_found_answers < usual.not_found_answers,
            usual.not_found_answers.to_string(),
            "an upstream that loses sight of an order for a while may have it called probably not taken",
        );
        warn(
            "request_timeout",
            self.request_timeout < usual.request_timeout,
            format!("{:?}", usual.request_timeout),
            "answers that come later are not heard, and what was taken becomes unknown; the waits for \
             \"no such order\" begin sooner as well",
        );
        warn(
            "callback_gap",
            self.callback_gap < usual.callback_gap,
            format!("{:?}", usual.callback_gap),
            "callbacks, replayed ones too, cause more questions",
        );
        warn(
            "watch_after",
            self.watch_after.last() < usual.watch_after.last(),
            usual
                .watch_after
                .last()
                .map_or_else(String::new, |last| format!("{last:?}")),
            "an upstream that goes back on its word later than that is not found out",
        );
        warnings
    }
}

/// Why times make no sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TimesError {
    /// This one, or one of its list, is zero.
    #[error("{0} is zero; the shortest that makes sense is more than nothing")]
    Zero(&'static str),
    /// There is no gap between queries.
    #[error("query_after is empty; give at least one gap between queries")]
    NoQueries,
    /// The times after an end count from the end.
    #[error("watch_after must rise: each of its times counts from the end of the order")]
    WatchNotRising,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A name, and what makes that time as short as can be, or none at all.
    type Field = (&'static str, fn(&mut Times, Duration));

    const FIELDS: [Field; 10] = [
        ("query_after", |times, short| times.query_after[3] = short),
        ("confirm_failure_after", |times, short| {
            times.confirm_failure_after = short;
        }),
        ("not_found_quarantine", |times, short| {
            times.not_found_quarantine = short;
        }),
        ("charging_limit", |times, short| {
            times.charging_limit = short;
        }),
        ("unknown_limit", |times, short| times.unknown_limit = short),
        ("send_deadline", |times, short| times.send_deadline = short),
        ("request_timeout", |times, short| {
            times.request_timeout = short;
        }),
        ("pending_limit", |times, short| times.pending_limit = short),
        ("callback_gap", |times, short| times.callback_gap = short),
        ("watch_after", |times, short| {
            times.watch_after = vec![short];
        }),
    ];

    #[test]
    fn the_lifecycles_times_make_sense_and_weaken_nothing() {
        let times = Times::default();
        assert_eq!(times.validate(), Ok(()));
        assert_eq!(times.warnings(), Vec::<String>::new());
    }

    #[test]
    fn any_time_will_do_but_none_at_all() {
        for (name, set) in FIELDS {
            let mut times = Times::default();
            set(&mut times, Duration::ZERO);
            assert_eq!(times.validate(), Err(TimesError::Zero(name)));
            for any in [Duration::from_nanos(1), Duration::MAX] {
                set(&mut times, any);
                assert_eq!(times.validate(), Ok(()), "{name}");
            }
            assert!(
                !times.warnings().iter().any(|text| text.starts_with(name)),
                "a longer one weakens nothing"
            );
        }
        let times = Times {
            not_found_answers: 0,
            ..Times::default()
        };
        assert_eq!(times.validate(), Err(TimesError::Zero("not_found_answers")));
        let times = Times {
            not_sent_tries: 0,
            ..Times::default()
        };
        assert_eq!(times.validate(), Ok(()));
    }

    #[test]
    fn lists_that_make_no_sense_are_refused() {
        let mut times = Times::default();
        times.query_after.clear();
        assert_eq!(times.validate(), Err(TimesError::NoQueries));
        times = Times::default();
        times.watch_after.swap(0, 1);
        assert_eq!(times.validate(), Err(TimesError::WatchNotRising));
        times = Times::default();
        times.watch_after[1] = times.watch_after[0];
        assert_eq!(times.validate(), Err(TimesError::WatchNotRising));
        times.watch_after.clear();
        assert_eq!(times.validate(), Ok(()));
        assert_eq!(times.warnings().len(), 1);
    }

    #[test]
    fn each_time_that_protects_something_warns_when_it_is_shortened() {
        let protects = [
            "query_after",
            "confirm_failure_after",
            "not_found_quarantine",
            "request_timeout",
            "callback_gap",
            "watch_after",
        ];
        for (name, set) in FIELDS {
            let mut times = Times::default();
            set(&mut times, Duration::from_secs(1));
            let warnings = times.warnings();
            let wanted = usize::from(protects.contains(&name));
            assert_eq!(warnings.len(), wanted, "{warnings:?}");
            assert!(warnings.iter().all(|text| text.starts_with(name)));
        }
        let mut times = Times {
            not_found_answers: 5,
            ..Times::default()
        };
        let [warning] = &times.warnings()[..] else {
            panic!("{:?}", times.warnings());
        };
        assert!(warning.starts_with("not_found_answers is less than 6: "));
        // Fewer gaps, of which the last repeats too soon.
        times = Times::default();
        times.query_after.truncate(2);
        assert_eq!(times.warnings().len(), 1);
    }
}
