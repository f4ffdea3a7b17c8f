//! The workspace as the tasks see it: where it is, its members, its files.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::{DependencyKind, MetadataCommand, TargetKind};

/// A task that can't do its work says why in one text; nothing here is recovered from.
pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The workspace.
#[derive(Debug)]
pub(crate) struct Project {
    /// The folder of the root `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// Every member, by name.
    pub(crate) members: Vec<Member>,
    /// Every file that belongs to the project, from the root, with `/` between, sorted. What git
    /// ignores is not among them.
    pub(crate) files: Vec<String>,
}

/// A crate of the workspace.
#[derive(Debug)]
pub(crate) struct Member {
    /// The package's name.
    pub(crate) name: String,
    /// Its folder, from the root.
    pub(crate) dir: String,
    /// The members that it depends on, whatever the feature or the target.
    pub(crate) uses: Vec<Use>,
    /// Other crates that its code (not its tests) depends on.
    pub(crate) foreign: Vec<String>,
    /// Its bench targets.
    pub(crate) benches: Vec<String>,
}

/// A dependency of one member on another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Use {
    /// The member depended on.
    pub(crate) name: String,
    /// Whether only tests, benches and examples see it.
    pub(crate) dev: bool,
}

impl Project {
    /// The workspace that this program is part of.
    pub(crate) fn load() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .ok_or("xtask has no parent folder")?;
        Self::at(root)
    }

    /// The workspace in a folder.
    pub(crate) fn at(root: &Path) -> Result<Self> {
        let metadata = MetadataCommand::new()
            .manifest_path(root.join("Cargo.toml"))
            .no_deps()
            .exec()?;
        let root = metadata.workspace_root.clone().into_std_path_buf();
        let names: Vec<String> = metadata
            .packages
            .iter()
            .map(|package| package.name.to_string())
            .collect();
        let mut members = Vec::new();
        for package in &metadata.packages {
            let dir = package
                .manifest_path
                .parent()
                .ok_or("a manifest has no folder")?
                .as_std_path();
            let dependencies = || package.dependencies.iter();
            members.push(Member {
                name: package.name.to_string(),
                dir: slashed(dir.strip_prefix(&root)?),
                uses: dependencies()
                    .filter(|dependency| names.contains(&dependency.name))
                    .map(|dependency| Use {
                        name: dependency.name.clone(),
                        dev: dependency.kind == DependencyKind::Development,
                    })
                    .collect(),
                foreign: dependencies()
                    .filter(|dependency| !names.contains(&dependency.name))
                    .filter(|dependency| dependency.kind != DependencyKind::Development)
                    .map(|dependency| dependency.name.clone())
                    .collect(),
                benches: package
                    .targets
                    .iter()
                    .filter(|target| target.kind.contains(&TargetKind::Bench))
                    .map(|target| target.name.clone())
                    .collect(),
            });
        }
        members.sort_by(|a, b| a.name.cmp(&b.name));
        let files = files(&root)?;
        Ok(Self {
            root,
            members,
            files,
        })
    }

    /// A file's text.
    pub(crate) fn read(&self, path: &str) -> Result<String> {
        fs::read_to_string(self.root.join(path)).map_err(|error| format!("{path}: {error}").into())
    }

    /// The project's files of that extension.
    pub(crate) fn files_of(&self, extension: &str) -> impl Iterator<Item = &str> {
        self.files.iter().map(String::as_str).filter(move |path| {
            Path::new(path)
                .extension()
                .is_some_and(|is| is == extension)
        })
    }

    /// The member whose folder holds a file.
    pub(crate) fn member_of(&self, path: &str) -> Option<&Member> {
        self.members.iter().find(|member| {
            path.strip_prefix(&member.dir)
                .is_some_and(|rest| rest.starts_with('/'))
        })
    }
}

/// git knows what belongs to the project. A copy without git holds little else, but for `target`.
fn files(root: &Path) -> Result<Vec<String>> {
    let mut files = match from_git(root) {
        Some(files) => files,
        None => walk(root, root)?,
    };
    files.sort();
    files.dedup();
    Ok(files)
}

fn from_git(root: &Path) -> Option<Vec<String>> {
    if !root.join(".git").exists() {
        return None;
    }
    let listing = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(root)
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let text = String::from_utf8(listing.stdout).ok()?;
    let paths = text.split('\0').filter(|path| !path.is_empty());
    // A file that was deleted and not yet committed is still listed.
    Some(
        paths
            .filter(|path| root.join(path).is_file())
            .map(str::to_owned)
            .collect(),
    )
}

fn walk(root: &Path, dir: &Path) -> Result<Vec<String>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default();
        if path.is_dir() {
            if name != "target" && name != ".git" {
                files.extend(walk(root, &path)?);
            }
        } else {
            files.push(slashed(path.strip_prefix(root)?));
        }
    }
    Ok(files)
}

fn slashed(path: &Path) -> String {
    let parts: Vec<_> = path
        .components()
        .map(|part| part.as_os_str().to_string_lossy())
        .collect();
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Sample;

    #[test]
    fn what_git_ignores_is_no_file_of_the_project() {
        let sample = Sample::new()
            .member("a", "")
            .file(".gitignore", "/left\n")
            .file("left", "")
            .file("kept", "");
        let run = Command::new("git")
            .args(["init", "--quiet"])
            .current_dir(sample.root())
            .status()
            .unwrap();
        assert!(run.success());
        let files = sample.project().files;
        assert!(files.contains(&"kept".to_owned()), "{files:?}");
        assert!(!files.contains(&"left".to_owned()), "{files:?}");
    }

    #[test]
    fn a_copy_without_git_is_walked_past_what_was_built() {
        let sample = Sample::new().member("a", "").file("target/x", "");
        assert_eq!(
            sample.project().files,
            ["Cargo.toml", "crates/a/Cargo.toml", "crates/a/src/lib.rs"]
        );
    }

    #[test]
    fn uses_are_told_from_uses_in_tests() {
        let sample = Sample::new().member("a", "").member("b", "").member(
            "c",
            "[dependencies]\na = { path = \"../a\" }\n[dev-dependencies]\nb = { path = \"../b\" }",
        );
        let project = sample.project();
        let c = project.member_of("crates/c/src/lib.rs").unwrap();
        let uses: Vec<_> = c.uses.iter().map(|it| (it.name.as_str(), it.dev)).collect();
        assert_eq!(uses, [("a", false), ("b", true)]);
    }
}
