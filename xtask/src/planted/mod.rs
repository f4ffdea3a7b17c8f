//! Planted bugs: a list of single changes to the code, each of which the simulation must catch.
//!
//! The sources stay free of any mark. `crates/recharge-proof/planted.toml` says where each bug goes and what
//! stands there then; all of them are woven into one copy of the workspace, `target/planted`, and each is
//! asleep until it is woken by its name. So a hundred bugs cost one build.
//!
//! | module | what it holds |
//! |---|---|
//! | [`list`](mod@list) | the list: read, and checked |
//! | [`scan`] | a source without what formatting can change |
//! | [`weave`](mod@weave) | the weaver: a pure function |
//! | [`copy`] | the copy of the workspace |
//! | [`hunt`](mod@hunt) | what became of each |

mod copy;
pub(crate) mod hunt;
mod list;
mod scan;
mod weave;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

pub(crate) use self::list::{Bug, LIST, list};
pub(crate) use self::weave::Stale;

use crate::project::{Project, Result};
use crate::run;

/// The crate that is built with the bugs in it, and its profile.
const PROOF: &str = "recharge-proof";
const PROFILE: &str = "proof";

/// Weaves the bugs into a copy of the workspace and builds the simulation there. Answers where the binary
/// is.
pub(crate) fn build(project: &Project) -> Result<PathBuf> {
    let built = built(project, &plant(project)?).map_err(|error| {
        format!("{error}: a bug of {LIST} may no longer compile where it stands")
    })?;
    // The next build of the workspace's own takes the place of what was built. A new file, because the old
    // one may still be running.
    let planted = built.with_file_name(format!("{PROOF}-planted"));
    if planted.exists() {
        fs::remove_file(&planted)?;
    }
    fs::rename(built, &planted)?;
    self::built(project, &project.root)?;
    Ok(planted)
}

/// Builds the simulation of the workspace in that folder. The target folder is the workspace's own, so
/// that nothing of the registry is compiled twice.
pub(crate) fn built(project: &Project, root: &Path) -> Result<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| project.root.join("target"), PathBuf::from);
    let mut build = run::cargo(project);
    build
        .args(["build", "--quiet", "--profile", PROFILE, "--package", PROOF])
        .arg("--manifest-path")
        .arg(root.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&target);
    if run::status(&mut build)?.success() {
        Ok(target.join(PROFILE).join(PROOF))
    } else {
        Err(format!("{PROOF} could not be built in {}", root.display()).into())
    }
}

/// Writes the copy, and answers where it is.
fn plant(project: &Project) -> Result<PathBuf> {
    let bugs = list(project)?;
    let (woven, stale) = weave_all(project, &bugs)?;
    if !stale.is_empty() {
        let lines: Vec<String> = stale.iter().map(ToString::to_string).collect();
        return Err(lines.join("\n").into());
    }
    copy::write(project, &bugs, woven)
}

/// Every source with its bugs in it, by path, and the bugs that can't be woven.
pub(crate) fn weave_all(
    project: &Project,
    bugs: &[Bug],
) -> Result<(BTreeMap<String, String>, Vec<Stale>)> {
    let mut files: BTreeMap<&str, Vec<(usize, &Bug)>> = BTreeMap::new();
    for (number, bug) in (1..).zip(bugs) {
        files.entry(&bug.file).or_default().push((number, bug));
    }
    let mut woven = BTreeMap::new();
    let mut stale = Vec::new();
    for (file, bugs) in files {
        match weave::weave(&project.read(file)?, &bugs) {
            Ok(source) => {
                woven.insert(file.to_owned(), source);
            }
            Err(found) => stale.extend(found),
        }
    }
    Ok((woven, stale))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_planted_bug_can_be_woven_into_the_present_sources() {
        let project = Project::load().unwrap();
        let bugs = list(&project).unwrap();
        let (woven, stale) = weave_all(&project, &bugs).unwrap();
        assert_eq!(stale, []);
        for (number, bug) in (1..).zip(&bugs) {
            let mark = match bug.form {
                list::Form::Pure => format!("recharge_planted::either({number},"),
                list::Form::Expression | list::Form::Statements => {
                    format!("recharge_planted::on({number})")
                }
            };
            let source = &woven[&bug.file];
            assert_eq!(source.matches(&mark).count(), 1, "{}", bug.name);
        }
    }
}
