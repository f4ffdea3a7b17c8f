//! `simulate`: lives of orders, the search of all of them where the space is small, and the planted bugs
//! that say what both are worth.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, ExitStatus, Output};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::planted::{self, Bug};
use crate::project::{Project, Result};
use crate::run;

/// For how many lives a planted bug may hide.
const LIVES_TO_HIDE: u64 = 100_000;
/// How long the search may take, in seconds.
const SEARCHES: u64 = 300;
/// Where it is written down how long each planted bug hid.
pub(crate) const CAUGHT: &str = "crates/recharge-proof/caught.txt";

/// What is asked for.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Options {
    /// How many orders live
    #[arg(
        long,
        value_name = "N",
        default_value_t = 100_000,
        value_parser = clap::value_parser!(u64).range(1..),
        conflicts_with = "replay"
    )]
    lifecycles: u64,
    /// The seed of the first case; the next case has the next one
    #[arg(long, value_name = "S", default_value_t = 1, conflicts_with = "replay")]
    seed: u64,
    /// How many workers share a store, one or two; a file has one [default: 2]
    #[arg(long, value_name = "W", value_parser = clap::value_parser!(u32).range(1..=2))]
    workers: Option<u32>,
    /// Whose semantics the store has: sqlite or postgres; without it both, by turns
    #[arg(long, value_name = "STORE", value_parser = ["sqlite", "postgres"])]
    store: Option<String>,
    /// Plays one case again, as it was printed, and says what happened
    #[arg(long, value_name = "CASE")]
    replay: Option<String>,
    /// Only the planted bugs whose names contain this
    #[arg(long, value_name = "TEXT", conflicts_with = "replay")]
    only_planted: Option<String>,
    /// Only the lives: no search, no planted bugs
    #[arg(long, conflicts_with_all = ["replay", "only_planted"])]
    only_lives: bool,
    /// Writes down for the docs how long each planted bug hid, from the seeds and stores that they name
    #[arg(long, conflicts_with_all = ["replay", "only_planted", "only_lives", "seed", "store", "workers"])]
    record: bool,
}

impl Options {
    fn of(&self) -> Vec<String> {
        let mut of = Vec::new();
        if let Some(workers) = self.workers {
            of.extend(["--workers".to_owned(), workers.to_string()]);
        }
        if let Some(store) = &self.store {
            of.extend(["--store".to_owned(), store.clone()]);
        }
        of
    }
}

/// Runs it. `false` when anything was violated, not caught, or not met.
pub(crate) fn run(project: &Project, options: &Options) -> Result<bool> {
    let bugs = wanted(project, options)?;
    let proof = planted::built(project, &project.root)?;
    if let Some(case) = &options.replay {
        let mut replay = Command::new(&proof);
        replay.args(["replay", case]).args(options.of());
        return judged(run::status(&mut replay)?);
    }
    let mut said = Said::default();
    if options.only_planted.is_none() {
        let lives = lives(&proof, options)?;
        said.lifecycles = number(&lives.last, "lifecycles").unwrap_or_default();
        said.violations = number(&lives.last, "violations").unwrap_or_default();
        said.fine &= lives.fine;
    }
    if options.only_planted.is_none() && !options.only_lives && said.fine {
        let mut search = Command::new(&proof);
        search.args(["search", "--seconds", &SEARCHES.to_string()]);
        let found = shown(&mut search)?;
        said.states = number(&found.last, "states").unwrap_or_default();
        said.violations += number(&found.last, "violations").unwrap_or_default();
        said.fine &= found.fine;
    }
    if !options.only_lives && said.fine {
        plant(project, &proof, options, bugs, &mut said)?;
    }
    println!(
        "lifecycles={} violations={} states={} planted_caught={}/{}",
        said.lifecycles, said.violations, said.states, said.caught, said.planted
    );
    Ok(said.fine)
}

/// What the last line says.
#[derive(Debug)]
struct Said {
    fine: bool,
    lifecycles: u64,
    violations: u64,
    states: u64,
    caught: usize,
    planted: usize,
}

impl Default for Said {
    fn default() -> Self {
        Self {
            fine: true,
            lifecycles: 0,
            violations: 0,
            states: 0,
            caught: 0,
            planted: 0,
        }
    }
}

fn lives(proof: &Path, options: &Options) -> Result<Run> {
    let mut lives = Command::new(proof);
    lives
        .args(["lives", "--lifecycles", &options.lifecycles.to_string()])
        .args(["--seed", &options.seed.to_string()])
        .arg("--floors")
        .args(options.of());
    shown(&mut lives)
}

/// A run of the proof.
struct Run {
    fine: bool,
    /// The last line that it wrote.
    last: String,
}

/// Runs it, shows what it writes, and keeps the last line.
fn shown(command: &mut Command) -> Result<Run> {
    let output = command.stderr(std::process::Stdio::inherit()).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    print!("{text}");
    Ok(Run {
        fine: judged(output.status)?,
        last: text.lines().last().unwrap_or_default().to_owned(),
    })
}

/// What the proof says by its status. One that says neither was not carried out.
fn judged(status: ExitStatus) -> Result<bool> {
    match status.code() {
        Some(0) => Ok(true),
        Some(1) => Ok(false),
        _ => Err(format!("the proof was not carried out: {status}").into()),
    }
}

/// The number after `name=` in a line.
fn number(line: &str, name: &str) -> Option<u64> {
    let words = line.split_whitespace();
    let mut pairs = words.filter_map(|word| word.split_once('='));
    let (_, value) = pairs.find(|(key, _)| *key == name)?;
    value.parse().ok()
}

/// The bugs that are asked for, at least one.
fn wanted(project: &Project, options: &Options) -> Result<Vec<Bug>> {
    let mut bugs = planted::list(project)?;
    if let Some(text) = &options.only_planted {
        bugs.retain(|bug| bug.name.contains(text));
        if bugs.is_empty() {
            return Err(format!("no planted bug has {text:?} in its name").into());
        }
    }
    Ok(bugs)
}

/// Wakes one planted bug after another, and says after how many lives each was caught.
fn plant(
    project: &Project,
    proof: &Path,
    options: &Options,
    mut bugs: Vec<Bug>,
    said: &mut Said,
) -> Result<()> {
    // Those that hid longest come first, so that nobody waits for one at the end.
    let hid = recorded(project)?;
    bugs.sort_by_key(|bug| std::cmp::Reverse(hid.get(&bug.name).copied().unwrap_or(u64::MAX)));
    let woven = planted::build(project)?;
    let next = AtomicUsize::new(0);
    let hunts: Mutex<BTreeMap<usize, Hunt>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(bug) = bugs.get(at) else { return };
                    let hunt = Hunt {
                        lives: in_lives(proof, &woven, options, bug),
                        states: in_search(&woven, bug),
                    };
                    println!("{}", line(bug, &hunt));
                    if let Ok(mut hunts) = hunts.lock() {
                        hunts.insert(at, hunt);
                    }
                }
            });
        }
    });
    let hunts = hunts.into_inner().unwrap_or_default();
    said.planted = bugs.len();
    said.caught = hunts.values().filter(|hunt| hunt.caught()).count();
    said.fine &= said.caught == said.planted;
    if options.record {
        let found = bugs.iter().zip(hunts.values());
        let lines = found.filter_map(|(bug, hunt)| {
            let lives = hunt.lives.as_ref().ok()?;
            Some(format!("{} {lives}\n", bug.name))
        });
        std::fs::write(project.root.join(CAUGHT), lines.collect::<String>())?;
    }
    Ok(())
}

/// What became of the hunt for a bug. What let it escape is an error.
struct Hunt {
    /// After how many lives it was caught.
    lives: std::result::Result<u64, String>,
    /// Among how many states the search caught it; `None`, if it isn't to.
    states: std::result::Result<Option<u64>, String>,
}

impl Hunt {
    /// Whether it was, by each that is to catch it.
    const fn caught(&self) -> bool {
        self.lives.is_ok() && self.states.is_ok()
    }
}

fn line(bug: &Bug, hunt: &Hunt) -> String {
    let caught = match (&hunt.lives, &hunt.states) {
        (Ok(lives), Ok(_)) => lives.to_string(),
        (Err(why), _) => format!("no (by lives: {why})"),
        (Ok(_), Err(why)) => format!("no (by the search: {why})"),
    };
    let searched = match (&bug.part, &hunt.states) {
        (Some(part), Ok(Some(states))) => format!(" part={part} states={states}"),
        _ => String::new(),
    };
    format!(
        "planted bug={} invariant={} caught={caught}{searched}",
        bug.name, bug.invariant
    )
}

/// Lets orders live with the bug awake, until the invariant that it names is violated.
fn in_lives(
    proof: &Path,
    woven: &Path,
    options: &Options,
    bug: &Bug,
) -> std::result::Result<u64, String> {
    let mut lives = Command::new(woven);
    lives
        .args([
            "lives",
            "--lifecycles",
            &LIVES_TO_HIDE.to_string(),
            "--threads",
            "1",
        ])
        .args(["--seed", &options.seed.to_string()])
        .args(["--until", &bug.invariant.to_string()])
        .args(options.of())
        .env(planted::VARIABLE, &bug.name);
    // Its status tells of other violations as well, and a bug may cause any.
    let output = lives.output().map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    let last = || text.lines().last().unwrap_or("it said nothing").to_owned();
    let found = text.lines().find(|line| line.starts_with("violation "));
    let found = found.ok_or_else(last)?;
    let case = found
        .split_whitespace()
        .find_map(|word| word.strip_prefix("case="));
    let case = case.ok_or_else(last)?;
    // The same case without the bug must be clean.
    let mut without = Command::new(proof);
    without.args(["replay", case]);
    match run::output(&mut without) {
        Ok(_) => number(found, "lives").ok_or_else(last),
        Err(_) => Err(format!("case {case} is violated without it")),
    }
}

/// Searches the bug's part with the bug awake, until any law is broken: that the search can fail is shown so.
/// That it doesn't without the bug, the whole search shows.
fn in_search(woven: &Path, bug: &Bug) -> std::result::Result<Option<u64>, String> {
    let Some(part) = &bug.part else {
        return Ok(None);
    };
    let mut search = Command::new(woven);
    search
        .args(["search", "--threads", "1", "--only", part])
        .args(["--seconds", &SEARCHES.to_string()])
        .env(planted::VARIABLE, &bug.name);
    let output = search.output().map_err(|error| error.to_string())?;
    found(&output).map(Some)
}

/// Among how many states a search found something.
fn found(search: &Output) -> std::result::Result<u64, String> {
    let text = String::from_utf8_lossy(&search.stdout);
    let last = text.lines().last().unwrap_or_default();
    match (number(last, "violations"), number(last, "states")) {
        (Some(0), _) => Err(format!("nothing was found: {last}")),
        (Some(_), Some(states)) => Ok(states),
        (_, _) => Err(String::from_utf8_lossy(&search.stderr).trim().to_owned()),
    }
}

/// How long each bug hid, as it was last written down.
pub(crate) fn recorded(project: &Project) -> Result<BTreeMap<String, u64>> {
    let text = project.read(CAUGHT)?;
    let pairs = text.lines().filter_map(|line| line.split_once(' '));
    Ok(pairs
        .filter_map(|(name, lives)| Some((name.to_owned(), lives.trim().parse().ok()?)))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_from_a_line() {
        let line = "lives lifecycles=12 violations=0 per_second=5";
        assert_eq!(number(line, "lifecycles"), Some(12));
        assert_eq!(number(line, "violations"), Some(0));
        assert_eq!(number(line, "cycles"), None);
    }

    #[test]
    fn a_bug_that_the_search_is_to_catch_is_caught_by_a_violation_only() {
        let search = |stdout: &str, stderr: &str| {
            found(&Output {
                status: ExitStatus::default(),
                stdout: stdout.into(),
                stderr: stderr.into(),
            })
        };
        let line = "search part=quiet states=9\nsearch states=12 parts=1 complete=0 violations=";
        assert_eq!(search(&format!("{line}1\n"), ""), Ok(12));
        let error = search(&format!("{line}0\n"), "").unwrap_err();
        assert!(
            error.starts_with("nothing was found: search states=12"),
            "{error}"
        );
        assert_eq!(
            search("", "error: no part\n"),
            Err("error: no part".to_owned())
        );
    }

    #[test]
    fn a_bug_that_one_of_the_two_does_not_see_is_not_caught() {
        let project = Project::load().unwrap();
        let mut bugs = planted::list(&project).unwrap();
        let bug = bugs.iter_mut().find(|bug| bug.part.is_some()).unwrap();
        bug.part = Some("quiet".to_owned());
        let mut hunt = Hunt {
            lives: Ok(7),
            states: Ok(Some(12)),
        };
        assert!(hunt.caught());
        assert!(line(bug, &hunt).ends_with(" caught=7 part=quiet states=12"));
        hunt.states = Err("why".to_owned());
        assert!(!hunt.caught());
        assert!(line(bug, &hunt).ends_with(" caught=no (by the search: why)"));
        hunt.lives = Err("no".to_owned());
        assert!(line(bug, &hunt).ends_with(" caught=no (by lives: no)"));
    }

    #[test]
    fn what_would_check_nothing_is_refused() {
        use clap::Parser;
        #[derive(Parser)]
        struct Cli {
            #[command(flatten)]
            options: Options,
        }
        let read = |words: &str| {
            let words = ["simulate"].into_iter().chain(words.split_whitespace());
            Cli::try_parse_from(words).map(|cli| cli.options)
        };
        for words in [
            "--lifecycles 0 --only-lives",
            "--workers 3",
            "--record --seed 7",
            "--record --store sqlite",
            "--record --workers 1",
            "--replay 7 --seed 7",
        ] {
            assert!(read(words).is_err(), "{words}");
        }
        let project = Project::load().unwrap();
        let bugs = |words| wanted(&project, &read(words).unwrap());
        assert_eq!(bugs("--only-planted no-alarm").unwrap().len(), 1);
        let error = bugs("--only-planted no-such-bug").unwrap_err();
        assert!(error.to_string().contains("\"no-such-bug\""), "{error}");
        assert!(bugs("--record").unwrap().len() > 90);
    }
}
