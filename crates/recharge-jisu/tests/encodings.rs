//! Every request, to the last byte.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use bytes::Bytes;
use common::{
    KEY, NUMBER, SECRET, config, landline, mobile_order, order, phone, provider_with, shown, yuan,
};
use http::Request;
use insta::assert_snapshot;
use recharge_core::{Account, AccountKind, Carrier, Provider, SubmitOutcome};
use recharge_http::{ClientError, SendBefore};
use recharge_jisu::{JisuClient, JisuConfig, Method, OrderKey, Product, SignOrder};

fn client(config: JisuConfig) -> JisuClient {
    provider_with(config, []).0.client().clone()
}

fn recharge(config: JisuConfig) -> String {
    let client = client(config);
    let request =
        client.recharge_landline_request(&landline(), yuan(100), Carrier::Unicom, "111111111");
    shown(&request.unwrap())
}

fn mobile(config: JisuConfig) -> String {
    let request = client(config).recharge_mobile_request(&phone(), yuan(10), "111111111");
    shown(&request.unwrap())
}

// Proves: jisu.endpoint.telrecharge.recharge, jisu.product.telrecharge, jisu.telrecharge.fields, jisu.telrecharge.all-required, jisu.telrecharge.tel, jisu.telrecharge.amount, jisu.telrecharge.outorderno
#[test]
fn landline_recharge_is_a_get_by_default() {
    assert_snapshot!(recharge(config()));
}

// Proves: jisu.endpoint.telrecharge.recharge.post
#[test]
fn landline_recharge_as_post() {
    assert_snapshot!(recharge(config().with_method(Method::Post)));
}

// Proves: jisu.endpoint.mobilerecharge.recharge, jisu.mobilerecharge.fields, jisu.product.sibling
#[test]
fn mobile_recharge() {
    assert_snapshot!(mobile(config()));
}

#[test]
fn mobile_recharge_as_post() {
    assert_snapshot!(mobile(config().with_method(Method::Post)));
}

/// A recharge of 50 yuan by each carrier.
fn by_each_carrier(method: Method, kind: AccountKind, text: &str) -> String {
    let client = client(config().with_method(method));
    let account = Account::parse(kind, text).unwrap();
    let carriers = [
        Carrier::Unicom,
        Carrier::Telecom,
        Carrier::Tietong,
        Carrier::Mobile,
    ];
    let request =
        |carrier| client.recharge_landline_request(&account, yuan(50), carrier, "111111111");
    joined(carriers.map(|carrier| request(carrier).unwrap()))
}

fn joined(requests: impl IntoIterator<Item = Request<Bytes>>) -> String {
    requests
        .into_iter()
        .map(|request| shown(&request))
        .collect::<Vec<_>>()
        .join("\n")
}

// Proves: jisu.telrecharge.teltype, jisu.telrecharge.rechargetype
#[test]
fn landline_recharge_by_each_carrier() {
    let shown = |method| by_each_carrier(method, AccountKind::Landline, "057156565366");
    assert_snapshot!(shown(Method::Get));
    assert_snapshot!(shown(Method::Post));
}

// Proves: jisu.telrecharge.teltype, jisu.telrecharge.rechargetype
#[test]
fn broadband_recharge_by_each_carrier() {
    let shown = |method| by_each_carrier(method, AccountKind::Broadband, "hz12345678@163.gd");
    assert_snapshot!(shown(Method::Get));
    assert_snapshot!(shown(Method::Post));
}

// Proves: jisu.telrecharge.teltype, jisu.telrecharge.rechargetype
#[test]
fn combined_recharge_by_each_carrier() {
    let shown = |method| by_each_carrier(method, AccountKind::Combined, "0571-56565366");
    assert_snapshot!(shown(Method::Get));
    assert_snapshot!(shown(Method::Post));
}

// Proves: jisu.sign.formula, jisu.sign.name-order, jisu.sign.no-delimiter, jisu.sign.lower-hex, jisu.sign.unsigned-params, jisu.sign.default-sorted, jisu.sign.sample-code, jisu.sign.mobilerecharge
#[test]
fn signatures_are_those_of_another_implementation() {
    // md5sum of the values, written one after the other in the order of their names, and the appsecret.
    assert!(recharge(config()).contains("&sign=79681b98ca217ed77ccd0073baac3ba0 "));
    assert!(mobile(config()).contains("&sign=57ca518e6af9b3609d94fa014a55b588 "));
}

// Proves: jisu.sign.documented-table, jisu.sign.order-setting, jisu.sign.table-is-a-copy, jisu.sign.mobilerecharge
#[test]
fn the_order_of_the_documents_table_is_one_setting_away() {
    let table = || config().with_sign_order(SignOrder::DocumentedTable);
    assert_snapshot!(recharge(table()));
    assert_snapshot!(recharge(table().with_method(Method::Post)));
    for method in [Method::Get, Method::Post] {
        assert_eq!(
            mobile(table().with_method(method)),
            mobile(config().with_method(method)),
            "one reading for mobile numbers"
        );
    }
}

// Proves: jisu.endpoint.telrecharge.orderdetail, jisu.orderdetail.fields, jisu.orderdetail.unsigned
#[test]
fn landline_order_detail() {
    let ours = client(config()).order_detail_request(Product::Landline, OrderKey::Ours("A1"));
    assert_snapshot!(shown(&ours.unwrap()));
    let configured = config()
        .with_landline_detail_path("/telrecharge/detail")
        .unwrap();
    let client = client(configured);
    let keys = [OrderKey::Ours("A1"), OrderKey::Theirs("2016")];
    assert_snapshot!(joined(keys.map(|key| {
        let request = client.order_detail_request(Product::Landline, key);
        request.unwrap()
    })));
}

// Proves: jisu.endpoint.mobilerecharge.orderdetail, jisu.orderdetail.fields, jisu.orderdetail.unsigned
#[test]
fn mobile_order_detail_by_either_number() {
    let client = client(config());
    let ours = client.order_detail_request(Product::Mobile, OrderKey::Ours("A1"));
    let theirs = client.order_detail_request(Product::Mobile, OrderKey::Theirs("2016"));
    assert_snapshot!(format!(
        "{}\n{}",
        shown(&ours.unwrap()),
        shown(&theirs.unwrap())
    ));
}

// Proves: jisu.endpoint.telrecharge.orderlist, jisu.endpoint.mobilerecharge.orderlist, jisu.orderlist.fields
#[test]
fn order_list_of_each_product() {
    let client = client(config());
    let landline = client.order_list_request(Product::Landline, 1, 20).unwrap();
    let mobile = client.order_list_request(Product::Mobile, 2, 40).unwrap();
    assert_snapshot!(format!("{}\n{}", shown(&landline), shown(&mobile)));
}

// Proves: jisu.orderlist.paging
#[test]
fn pages_outside_the_documented_range_are_not_asked_for() {
    for (page, page_size, wanted) in [(0, 20, "from 1"), (1, 0, "1 to 40"), (1, 41, "1 to 40")] {
        match client(config()).order_list_request(Product::Mobile, page, page_size) {
            Err(ClientError::Input(why)) => assert!(why.contains(wanted), "{why}"),
            other => panic!("{other:?}"),
        }
    }
}

// Proves: jisu.endpoint.mobilerecharge.goods, jisu.endpoint.telrecharge.goods, jisu.goods.fields
#[test]
fn goods() {
    let request = client(config()).goods_request(Product::Mobile).unwrap();
    assert_snapshot!(shown(&request));
    match client(config()).goods_request(Product::Landline) {
        Err(ClientError::Input(why)) => assert!(why.contains("landline_goods_path"), "{why}"),
        other => panic!("no path is known: {other:?}"),
    }
    let configured = config()
        .with_landline_goods_path("/telrecharge/goods")
        .unwrap();
    let request = client(configured).goods_request(Product::Landline).unwrap();
    assert_snapshot!(shown(&request));
}

#[test]
fn a_base_url_keeps_its_prefix() {
    let plain = config()
        .with_base_url("http://127.0.0.1:8080/proxy/jisu")
        .unwrap();
    let slash = config()
        .with_base_url("http://127.0.0.1:8080/proxy/jisu/")
        .unwrap();
    for method in [Method::Get, Method::Post] {
        let text = every_call(plain.clone().with_method(method));
        let same = every_call(slash.clone().with_method(method));
        assert_eq!(text, same, "a slash at the end changes nothing");
        assert_snapshot!(text);
    }
}

/// Each call of each product, with the landline paths configured.
fn every_call(config: JisuConfig) -> String {
    let config = config.with_landline_detail_path("/telrecharge/detail");
    let config = config
        .unwrap()
        .with_landline_goods_path("/telrecharge/goods");
    let client = client(config.unwrap());
    let (yuan, ours) = (yuan(100), OrderKey::Ours("111111111"));
    let recharge =
        client.recharge_landline_request(&landline(), yuan, Carrier::Unicom, "111111111");
    let mut requests = vec![
        recharge.unwrap(),
        client
            .recharge_mobile_request(&phone(), yuan, "111111111")
            .unwrap(),
    ];
    for product in [Product::Landline, Product::Mobile] {
        requests.push(client.order_detail_request(product, ours).unwrap());
        requests.push(client.order_list_request(product, 1, 20).unwrap());
        requests.push(client.goods_request(product).unwrap());
    }
    joined(requests)
}

/// The trait's calls send what the typed calls send, each one request; which product is asked follows
/// from the kind of the account.
#[tokio::test]
async fn the_provider_sends_each_request_once() {
    let (jisu, sent) = provider_with(config(), []);
    let (mut landline, mobile) = (order(), mobile_order());
    let deadline = std::time::Instant::now();
    landline.send_before = Some(deadline);
    assert!(matches!(
        jisu.submit(&landline).await,
        SubmitOutcome::NotSent(_)
    ));
    assert!(matches!(
        jisu.submit(&mobile).await,
        SubmitOutcome::NotSent(_)
    ));
    let _ = jisu.query(&landline.query()).await;
    let _ = jisu.query(&mobile.query()).await;
    jisu.quote(&phone(), yuan(10)).await.unwrap_err();
    jisu.list(AccountKind::Mobile, 3).await.unwrap_err();
    let requests = sent.requests();
    assert_eq!(requests.len(), 6, "one request to a call");
    assert_eq!(
        requests[0].extensions().get::<SendBefore>(),
        Some(&SendBefore(deadline))
    );
    assert_snapshot!(requests.iter().map(shown).collect::<Vec<_>>().join("\n"));
}

// Proves: jisu.telrecharge.all-required
#[tokio::test]
async fn a_request_that_lacks_something_is_not_sent() {
    let (jisu, sent) = provider_with(config(), []);
    for carrier in [None, Some(Carrier::Broadnet)] {
        let mut order = order();
        order.carrier = carrier;
        match jisu.submit(&order).await {
            SubmitOutcome::NotSent(why) => assert!(why.reason.contains("tietong"), "{why:?}"),
            other => panic!("{other:?}"),
        }
    }
    let client = jisu.client();
    for number in ["", "A 1", "订单", &"1".repeat(65)] {
        let request = client.recharge_mobile_request(&phone(), yuan(10), number);
        assert!(matches!(request, Err(ClientError::Input(_))), "{number:?}");
    }
    let crossed = client.recharge_mobile_request(&landline(), yuan(10), "A1");
    assert!(matches!(crossed, Err(ClientError::Input(_))));
    let crossed = client.recharge_landline_request(&phone(), yuan(20), Carrier::Mobile, "A1");
    assert!(matches!(crossed, Err(ClientError::Input(_))));
    assert!(sent.requests().is_empty());
}

// Proves: jisu.sign.secret-never-travels
#[test]
fn a_second_request_of_the_same_order_has_the_same_bytes() {
    for method in [Method::Get, Method::Post] {
        let text = recharge(config().with_method(method));
        assert_eq!(text, recharge(config().with_method(method)));
        assert_eq!(text.matches(KEY).count(), 1, "the key once, as documented");
        assert!(!text.contains(SECRET), "the appsecret never travels");
        assert!(text.contains("111111111") && !text.contains(NUMBER));
    }
}
