//! A shop that speaks an upstream's protocol is told as that upstream tells.

use std::collections::BTreeMap;
use std::time::Duration;

use md5::{Digest, Md5};
use recharge_core::{MerchantId, OrderId};
use recharge_engine::WallTime;
use recharge_gateway::compat::number;
use recharge_gateway::webhooks::{Outbox, route};
use recharge_gateway::{ring, time};
use recharge_sim::{End, Settle, Step};
use recharge_store::registry::{KeyKind, StoredKey};
use tokio::sync::watch;

use crate::kit::{Scene, order, set_webhook, stored_key, until};
use crate::receiver::{Answer, Receiver};

const APP_KEY: &str = "0123456789abcdef0123456789abcdef";
const SECRET: &str = "s3cret";

fn md5(parts: &[&str]) -> String {
    hex::encode(Md5::digest(parts.concat()))
}

/// Takes an order under such a credential; answers the form that its shop was sent in the end, and how many
/// times it was sent.
async fn told(
    kind: KeyKind,
    end: End,
    tune: impl FnOnce(&mut Scene),
) -> (BTreeMap<String, String>, usize, String) {
    let mut scene = Scene::new(Settle::WhenStepped).await;
    let receiver = Receiver::start(Answer::With(200, "ok")).await;
    let master = scene.settings.master_key.clone().unwrap();
    scene
        .registry()
        .add_key(&StoredKey {
            id: APP_KEY.to_owned(),
            secret: master
                .seal(&ring::purpose_of_key(APP_KEY), &SECRET.into())
                .unwrap(),
            callback_url: Some(receiver.url("/callback.php")),
            ..stored_key("shop", kind)
        })
        .unwrap();
    tune(&mut scene);
    let app = scene.app().await;
    let provider = if kind == KeyKind::Juhe {
        "juhe"
    } else {
        "jisu"
    };
    let reply_to = route::under_credential(APP_KEY);
    let what = order("shop", "A0000001", provider, Some(&reply_to));
    app.driver.accept(what, false).await.unwrap();
    let (stop, stopped) = watch::channel(false);
    let outbox = tokio::spawn(Outbox::new(app.clone()).unwrap().run(stopped));
    // It is told only of ends; an order on a desk has none.
    if scene.times.charging_limit < Duration::from_secs(1) {
        until("the review to be passed over", async || {
            (app.tally.delivered() == 1).then_some(())
        })
        .await;
        assert_eq!(receiver.connections(), 0);
    }
    until("the order to be taken", async || {
        scene.step(&Step {
            to: Some(end),
            ..Step::default()
        });
        receiver.got().get(2).cloned()
    })
    .await;
    // `ok` is not what such a shop says when it knows.
    receiver.answer(Answer::With(200, " success\n"));
    until("it to be forgotten", async || {
        app.store()
            .messages(0, 9)
            .await
            .unwrap()
            .is_empty()
            .then_some(())
    })
    .await;
    stop.send_replace(true);
    outbox.await.unwrap();
    let merchant = MerchantId::parse("shop").unwrap();
    let order_id = OrderId::parse("A0000001").unwrap();
    let stored = app.driver.order(&merchant, &order_id).await.unwrap();
    let stored = stored.unwrap();
    assert!(app.driver.stop(Duration::from_secs(30)).await);
    let got = receiver.got();
    let last = got.last().unwrap();
    assert!(got.iter().all(|it| it.body == last.body));
    assert_eq!(last.path, "/callback.php");
    assert_eq!(
        last.header("content-type"),
        "application/x-www-form-urlencoded"
    );
    assert_eq!(last.header("webhook-signature"), "");
    let form = form_urlencoded::parse(last.body.as_bytes())
        .into_owned()
        .collect();
    let number = number::of(&stored);
    assert!(number.contains(&time::digits(stored.order.accepted().wall)));
    (form, got.len(), number)
}

#[tokio::test(flavor = "multi_thread")]
async fn as_juhe_tells() {
    for (end, sta) in [(End::Succeeded, "1"), (End::Failed, "9")] {
        let (form, times, number) = told(KeyKind::Juhe, end, |_| ()).await;
        assert!(times >= 4, "{times}");
        let sign = md5(&[APP_KEY, &number, "A0000001"]);
        let expected = [
            ("orderid", "A0000001"),
            ("sign", sign.as_str()),
            ("sporder_id", number.as_str()),
            ("sta", sta),
        ];
        let form: Vec<_> = form.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(form, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn as_jisu_tells() {
    for (end, status) in [(End::Succeeded, "1"), (End::Failed, "2")] {
        let (form, _, number) = told(KeyKind::Jisu, end, |_| ()).await;
        let names: Vec<&str> = form.keys().map(String::as_str).collect();
        let all = [
            "amount",
            "mobile",
            "orderno",
            "outorderno",
            "rechargestatus",
            "sign",
            "totalfee",
        ];
        assert_eq!(names, all);
        assert_eq!(form["orderno"], number);
        assert_eq!(form["rechargestatus"], status);
        let expected = md5(&[
            &form["amount"],
            &form["mobile"],
            &form["orderno"],
            &form["outorderno"],
            &form["rechargestatus"],
            &form["totalfee"],
            SECRET,
        ]);
        assert_eq!(form["sign"], expected);
        assert_eq!(
            (form["amount"].as_str(), form["mobile"].as_str()),
            ("100", "18900001234")
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_ends_are_told() {
    let (form, _, _) = told(KeyKind::Juhe, End::Succeeded, |scene| {
        scene.times.charging_limit = Duration::from_millis(100);
    })
    .await;
    assert_eq!(form["sta"], "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_credential_s_orders_are_told_of_as_before() {
    let (form, _, _) = told(KeyKind::Juhe, End::Succeeded, |scene| {
        let revoked = scene
            .registry()
            .revoke_key(APP_KEY, WallTime::from_millis(1));
        assert!(revoked.unwrap());
    })
    .await;
    assert_eq!(form["sta"], "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_credential_names_no_address_the_merchant_is_told() {
    let scene = Scene::new(Settle::After(Duration::ZERO)).await;
    let key = scene.key("shop");
    let receiver = Receiver::start(Answer::With(200, "")).await;
    let gateway = scene.gateway().await;
    set_webhook(&gateway, &key, Some(&receiver.url("/hook"))).await;
    assert!(gateway.stop().await);
    let stored = StoredKey {
        id: APP_KEY.to_owned(),
        ..stored_key("shop", KeyKind::Juhe)
    };
    scene.registry().add_key(&stored).unwrap();
    let app = scene.app().await;
    let reply_to = route::under_credential(APP_KEY);
    let what = order("shop", "A0000001", "juhe", Some(&reply_to));
    app.driver.accept(what, false).await.unwrap();
    let (stop, stopped) = watch::channel(false);
    let outbox = tokio::spawn(Outbox::new(app.clone()).unwrap().run(stopped));
    let got = until("the notice", async || receiver.got().first().cloned()).await;
    assert_eq!(got.path, "/hook");
    assert_eq!(got.json()["data"]["order_id"], "A0000001");
    stop.send_replace(true);
    outbox.await.unwrap();
    assert!(app.driver.stop(Duration::from_secs(30)).await);
}
