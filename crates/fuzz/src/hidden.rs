//! What must not be shown: secrets, and whole accounts.

use std::fmt::Debug;

use recharge_core::{Account, Answer, CallError};

/// Words that no output may hold.
#[derive(Debug)]
pub struct Hidden(Vec<String>);

impl Hidden {
    /// These secrets.
    pub fn new(secrets: &[&str]) -> Self {
        Self(secrets.iter().map(|secret| (*secret).to_owned()).collect())
    }

    /// The same, and that account with and without its dash.
    #[must_use]
    pub fn and(&self, account: &Account) -> Self {
        let mut words = self.0.clone();
        words.push(account.as_str().to_owned());
        if account.as_str().contains('-') {
            words.push(account.as_str().replace('-', ""));
        }
        Self(words)
    }

    /// Holds a text against the words. What is wrong with it is told without it.
    ///
    /// # Panics
    ///
    /// If it holds one.
    pub fn keeps(&self, what: &str, text: &str) {
        for (at, word) in self.0.iter().enumerate() {
            assert!(
                !text.contains(word.as_str()),
                "{what} shows hidden word {at}"
            );
        }
    }

    /// Holds an answer against the words, and against its limit.
    ///
    /// # Panics
    ///
    /// If it holds one, or is too long.
    pub fn keeps_in(&self, answer: &Answer) {
        for (what, text) in [
            ("the code", &answer.code),
            ("the message", &answer.message),
            ("the raw answer", &answer.raw),
        ] {
            self.keeps(what, text);
            bounded(what, text, Answer::RAW_LIMIT);
        }
        assert!(
            !shows_mobile(&answer.message),
            "the message shows a mobile number"
        );
    }

    /// Holds what is not known, and the answer that leaves it so, against the words. `most`: how long the input
    /// may have made it.
    ///
    /// # Panics
    ///
    /// If it holds one, or is too long.
    pub fn keeps_in_doubt(&self, what: &str, detail: &str, answer: Option<&Answer>, most: usize) {
        self.keeps(what, detail);
        bounded(what, detail, DETAIL + most * 3);
        if let Some(answer) = answer {
            self.keeps_in(answer);
        }
    }

    /// Holds an error against the words.
    ///
    /// # Panics
    ///
    /// If it holds one, or is too long.
    pub fn keeps_in_error(&self, error: &CallError) {
        self.keeps("the detail", &error.detail);
        bounded("the detail", &error.detail, DETAIL);
        if let Some(answer) = &error.answer {
            self.keeps_in(answer);
        }
    }
}

/// Whether a run of digits is a mobile number, whoever's.
fn shows_mobile(text: &str) -> bool {
    let mut runs = text.split(|c: char| !c.is_ascii_digit());
    runs.any(|run| run.len() == 11 && run.starts_with('1'))
}

/// How long a detail may be: it may name the code and the message of an answer, and some words.
pub const DETAIL: usize = 2 * Answer::RAW_LIMIT + 512;

/// A text of at most so many characters.
///
/// # Panics
///
/// If it is longer.
pub fn bounded(what: &str, text: &str, most: usize) {
    assert!(
        text.len() <= most || text.chars().count() <= most,
        "{what} is too long"
    );
}

/// Whether an input is to be read twice: not all are, for that would halve the tries.
pub fn twice(data: &[u8]) -> bool {
    data.len() % 16 == 3
}

/// Two readings of one input.
///
/// # Panics
///
/// If they differ.
pub fn same<T: PartialEq + Debug>(one: &T, other: &T) {
    assert!(one == other, "the same input was read in two ways");
}
