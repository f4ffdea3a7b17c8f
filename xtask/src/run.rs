//! Running other programs.

use std::env;
use std::ffi::{OsStr, OsString};
use std::process::{Command, ExitStatus};

use crate::project::{Project, Result};

/// cargo, in the root of the workspace, as if it had been called from a shell.
///
/// `cargo run` tells a program about its package in the environment, and build scripts that look at the
/// same variables (ring's does) would see them change and build again: so they are taken out.
pub(crate) fn cargo(project: &Project) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    cargo.current_dir(&project.root);
    for (name, _) in env::vars_os() {
        if is_about_the_package(&name) {
            cargo.env_remove(name);
        }
    }
    cargo
}

fn is_about_the_package(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "DEP_"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
        || ["CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE", "OUT_DIR"].contains(&name.as_ref())
}

/// Runs it, and gives what it wrote to standard output. An error holds what it wrote to standard error.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command.output()?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{command:?} failed:\n{stderr}").into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Runs it, with our own standard output and error.
pub(crate) fn status(command: &mut Command) -> Result<ExitStatus> {
    Ok(command.status()?)
}

/// What stands after `name=` in a line of words.
pub(crate) fn word<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let words = line.split_whitespace();
    let mut pairs = words.filter_map(|word| word.split_once('='));
    let (_, value) = pairs.find(|(key, _)| *key == name)?;
    Some(value)
}

/// The number that stands there.
pub(crate) fn number(line: &str, name: &str) -> Option<u64> {
    word(line, name)?.parse().ok()
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
    fn what_cargo_says_about_the_package_is_taken_out_and_settings_stay() {
        for name in ["CARGO_PKG_NAME", "CARGO_MANIFEST_DIR", "OUT_DIR"] {
            assert!(is_about_the_package(OsStr::new(name)), "{name}");
        }
        for name in ["CARGO_HOME", "CARGO_TARGET_DIR", "CARGO", "PATH"] {
            assert!(!is_about_the_package(OsStr::new(name)), "{name}");
        }
    }
}
