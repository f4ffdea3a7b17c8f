//! How many orders live in a second on one core, everything going wrong, every invariant judged.
//!
//! A figure, so that a change that makes the proof slow is seen; ten million lives are a matter of hours
//! then, not of days.

use std::num::NonZeroUsize;
use std::process::ExitCode;

use recharge_conformance::ratio::{Rows, median, seconds};
use recharge_proof::{Plan, Wanted, live};

/// Orders in one measurement.
const LIVES: u32 = 1_500;
/// What a core of a few years ago does.
const GOAL: f64 = 500.0;

fn main() -> ExitCode {
    let mut violations = 0;
    let mut once = |seed: u64| {
        let plan = Plan {
            lives: u64::from(LIVES),
            seed,
            wanted: Wanted::default(),
            threads: NonZeroUsize::MIN,
        };
        seconds(|| violations += usize::from(live(plan).first.is_some()))
    };
    once(1);
    let rates = (0..3).map(|nth| f64::from(LIVES) / once(1_000 * (nth + 1)));
    let rate = median(rates.collect());
    let mut rows = Rows::default();
    rows.at_least("proof.lives_per_second", rate, GOAL);
    rows.none("proof.violations", violations);
    rows.exit()
}
