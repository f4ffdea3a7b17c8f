//! What stands around every route: how often a key may ask, and which web pages may.

use reqwest::Method;

use crate::stage::{ALL, Stage};
use recharge_store::registry::Scope;

#[tokio::test(flavor = "multi_thread")]
async fn a_key_may_ask_so_often_and_others_are_not_held_up_by_it() {
    let stage = Stage::with(|it| it.requests_per_second = Some(5)).await;
    let (eager, calm) = (stage.key("shop", ALL), stage.key("shop", ALL));
    let asked = async |key: &str| stage.call("GET", "/v1/statistics", Some(key), None).await;
    let mut refused = 0;
    for _ in 0..60 {
        let told = asked(&eager).await;
        if told.status != 200 {
            assert_eq!(
                (told.status, told.code().as_str()),
                (429, "too_many_requests")
            );
            let wait: u64 = told.headers["retry-after"]
                .to_str()
                .unwrap()
                .parse()
                .unwrap();
            assert!((1..=2).contains(&wait), "{wait}");
            refused += 1;
        }
    }
    assert!(refused > 10, "{refused}");
    assert_eq!(asked(&calm).await.status, 200);
    // What the key may not do counts as well.
    let reader = stage.key("shop", &[Scope::Submit]);
    let mut told = 403;
    for _ in 0..60 {
        told = asked(&reader).await.status;
        if told == 429 {
            break;
        }
    }
    assert_eq!(told, 429);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_change_of_keys_or_webhooks_gives_a_key_its_requests_back() {
    let stage = Stage::with(|it| it.requests_per_second = Some(1)).await;
    let key = stage.key("shop", ALL);
    let mut told = 0;
    for _ in 0..60 {
        let set = Some(r#"{"url":null}"#);
        told = stage
            .call("PUT", "/v1/webhook", Some(&key), set)
            .await
            .status;
        if told == 429 {
            break;
        }
    }
    assert_eq!(told, 429);
}

#[tokio::test(flavor = "multi_thread")]
async fn unless_it_is_set_a_key_may_ask_as_often_as_it_likes() {
    let stage = Stage::open().await;
    let key = stage.key("shop", ALL);
    for _ in 0..300 {
        let told = stage
            .call("GET", "/v1/webhooks/dead", Some(&key), None)
            .await;
        assert_eq!(told.status, 200);
    }
}

const OURS: &str = "https://shop.example.com";
const THEIRS: &str = "https://evil.example.com";

async fn from_page(stage: &Stage, method: Method, origin: &str) -> reqwest::Response {
    let request = reqwest::Client::new()
        .request(
            method.clone(),
            format!("http://{}/v1/orders", stage.address()),
        )
        .header("origin", origin);
    let request = if method == Method::OPTIONS {
        request
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization")
    } else {
        request
    };
    request.send().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_web_page_may_call_unless_its_origin_is_set() {
    let stage = Stage::open().await;
    for method in [Method::OPTIONS, Method::GET] {
        let answer = from_page(&stage, method, OURS).await;
        let named = |name: &http::HeaderName| name.as_str().starts_with("access-control");
        assert!(!answer.headers().keys().any(named), "{answer:?}");
    }
    let stage = Stage::with(|it| it.cors_origins = vec![OURS.to_owned()]).await;
    let before = from_page(&stage, Method::OPTIONS, OURS).await;
    assert_eq!(before.status(), 200);
    assert_eq!(before.headers()["access-control-allow-origin"], OURS);
    let headers = before.headers()["access-control-allow-headers"].to_str();
    assert_eq!(headers.unwrap(), "authorization,content-type");
    // The page is told why, too.
    let refused = from_page(&stage, Method::GET, OURS).await;
    assert_eq!(refused.status(), 401);
    assert_eq!(refused.headers()["access-control-allow-origin"], OURS);
    for method in [Method::OPTIONS, Method::GET] {
        for origin in [
            THEIRS,
            "null",
            "https://shop.example.com.evil.example.com",
            "http://shop.example.com",
        ] {
            let answer = from_page(&stage, method.clone(), origin).await;
            let allowed = answer.headers().get("access-control-allow-origin");
            assert_eq!(allowed, None, "{origin}");
            let cookies = answer.headers().get("access-control-allow-credentials");
            assert_eq!(cookies, None, "{origin}");
        }
    }
}
