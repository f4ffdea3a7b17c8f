//! Many cases, one after another on each core, and what they showed.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Mutex;

use crate::case::{Case, CaseId, Wanted};
use crate::cover::Cover;
use crate::executor::lock;
use crate::invariant::{Invariant, Violation};
use crate::run::{Outcome, play};

/// How many lives between two cases of which the trace is checked to repeat.
const REPEATED: u64 = 64;

/// What is to be played.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// How many orders are to live, at least.
    pub lives: u64,
    /// The seed of the first case; the next has the next.
    pub seed: u64,
    /// What is simulated.
    pub wanted: Wanted,
    /// How many cases at a time, one to a thread.
    pub threads: NonZeroUsize,
}

/// What was shown.
#[derive(Debug, Default)]
pub struct Shown {
    /// How many orders lived.
    pub lives: u64,
    /// How many cases that were.
    pub cases: u64,
    /// How many events became durable.
    pub events: u64,
    /// How often a task went on.
    pub polls: u64,
    /// What was met.
    pub cover: Cover,
    /// How many cases violated each invariant.
    pub violated: BTreeMap<Invariant, u64>,
    /// The first violation, by seed, and how many orders had lived by then.
    pub first: Option<(CaseId, Violation, u64)>,
    /// The traces of all cases in one number.
    pub trace: u64,
}

/// Plays cases until so many orders have lived, or one violates what it must not.
pub fn live(plan: Plan) -> Shown {
    let cases = Cases::of(plan);
    let shown = Mutex::new(Shown::default());
    std::thread::scope(|scope| {
        for _ in 0..plan.threads.get() {
            scope.spawn(|| {
                while let Some((id, before)) = cases.next() {
                    // Earlier cases that are still played may be violated as well, and come first.
                    let found = lock(&shown).first.as_ref().map(|(first, ..)| first.seed);
                    if found.is_some_and(|found| found < id.seed) {
                        return;
                    }
                    one(&id, before, &shown);
                }
            });
        }
    });
    shown.into_inner().unwrap_or_default()
}

/// The cases of a plan, for all threads. Which are played depends on no thread.
pub(crate) struct Cases {
    plan: Plan,
    /// The next case, and how many orders live before it.
    next: Mutex<(u64, u64)>,
}

impl Cases {
    pub(crate) const fn of(plan: Plan) -> Self {
        Self {
            plan,
            next: Mutex::new((plan.seed, 0)),
        }
    }

    /// The next case, and how many orders live before it.
    pub(crate) fn next(&self) -> Option<(CaseId, u64)> {
        let mut next = lock(&self.next);
        let (seed, before) = *next;
        if before >= self.plan.lives {
            return None;
        }
        let id = CaseId {
            seed,
            wanted: self.plan.wanted,
            kept: None,
        };
        let orders = Case::draw(id.clone()).orders().count() as u64;
        *next = (seed.wrapping_add(1), before + orders);
        Some((id, before))
    }
}

/// Plays a case in words, and once more; what was not the same is a violation.
pub fn play_twice(id: &CaseId) -> Outcome {
    let (mut outcome, again) = (play(id.clone(), true), play(id.clone(), true));
    let what = if outcome.lines == again.lines {
        let same = outcome.trace == again.trace && outcome.violations == again.violations;
        (!same).then(|| format!("trace {:016x} and then {:016x}", outcome.trace, again.trace))
    } else {
        let both = outcome.lines.iter().zip(&again.lines);
        let other = both.clone().find(|(line, other)| line != other);
        let (line, other) = other.map_or(("more", "fewer"), |(line, other)| (line, other));
        let alike = both.take_while(|(line, other)| line == other).count();
        Some(format!("after {alike} lines {line:?} and then {other:?}"))
    };
    let violation = what.map(|what| Violation::of(13, what));
    outcome.violations.extend(violation);
    outcome
}

fn one(id: &CaseId, before: u64, shown: &Mutex<Shown>) {
    let seed = id.seed;
    let outcome = if seed.is_multiple_of(REPEATED) {
        play_twice(id)
    } else {
        play(id.clone(), false)
    };
    let mut shown = lock(shown);
    shown.lives += outcome.lives;
    shown.cases += 1;
    shown.events += outcome.events;
    shown.polls += outcome.polls;
    shown.cover.add(&outcome.cover);
    // A sum, so that it doesn't matter which thread was first.
    shown.trace = shown.trace.wrapping_add(outcome.trace);
    for violation in &outcome.violations {
        *shown.violated.entry(violation.invariant).or_default() += 1;
    }
    if let Some(violation) = outcome.violations.first() {
        let sooner = shown
            .first
            .as_ref()
            .is_none_or(|(first, ..)| seed < first.seed);
        if sooner {
            shown.first = Some((id.clone(), violation.clone(), before + outcome.lives));
        }
    }
}
