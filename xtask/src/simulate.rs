//! `simulate`: lives of orders, the search of all of them where the space is small, and the planted bugs
//! that say what both are worth.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, ExitStatus};

use crate::planted::{self, Bug, hunt};
use crate::project::{Project, Result};
use crate::run::{self, number};

/// How long the search may take, in seconds.
pub(crate) const SEARCHES: u64 = 300;
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
        plant(project, &proof, options, &bugs, &mut said)?;
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

/// Hunts the planted bugs, and says after how many lives each was caught.
fn plant(
    project: &Project,
    proof: &Path,
    options: &Options,
    bugs: &[Bug],
    said: &mut Said,
) -> Result<()> {
    let woven = planted::build(project)?;
    let mut of = options.of();
    of.extend(["--seed".to_owned(), options.seed.to_string()]);
    let hunts = hunt::all(proof, &woven, &of, bugs)?;
    said.planted = bugs.len();
    said.caught = hunts.values().filter(|hunt| hunt.caught()).count();
    said.fine &= said.caught == said.planted;
    if options.record {
        let lines = bugs.iter().filter_map(|bug| {
            let caught = hunts.get(&bug.name)?.lives.as_ref().ok()?;
            Some(format!("{} {}\n", bug.name, caught.lives))
        });
        std::fs::write(project.root.join(CAUGHT), lines.collect::<String>())?;
    }
    Ok(())
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
