//! Faults of the socket itself: a scripted server for the tests of transports.
//!
//! Where the [`Simulator`](crate::Simulator) is an upstream with a ledger, a [`SocketServer`] is a bare
//! TCP port that does to each connection or request what its script says, and keeps what it received.
//! It is how a test learns whether "not sent" was true.
//!
//! ```
//! # use std::error::Error;
//! use recharge_sim::socket::{SocketFault, SocketServer};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn Error>> {
//! // The first request is answered, the second one is read whole and then reset.
//! let server = SocketServer::start([SocketFault::None, SocketFault::ResetAfterRequest]).await?;
//! assert!(server.url("/submit").starts_with("http://127.0.0.1:"));
//! assert!(server.requests().is_empty());
//! # Ok(())
//! # }
//! ```

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// What happens to one connection or to one request.
#[derive(Clone, PartialEq, Eq)]
pub enum SocketFault {
    /// Nothing goes wrong: 200 with [`BODY`], connection kept.
    None,
    /// Per connection: closed as soon as it is accepted.
    CloseAtAccept,
    /// Per connection: the server's half is closed at once. What the client writes all the same is
    /// received and counted.
    HalfCloseAtAccept,
    /// Reset when the first byte of the request has arrived, with nothing read.
    ResetUnread,
    /// Reset after a part of the request was read.
    ResetMidRequest,
    /// Reset after the whole request was read.
    ResetAfterRequest,
    /// Closed without an answer after the whole request was read.
    CloseAfterRequest,
    /// The whole request is read and never answered.
    Never,
    /// These bytes as the answer, connection kept: see [`answer`] and [`chunked`].
    Answer(Bytes),
    /// These bytes as the answer, then closed: a truncated answer.
    Cut(Bytes),
    /// 200 with [`BODY`], nothing in it about closing, then closed: a pooled connection that dies idle.
    AnswerThenClose,
    /// These bytes one by one with a pause before each.
    Drip(Bytes, Duration),
}

impl SocketFault {
    fn is_at_accept(&self) -> bool {
        matches!(self, Self::CloseAtAccept | Self::HalfCloseAtAccept)
    }
}

impl fmt::Debug for SocketFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::CloseAtAccept => f.write_str("CloseAtAccept"),
            Self::HalfCloseAtAccept => f.write_str("HalfCloseAtAccept"),
            Self::ResetUnread => f.write_str("ResetUnread"),
            Self::ResetMidRequest => f.write_str("ResetMidRequest"),
            Self::ResetAfterRequest => f.write_str("ResetAfterRequest"),
            Self::CloseAfterRequest => f.write_str("CloseAfterRequest"),
            Self::Never => f.write_str("Never"),
            // A megabyte of answer helps nobody.
            Self::Answer(bytes) => write!(f, "Answer({} bytes)", bytes.len()),
            Self::Cut(bytes) => write!(f, "Cut({} bytes)", bytes.len()),
            Self::AnswerThenClose => f.write_str("AnswerThenClose"),
            Self::Drip(bytes, every) => write!(f, "Drip({} bytes, {every:?})", bytes.len()),
        }
    }
}

/// The body of an answer without a fault.
pub const BODY: &str = r#"{"error_code":0}"#;

/// The bytes of a whole answer with a `Content-Length` for `body`. `headers` are whole lines without
/// their line ends.
pub fn answer(status: u16, headers: &[&str], body: &[u8]) -> Bytes {
    let length = format!("Content-Length: {}", body.len());
    let mut answer = head(status, headers.iter().copied().chain([length.as_str()]));
    answer.extend_from_slice(body);
    answer.freeze()
}

/// The bytes of a whole answer whose body comes in chunks of at most 64 KiB.
pub fn chunked(status: u16, headers: &[&str], body: &[u8]) -> Bytes {
    let lines = headers.iter().copied();
    let mut answer = head(status, lines.chain(["Transfer-Encoding: chunked"]));
    for chunk in body.chunks(64 << 10) {
        answer.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        answer.extend_from_slice(chunk);
        answer.extend_from_slice(b"\r\n");
    }
    answer.extend_from_slice(b"0\r\n\r\n");
    answer.freeze()
}

fn head<'a>(status: u16, headers: impl Iterator<Item = &'a str>) -> BytesMut {
    let mut head = format!("HTTP/1.1 {status} Scripted\r\n");
    for line in headers {
        head.push_str(line);
        head.push_str("\r\n");
    }
    head.push_str("\r\n");
    BytesMut::from(head.as_bytes())
}

/// A port on loopback where nobody listens, kept from others for as long as this lives.
#[derive(Debug)]
pub struct RefusedPort {
    address: SocketAddr,
    _bound: TcpSocket,
}

impl RefusedPort {
    /// Takes a port. Connecting to it is refused.
    pub fn new() -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        Ok(Self {
            address: socket.local_addr()?,
            _bound: socket,
        })
    }

    /// `http://127.0.0.1:port` and the path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

/// A server on loopback that follows a script, one step for each connection or request; after the
/// script nothing goes wrong. Stops when dropped.
///
/// A step for a connection waits for the next one to be accepted; until then requests on kept
/// connections are answered. Requests must say their `Content-Length`; one without has no body.
#[derive(Debug)]
pub struct SocketServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

impl SocketServer {
    /// Starts the server on a free port. Needs a Tokio runtime with I/O and time.
    pub async fn start(script: impl IntoIterator<Item = SocketFault>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        shared.lock().script.extend(script);
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self {
            address,
            shared,
            accepting,
        })
    }

    /// `http://127.0.0.1:port` and the path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Appends a step to the script.
    pub fn then(&self, fault: SocketFault) {
        self.shared.lock().script.push_back(fault);
    }

    /// How many connections were accepted.
    pub fn connections(&self) -> usize {
        self.shared.lock().connections
    }

    /// How many bytes of requests have arrived, whole or not.
    pub fn bytes_seen(&self) -> usize {
        self.shared.lock().bytes_seen
    }

    /// Every request that arrived whole, as received.
    pub fn requests(&self) -> Vec<Bytes> {
        self.shared.lock().requests.clone()
    }
}

impl Drop for SocketServer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

#[derive(Debug, Default)]
struct Shared(Mutex<State>);

#[derive(Default)]
struct State {
    script: VecDeque<SocketFault>,
    connections: usize,
    bytes_seen: usize,
    requests: Vec<Bytes>,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("script", &self.script)
            .field("connections", &self.connections)
            .field("bytes_seen", &self.bytes_seen)
            // By their number: keys and accounts stand in them.
            .field("requests", &self.requests.len())
            .finish()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn accepted(&self) -> SocketFault {
        let mut state = self.lock();
        state.connections += 1;
        let step = state.script.pop_front_if(|step| step.is_at_accept());
        step.unwrap_or(SocketFault::None)
    }

    fn requested(&self) -> SocketFault {
        let mut state = self.lock();
        let step = state.script.pop_front_if(|step| !step.is_at_accept());
        step.unwrap_or(SocketFault::None)
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    // The set ends the connections when the server is dropped.
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let fault = shared.accepted();
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            let mut connection = Connection {
                stream,
                buffer: BytesMut::new(),
                shared,
            };
            // A client that goes away ends its own connection, and that is all.
            let _gone = connection.serve(fault).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

struct Connection {
    stream: TcpStream,
    buffer: BytesMut,
    shared: Arc<Shared>,
}

impl Connection {
    async fn serve(&mut self, at_accept: SocketFault) -> io::Result<()> {
        match at_accept {
            SocketFault::CloseAtAccept => return Ok(()),
            SocketFault::HalfCloseAtAccept => {
                self.stream.shutdown().await?;
                while self.read().await? > 0 {}
                return Ok(());
            }
            _ => {}
        }
        // A step is taken when its request begins, not before: the next one may come elsewhere.
        while !self.buffer.is_empty() || self.stream.peek(&mut [0]).await? > 0 {
            let fault = self.shared.requested();
            if !self.one(fault).await? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Serves one request that has begun. Whether the connection is kept.
    async fn one(&mut self, fault: SocketFault) -> io::Result<bool> {
        match fault {
            SocketFault::ResetUnread => {
                self.shared.lock().bytes_seen += 1;
                return self.reset();
            }
            SocketFault::ResetMidRequest => {
                let mut part = [0; 16];
                let read = self.stream.read(&mut part).await?;
                self.shared.lock().bytes_seen += read;
                return self.reset();
            }
            _ => {}
        }
        if !self.read_request().await? {
            return Ok(false);
        }
        match fault {
            SocketFault::None => self.write(&answer(200, &[], BODY.as_bytes())).await?,
            SocketFault::Answer(bytes) => self.write(&bytes).await?,
            SocketFault::Cut(bytes) => {
                self.write(&bytes).await?;
                return Ok(false);
            }
            SocketFault::AnswerThenClose => {
                self.write(&answer(200, &[], BODY.as_bytes())).await?;
                return Ok(false);
            }
            SocketFault::Drip(bytes, every) => {
                for byte in bytes {
                    tokio::time::sleep(every).await;
                    self.write(&[byte]).await?;
                }
            }
            SocketFault::ResetAfterRequest => return self.reset(),
            // It reads on, so that the client's going away ends it.
            SocketFault::Never => while self.read().await? > 0 {},
            SocketFault::CloseAfterRequest
            | SocketFault::CloseAtAccept
            | SocketFault::HalfCloseAtAccept
            | SocketFault::ResetUnread
            | SocketFault::ResetMidRequest => return Ok(false),
        }
        Ok(true)
    }

    fn reset(&self) -> io::Result<bool> {
        // Closed with this set, a socket sends a reset.
        self.stream.set_zero_linger()?;
        Ok(false)
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await
    }

    /// Reads what there is. 0 at the end.
    async fn read(&mut self) -> io::Result<usize> {
        let read = self.stream.read_buf(&mut self.buffer).await?;
        self.shared.lock().bytes_seen += read;
        Ok(read)
    }

    /// Reads a whole request and keeps it. False if the client went away in the middle.
    async fn read_request(&mut self) -> io::Result<bool> {
        loop {
            if let Some(length) = whole_length(&self.buffer)
                && self.buffer.len() >= length
            {
                let request = self.buffer.split_to(length).freeze();
                self.shared.lock().requests.push(request);
                return Ok(true);
            }
            if self.read().await? == 0 {
                return Ok(false);
            }
        }
    }
}

/// The length of the request that begins here, once its head is whole.
fn whole_length(buffer: &[u8]) -> Option<usize> {
    let end = buffer.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(buffer.get(..end)?).to_ascii_lowercase();
    let body = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok())
        .unwrap_or(0);
    end.checked_add(body)
}
