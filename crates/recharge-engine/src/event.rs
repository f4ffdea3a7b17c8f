//! What is written down: the events whose fold is the order.

use std::fmt;

use recharge_core::{
    AttemptNumber, Money, OrderState, ProviderId, QueryOutcome, Redactor, SubmitOutcome,
    UpstreamOrderId, UpstreamState,
};

use crate::attempt::Said;
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
    /// The order comes from a restored backup, which may not know what was sent since: nothing is sent
    /// before every number that it could have used has been asked about.
    Held,
    /// A number that the order could have used at a provider was asked about.
    Probed {
        /// The index from which the number is derived.
        attempt: u32,
        /// Where it was asked about.
        provider: ProviderId,
        /// When the question was sent.
        asked: Moment,
        /// What was answered.
        outcome: QueryOutcome,
    },
    /// The upstream knows a number that the restored log doesn't know as sent: it was, after the backup.
    Adopted {
        /// The attempt: an index that exists, or the next one.
        attempt: u32,
        /// Its number.
        number: AttemptNumber,
        /// Where it is known.
        provider: ProviderId,
    },
    /// The price of a route was asked for, because the route has a ceiling.
    Priced {
        /// The route.
        provider: ProviderId,
        /// What it would cost.
        price: Price,
        /// Whether the ceiling that was in force lets it pass.
        passes: bool,
    },
    /// When something is next to be done of itself; `None`: nothing is.
    Scheduled {
        /// On the wall clock.
        due: Option<WallTime>,
    },
}

impl Event {
    /// Whether it is a callback, or the answer to a question that one caused and that has no say. Neither
    /// may change anything, so not even what is known of times.
    pub(crate) fn is_of_a_callback(&self) -> bool {
        match self {
            Self::CallbackSeen { .. } => true,
            Self::Answered {
                purpose, outcome, ..
            } => *purpose == Purpose::Callback && Said::in_answer(outcome, *purpose).is_none(),
            Self::SendIntended { .. }
            | Self::SendEnded { .. }
            | Self::Approved { .. }
            | Self::Decided { .. }
            | Self::AskedAgain { .. }
            | Self::Moved { .. }
            | Self::Recovered
            | Self::Held
            | Self::Probed { .. }
            | Self::Adopted { .. }
            | Self::Priced { .. }
            | Self::Scheduled { .. } => false,
        }
    }
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

/// What a provider said that a submit would cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Price {
    /// This much.
    Known(Money),
    /// The provider has no call for it, so the price is not known before it is charged.
    NoQuote,
    /// The question was not answered. Nothing is sent before it is.
    Unavailable(String),
}

/// Who decides: a name, and whether anybody has checked that it is theirs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Person {
    name: Box<str>,
    /// The operating system's user, where only that is known.
    system_user: Option<Box<str>>,
}

/// Why a text is not a person's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a person's name is 1 to 64 characters, without line breaks and other control characters")]
pub struct PersonError;

impl Person {
    /// A person whom the caller has authenticated.
    pub fn authenticated(name: &str) -> Result<Self, PersonError> {
        Self::checked(name).map(|name| Self {
            name,
            system_user: None,
        })
    }

    /// A person who says so, logged in to the machine as `system_user`. Where it takes two people, such
    /// a name counts only if [`Policy::approvers`](crate::Policy::approvers) lists it.
    pub fn unauthenticated(name: &str, system_user: &str) -> Result<Self, PersonError> {
        Ok(Self {
            name: Self::checked(name)?,
            system_user: Some(Self::checked(system_user)?),
        })
    }

    fn checked(name: &str) -> Result<Box<str>, PersonError> {
        let name = name.trim();
        let plain = !name.is_empty() && !name.chars().any(char::is_control);
        if plain && name.chars().count() <= 64 {
            Ok(name.into())
        } else {
            Err(PersonError)
        }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The operating system's user, of a person whom nobody has authenticated.
    pub fn system_user(&self) -> Option<&str> {
        self.system_user.as_deref()
    }

    /// Whether the two are one person: names are compared without regard to case, and to whether anybody has
    /// checked them. `==` compares all there is.
    pub fn is_same(&self, other: &Self) -> bool {
        self.name.to_lowercase() == other.name.to_lowercase()
    }
}

impl fmt::Display for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.system_user {
            None => f.write_str(&self.name),
            Some(user) => write!(f, "{} (not authenticated, as {user})", self.name),
        }
    }
}

/// What a person decided, and why. Its `Debug` masks mobile numbers: people write what they like.
#[derive(Clone, PartialEq, Eq)]
pub struct Decision {
    /// What.
    pub verdict: Verdict,
    /// Who.
    pub by: Person,
    /// Why: the upstream's proof, a ticket, what was said on the telephone. Not blank.
    pub evidence: String,
    /// The version of the order that the person had seen.
    pub seen: u64,
}

impl fmt::Debug for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let evidence = Redactor::default().redact(&self.evidence, &[]);
        f.debug_struct("Decision")
            .field("verdict", &self.verdict)
            .field("by", &self.by)
            .field("evidence", &evidence)
            .field("seen", &self.seen)
            .finish()
    }
}

/// What people can decide.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
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
    pub const fn meaning(self) -> &'static str {
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
