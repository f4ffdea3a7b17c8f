//! The suites that every provider, every transport and every store must pass, and what they run against.
//!
//! - [`provider`] with [`provider_suite!`]: a provider against an upstream with books. The books may be
//!   those of the simulator ([`SimBench`]), of an in-memory stub that needs only the upstream's words
//!   ([`StubBench`]), or of your own stub ([`provider::Bench`]).
//! - [`transport`] with [`transport_suite!`]: a transport against real socket faults.
//! - [`store`] with [`store_suite!`]: a store of the engine's, against crashes and commits of unknown fate.
//! - [`ratio`]: rows of the benches, as ratios taken in one run.
//!
//! Use it as a dev-dependency: the suites from files in `tests/`, because in a unit test the traits would
//! exist twice, and [`ratio`] from files in `benches/`. It knows no adapter: adapters' tests bring their
//! own.
//!
//! # An adapter from nothing
//!
//! A whole adapter in memory, for an upstream that sells 50 yuan for mobile phones, and the suite on it.
//! In a crate the first half is `codes.rs`, `wire.rs` and `provider.rs`, and the second half is
//! `tests/conformance.rs`.
//!
//! ```
//! use std::sync::Arc;
//!
//! use async_trait::async_trait;
//! use bytes::Bytes;
//! use http::Request;
//! use recharge_core::{
//!     Account, AccountKind, AttemptNumber, Call, Capabilities, Code, CodeOverrides, CodeTable,
//!     Confidence, ExposeSecret, FaceValue, NotSent, Offer, Provider, ProviderExt, ProviderId,
//!     QueryClass, QueryOutcome, QueryRequest, Redactor, SecretString, SubmitClass, SubmitOutcome,
//!     SubmitRequest, Unavailable, UnavailableKind, UpstreamState,
//! };
//! use recharge_http::form::{BaseUrl, Encoding, request};
//! use recharge_http::judge::{self, Judge, NotSeen, Seen, upstream_id};
//! use recharge_http::read::{Loose, Text};
//! use recharge_http::{SendBefore, Transport};
//! use serde::Deserialize;
//!
//! // codes.rs: what each code proves. What is not listed proves nothing.
//! const fn code(code: &'static str, on_submit: SubmitClass, on_query: QueryClass) -> Code {
//!     Code {
//!         code, chinese: "", english: "", on_submit, on_query,
//!         confidence: Confidence::Document, source: "Tiny's manual", advice: None,
//!     }
//! }
//! const CODES: &[Code] = &[
//!     code("0", SubmitClass::Accepted, QueryClass::Understood),
//!     code("1", SubmitClass::NotAccepted, QueryClass::Refused), // balance too low
//!     code("2", SubmitClass::Unknown, QueryClass::Other),       // the number exists
//!     code("3", SubmitClass::Unknown, QueryClass::Other),       // system error
//!     code("4", SubmitClass::Unknown, QueryClass::NotFound),    // no such order
//!     code("5", SubmitClass::NotAccepted, QueryClass::RateLimited),
//! ];
//!
//! // wire.rs: the shape of an answer. `Text` takes numbers and strings.
//! #[derive(Deserialize)]
//! struct Envelope {
//!     #[serde(default)]
//!     code: Text,
//!     #[serde(default)]
//!     order: Loose<Order>,
//! }
//!
//! #[derive(Default, Deserialize)]
//! #[serde(default)]
//! struct Order {
//!     number: Text,
//!     phone: Text,
//!     id: Text,
//!     state: Text,
//! }
//!
//! impl judge::Envelope for Envelope {
//!     fn code(&self) -> &str { self.code.as_str() }
//!     fn message(&self) -> &'static str { "" }
//! }
//!
//! impl Envelope {
//!     /// The order that it shows, if that is the one asked about.
//!     fn shows(&self, number: AttemptNumber, phone: &Account) -> Result<Seen, NotSeen> {
//!         let order = self.order.object().ok_or(NotSeen::Unreadable("it shows no order"))?;
//!         if order.number.as_str() != number.as_str() || !phone.is_named_by(order.phone.as_str()) {
//!             return Err(NotSeen::Echo("it names another order"));
//!         }
//!         let state = match order.state.as_str() {
//!             "charging" => UpstreamState::Charging,
//!             "succeeded" => UpstreamState::Succeeded,
//!             "failed" => UpstreamState::Failed,
//!             _ => return Err(NotSeen::Unreadable("its state is not listed")),
//!         };
//!         Ok(Seen { state, upstream_order_id: upstream_id(&order.id)?, cost: None })
//!     }
//! }
//!
//! // provider.rs
//! #[derive(Debug)]
//! struct Tiny {
//!     id: ProviderId,
//!     capabilities: Capabilities,
//!     key: SecretString,
//!     judge: Judge,
//!     transport: Arc<dyn Transport>,
//! }
//!
//! impl Tiny {
//!     fn new(key: SecretString, transport: Arc<dyn Transport>) -> Self {
//!         let fifty = FaceValue::from_yuan(50).expect("above zero");
//!         let offer = Offer::new(AccountKind::Mobile, vec![fifty]);
//!         let mut capabilities = Capabilities::new(vec![offer], vec![Call::Submit, Call::Query]);
//!         capabilities.refuses_duplicates = true;
//!         let codes = CodeTable::new(CODES, CodeOverrides::new());
//!         Self {
//!             id: ProviderId::parse("tiny").expect("a name"),
//!             capabilities,
//!             judge: Judge::new(codes, Redactor::new([key.clone()])),
//!             key,
//!             transport,
//!         }
//!     }
//!
//!     fn http(&self, path: &str, fields: &[(&str, &str)]) -> Result<Request<Bytes>, http::Error> {
//!         let base = BaseUrl::parse("http://tiny.test").expect("an address");
//!         let mut all = vec![("key", self.key.expose_secret())];
//!         all.extend_from_slice(fields);
//!         request(Encoding::Query, &base, path, &all, "tiny")
//!     }
//! }
//!
//! #[async_trait]
//! impl Provider for Tiny {
//!     fn id(&self) -> &ProviderId { &self.id }
//!     fn capabilities(&self) -> &Capabilities { &self.capabilities }
//!
//!     async fn submit(&self, order: &SubmitRequest) -> SubmitOutcome {
//!         if !self.sells(order) {
//!             return SubmitOutcome::NotSent(NotSent::new("Tiny sells 50 yuan for mobile phones"));
//!         }
//!         let (number, phone) = (order.number.as_str(), order.account.as_str());
//!         let Ok(mut http) = self.http("/order", &[("number", number), ("phone", phone)]) else {
//!             return SubmitOutcome::NotSent(NotSent::new("the address can't be used"));
//!         };
//!         if let Some(moment) = order.send_before {
//!             http.extensions_mut().insert(SendBefore(moment));
//!         }
//!         let exchange = self.transport.send(http).await;
//!         self.judge.submit(&exchange, &order.account, |answer: &Envelope| {
//!             answer.shows(order.number, &order.account)
//!         })
//!     }
//!
//!     async fn query(&self, order: &QueryRequest) -> QueryOutcome {
//!         let Ok(http) = self.http("/state", &[("number", order.number.as_str())]) else {
//!             let kind = UnavailableKind::Transport;
//!             return QueryOutcome::Unavailable(Unavailable::new(kind, "the address can't be used"));
//!         };
//!         let exchange = self.transport.send(http).await;
//!         self.judge.query(&exchange, &order.account, |answer: &Envelope| {
//!             answer.shows(order.number, &order.account)
//!         })
//!     }
//! }
//!
//! // tests/conformance.rs: how Tiny speaks, written without the adapter's own code, so that an error
//! // in one can't hide one in the other.
//! use recharge_conformance::provider::{OnSubmit, OnQuery, Situation, number};
//! use recharge_conformance::{Asked, Booked, Form, Say, StubBench, Wire};
//!
//! struct TinyWire;
//!
//! impl Wire for TinyWire {
//!     fn read(&self, request: &Request<Bytes>) -> Option<Asked> {
//!         let query = request.uri().query()?;
//!         let field = |name: &str| {
//!             let mut fields = query.split('&').filter_map(|field| field.split_once('='));
//!             fields.find(|(known, _)| *known == name).map(|(_, value)| value.to_owned())
//!         };
//!         let number = field("number")?;
//!         match request.uri().path() {
//!             "/order" => {
//!                 let (account, amount) = (field("phone")?, "50".to_owned());
//!                 Some(Asked::Submit { number, account, amount })
//!             }
//!             "/state" => Some(Asked::Query { number }),
//!             _ => None,
//!         }
//!     }
//!
//!     fn say(&self, what: Say<'_>) -> Option<String> {
//!         let code = |code: u32| Some(format!(r#"{{"code":{code}}}"#));
//!         let order = |order: &Booked, state: &str| {
//!             let Booked { number, account, upstream_id, .. } = order;
//!             Some(format!(
//!                 r#"{{"code":0,"order":{{"number":"{number}","phone":"{account}","id":"{upstream_id}","state":"{state}"}}}}"#
//!             ))
//!         };
//!         match what {
//!             Say::Accepted(booked) => order(booked, "charging"),
//!             Say::State(booked) => order(booked, booked.state.as_str()),
//!             Say::UnlistedState(booked) => order(booked, "on holiday"),
//!             Say::Refused => code(1),
//!             Say::Duplicate => code(2),
//!             Say::SystemError => code(3),
//!             Say::NoSuchOrder => code(4),
//!             Say::RateLimited => code(5),
//!             Say::UnlistedCode => code(99),
//!             Say::SoundsFailed | Say::Other(..) => None,
//!         }
//!     }
//!
//!     fn vary(&self, answer: &str, form: Form) -> Option<String> {
//!         let with = |code: &str| Some(answer.replace(r#""code":0"#, code));
//!         match form {
//!             Form::OtherTypes => with(r#""code":"0""#),
//!             Form::WrongTyped => with(r#""code":[0]"#),
//!             Form::DuplicateKey => with(r#""code":1,"code":0"#),
//!             Form::EmptyEcho => None,
//!         }
//!     }
//!
//!     fn order(&self, kind: AccountKind, n: u64) -> SubmitRequest {
//!         let phone = Account::parse(kind, &format!("189{n:08}")).expect("a phone");
//!         SubmitRequest::new(number(n), phone, FaceValue::from_yuan(50).expect("above zero"))
//!     }
//!
//!     fn secrets(&self) -> Vec<String> {
//!         vec!["tinys-key".to_owned()]
//!     }
//!
//!     fn cannot(&self) -> &[(Situation, &'static str)] {
//!         // What is left out must be said, and why.
//!         const NO_SUCH_CODE: &str = "every code of Tiny's is clear";
//!         &[
//!             (Situation::Submit(OnSubmit::SoundsFailed), NO_SUCH_CODE),
//!             (Situation::Submit(OnSubmit::SoundsFailedTaken), NO_SUCH_CODE),
//!             (Situation::Submit(OnSubmit::EmptyEcho), "Tiny always names the number"),
//!         ]
//!     }
//! }
//!
//! async fn bench() -> StubBench<TinyWire> {
//!     StubBench::new(TinyWire, |transport| Arc::new(Tiny::new("tinys-key".into(), transport)))
//! }
//!
//! // In a file in `tests/` this is the whole suite, one test to a case:
//! mod conformance {
//! #   #[allow(unused_imports)]
//!     use super::*;
//!     recharge_conformance::provider_suite!(bench());
//! }
//!
//! // The same cases, one by one:
//! # fn main() -> Result<(), recharge_conformance::provider::Failure> {
//! use recharge_conformance::provider::{CASES, run};
//! for case in CASES {
//!     run(async { (case.run)(&bench().await).await })?;
//! }
//! # Ok(())
//! # }
//! ```

pub mod provider;
pub mod ratio;
mod sim_bench;
pub mod store;
mod stub_bench;
pub mod transport;

pub use sim_bench::{SimBench, SimTarget};
pub use stub_bench::{Asked, Booked, Form, Say, StubBench, Wire};

/// An account as `Debug` shows it: its middle masked, also of one that is no well-formed account.
pub(crate) fn masked(account: &str) -> String {
    recharge_core::Redactor::default().redact(account, &[account])
}
