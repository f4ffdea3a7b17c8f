//! Copies of the file: backups, and what is kept before something is replaced.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::Path;

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use super::error::OpenError;
use super::file::{self, Lock, Place};
use super::schema::{self, Kind, MIGRATIONS};

/// Copies a running store. `to` must not exist.
pub(super) fn backup(from: &Path, to: &Path) -> Result<(), OpenError> {
    let source = connect_ours(from)?;
    copy(&source, from, to)
}

/// Puts a copy in place of a store, with the hold in force. What stood there is kept beside it.
pub(super) fn restore(backup: &Path, to: &Path, replace: bool) -> Result<(), OpenError> {
    let place = Place::of(to)?;
    let lock = Lock::take(&place)?;
    if place.exists() && !replace {
        let path = place.path().to_owned();
        return Err(OpenError::Exists { path });
    }
    let source = connect_ours(backup)?;
    let new = place.beside(".restoring");
    // Left by a restore that was cut off: nobody else writes here while the lock is held.
    remove(&new)?;
    copy(&source, backup, &new)?;
    let hold = || {
        let connection = file::connect(&new)?;
        connection
            .execute("UPDATE meta SET restored = 1, hold_left = NULL", [])
            .map_err(OpenError::sqlite(&new))?;
        close(connection, &new)
    };
    hold()?;
    set_aside(&place)?;
    fs::rename(&new, place.path()).map_err(OpenError::io(&new))?;
    file::sync_folder(place.path())?;
    drop(lock);
    Ok(())
}

/// Keeps what stands there, under another name, until it is replaced. A log that is left without its
/// database would be taken for the new one's.
fn set_aside(place: &Place) -> Result<(), OpenError> {
    if place.exists() {
        fold_log_in(place.path());
        let kept = (0..1000)
            .map(|n| match n {
                0 => String::from(".replaced"),
                n => format!(".replaced-{n}"),
            })
            .find(|suffix| !place.beside(suffix).exists())
            .ok_or_else(|| OpenError::Exists {
                path: place.beside(".replaced"),
            })?;
        rename_if_there(&place.beside("-wal"), &place.beside(&format!("{kept}-wal")))?;
        let kept = place.beside(&kept);
        // A second name rather than a move: at no moment is there no store under the name.
        fs::hard_link(place.path(), &kept)
            .or_else(|_| fs::rename(place.path(), &kept))
            .map_err(OpenError::io(&kept))?;
    }
    remove(&place.beside("-wal"))?;
    remove(&place.beside("-shm"))?;
    file::sync_folder(place.path())
}

/// Brings what the log holds into the database, if it can still be read.
fn fold_log_in(path: &Path) {
    if let Ok(connection) = file::connect(path) {
        let folded = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        // If it can't, the log is kept with it.
        drop(folded);
    }
}

/// Copies a database that is open, all of it at one moment, while others go on writing. The copy is
/// complete, checked and durable once it has its name.
pub(super) fn copy(from: &Connection, path: &Path, to: &Path) -> Result<(), OpenError> {
    let mut part = to.to_owned().into_os_string();
    part.push(".part");
    let part = Path::new(&part);
    if to.exists() {
        return Err(exists(to));
    }
    file::create(part)?;
    let copied = fill(from, path, part).and_then(|()| give_name(part, to));
    if copied.is_err() {
        remove(part)?;
        for beside in ["-wal", "-shm", "-journal"] {
            let mut name = part.as_os_str().to_owned();
            name.push(beside);
            remove(Path::new(&name))?;
        }
    }
    copied?;
    file::sync_folder(to)
}

fn fill(from: &Connection, path: &Path, part: &Path) -> Result<(), OpenError> {
    let mut target = file::connect(part)?;
    let mut run = || {
        let backup = Backup::new(from, &mut target)?;
        // In one go: between steps a writer would make it begin again, for ever.
        backup.step(-1)
    };
    match run().map_err(OpenError::sqlite(path))? {
        StepResult::Done => {}
        other => {
            return Err(OpenError::Damaged {
                path: path.to_owned(),
                detail: format!("the copy did not come to its end: {other:?}"),
            });
        }
    }
    // A copy is one file, to be read anywhere.
    target
        .pragma_update_and_check(None, "journal_mode", "delete", |_| Ok(()))
        .map_err(OpenError::sqlite(part))?;
    if let Some(detail) = problems(&target).map_err(OpenError::sqlite(part))?.first() {
        return Err(OpenError::Damaged {
            path: path.to_owned(),
            detail: format!("its copy fails the check: {detail}"),
        });
    }
    close(target, part)
}

/// Closes a copy and makes it durable.
fn close(connection: Connection, path: &Path) -> Result<(), OpenError> {
    connection
        .close()
        .map_err(|(_, error)| OpenError::sqlite(path)(error))?;
    // Some systems sync only what is open for writing.
    let file = File::options().write(true).open(path);
    file.and_then(|file| file.sync_all())
        .map_err(OpenError::io(path))
}

/// A link fails where the name is taken; to rename would replace what has come in between.
fn give_name(part: &Path, to: &Path) -> Result<(), OpenError> {
    match fs::hard_link(part, to) {
        Ok(()) => remove(part),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(exists(to)),
        // A file system without links.
        Err(_) => fs::rename(part, to).map_err(OpenError::io(to)),
    }
}

/// What a full check of the file finds.
pub(super) fn problems(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare("PRAGMA integrity_check")?;
    let lines = statement.query_map([], |row| row.get::<_, String>(0))?;
    let found: Vec<_> = lines.collect::<Result<_, _>>()?;
    Ok(found.into_iter().filter(|line| line != "ok").collect())
}

/// A connection that can't write, to a file that is a store.
pub(super) fn connect_ours(path: &Path) -> Result<Connection, OpenError> {
    let connection = file::connect_read_only(path)?;
    match schema::kind(&connection, path, MIGRATIONS)? {
        Kind::Ours(_) => Ok(connection),
        Kind::Empty => Err(OpenError::NotOurs {
            path: path.to_owned(),
        }),
    }
}

fn exists(path: &Path) -> OpenError {
    OpenError::Exists {
        path: path.to_owned(),
    }
}

fn remove(path: &Path) -> Result<(), OpenError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(OpenError::io(path)(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn rename_if_there(from: &Path, to: &Path) -> Result<(), OpenError> {
    match fs::rename(from, to) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(OpenError::io(from)(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}
