//! What comes in to [`step`](fn@crate::step), and what it asks to be done.

use std::time::Duration;

use recharge_core::{
    AttemptNumber, OrderState, ProviderId, QueryOutcome, ReviewReason, SubmitOutcome,
    UpstreamOrderId, UpstreamState,
};

use crate::Moment;
use crate::event::{Decision, Person, Price, Purpose, SendToken};

/// What can come in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// The order is due.
    Due {
        /// A fresh random token, used if a send comes of it.
        token: SendToken,
        /// Random.
        jitter: Jitter,
    },
    /// A send has ended.
    SubmitEnded {
        /// The attempt.
        attempt: u32,
        /// The token with which it was sent.
        token: SendToken,
        /// What it told.
        outcome: SubmitOutcome,
        /// Random.
        jitter: Jitter,
    },
    /// A question has been answered, or could not be asked.
    QueryEnded {
        /// The attempt that was asked about.
        attempt: u32,
        /// When the question was sent.
        asked: Moment,
        /// Why it was asked: as the effect said.
        purpose: Purpose,
        /// What was answered.
        outcome: QueryOutcome,
        /// Random.
        jitter: Jitter,
    },
    /// A callback has come whose signature is genuine and whose number is this attempt's.
    Callback {
        /// The attempt.
        attempt: u32,
        /// The upstream's number that it carries.
        upstream_order_id: Option<UpstreamOrderId>,
        /// The state that it claims.
        claims: Option<UpstreamState>,
        /// Whether its signature covers that state.
        covers_state: bool,
        /// Random.
        jitter: Jitter,
    },
    /// A number has been asked about that a restored order could have used.
    Probed {
        /// The index from which the number is derived, as the effect said.
        attempt: u32,
        /// Where it was asked about.
        provider: ProviderId,
        /// When the question was sent.
        asked: Moment,
        /// What was answered.
        outcome: QueryOutcome,
        /// Random.
        jitter: Jitter,
    },
    /// The price of a route has been asked for.
    Priced {
        /// The route.
        provider: ProviderId,
        /// What it would cost.
        price: Price,
        /// Random.
        jitter: Jitter,
    },
    /// A start, a takeover or a jump of the clock: what was under way is no longer.
    Recovered {
        /// Whether the log is a restored backup's.
        restored: bool,
        /// Random.
        jitter: Jitter,
    },
    /// A person wants something.
    Command(Command),
}

/// A random share of a tenth, added to gaps so that orders don't ask in step: 0 adds nothing, 65,535
/// adds a tenth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Jitter(pub u16);

impl Jitter {
    /// The gap, up to a tenth longer.
    pub fn stretch(self, gap: Duration) -> Duration {
        gap.saturating_add((gap / 10).saturating_mul(u32::from(self.0)) / u32::from(u16::MAX))
    }
}

/// What a person can want.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Ask about every attempt now.
    AskAgain {
        /// Who.
        by: Person,
    },
    /// Decide.
    Decide(Decision),
}

/// What is to be done, once the events are durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Send an attempt's number to its provider, once, and report
    /// [`SubmitEnded`](Input::SubmitEnded).
    Submit {
        /// The attempt.
        attempt: u32,
        /// Its number.
        number: AttemptNumber,
        /// Its provider.
        provider: ProviderId,
        /// The token of the intent.
        token: SendToken,
        /// How long after the commit the first byte may go out.
        send_within: Duration,
    },
    /// Ask about an attempt and report [`QueryEnded`](Input::QueryEnded).
    Query {
        /// The attempt.
        attempt: u32,
        /// Its number.
        number: AttemptNumber,
        /// Its provider.
        provider: ProviderId,
        /// Why.
        purpose: Purpose,
    },
    /// Ask a provider about a number that a restored order could have used there, and report
    /// [`Probed`](Input::Probed).
    Probe {
        /// The index from which the number is derived.
        attempt: u32,
        /// The number.
        number: AttemptNumber,
        /// Where.
        provider: ProviderId,
    },
    /// Ask a provider what the order would cost there, and report [`Priced`](Input::Priced).
    Quote {
        /// Where.
        provider: ProviderId,
    },
}

/// What the merchant is told: where the order rests now. Of two notices the higher version holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Notice {
    /// The order's version.
    pub version: u64,
    /// The state.
    pub state: OrderState,
}

/// What an operator is alarmed of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alarm {
    /// An order is on the desk.
    Review(ReviewReason),
    /// A second attempt of one order is paid.
    PaidTwice,
}

/// Why a command is refused. Nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// Evidence has come that the person had not seen.
    #[error(
        "the order has new evidence since version {seen}; look at version {current} and decide again"
    )]
    Stale {
        /// The version that the person had seen.
        seen: u64,
        /// The present version.
        current: u64,
    },
    /// Nobody can have seen that version.
    #[error("the order is at version {current}, so version {seen} has not been seen; look again")]
    NotSeen {
        /// The version that the person claims to have seen.
        seen: u64,
        /// The present version.
        current: u64,
    },
    /// The state doesn't allow it.
    #[error("an order that is {state} can't be {what}")]
    NotNow {
        /// The state.
        state: OrderState,
        /// What was wanted.
        what: &'static str,
    },
    /// A condition of the decision doesn't hold.
    #[error("{0}")]
    NotAllowed(&'static str),
    /// It takes two people, and this name is not certain to be anybody's.
    #[error(
        "this takes two people, and nobody knows whether {0:?} is one: neither were they authenticated, nor is the name one of the approvers'"
    )]
    NotAPerson(String),
    /// No evidence was given.
    #[error("say what proves the decision: the upstream's statement, a ticket, a name")]
    NoEvidence,
    /// The same person can't be the second one.
    #[error("{0} has approved this already; it takes a second person")]
    SamePerson(String),
}
