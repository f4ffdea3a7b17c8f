//! What a receiver can't do to us, and where notices don't go.

use std::time::Duration;

use recharge_gateway::Gateway;
use recharge_sim::Settle;
use serde_json::json;

use crate::kit::{Scene, ask, dead, place, set_webhook, until, waiting};
use crate::receiver::{Answer, Receiver};

const AT_ONCE: Settle = Settle::After(Duration::ZERO);

/// Waits until a notice that doesn't arrive is given up; answers why.
async fn trouble(gateway: &Gateway, key: &str) -> String {
    let given_up = until("the notice to be given up", async || {
        dead(gateway, key).await.first().cloned()
    })
    .await;
    given_up["trouble"].as_str().unwrap().to_owned()
}

async fn hasty() -> Scene {
    let mut scene = Scene::new(AT_ONCE).await;
    scene.settings.pace.waits = vec![Duration::from_millis(1)];
    scene.settings.pace.patience = Duration::ZERO;
    scene
}

#[tokio::test(flavor = "multi_thread")]
async fn redirects_are_not_followed() {
    let scene = hasty().await;
    let shop = scene.key("shop");
    let gateway = scene.gateway().await;
    let elsewhere = Receiver::start(Answer::With(200, "")).await;
    let receiver = Receiver::start(Answer::Redirect(elsewhere.url("/"))).await;
    set_webhook(&gateway, &shop, Some(&receiver.url("/"))).await;
    place(&gateway, &shop, "A0000001", None).await;
    assert_eq!(trouble(&gateway, &shop).await, "the answer was 307");
    assert_eq!(elsewhere.connections(), 0);
    assert!(gateway.stop().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_without_end_is_cut_off_and_its_status_counts() {
    for (status, arrives) in [(200, true), (500, false)] {
        let scene = hasty().await;
        let shop = scene.key("shop");
        let gateway = scene.gateway().await;
        let receiver = Receiver::start(Answer::Endless(status)).await;
        set_webhook(&gateway, &shop, Some(&receiver.url("/"))).await;
        place(&gateway, &shop, "A0000001", None).await;
        until("the notice", async || receiver.got().first().cloned()).await;
        if arrives {
            until("it to be forgotten", async || {
                waiting(&scene.file()).await.is_empty().then_some(())
            })
            .await;
        } else {
            assert_eq!(trouble(&gateway, &shop).await, "the answer was 500");
        }
        // What the system holds of it for the reader is some megabytes.
        assert!(receiver.sent() < 16 * 1024 * 1024, "{}", receiver.sent());
        assert!(gateway.stop().await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_answer_is_not_waited_for() {
    let mut scene = hasty().await;
    scene.settings.pace.answer_within = Duration::from_millis(500);
    let shop = scene.key("shop");
    let gateway = scene.gateway().await;
    let receiver = Receiver::start(Answer::Never).await;
    set_webhook(&gateway, &shop, Some(&receiver.url("/"))).await;
    place(&gateway, &shop, "A0000001", None).await;
    assert_eq!(trouble(&gateway, &shop).await, "no answer within 0.5 s");
    assert_eq!(receiver.connections(), 1, "one try at a time");
    // The status has come, and that is enough.
    let slow = Receiver::start(Answer::Slow(200)).await;
    place(&gateway, &shop, "A0000002", Some(&slow.url("/"))).await;
    until("it to be forgotten", async || {
        (waiting(&scene.file()).await.len() == 1).then_some(())
    })
    .await;
    assert!(gateway.stop().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_there_is_told_without_the_address() {
    let scene = hasty().await;
    let shop = scene.key("shop");
    let gateway = scene.gateway().await;
    let refusing = scene.simulator.refusing_url().unwrap();
    let url = format!("{refusing}/hook/s3cret?token=s3cret");
    set_webhook(&gateway, &shop, Some(&url)).await;
    place(&gateway, &shop, "A0000001", None).await;
    let trouble = trouble(&gateway, &shop).await;
    assert!(trouble.starts_with("no connection: "), "{trouble}");
    assert!(!trouble.contains("s3cret"), "{trouble}");
    assert!(gateway.stop().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn our_own_network_is_out_of_reach() {
    let mut scene = hasty().await;
    scene.settings.allow_private_webhooks = false;
    let shop = scene.key("shop");
    let gateway = scene.gateway().await;
    let receiver = Receiver::start(Answer::With(200, "")).await;
    let port = receiver.port;
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "[::1]",
        "[::]",
        "0.0.0.0",
        "[::ffff:127.0.0.1]",
        "[::ffff:a00:1]",
        "10.0.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "[fd00::1]",
        "[64:ff9b::7f00:1]",
    ] {
        let body = json!({ "url": format!("http://{host}:{port}/") }).to_string();
        let answered = ask(&gateway, &shop, "PUT", "/v1/webhook", &body).await;
        assert_eq!(answered.status, 422, "{host}: {answered:?}");
        assert_eq!(answered.json()["field"], "url", "{host}");
    }
    // A name is known to lead there only when it is resolved.
    let name = format!("http://localhost:{port}/");
    set_webhook(&gateway, &shop, Some(&name)).await;
    place(&gateway, &shop, "A0000001", None).await;
    let trouble = trouble(&gateway, &shop).await;
    assert!(trouble.contains("not in the public internet"), "{trouble}");
    assert_eq!(receiver.connections(), 0);
    assert!(gateway.stop().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_was_allowed_once_is_looked_at_again_before_it_is_called() {
    let mut scene = hasty().await;
    let shop = scene.key("shop");
    let receiver = Receiver::start(Answer::With(200, "")).await;
    let gateway = scene.gateway().await;
    set_webhook(&gateway, &shop, Some(&receiver.url("/"))).await;
    assert!(gateway.stop().await);
    scene.settings.allow_private_webhooks = false;
    let gateway = scene.gateway().await;
    place(&gateway, &shop, "A0000001", None).await;
    let trouble = trouble(&gateway, &shop).await;
    assert!(trouble.contains("not in the public internet"), "{trouble}");
    assert_eq!(receiver.connections(), 0);
    assert!(gateway.stop().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_s_own_address_is_looked_at_before_the_order_is_taken() {
    let mut scene = hasty().await;
    scene.settings.allow_private_webhooks = false;
    let shop = scene.key("shop");
    let gateway = scene.gateway().await;
    let order = |url: &str| {
        json!({
            "order_id": "A0000001", "kind": "mobile", "account": "18900001234", "amount": 100,
            "notify_url": url,
        })
        .to_string()
    };
    let post = async |url: &str| ask(&gateway, &shop, "POST", "/v1/orders", &order(url)).await;
    let good = "https://shop.example.com/hook";
    let without_secret = post(good).await;
    assert_eq!(without_secret.status, 422);
    assert_eq!(without_secret.json()["field"], "notify_url");
    assert!(without_secret.body.contains("recharge webhooks set"));
    set_webhook(&gateway, &shop, None).await;
    for wrong in [
        "",
        "shop.example.com",
        "ftp://shop.example.com/",
        "compat:somebody-else",
        "http://me:s3cret@shop.example.com/",
        "http://127.0.0.1:8080/",
        "http://0x7f000001/",
    ] {
        let answered = post(wrong).await;
        assert_eq!(answered.status, 422, "{wrong}: {answered:?}");
        assert_eq!(answered.json()["field"], "notify_url", "{wrong}");
        assert!(!answered.body.contains("s3cret"));
    }
    let shown = ask(&gateway, &shop, "GET", "/v1/orders/A0000001", "").await;
    assert_eq!(shown.status, 404);
    assert_eq!(post(good).await.status, 202);
    assert!(gateway.stop().await);
}
