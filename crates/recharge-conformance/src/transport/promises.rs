//! What a transport promises whatever the socket does.

use std::error::Error;
use std::process::Command;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use recharge_http::{Certainty, SendBefore, TransportErrorKind};
use recharge_sim::socket::{RefusedPort, SocketFault, SocketServer};

use super::{Bench, Scene, expect, order, passed};

/// No scheme, no host, a strange scheme.
pub async fn what_cannot_be_sent_is_not_sent(bench: Bench) {
    for uri in ["/path?key=CANARY", "ftp://127.0.0.1/", "127.0.0.1:80"] {
        let request = Request::get(uri).body(Bytes::new()).unwrap();
        let exchange = bench.transport().send(request).await;
        expect(
            &exchange,
            Certainty::NotSent,
            &[TransportErrorKind::InvalidRequest],
        );
    }
}

/// A passed [`SendBefore`] keeps every byte back, on a reused connection too; one to come doesn't.
pub async fn past_its_deadline_nothing_is_sent(bench: Bench) {
    let server = SocketServer::start([]).await.unwrap();
    let transport = bench.transport();
    let mut late = order(&server.url("/late"));
    late.extensions_mut().insert(passed());
    for _ in 0..2 {
        let seen = server.bytes_seen();
        let exchange = transport.send(late.clone()).await;
        expect(
            &exchange,
            Certainty::NotSent,
            &[TransportErrorKind::Deadline],
        );
        assert_eq!(server.bytes_seen(), seen);

        let mut early = order(&server.url("/early"));
        let deadline = Instant::now() + Duration::from_mins(10);
        early.extensions_mut().insert(SendBefore(deadline));
        assert_eq!(transport.send(early).await.unwrap().status(), 200);
    }
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    assert!(
        requests
            .iter()
            .all(|request| request.starts_with(b"POST /early "))
    );
}

/// A call whose future is dropped while it waits for the answer is over: what was written stays the
/// only time.
pub async fn a_dropped_call_is_not_sent_again(bench: Bench) {
    let scene = Scene::new(&bench, [SocketFault::Never]).await;
    let arrival = async {
        while scene.arrived() == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        exchange = scene.send() => panic!("never answered, yet {exchange:?}"),
        () = arrival => {}
    }
    scene.fence().await;
    assert_eq!(scene.arrived(), 1);
}

/// No part of an error and no `Debug` output shows a query, a header or a body.
pub async fn errors_hold_no_secret(bench: Bench) {
    let port = RefusedPort::new().unwrap();
    let mut errors = vec![
        bench.transport().send(order(&port.url(super::PATH))).await,
        bench
            .transport()
            .send(order(&port.url(super::PATH).replace("http:", "https:")))
            .await,
    ];
    let mut late = order(&port.url(super::PATH));
    late.extensions_mut().insert(passed());
    errors.push(bench.transport().send(late).await);
    let relative = Request::get(super::PATH).header("x-key", "CANARY");
    let relative = relative.body(Bytes::from("CANARY")).unwrap();
    errors.push(bench.transport().send(relative).await);
    let echo = "HTTP/1.1 CANARY\r\nCANARY: \0CANARY\r\n\r\nCANARY";
    for fault in [
        SocketFault::CloseAtAccept,
        SocketFault::ResetUnread,
        SocketFault::ResetAfterRequest,
        SocketFault::CloseAfterRequest,
        SocketFault::Answer(echo.into()),
        SocketFault::Answer("HTTP/1.1 200 OK\r\nContent-Encoding: CANARY\r\n\r\n".into()),
        SocketFault::Answer("HTTP/1.1 200 OK\r\nContent-Length: CANARY\r\n\r\n".into()),
        SocketFault::Cut("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nCANARY".into()),
    ] {
        errors.push(bench.suffer(fault).await);
    }
    let hasty = Scene::hasty(&bench, SocketFault::Never, Duration::from_millis(100)).await;
    errors.push(hasty.send().await);
    for exchange in errors {
        let error = exchange.unwrap_err();
        let mut texts = vec![
            format!("{error:?}"),
            format!("{error:#?}"),
            error.to_string(),
        ];
        let mut cause = error.source();
        while let Some(source) = cause {
            texts.extend([source.to_string(), format!("{source:?}")]);
            cause = source.source();
        }
        for text in texts {
            assert!(!text.contains("CANARY"), "{text}");
        }
    }
    let debug = format!("{:?}", bench.transport());
    assert!(!debug.contains("CANARY"), "{debug}");
}

/// `http_proxy` and its kin are ignored, for loopback and for other hosts. The environment of a running
/// process can't be changed safely, so the plainest case runs in a process of its own.
pub async fn proxies_of_the_environment_are_ignored(bench: Bench) {
    let trap = SocketServer::start([]).await.unwrap();
    let module = bench.module.split_once("::").map_or("", |(_, path)| path);
    let case = "a_request_arrives_as_given_and_its_answer_comes_back";
    let case = [module, case]
        .iter()
        .filter(|part| !part.is_empty())
        .copied()
        .collect::<Vec<_>>()
        .join("::");
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args([case.as_str(), "--exact"]);
    for name in ["http_proxy", "https_proxy", "all_proxy"] {
        child.env(name, trap.url(""));
        child.env(name.to_uppercase(), trap.url(""));
    }
    for name in ["no_proxy", "NO_PROXY", "REQUEST_METHOD"] {
        child.env_remove(name);
    }
    let output = tokio::task::spawn_blocking(move || child.output()).await;
    let output = output.unwrap().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    assert!(
        text.contains("1 passed"),
        "the case {case} did not run: {text}"
    );
    assert_eq!(trap.connections(), 0);
}
