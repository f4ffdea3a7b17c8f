//! [`Sqlite`]: the engine's memory in one SQLite file.
//!
//! **Writing.** One thread writes. It takes all requests that wait into one transaction and answers each
//! only after COMMIT, with `synchronous=FULL` in WAL mode: what was answered survives a crash of the
//! machine. Many callers thus share one sync of the disk. What a caller can make ready itself, such as
//! the text of a record, it does.
//!
//! **Reading.** A few threads read, each at one moment of the file and never older than the last answer.
//!
//! **Claims** are in memory and die with the process. Leases and epochs are counted in the file.
//!
//! **When the disk says no.** A failure before COMMIT is undone: nothing is written, and every request of
//! that transaction is told so. When COMMIT itself fails, nobody knows; every request of the transaction
//! is told that. The file is then opened anew, all that is in it is written and synced again, and a mark
//! is written after it, so that its fate can't change any more; only then is anything read or written
//! again. This is tried at the next request, not in a loop.
//!
//! **One writer.** A lock of the operating system on `NAME.lock` keeps other processes from writing, and
//! is freed when this one dies. Anybody may read at the same time.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use recharge_engine::StoreError;
use recharge_engine::store::{Lease, OrderKey, Stored};
use rusqlite::Connection;

mod accept;
mod append;
mod batch;
mod claims;
mod copy;
mod counts;
mod due;
mod error;
#[cfg(feature = "test-util")]
mod fate;
pub(crate) mod file;
mod pool;
mod queue;
mod read;
mod report;
pub(crate) mod schema;
mod small;
mod store;
mod told;
mod value;
mod writer;

pub use error::OpenError;
pub(crate) use error::unwritten;
#[cfg(feature = "test-util")]
pub use fate::Fate;
pub(crate) use read::last_told;
pub use report::Report;
pub(crate) use value::nonsense;

use claims::Claims;
use file::{Lock, Place};
use pool::Readers;
use schema::MIGRATIONS;
use writer::{Shared, Writer};

/// A store in one SQLite file.
///
/// To drop it blocks until what was asked for is written. Its methods need no particular runtime.
#[derive(Debug)]
pub struct Sqlite {
    // The order is that in which they are dropped. Who closes the file last folds the log into it, and
    // readers can't: so the writer goes after them. The lock last, when nobody writes any more.
    readers: Readers,
    writer: Option<Writer>,
    shared: Arc<Shared>,
    place: Place,
    _lock: Option<Lock>,
}

/// A connection for reading to a store of the present format.
pub(crate) fn connect_read_only(path: &Path) -> Result<Connection, OpenError> {
    let connection = copy::connect_ours(path)?;
    let known = schema::newest(MIGRATIONS);
    let path = path.to_owned();
    match schema::kind(&connection, &path, MIGRATIONS)? {
        schema::Kind::Ours(found) if found == known => Ok(connection),
        schema::Kind::Ours(found) => Err(OpenError::Older { path, found, known }),
        schema::Kind::Empty => Err(OpenError::NotOurs { path }),
    }
}

impl Sqlite {
    /// Opens a store for writing, and makes it if there is none: with a fresh key, for its owner only.
    /// A file of an older format is copied beside itself and brought up to date. Blocks; a large file
    /// takes no longer than a small one.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        let place = Place::of(path.as_ref())?;
        let lock = Lock::take(&place)?;
        place.has_one_name()?;
        let connection = Self::prepare(&place, MIGRATIONS)?;
        let path = place.path();
        let lease = writer::newest_lease(&connection).map_err(OpenError::sqlite(path))?;
        let shared = share(lease);
        Ok(Self {
            readers: Readers::start(path, &shared)?,
            writer: Some(Writer::start(
                place.clone(),
                connection,
                Arc::clone(&shared),
            )?),
            shared,
            place,
            _lock: Some(lock),
        })
    }

    /// Makes the file if need be, and brings it up to date. The caller holds the lock.
    fn prepare(place: &Place, migrations: &[&str]) -> Result<Connection, OpenError> {
        let path = place.path();
        if !place.exists() {
            file::create(path)?;
            file::sync_folder(path)?;
        }
        let mut connection = file::connect(path)?;
        // A look before anything is set: a file that isn't ours stays as it is.
        schema::kind(&connection, path, migrations)?;
        file::make_durable(&connection, path)?;
        schema::migrate(&mut connection, place, migrations)?;
        Ok(connection)
    }

    /// Opens a store for reading only, whether or not another process writes it. Every method that writes
    /// answers [`StoreError::Refused`].
    pub fn open_read_only(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        let place = Place::of(path.as_ref())?;
        drop(connect_read_only(place.path())?);
        let shared = share(Lease(0));
        Ok(Self {
            writer: None,
            readers: Readers::start(place.path(), &shared)?,
            shared,
            place,
            _lock: None,
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        self.place.path()
    }

    /// Copies a store, whether or not a process writes it: all of it at one moment, checked from end to
    /// end and durable. The copy holds the installation's key; only its owner can read it. Nothing is
    /// overwritten. Blocks.
    pub fn backup(from: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<(), OpenError> {
        copy::backup(from.as_ref(), to.as_ref())
    }

    /// Puts a copy in place of a store, with the hold in force: the next worker is told
    /// [`Hold::Restored`](recharge_engine::store::Hold::Restored). A store that is there is replaced only
    /// if `replace` says so, never while somebody writes it, and is kept beside as `NAME.replaced`. Blocks.
    pub fn restore(
        backup: impl AsRef<Path>,
        to: impl AsRef<Path>,
        replace: bool,
    ) -> Result<(), OpenError> {
        copy::restore(backup.as_ref(), to.as_ref(), replace)
    }

    /// Looks at all of a store, and changes nothing. Blocks, and reads the whole file.
    pub fn check(path: impl AsRef<Path>) -> Result<Report, OpenError> {
        report::check(path.as_ref())
    }

    /// For tests: what becomes of the next commit.
    #[cfg(feature = "test-util")]
    pub fn next_commit(&self, fate: Fate) {
        self.shared.fates.set(fate);
    }

    /// For tests: how many pages the file may have, as on a full disk. Until it is opened anew.
    #[cfg(feature = "test-util")]
    pub async fn limit_pages(&self, most: Option<u32>) -> Result<(), StoreError> {
        self.write(small::LimitPages(most)).await
    }

    async fn write<O: writer::Op>(&self, op: O) -> Result<O::Outcome, StoreError> {
        if let Some(writer) = &self.writer {
            return writer.write(op).await;
        }
        let why = "it is open for reading only";
        Err(StoreError::Refused(why.to_owned()))
    }

    async fn query<T: Send + 'static>(
        &self,
        what: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        // What is read now and is gone after a crash would be a lie.
        if self.shared.unsettled.load(Ordering::SeqCst) {
            self.write(writer::Settle).await?;
        }
        self.readers.read(what).await
    }

    async fn order(&self, key: OrderKey) -> Result<Stored, StoreError> {
        let found = self.query(move |it| read::order(it, key)).await?;
        found.ok_or_else(|| StoreError::Damaged(format!("order {} is gone", key.0)))
    }
}

fn share(lease: Lease) -> Arc<Shared> {
    Arc::new(Shared {
        claims: Arc::new(Claims::new(lease)),
        unsettled: AtomicBool::new(false),
        generation: AtomicU64::new(0),
        counts: counts::Counts::default(),
        #[cfg(feature = "test-util")]
        fates: fate::Fates::default(),
    })
}
