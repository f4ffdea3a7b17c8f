//! `recharge-proof`: what `cargo xtask simulate` runs.

use std::fmt;
use std::io::Write;
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Args, Parser, Subcommand, ValueEnum};
use recharge_planted::Bug;
use recharge_proof::{
    CaseId, Caught, Plan, Quarry, StoreKind, Unsound, Violation, Wanted, Workers, hunt, live,
    mute_simulated_panics, play, play_twice, search, shrink,
};

/// Simulated lives of orders, and the search of all lives where the space is small.
#[derive(Parser)]
#[command(name = "recharge-proof")]
struct Cli {
    #[command(subcommand)]
    task: Task,
    /// Wakes a planted bug, in the build that has them
    #[arg(long, value_name = "BUG", global = true, value_parser = Bug::named)]
    planted: Option<Bug>,
}

#[derive(Subcommand)]
enum Task {
    /// Lets orders live until one of them violates an invariant
    Lives {
        #[command(flatten)]
        cases: Cases,
        /// Fails unless everything was met that is to be met in so many lives
        #[arg(long)]
        floors: bool,
        /// Prints how often everything was met
        #[arg(long)]
        cover: bool,
    },
    /// Lets orders live until each planted bug is caught, in the build that has them
    Hunt {
        #[command(flatten)]
        cases: Cases,
        /// The bugs, each with the number of the invariant that must be violated
        #[arg(value_name = "BUG=INVARIANT", required = true, value_parser = quarry)]
        quarries: Vec<Quarry>,
    },
    /// Plays one case again and prints what happened
    Replay {
        /// As it was printed: SEED, SEED:PART,PART,… or with @STORE/WORKERS after it
        #[arg(value_name = "CASE")]
        case: String,
        #[command(flatten)]
        of: Of,
    },
    /// Looks at every life that one order can have, within bounds
    Search {
        /// Parts at a time
        #[arg(long, value_name = "N", default_value = "2")]
        threads: NonZeroUsize,
        /// How long at most
        #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..))]
        seconds: u64,
        /// Only the part of this name; without one, those whose names contain it
        #[arg(long, value_name = "TEXT", default_value = "")]
        only: String,
    },
}

/// Which cases are played.
#[derive(Args, Clone, Copy)]
struct Cases {
    /// How many orders live, unless all is known before
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    lifecycles: u64,
    /// The seed of the first case; the next case has the next one
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    of: Of,
    /// Cases at a time
    #[arg(long, value_name = "N", default_value = "2")]
    threads: NonZeroUsize,
}

impl Cases {
    fn plan(self) -> Plan {
        Plan {
            lives: self.lifecycles,
            seed: self.seed,
            wanted: self.of.or(Wanted::default()),
            threads: self.threads,
        }
    }
}

/// A bug, and what must be violated.
fn quarry(text: &str) -> Result<Quarry, Refused> {
    let (bug, invariant) = text.split_once('=').ok_or("write BUG=INVARIANT")?;
    Ok(Quarry {
        bug: Bug::named(bug).map_err(|error| error.to_string())?,
        invariant: invariant.parse()?,
    })
}

/// What is simulated.
#[derive(Args, Clone, Copy)]
struct Of {
    /// How many workers share a store, one or two; a file has one [default: 2]
    #[arg(long, value_name = "W", value_parser = clap::value_parser!(u32).range(1..=2))]
    workers: Option<u32>,
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
    /// What is wanted, where it isn't said: this.
    fn or(self, otherwise: Wanted) -> Wanted {
        let store = self.store.map(|store| match store {
            Store::Sqlite => StoreKind::Sqlite,
            Store::Postgres => StoreKind::Postgres,
        });
        Wanted {
            store: store.or(otherwise.store),
            workers: self
                .workers
                .and_then(Workers::new)
                .unwrap_or(otherwise.workers),
        }
    }
}

/// Why nothing was done.
type Refused = String;

/// Writes a line. Whoever has closed the other end, as `head` does, has seen enough: then this ends, and says
/// neither that all is well nor that it isn't.
macro_rules! say {
    ($($what:tt)*) => { line(format_args!($($what)*)) };
}

fn line(what: fmt::Arguments<'_>) {
    if writeln!(std::io::stdout(), "{what}").is_err() {
        std::process::exit(2);
    }
}

fn main() -> ExitCode {
    mute_simulated_panics();
    let cli = Cli::parse();
    if let Some(bug) = cli.planted {
        recharge_planted::wake(bug);
    }
    let fine = match cli.task {
        Task::Lives {
            cases,
            floors,
            cover,
        } => Ok(lives(cases.plan(), floors, cover)),
        Task::Hunt { cases, quarries } => Ok(hunted(cases.plan(), &quarries)),
        Task::Replay { case, of } => replay(&case, of),
        Task::Search {
            threads,
            seconds,
            only,
        } => searched(threads, Duration::from_secs(seconds), &only),
    };
    match fine {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::from(2)
        }
    }
}

fn lives(plan: Plan, floors: bool, cover: bool) -> bool {
    let began = Instant::now();
    let shown = live(plan);
    let seconds = began.elapsed().as_secs_f64();
    if cover {
        print(&shown.cover.lines(plan.wanted));
    }
    let mut fine = shown.violated.is_empty();
    if let Some((case, violation, lives)) = &shown.first {
        say!(
            "violation case={case} lives={lives} {}",
            violation.invariant
        );
        say!("  {}", violation.what);
        let small = shrink(case, violation.invariant);
        let lines = play(small.clone(), true).lines;
        say!("  the shortest trace that was found:");
        print(&lines);
        say!("replay: cargo xtask simulate --replay {small}");
    }
    let missing = shown.cover.missing(plan.lives, plan.wanted);
    if fine && floors && !missing.is_empty() {
        fine = false;
        say!("not exercised enough:");
        print(&missing);
    }
    if floors {
        print(&shown.cover.unmet(plan.wanted));
    }
    let (kinds, met) = shown.cover.summary(plan.wanted);
    say!(
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

fn hunted(plan: Plan, quarries: &[Quarry]) -> bool {
    let tell = |it: &Caught| say!("caught bug={} lives={} case={}", it.bug, it.lives, it.case);
    match hunt(plan, quarries, tell) {
        Ok(escaped) => {
            for it in &escaped {
                say!(
                    "escaped bug={} lives={} reached={}",
                    it.bug,
                    it.lives,
                    it.reached
                );
            }
            escaped.is_empty()
        }
        Err(Unsound { case, violation }) => {
            let Violation { invariant, what } = violation;
            say!("unsound case={case} {invariant}: {what}");
            false
        }
    }
}

fn print(lines: &[String]) {
    for line in lines {
        say!("  {line}");
    }
}

/// A count as a number to divide.
fn precise(count: u64) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}

fn replay(case: &str, of: Of) -> Result<bool, Refused> {
    let refused = |error| format!("{case:?} can't be played: {error}");
    let mut id = CaseId::parse(case).map_err(refused)?;
    id.wanted = of.or(id.wanted);
    id.check().map_err(refused)?;
    let outcome = play_twice(&id);
    print(&outcome.lines);
    for violation in &outcome.violations {
        say!("violation {}", violation.invariant);
        say!("  {}", violation.what);
    }
    let violations = outcome.violations.len();
    say!(
        "replay violations={violations} trace={:016x}",
        outcome.trace
    );
    Ok(violations == 0)
}

fn searched(threads: NonZeroUsize, budget: Duration, only: &str) -> Result<bool, Refused> {
    let parts = search::Parts::named(only)
        .ok_or_else(|| format!("no part of the search has {only:?} in its name"))?;
    let tell = |found: &search::Found| match &found.broken {
        None => say!("{found}"),
        Some(way) => say!(
            "{found}\n{way}\nreplay: target/proof/recharge-proof search --only {}",
            found.part
        ),
    };
    let report = search::run(&parts, threads, budget, tell);
    say!("{}", report.total());
    Ok(report.holds())
}
