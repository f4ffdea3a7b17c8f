//! The [`Provider`] trait: what an upstream can do, as its adapter declares and does it.

use std::fmt;
use std::time::Instant;

use async_trait::async_trait;

use crate::{
    Account, AccountKind, Answer, AttemptNumber, Carrier, FaceValue, Money, ProviderId,
    QueryOutcome, SubmitOutcome, Unavailable, UnavailableKind, UpstreamOrderId, UpstreamState,
};

/// An upstream that takes orders. Object safe: `Arc<dyn Provider>` is how the engine holds it.
///
/// # Contract for implementers
///
/// - **One call, at most one request.** Never retry, follow a redirect or resend: whoever calls decides.
/// - [`submit`](Self::submit) answers [`Rejected`](SubmitOutcome::Rejected) only for a code that proves
///   "not accepted", [`NotSent`](SubmitOutcome::NotSent) only when not one byte was written, and
///   [`Unknown`](SubmitOutcome::Unknown) for everything that it does not understand.
/// - [`query`](Self::query) answers [`NotFound`](QueryOutcome::NotFound) only when the upstream said
///   explicitly that it has no such order; trouble is [`Unavailable`](QueryOutcome::Unavailable).
/// - An answer whose echo names another phone, order number or face value is not about this order.
/// - Futures may be dropped at any await. A dropped submit means `Unknown`.
/// - Nothing returned or printed holds a secret or a full phone number.
///
/// Only identity, capabilities and `submit` must be written. The other calls have a default that says
/// "no such call"; an implementer declares in [`Capabilities::calls`] which exist. The conformance
/// crate's provider suite checks all of this.
#[async_trait]
pub trait Provider: fmt::Debug + Send + Sync {
    /// The provider's name in configuration, events and the ledger.
    fn id(&self) -> &ProviderId;

    /// What the upstream offers and which calls exist.
    fn capabilities(&self) -> &Capabilities;

    /// Sends one order, once. Dropping the future means [`SubmitOutcome::Unknown`].
    async fn submit(&self, request: &SubmitRequest) -> SubmitOutcome;

    /// Asks for the state of an order by the number that we gave it.
    async fn query(&self, request: &QueryRequest) -> QueryOutcome {
        let _ = request;
        QueryOutcome::Unavailable(Unavailable::new(
            UnavailableKind::Unsupported,
            "this provider has no query call",
        ))
    }

    /// Asks whether an account can be charged with a face value, without charging it. `Ok(Err(answer))`
    /// is the upstream's "no".
    async fn check(
        &self,
        account: &Account,
        amount: FaceValue,
    ) -> Result<Result<(), Answer>, CallError> {
        let _ = (account, amount);
        Err(CallError::unsupported(Call::Check))
    }

    /// Asks what a face value would cost for an account.
    async fn quote(&self, account: &Account, amount: FaceValue) -> Result<Quote, CallError> {
        let _ = (account, amount);
        Err(CallError::unsupported(Call::Quote))
    }

    /// Asks for the balance of our account with the upstream. Trouble is an error, never zero.
    async fn balance(&self) -> Result<Money, CallError> {
        Err(CallError::unsupported(Call::Balance))
    }

    /// Reads one page of the upstream's list of orders, from page 1.
    async fn list(&self, page: u32) -> Result<Page, CallError> {
        let _ = page;
        Err(CallError::unsupported(Call::List))
    }

    /// Reads and verifies the body of a callback. What it claims is a reason to query, no more.
    fn parse_callback(
        &self,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Result<Callback, CallbackError> {
        let _ = (content_type, body);
        Err(CallbackError::Unusable(
            "this provider sends no callbacks".to_owned(),
        ))
    }
}

/// Conveniences for users of a [`Provider`]; implemented for all of them.
pub trait ProviderExt: Provider {
    /// Whether a call exists.
    fn can(&self, call: Call) -> bool {
        self.capabilities().calls.contains(&call)
    }

    /// What is offered for a kind of account.
    fn offer(&self, kind: AccountKind) -> Option<&Offer> {
        self.capabilities()
            .offers
            .iter()
            .find(|offer| offer.kind == kind)
    }

    /// Whether the upstream sells this: the kind of account, the face value, and a carrier where one
    /// has to be named.
    fn sells(&self, request: &SubmitRequest) -> bool {
        self.offer(request.account.kind()).is_some_and(|offer| {
            offer.face_values.contains(&request.amount)
                && (offer.carriers.is_empty()
                    || request
                        .carrier
                        .is_some_and(|carrier| offer.carriers.contains(&carrier)))
        })
    }
}

impl<P: Provider + ?Sized> ProviderExt for P {}

/// The calls that an upstream may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Call {
    /// [`Provider::submit`].
    Submit,
    /// [`Provider::query`].
    Query,
    /// [`Provider::check`].
    Check,
    /// [`Provider::quote`].
    Quote,
    /// [`Provider::balance`].
    Balance,
    /// [`Provider::list`].
    List,
    /// [`Provider::parse_callback`].
    Callback,
}

impl Call {
    /// Every call.
    pub const ALL: [Self; 7] = [
        Self::Submit,
        Self::Query,
        Self::Check,
        Self::Quote,
        Self::Balance,
        Self::List,
        Self::Callback,
    ];

    /// The name in docs and errors.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Submit => "submit",
            Self::Query => "query",
            Self::Check => "check",
            Self::Quote => "quote",
            Self::Balance => "balance",
            Self::List => "list",
            Self::Callback => "callback",
        }
    }
}

/// What an upstream offers, as its adapter declares it. Policy is chosen from this, and so are the
/// conformance tests.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// What is sold, one row a kind of account.
    pub offers: Vec<Offer>,
    /// Which calls exist.
    pub calls: Vec<Call>,
    /// Whether the upstream is documented to refuse an order number that it already has.
    pub refuses_duplicates: bool,
    /// Whether the signature of a callback covers the state that it claims.
    pub callback_covers_state: bool,
}

impl Capabilities {
    /// Sells `offers`, has `calls`; duplicates are not refused and callbacks prove nothing.
    pub const fn new(offers: Vec<Offer>, calls: Vec<Call>) -> Self {
        Self {
            offers,
            calls,
            refuses_duplicates: false,
            callback_covers_state: false,
        }
    }
}

/// What is sold for one kind of account.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Offer {
    /// The kind of account.
    pub kind: AccountKind,
    /// Face values, ascending.
    pub face_values: Vec<FaceValue>,
    /// Carriers of which one must be named in the request; empty when none needs to be.
    pub carriers: Vec<Carrier>,
}

impl Offer {
    /// These face values, with no carrier to be named.
    pub const fn new(kind: AccountKind, face_values: Vec<FaceValue>) -> Self {
        Self {
            kind,
            face_values,
            carriers: Vec::new(),
        }
    }
}

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
    /// [`SubmitOutcome::NotSent`].
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
    /// The number that it was sent with; not always one of ours.
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
    /// The call exists not at this provider: ask another way.
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
