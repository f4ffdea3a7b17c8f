//! What comes back: answers good and bad.

use std::time::Duration;

use recharge_http::{Certainty, MAX_ANSWER, TransportErrorKind};
use recharge_sim::socket::{self, SocketFault, SocketServer, answer, chunked};

use super::{BODY, Bench, Exchange, PATH, Scene, expect};

/// Method, path, query, headers and body arrive as given; no encoding is asked for; status, headers and
/// body come back.
pub async fn a_request_arrives_as_given_and_its_answer_comes_back(bench: Bench) {
    let raw = answer(200, &["X-Answer: one"], b"\xef\xbb\xbf{}");
    let scene = Scene::new(&bench, [SocketFault::Answer(raw)]).await;
    let response = scene.send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["x-answer"], "one");
    assert_eq!(response.body().as_ref(), b"\xef\xbb\xbf{}");

    let requests = scene.server.requests();
    let text = String::from_utf8(requests[0].to_vec()).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(
        head.starts_with(&format!("POST {PATH} HTTP/1.1\r\n")),
        "{head}"
    );
    assert_eq!(body, BODY);
    let head = head.to_ascii_lowercase();
    let host = scene.server.url("").replace("http://", "host: ");
    assert!(head.contains(&host), "{head}");
    assert!(head.contains("x-key: canary-in-header"), "{head}");
    assert!(
        head.contains("content-type: application/x-www-form-urlencoded"),
        "{head}"
    );
    assert!(
        head.contains(&format!("content-length: {}", BODY.len())),
        "{head}"
    );
    assert!(!head.contains("accept-encoding"), "{head}");
    scene.check(&Ok(response)).await;
}

/// 4xx and 5xx are answers with a body.
pub async fn any_status_is_a_response(bench: Bench) {
    for status in [204, 400, 404, 429, 500, 502, 503, 599] {
        let body: &[u8] = if status == 204 { b"" } else { b"why" };
        let exchange = bench
            .suffer(SocketFault::Answer(answer(status, &[], body)))
            .await;
        let response = exchange.unwrap();
        assert_eq!(response.status().as_u16(), status);
        assert_eq!(response.body(), body);
    }
}

/// A redirect is an answer, and what it points to is never asked.
pub async fn redirects_are_not_followed(bench: Bench) {
    let elsewhere = SocketServer::start([]).await.unwrap();
    for status in [301, 302, 303, 307, 308] {
        let location = format!("Location: {}", elsewhere.url("/else"));
        let redirect = answer(status, &[&location], b"moved");
        let response = bench.suffer(SocketFault::Answer(redirect)).await.unwrap();
        assert_eq!(response.status().as_u16(), status);
        assert_eq!(response.headers()["location"], elsewhere.url("/else"));
    }
    assert_eq!(elsewhere.connections(), 0);
}

/// "100 Continue" is not the answer.
pub async fn interim_answers_are_passed_over(bench: Bench) {
    let mut raw = b"HTTP/1.1 100 Continue\r\n\r\n".to_vec();
    raw.extend_from_slice(&answer(200, &[], b"{}"));
    let response = bench.suffer(SocketFault::Answer(raw.into())).await.unwrap();
    assert_eq!(
        (response.status().as_u16(), response.body().as_ref()),
        (200, &b"{}"[..])
    );
}

/// 1 MiB is read, however it is framed.
pub async fn an_answer_of_the_largest_size_is_read(bench: Bench) {
    let body = vec![b'x'; MAX_ANSWER];
    for raw in [answer(200, &[], &body), chunked(200, &[], &body)] {
        let response = bench.suffer(SocketFault::Answer(raw)).await.unwrap();
        assert!(response.body() == &body, "{} bytes", response.body().len());
    }
}

/// One byte more is refused, announced or not.
pub async fn a_larger_answer_is_refused(bench: Bench) {
    let body = vec![b'x'; MAX_ANSWER + 1];
    for raw in [answer(200, &[], &body), chunked(200, &[], &body)] {
        let exchange = bench.suffer(SocketFault::Answer(raw)).await;
        expect(
            &exchange,
            Certainty::MaybeSent,
            &[TransportErrorKind::TooLarge],
        );
    }
}

/// Nobody asked for an encoding. `identity` is none.
pub async fn an_encoded_answer_is_refused(bench: Bench) {
    for line in [
        "Content-Encoding: gzip",
        "Content-Encoding: br",
        "Content-Encoding: identity, deflate",
    ] {
        let raw = answer(200, &[line], b"\x1f\x8b\x08");
        let exchange = bench.suffer(SocketFault::Answer(raw)).await;
        expect(
            &exchange,
            Certainty::MaybeSent,
            &[TransportErrorKind::Encoded],
        );
    }
    let plain = answer(200, &["Content-Encoding: identity"], b"{}");
    bench.suffer(SocketFault::Answer(plain)).await.unwrap();
}

/// Something speaks on that port, but not HTTP.
pub async fn what_is_not_http_is_refused(bench: Bench) {
    for garbage in [
        "SSH-2.0-server\r\n\r\n",
        "HTTP/1.1 abc\r\n\r\n",
        "\0\0\0\0\r\n\r\n",
    ] {
        let exchange = bench.suffer(SocketFault::Answer(garbage.into())).await;
        expect(
            &exchange,
            Certainty::MaybeSent,
            &[TransportErrorKind::Protocol],
        );
    }
    let mut chunk = chunked(200, &[], b"{}").to_vec();
    chunk.truncate(chunk.len() - b"2\r\n{}\r\n0\r\n\r\n".len());
    chunk.extend_from_slice(b"two\r\n{}\r\n0\r\n\r\n");
    let exchange = bench.suffer(SocketFault::Answer(chunk.into())).await;
    expect(
        &exchange,
        Certainty::MaybeSent,
        &[TransportErrorKind::Protocol],
    );
}

/// A part of an answer proves nothing, however much it looks like one.
pub async fn a_truncated_answer_is_no_answer(bench: Bench) {
    let body = br#"{"error_code":0}            "#;
    let whole = [answer(200, &[], body), chunked(200, &[], body)];
    for raw in whole {
        let head = raw.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
        for length in [1, 20, head, head + 20, raw.len() - 1] {
            let exchange = bench.suffer(SocketFault::Cut(raw.slice(..length))).await;
            expect(
                &exchange,
                Certainty::MaybeSent,
                &[TransportErrorKind::Closed],
            );
        }
    }
}

/// Bytes that come in time each, but never end: the limit is for the whole exchange.
pub async fn a_dripping_answer_is_cut_off(bench: Bench) {
    let raw = answer(200, &[], socket::BODY.as_bytes());
    let fast = SocketFault::Drip(raw.clone(), Duration::ZERO);
    let response = bench.suffer(fast).await.unwrap();
    assert_eq!(response.body(), socket::BODY);

    // A byte a second would take over a minute, and the first waits longer than the first limit.
    let slow = SocketFault::Drip(raw, Duration::from_secs(1));
    let exchange = out_of_time(&bench, slow).await;
    expect(
        &exchange,
        Certainty::MaybeSent,
        &[TransportErrorKind::Timeout],
    );
}

/// Nothing comes back, ever: the call ends all the same, and says that it doesn't know.
pub async fn lesson_22_a_call_without_an_answer_ends(bench: Bench) {
    let exchange = out_of_time(&bench, SocketFault::Never).await;
    expect(
        &exchange,
        Certainty::MaybeSent,
        &[TransportErrorKind::Timeout],
    );
}

/// Runs into a time limit that was long enough for the request to arrive: on a slow machine the first
/// one may not be.
async fn out_of_time(bench: &Bench, fault: SocketFault) -> Exchange {
    for millis in [300, 1_000, 3_000, 9_000] {
        let limit = Duration::from_millis(millis);
        let scene = Scene::hasty(bench, fault.clone(), limit).await;
        let exchange = scene.send_watched().await;
        let arrived = scene.arrived();
        scene.check(&exchange).await;
        if arrived == 1 {
            return exchange;
        }
    }
    panic!("the request did not arrive within 9 s");
}
