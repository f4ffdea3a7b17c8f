//! For tests: what becomes of the next commit.

use std::sync::{Mutex, PoisonError};

/// What becomes of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It fails before anything is written, and says so.
    Refused,
    /// It is lost, and nobody knows.
    Lost,
    /// It is durable, and nobody knows.
    Landed,
    /// The writer panics before it.
    Panic,
}

#[derive(Debug, Default)]
pub(super) struct Fates(Mutex<Option<Fate>>);

impl Fates {
    pub(super) fn set(&self, fate: Fate) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(fate);
    }

    pub(super) fn next(&self) -> Option<Fate> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

pub(super) fn disk_error() -> rusqlite::Error {
    let full = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_FULL);
    rusqlite::Error::SqliteFailure(full, Some("a test fills the disk".to_owned()))
}
