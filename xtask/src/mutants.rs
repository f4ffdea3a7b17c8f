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
    let target = project.root.join("target");
    let mut mutants = run::cargo(project);
    mutants
        .args(["mutants", "--workspace", "--output"])
        .arg(&target)
        // The sources are copied for each run; what others wrote is built once for all.
        .env("CARGO_TARGET_DIR", target.join("mutation"));
    for file in files {
        if !project.root.join(file).is_file() {
            return Err(format!("there is no file {file}: name it as from the root").into());
        }
        // Not `--file`, which would add it to those that are chosen already.
        mutants.args(["--re", &format!("^{}:", file.replace('.', "\\."))]);
    }
    let status = run::status(&mut mutants)?;
    // A change that makes a test run for ever is noticed as well. It ends in 3, even if others are not.
    let unnoticed = || fs::read_to_string(target.join("mutants.out/missed.txt"));
    Ok(status.success() || status.code() == Some(3) && unnoticed()?.is_empty())
}
