//! The list of bugs, as it is written, and what must hold of it.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::project::{Project, Result};

/// Where the list is.
pub(crate) const LIST: &str = "crates/recharge-proof/planted.toml";

/// How many invariants the judge has.
const INVARIANTS: u8 = 15;

/// One planted bug.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Bug {
    /// Its name: small letters, digits and dashes.
    pub(crate) name: String,
    /// The rule that it breaks: `V1` to `V15`, a line of the lessons such as `L6`, or a few words.
    pub(crate) rule: String,
    /// The number of the invariant that must fire.
    pub(crate) invariant: u8,
    /// What it is, and the damage, in a sentence or two.
    pub(crate) what: String,
    /// The source, from the root of the workspace.
    pub(crate) file: String,
    /// What stands there. Where only a part of it is to be replaced, and the rest says which one is meant,
    /// that part stands between « and ».
    pub(crate) find: String,
    /// What stands there while the bug is awake.
    pub(crate) put: String,
    /// How the two are put together.
    #[serde(default)]
    pub(crate) form: Form,
    /// The part of the search that must find it as well, if any is to.
    pub(crate) part: Option<String>,
}

/// How a bug and what it replaces are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Form {
    /// Both are expressions.
    #[default]
    Expression,
    /// Both are expressions without effects: either may be asked when it isn't wanted.
    Pure,
    /// Both are whole statements, none of them a `let` that what follows needs.
    Statements,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    #[serde(default)]
    bug: Vec<Bug>,
}

/// Reads and checks the list.
pub(crate) fn list(project: &Project) -> Result<Vec<Bug>> {
    let bugs = read(&project.read(LIST)?)?;
    for bug in &bugs {
        let known = project.files.binary_search(&bug.file).is_ok();
        let of_member = project
            .member_of(&bug.file)
            .and_then(|member| bug.file.strip_prefix(&member.dir))
            .is_some_and(|rest| rest.starts_with("/src/"));
        if !known || !of_member {
            return Err(wrong(
                &bug.name,
                &format!("{} is no source of a member", bug.file),
            ));
        }
    }
    Ok(bugs)
}

fn read(text: &str) -> Result<Vec<Bug>> {
    let Listed { bug: bugs } = toml::from_str(text).map_err(|error| format!("{LIST}: {error}"))?;
    let mut names = BTreeSet::new();
    for bug in &bugs {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let complaint = if bug.name.is_empty() || !bug.name.chars().all(plain) {
            "its name is to be small letters, digits and dashes"
        } else if !names.insert(&bug.name) {
            "another bug has that name"
        } else if !(1..=INVARIANTS).contains(&bug.invariant) {
            "the judge has no invariant of that number"
        } else if bug.rule.trim().is_empty() {
            "say which rule it breaks"
        } else if !bug.what.ends_with('.') || bug.what.contains(['|', '\n']) {
            "say what it is in a sentence, on one line and without `|`: it goes into a table"
        } else if bug.part.as_ref().is_some_and(String::is_empty) {
            "a part without a name would be all of them"
        } else if bug.put == bug.find {
            "it changes nothing"
        } else {
            continue;
        };
        return Err(wrong(&bug.name, complaint));
    }
    Ok(bugs)
}

fn wrong(name: &str, complaint: &str) -> Box<dyn std::error::Error> {
    format!("{LIST}: bug {name}: {complaint}").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Sample;

    const GOOD: &str = "[[bug]]\nname = \"a-1\"\nrule = \"V1\"\ninvariant = 1\nwhat = \"Charges.\"\n\
                        file = \"crates/a/src/lib.rs\"\nfind = \"x\"\nput = \"y\"\n";

    #[test]
    fn a_list_is_read_and_its_mistakes_are_named() {
        let good = read(GOOD).unwrap();
        assert_eq!((good[0].form, &good[0].part), (Form::Expression, &None));
        let searched = read(&format!("{GOOD}part = \"quiet\"\n")).unwrap();
        assert_eq!(searched[0].part.as_deref(), Some("quiet"));
        for (from, to, said) in [
            ("a-1", "A1", "small letters"),
            ("= 1", "= 16", "no invariant"),
            ("V1", " ", "which rule"),
            ("Charges.", "Charges", "in a sentence"),
            ("\"y\"", "\"x\"", "changes nothing"),
            ("put", "pit", "unknown field"),
            ("put", "part = \"\"\nput", "without a name"),
        ] {
            let error = read(&GOOD.replace(from, to)).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
        let error = read(&format!("{GOOD}{GOOD}")).unwrap_err().to_string();
        assert!(error.contains("bug a-1: another bug"), "{error}");
    }

    #[test]
    fn only_sources_of_members_can_have_bugs() {
        let of = |text: &str| {
            let sample = Sample::new().member("a", "").file(LIST, text);
            // A folder without a manifest would be a broken member.
            let sample = sample.member("recharge-proof", "");
            list(&sample.project()).map_err(|error| error.to_string())
        };
        assert_eq!(of(GOOD).unwrap().len(), 1);
        for file in ["crates/a/src/none.rs", "crates/a/Cargo.toml", "Cargo.toml"] {
            let error = of(&GOOD.replace("crates/a/src/lib.rs", file)).unwrap_err();
            assert!(error.contains("is no source of a member"), "{error}");
        }
    }
}
