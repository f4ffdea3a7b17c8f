//! Invariants that are absences: what a crate must not depend on, and what its code must not say.

use crate::problem::Problem;
use crate::project::{Project, Result};
use crate::rust::{code_lines, is_test_file};

/// A crate's code must not depend on these.
const DEPENDENCIES: &[(&str, &[&str], &str)] = &[
    (
        "recharge-core",
        &[
            "serde",
            "serde_json",
            "tokio",
            "http",
            "hyper",
            "reqwest",
            "rand",
            "chrono",
            "jiff",
        ],
        "core has no I/O, no async runtime, and no serde on domain types: wire types live at the edge",
    ),
    (
        "recharge-sign",
        &[
            "http",
            "bytes",
            "tokio",
            "serde",
            "serde_json",
            "rand",
            "chrono",
            "jiff",
        ],
        "sign knows no HTTP, no clock and no random numbers",
    ),
    (
        "recharge-juhe",
        &["tokio", "hyper", "hyper-util", "reqwest"],
        "an adapter sends through the Transport it is given",
    ),
    (
        "recharge-jisu",
        &["tokio", "hyper", "hyper-util", "reqwest"],
        "an adapter sends through the Transport it is given",
    ),
    (
        "recharge-engine",
        &["http", "hyper", "reqwest"],
        "the lifecycle knows providers, not HTTP",
    ),
];

/// Words that the code under a path must not hold.
const WORDS: &[(&str, &[&str], &str)] = &[
    (
        "crates/recharge-core/src/",
        &[
            "SystemTime::now",
            "Instant::now",
            "std::fs",
            "std::net",
            "std::env",
        ],
        "core does no I/O; time comes in as a parameter",
    ),
    (
        "crates/recharge-sign/src/",
        &["SystemTime", "Instant", "std::"],
        "sign is no_std; time comes in as a parameter",
    ),
    (
        "crates/recharge-engine/src/step",
        &[
            "SystemTime::now",
            "Instant::now",
            ".await",
            "async fn",
            "std::fs",
            "std::net",
            "rand::",
        ],
        "the step function is pure: clock and randomness come in with the input",
    ),
    ("crates/recharge-core/src/", FLOATS, MONEY),
    ("crates/recharge-sign/src/", FLOATS, MONEY),
    ("crates/recharge-juhe/src/", FLOATS, MONEY),
    ("crates/recharge-jisu/src/", FLOATS, MONEY),
    ("crates/recharge-engine/src/", FLOATS, MONEY),
];

const FLOATS: &[&str] = &["f32", "f64"];
const MONEY: &str =
    "money is an integer number of thousandths, parsed from text and never through a float";

pub(super) fn rule(project: &Project) -> Result<Vec<Problem>> {
    let mut problems = Vec::new();
    for (name, absent, why) in DEPENDENCIES {
        let member = project.members.iter().find(|it| it.name == *name);
        for foreign in member.iter().flat_map(|member| &member.foreign) {
            if absent.contains(&foreign.as_str()) {
                problems.push(Problem::in_file(
                    format!("crates/{name}/Cargo.toml"),
                    format!("{name} depends on {foreign}"),
                    *why,
                ));
            }
        }
    }
    for path in project.files_of("rs").filter(|path| !is_test_file(path)) {
        problems.extend(words(path, &project.read(path)?));
    }
    Ok(problems)
}

fn words(path: &str, text: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (_, absent, why) in WORDS.iter().filter(|(prefix, ..)| path.starts_with(prefix)) {
        for (number, line) in code_lines(text) {
            // serde hands a visitor what the text holds; one that drops a float computes with none.
            let line = line.replace("(self, _: f64)", "");
            for word in absent.iter().filter(|word| has_word(&line, word)) {
                let what = format!("`{word}` is used here");
                problems.push(Problem::in_file(path, what, *why).at(number));
            }
        }
    }
    problems
}

/// Whether a line holds a text that no longer word contains.
fn has_word(line: &str, word: &str) -> bool {
    let part_of_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        let after = line
            .get(at + word.len()..)
            .and_then(|text| text.chars().next());
        // A text that ends with `::` is followed by a word, and one that begins with `.` follows one.
        let open_before = word.starts_with(part_of_word);
        let open_after = word.ends_with(part_of_word);
        !(open_before && before.is_some_and(part_of_word)
            || open_after && after.is_some_and(part_of_word))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Sample;

    #[test]
    fn a_dependency_that_must_be_absent_is_found() {
        let found = |kind: &str| {
            let more = format!("[{kind}]\ntokio = \"1\"");
            let sample = Sample::new().member("recharge-core", &more);
            let problems = rule(&sample.project()).unwrap();
            problems.into_iter().map(|it| it.what).collect::<Vec<_>>()
        };
        assert_eq!(found("dependencies"), ["recharge-core depends on tokio"]);
        assert_eq!(found("dev-dependencies"), [""; 0]);
    }

    #[test]
    fn each_word_is_found_in_code_and_not_in_comments_or_tests() {
        for (prefix, absent, _) in WORDS {
            let path = format!("{prefix}/broken.rs");
            for word in *absent {
                let found: Vec<_> = words(&path, &format!("fn f() {{\n    a({word} b);\n}}"))
                    .into_iter()
                    .map(|problem| (problem.what, problem.line))
                    .collect();
                let expected = (format!("`{word}` is used here"), Some(2));
                assert!(found.contains(&expected), "{path} {word}: {found:?}");
                let comment = format!("// {word} is absent\n/// {word}\n");
                assert_eq!(words(&path, &comment), []);
                let test = format!("#[cfg(test)]\nmod tests {{\n    {word}\n}}\n");
                assert_eq!(words(&path, &test), []);
            }
        }
    }

    #[test]
    fn a_float_that_a_visitor_drops_is_no_money() {
        let found = |line| words("crates/recharge-juhe/src/wire.rs", line).len();
        assert_eq!(found("fn visit_f64<E>(self, _: f64) -> Result<()> {"), 0);
        assert_eq!(found("fn visit_f64<E>(self, v: f64) -> Result<()> {"), 1);
    }

    #[test]
    fn another_crate_may_hold_the_words() {
        assert_eq!(words("crates/recharge-cli/src/main.rs", "std::env f64"), []);
    }

    #[test]
    fn a_longer_word_is_another_word() {
        assert!(has_word("let a: f64 = 1.0;", "f64"));
        assert!(!has_word("let buf640 = 1;", "f64"));
        assert!(has_word("use std::fmt;", "std::"));
        assert!(has_word("call().await?", ".await"));
    }
}
