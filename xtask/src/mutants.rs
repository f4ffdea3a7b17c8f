//! Small changes to the code, one at a time: one that no test notices is a rule that no test holds. What is
//! changed, how it is tested, and which changes make no difference, is in `.cargo/mutants.toml`.

use std::fs;
use std::process::Stdio;

use crate::project::{Project, Result};
use crate::run;

/// Changes these files; all that are chosen in `.cargo/mutants.toml`, if none is named. `false` when a change
/// goes unnoticed.
pub(crate) fn run(project: &Project, files: &[String]) -> Result<bool> {
    if !run::cargo(project)
        .args(["mutants", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?
        .success()
    {
        return Err("cargo-mutants is missing: `cargo install cargo-mutants --locked`".into());
    }
    let chosen = files.iter().map(|file| chosen(project, file));
    let chosen = chosen.collect::<Result<Vec<String>>>()?;
    let target = project.root.join("target");
    let mut mutants = run::cargo(project);
    mutants
        .args(["mutants", "--workspace"])
        .args(&chosen)
        .arg("--output")
        .arg(&target)
        // The sources are copied for each run; what others wrote is built once for all.
        .env("CARGO_TARGET_DIR", target.join("mutation"));
    let status = run::status(&mut mutants)?;
    // A change that makes a test run for ever is noticed as well. It ends in 3, even if others are not.
    let unnoticed = || fs::read_to_string(target.join("mutants.out/missed.txt"));
    Ok(status.success() || status.code() == Some(3) && unnoticed()?.is_empty())
}

/// What makes cargo-mutants change this file, in which something is to be changed.
fn chosen(project: &Project, file: &str) -> Result<String> {
    let file = file.strip_prefix("./").unwrap_or(file);
    if !project.files.iter().any(|known| known == file) {
        return Err(format!("the project has no file {file}: name it as from the root").into());
    }
    let chosen = pattern(file);
    let mut list = run::cargo(project);
    list.args(["mutants", "--workspace", "--list", &chosen]);
    if run::output(&mut list)?.trim().is_empty() {
        let why =
            "nothing in it is changed; `.cargo/mutants.toml` names the files in which something is";
        return Err(format!("{file}: {why}").into());
    }
    Ok(chosen)
}

/// Not `--file`, which would add it to those that are chosen already.
fn pattern(file: &str) -> String {
    format!("--re=^{}:", file.replace('.', "\\."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_as_from_the_root() {
        let project = Project::load().unwrap();
        let attempt = "crates/recharge-engine/src/attempt.rs";
        let absolute = project.root.join(attempt);
        for file in [
            "crates/recharge-engine/src/none.rs",
            "crates/recharge-engine/src/../src/attempt.rs",
            absolute.to_str().unwrap(),
        ] {
            let error = chosen(&project, file).unwrap_err();
            assert!(error.to_string().contains("no file"), "{error}");
        }
        // Whether something is changed only cargo-mutants knows, which not every machine has.
        assert_eq!(
            pattern(attempt),
            r"--re=^crates/recharge-engine/src/attempt\.rs:"
        );
    }
}
