//! Every life that one order can have, where the space is small enough to look at all of it.

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
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

pub use explore::{Found, Violation};

/// How many states a part may have before it is given up: with two threads, within four GiB.
const MOST: usize = 12_000_000;

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
        self.parts.iter().all(|part| part.complete)
    }

    /// What was broken.
    pub fn violations(&self) -> impl Iterator<Item = (&Found, &Violation)> {
        self.parts
            .iter()
            .filter_map(|part| Some((part, part.violation.as_ref()?)))
    }
}

/// Searches every part, on so many threads, for as long as there is time.
pub fn run(threads: usize, budget: Duration) -> Report {
    run_some(threads, budget, "", |_| ())
}

/// The same, of the parts whose name contains a text; tells of each as soon as it is done.
pub fn run_some(
    threads: usize,
    budget: Duration,
    wanted: &str,
    tell: impl Fn(&Found) + Sync,
) -> Report {
    let begun = Instant::now();
    let until = begun + budget;
    let parts: Vec<_> = parts::all()
        .into_iter()
        .filter(|part| part.name.contains(wanted))
        .collect();
    let next = AtomicUsize::new(0);
    let found = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
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

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "violation of invariant {}: {}",
            self.invariant, self.what
        )?;
        for (number, line) in (1..).zip(&self.path) {
            writeln!(f, "{number:>4}. {line}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.parts {
            writeln!(f, "{part}")?;
            if let Some(violation) = &part.violation {
                write!(f, "{violation}")?;
            }
        }
        writeln!(
            f,
            "search states={} depth={} parts={} complete={} seconds={:.1} violations={}",
            self.parts.iter().map(|part| part.states).sum::<u64>(),
            self.parts.iter().map(|part| part.depth).max().unwrap_or(0),
            self.parts.len(),
            self.parts.iter().filter(|part| part.complete).count(),
            self.took.as_secs_f64(),
            self.violations().count(),
        )
    }
}
