//! What is wrong with a file of orders, line by line.

use std::fmt::{self, Write as _};
use std::path::Path;

use crate::error::CliError;

/// How many bad lines are listed; of the others only the number is said.
const LISTED_AT_MOST: usize = 1_000;

/// What is wrong with a file. It repeats no value of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLine {
    /// The line, from 1; `None`: the file as a whole.
    pub line: Option<u64>,
    /// The column's name, where one value is wrong.
    pub column: Option<&'static str>,
    /// What is wrong, and what would be right.
    pub text: String,
}

impl BadLine {
    pub(super) fn new(line: u64, column: Option<&'static str>, text: impl Into<String>) -> Self {
        Self {
            line: Some(line),
            column,
            text: text.into(),
        }
    }

    pub(super) fn of_file(text: impl Into<String>) -> Self {
        Self {
            line: None,
            column: None,
            text: text.into(),
        }
    }
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, self.column) {
            (Some(line), Some(column)) => write!(f, "line {line}, {column}: {}", self.text),
            (Some(line), None) => write!(f, "line {line}: {}", self.text),
            (None, _) => f.write_str(&self.text),
        }
    }
}

/// The bad lines as one error, and that nothing was accepted by this run.
pub fn refused(file: &Path, bad: &[BadLine]) -> CliError {
    let mut text = format!("{}: this run has accepted no order of it", file.display());
    for line in bad.iter().take(LISTED_AT_MOST) {
        text.push('\n');
        text.push_str(&line.to_string());
    }
    if bad.len() > LISTED_AT_MOST {
        let more = bad.len() - LISTED_AT_MOST;
        // Writing to a String can't fail.
        let _ = write!(text, "\nand {more} more bad lines");
    }
    CliError::unusable(text)
}
