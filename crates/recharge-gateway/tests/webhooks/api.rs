//! Where a merchant is told, as it is shown and set.

use std::time::Duration;

use recharge_core::MerchantId;
use recharge_engine::WallTime;
use recharge_sim::Settle;

use crate::kit::{Scene, ask, place, set_webhook, until};
use crate::receiver::{Answer, Receiver};

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_shown_once_and_can_be_made_anew() {
    let scene = Scene::new(Settle::After(Duration::ZERO)).await;
    let (shop, other) = (scene.key("shop"), scene.key("other"));
    let gateway = scene.gateway().await;
    for (method, path) in [("GET", "/v1/webhook"), ("POST", "/v1/webhook/rotate")] {
        let none = ask(&gateway, &shop, method, path, "").await;
        assert_eq!(none.status, 404, "{none:?}");
    }
    let secret = set_webhook(&gateway, &shop, Some("https://shop.example.com/a")).await;
    assert!(secret.starts_with("whsec_"), "{secret}");
    let again = set_webhook(&gateway, &shop, Some("https://shop.example.com/b")).await;
    assert_eq!(again, "");

    let shown = ask(&gateway, &shop, "GET", "/v1/webhook", "").await;
    assert_eq!(shown.json()["url"], "https://shop.example.com/b");
    assert!(shown.json()["changed_at"].is_string());
    assert!(!shown.body.contains("whsec_"));
    let none = ask(&gateway, &other, "GET", "/v1/webhook", "").await;
    assert_eq!(none.status, 404);

    let rotated = ask(&gateway, &shop, "POST", "/v1/webhook/rotate", "").await;
    assert_eq!(rotated.status, 200);
    let new = rotated.json()["secret"].as_str().unwrap().to_owned();
    assert!(new.starts_with("whsec_") && new != secret);
    assert_eq!(rotated.json()["url"], "https://shop.example.com/b");
    // Neither secret is in the file as it is.
    let file = std::fs::read(scene.file()).unwrap();
    for secret in [secret, new] {
        let found = file.windows(secret.len()).any(|it| it == secret.as_bytes());
        assert!(!found);
    }
    for wrong in ["{}x", "{\"uri\": null}", "{\"url\": 7}", "[]"] {
        let answered = ask(&gateway, &shop, "PUT", "/v1/webhook", wrong).await;
        assert!(
            matches!(answered.status, 400 | 422),
            "{wrong}: {answered:?}"
        );
    }
    assert!(gateway.stop().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_master_key_there_is_no_secret() {
    let mut scene = Scene::new(Settle::After(Duration::ZERO)).await;
    scene.settings.master_key = None;
    let shop = scene.key("shop");
    let gateway = scene.gateway().await;
    let body = "{\"url\": \"https://shop.example.com/\"}";
    for (method, path, body) in [
        ("PUT", "/v1/webhook", body),
        ("POST", "/v1/webhook/rotate", ""),
    ] {
        let answered = ask(&gateway, &shop, method, path, body).await;
        assert_eq!(answered.status, 503, "{answered:?}");
        assert_eq!(answered.json()["code"], "no_master_key");
    }
    assert!(gateway.stop().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_address_is_refused_with_the_setting_that_would_allow_it() {
    let mut scene = Scene::new(Settle::After(Duration::ZERO)).await;
    scene.settings.allow_private_webhooks = false;
    let shop = scene.key("shop");
    let gateway = scene.gateway().await;
    set_webhook(&gateway, &shop, None).await;
    let url = "http://127.0.0.1:8090/";
    let place = format!(
        r#"{{"order_id":"A1","kind":"mobile","account":"18900001234","amount":"100","notify_url":"{url}"}}"#
    );
    for (method, path, body, field) in [
        ("PUT", "/v1/webhook", format!(r#"{{"url":"{url}"}}"#), "url"),
        ("POST", "/v1/orders", place, "notify_url"),
    ] {
        let refused = ask(&gateway, &shop, method, path, &body).await;
        assert_eq!(refused.status, 422, "{refused:?}");
        let problem = refused.json();
        assert_eq!(problem["field"], field);
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("webhooks.allow_private"), "{detail}");
    }
    assert!(gateway.stop().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_commit_that_fails_nobody_says_that_nothing_was_done() {
    let scene = Scene::new(Settle::After(Duration::ZERO)).await;
    let shop = scene.key("shop");
    let gateway = scene.gateway().await;
    set_webhook(&gateway, &shop, None).await;
    let file = rusqlite::Connection::open(scene.file()).unwrap();
    // What is promised of the rows is looked at by the commit, and not before.
    file.execute_batch(
        "CREATE TABLE promised (id INTEGER PRIMARY KEY);
         CREATE TABLE broken (id INTEGER REFERENCES promised (id) DEFERRABLE INITIALLY DEFERRED);
         CREATE TRIGGER no_endpoint AFTER UPDATE ON endpoints BEGIN INSERT INTO broken VALUES (1); END;
         CREATE TRIGGER no_batch AFTER INSERT ON batches BEGIN INSERT INTO broken VALUES (1); END;",
    )
    .unwrap();
    let url = "{\"url\": \"https://shop.example.com/\"}";
    let rows = "order_id,kind,account,amount\nB1,mobile,18900000001,100\n";
    for (method, path, body, advice) in [
        ("PUT", "/v1/webhook", url, "set it again"),
        ("POST", "/v1/webhook/rotate", "", "changed_at"),
        ("POST", "/v1/batches", rows, "send the same again"),
    ] {
        let told = ask(&gateway, &shop, method, path, body).await;
        assert_eq!(told.status, 503, "{path}: {told:?}");
        let problem = told.json();
        assert_eq!(problem["code"], "outcome_unknown", "{problem}");
        let told = problem["advice"].as_str().unwrap();
        assert!(
            told.contains(advice) && !told.contains("nothing has been done"),
            "{told}"
        );
    }
    assert!(gateway.stop().await);
}

/// Whoever can write to the file, but has not the master key, can't make a secret that he knows sign for another.
#[tokio::test(flavor = "multi_thread")]
async fn a_sealed_secret_in_the_place_of_another_signs_nothing() {
    let scene = Scene::new(Settle::After(Duration::ZERO)).await;
    let (shop, other) = (scene.key("shop"), scene.key("other"));
    let receiver = Receiver::start(Answer::With(200, "")).await;
    let gateway = scene.gateway().await;
    for key in [&shop, &other] {
        set_webhook(&gateway, key, Some(&receiver.url("/"))).await;
    }
    assert!(gateway.stop().await);
    let registry = scene.registry();
    let known = registry.endpoint(&MerchantId::parse("other").unwrap());
    let known = known.unwrap().unwrap().secret;
    let merchant = MerchantId::parse("shop").unwrap();
    let put = registry.set_endpoint_secret(&merchant, &known, WallTime::from_millis(1));
    assert!(put.unwrap().is_some());
    let gateway = scene.gateway().await;
    assert!(
        gateway.locked().is_some(),
        "it is told that it can't be opened"
    );
    place(&gateway, &shop, "A0000001", None).await;
    until("its end", async || {
        let shown = ask(&gateway, &shop, "GET", "/v1/orders/A0000001", "").await;
        (shown.json()["state"] == "succeeded").then_some(())
    })
    .await;
    // What comes after it is told, and it is not.
    place(&gateway, &other, "B0000001", None).await;
    let got = until("another notice", async || receiver.got().first().cloned()).await;
    assert_eq!(got.json()["data"]["order_id"], "B0000001");
    assert_eq!(receiver.connections(), 1);
    assert!(gateway.stop().await);
}
