//! What a rule found, and where, and what to do about it.

use std::fmt;

/// One finding of one rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Problem {
    /// The file or folder, from the root of the workspace.
    pub(crate) path: String,
    /// The line, counted from 1; `None` where the finding is about the file itself.
    pub(crate) line: Option<usize>,
    /// What is wrong.
    pub(crate) what: String,
    /// What to do about it.
    pub(crate) remedy: String,
}

impl Problem {
    /// A finding about a whole file.
    pub(crate) fn in_file(
        path: impl Into<String>,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            path: path.into(),
            line: None,
            what: what.into(),
            remedy: remedy.into(),
        }
    }

    /// The same finding, at a line counted from 1.
    pub(crate) fn at(mut self, line: usize) -> Self {
        self.line = Some(line);
        self
    }
}

/// Where and what. The remedy is left to the caller, because many problems have the same.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.what)
    }
}
