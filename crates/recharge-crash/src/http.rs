//! HTTP by hand: one request on a connection of its own, and its whole answer or none.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use rustix::fd::OwnedFd;
use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};
use serde_json::Value;

use crate::Result;

/// How long an answer may take; nobody is ever far.
const PATIENCE: Duration = Duration::from_secs(20);

/// What is asked.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Ask<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    /// The key of the API.
    pub(crate) key: Option<&'a str>,
    pub(crate) kind: &'a str,
    pub(crate) body: &'a str,
}

/// A whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    body: Vec<u8>,
}

impl Reply {
    /// What it says, in JSON; nothing, where that is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// Asks. An error leaves open whether it was heard, and what was done about it.
pub(crate) fn ask(address: SocketAddr, ask: Ask<'_>) -> io::Result<Reply> {
    let Ask {
        method,
        path,
        key,
        kind,
        body,
    } = ask;
    let length = body.len();
    let mut text = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {length}\r\n"
    );
    if let Some(key) = key {
        text.extend(["authorization: Bearer ", key, "\r\n"]);
    }
    if !kind.is_empty() {
        text.extend(["content-type: ", kind, "\r\n"]);
    }
    text.extend(["\r\n", body]);
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(text.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    whole(&answer).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

/// The answer, if nothing of it is missing: what was cut off has told nobody anything.
fn whole(answer: &[u8]) -> Option<Reply> {
    let head = answer.windows(4).position(|it| it == b"\r\n\r\n")?;
    let (head, body) = answer.split_at_checked(head)?;
    let body = body.strip_prefix(b"\r\n\r\n")?;
    let head = str::from_utf8(head).ok()?.to_ascii_lowercase();
    let mut lines = head.split("\r\n");
    let status = lines.next()?.strip_prefix("http/1.1 ")?.get(..3)?;
    let length = lines.find_map(|line| line.strip_prefix("content-length:"))?;
    (length.trim().parse() == Ok(body.len())).then_some(Reply {
        status: status.parse().ok()?,
        body: body.to_vec(),
    })
}

/// An address at which nobody listens, and which nobody else is given as long as this is kept. A service that
/// is told to listen there may.
#[derive(Debug)]
pub(crate) struct Reserved {
    /// Bound, and not listening: the system lets another socket of this kind listen there.
    _held: OwnedFd,
    pub(crate) address: SocketAddr,
}

impl Reserved {
    pub(crate) fn take() -> Result<Self> {
        let held = rustix::net::socket_with(
            AddressFamily::INET,
            SocketType::STREAM,
            SocketFlags::CLOEXEC,
            None,
        )?;
        sockopt::set_socket_reuseaddr(&held, true)?;
        rustix::net::bind(&held, &SocketAddr::from(([127, 0, 0, 1], 0)))?;
        let address = rustix::net::getsockname(&held)?.try_into()?;
        Ok(Self {
            _held: held,
            address,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn an_answer_that_was_cut_off_is_none() {
        let answer = b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}";
        let reply = whole(answer).unwrap();
        assert_eq!((reply.status, reply.json()), (202, serde_json::json!({})));
        for end in 0..answer.len() {
            assert_eq!(whole(&answer[..end]), None, "{end}");
        }
        assert_eq!(whole(b"HTTP/1.1 202 Accepted\r\n\r\n{}"), None);
    }

    #[test]
    fn at_a_reserved_address_a_service_may_listen_and_nobody_does() {
        let reserved = Reserved::take().unwrap();
        let refused = TcpStream::connect(reserved.address).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
        // The standard library sets the option that this takes, as the gateway does.
        let _listener = TcpListener::bind(reserved.address).unwrap();
        TcpStream::connect(reserved.address).unwrap();
    }
}
