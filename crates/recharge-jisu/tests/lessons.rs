//! How real clients lose money, and how this adapter does not. The callback's lessons are in
//! `callbacks.rs`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use std::fmt::Write as _;
use std::sync::Arc;
use std::task::{Context, Waker};

use common::{
    KEY, NUMBER, PHONE, SECRET, TEL, answering, config, learnt, mobile_order, order, phone,
    provider_with, read_query, read_submit, refusal, status_answer, submit_answer, told, yuan,
};
use recharge_core::{AccountKind, Carrier, Provider, SubmitOutcome};
use recharge_http::fake::{NeverTransport, RecordingTransport, Reply};
use recharge_http::{Certainty, TransportError, TransportErrorKind};
use recharge_jisu::{JisuConfig, JisuProvider, OrderKey, Product};

#[test]
fn lesson_06_a_code_other_than_zero_is_no_refusal_by_itself() {
    for code in ["210", "212", "12345"] {
        assert_eq!(told(&read_submit(refusal(code))), "unknown Code", "{code}");
    }
}

#[tokio::test]
async fn lesson_07_a_timeout_is_a_doubt() {
    for kind in [
        TransportErrorKind::Timeout,
        TransportErrorKind::Closed,
        TransportErrorKind::TooLarge,
        TransportErrorKind::Encoded,
        TransportErrorKind::Protocol,
        TransportErrorKind::Other,
    ] {
        let (jisu, sent) = provider_with(config(), [Reply::Error(Certainty::MaybeSent, kind)]);
        assert_eq!(
            told(&jisu.submit(&order()).await),
            "unknown NoAnswer",
            "{kind:?}"
        );
        assert_eq!(sent.requests().len(), 1, "and nothing is sent again");
    }
}

#[test]
fn lesson_07_a_submit_whose_caller_goes_away_has_been_sent() {
    let transport = Arc::new(RecordingTransport::new(NeverTransport));
    let jisu = JisuProvider::new(config(), transport.clone());
    let order = order();
    let mut submit = jisu.submit(&order);
    let polled = submit
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()));
    assert!(polled.is_pending());
    drop(submit);
    assert_eq!(
        transport.requests().len(),
        1,
        "so its fate is unknown, as documented"
    );
}

#[test]
fn lesson_10_a_state_that_is_not_listed_is_neither_success_nor_failure_nor_progress() {
    for state in ["3", "9", "10", "-1", "true", "充值成功"] {
        let told_by_query = learnt(&read_query(status_answer(state)));
        assert_eq!(told_by_query, "unavailable Unreadable", "{state}");
    }
}

#[test]
fn lesson_11_numbers_and_strings_are_compared_as_text() {
    for code in ["0", "\"0\""] {
        let answer = submit_answer().replace("\"status\":\"0\"", &format!("\"status\":{code}"));
        assert_eq!(told(&read_submit(answer)), "accepted", "{code}");
    }
    for code in [
        "\"abc\"",
        "1.5",
        "99999999999999999999999",
        "true",
        "\"\"",
        "null",
        "[]",
        "[1]",
        "{}",
    ] {
        assert!(
            told(&read_submit(refusal(code))).starts_with("unknown"),
            "{code}"
        );
        assert!(
            learnt(&read_query(refusal(code))).starts_with("unavailable"),
            "{code}"
        );
    }
}

#[tokio::test]
async fn lesson_13_a_query_has_the_number_and_the_key() {
    let (jisu, sent) = provider_with(config(), []);
    let _ = jisu.query(&order().query()).await;
    let _ = jisu.query(&mobile_order().query()).await;
    for request in sent.requests() {
        let query = request.uri().query().unwrap();
        assert_eq!(query, format!("appkey={KEY}&outorderno={NUMBER}"));
    }
}

/// All that can be printed of one provider and of what it returns.
async fn everything_printed() -> String {
    let leak = format!("{KEY} {SECRET} {PHONE} {TEL} 057156565366");
    let bodies = [
        submit_answer(),
        status_answer("1"),
        refusal("101"),
        format!(r#"{{"msg":"{leak}","result":null,"status":"{leak}"}}"#),
        common::GOODS.replace("电信10元", &format!("{KEY} {SECRET} {PHONE}")),
        format!("<html>{leak}</html>"),
        leak.clone(),
    ];
    let mut printed = format!("{:?}\n", config());
    for status in [200, 502] {
        for body in &bodies {
            let reply = || Reply::text(status, body.clone());
            let (jisu, _) = provider_with(config(), std::iter::repeat_with(reply).take(12));
            let client = jisu.client();
            let phone = phone();
            let landline = common::landline();
            writeln!(printed, "{jisu:?}\n{client:?}").unwrap();
            writeln!(printed, "{:?}", jisu.submit(&order()).await).unwrap();
            writeln!(printed, "{:?}", jisu.query(&order().query()).await).unwrap();
            // The answers that show the landline are read for the landline's own order only: who asks
            // about another order can't know what to mask beyond what looks like a mobile number.
            if !body.contains("0571") {
                writeln!(printed, "{:?}", jisu.submit(&mobile_order()).await).unwrap();
                writeln!(printed, "{:?}", jisu.query(&mobile_order().query()).await).unwrap();
                writeln!(printed, "{:?}", jisu.quote(&phone, yuan(10)).await).unwrap();
                writeln!(printed, "{:?}", jisu.list(AccountKind::Mobile, 1).await).unwrap();
            }
            let typed = client.order_detail(Product::Landline, OrderKey::Ours(NUMBER));
            if body == &submit_answer() || body == &status_answer("1") {
                writeln!(printed, "{:?}", typed.await).unwrap();
            }
            for error in [
                client
                    .recharge_landline(&landline, yuan(100), Carrier::Unicom, NUMBER)
                    .await
                    .err(),
                client.recharge_mobile(&phone, yuan(10), NUMBER).await.err(),
                client
                    .order_detail(Product::Mobile, OrderKey::Ours(NUMBER))
                    .await
                    .err(),
                client.order_list(Product::Mobile, 1, 40).await.err(),
                client.goods(Product::Mobile).await.err(),
            ] {
                writeln!(printed, "{error:?}").unwrap();
                printed.push_str(&error.map(|error| error.to_string()).unwrap_or_default());
            }
        }
    }
    // A transport of the user's own that breaks the rules.
    let careless = |url: String| {
        Reply::with(move |_| {
            let error = TransportError::new(Certainty::MaybeSent, TransportErrorKind::Other);
            Err(error.with_source(url))
        })
    };
    let replies = std::iter::repeat_with(|| careless(leak.clone())).take(2);
    let (jisu, _) = provider_with(config(), replies);
    writeln!(printed, "{:?}", jisu.submit(&order()).await).unwrap();
    writeln!(printed, "{:?}", jisu.query(&order().query()).await).unwrap();
    printed
}

#[tokio::test]
async fn lesson_14_no_key_and_no_account_is_printed() {
    let printed = everything_printed().await;
    for canary in [KEY, SECRET, PHONE, TEL, "057156565366"] {
        let at = printed.find(canary);
        assert_eq!(
            at,
            None,
            "{:?}",
            at.map(|at| &printed[at.saturating_sub(200)..at])
        );
    }
    assert!(printed.contains("189****5678") && printed.contains("057****5366"));
}

// Proves: jisu.sign.secret-never-travels
#[tokio::test]
async fn lesson_14_the_second_secret_never_travels() {
    let (jisu, sent) = provider_with(config(), []);
    let _ = jisu.submit(&order()).await;
    let _ = jisu.submit(&mobile_order()).await;
    let _ = jisu.query(&order().query()).await;
    let _ = jisu.query(&mobile_order().query()).await;
    let _ = jisu.quote(&phone(), yuan(10)).await;
    let _ = jisu.list(AccountKind::Mobile, 1).await;
    assert_eq!(sent.requests().len(), 6);
    for request in sent.requests() {
        let text = common::shown(&request);
        assert!(
            text.contains(KEY) && !text.contains(SECRET),
            "{}",
            request.uri().path()
        );
    }
}

#[test]
fn lesson_15_a_price_that_can_not_be_read_is_no_price() {
    for price in ["1.0601", "-1", "1e0", "abc", ""] {
        let answer = submit_answer().replace("99.65", price);
        let SubmitOutcome::Accepted(receipt) = read_submit(answer) else {
            panic!("the order was taken all the same")
        };
        assert_eq!(receipt.cost, None, "{price}");
    }
    assert!(
        answering("")
            .capabilities()
            .calls
            .iter()
            .all(|call| call.as_str() != "balance")
    );
}

#[tokio::test]
async fn lesson_19_nothing_is_sent_a_second_time() {
    let replies = [
        Reply::Error(Certainty::MaybeSent, TransportErrorKind::Closed),
        Reply::text(503, ""),
        Reply::text(200, refusal("210")),
        Reply::Error(Certainty::NotSent, TransportErrorKind::Connect),
    ];
    let (jisu, sent) = provider_with(config(), replies);
    for count in 1..=4 {
        let _ = jisu.submit(&order()).await;
        assert_eq!(sent.requests().len(), count);
    }
    let first = common::shown(&sent.requests()[0]);
    for request in sent.requests() {
        assert_eq!(
            common::shown(&request),
            first,
            "the same order has the same bytes"
        );
    }
}

#[test]
fn lesson_21_a_system_error_is_a_doubt() {
    assert_eq!(told(&read_submit(refusal("210"))), "unknown Code");
    assert_eq!(learnt(&read_query(refusal("210"))), "unavailable Code");
}

#[test]
fn a_wrong_configuration_is_refused_and_repeats_no_secret() {
    for (key, secret, wanted) in [
        ("", SECRET, "app_key is empty"),
        (KEY, "", "app_secret is empty"),
        ("canary\n", SECRET, "app_key has spaces"),
        (KEY, " canary", "app_secret has spaces"),
        (KEY, "canary密", "not ASCII"),
    ] {
        let error = JisuConfig::new(key.into(), secret.into())
            .unwrap_err()
            .to_string();
        assert!(error.contains(wanted), "{error}");
        assert!(!error.contains("canary"), "{error}");
    }
    for url in [
        "api.jisuapi.com",
        "http://canary@api.jisuapi.com",
        "http://x/?key=canary",
    ] {
        let error = config().with_base_url(url).unwrap_err().to_string();
        assert!(
            error.contains("base_url") && !error.contains("canary"),
            "{error}"
        );
    }
    for path in [
        "",
        "telrecharge/orderdetail",
        "/a?b=1",
        "/a#b",
        "/a b",
        "/订单",
    ] {
        let detail = config()
            .with_landline_detail_path(path)
            .unwrap_err()
            .to_string();
        assert!(detail.contains("landline_detail_path"), "{detail}");
        let goods = config()
            .with_landline_goods_path(path)
            .unwrap_err()
            .to_string();
        assert!(goods.contains("landline_goods_path"), "{goods}");
    }
    let empty = config()
        .with_face_values(Product::Mobile, vec![])
        .unwrap_err();
    assert!(empty.to_string().contains("face_values"));
}
