//! What holds for every call: whose orders are seen, what is refused, and what is answered in doubt.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use recharge_core::{
    Account, AccountKind, Answer, Call, CallError, Capabilities, FaceValue, Money, Offer, Provider,
    ProviderId, SubmitOutcome, SubmitRequest,
};
use recharge_http::form::Encoding;
use recharge_sign::jisu::SignOrder;
use recharge_sim::WorldConfig;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::bench::{Bench, Keys, MISPLACED, OTHER_JISU, OTHER_JUHE, REVOKED, json, send, until};

const MOBILE: [(&str, &str); 3] = [
    ("mobile", "18900001234"),
    ("amount", "100"),
    ("outorderno", "SAME00000"),
];
const SORTED: SignOrder = SignOrder::Sorted;
const GET: Encoding = Encoding::Query;

fn code(text: &str) -> i64 {
    let answer = json(text);
    let code = answer.get("error_code").or(answer.get("status"));
    code.unwrap().as_i64().unwrap()
}

#[tokio::test]
async fn nobody_sees_another_merchants_orders_or_those_of_the_other_protocol() {
    let bench = Bench::start().await;
    let ours = bench.ours();
    let mut other = ours.clone();
    (other.juhe, other.jisu) = (OTHER_JUHE, OTHER_JISU);
    assert_eq!(
        code(&ours.recharge(GET, SORTED, "mobilerecharge", &MOBILE).await),
        0
    );
    let detail = "mobilerecharge/orderdetail";
    let asked = [("outorderno", "SAME00000")];
    // What it costs is known by then.
    let seen = until(
        async || ours.jisu(GET, detail, &asked).await,
        |it| it["result"]["rechargestatus"] == "1",
    )
    .await;
    let orderno = seen["result"]["orderno"].as_str().unwrap();
    let by_ours = [("orderno", orderno)];
    assert_eq!(json(&ours.jisu(GET, detail, &by_ours).await), seen);
    // Of two numbers both must be right.
    let wrong = orderno.replace('G', "G1");
    let both = [("outorderno", "SAME00000"), ("orderno", &*wrong)];
    assert_eq!(json(&ours.jisu(GET, detail, &both).await)["result"], "");
    for asked in [asked, by_ours] {
        assert_eq!(json(&other.jisu(GET, detail, &asked).await)["result"], "");
        let line = ours.jisu(GET, "telrecharge/orderdetail", &asked).await;
        assert_eq!(json(&line)["result"], "", "it is no line");
    }
    assert_eq!(
        json(&other.jisu(GET, "mobilerecharge/orderlist", &[]).await)["result"]["total"],
        "0"
    );
    // The same number in the other protocol is taken, and is not the order that is asked for there.
    assert_eq!(
        code(&ours.submit(GET, "18900001235", "10", "SAME00000").await),
        208_516
    );
    let juhe = [("orderid", "SAME00000")];
    assert_eq!(code(&ours.juhe(GET, "ordersta", &juhe).await), 208_513);
    assert_eq!(
        json(&ours.juhe(GET, "orderlist", &[]).await)["result"]["totalcount"],
        0
    );
    // Another merchant may use the same number.
    assert_eq!(
        code(&other.submit(GET, "18900001235", "10", "SAME00000").await),
        0
    );
    assert_eq!(code(&ours.juhe(GET, "ordersta", &juhe).await), 208_513);
}

#[tokio::test]
async fn keys_and_signatures_that_are_not_right_are_refused() {
    let bench = Bench::start().await;
    let mut ours = bench.ours();
    let right = ours.juhe;
    ours.juhe.secret = "JHwrong";
    assert_eq!(
        code(&ours.submit(GET, "18900001234", "10", "A0000001").await),
        208_515
    );
    let unknown = Keys { key: "0", ..right };
    for keys in [REVOKED, unknown, ours.jisu] {
        ours.juhe = keys;
        assert_eq!(
            code(&ours.submit(GET, "18900001234", "10", "A0000001").await),
            10_001
        );
        assert_eq!(
            code(&ours.juhe(GET, "ordersta", &[("orderid", "A0000001")]).await),
            10_001
        );
    }
    ours.juhe = right;
    // Which of the two is signed?
    let twice = [("orderid", "A0000001"), ("orderid", "A0000002")];
    assert_eq!(code(&ours.juhe(GET, "ordersta", &twice).await), 208_515);
    let mut line = vec![
        ("tel", "0571-56565366"),
        ("amount", "100"),
        ("teltype", "1"),
    ];
    line.extend([("rechargetype", "1"), ("outorderno", "L1")]);
    ours.jisu.secret = "wrong";
    assert_eq!(
        code(&ours.recharge(GET, SORTED, "telrecharge", &line).await),
        206
    );
    assert!(bench.simulator.ledger().is_empty());
}

#[tokio::test]
async fn lists_go_page_by_page() {
    let bench = Bench::start().await;
    let ours = bench.ours();
    for at in 0..5 {
        let id = format!("A000000{at}");
        let phone = format!("1890000123{at}");
        assert_eq!(code(&ours.submit(GET, &phone, "10", &id).await), 0);
    }
    let mut seen = Vec::new();
    for page in ["1", "2", "3", "4"] {
        let fields = [("page", page), ("pagesize", "2")];
        let listed = json(&ours.juhe(GET, "orderlist", &fields).await);
        for row in listed["result"]["data"].as_array().unwrap() {
            seen.push(row["uorderid"].as_str().unwrap().to_owned());
        }
    }
    let expected = [4, 3, 2, 1, 0].map(|at| format!("A000000{at}"));
    assert_eq!(seen, expected);
    let of_one = [("mobilephone", "18900001232")];
    let listed = json(&ours.juhe(GET, "orderlist", &of_one).await);
    assert_eq!(listed["result"]["totalcount"], 1);
    assert_eq!(listed["result"]["data"][0]["uorderid"], "A0000002");
}

#[tokio::test]
async fn a_sealed_secret_in_the_place_of_another_signs_nothing() {
    let bench = Bench::start().await;
    let mut ours = bench.ours();
    ours.juhe = MISPLACED;
    assert_eq!(
        code(&ours.submit(GET, "18900001234", "10", "A0000001").await),
        10_014
    );
    assert!(bench.simulator.ledger().is_empty());
}

/// A shop pays back what does not exist.
#[tokio::test]
async fn what_the_store_cannot_tell_is_in_doubt() {
    let bench = Bench::start().await;
    let ours = bench.ours();
    assert_eq!(
        code(&ours.submit(GET, "18900001234", "10", "A0000001").await),
        0
    );
    assert_eq!(
        code(&ours.recharge(GET, SORTED, "mobilerecharge", &MOBILE).await),
        0
    );
    let file = rusqlite::Connection::open(bench.file()).unwrap();
    file.execute_batch("ALTER TABLE orders RENAME TO gone")
        .unwrap();
    for (juhe, known) in [
        ("ordersta", [("orderid", "A0000001")]),
        ("orderlist", [("page", "1")]),
    ] {
        assert_eq!(code(&ours.juhe(GET, juhe, &known).await), 10_014, "{juhe}");
    }
    for (call, known) in [
        ("orderdetail", [("outorderno", "SAME00000")]),
        ("orderlist", [("pagenum", "1")]),
    ] {
        let call = format!("mobilerecharge/{call}");
        assert_eq!(code(&ours.jisu(GET, &call, &known).await), 210, "{call}");
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_and_head_does_nothing() {
    let bench = Bench::with(WorldConfig::default(), |it| it.body_limit = 1_000, |_| {}).await;
    let ours = bench.ours();
    let large = "0".repeat(2_000);
    let fields = [("key", ours.juhe.key), ("orderid", &large)];
    for encoding in [Encoding::Urlencoded, Encoding::Multipart] {
        let answer = send(encoding, &ours.juhe_url, "/ofpay/mobile/ordersta", &fields).await;
        assert_eq!(answer.status(), 413);
    }
}

#[tokio::test]
async fn too_many_requests_are_refused_as_not_accepted() {
    let few = |it: &mut recharge_gateway::Settings| it.requests_per_second = Some(1);
    let bench = Bench::with(WorldConfig::default(), few, |_| {}).await;
    let ours = bench.ours();
    let mut codes = Vec::new();
    for number in 0..20 {
        let id = format!("A00000{number:02}");
        codes.push(code(&ours.submit(GET, "18900001234", "10", &id).await));
    }
    assert!(codes.contains(&10_012), "{codes:?}");
    assert!(
        codes.iter().all(|code| [0, 10_012].contains(code)),
        "{codes:?}"
    );
    let calls = 0..20;
    let mut codes = Vec::new();
    for _ in calls {
        codes.push(code(&ours.jisu(GET, "mobilerecharge/goods", &[]).await));
    }
    assert!(codes.contains(&104), "{codes:?}");
}

#[tokio::test]
async fn without_a_master_key_nothing_that_is_signed_is_answered_as_failed() {
    let bench = Bench::with(WorldConfig::default(), |it| it.master_key = None, |_| {}).await;
    let ours = bench.ours();
    assert_eq!(
        code(&ours.submit(GET, "18900001234", "10", "A0000001").await),
        10_014
    );
    assert_eq!(
        code(&ours.recharge(GET, SORTED, "mobilerecharge", &MOBILE).await),
        210
    );
    assert_eq!(
        code(&ours.juhe(GET, "ordersta", &[("orderid", "A0000001")]).await),
        208_513
    );
    assert!(bench.simulator.ledger().is_empty());
}

#[tokio::test]
async fn what_failed_for_sure_is_shown_as_failed() {
    let world = WorldConfig {
        juhe_balance: Money::ZERO,
        jisu_balance: Money::ZERO,
        ..WorldConfig::default()
    };
    let bench = Bench::with(world, |_| {}, |_| {}).await;
    let ours = bench.ours();
    assert_eq!(
        code(&ours.submit(GET, "18900001234", "10", "A0000001").await),
        0
    );
    assert_eq!(
        code(&ours.recharge(GET, SORTED, "mobilerecharge", &MOBILE).await),
        0
    );
    let juhe = [("orderid", "A0000001")];
    let end = until(
        async || ours.juhe(GET, "ordersta", &juhe).await,
        |it| it["result"]["game_state"] != "0",
    )
    .await;
    assert_eq!(end["result"]["game_state"], "9");
    assert_eq!(end["result"]["uordercash"], "0.000");
    let jisu = [("outorderno", "SAME00000")];
    let end = until(
        async || ours.jisu(GET, "mobilerecharge/orderdetail", &jisu).await,
        |it| it["result"]["rechargestatus"] != "0",
    )
    .await;
    assert_eq!(end["result"]["rechargestatus"], "2");
    assert_eq!(
        bench
            .simulator
            .ledger()
            .iter()
            .map(|row| row.charges)
            .sum::<u32>(),
        0
    );
}

/// One whose every question panics, or never ends.
#[derive(Debug)]
struct Broken {
    id: ProviderId,
    capabilities: Capabilities,
    panics: bool,
}

#[async_trait]
impl Provider for Broken {
    fn id(&self) -> &ProviderId {
        &self.id
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn submit(&self, _: &SubmitRequest) -> SubmitOutcome {
        std::future::pending().await
    }

    async fn check(&self, _: &Account, _: FaceValue) -> Result<Result<(), Answer>, CallError> {
        assert!(!self.panics, "as it must");
        std::future::pending().await
    }
}

#[tokio::test]
async fn after_a_panic_and_past_the_deadline_the_answer_is_in_doubt() {
    for panics in [true, false] {
        let ten = FaceValue::from_yuan(10).unwrap();
        let offers = vec![Offer::new(AccountKind::Mobile, vec![ten])];
        let broken = Broken {
            id: ProviderId::parse("broken").unwrap(),
            capabilities: Capabilities::new(offers, vec![Call::Submit, Call::Check]),
            panics,
        };
        let bench = Bench::with(
            WorldConfig::default(),
            |it| it.deadline = Duration::from_secs(2),
            |it| *it = vec![Arc::new(broken)],
        )
        .await;
        let ours = bench.ours();
        let goods = [("phoneno", "18900001234"), ("cardnum", "10")];
        assert_eq!(code(&ours.juhe(GET, "telcheck", &goods).await), 10_014);
        // What no upstream tells is not known either.
        assert_eq!(code(&ours.juhe(GET, "telquery", &goods).await), 10_014);
        if panics {
            continue;
        }
        // A body that never comes whole is as good as any other wait.
        for (path, in_doubt) in [
            ("juhe/ofpay/mobile/onlineorder", 10_014),
            ("jisu/mobilerecharge/recharge", 210),
        ] {
            let mut stream = TcpStream::connect(bench.gateway.address()).await.unwrap();
            let request = format!(
                "POST /compat/{path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
                 content-type: application/x-www-form-urlencoded\r\ncontent-length: 9\r\n\r\nkey="
            );
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            let (head, body) = answer.split_once("\r\n\r\n").unwrap();
            assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
            assert_eq!(code(body), in_doubt, "{path}");
        }
    }
}
