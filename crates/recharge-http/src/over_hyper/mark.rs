//! Leave to write: what ties a request to the bytes that a connection writes.
//!
//! - A [`Mark`] belongs to one request. It says whether a byte may have been written, and whether one
//!   still may.
//! - A [`Slot`] belongs to one connection. It holds the mark for which the connection may write. Empty
//!   at first: then it may write nothing.
//! - [`MarkedBody`] binds the two. The task that drives a connection takes a request out of its queue,
//!   asks the body for its length, because it can't write the head without, and only then writes. The
//!   body's answer is the moment of binding: on the connection's own task, before the first byte of
//!   this request, after the last of the one before. There is nothing to race with.
//! - A [`Ticket`] is the caller's end. Asking it for the certainty takes the leave away if nothing was
//!   written, so that the word stays true afterwards. Dropping it does the same.
//!
//! Should a later hyper not ask the body, nothing is bound and nothing is written: an error, never a
//! false "not sent".

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use http::{Extensions, Request};
use hyper::body::{Body, Frame, SizeHint};
use hyper_util::client::legacy::connect::{CaptureConnection, capture_connection};

use crate::Certainty;
use crate::exchange::is_past;

/// Nothing is written, and may be.
const UNWRITTEN: u8 = 0;
/// Bytes may have been written.
const WRITTEN: u8 = 1;
/// Nothing was written and nothing ever will be: the caller has gone or was told so.
const WITHDRAWN: u8 = 2;
/// Nothing was written and nothing ever will be: the deadline had passed.
const LATE: u8 = 3;

/// Whether a byte of one request may have been written, and whether one still may.
#[derive(Debug)]
pub(super) struct Mark {
    state: AtomicU8,
    send_before: Option<Instant>,
    slot: OnceLock<Weak<Slot>>,
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
        // The exchange decides against a ticket that is asked or dropped at this moment.
        let won = self
            .state
            .compare_exchange(UNWRITTEN, next, Ordering::AcqRel, Ordering::Acquire)
            .is_ok();
        (won && next == WRITTEN).then_some(Leave::First)
    }

    /// Gives back a leave for the first bytes: the socket took none.
    pub(super) fn give_back(&self) {
        self.state.store(UNWRITTEN, Ordering::Release);
    }

    /// Takes the leave away if nothing was written.
    fn withdraw(&self) -> Certainty {
        match self
            .state
            .compare_exchange(UNWRITTEN, WITHDRAWN, Ordering::AcqRel, Ordering::Acquire)
        {
            Ok(_) | Err(WITHDRAWN | LATE) => Certainty::NotSent,
            Err(_) => Certainty::MaybeSent,
        }
    }
}

/// The mark for which a connection may write.
#[derive(Debug, Default)]
pub(super) struct Slot(Mutex<Option<Arc<Mark>>>);

impl Slot {
    /// Makes `mark` the one for which this connection may write.
    pub(super) fn bind(self: &Arc<Self>, mark: &Arc<Mark>) {
        if mark.slot.set(Arc::downgrade(self)).is_ok() {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(mark));
        }
    }

    /// The mark that is bound, if any.
    pub(super) fn bound(&self) -> Option<Arc<Mark>> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Unbinds `mark`, unless the next request has come meanwhile.
    fn release(&self, mark: &Arc<Mark>) {
        let mut bound = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if bound.as_ref().is_some_and(|bound| Arc::ptr_eq(bound, mark)) {
            *bound = None;
        }
    }
}

/// The caller's end of a mark. Dropped, nothing more is begun for the request.
#[derive(Debug)]
pub(super) struct Ticket(Arc<Mark>);

impl Ticket {
    pub(super) fn new(send_before: Option<Instant>) -> Self {
        Self(Arc::new(Mark {
            state: AtomicU8::new(UNWRITTEN),
            send_before,
            slot: OnceLock::new(),
        }))
    }

    /// What is known now and stays true: after `NotSent` no byte will be written.
    pub(super) fn certainty(&self) -> Certainty {
        self.0.withdraw()
    }

    /// Whether the deadline refused the first byte.
    pub(super) fn was_late(&self) -> bool {
        self.0.state.load(Ordering::Acquire) == LATE
    }

    /// The same request with a body that binds the mark.
    pub(super) fn mark(&self, request: Request<Bytes>) -> Request<MarkedBody> {
        let mut request = request.map(|data| MarkedBody {
            data: (!data.is_empty()).then_some(data),
            mark: Arc::clone(&self.0),
            connection: None,
        });
        let connection = capture_connection(&mut request);
        request.body_mut().connection = Some(connection);
        request
    }

    #[cfg(test)]
    pub(super) fn shared(&self) -> &Arc<Mark> {
        &self.0
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.0.withdraw();
        if let Some(slot) = self.0.slot.get().and_then(Weak::upgrade) {
            slot.release(&self.0);
        }
    }
}

/// A whole body in one piece that binds its request's mark to the connection that asks for it.
#[derive(Debug)]
pub(super) struct MarkedBody {
    data: Option<Bytes>,
    mark: Arc<Mark>,
    connection: Option<CaptureConnection>,
}

impl MarkedBody {
    fn bind(&self) {
        if self.mark.slot.get().is_some() {
            return;
        }
        let Some(connection) = &self.connection else {
            return;
        };
        // hyper-util names the connection before it hands the request over.
        if let Some(connected) = connection.connection_metadata().as_ref() {
            let mut extras = Extensions::new();
            connected.get_extras(&mut extras);
            if let Some(slot) = extras.get::<Arc<Slot>>() {
                slot.bind(&self.mark);
            }
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
        self.bind();
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
    fn release_leaves_the_next_request_alone() {
        let slot = Arc::new(Slot::default());
        let first = Ticket::new(None);
        let second = Ticket::new(None);
        slot.bind(first.shared());
        slot.bind(second.shared());
        drop(first);
        let bound = slot.bound().unwrap();
        assert!(Arc::ptr_eq(&bound, second.shared()));
        drop(second);
        assert!(slot.bound().is_none());
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
