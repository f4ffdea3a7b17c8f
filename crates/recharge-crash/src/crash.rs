//! Rounds of orders in which the command is killed and stopped again and again.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use crate::round::{self, Outcome};
use crate::schedule::Phase;
use crate::verdict::Verdict;
use crate::{Result, strace};

/// How many rounds are played at a time, for each processor: they wait more than they compute.
const AT_ONCE: usize = 3;

/// What all rounds came to.
#[derive(Debug, Default)]
struct Sum {
    rounds: u64,
    verdict: Verdict,
    kills: BTreeMap<Phase, u64>,
    stops: u64,
    refused: u64,
    in_doubt: u64,
    faults: BTreeMap<String, u64>,
    /// The seeds of the rounds that are not clean.
    bad: Vec<u64>,
}

/// Plays rounds, the first of which has the given seed, the next the next one. Prints what came of them;
/// `false` if anything is wrong, or if something was never tried.
pub fn run(recharge: &Path, rounds: u64, seed: u64) -> Result<bool> {
    strace::is_there()?;
    let begun = Instant::now();
    let next = AtomicU64::new(0);
    let sum = Mutex::new(Sum::default());
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        for _ in 0..processors * AT_ONCE {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::SeqCst);
                    if at >= rounds {
                        return;
                    }
                    let seed = seed.wrapping_add(at);
                    let played = round::play(recharge, seed);
                    if let Ok(mut sum) = sum.lock() {
                        sum.add(seed, played);
                    }
                }
            });
        }
    });
    let sum = sum.into_inner().map_err(|_| "a round broke off")?;
    sum.print();
    println!("crash: {:.1} s", begun.elapsed().as_secs_f32());
    let missing = sum.missing(rounds);
    for what in &missing {
        println!("crash: {what}");
    }
    for seed in &sum.bad {
        println!("crash: to repeat: cargo xtask crash --rounds 1 --seed {seed}");
    }
    let clean = sum.verdict.is_clean() && missing.is_empty();
    if !clean && sum.bad.is_empty() {
        println!("crash: to repeat: cargo xtask crash --rounds {rounds} --seed {seed}");
    }
    println!("{}", sum.last_line());
    Ok(clean)
}

impl Sum {
    fn add(&mut self, seed: u64, played: Result<Outcome>) {
        self.rounds += 1;
        let outcome = match played {
            Ok(outcome) => outcome,
            Err(error) => {
                println!("crash: seed {seed}: the round could not be played: {error}");
                self.verdict
                    .broken(format!("seed {seed} could not be played"));
                self.bad.push(seed);
                return;
            }
        };
        if !outcome.verdict.is_clean() {
            for complaint in &outcome.verdict.complaints {
                println!("crash: seed {seed}: {complaint}");
            }
            self.bad.push(seed);
        }
        self.verdict.add(outcome.verdict);
        for (phase, n) in outcome.kills {
            *self.kills.entry(phase).or_default() += n;
        }
        for (kind, n) in outcome.faults {
            *self.faults.entry(kind).or_default() += n;
        }
        self.stops += outcome.stops;
        self.refused += outcome.refused;
        self.in_doubt += outcome.in_doubt;
    }

    fn print(&self) {
        let kills: Vec<String> = Phase::ALL
            .iter()
            .map(|phase| format!("{} {}", phase.name(), self.kills(*phase)))
            .collect();
        println!("crash: killed: {}", kills.join(", "));
        println!(
            "crash: stopped and woken: {}; second processes refused: {}",
            self.stops, self.refused
        );
        println!(
            "crash: orders: {} acknowledged, {} in doubt at a kill, {} settled",
            self.verdict.acknowledged, self.in_doubt, self.verdict.settled
        );
        let faults: Vec<String> = self
            .faults
            .iter()
            .map(|(kind, n)| format!("{kind} {n}"))
            .collect();
        let total: u64 = self.faults.values().sum();
        println!("crash: faults injected: {total}: {}", faults.join(", "));
    }

    fn kills(&self, phase: Phase) -> u64 {
        self.kills.get(&phase).copied().unwrap_or(0)
    }

    /// What was never tried: a run that tries nothing proves nothing.
    fn missing(&self, rounds: u64) -> Vec<String> {
        let mut missing = Vec::new();
        for phase in Phase::ALL {
            if self.kills(phase) == 0 {
                missing.push(format!("it was never killed while {}", phase.name()));
            }
        }
        for (what, n) in [
            ("no round was played", self.rounds),
            ("no order was acknowledged", self.verdict.acknowledged),
            ("no order was settled", self.verdict.settled),
            ("no submit was in doubt", self.in_doubt),
            ("it was never stopped and woken", self.stops),
            ("no second process was refused", self.refused),
            ("no fault was injected", self.faults.values().sum()),
        ] {
            if n == 0 {
                missing.push(what.to_owned());
            }
        }
        if self.rounds != rounds {
            missing.push(format!("only {} rounds were played", self.rounds));
        }
        missing
    }

    fn last_line(&self) -> String {
        let Verdict {
            acknowledged,
            lost,
            double,
            wrong_end,
            ..
        } = &self.verdict;
        format!(
            "rounds={} acknowledged={acknowledged} lost={lost} double={double} wrong_end={wrong_end}",
            self.rounds
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome() -> Outcome {
        Outcome {
            verdict: Verdict {
                acknowledged: 3,
                settled: 3,
                ..Verdict::default()
            },
            kills: Phase::ALL.into_iter().map(|phase| (phase, 1)).collect(),
            stops: 1,
            refused: 1,
            in_doubt: 1,
            faults: [("reset".to_owned(), 1)].into(),
        }
    }

    fn sum(change: impl FnOnce(&mut Outcome)) -> Sum {
        let mut outcome = outcome();
        change(&mut outcome);
        let mut sum = Sum::default();
        sum.add(7, Ok(outcome));
        sum
    }

    #[test]
    fn a_clean_round_in_which_all_was_tried_passes() {
        let sum = sum(|_| ());
        assert_eq!(sum.missing(1), [""; 0]);
        assert!(sum.verdict.is_clean() && sum.bad.is_empty());
        assert_eq!(
            sum.last_line(),
            "rounds=1 acknowledged=3 lost=0 double=0 wrong_end=0"
        );
    }

    #[test]
    fn whatever_was_never_tried_is_missing() {
        for phase in Phase::ALL {
            let sum = sum(|outcome| {
                outcome.kills.remove(&phase);
            });
            let says = format!("it was never killed while {}", phase.name());
            assert_eq!(sum.missing(1), [says]);
        }
        assert_eq!(sum(|it| it.faults.clear()).missing(1).len(), 1);
        assert_eq!(sum(|it| it.stops = 0).missing(1).len(), 1);
        assert_eq!(sum(|it| it.refused = 0).missing(1).len(), 1);
        assert_eq!(sum(|it| it.in_doubt = 0).missing(1).len(), 1);
        assert_eq!(sum(|it| it.verdict.acknowledged = 0).missing(1).len(), 1);
        assert_eq!(sum(|it| it.verdict.settled = 0).missing(1).len(), 1);
        assert_eq!(sum(|_| ()).missing(2), ["only 1 rounds were played"]);
    }

    #[test]
    fn a_bad_round_is_named_by_its_seed() {
        let sum = sum(|outcome| outcome.verdict.double = 1);
        assert!(!sum.verdict.is_clean());
        assert_eq!(sum.bad, [7]);
        assert_eq!(
            sum.last_line(),
            "rounds=1 acknowledged=3 lost=0 double=1 wrong_end=0"
        );
        let mut sum = Sum::default();
        sum.add(8, Err("no simulator".into()));
        assert!(!sum.verdict.is_clean());
        assert_eq!(sum.bad, [8]);
    }
}
