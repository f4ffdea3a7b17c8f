//! [`Pace`]: when a delivery that failed is tried again, and for how long.

use std::time::Duration;

use recharge_engine::WallTime;
use recharge_engine::store::Delivery;

/// When a delivery that failed is tried again. The defaults are what merchants are promised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pace {
    /// How long after each try the next one is; the last repeats.
    pub waits: Vec<Duration>,
    /// For how long, from when there was something to tell.
    pub patience: Duration,
    /// The waits that come before them where a shop is told as Juhe tells: Juhe's own.
    pub juhe_first: Vec<Duration>,
    /// How long one try may take, from resolving the name to the end of the answer.
    pub answer_within: Duration,
    /// How often it is looked for something to tell.
    pub look: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        const MINUTE: u64 = 60;
        const HOUR: u64 = 60 * MINUTE;
        let waits = [
            5,
            30,
            2 * MINUTE,
            10 * MINUTE,
            30 * MINUTE,
            HOUR,
            3 * HOUR,
            6 * HOUR,
            12 * HOUR,
        ];
        Self {
            waits: waits.map(Duration::from_secs).to_vec(),
            patience: Duration::from_hours(72),
            juhe_first: [Duration::from_secs(3); 3].to_vec(),
            answer_within: Duration::from_secs(10),
            look: Duration::from_millis(250),
        }
    }
}

impl Pace {
    /// How a delivery stands after one more try in vain.
    ///
    /// It is given up when the next try would come after its time, but not before each wait was tried:
    /// neither a gateway that was off for days nor a person who sends it again counts as having tried.
    pub(crate) fn after_failure(&self, failed: &Failed<'_>, now: WallTime) -> Delivery {
        let tries = failed.before.tries.saturating_add(1);
        let first = if failed.as_juhe {
            self.juhe_first.as_slice()
        } else {
            &[]
        };
        let waits = || first.iter().chain(&self.waits);
        let at = usize::try_from(tries - 1).unwrap_or(usize::MAX);
        let wait = waits().nth(at).or(self.waits.last()).copied();
        let next = now.after(wait.unwrap_or(self.patience));
        let over = next > failed.since.after(self.patience) && at + 1 >= waits().count();
        Delivery {
            tries,
            next: (!over).then_some(next),
            trouble: Some(failed.trouble.to_owned()),
        }
    }
}

/// A try in vain.
#[derive(Debug)]
pub(crate) struct Failed<'a> {
    /// How the delivery stood.
    pub(crate) before: &'a Delivery,
    /// Since when there was something to tell.
    pub(crate) since: WallTime,
    /// Whether it is told as Juhe tells.
    pub(crate) as_juhe: bool,
    /// What went wrong.
    pub(crate) trouble: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;

    const SINCE: WallTime = WallTime::from_millis(1_800_000_000_000);

    /// Fails until it is given up, each try as late as it may be; answers the waits in seconds.
    fn waits(pace: &Pace, as_juhe: bool, mut now: WallTime) -> Vec<u64> {
        let mut delivery = Delivery::at(now);
        let mut waits = Vec::new();
        loop {
            let failed = Failed {
                before: &delivery,
                since: SINCE,
                as_juhe,
                trouble: "no",
            };
            delivery = pace.after_failure(&failed, now);
            assert_eq!(delivery.trouble.as_deref(), Some("no"));
            let Some(next) = delivery.next else {
                assert_eq!(usize::try_from(delivery.tries).unwrap(), waits.len() + 1);
                return waits;
            };
            waits.push(next.since(now).as_secs());
            now = next;
        }
    }

    #[test]
    fn it_is_tried_for_three_days_ever_less_often() {
        let all = waits(&Pace::default(), false, SINCE);
        assert_eq!(
            all[..9],
            [5, 30, 120, 600, 1_800, 3_600, 10_800, 21_600, 43_200]
        );
        assert!(all[9..].iter().all(|wait| *wait == 43_200), "{all:?}");
        let sum: u64 = all.iter().sum();
        assert!(sum <= 72 * 3_600 && sum + 43_200 > 72 * 3_600, "{all:?}");
    }

    #[test]
    fn juhe_s_own_rule_comes_first() {
        let all = waits(&Pace::default(), true, SINCE);
        assert_eq!(all[..5], [3, 3, 3, 5, 30]);
    }

    #[test]
    fn what_is_late_is_tried_in_full_all_the_same() {
        let week = SINCE.after(Duration::from_hours(168));
        let all = waits(&Pace::default(), false, week);
        assert_eq!(all, [5, 30, 120, 600, 1_800, 3_600, 10_800, 21_600]);
    }

    #[test]
    fn without_waits_it_is_tried_once() {
        let pace = Pace {
            waits: Vec::new(),
            ..Pace::default()
        };
        let late = SINCE.after(Duration::from_millis(1));
        assert!(waits(&pace, false, late).is_empty());
    }
}
