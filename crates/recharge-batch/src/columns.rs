//! The header: which column stands where.

use csv::StringRecord;

use super::bad::BadLine;
use crate::nearest;

/// The columns that every file has.
pub const REQUIRED: [&str; 4] = ["order_id", "kind", "account", "amount"];

/// The columns that a file may have.
pub const OPTIONAL: [&str; 3] = ["carrier", "allow_duplicate", "provider"];

/// Where each column stands.
pub(super) struct Columns {
    names: Vec<&'static str>,
}

impl Columns {
    /// Reads the header.
    pub(super) fn read(line: u64, header: &StringRecord) -> Result<Self, Vec<BadLine>> {
        let known = || REQUIRED.into_iter().chain(OPTIONAL);
        let same = |name: &str, column: &str| name.trim().eq_ignore_ascii_case(column);
        if !header
            .iter()
            .any(|name| known().any(|known| same(name, known)))
        {
            let other = header
                .iter()
                .any(|name| name.contains([';', '\t', '，', '；']));
            let text = if header.len() == 1 && other {
                "the values are not separated by commas: save the file as \"CSV UTF-8 (comma delimited)\"".to_owned()
            } else {
                format!(
                    "the first line names no column: write {}",
                    REQUIRED.join(",")
                )
            };
            return Err(vec![BadLine::new(line, None, text)]);
        }
        let (mut names, mut bad) = (Vec::new(), Vec::new());
        for (place, name) in (1..).zip(header.iter()) {
            let Some(column) = known().find(|column| same(name, column)) else {
                bad.push(BadLine::new(line, None, unknown(place, name)));
                continue;
            };
            if names.contains(&column) {
                let text = "the column stands there twice: keep one of them";
                bad.push(BadLine::new(line, Some(column), text));
            }
            names.push(column);
        }
        let missing: Vec<&str> = REQUIRED
            .into_iter()
            .filter(|name| !names.contains(name))
            .collect();
        if !missing.is_empty() {
            let text = format!("the header lacks {}", missing.join(", "));
            bad.push(BadLine::new(line, None, text));
        }
        if bad.is_empty() {
            Ok(Self { names })
        } else {
            Err(bad)
        }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.names.len()
    }

    /// A value without the spaces around it; empty where there is none.
    pub(super) fn value<'a>(&self, record: &'a StringRecord, column: &str) -> &'a str {
        let at = self.names.iter().position(|name| *name == column);
        at.and_then(|at| record.get(at)).unwrap_or_default().trim()
    }
}

/// A column that there is not. Its name is shown only where it can't be a value.
fn unknown(place: usize, name: &str) -> String {
    let name = name.trim();
    if name.is_empty() {
        return format!(
            "column {place} has no name: take it out, or the commas at the end of the lines"
        );
    }
    // Looked at only so far: a damaged file may be one line of many megabytes, and comparing it letter by
    // letter would take all the memory there is.
    let shown =
        name.chars().nth(32).is_none() && name.chars().all(|c| c.is_alphabetic() || c == '_');
    if shown {
        let nearest = nearest(name, REQUIRED.into_iter().chain(OPTIONAL));
        format!("there is no column {name}; did you mean {nearest}? Take out what is not needed")
    } else {
        format!("column {place} has a name that no column has: take it out")
    }
}
