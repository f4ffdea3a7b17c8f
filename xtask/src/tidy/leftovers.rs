//! Nothing is ignored or left open, and nothing names a path of the machine it was written on.

use std::fs;
use std::path::Path;

use crate::problem::Problem;
use crate::project::{Project, Result};

/// What must not occur, in which files, and what to do. Each text is put together from two, so that this
/// file does not hold what it looks for.
const LEFTOVERS: &[(&str, Where, &str)] = &[
    (
        concat!("#[ign", "ore"),
        Where::Rust,
        "mend the test, or take it out",
    ),
    (
        concat!(", ign", "ore)]"),
        Where::Rust,
        "mend the test, or take it out",
    ),
    (
        concat!("```ign", "ore"),
        Where::Rust,
        "make the example compile (`no_run`, `compile_fail` and `text` exist)",
    ),
    (
        concat!("```rust,ign", "ore"),
        Where::Rust,
        "make the example compile (`no_run`, `compile_fail` and `text` exist)",
    ),
    (concat!("to", "do!("), Where::Rust, "write what is missing"),
    (
        concat!("unimpl", "emented!("),
        Where::Rust,
        "write what is missing",
    ),
    (
        concat!("FIX", "ME"),
        Where::Text,
        "mend it, or say in a sentence what does not work",
    ),
    (
        concat!("XX", "X:"),
        Where::Text,
        "mend it, or say in a sentence what does not work",
    ),
    (
        concat!("/wo", "rk/"),
        Where::Text,
        "name the file from the root of the project",
    ),
    (
        concat!("/fa", "rm/"),
        Where::Text,
        "name the file from the root of the project",
    ),
    (
        concat!("/ro", "ot/"),
        Where::Text,
        "name the file from the root of the project",
    ),
    (
        concat!("/t", "mp/"),
        Where::Text,
        "use a temporary folder of the run's own",
    ),
];

/// In which files a leftover is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Where {
    /// Rust source.
    Rust,
    /// Everything that people write, `Cargo.lock` aside.
    Text,
}

pub(super) fn rule(project: &Project) -> Result<Vec<Problem>> {
    let mut problems = Vec::new();
    for path in project.files.iter().filter(|path| *path != "Cargo.lock") {
        // What is not text holds no leftovers.
        let Ok(text) = String::from_utf8(fs::read(project.root.join(path))?) else {
            continue;
        };
        let rust = Path::new(path).extension().is_some_and(|it| it == "rs");
        for (number, line) in (1..).zip(text.lines()) {
            for (what, place, remedy) in LEFTOVERS {
                if line.contains(what) && (rust || *place == Where::Text) {
                    problems.push(
                        Problem::in_file(path, format!("`{what}` was left here"), *remedy)
                            .at(number),
                    );
                }
            }
        }
    }
    Ok(problems)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Sample;

    #[test]
    fn each_leftover_is_found_where_it_may_occur() {
        for (what, place, _) in LEFTOVERS {
            let text = format!("//! A file.\n// {what}\n");
            let sample = Sample::new()
                .member("a", "")
                .file("crates/a/src/left.rs", &text)
                .file("docs/left.md", &text);
            let problems = rule(&sample.project()).unwrap();
            let places: Vec<_> = problems
                .iter()
                .map(|it| (it.path.as_str(), it.line))
                .collect();
            let in_rust = ("crates/a/src/left.rs", Some(2));
            let in_docs = ("docs/left.md", Some(2));
            match place {
                Where::Rust => assert_eq!(places, [in_rust], "{what}"),
                Where::Text => assert_eq!(places, [in_rust, in_docs], "{what}"),
            }
        }
    }
}
