//! [`Registry`]: who may use a gateway on a store, and the files of orders that were handed in to it.
//!
//! It is kept in the store's own file, so that a backup has all there is, and written through a connection
//! of its own: orders and keys never touch the same rows, and SQLite lets one writer wait for the other. So
//! keys can be made and revoked while a gateway runs on the file, which sees by the
//! [generation](Registry::generation) that something has changed.
//!
//! Every method blocks, for as long as a sync of the disk takes; none is called where many wait.

mod batches;
mod endpoints;
mod forget;
mod keys;

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use recharge_engine::StoreError;
use rusqlite::{Connection, Transaction, TransactionBehavior};

pub use self::batches::{BatchRow, BatchTally, NewBatch, Ordered, RowFate, StoredBatch};
pub use self::keys::{Endpoint, KeyKind, Scope, Scopes, StoredKey};

use crate::sqlite::{OpenError, Sqlite, connect_read_only, file, schema, unwritten};

/// How long a writer of orders is waited for.
const BUSY: Duration = Duration::from_secs(10);

/// Who may use a gateway. Clone-free: one for a process is enough.
#[derive(Debug)]
pub struct Registry {
    connection: Mutex<Connection>,
}

/// Why the registry did not do it. Nothing has changed, unless it is [`StoreError::Unknown`]: then the file says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// The name is taken.
    #[error("there is a {0} of that name already")]
    Exists(&'static str),
    /// The file didn't take it, as it may refuse an order.
    #[error(transparent)]
    Store(#[from] StoreError),
}

type Result<T> = std::result::Result<T, RegistryError>;

impl Registry {
    /// Opens the registry of a store, whether or not another process uses the store. One that isn't there is
    /// made; one of an older format is brought up to date, unless it is in use.
    pub fn open(path: impl AsRef<Path>) -> std::result::Result<Self, OpenError> {
        let place = file::Place::of(path.as_ref())?;
        if !place.exists() || !schema::is_newest(place.path())? {
            drop(Sqlite::open(place.path())?);
        }
        let path = place.path();
        let connection = file::connect(path)?;
        file::make_durable(&connection, path)?;
        connection
            .busy_timeout(BUSY)
            // Of files of orders and of accounts that are forgotten nothing is to stay in the free room.
            .and_then(|()| connection.pragma_update(None, "secure_delete", "ON"))
            .map_err(OpenError::sqlite(path))?;
        Ok(Self {
            connection: Mutex::new(connection),
        })
    }

    /// Opens the registry for reading only: nothing of the file is changed, and every method that writes fails.
    pub fn open_read_only(path: impl AsRef<Path>) -> std::result::Result<Self, OpenError> {
        let place = file::Place::of(path.as_ref())?;
        let connection = connect_read_only(place.path())?;
        Ok(Self {
            connection: Mutex::new(connection),
        })
    }

    /// Rises whenever a key or an endpoint changes, whoever changes it.
    pub fn generation(&self) -> Result<u64> {
        let connection = self.lock();
        let generation: i64 = connection
            .prepare_cached("SELECT generation FROM access")
            .and_then(|mut it| it.query_row([], |row| row.get(0)))
            .map_err(error)?;
        Ok(u64::try_from(generation).unwrap_or_default())
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // A transaction that was cut off by a panic is undone when it is dropped.
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn write<T>(&self, what: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        let mut connection = self.lock();
        // Immediate: one that reads first and writes then could not wait for another writer.
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(error)?;
        let done = what(&transaction)?;
        commit(transaction)?;
        Ok(done)
    }

    /// The same, and everybody is to look again.
    fn change<T>(&self, what: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        self.write(|transaction| {
            let done = what(transaction)?;
            transaction
                .execute("UPDATE access SET generation = generation + 1", [])
                .map_err(error)?;
            Ok(done)
        })
    }
}

/// What an error means before the commit.
fn error(error: rusqlite::Error) -> RegistryError {
    unwritten(error).into()
}

/// Whatever is said of a commit that fails, it may be on the disk.
fn commit(transaction: Transaction<'_>) -> Result<()> {
    let unknown = |error: rusqlite::Error| StoreError::Unknown(error.to_string());
    Ok(transaction.commit().map_err(unknown)?)
}
