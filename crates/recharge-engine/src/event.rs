//! What is written down: the events whose fold is the order.

use recharge_core::{
    AttemptNumber, OrderState, ProviderId, QueryOutcome, SubmitOutcome, UpstreamOrderId,
    UpstreamState,
};

use crate::{Moment, WallTime};

/// An event as it stands in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The order's version once this event is applied: 1, 2, 3, … without gaps.
    pub version: u64,
    /// When it was decided.
    pub at: Moment,
    /// What happened.
    pub event: Event,
}

/// What can happen to an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A send may go out. Must be durable before its first byte.
    SendIntended {
        /// The attempt: an index that exists, or the next one.
        attempt: u32,
        /// The number that travels.
        number: AttemptNumber,
        /// Where it goes.
        provider: ProviderId,
        /// Who may send it: only the holder of this token.
        token: SendToken,
    },
    /// What became of a send.
    SendEnded {
        /// The attempt.
        attempt: u32,
        /// Which of its sends.
        token: SendToken,
        /// What it told.
        outcome: SubmitOutcome,
    },
    /// A question was answered, or could not be asked.
    Answered {
        /// The attempt that was asked about.
        attempt: u32,
        /// When the question was sent.
        asked: Moment,
        /// Why it was asked.
        purpose: Purpose,
        /// What was answered.
        outcome: QueryOutcome,
        /// Whether it confirms an earlier "failed", by the times that were in force.
        confirms_failure: bool,
        /// Whether it was asked after the quarantine, by the times that were in force.
        after_quarantine: bool,
        /// Whether every attempt has now been asked in this round of the schedule.
        completes_round: bool,
    },
    /// A callback came whose signature is genuine.
    CallbackSeen {
        /// The attempt whose number it carries.
        attempt: u32,
        /// The upstream's number that it carries. Unproved until a query confirms it.
        upstream_order_id: Option<UpstreamOrderId>,
        /// The state that it claims.
        claims: Option<UpstreamState>,
        /// Whether it causes a query.
        asks: bool,
    },
    /// The first of two people made a decision; the second is awaited.
    Approved {
        /// What was decided, by whom and why.
        decision: Decision,
    },
    /// A decision came into force.
    Decided {
        /// What was decided, by whom and why.
        decision: Decision,
        /// The person who approved it before, where it takes two.
        approved_by: Option<Person>,
    },
    /// A person had every attempt asked about.
    AskedAgain {
        /// Who.
        by: Person,
    },
    /// The order moved along the table of moves.
    Moved {
        /// The new state.
        to: OrderState,
        /// Why.
        cause: Cause,
    },
    /// A start, a takeover or a jump of the clock.
    Recovered,
    /// When something is next to be done of itself; `None`: nothing is.
    Scheduled {
        /// On the wall clock.
        due: Option<WallTime>,
    },
}

/// A random value that tells one intent to send from any other, also after a commit whose fate was
/// unknown and was read back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SendToken(pub u128);

/// Why a question is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// The schedule's turn, before an end or after it.
    Schedule,
    /// The one query after a rejection.
    AfterRejection,
    /// Before a later attempt may be sent.
    BeforeNextAttempt,
    /// A callback came. Its answer counts only if it is "succeeded".
    Callback,
    /// A person asked.
    Person,
    /// Nothing was asked: a callback counts as an answer of a provider that can't be asked, because the
    /// configuration says so.
    CallbackCounts,
}

/// A person's name, as the caller has authenticated it. Not empty.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Person(Box<str>);

impl Person {
    /// Takes a name; `None` for a blank one.
    pub fn new(name: &str) -> Option<Self> {
        let name = name.trim();
        (!name.is_empty()).then(|| Self(name.into()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a person decided, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What.
    pub verdict: Verdict,
    /// Who.
    pub by: Person,
    /// Why: the upstream's proof, a ticket, what was said on the telephone. Not blank.
    pub evidence: String,
}

/// What people can decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The customer has the money on their account. One person.
    Succeeded,
    /// The customer was not charged. Two people, unless every attempt is negative.
    Failed,
    /// The same number may be sent once more. Two people, and the upstream refuses duplicates.
    SendAgain {
        /// The attempt.
        attempt: u32,
    },
    /// A new attempt may be sent to this provider. Two people, and only from "probably not taken".
    SendElsewhere {
        /// Where.
        provider: ProviderId,
    },
    /// The order is no longer wanted. One person, and only while nothing has been sent.
    Cancel,
}

/// Why an order moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The intent to send was made durable.
    SendIntended,
    /// Not one byte was written.
    NotSent,
    /// Rejected, and a later query found no such order.
    Refused,
    /// The upstream acknowledged the submit.
    Acknowledged,
    /// The submit told nothing.
    Doubt,
    /// The submit was under way at a start or takeover.
    FoundAtStart,
    /// A query says charging.
    QueryCharging,
    /// A query says succeeded.
    QuerySucceeded,
    /// Two queries, apart in time, say failed.
    QueryFailedTwice,
    /// An earlier attempt answered something, or can't be asked.
    EarlierAttempt,
    /// "No such order", often enough and long enough.
    ProbablyNotTaken,
    /// Past its limit.
    Overdue,
    /// Evidence against the end.
    Contradiction,
    /// Waited too long to be sent.
    Expired,
    /// No provider is left to send it to.
    NoRouteLeft,
    /// A person decided.
    Decided,
    /// The route's switch sends it on after a confirmed failure.
    FailoverSwitch,
}

impl Cause {
    /// The cause in words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SendIntended => "the intent to send was made durable",
            Self::NotSent => "not one byte was written",
            Self::Refused => "rejected, and a later query found no such order",
            Self::Acknowledged => "the upstream acknowledged it",
            Self::Doubt => "it is not known whether the upstream took it",
            Self::FoundAtStart => "it was being sent when the process stopped",
            Self::QueryCharging => "a query says charging",
            Self::QuerySucceeded => "a query says succeeded",
            Self::QueryFailedTwice => "two queries, apart in time, say failed",
            Self::EarlierAttempt => "an earlier attempt answered something, or can't be asked",
            Self::ProbablyNotTaken => "the upstream has long said that it has no such order",
            Self::Overdue => "it has taken longer than its limit",
            Self::Contradiction => "an answer contradicts the end",
            Self::Expired => "it waited too long to be sent",
            Self::NoRouteLeft => "no provider is left to send it to",
            Self::Decided => "people decided",
            Self::FailoverSwitch => "the route sends it on after a confirmed failure",
        }
    }
}
