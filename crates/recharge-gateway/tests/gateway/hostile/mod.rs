//! What no honest client does. Whatever comes, it is answered or cut off in bounded time, changes nothing, and
//! others are served meanwhile.

mod bodies;
mod heads;
mod slow;

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::stage::Stage;

/// Longer than anything here may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Sends these bytes, says that there are no more, and reads until the other side closes.
///
/// # Panics
///
/// If it doesn't.
async fn raw(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // It may have been closed before all was taken.
    drop(stream.write_all(bytes).await);
    drop(stream.shutdown().await);
    read(&mut stream).await
}

/// The same, keeping our side open: it is theirs to close.
async fn raw_and_open(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    drop(stream.write_all(bytes).await);
    read(&mut stream).await
}

async fn read(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    // A reset is as good as an end.
    let ended = timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    assert!(ended.is_ok(), "it was not closed");
    String::from_utf8_lossy(&answer).into_owned()
}

/// The statuses of all answers on a connection.
fn statuses(text: &str) -> Vec<u16> {
    let begins = text.split("HTTP/1.1 ").skip(1);
    begins.map(|it| it[..3].parse().unwrap()).collect()
}

/// That somebody else is served.
async fn is_served(stage: &Stage) {
    let served = timeout(PATIENCE, stage.call("GET", "/healthz", None, None)).await;
    assert_eq!(served.unwrap().status, 200);
}

/// That nothing was done.
async fn is_untouched(stage: &Stage, key: &str) {
    let list = stage.call("GET", "/v1/orders", Some(key), None).await;
    assert_eq!(list.json()["orders"], serde_json::json!([]));
    assert!(stage.simulator.ledger().is_empty());
}
