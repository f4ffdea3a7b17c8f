//! Callbacks over real sockets: signed, repeated until answered, and spoiled as asked.

use std::time::Duration;

use recharge_sim::{FaultKind, FaultPlan, Script, Settle, Simulator, Step, Timings};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::raw::*;

const ID: &str = "CALLEDBACK1";

/// A merchant's receiver: answers the first request with the first text, and so on (`None`: closes the
/// connection), the last one for ever; and tells what it received.
async fn receiver(answers: Vec<Option<&'static str>>) -> (String, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "http://{}/callback?from=sim",
        listener.local_addr().unwrap()
    );
    let (tell, told) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut count = 0;
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = String::new();
            let length = loop {
                let mut bytes = [0; 4096];
                let read = stream.read(&mut bytes).await.unwrap();
                assert_ne!(read, 0, "the request ended early");
                request.push_str(std::str::from_utf8(&bytes[..read]).unwrap());
                let Some((head, body)) = request.split_once("\r\n\r\n") else {
                    continue;
                };
                let length: usize = head
                    .lines()
                    .find_map(|line| line.strip_prefix("content-length: "))
                    .unwrap()
                    .parse()
                    .unwrap();
                if body.len() == length {
                    break length;
                }
            };
            assert_ne!(length, 0);
            if let Some(text) = answers[std::cmp::min(count, answers.len() - 1)] {
                let reply = format!(
                    "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}",
                    text.len()
                );
                stream.write_all(reply.as_bytes()).await.unwrap();
            }
            count += 1;
            if tell.send(request).is_err() {
                return;
            }
        }
    });
    (url, told)
}

fn builder(url: &str, script: Script) -> recharge_sim::SimulatorBuilder {
    let mut plan = FaultPlan::off().with_timings(Timings {
        callback_retry: Duration::from_millis(20),
        callback_early: Duration::from_millis(300),
        ..Timings::quick()
    });
    plan.add_script(Script {
        order_id: Some(ID.to_owned()),
        ..script
    })
    .unwrap();
    Simulator::builder()
        .faults(plan)
        .settle_after(Duration::from_millis(10))
        .callback_url(url)
}

// Proves: juhe.callback.post, juhe.callback.fields, juhe.callback.redelivery, juhe.callback.ack
#[tokio::test]
async fn repeated_until_success() {
    let (url, mut told) = receiver(vec![None, Some(""), Some("fail"), Some("success")]).await;
    let simulator = builder(&url, Script::default()).start().await.unwrap();
    exchange(simulator.address(), &order_bytes(ID))
        .await
        .unwrap();
    let mut bodies = Vec::new();
    for _ in 0..4 {
        let request = in_time(told.recv()).await.unwrap();
        assert!(
            request.starts_with("POST /callback?from=sim HTTP/1.1\r\n"),
            "{request}"
        );
        assert!(request.contains("content-type: application/x-www-form-urlencoded\r\n"));
        bodies.push(request.split_once("\r\n\r\n").unwrap().1.to_owned());
    }
    assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:?}");
    assert!(
        bodies[0].contains(&format!("&orderid={ID}&sta=1&sign=")),
        "{bodies:?}"
    );
    until(|| simulator.world().stats().callbacks_confirmed > 0).await;
    assert_eq!(simulator.world().stats().callbacks_sent, 4);
}

#[tokio::test]
async fn given_up_after_the_third_repetition() {
    let (url, mut told) = receiver(vec![Some("no")]).await;
    let simulator = builder(&url, Script::default()).start().await.unwrap();
    exchange(simulator.address(), &order_bytes(ID))
        .await
        .unwrap();
    for _ in 0..4 {
        in_time(told.recv()).await.unwrap();
    }
    // The answer to the fourth is noted, and then nothing is due any more.
    until(|| simulator.world().next_event().is_none()).await;
    assert_eq!(simulator.world().stats().callbacks_sent, 4);
    assert!(told.try_recv().is_err());
}

#[tokio::test]
async fn an_order_that_is_stepped_from_inside_is_called_back() {
    let (url, mut told) = receiver(vec![Some("success")]).await;
    let simulator = builder(&url, Script::default())
        .settle(Settle::WhenStepped)
        .start()
        .await
        .unwrap();
    exchange(simulator.address(), &order_bytes(ID))
        .await
        .unwrap();
    let now = simulator.now();
    simulator.world().step(now, &Step::default());
    assert!(in_time(told.recv()).await.unwrap().contains("&sta=1&"));
}

// Proves: juhe.callback.short-outage
#[tokio::test]
async fn nobody_listening_is_no_answer() {
    let closed = plain().await;
    let simulator = builder(&closed.refusing_url().unwrap(), Script::default())
        .start()
        .await
        .unwrap();
    exchange(simulator.address(), &order_bytes(ID))
        .await
        .unwrap();
    until(|| simulator.world().stats().callbacks_sent >= 4).await;
    assert_eq!(simulator.world().stats().callbacks_confirmed, 0);
}

#[tokio::test]
async fn an_early_callback_comes_before_the_submits_answer() {
    let (url, mut told) = receiver(vec![Some("success")]).await;
    let script = Script {
        submit: vec![Some(FaultKind::CallbackEarly)],
        ..Script::default()
    };
    let simulator = builder(&url, script).start().await.unwrap();
    let address = simulator.address();
    let mut submit = tokio::spawn(async move { exchange(address, &order_bytes(ID)).await });
    tokio::select! {
        biased;
        _ = &mut submit => panic!("the answer came first"),
        request = told.recv() => assert!(request.unwrap().contains(ID)),
    }
    assert_eq!(submit.await.unwrap().unwrap().json()["error_code"], 0);
}

#[tokio::test]
async fn each_upstream_may_have_an_address_of_its_own() {
    let (juhe, mut juhe_told) = receiver(vec![Some("success")]).await;
    let (jisu, mut jisu_told) = receiver(vec![Some("success")]).await;
    let simulator = builder(&juhe, Script::default())
        .jisu_callback_url(&jisu)
        .start()
        .await
        .unwrap();
    exchange(simulator.address(), &order_bytes(ID))
        .await
        .unwrap();
    assert!(in_time(juhe_told.recv()).await.unwrap().contains(ID));
    assert!(jisu_told.try_recv().is_err());
}
