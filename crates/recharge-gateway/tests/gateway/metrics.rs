//! The figures: that they tell what happened, and that looking costs nothing.

use std::time::Duration;

use crate::stage::{ALL, Stage, Told, order};

/// The value of a line that begins like that; 0 if there is none.
fn value(figures: &Told, line: &str) -> f64 {
    let found = figures.text.lines().find_map(|it| it.strip_prefix(line));
    found.map_or(0.0, |it| it.trim().parse().unwrap())
}

async fn figures(stage: &Stage) -> Told {
    let figures = stage.call("GET", "/metrics", None, None).await;
    assert_eq!(figures.status, 200);
    assert!(figures.kind.starts_with("application/openmetrics-text"));
    assert!(figures.text.ends_with("# EOF\n"), "{}", figures.text);
    figures
}

/// Until a figure is there: what the store says is looked at every few seconds only.
async fn until(stage: &Stage, line: &str, expected: f64) -> Told {
    let give_up = tokio::time::Instant::now() + Duration::from_secs(20);
    loop {
        let figures = figures(stage).await;
        if (value(&figures, line) - expected).abs() < 1e-9 {
            return figures;
        }
        assert!(
            tokio::time::Instant::now() < give_up,
            "{line}\n{}",
            figures.text
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn they_tell_what_happened() {
    let stage = Stage::open().await;
    let key = stage.key("metrics-merchant", ALL);
    // Before anything has happened all of them are there.
    figures(&stage).await;
    for at in 1..=3 {
        let body = order(&format!("M{at}"), at);
        let placed = stage
            .call("POST", "/v1/orders", Some(&key), Some(&body))
            .await;
        assert_eq!(placed.status, 202);
    }
    for at in 1..=3 {
        stage.until(&format!("M{at}"), "succeeded", &key).await;
    }
    let forged = "sporder_id=1&orderid=2&sta=1&sign=00000000000000000000000000000000";
    let refused = stage
        .call("POST", "/callbacks/juhe", None, Some(forged))
        .await;
    assert_ne!(refused.status, 200);
    let line = r#"recharge_orders{state="succeeded",provider="juhe"}"#;
    let before = until(&stage, line, 3.0).await;
    assert!(!before.text.contains("recharge_balance_yuan{"), "unasked");
    for (line, expected) in [
        (
            r#"recharge_http_requests_total{route="/v1/orders",method="POST",status="202"}"#,
            3.0,
        ),
        (
            r#"recharge_http_request_seconds_count{route="/v1/orders",method="POST"}"#,
            3.0,
        ),
        (
            r#"recharge_submits_total{provider="juhe",outcome="accepted"}"#,
            3.0,
        ),
        (r#"recharge_submit_seconds_count{provider="juhe"}"#, 3.0),
        (
            r#"recharge_queries_total{provider="juhe",outcome="succeeded"}"#,
            3.0,
        ),
        (r#"recharge_oldest_order_age_seconds{state="unknown"}"#, 0.0),
        ("recharge_store_usable", 1.0),
        ("recharge_locked_secrets", 0.0),
        (r#"recharge_kept_back{provider="juhe"}"#, 0.0),
    ] {
        assert!(
            (value(&before, line) - expected).abs() < 1e-9,
            "{line} is not {expected}\n{}",
            before.text
        );
    }
    let at_least_one = [
        r#"recharge_query_lag_seconds_count{provider="juhe"}"#,
        r#"recharge_query_seconds_count{provider="juhe"}"#,
        "recharge_commit_writes_count",
        "recharge_commit_writes_sum",
    ];
    for line in at_least_one {
        assert!(value(&before, line) >= 1.0, "{line}\n{}", before.text);
    }
    assert!(
        before
            .text
            .contains(r#"recharge_callbacks_total{provider="juhe",outcome=""#),
        "{}",
        before.text
    );
    // Nobody is named.
    for word in ["metrics-merchant", "M1", "18900000001", "rk_"] {
        assert!(!before.text.contains(word), "{word}\n{}", before.text);
    }
    // A balance is there once somebody has asked for it, and no sooner.
    let asked = stage.call("GET", "/v1/balances", Some(&key), None).await;
    let balance = asked.json()["balances"][0]["balance"].clone();
    let balance: f64 = balance.as_str().unwrap().parse().unwrap();
    until(&stage, r#"recharge_balance_yuan{provider="juhe"}"#, balance).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn balances_are_there_though_nobody_asked_and_are_asked_for_again() {
    let stage = Stage::with(|it| it.balances_every = Some(Duration::from_millis(50))).await;
    let line = r#"recharge_balance_yuan{provider="juhe"}"#;
    let begun = until(&stage, line, 1_000_000.0).await;
    assert!(begun.text.contains("recharge_balance_age_seconds{"));
    let key = stage.key("shop", ALL);
    let placed = stage
        .call("POST", "/v1/orders", Some(&key), Some(&order("B1", 1)))
        .await;
    assert_eq!(placed.status, 202);
    let order = stage.until("B1", "succeeded", &key).await;
    let cost: f64 = order["cost"].as_str().unwrap().parse().unwrap();
    until(&stage, line, 1_000_000.0 - cost).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_called_there_are_few_of_them() {
    let stage = Stage::open().await;
    let few = figures(&stage).await.text.lines().count();
    for at in 0..50 {
        for method in ["GET", &format!("METHOD{at}")] {
            for path in ["/nothing", "/v1/orders", "/compat/juhe", "/%0aforged 1"] {
                let path = format!("{path}/18900001234{at}?key={at}").replace(' ', "%20");
                stage.call(method, &path, None, None).await;
            }
        }
    }
    let figures = figures(&stage).await;
    let more = figures.text.lines().count() - few;
    assert!(more < 150, "{more} more\n{}", figures.text);
    for word in ["18900001234", "forged", "METHOD"] {
        assert!(!figures.text.contains(word), "{word}\n{}", figures.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn they_can_be_switched_off() {
    let stage = Stage::with(|settings| settings.metrics = false).await;
    let told = stage.call("GET", "/metrics", None, None).await;
    assert_eq!((told.status, told.code().as_str()), (404, "not_found"));
}
