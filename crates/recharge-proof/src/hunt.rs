//! Planted bugs, hunted all at once: how long each stays hidden.
//!
//! A case is played with no bug awake first. It is played again with each bug awake whose place it reached then,
//! and which no earlier case has caught; with any other it would go just the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use recharge_planted::Bug;

use crate::case::CaseId;
use crate::executor::lock;
use crate::invariant::{Invariant, Violation};
use crate::lives::{Cases, Plan};
use crate::run::play;

/// A bug that is caught when that invariant is violated, whatever else is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quarry {
    /// The bug.
    pub bug: Bug,
    /// What must be violated.
    pub invariant: Invariant,
}

/// A bug that was caught.
#[derive(Debug, Clone)]
pub struct Caught {
    /// Which.
    pub bug: Bug,
    /// The first case that does.
    pub case: CaseId,
    /// How many orders had lived by then.
    pub lives: u64,
}

/// A bug that was not caught.
#[derive(Debug, Clone, Copy)]
pub struct Escaped {
    /// Which.
    pub bug: Bug,
    /// How many orders lived.
    pub lives: u64,
    /// In how many cases its place was reached.
    pub reached: u64,
}

/// A case that is violated with no bug awake. A hunt ends there, for it would prove nothing.
#[derive(Debug, Clone)]
pub struct Unsound {
    /// The case.
    pub case: CaseId,
    /// What is violated.
    pub violation: Violation,
}

/// Plays cases until every bug is caught or so many orders have lived. Tells of each bug that is caught as
/// soon as it is certain which case is the first, and answers those that escaped. Threads change nothing.
///
/// # Errors
///
/// A case is violated with no bug awake.
pub fn hunt(
    plan: Plan,
    quarries: &[Quarry],
    tell: impl Fn(&Caught) + Sync,
) -> Result<Vec<Escaped>, Unsound> {
    let cases = Cases::of(plan);
    let field = Mutex::new(Field {
        hidden: quarries
            .iter()
            .map(|quarry| (quarry.bug, *quarry))
            .collect(),
        ..Field::default()
    });
    std::thread::scope(|scope| {
        for _ in 0..plan.threads.get() {
            scope.spawn(|| {
                while let Some((id, before)) = Field::next(&field, &cases) {
                    one(&id, before, &field);
                    lock(&field).done(&id, &tell);
                }
            });
        }
    });
    let field = field.into_inner().unwrap_or_default();
    if let Some((_, unsound)) = field.unsound.into_iter().next() {
        return Err(unsound);
    }
    let escaped = field.hidden.into_keys().map(|bug| Escaped {
        bug,
        lives: field.lives,
        reached: field.reached.get(&bug).copied().unwrap_or_default(),
    });
    Ok(escaped.collect())
}

/// Plays a case, and again with every bug that it may catch.
fn one(id: &CaseId, before: u64, field: &Mutex<Field>) {
    let (outcome, reached) = recharge_planted::reached(|| play(id.clone(), false));
    if let Some(violation) = outcome.violations.into_iter().next() {
        let case = id.clone();
        let unsound = Unsound { case, violation };
        lock(field).unsound.insert(id.seed, unsound);
        return;
    }
    let lives = before + outcome.lives;
    for bug in reached {
        let Some(quarry) = lock(field).quarry(bug, id) else {
            continue;
        };
        let outcome = recharge_planted::with(bug, || play(id.clone(), false));
        let mut violations = outcome.violations.iter();
        if violations.any(|violation| violation.invariant == quarry.invariant) {
            lock(field).caught(bug, id, lives);
        }
    }
    let mut field = lock(field);
    field.lives = field.lives.max(lives);
}

/// What is known of the bugs.
#[derive(Default)]
struct Field {
    /// Those of which nothing was told yet.
    hidden: BTreeMap<Bug, Quarry>,
    /// Of these, the first case that catches each, as far as known.
    caught: BTreeMap<Bug, Caught>,
    /// How many cases reached the place of each.
    reached: BTreeMap<Bug, u64>,
    /// Cases that are violated with no bug awake, by seed.
    unsound: BTreeMap<u64, Unsound>,
    /// The seeds of the cases that are being played.
    played: BTreeSet<u64>,
    /// How many orders have lived.
    lives: u64,
}

impl Field {
    /// The next case that may tell something, and how many orders live before it.
    fn next(field: &Mutex<Self>, cases: &Cases) -> Option<(CaseId, u64)> {
        let mut field = lock(field);
        let caught = field.hidden.len() == field.caught.len();
        if caught || !field.unsound.is_empty() {
            return None;
        }
        let (id, before) = cases.next()?;
        field.played.insert(id.seed);
        Some((id, before))
    }

    /// What may be caught at a place that a case has reached; nothing if an earlier case has done so.
    fn quarry(&mut self, bug: Bug, id: &CaseId) -> Option<Quarry> {
        let quarry = self.hidden.get(&bug).copied()?;
        if self
            .caught
            .get(&bug)
            .is_some_and(|it| it.case.seed < id.seed)
        {
            return None;
        }
        *self.reached.entry(bug).or_default() += 1;
        Some(quarry)
    }

    fn caught(&mut self, bug: Bug, id: &CaseId, lives: u64) {
        let known = self.caught.get(&bug);
        if known.is_none_or(|it| id.seed < it.case.seed) {
            let case = id.clone();
            self.caught.insert(bug, Caught { bug, case, lives });
        }
    }

    /// A case was played. Tells what no case that is still played can change.
    fn done(&mut self, id: &CaseId, tell: &impl Fn(&Caught)) {
        self.played.remove(&id.seed);
        let open = self.played.first().copied();
        let certain = self
            .caught
            .extract_if(.., |_, it| open.is_none_or(|open| it.case.seed < open));
        for (bug, caught) in certain {
            self.hidden.remove(&bug);
            tell(&caught);
        }
    }
}
