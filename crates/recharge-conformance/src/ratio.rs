//! Rows of the benches: ratios against a bare baseline, taken in one run, interleaved.
//!
//! Absolute figures drift from machine to machine and from minute to minute; a ratio of two things timed
//! in turn, many times over, much less. `cargo xtask bench` reads the printed rows:
//! `bench NAME ratio=R goal<=G ok`, or the word for a missed goal at the end.

use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

/// Rounds whose ratios give the median. Odd, so that there is a middle one.
const ROUNDS: usize = 1001;

/// The rows of one bench.
#[derive(Debug, Default)]
pub struct Rows {
    missed: bool,
}

impl Rows {
    /// A row whose ratio must not be above its goal.
    pub fn at_most(&mut self, name: &str, ratio: f64, goal: f64) {
        self.row(
            name,
            &format!("ratio={ratio:.2} goal<={goal:.2}"),
            ratio <= goal,
        );
    }

    /// A row whose ratio must not be below its goal.
    pub fn at_least(&mut self, name: &str, ratio: f64, goal: f64) {
        self.row(
            name,
            &format!("ratio={ratio:.2} goal>={goal:.2}"),
            ratio >= goal,
        );
    }

    /// A row that counts what there should be none of.
    pub fn none(&mut self, name: &str, count: usize) {
        self.row(name, &format!("count={count} goal<=0"), count == 0);
    }

    fn row(&mut self, name: &str, figures: &str, met: bool) {
        println!(
            "bench {name} {figures} {}",
            if met { "ok" } else { "MISSED" }
        );
        self.missed |= !met;
    }

    /// Success if every goal was met.
    pub fn exit(self) -> ExitCode {
        if self.missed {
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        }
    }
}

/// The median ratio of the time of `ours` to that of `bare`, each called `calls` times in turn.
pub fn of_time<A, B>(calls: u32, mut ours: impl FnMut() -> A, mut bare: impl FnMut() -> B) -> f64 {
    let ratios = (0..ROUNDS).map(|_| {
        let limit = seconds(|| (0..calls).for_each(|_| drop(black_box(bare()))));
        seconds(|| (0..calls).for_each(|_| drop(black_box(ours())))) / limit
    });
    median(ratios.collect())
}

/// How long something takes.
pub fn seconds(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64()
}

/// The middle one; of an even number of values the upper of the two.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missed_row_fails_the_bench() {
        let shown = |rows: Rows| format!("{:?}", rows.exit());
        let mut met = Rows::default();
        met.at_most("below", 0.5, 0.6);
        met.at_least("above", 0.9, 0.85);
        met.none("nothing", 0);
        assert_eq!(shown(met), format!("{:?}", ExitCode::SUCCESS));
        for miss in [
            (|rows: &mut Rows| rows.at_most("a", 0.61, 0.6)) as fn(&mut Rows),
            |rows| rows.at_least("b", 0.84, 0.85),
            |rows| rows.none("c", 1),
            |rows| rows.at_most("not a number", median(Vec::new()), 1.0),
        ] {
            let mut rows = Rows::default();
            miss(&mut rows);
            assert_eq!(shown(rows), format!("{:?}", ExitCode::FAILURE));
        }
    }

    #[test]
    fn the_median_is_the_middle_one() {
        assert!((median(vec![9.0, 1.0, 5.0]) - 5.0).abs() < f64::EPSILON);
    }
}
