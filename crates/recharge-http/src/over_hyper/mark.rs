//! Leave to write: what ties a request to the bytes that a connection writes.
//!
//! - A [`Mark`] belongs to one request. It says whether a byte may have been written, and whether one
//!   still may.
//! - A [`Slot`] belongs to the task that drives one connection, as [`SlottedTasks`] start it. It holds
//!   the mark for which the connection may write. Empty at first: then it may write nothing.
//! - [`MarkedBody`] binds the two. The task takes a request out of its queue, asks the body for its
//!   length, because it can't write the head without, and only then writes. The body's answer is the
//!   moment of binding: in the connection's own task, before the first byte of this request, after the
//!   last of the one before. There is nothing to race with.
//! - A [`Ticket`] is the caller's end. Asking it for the certainty takes the leave away if nothing was
//!   written, so that the word stays true afterwards. Dropping it ends all leave.
//!
//! Should a later hyper not ask the body, or drive a connection elsewhere, nothing is bound and nothing
//! is written: an error, never a false "not sent".

use std::cell::Cell;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use http::Request;
use hyper::body::{Body, Frame, SizeHint};
use hyper::rt::Executor;

use crate::Certainty;
use crate::exchange::is_past;

/// Nothing is written, and may be.
const UNWRITTEN: u8 = 0;
/// Bytes may have been written, and more may be.
const WRITTEN: u8 = 1;
/// Nothing was written and nothing ever will be: the caller was told so.
const WITHDRAWN: u8 = 2;
/// Nothing was written and nothing ever will be: the deadline had passed.
const LATE: u8 = 3;
/// The caller has gone. Nothing more is written, whatever was.
const ENDED: u8 = 4;

/// Whether a byte of one request may have been written, and whether one still may.
#[derive(Debug)]
pub(super) struct Mark {
    state: AtomicU8,
    send_before: Option<Instant>,
}

/// The leave that a connection got for one write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leave {
    /// For the first bytes.
    First,
    /// For more of a request that is under way.
    More,
}

impl Mark {
    /// Asks for leave to write. From a leave for the first bytes on, the request counts as written.
    /// None: nothing may be written any more.
    pub(super) fn ask(&self) -> Option<Leave> {
        let next = match self.state.load(Ordering::Acquire) {
            WRITTEN => return Some(Leave::More),
            UNWRITTEN if is_past(self.send_before) => LATE,
            UNWRITTEN => WRITTEN,
            _ => return None,
        };
        // Of this and a ticket that is asked or dropped at this moment, one wins.
        (self.change(UNWRITTEN, next).is_ok() && next == WRITTEN).then_some(Leave::First)
    }

    /// Gives back a leave for the first bytes: the socket took none.
    pub(super) fn give_back(&self) {
        // If the caller has gone meanwhile, it stays so.
        let _ended = self.change(WRITTEN, UNWRITTEN);
    }

    fn change(&self, from: u8, to: u8) -> Result<u8, u8> {
        self.state
            .compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire)
    }
}

/// The caller's end of a mark. Dropped, nothing more is written for the request.
#[derive(Debug)]
pub(super) struct Ticket(Arc<Mark>);

impl Ticket {
    pub(super) fn new(send_before: Option<Instant>) -> Self {
        Self(Arc::new(Mark {
            state: AtomicU8::new(UNWRITTEN),
            send_before,
        }))
    }

    /// What is known now and stays true: after `NotSent` no byte will be written.
    pub(super) fn certainty(&self) -> Certainty {
        match self.0.change(UNWRITTEN, WITHDRAWN) {
            Ok(_) | Err(WITHDRAWN | LATE) => Certainty::NotSent,
            Err(_) => Certainty::MaybeSent,
        }
    }

    /// Whether the deadline refused the first byte.
    pub(super) fn was_late(&self) -> bool {
        self.0.state.load(Ordering::Acquire) == LATE
    }

    /// The same request with a body that binds the mark.
    pub(super) fn mark(&self, request: Request<Bytes>) -> Request<MarkedBody> {
        request.map(|data| MarkedBody {
            data: (!data.is_empty()).then_some(data),
            mark: Cell::new(Some(Arc::clone(&self.0))),
        })
    }

    #[cfg(test)]
    pub(super) fn shared(&self) -> &Arc<Mark> {
        &self.0
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.0.state.store(ENDED, Ordering::Release);
    }
}

tokio::task_local! {
    /// The slot of the connection that this task drives.
    pub(super) static SLOT: Slot;
}

/// The mark for which a connection may write.
#[derive(Default)]
pub(super) struct Slot(Cell<Option<Arc<Mark>>>);

impl Slot {
    /// Makes `mark` the one for which this task's connection may write.
    pub(super) fn bind(&self, mark: Arc<Mark>) {
        self.0.set(Some(mark));
    }

    /// The mark that is bound, if any.
    pub(super) fn bound(&self) -> Option<Arc<Mark>> {
        let mark = self.0.take();
        self.0.set(mark.clone());
        mark
    }
}

/// Starts hyper-util's tasks on Tokio, each with a slot. One task drives one connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct SlottedTasks;

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for SlottedTasks {
    fn execute(&self, task: F) {
        tokio::spawn(SLOT.scope(Slot::default(), task));
    }
}

/// A whole body in one piece that binds its request's mark to the connection that asks for its length.
pub(super) struct MarkedBody {
    data: Option<Bytes>,
    mark: Cell<Option<Arc<Mark>>>,
}

impl MarkedBody {
    /// Binds the mark when asked in the task of a connection, the first time.
    fn bind(&self) {
        if let Some(mark) = self.mark.take() {
            let mut mark = Some(mark);
            let _no_slot = SLOT.try_with(|slot| {
                if let Some(mark) = mark.take() {
                    slot.bind(mark);
                }
            });
            // Asked elsewhere, it waits for the connection.
            self.mark.set(mark);
        }
    }
}

impl Body for MarkedBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.data.take().map(|data| Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.bind();
        self.data.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        self.bind();
        SizeHint::with_exact(self.data.as_ref().map_or(0, |data| data.len() as u64))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn leave_is_given_once_for_the_first_bytes() {
        let ticket = Ticket::new(None);
        let mark = ticket.shared();
        assert_eq!(mark.ask(), Some(Leave::First));
        assert_eq!(mark.ask(), Some(Leave::More));
        assert_eq!(ticket.certainty(), Certainty::MaybeSent);
        assert_eq!(
            mark.ask(),
            Some(Leave::More),
            "an order under way is not cut off"
        );
    }

    #[test]
    fn after_not_sent_nothing_may_be_written() {
        let ticket = Ticket::new(None);
        assert_eq!(ticket.certainty(), Certainty::NotSent);
        assert_eq!(ticket.shared().ask(), None);
        assert_eq!(ticket.certainty(), Certainty::NotSent);
    }

    #[test]
    fn a_leave_given_back_counts_as_not_sent() {
        let ticket = Ticket::new(None);
        assert_eq!(ticket.shared().ask(), Some(Leave::First));
        ticket.shared().give_back();
        assert_eq!(ticket.certainty(), Certainty::NotSent);
    }

    #[test]
    fn a_dropped_caller_takes_the_leave_away() {
        let ticket = Ticket::new(None);
        let mark = Arc::clone(ticket.shared());
        drop(ticket);
        assert_eq!(mark.ask(), None);
    }

    #[test]
    fn past_the_deadline_nothing_may_be_written() {
        let at = Instant::now();
        while Instant::now() <= at {}
        let ticket = Ticket::new(Some(at));
        assert!(!ticket.was_late());
        assert_eq!(ticket.shared().ask(), None);
        assert!(ticket.was_late());
        assert_eq!(ticket.certainty(), Certainty::NotSent);
    }

    #[test]
    fn a_deadline_is_for_the_first_byte_only() {
        let at = Instant::now() + Duration::from_millis(5);
        let ticket = Ticket::new(Some(at));
        let Some(Leave::First) = ticket.shared().ask() else {
            // The machine slept past the deadline: then it must have been refused for that.
            assert!(ticket.was_late());
            return;
        };
        while Instant::now() <= at {}
        assert_eq!(ticket.shared().ask(), Some(Leave::More));
    }

    #[test]
    fn a_body_binds_in_the_task_of_a_connection_and_nowhere_else() {
        let ticket = Ticket::new(None);
        let request = ticket.mark(Request::new(Bytes::from("body")));
        assert!(
            !request.body().is_end_stream(),
            "asked outside of any connection"
        );
        SLOT.sync_scope(Slot::default(), || {
            assert!(SLOT.with(Slot::bound).is_none());
            assert_eq!(request.body().size_hint().exact(), Some(4));
            let bound = SLOT.with(Slot::bound).unwrap();
            assert!(Arc::ptr_eq(&bound, ticket.shared()));

            let next = Ticket::new(None);
            assert!(next.mark(Request::new(Bytes::new())).body().is_end_stream());
            assert!(!request.body().is_end_stream(), "asked once more, too late");
            let bound = SLOT.with(Slot::bound).unwrap();
            assert!(Arc::ptr_eq(&bound, next.shared()));
        });
    }

    #[test]
    fn a_leave_given_back_after_the_caller_left_is_no_new_leave() {
        let ticket = Ticket::new(None);
        let mark = Arc::clone(ticket.shared());
        assert_eq!(mark.ask(), Some(Leave::First));
        drop(ticket);
        mark.give_back();
        assert_eq!(mark.ask(), None);
    }

    #[test]
    fn a_race_for_the_first_byte_has_one_winner() {
        for _ in 0..2_000 {
            let ticket = Ticket::new(None);
            let mark = Arc::clone(ticket.shared());
            let writer = std::thread::spawn(move || mark.ask());
            let certainty = ticket.certainty();
            let leave = writer.join().unwrap();
            assert_eq!(certainty == Certainty::NotSent, leave.is_none());
        }
    }
}
