//! The command killed again and again, and its disk failed: what `recharge-crash` does, on a binary that
//! is built here.

use std::error::Error;
use std::path::PathBuf;

use crate::project::{Project, Result};
use crate::run;

/// Kills the command. `false` when anything is wrong, or something was never tried.
pub(crate) fn crash(project: &Project, rounds: u64, seed: u64) -> Result<bool> {
    let recharge = recharge(project)?;
    recharge_crash::crash::run(&recharge, rounds, seed).map_err(|error| error as Box<dyn Error>)
}

/// Fails its disk. `false` when anything is wrong.
pub(crate) fn sweep(project: &Project) -> Result<bool> {
    let recharge = recharge(project)?;
    recharge_crash::sweep::run(&recharge).map_err(|error| error as Box<dyn Error>)
}

/// The binary as users build it, and not with the features of tests.
pub(crate) fn recharge(project: &Project) -> Result<PathBuf> {
    let mut build = run::cargo(project);
    build.args(["build", "--quiet", "--package", "recharge-cli"]);
    if !run::status(&mut build)?.success() {
        return Err("the command could not be built".into());
    }
    Ok(target(project).join("debug").join("recharge"))
}

/// Where cargo builds.
pub(crate) fn target(project: &Project) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| project.root.join("target"), |it| project.root.join(it))
}
