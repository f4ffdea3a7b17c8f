//! Every answer that is described is given, each in a situation made for it. That no other is given, every call of
//! every test of this program holds against the description.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use http::Request;
use md5::{Digest, Md5};
use recharge_engine::{Clock, Epoch, Moment, SystemClock, WallTime};
use recharge_gateway::app::End;
use recharge_gateway::callbacks::Throttle;
use recharge_gateway::limits::Asks;
use recharge_gateway::metrics::Metrics;
use recharge_gateway::ring::KeyRing;
use recharge_gateway::trace::RequestIds;
use recharge_gateway::webhooks::Tally;
use recharge_gateway::{App, Settings, compat, routes};
use recharge_sim::{DEFAULT_JISU_APPSECRET, DEFAULT_JUHE_KEY};
use recharge_store::registry::Scope;
use tokio::sync::Notify;

use crate::described::{self, Described};
use crate::routes::{CALLS, Call};
use crate::stage::{ALL, Stage, jisu, order, settings, setup};

/// A service without sockets.
struct Inside {
    app: Arc<App>,
    router: Router,
    key: String,
}

type Change<'a> = &'a dyn Fn(&mut App);

/// On the stage's file: one at a time.
async fn inside(
    stage: &Stage,
    url: &str,
    decide: &dyn Fn(&mut Settings),
    change: Change<'_>,
) -> Inside {
    let mut setup = setup(&stage.file(), url);
    setup.providers.push(jisu(url));
    let key = stage.key("owner", ALL);
    let registry = Arc::new(stage.registry());
    let mut settings = settings();
    decide(&mut settings);
    let ring = KeyRing::load(
        Arc::clone(&registry),
        settings.master_key.clone(),
        settings.requests_per_second,
    );
    let metrics = Metrics::watch(&mut setup);
    let (providers, clock) = (setup.providers.clone(), Arc::clone(&setup.clock));
    let mut app = App {
        driver: setup.start().await.unwrap(),
        registry,
        ring: Arc::new(ring.unwrap()),
        providers,
        clock,
        asks: Asks::default(),
        batches: Notify::new(),
        throttle: Throttle::new(settings.callbacks_per_second),
        tally: Tally::default(),
        metrics,
        request_ids: RequestIds::new().unwrap(),
        settings,
        end: End::default(),
    };
    change(&mut app);
    let app = Arc::new(app);
    let router = routes::router(&app);
    Inside { app, router, key }
}

/// A clock that has stopped long ago, or that can't be read at all.
#[derive(Debug)]
struct Broken {
    panics: bool,
}

#[async_trait]
impl Clock for Broken {
    fn now(&self) -> Moment {
        assert!(!self.panics, "the clock can't be read");
        let mut moment = SystemClock::new().now();
        moment.wall = WallTime::from_millis(0);
        moment
    }

    fn begin(&self, _: Epoch) {}

    fn instant(&self, _: Moment, _: Duration) -> Option<Instant> {
        None
    }

    async fn sleep(&self, _: Duration) {}
}

/// A body that never comes whole; or whose reading panics, as if a handler had a fault.
struct Odd {
    panics: bool,
}

impl futures_core::Stream for Odd {
    type Item = Result<Vec<u8>, std::io::Error>;

    fn poll_next(
        self: Pin<&mut Self>,
        _: &mut task::Context<'_>,
    ) -> task::Poll<Option<Self::Item>> {
        assert!(!self.panics, "a fault");
        task::Poll::Ready(Some(Err(std::io::Error::other("broken off"))))
    }
}

fn odd(panics: bool) -> Body {
    Body::from_stream(Odd { panics })
}

/// A body of which nothing comes.
struct Never;

impl futures_core::Stream for Never {
    type Item = Result<Vec<u8>, std::io::Error>;

    fn poll_next(
        self: Pin<&mut Self>,
        _: &mut task::Context<'_>,
    ) -> task::Poll<Option<Self::Item>> {
        task::Poll::Pending
    }
}

fn never() -> Body {
    Body::from_stream(Never)
}

/// What has been answered.
#[derive(Default)]
struct Record {
    seen: BTreeSet<Described>,
}

impl Record {
    async fn tell(
        &mut self,
        service: &Inside,
        method: &str,
        path: &str,
        key: Option<&str>,
        body: impl Into<Body>,
    ) -> (u16, serde_json::Value) {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(key) = key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        if method == "POST" && !path.starts_with("/v1") {
            request = request.header("content-type", "application/x-www-form-urlencoded");
        }
        let request = request.body(body.into()).unwrap();
        let answer: Result<_, Infallible> =
            tower::ServiceExt::oneshot(service.router.clone(), request).await;
        let answer = answer.unwrap();
        let status = answer.status().as_u16();
        let kind = answer.headers()["content-type"]
            .to_str()
            .unwrap()
            .to_owned();
        self.seen
            .extend(described::find(method, path, status, &kind));
        let body = to_bytes(answer.into_body(), 1 << 22).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    /// Tells it, and expects this status.
    async fn expect(
        &mut self,
        service: &Inside,
        (method, path, body): (&str, &str, &str),
        status: u16,
    ) -> serde_json::Value {
        let key = path.starts_with("/v1").then_some(service.key.as_str());
        let told = self.tell(service, method, path, key, body.to_owned()).await;
        assert_eq!(told.0, status, "{method} {path} {body}: {told:?}");
        told.1
    }
}

fn juhe_callback() -> String {
    let signed = [DEFAULT_JUHE_KEY, "J1", "A1"].concat();
    let sign = hex::encode(Md5::digest(signed));
    format!("sporder_id=J1&orderid=A1&sta=1&sign={sign}")
}

fn jisu_callback() -> String {
    let fields = [
        ("orderno", "1"),
        ("outorderno", "A1"),
        ("mobile", "18900001234"),
        ("rechargestatus", "1"),
        ("amount", "100"),
        ("totalfee", "99"),
    ];
    let order = recharge_sign::jisu::SignOrder::Sorted;
    let sign = recharge_sign::jisu::sign(order, fields, DEFAULT_JISU_APPSECRET).unwrap();
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(fields)
        .append_pair("sign", &sign.to_string());
    form.finish()
}

/// What does the work of a route, where there is something to do.
fn right_body(call: &Call) -> String {
    match call.path {
        "/callbacks/juhe" => juhe_callback(),
        "/callbacks/jisu" => jisu_callback(),
        _ => call.body.unwrap_or_default().to_owned(),
    }
}

fn is_described(call: &Call, status: u16) -> bool {
    described::all().any(|it| it == (call.method.to_owned(), call.path.to_owned(), status))
}

fn filled(call: &Call, batch: &str, notice: &str) -> String {
    call.filled.replace("BATCH", batch).replace("msg_1", notice)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_that_is_described_is_given() {
    let mut record = Record::default();
    work(&mut record).await;
    little_is_allowed(&mut record).await;
    trouble(&mut record).await;
    no_upstream(&mut record).await;
    drop_in(&mut record).await;
    let described: BTreeSet<Described> = described::all().collect();
    let never: Vec<_> = described.difference(&record.seen).collect();
    assert!(never.is_empty(), "described, and never given: {never:#?}");
}

/// What goes well, and what clients do wrong.
async fn work(record: &mut Record) {
    let stage = Stage::without_gateway().await;
    let small = |settings: &mut Settings| settings.batch_limit = 60_000;
    let on = inside(&stage, &stage.simulator.url(), &small, &|_| ()).await;
    let mut get = async |path: &str, status| record.expect(&on, ("GET", path, ""), status).await;
    for path in [
        "/openapi.json",
        "/docs",
        "/",
        "/healthz",
        "/readyz",
        "/v1/balances",
    ] {
        get(path, 200).await;
    }
    for path in [
        "/v1/orders?state=done",
        "/v1/statistics?from=yesterday",
        "/v1/statements/today",
        "/v1/webhooks/dead?limit=0",
    ] {
        get(path, 422).await;
    }
    get("/v1/webhook", 404).await;
    record
        .expect(&on, ("POST", "/v1/webhook/rotate", ""), 404)
        .await;
    let set = ("PUT", "/v1/webhook", r#"{"url":null}"#);
    record.expect(&on, set, 200).await;
    let (placed, unsold) = (order("A1", 1), order("A2", 2).replace("\"100\"", "7"));
    for (body, status) in [
        (&placed, 202),
        (&placed, 200),
        (&placed.replace("100", "50"), 409),
        (&unsold, 422),
    ] {
        record
            .expect(&on, ("POST", "/v1/orders", body), status)
            .await;
    }
    let give_up = Instant::now() + Duration::from_secs(30);
    while record.expect(&on, ("GET", "/v1/orders/A1", ""), 200).await["state"] != "succeeded" {
        assert!(Instant::now() < give_up);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let file = "order_id,kind,account,amount\nC1,mobile,18900001299,100\n";
    let batch = record.expect(&on, ("POST", "/v1/batches", file), 202).await;
    let batch = batch["batch_id"].as_str().unwrap().to_owned();
    let rows = format!("/v1/batches/{batch}/rows");
    record
        .expect(&on, ("GET", &format!("{rows}?after=x"), ""), 422)
        .await;
    let wrong = file.replace("18900001299", "1");
    record
        .expect(&on, ("POST", "/v1/batches", &wrong), 422)
        .await;
    // Nobody is told here, so the notice of the order waits.
    let notice = on.app.store().messages(0, 1).await.unwrap()[0].id;
    let notice = format!("msg_{notice}");
    let unsold = r#"{"kind":"mobile","account":"18900001234","amount":7}"#;
    for (path, body) in [
        ("/v1/orders/A1/cancel", "{}"),
        ("/v1/orders/A1/decisions", "{}"),
        ("/v1/check", unsold),
        ("/v1/quote", unsold),
    ] {
        record.expect(&on, ("POST", path, body), 422).await;
    }
    record
        .expect(
            &on,
            ("PUT", "/v1/webhook", r#"{"url":"http://10.0.0.1/"}"#),
            422,
        )
        .await;
    each_call(record, &stage, &on, &batch, &notice).await;
    let succeeded = r#"{"verdict":"succeeded","evidence":"ticket 7","version":VERSION}"#;
    let version =
        record.expect(&on, ("GET", "/v1/orders/A1", ""), 200).await["version"].to_string();
    let ended = succeeded.replace("VERSION", &version);
    let told = record
        .tell(&on, "POST", "/v1/orders/A1/decisions", Some(&on.key), ended)
        .await;
    assert_eq!(told.0, 409, "it has succeeded already: {told:?}");
    on.app.driver.stop(Duration::from_secs(30)).await;
}

/// Each route as its owner calls it, and as others do.
async fn each_call(record: &mut Record, stage: &Stage, on: &Inside, batch: &str, notice: &str) {
    let lesser = |scope: Scope| {
        let less: Vec<Scope> = Scope::ALL.into_iter().filter(|it| *it != scope).collect();
        stage.key("owner", &less)
    };
    let other = stage.key("other", ALL);
    for call in CALLS {
        let path = filled(call, batch, notice);
        let (method, key) = (call.method, call.scope.map(|_| on.key.as_str()));
        if let Some(scope) = call.scope {
            let (none, less) = (None, lesser(scope));
            assert_eq!(
                record.tell(on, method, &path, none, "").await.0,
                401,
                "{path}"
            );
            assert_eq!(
                record.tell(on, method, &path, Some(&less), "").await.0,
                403,
                "{path}"
            );
        }
        if call.body.is_some() {
            assert_eq!(
                record.tell(on, method, &path, key, odd(false)).await.0,
                400,
                "{path}"
            );
            let large = " ".repeat(70_000);
            assert_eq!(
                record.tell(on, method, &path, key, large).await.0,
                413,
                "{path}"
            );
        }
        if call.scope.is_some() && call.others == 404 {
            let body = right_body(call);
            let told = record.tell(on, method, &path, Some(&other), body).await;
            assert_eq!(told.0, 404, "{path}: {told:?}");
        }
        // What can be done is done; what can't is a conflict by now.
        let told = record.tell(on, method, &path, key, right_body(call)).await;
        assert!(matches!(told.0, 200 | 202 | 409), "{path}: {told:?}");
        if call.scope.is_none() && method == "POST" {
            let forged = right_body(call).replace("sign=", "sign=0");
            assert_eq!(
                record.tell(on, method, &path, None, forged).await.0,
                403,
                "{path}"
            );
        }
    }
}

/// What is allowed is very little: a request a second, or no time at all.
async fn little_is_allowed(record: &mut Record) {
    let stage = Stage::without_gateway().await;
    let url = stage.simulator.url();
    let few = |settings: &mut Settings| {
        settings.requests_per_second = Some(1);
        settings.callbacks_per_second = 1;
        settings.metrics = false;
    };
    let on = inside(&stage, &url, &few, &|_| ()).await;
    record.expect(&on, ("GET", "/metrics", ""), 404).await;
    for call in CALLS.iter().filter(|call| is_described(call, 429)) {
        let key = call.scope.map(|_| on.key.as_str());
        let mut told = 0;
        for _ in 0..100 {
            told = record
                .tell(&on, call.method, call.filled, key, right_body(call))
                .await
                .0;
            if told == 429 {
                break;
            }
        }
        assert_eq!(told, 429, "{}", call.path);
    }
    on.app.driver.stop(Duration::from_secs(30)).await;
    let stage = Stage::without_gateway().await;
    let in_no_time = |settings: &mut Settings| settings.deadline = Duration::ZERO;
    let on = inside(&stage, &stage.simulator.url(), &in_no_time, &|_| ()).await;
    let mut orders = 0;
    for call in CALLS.iter().filter(|call| is_described(call, 504)) {
        let key = call.scope.map(|_| on.key.as_str());
        let give_up = Instant::now() + Duration::from_mins(1);
        let mut told = 0;
        // Now and then the answer is there before the clock has ticked.
        while told != 504 && Instant::now() < give_up {
            orders += 1;
            let body = if call.path == "/v1/orders" && call.method == "POST" {
                order(&format!("T{orders}"), orders)
            } else {
                right_body(call)
            };
            let path = call.filled;
            told = record.tell(&on, call.method, path, key, body).await.0;
        }
        assert_eq!(told, 504, "{}", call.path);
    }
    on.app.driver.stop(Duration::from_secs(30)).await;
    let stage = Stage::without_gateway().await;
    let soon = |settings: &mut Settings| settings.deadline = Duration::from_secs(1);
    let on = inside(&stage, &stage.simulator.url(), &soon, &|_| ()).await;
    for call in CALLS.iter().filter(|call| is_described(call, 408)) {
        let key = call.scope.map(|_| on.key.as_str());
        let told = record
            .tell(&on, call.method, call.filled, key, never())
            .await;
        assert_eq!(told.0, 408, "{}: {told:?}", call.path);
        assert!(
            told.1["advice"]
                .as_str()
                .unwrap()
                .contains("nothing has been done")
        );
    }
    on.app.driver.stop(Duration::from_secs(30)).await;
}

/// What is the service's own fault, or its operator's.
async fn trouble(record: &mut Record) {
    let stage = Stage::without_gateway().await;
    let url = stage.simulator.url();
    let nobody = |app: &mut App| app.providers.clear();
    let on = inside(&stage, &url, &|_| (), &nobody).await;
    for path in ["/callbacks/juhe", "/callbacks/jisu"] {
        record.expect(&on, ("POST", path, ""), 404).await;
    }
    on.app.driver.stop(Duration::from_secs(30)).await;
    let stage = Stage::without_gateway().await;
    let broken = |app: &mut App| app.clock = Arc::new(Broken { panics: true });
    let on = inside(&stage, &url, &|_| (), &broken).await;
    for call in CALLS.iter().filter(|call| is_described(call, 500)) {
        let key = call.scope.map(|_| on.key.as_str());
        let told = record
            .tell(&on, call.method, call.filled, key, odd(true))
            .await;
        assert_eq!(told.0, 500, "{}: {told:?}", call.path);
    }
    on.app.driver.stop(Duration::from_secs(30)).await;
    let stage = Stage::without_gateway().await;
    let stopped = |app: &mut App| app.clock = Arc::new(Broken { panics: false });
    let without_key = |settings: &mut Settings| settings.master_key = None;
    let on = inside(&stage, &url, &without_key, &stopped).await;
    record.expect(&on, ("GET", "/readyz", ""), 503).await;
    for call in [
        ("PUT", "/v1/webhook", r#"{"url":null}"#),
        ("POST", "/v1/webhook/rotate", ""),
    ] {
        record.expect(&on, call, 503).await;
    }
    // Nothing that is in the file can be read any more.
    let file = rusqlite::Connection::open(stage.file()).unwrap();
    let tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'";
    let tables: Result<Vec<String>, _> = file
        .prepare(tables)
        .and_then(|mut it| it.query_map([], |row| row.get(0))?.collect());
    for table in tables.unwrap() {
        let gone = format!("ALTER TABLE {table} RENAME TO gone_{table}");
        file.execute_batch(&gone).unwrap();
    }
    for call in CALLS.iter().filter(|call| is_described(call, 503)) {
        let key = call.scope.map(|_| on.key.as_str());
        let told = record
            .tell(&on, call.method, call.filled, key, right_body(call))
            .await;
        assert_eq!(told.0, 503, "{}: {told:?}", call.path);
    }
}

/// The upstreams can't be reached: an order waits.
async fn no_upstream(record: &mut Record) {
    let stage = Stage::without_gateway().await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", nobody.local_addr().unwrap());
    drop(nobody);
    let on = inside(&stage, &url, &|_| (), &|_| ()).await;
    let what = r#"{"kind":"mobile","account":"18900001234","amount":100}"#;
    for path in ["/v1/check", "/v1/quote"] {
        record.expect(&on, ("POST", path, what), 502).await;
    }
    let told = record.expect(&on, ("GET", "/v1/balances", ""), 200).await;
    for balance in told["balances"].as_array().unwrap() {
        assert!(
            balance["balance"].is_null(),
            "not known is not zero: {told}"
        );
    }
    record
        .expect(&on, ("POST", "/v1/orders", &order("A1", 1)), 202)
        .await;
    let give_up = Instant::now() + Duration::from_secs(30);
    // While it is being sent it can be neither asked about nor cancelled.
    loop {
        let told = record
            .tell(
                &on,
                "POST",
                "/v1/orders/A1/cancel",
                Some(&on.key),
                r#"{"reason":"no"}"#,
            )
            .await;
        if told.0 == 200 {
            break;
        }
        assert!(told.0 == 409 && Instant::now() < give_up, "{told:?}");
    }
    record
        .expect(&on, ("POST", "/v1/orders/A1/ask", ""), 409)
        .await;
    let placed = ("POST", "/v1/orders", &*order("A2", 2));
    record.expect(&on, placed, 202).await;
    loop {
        let shown = record.expect(&on, ("GET", "/v1/orders/A2", ""), 200).await;
        let decided = r#"{"verdict":"cancel","evidence":"no","version":VERSION}"#;
        let decided = decided.replace("VERSION", &shown["version"].to_string());
        let path = "/v1/orders/A2/decisions";
        let told = record.tell(&on, "POST", path, Some(&on.key), decided).await;
        if told.0 == 200 {
            break;
        }
        assert!(told.0 == 409 && Instant::now() < give_up, "{told:?}");
    }
    on.app.driver.stop(Duration::from_secs(30)).await;
}

/// The upstreams' own protocols have one kind of answer, and what their documents have no word for.
async fn drop_in(record: &mut Record) {
    let stage = Stage::without_gateway().await;
    let on = inside(&stage, &stage.simulator.url(), &|_| (), &|_| ()).await;
    for path in compat::paths() {
        for method in ["GET", "POST"] {
            let large = "0".repeat(70_000);
            assert_eq!(
                record.tell(&on, method, path, None, "").await.0,
                200,
                "{path}"
            );
            assert_eq!(
                record.tell(&on, method, path, None, odd(false)).await.0,
                400,
                "{path}"
            );
            assert_eq!(
                record.tell(&on, method, path, None, large).await.0,
                413,
                "{path}"
            );
        }
    }
    on.app.driver.stop(Duration::from_secs(30)).await;
}
