//! Requests as clients of others send them.

use std::time::Duration;

use recharge_sim::{DEFAULT_JISU_APPKEY, DEFAULT_JISU_APPSECRET, LedgerState, md5};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::raw::*;

// Proves: juhe.submit.encoding.urlencoded, juhe.endpoint.plain-http, juhe.client.http11
// Proves: juhe.client.user-agent
#[tokio::test]
async fn urlencoded_post_with_a_charset_and_escapes() {
    let simulator = plain().await;
    // Every byte escaped, and plus signs in a field that nobody knows.
    let escaped: String = order_fields("URLENCODED")
        .split('&')
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap();
            let value: Vec<String> = value.bytes().map(|byte| format!("%{byte:02x}")).collect();
            format!("{name}={}&note=a+b%2", value.concat())
        })
        .collect::<Vec<_>>()
        .join("&");
    let kind = "application/x-www-form-urlencoded; charset=UTF-8";
    let response = exchange(simulator.address(), &post_bytes(SUBMIT, kind, &escaped))
        .await
        .unwrap();
    assert_eq!(response.status, 200);
    assert_eq!(
        response.header("content-type"),
        Some("application/json;charset=utf-8")
    );
    assert_eq!(response.json()["reason"], "订单提交成功,等待充值");
}

// Proves: juhe.submit.encoding.multipart
#[tokio::test]
async fn multipart_as_php_curl_sends_it_waiting_for_100_continue() {
    let simulator = plain().await;
    let boundary = "------------------------f3b0c44298fc1c14";
    let mut body = String::new();
    for pair in order_fields("MULTIPART1").split('&') {
        let (name, value) = pair.split_once('=').unwrap();
        body.push_str("--");
        body.push_str(boundary);
        body.push_str("\r\nContent-Disposition: form-data; name=\"");
        body.push_str(name);
        body.push_str("\"\r\n\r\n");
        body.push_str(value);
        body.push_str("\r\n");
    }
    body.push_str("--");
    body.push_str(boundary);
    body.push_str("--\r\n");
    let head = format!(
        "POST {SUBMIT} HTTP/1.1\r\nHost: op.juhe.cn\r\nUser-Agent: JuheData\r\nAccept: */*\r\n\
         Content-Length: {}\r\nExpect: 100-continue\r\n\
         Content-Type: multipart/form-data; boundary={boundary}\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(simulator.address()).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).await.unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(body.as_bytes()).await.unwrap();
    assert_eq!(
        read_response(&mut stream).await.unwrap().json()["error_code"],
        0
    );
    // The connection goes on.
    stream.write_all(&status_bytes("MULTIPART1")).await.unwrap();
    let status = read_response(&mut stream).await.unwrap();
    assert_eq!(status.json()["reason"], "查询成功");
}

// Proves: juhe.submit.encoding.get, jisu.endpoint.telrecharge.recharge
#[tokio::test]
async fn get_with_a_query_also_in_absolute_form_and_chunked_bodies() {
    let simulator = plain().await;
    let query = order_fields("BYGET00001");
    let response = get(&simulator, &format!("{SUBMIT}?{query}")).await;
    assert_eq!(response.json()["error_code"], 0);

    let query = order_fields("BYPROXY001");
    let absolute = format!("http://op.juhe.cn{SUBMIT}?{query}");
    assert_eq!(get(&simulator, &absolute).await.json()["error_code"], 0);

    let sign = md5::hex(&[
        "100",
        "L1",
        "1",
        "0571-56565366",
        "1",
        DEFAULT_JISU_APPSECRET,
    ]);
    let landline = format!(
        "/telrecharge/recharge?appkey={DEFAULT_JISU_APPKEY}&tel=0571-56565366&amount=100&teltype=1\
         &rechargetype=1&outorderno=L1&sign={sign}"
    );
    assert_eq!(
        get(&simulator, &landline).await.json()["result"]["rechargestatus"],
        "0"
    );

    let fields = order_fields("CHUNKED001");
    let (first, second) = fields.split_at(20);
    let request = format!(
        "POST {SUBMIT} HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{first}\r\n{:x}\r\n{second}\r\n0\r\n\r\n",
        first.len(),
        second.len()
    );
    let response = exchange(simulator.address(), request.as_bytes())
        .await
        .unwrap();
    assert_eq!(response.json()["error_code"], 0);
    assert_eq!(simulator.ledger().len(), 4);
}

#[tokio::test]
async fn http_1_0_is_closed_after_the_answer_and_a_half_closed_client_is_answered() {
    let simulator = plain().await;
    let mut stream = TcpStream::connect(simulator.address()).await.unwrap();
    stream
        .write_all(b"GET /_sim/ledger HTTP/1.0\r\n\r\n")
        .await
        .unwrap();
    stream.shutdown().await.unwrap();
    let mut all = String::new();
    stream.read_to_string(&mut all).await.unwrap();
    assert!(
        all.starts_with("HTTP/1.0 200 OK\r\n") && all.ends_with("\r\n\r\n[]"),
        "{all}"
    );
}

#[tokio::test]
async fn head_unknown_paths_and_endless_bodies() {
    let simulator = plain().await;
    let mut stream = TcpStream::connect(simulator.address()).await.unwrap();
    let head = format!("HEAD {SUBMIT} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut all = String::new();
    stream.read_to_string(&mut all).await.unwrap();
    assert!(all.starts_with("HTTP/1.1 404"), "{all}");

    let lost = get(&simulator, "/mobile/onlineorder").await;
    assert_eq!(lost.status, 404);
    assert!(
        lost.json()["paths"]
            .as_array()
            .unwrap()
            .contains(&Value::from(SUBMIT))
    );

    let long = "a=".to_owned() + &"x".repeat(1 << 20);
    let request = post_bytes(SUBMIT, "application/x-www-form-urlencoded", &long);
    let response = exchange(simulator.address(), &request).await.unwrap();
    assert_eq!(response.status, 413);
}

#[tokio::test]
async fn many_orders_at_once_all_succeed_with_faults_off() {
    let simulator = recharge_sim::Simulator::builder()
        .settle_after(Duration::ZERO)
        .start()
        .await
        .unwrap();
    let address = simulator.address();
    let mut submits = tokio::task::JoinSet::new();
    for n in 0..100 {
        submits.spawn(async move {
            let response = exchange(address, &order_bytes(&format!("PARALLEL{n:03}"))).await;
            response.unwrap().json()["error_code"].clone()
        });
    }
    assert!(submits.join_all().await.iter().all(|code| *code == 0));
    let ledger = simulator.ledger();
    assert_eq!(ledger.len(), 100);
    assert!(
        ledger
            .iter()
            .all(|row| row.state == LedgerState::Succeeded && row.charges == 1)
    );
    assert_eq!(simulator.faults_injected(), 0);
}
