//! The name of a case: all that it takes to play it again.

use std::collections::BTreeSet;
use std::fmt;

use super::Case;
use crate::store::StoreKind;

/// What is simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Wanted {
    /// The store; `None`: each case draws its own.
    pub store: Option<StoreKind>,
    /// How many workers share it.
    pub workers: Workers,
}

/// How many workers share a store that several can share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Workers {
    /// One.
    One,
    /// Two, of which one takes over from the other now and then.
    #[default]
    Two,
}

impl Workers {
    /// That many.
    pub const fn new(number: u32) -> Option<Self> {
        match number {
            1 => Some(Self::One),
            2 => Some(Self::Two),
            _ => None,
        }
    }

    /// How many.
    pub const fn number(self) -> u32 {
        match self {
            Self::One => 1,
            Self::Two => 2,
        }
    }
}

/// A case by name: its seed, what was wanted, and which parts of it are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseId {
    /// The seed.
    pub seed: u64,
    /// What was wanted.
    pub wanted: Wanted,
    /// The parts, by their place; `None`: all.
    pub kept: Option<BTreeSet<usize>>,
}

/// Stands for a store in the name of a case that draws its own.
const EITHER: &str = "either";

/// Written as it is read by [`parse`](CaseId::parse): `SEED`, `:PART,PART,…` if some were left out, and
/// `@STORE/WORKERS` if not the usual was wanted.
impl fmt::Display for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.seed)?;
        if let Some(kept) = &self.kept {
            let parts: Vec<_> = kept.iter().map(ToString::to_string).collect();
            write!(f, ":{}", parts.join(","))?;
        }
        if self.wanted != Wanted::default() {
            let store = self.wanted.store.map_or(EITHER, StoreKind::as_str);
            write!(f, "@{store}/{}", self.wanted.workers.number())?;
        }
        Ok(())
    }
}

impl CaseId {
    /// Reads what [`Display`](fmt::Display) writes.
    ///
    /// # Errors
    ///
    /// [`CaseError::Form`].
    pub fn parse(text: &str) -> Result<Self, CaseError> {
        Self::read(text).ok_or(CaseError::Form)
    }

    fn read(text: &str) -> Option<Self> {
        let (text, wanted) = match text.split_once('@') {
            None => (text, Wanted::default()),
            Some((text, wanted)) => {
                let (store, workers) = wanted.split_once('/')?;
                let mut stores = StoreKind::ALL.into_iter();
                let store = match stores.find(|kind| kind.as_str() == store) {
                    None if store == EITHER => None,
                    found => Some(found?),
                };
                let workers = Workers::new(workers.parse().ok()?)?;
                (text, Wanted { store, workers })
            }
        };
        let (seed, kept) = match text.split_once(':') {
            None => (text, None),
            Some((seed, parts)) => {
                let parts = parts.split(',').filter(|part| !part.is_empty());
                let kept: Result<BTreeSet<usize>, _> = parts.map(str::parse).collect();
                (seed, Some(kept.ok()?))
            }
        };
        Some(Self {
            seed: seed.parse().ok()?,
            wanted,
            kept,
        })
    }

    /// Whether there is something in it to play.
    ///
    /// # Errors
    ///
    /// If it keeps a part that the case doesn't have, or no order.
    pub fn check(&self) -> Result<(), CaseError> {
        let case = Case::draw(self.clone());
        let parts = case.parts.len();
        let last = self.kept.as_ref().and_then(|kept| kept.last());
        match last.filter(|part| **part >= parts) {
            Some(part) => Err(CaseError::NoPart { part: *part, parts }),
            None if case.orders().next().is_none() => Err(CaseError::NoOrder),
            None => Ok(()),
        }
    }
}

/// Why a case can't be played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaseError {
    /// It names no case.
    Form,
    /// It keeps a part that there is none of.
    NoPart {
        /// The part.
        part: usize,
        /// How many there are.
        parts: usize,
    },
    /// It keeps no order.
    NoOrder,
}

impl std::error::Error for CaseError {}

impl fmt::Display for CaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form => f.write_str(
                "it names no case; write SEED, SEED:PART,PART,… or SEED@STORE/WORKERS as it was printed",
            ),
            Self::NoPart { part, parts } => {
                write!(f, "it keeps part {part}, and has {parts}, which count from 0")
            }
            Self::NoOrder => f.write_str("it keeps no order, and would show nothing"),
        }
    }
}
