//! What tasks wait for, and where they run.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use recharge_engine::driver::{Spawn, Task};

use super::{Executor, Process};

/// A process as a place for tasks to run.
#[derive(Debug, Clone)]
pub(crate) struct In(pub(crate) Executor, pub(crate) Process);

impl Spawn for In {
    fn spawn(&self, task: Task) {
        self.0.spawn(self.1, task);
    }
}

/// Waits for a time.
pub(crate) struct Sleep {
    pub(super) executor: Executor,
    pub(super) process: Process,
    pub(super) until: Duration,
    pub(super) timer: Option<(Duration, u64)>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.cancel();
        let left = self
            .until
            .saturating_sub(self.executor.monotonic(self.process));
        if left.is_zero() {
            return Poll::Ready(());
        }
        let at = self.executor.now().saturating_add(left);
        self.timer = Some(self.executor.set_timer(at, context.waker().clone()));
        Poll::Pending
    }
}

impl Sleep {
    fn cancel(&mut self) {
        if let Some(key) = self.timer.take() {
            self.executor.state().timers.remove(&key);
        }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.cancel();
    }
}

/// Pending once.
pub(crate) struct Yielded(pub(super) bool);

impl Future for Yielded {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.0 {
            return Poll::Ready(());
        }
        self.0 = true;
        context.waker().wake_by_ref();
        Poll::Pending
    }
}
