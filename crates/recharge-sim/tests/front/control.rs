//! The simulator's own calls under `/_sim`.

use recharge_sim::{LedgerRow, LedgerState, Settle, Simulator};
use serde_json::{Value, json};

use crate::raw::*;

async fn stepped() -> Simulator {
    Simulator::builder()
        .settle(Settle::WhenStepped)
        .start()
        .await
        .unwrap()
}

#[tokio::test]
async fn the_ledger_has_exactly_the_documented_fields_and_types() {
    let simulator = stepped().await;
    exchange(simulator.address(), &order_bytes("LEDGER0001"))
        .await
        .unwrap();
    let bad = order_fields("LEDGER0002").replace("cardnum=10", "cardnum=11");
    get(&simulator, &format!("{SUBMIT}?{bad}")).await;
    let ledger = get(&simulator, "/_sim/ledger").await;
    assert_eq!(
        ledger.header("content-type"),
        Some("application/json;charset=utf-8")
    );
    let upstream_id = simulator.ledger()[0].upstream_id.clone().unwrap();
    assert_eq!(
        ledger.json(),
        json!([
            {
                "provider": "juhe", "order_id": "LEDGER0001", "upstream_id": upstream_id,
                "account": PHONE, "amount": "10", "state": "charging", "submits": 1, "charges": 1
            },
            {
                "provider": "juhe", "order_id": "LEDGER0002", "upstream_id": null,
                "account": PHONE, "amount": "11", "state": "not_accepted", "submits": 1, "charges": 0
            }
        ])
    );
    let rows: Vec<LedgerRow> = serde_json::from_slice(&ledger.body).unwrap();
    assert_eq!(rows, simulator.ledger());
}

#[tokio::test]
async fn steps_by_name_and_all_at_once() {
    let simulator = stepped().await;
    for id in ["STEPPING01", "STEPPING02", "STEPPING03"] {
        exchange(simulator.address(), &order_bytes(id))
            .await
            .unwrap();
    }
    let body = r#"{"order_id":"STEPPING02","to":"failed","provider":"juhe"}"#;
    let stepped = post_json(&simulator, "/_sim/step", body).await.json();
    assert_eq!(
        (&stepped[0]["state"], &stepped[0]["charges"]),
        (&json!("failed"), &json!(0))
    );
    assert_eq!(stepped.as_array().unwrap().len(), 1);
    assert_eq!(
        post_json(&simulator, "/_sim/step", "")
            .await
            .json()
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(
        post_json(&simulator, "/_sim/step", "{}").await.json(),
        json!([])
    );
    // What has ended is left alone unless it is named with an end.
    let again = r#"{"order_id":"STEPPING02"}"#;
    assert_eq!(
        post_json(&simulator, "/_sim/step", again).await.json(),
        json!([])
    );
    let states: Vec<LedgerState> = simulator.ledger().iter().map(|row| row.state).collect();
    assert_eq!(
        states,
        [
            LedgerState::Succeeded,
            LedgerState::Failed,
            LedgerState::Succeeded
        ]
    );
}

#[tokio::test]
async fn faults_log_and_reset() {
    let simulator = stepped().await;
    let body =
        r#"{"preset":"off","order":[{"order_id":"LOGGED0001","submit":["system_error_taken"]}]}"#;
    assert_eq!(
        post_json(&simulator, "/_sim/faults", body).await.status,
        200
    );
    let answer = exchange(simulator.address(), &order_bytes("LOGGED0001"))
        .await
        .unwrap();
    assert_eq!(answer.json()["error_code"], 10_014);
    let counts = get(&simulator, "/_sim/faults").await.json();
    assert_eq!(counts["faults_injected"], 1);
    assert_eq!(counts["by_kind"], json!({"system_error_taken": 1}));
    assert_eq!(counts["by_stage"]["submit"], 1);
    assert_eq!(
        counts["next_event_ms"],
        json!(null),
        "an order that is stepped ends by itself never"
    );
    let log = get(&simulator, "/_sim/log").await.json();
    assert_eq!(log[0]["path"], SUBMIT);
    assert_eq!(log[0]["account"], "189****1234");
    assert_eq!(log[0]["fault"], "system_error_taken");
    assert!(!log.to_string().contains(PHONE));
    assert_eq!(post_json(&simulator, "/_sim/reset", "").await.status, 200);
    assert_eq!(get(&simulator, "/_sim/ledger").await.json(), json!([]));
    assert_eq!(get(&simulator, "/_sim/log").await.json(), json!([]));
    let answer = exchange(simulator.address(), &order_bytes("LOGGED0001"))
        .await
        .unwrap();
    assert_eq!(answer.json()["error_code"], 0, "the faults are gone too");
}

#[tokio::test]
async fn what_is_still_to_happen_is_told() {
    let simulator = plain().await;
    exchange(simulator.address(), &order_bytes("WAITING001"))
        .await
        .unwrap();
    let counts = get(&simulator, "/_sim/faults").await.json();
    let next = counts["next_event_ms"].as_u64().unwrap();
    assert!(next <= 2_000, "it ends after two seconds: {next}");
}

#[tokio::test]
async fn what_is_wrong_says_what_would_be_right() {
    let simulator = plain().await;
    for (path, body, status, says) in [
        ("/_sim/faults", "", 400, "preset"),
        ("/_sim/faults", "{\"preset\":\"wild\"}", 400, "hostile"),
        (
            "/_sim/faults",
            "{\"presets\":\"off\"}",
            400,
            "unknown field",
        ),
        ("/_sim/step", "{\"to\":\"paid\"}", 400, "succeeded"),
        (
            "/_sim/step",
            "{\"order_id\":\"NOSUCH\"}",
            400,
            "/_sim/ledger",
        ),
        ("/_sim/step", "[", 400, "order_id"),
        ("/_sim/ledger", "", 405, "GET"),
        ("/_sim/nothing", "", 404, "/_sim"),
    ] {
        let response = post_json(&simulator, path, body).await;
        let error = response.json()["error"].as_str().unwrap().to_owned();
        assert_eq!(response.status, status, "{path} {body}");
        assert!(error.contains(says), "{path} {body}: {error}");
    }
    assert_eq!(get(&simulator, "/_sim/step").await.status, 405);
    assert!(matches!(
        get(&simulator, "/_sim").await.json(),
        Value::Object(_)
    ));
}
