//! The invariants of the lifecycle, and what is found to break one.

use std::fmt;
use std::str::FromStr;

/// An invariant of the lifecycle, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Invariant(u8);

/// What each says, from the first.
const SAYS: [&str; 15] = [
    "an order is charged once, and once more for each send that two people allowed",
    "at most one attempt is not negative, unless two people allowed another",
    "no byte leaves without a durable intent that names it, nor after its deadline",
    "the bytes of a number are the same whenever it is sent",
    "an intent to send is carried out by the one worker that wrote it, once",
    "failed means not charged, and what says otherwise later reaches a person",
    "succeeded means that a query or a person said so",
    "a callback changes nothing but that a success is found sooner",
    "an acknowledged order survives",
    "the state is the fold of a log without gaps, moved along the table",
    "every order comes to an end or to a person, and none is without a next action",
    "merchants are told at least once, with rising versions",
    "the same seed gives the same trace",
    "no secret and no full account in any text",
    "questions are bounded",
];

impl Invariant {
    /// The invariant of that number, from 1 to 15.
    pub const fn new(number: u8) -> Option<Self> {
        match number {
            1..=15 => Some(Self(number)),
            _ => None,
        }
    }

    /// Its number in the lifecycle.
    pub const fn number(self) -> u8 {
        self.0
    }

    /// What it says.
    pub fn says(self) -> &'static str {
        let at = usize::from(self.0).saturating_sub(1);
        SAYS.get(at).copied().unwrap_or_default()
    }
}

impl FromStr for Invariant {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = text.parse().ok().and_then(Self::new);
        number.ok_or("the lifecycle numbers its invariants from 1 to 15")
    }
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invariant {}: {}", self.0, self.says())
    }
}

/// What was found to be untrue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which invariant.
    pub invariant: Invariant,
    /// In words.
    pub what: String,
}

impl Violation {
    /// Of the invariant of that number, which stands in the code of a judge.
    ///
    /// # Panics
    ///
    /// If there is none of that number.
    pub(crate) fn of(invariant: u8, what: impl Into<String>) -> Self {
        let Some(invariant) = Invariant::new(invariant) else {
            unreachable!("the lifecycle has no invariant {invariant}")
        };
        let what = what.into();
        Self { invariant, what }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_fifteen() {
        let known = (0..=u8::MAX).filter_map(Invariant::new);
        assert_eq!(
            known.map(Invariant::number).collect::<Vec<_>>(),
            (1..=15).collect::<Vec<_>>()
        );
        assert_eq!("15".parse(), Ok(Invariant(15)));
        for text in ["0", "16", "99", "", "x", "256"] {
            assert!(text.parse::<Invariant>().is_err(), "{text}");
        }
        assert_eq!(
            Invariant(15).to_string(),
            "invariant 15: questions are bounded"
        );
    }
}
