//! What can go wrong with the file, and what SQLite's errors mean to the engine.

use std::io;
use std::path::{Path, PathBuf};

use recharge_engine::StoreError;
use rusqlite::ErrorCode;

/// Why a file can't be opened, copied, restored or checked as the store. The texts name files, and
/// neither accounts nor secrets.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// It is in use.
    #[error(
        "{path} is in use by another process; stop that one first, or open the file for reading only"
    )]
    InUse {
        /// The database.
        path: PathBuf,
    },
    /// It has more than one name.
    #[error(
        "{path} has another name too, a hard link, by which another process could use it unseen; remove one of them, or make a copy with a backup"
    )]
    Linked {
        /// The database.
        path: PathBuf,
    },
    /// It isn't there.
    #[error("{path} is not there")]
    Missing {
        /// The database.
        path: PathBuf,
    },
    /// It is something else.
    #[error("{path} is not a store of Recharge; it has been left as it was")]
    NotOurs {
        /// The file.
        path: PathBuf,
    },
    /// A newer program has written it.
    #[error(
        "{path} was written by a newer program (format {found}, this program knows {known}); use the newer one"
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// The format of the file.
        found: u32,
        /// The newest format that is known here.
        known: u32,
    },
    /// It must be brought up to date, and is open for reading only.
    #[error(
        "{path} was written by an older program (format {found}, this program knows {known}); open it for writing once"
    )]
    Older {
        /// The database.
        path: PathBuf,
        /// The format of the file.
        found: u32,
        /// The format that is known here.
        known: u32,
    },
    /// What keeps data safe can't be set.
    #[error("{path}: {setting} is {found:?} and must be {wanted:?}, or orders could be lost")]
    Setting {
        /// The database.
        path: PathBuf,
        /// The setting.
        setting: &'static str,
        /// As it reads back.
        found: String,
        /// As it must be.
        wanted: &'static str,
    },
    /// The SQLite that is linked has a known defect.
    #[error("SQLite {found} can damage files; 3.51.3 or later is needed")]
    Library {
        /// Its version.
        found: &'static str,
    },
    /// It can't be what was written.
    #[error("{path} is damaged: {detail}")]
    Damaged {
        /// The database.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// Nothing is overwritten.
    #[error("{path} exists already; it has been left as it was")]
    Exists {
        /// What would have been overwritten.
        path: PathBuf,
    },
    /// The operating system said no.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// SQLite said no.
    #[error("{path}: {source}")]
    Sqlite {
        /// The database.
        path: PathBuf,
        /// What it said.
        source: rusqlite::Error,
    },
}

impl OpenError {
    pub(super) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }

    pub(crate) fn sqlite(path: &Path) -> impl FnOnce(rusqlite::Error) -> Self {
        let path = path.to_owned();
        move |source| match source.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::NotOurs { path },
            Some(ErrorCode::DatabaseCorrupt) => {
                let detail = source.to_string();
                Self::Damaged { path, detail }
            }
            _ => Self::Sqlite { path, source },
        }
    }
}

/// What an error of SQLite's means when nothing has been written.
#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
pub(crate) fn unwritten(error: rusqlite::Error) -> StoreError {
    use rusqlite::Error::{
        FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType, QueryReturnedNoRows,
    };
    match &error {
        FromSqlConversionFailure(..)
        | IntegralValueOutOfRange(..)
        | InvalidColumnType(..)
        | QueryReturnedNoRows => StoreError::Damaged(error.to_string()),
        _ if is_damage(&error) => StoreError::Damaged(error.to_string()),
        _ if can_not_be_stored(&error) => StoreError::Refused(error.to_string()),
        _ => StoreError::Unavailable(error.to_string()),
    }
}

fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    )
}

/// Whether an error is about one request, so that its neighbours may fare better without it.
pub(super) fn is_of_one_request(error: &rusqlite::Error) -> bool {
    match error.sqlite_error_code() {
        None => true,
        Some(_) => can_not_be_stored(error),
    }
}

fn can_not_be_stored(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch | ErrorCode::TooBig)
    )
}
