//! A small adapter that keeps the contract, and the words of its upstream.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::Request;
use recharge_conformance::provider::{CallbackSample, OnSubmit, Situation, number};
use recharge_conformance::{Asked, Booked, Form, Say, StubBench, Wire};
use recharge_core::{
    Account, AccountKind, Answer, AttemptNumber, Call, CallError, Callback, CallbackError,
    Capabilities, Carrier, Code, CodeOverrides, CodeTable, Confidence, FaceValue, Money, NotSent,
    Offer, Page, Provider, ProviderExt, ProviderId, QueryClass, QueryOutcome, QueryRequest, Quote,
    Redactor, SecretString, SubmitClass, SubmitOutcome, SubmitRequest, UpstreamOrder,
    UpstreamOrderId, UpstreamState,
};
use recharge_http::form::{BaseUrl, Encoding, Form as Fields, request};
use recharge_http::judge::{self, Judge, NotSeen, Seen, Told, lacks, upstream_id};
use recharge_http::read::{Loose, Rows, Text};
use recharge_http::{SendBefore, Transport};
use recharge_sim::md5;
use serde::Deserialize;

pub(crate) const KEY: &str = "CANARY-key-of-honest";

/// The stub with the honest adapter.
pub(crate) fn bench() -> StubBench<Words> {
    bench_of(|honest| honest)
}

/// The stub with another adapter around the honest one.
pub(crate) fn bench_of(
    wrap: impl FnOnce(Arc<dyn Provider>) -> Arc<dyn Provider>,
) -> StubBench<Words> {
    StubBench::new(Words, |transport| wrap(Arc::new(Honest::new(transport))))
}

const fn code(code: &'static str, on_submit: SubmitClass, on_query: QueryClass) -> Code {
    Code {
        code,
        chinese: "",
        english: "of the honest upstream",
        on_submit,
        on_query,
        confidence: Confidence::Document,
        source: "this file",
        advice: None,
    }
}

const CODES: &[Code] = &[
    code("0", SubmitClass::Accepted, QueryClass::Understood),
    code("1", SubmitClass::NotAccepted, QueryClass::Refused),
    code("2", SubmitClass::Unknown, QueryClass::Other),
    code("3", SubmitClass::Unknown, QueryClass::Other),
    code("4", SubmitClass::Unknown, QueryClass::Other),
    code("5", SubmitClass::Unknown, QueryClass::NotFound),
    code("6", SubmitClass::Unknown, QueryClass::RateLimited),
];

#[derive(Deserialize)]
struct Envelope {
    #[serde(default)]
    code: Text,
    #[serde(default)]
    order: Loose<Order>,
    #[serde(default)]
    price: Text,
    #[serde(default)]
    orders: Option<Rows<Order>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Order {
    number: Text,
    account: Text,
    id: Text,
    state: Text,
}

impl judge::Envelope for Envelope {
    fn code(&self) -> &str {
        self.code.as_str()
    }

    fn message(&self) -> &'static str {
        ""
    }
}

fn state(text: &str) -> Option<UpstreamState> {
    match text {
        "0" => Some(UpstreamState::Charging),
        "1" => Some(UpstreamState::Succeeded),
        "2" => Some(UpstreamState::Failed),
        _ => None,
    }
}

impl Envelope {
    fn seen(&self, number: AttemptNumber, account: &Account) -> Result<Seen, NotSeen> {
        let order = self.order.object();
        let order = order.ok_or(NotSeen::Unreadable("no order"))?;
        let named = order
            .number
            .given()
            .is_none_or(|echo| echo == number.as_str());
        if !named || !account.is_named_by(order.account.as_str()) {
            return Err(NotSeen::Echo("another order"));
        }
        Ok(Seen {
            state: state(order.state.as_str()).ok_or(NotSeen::Unreadable("the state"))?,
            upstream_order_id: upstream_id(&order.id)?,
            cost: None,
        })
    }
}

#[derive(Debug)]
pub(crate) struct Honest {
    transport: Arc<dyn Transport>,
    judge: Judge,
    id: ProviderId,
    capabilities: Capabilities,
    key: SecretString,
}

impl Honest {
    fn new(transport: Arc<dyn Transport>) -> Self {
        let values = |yuan: &[u32]| {
            let values = yuan.iter().map(|yuan| FaceValue::from_yuan(*yuan).unwrap());
            values.collect::<Vec<_>>()
        };
        let mut landline = Offer::new(AccountKind::Landline, values(&[50]));
        landline.carriers = vec![Carrier::Unicom, Carrier::Telecom];
        let offers = vec![Offer::new(AccountKind::Mobile, values(&[10, 30])), landline];
        let mut capabilities = Capabilities::new(offers, Call::ALL.to_vec());
        capabilities.refuses_duplicates = true;
        capabilities.callback_covers_state = true;
        Self {
            transport,
            judge: Judge::new(
                CodeTable::new(CODES, CodeOverrides::new()),
                Redactor::new([KEY.into()]),
            ),
            id: ProviderId::parse("honest").unwrap(),
            capabilities,
            key: KEY.into(),
        }
    }

    fn http(&self, path: &str, fields: &[(&str, &str)]) -> Request<Bytes> {
        use recharge_core::ExposeSecret as _;
        let base = BaseUrl::parse("http://honest.test").unwrap();
        let mut all = vec![("key", self.key.expose_secret())];
        all.extend_from_slice(fields);
        request(Encoding::Query, &base, path, &all, "test").unwrap()
    }

    async fn told(
        &self,
        path: &str,
        order: Option<(&Account, FaceValue)>,
    ) -> Result<Told<Envelope>, CallError> {
        let amount = order
            .map(|(_, amount)| amount.to_string())
            .unwrap_or_default();
        let account = order.map(|(account, _)| account);
        let fields = [
            ("account", account.map_or("", Account::as_str)),
            ("amount", &amount),
        ];
        let exchange = self.transport.send(self.http(path, &fields)).await;
        self.judge.call::<Envelope>(&exchange, account)
    }
}

#[async_trait]
impl Provider for Honest {
    fn id(&self) -> &ProviderId {
        &self.id
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn submit(&self, order: &SubmitRequest) -> SubmitOutcome {
        if !self.sells(order) {
            return SubmitOutcome::NotSent(NotSent::new("not on offer"));
        }
        let amount = order.amount.to_string();
        let fields = [
            ("number", order.number.as_str()),
            ("account", order.account.as_str()),
            ("amount", &amount),
        ];
        let mut http = self.http("/submit", &fields);
        if let Some(moment) = order.send_before {
            http.extensions_mut().insert(SendBefore(moment));
        }
        let exchange = self.transport.send(http).await;
        self.judge
            .submit(&exchange, &order.account, |envelope: &Envelope| {
                envelope.seen(order.number, &order.account)
            })
    }

    async fn query(&self, order: &QueryRequest) -> QueryOutcome {
        let http = self.http("/state", &[("number", order.number.as_str())]);
        let exchange = self.transport.send(http).await;
        self.judge
            .query(&exchange, &order.account, |envelope: &Envelope| {
                envelope.seen(order.number, &order.account)
            })
    }

    async fn check(
        &self,
        account: &Account,
        amount: FaceValue,
    ) -> Result<Result<(), Answer>, CallError> {
        Ok(match self.told("/check", Some((account, amount))).await? {
            Told::Understood(..) => Ok(()),
            Told::Refused(answer) | Told::NotFound(answer) => Err(answer),
        })
    }

    async fn quote(&self, account: &Account, amount: FaceValue) -> Result<Quote, CallError> {
        let (envelope, answer) = self
            .told("/price", Some((account, amount)))
            .await?
            .understood()?;
        let price = envelope.price.money();
        let price = price.ok_or_else(|| lacks("no price", answer))?;
        Ok(Quote::new(price, "top-up".to_owned()))
    }

    async fn balance(&self) -> Result<Money, CallError> {
        let (envelope, answer) = self.told("/price", None).await?.understood()?;
        envelope
            .price
            .money()
            .ok_or_else(|| lacks("no balance", answer))
    }

    async fn list(&self, _kind: AccountKind, _page: u32) -> Result<Page, CallError> {
        let (envelope, answer) = self.told("/orders", None).await?.understood()?;
        let rows = envelope.orders.ok_or_else(|| lacks("no orders", answer))?;
        let row = |order: &Order| {
            let mut row = UpstreamOrder::new(order.number.to_string());
            row.upstream_order_id = upstream_id(&order.id).unwrap_or(None);
            row.state = state(order.state.as_str());
            row
        };
        Ok(Page::new(rows.0.iter().map(row).collect(), false))
    }

    fn parse_callback(
        &self,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Result<Callback, CallbackError> {
        let unusable =
            |error: recharge_http::form::FormError| CallbackError::Unusable(error.to_string());
        let form = Fields::parse(content_type, body).map_err(unusable)?;
        let number = form.required("number").map_err(unusable)?;
        let id = form.required("id").map_err(unusable)?;
        let claimed = form.required("state").map_err(unusable)?;
        if form.required("sign").map_err(unusable)? != sign(number, id, claimed) {
            return Err(CallbackError::Forged);
        }
        let mut callback = Callback::new(number.to_owned());
        callback.upstream_order_id = UpstreamOrderId::parse(id).ok();
        callback.claims = state(claimed);
        callback.covers_state = true;
        Ok(callback)
    }
}

fn sign(number: &str, id: &str, state: &str) -> String {
    md5::hex(&[number, "/", id, "/", state, "/", KEY])
}

/// How the honest upstream speaks.
pub(crate) struct Words;

fn order(order: &Booked, state: &str) -> String {
    let Booked {
        number,
        upstream_id,
        account,
        ..
    } = order;
    format!(r#"{{"number":"{number}","account":"{account}","id":"{upstream_id}","state":{state}}}"#)
}

const fn digit(state: UpstreamState) -> &'static str {
    match state {
        UpstreamState::Charging => "0",
        UpstreamState::Succeeded => "1",
        UpstreamState::Failed => "2",
    }
}

impl Wire for Words {
    fn read(&self, request: &Request<Bytes>) -> Option<Asked> {
        let query = request.uri().query()?;
        let fields = Fields::parse(None, query.as_bytes()).unwrap();
        let field = |name| fields.get(name).unwrap_or_default().to_owned();
        assert_eq!(field("key"), KEY);
        match request.uri().path() {
            "/submit" => Some(Asked::Submit {
                number: field("number"),
                account: field("account"),
                amount: field("amount"),
            }),
            "/state" => Some(Asked::Query {
                number: field("number"),
            }),
            "/check" if !["10", "30", "50"].contains(&field("amount").as_str()) => {
                Some(Asked::Other("no"))
            }
            "/check" | "/price" => Some(Asked::Other("price")),
            "/orders" => Some(Asked::Other("orders")),
            _ => None,
        }
    }

    fn say(&self, what: Say<'_>) -> Option<String> {
        let code = |code: &str| format!(r#"{{"code":{code}}}"#);
        Some(match what {
            Say::Accepted(booked) => format!(r#"{{"code":0,"order":{}}}"#, order(booked, "0")),
            Say::State(booked) => {
                format!(
                    r#"{{"code":0,"order":{}}}"#,
                    order(booked, digit(booked.state))
                )
            }
            Say::UnlistedState(booked) => format!(r#"{{"code":0,"order":{}}}"#, order(booked, "7")),
            Say::Refused | Say::Other("no", _) => code("1"),
            Say::Duplicate => code("2"),
            Say::SystemError => code("3"),
            Say::SoundsFailed => code("4"),
            Say::NoSuchOrder => code("5"),
            Say::RateLimited => code("6"),
            Say::UnlistedCode => code("99"),
            Say::Other("orders", orders) => {
                let rows: Vec<String> = orders
                    .iter()
                    .map(|booked| order(booked, digit(booked.state)))
                    .collect();
                format!(r#"{{"code":0,"orders":[{}]}}"#, rows.join(","))
            }
            Say::Other(..) => r#"{"code":0,"price":"9.90"}"#.to_owned(),
        })
    }

    fn vary(&self, answer: &str, form: Form) -> Option<String> {
        Some(match form {
            Form::OtherTypes => answer.replace(r#""code":0"#, r#""code":"0""#),
            Form::WrongTyped => answer.replace(r#""code":0"#, r#""code":[0]"#),
            Form::DuplicateKey => answer.replace(r#"{"code":0"#, r#"{"code":1,"code":0"#),
            Form::EmptyEcho => return None,
        })
    }

    fn callback(&self, booked: &Booked) -> Option<CallbackSample> {
        let state = digit(booked.state);
        let sign = sign(&booked.number, &booked.upstream_id, state);
        let fields = [
            ("number", booked.number.as_str()),
            ("id", &booked.upstream_id),
            ("state", state),
            ("sign", &sign),
        ];
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Some(CallbackSample {
            fields: fields.to_vec(),
            signed: vec!["number", "id", "state", "sign"],
            state: "state",
            opposite: if state == "1" { "2" } else { "1" },
        })
    }

    fn order(&self, kind: AccountKind, n: u64) -> SubmitRequest {
        let (account, yuan) = match kind {
            AccountKind::Mobile => (format!("189{n:08}"), 10),
            AccountKind::Landline => (format!("0571-5{n:07}"), 50),
            AccountKind::Broadband | AccountKind::Combined => panic!("not on offer"),
        };
        let account = Account::parse(kind, &account).unwrap();
        let amount = FaceValue::from_yuan(yuan).unwrap();
        let mut order = SubmitRequest::new(number(n), account, amount);
        order.carrier = (kind == AccountKind::Landline).then_some(Carrier::Unicom);
        order
    }

    fn secrets(&self) -> Vec<String> {
        vec![KEY.to_owned()]
    }

    fn cannot(&self) -> &[(Situation, &'static str)] {
        &[(
            Situation::Submit(OnSubmit::EmptyEcho),
            "the upstream always names the number",
        )]
    }
}
