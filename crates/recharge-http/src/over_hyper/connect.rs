//! Connections: made within a time limit, and written to only through their [`Gate`].

use std::error::Error as StdError;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tower_service::Service;

use super::gate::Gate;
use super::pool::{Idle, Origin};
use crate::cause::kind_of;
use crate::exchange::{Gather, check_head, maybe_sent};
use crate::{TransportError, TransportErrorKind};

/// The head of an answer, its body still to come.
type Answer = Result<Response<Incoming>, TrySendError<Request<Full<Bytes>>>>;
type BoxError = Box<dyn StdError + Send + Sync>;
type Stream = MaybeHttpsStream<TokioIo<TcpStream>>;

/// Makes connections, TLS included, within a time limit.
#[derive(Clone)]
pub(super) struct Connector {
    inner: HttpsConnector<HttpConnector>,
    limit: Duration,
}

impl Connector {
    pub(super) fn new(limit: Duration, tls: ClientConfig) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let inner = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        Self { inner, limit }
    }

    /// A connection to there. On the way nothing of a request is written.
    pub(super) async fn connect(&self, origin: &Origin) -> Result<Carrier, BoxError> {
        let mut inner = self.inner.clone();
        let uri = origin.uri()?;
        let connecting = async {
            poll_fn(|cx| inner.poll_ready(cx)).await?;
            inner.call(uri).await
        };
        let Ok(connected) = timeout(self.limit, connecting).await else {
            let text = format!("no connection within {:?}", self.limit);
            return Err(io::Error::new(io::ErrorKind::TimedOut, text).into());
        };
        Ok(Carrier::new(origin.clone(), connected?).await?)
    }
}

/// A connection that carries requests, one after the other. A task of its own drives it.
pub(super) struct Carrier {
    origin: Origin,
    sender: SendRequest<Full<Bytes>>,
    gate: Arc<Gate>,
}

impl Carrier {
    async fn new(origin: Origin, stream: Stream) -> hyper::Result<Self> {
        let gate = Arc::new(Gate::new());
        let io = GatedIo {
            io: stream,
            was_used: false,
            gate: Arc::clone(&gate),
        };
        let (sender, connection) = handshake(io).await?;
        // How it ends is told to whoever waits for an answer or a body.
        tokio::spawn(async { drop(connection.await) });
        Ok(Self {
            origin,
            sender,
            gate,
        })
    }

    /// Where it leads.
    pub(super) const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Sends a request in its origin form, its first byte before that moment. The answer is to be read
    /// by [`answer`](Self::answer).
    pub(super) fn send(
        &mut self,
        request: Request<Full<Bytes>>,
        send_before: Option<Instant>,
    ) -> Pin<Box<dyn Future<Output = Answer> + Send>> {
        self.gate.open(send_before);
        // Boxed, because it has room for a request that is given back.
        Box::pin(self.sender.try_send_request(request))
    }

    /// Reads the whole answer. After a failure all that is left to do is [`fail`](Self::fail).
    pub(super) async fn answer(
        &self,
        coming: impl Future<Output = Answer>,
    ) -> Result<Response<Bytes>, Failure> {
        let answer = coming
            .await
            .map_err(|error| Failure::Unanswered(error.into_error()))?;
        let (mut head, mut body) = answer.into_parts();
        check_head(&head.headers)?;
        let mut gather = Gather::default();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| maybe_sent(kind_of(&error)).with_source(error))?;
            if let Ok(chunk) = frame.into_data() {
                gather.push(chunk)?;
            }
        }
        self.gate.shut();
        // They may hold the connection's own things, which stay here.
        head.extensions.clear();
        Ok(Response::from_parts(head, gather.finish()))
    }

    /// Ends the connection, and tells what its request came to.
    pub(super) fn fail(self, failure: Failure) -> TransportError {
        let was_late = self.gate.was_late();
        let because = |kind| TransportError::new(self.gate.settle(), kind);
        match failure {
            Failure::Answer(error) => error,
            Failure::OutOfTime => because(TransportErrorKind::Timeout),
            Failure::Unanswered(_) if was_late => because(TransportErrorKind::Deadline),
            Failure::Unanswered(error) => because(kind_of(&error)).with_source(error),
        }
    }
}

impl Idle for Box<Carrier> {
    fn is_ready(&self) -> bool {
        self.sender.is_ready()
    }

    fn is_over(&self) -> bool {
        self.sender.is_closed()
    }
}

impl Drop for Carrier {
    /// Its user has gone, maybe in the middle of an exchange: nothing more is written, whatever was.
    fn drop(&mut self) {
        self.gate.shut();
    }
}

/// Why an exchange came to nothing.
pub(super) enum Failure {
    /// No answer; the connection says why.
    Unanswered(hyper::Error),
    /// The answer can't be used, or not be read to its end.
    Answer(TransportError),
    /// The time for the whole exchange is up.
    OutOfTime,
}

impl From<TransportError> for Failure {
    fn from(error: TransportError) -> Self {
        Self::Answer(error)
    }
}

/// What a connection must know of its stream.
trait Wire {
    /// Whether a write that fails or has to wait has surely taken nothing. True of a socket; TLS may
    /// have passed on a part of what it was given.
    fn is_exact(&self) -> bool;

    /// Whether nothing waits to be read: neither bytes nor an end nor an error.
    fn is_quiet(&self) -> bool;
}

impl Wire for Stream {
    fn is_exact(&self) -> bool {
        matches!(self, Self::Http(_))
    }

    /// Asks the socket itself: what the runtime has noticed of it may be old.
    fn is_quiet(&self) -> bool {
        let socket = match self {
            Self::Http(tcp) => tcp.inner(),
            Self::Https(tls) => tls.inner().get_ref().0.inner().inner(),
        };
        let peeked = SockRef::from(socket).peek(&mut [MaybeUninit::uninit()]);
        peeked.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }
}

/// A stream that is written to only through a gate. It stands above TLS: the bytes of a handshake are
/// no bytes of a request.
struct GatedIo<T> {
    io: T,
    gate: Arc<Gate>,
    /// Whether a request has been written before.
    was_used: bool,
}

impl<T: Wire> GatedIo<T> {
    /// Writes if there is leave, and a request only begins where nothing waits to be read: what came
    /// before a request is no answer to it, and after an end comes none.
    fn with_leave(
        &mut self,
        write: impl FnOnce(&mut T) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        let exact = self.io.is_exact();
        // After a handshake of TLS a server may have sent tickets.
        let may_ask = exact || self.was_used;
        if self.gate.is_before_first() && may_ask && !self.io.is_quiet() {
            self.gate.shut();
            let text = "the connection ended or spoke before the request";
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::NotConnected, text)));
        }
        self.was_used = true;
        self.gate.pass(exact, || write(&mut self.io))
    }
}

impl<T: Read + Unpin> Read for GatedIo<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl<T: Write + Wire + Unpin> Write for GatedIo<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.with_leave(|io| Pin::new(io).poll_write(cx, buf))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.with_leave(|io| Pin::new(io).poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;
    use crate::Certainty;
    use crate::testing::{serve_tls, trusting};

    /// Takes all that is written to it, and can't be flushed or shut down.
    #[derive(Default)]
    struct Taker {
        taken: usize,
        is_exact: bool,
        has_something_to_read: bool,
    }

    impl Wire for Taker {
        fn is_exact(&self) -> bool {
            self.is_exact
        }

        fn is_quiet(&self) -> bool {
            !self.has_something_to_read
        }
    }

    fn gated(is_exact: bool) -> GatedIo<Taker> {
        GatedIo {
            io: Taker {
                is_exact,
                ..Taker::default()
            },
            gate: Arc::new(Gate::new()),
            was_used: false,
        }
    }

    fn write(io: &mut GatedIo<Taker>, is_vectored: bool) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        let io = Pin::new(io);
        let written = if is_vectored {
            io.poll_write_vectored(&mut cx, &[IoSlice::new(b"ab")])
        } else {
            io.poll_write(&mut cx, b"ab")
        };
        matches!(written, Poll::Ready(Ok(2)))
    }

    impl Write for Taker {
        fn poll_write(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buf: &[u8],
        ) -> Poll<io::Result<usize>> {
            self.taken += buf.len();
            Poll::Ready(Ok(buf.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Err(io::ErrorKind::Unsupported.into()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Err(io::ErrorKind::Unsupported.into()))
        }
    }

    #[test]
    fn whatever_way_it_writes_a_connection_needs_leave() {
        for is_vectored in [true, false] {
            let mut io = gated(true);
            assert!(!write(&mut io, is_vectored) && io.io.taken == 0);
            io.gate.open(None);
            assert!(write(&mut io, is_vectored) && io.io.taken == 2);
            assert_eq!(io.gate.settle(), Certainty::MaybeSent);
        }
    }

    /// See `with_leave`. An answer may come while the rest of a large request is still written.
    #[test]
    fn a_request_begins_only_where_nothing_waits_to_be_read() {
        for is_exact in [true, false] {
            let mut io = gated(is_exact);
            io.io.has_something_to_read = true;
            io.gate.open(None);
            assert_eq!(
                write(&mut io, false),
                !is_exact,
                "after a handshake there may be tickets"
            );

            let mut io = gated(is_exact);
            io.gate.open(None);
            assert!(write(&mut io, false));
            io.io.has_something_to_read = true;
            assert!(write(&mut io, false), "the request is under way");
            io.gate.open(None);
            assert!(!write(&mut io, true) && io.io.taken == 4);
            assert_eq!(io.gate.settle(), Certainty::NotSent);
            io.io.has_something_to_read = false;
            assert!(!write(&mut io, false), "it stays so");
        }
    }

    #[test]
    fn flushing_and_shutting_down_reach_the_stream() {
        let mut io = gated(false);
        let mut cx = Context::from_waker(Waker::noop());
        let flushed = Pin::new(&mut io).poll_flush(&mut cx);
        let ended = Pin::new(&mut io).poll_shutdown(&mut cx);
        for told in [flushed, ended] {
            let told = told.map_err(|error| error.kind());
            assert_eq!(told, Poll::Ready(Err(io::ErrorKind::Unsupported)));
        }
    }

    #[tokio::test]
    async fn a_socket_tells_exactly_what_it_took_and_tls_does_not() {
        let (url, _requests) = serve_tls(0);
        for (url, exact) in [(url.replace("https:", "http:"), true), (url, false)] {
            let mut connector = Connector::new(Duration::from_secs(10), trusting()).inner;
            let stream = connector.call(url.parse().unwrap()).await.unwrap();
            assert_eq!(stream.is_exact(), exact, "{url}");
        }
    }
}
