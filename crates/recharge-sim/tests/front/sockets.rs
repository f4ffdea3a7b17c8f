//! Faults of the connection itself.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};

use recharge_sim::{
    FaultKind, FaultPlan, LedgerState, Preset, Simulator, Stage, StartError, Timings,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::raw::*;

const ID: &str = "FAULTYORDER";

/// What comes back for a submit: the bytes, and how the connection ended.
async fn submit_raw(simulator: &Simulator) -> (Vec<u8>, std::io::Result<usize>) {
    let mut stream = TcpStream::connect(simulator.address()).await.unwrap();
    stream.write_all(&order_bytes(ID)).await.unwrap();
    let mut bytes = Vec::new();
    let end = stream.read_to_end(&mut bytes).await;
    (bytes, end)
}

fn charges(simulator: &Simulator) -> u32 {
    simulator.ledger().iter().map(|row| row.charges).sum()
}

#[tokio::test]
async fn resets_are_resets_and_only_one_of_them_takes_the_order() {
    for (kind, charged) in [(FaultKind::Reset, 0), (FaultKind::AnswerLost, 1)] {
        let simulator = scripted(ID, &[kind]).await;
        let (bytes, end) = submit_raw(&simulator).await;
        assert_eq!(
            end.unwrap_err().kind(),
            ErrorKind::ConnectionReset,
            "{kind}"
        );
        assert!(bytes.is_empty());
        assert_eq!(charges(&simulator), charged, "{kind}");
    }
}

#[tokio::test]
async fn silence_ends_in_a_close_without_a_byte() {
    for (kind, charged) in [(FaultKind::TimeoutBefore, 0), (FaultKind::TimeoutAfter, 1)] {
        let mut plan = FaultPlan::off();
        plan.timings.timeout_hold = std::time::Duration::from_millis(30);
        plan.set_rate(Stage::Submit, kind, 1.0).unwrap();
        let simulator = Simulator::builder().faults(plan).start().await.unwrap();
        let (bytes, end) = submit_raw(&simulator).await;
        assert_eq!((end.unwrap(), bytes.len()), (0, 0), "{kind}");
        assert_eq!(charges(&simulator), charged, "{kind}");
    }
}

#[tokio::test]
async fn a_delayed_acceptance_happens_though_the_client_hung_up() {
    let mut plan = FaultPlan::off();
    plan.timings.delayed_acceptance = std::time::Duration::from_millis(60);
    plan.set_rate(Stage::Submit, FaultKind::DelayedAcceptance, 1.0)
        .unwrap();
    let simulator = Simulator::builder().faults(plan).start().await.unwrap();
    let mut stream = TcpStream::connect(simulator.address()).await.unwrap();
    stream.write_all(&order_bytes(ID)).await.unwrap();
    // Wait until it was received, then go.
    until(|| simulator.world().stats().calls > 0).await;
    drop(stream);
    assert_eq!(charges(&simulator), 0, "not yet");
    until(|| charges(&simulator) > 0).await;
    assert_eq!(simulator.ledger()[0].submits, 1);
}

#[tokio::test]
async fn a_cut_off_answer_announces_more_than_it_sends() {
    let simulator = scripted(ID, &[FaultKind::CutOff]).await;
    let (bytes, _) = submit_raw(&simulator).await;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let announced: usize = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .unwrap()
        .parse()
        .unwrap();
    assert!(
        !body.is_empty() && body.len() < announced,
        "{} of {announced}",
        body.len()
    );
    assert_eq!(charges(&simulator), 1);
}

#[tokio::test]
async fn a_dripping_answer_comes_in_pieces_and_whole() {
    let simulator = scripted(ID, &[FaultKind::Drip]).await;
    let mut stream = TcpStream::connect(simulator.address()).await.unwrap();
    stream.write_all(&order_bytes(ID)).await.unwrap();
    let mut all = Vec::new();
    let mut reads = 0;
    while !all.ends_with(b"\"error_code\":0}") {
        assert_ne!(
            stream.read_buf(&mut all).await.unwrap(),
            0,
            "it ended early"
        );
        reads += 1;
    }
    assert!(reads > 1, "it came in one piece");
}

#[tokio::test]
async fn resets_after_the_request_line_on_fresh_and_reused_connections() {
    let simulator = plain().await;
    let mut stream = TcpStream::connect(simulator.address()).await.unwrap();
    stream.write_all(&order_bytes("TAKENFIRST")).await.unwrap();
    assert_eq!(
        read_response(&mut stream).await.unwrap().json()["error_code"],
        0
    );

    let mut plan = FaultPlan::off().with_timings(Timings::quick());
    plan.set_rate(Stage::RequestLine, FaultKind::ResetAtLine, 1.0)
        .unwrap();
    simulator.world().set_faults(plan);
    // The line is enough: no header, no body.
    stream
        .write_all(b"POST /ofpay/mobile/onlineorder HTTP/1.1\r\n")
        .await
        .unwrap();
    let end = read_response(&mut stream).await.err().unwrap();
    assert_eq!(end.kind(), ErrorKind::ConnectionReset, "reused");
    let (bytes, end) = submit_raw(&simulator).await;
    assert_eq!(
        (end.unwrap_err().kind(), bytes.len()),
        (ErrorKind::ConnectionReset, 0),
        "fresh"
    );

    // Nothing of it was taken, and the simulator's own calls have no faults.
    let ledger = get(&simulator, "/_sim/ledger").await.json();
    assert_eq!(ledger.as_array().unwrap().len(), 1);
    assert_eq!(simulator.faults_injected(), 2);
}

#[tokio::test]
async fn the_control_calls_have_no_faults_under_the_hostile_preset() {
    let simulator = Simulator::builder()
        .faults(Preset::Hostile.plan().with_timings(Timings::quick()))
        .start()
        .await
        .unwrap();
    for _ in 0..100 {
        assert_eq!(
            get(&simulator, "/_sim/ledger")
                .await
                .json()
                .as_array()
                .unwrap()
                .len(),
            0
        );
    }
    assert_eq!(simulator.faults_injected(), 0);
}

#[tokio::test]
async fn a_refusing_port_and_a_closing_one() {
    let simulator = plain().await;
    let address = |url: &str| {
        url.strip_prefix("http://")
            .unwrap()
            .parse::<SocketAddr>()
            .unwrap()
    };
    let refusing = address(&simulator.refusing_url().unwrap());
    let error = TcpStream::connect(refusing).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    let mut stream = TcpStream::connect(address(&simulator.closing_url()))
        .await
        .unwrap();
    let mut bytes = Vec::new();
    assert_eq!(stream.read_to_end(&mut bytes).await.unwrap(), 0);
}

#[tokio::test]
async fn it_starts_on_loopback_only_unless_told_otherwise() {
    let everywhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    let refused = Simulator::builder().listen(everywhere).start().await;
    assert!(matches!(refused, Err(StartError::NotLoopback(_))));
    let allowed = Simulator::builder()
        .listen(everywhere)
        .allow_remote()
        .start()
        .await;
    assert!(allowed.is_ok());

    let first = plain().await;
    let error = Simulator::builder()
        .listen(first.address())
        .start()
        .await
        .unwrap_err();
    assert!(error.to_string().contains("choose another port"), "{error}");
    let error = Simulator::builder()
        .callback_url("https://x/?token=t")
        .start()
        .await
        .unwrap_err();
    assert!(!error.to_string().contains("token"), "{error}");
}

#[tokio::test]
async fn shutdown_closes_the_port_and_orders_settle_by_themselves() {
    let simulator = Simulator::builder()
        .settle_after(std::time::Duration::from_millis(10))
        .start()
        .await
        .unwrap();
    exchange(simulator.address(), &order_bytes(ID))
        .await
        .unwrap();
    // `ledger` lets time pass, so look at the world as the background task leaves it.
    until(|| simulator.world().ledger()[0].state == LedgerState::Succeeded).await;
    let address = simulator.address();
    simulator.shutdown().await;
    assert!(TcpStream::connect(address).await.is_err());
}
