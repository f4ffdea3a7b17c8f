//! What an exchange with an upstream tells, once for all adapters.
//!
//! An adapter knows the shape of the answer and reads the order out of it. What follows from no
//! answer, a strange status, unreadable text and the class of a code is the same everywhere, and it is
//! here: see [`Judge::submit`] and [`Judge::query`].

// Long because: what follows from an exchange is one table, read from top to bottom in one place.

use std::error::Error as _;

use bytes::Bytes;
use http::{Response, StatusCode};
use recharge_core::{
    Account, Answer, CallError, CallErrorKind, CodeTable, Doubt, DoubtKind, Money, NotSent,
    QueryClass, QueryOutcome, Receipt, Redactor, Rejection, Sighting, SubmitClass, SubmitOutcome,
    Unavailable, UnavailableKind, UpstreamOrderId, UpstreamState,
};
use serde::de::DeserializeOwned;

use crate::read::{Body, ReadError, Text};
use crate::{Certainty, TransportError};

/// What [`Transport::send`](crate::Transport::send) gave.
pub type Exchange = Result<Response<Bytes>, TransportError>;

/// The outer shape of an upstream's answers.
pub trait Envelope: DeserializeOwned {
    /// The code, as written; empty if there was none.
    fn code(&self) -> &str;
    /// The message.
    fn message(&self) -> &str;
}

/// An order as an answer shows it, after the adapter has found that it is the one asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The state.
    pub state: UpstreamState,
    /// The upstream's own number, when given.
    pub upstream_order_id: Option<UpstreamOrderId>,
    /// The price, when given and readable.
    pub cost: Option<Money>,
}

/// Why an answer that was understood shows no order of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotSeen {
    /// It says that there is none.
    NoSuchOrder,
    /// It shows another one: what differs, in words without the value.
    Echo(&'static str),
    /// It can't be understood: what, in words without the value.
    Unreadable(&'static str),
}

/// What an answer to a check, quote, balance or list told.
#[derive(Debug)]
pub enum Told<E> {
    /// The call was understood.
    Understood(E, Answer),
    /// The upstream refuses what was asked for.
    Refused(Answer),
    /// There are no orders.
    NotFound(Answer),
}

/// Reads exchanges by an upstream's code table, and masks secrets in everything that it hands on.
#[derive(Debug, Clone)]
pub struct Judge {
    codes: CodeTable,
    redactor: Redactor,
}

impl Judge {
    /// A judge by that table, who masks what `redactor` knows.
    pub const fn new(codes: CodeTable, redactor: Redactor) -> Self {
        Self { codes, redactor }
    }

    /// What a submit told.
    ///
    /// | exchange | outcome |
    /// |---|---|
    /// | error, not sent | `NotSent` |
    /// | error, maybe sent | `Unknown` (no answer) |
    /// | a status other than 200 | `Unknown` (status) |
    /// | unreadable, or no code | `Unknown` (unreadable) |
    /// | a code of class "not accepted" | `Rejected`; `Unknown` (code) if `order` sees it all the same |
    /// | a code of class "unknown", or not listed | `Unknown` (code) |
    /// | understood, and `order` sees it | `Accepted` |
    /// | understood, and `order` sees another one | `Unknown` (echo) |
    /// | understood, and `order` sees none | `Unknown` (unreadable) |
    pub fn submit<E: Envelope>(
        &self,
        exchange: &Exchange,
        account: &Account,
        order: impl Fn(&E) -> Result<Seen, NotSeen>,
    ) -> SubmitOutcome {
        let response = match exchange {
            Ok(response) => response,
            Err(error) => {
                let why = self.why(error, account.as_str());
                return match error.certainty() {
                    Certainty::NotSent => SubmitOutcome::NotSent(NotSent::new(why)),
                    Certainty::MaybeSent => {
                        SubmitOutcome::Unknown(Doubt::new(DoubtKind::NoAnswer, why))
                    }
                };
            }
        };
        let accounts = [account.as_str()];
        let doubt = |kind, detail: String, answer| {
            SubmitOutcome::Unknown(Doubt::new(kind, detail).with_answer(answer))
        };
        let (envelope, answer) = match self.open::<E>(response, &accounts) {
            Ok(opened) => opened,
            Err(Unopened::Status(status, answer)) => {
                return doubt(DoubtKind::HttpStatus, wrong_status(status), answer);
            }
            Err(Unopened::Unreadable(error, answer)) => {
                return doubt(DoubtKind::Unreadable, error.to_string(), answer);
            }
        };
        let code = envelope.code();
        match self.codes.on_submit(code) {
            // A refusal that shows the order contradicts itself.
            SubmitClass::NotAccepted if order(&envelope).is_ok() => {
                let named = self.named(&answer.code);
                let detail =
                    format!("{named} says that it was refused, but the answer shows the order");
                doubt(DoubtKind::Code, detail, answer)
            }
            SubmitClass::NotAccepted => {
                let mut rejection = Rejection::new(answer);
                rejection.advice = self.codes.advice(code).map(str::to_owned);
                SubmitOutcome::Rejected(rejection)
            }
            SubmitClass::Unknown if code.is_empty() => {
                doubt(DoubtKind::Unreadable, NO_CODE.to_owned(), answer)
            }
            SubmitClass::Unknown => {
                let named = self.named(&answer.code);
                let detail = format!("{named} does not say whether the order was taken");
                doubt(DoubtKind::Code, detail, answer)
            }
            SubmitClass::Accepted => match order(&envelope) {
                Ok(seen) => {
                    let mut receipt = Receipt::new(answer);
                    receipt.reported = seen.state;
                    receipt.upstream_order_id = self.harmless(seen.upstream_order_id, account);
                    receipt.cost = seen.cost;
                    SubmitOutcome::Accepted(receipt)
                }
                Err(NotSeen::Echo(what)) => doubt(DoubtKind::Echo, what.to_owned(), answer),
                Err(NotSeen::Unreadable(what)) => {
                    doubt(DoubtKind::Unreadable, what.to_owned(), answer)
                }
                Err(NotSeen::NoSuchOrder) => {
                    doubt(DoubtKind::Unreadable, NO_ORDER.to_owned(), answer)
                }
            },
        }
    }

    /// What a query told.
    ///
    /// | exchange | outcome |
    /// |---|---|
    /// | an error, or a status other than 200 | `Unavailable` (transport) |
    /// | unreadable, or no code | `Unavailable` (unreadable) |
    /// | a code of class "not found" | `NotFound` |
    /// | a code of another class, or not listed | `Unavailable` (of that kind) |
    /// | understood, and `order` sees it | `Found` |
    /// | understood, and `order` finds that there is none | `NotFound` |
    /// | understood, and `order` sees another one or can't tell | `Unavailable` (unreadable) |
    pub fn query<E: Envelope>(
        &self,
        exchange: &Exchange,
        account: &Account,
        order: impl FnOnce(&E) -> Result<Seen, NotSeen>,
    ) -> QueryOutcome {
        use UnavailableKind as Kind;
        let accounts = [account.as_str()];
        let trouble = |kind, detail: String, answer| {
            QueryOutcome::Unavailable(Unavailable::new(kind, detail).with_answer(answer))
        };
        let response = match exchange {
            Ok(response) => response,
            Err(error) => {
                let why = self.why(error, account.as_str());
                return QueryOutcome::Unavailable(Unavailable::new(Kind::Transport, why));
            }
        };
        let (envelope, answer) = match self.open::<E>(response, &accounts) {
            Ok(opened) => opened,
            Err(Unopened::Status(status, answer)) => {
                return trouble(Kind::Transport, wrong_status(status), answer);
            }
            Err(Unopened::Unreadable(error, answer)) => {
                return trouble(Kind::Unreadable, error.to_string(), answer);
            }
        };
        let code = envelope.code();
        let kind = match self.codes.on_query(code) {
            QueryClass::Understood => {
                return match order(&envelope) {
                    Ok(seen) => {
                        let mut sighting = Sighting::new(seen.state, answer);
                        sighting.upstream_order_id = self.harmless(seen.upstream_order_id, account);
                        sighting.cost = seen.cost;
                        QueryOutcome::Found(sighting)
                    }
                    Err(NotSeen::NoSuchOrder) => QueryOutcome::NotFound(answer),
                    Err(NotSeen::Echo(what) | NotSeen::Unreadable(what)) => {
                        trouble(Kind::Unreadable, what.to_owned(), answer)
                    }
                };
            }
            QueryClass::NotFound => return QueryOutcome::NotFound(answer),
            QueryClass::Other if code.is_empty() => {
                return trouble(Kind::Unreadable, NO_CODE.to_owned(), answer);
            }
            QueryClass::RateLimited => Kind::RateLimited,
            QueryClass::Maintenance => Kind::Maintenance,
            QueryClass::Denied => Kind::Denied,
            QueryClass::Refused | QueryClass::Other => Kind::Code,
        };
        let detail = self.with_advice(code, self.named(&answer.code));
        trouble(kind, detail, answer)
    }

    /// What any other call told. Trouble is an error, never an empty value. `account` is the one asked
    /// about, if any.
    pub fn call<E: Envelope>(
        &self,
        exchange: &Exchange,
        account: Option<&Account>,
    ) -> Result<Told<E>, CallError> {
        use CallErrorKind as Kind;
        let account = account.map_or("", Account::as_str);
        let response = exchange
            .as_ref()
            .map_err(|error| CallError::new(Kind::Transport, self.why(error, account)))?;
        let (envelope, answer) = match self.open::<E>(response, &[account]) {
            Ok(opened) => opened,
            Err(Unopened::Status(status, answer)) => {
                let error = CallError::new(Kind::Transport, wrong_status(status));
                return Err(error.with_answer(answer));
            }
            Err(Unopened::Unreadable(error, answer)) => {
                let error = CallError::new(Kind::Unreadable, error.to_string());
                return Err(error.with_answer(answer));
            }
        };
        let code = envelope.code();
        let kind = match self.codes.on_query(code) {
            QueryClass::Understood => return Ok(Told::Understood(envelope, answer)),
            QueryClass::Refused => return Ok(Told::Refused(answer)),
            QueryClass::NotFound => return Ok(Told::NotFound(answer)),
            QueryClass::RateLimited => Kind::RateLimited,
            QueryClass::Maintenance => Kind::Maintenance,
            QueryClass::Denied => Kind::Denied,
            QueryClass::Other => Kind::Unreadable,
        };
        let named = if code.is_empty() {
            NO_CODE.to_owned()
        } else {
            self.named(&answer.code)
        };
        Err(CallError::new(kind, self.with_advice(code, named)).with_answer(answer))
    }

    /// An upstream's number goes into logs as it is, so one that holds a secret or the order's account is
    /// as good as none. A callback doesn't say whose account it is about: there the lifecycle sees to it.
    fn harmless(&self, id: Option<UpstreamOrderId>, account: &Account) -> Option<UpstreamOrderId> {
        id.filter(|id| !self.redactor.finds(id.as_str(), &[account.as_str()]))
    }

    /// A text of an answer about an account, such as a product's name, with secrets, the account and phone
    /// numbers masked.
    pub fn mask(&self, account: &Account, text: &str) -> String {
        self.redactor.redact(text, &[account.as_str()])
    }

    /// An order's number in a list: whole, for it is compared; but empty where it holds a secret.
    pub fn listed_number(&self, text: &Text) -> String {
        let whole = text
            .given()
            .filter(|text| !self.redactor.finds_secret(text));
        whole.unwrap_or_default().to_owned()
    }

    /// An upstream's own number in a list: none that can't be a number or holds a secret.
    pub fn listed_id(&self, text: &Text) -> Option<UpstreamOrderId> {
        let id = upstream_id(text).unwrap_or(None);
        id.filter(|id| !self.redactor.finds_secret(id.as_str()))
    }

    fn open<E: Envelope>(
        &self,
        response: &Response<Bytes>,
        accounts: &[&str],
    ) -> Result<(E, Answer), Unopened> {
        let body = Body::new(response.body());
        let shown = body.shown();
        let answer = |code: &str, message: &str| {
            Answer::new(&self.redactor, accounts, code, message, &shown)
        };
        if response.status() != StatusCode::OK {
            let status = response.status();
            return Err(Unopened::Status(status, answer("", &wrong_status(status))));
        }
        match body.read::<E>() {
            Ok(envelope) => {
                let answer = answer(envelope.code(), envelope.message());
                Ok((envelope, answer))
            }
            Err(error) => {
                let answer = answer("", &error.to_string());
                Err(Unopened::Unreadable(error, answer))
            }
        }
    }

    /// The error with its causes. Masked, though a transport is not to name a secret: it may be the
    /// user's own.
    fn why(&self, error: &TransportError, account: &str) -> String {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        self.redactor.redact(&text, &[account])
    }

    fn named(&self, code: &str) -> String {
        match self.codes.row(code) {
            Some(row) => format!("code {code} ({})", row.english),
            None => format!("code {code} (not listed)"),
        }
    }

    fn with_advice(&self, code: &str, text: String) -> String {
        match self.codes.advice(code) {
            Some(advice) => format!("{text}: {advice}"),
            None => text,
        }
    }
}

enum Unopened {
    Status(StatusCode, Answer),
    Unreadable(ReadError, Answer),
}

const NO_CODE: &str = "the answer has no code";
const NO_ORDER: &str = "the answer says that the order was taken, but shows none";

fn wrong_status(status: StatusCode) -> String {
    format!("HTTP status {} instead of 200", status.as_u16())
}

impl<E> Told<E> {
    /// What was understood; a refusal or "no orders" is an error.
    pub fn understood(self) -> Result<(E, Answer), CallError> {
        match self {
            Self::Understood(envelope, answer) => Ok((envelope, answer)),
            Self::Refused(answer) | Self::NotFound(answer) => {
                let detail = format!("refused with code {}: {}", answer.code, answer.message);
                Err(CallError::new(CallErrorKind::Refused, detail).with_answer(answer))
            }
        }
    }
}

/// Whether an upstream's echo names this account.
///
/// The account itself, dashes apart; or the account with characters masked by `*` or, where the
/// account is a number, `x`: then the length and every character that is not masked must agree, and at
/// least three letters or digits must be shown. One or two name too many accounts (`1**********` every
/// mobile number); more than three can't be asked for, since the document's own echo, `189xxxxxxxx`,
/// shows no more (S).
#[must_use]
pub fn names(account: &Account, echo: &str) -> bool {
    if account.is_named_by(echo) {
        return true;
    }
    let number = account
        .as_str()
        .bytes()
        .all(|b| b.is_ascii_digit() || b == b'-');
    let masks = |b: u8| b == b'*' || number && matches!(b, b'x' | b'X');
    let (mine, echo) = (account.as_str().as_bytes(), echo.trim().as_bytes());
    mine.len() == echo.len()
        && echo
            .iter()
            .filter(|b| b.is_ascii_alphanumeric() && !masks(**b))
            .count()
            >= SHOWN_AT_LEAST
        && mine
            .iter()
            .zip(echo)
            .all(|(mine, echo)| mine == echo || masks(*echo))
}

/// Letters and digits that a masked echo must show: as many as the documented one does.
const SHOWN_AT_LEAST: usize = 3;

/// An upstream's own number: none when not given; one that can't be a number can't be understood.
pub fn upstream_id(text: &Text) -> Result<Option<UpstreamOrderId>, NotSeen> {
    text.given()
        .map(UpstreamOrderId::parse)
        .transpose()
        .map_err(|_| NotSeen::Unreadable("the answer has an unusable upstream order number"))
}

/// The error for an answer that was understood and lacks what it was asked for.
pub fn lacks(what: &str, answer: Answer) -> CallError {
    CallError::new(CallErrorKind::Unreadable, what).with_answer(answer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use recharge_core::AccountKind;

    #[test]
    fn a_masked_echo_must_agree_where_it_shows_anything() {
        let phone = Account::parse(AccountKind::Mobile, "18900001234").unwrap();
        for echo in [
            "18900001234",
            "189xxxxxxxx",
            "189****1234",
            "189XXXX1234",
            " 18900001234 ",
        ] {
            assert!(names(&phone, echo), "{echo}");
        }
        for echo in [
            "",
            "18900001235",
            "188xxxxxxxx",
            "189****1235",
            "189***1234",
            "xxxxxxxxxxx",
            "189",
            "8618900001234",
            "18900001234x",
            "***********",
            "1**********",
            "18*********",
            "1xxxxxxxxx4",
        ] {
            assert!(!names(&phone, echo), "{echo}");
        }
        let landline = Account::parse(AccountKind::Landline, "0571-56565366").unwrap();
        assert!(names(&landline, "057156565366") && names(&landline, "0571-xxxx5366"));
        assert!(!names(&landline, "05xx-xxxxxxxx"), "a dash shows nothing");
        let broadband = Account::parse(AccountKind::Broadband, "hzx123").unwrap();
        assert!(names(&broadband, "hz*123") && names(&broadband, "***123"));
        assert!(!names(&broadband, "h****3"));
        assert!(
            !names(&broadband, "hxx123"),
            "x is a letter of it, not a mask"
        );
    }
}
