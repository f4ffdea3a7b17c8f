//! `simulate`: lives of orders, the search of all of them where the space is small, and the planted bugs
//! that say what both are worth.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
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
        conflicts_with = "replay"
    )]
    lifecycles: u64,
    /// The seed of the first case; the next case has the next one
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// How many workers share a store; a file has one
    #[arg(long, value_name = "W", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=2))]
    workers: u32,
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
    /// Writes down for the docs how long each planted bug hid
    #[arg(long, conflicts_with_all = ["replay", "only_planted", "only_lives"])]
    record: bool,
}

impl Options {
    fn of(&self) -> Vec<String> {
        let mut of = vec!["--workers".to_owned(), self.workers.to_string()];
        if let Some(store) = &self.store {
            of.extend(["--store".to_owned(), store.clone()]);
        }
        of
    }
}

/// Runs it. `false` when anything was violated, not caught, or not met.
pub(crate) fn run(project: &Project, options: &Options) -> Result<bool> {
    let proof = planted::built(project, &project.root)?;
    if let Some(case) = &options.replay {
        let mut replay = Command::new(&proof);
        replay.args(["replay", case]).args(options.of());
        return Ok(run::status(&mut replay)?.success());
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
        plant(project, &proof, options, &mut said)?;
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
        fine: output.status.success(),
        last: text.lines().last().unwrap_or_default().to_owned(),
    })
}

/// The number after `name=` in a line.
fn number(line: &str, name: &str) -> Option<u64> {
    let words = line.split_whitespace();
    let mut pairs = words.filter_map(|word| word.split_once('='));
    let (_, value) = pairs.find(|(key, _)| *key == name)?;
    value.parse().ok()
}

/// Wakes one planted bug after another, and says after how many lives each was caught.
fn plant(project: &Project, proof: &Path, options: &Options, said: &mut Said) -> Result<()> {
    let wanted = |bug: &Bug| {
        options
            .only_planted
            .as_ref()
            .is_none_or(|text| bug.name.contains(text))
    };
    let mut bugs: Vec<Bug> = planted::list(project)?.into_iter().filter(wanted).collect();
    // Those that hid longest come first, so that nobody waits for one at the end.
    let hid = recorded(project)?;
    bugs.sort_by_key(|bug| std::cmp::Reverse(hid.get(&bug.name).copied().unwrap_or(u64::MAX)));
    let woven = planted::build(project)?;
    let next = AtomicUsize::new(0);
    let caught: Mutex<BTreeMap<usize, Hunt>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(bug) = bugs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let hunt = hunt(proof, &woven, options, bug);
                    println!("{}", line(bug, &hunt));
                    let at = bugs.iter().position(|it| it.name == bug.name);
                    if let (Some(at), Ok(mut caught)) = (at, caught.lock()) {
                        caught.insert(at, hunt);
                    }
                }
            });
        }
    });
    let caught = caught.into_inner().unwrap_or_default();
    said.planted = bugs.len();
    said.caught = caught.values().filter(|hunt| hunt.lives.is_some()).count();
    said.fine &= said.caught == said.planted;
    if options.record {
        let found = bugs.iter().zip(caught.values());
        let lines = found.filter_map(|(bug, hunt)| Some(format!("{} {}\n", bug.name, hunt.lives?)));
        std::fs::write(project.root.join(CAUGHT), lines.collect::<String>())?;
    }
    Ok(())
}

/// What became of the hunt for a bug.
struct Hunt {
    /// After how many lives it was caught.
    lives: Option<u64>,
    /// What else is to be said.
    remark: String,
}

fn line(bug: &Bug, hunt: &Hunt) -> String {
    let caught = hunt
        .lives
        .map_or("no".to_owned(), |lives| lives.to_string());
    format!(
        "planted bug={} invariant={} caught={caught}{}",
        bug.name, bug.invariant, hunt.remark
    )
}

fn hunt(proof: &Path, woven: &Path, options: &Options, bug: &Bug) -> Hunt {
    let escaped = |remark: String| Hunt {
        lives: None,
        remark: format!(" ({remark})"),
    };
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
    let output = match lives.output() {
        Ok(output) => output,
        Err(error) => return escaped(error.to_string()),
    };
    let text = String::from_utf8_lossy(&output.stdout);
    let Some(found) = text.lines().find(|line| line.starts_with("violation ")) else {
        let last = text.lines().last().unwrap_or_default();
        return escaped(last.to_owned());
    };
    let case = found
        .split_whitespace()
        .find_map(|word| word.strip_prefix("case="));
    // The same case without the bug must be clean.
    let mut without = Command::new(proof);
    without
        .args(["replay", case.unwrap_or_default()])
        .args(options.of());
    match run::output(&mut without) {
        Ok(_) => Hunt {
            lives: number(found, "lives"),
            remark: String::new(),
        },
        Err(_) => escaped(format!(
            "case {} is violated without it",
            case.unwrap_or_default()
        )),
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
}
