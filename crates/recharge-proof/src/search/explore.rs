//! Looks at every state that a part can reach, the nearest first.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};
use std::time::{Duration, Instant};

use super::ledger::Say;
use super::moves::Move;
use super::part::Part;
use super::world::{Answer, World};
use crate::invariant::Violation;

/// Fingerprints are hashes already.
#[derive(Debug, Default, Clone, Copy)]
struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = word;
    }
}

/// How a state was first reached.
#[derive(Debug, Clone, Copy)]
struct Step {
    from: u32,
    /// The place of its move among those of the state before.
    by: u16,
}

/// What came of a part.
#[derive(Debug, Clone)]
pub struct Found {
    /// Its name: the providers, and what may go wrong.
    pub part: String,
    /// Distinct states.
    pub states: u64,
    /// Moves from the beginning to the farthest state.
    pub depth: u32,
    /// Moves made.
    pub transitions: u64,
    /// Whether every state was looked at.
    pub complete: bool,
    /// How long it took.
    pub took: Duration,
    /// The nearest state that breaks a law.
    pub broken: Option<Way>,
}

/// A shortest way to a law that is broken.
#[derive(Debug, Clone)]
pub struct Way {
    /// What is wrong at its end.
    pub to: Violation,
    /// A line for each move.
    pub moves: Vec<String>,
}

/// From every so many-th state it is tried whether the order comes to rest.
const SAMPLE: u64 = 64;
/// How many moves without a fault may go by until it does.
const PATIENCE: u32 = 400;

/// Looks at all of a part, or at as much as there is time and room for.
pub(crate) fn explore(part: &Part, until: Option<Instant>, most: usize) -> Found {
    let begun = Instant::now();
    let mut found = Found {
        part: part.name.clone(),
        states: 0,
        depth: 0,
        transitions: 0,
        complete: false,
        took: Duration::ZERO,
        broken: None,
    };
    let Some(first) = World::new(part) else {
        return found;
    };
    let mut seen: HashSet<u64, BuildHasherDefault<AsIs>> = HashSet::default();
    let mut steps = vec![Step { from: 0, by: 0 }];
    seen.insert(first.fingerprint(part));
    let mut level = vec![(0_u32, first)];
    let mut complete = true;
    'levels: while !level.is_empty() {
        let mut next = Vec::new();
        for (at, world) in level.drain(..) {
            for (by, it) in (0_u16..).zip(world.moves(part)) {
                found.transitions += 1;
                let after = match world.after(part, it) {
                    Ok(Some(after)) => after,
                    Ok(None) => continue,
                    Err(broken) => {
                        let way = way(&steps, at, by);
                        found.broken = Some(retrace(part, &way, broken, &[]));
                        complete = false;
                        break 'levels;
                    }
                };
                let fingerprint = after.fingerprint(part);
                if !seen.insert(fingerprint) {
                    continue;
                }
                let place = u32::try_from(steps.len()).unwrap_or(u32::MAX);
                steps.push(Step { from: at, by });
                if fingerprint.is_multiple_of(SAMPLE)
                    && let Err((broken, moves)) = after.comes_to_rest(part, fingerprint)
                {
                    let way = way(&steps, at, by);
                    found.broken = Some(retrace(part, &way, broken, &moves));
                    complete = false;
                    break 'levels;
                }
                next.push((place, after));
            }
            if steps.len() >= most || until.is_some_and(|until| Instant::now() >= until) {
                complete = false;
                break 'levels;
            }
        }
        if !next.is_empty() {
            found.depth += 1;
        }
        level = next;
    }
    found.states = steps.len() as u64;
    found.complete = complete;
    found.took = begun.elapsed();
    found
}

/// The places of the moves that lead to a state, and one more.
fn way(steps: &[Step], mut at: u32, by: u16) -> Vec<u16> {
    let mut way = vec![by];
    while at != 0 {
        let Some(step) = steps.get(at as usize) else {
            break;
        };
        way.push(step.by);
        at = step.from;
    }
    way.reverse();
    way
}

/// Goes the way again, and on by some moves without faults, and says what happens.
fn retrace(part: &Part, way: &[u16], broken: Violation, on: &[Move]) -> Way {
    let mut path = Vec::new();
    let mut world = World::new(part);
    let mut on = on.iter();
    let mut way = way.iter();
    while let Some(now) = world.take() {
        let it = match way.next() {
            Some(by) => now.moves(part).get(usize::from(*by)).copied(),
            None => on.next().copied(),
        };
        let Some(it) = it else {
            break;
        };
        world = now.after(part, it).ok().flatten();
        let fault = if it.is_fault() { " !" } else { "" };
        let came = world.as_ref().map_or_else(
            || "breaks the law".to_owned(),
            |world| {
                let log = &world.log;
                let due = log.due().map(|due| due.millis() / 1000 - world.wall());
                format!("{}, version {}, due {due:?}", log.state(), log.version())
            },
        );
        path.push(format!("tick {:>2}{fault} {it:?} -> {came}", now.tick));
    }
    Way {
        to: broken,
        moves: path,
    }
}

impl World {
    /// Without further faults, and with nobody coming from outside, the order ends or is on a desk.
    fn comes_to_rest(&self, part: &Part, seed: u64) -> Result<(), (Violation, Vec<Move>)> {
        let mut world = self.clone();
        (world.faults, world.people, world.callbacks) = (0, 0, 0);
        let mut way = Vec::new();
        let mut dice = seed;
        for _ in 0..PATIENCE {
            if world.log.is_at_rest() {
                return Ok(());
            }
            let moves = world.moves(part);
            dice = dice.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
            // What is charging may go on charging, and a worker without a lease stands still.
            let present = world.present;
            let wanted = |it: &Move| match it {
                Move::Answered(_, _, Answer::Says(Say::Charging)) => !dice.is_multiple_of(8),
                Move::Look | Move::Backup => false,
                Move::Arrives(_, takes) => *takes || dice.is_multiple_of(2),
                it => it.whose().is_none_or(|at| at == present),
            };
            let Some(it) = moves.into_iter().find(wanted) else {
                break;
            };
            way.push(it);
            match world.after(part, it) {
                Ok(Some(after)) => world = after,
                Ok(None) => break,
                Err(broken) => return Err((broken, way)),
            }
        }
        let state = world.log.state();
        let what = format!("without further faults the order stays {state} without end");
        Err((Violation::of(11, what), way))
    }
}
