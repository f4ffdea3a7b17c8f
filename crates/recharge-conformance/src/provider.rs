//! The suite that every [`Provider`] must pass.
//!
//! A provider is held against an upstream stub that keeps books: what was received, what was taken, what
//! was charged. Whatever the stub does to a call, these must agree (the *law*, checked on every call of
//! every case):
//!
//! - `Rejected` or `NotSent`: no charge for that number, now or later; `NotSent`: nothing arrived;
//! - `Accepted`: the books have the order, once;
//! - anything that can't be read or proves nothing: `Unknown`, with the text of the answer kept;
//! - one call, at most one request;
//! - a query shows what the books say, and says "not found" only where the upstream did;
//! - nothing that comes back or is printed holds a secret or a full account.
//!
//! One case is left out on purpose: a packet that the *network* doubles, whose second copy is refused and
//! whose refusal is the answer that comes back. No adapter can tell it from a true refusal; the engine
//! asks after each one.
//!
//! To use it, write a [`Bench`] for your stub and one line in a file in `tests/`. A stub that answers in
//! memory needs only its words: see [`StubBench`](crate::StubBench). The simulator's upstreams have
//! [`SimBench`](crate::SimBench). The crate's front page shows a whole adapter.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use recharge_core::{
    AccountKind, AttemptNumber, Provider, SubmitRequest, UpstreamOrderId, UpstreamState,
};

use crate::masked;

mod callbacks;
mod calls;
mod conduct;
mod law;
mod queries;
mod situation;
mod submits;

pub use callbacks::*;
pub use calls::*;
pub use conduct::*;
pub use queries::*;
pub use situation::{OnQuery, OnSubmit, QueryArm, Situation, SubmitArm};
pub use submits::*;

/// Expands to one `#[test]` for each case of the suite. The argument is a future that gives a fresh
/// [`Bench`](crate::provider::Bench); each case makes one of its own, in a Tokio runtime of its own.
#[macro_export]
macro_rules! provider_suite {
    ($bench:expr) => {
        $crate::provider_suite!(@list tests [$bench]);
    };
    (@list $what:ident [$($with:tt)*]) => {
        $crate::provider_suite! { @$what [$($with)*]
            the_bench_is_whole
            capabilities_are_sound
            a_healthy_order_is_accepted_and_booked
            every_face_value_on_offer_is_taken
            what_is_not_on_offer_is_not_taken
            a_refusal_is_rejected_and_never_charged
            without_a_connection_nothing_was_sent
            past_its_deadline_an_order_is_not_sent
            no_answer_is_unknown
            a_late_acceptance_was_unknown
            a_server_error_is_unknown
            a_page_of_html_is_unknown
            an_unreadable_answer_is_unknown
            a_code_that_proves_nothing_is_unknown
            a_duplicate_number_is_unknown
            an_answer_about_another_order_is_unknown
            harmless_variations_are_understood
            one_call_is_one_request
            a_query_shows_what_the_books_say
            only_an_explicit_no_is_not_found
            trouble_with_a_query_teaches_nothing
            an_unreadable_answer_to_a_query_teaches_nothing
            a_limit_on_queries_is_named
            declared_calls_work
            other_calls_are_unsupported
            a_genuine_callback_is_read
            a_changed_callback_is_forged
            an_incomplete_callback_is_unusable
            a_repeated_field_is_unusable
            the_signature_covers_the_state_as_declared
            nothing_printed_holds_a_secret_or_an_account
            a_dropped_submit_can_be_asked_about
            orders_at_once_are_kept_apart
        }
    };
    (@tests [$bench:expr] $($case:ident)+) => {
        $(
            #[test]
            fn $case() -> Result<(), $crate::provider::Failure> {
                $crate::provider::run(async {
                    let bench = $bench.await;
                    $crate::provider::$case(&bench).await
                })
            }
        )+
    };
    (@cases [] $($case:ident)+) => {
        &[$($crate::provider::Case {
            name: stringify!($case),
            run: |bench| Box::pin($crate::provider::$case(bench)),
        },)+]
    };
}

/// Every case, for those who run them otherwise than by [`provider_suite!`](crate::provider_suite).
pub const CASES: &[Case] = crate::provider_suite!(@list cases []);

/// A case of the suite.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// Its name: that of the function and of the test.
    pub name: &'static str,
    /// Runs it on a fresh bench.
    pub run: for<'a> fn(&'a dyn Bench) -> Verdict<'a>,
}

/// What comes of a case.
pub type Verdict<'a> = Pin<Box<dyn Future<Output = Result<(), Failure>> + Send + 'a>>;

/// An upstream stub with books, and the provider under test that talks to it.
#[async_trait]
pub trait Bench: Send + Sync {
    /// The provider under test. Called again it gives another instance, as after a restart.
    fn provider(&self) -> Arc<dyn Provider>;

    /// The secrets that it was given, such as keys: none of them may ever be printed. At least one.
    fn secrets(&self) -> Vec<String>;

    /// An order of this kind that is taken when nothing goes wrong, under a number never used before at
    /// this stub: see [`number`]. Only asked for kinds that the provider offers.
    fn order(&self, kind: AccountKind) -> SubmitRequest;

    /// The situations that can't be made here, each with the reason why. Checked both ways: what is not
    /// on this list must be arranged, and what is must not.
    fn cannot(&self) -> &[(Situation, &'static str)];

    /// Sees to it that the first submit of this order, or the first query about it, meets this
    /// situation. Called before any call about the number, for at most one situation of each of the
    /// two. Everything else about the order goes right.
    async fn arrange(
        &self,
        order: &SubmitRequest,
        situation: Situation,
    ) -> Result<Arranged, Failure>;

    /// Brings a taken order to its end. Until then it is charging.
    async fn end(&self, number: AttemptNumber, end: End) -> Result<(), Failure>;

    /// Returns when nothing more happens by itself: packets that were under way have arrived.
    async fn quiet(&self) -> Result<(), Failure>;

    /// What the books say about a number; [`Entry::default`] for one that never came.
    async fn entry(&self, number: AttemptNumber) -> Result<Entry, Failure>;

    /// A genuine callback that says how this taken order ended, after bringing it to that end;
    /// `None` when the upstream sends none.
    async fn callback(
        &self,
        order: &SubmitRequest,
        end: End,
    ) -> Result<Option<CallbackSample>, Failure>;

    /// A callback's fields as a content type and a body. Urlencoded unless overridden.
    fn encode_callback(&self, fields: &[(String, String)]) -> (Option<String>, Vec<u8>) {
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(fields);
        let content_type = "application/x-www-form-urlencoded".to_owned();
        (Some(content_type), body.finish().into_bytes())
    }
}

/// What [`Bench::arrange`] says.
#[derive(Debug, Clone)]
pub enum Arranged {
    /// The situation will be met by calls through this provider: most often the bench's usual one, but
    /// one that talks to another port or that is less patient where the situation needs it.
    With(Arc<dyn Provider>),
    /// The situation can't be made: [`Bench::cannot`] says why.
    Cannot,
}

/// How an order ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum End {
    /// Paid.
    Succeeded,
    /// Failed.
    Failed,
    /// Failed in the upstream's other way, if it has one: Juhe's "not taken on".
    NotTakenOn,
}

impl End {
    /// Every end.
    pub const ALL: [Self; 3] = [Self::Succeeded, Self::Failed, Self::NotTakenOn];

    /// The state that a provider is to report.
    pub const fn state(self) -> UpstreamState {
        match self {
            Self::Succeeded => UpstreamState::Succeeded,
            Self::Failed | Self::NotTakenOn => UpstreamState::Failed,
        }
    }
}

/// What an upstream's books say about one order number. `Debug` masks the account.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// Submits of this number that were received. Copies that the stub makes by itself don't count.
    pub submits: u32,
    /// Queries about this number that were received.
    pub queries: u32,
    /// Effective charges: 1 while charging and after success, 0 after a failure.
    pub charges: u32,
    /// The state; `None` if the order was never taken.
    pub state: Option<UpstreamState>,
    /// The account, as received.
    pub account: String,
    /// The face value in yuan, as received.
    pub amount: String,
    /// The upstream's own number, if the order was taken.
    pub upstream_order_id: Option<UpstreamOrderId>,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("submits", &self.submits)
            .field("queries", &self.queries)
            .field("charges", &self.charges)
            .field("state", &self.state)
            .field("account", &masked(&self.account))
            .field("amount", &self.amount)
            .field("upstream_order_id", &self.upstream_order_id)
            .finish()
    }
}

/// A genuine callback, taken apart.
///
/// `Debug` shows the names of the fields only: the values are an account and a signature.
#[derive(Clone, PartialEq, Eq)]
pub struct CallbackSample {
    /// Its fields, as sent.
    pub fields: Vec<(String, String)>,
    /// The names of the fields that the signature covers, and of the signature itself.
    pub signed: Vec<&'static str>,
    /// The name of the field that claims the state, signed or not.
    pub state: &'static str,
    /// A value of that field that claims the opposite.
    pub opposite: &'static str,
}

impl fmt::Debug for CallbackSample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.fields.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("CallbackSample")
            .field("fields", &names)
            .field("signed", &self.signed)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// How a provider, or its bench, fails a case. Says what was expected and what came.
#[derive(Clone, PartialEq, Eq)]
pub struct Failure(String);

impl Failure {
    /// A failure, in words.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// A test that returns it prints its `Debug`.
impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Failure {}

/// The `n`th of a fixed row of order numbers, all different.
///
/// ```
/// use recharge_conformance::provider::number;
/// assert_ne!(number(1), number(2));
/// ```
pub fn number(n: u64) -> AttemptNumber {
    // Scattered by an odd factor, so that neighbours differ in more than their last place.
    let scattered = n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
    let mut bits = [0; 17];
    let (first, rest) = bits.split_at_mut(8);
    first.copy_from_slice(&scattered);
    if let Some(plain) = rest.first_chunk_mut() {
        *plain = n.to_be_bytes();
    }
    AttemptNumber::from_bits(&bits)
}

/// Runs a case in a runtime of its own, with two threads.
pub fn run(case: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("no runtime: {error}")))?
        .block_on(case)
}
