//! `recharge-proof`: what `cargo xtask simulate` runs.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Args, Parser, Subcommand, ValueEnum};
use recharge_proof::{CaseId, Invariant, Plan, StoreKind, Wanted, live, play, search, shrink};

/// Simulated lives of orders, and the search of all lives where the space is small.
#[derive(Parser)]
#[command(name = "recharge-proof")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Lets orders live until one of them violates an invariant
    Lives {
        /// How many
        #[arg(long, value_name = "N")]
        lifecycles: u64,
        /// The seed of the first case; the next case has the next one
        #[arg(long, value_name = "S", default_value_t = 1)]
        seed: u64,
        #[command(flatten)]
        of: Of,
        /// Cases at a time
        #[arg(long, value_name = "N", default_value_t = 2)]
        threads: usize,
        /// Goes on past violations of other invariants, until this one is violated
        #[arg(long, value_name = "INVARIANT")]
        until: Option<u8>,
        /// Fails unless everything was met that is to be met in so many lives
        #[arg(long)]
        floors: bool,
        /// Prints how often everything was met
        #[arg(long)]
        cover: bool,
    },
    /// Plays one case again and prints what happened
    Replay {
        /// As it was printed: SEED, or SEED:PART,PART,…
        #[arg(value_name = "CASE")]
        case: String,
        #[command(flatten)]
        of: Of,
    },
    /// Looks at every life that one order can have, within bounds
    Search {
        /// Parts at a time
        #[arg(long, value_name = "N", default_value_t = 2)]
        threads: usize,
        /// How long at most
        #[arg(long, value_name = "SECONDS", default_value_t = 300)]
        seconds: u64,
        /// Only parts whose names contain this
        #[arg(long, value_name = "TEXT", default_value = "")]
        only: String,
    },
}

/// What is simulated.
#[derive(Args, Clone, Copy)]
struct Of {
    /// How many workers share a store; a file has one
    #[arg(long, value_name = "W", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=2))]
    workers: u32,
    /// The store whose semantics are simulated; without it both, by turns
    #[arg(long)]
    store: Option<Store>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Store {
    /// A file: one process, unsynced writes are lost in a crash
    Sqlite,
    /// A database on another machine: workers come and go, commits hang
    Postgres,
}

impl Of {
    fn wanted(self) -> Wanted {
        Wanted {
            workers: self.workers,
            store: self.store.map(|store| match store {
                Store::Sqlite => StoreKind::Sqlite,
                Store::Postgres => StoreKind::Postgres,
            }),
        }
    }

    /// As arguments.
    fn said(self) -> String {
        let store = match self.store {
            None => "",
            Some(Store::Sqlite) => " --store sqlite",
            Some(Store::Postgres) => " --store postgres",
        };
        format!("--workers {}{store}", self.workers)
    }
}

fn main() -> ExitCode {
    // A panic inside a simulated task is reported as a violation, and need not be printed as well.
    std::panic::set_hook(Box::new(|_| {}));
    let fine = match Cli::parse().task {
        Task::Lives {
            lifecycles,
            seed,
            of,
            threads,
            until,
            floors,
            cover,
        } => {
            let plan = Plan {
                lives: lifecycles,
                seed,
                wanted: of.wanted(),
                threads,
                until: until.map(Invariant),
            };
            lives(plan, of, floors, cover)
        }
        Task::Replay { case, of } => replay(&case, of),
        Task::Search {
            threads,
            seconds,
            only,
        } => searched(threads, Duration::from_secs(seconds), &only),
    };
    if fine {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn lives(plan: Plan, of: Of, floors: bool, cover: bool) -> bool {
    let began = Instant::now();
    let shown = live(plan);
    let seconds = began.elapsed().as_secs_f64();
    let postgres = of.wanted().store != Some(StoreKind::Sqlite) && of.workers > 1;
    if cover {
        print(&shown.cover.lines(postgres));
    }
    for (case, violation) in &shown.others {
        println!(
            "other case={case} {}: {}",
            violation.invariant, violation.what
        );
    }
    let mut fine = true;
    if let Some((case, violation, lives)) = &shown.first {
        fine = false;
        println!(
            "violation case={case} lives={lives} {}",
            violation.invariant
        );
        println!("  {}", violation.what);
        if plan.until.is_none() {
            let small = shrink(case, violation.invariant);
            let lines = play(small.clone(), true).lines;
            println!("  the shortest trace that was found:");
            print(&lines);
            println!(
                "replay: cargo xtask simulate --replay {small} {}",
                of.said()
            );
        }
    }
    let missing = shown.cover.missing(plan.lives, postgres);
    if fine && floors && !missing.is_empty() {
        fine = false;
        println!("not exercised enough:");
        print(&missing);
    }
    let (kinds, met) = shown.cover.summary(postgres);
    println!(
        "lives lifecycles={} violations={} cases={} events={} polls={} met={met}/{kinds} trace={:016x} seconds={seconds:.1} per_second={:.0}",
        shown.lives,
        shown.violated.values().sum::<u64>(),
        shown.cases,
        shown.events,
        shown.polls,
        shown.trace,
        precise(shown.lives) / seconds,
    );
    fine
}

fn print(lines: &[String]) {
    for line in lines {
        println!("  {line}");
    }
}

/// A count as a number to divide.
fn precise(count: u64) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}

fn replay(case: &str, of: Of) -> bool {
    let Some(id) = CaseId::parse(case, of.wanted()) else {
        eprintln!(
            "error: {case:?} names no case; write SEED, or SEED:PART,PART,… as it was printed"
        );
        return false;
    };
    let outcome = play(id, true);
    print(&outcome.lines);
    for violation in &outcome.violations {
        println!("violation {}", violation.invariant);
        println!("  {}", violation.what);
    }
    let violations = outcome.violations.len();
    println!(
        "replay violations={violations} trace={:016x}",
        outcome.trace
    );
    violations == 0
}

fn searched(threads: usize, budget: Duration, wanted: &str) -> bool {
    let tell = |found: &search::Found| {
        println!("{found}");
        if let Some(violation) = &found.violation {
            print!("{violation}");
        }
    };
    let report = search::run(threads, budget, wanted, tell);
    println!("{}", report.total());
    report.holds() && report.violations().next().is_none()
}
