//! A small workspace in a temporary folder, to be broken in one place and shown to a rule.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::project::Project;

/// A workspace that is gone when this is dropped.
pub(crate) struct Sample {
    dir: TempDir,
}

impl Sample {
    /// A workspace without members.
    pub(crate) fn new() -> Self {
        let sample = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        sample.file(
            "Cargo.toml",
            "[workspace]\nresolver = \"3\"\nmembers = [\"crates/*\"]\n\
             [workspace.package]\nversion = \"0.1.0\"\nedition = \"2024\"\n\
             rust-version = \"1.95\"\nlicense = \"MIT\"\n\
             [workspace.lints.rust]\nunsafe_code = \"forbid\"\n",
        )
    }

    /// The same, with one member more; `more` follows in its manifest.
    pub(crate) fn member(self, name: &str, more: &str) -> Self {
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion.workspace = true\nedition.workspace = true\n\
             rust-version.workspace = true\nlicense.workspace = true\n\
             [lints]\nworkspace = true\n{more}\n"
        );
        self.file(&format!("crates/{name}/Cargo.toml"), &manifest)
            .file(&format!("crates/{name}/src/lib.rs"), "//! A crate.\n")
    }

    /// The same, with that file written or replaced.
    pub(crate) fn file(self, path: &str, text: &str) -> Self {
        let path = self.dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    /// Its folder.
    pub(crate) fn root(&self) -> &Path {
        self.dir.path()
    }

    /// What the rules see of it.
    pub(crate) fn project(&self) -> Project {
        Project::at(self.dir.path()).unwrap()
    }
}
