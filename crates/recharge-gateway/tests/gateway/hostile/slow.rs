//! Clients that take their time, or never come to the point.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{PATIENCE, is_served, is_untouched, read};
use crate::stage::{ALL, Stage};

/// What a request may take here.
const DEADLINE: Duration = Duration::from_millis(500);

/// A byte now and then, until the other side has had enough; answers what it said.
async fn trickle(stage: &Stage, begin: String, byte: &'static [u8]) -> JoinSet<String> {
    let mut slow = JoinSet::new();
    for _ in 0..100 {
        let mut stream = TcpStream::connect(stage.address()).await.unwrap();
        stream.write_all(begin.as_bytes()).await.unwrap();
        slow.spawn(async move {
            let (mut from, mut to) = stream.split();
            let mut said = String::new();
            let trickling = async {
                while to.write_all(byte).await.is_ok() {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            };
            let listening = async { drop(from.read_to_string(&mut said).await) };
            tokio::join!(trickling, listening);
            said
        });
    }
    slow
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_sends_a_byte_at_a_time_is_cut_off_and_others_are_served() {
    let stage = Stage::with(|it| it.deadline = DEADLINE).await;
    let key = stage.key("shop", ALL);
    let head = "POST /v1/orders HTTP/1.1\r\nhost: x\r\n";
    let body = format!("{head}authorization: Bearer {key}\r\ncontent-length: 5000\r\n\r\n{{");
    let chunks = format!("{head}authorization: Bearer {key}\r\ntransfer-encoding: chunked\r\n\r\n");
    let mut slow = [
        ("a head", trickle(&stage, format!("{head}x: "), b"x").await, ""),
        ("many headers", trickle(&stage, head.to_owned(), b"x: y\r\n").await, ""),
        ("a body", trickle(&stage, body, b" ").await, "HTTP/1.1 408 "),
        ("a body in parts", trickle(&stage, chunks, b"1\r\n \r\n").await, "HTTP/1.1 408 "),
        ("a body that nobody asked for", trickle(&stage, format!("{head}content-length: 5000\r\n\r\n"), b" ").await, "HTTP/1.1 401 "),
        ("a callback", trickle(&stage, "POST /callbacks/juhe HTTP/1.1\r\nhost: x\r\ncontent-length: 5000\r\n\r\n".to_owned(), b"a").await, "HTTP/1.1 408 "),
        ("a shop's request", trickle(&stage, "POST /compat/juhe/ofpay/mobile/ordersta HTTP/1.1\r\nhost: x\r\ncontent-length: 5000\r\n\r\n".to_owned(), b"a").await, "HTTP/1.1 200 "),
    ];
    for _ in 0..20 {
        is_served(&stage).await;
    }
    let begun = Instant::now();
    for (what, slow, answer) in &mut slow {
        let mut answered = 0;
        while let Some(said) = timeout(PATIENCE, slow.join_next()).await.unwrap() {
            let said = said.unwrap();
            // Who goes on sending may find the connection reset before he reads.
            assert!(
                said.is_empty() || said.starts_with(*answer),
                "{what}: {said}"
            );
            answered += usize::from(!said.is_empty());
        }
        assert!(
            answer.is_empty() || answered > 0,
            "{what}: nobody was answered"
        );
    }
    assert!(begun.elapsed() < DEADLINE * 20, "{:?}", begun.elapsed());
    is_untouched(&stage, &key).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_that_say_nothing_take_the_places_that_there_are_and_lose_them() {
    let stage = Stage::with(|it| {
        it.deadline = DEADLINE;
        it.connections = 300;
    })
    .await;
    let mut idle = JoinSet::new();
    let begun = Instant::now();
    // More at a time would wait where no program sees them.
    let at_a_time = Arc::new(Semaphore::new(400));
    for _ in 0..3_000 {
        let (address, at_a_time) = (stage.address(), Arc::clone(&at_a_time));
        idle.spawn(async move {
            let _one = at_a_time.acquire().await.unwrap();
            let mut stream = TcpStream::connect(address).await.unwrap();
            read(&mut stream).await
        });
    }
    // In its turn.
    is_served(&stage).await;
    while let Some(said) = idle.join_next().await {
        assert_eq!(said.unwrap(), "");
    }
    // So many places, so often anew.
    let least = DEADLINE * (3_000 / 300 - 1);
    assert!(
        begun.elapsed() >= least,
        "more were let in than there are places"
    );
    is_served(&stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_asked_and_says_nothing_more_loses_the_place() {
    let stage = Stage::with(|it| {
        it.deadline = DEADLINE;
        it.connections = 1;
    })
    .await;
    let mut stream = TcpStream::connect(stage.address()).await.unwrap();
    stream
        .write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    let mut begin = [0; 15];
    stream.read_exact(&mut begin).await.unwrap();
    assert_eq!(&begin, b"HTTP/1.1 200 OK");
    // There is one place, and the other client keeps its connection open.
    is_served(&stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_for_much_and_never_reads_loses_the_place() {
    let stage = Stage::with(|it| {
        it.deadline = DEADLINE;
        it.connections = 1;
    })
    .await;
    let mut stream = TcpStream::connect(stage.address()).await.unwrap();
    let asking = async {
        let request = b"GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n".repeat(1_000);
        drop(stream.write_all(&request).await);
    };
    // Much more than what lies between the two can hold: 160 MB.
    drop(timeout(DEADLINE, asking).await);
    is_served(&stage).await;
    drop(stream);
}
