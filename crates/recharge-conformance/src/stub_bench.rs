//! A bench for the adapter of any upstream: an in-memory stub with books, which needs only the
//! upstream's words.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::Request;
use recharge_core::{
    AccountKind, AttemptNumber, Provider, SubmitRequest, UpstreamOrderId, UpstreamState,
};
use recharge_http::Transport;

use crate::masked;
use crate::provider::{Arranged, Bench, CallbackSample, End, Entry, Failure, Situation};

mod effect;
mod stub;

use stub::Stub;

/// How an upstream speaks. All that is said is the body of an answer with status 200.
pub trait Wire: Send + Sync + 'static {
    /// What a request asks for. `None` answers 404.
    fn read(&self, request: &Request<Bytes>) -> Option<Asked>;

    /// What the upstream says; `None` if it has no such words.
    fn say(&self, what: Say<'_>) -> Option<String>;

    /// The answer, said in another form; `None` if there is no such form.
    fn vary(&self, answer: &str, form: Form) -> Option<String> {
        let _ = (answer, form);
        None
    }

    /// A genuine callback about this order, which has ended; `None` if the upstream sends none.
    fn callback(&self, order: &Booked) -> Option<CallbackSample> {
        let _ = order;
        None
    }

    /// An order of this kind, the `n`th: see [`number`](crate::provider::number).
    fn order(&self, kind: AccountKind, n: u64) -> SubmitRequest;

    /// The secrets that the adapter is given.
    fn secrets(&self) -> Vec<String>;

    /// The situations that this upstream can't be in, each with the reason why.
    fn cannot(&self) -> &[(Situation, &'static str)];
}

/// What a request asks for. `Debug` masks the account.
#[derive(Clone, PartialEq, Eq)]
pub enum Asked {
    /// To take an order.
    Submit {
        /// Our number.
        number: String,
        /// The account, as received.
        account: String,
        /// The face value in yuan, as received.
        amount: String,
    },
    /// For the state of an order.
    Query {
        /// Our number.
        number: String,
    },
    /// Anything else: a word that [`Wire::say`] gets back as [`Say::Other`].
    Other(&'static str),
}

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Submit {
                number,
                account,
                amount,
            } => f
                .debug_struct("Submit")
                .field("number", number)
                .field("account", &masked(account))
                .field("amount", amount)
                .finish(),
            Self::Query { number } => f.debug_struct("Query").field("number", number).finish(),
            Self::Other(word) => f.debug_tuple("Other").field(word).finish(),
        }
    }
}

/// What is to be said.
#[derive(Debug, Clone, Copy)]
pub enum Say<'a> {
    /// The order was taken.
    Accepted(&'a Booked),
    /// The state of the order.
    State(&'a Booked),
    /// A state that no document lists.
    UnlistedState(&'a Booked),
    /// There is no such order.
    NoSuchOrder,
    /// The order is refused by a code that says "not accepted".
    Refused,
    /// The number exists.
    Duplicate,
    /// Trouble in the upstream's system.
    SystemError,
    /// A code that sounds like a failure and proves nothing.
    SoundsFailed,
    /// A code that no document lists.
    UnlistedCode,
    /// Too many calls.
    RateLimited,
    /// The answer to a call of the adapter's own, given all orders.
    Other(&'static str, &'a [Booked]),
}

/// Another form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Numbers as texts and numeric texts as numbers.
    OtherTypes,
    /// Other types where code and result should be.
    WrongTyped,
    /// The code twice, differently.
    DuplicateKey,
    /// Without our order number.
    EmptyEcho,
}

/// An order that was taken. `Debug` masks the account.
#[derive(Clone, PartialEq, Eq)]
pub struct Booked {
    /// Our number.
    pub number: String,
    /// The upstream's own.
    pub upstream_id: String,
    /// The account.
    pub account: String,
    /// The face value in yuan.
    pub amount: String,
    /// How it stands.
    pub state: UpstreamState,
}

impl fmt::Debug for Booked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Booked")
            .field("number", &self.number)
            .field("upstream_id", &self.upstream_id)
            .field("account", &masked(&self.account))
            .field("amount", &self.amount)
            .field("state", &self.state)
            .finish()
    }
}

/// The stub, and the provider under test that talks to it.
pub struct StubBench<W> {
    stub: Arc<Stub<W>>,
    provider: Arc<dyn Provider>,
}

impl<W> fmt::Debug for StubBench<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StubBench").finish_non_exhaustive()
    }
}

impl<W: Wire> StubBench<W> {
    /// An upstream that speaks so, and the provider that `build` makes over its transport.
    pub fn new(wire: W, build: impl FnOnce(Arc<dyn Transport>) -> Arc<dyn Provider>) -> Self {
        let stub = Arc::new(Stub::new(wire));
        Self {
            provider: build(Arc::clone(&stub) as Arc<dyn Transport>),
            stub,
        }
    }
}

#[async_trait]
impl<W: Wire> Bench for StubBench<W> {
    fn provider(&self) -> Arc<dyn Provider> {
        Arc::clone(&self.provider)
    }

    fn secrets(&self) -> Vec<String> {
        self.stub.wire.secrets()
    }

    fn order(&self, kind: AccountKind) -> SubmitRequest {
        let mut books = self.stub.books();
        books.given += 1;
        self.stub.wire.order(kind, books.given)
    }

    fn cannot(&self) -> &[(Situation, &'static str)] {
        self.stub.wire.cannot()
    }

    async fn arrange(
        &self,
        order: &SubmitRequest,
        situation: Situation,
    ) -> Result<Arranged, Failure> {
        let declared = self.cannot().iter().any(|(cannot, _)| *cannot == situation);
        if declared || !self.stub.can_make(situation) {
            return Ok(Arranged::Cannot);
        }
        let mut books = self.stub.books();
        let number = order.number.as_str().to_owned();
        match situation {
            Situation::Submit(situation) => {
                books.on_submit.insert(number, situation);
            }
            Situation::Query(situation) => {
                books.on_query.insert(number, situation);
            }
        }
        Ok(Arranged::With(self.provider()))
    }

    async fn end(&self, number: AttemptNumber, end: End) -> Result<(), Failure> {
        let mut books = self.stub.books();
        let row = books.rows.get_mut(number.as_str());
        let booked = row.and_then(|row| row.booked.as_mut());
        let booked =
            booked.ok_or_else(|| Failure::new("there is no taken order of this number"))?;
        booked.state = end.state();
        Ok(())
    }

    async fn quiet(&self) -> Result<(), Failure> {
        let mut books = self.stub.books();
        books.take_late();
        Ok(())
    }

    async fn entry(&self, number: AttemptNumber) -> Result<Entry, Failure> {
        let books = self.stub.books();
        let mut entry = Entry::default();
        let Some(row) = books.rows.get(number.as_str()) else {
            return Ok(entry);
        };
        entry.submits = row.submits;
        entry.queries = row.queries;
        entry.account.clone_from(&row.account);
        entry.amount.clone_from(&row.amount);
        if let Some(booked) = &row.booked {
            entry.state = Some(booked.state);
            entry.charges = u32::from(booked.state != UpstreamState::Failed);
            let id = UpstreamOrderId::parse(&booked.upstream_id);
            entry.upstream_order_id = Some(id.map_err(|error| Failure::new(error.to_string()))?);
        }
        Ok(entry)
    }

    async fn callback(
        &self,
        order: &SubmitRequest,
        end: End,
    ) -> Result<Option<CallbackSample>, Failure> {
        self.end(order.number, end).await?;
        let books = self.stub.books();
        let row = books.rows.get(order.number.as_str());
        let booked = row.and_then(|row| row.booked.as_ref());
        Ok(booked.and_then(|booked| self.stub.wire.callback(booked)))
    }
}
