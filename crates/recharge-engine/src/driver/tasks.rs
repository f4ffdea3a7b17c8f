//! The tasks of a driver: counted, so that a stop can wait for them.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::{oneshot, watch};
use tracing::Instrument as _;

/// Work that goes on by itself.
pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Where the tasks of a driver run: [`OnTokio`], unless something else is to say which of them goes on
/// when, as a simulation does.
pub trait Spawn: fmt::Debug + Send + Sync {
    /// Runs a task to its end, or until whatever runs it ends. It must not poll the task before it returns: the
    /// driver begins one in the midst of another, which the new one may wait for.
    fn spawn(&self, task: Task);
}

/// The tokio runtime in which the driver is called.
#[derive(Debug, Clone, Copy, Default)]
pub struct OnTokio;

impl Spawn for OnTokio {
    fn spawn(&self, task: Task) {
        tokio::spawn(task);
    }
}

/// Counts tasks.
#[derive(Debug, Clone)]
pub(super) struct Tasks {
    run: Arc<dyn Spawn>,
    count: Arc<watch::Sender<usize>>,
}

/// One counted task. Dropped, even by a panic, it no longer counts.
struct Counted(Arc<watch::Sender<usize>>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

impl Tasks {
    pub(super) fn new(run: Arc<dyn Spawn>) -> Self {
        Self {
            run,
            count: Arc::new(watch::Sender::new(0)),
        }
    }

    /// Runs a task that nobody waits for.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let counted = self.count();
        self.run.spawn(Box::pin(async move {
            let _counted = counted;
            task.await;
        }));
    }

    /// Runs a task whose outcome somebody wants, who may go away. `None` if it was never finished.
    pub(super) fn detached<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
        &self,
        task: F,
    ) -> impl Future<Output = Option<T>> + use<T, F> {
        let (tell, told) = oneshot::channel();
        // What it logs belongs to whoever asked.
        let task = task.in_current_span();
        self.spawn(async move {
            // Whoever asked may have gone; the work is done all the same.
            let _ = tell.send(task.await);
        });
        async move { told.await.ok() }
    }

    fn count(&self) -> Counted {
        self.count.send_modify(|count| *count += 1);
        Counted(self.count.clone())
    }

    /// Waits until no task is left.
    pub(super) async fn finished(&self) {
        // The sender lives in `self`, so the only end of this is the wanted one.
        let _ = self.count.subscribe().wait_for(|count| *count == 0).await;
    }
}
