//! Past 400 lines a file needs a reason, written in it as `// Long because: …`; past 600 the better
//! answer is to split it. Tests don't count, nor do files that are nothing but tests.

use crate::problem::Problem;
use crate::project::{Project, Result};
use crate::rust::{is_test_file, program_lines};

/// A file longer than this needs a reason.
const SMELL: usize = 400;
/// A file longer than this should be split.
const SPLIT: usize = 600;
/// How a reason begins, on a line of its own.
const REASON: &str = "// Long because: ";

pub(super) fn rule(project: &Project) -> Result<Vec<Problem>> {
    let mut problems = Vec::new();
    for path in project.files_of("rs").filter(|path| !is_test_file(path)) {
        let text = project.read(path)?;
        let length = program_lines(&text).into_iter().filter(|it| *it).count();
        if length <= SMELL || text.lines().any(is_reason) {
            continue;
        }
        let remedy = if length <= SPLIT {
            "split it, or say in it why not: `// Long because: …`"
        } else {
            "split it; only if that would make it worse, say why: `// Long because: …`"
        };
        problems.push(Problem::in_file(
            path,
            format!("{length} lines without tests"),
            remedy,
        ));
    }
    Ok(problems)
}

fn is_reason(line: &str) -> bool {
    line.trim()
        .strip_prefix(REASON)
        .is_some_and(|why| why.split_whitespace().count() > 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Sample;

    fn found(text: &str) -> Vec<String> {
        let sample = Sample::new()
            .member("a", "")
            .file("crates/a/src/long.rs", text)
            .file("crates/a/tests/long.rs", &"//\n".repeat(2_000));
        let problems = rule(&sample.project()).unwrap();
        problems
            .into_iter()
            .map(|problem| format!("{} {}", problem.path, problem.what))
            .collect()
    }

    #[test]
    fn a_long_file_is_found_unless_it_says_why() {
        assert_eq!(found(&"fn f() {}\n".repeat(400)), [""; 0]);
        let long = "fn f() {}\n".repeat(401);
        assert_eq!(
            found(&long),
            ["crates/a/src/long.rs 401 lines without tests"]
        );
        let reason = format!("{REASON}one table.\n{long}");
        assert_eq!(found(&reason), [""; 0]);
        let empty = format!("{REASON}\n{long}");
        assert_eq!(
            found(&empty),
            ["crates/a/src/long.rs 402 lines without tests"]
        );
    }

    #[test]
    fn tests_do_not_count_and_what_follows_them_does() {
        let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "    //\n".repeat(900));
        assert_eq!(found(&tests), [""; 0]);
        let hidden = format!("{tests}{}", "fn f() {}\n".repeat(700));
        assert_eq!(
            found(&hidden),
            ["crates/a/src/long.rs 700 lines without tests"]
        );
    }
}
