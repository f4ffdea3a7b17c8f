//! What waits for the writer, and how much of it goes into one transaction.

use std::sync::mpsc::Receiver;
use std::thread;
use std::time::Duration;

use super::writer::Request;

/// How many requests one transaction takes. More gain nothing and make the first one wait.
pub(super) const MOST: usize = 512;

/// How many transactions pass without waiting after it was in vain.
const PASS: u32 = 16;

pub(super) type Requests = Vec<Box<dyn Request>>;

/// The requests that wait.
pub(super) struct Queue {
    pub(super) waiting: Receiver<Box<dyn Request>>,
    /// The next one, which has a transaction of its own.
    pub(super) alone: Option<Box<dyn Request>>,
}

impl Queue {
    /// What goes into the next transaction; `None` when nobody can ask for anything any more.
    pub(super) fn next(&mut self, pace: &mut Pace) -> Option<Requests> {
        let first = self.alone.take().or_else(|| self.waiting.recv().ok())?;
        let alone = first.alone();
        let mut batch = vec![first];
        if !alone {
            self.fill(&mut batch);
            self.linger(&mut batch, pace);
        }
        Some(batch)
    }

    fn fill(&mut self, batch: &mut Requests) {
        while batch.len() < MOST
            && self.alone.is_none()
            && let Ok(request) = self.waiting.try_recv()
        {
            if request.alone() {
                self.alone = Some(request);
            } else {
                batch.push(request);
            }
        }
    }

    /// Those who were answered just now are likely to be back at once. Without a short wait for them the
    /// callers fall into two halves that take turns, with twice as many syncs. The wait is a quarter of
    /// what a transaction takes at most, and none when they didn't come back lately.
    fn linger(&mut self, batch: &mut Requests, pace: &mut Pace) {
        if pace.pass > 0 || pace.answered < 2 {
            pace.pass = pace.pass.saturating_sub(1);
            return;
        }
        let before = batch.len();
        let expected = before.saturating_add(pace.answered).min(MOST);
        for _ in 0..4 {
            if batch.len() >= expected || self.alone.is_some() {
                break;
            }
            thread::sleep(pace.took / 16);
            self.fill(batch);
        }
        let back = batch.len() - before;
        if expected < MOST && back * 4 < pace.answered {
            pace.pass = PASS;
        }
    }
}

/// How the last transaction went.
#[derive(Debug, Default)]
pub(super) struct Pace {
    answered: usize,
    took: Duration,
    /// How many transactions are still to pass without waiting.
    pass: u32,
}

impl Pace {
    /// A transaction answered so many and took so long.
    pub(super) fn took(&mut self, answered: usize, took: Duration) {
        self.answered = answered;
        // A stall of the disk is no measure.
        self.took = took.min(Duration::from_millis(8));
    }
}
