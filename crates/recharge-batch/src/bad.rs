//! What is wrong with a file of orders, line by line.

use std::fmt;

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
    /// What is wrong with a line, or with a column of it.
    pub fn new(line: u64, column: Option<&'static str>, text: impl Into<String>) -> Self {
        Self {
            line: Some(line),
            column,
            text: text.into(),
        }
    }

    pub(crate) fn of_file(text: impl Into<String>) -> Self {
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
