//! Every documented answer: typed, and as what it tells.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use common::{
    KEY, OPEN_ID, ORDERLIST, STATUS, SUBMIT, SUBMIT_NUMBER, TELCHECK, TELQUERY, YUE, answering,
    exchange, learnt, phone, read_query, read_submit, refusal, status_answer, submit_answer, told,
    yuan,
};
use insta::assert_debug_snapshot;
use recharge_core::{
    AccountKind, CallErrorKind, DoubtKind, Provider, QueryOutcome, SubmitOutcome, UnavailableKind,
};
use recharge_http::fake::Reply;
use recharge_http::read::read;
use recharge_http::{Certainty, TransportErrorKind};
use recharge_juhe::OrderListQuery;
use recharge_juhe::wire::{Balance, Envelope, Order, OrderList, Product};

// Proves: juhe.answer.envelope, juhe.answer.error-code-0, juhe.answer.submit.reason, juhe.answer.submit.fields, juhe.answer.submit.cardid, juhe.answer.submit.cardnum, juhe.answer.submit.ordercash, juhe.answer.submit.cardname, juhe.answer.submit.sporder-id, juhe.answer.submit.uorderid, juhe.answer.submit.game-userid, juhe.answer.submit.game-state
#[test]
fn submit() {
    assert_debug_snapshot!(read::<Envelope<Order>>(SUBMIT.as_bytes()).unwrap());
    let outcome = answering("").read_submit(SUBMIT_NUMBER, &phone(), &exchange(SUBMIT));
    assert_debug_snapshot!(outcome);
}

// Proves: juhe.code.0, juhe.answer.submit.cardnum
#[test]
fn a_quantity_is_not_taken_for_the_face_value() {
    // An order of 50 yuan whose answer says cardnum 1: a quantity, so it differs from nothing.
    let answer = submit_answer().replace("1元", "50元");
    assert_eq!(told(&read_submit(answer)), "accepted");
}

// Proves: juhe.answer.submit.types
#[test]
fn submit_with_the_types_seen_in_the_wild() {
    let wild = submit_answer()
        .replace(r#""cardid":10423"#, r#""cardid":"10423""#)
        .replace(r#""cardnum":1"#, r#""cardnum":"1""#)
        .replace(
            r#""game_state":0"#,
            r#""game_state":"0","uordercash":"1.060""#,
        )
        .replace(r#""error_code":0"#, r#""error_code":"0""#);
    let SubmitOutcome::Accepted(receipt) = read_submit(wild) else {
        panic!("an acceptance")
    };
    assert_eq!(receipt.cost.unwrap().thousandths(), 1_060);
    let number = submit_answer().replace("\"J201125162114667xxxxxxxx\"", "20112516211466700000001");
    let SubmitOutcome::Accepted(receipt) = read_submit(number) else {
        panic!("an acceptance")
    };
    let id = receipt.upstream_order_id.unwrap();
    assert_eq!(
        id.as_str(),
        "20112516211466700000001",
        "all digits of a number are kept"
    );
}

// Proves: juhe.answer.status.reason, juhe.answer.status.fields, juhe.answer.status.uordercash, juhe.state.0, juhe.state.1, juhe.state.9, juhe.state.minus-1
#[test]
fn status() {
    assert_debug_snapshot!(read::<Envelope<Order>>(STATUS.as_bytes()).unwrap());
    for (state, expected) in [
        ("0", "found charging"),
        ("1", "found succeeded"),
        ("9", "found failed"),
        ("-1", "found failed"),
        ("7", "unavailable Unreadable"),
        ("01", "unavailable Unreadable"),
        ("", "unavailable Unreadable"),
    ] {
        let text = status_answer(state);
        assert_eq!(learnt(&read_query(text.clone())), expected, "{state:?}");
        let number = text.replace(
            &format!("\"{state}\""),
            if state.is_empty() { "null" } else { state },
        );
        if state != "01" {
            assert_eq!(
                learnt(&read_query(number)),
                expected,
                "{state:?} as a number"
            );
        }
    }
    assert_debug_snapshot!(read_query(status_answer("1")));
}

#[test]
fn states_reported_with_a_submit() {
    for (state, expected) in [
        ("0", "accepted"),
        ("1", "accepted"),
        ("9", "accepted"),
        ("-1", "accepted"),
        ("7", "unknown Unreadable"),
        ("null", "unknown Unreadable"),
    ] {
        let answer =
            submit_answer().replace("\"game_state\":0", &format!("\"game_state\":{state}"));
        assert_eq!(told(&read_submit(answer)), expected, "{state}");
    }
}

// Proves: juhe.answer.telcheck, juhe.answer.result-shapes
#[tokio::test]
async fn telcheck() {
    assert_debug_snapshot!(read::<Envelope<Product>>(TELCHECK.as_bytes()).unwrap());
    let check = |body: String| async move { answering(&body).check(&phone(), yuan(1)).await };
    assert_eq!(check(TELCHECK.to_owned()).await, Ok(Ok(())));
    let no = check(refusal("208501")).await.unwrap().unwrap_err();
    assert_eq!(no.code, "208501");
    let kind = |code: &'static str| async move { check(refusal(code)).await.unwrap_err().kind };
    assert_eq!(kind("10012").await, CallErrorKind::RateLimited);
    assert_eq!(kind("208503").await, CallErrorKind::Maintenance);
    assert_eq!(kind("10001").await, CallErrorKind::Denied);
    assert_eq!(kind("10014").await, CallErrorKind::Unreadable);
}

// Proves: juhe.answer.telquery
#[tokio::test]
async fn telquery() {
    assert_debug_snapshot!(read::<Envelope<Product>>(TELQUERY.as_bytes()).unwrap());
    assert_debug_snapshot!(answering(TELQUERY).quote(&phone(), yuan(10)).await.unwrap());
    for body in [
        TELQUERY.replace("10.2", "null"),
        TELQUERY.replace("10.2", "1e1"),
        TELCHECK.to_owned(),
    ] {
        let error = answering(&body)
            .quote(&phone(), yuan(10))
            .await
            .unwrap_err();
        assert_eq!(error.kind, CallErrorKind::Unreadable, "{body}");
    }
    let refused = answering(&refusal("208501"))
        .quote(&phone(), yuan(10))
        .await;
    assert_eq!(refused.unwrap_err().kind, CallErrorKind::Refused);
}

// Proves: juhe.answer.yue
#[tokio::test]
async fn balance() {
    assert_debug_snapshot!(read::<Envelope<Balance>>(YUE.as_bytes()).unwrap());
    let balance = |money: &str| {
        let juhe = answering(&YUE.replace("\"0.000\"", money));
        async move { juhe.balance().await.map(recharge_core::Money::thousandths) }
    };
    assert_eq!(balance("\"0.000\"").await, Ok(0));
    assert_eq!(balance("\"1234.567\"").await, Ok(1_234_567));
    assert_eq!(balance("1234.5").await, Ok(1_234_500));
}

// Proves: juhe.answer.orderlist, juhe.answer.orderlist.rows, juhe.code.19000
#[tokio::test]
async fn order_list() {
    assert_debug_snapshot!(read::<Envelope<OrderList>>(ORDERLIST.as_bytes()).unwrap());
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
        "the last page"
    );
    let empty = answering(&refusal("19000"))
        .list(AccountKind::Mobile, 1)
        .await
        .unwrap();
    assert!(empty.orders.is_empty() && !empty.more);
    for body in [
        r#"{"reason":"","result":{},"error_code":0}"#,
        r#"{"reason":"","result":[],"error_code":0}"#,
        r#"{"reason":"","result":{"data":{}},"error_code":0}"#,
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

#[tokio::test]
async fn a_list_and_a_quote_show_no_secret_and_no_account() {
    let order = |number: &str| format!(r#"{{"uorderid":"{number}","sporder_id":"{number}"}}"#);
    let rows = [order(&format!("A{KEY}")), order(OPEN_ID), order("A1")].join(",");
    let list = answering(&format!(
        r#"{{"result":{{"data":[{rows}]}},"error_code":0}}"#
    ));
    let page = list.list(AccountKind::Mobile, 1).await.unwrap();
    let numbers: Vec<&str> = page.orders.iter().map(|it| it.number.as_str()).collect();
    assert_eq!(numbers, ["", "", "A1"]);
    let ids = page.orders.iter().map(|it| it.upstream_order_id.is_some());
    assert_eq!(ids.collect::<Vec<_>>(), [false, false, true]);

    // In a longer run of digits only the account's own number is known for one.
    let number = format!("2{}", phone().as_str());
    let body = format!(
        r#"{{"result":{{"cardname":"{number}","game_area":"{number}","inprice":1}},"error_code":0}}"#
    );
    let quote = answering(&body).quote(&phone(), yuan(1)).await.unwrap();
    assert!(
        !quote.product.contains(phone().as_str()),
        "{}",
        quote.product
    );
    assert!(!quote.region.unwrap().contains(phone().as_str()));
}

#[tokio::test]
async fn typed_calls_give_the_answer_as_it_is_written() {
    let phone = phone();
    let client = |body: &str| answering(body).client().clone();
    let submit = client(SUBMIT)
        .submit(&phone, yuan(1), SUBMIT_NUMBER)
        .await
        .unwrap();
    assert_eq!(submit.result.object().unwrap().ordercash.as_str(), "1.06");
    let status = client(&status_answer("9"))
        .status(SUBMIT_NUMBER)
        .await
        .unwrap();
    assert_eq!(status.result.object().unwrap().game_state.as_str(), "9");
    let telcheck = client(TELCHECK).telcheck(&phone, yuan(1)).await.unwrap();
    assert_eq!(telcheck.reason.as_str(), "允许充值的手机号码及金额");
    let telquery = client(TELQUERY).telquery(&phone, yuan(10)).await.unwrap();
    assert_eq!(telquery.result.object().unwrap().inprice.as_str(), "10.2");
    let balance = client(YUE).balance(1_606_292_474).await.unwrap();
    assert_eq!(balance.result.object().unwrap().money.as_str(), "0.000");
    let list = client(ORDERLIST)
        .order_list(&OrderListQuery::default())
        .await
        .unwrap();
    assert_eq!(list.result.object().unwrap().totalpage.as_str(), "2");
    let refused = client(&refusal("208516"))
        .submit(&phone, yuan(1), SUBMIT_NUMBER)
        .await;
    assert_eq!(refused.unwrap().error_code.as_str(), "208516");
    let html = client("<html>").status(SUBMIT_NUMBER).await.unwrap_err();
    assert_eq!(html.certainty(), Certainty::MaybeSent);
}

// Proves: juhe.codes.no-answer
#[tokio::test]
async fn no_answer_at_all() {
    use common::{config, order, provider_with};
    for (certainty, expected) in [
        (Certainty::NotSent, "not sent"),
        (Certainty::MaybeSent, "unknown NoAnswer"),
    ] {
        let reply = || Reply::Error(certainty, TransportErrorKind::Timeout);
        let (juhe, _) = provider_with(config(), [reply(), reply()]);
        assert_eq!(told(&juhe.submit(&order()).await), expected);
        let query = juhe.query(&order().query()).await;
        assert_eq!(learnt(&query), "unavailable Transport");
    }
}

#[tokio::test]
async fn a_status_other_than_200_tells_nothing_whatever_its_body() {
    use common::{config, order, provider_with};
    for status in [201, 204, 301, 400, 401, 404, 429, 500, 502, 503] {
        let replies = [submit_answer(), refusal("208517"), status_answer("1")]
            .map(|body| Reply::text(status, body));
        let (juhe, _) = provider_with(config(), replies);
        for _ in 0..2 {
            let SubmitOutcome::Unknown(doubt) = juhe.submit(&order()).await else {
                panic!("a doubt at {status}")
            };
            assert_eq!(doubt.kind, DoubtKind::HttpStatus);
            assert!(doubt.detail.contains(&status.to_string()), "{doubt:?}");
            assert!(
                doubt.answer.unwrap().raw.contains("reason"),
                "the body is kept"
            );
        }
        let QueryOutcome::Unavailable(trouble) = juhe.query(&order().query()).await else {
            panic!("trouble at {status}")
        };
        assert_eq!(trouble.kind, UnavailableKind::Transport);
    }
}
