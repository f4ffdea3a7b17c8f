//! Every documented answer: typed, and as what it tells.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use common::{
    DETAIL, GOODS, NUMBER, ORDERLIST, PHONE, RECHARGE, answering, config, exchange, learnt,
    mobile_order, order, phone, provider_with, read_query, read_submit, refusal, status_answer,
    submit_answer, told, yuan,
};
use insta::assert_debug_snapshot;
use recharge_core::{
    Account, AccountKind, CallErrorKind, Carrier, DoubtKind, Provider, QueryOutcome, SubmitOutcome,
    UnavailableKind,
};
use recharge_http::fake::Reply;
use recharge_http::read::read;
use recharge_http::{Certainty, TransportErrorKind};
use recharge_jisu::wire::{Envelope, Good, ListEnvelope, Order};
use recharge_jisu::{OrderKey, Product};

// Proves: jisu.answer.envelope, jisu.answer.status-0, jisu.answer.recharge.fields, jisu.answer.recharge.amount, jisu.answer.recharge.outorderno-empty, jisu.answer.recharge.orderno, jisu.answer.recharge.totalfee, jisu.answer.recharge.echoed-types, jisu.answer.recharge.rechargestatus, jisu.answer.recharge.always-charging
#[test]
fn landline_recharge() {
    assert_debug_snapshot!(read::<Envelope<Order>>(RECHARGE.as_bytes()).unwrap());
    assert_debug_snapshot!(read_submit(RECHARGE));
    assert_eq!(
        told(&read_submit(submit_answer())),
        "accepted",
        "with the number named"
    );
}

// Proves: jisu.answer.recharge.actuallytotalfee
#[test]
fn the_price_has_two_names() {
    let other = RECHARGE.replace("totalfee", "actuallytotalfee");
    let SubmitOutcome::Accepted(receipt) = read_submit(other) else {
        panic!("an acceptance")
    };
    assert_eq!(receipt.cost.unwrap().to_string(), "99.65");
}

// Proves: jisu.product.sibling
#[test]
fn mobile_recharge() {
    let answer = RECHARGE
        .replace(
            "\"tel\":\"0571-56565366\"",
            &format!("\"mobile\":\"{PHONE}\""),
        )
        .replace("\"100\"", "\"10\"");
    let jisu = answering("");
    let outcome = jisu.read_submit(NUMBER, &phone(), yuan(10), &exchange(answer));
    assert_eq!(told(&outcome), "accepted");
}

// Proves: jisu.answer.orderdetail.fields, jisu.answer.orderdetail.amount, jisu.answer.orderdetail.addtime, jisu.state.0, jisu.state.1, jisu.state.2
#[test]
fn order_detail() {
    assert_debug_snapshot!(read::<Envelope<Order>>(DETAIL.as_bytes()).unwrap());
    assert_debug_snapshot!(read_query(status_answer("1")));
    for (state, expected) in [
        ("0", "found charging"),
        ("1", "found succeeded"),
        ("2", "found failed"),
        ("3", "unavailable Unreadable"),
        ("-1", "unavailable Unreadable"),
    ] {
        let text = status_answer(state);
        assert_eq!(learnt(&read_query(text.clone())), expected, "{state}");
        let number = text.replace(
            &format!("\"rechargestatus\":\"{state}\""),
            &format!("\"rechargestatus\":{state}"),
        );
        assert_eq!(learnt(&read_query(number)), expected, "{state} as a number");
    }
    assert_eq!(
        learnt(&read_query(status_answer(""))),
        "unavailable Unreadable"
    );
}

// Proves: jisu.answer.orderdetail.three-statuses, jisu.answer.orderdetail.row-status, jisu.answer.orderdetail.row-status-sample
#[test]
fn of_three_statuses_one_says_what_became_of_the_money() {
    // The sample: the record is complete, the money is not.
    assert_eq!(learnt(&read_query(status_answer("0"))), "found charging");
    for row_status in ["\"0\"", "\"2\"", "null", "\"9\""] {
        let answer =
            status_answer("1").replace("\"status\":\"1\"", &format!("\"status\":{row_status}"));
        assert_eq!(
            learnt(&read_query(answer)),
            "found succeeded",
            "{row_status}"
        );
    }
    let none = status_answer("1").replace("\"rechargestatus\":\"1\",", "");
    assert_eq!(learnt(&read_query(none)), "unavailable Unreadable");
}

// Proves: jisu.answer.recharge.totalfee-may-rise
#[test]
fn the_detail_s_price_is_the_one_that_counts() {
    let price = |answer: String| match read_query(answer) {
        QueryOutcome::Found(sighting) => sighting.cost.unwrap().to_string(),
        other => panic!("{other:?}"),
    };
    assert_eq!(price(status_answer("1")), "9.95");
    assert_eq!(
        price(status_answer("1").replace("9.95", "10.125")),
        "10.125"
    );
}

/// No code is documented for "no such order": an understood answer with an explicit nothing is read so.
#[test]
fn an_empty_result_of_a_query_is_no_such_order() {
    for nothing in ["null", "\"\"", "[]"] {
        let answer = format!(r#"{{"status":0,"msg":"ok","result":{nothing}}}"#);
        assert_eq!(
            learnt(&read_query(answer.clone())),
            "not found",
            "{nothing}"
        );
        assert_eq!(
            told(&read_submit(answer)),
            "unknown Unreadable",
            "{nothing}"
        );
    }
    for (other, expected) in [
        (r#"{"status":0,"msg":"ok"}"#, "unavailable Unreadable"),
        (
            r#"{"status":0,"msg":"ok","result":{}}"#,
            "unavailable Unreadable",
        ),
        (
            r#"{"status":0,"msg":"ok","result":"none"}"#,
            "unavailable Unreadable",
        ),
        (
            r#"{"status":210,"msg":"","result":null}"#,
            "unavailable Code",
        ),
        (
            r#"{"status":"","msg":"","result":null}"#,
            "unavailable Unreadable",
        ),
    ] {
        assert_eq!(learnt(&read_query(other)), expected, "{other}");
    }
}

#[test]
fn states_reported_with_a_recharge() {
    for (state, expected) in [
        ("0", "accepted"),
        ("1", "accepted"),
        ("2", "accepted"),
        ("3", "unknown Unreadable"),
        ("", "unknown Unreadable"),
    ] {
        let answer = RECHARGE.replace(
            "\"rechargestatus\":\"0\"",
            &format!("\"rechargestatus\":\"{state}\""),
        );
        assert_eq!(told(&read_submit(answer)), expected, "{state}");
    }
}

// Proves: jisu.answer.orderlist.rows, jisu.answer.orderlist.telrecharge
#[tokio::test]
async fn order_list() {
    assert_debug_snapshot!(read::<ListEnvelope<Order>>(ORDERLIST.as_bytes()).unwrap());
    assert_debug_snapshot!(
        answering(ORDERLIST)
            .list(AccountKind::Mobile, 1)
            .await
            .unwrap()
    );
    assert!(
        !answering(ORDERLIST)
            .list(AccountKind::Mobile, 2)
            .await
            .unwrap()
            .more,
        "41 orders are two pages"
    );
    let bare = r#"{"status":"0","msg":"ok","result":[]}"#;
    let page = answering(bare).list(AccountKind::Mobile, 1).await.unwrap();
    assert!(page.orders.is_empty() && !page.more);
    for body in [
        r#"{"status":0,"result":null}"#,
        r#"{"status":0,"result":{}}"#,
        r#"{"status":0,"result":[1]}"#,
        r#"{"status":0,"result":{"list":{}}}"#,
    ] {
        let error = answering(body)
            .list(AccountKind::Mobile, 1)
            .await
            .unwrap_err();
        assert_eq!(
            error.kind,
            CallErrorKind::Unreadable,
            "an empty list is not made up"
        );
    }
}

// Proves: jisu.answer.goods.rows
#[tokio::test]
async fn goods() {
    assert_debug_snapshot!(read::<ListEnvelope<Good>>(GOODS.as_bytes()).unwrap());
    // 189 is a segment of Telecom.
    assert_debug_snapshot!(answering(GOODS).quote(&phone(), yuan(10)).await.unwrap());
    let error = |body: String, amount| async move {
        answering(&body)
            .quote(&phone(), yuan(amount))
            .await
            .unwrap_err()
    };
    let unsold = error(GOODS.to_owned(), 30).await;
    assert_eq!(unsold.kind, CallErrorKind::Refused);
    let several = error(GOODS.replace("电信", "甲").replace("移动", "乙"), 10).await;
    assert!(several.detail.contains("several prices"), "{several}");
    let unreadable = error(GOODS.replace("9.95", "9.9500"), 10).await;
    assert_eq!(unreadable.kind, CallErrorKind::Unreadable);
    let unknown_path = answering(GOODS)
        .quote(&common::landline(), yuan(20))
        .await
        .unwrap_err();
    assert!(
        unknown_path.detail.contains("landline_goods_path"),
        "{unknown_path}"
    );
}

#[tokio::test]
async fn a_broadband_account_that_looks_like_a_mobile_number_says_nothing_of_its_carrier() {
    let config = || {
        let path = "/telrecharge/goods";
        common::config().with_landline_goods_path(path).unwrap()
    };
    for kind in [AccountKind::Broadband, AccountKind::Combined] {
        // 189 is a mobile segment of Telecom, which has one price of the two.
        let account = Account::parse(kind, common::PHONE).unwrap();
        let (jisu, _) = common::provider_with(config(), [Reply::text(200, GOODS.to_owned())]);
        let several = jisu.quote(&account, yuan(10)).await.unwrap_err();
        assert!(several.detail.contains("several prices"), "{several}");
    }
}

#[tokio::test]
async fn a_list_and_a_quote_show_no_secret_and_no_account() {
    let order = |number: &str| format!(r#"{{"outorderno":"{number}","orderno":"{number}"}}"#);
    let rows = [
        order(&format!("A{}", common::KEY)),
        order(common::SECRET),
        order("A1"),
    ]
    .join(",");
    let list = answering(&format!(r#"{{"status":0,"result":[{rows}]}}"#));
    let page = list.list(AccountKind::Landline, 1).await.unwrap();
    let numbers: Vec<&str> = page.orders.iter().map(|it| it.number.as_str()).collect();
    assert_eq!(numbers, ["", "", "A1"]);
    let ids = page.orders.iter().map(|it| it.upstream_order_id.is_some());
    assert_eq!(ids.collect::<Vec<_>>(), [false, false, true]);

    let line = common::landline();
    let plain = line.as_str().replace('-', "");
    let body = format!(
        r#"{{"status":0,"result":[{{"name":"{}","company":"{plain}","price":1,"amount":1}}]}}"#,
        line.as_str()
    );
    let config = common::config().with_landline_goods_path("/telrecharge/goods");
    let (jisu, _) = common::provider_with(config.unwrap(), [Reply::text(200, body)]);
    let quote = jisu.quote(&line, yuan(1)).await.unwrap();
    assert!(!quote.product.contains(line.as_str()), "{}", quote.product);
    assert!(!quote.region.unwrap().contains(&plain));
}

#[tokio::test]
async fn calls_that_jisu_has_not_are_said_to_be_missing() {
    let jisu = answering("");
    let check = jisu.check(&phone(), yuan(10)).await.unwrap_err();
    assert_eq!(check.kind, CallErrorKind::Unsupported);
    assert_eq!(
        jisu.balance().await.unwrap_err().kind,
        CallErrorKind::Unsupported
    );
}

#[tokio::test]
async fn typed_calls_give_the_answer_as_it_is_written() {
    let client = |body: &str| answering(body).client().clone();
    let landline = common::landline();
    let recharge = client(RECHARGE)
        .recharge_landline(&landline, yuan(100), Carrier::Unicom, "A1")
        .await
        .unwrap();
    let order = recharge.result.object().unwrap();
    assert_eq!(
        order.orderno.as_str(),
        "201604280717555074534",
        "all 21 digits"
    );
    let refused = client(&refusal("212"))
        .recharge_mobile(&phone(), yuan(10), "A1")
        .await;
    assert_eq!(refused.unwrap().status.as_str(), "212");
    let detail = client(DETAIL)
        .order_detail(Product::Mobile, OrderKey::Ours("A1"))
        .await
        .unwrap();
    assert_eq!(detail.result.object().unwrap().status.as_str(), "1");
    let list = client(ORDERLIST)
        .order_list(Product::Mobile, 1, 40)
        .await
        .unwrap();
    assert_eq!(list.result.list.unwrap().len(), 2);
    let goods = client(GOODS).goods(Product::Mobile).await.unwrap();
    assert_eq!(goods.result.list.unwrap().len(), 3);
    let html = client("<html>").goods(Product::Mobile).await.unwrap_err();
    assert_eq!(html.certainty(), Certainty::MaybeSent);
}

// Proves: jisu.codes.no-answer
#[tokio::test]
async fn no_answer_at_all() {
    for (certainty, expected) in [
        (Certainty::NotSent, "not sent"),
        (Certainty::MaybeSent, "unknown NoAnswer"),
    ] {
        let reply = || Reply::Error(certainty, TransportErrorKind::Timeout);
        let (jisu, _) = provider_with(config(), [reply(), reply()]);
        assert_eq!(told(&jisu.submit(&order()).await), expected);
        let query = jisu.query(&order().query()).await;
        assert_eq!(learnt(&query), "unavailable Transport");
    }
}

#[tokio::test]
async fn a_status_other_than_200_tells_nothing_whatever_its_body() {
    for status in [201, 204, 301, 400, 401, 404, 429, 500, 502, 503] {
        let replies = [submit_answer(), refusal("207"), status_answer("1")]
            .map(|body| Reply::text(status, body));
        let (jisu, _) = provider_with(config(), replies);
        for _ in 0..2 {
            let SubmitOutcome::Unknown(doubt) = jisu.submit(&order()).await else {
                panic!("a doubt at {status}")
            };
            assert_eq!(doubt.kind, DoubtKind::HttpStatus);
            assert!(
                doubt.answer.unwrap().raw.contains("msg"),
                "the body is kept"
            );
        }
        let QueryOutcome::Unavailable(trouble) = jisu.query(&mobile_order().query()).await else {
            panic!("trouble at {status}")
        };
        assert_eq!(trouble.kind, UnavailableKind::Transport);
    }
}
