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
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{Request, Response};
use recharge_core::{
    Account, AccountKind, AttemptNumber, CodeOverrides, FaceValue, QueryOutcome, SubmitOutcome,
    SubmitRequest,
};
use recharge_http::Transport;
use recharge_http::fake::{RecordingTransport, Reply, ScriptedTransport};
use recharge_http::judge::Exchange;
use recharge_juhe::{JuheConfig, JuheProvider};

/// Canaries: neither may be seen outside a request, and the OpenID not even there.
pub const KEY: &str = "canarykey0123456789abcdef0123456";
pub const OPEN_ID: &str = "JHcanaryopenid0123456789abcdef01";
pub const PHONE: &str = "18912345678";
pub const NUMBER: &str = "RAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// The documented answer to a submit (S), to the letter: its number and phone are the document's.
pub const SUBMIT: &str = r#"{"reason":"订单提交成功,等待充值","result":{"cardid":10423,"cardnum":1,"ordercash":1.06,"cardname":"江苏电信话费1元","sporder_id":"J201125162114667xxxxxxxx","uorderid":"111111111","game_userid":"189xxxxxxxx","game_state":0},"error_code":0}"#;
pub const SUBMIT_NUMBER: &str = "111111111";
/// The documented answer to a status query (S), with a state to be put in.
pub const STATUS: &str = r#"{"reason":"查询成功","result":{"uordercash":"1.060","sporder_id":"J201125162114667xxxxxxxx","game_state":"STATE"},"error_code":0}"#;
/// telcheck's "yes" (H).
pub const TELCHECK: &str = r#"{"reason":"允许充值的手机号码及金额","result":null,"error_code":0}"#;
/// telquery (S).
pub const TELQUERY: &str = r#"{"reason":"查询成功","result":{"cardid":10880,"cardname":"浙江移动话费10元","inprice":10.2,"game_area":"浙江杭州移动"},"error_code":0}"#;
/// yue (M).
pub const YUE: &str =
    r#"{"reason":"查询成功","result":{"uid":"1234","money":"0.000"},"error_code":0}"#;
/// orderlist (M).
pub const ORDERLIST: &str = r#"{"reason":"查询成功","result":{"totalcount":"51","totalpage":"2","page":"1","pagesize":"50","data":[{"sporder_id":"J1","uorderid":"111111111","cardid":"10423","cardnum":"1","uordercash":"1.060","cardname":"江苏电信话费1元","game_state":"1","game_userid":"18912345678","addtime":"2020-11-25 16:21:14"},{"sporder_id":"J2","uorderid":"222222222","cardid":"10423","cardnum":"1","uordercash":"1.060","cardname":"江苏电信话费1元","game_state":"7","game_userid":"18912345678","addtime":"2020-11-25 16:21:15"}]},"error_code":0}"#;

pub fn config() -> JuheConfig {
    JuheConfig::new(KEY.into(), OPEN_ID.into())
        .unwrap()
        .with_clock(|| UNIX_EPOCH + Duration::from_secs(1_606_292_474))
}

pub fn before_1970() -> SystemTime {
    UNIX_EPOCH - Duration::from_secs(1)
}

pub fn phone() -> Account {
    Account::parse(AccountKind::Mobile, PHONE).unwrap()
}

pub fn yuan(yuan: u32) -> FaceValue {
    FaceValue::from_yuan(yuan).unwrap()
}

pub fn order() -> SubmitRequest {
    SubmitRequest::new(AttemptNumber::parse(NUMBER).unwrap(), phone(), yuan(1))
}

/// A provider whose upstream gives these replies, and the record of what was sent.
pub fn provider_with(
    config: JuheConfig,
    replies: impl IntoIterator<Item = Reply>,
) -> (JuheProvider, Arc<RecordingTransport<ScriptedTransport>>) {
    let transport = Arc::new(RecordingTransport::new(ScriptedTransport::new(replies)));
    let shared: Arc<dyn Transport> = transport.clone();
    (JuheProvider::new(config, shared), transport)
}

/// A provider whose upstream answers this body with status 200.
pub fn answering(body: &str) -> JuheProvider {
    provider_with(config(), [Reply::text(200, body.to_owned())]).0
}

pub fn with_overrides(overrides: CodeOverrides) -> JuheProvider {
    provider_with(config().with_code_overrides(overrides), []).0
}

pub fn exchange(body: impl Into<Bytes>) -> Exchange {
    Ok(Response::new(body.into()))
}

/// What the answer to a submit of [`NUMBER`] tells.
pub fn read_submit(body: impl Into<Bytes>) -> SubmitOutcome {
    answering("").read_submit(NUMBER, &phone(), &exchange(body))
}

/// What the answer to a query about [`NUMBER`] tells.
pub fn read_query(body: impl Into<Bytes>) -> QueryOutcome {
    answering("").read_query(NUMBER, &phone(), &exchange(body))
}

/// The documented submit answer, for [`NUMBER`] and [`PHONE`].
pub fn submit_answer() -> String {
    SUBMIT
        .replace(SUBMIT_NUMBER, NUMBER)
        .replace("189xxxxxxxx", PHONE)
}

/// The documented status answer in that state.
pub fn status_answer(state: &str) -> String {
    STATUS.replace("STATE", state)
}

/// An answer of that code without a result.
pub fn refusal(code: &str) -> String {
    format!(r#"{{"reason":"理由","result":null,"error_code":{code}}}"#)
}

/// A request to the last byte: line ends of the body are shown.
pub fn shown(request: &Request<Bytes>) -> String {
    let mut text = format!(
        "{} {} {:?}\n",
        request.method(),
        request.uri(),
        request.version()
    );
    for (name, value) in request.headers() {
        writeln!(text, "{name}: {}", value.to_str().unwrap()).unwrap();
    }
    let body = std::str::from_utf8(request.body()).unwrap();
    write!(text, "\n{}", body.replace("\r\n", "\\r\\n\n")).unwrap();
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
