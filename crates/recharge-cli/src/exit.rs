//! What the exit status says. Scripts decide by it, so the numbers never change their meaning.

use std::fmt::Write as _;
use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[must_use = "the exit status is what scripts decide by"]
pub enum Exit {
    /// Done, and the answer is yes.
    Success,
    /// Done, and the answer is no.
    No,
    /// The command line or the input can't be used.
    Usage,
    /// The configuration is missing or wrong.
    Config,
    /// The upstream refused, by a code that proves that nothing was taken.
    Refused,
    /// Nobody knows whether the order was taken.
    Unknown,
    /// Not one byte of the order was sent.
    NotSent,
    /// The question was not answered.
    Unavailable,
    /// This machine is in the way.
    System,
}

impl Exit {
    /// Every end, by number.
    pub const ALL: [Self; 9] = [
        Self::Success,
        Self::No,
        Self::Usage,
        Self::Config,
        Self::Refused,
        Self::Unknown,
        Self::NotSent,
        Self::Unavailable,
        Self::System,
    ];

    /// The exit status.
    pub const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::No => 1,
            Self::Usage => 2,
            Self::Config => 3,
            Self::Refused => 4,
            Self::Unknown => 5,
            Self::NotSent => 6,
            Self::Unavailable => 7,
            Self::System => 8,
        }
    }

    /// The name in `--json`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::No => "no",
            Self::Usage => "usage",
            Self::Config => "configuration",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
            Self::NotSent => "not_sent",
            Self::Unavailable => "unavailable",
            Self::System => "system",
        }
    }

    /// What it means, for help and docs.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Success => "done, and the answer is yes",
            Self::No => {
                "the answer is no: not genuine, can't be charged, no such order, a bad verdict"
            }
            Self::Usage => "the command line or the input can't be used",
            Self::Config => "the configuration is missing or wrong",
            Self::Refused => "the upstream refused; after a submit: nothing was taken",
            Self::Unknown => "the order may have been taken: ask, never send again",
            Self::NotSent => "nothing was sent, and the order may be sent again",
            Self::Unavailable => "the question was not answered: ask again later",
            Self::System => "this machine is in the way: can't listen, read or write",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// The table of exit statuses, for the end of a help text.
pub(crate) fn help() -> String {
    let mut text = "Exit status:\n".to_owned();
    for exit in Exit::ALL {
        // Writing to a String can't fail.
        let _ = writeln!(text, "  {}  {}", exit.code(), exit.meaning());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_the_places_in_the_table() {
        for (place, exit) in Exit::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(exit.code()), place, "{exit:?}");
            assert!(help().contains(exit.meaning()));
        }
    }
}
