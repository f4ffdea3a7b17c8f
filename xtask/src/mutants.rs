//! Small changes to the code, one at a time: one that no test notices is a rule that no test holds. What is
//! changed, how it is tested, and which changes make no difference, is in `.cargo/mutants.toml`.

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
        mutants.args(["--file", file]);
    }
    Ok(run::status(&mut mutants)?.success())
}
