//! The adapters have the same files in `src` and `tests`, so that who knows one knows the other.

use std::collections::BTreeSet;

use crate::arrows::ADAPTERS;
use crate::problem::Problem;
use crate::project::{Project, Result};

/// The files that every adapter has, by module.
const MODULES: &[&str] = &[
    "lib", "config", "client", "provider", "wire", "codes", "callback",
];

#[expect(clippy::unnecessary_wraps, reason = "all rules have one signature")]
pub(super) fn rule(project: &Project) -> Result<Vec<Problem>> {
    let sets: Vec<(&str, BTreeSet<&str>)> = ADAPTERS
        .iter()
        .map(|name| (*name, files(project, name)))
        .collect();
    let mut problems = Vec::new();
    let all: BTreeSet<&str> = sets.iter().flat_map(|(_, files)| files).copied().collect();
    for (name, files) in &sets {
        for missing in all.difference(files) {
            problems.push(Problem::in_file(
                format!("crates/{name}/{missing}"),
                "another adapter has this file and this one has not",
                "give both the file, or neither",
            ));
        }
        for module in MODULES {
            let alone = format!("src/{module}.rs");
            let folder = format!("src/{module}/mod.rs");
            if !files.contains(alone.as_str()) && !files.contains(folder.as_str()) {
                problems.push(Problem::in_file(
                    format!("crates/{name}/{alone}"),
                    "every adapter has this file",
                    "write it; docs/architecture.md says what goes into it",
                ));
            }
        }
    }
    Ok(problems)
}

/// An adapter's Rust files, from its own folder.
fn files<'a>(project: &'a Project, adapter: &str) -> BTreeSet<&'a str> {
    let dir = format!("crates/{adapter}/");
    project
        .files_of("rs")
        .filter_map(|path| path.strip_prefix(&dir))
        .filter(|path| path.starts_with("src/") || path.starts_with("tests/"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Sample;

    fn complete() -> Sample {
        let mut sample = Sample::new();
        for name in ADAPTERS {
            sample = sample.member(name, "");
            for module in MODULES {
                sample = sample.file(&format!("crates/{name}/src/{module}.rs"), "");
            }
        }
        sample
    }

    fn found(sample: &Sample) -> Vec<String> {
        let problems = rule(&sample.project()).unwrap();
        problems.into_iter().map(|problem| problem.path).collect()
    }

    #[test]
    fn a_file_of_one_adapter_only_is_found_in_src_and_in_tests() {
        assert_eq!(found(&complete()), [""; 0]);
        let sample = complete()
            .file("crates/recharge-juhe/src/extra.rs", "")
            .file("crates/recharge-jisu/tests/wire.rs", "");
        assert_eq!(
            found(&sample),
            [
                "crates/recharge-juhe/tests/wire.rs",
                "crates/recharge-jisu/src/extra.rs"
            ]
        );
    }

    #[test]
    fn a_file_that_both_lack_is_found() {
        let sample = complete();
        for name in ADAPTERS {
            let path = format!("crates/{name}/src/codes.rs");
            std::fs::remove_file(sample.root().join(path)).unwrap();
        }
        assert_eq!(
            found(&sample),
            [
                "crates/recharge-juhe/src/codes.rs",
                "crates/recharge-jisu/src/codes.rs"
            ]
        );
    }
}
