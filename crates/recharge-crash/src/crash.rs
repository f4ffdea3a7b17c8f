//! Rounds of orders in which the command is killed and stopped again and again.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZero;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use crate::round::{self, Outcome};
use crate::schedule::Phase;
use crate::verdict::Verdict;
use crate::{Result, service, strace};

/// How many rounds are played at a time, for each processor: they wait more than they compute.
const AT_ONCE: usize = 3;

/// What a round is played with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// The command at files of orders.
    Command,
    /// The command as a service.
    Service,
}

impl Kind {
    const ALL: [Self; 2] = [Self::Command, Self::Service];

    const fn name(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Service => "service",
        }
    }

    fn play(self, recharge: &Path, seed: u64) -> Result<Outcome> {
        match self {
            Self::Command => round::play(recharge, seed),
            Self::Service => service::play(recharge, seed),
        }
    }

    /// The phases in which it is killed.
    const fn phases(self) -> &'static [Phase] {
        match self {
            Self::Command => &Phase::OF_COMMAND,
            Self::Service => &Phase::OF_SERVICE,
        }
    }

    /// What else is tried.
    const fn tried(self) -> &'static [&'static str] {
        match self {
            Self::Command => &round::TRIED,
            Self::Service => &service::TRIED,
        }
    }
}

/// What all rounds of a kind came to.
#[derive(Debug, Default)]
struct Part {
    rounds: u64,
    verdict: Verdict,
    kills: BTreeMap<Phase, u64>,
    tried: BTreeMap<&'static str, u64>,
    faults: BTreeMap<String, u64>,
}

/// What all rounds came to.
#[derive(Debug, Default)]
struct Sum {
    kinds: BTreeMap<Kind, Part>,
    /// The seeds of the rounds that are not clean.
    bad: BTreeSet<u64>,
}

/// Plays rounds, each with the command at files of orders and as a service. The first has the given seed, the next
/// the next one. Prints what came of them; `false` if anything is wrong, or if something was never tried.
pub fn run(recharge: &Path, rounds: u64, seed: u64) -> Result<bool> {
    strace::is_there()?;
    let begun = Instant::now();
    let next = AtomicU64::new(0);
    let sum = Mutex::new(Sum::default());
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    let kinds = Kind::ALL.len() as u64;
    thread::scope(|scope| {
        for _ in 0..processors * AT_ONCE {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::SeqCst);
                    if at >= rounds * kinds {
                        return;
                    }
                    let seed = seed.wrapping_add(at / kinds);
                    let kind = if at.is_multiple_of(kinds) {
                        Kind::Command
                    } else {
                        Kind::Service
                    };
                    let played = kind.play(recharge, seed);
                    if let Ok(mut sum) = sum.lock() {
                        sum.add(kind, seed, played);
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
    let clean = sum.verdict().is_clean() && missing.is_empty();
    if !clean && sum.bad.is_empty() {
        println!("crash: to repeat: cargo xtask crash --rounds {rounds} --seed {seed}");
    }
    println!("{}", sum.last_line());
    Ok(clean)
}

impl Sum {
    fn add(&mut self, kind: Kind, seed: u64, played: Result<Outcome>) {
        let part = self.kinds.entry(kind).or_default();
        let name = kind.name();
        part.rounds += 1;
        let outcome = match played {
            Ok(outcome) => outcome,
            Err(error) => {
                println!("crash: {name}, seed {seed}: the round could not be played: {error}");
                let complaint = format!("{name}, seed {seed} could not be played");
                part.verdict.broken(complaint);
                self.bad.insert(seed);
                return;
            }
        };
        if !outcome.verdict.is_clean() {
            for complaint in &outcome.verdict.complaints {
                println!("crash: {name}, seed {seed}: {complaint}");
            }
            self.bad.insert(seed);
        }
        part.verdict.add(outcome.verdict);
        for (phase, n) in outcome.kills {
            *part.kills.entry(phase).or_default() += n;
        }
        for (what, n) in outcome.tried {
            *part.tried.entry(what).or_default() += n;
        }
        for (kind, n) in outcome.faults {
            *part.faults.entry(kind).or_default() += n;
        }
    }

    fn print(&self) {
        for (kind, part) in &self.kinds {
            part.print(*kind);
        }
    }

    fn verdict(&self) -> Verdict {
        let mut verdict = Verdict::default();
        for part in self.kinds.values() {
            verdict.add(part.verdict.clone());
        }
        verdict
    }

    /// What was never tried: a run that tries nothing proves nothing.
    fn missing(&self, rounds: u64) -> Vec<String> {
        let none = Part::default();
        let kinds = Kind::ALL.into_iter();
        kinds
            .flat_map(|kind| {
                let part = self.kinds.get(&kind).unwrap_or(&none);
                part.missing(kind, rounds)
            })
            .collect()
    }

    fn last_line(&self) -> String {
        let Verdict {
            acknowledged,
            lost,
            double,
            wrong_end,
            ..
        } = self.verdict();
        let rounds = self.kinds.values().map(|it| it.rounds).max().unwrap_or(0);
        format!(
            "rounds={rounds} acknowledged={acknowledged} lost={lost} double={double} wrong_end={wrong_end}"
        )
    }
}

impl Part {
    fn print(&self, kind: Kind) {
        let name = kind.name();
        let kills = kind.phases().iter();
        let kills: Vec<String> = kills
            .map(|phase| format!("{} {}", phase.name(), self.kills(*phase)))
            .collect();
        println!("crash: {name}: killed: {}", kills.join(", "));
        let tried = kind.tried().iter();
        let tried: Vec<String> = tried
            .map(|what| format!("{what} {}", self.tried(what)))
            .collect();
        println!("crash: {name}: {}", tried.join(", "));
        println!(
            "crash: {name}: orders: {} acknowledged, {} settled",
            self.verdict.acknowledged, self.verdict.settled
        );
        let faults: Vec<String> = self
            .faults
            .iter()
            .map(|(kind, n)| format!("{kind} {n}"))
            .collect();
        let total: u64 = self.faults.values().sum();
        println!(
            "crash: {name}: faults injected: {total}: {}",
            faults.join(", ")
        );
    }

    fn kills(&self, phase: Phase) -> u64 {
        self.kills.get(&phase).copied().unwrap_or(0)
    }

    fn tried(&self, what: &str) -> u64 {
        self.tried.get(what).copied().unwrap_or(0)
    }

    fn missing(&self, kind: Kind, rounds: u64) -> Vec<String> {
        let name = kind.name();
        let mut missing = Vec::new();
        for phase in kind.phases() {
            if self.kills(*phase) == 0 {
                missing.push(format!(
                    "{name}: it was never killed while {}",
                    phase.name()
                ));
            }
        }
        let tried = kind.tried().iter().map(|what| (*what, self.tried(what)));
        for (what, n) in tried.chain([
            ("rounds played", self.rounds),
            ("orders acknowledged", self.verdict.acknowledged),
            ("orders settled", self.verdict.settled),
            ("faults injected", self.faults.values().sum()),
        ]) {
            if n == 0 {
                missing.push(format!("{name}: never: {what}"));
            }
        }
        if self.rounds != rounds {
            missing.push(format!("{name}: only {} rounds were played", self.rounds));
        }
        missing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(kind: Kind) -> Outcome {
        Outcome {
            verdict: Verdict {
                acknowledged: 3,
                settled: 3,
                ..Verdict::default()
            },
            kills: kind.phases().iter().map(|phase| (*phase, 1)).collect(),
            tried: kind.tried().iter().map(|what| (*what, 1)).collect(),
            faults: [("reset".to_owned(), 1)].into(),
        }
    }

    /// A round of each kind, one of them changed.
    fn sum(changed: Kind, change: impl FnOnce(&mut Outcome)) -> Sum {
        let mut sum = Sum::default();
        let mut change = Some(change);
        for kind in Kind::ALL {
            let mut outcome = outcome(kind);
            if kind == changed
                && let Some(change) = change.take()
            {
                change(&mut outcome);
            }
            sum.add(kind, 7, Ok(outcome));
        }
        sum
    }

    #[test]
    fn a_clean_round_in_which_all_was_tried_passes() {
        let sum = sum(Kind::Command, |_| ());
        assert_eq!(sum.missing(1), [""; 0]);
        assert!(sum.verdict().is_clean() && sum.bad.is_empty());
        assert_eq!(
            sum.last_line(),
            "rounds=1 acknowledged=6 lost=0 double=0 wrong_end=0"
        );
    }

    #[test]
    fn whatever_was_never_tried_is_missing() {
        for kind in Kind::ALL {
            let name = kind.name();
            for phase in kind.phases() {
                let sum = sum(kind, |outcome| {
                    outcome.kills.remove(phase);
                });
                let says = format!("{name}: it was never killed while {}", phase.name());
                assert_eq!(sum.missing(1), [says]);
            }
            for what in kind.tried() {
                let sum = sum(kind, |outcome| {
                    outcome.tried.remove(what);
                });
                assert_eq!(sum.missing(1), [format!("{name}: never: {what}")]);
            }
            assert_eq!(sum(kind, |it| it.faults.clear()).missing(1).len(), 1);
            let none = sum(kind, |it| it.verdict.acknowledged = 0);
            assert_eq!(none.missing(1).len(), 1);
            assert_eq!(sum(kind, |it| it.verdict.settled = 0).missing(1).len(), 1);
        }
        let short = [
            "command: only 1 rounds were played",
            "service: only 1 rounds were played",
        ];
        assert_eq!(sum(Kind::Command, |_| ()).missing(2), short);
    }

    #[test]
    fn a_bad_round_is_named_by_its_seed() {
        let bad = |sum: &Sum| sum.bad.iter().copied().collect::<Vec<_>>();
        let found = sum(Kind::Service, |outcome| outcome.verdict.double = 1);
        assert!(!found.verdict().is_clean());
        assert_eq!(bad(&found), [7]);
        assert_eq!(
            found.last_line(),
            "rounds=1 acknowledged=6 lost=0 double=1 wrong_end=0"
        );
        let mut found = Sum::default();
        found.add(Kind::Command, 8, Err("no simulator".into()));
        assert!(!found.verdict().is_clean());
        assert_eq!(bad(&found), [8]);
    }
}
