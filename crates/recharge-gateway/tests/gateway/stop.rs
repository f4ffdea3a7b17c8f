//! Stopping within a process that goes on: what was in use is free once it is done.

use std::time::{Duration, Instant};

use recharge_store::Sqlite;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::stage::{ALL, Stage, order};

/// A client that has been answered and keeps its connection open.
async fn keep_open(stage: &Stage) -> TcpStream {
    let mut stream = TcpStream::connect(stage.address()).await.unwrap();
    let request = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut begin = [0; 15];
    stream.read_exact(&mut begin).await.unwrap();
    assert_eq!(&begin, b"HTTP/1.1 200 OK");
    stream
}

/// On one thread: whatever was told to end and not waited for is still there when `stop` answers.
#[tokio::test]
async fn the_store_is_let_go_before_it_answers() {
    let mut stage = Stage::with(|it| it.forget_after = Some(Duration::from_hours(24))).await;
    for at in 0..3 {
        let key = stage.key("shop", ALL);
        let _idle = keep_open(&stage).await;
        let body = order(&format!("A{at}"), at);
        let placed = stage.call("POST", "/v1/orders", Some(&key), Some(&body));
        assert_eq!(placed.await.status, 202);
        // Nobody reads it: it is under way for as long as the connection is.
        let mut statement = TcpStream::connect(stage.address()).await.unwrap();
        let ask = format!(
            "GET /v1/statements/2026-01-01 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\n\r\n"
        );
        statement.write_all(ask.as_bytes()).await.unwrap();
        stage.stop().await;
        drop(Sqlite::open(stage.file()).unwrap());
        stage.start().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_who_keeps_the_only_place_keeps_it_from_stopping() {
    let mut stage = Stage::with(|it| it.connections = 1).await;
    let _idle = keep_open(&stage).await;
    // It waits for room; the place is the other one's until its deadline, which is half a minute.
    let _waiting = TcpStream::connect(stage.address()).await.unwrap();
    let begun = Instant::now();
    stage.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(10));
}
