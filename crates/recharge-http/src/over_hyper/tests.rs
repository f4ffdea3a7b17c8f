//! What only this transport's inside can set up: trust in a test certificate, and a pooled connection
//! that dies at the worst moment. The rest is the transport suite's.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::channel;
use std::thread;

use super::*;
use crate::testing::{answer, get, read_request, serve_tls, trusting};
use crate::{Certainty, SendBefore};

#[tokio::test]
async fn tls_carries_requests_and_a_closed_one_is_in_doubt() {
    let (url, requests) = serve_tls(2);
    let transport = HyperTransport::with_tls(&HttpConfig::default(), trusting()).unwrap();
    for _ in 0..2 {
        assert_eq!(transport.send(get(&url)).await.unwrap().body(), "ok");
    }
    let error = transport.send(get(&url)).await.unwrap_err();
    assert_eq!(error.certainty(), Certainty::MaybeSent, "{error:?}");
    assert_eq!(error.kind(), TransportErrorKind::Closed, "{error:?}");
    assert_eq!(requests.try_iter().count(), 3);
}

#[tokio::test]
async fn an_untrusted_server_gets_nothing() {
    let (url, requests) = serve_tls(1);
    let transport = HyperTransport::new(&HttpConfig::default()).unwrap();
    let error = transport.send(get(&url)).await.unwrap_err();
    assert_eq!(error.certainty(), Certainty::NotSent);
    assert_eq!(error.kind(), TransportErrorKind::Connect);
    assert_eq!(requests.try_iter().count(), 0);
}

#[test]
fn a_proxy_is_refused_with_what_to_do() {
    let config = HttpConfig {
        proxy: Some("http://127.0.0.1:3128".parse().unwrap()),
        ..HttpConfig::default()
    };
    let error = HyperTransport::new(&config).unwrap_err();
    assert_eq!(error, ConfigError::ProxyNeedsReqwest);
    assert!(error.to_string().contains("use the reqwest transport"));
}

/// A server closes an idle connection, as they do. The next request sees that before it writes, and goes
/// over a new one, once.
#[tokio::test]
async fn an_idle_connection_that_was_closed_is_not_written_to() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (close, closing) = channel();
    let (closed, is_closed) = channel();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        answer(&mut stream).unwrap();
        closing.recv().unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        closed.send(()).unwrap();
        let (mut next, _) = listener.accept().unwrap();
        answer(&mut next).unwrap();
        let (mut rest, mut more) = (Vec::new(), Vec::new());
        stream.read_to_end(&mut rest).unwrap();
        next.read_to_end(&mut more).unwrap();
        (rest.len(), more.len())
    });
    let transport = HyperTransport::new(&HttpConfig::default()).unwrap();
    transport.send(get(&url)).await.unwrap();
    close.send(()).unwrap();
    is_closed.recv().unwrap();
    // Lets the runtime see that the socket has ended, and the connection's task that it has.
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    transport.send(get(&url)).await.unwrap();
    drop(transport);
    let more = tokio::task::spawn_blocking(|| server.join().unwrap()).await;
    assert_eq!(more.unwrap(), (0, 0));
}

/// What a server says unasked is no answer to the next request, and after its end none comes: with either
/// in the socket nothing is written, though the runtime has noticed neither.
#[tokio::test]
async fn a_connection_that_spoke_or_ended_since_is_not_written_to() {
    for unasked in ["HTTP/1.1 408 Late\r\nContent-Length: 0\r\n\r\n", ""] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let (speak, speaking) = channel();
        let (spoken, has_spoken) = channel();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            answer(&mut stream).unwrap();
            speaking.recv().unwrap();
            stream.write_all(unasked.as_bytes()).unwrap();
            if unasked.is_empty() {
                stream.shutdown(std::net::Shutdown::Write).unwrap();
            }
            spoken.send(()).unwrap();
            // It ends by a reset, where the client had more to read.
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest);
            rest.len()
        });
        let transport = HyperTransport::new(&HttpConfig::default()).unwrap();
        transport.send(get(&url)).await.unwrap();
        // The connection gets ready for the next.
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        speak.send(()).unwrap();
        has_spoken.recv().unwrap();
        let error = transport.send(get(&url)).await.unwrap_err();
        assert_eq!(error.certainty(), Certainty::NotSent, "{error:?}");
        assert_eq!(error.kind(), TransportErrorKind::Closed, "{error:?}");
        drop(transport);
        let read = tokio::task::spawn_blocking(|| server.join().unwrap()).await;
        assert_eq!(read.unwrap(), 0);
    }
}

#[tokio::test]
async fn a_time_limit_may_be_longer_than_the_clock_reaches() {
    let (url, _requests) = serve_tls(1);
    let config = HttpConfig {
        timeout: Duration::MAX,
        connect_timeout: Duration::MAX,
        proxy: None,
    };
    let transport = HyperTransport::with_tls(&config, trusting()).unwrap();
    assert_eq!(transport.send(get(&url)).await.unwrap().body(), "ok");
}

/// A server may answer before it has read all. What is left is not written any more, and no request goes
/// after it.
#[tokio::test]
async fn an_early_answer_ends_its_request_and_its_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut early, _) = listener.accept().unwrap();
        answer(&mut early).unwrap();
        let (mut next, _) = listener.accept().unwrap();
        answer(&mut next).unwrap();
        let mut rest = Vec::new();
        // It ends by a reset, or by an end in the middle.
        let _ = early.read_to_end(&mut rest);
        rest.len()
    });
    let transport = HyperTransport::new(&HttpConfig::default()).unwrap();
    let body = vec![b'x'; 64 << 20];
    let length = body.len();
    let large = http::Request::post(&url).body(body.into()).unwrap();
    assert_eq!(transport.send(large).await.unwrap().body(), "ok");
    assert_eq!(transport.send(get(&url)).await.unwrap().body(), "ok");
    let read = tokio::task::spawn_blocking(|| server.join().unwrap()).await;
    assert!(read.unwrap() < length);
}

/// A second answer that nobody asked for is no answer to the next request.
#[tokio::test]
async fn an_answer_too_many_goes_to_nobody() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut twice, _) = listener.accept().unwrap();
        read_request(&mut twice).unwrap();
        let one = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n";
        let both = format!("{one}one{one}two");
        twice.write_all(both.as_bytes()).unwrap();
        let (mut next, _) = listener.accept().unwrap();
        answer(&mut next).unwrap();
    });
    let transport = HyperTransport::new(&HttpConfig::default()).unwrap();
    assert_eq!(transport.send(get(&url)).await.unwrap().body(), "one");
    let watched = tokio::time::timeout(Duration::from_secs(5), transport.send(get(&url)));
    assert_eq!(watched.await.unwrap().unwrap().body(), "ok");
    server.join().unwrap();
}

/// The deadline passes while the connection is made.
#[tokio::test]
async fn a_deadline_that_passes_on_the_way_leaves_the_request_unsent() {
    // A handshake of TLS takes a moment; this one begins when the deadline is over.
    let (url, requests) = serve_tls(1);
    let transport = HyperTransport::with_tls(&HttpConfig::default(), trusting()).unwrap();
    for _ in 0..100 {
        let mut request = get(&url);
        let soon = Instant::now() + Duration::from_micros(200);
        request.extensions_mut().insert(SendBefore(soon.into_std()));
        let error = transport.send(request).await.unwrap_err();
        assert_eq!(error.certainty(), Certainty::NotSent, "{error:?}");
        assert_eq!(error.kind(), TransportErrorKind::Deadline, "{error:?}");
    }
    assert_eq!(requests.try_iter().count(), 0);
}

/// A future that is dropped takes its connection along: nothing more of its request is written.
#[tokio::test]
async fn a_dropped_exchange_writes_nothing_more() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut whole = Vec::new();
        // It ends by a reset, where the client had more to write.
        let _ = stream.read_to_end(&mut whole);
        whole.len()
    });
    let transport = HyperTransport::new(&HttpConfig::default()).unwrap();
    let body = vec![b'x'; 64 << 20];
    let length = body.len();
    let request = http::Request::post(&url).body(body.into()).unwrap();
    {
        let mut sending = transport.send(request);
        // Until the socket takes no more, the server being slow to read, or for some polls.
        for _ in 0..10 {
            let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
            assert!(sending.as_mut().poll(&mut cx).is_pending());
            tokio::task::yield_now().await;
        }
    }
    // The connection's task runs on, to its end.
    let read = tokio::task::spawn_blocking(|| server.join().unwrap()).await;
    assert!(read.unwrap() < length);
}

#[test]
fn the_host_header_is_as_clients_write_it() {
    for (url, host) in [
        ("http://op.juhe.cn/a", "op.juhe.cn"),
        ("http://op.juhe.cn:80/a", "op.juhe.cn"),
        ("http://op.juhe.cn:443/a", "op.juhe.cn:443"),
        ("https://op.juhe.cn:443/a", "op.juhe.cn"),
        ("https://op.juhe.cn:80/a", "op.juhe.cn:80"),
        ("http://[::1]:8080/a?b=1", "[::1]:8080"),
        ("http://[::1]/", "[::1]"),
    ] {
        let uri: Uri = url.parse().unwrap();
        let request = in_origin_form(get(url)).unwrap();
        assert_eq!(request.headers()[HOST], host, "{url}");
        assert_eq!(request.uri().authority(), None, "{url}");
        assert_eq!(
            request.uri().path_and_query(),
            uri.path_and_query(),
            "{url}"
        );
        let parts = uri.clone().into_parts();
        let (scheme, authority) = (parts.scheme.unwrap(), parts.authority.unwrap());
        let there = Origin { scheme, authority }.uri().unwrap();
        assert_eq!(
            (there.scheme(), there.authority()),
            (uri.scheme(), uri.authority())
        );
    }
    let mut own = get("http://127.0.0.1:8080/");
    own.headers_mut()
        .insert(HOST, HeaderValue::from_static("op.juhe.cn"));
    assert_eq!(in_origin_form(own).unwrap().headers()[HOST], "op.juhe.cn");
}
