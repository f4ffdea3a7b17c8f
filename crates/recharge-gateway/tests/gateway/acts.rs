//! What is done to an order that is there, and what the upstreams are asked for.

use std::time::Duration;

use recharge_sim::{Simulator, WorldConfig};
use recharge_store::registry::Scope;

use crate::stage::{ALL, Stage, order};

#[tokio::test(flavor = "multi_thread")]
async fn asking_is_bounded_and_deciding_takes_the_right_people() {
    let stage = Stage::open().await;
    let ann = stage.key_of("shop", ALL, Some("ann"));
    let body = order("A1", 1);
    let placed = stage.call("POST", "/v1/orders", Some(&ann), Some(&body));
    assert_eq!(placed.await.status, 202);
    stage.until("A1", "succeeded", &ann).await;
    let asked = stage
        .call("POST", "/v1/orders/A1/ask", Some(&ann), None)
        .await;
    assert_eq!(asked.status, 202, "{asked:?}");
    let again = stage
        .call("POST", "/v1/orders/A1/ask", Some(&ann), None)
        .await;
    assert_eq!(
        (again.status, again.code().as_str()),
        (429, "too_many_requests")
    );
    let cancel = Some(r#"{"reason":"too late"}"#);
    let late = stage
        .call("POST", "/v1/orders/A1/cancel", Some(&ann), cancel)
        .await;
    assert_eq!((late.status, late.code().as_str()), (409, "not_now"));
    let decide = async |body: &str, key: &str| {
        stage
            .call("POST", "/v1/orders/A1/decisions", Some(key), Some(body))
            .await
    };
    for (body, field) in [
        (
            r#"{"verdict":"maybe","evidence":"x","version":1}"#,
            "verdict",
        ),
        (
            r#"{"verdict":"send_again","evidence":"x","version":1}"#,
            "attempt",
        ),
        (
            r#"{"verdict":"send_elsewhere","evidence":"x","version":1}"#,
            "provider",
        ),
        (
            r#"{"verdict":"failed","evidence":"x","version":1,"attempt":1}"#,
            "attempt",
        ),
        (
            r#"{"verdict":"failed","evidence":"x","version":1,"provider":"juhe"}"#,
            "provider",
        ),
        (r#"{"verdict":"failed","version":1}"#, "evidence"),
        (
            r#"{"verdict":"succeeded","evidence":"x","version":999}"#,
            "version",
        ),
    ] {
        let told = decide(body, &ann).await;
        assert_eq!(
            (told.status, told.json()["field"].as_str()),
            (422, Some(field)),
            "{body}: {told:?}"
        );
    }
    let only_read = stage.key("shop", &[Scope::Read]);
    let told = decide(
        r#"{"verdict":"failed","evidence":"x","version":1}"#,
        &only_read,
    )
    .await;
    assert_eq!(told.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_are_two_keys_that_were_made_for_people() {
    let mut stage = Stage::without_gateway().await;
    let slow = Simulator::builder().settle_after(Duration::from_hours(1));
    stage.simulator = slow.start().await.unwrap();
    // What an upstream says meanwhile is evidence that each must have seen: here it says nothing.
    stage.query_after = Duration::from_hours(1);
    stage.start().await;
    let of = |person| stage.key_of("shop", ALL, person);
    let (one, other) = (of(None), of(None));
    let (ann, also_ann, bob) = (of(Some("ann")), of(Some("Ann")), of(Some("bob")));
    let body = order("A1", 1);
    let placed = stage.call("POST", "/v1/orders", Some(&ann), Some(&body));
    assert_eq!(placed.await.status, 202);
    stage.until("A1", "charging", &ann).await;
    let decide = async |key: &str| {
        for _ in 0..20 {
            let shown = stage.call("GET", "/v1/orders/A1", Some(&ann), None).await;
            let version = shown.json()["version"].to_string();
            let body = r#"{"verdict":"failed","evidence":"by telephone","version":VERSION}"#;
            let body = body.replace("VERSION", &version);
            let path = "/v1/orders/A1/decisions";
            let told = stage.call("POST", path, Some(key), Some(&body)).await;
            if told.status == 200 || told.code() != "stale" {
                return told;
            }
        }
        panic!("evidence comes faster than it can be seen")
    };
    for nobody in [&one, &other] {
        let told = decide(nobody).await;
        assert_eq!((told.status, told.code().as_str()), (409, "not_now"));
        assert!(told.text.contains("--person"), "{}", told.text);
    }
    for alone in [&ann, &one, &also_ann] {
        decide(alone).await;
        let shown = stage.call("GET", "/v1/orders/A1", Some(&ann), None).await;
        assert_eq!(shown.json()["state"], "charging");
    }
    decide(&bob).await;
    let shown = stage.call("GET", "/v1/orders/A1", Some(&ann), None).await;
    assert_eq!(shown.json()["state"], "failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_upstreams_say_what_they_sell_and_what_is_left() {
    let stage = Stage::open().await;
    let key = stage.key("shop", ALL);
    let what = r#"{"kind":"mobile","account":"18900001234","amount":"100"}"#;
    let checked = stage
        .call("POST", "/v1/check", Some(&key), Some(what))
        .await;
    assert_eq!(
        checked.json(),
        serde_json::json!({"provider": "juhe", "allowed": true})
    );
    let quoted = stage
        .call("POST", "/v1/quote", Some(&key), Some(what))
        .await
        .json();
    assert_eq!(
        (&quoted["provider"], &quoted["price"]),
        (&"juhe".into(), &"99.65".into())
    );
    let unsold = what.replace("100", "7");
    let told = stage
        .call("POST", "/v1/quote", Some(&key), Some(&unsold))
        .await;
    assert_eq!((told.status, told.code().as_str()), (422, "not_offered"));
    let balances = stage
        .call("GET", "/v1/balances", Some(&key), None)
        .await
        .json();
    assert_eq!(balances["balances"][0]["provider"], "juhe");
    let balance = balances["balances"][0]["balance"].as_str().unwrap();
    assert!(balance.parse::<f64>().unwrap() > 0.0, "{balance}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_upstream_refuses_is_not_called_allowed() {
    let mut stage = Stage::without_gateway().await;
    let world = WorldConfig {
        juhe_face_values: vec![10],
        ..WorldConfig::default()
    };
    stage.simulator = Simulator::builder().config(world).start().await.unwrap();
    stage.start().await;
    let key = stage.key("shop", ALL);
    for (amount, allowed) in [("10", true), ("100", false)] {
        let what = r#"{"kind":"mobile","account":"18900001234","amount":"100"}"#;
        let what = what.replace("\"100\"", &format!("\"{amount}\""));
        let told = stage
            .call("POST", "/v1/check", Some(&key), Some(&what))
            .await;
        assert_eq!(
            told.json(),
            serde_json::json!({"provider": "juhe", "allowed": allowed})
        );
    }
}
