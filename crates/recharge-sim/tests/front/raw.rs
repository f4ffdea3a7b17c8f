//! HTTP by hand.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use recharge_sim::{
    DEFAULT_JUHE_KEY, DEFAULT_JUHE_OPENID, FaultKind, FaultPlan, Script, Simulator, Timings, md5,
};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

pub(crate) const PHONE: &str = "18900001234";
pub(crate) const SUBMIT: &str = "/ofpay/mobile/onlineorder";

/// The longest that anything here may take: what never comes is to fail a test, not to hang it.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until the simulator has come so far by itself.
pub(crate) async fn until(so_far: impl Fn() -> bool) {
    let waiting = async {
        while !so_far() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    in_time(waiting).await;
}

/// What comes, if it comes in time.
pub(crate) async fn in_time<T>(coming: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, coming)
        .await
        .expect("it should have come by now")
}

pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the body is JSON")
    }

    /// A header's value; the name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (known, value) = line.split_once(':')?;
            (known.to_ascii_lowercase() == name).then(|| value.trim())
        })
    }
}

/// Reads one response by its `Content-Length`, after skipping interim ones.
pub(crate) async fn read_response(stream: &mut TcpStream) -> io::Result<Response> {
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await?);
        }
        let head = String::from_utf8(head).expect("the head is text");
        let status = head[9..12].parse().expect("a status");
        let mut response = Response {
            status,
            head,
            body: Vec::new(),
        };
        if status == 100 {
            continue;
        }
        let length = response
            .header("content-length")
            .map_or(0, |text| text.parse().unwrap());
        response.body = vec![0; length];
        stream.read_exact(&mut response.body).await?;
        return Ok(response);
    }
}

/// Sends these bytes on a new connection and reads one response.
pub(crate) async fn exchange(address: SocketAddr, request: &[u8]) -> io::Result<Response> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request).await?;
    read_response(&mut stream).await
}

pub(crate) fn get_bytes(target: &str) -> Vec<u8> {
    format!(
        "GET {target} HTTP/1.1\r\nHost: op.juhe.cn\r\nUser-Agent: JuheData\r\nAccept: */*\r\n\r\n"
    )
    .into_bytes()
}

pub(crate) fn post_bytes(path: &str, kind: &str, body: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nHost: op.juhe.cn\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

pub(crate) async fn get(simulator: &Simulator, target: &str) -> Response {
    exchange(simulator.address(), &get_bytes(target))
        .await
        .expect("an answer")
}

pub(crate) async fn post_json(simulator: &Simulator, path: &str, body: &str) -> Response {
    let bytes = post_bytes(path, "application/json", body);
    exchange(simulator.address(), &bytes)
        .await
        .expect("an answer")
}

pub(crate) fn order_fields(order_id: &str) -> String {
    let parts = [DEFAULT_JUHE_OPENID, DEFAULT_JUHE_KEY, PHONE, "10", order_id];
    let sign = md5::hex(&parts);
    format!("key={DEFAULT_JUHE_KEY}&phoneno={PHONE}&cardnum=10&orderid={order_id}&sign={sign}")
}

pub(crate) fn order_bytes(order_id: &str) -> Vec<u8> {
    let kind = "application/x-www-form-urlencoded";
    post_bytes(SUBMIT, kind, &order_fields(order_id))
}

pub(crate) fn status_bytes(order_id: &str) -> Vec<u8> {
    get_bytes(&format!(
        "/ofpay/mobile/ordersta?key={DEFAULT_JUHE_KEY}&orderid={order_id}"
    ))
}

/// A simulator in which the submits of `order_id` meet these faults, with short times.
pub(crate) async fn scripted(order_id: &str, submit: &[FaultKind]) -> Simulator {
    let mut plan = FaultPlan::off().with_timings(Timings::quick());
    plan.add_script(Script {
        order_id: Some(order_id.to_owned()),
        submit: submit.iter().copied().map(Some).collect(),
        ..Script::default()
    })
    .expect("the script fits");
    Simulator::builder()
        .faults(plan)
        .start()
        .await
        .expect("it starts")
}

pub(crate) async fn plain() -> Simulator {
    Simulator::builder().start().await.expect("it starts")
}
