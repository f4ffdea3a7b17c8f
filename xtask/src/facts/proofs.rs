//! Finds the comment lines with which a test names the facts it proves.

use crate::problem::Problem;

/// How such a line begins. Put together from two, so that this file does not hold one.
pub(super) const MARK: &str = concat!("// Pro", "ves:");

/// A test that proves a fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Proof {
    /// The fact's id.
    pub(crate) id: String,
    /// The crate of the test.
    pub(crate) member: String,
    /// The file, from the root.
    pub(crate) path: String,
    /// The test's `fn`.
    pub(crate) test: String,
    /// The line that names the fact, counted from 1.
    pub(crate) line: usize,
}

/// Every proof that a file holds, and the lines that name a fact to no effect.
pub(super) fn scan(member: &str, path: &str, text: &str) -> (Vec<Proof>, Vec<Problem>) {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let mut proofs = Vec::new();
    let mut problems = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        if !is_mark(line) {
            continue;
        }
        match proved_by(&lines, at) {
            Ok((facts, function)) => proofs.extend(facts.into_iter().map(|fact| Proof {
                id: fact.to_owned(),
                member: member.to_owned(),
                path: path.to_owned(),
                test: function.to_owned(),
                line: at + 1,
            })),
            Err((what, remedy)) => {
                problems.push(Problem::in_file(path, what, remedy).at(at + 1));
            }
        }
    }
    (proofs, problems)
}

/// Also a line that is meant to be one and would be overlooked: another case, a doc comment.
fn is_mark(line: &str) -> bool {
    let comment = line.strip_prefix("//");
    comment
        .map(|text| text.trim_start_matches(['/', '!', ' ']).to_lowercase())
        .is_some_and(|text| text.starts_with("proves:"))
}

type Trouble = (&'static str, &'static str);

fn proved_by<'a>(lines: &[&'a str], at: usize) -> Result<(Vec<&'a str>, &'a str), Trouble> {
    let ids = lines
        .get(at)
        .and_then(|line| line.strip_prefix(MARK)?.strip_prefix(' '))
        .ok_or((
            "the line is not of the form that is looked for",
            "write two slashes, a space, `Proves:`, a space, and ids with commas between",
        ))?;
    let ids: Vec<&str> = ids.split(',').map(str::trim).collect();
    if ids.iter().any(|id| id.is_empty() || id.contains(' ')) {
        return Err((
            "the ids can't be read",
            "put a comma and a space between ids, and nothing else on the line",
        ));
    }
    let function = function_below(lines, at).ok_or((
        "no `fn` follows the line",
        "put it directly above a test, or between its attributes and its `fn`",
    ))?;
    let name = lines
        .get(function)
        .and_then(|line| name(line))
        .unwrap_or_default();
    if !is_test(lines, function) {
        return Err((
            "the `fn` below is no test",
            "put the line above a function with `#[test]` or `#[tokio::test]`",
        ));
    }
    Ok((ids, name))
}

/// The first line below that is neither a comment nor part of an attribute, if it begins a function.
fn function_below(lines: &[&str], at: usize) -> Option<usize> {
    let mut open = 0_i32;
    for (number, line) in lines.iter().enumerate().skip(at + 1) {
        if open == 0 && line.starts_with("//") {
            continue;
        }
        if open > 0 || line.starts_with("#[") {
            open += brackets(line);
            continue;
        }
        return name(line).map(|_| number);
    }
    None
}

/// Whether an attribute above the function makes it a test.
fn is_test(lines: &[&str], function: usize) -> bool {
    lines
        .iter()
        .take(function)
        .rev()
        // The item before ends with a brace or a semicolon, and so does what opens the module.
        .take_while(|line| !line.is_empty() && !line.ends_with(['{', '}', ';']))
        .filter_map(|line| line.strip_prefix("#["))
        .any(|attribute| {
            let path = attribute.split(['(', ']', ' ']).next().unwrap_or_default();
            path.rsplit("::").next() == Some("test")
        })
}

fn name(line: &str) -> Option<&str> {
    let words = ["pub ", "pub(crate) ", "const ", "async "];
    let mut rest = line;
    while let Some(shorter) = words.iter().find_map(|word| rest.strip_prefix(word)) {
        rest = shorter;
    }
    let rest = rest.strip_prefix("fn ")?;
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_')?;
    rest.get(..end).filter(|name| !name.is_empty())
}

fn brackets(line: &str) -> i32 {
    line.chars().fold(0, |open, c| match c {
        '[' => open + 1,
        ']' => open - 1,
        _ => open,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<String>, Vec<String>) {
        let text = text.replace('@', MARK);
        let (proofs, problems) = scan("a", "crates/a/tests/t.rs", &text);
        (
            proofs
                .iter()
                .map(|it| format!("{} {}", it.id, it.test))
                .collect(),
            problems.into_iter().map(|it| it.what).collect(),
        )
    }

    #[test]
    fn every_place_of_the_line_and_every_kind_of_test_is_read() {
        for text in [
            "@ x.a\n#[test]\nfn t() {}",
            "#[test]\n@ x.a\nfn t() {}",
            "/// Doc.\n@ x.a\n// Why.\n#[tokio::test(start_paused = true)]\nasync fn t() {",
            "@ x.a\n#[cfg_attr(\n    a,\n    b[1]\n)]\n#[test]\nfn t() {}",
            "proptest! {\n    @ x.a\n    #[test]\n    fn t(x in 0..9) {",
        ] {
            assert_eq!(read(text), (vec!["x.a t".to_owned()], vec![]), "{text}");
        }
        let two = "@ x.a, x.b\n@ x.c\n#[test]\nfn t() {}";
        assert_eq!(read(two).0, ["x.a t", "x.b t", "x.c t"]);
    }

    #[test]
    fn a_line_without_a_test_is_a_problem() {
        for (text, expected) in [
            ("@ x.a", "no `fn` follows the line"),
            ("@ x.a\n\n#[test]\nfn t() {}", "no `fn` follows the line"),
            ("@ x.a\nstruct S;", "no `fn` follows the line"),
            ("@ x.a\nfn helper() {}", "the `fn` below is no test"),
            (
                "#[test]\nfn t() {}\n@ x.a\nfn helper() {}",
                "the `fn` below is no test",
            ),
            (
                "@ x.a\n#[cfg(test)]\nfn t() {}",
                "the `fn` below is no test",
            ),
            (
                "@\n#[test]\nfn t() {}",
                "the line is not of the form that is looked for",
            ),
            ("@ x.a x.b\n#[test]\nfn t() {}", "the ids can't be read"),
            ("@ x.a,\n#[test]\nfn t() {}", "the ids can't be read"),
        ] {
            assert_eq!(read(text), (vec![], vec![expected.to_owned()]), "{text}");
        }
    }

    #[test]
    fn a_line_that_would_be_overlooked_is_a_problem() {
        for mark in ["//Proves:", "/// Proves:", "// proves:", "//  PROVES:"] {
            let text = format!("{mark} x.a\n#[test]\nfn t() {{}}");
            let (proofs, problems) = scan("a", "t.rs", &text);
            assert_eq!((proofs.len(), problems.len()), (0, 1), "{mark}");
        }
    }
}
