//! The upstreams' facts, each with an id, and the tests that prove them.
//!
//! The tables stand in `docs/upstreams/*.md`. A test names what it proves in a comment line above its
//! `fn`; [`proofs`] finds these lines. A fact that no test of our own can prove says why in its table.

mod proofs;
mod table;

use std::collections::BTreeMap;

pub(crate) use self::proofs::Proof;
pub(crate) use self::table::Fact;
use crate::problem::Problem;
use crate::project::{Project, Result};

/// Every fact in the tables' order, with its proofs; and what is wrong with either.
pub(crate) struct Facts {
    /// Each page's path and facts, in the order of the pages' names.
    pub(crate) pages: Vec<(String, Vec<Fact>)>,
    /// The proofs of each fact, by its id.
    pub(crate) proofs: BTreeMap<String, Vec<Proof>>,
    problems: Vec<Problem>,
}

/// Reads all tables and all tests.
pub(crate) fn read(project: &Project) -> Result<Facts> {
    let mut facts = Facts {
        pages: Vec::new(),
        proofs: BTreeMap::new(),
        problems: Vec::new(),
    };
    let pages = project
        .files_of("md")
        .filter(|path| path.starts_with("docs/upstreams/"));
    for path in pages {
        let (rows, problems) = table::parse(path, &project.read(path)?);
        facts.problems.extend(problems);
        facts.pages.push((path.to_owned(), rows));
    }
    for path in project.files_of("rs") {
        let Some(member) = project.member_of(path) else {
            continue;
        };
        let (proofs, problems) = proofs::scan(&member.name, path, &project.read(path)?);
        facts.problems.extend(problems);
        for proof in proofs {
            facts
                .proofs
                .entry(proof.id.clone())
                .or_default()
                .push(proof);
        }
    }
    Ok(facts)
}

/// The rule that the fact table is complete: each fact has a test or a reason, and no test names a fact
/// that does not exist.
pub(crate) fn rule(project: &Project) -> Result<Vec<Problem>> {
    let facts = read(project)?;
    let mut problems = facts.problems;
    let mut seen = BTreeMap::new();
    for (path, rows) in &facts.pages {
        for fact in rows {
            let about = |what: &str, remedy: &str| {
                Problem::in_file(path, format!("`{}` {what}", fact.id), remedy).at(fact.line)
            };
            if seen.insert(fact.id.as_str(), path).is_some() {
                problems.push(about("is the id of two facts", "give one another id"));
            }
            let proved = facts.proofs.contains_key(&fact.id);
            match (&fact.reason, proved) {
                (None, false) => problems.push(about(
                    "has neither a test nor a reason",
                    "name it in the `Proves:` line of a test, or say in its last column why no test can prove it",
                )),
                (Some(_), true) => problems.push(about(
                    "has a reason not to be tested, and a test",
                    "take the stale reason out",
                )),
                (None, true) | (Some(_), false) => {}
            }
        }
    }
    for proof in facts.proofs.values().flatten() {
        if !seen.contains_key(proof.id.as_str()) {
            problems.push(
                Problem::in_file(
                    &proof.path,
                    format!("`{}` is no fact", proof.id),
                    "name a fact of docs/upstreams, or add it there with its source",
                )
                .at(proof.line),
            );
        }
    }
    Ok(problems)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Sample;

    fn sample(rows: &str, ids: &str) -> Sample {
        let table = format!("{}\n|---|---|---|---|\n{rows}\n", table::HEADER);
        let test = format!(
            "//! Tests.\n{} {ids}\n#[test]\nfn it_holds() {{}}\n",
            proofs::MARK
        );
        Sample::new()
            .member("a", "")
            .file("docs/upstreams/x.md", &table)
            .file("crates/a/tests/t.rs", &test)
    }

    fn found(rows: &str, ids: &str) -> Vec<String> {
        let problems = rule(&sample(rows, ids).project()).unwrap();
        problems
            .iter()
            .map(|it| format!("{}:{} {}", it.path, it.line.unwrap_or(0), it.what))
            .collect()
    }

    const PROVED: &str = "| `x.a` | It is so. | S | |";

    #[test]
    fn a_complete_table_has_no_problem() {
        let reasoned = "| `x.b` | They say so. | H | no call of ours takes part |";
        assert_eq!(found(&format!("{PROVED}\n{reasoned}"), "x.a"), [""; 0]);
    }

    #[test]
    fn a_fact_without_test_and_reason_is_found() {
        let gap = "| `x.b` | It is so. | S | |";
        assert_eq!(
            found(&format!("{PROVED}\n{gap}"), "x.a"),
            ["docs/upstreams/x.md:4 `x.b` has neither a test nor a reason"]
        );
    }

    #[test]
    fn a_stale_reason_is_found() {
        let stale = "| `x.a` | It is so. | S | nobody can |";
        assert_eq!(
            found(stale, "x.a"),
            ["docs/upstreams/x.md:3 `x.a` has a reason not to be tested, and a test"]
        );
    }

    #[test]
    fn an_unknown_id_and_an_id_used_twice_are_found() {
        assert_eq!(
            found(PROVED, "x.a, x.z"),
            ["crates/a/tests/t.rs:2 `x.z` is no fact"]
        );
        assert_eq!(
            found(&format!("{PROVED}\n{PROVED}"), "x.a"),
            ["docs/upstreams/x.md:4 `x.a` is the id of two facts"]
        );
    }
}
