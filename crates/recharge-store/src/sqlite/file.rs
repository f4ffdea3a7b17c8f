//! The file: its lock, its connections, and the settings that keep it safe.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::error::OpenError;

/// How long a foreign lock, such as that of somebody's `sqlite3`, is waited for.
const BUSY: Duration = Duration::from_secs(1);

/// The least SQLite whose WAL doesn't damage files: 3.51.3.
const LEAST_LIBRARY: i32 = 3_051_003;

/// A database file by its one true path, so that two spellings of it have one lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place(PathBuf);

/// A file, whatever its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity((u64, u64));

impl Place {
    /// A file that need not exist, in a folder that must.
    pub(crate) fn of(path: &Path) -> Result<Self, OpenError> {
        match path.canonicalize() {
            Ok(path) => Ok(Self(path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let name = path.file_name().ok_or(error).map_err(OpenError::io(path))?;
                let folder = match path.parent() {
                    Some(folder) if folder != Path::new("") => folder,
                    Some(_) | None => Path::new("."),
                };
                let folder = folder.canonicalize().map_err(OpenError::io(folder))?;
                Ok(Self(folder.join(name)))
            }
            Err(error) => Err(OpenError::io(path)(error)),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The path with something after its name.
    pub(super) fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = self.0.clone().into_os_string();
        name.push(suffix);
        name.into()
    }

    /// Whether the file is there. Nothing here ever opens it but SQLite: to close a file that SQLite has
    /// open in the same process would drop SQLite's locks.
    pub(crate) fn exists(&self) -> bool {
        self.0.exists()
    }

    /// Which file has this name now, where the system tells files apart. `None`: none has.
    pub(super) fn identity(&self) -> Option<Identity> {
        let found = self.0.metadata().ok()?;
        #[cfg(unix)]
        let which = {
            use std::os::unix::fs::MetadataExt as _;
            (found.dev(), found.ino())
        };
        #[cfg(not(unix))]
        let which = (u64::from(found.is_file()), 0);
        Some(Identity(which))
    }

    /// By each name of a file there would be another lock and another log.
    pub(super) fn has_one_name(&self) -> Result<(), OpenError> {
        #[cfg(unix)]
        if let Ok(found) = self.0.metadata()
            && found.is_file()
            && std::os::unix::fs::MetadataExt::nlink(&found) > 1
        {
            let path = self.0.clone();
            return Err(OpenError::Linked { path });
        }
        Ok(())
    }
}

/// The right to write, held by at most one handle on the machine. The system frees it when the process
/// dies, however it dies.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    pub(super) fn take(place: &Place) -> Result<Self, OpenError> {
        // Its own file: SQLite's locks on the database come and go. It is never removed, or somebody
        // could hold the lock of a file that nobody else sees.
        let path = place.beside(".lock");
        let file = private(OpenOptions::new().create(true).truncate(false).write(true))
            .open(&path)
            .map_err(OpenError::io(&path))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse {
                path: place.path().to_owned(),
            }),
            Err(TryLockError::Error(error)) => Err(OpenError::io(&path)(error)),
        }
    }
}

/// Files that are made are for their owner only: they hold the key of the numbers, and phone numbers.
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// Makes an empty file that only its owner can read, where there is none. SQLite gives its other files
/// the same permissions.
pub(super) fn create(path: &Path) -> Result<(), OpenError> {
    match private(OpenOptions::new().create_new(true).write(true)).open(path) {
        Ok(file) => file.sync_all().map_err(OpenError::io(path)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(OpenError::Exists {
            path: path.to_owned(),
        }),
        Err(error) => Err(OpenError::io(path)(error)),
    }
}

/// Makes the names in the folder of this file durable.
pub(super) fn sync_folder(path: &Path) -> Result<(), OpenError> {
    // Elsewhere a folder can't be opened.
    if cfg!(unix)
        && let Some(folder) = path.parent()
    {
        // Of a bare name that is the working directory.
        let folder = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        };
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(OpenError::io(folder))?;
    }
    Ok(())
}

/// A connection that can write, with nothing set yet: for a look at what the file is.
pub(crate) fn connect(path: &Path) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    open(path, flags)
}

/// A connection that can't write.
pub(super) fn connect_read_only(path: &Path) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = open(path, flags)?;
    connection
        .pragma_update(None, "query_only", true)
        .map_err(OpenError::sqlite(path))?;
    Ok(connection)
}

fn open(path: &Path, flags: OpenFlags) -> Result<Connection, OpenError> {
    if rusqlite::version_number() < LEAST_LIBRARY {
        return Err(OpenError::Library {
            found: rusqlite::version(),
        });
    }
    if !path.exists() {
        return Err(OpenError::Missing {
            path: path.to_owned(),
        });
    }
    let failed = OpenError::sqlite(path);
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    let prepare = || {
        connection.busy_timeout(BUSY)?;
        connection.set_prepared_statement_cache_capacity(64);
        // One plan for a statement, whatever its values. Otherwise those that sort are planned anew each time.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.pragma_update(None, "trusted_schema", false)?;
        connection.pragma_update(None, "cell_size_check", true)
    };
    prepare().map_err(OpenError::sqlite(path))?;
    Ok(connection)
}

/// Sets what durability rests on, and reads it back: on some file systems SQLite silently does
/// otherwise.
pub(crate) fn make_durable(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let set = |setting: &'static str, value: &'static str, wanted: &'static str| {
        let failed = || OpenError::sqlite(path);
        connection
            .pragma_update_and_check(None, setting, value, |_| Ok(()))
            .or_else(|error| match error {
                // Some settings answer nothing when they are set.
                rusqlite::Error::QueryReturnedNoRows => Ok(()),
                other => Err(other),
            })
            .map_err(failed())?;
        let found = read_back(connection, setting).map_err(failed())?;
        if found == wanted {
            Ok(())
        } else {
            let path = path.to_owned();
            Err(OpenError::Setting {
                path,
                setting,
                found,
                wanted,
            })
        }
    };
    set("journal_mode", "wal", "wal")?;
    set("synchronous", "full", "2")?;
    // Where fsync doesn't reach the disk, as on a Mac, what does.
    set("fullfsync", "on", "1")?;
    set("checkpoint_fullfsync", "on", "1")?;
    // A log that grew while somebody read is cut back to 64 MB.
    set("journal_size_limit", "67108864", "67108864")?;
    // 64 MB of cache, and a checkpoint after each 4,096 pages, 16 MB, of log.
    set("cache_size", "-65536", "-65536")?;
    set("wal_autocheckpoint", "4096", "4096")
}

/// A setting as the connection has it.
pub(super) fn read_back(connection: &Connection, setting: &str) -> rusqlite::Result<String> {
    connection.pragma_query_value(None, setting, |row| {
        Ok(match row.get_ref(0)? {
            rusqlite::types::ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
            rusqlite::types::ValueRef::Integer(number) => number.to_string(),
            other => format!("{other:?}"),
        })
    })
}
