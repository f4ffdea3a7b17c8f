//! The copy of the workspace that carries the bugs. A file is written only when it has changed, because
//! cargo builds again what is newer.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::list::Bug;
use crate::project::{Project, Result};

/// What tells the copy's crates from the workspace's own, which share a target folder.
const MARK: &str = "+planted";

/// The crate that the places of the bugs ask whether to go wrong, and where it has their names.
const SWITCH: &str = "recharge-planted";
const NAMES: &str = "crates/recharge-planted/src/names.rs";

/// What begins each package of a lock file.
const BLOCK: &str = "[[package]]\n";

/// Writes the copy, with these sources instead of the project's, and answers where it is.
pub(super) fn write(
    project: &Project,
    bugs: &[Bug],
    mut woven: BTreeMap<String, String>,
) -> Result<PathBuf> {
    woven.insert(
        "Cargo.toml".to_owned(),
        manifest(&project.read("Cargo.toml")?)?,
    );
    woven.insert("Cargo.lock".to_owned(), lock(&project.read("Cargo.lock")?));
    let crates: BTreeSet<&str> = bugs
        .iter()
        .filter_map(|bug| Some(project.member_of(&bug.file)?.dir.as_str()))
        .collect();
    for dir in crates {
        let path = format!("{dir}/Cargo.toml");
        let manifest = asking(&project.read(&path)?).ok_or_else(|| {
            format!("{path} has no [dependencies], so a bug of it can't be woken")
        })?;
        woven.insert(path, manifest);
    }
    woven.insert(NAMES.to_owned(), names(bugs));
    let copied = |path: &&String| path.starts_with("crates/") || path.starts_with("xtask/");
    let copy = project.root.join("target").join("planted");
    let mut kept = BTreeSet::new();
    for path in project.files.iter().filter(copied) {
        if !woven.contains_key(path) {
            write_changed(&copy.join(path), &fs::read(project.root.join(path))?)?;
            kept.insert(copy.join(path));
        }
    }
    for (path, text) in &woven {
        write_changed(&copy.join(path), text.as_bytes())?;
        kept.insert(copy.join(path));
    }
    remove_others(&copy, &kept)?;
    Ok(copy)
}

/// The manifest of the copy: nothing is warned of, because woven code looks like nothing a person writes.
fn manifest(text: &str) -> Result<String> {
    let mut manifest: Table = toml::from_str(text)?;
    let workspace = manifest
        .get_mut("workspace")
        .and_then(Value::as_table_mut)
        .ok_or("Cargo.toml has no [workspace]")?;
    let silent: Table = toml::from_str("rust = { warnings = \"allow\" }")?;
    workspace.insert("lints".to_owned(), Value::Table(silent));
    let version = workspace
        .get_mut("package")
        .and_then(|package| package.get_mut("version"))
        .ok_or("Cargo.toml has no version in [workspace.package]")?;
    let marked = format!("{}{MARK}", version.as_str().unwrap_or_default());
    *version = Value::String(marked);
    Ok(toml::to_string(&manifest)?)
}

/// The lock file with the members' versions as the copy has them.
fn lock(text: &str) -> String {
    let ours = |block: &str| {
        let lines = block.lines().map(|line| {
            let version = line.strip_prefix("version = \"");
            match version.and_then(|rest| rest.strip_suffix('"')) {
                Some(version) => format!("version = \"{version}{MARK}\"\n"),
                None => format!("{line}\n"),
            }
        });
        lines.collect::<String>()
    };
    let (head, packages) = text.split_once(BLOCK).unwrap_or((text, ""));
    let packages = packages.split(BLOCK).map(|block| {
        let block = if block.contains("\nsource = ") {
            block.to_owned()
        } else {
            ours(block)
        };
        format!("{BLOCK}{block}")
    });
    format!("{head}{}", packages.collect::<String>())
}

/// The manifest of a crate that has bugs: it knows their switch.
fn asking(manifest: &str) -> Option<String> {
    const DEPENDENCIES: &str = "\n[dependencies]\n";
    let (head, rest) = manifest.split_once(DEPENDENCIES)?;
    Some(format!(
        "{head}{DEPENDENCIES}{SWITCH}.workspace = true\n{rest}"
    ))
}

/// The module with their names, as the switch has it in the copy.
fn names(bugs: &[Bug]) -> String {
    let names: Vec<&str> = bugs.iter().map(|bug| bug.name.as_str()).collect();
    format!("//! The bugs of this build.\n\npub(crate) const NAMES: &[&str] = &{names:?};\n")
}

fn write_changed(path: &Path, text: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|old| old == text) {
        return Ok(());
    }
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir)?;
    }
    Ok(fs::write(path, text)?)
}

/// Takes out what is no longer in the project, and folders that are empty then.
fn remove_others(dir: &Path, kept: &BTreeSet<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            remove_others(&path, kept)?;
            if fs::read_dir(&path)?.next().is_none() {
                fs::remove_dir(&path)?;
            }
        } else if !kept.contains(&path) {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Sample;

    #[test]
    fn only_members_are_marked_in_the_lock_file() {
        let text = "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"r\"\n\n\
                    [[package]]\nname = \"b\"\nversion = \"0.1.0\"\ndependencies = [\n \"a\",\n]\n";
        let marked = text.replace("0.1.0", "0.1.0+planted");
        assert_eq!(lock(text), marked);
    }

    #[test]
    fn a_file_is_written_when_it_changes_and_taken_out_when_it_is_gone() {
        let sample = Sample::new()
            .member("a", "")
            .file("crates/a/src/old.rs", "//! Old.\n")
            .file("Cargo.lock", "version = 4\n");
        let copy = write(&sample.project(), &[], BTreeMap::new()).unwrap();
        let manifest = fs::read_to_string(copy.join("Cargo.toml")).unwrap();
        assert!(manifest.contains("0.1.0+planted"), "{manifest}");
        assert!(manifest.contains("warnings = \"allow\""), "{manifest}");
        let lib = copy.join("crates/a/src/lib.rs");
        let before = fs::metadata(&lib).unwrap().modified().unwrap();
        fs::remove_file(sample.root().join("crates/a/src/old.rs")).unwrap();
        write(&sample.project(), &[], BTreeMap::new()).unwrap();
        assert_eq!(fs::metadata(&lib).unwrap().modified().unwrap(), before);
        assert!(!copy.join("crates/a/src/old.rs").exists());
    }

    #[test]
    fn a_crate_with_a_bug_knows_the_switch() {
        let sample = Sample::new()
            .member("a", "\n[dependencies]")
            .member("b", "")
            .file("Cargo.lock", "version = 4\n");
        let bug = Bug {
            name: "a-bug".to_owned(),
            rule: "V1".to_owned(),
            invariant: 1,
            what: "Charges.".to_owned(),
            file: "crates/a/src/lib.rs".to_owned(),
            find: "x".to_owned(),
            put: "y".to_owned(),
            form: crate::planted::list::Form::Expression,
            part: None,
        };
        let woven = [("crates/a/src/lib.rs".to_owned(), "// woven".to_owned())];
        let copy = write(&sample.project(), &[bug], woven.into()).unwrap();
        let read = |path: &str| fs::read_to_string(copy.join(path)).unwrap_or_default();
        assert_eq!(read("crates/a/src/lib.rs"), "// woven");
        assert!(read("crates/a/Cargo.toml").contains("recharge-planted.workspace = true"));
        assert!(!read("crates/b/Cargo.toml").contains("recharge-planted"));
        assert!(read(NAMES).contains("&[\"a-bug\"]"));
    }

    #[test]
    fn a_manifest_without_dependencies_has_nowhere_to_name_the_switch() {
        assert_eq!(asking("[package]\nname = \"a\"\n"), None);
        let manifest = "[package]\n\n[dependencies]\nb.workspace = true\n";
        let wanted =
            "[package]\n\n[dependencies]\nrecharge-planted.workspace = true\nb.workspace = true\n";
        assert_eq!(asking(manifest).as_deref(), Some(wanted));
    }
}
