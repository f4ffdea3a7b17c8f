//! The one thread that writes: it takes all that waits into one transaction and answers after COMMIT.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use recharge_engine::StoreError;
use recharge_engine::store::{Lease, OrderKey};
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::batch::Batch;
use super::claims::Claims;
use super::counts::Counts;
use super::error::{OpenError, is_of_one_request, unwritten};
#[cfg(feature = "test-util")]
use super::fate::{Fate, Fates};
use super::file::{self, Identity, Place};
use super::queue::{Pace, Queue};

/// Something to be written.
pub(super) trait Op: Send + 'static {
    /// What is answered after COMMIT.
    type Outcome: Send;

    /// Whether it has a transaction of its own.
    const ALONE: bool = false;

    /// Writes it, in a transaction that others share. What is refused must be refused before anything is
    /// written.
    fn apply(&self, batch: &mut Batch<'_>) -> rusqlite::Result<Self::Outcome>;
}

/// A request on its way through the writer.
pub(super) trait Request: Send {
    fn alone(&self) -> bool;
    fn apply(&mut self, batch: &mut Batch<'_>) -> rusqlite::Result<()>;
    fn committed(self: Box<Self>);
    fn failed(self: Box<Self>, error: &StoreError);
}

struct Pending<O: Op> {
    op: O,
    outcome: Option<O::Outcome>,
    answer: oneshot::Sender<Result<O::Outcome, StoreError>>,
}

impl<O: Op> Request for Pending<O> {
    fn alone(&self) -> bool {
        O::ALONE
    }

    fn apply(&mut self, batch: &mut Batch<'_>) -> rusqlite::Result<()> {
        // What an earlier try came to is given up first: its claim would stand in the way.
        self.outcome = None;
        self.outcome = Some(self.op.apply(batch)?);
        Ok(())
    }

    fn committed(self: Box<Self>) {
        if let Some(outcome) = self.outcome {
            // A caller who has gone away wants no answer.
            drop(self.answer.send(Ok(outcome)));
        }
    }

    fn failed(self: Box<Self>, error: &StoreError) {
        drop(self.outcome);
        drop(self.answer.send(Err(error.clone())));
    }
}

/// What writer and readers share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) claims: Arc<Claims>,
    /// The fate of a commit is not known: nothing is read before it is settled.
    pub(super) unsettled: AtomicBool,
    /// Rises when the connections must be made anew.
    pub(super) generation: AtomicU64,
    pub(super) counts: Counts,
    #[cfg(feature = "test-util")]
    pub(super) fates: Fates,
}

/// The handle on the writer.
#[derive(Debug)]
pub(super) struct Writer {
    /// Not bounded: each request has a caller who waits for its answer, so that there are never more of
    /// them than orders are being worked on.
    requests: Option<mpsc::Sender<Box<dyn Request>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(
        place: Place,
        connection: Connection,
        shared: Arc<Shared>,
    ) -> Result<Self, OpenError> {
        let (requests, waiting) = mpsc::channel();
        let path = place.path().to_owned();
        let work = Work {
            file: place.identity(),
            place,
            connection: Some(connection),
            shared,
        };
        let thread = thread::Builder::new()
            .name("recharge-store-writer".to_owned())
            .spawn(move || work.run(waiting))
            .map_err(OpenError::io(&path))?;
        Ok(Self {
            requests: Some(requests),
            thread: Some(thread),
        })
    }

    /// Writes something, and answers when it is durable.
    pub(super) async fn write<O: Op>(&self, op: O) -> Result<O::Outcome, StoreError> {
        let (answer, answered) = oneshot::channel();
        let request = Pending {
            op,
            outcome: None,
            answer,
        };
        let sent = self
            .requests
            .as_ref()
            .is_some_and(|requests| requests.send(Box::new(request)).is_ok());
        if !sent {
            return Err(StoreError::Unavailable("the writer has stopped".to_owned()));
        }
        // A writer that panics drops what it has, perhaps after COMMIT.
        let gone = || StoreError::Unknown("the writer broke off".to_owned());
        answered.await.unwrap_or_else(|_| Err(gone()))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.requests = None;
        if let Some(thread) = self.thread.take() {
            // It has been told of its panic already, if it had one.
            let ended: Result<(), Box<dyn Any + Send>> = thread.join();
            drop(ended);
        }
    }
}

/// Why a batch is not durable.
enum Failure {
    /// Nothing is written.
    Known(rusqlite::Error),
    /// COMMIT failed, or something worse happened.
    Unknown(String),
}

struct Work {
    place: Place,
    /// The file that is open.
    file: Option<Identity>,
    /// None after a commit whose fate is not known.
    connection: Option<Connection>,
    shared: Arc<Shared>,
}

impl Work {
    fn run(mut self, waiting: mpsc::Receiver<Box<dyn Request>>) {
        let mut queue = Queue {
            waiting,
            alone: None,
        };
        let mut pace = Pace::default();
        while let Some(batch) = queue.next(&mut pace) {
            let (began, size) = (Instant::now(), batch.len());
            // The callers are told by their requests being dropped.
            if catch_unwind(AssertUnwindSafe(|| self.write(batch))).is_err() {
                self.lost();
            }
            pace.took(size, began.elapsed());
        }
    }

    fn write(&mut self, mut batch: Vec<Box<dyn Request>>) {
        // What is written to a file that has lost its name is gone with the process.
        if self.place.identity() != self.file {
            let error = StoreError::Unavailable(format!(
                "{} has been moved, deleted or replaced while it is in use: put it back, or stop and restore a backup",
                self.place.path().display()
            ));
            fail(batch, &error);
            return;
        }
        if let Err(error) = self.settle() {
            let error = StoreError::Unavailable(error.to_string());
            fail(batch, &error);
            return;
        }
        match self.transact(&mut batch) {
            Ok(()) => batch.into_iter().for_each(Request::committed),
            // One of them is at fault; the others must not suffer for it.
            Err(Failure::Known(error)) if batch.len() > 1 && is_of_one_request(&error) => {
                for request in batch {
                    self.write(vec![request]);
                }
            }
            Err(Failure::Known(error)) => {
                let error = unwritten(error);
                fail(batch, &error);
            }
            Err(Failure::Unknown(why)) => {
                self.lost();
                let error = StoreError::Unknown(why);
                fail(batch, &error);
            }
        }
    }

    fn transact(&mut self, requests: &mut [Box<dyn Request>]) -> Result<(), Failure> {
        let Some(connection) = &self.connection else {
            return Err(Failure::Unknown("the file is closed".to_owned()));
        };
        let known = |error| match connection.execute_batch("ROLLBACK") {
            _ if connection.is_autocommit() => Failure::Known(error),
            Err(_) | Ok(()) => Failure::Unknown(format!("not rolled back after: {error}")),
        };
        connection
            .prepare_cached("BEGIN IMMEDIATE")
            .and_then(|mut begin| begin.execute([]))
            .map_err(known)?;
        let mut batch = Batch::new(connection, &self.shared.claims);
        let applied = requests.iter_mut().try_for_each(|it| it.apply(&mut batch));
        applied.and_then(|()| batch.finish()).map_err(known)?;
        #[cfg(feature = "test-util")]
        match self.shared.fates.next() {
            None => {}
            Some(Fate::Refused) => return Err(known(super::fate::disk_error())),
            Some(Fate::Lost) => return Err(Failure::Unknown("a test lost it".to_owned())),
            Some(Fate::Landed) => {
                connection.execute_batch("COMMIT").map_err(known)?;
                return Err(Failure::Unknown("a test hid it".to_owned()));
            }
            #[expect(clippy::panic, reason = "a test asked for it")]
            Some(Fate::Panic) => panic!("a test asked for it"),
        }
        connection
            .prepare_cached("COMMIT")
            .and_then(|mut commit| commit.execute([]))
            .map_err(|error| Failure::Unknown(error.to_string()))?;
        batch.committed();
        self.shared.counts.count(requests.len());
        Ok(())
    }

    /// The fate of a commit is not known. The connection is closed: what it believes may not be so.
    fn lost(&mut self) {
        self.shared.unsettled.store(true, Ordering::SeqCst);
        self.shared.generation.fetch_add(1, Ordering::SeqCst);
        self.connection = None;
    }

    /// After a commit of unknown fate: opens the file again, has everything that is in it written and
    /// synced anew, and writes a mark after it. From then on its fate can't change any more.
    fn settle(&mut self) -> Result<(), OpenError> {
        if self.connection.is_some() {
            return Ok(());
        }
        let path = self.place.path();
        let failed = || OpenError::sqlite(path);
        let connection = file::connect(path)?;
        file::make_durable(&connection, path)?;
        let busy: bool = connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
            .map_err(failed())?;
        if busy {
            return Err(OpenError::InUse {
                path: path.to_owned(),
            });
        }
        // A log that was cut off is synced by the next commit only.
        connection
            .execute("UPDATE meta SET settled = settled + 1", [])
            .map_err(failed())?;
        let lease = newest_lease(&connection).map_err(failed())?;
        let mut table = self.shared.claims.lock();
        let find = |key: OrderKey| super::batch::due_of(&connection, key);
        table.refresh(lease, find).map_err(failed())?;
        drop(table);
        self.connection = Some(connection);
        self.shared.unsettled.store(false, Ordering::SeqCst);
        Ok(())
    }
}

fn fail(batch: Vec<Box<dyn Request>>, error: &StoreError) {
    for request in batch {
        request.failed(error);
    }
}

/// The newest lease that was given out.
pub(super) fn newest_lease(connection: &Connection) -> rusqlite::Result<Lease> {
    connection.query_row("SELECT lease FROM meta", [], |row| {
        Ok(Lease(super::value::unsigned(row.get(0)?)))
    })
}

/// Does nothing but see to it that the fate of every commit is settled.
#[derive(Debug)]
pub(super) struct Settle;

impl Op for Settle {
    type Outcome = ();
    const ALONE: bool = true;

    fn apply(&self, _: &mut Batch<'_>) -> rusqlite::Result<()> {
        Ok(())
    }
}
