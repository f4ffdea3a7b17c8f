//! A store in a folder of its own, for the suite.
#![allow(dead_code, reason = "each test file uses the part of it that it needs")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use recharge_conformance::store::{Fate, Harness};
use recharge_engine::Store;
use recharge_store::{Sqlite, sqlite};
use tempfile::TempDir;

/// A store, and what is left of it after a crash: a copy of its files as they are at that moment.
#[derive(Debug)]
pub(crate) struct InFile {
    folder: TempDir,
    now: Mutex<Option<(PathBuf, Arc<Sqlite>)>>,
}

impl InFile {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            now: Mutex::new(None),
        }
    }

    pub(crate) fn sqlite(&self) -> Arc<Sqlite> {
        let now = self.now.lock().unwrap();
        Arc::clone(&now.as_ref().unwrap().1)
    }

    fn open_at(&self, path: PathBuf) -> Arc<Sqlite> {
        let store = Arc::new(Sqlite::open(&path).unwrap());
        *self.now.lock().unwrap() = Some((path, Arc::clone(&store)));
        store
    }
}

/// The files as they are, without the index of the log, which is memory.
pub(crate) fn copy_as_after_a_crash(from: &Path, to: &Path) {
    fs::copy(from, to).unwrap();
    let wal = |path: &Path| PathBuf::from(format!("{}-wal", path.display()));
    if wal(from).exists() {
        fs::copy(wal(from), wal(to)).unwrap();
    }
}

#[async_trait]
impl Harness for InFile {
    async fn open(&self) -> Arc<dyn Store> {
        self.open_at(self.folder.path().join("0.sqlite"))
    }

    async fn crash(&self) -> Arc<dyn Store> {
        let (path, old) = self.now.lock().unwrap().take().unwrap();
        let n = fs::read_dir(self.folder.path()).unwrap().count();
        let next = self.folder.path().join(format!("{n}.sqlite"));
        copy_as_after_a_crash(&path, &next);
        drop(old);
        self.open_at(next)
    }

    fn next_commit(&self, fate: Fate) {
        self.sqlite().next_commit(match fate {
            Fate::Refused => sqlite::Fate::Refused,
            Fate::Lost => sqlite::Fate::Lost,
            Fate::Landed => sqlite::Fate::Landed,
        });
    }
}
