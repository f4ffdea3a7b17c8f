//! The stub: a transport with books behind it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use recharge_core::UpstreamState;
use recharge_http::{Certainty, SendBefore, Transport, TransportError, TransportErrorKind};

use super::effect::{Effect, Word};
use super::{Asked, Booked, Say, Wire};
use crate::provider::{OnQuery, OnSubmit, Situation};

pub(super) struct Stub<W> {
    pub(super) wire: W,
    books: Mutex<Books>,
}

impl<W> fmt::Debug for Stub<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stub")
    }
}

#[derive(Default)]
pub(super) struct Books {
    /// Sample orders given out.
    pub(super) given: u64,
    pub(super) rows: BTreeMap<String, Row>,
    pub(super) on_submit: BTreeMap<String, OnSubmit>,
    pub(super) on_query: BTreeMap<String, OnQuery>,
    /// Numbers of orders that are taken when all is quiet.
    late: Vec<String>,
    taken: u32,
    others: u32,
}

#[derive(Default)]
pub(super) struct Row {
    pub(super) submits: u32,
    pub(super) queries: u32,
    pub(super) account: String,
    pub(super) amount: String,
    pub(super) booked: Option<Booked>,
}

type Exchange = Result<Response<Bytes>, TransportError>;

impl<W: Wire> Stub<W> {
    pub(super) fn new(wire: W) -> Self {
        Self {
            wire,
            books: Mutex::default(),
        }
    }

    pub(super) fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the wire has the words for a situation, tried on an order of no account.
    pub(super) fn can_make(&self, situation: Situation) -> bool {
        let order = Booked {
            number: String::new(),
            upstream_id: "1".to_owned(),
            account: String::new(),
            amount: "1".to_owned(),
            state: UpstreamState::Charging,
        };
        let (effect, truth) = match situation {
            Situation::Submit(situation) => (Effect::of_submit(situation), Say::Accepted(&order)),
            Situation::Query(situation) => (Effect::of_query(situation), Say::State(&order)),
        };
        match effect {
            Effect::Broken(..) | Effect::Html(_) => true,
            Effect::Words(word) => self.wire.say(word.into()).is_some(),
            Effect::Truth | Effect::Half | Effect::Garbled | Effect::Another => {
                self.wire.say(truth).is_some()
            }
            Effect::Varied(form) => {
                let said = self.wire.say(truth);
                said.is_some_and(|said| self.wire.vary(&said, form).is_some())
            }
            Effect::UnlistedState => self.wire.say(Say::UnlistedState(&order)).is_some(),
        }
    }

    fn submit(&self, number: &str, account: &str, amount: &str) -> Exchange {
        let mut books = self.books();
        let situation = books.on_submit.remove(number);
        let arrives = !matches!(
            situation,
            Some(OnSubmit::NoConnection | OnSubmit::ClosedAtAccept)
        );
        let mut taken = None;
        if arrives {
            let row = books.rows.entry(number.to_owned()).or_default();
            row.submits += 1;
            if row.booked.is_none() {
                (row.account, row.amount) = (account.to_owned(), amount.to_owned());
                if situation == Some(OnSubmit::TakenLate) {
                    books.late.push(number.to_owned());
                } else if situation.is_none_or(OnSubmit::is_taken) {
                    taken = books.take(number);
                }
            }
        }
        let truth = taken.as_ref().map_or(Say::Duplicate, Say::Accepted);
        let effect = situation.map_or(Effect::Truth, Effect::of_submit);
        let another = taken.as_ref().map(|order| books.another(order));
        self.carry_out(effect, truth, another.as_ref().map(Say::Accepted))
    }

    fn query(&self, number: &str) -> Exchange {
        let mut books = self.books();
        let situation = books.on_query.remove(number);
        let row = books.rows.entry(number.to_owned()).or_default();
        if situation != Some(OnQuery::NoConnection) {
            row.queries += 1;
        }
        let booked = row.booked.clone();
        let truth = booked.as_ref().map_or(Say::NoSuchOrder, Say::State);
        let effect = situation.map_or(Effect::Truth, Effect::of_query);
        let other = match (&booked, effect) {
            (Some(order), Effect::UnlistedState) => {
                return Ok(answer(self.wire.say(Say::UnlistedState(order))));
            }
            (Some(order), _) => Some(books.another(order)),
            (None, _) => None,
        };
        self.carry_out(effect, truth, other.as_ref().map(Say::State))
    }

    fn carry_out(&self, effect: Effect, truth: Say<'_>, another: Option<Say<'_>>) -> Exchange {
        Ok(match effect {
            Effect::Broken(certainty, kind) => return Err(TransportError::new(certainty, kind)),
            Effect::Html(status) => html(status),
            Effect::Words(word) => answer(self.wire.say(word.into())),
            Effect::Truth | Effect::UnlistedState => answer(self.wire.say(truth)),
            Effect::Half => answer(self.wire.say(truth).map(|text| half(&text))),
            Effect::Garbled => garbled(self.wire.say(truth)),
            Effect::Varied(form) => {
                let said = self.wire.say(truth);
                answer(said.and_then(|said| self.wire.vary(&said, form)))
            }
            Effect::Another => answer(self.wire.say(another.unwrap_or(truth))),
        })
    }
}

impl Books {
    /// Takes the orders that arrive when nobody waits for them any more.
    pub(super) fn take_late(&mut self) {
        for number in std::mem::take(&mut self.late) {
            self.take(&number);
        }
    }

    /// Takes the order of a number that was received and is not yet taken.
    fn take(&mut self, number: &str) -> Option<Booked> {
        let row = self.rows.get_mut(number)?;
        if row.booked.is_none() {
            self.taken += 1;
            let upstream_id = format!("U{:08}", self.taken);
            row.booked = Some(Booked {
                number: number.to_owned(),
                upstream_id,
                account: row.account.clone(),
                amount: row.amount.clone(),
                state: UpstreamState::Charging,
            });
        }
        row.booked.clone()
    }

    /// The order with another number or another account, in turn.
    fn another(&mut self, order: &Booked) -> Booked {
        let mut order = order.clone();
        let text = if self.others.is_multiple_of(2) {
            &mut order.number
        } else {
            &mut order.account
        };
        let last = text.pop();
        text.push(if last == Some('7') { '3' } else { '7' });
        self.others += 1;
        order
    }
}

impl From<Word> for Say<'_> {
    fn from(word: Word) -> Self {
        match word {
            Word::NoSuchOrder => Self::NoSuchOrder,
            Word::Refused => Self::Refused,
            Word::Duplicate => Self::Duplicate,
            Word::SystemError => Self::SystemError,
            Word::SoundsFailed => Self::SoundsFailed,
            Word::UnlistedCode => Self::UnlistedCode,
            Word::RateLimited => Self::RateLimited,
        }
    }
}

#[async_trait]
impl<W: Wire> Transport for Stub<W> {
    async fn send(&self, request: Request<Bytes>) -> Exchange {
        if let Some(SendBefore(moment)) = request.extensions().get()
            && Instant::now() >= *moment
        {
            let kind = TransportErrorKind::Deadline;
            return Err(TransportError::new(Certainty::NotSent, kind));
        }
        // A real transport takes its time, and can be dropped before it sends and after.
        tokio::task::yield_now().await;
        let exchange = match self.wire.read(&request) {
            None => Ok(html(404)),
            Some(Asked::Submit {
                number,
                account,
                amount,
            }) => self.submit(&number, &account, &amount),
            Some(Asked::Query { number }) => self.query(&number),
            Some(Asked::Other(what)) => {
                let books = self.books();
                let rows = books.rows.values();
                let all: Vec<Booked> = rows.filter_map(|row| row.booked.clone()).collect();
                Ok(answer(self.wire.say(Say::Other(what, &all))))
            }
        };
        tokio::task::yield_now().await;
        exchange
    }
}

fn answer(body: Option<String>) -> Response<Bytes> {
    match body {
        Some(body) => Response::new(Bytes::from(body)),
        None => html(404),
    }
}

fn html(status: u16) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(b"<html><h1>nginx</h1></html>"));
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}

fn half(text: &str) -> String {
    text.chars().take(text.chars().count() / 2).collect()
}

fn garbled(text: Option<String>) -> Response<Bytes> {
    let mut bytes = text.unwrap_or_default().into_bytes();
    for byte in bytes.iter_mut().skip(1).step_by(3) {
        *byte = 0xff;
    }
    Response::new(Bytes::from(bytes))
}
