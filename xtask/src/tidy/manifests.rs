//! Every crate takes the workspace's lints, version, edition and licence; unsafe code is forbidden.

use toml::{Table, Value};

use crate::problem::Problem;
use crate::project::{Project, Result};

/// What a member's `[package]` takes from the workspace.
const INHERITED: &[&str] = &["version", "edition", "rust-version", "license"];

pub(super) fn rule(project: &Project) -> Result<Vec<Problem>> {
    let mut problems = Vec::new();
    let root: Table = toml::from_str(&project.read("Cargo.toml")?)?;
    if at(&root, &["workspace", "lints", "rust", "unsafe_code"]).and_then(level) != Some("forbid") {
        problems.push(Problem::in_file(
            "Cargo.toml",
            "unsafe code is not forbidden",
            "set unsafe_code = \"forbid\" in [workspace.lints.rust]",
        ));
    }
    for member in &project.members {
        let path = format!("{}/Cargo.toml", member.dir);
        let manifest: Table = toml::from_str(&project.read(&path)?)?;
        if !inherits(&manifest, &["lints"]) {
            problems.push(Problem::in_file(
                &path,
                "the crate does not take the workspace's lints",
                "add `[lints]` with `workspace = true`",
            ));
        }
        for key in INHERITED {
            if !inherits(&manifest, &["package", key]) {
                problems.push(Problem::in_file(
                    &path,
                    format!("`{key}` is not the workspace's"),
                    format!("write `{key}.workspace = true`"),
                ));
            }
        }
    }
    Ok(problems)
}

fn inherits(manifest: &Table, keys: &[&str]) -> bool {
    let keys: Vec<&str> = keys.iter().copied().chain(["workspace"]).collect();
    at(manifest, &keys) == Some(&Value::Boolean(true))
}

fn at<'a>(table: &'a Table, keys: &[&str]) -> Option<&'a Value> {
    let (first, rest) = keys.split_first()?;
    rest.iter()
        .try_fold(table.get(*first)?, |value, key| value.get(key))
}

/// A lint's level, written alone or in a table.
fn level(lint: &Value) -> Option<&str> {
    lint.as_str().or_else(|| lint.get("level")?.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Sample;

    fn found(sample: &Sample) -> Vec<String> {
        let problems = rule(&sample.project()).unwrap();
        problems.into_iter().map(|problem| problem.what).collect()
    }

    #[test]
    fn a_crate_with_its_own_lints_version_or_licence_is_found() {
        assert_eq!(found(&Sample::new().member("a", "")), [""; 0]);
        let sample = Sample::new()
            .file(
                "crates/a/Cargo.toml",
                "[package]\nname = \"a\"\nversion = \"0.2.0\"\nedition.workspace = true\n\
                 rust-version.workspace = true\nlicense = \"GPL-3.0\"\n\
                 [lints.rust]\nunsafe_code = \"allow\"\n",
            )
            .file("crates/a/src/lib.rs", "");
        assert_eq!(
            found(&sample),
            [
                "the crate does not take the workspace's lints",
                "`version` is not the workspace's",
                "`license` is not the workspace's"
            ]
        );
    }

    #[test]
    fn a_workspace_that_only_denies_unsafe_code_is_found() {
        for lint in ["unsafe_code = \"deny\"", "missing_docs = \"forbid\""] {
            let sample = Sample::new().member("a", "");
            let root = sample.project().read("Cargo.toml").unwrap();
            let broken = root.replace("unsafe_code = \"forbid\"", lint);
            let sample = sample.file("Cargo.toml", &broken);
            assert_eq!(found(&sample), ["unsafe code is not forbidden"]);
        }
        let sample = Sample::new().member("a", "");
        let root = sample.project().read("Cargo.toml").unwrap();
        let table = root.replace("\"forbid\"", "{ level = \"forbid\", priority = 1 }");
        assert_eq!(found(&sample.file("Cargo.toml", &table)), [""; 0]);
    }
}
