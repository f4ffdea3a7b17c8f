//! Leave to write: what ties a request to the bytes that its connection writes.
//!
//! A connection has written bytes before, so a count of its bytes says nothing about one request, and a
//! count taken "before" may be taken too late: the connection writes in a task of its own as soon as it
//! has the request. So each connection writes through a gate. It carries one request at a time, and the
//! gate is shut between two; opened for a request, it remembers whether a byte may have gone through.
//! Whoever is told "not sent" shuts the gate with the question, so that the word stays true.
//!
//! Asking and writing hold the same lock, so there is nothing to race with.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Instant;

use crate::Certainty;
use crate::exchange::is_past;

/// What may pass, and what has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing may be written.
    Shut,
    /// Nothing of the request is written, and all of it may be, if it begins before the deadline.
    Open(Option<Instant>),
    /// Bytes of the request may have been written, and more may be.
    Written,
    /// The deadline had passed before the first byte: nothing was written, and nothing may be.
    Late,
}

/// What one connection may write.
#[derive(Debug)]
pub(super) struct Gate(Mutex<State>);

impl Gate {
    /// A shut one.
    pub(super) fn new() -> Self {
        Self(Mutex::new(State::Shut))
    }

    /// Lets one request through, if its first byte goes before that moment.
    pub(super) fn open(&self, send_before: Option<Instant>) {
        *self.state() = State::Open(send_before);
    }

    /// Lets nothing through any more.
    pub(super) fn shut(&self) {
        *self.state() = State::Shut;
    }

    /// Whether bytes of the request may have gone through. If not, none will.
    pub(super) fn settle(&self) -> Certainty {
        let mut state = self.state();
        match *state {
            State::Written => Certainty::MaybeSent,
            State::Open(_) => {
                *state = State::Shut;
                Certainty::NotSent
            }
            State::Shut | State::Late => Certainty::NotSent,
        }
    }

    /// Whether the deadline refused the first byte.
    pub(super) fn was_late(&self) -> bool {
        *self.state() == State::Late
    }

    /// Whether the first byte of a request is still to come.
    pub(super) fn is_before_first(&self) -> bool {
        matches!(*self.state(), State::Open(_))
    }

    /// Writes with `write` if the gate is open. `exact`: a write that fails or has to wait has surely
    /// taken nothing.
    pub(super) fn pass(
        &self,
        exact: bool,
        write: impl FnOnce() -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        let mut state = self.state();
        match *state {
            State::Open(send_before) if is_past(send_before) => *state = State::Late,
            open @ State::Open(_) => {
                // First, and taken back: a write that panics may have taken something.
                *state = State::Written;
                let written = write();
                if exact && !matches!(written, Poll::Ready(Ok(1..))) {
                    *state = open;
                }
                return written;
            }
            State::Written => return write(),
            State::Shut | State::Late => {}
        }
        Poll::Ready(Err(io::Error::other("no leave to write")))
    }

    /// A panic in between leaves no state half changed: each change is one assignment, and a write is
    /// counted before it begins.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    fn taken(bytes: usize) -> impl FnOnce() -> Poll<io::Result<usize>> {
        move || Poll::Ready(Ok(bytes))
    }

    fn reset() -> Poll<io::Result<usize>> {
        Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()))
    }

    fn refused(gate: &Gate) -> bool {
        let mut was_called = false;
        let passed = gate.pass(true, || {
            was_called = true;
            Poll::Pending
        });
        matches!(passed, Poll::Ready(Err(_))) && !was_called
    }

    #[test]
    fn a_shut_gate_lets_nothing_through() {
        let gate = Gate::new();
        assert!(refused(&gate));
        gate.open(None);
        gate.shut();
        assert!(refused(&gate));
        assert_eq!(gate.settle(), Certainty::NotSent);
    }

    #[test]
    fn bytes_of_the_request_before_do_not_count_and_ones_own_do() {
        let gate = Gate::new();
        for _ in 0..2 {
            gate.open(None);
            assert!(matches!(gate.pass(true, taken(14)), Poll::Ready(Ok(14))));
            assert_eq!(gate.settle(), Certainty::MaybeSent);
            gate.shut();
        }
    }

    #[test]
    fn after_not_sent_nothing_is_written() {
        let gate = Gate::new();
        gate.open(None);
        assert!(gate.pass(true, || Poll::Pending).is_pending());
        assert_eq!(gate.settle(), Certainty::NotSent);
        assert!(refused(&gate), "a write that waited comes too late");
        assert_eq!(gate.settle(), Certainty::NotSent);
    }

    #[test]
    fn a_race_for_the_first_byte_has_one_winner() {
        for _ in 0..2_000 {
            let gate = std::sync::Arc::new(Gate::new());
            gate.open(None);
            let other = std::sync::Arc::clone(&gate);
            let writer = std::thread::spawn(move || other.pass(true, taken(1)));
            let certainty = gate.settle();
            let refused = matches!(writer.join().unwrap(), Poll::Ready(Err(_)));
            assert_eq!(certainty == Certainty::NotSent, refused);
        }
    }

    #[test]
    fn a_socket_that_takes_nothing_leaves_the_request_unsent() {
        for nothing in [|| Poll::Pending, reset, || Poll::Ready(Ok(0))] {
            let gate = Gate::new();
            gate.open(None);
            let _ = gate.pass(true, nothing);
            assert_eq!(*gate.state(), State::Open(None));
            assert!(matches!(gate.pass(true, taken(1)), Poll::Ready(Ok(1))));
            // A part of the request is out: a later failure changes nothing.
            let _ = gate.pass(true, reset);
            assert_eq!(gate.settle(), Certainty::MaybeSent);
        }
    }

    #[test]
    fn what_tls_was_given_counts_as_written() {
        let gate = Gate::new();
        gate.open(None);
        let _ = gate.pass(false, reset);
        assert_eq!(gate.settle(), Certainty::MaybeSent);
    }

    #[test]
    fn a_write_that_panics_may_have_taken_something() {
        for exact in [true, false] {
            let gate = Gate::new();
            gate.open(None);
            let write = || gate.pass(exact, || panic!("in the middle of a write"));
            assert!(catch_unwind(AssertUnwindSafe(write)).is_err());
            assert_eq!(gate.settle(), Certainty::MaybeSent);
        }
    }

    #[test]
    fn past_the_deadline_the_first_byte_is_refused_and_only_the_first() {
        let gate = Gate::new();
        let past = Instant::now();
        while Instant::now() <= past {}
        gate.open(Some(past));
        assert!(!gate.was_late());
        assert!(refused(&gate) && refused(&gate));
        assert!(gate.was_late());
        assert_eq!(gate.settle(), Certainty::NotSent);

        *gate.state() = State::Open(Some(Instant::now() + std::time::Duration::from_hours(1)));
        assert!(matches!(gate.pass(true, taken(1)), Poll::Ready(Ok(1))));
        assert!(!gate.was_late());
        assert!(matches!(gate.pass(true, taken(1)), Poll::Ready(Ok(1))));
    }
}
