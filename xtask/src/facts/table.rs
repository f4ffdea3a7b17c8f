//! Reads the fact tables of `docs/upstreams/*.md`.

use crate::problem::Problem;

/// The head of a fact table. Other tables of a page are not looked at.
pub(super) const HEADER: &str = "| id | fact | confidence | not tested because |";

/// The letters of confidence; `–` stands for a rule of our own, or what follows from other rows.
const CONFIDENCE: &[&str] = &["S", "H", "M", "L", "–"];

/// One row of a fact table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fact {
    /// Dotted, beginning with the upstream's name.
    pub(crate) id: String,
    /// The fact, as Markdown.
    pub(crate) text: String,
    /// One or more letters.
    pub(crate) confidence: String,
    /// Why no test of ours can prove it.
    pub(crate) reason: Option<String>,
    /// The row's line, counted from 1.
    pub(crate) line: usize,
}

/// The facts of a page, and the rows that can't be read.
pub(super) fn parse(path: &str, text: &str) -> (Vec<Fact>, Vec<Problem>) {
    let mut facts = Vec::new();
    let mut problems = Vec::new();
    let mut inside = false;
    for (line, row) in (1..).zip(text.lines()) {
        if !row.starts_with('|') {
            inside = false;
        } else if same_cells(row, HEADER) {
            inside = true;
        } else if inside && !row.starts_with("|---") && !row.starts_with("| ---") {
            match fact(path, row, line) {
                Ok(fact) => facts.push(fact),
                Err((what, remedy)) => {
                    problems.push(Problem::in_file(path, what, remedy).at(line));
                }
            }
        }
    }
    if facts.is_empty() {
        problems.push(Problem::in_file(
            path,
            "the page has no fact",
            format!("write a table with the head `{HEADER}`"),
        ));
    }
    (facts, problems)
}

fn fact(path: &str, row: &str, line: usize) -> Result<Fact, (String, String)> {
    let cells = cells(row);
    let [id, text, confidence, reason] = cells.as_slice() else {
        return Err((
            format!("the row has {} cells", cells.len()),
            "give it four; write `\\|` for a bar within a cell".to_owned(),
        ));
    };
    let id = id
        .strip_prefix('`')
        .and_then(|id| id.strip_suffix('`'))
        .ok_or_else(|| {
            (
                format!("{id} is no id"),
                "write the id between back-ticks".to_owned(),
            )
        })?;
    let upstream = path
        .rsplit('/')
        .next()
        .and_then(|it| it.strip_suffix(".md"));
    let form = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let parts: Vec<&str> = id.split('.').collect();
    let formed = parts
        .iter()
        .all(|part| !part.is_empty() && part.chars().all(form));
    if !formed || parts.len() < 2 || parts.first().copied() != upstream {
        return Err((
            format!("`{id}` is no id"),
            format!(
                "write small letters, digits and dashes, in parts with dots between, the first `{}`",
                upstream.unwrap_or_default()
            ),
        ));
    }
    if text.is_empty() {
        return Err((format!("`{id}` says nothing"), "write the fact".to_owned()));
    }
    if !confidence.split(", ").all(|one| CONFIDENCE.contains(&one)) {
        return Err((
            format!("`{confidence}` is no confidence"),
            format!("write one of {}", CONFIDENCE.join(" ")),
        ));
    }
    Ok(Fact {
        id: id.to_owned(),
        text: text.clone(),
        confidence: confidence.clone(),
        reason: (!reason.is_empty()).then(|| reason.clone()),
        line,
    })
}

fn same_cells(a: &str, b: &str) -> bool {
    cells(a) == cells(b)
}

/// A row's cells. A bar after a backslash is part of its cell.
fn cells(row: &str) -> Vec<String> {
    let inner = row.trim().trim_start_matches('|');
    let mut cells = vec![String::new()];
    let mut escaped = false;
    for c in inner.chars() {
        if c == '|' && !escaped {
            cells.push(String::new());
        } else if let Some(cell) = cells.last_mut() {
            cell.push(c);
        }
        escaped = c == '\\' && !escaped;
    }
    // What follows the closing bar is no cell.
    if cells.last().is_some_and(|last| last.trim().is_empty()) {
        cells.pop();
    }
    cells
        .into_iter()
        .map(|cell| cell.trim().to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(rows: &str) -> (Vec<Fact>, Vec<String>) {
        let text = format!("# Title\n\n{HEADER}\n|---|---|---|---|\n{rows}\n");
        let (facts, problems) = parse("docs/upstreams/x.md", &text);
        (facts, problems.into_iter().map(|it| it.what).collect())
    }

    #[test]
    fn a_row_is_read_with_its_line_and_reason() {
        let (facts, problems) = read("| `x.a-1.b` | One `a\\|b`. | S, M | told only |");
        assert_eq!(problems, [""; 0]);
        assert_eq!(
            facts,
            [Fact {
                id: "x.a-1.b".to_owned(),
                text: "One `a\\|b`.".to_owned(),
                confidence: "S, M".to_owned(),
                reason: Some("told only".to_owned()),
                line: 5,
            }]
        );
        let (facts, _) = read("| `x.a` | One. | – | |");
        assert_eq!(facts.first().and_then(|fact| fact.reason.clone()), None);
    }

    #[test]
    fn a_row_that_can_not_be_read_is_a_problem_and_not_skipped() {
        for (row, expected) in [
            ("| `x.a` | Three cells. | S |", "the row has 3 cells"),
            ("| `x.a` | a | b | S | |", "the row has 5 cells"),
            ("| x.a | No ticks. | S | |", "x.a is no id"),
            ("| `y.a` | Another page's. | S | |", "`y.a` is no id"),
            ("| `x` | Not dotted. | S | |", "`x` is no id"),
            ("| `x.A` | Capital. | S | |", "`x.A` is no id"),
            ("| `x.a` | | S | |", "`x.a` says nothing"),
            ("| `x.a` | Sure. | Z | |", "`Z` is no confidence"),
        ] {
            let (_, problems) = read(row);
            assert_eq!(
                problems.first().map(String::as_str),
                Some(expected),
                "{row}"
            );
        }
    }

    #[test]
    fn other_tables_are_not_looked_at_and_a_page_without_facts_is_a_problem() {
        let (facts, problems) = parse("docs/upstreams/x.md", "| a | b |\n|---|---|\n| 1 | 2 |");
        assert_eq!(facts, []);
        assert_eq!(problems.len(), 1);
    }
}
