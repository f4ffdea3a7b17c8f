//! Every route, with every key that is not the right one.

use std::collections::BTreeSet;

use recharge_gateway::routes;
use recharge_store::registry::Scope;

use crate::stage::{ALL, Stage, order};

/// What a route is called with.
pub(crate) struct Call {
    pub(crate) method: &'static str,
    /// As the description has it.
    pub(crate) path: &'static str,
    /// The same with names filled in, of what belongs to another merchant.
    pub(crate) filled: &'static str,
    pub(crate) body: Option<&'static str>,
    pub(crate) scope: Option<Scope>,
    /// What another merchant is told.
    pub(crate) others: u16,
}

const fn call(
    method: &'static str,
    path: &'static str,
    filled: &'static str,
    body: Option<&'static str>,
    scope: Option<Scope>,
    others: u16,
) -> Call {
    Call {
        method,
        path,
        filled,
        body,
        scope,
        others,
    }
}

const ORDER: &str = r#"{"order_id":"B1","kind":"mobile","account":"18900000099","amount":100}"#;
const WHAT: &str = r#"{"kind":"mobile","account":"18900001234","amount":100}"#;
const DECISION: &str = r#"{"verdict":"succeeded","evidence":"ticket 7","version":1}"#;
const FILE: &str = "order_id,kind,account,amount\nC1,mobile,18900001299,100\n";

#[rustfmt::skip]
pub(crate) const CALLS: &[Call] = &[
    call("POST", "/v1/orders", "/v1/orders", Some(ORDER), Some(Scope::Submit), 202),
    call("GET", "/v1/orders", "/v1/orders", None, Some(Scope::Read), 200),
    call("GET", "/v1/orders/{order_id}", "/v1/orders/A1", None, Some(Scope::Read), 404),
    call("GET", "/v1/orders/{order_id}/events", "/v1/orders/A1/events", None, Some(Scope::Read), 404),
    call("POST", "/v1/orders/{order_id}/ask", "/v1/orders/A1/ask", None, Some(Scope::Read), 404),
    call("POST", "/v1/orders/{order_id}/cancel", "/v1/orders/A1/cancel", Some(r#"{"reason":"no"}"#), Some(Scope::Submit), 404),
    call("POST", "/v1/orders/{order_id}/decisions", "/v1/orders/A1/decisions", Some(DECISION), Some(Scope::Operate), 404),
    call("POST", "/v1/check", "/v1/check", Some(WHAT), Some(Scope::Read), 200),
    call("POST", "/v1/quote", "/v1/quote", Some(WHAT), Some(Scope::Read), 200),
    call("GET", "/v1/balances", "/v1/balances", None, Some(Scope::Operate), 200),
    call("GET", "/v1/statistics", "/v1/statistics", None, Some(Scope::Read), 200),
    call("GET", "/v1/statements/{day}", "/v1/statements/2027-01-15", None, Some(Scope::Read), 200),
    call("POST", "/v1/batches", "/v1/batches", Some(FILE), Some(Scope::Submit), 202),
    call("GET", "/v1/batches/{batch_id}", "/v1/batches/BATCH", None, Some(Scope::Read), 404),
    call("GET", "/v1/batches/{batch_id}/rows", "/v1/batches/BATCH/rows", None, Some(Scope::Read), 404),
    call("GET", "/v1/webhook", "/v1/webhook", None, Some(Scope::Operate), 404),
    call("PUT", "/v1/webhook", "/v1/webhook", Some(r#"{"url":null}"#), Some(Scope::Operate), 200),
    call("POST", "/v1/webhook/rotate", "/v1/webhook/rotate", None, Some(Scope::Operate), 200),
    call("GET", "/v1/webhooks/dead", "/v1/webhooks/dead", None, Some(Scope::Operate), 200),
    call("POST", "/v1/webhooks/{id}/resend", "/v1/webhooks/msg_1/resend", None, Some(Scope::Operate), 404),
    call("POST", "/callbacks/juhe", "/callbacks/juhe", Some("sta=1"), None, 400),
    call("POST", "/callbacks/jisu", "/callbacks/jisu", Some("sta=1"), None, 404),
    call("GET", "/healthz", "/healthz", None, None, 200),
    call("GET", "/metrics", "/metrics", None, None, 200),
    call("GET", "/readyz", "/readyz", None, None, 200),
    call("GET", "/openapi.json", "/openapi.json", None, None, 200),
    call("GET", "/docs", "/docs", None, None, 200),
    call("GET", "/", "/", None, None, 200),
];

#[test]
fn the_table_has_every_route_with_its_scope() {
    let description = serde_json::to_value(routes::description()).unwrap();
    let mut described = BTreeSet::new();
    for (path, methods) in description["paths"].as_object().unwrap() {
        for (method, it) in methods.as_object().unwrap() {
            let scope = it["security"][0]["key"][0].as_str().map(str::to_owned);
            described.insert((method.to_uppercase(), path.clone(), scope));
        }
    }
    let tested = CALLS.iter().map(|it| {
        let scope = it.scope.map(|scope| scope.as_str().to_owned());
        (it.method.to_owned(), it.path.to_owned(), scope)
    });
    // Their keys are fields of their own; tests/compat tries them.
    let drop_in = recharge_gateway::compat::paths()
        .flat_map(|path| ["GET", "POST"].map(|method| (method.to_owned(), path.to_owned(), None)));
    let tested: BTreeSet<_> = tested.chain(drop_in).collect();
    assert_eq!(described, tested);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_key_but_the_right_one_opens_a_route() {
    let stage = Stage::open().await;
    let owner = stage.key("owner", ALL);
    let body = order("A1", 1);
    let placed = stage.call("POST", "/v1/orders", Some(&owner), Some(&body));
    assert_eq!(placed.await.status, 202);
    let file = FILE.replace("C1", "C0").replace("1299", "1298");
    let batch = stage
        .call("POST", "/v1/batches", Some(&owner), Some(&file))
        .await;
    let batch = batch.json()["batch_id"].as_str().unwrap().to_owned();
    let other = stage.key("other", ALL);
    let wrong = format!("rk_{}_{}", "0".repeat(16), "0".repeat(64));
    let mut half = owner.clone();
    half.replace_range(
        half.len() - 1..,
        if half.ends_with('0') { "1" } else { "0" },
    );
    for it in CALLS {
        let path = it.filled.replace("BATCH", &batch);
        let told = async |key: Option<&str>| stage.call(it.method, &path, key, it.body).await;
        let Some(scope) = it.scope else {
            assert_eq!(told(None).await.status, it.others, "{path}");
            continue;
        };
        for key in [None, Some("nonsense"), Some(&*wrong), Some(&*half)] {
            let told = told(key).await;
            assert_eq!(
                (told.status, told.code().as_str()),
                (401, "unauthorized"),
                "{path}"
            );
        }
        let less: Vec<Scope> = Scope::ALL.into_iter().filter(|it| *it != scope).collect();
        let lesser = told(Some(&stage.key("owner", &less))).await;
        assert_eq!(
            (lesser.status, lesser.code().as_str()),
            (403, "forbidden"),
            "{path}"
        );
        let others = told(Some(&other)).await;
        assert_eq!(others.status, it.others, "{path}: {others:?}");
        assert!(!others.text.contains("A1"), "{path}: {others:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_is_void_within_a_second_or_two() {
    let stage = Stage::open().await;
    let key = stage.key("shop", ALL);
    let told = stage.call("GET", "/v1/orders", Some(&key), None).await;
    assert_eq!(told.status, 200);
    let id = key.split('_').nth(1).unwrap();
    let now = recharge_engine::WallTime::from_millis(1);
    assert!(stage.registry().revoke_key(id, now).unwrap());
    let give_up = tokio::time::Instant::now() + std::time::Duration::from_secs(10);
    while stage
        .call("GET", "/v1/orders", Some(&key), None)
        .await
        .status
        != 401
    {
        assert!(tokio::time::Instant::now() < give_up);
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_and_methods_that_are_none_are_problems() {
    let stage = Stage::open().await;
    let told = stage.call("GET", "/v1/nothing", None, None).await;
    assert_eq!((told.status, told.code().as_str()), (404, "not_found"));
    let told = stage.call("DELETE", "/v1/orders", None, None).await;
    assert_eq!(
        (told.status, told.code().as_str()),
        (405, "method_not_allowed")
    );
}
