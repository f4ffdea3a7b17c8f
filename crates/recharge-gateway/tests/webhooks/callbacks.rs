//! Callbacks: only genuine ones count, and all that they can do is to make the engine ask.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use http::{Request, StatusCode};
use md5::{Digest, Md5};
use recharge_core::OrderState;
use recharge_engine::store::{OrderKey, Stored};
use recharge_gateway::{App, routes};
use recharge_sim::{Credentials, End, Settle, Step};
use tower::ServiceExt as _;

use crate::described;
use crate::kit::{Scene, order, until};

const FORM: &str = "application/x-www-form-urlencoded";

struct Desk {
    scene: Scene,
    app: Arc<App>,
    router: Router,
    juhe: OrderKey,
}

impl Desk {
    /// An order that is charging at Juhe, about which nobody asks for an hour.
    async fn new(tune: impl FnOnce(&mut Scene)) -> Self {
        let mut scene = Scene::new(Settle::WhenStepped).await;
        scene.times.query_after = vec![Duration::from_hours(1)];
        tune(&mut scene);
        let app = scene.app().await;
        let what = order("shop", "A0000001", "juhe", None);
        let accepted = app.driver.accept(what, false).await.unwrap();
        let router = routes::router(&app);
        let desk = Self {
            scene,
            app,
            router,
            juhe: accepted.stored.key,
        };
        until("the order to be charging", async || {
            let state = desk.stored().await.order.state();
            (state == OrderState::Charging).then_some(())
        })
        .await;
        desk
    }

    async fn stored(&self) -> Stored {
        self.app.store().read(self.juhe).await.unwrap().unwrap()
    }

    /// Juhe's own number and ours, as Juhe would tell them.
    async fn numbers(&self) -> (String, String) {
        let stored = self.stored().await;
        let attempt = stored.order.telling_attempt().unwrap();
        let upstream = attempt.upstream_order_id().unwrap().as_str().to_owned();
        (upstream, attempt.number().to_string())
    }

    async fn post(
        &self,
        path: &str,
        kind: Option<&str>,
        body: impl Into<Body>,
    ) -> (StatusCode, String) {
        self.post_from("192.0.2.1:999", &[], path, kind, body).await
    }

    async fn post_from(
        &self,
        peer: &str,
        forwarded: &[&str],
        path: &str,
        kind: Option<&str>,
        body: impl Into<Body>,
    ) -> (StatusCode, String) {
        let mut request = Request::post(path);
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        for hop in forwarded {
            request = request.header("x-forwarded-for", *hop);
        }
        let peer: SocketAddr = peer.parse().unwrap();
        let request = request
            .extension(ConnectInfo(peer))
            .body(body.into())
            .unwrap();
        let answer = self.router.clone().oneshot(request).await.unwrap();
        // No answer of any test may be one that the description hasn't.
        described::check("POST", path, &answer);
        let status = answer.status();
        let body = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    async fn stop(self) {
        assert!(self.app.driver.stop(Duration::from_secs(30)).await);
    }
}

fn juhe(key: &str, upstream: &str, number: &str, sta: &str) -> String {
    let sign = hex::encode(Md5::digest([key, upstream, number].concat()));
    format!("sporder_id={upstream}&orderid={number}&sta={sta}&sign={sign}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_genuine_one_makes_the_engine_ask_and_a_replay_nothing_more() {
    let desk = Desk::new(|_| ()).await;
    let key = Credentials::default().juhe_key;
    let (upstream, number) = desk.numbers().await;
    desk.scene.step(&Step {
        to: Some(End::Succeeded),
        ..Step::default()
    });
    // It says failed, which its signature doesn't cover; what the query says holds.
    let body = juhe(&key, &upstream, &number, "9");
    let answered = desk.post("/callbacks/juhe", Some(FORM), body.clone()).await;
    assert_eq!(answered, (StatusCode::OK, "success".to_owned()));
    let ended = until("the end", async || {
        let stored = desk.stored().await;
        (stored.order.state() == OrderState::Succeeded).then_some(stored)
    })
    .await;
    for _ in 0..3 {
        let answered = desk.post("/callbacks/juhe", Some(FORM), body.clone()).await;
        assert_eq!(answered.0, StatusCode::OK);
    }
    let now = desk.stored().await;
    assert_eq!(now.order.state(), ended.order.state());
    assert_eq!(now.order.attempts(), ended.order.attempts());
    desk.stop().await;
}

/// The same fields in the other form.
fn multipart(form: &str) -> (&'static str, String) {
    let mut body = String::new();
    for (name, value) in form_urlencoded::parse(form.as_bytes()) {
        write!(
            body,
            "--b\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        )
        .unwrap();
    }
    body += "--b--\r\n";
    ("multipart/form-data; boundary=b", body)
}

#[tokio::test(flavor = "multi_thread")]
async fn multipart_is_read_too() {
    let desk = Desk::new(|_| ()).await;
    let key = Credentials::default().juhe_key;
    let (upstream, number) = desk.numbers().await;
    let (kind, body) = multipart(&juhe(&key, &upstream, &number, "1"));
    let answered = desk.post("/callbacks/juhe", Some(kind), body).await;
    assert_eq!(answered, (StatusCode::OK, "success".to_owned()));
    desk.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_forged_ones_change_nothing() {
    let desk = Desk::new(|_| ()).await;
    let key = Credentials::default().juhe_key;
    let (upstream, number) = desk.numbers().await;
    let genuine = juhe(&key, &upstream, &number, "1");
    let (fields, sign) = genuine.split_at(genuine.len() - 32);
    let before = desk.stored().await;
    for round in 0_u32..100_000 {
        let (path, body) = match round % 8 {
            0 => ("/callbacks/juhe", format!("{fields}{round:032x}")),
            1 => ("/callbacks/juhe", juhe("wrong", &upstream, &number, "1")),
            2 => ("/callbacks/juhe", juhe("", &upstream, &number, "1")),
            3 => (
                "/callbacks/juhe",
                juhe(&key, &upstream, &number, "1")[1..].to_owned(),
            ),
            // The same words twice, and a signature in capitals but for a digit.
            4 => ("/callbacks/juhe", format!("{genuine}&sta=9")),
            5 => ("/callbacks/juhe", format!("{fields}0e{round:030}")),
            6 => (
                "/callbacks/juhe",
                format!("sign[]=&{}", &fields[..fields.len() - 5]),
            ),
            _ => (
                "/callbacks/jisu",
                format!(
                    "orderno=1&outorderno={number}&mobile=18900001234&rechargestatus=1&amount=100\
                     &totalfee=99&sign={sign}"
                ),
            ),
        };
        let (status, answer) = desk.post(path, Some(FORM), body).await;
        assert!(status.is_client_error(), "{round}: {status}");
        assert!(!answer.contains("success") && !answer.contains("18900001234"));
    }
    assert_eq!(desk.stored().await, before);
    let kept = desk.app.store().unhandled(10).await.unwrap();
    assert_eq!(kept, []);
    desk.stop().await;
}

/// Nothing stands between the numbers in what is signed, so they can be cut elsewhere and stay genuine.
#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_cut_elsewhere_changes_nothing() {
    let desk = Desk::new(|_| ()).await;
    let key = Credentials::default().juhe_key;
    let (upstream, number) = desk.numbers().await;
    let before = desk.stored().await;
    let all = format!("{upstream}{number}");
    for cut in 1..all.len() {
        if cut == upstream.len() {
            continue;
        }
        let (left, right) = all.split_at(cut);
        let (status, _) = desk
            .post("/callbacks/juhe", Some(FORM), juhe(&key, left, right, "1"))
            .await;
        assert!(status.is_success() || status.is_client_error(), "{cut}");
    }
    assert_eq!(desk.stored().await, before);
    desk.stop().await;
}

/// Whoever has seen one genuine callback can send it again and again, cut elsewhere, with any state, in either form.
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_genuine_ones_is_kept_once_each_and_changes_nothing() {
    let desk = Desk::new(|scene| scene.times.callback_gap = Duration::from_secs(30)).await;
    let desk = Arc::new(desk);
    let key = Credentials::default().juhe_key;
    let (upstream, number) = desk.numbers().await;
    let all = format!("{upstream}{number}");
    let mut shapes = Vec::new();
    for cut in 1..all.len() {
        let (left, right) = all.split_at(cut);
        for sta in [
            "0",
            "1",
            "9",
            "",
            "x",
            "00001",
            "1.0",
            "99999999999999999999",
        ] {
            let form = juhe(&key, left, right, sta);
            shapes.push(multipart(&form));
            shapes.push((FORM, form));
        }
    }
    let shapes = Arc::new(shapes);
    let flood = |from: usize| {
        let (desk, shapes) = (Arc::clone(&desk), Arc::clone(&shapes));
        async move {
            for round in (from..20_000).step_by(200) {
                let (kind, body) = shapes[round % shapes.len()].clone();
                let (status, _) = desk.post("/callbacks/juhe", Some(kind), body).await;
                assert!(
                    status.is_success() || status == StatusCode::BAD_REQUEST,
                    "{status}"
                );
            }
        }
    };
    let mut floods = tokio::task::JoinSet::new();
    for from in 0..200 {
        floods.spawn(flood(from));
    }
    while let Some(done) = floods.join_next().await {
        done.unwrap();
    }
    let stored = desk.stored().await;
    assert_eq!(stored.order.state(), OrderState::Charging);
    assert_eq!(desk.scene.simulator.ledger().len(), 1);
    let file = rusqlite::Connection::open(desk.scene.file()).unwrap();
    let kept: u32 = file
        .query_row("SELECT count(*) FROM inbox", [], |row| row.get(0))
        .unwrap();
    // One for each way to cut it and each state that there is.
    assert!(usize::try_from(kept).unwrap() <= all.len() * 4, "{kept}");
    assert!(
        stored.order.version() < 20,
        "one more question, not thousands: {}",
        stored.order.version()
    );
    Arc::try_unwrap(desk).ok().unwrap().stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_or_no_form_is_refused() {
    let desk = Desk::new(|_| ()).await;
    let large = "a".repeat(64 * 1024 + 1);
    let (status, _) = desk.post("/callbacks/juhe", Some(FORM), large).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    for (kind, body) in [
        (Some(FORM), String::new()),
        (None, "sporder_id=1".to_owned()),
        (Some("application/json"), "{}".to_owned()),
        (Some("multipart/form-data; boundary=b"), "--b--".to_owned()),
        (Some("multipart/form-data"), "x".to_owned()),
        (Some(FORM), "[".repeat(60_000)),
        (Some(FORM), "&".repeat(60_000)),
    ] {
        let (status, _) = desk.post("/callbacks/juhe", kind, body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{kind:?}");
    }
    let (status, _) = desk.post("/callbacks/other", Some(FORM), "").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let get = Request::get("/callbacks/juhe").body(Body::empty()).unwrap();
    let answer = desk.router.clone().oneshot(get).await.unwrap();
    described::check("GET", "/callbacks/juhe", &answer);
    assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
    desk.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_senders_that_are_listed_may_send() {
    let desk = Desk::new(|scene| {
        let networks = vec!["203.0.113.0/24".parse().unwrap()];
        scene.settings.callback_senders = vec![("juhe".to_owned(), networks)];
        scene.settings.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
    })
    .await;
    let key = Credentials::default().juhe_key;
    let (upstream, number) = desk.numbers().await;
    let body = juhe(&key, &upstream, &number, "1");
    for (peer, forwarded, status) in [
        ("203.0.113.7:1", &[][..], 200),
        ("[::ffff:203.0.113.7]:1", &[], 200),
        ("192.0.2.1:1", &[], 403),
        // Nobody believes a stranger.
        ("192.0.2.1:1", &["203.0.113.7"], 403),
        ("10.1.1.1:1", &["203.0.113.7"], 200),
        ("10.1.1.1:1", &["203.0.113.7, 192.0.2.1"], 403),
        ("10.1.1.1:1", &["192.0.2.1", "203.0.113.7, 10.9.9.9"], 200),
        ("10.1.1.1:1", &["nonsense"], 403),
        ("10.1.1.1:1", &[], 403),
    ] {
        let (found, _) = desk
            .post_from(peer, forwarded, "/callbacks/juhe", Some(FORM), body.clone())
            .await;
        assert_eq!(found.as_u16(), status, "{peer} {forwarded:?}");
    }
    // Jisu's may come from anywhere.
    let (status, _) = desk.post("/callbacks/jisu", Some(FORM), "orderno=1").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    desk.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_are_told_to_come_later() {
    let desk = Desk::new(|scene| scene.settings.callbacks_per_second = 5).await;
    let mut refused = 0;
    for _ in 0..200 {
        let (status, _) = desk.post("/callbacks/juhe", Some(FORM), "x=1").await;
        refused += u32::from(status == StatusCode::TOO_MANY_REQUESTS);
    }
    assert!(refused > 0);
    desk.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_use_up_nothing_of_what_the_listed_senders_may_send() {
    let desk = Desk::new(|scene| {
        scene.settings.callbacks_per_second = 1;
        let networks = vec!["203.0.113.0/24".parse().unwrap()];
        scene.settings.callback_senders = vec![("juhe".to_owned(), networks)];
    })
    .await;
    let from = async |peer: &str| {
        desk.post_from(peer, &[], "/callbacks/juhe", Some(FORM), "x=1")
            .await
    };
    for _ in 0..50 {
        assert_eq!(from("192.0.2.1:1").await.0, StatusCode::FORBIDDEN);
    }
    assert_eq!(from("203.0.113.7:1").await.0, StatusCode::BAD_REQUEST);
    desk.stop().await;
}
