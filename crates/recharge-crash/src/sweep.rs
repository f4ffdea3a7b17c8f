//! Each write and each sync of a run failed once; logs that were cut off.
//!
//! A run is 200 orders, handed in by parts, a process each. In each process one call fails: a write or a
//! sync answers with `EIO` or `ENOSPC`, or the process dies in it. From run to run it is another call,
//! until each call that a part makes has failed in each way, now in this part and now in that. What
//! happens while a file is made is swept by itself, one fault a run.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::bench::{Bench, Pace};
use crate::life::Life;
use crate::parallel::in_parallel;
use crate::strace::{self, Call, Disk, Fault, Injection, Traced};
use crate::torn::torn;
use crate::verdict::{self, Known, Verdict};
use crate::{Result, books};

/// The orders of a run.
const ORDERS: usize = 200;

/// The parts in which they are handed in.
const PARTS: u32 = 4;

/// The orders of a run that is about the making of the file.
const FEW: usize = 1;

/// How many runs are made at a time, for each processor.
const AT_ONCE: usize = 4;

/// How long a process may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// Nothing goes wrong upstream. What was under way at a kill and never arrived is on a desk soon.
const PACE: Pace = Pace {
    scenario: "preset = \"off\"\nsettle_after = \"1ms\"\n",
    config: "
[http]
transport = \"hyper\"
connect_timeout = \"500ms\"
timeout = \"1s\"

[lifecycle]
query_after = [\"50ms\", \"300ms\"]
send_deadline = \"500ms\"
not_found_quarantine = \"300ms\"
watch_after = [\"1h\"]

[limits]
in_flight = 256
queries_per_second = 100000
",
};

/// One run: lives whose disk fails, then one whose disk doesn't.
#[derive(Debug, Clone)]
struct Run {
    /// What it belongs to.
    group: Group,
    orders: usize,
    /// Whether the file is made before, by a life that is left alone.
    ready: bool,
    /// How many orders each life sees, and what happens to its disk.
    lives: Vec<(usize, Disk)>,
}

/// Runs that sweep the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Group {
    making: bool,
    call: Call,
    fault: Fault,
}

/// What the runs came to.
#[derive(Debug, Default)]
struct Sum {
    verdict: Verdict,
    runs: u64,
    /// Faults that struck.
    struck: BTreeMap<Group, u64>,
}

/// Sweeps, and prints what came of it. `false` if anything is wrong, or a fault never struck.
pub fn run(recharge: &Path) -> Result<bool> {
    strace::is_there()?;
    let begun = Instant::now();
    let plain = plain(recharge)?;
    println!(
        "sweep: a run makes {} writes and {} syncs; one part of it {} and {}; making a file {} and {}",
        plain.whole.all.writes,
        plain.whole.all.syncs,
        plain.part.all.writes,
        plain.part.all.syncs,
        plain.making.first.writes,
        plain.making.first.syncs
    );
    println!(
        "sweep: {} cuts of a log, {:.1} s",
        plain.cuts,
        begun.elapsed().as_secs_f32()
    );
    let runs = runs(&plain);
    let sum = play(recharge, &runs);
    for (group, n) in &sum.struck {
        let (call, fault) = (group.call.word(), group.fault.name());
        let when = if group.making {
            "making a file"
        } else {
            "orders"
        };
        println!("sweep: {when}: {n} {call} failed by {fault}");
    }
    let mut complaints = sum.verdict.complaints.clone();
    complaints.extend(missing(&runs, &plain, &sum.struck));
    complaints.extend(plain.torn);
    if sum.runs != runs.len() as u64 {
        complaints.push(format!(
            "only {} of {} runs were made",
            sum.runs,
            runs.len()
        ));
    }
    for complaint in &complaints {
        println!("sweep: {complaint}");
    }
    println!("sweep: {:.1} s", begun.elapsed().as_secs_f32());
    println!(
        "runs={} faults={} cuts={} lost={} double={} wrong_end={}",
        sum.runs,
        sum.struck.values().sum::<u64>(),
        plain.cuts,
        sum.verdict.lost,
        sum.verdict.double,
        sum.verdict.wrong_end
    );
    Ok(complaints.is_empty() && sum.verdict.is_clean() && plain.cuts > 0)
}

/// What is done where nothing fails.
struct Plain {
    /// By all orders at once.
    whole: Traced,
    /// By the part that does most.
    part: Traced,
    /// By the first life of a file.
    making: Traced,
    /// How often the log was cut off.
    cuts: usize,
    /// What was wrong with a log that was cut off.
    torn: Vec<String>,
}

fn plain(recharge: &Path) -> Result<Plain> {
    let slow = Disk {
        injection: None,
        slow: Some(Call::Sync),
    };
    let life = |bench: &Bench, disk| -> Result<Traced> {
        let ended = Life::begin_with(bench, disk)?.end(PATIENCE)?;
        if !ended.status.success() {
            return Err(format!("a run without faults failed: {}", ended.said).into());
        }
        Traced::read(&bench.trace())
    };
    let bench = Bench::set_up(recharge, PACE, ORDERS, 1)?;
    bench.hand_in(FEW)?;
    let making = life(&bench, slow)?;
    // Closed in good order, the command folds the log into the file; while somebody reads, it can't.
    let reader = books::hold(&bench.db())?;
    bench.hand_in(ORDERS)?;
    let whole = life(&bench, slow)?;
    let (cuts, torn) = torn(&bench)?;
    drop(reader);
    let bench = Bench::set_up(recharge, PACE, ORDERS, 2)?;
    let mut part = Traced::default();
    for n in 1..=PARTS {
        bench.hand_in(until(n))?;
        let found = life(&bench, slow)?;
        if n > 1 {
            part.all.most(found.all);
        }
    }
    Ok(Plain {
        whole,
        part,
        making,
        cuts,
        torn,
    })
}

/// Every run of the sweep.
fn runs(plain: &Plain) -> Vec<Run> {
    let mut runs = Vec::new();
    for call in Call::ALL {
        for fault in Fault::ALL {
            making(call, fault, plain.making.first.calls(call), &mut runs);
            parts(call, fault, plain.part.all.calls(call), &mut runs);
        }
    }
    runs
}

fn making(call: Call, fault: Fault, calls: u32, runs: &mut Vec<Run>) {
    let group = Group {
        making: true,
        call,
        fault,
    };
    runs.extend((1..=calls).map(|at| Run {
        group,
        orders: FEW,
        ready: false,
        lives: vec![(FEW, disk(call, fault, at))],
    }));
}

fn parts(call: Call, fault: Fault, calls: u32, runs: &mut Vec<Run>) {
    let group = Group {
        making: false,
        call,
        fault,
    };
    let runs_needed = calls.div_ceil(PARTS);
    runs.extend((0..runs_needed).map(|first| {
        Run {
            group,
            orders: ORDERS,
            ready: true,
            lives: (1..=PARTS)
                .map(|part| {
                    // Far from each other within one run, and each call once in all of them.
                    let at = 1 + (first + part * runs_needed) % calls;
                    (until(part), disk(call, fault, at))
                })
                .collect(),
        }
    }));
}

/// How many orders have been handed in with a part, the first being 1.
fn until(part: u32) -> usize {
    ORDERS * part as usize / PARTS as usize
}

fn disk(call: Call, fault: Fault, at: u32) -> Disk {
    Disk {
        injection: Some(Injection { call, fault, at }),
        slow: (call == Call::Write).then_some(Call::Sync),
    }
}

/// Faults that were to strike and did not. Where the calls of a run are many, a few may be missed: no
/// two runs share syncs in quite the same way.
fn missing(runs: &[Run], plain: &Plain, struck: &BTreeMap<Group, u64>) -> Vec<String> {
    let mut groups: Vec<Group> = runs.iter().map(|run| run.group).collect();
    groups.dedup();
    let few = |group: &Group| {
        let calls = if group.making {
            plain.making.first.calls(group.call)
        } else {
            plain.part.all.calls(group.call)
        };
        struck.get(group).copied().unwrap_or(0) < u64::from(calls) / 2
    };
    let line = |group: &Group| {
        let (call, fault) = (group.call.word(), group.fault.name());
        format!("too few {call} failed by {fault}: the sweep did not sweep")
    };
    groups.iter().filter(|it| few(it)).map(line).collect()
}

fn play(recharge: &Path, runs: &[Run]) -> Sum {
    let mut sum = Sum::default();
    for (at, played) in in_parallel(runs, AT_ONCE, |run| one(recharge, run)) {
        if let Some(run) = runs.get(at) {
            sum.add(run, played);
        }
    }
    sum
}

impl Sum {
    fn add(&mut self, run: &Run, played: Result<(Verdict, u64)>) {
        self.runs += 1;
        let (verdict, struck) = match played {
            Ok(played) => played,
            Err(error) => {
                let mut verdict = Verdict::default();
                verdict.broken(error.to_string());
                (verdict, 0)
            }
        };
        *self.struck.entry(run.group).or_default() += struck;
        if !verdict.is_clean() {
            let name = format!("{:?}", run.lives);
            self.verdict
                .complaints
                .push(format!("what follows is of {name}"));
        }
        self.verdict.add(verdict);
    }
}

/// One run, and how many faults struck.
fn one(recharge: &Path, run: &Run) -> Result<(Verdict, u64)> {
    let mut bench = Bench::set_up(recharge, PACE, run.orders, 1)?;
    let mut verdict = Verdict::default();
    let mut struck = 0;
    if run.ready {
        bench.hand_in(1)?;
        let ended = Life::begin(&bench)?.end(PATIENCE)?;
        bench.acknowledged.extend(ended.acknowledged);
    }
    for (orders, disk) in &run.lives {
        bench.hand_in(*orders)?;
        let ended = Life::begin_with(&bench, *disk)?.end(PATIENCE)?;
        struck += Traced::read(&bench.trace())?.struck;
        if ended.said.contains("panicked") {
            verdict.broken(format!("it panicked: {}", ended.said));
        }
        bench.acknowledged.extend(ended.acknowledged);
    }
    bench.hand_in(run.orders)?;
    let ended = Life::begin(&bench)?.end(PATIENCE)?;
    bench.acknowledged.extend(ended.acknowledged);
    if !ended.status.success() {
        let status = ended.status;
        verdict.broken(format!("the last life ended with {status}: {}", ended.said));
    }
    bench.upstream.come_to_rest()?;
    verdict.add(verdict::judge(&Known {
        wanted: &bench.wanted,
        acknowledged: &bench.acknowledged,
        books: &bench.books()?,
        told: &bench.told()?,
        ledger: &bench.upstream.ledger()?,
    }));
    if !verdict.is_clean() {
        let folder = bench.keep();
        let note = format!("what is left of it: {}", folder.display());
        verdict.complaints.push(note);
    }
    Ok((verdict, struck))
}
