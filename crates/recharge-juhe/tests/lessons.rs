//! How real clients lose money, and how this adapter does not. The callback's lessons are in
//! `callbacks.rs`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use common::{
    KEY, NUMBER, OPEN_ID, PHONE, YUE, answering, config, learnt, order, phone, provider_with,
    read_query, read_submit, refusal, status_answer, submit_answer, told, yuan,
};
use recharge_core::{AccountKind, Provider, SubmitOutcome};
use recharge_http::fake::{NeverTransport, Reply};
use recharge_http::{Certainty, TransportError, TransportErrorKind};
use recharge_juhe::{JuheConfig, JuheProvider, OrderListQuery};
use std::fmt::Write as _;
use std::sync::Arc;
use std::task::{Context, Waker};

#[test]
fn lesson_06_a_code_other_than_zero_is_no_refusal_by_itself() {
    for code in [
        "208516", "10014", "208507", "208508", "208502", "208511", "12345",
    ] {
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
        let (juhe, sent) = provider_with(config(), [Reply::Error(Certainty::MaybeSent, kind)]);
        assert_eq!(
            told(&juhe.submit(&order()).await),
            "unknown NoAnswer",
            "{kind:?}"
        );
        assert_eq!(sent.requests().len(), 1, "and nothing is sent again");
    }
}

#[test]
fn lesson_07_a_submit_whose_caller_goes_away_has_been_sent() {
    let transport = Arc::new(recharge_http::fake::RecordingTransport::new(NeverTransport));
    let juhe = JuheProvider::new(config(), transport.clone());
    let order = order();
    let mut submit = juhe.submit(&order);
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
    for state in ["2", "3", "4", "7", "10", "-2", "true", "充值成功"] {
        let told_by_query = learnt(&read_query(status_answer(state)));
        assert_eq!(told_by_query, "unavailable Unreadable", "{state}");
    }
}

#[test]
fn lesson_11_numbers_and_strings_are_compared_as_text() {
    for code in ["0", "\"0\""] {
        let answer = submit_answer().replace("\"error_code\":0", &format!("\"error_code\":{code}"));
        assert_eq!(told(&read_submit(answer)), "accepted", "{code}");
    }
    for state in ["1", "\"1\""] {
        let answer = status_answer("STATE").replace("\"STATE\"", state);
        assert_eq!(learnt(&read_query(answer)), "found succeeded", "{state}");
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
    let (juhe, sent) = provider_with(config(), []);
    let _ = juhe.query(&order().query()).await;
    let requests = sent.requests();
    let query = requests[0].uri().query().unwrap();
    assert_eq!(query, format!("key={KEY}&orderid={NUMBER}"));
}

/// All that can be printed of one provider and of what it returns.
async fn everything_printed() -> String {
    let leak = format!("{KEY} {OPEN_ID} {PHONE}");
    let bodies = [
        submit_answer(),
        status_answer("1"),
        refusal("10001"),
        format!(r#"{{"reason":"{leak}","result":null,"error_code":"{leak}"}}"#),
        common::TELQUERY
            .replace("浙江移动话费10元", &leak)
            .replace("浙江杭州移动", &leak),
        format!("<html>{leak}</html>"),
        leak.clone(),
    ];
    let mut printed = format!("{:?}\n", config());
    for status in [200, 502] {
        for body in &bodies {
            let reply = || Reply::text(status, body.clone());
            let (juhe, _) = provider_with(config(), std::iter::repeat_with(reply).take(13));
            let client = juhe.client();
            let phone = phone();
            let list = OrderListQuery::default();
            write!(printed, "{juhe:?}\n{client:?}\n").unwrap();
            writeln!(printed, "{:?}", juhe.submit(&order()).await).unwrap();
            writeln!(printed, "{:?}", juhe.query(&order().query()).await).unwrap();
            writeln!(printed, "{:?}", juhe.check(&phone, yuan(1)).await).unwrap();
            writeln!(printed, "{:?}", juhe.quote(&phone, yuan(1)).await).unwrap();
            writeln!(printed, "{:?}", juhe.balance().await).unwrap();
            writeln!(printed, "{:?}", juhe.list(AccountKind::Mobile, 1).await).unwrap();
            if body == &submit_answer() {
                let typed = client.submit(&phone, yuan(1), NUMBER).await;
                writeln!(printed, "{typed:?}").unwrap();
            }
            for error in [
                client.submit(&phone, yuan(1), NUMBER).await.err(),
                client.status(NUMBER).await.err(),
                client.telcheck(&phone, yuan(1)).await.err(),
                client.telquery(&phone, yuan(1)).await.err(),
                client.balance(1).await.err(),
                client.order_list(&list).await.err(),
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
    let replies = std::iter::repeat_with(|| careless(leak.clone())).take(3);
    let (juhe, _) = provider_with(config(), replies);
    writeln!(printed, "{:?}", juhe.submit(&order()).await).unwrap();
    writeln!(printed, "{:?}", juhe.query(&order().query()).await).unwrap();
    writeln!(printed, "{:?}", juhe.check(&phone(), yuan(1)).await).unwrap();
    printed
}

#[tokio::test]
async fn lesson_14_no_key_and_no_phone_number_is_printed() {
    let printed = everything_printed().await;
    for canary in [KEY, OPEN_ID, PHONE] {
        let at = printed.find(canary);
        assert_eq!(
            at,
            None,
            "{:?}",
            at.map(|at| &printed[at.saturating_sub(200)..at])
        );
    }
    assert!(
        printed.contains("189****5678"),
        "the masked number is there"
    );
}

#[tokio::test]
async fn lesson_14_the_second_secret_never_travels() {
    let (juhe, sent) = provider_with(config(), []);
    let _ = juhe.submit(&order()).await;
    let _ = juhe.query(&order().query()).await;
    let _ = juhe.check(&phone(), yuan(1)).await;
    let _ = juhe.quote(&phone(), yuan(1)).await;
    let _ = juhe.balance().await;
    let _ = juhe.list(AccountKind::Mobile, 1).await;
    assert_eq!(sent.requests().len(), 6);
    for request in sent.requests() {
        let text = common::shown(&request);
        assert!(
            text.contains(KEY) && !text.contains(OPEN_ID),
            "{}",
            request.uri().path()
        );
    }
}

#[tokio::test]
async fn lesson_15_a_balance_that_can_not_be_read_is_an_error_and_not_zero() {
    let wrong = [
        "null",
        "\"\"",
        "[]",
        "\"-1\"",
        "\"1,000\"",
        "1e3",
        "1.2345",
        "\"x\"",
        "{}",
    ];
    for money in wrong {
        let juhe = answering(&YUE.replace("\"0.000\"", money));
        assert!(juhe.balance().await.is_err(), "{money}");
    }
    for body in [
        "",
        "<html>",
        "{}",
        &refusal("10014"),
        &refusal("10012"),
        &refusal("null"),
    ] {
        assert!(answering(body).balance().await.is_err(), "{body}");
    }
    let exact = answering(&YUE.replace("\"0.000\"", "8796093022208.003"));
    assert_eq!(
        exact.balance().await.unwrap().thousandths(),
        8_796_093_022_208_003
    );
}

#[test]
fn lesson_15_a_price_that_can_not_be_read_is_no_price() {
    for price in ["\"1.0601\"", "-1", "1e0", "\"abc\""] {
        let answer = submit_answer().replace("1.06", price);
        let SubmitOutcome::Accepted(receipt) = read_submit(answer) else {
            panic!("the order was taken all the same")
        };
        assert_eq!(receipt.cost, None, "{price}");
    }
}

// Proves: juhe.client.no-retry
#[tokio::test]
async fn lesson_19_nothing_is_sent_a_second_time() {
    let replies = [
        Reply::Error(Certainty::MaybeSent, TransportErrorKind::Closed),
        Reply::text(503, ""),
        Reply::text(200, refusal("208508")),
        Reply::Error(Certainty::NotSent, TransportErrorKind::Connect),
    ];
    let (juhe, sent) = provider_with(config(), replies);
    for count in 1..=4 {
        let _ = juhe.submit(&order()).await;
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
    for code in ["10014", "100014"] {
        assert_eq!(told(&read_submit(refusal(code))), "unknown Code");
        assert_eq!(learnt(&read_query(refusal(code))), "unavailable Code");
    }
}

#[test]
fn a_wrong_configuration_is_refused_and_repeats_no_secret() {
    for (key, open_id, wanted) in [
        ("", OPEN_ID, "app_key is empty"),
        (KEY, "", "open_id is empty"),
        ("canary\n", OPEN_ID, "app_key has spaces"),
        (KEY, " canary", "open_id has spaces"),
        (KEY, "canary密", "not ASCII"),
    ] {
        let error = JuheConfig::new(key.into(), open_id.into())
            .unwrap_err()
            .to_string();
        assert!(error.contains(wanted), "{error}");
        assert!(!error.contains("canary"), "{error}");
    }
    for url in [
        "op.juhe.cn",
        "http://canary@op.juhe.cn",
        "http://op.juhe.cn/?key=canary",
    ] {
        let error = config().with_base_url(url).unwrap_err().to_string();
        assert!(
            error.contains("base_url") && !error.contains("canary"),
            "{error}"
        );
    }
    assert!(
        config()
            .with_face_values(vec![])
            .unwrap_err()
            .to_string()
            .contains("face_values")
    );
}
