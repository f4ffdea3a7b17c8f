//! What the tests of this adapter share.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unnecessary_wraps,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "each test file uses a part of it; a test fails by panicking"
)]

use std::fmt::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use recharge_core::{
    Account, AccountKind, AttemptNumber, Carrier, CodeOverrides, FaceValue, QueryOutcome,
    SubmitOutcome, SubmitRequest,
};
use recharge_http::Transport;
use recharge_http::fake::{RecordingTransport, Reply, ScriptedTransport};
use recharge_http::judge::Exchange;
use recharge_jisu::{JisuConfig, JisuProvider};

/// Canaries: neither may be seen outside a request, and the appsecret not even there.
pub const KEY: &str = "canarykey0123456";
pub const SECRET: &str = "canarysecret0123456789abcdef0123";
pub const TEL: &str = "0571-56565366";
pub const PHONE: &str = "18912345678";
pub const NUMBER: &str = "RAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// The documented answer to a landline recharge (S).
pub const RECHARGE: &str = r#"{"status":"0","msg":"ok","result":{"tel":"0571-56565366","amount":"100","outorderno":"","orderno":"201604280717555074534","totalfee":"99.65","teltype":"1","rechargetype":"1","rechargestatus":"0"}}"#;
/// The documented order detail (H), with a state to be put in; its row status is 1.
pub const DETAIL: &str = r#"{"status":"0","msg":"ok","result":{"orderno":"201604221548299413672","outorderno":"RAAAAAAAAAAAAAAAAAAAAAAAAAA","account":"18912345678","num":"1","status":"1","rechargestatus":"STATE","amount":"10.00","totalfee":"9.95","addtime":"1461309295","name":"电信10元","areaid":"0","company":"电信"}}"#;
/// An order list (H, M), in one of the shapes that may hold the rows.
pub const ORDERLIST: &str = r#"{"status":"0","msg":"ok","result":{"total":"41","pagenum":"1","pagesize":"40","list":[{"orderno":"2016","outorderno":"111111111","account":"18912345678","num":"1","status":"1","rechargestatus":"1","amount":"10.00","totalfee":"9.95","price":"9.95","addtime":"1461309295","name":"电信10元","areaid":"0","company":"电信","teltype":"2","rechargetype":"1"},{"orderno":"2017","outorderno":"222222222","account":"18912345678","num":"1","status":"1","rechargestatus":"5","amount":"10.00","totalfee":"","price":"9.95","addtime":"1461309296","name":"电信10元","areaid":"0","company":"电信"}]}}"#;
/// Goods (M), as a bare array.
pub const GOODS: &str = r#"{"status":"0","msg":"ok","result":[{"name":"移动10元","areaid":"0","company":"移动","price":"9.98","amount":"10"},{"name":"电信10元","areaid":"0","company":"电信","price":"9.95","amount":"10.00"},{"name":"电信20元","areaid":"0","company":"电信","price":19.9,"amount":20}]}"#;

pub fn config() -> JisuConfig {
    JisuConfig::new(KEY.into(), SECRET.into()).unwrap()
}

pub fn landline() -> Account {
    Account::parse(AccountKind::Landline, TEL).unwrap()
}

pub fn phone() -> Account {
    Account::parse(AccountKind::Mobile, PHONE).unwrap()
}

pub fn yuan(yuan: u32) -> FaceValue {
    FaceValue::from_yuan(yuan).unwrap()
}

/// The documented sample: a landline of Unicom, 100 yuan.
pub fn order() -> SubmitRequest {
    let mut order =
        SubmitRequest::new(AttemptNumber::parse(NUMBER).unwrap(), landline(), yuan(100));
    order.carrier = Some(Carrier::Unicom);
    order
}

pub fn mobile_order() -> SubmitRequest {
    SubmitRequest::new(AttemptNumber::parse(NUMBER).unwrap(), phone(), yuan(10))
}

/// A provider whose upstream gives these replies, and the record of what was sent.
pub fn provider_with(
    config: JisuConfig,
    replies: impl IntoIterator<Item = Reply>,
) -> (JisuProvider, Arc<RecordingTransport<ScriptedTransport>>) {
    let transport = Arc::new(RecordingTransport::new(ScriptedTransport::new(replies)));
    let shared: Arc<dyn Transport> = transport.clone();
    (JisuProvider::new(config, shared), transport)
}

/// A provider whose upstream answers this body with status 200.
pub fn answering(body: &str) -> JisuProvider {
    provider_with(config(), [Reply::text(200, body.to_owned())]).0
}

pub fn with_overrides(overrides: CodeOverrides) -> JisuProvider {
    provider_with(config().with_code_overrides(overrides), []).0
}

pub fn exchange(body: impl Into<Bytes>) -> Exchange {
    Ok(Response::new(body.into()))
}

/// What the answer to a recharge of the landline with 100 yuan tells.
pub fn read_submit(body: impl Into<Bytes>) -> SubmitOutcome {
    answering("").read_submit(NUMBER, &landline(), yuan(100), &exchange(body))
}

/// What the detail of a mobile recharge of 10 yuan tells.
pub fn read_query(body: impl Into<Bytes>) -> QueryOutcome {
    answering("").read_query(NUMBER, &phone(), yuan(10), &exchange(body))
}

/// The documented recharge answer, with our number in it.
pub fn submit_answer() -> String {
    RECHARGE.replace(
        "\"outorderno\":\"\"",
        &format!("\"outorderno\":\"{NUMBER}\""),
    )
}

/// The documented order detail in that state.
pub fn status_answer(state: &str) -> String {
    DETAIL.replace("STATE", state)
}

/// An answer of that code without a result.
pub fn refusal(code: &str) -> String {
    format!(r#"{{"status":{code},"msg":"理由","result":""}}"#)
}

/// A request to the last byte.
pub fn shown(request: &Request<Bytes>) -> String {
    let (method, uri, version) = (request.method(), request.uri(), request.version());
    let mut text = format!("{method} {uri} {version:?}\n");
    for (name, value) in request.headers() {
        writeln!(text, "{name}: {}", value.to_str().unwrap()).unwrap();
    }
    let body = std::str::from_utf8(request.body()).unwrap();
    write!(text, "\n{body}").unwrap();
    text
}

/// The kind of an outcome, in one word or two.
pub fn told(outcome: &SubmitOutcome) -> String {
    match outcome {
        SubmitOutcome::Accepted(_) => "accepted".to_owned(),
        SubmitOutcome::Rejected(_) => "rejected".to_owned(),
        SubmitOutcome::NotSent(_) => "not sent".to_owned(),
        SubmitOutcome::Unknown(doubt) => format!("unknown {:?}", doubt.kind),
    }
}

/// The kind of an outcome, in one word or two.
pub fn learnt(outcome: &QueryOutcome) -> String {
    match outcome {
        QueryOutcome::Found(sighting) => format!("found {}", sighting.state.as_str()),
        QueryOutcome::NotFound(_) => "not found".to_owned(),
        QueryOutcome::Unavailable(trouble) => format!("unavailable {:?}", trouble.kind),
    }
}
