//! The socket side of faults: a stream that can be reset after a request's first line or instead of an
//! answer, and a body that drips or breaks off.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;

use crate::hidden::Size;
use crate::message::{Delivery, Reply};

/// A request's first line that is longer than this is let through unseen.
const LINE_AT_MOST: usize = 16 * 1024;
/// How long a broken-off answer is given to leave before the connection closes.
const BEFORE_CUT: Duration = Duration::from_millis(20);

/// Decides by method and path whether a connection is reset.
pub(crate) type AtLine = Box<dyn FnMut(&str, &str) -> bool + Send>;

/// Set to have the connection reset (RST) instead of closed.
#[derive(Debug, Clone, Default)]
pub(crate) struct ResetFlag(Arc<AtomicBool>);

impl ResetFlag {
    pub(crate) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A TCP stream that looks at the first line of each request.
pub(crate) struct Watched {
    stream: TcpStream,
    reset: ResetFlag,
    at_line: AtLine,
    /// The line so far; `None` while none is awaited.
    line: Option<Vec<u8>>,
}

impl Watched {
    pub(crate) fn new(stream: TcpStream, reset: ResetFlag, at_line: AtLine) -> Self {
        Self {
            stream,
            reset,
            at_line,
            line: Some(Vec::new()),
        }
    }

    /// Takes bytes of the line; says whether the connection is to be reset.
    fn look_at(&mut self, bytes: &[u8]) -> bool {
        let Some(line) = self.line.as_mut() else {
            return false;
        };
        line.extend_from_slice(bytes);
        let Some(end) = line.iter().position(|byte| *byte == b'\n') else {
            if line.len() > LINE_AT_MOST {
                self.line = None;
            }
            return false;
        };
        line.truncate(end);
        let line = String::from_utf8_lossy(&self.line.take().unwrap_or_default()).into_owned();
        let mut words = line.split_whitespace();
        let method = words.next().unwrap_or_default();
        let target = words.next().unwrap_or_default();
        (self.at_line)(method, path_of(target))
    }
}

/// The path of a request target, which may be a whole URL, as towards a proxy.
fn path_of(target: &str) -> &str {
    let path = match target.split_once("://") {
        Some((_, rest)) => rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/"),
        None => target,
    };
    path.split_once('?').map_or(path, |(path, _)| path)
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        let new = buf.filled().get(before..).unwrap_or_default();
        if self.line.is_some() && self.look_at(new) {
            self.reset.set();
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        // An answer has begun, so the next bytes that come in begin a request; after "100 Continue"
        // they are still the same one.
        if self.line.is_none() && !buf.starts_with(b"HTTP/1.1 100") {
            self.line = Some(Vec::new());
        }
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.reset.is_set() {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if self.reset.is_set() {
            // Without a lingering close the kernel sends RST. If it can't be set, the connection is
            // closed: the fault is weaker then, and there is nobody to tell.
            let _ = self.stream.set_zero_linger();
        }
    }
}

/// The body of a reply, sent in pieces.
pub(crate) struct ReplyBody {
    pieces: VecDeque<Bytes>,
    /// Bytes announced and not yet sent.
    left: u64,
    gap: Duration,
    breaks_off: bool,
    pause: Option<Pin<Box<Sleep>>>,
}

impl fmt::Debug for ReplyBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without its pieces: the account is in them.
        f.debug_struct("ReplyBody")
            .field(
                "left",
                &Size(usize::try_from(self.left).unwrap_or(usize::MAX)),
            )
            .finish_non_exhaustive()
    }
}

impl ReplyBody {
    pub(crate) fn new(reply: Reply) -> Self {
        let body = Bytes::from(reply.body);
        let left = body.len() as u64;
        let (pieces, gap, breaks_off) = match reply.delivery {
            Delivery::Whole | Delivery::Late(_) | Delivery::Reset | Delivery::Silence(_) => {
                (VecDeque::from([body]), Duration::ZERO, false)
            }
            Delivery::CutOff(sent) => {
                let sent = body.slice(..sent.min(body.len()));
                (VecDeque::from([sent]), BEFORE_CUT, true)
            }
            Delivery::Drip(piece, gap) => {
                let pieces = body
                    .chunks(piece.max(1))
                    .map(|chunk| body.slice_ref(chunk))
                    .collect();
                (pieces, gap, false)
            }
        };
        Self {
            pieces,
            left,
            gap,
            breaks_off,
            pause: None,
        }
    }
}

/// The answer was meant to break off here.
#[derive(Debug)]
pub(crate) struct BrokenOff;

impl fmt::Display for BrokenOff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the answer breaks off here, as the fault wants it")
    }
}

impl std::error::Error for BrokenOff {}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        if let Some(pause) = self.pause.as_mut() {
            ready!(pause.as_mut().poll(cx));
            self.pause = None;
        }
        let Some(piece) = self.pieces.pop_front() else {
            return Poll::Ready(self.breaks_off.then_some(Err(BrokenOff)));
        };
        if self.breaks_off || !self.pieces.is_empty() {
            self.pause = Some(Box::pin(tokio::time::sleep(self.gap)));
        }
        self.left = self.left.saturating_sub(piece.len() as u64);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::sync::mpsc;

    use super::{ResetFlag, Watched, path_of};

    #[tokio::test]
    async fn every_request_has_one_first_line() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        let (tell, mut told) = mpsc::unbounded_channel();
        let at_line = Box::new(move |method: &str, path: &str| {
            tell.send(format!("{method} {path}")).unwrap();
            false
        });
        let mut watched = Watched::new(stream, ResetFlag::default(), at_line);
        // A line in two pieces, a header, an interim answer, a body that looks like a line.
        for (answer, piece) in [
            ("", "POST /a"),
            ("", "/b?c HTTP/1.1\r\nExpect: 100-continue\r\n\r\n"),
            ("HTTP/1.1 100 Continue\r\n\r\n", "GET /body HTTP/1.1\r\n"),
            ("HTTP/1.1 200 OK\r\n\r\n", "GET /next HTTP/1.1\r\n"),
        ] {
            watched.write_all(answer.as_bytes()).await.unwrap();
            client.write_all(piece.as_bytes()).await.unwrap();
            let mut bytes = vec![0; piece.len()];
            watched.read_exact(&mut bytes).await.unwrap();
        }
        drop(watched);
        let mut lines = Vec::new();
        while let Some(line) = told.recv().await {
            lines.push(line);
        }
        assert_eq!(lines, ["POST /a/b", "GET /next"]);
    }

    #[test]
    fn paths_of_targets() {
        assert_eq!(path_of("/a/b?c=d"), "/a/b");
        assert_eq!(path_of("http://op.juhe.cn/a?b"), "/a");
        assert_eq!(path_of("http://op.juhe.cn"), "/");
        assert_eq!(path_of("*"), "*");
    }
}
