//! The top level holds what a newcomer needs first, and nothing else.

use std::collections::BTreeSet;

use crate::problem::Problem;
use crate::project::{Project, Result};

/// What may stand at the top level.
const TOP: &[&str] = &[
    ".cargo",
    ".ci",
    ".gitignore",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "clippy.toml",
    "crates",
    "deny.toml",
    "docs",
    "rustfmt.toml",
    "xtask",
];

#[expect(clippy::unnecessary_wraps, reason = "all rules have one signature")]
pub(super) fn rule(project: &Project) -> Result<Vec<Problem>> {
    let present: BTreeSet<&str> = project
        .files
        .iter()
        .filter_map(|path| path.split('/').next())
        .collect();
    let foreign = present.iter().filter(|name| !TOP.contains(name));
    Ok(foreign
        .map(|name| {
            Problem::in_file(
                *name,
                "this does not belong at the top level",
                "put it into crates, docs, xtask or .ci; or name it in xtask/src/tidy/layout.rs if the design has changed",
            )
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Sample;

    #[test]
    fn a_stray_file_or_folder_is_found() {
        let sample = Sample::new()
            .member("a", "")
            .file("README.md", "")
            .file("docs/anything.md", "")
            .file("notes.txt", "")
            .file("scripts/run.sh", "");
        let problems = rule(&sample.project()).unwrap();
        let paths: Vec<_> = problems.iter().map(|it| it.path.as_str()).collect();
        assert_eq!(paths, ["notes.txt", "scripts"]);
    }
}
