//! Every life that one order can have, where the space is small enough to look at all of it.
//!
//! A state is one order's log, two workers with what each has at hand, packets and answers under way, and
//! what is true at two providers. From each state every move is made that can be made; states that only
//! differ in what can't matter any more are taken for one. The nearest come first, so a law that breaks is
//! shown with a shortest way there. The search is split into parts, each with other providers and other
//! faults; a part that was not looked at to its end says `complete=no`.
//!
//! # What is real
//!
//! [`step`](fn@recharge_engine::step) and [`Order`](recharge_engine::Order) are the engine's, and so are the
//! driver's decisions ([`decide`](recharge_engine::driver::decide)): whether an order has its turn, what an
//! append came to and whether a commit of unknown fate was ours, whether a send may still go out and until
//! when, and who is told at a start or a jump of the clock. Mirrored here is the plumbing between them: which
//! input is told after which effect, that facts come without a lease, and the contract of the store.
//!
//! A worker's moves end where the driver awaits something: a turn's step, its append, reading back, the
//! first byte, the answer, the fact that it becomes. Between any two of them anything else can happen.
//!
//! # What judges
//!
//! Not the engine. The judge keeps books of its own, in true time, of what the log proves about each attempt
//! by the words of the lifecycle, and knows what the providers have done. After every move it checks the
//! lifecycle's invariants 1, 2, 3, 5, 6, 7, 8, 10, 11, 12 and 15, as far as they concern one order; from
//! every sixty-fourth state also that without further faults the order ends or reaches a desk.
//!
//! # What is left out
//!
//! - **Time** goes in ticks. Every time of the policy is one to six of them, and things of one tick are told
//!   apart by their order only. No time goes by while the worker that has the lease would do something, or a
//!   packet that is not late is under way; a pause is a fault. A worker without the lease has all the time
//!   that it likes.
//! - **A worker without the lease** takes one more turn of itself, and does all that it has begun. It does
//!   not notice a jump of the clock, and no callback and no person comes to it.
//! - **Answers**: a question is sent as soon as it is asked for; it is answered by what is true then, and
//!   heard whenever its worker gets to it. At most four of one worker's are under way.
//! - **An order at hand** is not let go of, and is read again only after a conflict.
//! - **A start** looks through the store in one move. Commands are told in one move as well: their commit
//!   has no unknown fate, only those of turns and of facts have one.
//! - **Providers** don't give numbers of their own, and no route has a ceiling for its price. A charge is
//!   settled when somebody hears of it. A provider that refused a repeated packet doesn't say "no such order"
//!   of it as well, and one that refused a number doesn't take it later.
//! - **What bounds and stops**: gates, rates, breakers, the room at hand, a stop in order; and a store that can't be
//!   reached. People are authenticated, all of them; and the order stands in every backup: none is new to one.
//! - **Mistaken failures** last for less than the wait between two of them.
//! - **Lives with more than three faults**, and most with three of which one is a takeover, a pause or a jump
//!   of the clock: the list of parts says which are looked at. In the parts called `desk` people come only
//!   while the order is on the desk.
//! - **What waits too long** after a restore: the hold takes time of its own, and only that it does not expire
//!   too early is a law there.
//! - **People and a takeover** come together only where the first provider can't be asked; callbacks and a
//!   takeover never.
//! - Invariants 4 (the same bytes), 9 (crashes of the store itself), 13 and 14.
//!
//! Two states are taken for one by a fingerprint of 64 bits, of which two may be alike by chance: among three
//! million states with a chance of one in four millions. That the order's part of it
//! ([`likeness`](recharge_engine::Order::likeness)) leaves nothing out that matters is tested in the engine.
//!
//! Names of workers are not told apart: the one with the lease comes first. That is the only symmetry used.

mod apply;
mod choices;
mod explore;
mod fingerprint;
mod hash;
mod input;
mod judge;
mod ledger;
mod make;
mod moves;
mod part;
mod parts;
mod tasks;
mod upstream;
mod world;

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use self::part::Part;
use crate::invariant::Violation;

pub use explore::{Found, Way};

/// How many states a part may have before it is given up: with two threads, within four GiB.
const MOST: usize = 6_000_000;

/// What the search found.
#[derive(Debug)]
pub struct Report {
    /// Every part, in the order in which they are listed.
    pub parts: Vec<Found>,
    /// How long it took in all.
    pub took: Duration,
}

impl Report {
    /// Whether every part was looked at to its end and no law was broken.
    pub fn holds(&self) -> bool {
        let holds = |part: &Found| part.complete && part.broken.is_none();
        !self.parts.is_empty() && self.parts.iter().all(holds)
    }

    /// All parts together, in a line.
    pub fn total(&self) -> String {
        format!(
            "search states={} depth={} parts={} complete={} seconds={:.1} violations={}",
            self.parts.iter().map(|part| part.states).sum::<u64>(),
            self.parts.iter().map(|part| part.depth).max().unwrap_or(0),
            self.parts.len(),
            self.parts.iter().filter(|part| part.complete).count(),
            self.took.as_secs_f64(),
            self.parts
                .iter()
                .filter(|part| part.broken.is_some())
                .count(),
        )
    }
}

/// Parts of the search, at least one.
#[derive(Debug)]
pub struct Parts(Vec<Part>);

impl Parts {
    /// The one of that name; without one, those whose names contain the text. `None`, if there are none.
    pub fn named(text: &str) -> Option<Self> {
        let mut parts = parts::all();
        let exactly = parts.iter().any(|part| part.name == text);
        parts.retain(|part| part.name == text || !exactly && part.name.contains(text));
        (!parts.is_empty()).then_some(Self(parts))
    }
}

/// Searches parts, on so many threads, for as long as there is time; tells of each as soon as it is done.
pub fn run(
    Parts(parts): &Parts,
    threads: NonZeroUsize,
    budget: Duration,
    tell: impl Fn(&Found) + Sync,
) -> Report {
    let begun = Instant::now();
    // None: further away than the clock goes.
    let until = begun.checked_add(budget);
    let next = AtomicUsize::new(0);
    let found = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..threads.get() {
            scope.spawn(|| {
                while let Some((at, part)) = {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    parts.get(at).map(|part| (at, part))
                } {
                    let one = explore::explore(part, until, MOST);
                    tell(&one);
                    found
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push((at, one));
                }
            });
        }
    });
    let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.sort_by_key(|(at, _)| *at);
    Report {
        parts: found.into_iter().map(|(_, part)| part).collect(),
        took: begun.elapsed(),
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "search part={} states={} depth={} transitions={} complete={} seconds={:.1}",
            self.part,
            self.states,
            self.depth,
            self.transitions,
            if self.complete { "yes" } else { "no" },
            self.took.as_secs_f64(),
        )
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Violation { invariant, what } = &self.to;
        let number = invariant.number();
        write!(f, "violation of invariant {number}: {what}")?;
        for (number, line) in (1..).zip(&self.moves) {
            write!(f, "\n{number:>4}. {line}")?;
        }
        Ok(())
    }
}
