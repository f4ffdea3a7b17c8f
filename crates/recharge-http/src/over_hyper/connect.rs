//! Connections that ask for leave before they write.

use std::error::Error as StdError;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tower_service::Service;

use super::mark::{Leave, SLOT, Slot};

type BoxError = Box<dyn StdError + Send + Sync>;
type Connecting<T> = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send>>;

/// Connects within a time limit, TLS included, and watches what is written above TLS: the bytes of a
/// handshake are no bytes of a request.
#[derive(Clone)]
pub(super) struct MarkingConnector {
    inner: HttpsConnector<HttpConnector>,
    timeout: Duration,
}

impl MarkingConnector {
    pub(super) fn new(timeout: Duration, tls: ClientConfig) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let inner = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        Self { inner, timeout }
    }
}

impl Service<Uri> for MarkingConnector {
    type Response = MarkedIo<MaybeHttpsStream<TokioIo<TcpStream>>>;
    type Error = BoxError;
    type Future = Connecting<Self::Response>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, address: Uri) -> Self::Future {
        let connecting = self.inner.call(address);
        let timeout = self.timeout;
        Box::pin(async move {
            let Ok(connected) = tokio::time::timeout(timeout, connecting).await else {
                let text = format!("no connection within {timeout:?}");
                return Err(io::Error::new(io::ErrorKind::TimedOut, text).into());
            };
            let io = connected?;
            let exact = matches!(io, MaybeHttpsStream::Http(_));
            Ok(MarkedIo { io, exact })
        })
    }
}

/// A connection that writes only with the leave of the mark bound to its task's slot.
pub(super) struct MarkedIo<T> {
    io: T,
    /// Whether a write that fails or has to wait has surely taken nothing. True of a socket; TLS may
    /// have passed on a part of what it was given.
    exact: bool,
}

impl<T> MarkedIo<T> {
    /// Writes with `write` if there is leave, and gives the leave back if not one byte was taken.
    fn with_leave(
        &mut self,
        write: impl FnOnce(&mut T) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        let mark = SLOT.try_with(Slot::bound).ok().flatten();
        let Some((leave, mark)) = mark.and_then(|mark| Some((mark.ask()?, mark))) else {
            return Poll::Ready(Err(io::Error::other("no leave to write")));
        };
        let written = write(&mut self.io);
        let took_some = matches!(written, Poll::Ready(Ok(1..)));
        if leave == Leave::First && self.exact && !took_some {
            mark.give_back();
        }
        written
    }
}

impl<T: Read + Unpin> Read for MarkedIo<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl<T: Write + Unpin> Write for MarkedIo<T> {
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

impl<T> Connection for MarkedIo<T> {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Arc;
    use std::task::Waker;
    use std::time::Instant;

    use super::super::mark::Ticket;
    use super::*;
    use crate::Certainty;

    /// A socket whose writes go as scripted: how many bytes each takes.
    struct Socket(VecDeque<Poll<io::Result<usize>>>);

    impl Write for Socket {
        fn poll_write(
            mut self: Pin<&mut Self>,
            _cx: &mut Context<'_>,
            _buf: &[u8],
        ) -> Poll<io::Result<usize>> {
            self.0.pop_front().expect("one more write than scripted")
        }

        fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    fn socket(
        exact: bool,
        writes: impl IntoIterator<Item = Poll<io::Result<usize>>>,
    ) -> MarkedIo<Socket> {
        let io = Socket(writes.into_iter().collect());
        MarkedIo { io, exact }
    }

    /// As in the task that drives a connection.
    fn in_task(test: impl FnOnce()) {
        SLOT.sync_scope(Slot::default(), test);
    }

    fn bind(ticket: &Ticket) {
        SLOT.with(|slot| slot.bind(Arc::clone(ticket.shared())));
    }

    fn write(io: &mut MarkedIo<Socket>) -> Poll<io::Result<usize>> {
        let mut cx = Context::from_waker(Waker::noop());
        Pin::new(io).poll_write(&mut cx, b"GET / HTTP/1.1")
    }

    #[test]
    fn a_connection_without_a_mark_writes_nothing() {
        in_task(|| {
            let mut io = socket(true, []);
            assert!(matches!(write(&mut io), Poll::Ready(Err(_))));
        });
        let mut elsewhere = socket(true, []);
        assert!(matches!(write(&mut elsewhere), Poll::Ready(Err(_))));
    }

    #[test]
    fn after_its_answer_a_request_gives_no_more_leave() {
        in_task(|| {
            let mut io = socket(true, [Poll::Ready(Ok(14))]);
            let ticket = Ticket::new(None);
            bind(&ticket);
            assert!(matches!(write(&mut io), Poll::Ready(Ok(14))));
            drop(ticket);
            assert!(matches!(write(&mut io), Poll::Ready(Err(_))));
        });
    }

    #[test]
    fn bytes_of_the_request_before_do_not_count_and_ones_own_do() {
        in_task(|| {
            let mut io = socket(true, [Poll::Ready(Ok(14)), Poll::Ready(Ok(14))]);
            let first = Ticket::new(None);
            bind(&first);
            assert!(matches!(write(&mut io), Poll::Ready(Ok(14))));
            drop(first);
            let second = Ticket::new(None);
            let third = Ticket::new(None);
            bind(&second);
            assert!(matches!(write(&mut io), Poll::Ready(Ok(14))));
            assert_eq!(second.certainty(), Certainty::MaybeSent);
            bind(&third);
            assert_eq!(third.certainty(), Certainty::NotSent);
        });
    }

    #[test]
    fn a_socket_that_takes_nothing_leaves_the_request_unsent() {
        in_task(|| {
            let reset = || Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
            for nothing in [Poll::Pending, reset(), Poll::Ready(Ok(0))] {
                let mut io = socket(true, [nothing]);
                let ticket = Ticket::new(None);
                bind(&ticket);
                let _ = write(&mut io);
                assert_eq!(ticket.certainty(), Certainty::NotSent);
            }
            // A part of the request is out: a later failure changes nothing.
            let mut io = socket(true, [Poll::Ready(Ok(1)), reset()]);
            let ticket = Ticket::new(None);
            bind(&ticket);
            let _ = (write(&mut io), write(&mut io));
            assert_eq!(ticket.certainty(), Certainty::MaybeSent);
        });
    }

    #[test]
    fn what_tls_was_given_counts_as_written() {
        in_task(|| {
            let mut io = socket(false, [Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))]);
            let ticket = Ticket::new(None);
            bind(&ticket);
            let _ = write(&mut io);
            assert_eq!(ticket.certainty(), Certainty::MaybeSent);
        });
    }

    #[test]
    fn past_the_deadline_the_first_byte_is_refused() {
        in_task(|| {
            let at = Instant::now();
            while Instant::now() <= at {}
            let mut io = socket(true, []);
            let ticket = Ticket::new(Some(at));
            bind(&ticket);
            assert!(matches!(write(&mut io), Poll::Ready(Err(_))));
            assert!(ticket.was_late());
            assert_eq!(ticket.certainty(), Certainty::NotSent);
        });
    }

    #[test]
    fn a_waiting_write_is_refused_once_the_caller_was_told() {
        in_task(|| {
            let mut io = socket(true, [Poll::Pending]);
            let ticket = Ticket::new(None);
            bind(&ticket);
            assert!(write(&mut io).is_pending());
            assert_eq!(ticket.certainty(), Certainty::NotSent);
            assert!(matches!(write(&mut io), Poll::Ready(Err(_))));
        });
    }
}
