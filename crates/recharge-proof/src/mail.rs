//! Packets under way: requests towards an upstream, and what comes back.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use recharge_http::{Certainty, MAX_ANSWER, TransportError, TransportErrorKind};
use recharge_sim::{Delivery, Reply, Request, Upstream};
use tokio::sync::oneshot;

/// What a transport gives.
pub(crate) type Answer = Result<http::Response<Bytes>, TransportError>;

/// Something on its way.
pub(crate) enum Packet {
    /// A request, towards an upstream.
    Request {
        upstream: Upstream,
        request: Request,
        /// How long its answer travels; `None`: it gets lost.
        back: Option<Duration>,
        tell: oneshot::Sender<Answer>,
    },
    /// An answer, towards whoever may have gone.
    Answer(oneshot::Sender<Answer>, Answer),
}

/// All that is under way.
#[derive(Default)]
pub(crate) struct Mail {
    packets: BTreeMap<(Duration, u64), Packet>,
    posted: u64,
}

impl Mail {
    pub(crate) fn post(&mut self, at: Duration, packet: Packet) {
        self.posted += 1;
        self.packets.insert((at, self.posted), packet);
    }

    pub(crate) fn next(&self) -> Option<Duration> {
        self.packets.keys().next().map(|(at, _)| *at)
    }

    /// The next one that has arrived by now.
    pub(crate) fn arrived(&mut self, now: Duration) -> Option<Packet> {
        let first = self.packets.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }
}

/// How a reply reaches the client: how long it takes beyond its way, and what is got of it.
pub(crate) fn delivered(reply: Reply) -> (Duration, Answer) {
    match reply.delivery {
        Delivery::Whole => (Duration::ZERO, whole(reply)),
        Delivery::Late(wait) => (wait, whole(reply)),
        Delivery::CutOff(_) | Delivery::Reset => (Duration::ZERO, closed()),
        Delivery::Silence(wait) => (wait, closed()),
        Delivery::Drip(piece, gap) => {
            let pieces = u32::try_from(reply.body.len() / piece.max(1)).unwrap_or(u32::MAX);
            (gap.saturating_mul(pieces), whole(reply))
        }
    }
}

/// No answer, and nobody knows what became of the request.
pub(crate) fn closed() -> Answer {
    Err(TransportError::new(
        Certainty::MaybeSent,
        TransportErrorKind::Closed,
    ))
}

/// An answer for a trace.
pub(crate) fn shown(answer: &Answer) -> String {
    match answer {
        Ok(response) => {
            let body = String::from_utf8_lossy(response.body());
            format!("{} {:.120}", response.status().as_u16(), body)
        }
        Err(error) => error.to_string(),
    }
}

fn whole(reply: Reply) -> Answer {
    if reply.body.len() > MAX_ANSWER {
        return Err(TransportError::new(
            Certainty::MaybeSent,
            TransportErrorKind::TooLarge,
        ));
    }
    http::Response::builder()
        .status(reply.status)
        .header(http::header::CONTENT_TYPE, reply.content_type)
        .body(Bytes::from(reply.body))
        .map_err(|_| TransportError::new(Certainty::MaybeSent, TransportErrorKind::Protocol))
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail")
            .field("packets", &self.packets.len())
            .finish_non_exhaustive()
    }
}
