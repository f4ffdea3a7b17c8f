//! The hunt for the planted bugs: the build that has them is run, and what it says of each is looked at.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::Bug;
use crate::project::Result;
use crate::run::{self, number, word};
use crate::simulate::SEARCHES;

/// For how many lives a planted bug may hide.
const LIVES_TO_HIDE: u64 = 100_000;

/// Why a bug escaped.
type Escaped = String;

/// A bug that lives have caught.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caught {
    /// After how many of them.
    pub(crate) lives: u64,
    /// The case that did.
    case: String,
}

/// What became of the hunt for a bug.
pub(crate) struct Hunt {
    /// By lives.
    pub(crate) lives: std::result::Result<Caught, Escaped>,
    /// Among how many states the search caught it; `None`, if it isn't to.
    states: std::result::Result<Option<u64>, Escaped>,
}

impl Hunt {
    /// Whether it was, by each that is to catch it.
    pub(crate) const fn caught(&self) -> bool {
        self.lives.is_ok() && self.states.is_ok()
    }
}

/// Hunts all of them, by lives and, those that name a part of it, by the search. Each has its line as soon as
/// its fate is known.
pub(crate) fn all(
    proof: &Path,
    woven: &Path,
    of: &[String],
    bugs: &[Bug],
) -> Result<BTreeMap<String, Hunt>> {
    let quarries = bugs
        .iter()
        .map(|bug| format!("{}={}", bug.name, bug.invariant));
    let mut child = Command::new(woven)
        .args(["hunt", "--lifecycles", &LIVES_TO_HIDE.to_string()])
        .args(of)
        .args(quarries)
        .stdout(Stdio::piped())
        .spawn()?;
    let mut hunts = BTreeMap::new();
    let mut done = |bug: &Bug, lives| {
        let states = in_search(woven, bug);
        let hunt = Hunt { lives, states };
        println!("{}", line(bug, &hunt));
        hunts.insert(bug.name.clone(), hunt);
    };
    let mut left: BTreeMap<&str, &Bug> = bugs.iter().map(|bug| (bug.name.as_str(), bug)).collect();
    let mut last = "it said nothing".to_owned();
    for line in BufReader::new(child.stdout.take().ok_or("its output is not to be read")?).lines() {
        let line = line?;
        if let Some(bug) = word(&line, "bug").and_then(|name| left.remove(name)) {
            done(bug, caught(proof, &line));
        }
        last = line;
    }
    child.wait()?;
    for bug in left.into_values() {
        done(bug, Err(last.clone()));
    }
    Ok(hunts)
}

/// What a line of the hunt says of a bug.
fn caught(proof: &Path, line: &str) -> std::result::Result<Caught, Escaped> {
    let case = line
        .starts_with("caught ")
        .then(|| word(line, "case"))
        .flatten();
    let (Some(case), Some(lives)) = (case, number(line, "lives")) else {
        return Err(line.to_owned());
    };
    // The same case must be clean in the build that has no bugs at all.
    let mut without = Command::new(proof);
    without.args(["replay", case]);
    match run::output(&mut without) {
        Ok(_) => Ok(Caught {
            lives,
            case: case.to_owned(),
        }),
        Err(_) => Err(format!("case {case} is violated without it")),
    }
}

/// What hunts one again that escaped.
fn again(bug: &Bug) -> String {
    format!("replay: cargo xtask simulate --only-planted {}", bug.name)
}

fn line(bug: &Bug, hunt: &Hunt) -> String {
    let caught = match (&hunt.lives, &hunt.states) {
        (Ok(Caught { lives, case }), Ok(_)) => format!("{lives} case={case}"),
        (Err(why), _) => format!("no (by lives: {why}) {}", again(bug)),
        (Ok(_), Err(why)) => format!("no (by the search: {why}) {}", again(bug)),
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

/// Searches the bug's part with the bug awake, until any law is broken: that the search can fail is shown so.
/// That it doesn't without the bug, the whole search shows.
fn in_search(woven: &Path, bug: &Bug) -> std::result::Result<Option<u64>, Escaped> {
    let Some(part) = &bug.part else {
        return Ok(None);
    };
    let mut search = Command::new(woven);
    search
        .args(["search", "--threads", "1", "--only", part])
        .args(["--seconds", &SEARCHES.to_string()])
        .args(["--planted", &bug.name]);
    let output = search.output().map_err(|error| error.to_string())?;
    found(&output).map(Some)
}

/// Among how many states a search found something.
fn found(search: &Output) -> std::result::Result<u64, Escaped> {
    let text = String::from_utf8_lossy(&search.stdout);
    let last = text.lines().last().unwrap_or_default();
    match (number(last, "violations"), number(last, "states")) {
        (Some(0), _) => Err(format!("nothing was found: {last}")),
        (Some(_), Some(states)) => Ok(states),
        (_, _) => Err(String::from_utf8_lossy(&search.stderr).trim().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::process::ExitStatus;

    use super::*;
    use crate::planted;
    use crate::project::Project;

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
            lives: Ok(Caught {
                lives: 7,
                case: "3".to_owned(),
            }),
            states: Ok(Some(12)),
        };
        assert!(hunt.caught());
        assert!(line(bug, &hunt).ends_with(" caught=7 case=3 part=quiet states=12"));
        hunt.states = Err("why".to_owned());
        assert!(!hunt.caught());
        let again = format!("replay: cargo xtask simulate --only-planted {}", bug.name);
        let searched = format!(" caught=no (by the search: why) {again}");
        assert!(line(bug, &hunt).ends_with(&searched));
        hunt.lives = Err("no".to_owned());
        let lived = format!(" caught=no (by lives: no) {again}");
        assert!(line(bug, &hunt).ends_with(&lived));
    }

    #[test]
    fn only_a_bug_that_was_caught_in_a_case_that_is_clean_without_it_counts() {
        let (clean, violated) = (Path::new("true"), Path::new("false"));
        let line = "caught bug=a lives=7 case=3@postgres/1";
        let found = caught(clean, line).map(|it| (it.lives, it.case));
        assert_eq!(found, Ok((7, "3@postgres/1".to_owned())));
        let error = caught(violated, line).unwrap_err();
        assert_eq!(error, "case 3@postgres/1 is violated without it");
        let escaped = "escaped bug=a lives=100001 reached=0";
        assert_eq!(caught(clean, escaped), Err(escaped.to_owned()));
    }
}
