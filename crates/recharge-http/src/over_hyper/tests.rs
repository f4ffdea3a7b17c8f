//! What only this transport's inside can set up: trust in a test certificate, and a pooled connection
//! that dies at the worst moment. The rest is the transport suite's.

use std::io::Read;
use std::net::TcpListener;
use std::sync::mpsc::channel;
use std::thread;

use super::*;
use crate::Certainty;
use crate::testing::{answer, get, serve_tls, trusting};

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

/// The pool hands out a connection that the server has closed, before the connection's own task saw it.
/// The request comes back unwritten: to be told as not sent, and not to be sent by another connection.
/// With hyper-util's own retrying left on, none of the tries below would ever fail.
#[tokio::test]
async fn a_request_that_a_dead_connection_gives_back_is_told_and_not_resent() {
    for _ in 0..100 {
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
            let mut rest = Vec::new();
            // A reset ends it as well.
            let _ = stream.read_to_end(&mut rest);
            // Whoever comes now is a new connection: let it have its answer.
            listener.set_nonblocking(true).unwrap();
            if let Ok((mut stream, _)) = listener.accept() {
                stream.set_nonblocking(false).unwrap();
                let _ = answer(&mut stream);
            }
            rest.len()
        });
        let transport = HyperTransport::new(&HttpConfig::default()).unwrap();
        transport.send(get(&url)).await.unwrap();
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        close.send(()).unwrap();
        is_closed.recv().unwrap();
        // Lets the runtime see that the socket has ended, and this task run before the connection's.
        tokio::task::yield_now().await;
        let exchange = transport.send(get(&url)).await;
        drop(transport);
        let written = server.join().unwrap();
        if let Err(error) = exchange
            && error.certainty() == Certainty::NotSent
        {
            assert_eq!(written, 0);
            assert_eq!(error.kind(), TransportErrorKind::Closed);
            return;
        }
    }
    panic!("no request was given back");
}
