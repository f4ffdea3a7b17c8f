//! The [`Provider`] trait: what an upstream can do, as its adapter declares and does it.

use std::fmt;

use async_trait::async_trait;

use crate::{
    Account, AccountKind, Answer, CallError, Callback, CallbackError, Carrier, FaceValue, Money,
    Page, ProviderId, QueryOutcome, QueryRequest, Quote, SubmitOutcome, SubmitRequest, Unavailable,
    UnavailableKind,
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

    /// Asks what a face value would cost for an account. A kind of account that has no price list says
    /// that there is no such call, though others have one.
    async fn quote(&self, account: &Account, amount: FaceValue) -> Result<Quote, CallError> {
        let _ = (account, amount);
        Err(CallError::unsupported(Call::Quote))
    }

    /// Asks for the balance of our account with the upstream. Trouble is an error, never zero.
    async fn balance(&self) -> Result<Money, CallError> {
        Err(CallError::unsupported(Call::Balance))
    }

    /// Reads one page of the upstream's list of orders for a kind of account, from page 1. Kinds that
    /// are one product have one list.
    async fn list(&self, kind: AccountKind, page: u32) -> Result<Page, CallError> {
        let _ = (kind, page);
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
        self.offer(request.account.kind())
            .is_some_and(|offer| offer.sells(request.amount, request.carrier))
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

    /// Whether this face value is sold, for this carrier where one has to be named.
    pub fn sells(&self, amount: FaceValue, carrier: Option<Carrier>) -> bool {
        self.face_values.contains(&amount)
            && (self.carriers.is_empty()
                || carrier.is_some_and(|carrier| self.carriers.contains(&carrier)))
    }
}
