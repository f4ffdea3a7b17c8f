//! Heads of requests that two programs may read in two ways, that hide a path or a method, or that are floods.

use std::time::Duration;

use super::{is_served, is_untouched, raw, raw_and_open, statuses};
use crate::stage::{ALL, Stage, order};

#[tokio::test(flavor = "multi_thread")]
async fn floods_of_headers_are_refused() {
    let stage = Stage::open().await;
    let many = "x: y\r\n".repeat(100_000);
    let large = format!("x: {}\r\n", "y".repeat(1_000_000));
    let name = format!("{}: y\r\n", "x".repeat(100_000));
    let folded = format!("x: y\r\n{}", " y\r\n".repeat(20_000));
    let target = format!("GET /{} HTTP/1.1\r\n", "a".repeat(100_000));
    let line = "GET /healthz HTTP/1.1\r\nhost: x\r\n";
    for head in [&many, &large, &name, &folded] {
        let answer = raw(stage.address(), format!("{line}{head}\r\n").as_bytes()).await;
        assert!(matches!(*statuses(&answer), [] | [400 | 431]), "{answer}");
    }
    let answer = raw(stage.address(), format!("{target}\r\n").as_bytes()).await;
    assert!(matches!(*statuses(&answer), [] | [414 | 431]), "{answer}");
    is_served(&stage).await;
}

/// It is hyper that answers these, before there is a request, and it can't be given a body for it. The description says
/// so.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_request_is_answered_with_the_status_alone() {
    let stage = Stage::open().await;
    let line = "GET /healthz HTTP/1.1\r\nhost: x\r\n";
    for (head, status) in [
        ("nonsense\r\n\r\n".to_owned(), 400),
        (format!("{line}no header\r\n\r\n"), 400),
        (format!("{line}{}\r\n", "x: y\r\n".repeat(101)), 431),
    ] {
        let answer = raw(stage.address(), head.as_bytes()).await;
        assert_eq!(statuses(&answer), [status], "{answer}");
        assert!(answer.contains("\r\ncontent-length: 0\r\n"), "{answer}");
        assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
        assert!(answer.ends_with("\r\n\r\n"), "{answer}");
    }
    is_served(&stage).await;
}

/// Its body is read, whoever sends it.
const OUTER: &str = "POST /callbacks/juhe HTTP/1.1\r\nhost: x\r\n";

/// The bytes of a request that a proxy before us would take for another one's body, and never look at.
#[tokio::test(flavor = "multi_thread")]
async fn no_request_is_smuggled_in_what_a_proxy_takes_for_a_body() {
    // Where more is waited for, not for long.
    let stage = Stage::with(|it| it.deadline = Duration::from_millis(500)).await;
    let key = stage.key("shop", ALL);
    let body = order("SMUGGLED", 1);
    let length = body.len();
    let hidden = format!(
        "POST /v1/orders HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {key}\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    let all = hidden.len();
    let with_end = all + 5;
    for (lengths, between) in [
        // Both lengths, either way round.
        (
            format!("content-length: {with_end}\r\ntransfer-encoding: chunked"),
            "0\r\n\r\n",
        ),
        (
            format!("transfer-encoding: chunked\r\ncontent-length: {with_end}"),
            "0\r\n\r\n",
        ),
        (
            format!(
                "Transfer-Encoding: chunked\r\ncontent-length: {with_end}\r\nconnection: keep-alive"
            ),
            "0\r\n\r\n",
        ),
        // Two lengths.
        (format!("content-length: {all}\r\ncontent-length: 0"), ""),
        (format!("content-length: 0\r\ncontent-length: {all}"), ""),
        (format!("content-length: 0, {all}"), ""),
        // Lengths that are none.
        (format!("content-length: +{all}"), ""),
        (format!("content-length: -{all}"), ""),
        (format!("content-length: 0x{all:x}"), ""),
        (format!("content-length: {all} {all}"), ""),
        ("content-length: 99999999999999999999999".to_owned(), ""),
        // Encodings that some programs take for chunked, and some don't.
        ("transfer-encoding: xchunked".to_owned(), "0\r\n\r\n"),
        (
            "transfer-encoding: chunked, identity".to_owned(),
            "0\r\n\r\n",
        ),
        (
            "transfer-encoding: identity, chunked".to_owned(),
            "0\r\n\r\n",
        ),
        ("transfer-encoding:\tchunked".to_owned(), "0\r\n\r\n"),
        (
            "transfer-encoding: chunked\r\ntransfer-encoding: x".to_owned(),
            "0\r\n\r\n",
        ),
        ("transfer-encoding : chunked".to_owned(), "0\r\n\r\n"),
        ("transfer-encoding\r\n : chunked".to_owned(), "0\r\n\r\n"),
        (
            "transfer_encoding: chunked\r\ntransfer-encoding: \u{b}chunked".to_owned(),
            "0\r\n\r\n",
        ),
        // Parts whose length can't be, or is hidden.
        ("transfer-encoding: chunked".to_owned(), "-1\r\n\r\n"),
        (
            "transfer-encoding: chunked".to_owned(),
            "ffffffffffffffff1\r\n\r\n",
        ),
        ("transfer-encoding: chunked".to_owned(), "0;\n\r\n\r\n"),
        ("transfer-encoding: chunked".to_owned(), "0\n\n"),
        ("transfer-encoding: chunked".to_owned(), "0\r\nx: y\r\n\r\n"),
    ] {
        let outer = format!("{OUTER}{lengths}\r\n\r\n{between}");
        let bytes = format!("{outer}{hidden}");
        let answer = raw_and_open(stage.address(), bytes.as_bytes()).await;
        assert!(
            statuses(&answer).len() <= 1,
            "two were answered: {lengths:?} {answer}"
        );
        assert!(
            !answer.contains(" 200 ") && !answer.contains(" 202 "),
            "{lengths:?}: {answer}"
        );
        let old = bytes.replacen("HTTP/1.1", "HTTP/1.0", 1);
        let answer = raw_and_open(stage.address(), old.as_bytes()).await;
        assert!(!answer.contains(" 202 "), "{lengths:?}, 1.0: {answer}");
    }
    // What follows an honest length is an honest request, and so the test could fail.
    is_untouched(&stage, &key).await;
    let outer = format!("{OUTER}content-length: 2\r\n\r\n{{}}");
    let answer = raw_and_open(stage.address(), format!("{outer}{hidden}").as_bytes()).await;
    assert_eq!(statuses(&answer), [400, 202], "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_that_are_not_as_they_must_be_are_refused() {
    let stage = Stage::open().await;
    for head in [
        "GET /v1/orders HTTP/1.1\r\nhost: x\r\nauthorization : Bearer x\r\n\r\n",
        "GET /v1/orders HTTP/1.1\r\nho\0st: x\r\n\r\n",
        "GET /v1/orders HTTP/1.1\r\nhost: x\r\nx: a\0b\r\n\r\n",
        "GET /v1/orders HTTP/1.1\r\nhost: x\r\nx: a\rb\r\n\r\n",
        "GET /v1/orders HTTP/9.9\r\nhost: x\r\n\r\n",
        "GET  /v1/orders HTTP/1.1\r\nhost: x\r\n\r\n",
        "GET /v1/ orders HTTP/1.1\r\nhost: x\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}",
        "GET\r\n\r\n",
        ": \r\n\r\n",
    ] {
        let answer = raw(stage.address(), head.as_bytes()).await;
        assert!(
            matches!(*statuses(&answer), [] | [400 | 404 | 505]),
            "{head:?}: {answer}"
        );
        assert!(!answer.contains("orders\":"), "{answer}");
    }
    is_served(&stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_spelling_of_a_path_leads_past_its_key() {
    let stage = Stage::open().await;
    let (owner, other) = (stage.key("owner", ALL), stage.key("other", ALL));
    let body = order("A1", 1);
    let placed = stage
        .call("POST", "/v1/orders", Some(&owner), Some(&body))
        .await;
    assert_eq!(placed.status, 202);
    let long = format!("/v1/orders/{}", "A1/".repeat(3_000));
    let longer = format!("/v1/orders/A1?{}", "a".repeat(10_000));
    let seen = async |line: &str, key: Option<&str>| {
        let key = key.map_or_else(String::new, |key| {
            format!("authorization: Bearer {key}\r\n")
        });
        let head = format!("{line} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{key}\r\n");
        raw_and_open(stage.address(), head.as_bytes()).await
    };
    for path in [
        "/v1/orders/A1",
        "//v1/orders/A1",
        "/v1//orders/A1",
        "/v1/orders//A1",
        "/v1/orders/A1/",
        "/v1/orders/A1//",
        "/v1/orders/./A1",
        "/v1/orders/x/../A1",
        "/v1/orders/%2e%2e/orders/A1",
        "/v1/orders/%2e/A1",
        "/v1/orders/..%2forders%2fA1",
        "/v1/orders%2fA1",
        "/%76%31/orders/A1",
        "/v1/orders/%41%31",
        "/v1/orders/A1%00",
        "/v1/orders/A1%0d%0aset-cookie:%20a=b",
        "/v1/orders/%ff%fe",
        "/v1/orders/%",
        "/v1/orders/A1;x=y",
        "/v1/orders/A1%2fevents",
        "/v1/orders/A1\\events",
        "/V1/Orders/A1",
        "/healthz/../v1/orders/A1",
        "/docs/../v1/orders/A1",
        "/docs/%2e%2e/%2e%2e/Cargo.toml",
        "/docs/../../../../etc/passwd",
        "/callbacks/juhe/../../v1/orders/A1",
        "http://elsewhere.example.com/v1/orders/A1",
        "http://x@x/v1/orders/A1",
        &long,
        &longer,
    ] {
        for key in [None, Some(&*other)] {
            let answer = seen(&format!("GET {path}"), key).await;
            let found = statuses(&answer);
            assert!(matches!(*found, [400..=431]), "{path:.60}: {answer}");
            assert!(
                !answer.contains("18900000001") && !answer.contains("set-cookie"),
                "{path:.60}: {answer}"
            );
        }
        let answer = seen(&format!("GET {path}"), Some(&owner)).await;
        assert!(
            matches!(*statuses(&answer), [200 | 400..=431]),
            "{path:.60}: {answer}"
        );
    }
    for line in [
        "OPTIONS *",
        "CONNECT x:80",
        "TRACE /v1/orders/A1",
        "PROPFIND /",
        "GET *",
        "DELETE /v1/orders/A1",
    ] {
        let answer = seen(line, Some(&owner)).await;
        assert!(
            matches!(*statuses(&answer), [400..=431]),
            "{line}: {answer}"
        );
        assert!(!answer.contains(&owner), "{line}: {answer}");
    }
    stage.until("A1", "succeeded", &owner).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_header_or_parameter_changes_the_method() {
    let stage = Stage::open().await;
    let key = stage.key("shop", ALL);
    let body = order("A1", 1);
    let length = body.len();
    for (line, headers) in [
        ("GET /v1/orders", "x-http-method-override: POST"),
        ("GET /v1/orders", "x-http-method: POST"),
        ("GET /v1/orders", "x-method-override: POST"),
        ("GET /v1/orders?_method=POST", "x: y"),
        ("HEAD /v1/orders", "x-http-method-override: POST"),
        ("PUT /v1/orders", "x-http-method-override: POST"),
        ("PATCH /v1/orders", "x: y"),
        ("post /v1/orders", "x: y"),
    ] {
        let head = format!(
            "{line} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {key}\r\n{headers}\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        let answer = raw_and_open(stage.address(), head.as_bytes()).await;
        assert!(
            matches!(*statuses(&answer), [200 | 400 | 405 | 422]),
            "{line}: {answer}"
        );
    }
    is_untouched(&stage, &key).await;
}

/// A proxy before us may have looked at either.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_keys_neither_counts() {
    let stage = Stage::open().await;
    let (one, other) = (stage.key("one", ALL), stage.key("other", ALL));
    for second in [&*one, &other, "nonsense", ""] {
        let request = format!(
            "GET /v1/orders HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {one}\r\n\
             authorization: Bearer {second}\r\n\r\n"
        );
        let answer = raw_and_open(stage.address(), request.as_bytes()).await;
        assert_eq!(statuses(&answer), [401], "{answer}");
    }
}
