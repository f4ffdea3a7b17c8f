//! Transports for tests of code that sends: scripted, recording and never answering.
//!
//! ```
//! # use recharge_http::fake::{RecordingTransport, Reply, ScriptedTransport};
//! # use recharge_http::{Certainty, Transport, TransportErrorKind};
//! # use bytes::Bytes;
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let transport = RecordingTransport::new(ScriptedTransport::new([
//!     Reply::text(200, r#"{"error_code":0}"#),
//!     Reply::Error(Certainty::MaybeSent, TransportErrorKind::Closed),
//! ]));
//! let request = http::Request::get("http://upstream.test/status").body(Bytes::new())?;
//! assert_eq!(transport.send(request.clone()).await?.status(), 200);
//! let error = transport.send(request).await.unwrap_err();
//! assert_eq!(error.certainty(), Certainty::MaybeSent);
//! assert_eq!(transport.requests().len(), 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! # Ok::<(), std::io::Error>(())
//! ```

use std::collections::VecDeque;
use std::fmt;
use std::future::pending;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response, StatusCode};

use crate::{Certainty, Transport, TransportError, TransportErrorKind};

/// The result of an exchange.
pub type Exchange = Result<Response<Bytes>, TransportError>;

/// A reply made from the request.
pub type ReplyFn = Box<dyn FnOnce(&Request<Bytes>) -> Exchange + Send>;

/// What a [`ScriptedTransport`] does with one request.
pub enum Reply {
    /// Answers.
    Response(Response<Bytes>),
    /// Fails.
    Error(Certainty, TransportErrorKind),
    /// Never answers: the future stays pending.
    Never,
    /// Answers or fails as the request says.
    With(ReplyFn),
}

impl Reply {
    /// An answer with this status and body. A status that HTTP doesn't know becomes 500.
    pub fn text(status: u16, body: impl Into<Bytes>) -> Self {
        let mut response = Response::new(body.into());
        *response.status_mut() =
            StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self::Response(response)
    }

    /// An answer made from the request.
    pub fn with(reply: impl FnOnce(&Request<Bytes>) -> Exchange + Send + 'static) -> Self {
        Self::With(Box::new(reply))
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Response(response) => write!(f, "Response({})", response.status()),
            Self::Error(certainty, kind) => write!(f, "Error({certainty:?}, {kind:?})"),
            Self::Never => f.write_str("Never"),
            Self::With(_) => f.write_str("With"),
        }
    }
}

/// Replies in the order given. With none left, every request fails as not sent, kind `Other`, and the
/// cause says so.
#[derive(Debug)]
pub struct ScriptedTransport {
    replies: Mutex<VecDeque<Reply>>,
}

impl ScriptedTransport {
    /// A transport with these replies.
    pub fn new(replies: impl IntoIterator<Item = Reply>) -> Self {
        Self {
            replies: Mutex::new(replies.into_iter().collect()),
        }
    }

    /// How many replies are left.
    pub fn remaining(&self) -> usize {
        lock(&self.replies).len()
    }
}

#[async_trait]
impl Transport for ScriptedTransport {
    async fn send(&self, request: Request<Bytes>) -> Exchange {
        let reply = lock(&self.replies).pop_front();
        match reply {
            Some(Reply::Response(response)) => Ok(response),
            Some(Reply::Error(certainty, kind)) => Err(TransportError::new(certainty, kind)),
            Some(Reply::Never) => pending().await,
            Some(Reply::With(reply)) => reply(&request),
            None => Err(
                TransportError::new(Certainty::NotSent, TransportErrorKind::Other)
                    .with_source("the script has no reply left"),
            ),
        }
    }
}

/// Keeps every request and passes it on.
pub struct RecordingTransport<T> {
    inner: T,
    requests: Mutex<Vec<Request<Bytes>>>,
}

impl<T> RecordingTransport<T> {
    /// Records what goes to `inner`.
    pub const fn new(inner: T) -> Self {
        Self {
            inner,
            requests: Mutex::new(Vec::new()),
        }
    }

    /// The requests so far, oldest first. Recorded before they are passed on, so that one whose future
    /// was dropped is among them.
    pub fn requests(&self) -> Vec<Request<Bytes>> {
        lock(&self.requests).clone()
    }

    /// The transport that the requests go to.
    pub const fn inner(&self) -> &T {
        &self.inner
    }
}

impl<T: fmt::Debug> fmt::Debug for RecordingTransport<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The requests hold keys: their number must do.
        f.debug_struct("RecordingTransport")
            .field("inner", &self.inner)
            .field("requests", &lock(&self.requests).len())
            .finish()
    }
}

#[async_trait]
impl<T: Transport> Transport for RecordingTransport<T> {
    async fn send(&self, request: Request<Bytes>) -> Exchange {
        lock(&self.requests).push(request.clone());
        self.inner.send(request).await
    }
}

/// Never answers anything.
#[derive(Debug, Clone, Copy, Default)]
pub struct NeverTransport;

#[async_trait]
impl Transport for NeverTransport {
    async fn send(&self, _request: Request<Bytes>) -> Exchange {
        pending().await
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn request() -> Request<Bytes> {
        Request::post("http://upstream.test/?key=CANARY")
            .body(Bytes::from("CANARY"))
            .unwrap()
    }

    fn poll(transport: &dyn Transport) -> Poll<Exchange> {
        transport
            .send(request())
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn replies_come_in_order_and_an_empty_script_says_so() {
        let script = ScriptedTransport::new([
            Reply::text(503, "busy"),
            Reply::Never,
            Reply::with(|request| Ok(Response::new(request.body().clone()))),
        ]);
        let Poll::Ready(Ok(busy)) = poll(&script) else {
            panic!("the first reply is an answer")
        };
        assert_eq!(
            (busy.status().as_u16(), busy.body().as_ref()),
            (503, &b"busy"[..])
        );
        assert!(poll(&script).is_pending());
        assert!(matches!(poll(&script), Poll::Ready(Ok(echo)) if echo.body() == "CANARY"));
        assert_eq!(script.remaining(), 0);
        assert!(matches!(
            poll(&script),
            Poll::Ready(Err(error)) if error.certainty() == Certainty::NotSent
        ));
    }

    #[test]
    fn a_dropped_request_is_on_record_and_debug_shows_none_of_it() {
        let transport = RecordingTransport::new(NeverTransport);
        assert!(poll(&transport).is_pending());
        let requests = transport.requests();
        assert_eq!(requests.len(), 1);
        assert_eq!(requests[0].body(), "CANARY");
        assert!(!format!("{transport:?}").contains("CANARY"));
        let script = ScriptedTransport::new([Reply::text(200, "CANARY")]);
        assert!(!format!("{script:?}").contains("CANARY"));
    }
}
