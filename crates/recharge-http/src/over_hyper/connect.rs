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
use http::{Request, Response, Uri};
use http_body_util::{BodyExt, Full};
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
use super::pool::Idle;
use crate::cause::kind_of;
use crate::exchange::{Gather, check_head, maybe_sent};
use crate::{TransportError, TransportErrorKind};

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

    /// A connection to where `uri` leads. On the way nothing of a request is written.
    pub(super) async fn connect(&self, uri: Uri) -> Result<Carrier, BoxError> {
        let mut inner = self.inner.clone();
        let connecting = async {
            poll_fn(|cx| inner.poll_ready(cx)).await?;
            inner.call(uri).await
        };
        let Ok(connected) = timeout(self.limit, connecting).await else {
            let text = format!("no connection within {:?}", self.limit);
            return Err(io::Error::new(io::ErrorKind::TimedOut, text).into());
        };
        Ok(Carrier::new(connected?).await?)
    }
}

/// A connection that carries requests, one after the other. A task of its own drives it.
pub(super) struct Carrier {
    sender: SendRequest<Full<Bytes>>,
    gate: Arc<Gate>,
}

impl Carrier {
    async fn new(stream: Stream) -> hyper::Result<Self> {
        let gate = Arc::new(Gate::new());
        let io = GatedIo {
            exact: matches!(stream, MaybeHttpsStream::Http(_)),
            is_reused: false,
            io: stream,
            gate: Arc::clone(&gate),
        };
        let (sender, connection) = handshake(io).await?;
        // How it ends is told to whoever waits for an answer or a body.
        tokio::spawn(async { drop(connection.await) });
        Ok(Self { sender, gate })
    }

    /// Sends a request in its origin form, its first byte before that moment, and reads the whole
    /// answer. After a failure all that is left to do is [`fail`](Self::fail).
    pub(super) async fn exchange(
        &mut self,
        request: Request<Full<Bytes>>,
        send_before: Option<Instant>,
    ) -> Result<Response<Bytes>, Failure> {
        self.gate.open(send_before);
        let answer = self.sender.try_send_request(request).await;
        let answer = answer.map_err(|error| Failure::Unanswered(error.into_error()))?;
        let (head, mut body) = answer.into_parts();
        check_head(&head.headers)?;
        let mut gather = Gather::default();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| maybe_sent(kind_of(&error)).with_source(error))?;
            if let Ok(chunk) = frame.into_data() {
                gather.push(chunk)?;
            }
        }
        self.gate.shut();
        // The extensions may hold the connection's own things; they stay here.
        let mut response = Response::new(gather.finish());
        *response.status_mut() = head.status;
        *response.version_mut() = head.version;
        *response.headers_mut() = head.headers;
        Ok(response)
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

impl Idle for Carrier {
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

/// A stream that is written to only through a gate. It stands above TLS: the bytes of a handshake are
/// no bytes of a request.
struct GatedIo {
    io: Stream,
    gate: Arc<Gate>,
    /// Whether a write that fails or has to wait has surely taken nothing. True of a socket; TLS may
    /// have passed on a part of what it was given.
    exact: bool,
    /// Whether a request has been written before.
    is_reused: bool,
}

impl GatedIo {
    /// Before the first byte of a request nothing may wait to be read: what came before the request is
    /// no answer to it, and after an end comes none. hyper asks too, but sees only what the runtime has
    /// noticed, and a busy runtime notices late; so the socket itself is asked.
    fn check_quiet(&mut self) -> io::Result<()> {
        if !self.gate.is_before_first() {
            return Ok(());
        }
        // After a TLS handshake a server may have sent tickets.
        if (self.exact || self.is_reused) && !is_quiet(socket(&self.io)) {
            self.gate.shut();
            let text = "the connection ended or spoke before the request";
            return Err(io::Error::new(io::ErrorKind::NotConnected, text));
        }
        self.is_reused = true;
        Ok(())
    }
}

fn socket(stream: &Stream) -> &TcpStream {
    match stream {
        MaybeHttpsStream::Http(tcp) => tcp.inner(),
        MaybeHttpsStream::Https(tls) => tls.inner().get_ref().0.inner().inner(),
    }
}

/// Whether a socket, that does not block, has neither bytes nor an end nor an error to read.
fn is_quiet(socket: &TcpStream) -> bool {
    let peeked = SockRef::from(socket).peek(&mut [MaybeUninit::uninit()]);
    peeked.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
}

impl Read for GatedIo {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl Write for GatedIo {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if let Err(error) = this.check_quiet() {
            return Poll::Ready(Err(error));
        }
        let Self {
            io, gate, exact, ..
        } = this;
        gate.pass(*exact, || Pin::new(io).poll_write(cx, buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if let Err(error) = this.check_quiet() {
            return Poll::Ready(Err(error));
        }
        let Self {
            io, gate, exact, ..
        } = this;
        gate.pass(*exact, || Pin::new(io).poll_write_vectored(cx, bufs))
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
