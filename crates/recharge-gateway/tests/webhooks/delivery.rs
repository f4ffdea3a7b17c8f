//! Notices arrive: signed, at least once, versions rising.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use recharge_core::MerchantId;
use recharge_engine::store::Told;
use recharge_engine::{Clock, Epoch, Moment, SystemClock};
use recharge_gateway::webhooks::Outbox;
use recharge_gateway::{Gateway, time};
use recharge_sim::{End, Settle, Step};
use sha2::{Digest, Sha256};
use tokio::sync::watch;

use crate::kit::{Scene, ask, dead, order, place, set_webhook, until, waiting};
use crate::receiver::{Answer, Got, Receiver};

const AT_ONCE: Settle = Settle::After(Duration::ZERO);

/// HMAC-SHA256 as RFC 2104 has it, with nothing but the hash.
fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut block = [0_u8; 64];
    block[..key.len()].copy_from_slice(key);
    let inner = Sha256::new()
        .chain_update(block.map(|byte| byte ^ 0x36))
        .chain_update(text)
        .finalize();
    Sha256::new()
        .chain_update(block.map(|byte| byte ^ 0x5c))
        .chain_update(inner)
        .finalize()
        .to_vec()
}

fn is_signed(got: &Got, secret: &str) -> bool {
    let key = STANDARD
        .decode(secret.strip_prefix("whsec_").unwrap())
        .unwrap();
    let (id, at) = (got.header("webhook-id"), got.header("webhook-timestamp"));
    let signature = STANDARD.encode(hmac(&key, &format!("{id}.{at}.{}", got.body)));
    got.header("webhook-signature") == format!("v1,{signature}")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_is_told_signed_and_then_forgotten() {
    let scene = Scene::new(AT_ONCE).await;
    let (shop, other) = (scene.key("shop"), scene.key("other"));
    let gateway = scene.gateway().await;
    let receiver = Receiver::start(Answer::With(204, "")).await;
    let secret = set_webhook(&gateway, &shop, Some(&receiver.url("/hook?a=b"))).await;
    place(&gateway, &shop, "A0000001", None).await;
    // Another merchant has no endpoint: nobody is told, and nothing is kept for it.
    place(&gateway, &other, "A0000001", None).await;

    let got = until("the notice", async || receiver.got().first().cloned()).await;
    assert!(is_signed(&got, &secret), "{got:?}");
    assert_eq!(got.path, "/hook?a=b");
    assert_eq!(got.header("content-type"), "application/json");
    let event = got.json();
    assert_eq!(event["type"], "order.succeeded");
    let shown = ask(&gateway, &shop, "GET", "/v1/orders/A0000001", "").await;
    // The order as it is shown, but in the version that was told: what is noted after an end is not told.
    let mut shown = shown.json();
    assert!(event["data"]["version"].as_u64() <= shown["version"].as_u64());
    shown["version"] = event["data"]["version"].clone();
    assert_eq!(event["data"], shown);
    assert_eq!(event["timestamp"], event["data"]["updated_at"]);

    until("both to be forgotten", async || {
        waiting(&scene.file()).await.is_empty().then_some(())
    })
    .await;
    assert_eq!(receiver.got().len(), 1);
    assert!(gateway.stop().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_of_an_order_comes_before_the_merchant_s() {
    let scene = Scene::new(AT_ONCE).await;
    let shop = scene.key("shop");
    let gateway = scene.gateway().await;
    let (usual, own) = (
        Receiver::start(Answer::With(200, "")).await,
        Receiver::start(Answer::With(200, "")).await,
    );
    let secret = set_webhook(&gateway, &shop, Some(&usual.url("/"))).await;
    place(&gateway, &shop, "A0000001", Some(&own.url("/own"))).await;
    let got = until("the notice", async || own.got().first().cloned()).await;
    assert!(is_signed(&got, &secret));
    place(&gateway, &shop, "A0000002", None).await;
    until("the other notice", async || usual.got().first().cloned()).await;
    assert_eq!((usual.got().len(), own.got().len()), (1, 1));
    assert!(gateway.stop().await);
}

/// A gateway in a runtime of its own, which can be killed.
fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

#[test]
fn what_has_not_arrived_is_told_after_a_kill_and_versions_rise() {
    let outer = runtime();
    let mut scene = outer.block_on(Scene::new(Settle::WhenStepped));
    // On a desk soon, where it is still asked about.
    scene.times.charging_limit = Duration::from_millis(300);
    let shop = scene.key("shop");
    let receiver = outer.block_on(Receiver::start(Answer::With(500, "")));

    let first = runtime();
    let secret = first.block_on(async {
        let gateway = scene.gateway().await;
        let secret = set_webhook(&gateway, &shop, Some(&receiver.url("/"))).await;
        place(&gateway, &shop, "A0000001", None).await;
        until("two tries", async || {
            (receiver.got().len() >= 2).then_some(())
        })
        .await;
        secret
    });
    // Nothing is stopped: what runs is cut off where it stands.
    first.shutdown_timeout(Duration::from_mins(1));

    receiver.answer(Answer::With(200, ""));
    let before = receiver.got().len();
    outer.block_on(async {
        let gateway = scene.gateway().await;
        until("the review", async || receiver.got().get(before).cloned()).await;
        scene.step(&Step {
            to: Some(End::Succeeded),
            ..Step::default()
        });
        until("the end", async || {
            let got = receiver.got();
            let last = got.last().map(|got| got.json()["type"].clone());
            (last.is_some_and(|it| it == "order.succeeded")).then_some(())
        })
        .await;
        assert!(gateway.stop().await);
    });
    let got = receiver.got();
    assert!(got.iter().all(|got| is_signed(got, &secret)));
    let told: Vec<(String, u64, String)> = got
        .iter()
        .map(|got| {
            let event = got.json();
            assert_eq!(
                event["type"].as_str().unwrap(),
                format!("order.{}", event["data"]["state"].as_str().unwrap())
            );
            let version = event["data"]["version"].as_u64().unwrap();
            let id = got.header("webhook-id").to_owned();
            (id, version, event["type"].as_str().unwrap().to_owned())
        })
        .collect();
    assert!(
        told.is_sorted_by_key(|(_, version, _)| *version),
        "{told:?}"
    );
    let reviews: Vec<_> = told.iter().filter(|it| it.2 == "order.review").collect();
    assert!(reviews.len() >= 3, "{told:?}");
    // The same message has the same name, before and after.
    assert!(reviews.iter().all(|it| *it == reviews[0]), "{told:?}");
    assert_eq!(got[0].json()["data"]["review_reason"], "overdue");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_given_up_is_seen_and_sent_again() {
    let mut scene = Scene::new(AT_ONCE).await;
    scene.settings.pace.waits = vec![Duration::from_millis(30); 3];
    scene.settings.pace.patience = Duration::from_millis(50);
    let (shop, other) = (scene.key("shop"), scene.key("other"));
    let gateway = scene.gateway().await;
    let receiver = Receiver::start(Answer::With(503, "later")).await;
    set_webhook(&gateway, &shop, Some(&receiver.url("/secret-path"))).await;
    place(&gateway, &shop, "A0000001", None).await;

    let given_up = until("the notice to be given up", async || {
        dead(&gateway, &shop).await.first().cloned()
    })
    .await;
    assert_eq!(given_up["order_id"], "A0000001");
    assert_eq!(given_up["state"], "succeeded");
    assert_eq!(given_up["trouble"], "the answer was 503");
    let tries = given_up["tries"].as_u64().unwrap();
    assert!(tries >= 3, "{given_up}");
    assert_eq!(receiver.got().len(), usize::try_from(tries).unwrap());
    assert!(!given_up.to_string().contains("secret-path"));
    assert!(dead(&gateway, &other).await.is_empty());

    let id = given_up["id"].as_str().unwrap();
    assert_eq!(receiver.got()[0].header("webhook-id"), id);
    let resend = format!("/v1/webhooks/{id}/resend");
    // Its time is over, and it is tried as often as there are waits all the same.
    let sent = ask(&gateway, &shop, "POST", &resend, "").await;
    assert_eq!(sent.status, 202, "{sent:?}");
    let tries = receiver.got().len();
    let again = until("it to be given up again", async || {
        let more = receiver.got().len() > tries;
        dead(&gateway, &shop)
            .await
            .first()
            .filter(|_| more)
            .cloned()
    })
    .await;
    assert_eq!(again["tries"], 3, "{again}");
    let refused = ask(&gateway, &other, "POST", &resend, "").await;
    assert_eq!(refused.status, 404, "{refused:?}");
    receiver.answer(Answer::With(200, ""));
    let sent = ask(&gateway, &shop, "POST", &resend, "").await;
    assert_eq!(sent.status, 202, "{sent:?}");
    until("it to be told", async || {
        waiting(&scene.file()).await.is_empty().then_some(())
    })
    .await;
    let last = receiver.got().pop().unwrap();
    assert_eq!(last.header("webhook-id"), id);
    for unknown in [
        id,
        "msg_0",
        "msg_",
        "msg_+1",
        "7",
        "msg_99999999999999999999",
    ] {
        let resend = format!("/v1/webhooks/{unknown}/resend");
        let answered = ask(&gateway, &shop, "POST", &resend, "").await;
        assert_eq!(answered.status, 404, "{unknown}");
    }
    assert!(gateway.stop().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn alarms_are_counted_and_the_command_line_s_orders_left_alone() {
    let mut scene = Scene::new(Settle::WhenStepped).await;
    scene.times.charging_limit = Duration::from_millis(100);
    let app = scene.app().await;
    let local = MerchantId::local();
    for merchant in ["shop", local.as_str()] {
        let what = order(merchant, "A0000001", "juhe", None);
        app.driver.accept(what, true).await.unwrap();
    }
    let (stop, stopped) = watch::channel(false);
    let outbox = tokio::spawn(Outbox::new(app.clone()).unwrap().run(stopped));
    until("the shop's alarm", async || {
        (app.tally.alarms() == 1).then_some(())
    })
    .await;
    let left = until("the rest", async || {
        let left = app.store().messages(0, 10).await.unwrap();
        let all = left.len() == 2 && left.iter().all(|it| it.merchant == local);
        all.then_some(left)
    })
    .await;
    assert!(left.iter().any(|it| matches!(it.what, Told::Alarm { .. })));
    assert!(left.iter().all(|it| it.delivery.tries == 0));
    assert_eq!(app.tally.alarms(), 1);
    stop.send_replace(true);
    outbox.await.unwrap();
    assert!(app.driver.stop(Duration::from_secs(30)).await);
}

/// What receivers are written after is what is sent: every header and field that is described, and no other.
#[tokio::test(flavor = "multi_thread")]
async fn a_notice_is_as_it_is_described() {
    let scene = Scene::new(AT_ONCE).await;
    let shop = scene.key("shop");
    let gateway = scene.gateway().await;
    let receiver = Receiver::start(Answer::With(204, "")).await;
    set_webhook(&gateway, &shop, Some(&receiver.url("/"))).await;
    place(&gateway, &shop, "A0000001", None).await;
    let got = until("the notice", async || receiver.got().first().cloned()).await;
    assert!(gateway.stop().await);

    let described = serde_json::to_value(recharge_gateway::routes::description()).unwrap();
    let notice = &described["webhooks"]["order"]["post"];
    assert_eq!(notice["tags"][0], "webhooks");
    let headers = notice["parameters"].as_array().unwrap();
    assert_eq!(headers.len(), 3);
    for header in headers {
        assert_eq!(header["in"], "header");
        assert!(!got.header(header["name"].as_str().unwrap()).is_empty());
    }
    let content = notice["requestBody"]["content"].as_object().unwrap();
    let schema = &content[got.header("content-type")]["schema"];
    let mut to_compare = vec![(schema, got.json())];
    let mut objects = 0;
    while let Some((schema, value)) = to_compare.pop() {
        let schema = match schema["$ref"].as_str() {
            Some(pointer) => described.pointer(&pointer[1..]).unwrap(),
            None => schema,
        };
        let Some(fields) = value.as_object() else {
            continue;
        };
        objects += 1;
        let properties = schema["properties"].as_object().unwrap();
        for required in schema["required"].as_array().unwrap() {
            assert!(
                fields.contains_key(required.as_str().unwrap()),
                "{required}"
            );
        }
        for (name, field) in fields {
            to_compare.push((&properties[name], field.clone()));
        }
    }
    assert_eq!(objects, 2, "the event, and the order in it");
}

/// The machine's clock, but that it is half an hour later.
#[derive(Debug, Default)]
struct Later(SystemClock);

const LATER: Duration = Duration::from_mins(30);

#[async_trait]
impl Clock for Later {
    fn now(&self) -> Moment {
        let mut moment = self.0.now();
        moment.wall = moment.wall.after(LATER);
        moment
    }

    fn begin(&self, epoch: Epoch) {
        self.0.begin(epoch);
    }

    fn instant(&self, moment: Moment, later: Duration) -> Option<Instant> {
        self.0.instant(moment, later)
    }

    async fn sleep(&self, duration: Duration) {
        self.0.sleep(duration).await;
    }
}

/// A receiver refuses what was signed long ago, since anybody may have kept it.
#[tokio::test(flavor = "multi_thread")]
async fn each_try_is_signed_with_its_own_time_in_seconds() {
    let scene = Scene::new(AT_ONCE).await;
    let shop = scene.key("shop");
    let receiver = Receiver::start(Answer::With(500, "")).await;
    let now = || SystemClock::new().now().wall.millis() / 1_000;
    let begun = now();
    let gateway = scene.gateway().await;
    let secret = set_webhook(&gateway, &shop, Some(&receiver.url("/"))).await;
    place(&gateway, &shop, "A0000001", None).await;
    until("a try", async || receiver.got().first().cloned()).await;
    assert!(gateway.stop().await);
    let (ended, before) = (now(), receiver.got().len());
    let mut setup = scene.setup();
    setup.clock = Arc::new(Later::default());
    let gateway = Gateway::start(setup, scene.registry(), scene.settings.clone());
    let gateway = gateway.await.unwrap();
    until("another", async || receiver.got().get(before).cloned()).await;
    assert!(gateway.stop().await);
    let later = i64::try_from(LATER.as_secs()).unwrap();
    for (at, got) in receiver.got().iter().enumerate() {
        assert!(is_signed(got, &secret), "{got:?}");
        let signed: i64 = got.header("webhook-timestamp").parse().unwrap();
        let tried = if at < before {
            begun..=ended
        } else {
            ended + later..=now() + later
        };
        assert!(tried.contains(&signed), "{signed}: {tried:?}");
    }
    let event = receiver.got()[before].json();
    let since = time::parse(event["timestamp"].as_str().unwrap()).unwrap();
    assert!(since.millis() / 1_000 <= ended, "{event}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_secret_signs_from_then_on() {
    let scene = Scene::new(AT_ONCE).await;
    let shop = scene.key("shop");
    let receiver = Receiver::start(Answer::With(200, "")).await;
    let gateway = scene.gateway().await;
    let old = set_webhook(&gateway, &shop, Some(&receiver.url("/"))).await;
    let rotated = ask(&gateway, &shop, "POST", "/v1/webhook/rotate", "").await;
    let new = rotated.json()["secret"].as_str().unwrap().to_owned();
    place(&gateway, &shop, "A0000001", None).await;
    let got = until("the notice", async || receiver.got().first().cloned()).await;
    assert!(is_signed(&got, &new) && !is_signed(&got, &old), "{got:?}");
    assert!(gateway.stop().await);
}

/// What was to be told waits while its order goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_notice_that_is_late_tells_what_was_and_not_what_is() {
    let mut scene = Scene::new(Settle::WhenStepped).await;
    scene.times.charging_limit = Duration::from_millis(300);
    let shop = scene.key("shop");
    let receiver = Receiver::start(Answer::With(500, "")).await;
    let gateway = scene.gateway().await;
    set_webhook(&gateway, &shop, Some(&receiver.url("/"))).await;
    place(&gateway, &shop, "A0000001", None).await;
    let first = until("the review", async || receiver.got().first().cloned()).await;
    scene.step(&Step {
        to: Some(End::Succeeded),
        ..Step::default()
    });
    until("the end", async || {
        let shown = ask(&gateway, &shop, "GET", "/v1/orders/A0000001", "").await;
        (shown.json()["state"] == "succeeded").then_some(())
    })
    .await;
    let tries = receiver.got().len();
    until("more tries", async || {
        receiver.got().get(tries + 1).cloned()
    })
    .await;
    let told = |got: &Got| {
        let event = got.json();
        let order = &event["data"];
        ["state", "review_reason", "version", "updated_at"]
            .map(|name| order[name].clone())
            .to_vec()
    };
    for got in receiver.got() {
        assert_eq!(got.json()["type"], "order.review");
        assert_eq!(told(&got), told(&first), "{got:?}");
    }
    assert_eq!(first.json()["data"]["state"], "review");
    receiver.answer(Answer::With(200, ""));
    until("all to be told", async || {
        waiting(&scene.file()).await.is_empty().then_some(())
    })
    .await;
    let last = receiver.got().pop().unwrap();
    assert_eq!(last.json()["type"], "order.succeeded");
    let version = |got: &Got| got.json()["data"]["version"].as_u64();
    assert!(version(&last) > version(&first));
    assert!(gateway.stop().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_up_is_listed_page_by_page() {
    let mut scene = Scene::new(AT_ONCE).await;
    scene.settings.pace.waits = Vec::new();
    scene.settings.pace.patience = Duration::ZERO;
    let (shop, other) = (scene.key("shop"), scene.key("other"));
    let receiver = Receiver::start(Answer::With(500, "")).await;
    let gateway = scene.gateway().await;
    for key in [&shop, &other] {
        set_webhook(&gateway, key, Some(&receiver.url("/"))).await;
    }
    for (key, order_id) in [(&shop, "A1"), (&other, "B1"), (&shop, "A2"), (&shop, "A3")] {
        place(&gateway, key, order_id, None).await;
        until("it to be given up", async || {
            let given_up = dead(&gateway, key).await;
            given_up
                .iter()
                .find(|it| it["order_id"] == order_id)
                .cloned()
        })
        .await;
    }
    let (mut seen, mut next) = (Vec::new(), String::new());
    for _ in 0..4 {
        let path = format!("/v1/webhooks/dead?limit=1{next}");
        let page = ask(&gateway, &shop, "GET", &path, "").await.json();
        for notice in page["dead"].as_array().unwrap() {
            seen.push(notice["order_id"].as_str().unwrap().to_owned());
        }
        match page["next"].as_str() {
            Some(after) => next = format!("&after={after}"),
            None => break,
        }
    }
    assert_eq!(seen, ["A1", "A2", "A3"]);
    assert!(gateway.stop().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_its_order_cannot_be_read_a_notice_waits() {
    let scene = Scene::new(AT_ONCE).await;
    let key = scene.key("shop");
    let receiver = Receiver::start(Answer::With(200, "")).await;
    let gateway = scene.gateway().await;
    set_webhook(&gateway, &key, Some(&receiver.url("/"))).await;
    assert!(gateway.stop().await);
    let app = scene.app().await;
    let what = order("shop", "A0000001", "juhe", None);
    app.driver.accept(what, false).await.unwrap();
    let before = until("there to be something to tell", async || {
        app.store().messages(0, 1).await.unwrap().pop()
    })
    .await;
    let file = rusqlite::Connection::open(scene.file()).unwrap();
    file.execute_batch("ALTER TABLE log RENAME TO gone")
        .unwrap();
    let (stop, stopped) = watch::channel(false);
    let outbox = tokio::spawn(Outbox::new(app.clone()).unwrap().run(stopped));
    until("it to be put off", async || {
        let waiting = app.store().messages(0, 1).await.unwrap().pop().unwrap();
        (waiting.delivery.next > before.delivery.next).then_some(())
    })
    .await;
    assert_eq!(receiver.connections(), 0);
    file.execute_batch("ALTER TABLE gone RENAME TO log")
        .unwrap();
    until("it to arrive", async || receiver.got().first().cloned()).await;
    stop.send_replace(true);
    outbox.await.unwrap();
    assert!(app.driver.stop(Duration::from_secs(30)).await);
}
