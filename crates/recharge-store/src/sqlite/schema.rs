//! The format of the file, and how an older one becomes the present one.

use std::io;
use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::error::OpenError;
use super::{copy, file};

/// `Rchg`: by it a file is known to be ours, also to `file(1)`.
const APPLICATION: i32 = 0x5263_6867;

/// Each brings a file from the format of its index to the next. Only ever added to.
pub(super) const MIGRATIONS: &[&str] = &[
    include_str!("schema.sql"),
    include_str!("schema-2.sql"),
    include_str!("schema-3.sql"),
    include_str!("schema-4.sql"),
];

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing yet.
    Empty,
    /// Ours, in this format.
    Ours(u32),
}

/// The newest format of a list of migrations.
pub(super) fn newest(migrations: &[&str]) -> u32 {
    u32::try_from(migrations.len()).unwrap_or(u32::MAX)
}

/// Whether a file is ours, and of the newest format. It is not changed.
pub(crate) fn is_newest(path: &Path) -> Result<bool, OpenError> {
    let connection = file::connect_read_only(path)?;
    Ok(kind(&connection, path, MIGRATIONS)? == Kind::Ours(newest(MIGRATIONS)))
}

/// Looks at a file without changing it.
pub(super) fn kind(
    connection: &Connection,
    path: &Path,
    migrations: &[&str],
) -> Result<Kind, OpenError> {
    let number = |setting| connection.pragma_query_value(None, setting, |row| row.get::<_, i64>(0));
    let look = || {
        let tables =
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0));
        Ok((number("application_id")?, number("user_version")?, tables?))
    };
    let (application, version, tables): (i64, i64, i64) =
        look().map_err(OpenError::sqlite(path))?;
    let known = newest(migrations);
    let path = || path.to_owned();
    match (application, u32::try_from(version)) {
        (0, Ok(0)) if tables == 0 => Ok(Kind::Empty),
        (ours, Ok(found)) if ours == i64::from(APPLICATION) && found > 0 => {
            if found > known {
                return Err(OpenError::Newer {
                    path: path(),
                    found,
                    known,
                });
            }
            Ok(Kind::Ours(found))
        }
        (_, _) => Err(OpenError::NotOurs { path: path() }),
    }
}

/// Brings a file up to date, in one transaction: after a crash it is as it was, or done. A file that
/// holds something already is copied first.
pub(super) fn migrate(
    connection: &mut Connection,
    place: &file::Place,
    migrations: &[&str],
) -> Result<(), OpenError> {
    let path = place.path();
    let found = match kind(connection, path, migrations)? {
        Kind::Empty => 0,
        Kind::Ours(found) => found,
    };
    let known = newest(migrations);
    if found == known {
        return Ok(());
    }
    if found > 0 {
        keep_a_copy(connection, place, found)?;
    }
    let failed = || OpenError::sqlite(path);
    let done = usize::try_from(found).unwrap_or(usize::MAX);
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(|error| OpenError::io(path)(io::Error::other(error)))?;
    let mut run = || {
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for migration in migrations.iter().skip(done) {
            tx.execute_batch(migration)?;
        }
        if found == 0 {
            tx.execute(
                "INSERT INTO meta (id, numbers, lease, epoch, restored, message, settled)
                 VALUES (1, ?1, 0, 0, 0, 0, 0)",
                [key.as_slice()],
            )?;
            tx.pragma_update(None, "application_id", APPLICATION)?;
        }
        tx.pragma_update(None, "user_version", known)?;
        tx.commit()?;
        // Into the file itself, where the log could get lost: a new key would be another number for the
        // same order.
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
    };
    run().map_err(failed())
}

/// A copy as it was before, beside it: `NAME.format-1`.
fn keep_a_copy(connection: &Connection, place: &file::Place, found: u32) -> Result<(), OpenError> {
    let free = (0..1000)
        .map(|n| match n {
            0 => place.beside(&format!(".format-{found}")),
            n => place.beside(&format!(".format-{found}-{n}")),
        })
        .find(|path| !path.exists());
    let to = free.ok_or_else(|| OpenError::Exists {
        path: place.beside(&format!(".format-{found}")),
    })?;
    copy::copy(connection, place.path(), &to)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::Sqlite;
    use super::super::file::Place;
    use super::*;

    const SECOND: &str = "ALTER TABLE meta ADD COLUMN later INTEGER NOT NULL DEFAULT 7";

    fn version(path: &Path) -> i64 {
        let connection = Connection::open(path).unwrap();
        let version = connection.pragma_query_value(None, "user_version", |row| row.get(0));
        version.unwrap()
    }

    /// A file of the first format with an epoch in it.
    fn first(folder: &Path) -> Place {
        let place = Place::of(&folder.join("a.sqlite")).unwrap();
        let connection = Sqlite::prepare(&place, &MIGRATIONS[..1]).unwrap();
        connection
            .execute("UPDATE meta SET epoch = 41", [])
            .unwrap();
        place
    }

    #[test]
    fn an_older_file_is_copied_and_brought_up_to_date() {
        let folder = tempfile::tempdir().unwrap();
        let place = first(folder.path());
        let read = |connection: &Connection, column: &str| {
            let sql = format!("SELECT {column} FROM meta");
            connection.query_row(&sql, [], |row| row.get::<_, i64>(0))
        };
        for _ in 0..2 {
            let connection = Sqlite::prepare(&place, &[MIGRATIONS[0], SECOND]).unwrap();
            assert_eq!(read(&connection, "epoch"), Ok(41));
            assert_eq!(read(&connection, "later"), Ok(7));
        }
        assert_eq!(version(place.path()), 2);
        let copy = place.beside(".format-1");
        assert_eq!(version(&copy), 1);
        let copy = Connection::open(copy).unwrap();
        assert_eq!(read(&copy, "epoch"), Ok(41));
        assert!(read(&copy, "later").is_err(), "as it was before");
        assert!(!place.beside(".format-1-1").exists(), "one copy is enough");
    }

    #[test]
    fn a_migration_that_fails_leaves_the_file_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let place = first(folder.path());
        let broken = [MIGRATIONS[0], SECOND, "CREATE TABLE orders (again INTEGER)"];
        for copies in [".format-1", ".format-1-1"] {
            let error = Sqlite::prepare(&place, &broken).unwrap_err();
            assert!(error.to_string().contains("orders"), "{error}");
            assert_eq!(version(place.path()), 1);
            assert!(place.beside(copies).exists(), "no copy is overwritten");
        }
        let connection = Sqlite::prepare(&place, &[MIGRATIONS[0], SECOND]).unwrap();
        drop(connection);
        assert_eq!(version(place.path()), 2);
    }

    #[test]
    fn a_creation_that_was_cut_off_is_done_again() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::of(&folder.path().join("a.sqlite")).unwrap();
        fs::write(place.path(), "").unwrap();
        Sqlite::prepare(&place, MIGRATIONS).unwrap();
        assert_eq!(version(place.path()), i64::from(newest(MIGRATIONS)));
    }
}
