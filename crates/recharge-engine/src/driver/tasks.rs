//! The tasks of a driver: counted, so that a stop can wait for them.

use std::future::Future;
use std::sync::Arc;

use tokio::sync::{oneshot, watch};

/// Counts tasks.
#[derive(Debug, Clone)]
pub(super) struct Tasks(Arc<watch::Sender<usize>>);

/// One counted task. Dropped, even by a panic, it no longer counts.
struct Counted(Arc<watch::Sender<usize>>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

impl Tasks {
    pub(super) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(0)))
    }

    /// Runs a task that nobody waits for.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let counted = self.count();
        tokio::spawn(async move {
            let _counted = counted;
            task.await;
        });
    }

    /// Runs a task whose outcome somebody wants, who may go away. `None` if it was never finished.
    pub(super) fn detached<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
        &self,
        task: F,
    ) -> impl Future<Output = Option<T>> + use<T, F> {
        let (tell, told) = oneshot::channel();
        self.spawn(async move {
            // Whoever asked may have gone; the work is done all the same.
            let _ = tell.send(task.await);
        });
        async move { told.await.ok() }
    }

    fn count(&self) -> Counted {
        self.0.send_modify(|count| *count += 1);
        Counted(self.0.clone())
    }

    /// Waits until no task is left.
    pub(super) async fn finished(&self) {
        // The sender lives in `self`, so the only end of this is the wanted one.
        let _ = self.0.subscribe().wait_for(|count| *count == 0).await;
    }
}
