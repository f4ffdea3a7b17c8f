//! What goes into the calls of a [`Provider`](crate::Provider), and what comes out of them.

use std::time::Instant;

use crate::provider::Call;
use crate::{
    Account, Answer, AttemptNumber, Carrier, FaceValue, Money, UpstreamOrderId, UpstreamState,
};

/// One order to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SubmitRequest {
    /// The order number that travels.
    pub number: AttemptNumber,
    /// What is topped up.
    pub account: Account,
    /// By how much.
    pub amount: FaceValue,
    /// The carrier, where the upstream wants it named.
    pub carrier: Option<Carrier>,
    /// The moment (of the monotonic clock) past which the first byte must not be written; later is
    /// [`SubmitOutcome::NotSent`](crate::SubmitOutcome::NotSent).
    pub send_before: Option<Instant>,
}

impl SubmitRequest {
    /// An order without a carrier and without a send deadline.
    pub const fn new(number: AttemptNumber, account: Account, amount: FaceValue) -> Self {
        Self {
            number,
            account,
            amount,
            carrier: None,
            send_before: None,
        }
    }

    /// The question about this order.
    pub fn query(&self) -> QueryRequest {
        QueryRequest {
            number: self.number,
            account: self.account.clone(),
            amount: self.amount,
        }
    }
}

/// A question about one order. Account and face value are known so that an answer about another order
/// is recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueryRequest {
    /// The order number that travelled.
    pub number: AttemptNumber,
    /// What was topped up; its kind says which of an upstream's products to ask.
    pub account: Account,
    /// By how much.
    pub amount: FaceValue,
}

impl QueryRequest {
    /// A question about this number.
    pub const fn new(number: AttemptNumber, account: Account, amount: FaceValue) -> Self {
        Self {
            number,
            account,
            amount,
        }
    }
}

/// A price.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quote {
    /// What the upstream would deduct.
    pub price: Money,
    /// The product's name, as the upstream gives it.
    pub product: String,
    /// Region and carrier, where the upstream gives them.
    pub region: Option<String>,
}

impl Quote {
    /// A price for a product.
    pub const fn new(price: Money, product: String) -> Self {
        Self {
            price,
            product,
            region: None,
        }
    }
}

/// One page of an upstream's list of orders.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page {
    /// The orders of this page, in the upstream's order.
    pub orders: Vec<UpstreamOrder>,
    /// Whether there is a further page.
    pub more: bool,
}

impl Page {
    /// A page.
    pub const fn new(orders: Vec<UpstreamOrder>, more: bool) -> Self {
        Self { orders, more }
    }
}

/// An order as an upstream lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UpstreamOrder {
    /// The number that it was sent with; not always one of ours. Empty where it held a secret.
    pub number: String,
    /// The upstream's own number.
    pub upstream_order_id: Option<UpstreamOrderId>,
    /// The state; `None` for one that is not listed.
    pub state: Option<UpstreamState>,
    /// What was deducted.
    pub cost: Option<Money>,
}

impl UpstreamOrder {
    /// An order of that number, with nothing else known.
    pub const fn new(number: String) -> Self {
        Self {
            number,
            upstream_order_id: None,
            state: None,
            cost: None,
        }
    }
}

/// A callback whose signature is genuine.
///
/// Genuine does not mean true: Juhe's signature doesn't cover the state, and any callback can be
/// replayed. It is a reason to query.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Callback {
    /// The number the order was sent with; to be equal to a stored one.
    pub number: String,
    /// The upstream's own number; to be equal to the stored one where that is known.
    pub upstream_order_id: Option<UpstreamOrderId>,
    /// The state that it claims; `None` for one that is not listed.
    pub claims: Option<UpstreamState>,
    /// Whether the signature covers that state.
    pub covers_state: bool,
    /// A message of the upstream, masked like an [`Answer`].
    pub message: Option<String>,
}

impl Callback {
    /// A callback about that number, claiming nothing.
    pub const fn new(number: String) -> Self {
        Self {
            number,
            upstream_order_id: None,
            claims: None,
            covers_state: false,
            message: None,
        }
    }
}

/// Why a callback is not believed to come from the upstream.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallbackError {
    /// The signature is not ours.
    #[error("the callback's signature is not genuine")]
    Forged,
    /// A field is missing, repeated or malformed, so that there is nothing to verify.
    #[error("the callback can't be used: {0}")]
    Unusable(String),
}

/// Why a check, quote, balance or list gave no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
#[non_exhaustive]
pub struct CallError {
    /// The kind of trouble.
    pub kind: CallErrorKind,
    /// The same in words, with what to do.
    pub detail: String,
    /// What was answered, if anything.
    pub answer: Option<Answer>,
}

/// The kinds of [`CallError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallErrorKind {
    /// This provider has no such call: ask another way.
    Unsupported,
    /// Transport trouble: try again later.
    Transport,
    /// Too many calls or a quota used up: slow down.
    RateLimited,
    /// Under maintenance: try again later.
    Maintenance,
    /// The upstream refuses our key, signature or address: mend the configuration.
    Denied,
    /// The upstream refuses what was asked for: change the input.
    Refused,
    /// The answer can't be read: look at it.
    Unreadable,
}

impl CallError {
    /// An error without an answer.
    pub fn new(kind: CallErrorKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            answer: None,
        }
    }

    /// The provider has no such call.
    pub fn unsupported(call: Call) -> Self {
        Self::new(
            CallErrorKind::Unsupported,
            format!("this provider has no {} call", call.as_str()),
        )
    }

    /// The same error, with what was answered.
    #[must_use]
    pub fn with_answer(mut self, answer: Answer) -> Self {
        self.answer = Some(answer);
        self
    }
}
