//! The socket server does what its script says. The clients here are bare sockets.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::io::{ErrorKind, Result};
use std::time::Duration;

use recharge_sim::socket::{BODY, RefusedPort, SocketFault, SocketServer, answer, chunked};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const REQUEST: &[u8] = b"POST /a HTTP/1.1\r\nHost: h\r\ncontent-LENGTH: 4\r\n\r\nbody";

async fn connect(server: &SocketServer) -> TcpStream {
    let url = server.url("");
    let address = url.strip_prefix("http://").unwrap();
    TcpStream::connect(address).await.unwrap()
}

/// Writes the request and reads to the end or to the error.
async fn exchange(stream: &mut TcpStream) -> (Vec<u8>, Result<()>) {
    stream.write_all(REQUEST).await.unwrap();
    read_to_end(stream).await
}

async fn read_to_end(stream: &mut TcpStream) -> (Vec<u8>, Result<()>) {
    let mut bytes = Vec::new();
    loop {
        match stream.read_buf(&mut bytes).await {
            Ok(0) => return (bytes, Ok(())),
            Ok(_) => {}
            Err(error) => return (bytes, Err(error)),
        }
    }
}

async fn read_answer(stream: &mut TcpStream, expected: &[u8]) {
    let mut bytes = vec![0; expected.len()];
    stream.read_exact(&mut bytes).await.unwrap();
    assert_eq!(bytes, expected);
}

#[tokio::test]
async fn requests_are_answered_kept_and_counted_on_one_connection() {
    let server = SocketServer::start([]).await.unwrap();
    let mut stream = connect(&server).await;
    for count in 1..=2 {
        stream.write_all(REQUEST).await.unwrap();
        read_answer(&mut stream, &answer(200, &[], BODY.as_bytes())).await;
        assert_eq!(server.requests().len(), count);
    }
    assert_eq!(server.requests()[1], REQUEST);
    assert_eq!(server.connections(), 1);
    assert_eq!(server.bytes_seen(), 2 * REQUEST.len());
}

#[tokio::test]
async fn a_request_in_pieces_is_one_request() {
    let server = SocketServer::start([]).await.unwrap();
    let mut stream = connect(&server).await;
    stream.set_nodelay(true).unwrap();
    for byte in REQUEST {
        stream.write_all(&[*byte]).await.unwrap();
    }
    read_answer(&mut stream, &answer(200, &[], BODY.as_bytes())).await;
    assert_eq!(server.requests(), [REQUEST]);
}

#[tokio::test]
async fn closed_at_accept_reads_nothing() {
    let server = SocketServer::start([SocketFault::CloseAtAccept])
        .await
        .unwrap();
    let mut stream = connect(&server).await;
    let (bytes, _) = read_to_end(&mut stream).await;
    assert!(bytes.is_empty());
    assert_eq!((server.connections(), server.bytes_seen()), (1, 0));
    // The script is at its end: the next connection is served.
    let mut stream = connect(&server).await;
    stream.write_all(REQUEST).await.unwrap();
    read_answer(&mut stream, &answer(200, &[], BODY.as_bytes())).await;
}

#[tokio::test]
async fn half_closed_at_accept_counts_what_still_comes() {
    let server = SocketServer::start([SocketFault::HalfCloseAtAccept])
        .await
        .unwrap();
    let mut stream = connect(&server).await;
    let (bytes, end) = read_to_end(&mut stream).await;
    assert!(bytes.is_empty() && end.is_ok());
    stream.write_all(REQUEST).await.unwrap();
    stream.shutdown().await.unwrap();
    while server.bytes_seen() < REQUEST.len() {
        tokio::task::yield_now().await;
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn resets_are_resets_at_the_point_they_name() {
    for (fault, whole) in [
        (SocketFault::ResetUnread, false),
        (SocketFault::ResetMidRequest, false),
        (SocketFault::ResetAfterRequest, true),
    ] {
        let server = SocketServer::start([fault.clone()]).await.unwrap();
        let mut stream = connect(&server).await;
        let (bytes, end) = exchange(&mut stream).await;
        assert!(bytes.is_empty());
        assert_eq!(
            end.unwrap_err().kind(),
            ErrorKind::ConnectionReset,
            "{fault:?}"
        );
        assert_eq!(server.requests().len(), usize::from(whole), "{fault:?}");
        let seen = server.bytes_seen();
        assert!(
            seen > 0 && (seen == REQUEST.len()) == whole,
            "{fault:?}: {seen}"
        );
    }
}

#[tokio::test]
async fn closing_without_an_answer_is_no_reset() {
    let server = SocketServer::start([SocketFault::CloseAfterRequest])
        .await
        .unwrap();
    let mut stream = connect(&server).await;
    let (bytes, end) = exchange(&mut stream).await;
    assert!(bytes.is_empty() && end.is_ok());
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn answers_are_sent_as_given_and_cut_ones_end() {
    let redirect = answer(302, &["Location: /else"], b"");
    let cut = redirect.slice(..10);
    let server = SocketServer::start([
        SocketFault::Answer(redirect.clone()),
        SocketFault::Drip(redirect.clone(), Duration::ZERO),
        SocketFault::AnswerThenClose,
        SocketFault::Cut(cut.clone()),
    ])
    .await
    .unwrap();
    let mut stream = connect(&server).await;
    for _ in 0..2 {
        stream.write_all(REQUEST).await.unwrap();
        read_answer(&mut stream, &redirect).await;
    }
    let (bytes, end) = exchange(&mut stream).await;
    assert_eq!(bytes, answer(200, &[], BODY.as_bytes()));
    end.unwrap();
    let mut stream = connect(&server).await;
    let (bytes, end) = exchange(&mut stream).await;
    assert_eq!(bytes, cut);
    end.unwrap();
}

#[tokio::test]
async fn never_answers() {
    let server = SocketServer::start([SocketFault::Never]).await.unwrap();
    let mut stream = connect(&server).await;
    stream.write_all(REQUEST).await.unwrap();
    stream.shutdown().await.unwrap();
    // The client's going away is what ends it, not an answer.
    let (bytes, end) = read_to_end(&mut stream).await;
    assert!(bytes.is_empty() && end.is_ok());
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_step_can_be_added_while_the_server_runs() {
    let server = SocketServer::start([]).await.unwrap();
    server.then(SocketFault::CloseAfterRequest);
    let (bytes, _) = exchange(&mut connect(&server).await).await;
    assert!(bytes.is_empty());
}

#[tokio::test]
async fn a_refused_port_refuses() {
    let port = RefusedPort::new().unwrap();
    let url = port.url("");
    let error = TcpStream::connect(url.strip_prefix("http://").unwrap())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn a_dropped_server_ends_its_connections() {
    let server = SocketServer::start([SocketFault::Never]).await.unwrap();
    let mut stream = connect(&server).await;
    stream.write_all(REQUEST).await.unwrap();
    while server.requests().is_empty() {
        tokio::task::yield_now().await;
    }
    drop(server);
    let (bytes, _) = read_to_end(&mut stream).await;
    assert!(bytes.is_empty());
}

#[test]
fn chunks_are_written_as_http_wants_them() {
    let text = chunked(200, &["A: b"], b"hello");
    assert_eq!(
        text,
        "HTTP/1.1 200 Scripted\r\nA: b\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    );
    let long = chunked(200, &[], &vec![b'x'; (64 << 10) + 1]);
    assert!(long.ends_with(b"\r\n1\r\nx\r\n0\r\n\r\n"));
}

#[tokio::test]
async fn debug_counts_requests_and_shows_none() {
    let server = SocketServer::start([SocketFault::None]).await.unwrap();
    let mut stream = connect(&server).await;
    stream.write_all(REQUEST).await.unwrap();
    let mut first = [0; 1];
    stream.read_exact(&mut first).await.unwrap();
    assert_eq!(server.requests().len(), 1);
    let text = format!("{server:?}");
    assert!(text.contains("requests: 1"), "{text}");
    assert!(!text.contains("POST"), "{text}");
}
