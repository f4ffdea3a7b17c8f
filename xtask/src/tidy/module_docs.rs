//! Every Rust file begins by saying what it is: a `//!` text, or a page that it includes as one.

use crate::problem::Problem;
use crate::project::{Project, Result};

pub(super) fn rule(project: &Project) -> Result<Vec<Problem>> {
    let mut problems = Vec::new();
    for path in project.files_of("rs") {
        if !says_what_it_is(&project.read(path)?) {
            problems.push(Problem::in_file(
                path,
                "the file does not say what it is",
                "begin it with a `//!` text of a sentence or two",
            ));
        }
    }
    Ok(problems)
}

fn says_what_it_is(text: &str) -> bool {
    let is_doc = |line: &str| {
        line.strip_prefix("//!")
            .is_some_and(|text| !text.trim().is_empty())
            || line.starts_with("#![doc")
    };
    text.lines()
        .map(str::trim)
        // Attributes and plain comments may stand above; the first item ends the search.
        .take_while(|line| line.is_empty() || line.starts_with("//") || line.starts_with("#!["))
        .any(is_doc)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Sample;

    #[test]
    fn a_file_without_a_text_is_found_in_src_and_in_tests() {
        let sample = Sample::new()
            .member("a", "")
            .file(
                "crates/a/src/bare.rs",
                "/// Not the file's.\nfn f() {}\n//! Too late.",
            )
            .file("crates/a/tests/bare.rs", "//!\nfn f() {}")
            .file("crates/a/src/told.rs", "#![no_std]\n// Why.\n//! A module.")
            .file(
                "crates/a/src/page.rs",
                "#![doc = include_str!(\"page.md\")]",
            );
        let problems = rule(&sample.project()).unwrap();
        let paths: Vec<_> = problems.iter().map(|it| it.path.as_str()).collect();
        assert_eq!(paths, ["crates/a/src/bare.rs", "crates/a/tests/bare.rs"]);
    }
}
