//! Every request, to the last byte.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use common::{KEY, NUMBER, OPEN_ID, config, order, phone, provider_with, shown, yuan};
use insta::assert_snapshot;
use recharge_core::{Account, AccountKind, Provider, SubmitOutcome};
use recharge_http::{ClientError, SendBefore};
use recharge_juhe::{Encoding, Environment, JuheClient, JuheConfig, OrderListQuery};

fn client(config: JuheConfig) -> JuheClient {
    provider_with(config, []).0.client().clone()
}

fn submit(config: JuheConfig) -> String {
    let request = client(config).submit_request(&phone(), yuan(1), "111111111");
    shown(&request.unwrap())
}

// Proves: juhe.endpoint.submit, juhe.endpoint.plain-http, juhe.submit.encoding.urlencoded, juhe.submit.fields, juhe.submit.cardnum, juhe.submit.orderid, juhe.submit.orderid-sample, juhe.client.user-agent, juhe.client.http11
#[test]
fn submit_is_an_urlencoded_post_by_default() {
    assert_snapshot!(submit(config()));
}

// Proves: juhe.submit.encoding.multipart
#[test]
fn submit_as_multipart() {
    assert_snapshot!(submit(config().with_encoding(Encoding::Multipart)));
}

// Proves: juhe.submit.encoding.get
#[test]
fn submit_as_query() {
    assert_snapshot!(submit(config().with_encoding(Encoding::Query)));
}

// Proves: juhe.submit.sign, juhe.sign.hex, juhe.sign.no-delimiter, juhe.yue.sign
#[test]
fn signatures_are_those_of_another_implementation() {
    // md5sum of the texts, written one after the other.
    let submit = submit(config());
    assert!(
        submit.ends_with("&sign=bed22b65ed18fc833509234c097121d7"),
        "{submit}"
    );
    let balance = client(config()).balance_request(1_606_292_474).unwrap();
    assert!(
        balance
            .uri()
            .query()
            .unwrap()
            .ends_with("&sign=d5c95ce8287e3f8b33c0694317866dd6")
    );
}

/// Each call, the submit in each encoding.
fn every_call(config: &JuheConfig) -> String {
    let encodings = [Encoding::Urlencoded, Encoding::Multipart, Encoding::Query];
    let mut calls = encodings
        .map(|encoding| submit(config.clone().with_encoding(encoding)))
        .to_vec();
    let client = client(config.clone());
    let phone = phone();
    let everything = OrderListQuery {
        page: Some(2),
        page_size: Some(100),
        phone: Some(&phone),
        order_id: Some("111111111"),
    };
    let requests = [
        client.status_request("111111111"),
        client.telcheck_request(&phone, yuan(1)),
        client.telquery_request(&phone, yuan(10)),
        client.balance_request(1_606_292_474),
        client.order_list_request(&everything),
        client.order_list_request(&OrderListQuery::default()),
    ];
    calls.extend(requests.map(|request| shown(&request.unwrap())));
    calls.join("\n\n")
}

// Proves: juhe.endpoint.submit
#[test]
fn every_call_in_the_test_environment() {
    let config = config().with_environment(Environment::Test).unwrap();
    assert_snapshot!(every_call(&config));
}

// Proves: juhe.endpoint.base-url
#[test]
fn every_call_to_a_base_url_with_a_prefix() {
    let plain = config()
        .with_base_url("https://127.0.0.1:8443/proxy/juhe")
        .unwrap();
    let slash = config()
        .with_base_url("https://127.0.0.1:8443/proxy/juhe/")
        .unwrap();
    let text = every_call(&plain);
    assert_eq!(
        text,
        every_call(&slash),
        "a slash at the end changes nothing"
    );
    assert_snapshot!(text);
}

// Proves: juhe.endpoint.status, juhe.status.fields, juhe.status.unsigned
#[test]
fn status() {
    let request = client(config()).status_request("111111111").unwrap();
    assert_snapshot!(shown(&request));
}

// Proves: juhe.endpoint.telcheck, juhe.telcheck.fields, juhe.telcheck.unsigned
#[test]
fn telcheck() {
    let request = client(config())
        .telcheck_request(&phone(), yuan(1))
        .unwrap();
    assert_snapshot!(shown(&request));
}

// Proves: juhe.endpoint.telquery, juhe.telquery.fields, juhe.telquery.unsigned
#[test]
fn telquery() {
    let request = client(config())
        .telquery_request(&phone(), yuan(10))
        .unwrap();
    assert_snapshot!(shown(&request));
}

// Proves: juhe.endpoint.yue, juhe.yue.fields
#[test]
fn balance() {
    let request = client(config()).balance_request(1_606_292_474).unwrap();
    assert_snapshot!(shown(&request));
}

// Proves: juhe.endpoint.orderlist, juhe.orderlist.fields, juhe.orderlist.unsigned
#[test]
fn order_list_with_everything() {
    let phone = phone();
    let query = OrderListQuery {
        page: Some(2),
        page_size: Some(100),
        phone: Some(&phone),
        order_id: Some("111111111"),
    };
    let request = client(config()).order_list_request(&query).unwrap();
    assert_snapshot!(shown(&request));
}

// Proves: juhe.orderlist.fields, juhe.orderlist.paging
#[test]
fn order_list_with_nothing() {
    let request = client(config()).order_list_request(&OrderListQuery::default());
    assert_snapshot!(shown(&request.unwrap()));
}

// Proves: juhe.orderlist.paging
#[test]
fn pages_outside_the_documented_range_are_not_asked_for() {
    let refused = |page, page_size| {
        let query = OrderListQuery {
            page,
            page_size,
            ..OrderListQuery::default()
        };
        match client(config()).order_list_request(&query) {
            Err(ClientError::Input(why)) => why,
            other => panic!("{other:?}"),
        }
    };
    assert!(refused(Some(0), None).contains("from 1"));
    assert!(refused(None, Some(0)).contains("1 to 100"));
    assert!(refused(None, Some(101)).contains("1 to 100"));
}

/// The trait's calls send what the typed calls send, each one request.
// Proves: juhe.client.no-retry
#[tokio::test]
async fn the_provider_sends_each_request_once() {
    let (juhe, sent) = provider_with(config(), []);
    let mut order = order();
    let deadline = std::time::Instant::now();
    order.send_before = Some(deadline);
    assert!(matches!(
        juhe.submit(&order).await,
        SubmitOutcome::NotSent(_)
    ));
    let _ = juhe.query(&order.query()).await;
    juhe.check(&phone(), yuan(1)).await.unwrap_err();
    juhe.quote(&phone(), yuan(1)).await.unwrap_err();
    juhe.balance().await.unwrap_err();
    juhe.list(AccountKind::Mobile, 3).await.unwrap_err();
    let requests = sent.requests();
    assert_eq!(requests.len(), 6, "one request to a call");
    assert_eq!(
        requests[0].extensions().get::<SendBefore>(),
        Some(&SendBefore(deadline))
    );
    assert_snapshot!(requests.iter().map(shown).collect::<Vec<_>>().join("\n\n"));
}

// Proves: juhe.submit.orderid-form
#[test]
fn an_order_number_of_another_form_is_not_sent() {
    let client = client(config());
    let wrong = [
        "",
        "1234567",
        &"1".repeat(33),
        "1234-5678",
        "订单号一二三四五",
        "1234567 ",
    ];
    for number in wrong {
        for request in [
            client.submit_request(&phone(), yuan(1), number),
            client.status_request(number),
        ] {
            match request {
                Err(ClientError::Input(why)) => assert!(why.contains("8 to 32"), "{why}"),
                other => panic!("{number:?}: {other:?}"),
            }
        }
    }
    for number in ["12345678", "111111111", NUMBER, &"a".repeat(32)] {
        assert!(client.status_request(number).is_ok(), "{number}");
    }
}

#[tokio::test]
async fn an_account_that_is_no_mobile_number_is_not_sent() {
    let (juhe, sent) = provider_with(config(), []);
    let mut order = order();
    order.account = Account::parse(AccountKind::Landline, "0571-56565366").unwrap();
    match juhe.submit(&order).await {
        SubmitOutcome::NotSent(why) => assert!(why.reason.contains("mobile"), "{why:?}"),
        other => panic!("{other:?}"),
    }
    let check = juhe.check(&order.account, yuan(1)).await.unwrap_err();
    assert!(check.detail.contains("mobile"), "{check}");
    assert!(sent.requests().is_empty());
}

#[tokio::test]
async fn a_clock_before_1970_asks_for_no_balance() {
    let (juhe, sent) = provider_with(config().with_clock(common::before_1970), []);
    let error = juhe.balance().await.unwrap_err();
    assert!(error.detail.contains("clock"), "{error}");
    assert!(sent.requests().is_empty());
}

#[test]
fn a_second_request_of_the_same_order_has_the_same_bytes() {
    for encoding in [Encoding::Urlencoded, Encoding::Multipart, Encoding::Query] {
        let text = submit(config().with_encoding(encoding));
        assert_eq!(text, submit(config().with_encoding(encoding)));
        assert_eq!(text.matches(KEY).count(), 1, "the key once, as documented");
        assert!(!text.contains(OPEN_ID), "the OpenID never travels");
    }
}
