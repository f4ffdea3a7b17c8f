//! A master key that isn't the one under which secrets are sealed.

use std::time::Duration;

use recharge_gateway::seal::MasterKey;
use recharge_sim::Settle;
use serde_json::{Value, json};

use crate::kit::{Scene, ask, dead, place, set_webhook, until, waiting};
use crate::receiver::{Answer, Receiver};

const WRONG: &str = "0b";

fn check(readiness: &Value, name: &str) -> Value {
    let checks = readiness["checks"].as_array().unwrap();
    checks.iter().find(|it| it["name"] == name).unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_one_is_told_and_loses_nothing() {
    let mut scene = Scene::new(Settle::After(Duration::ZERO)).await;
    // Whatever counts as a try is given up at once.
    scene.settings.pace.waits = Vec::new();
    scene.settings.pace.patience = Duration::ZERO;
    let right = scene.settings.master_key.clone();
    let wrong = MasterKey::parse(&WRONG.repeat(32).into()).unwrap();
    let shop = scene.key("shop");
    let receiver = Receiver::start(Answer::With(204, "")).await;
    let gateway = scene.gateway().await;
    set_webhook(&gateway, &shop, Some(&receiver.url("/"))).await;
    let ready = ask(&gateway, &shop, "GET", "/readyz", "").await;
    assert_eq!((ready.status, &ready.json()["status"]), (200, &"ok".into()));
    assert_eq!(gateway.locked(), None);
    assert!(gateway.stop().await);

    let mut orders = 0;
    for key in [Some(wrong), None] {
        scene.settings.master_key = key;
        let gateway = scene.gateway().await;
        assert_eq!(gateway.locked().unwrap().secrets, 1);
        let ready = ask(&gateway, &shop, "GET", "/readyz", "").await;
        assert_eq!(ready.status, 503);
        assert!(!ready.body.contains(&WRONG.repeat(32)));
        let told = ready.json();
        assert_eq!(told["status"], "not_ready");
        assert_eq!(check(&told, "master_key")["ok"], false);
        assert!(check(&told, "master_key")["detail"].is_string());
        for well in ["store", "clock"] {
            assert_eq!(check(&told, well), json!({ "name": well, "ok": true }));
        }
        let figures = ask(&gateway, &shop, "GET", "/metrics", "").await.body;
        assert!(
            figures.contains("\nrecharge_locked_secrets 1\n"),
            "{figures}"
        );
        // Nothing is sealed under it beside what is sealed under the other.
        let url = json!({ "url": receiver.url("/") }).to_string();
        for (method, path) in [("PUT", "/v1/webhook"), ("POST", "/v1/webhook/rotate")] {
            let refused = ask(&gateway, &shop, method, path, &url).await;
            assert_eq!(refused.status, 503, "{refused:?}");
            assert_eq!(refused.json()["code"], "no_master_key");
        }
        // Orders go on, and what there is to tell of them waits.
        orders += 1;
        place(&gateway, &shop, &format!("A{orders}"), None).await;
        let put_off = until("the notice to be put off", async || {
            let waiting = waiting(&scene.file()).await;
            let off = waiting.iter().filter(|it| it.delivery.trouble.is_some());
            (off.count() == orders).then_some(waiting)
        })
        .await;
        for message in put_off {
            assert_eq!(message.delivery.tries, 0, "{message:?}");
            assert!(message.delivery.next.is_some(), "{message:?}");
        }
        assert!(dead(&gateway, &shop).await.is_empty());
        assert!(gateway.stop().await);
    }
    assert!(receiver.got().is_empty());

    scene.settings.master_key = right;
    let gateway = scene.gateway().await;
    for message in waiting(&scene.file()).await {
        let path = format!("/v1/webhooks/msg_{}/resend", message.id);
        let resent = ask(&gateway, &shop, "POST", &path, "").await;
        assert_eq!(resent.status, 202, "{resent:?}");
    }
    until("both notices", async || {
        (receiver.got().len() == 2).then_some(())
    })
    .await;
    assert!(gateway.stop().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_void_needs_no_key() {
    let mut scene = Scene::new(Settle::After(Duration::ZERO)).await;
    let master = scene.settings.master_key.take().unwrap();
    let kind = recharge_store::registry::KeyKind::Jisu;
    let made = recharge_gateway::keys::make_credential(kind, &master).unwrap();
    let registry = scene.registry();
    registry
        .add_key(&recharge_store::registry::StoredKey {
            id: made.app_key.clone(),
            secret: made.sealed,
            ..crate::kit::stored_key("shop", kind)
        })
        .unwrap();
    let gateway = scene.gateway().await;
    let locked = gateway.locked().unwrap();
    assert!(locked.to_string().contains(&master.mark()), "{locked}");
    let now = recharge_engine::WallTime::from_millis(1);
    assert!(registry.revoke_key(&made.app_key, now).unwrap());
    until("it to be seen", async || {
        gateway.locked().is_none().then_some(())
    })
    .await;
    assert!(gateway.stop().await);
}
