//! An upstream that answers what the fuzzer wrote, and what an answer's echo may say.

use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use recharge_core::{Account, AccountKind, SubmitOutcome, UpstreamOrderId};
use recharge_http::judge::Exchange;
use recharge_http::{Certainty, Transport, TransportError, TransportErrorKind};

use crate::hidden::Hidden;
use crate::json::Object;

/// The number that every call is about: of the form of our own.
pub const NUMBER: &str = "RAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Answers whatever it was last given, at once.
#[derive(Debug, Default)]
pub struct Canned(Mutex<Option<(u8, Bytes)>>);

impl Canned {
    /// Answers that from now on: how it ends, and the body.
    pub fn set(&self, end: u8, body: &Bytes) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((end, body.clone()));
    }
}

#[async_trait]
impl Transport for Canned {
    async fn send(&self, _request: Request<Bytes>) -> Exchange {
        let canned = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (end, body) = canned.clone().unwrap_or_default();
        exchange(end, body)
    }
}

/// How an exchange ends, by one byte: below 16 with an error, from there with status 200, from 33 with others.
pub fn exchange(end: u8, body: Bytes) -> Exchange {
    let kinds = [
        TransportErrorKind::InvalidRequest,
        TransportErrorKind::Connect,
        TransportErrorKind::Deadline,
        TransportErrorKind::Timeout,
        TransportErrorKind::Closed,
        TransportErrorKind::TooLarge,
        TransportErrorKind::Encoded,
        TransportErrorKind::Protocol,
    ];
    if let Some(kind) = kinds.get(usize::from(end / 2)) {
        let certainty = if end.is_multiple_of(2) {
            Certainty::NotSent
        } else {
            Certainty::MaybeSent
        };
        let cause = String::from_utf8_lossy(&body).into_owned();
        return Err(TransportError::new(certainty, *kind).with_source(cause));
    }
    let mut response = Response::new(body);
    *response.status_mut() = match StatusCode::from_u16(200 + u16::from(end.saturating_sub(32))) {
        Ok(status) => status,
        Err(_) => StatusCode::OK,
    };
    Ok(response)
}

/// The body of an answer with status 200, which is an object with one of those codes in that field.
///
/// # Panics
///
/// If it is anything else: then it proves nothing.
pub fn understood<'a>(exchange: &'a Exchange, field: &str, codes: &[&str]) -> Object<'a> {
    let response = exchange
        .as_ref()
        .ok()
        .filter(|response| response.status() == 200);
    let object = response.and_then(|response| Object::of_body(response.body()));
    let Some(object) = object else {
        unreachable!("evidence from what is no answer")
    };
    let code = object.text(field);
    assert!(codes.contains(&code.as_str()), "evidence from another code");
    object
}

/// The order that an answer shows.
///
/// # Panics
///
/// If it shows none.
pub fn shown<'a>(object: &Object<'a>) -> Object<'a> {
    let Some(order) = object.object("result") else {
        unreachable!("accepted or found, and no order shown")
    };
    order
}

/// Holds what became of a submit that was neither taken nor refused against how its exchange ended. `most`: how
/// long the input may have made it.
///
/// # Panics
///
/// If perhaps it was sent, or something hidden is shown.
pub fn leaves_open(hidden: &Hidden, exchange: &Exchange, outcome: &SubmitOutcome, most: usize) {
    match outcome {
        SubmitOutcome::NotSent(why) => {
            let certainty = exchange.as_ref().err().map(TransportError::certainty);
            assert_eq!(
                certainty,
                Some(Certainty::NotSent),
                "not sent, though perhaps it was"
            );
            hidden.keeps("the reason", &why.reason);
        }
        SubmitOutcome::Unknown(doubt) => {
            hidden.keeps_in_doubt("the doubt", &doubt.detail, doubt.answer.as_ref(), most);
        }
        SubmitOutcome::Accepted(_) | SubmitOutcome::Rejected(_) => {
            unreachable!("taken, or refused")
        }
    }
}

/// Holds the upstream's own number against the field in which an order has it.
///
/// # Panics
///
/// If it is another one, or something hidden is shown.
pub fn names(hidden: &Hidden, order: &Object<'_>, field: &str, id: Option<&UpstreamOrderId>) {
    if let Some(id) = id {
        assert_eq!(
            order.text(field),
            id.as_str(),
            "another number than is written"
        );
        hidden.keeps("the upstream's number", id.as_str());
    }
}

/// What a future that has nothing to wait for comes to.
///
/// # Panics
///
/// If it waits.
pub fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("the answer is there"),
    }
}

/// One account of each kind.
///
/// # Panics
///
/// Never: they are of the right form.
pub fn accounts() -> Vec<Account> {
    let accounts: Vec<Account> = [
        (AccountKind::Mobile, "18900001234"),
        (AccountKind::Landline, "0571-56565366"),
        (AccountKind::Broadband, "hz12345678"),
        (AccountKind::Combined, "010-12345678"),
    ]
    .into_iter()
    .filter_map(|(kind, text)| Account::parse(kind, text).ok())
    .collect();
    assert_eq!(accounts.len(), AccountKind::ALL.len());
    accounts
}

/// Whether an echo may stand for an account: nothing of it differs but dashes and what is masked, and it
/// shows at least three characters.
pub fn may_name(account: &Account, echo: &str) -> bool {
    let echo = echo.trim();
    let plain = |text: &str| text.replace('-', "");
    if plain(account.as_str()) == plain(echo) {
        return true;
    }
    // In a name x is a letter.
    let number = !account.as_str().contains(|c: char| c.is_ascii_alphabetic());
    let mut shown = 0;
    let mut agrees = account.as_str().len() == echo.len();
    for (mine, theirs) in account.as_str().bytes().zip(echo.bytes()) {
        let masked = theirs == b'*' || number && matches!(theirs, b'x' | b'X');
        agrees &= masked || mine == theirs;
        shown += usize::from(!masked && mine.is_ascii_alphanumeric());
    }
    agrees && shown >= 3
}
