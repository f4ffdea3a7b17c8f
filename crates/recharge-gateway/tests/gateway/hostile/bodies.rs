//! Bodies without end or bottom.

use std::fmt::Write as _;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::{is_served, is_untouched, raw_and_open, read, statuses};
use crate::stage::{ALL, Stage};

const TAKERS: &[(&str, &str)] = &[
    ("/v1/orders", "application/json"),
    ("/v1/orders/A1/cancel", "application/json"),
    ("/v1/check", "application/json"),
    ("/v1/batches", "text/csv"),
    ("/callbacks/juhe", "application/x-www-form-urlencoded"),
    ("/callbacks/juhe", "multipart/form-data; boundary=b"),
    (
        "/compat/juhe/ofpay/mobile/onlineorder",
        "application/x-www-form-urlencoded",
    ),
    (
        "/compat/jisu/mobilerecharge/recharge",
        "multipart/form-data; boundary=b",
    ),
];

fn head(path: &str, kind: &str, key: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\ncontent-type: {kind}\r\n"
    )
}

async fn stage() -> (Stage, String) {
    let stage = Stage::with(|it| it.batch_limit = 200_000).await;
    let key = stage.key("shop", ALL);
    (stage, key)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_is_refused_before_it_is_sent_and_without_its_length_told() {
    let (stage, key) = stage().await;
    let mut all = JoinSet::new();
    for (path, kind) in TAKERS {
        let (address, head) = (stage.address(), head(path, kind, &key));
        // All there will ever be of it is its length.
        for length in ["300000", "4294967296", "9223372036854775807"] {
            let request = format!("{head}content-length: {length}\r\n\r\n");
            all.spawn(async move {
                let answer = raw_and_open(address, request.as_bytes()).await;
                assert_eq!(statuses(&answer), [413], "{path} {length}: {answer}");
            });
        }
        all.spawn(async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let begin = format!("{head}transfer-encoding: chunked\r\n\r\n");
            stream.write_all(begin.as_bytes()).await.unwrap();
            let part = format!("1000\r\n{}\r\n", "a".repeat(0x1000));
            let mut sent = 0;
            // Without end, as far as we are concerned.
            while sent < 10_000 && stream.write_all(part.as_bytes()).await.is_ok() {
                sent += 1;
            }
            assert!(sent < 10_000, "{path}: 40 MB were taken");
            let answer = read(&mut stream).await;
            // Who goes on and on may find the connection reset before he reads.
            assert!(matches!(*statuses(&answer), [] | [413]), "{path}: {answer}");
        });
    }
    while let Some(done) = all.join_next().await {
        done.unwrap();
    }
    is_served(&stage).await;
    is_untouched(&stage, &key).await;
}

/// An honest client sends all of it before it reads.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_sends_too_much_in_good_faith_is_told_so() {
    let (stage, key) = stage().await;
    for (path, key, status) in [
        ("/v1/orders", &*key, 413),
        ("/v1/batches", &*key, 413),
        ("/v1/batches", "wrong", 401),
        ("/callbacks/juhe", "", 413),
    ] {
        let head = head(path, "text/plain", key);
        let head = format!("{head}connection: close\r\ncontent-length: 900000\r\n\r\n");
        let mut stream = TcpStream::connect(stage.address()).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        // It is answered by now, and the client doesn't look.
        stream.peek(&mut [0]).await.unwrap();
        for _ in 0..90 {
            stream.write_all(&[b' '; 10_000]).await.unwrap();
        }
        let answer = read(&mut stream).await;
        assert_eq!(statuses(&answer), [status], "{path}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_nested_deeply_is_refused() {
    let (stage, key) = stage().await;
    let deep = |open: &str, close: &str| [open.repeat(20_000), close.repeat(20_000)].concat();
    let right = r#""order_id":"A1","kind":"mobile","account":"18900000001","amount""#;
    for body in [
        "[".repeat(60_000),
        "{\"a\":".repeat(10_000),
        deep("[", "]"),
        format!("{{{right}:{}}}", deep("[", "]")),
        format!("{{{right}:\"100\",\"x\":{}}}", deep("[", "]")),
        format!("{{{right}:1e400}}"),
        format!("{{{right}:{}}}", "9".repeat(50_000)),
        format!("{{{right}:\"{}\"}}", "\\ud800".repeat(8_000)),
    ] {
        for path in ["/v1/orders", "/v1/check", "/v1/orders/A1/decisions"] {
            let told = stage.call("POST", path, Some(&key), Some(&body)).await;
            assert!(
                matches!(told.status, 400 | 422),
                "{path} {body:.40}: {told:?}"
            );
            assert!(
                told.text.len() < 2_000,
                "what was sent is not repeated at length"
            );
        }
    }
    is_untouched(&stage, &key).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn forms_of_very_many_or_nested_parts_are_refused_in_no_time() {
    let (stage, _) = stage().await;
    let mut many = String::new();
    for at in 0..9_000 {
        write!(many, "a{at}=&").unwrap();
    }
    let nested = "--b\r\ncontent-type: multipart/form-data; boundary=b\r\n\r\n".repeat(1_000);
    let bare = "--b\r\n".repeat(12_000);
    for path in ["/callbacks/juhe", "/compat/juhe/ofpay/mobile/onlineorder"] {
        for (kind, body) in [
            ("application/x-www-form-urlencoded", &many),
            ("application/x-www-form-urlencoded", &"%".repeat(60_000)),
            ("multipart/form-data; boundary=b", &nested),
            ("multipart/form-data; boundary=b", &bare),
            ("multipart/form-data; boundary=", &bare),
        ] {
            let length = body.len();
            let request = format!(
                "{}connection: close\r\ncontent-length: {length}\r\n\r\n{body}",
                head(path, kind, "")
            );
            let answer = raw_and_open(stage.address(), request.as_bytes()).await;
            // The one in its own form, the other as a shop's program expects it.
            let right = if path.starts_with("/callbacks") {
                400
            } else {
                200
            };
            assert_eq!(
                statuses(&answer),
                [right],
                "{path} {kind} {body:.40}: {answer}"
            );
            assert!(!answer.contains("\"error_code\":0"), "{answer}");
        }
    }
}
