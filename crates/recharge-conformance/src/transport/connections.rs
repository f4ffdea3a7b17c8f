//! What becomes of a request when its connection fails, on a fresh one and on a reused one.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use recharge_http::{Certainty, HttpConfig, TransportErrorKind};
use recharge_sim::socket::{RefusedPort, SocketFault, SocketServer};

use super::{Bench, Scene, expect, order};

/// Nobody listens.
pub async fn refused_is_not_sent(bench: Bench) {
    let port = RefusedPort::new().unwrap();
    for url in [port.url("/"), port.url("/").replace("http:", "https:")] {
        let exchange = bench.transport().send(order(&url)).await;
        expect(
            &exchange,
            Certainty::NotSent,
            &[TransportErrorKind::Connect],
        );
    }
}

/// TLS fails: bytes were written, but none of the request.
pub async fn a_failed_handshake_is_not_sent(bench: Bench) {
    for fault in [SocketFault::ResetUnread, SocketFault::ResetMidRequest] {
        let server = SocketServer::start([fault]).await.unwrap();
        let url = server.url("/").replace("http:", "https:");
        let exchange = bench.transport().send(order(&url)).await;
        expect(
            &exchange,
            Certainty::NotSent,
            &[TransportErrorKind::Connect],
        );
        assert!(server.bytes_seen() > 0, "a handshake must have begun");
        assert_eq!(server.connections(), 1);
    }
}

/// The connection stands, but TLS never ends: the limit for connecting covers it.
pub async fn an_endless_handshake_is_not_sent(bench: Bench) {
    // A handshake is no HTTP, so the server waits for the rest of the request.
    let server = SocketServer::start([]).await.unwrap();
    let url = server.url("/").replace("http:", "https:");
    let transport = (bench.make)(&HttpConfig {
        connect_timeout: Duration::from_millis(300),
        ..HttpConfig::default()
    });
    // Well below the limit for the whole.
    let watched = tokio::time::timeout(Duration::from_secs(25), transport.send(order(&url)));
    let exchange = watched.await.unwrap();
    expect(
        &exchange,
        Certainty::NotSent,
        &[TransportErrorKind::Connect],
    );
}

/// The server closes as it accepts. Whether a byte went out is a matter of chance: what is said of it
/// must be true.
pub async fn closed_at_accept_is_told_truly(bench: Bench) {
    for fault in [SocketFault::CloseAtAccept, SocketFault::HalfCloseAtAccept] {
        for _ in 0..20 {
            let exchange = bench.suffer(fault.clone()).await;
            exchange.unwrap_err();
        }
    }
}

/// The bytes were written; that nobody read them is nothing that a client can know.
pub async fn reset_before_the_request_is_read_is_in_doubt(bench: Bench) {
    in_doubt(&bench, SocketFault::ResetUnread).await;
}

/// See the name.
pub async fn reset_in_the_middle_of_the_request_is_in_doubt(bench: Bench) {
    in_doubt(&bench, SocketFault::ResetMidRequest).await;
}

/// See the name.
pub async fn reset_after_the_request_is_in_doubt(bench: Bench) {
    in_doubt(&bench, SocketFault::ResetAfterRequest).await;
}

async fn in_doubt(bench: &Bench, fault: SocketFault) {
    let exchange = bench.suffer(fault).await;
    expect(
        &exchange,
        Certainty::MaybeSent,
        &[TransportErrorKind::Closed],
    );
}

/// The same three where a first exchange went well on the connection: the bytes that count are those of
/// this request, not those before.
pub async fn reset_on_a_reused_connection_is_in_doubt(bench: Bench) {
    for fault in [
        SocketFault::ResetUnread,
        SocketFault::ResetMidRequest,
        SocketFault::ResetAfterRequest,
    ] {
        reused(&bench, fault).await;
    }
}

/// A whole request, then the connection is closed with no answer: the case in which retry helpers send
/// again, and an order is charged twice.
pub async fn lesson_19_a_request_closed_upon_is_not_sent_again(bench: Bench) {
    in_doubt(&bench, SocketFault::CloseAfterRequest).await;
    reused(&bench, SocketFault::CloseAfterRequest).await;
}

async fn reused(bench: &Bench, fault: SocketFault) {
    // A pool may get its connection back a moment after the answer, so not every try meets it there.
    for _ in 0..200 {
        let scene = Scene::new(bench, [SocketFault::None, fault.clone()]).await;
        scene.warm_up().await;
        let exchange = scene.send().await;
        let connections = scene.server.connections();
        expect(
            &exchange,
            Certainty::MaybeSent,
            &[TransportErrorKind::Closed],
        );
        scene.check(&exchange).await;
        assert!(
            connections == 1 || connections == 2,
            "{connections} connections"
        );
        if bench.reuses == (connections == 1) {
            return;
        }
        assert!(bench.reuses, "a connection was reused");
    }
    panic!("no connection was reused in 200 tries");
}

/// The server closes a kept connection just as the next request comes. It may be answered on a new
/// connection, or fail with or without bytes written; what is said must be true, and one answer is the
/// most there can be.
pub async fn a_connection_that_died_idle_is_told_truly(bench: Bench) {
    for _ in 0..20 {
        let scene = Scene::new(&bench, [SocketFault::AnswerThenClose]).await;
        scene.warm_up().await;
        let exchange = scene.send().await;
        scene.check(&exchange).await;
    }
}

/// More than the socket's buffers take at once.
pub async fn a_large_request_arrives_whole_or_in_doubt(bench: Bench) {
    let body = Bytes::from(vec![b'x'; 8 << 20]);
    let large = |server: &SocketServer| {
        let mut request = order(&server.url("/large"));
        *request.body_mut() = body.clone();
        request
    };
    let server = SocketServer::start([]).await.unwrap();
    bench.transport().send(large(&server)).await.unwrap();
    let requests = server.requests();
    assert_eq!(requests.len(), 1);
    assert!(requests[0].ends_with(&body));

    let server = SocketServer::start([SocketFault::ResetMidRequest])
        .await
        .unwrap();
    let exchange = bench.transport().send(large(&server)).await;
    expect(
        &exchange,
        Certainty::MaybeSent,
        &[TransportErrorKind::Closed],
    );
    assert!(server.requests().is_empty());
}

/// Many at once over few connections that fail again and again: each request arrives at most once, an
/// answered one exactly once, and one that was not sent never.
pub async fn requests_in_flight_arrive_once_each(bench: Bench) {
    const ROUNDS: usize = 12;
    const AT_ONCE: usize = 16;
    let faults = [
        SocketFault::None,
        SocketFault::AnswerThenClose,
        SocketFault::None,
        SocketFault::ResetAfterRequest,
        SocketFault::HalfCloseAtAccept,
        SocketFault::None,
        SocketFault::CloseAfterRequest,
        SocketFault::CloseAtAccept,
    ];
    let script = faults.into_iter().cycle().take(ROUNDS * AT_ONCE * 2);
    let server = SocketServer::start(script).await.unwrap();
    let transport = bench.transport();
    let mut said = Vec::new();
    for round in 0..ROUNDS {
        let calls: Vec<_> = (0..AT_ONCE)
            .map(|number| {
                let id = format!("/{round}-{number}");
                let request = Request::post(server.url(&id))
                    .body(Bytes::from("x"))
                    .unwrap();
                let transport = transport.clone();
                (
                    id,
                    tokio::spawn(async move { transport.send(request).await }),
                )
            })
            .collect();
        for (id, call) in calls {
            let certainty = call.await.unwrap().map_err(|error| error.certainty());
            said.push((id, certainty.map(|response| response.status())));
        }
    }
    let requests = server.requests();
    let mut answered = 0;
    for (id, said) in said {
        let line = format!("POST {id} ");
        let arrived = requests
            .iter()
            .filter(|request| request.starts_with(line.as_bytes()))
            .count();
        match said {
            Ok(_) => {
                answered += 1;
                assert_eq!(arrived, 1, "{id} was answered");
            }
            Err(Certainty::NotSent) => assert_eq!(arrived, 0, "{id} was said not to be sent"),
            Err(Certainty::MaybeSent) => assert!(arrived <= 1, "{id} arrived {arrived} times"),
        }
    }
    assert!(answered > 0, "some must have been answered");
}
