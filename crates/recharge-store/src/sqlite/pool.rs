//! The threads that read, each with a connection of its own, so that nobody waits for the writer's disk.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::{self, JoinHandle};

use recharge_engine::StoreError;
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::error::OpenError;
use super::file;
use super::writer::Shared;

/// Reading is short, and the machine has other things to do.
const THREADS: usize = 3;

type Job = Box<dyn FnOnce(Result<&Connection, StoreError>) + Send>;

/// The handle on the threads.
#[derive(Debug)]
pub(super) struct Readers {
    jobs: Option<mpsc::Sender<Job>>,
    threads: Vec<JoinHandle<()>>,
}

impl Readers {
    pub(super) fn start(path: &std::path::Path, shared: &Arc<Shared>) -> Result<Self, OpenError> {
        let (jobs, waiting) = mpsc::channel();
        let waiting = Arc::new(Mutex::new(waiting));
        let mut readers = Self {
            jobs: Some(jobs),
            threads: Vec::new(),
        };
        for _ in 0..THREADS {
            let reader = Reader {
                path: path.to_owned(),
                shared: Arc::clone(shared),
                connection: None,
            };
            let waiting = Arc::clone(&waiting);
            let thread = thread::Builder::new()
                .name("recharge-store-reader".to_owned())
                .spawn(move || reader.run(&waiting))
                .map_err(OpenError::io(path))?;
            readers.threads.push(thread);
        }
        Ok(readers)
    }

    /// Reads something, at one moment of the file: all that was answered before is in it.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        what: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            // A caller who has gone away wants no answer.
            drop(answer.send(connection.and_then(|it| at_one_moment(it, what))));
        });
        let broken = || StoreError::Unavailable("the reader broke off".to_owned());
        let sent = self.jobs.as_ref().is_some_and(|it| it.send(job).is_ok());
        if !sent {
            return Err(broken());
        }
        answered.await.unwrap_or_else(|_| Err(broken()))
    }
}

fn at_one_moment<T>(
    connection: &Connection,
    what: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let moment = connection
        .unchecked_transaction()
        .map_err(super::error::unwritten)?;
    let read = what(connection)?;
    moment.commit().map_err(super::error::unwritten)?;
    Ok(read)
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.jobs = None;
        for thread in self.threads.drain(..) {
            // Its jobs have told their callers what became of them.
            drop(thread.join());
        }
    }
}

struct Reader {
    path: PathBuf,
    shared: Arc<Shared>,
    /// With the generation in which it was made.
    connection: Option<(u64, Connection)>,
}

impl Reader {
    fn run(mut self, waiting: &Mutex<mpsc::Receiver<Job>>) {
        loop {
            let job = waiting
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .recv();
            let Ok(job) = job else { return };
            let connection = self.connection().map_err(|error| match error {
                OpenError::Damaged { .. } | OpenError::NotOurs { .. } => {
                    StoreError::Damaged(error.to_string())
                }
                other => StoreError::Unavailable(other.to_string()),
            });
            // The caller is told by the answer being dropped; the connection may be in the middle of
            // something.
            if catch_unwind(AssertUnwindSafe(|| job(connection))).is_err() {
                self.connection = None;
            }
        }
    }

    fn connection(&mut self) -> Result<&Connection, OpenError> {
        let generation = self.shared.generation.load(Ordering::SeqCst);
        let kept = self.connection.take().filter(|(it, _)| *it == generation);
        let connection = match kept {
            Some((_, connection)) => connection,
            None => file::connect_read_only(&self.path)?,
        };
        Ok(&self.connection.insert((generation, connection)).1)
    }
}
