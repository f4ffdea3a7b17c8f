//! What a submit and a query can tell.
//!
//! These are enums to be matched, not errors to be passed up: each arm asks for another action, and
//! the wrong one charges a customer twice. No accessor, no `?` and no conversion leads to a [`Receipt`]:
//! pattern matching is the only way. An `if let` or a wildcard would compile; write a `match` that names
//! every arm, as all of Recharge does.

use crate::{Money, Redactor, UpstreamOrderId};

/// What a submit told.
///
/// **Dropping the future of a submit means [`Unknown`](Self::Unknown)**: bytes may have gone, and
/// nobody has read the answer. Whoever drops it must treat the order so.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "each outcome asks for another action; ignoring one loses money"]
pub enum SubmitOutcome {
    /// The upstream acknowledged the order. It is not yet paid: ask for its state.
    Accepted(Receipt),
    /// The upstream refused it with a code that the adapter lists as "not accepted".
    Rejected(Rejection),
    /// Not one byte of this request was written.
    NotSent(NotSent),
    /// Everything else: the upstream may have taken it. Ask; never send again.
    Unknown(Doubt),
}

/// What a query told about the order number that was asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "an answer that is not recorded is lost evidence"]
pub enum QueryOutcome {
    /// The upstream knows the order.
    Found(Sighting),
    /// The upstream said explicitly that it has no such order. That alone proves nothing: a delayed
    /// submit may still arrive.
    NotFound(Answer),
    /// The question was not answered: transport trouble, a rate limit, maintenance, an unreadable
    /// answer. It teaches nothing.
    Unavailable(Unavailable),
}

/// The state an upstream reports for an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UpstreamState {
    /// 充值中.
    Charging,
    /// 充值成功.
    Succeeded,
    /// 充值失败 or 撤销.
    Failed,
}

impl UpstreamState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Charging, Self::Succeeded, Self::Failed];

    /// The state of that [`as_str`](Self::as_str) name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// The name in files, answers and docs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Charging => "charging",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }
}

/// What an upstream answered, safe to store, log and show: secrets and phone numbers are masked when
/// it is made.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer {
    /// The upstream's code, as text; empty where the answer had none.
    pub code: String,
    /// The upstream's message, or our own words about an answer that had none.
    pub message: String,
    /// The body as received, up to [`Answer::RAW_LIMIT`] characters.
    pub raw: String,
}

impl Answer {
    /// How many characters of a raw answer are kept.
    pub const RAW_LIMIT: usize = 4096;

    /// An answer as it was stored. It was masked when it was made, and is taken as it is: masked again, it
    /// might not be the same.
    pub const fn restored(code: String, message: String, raw: String) -> Self {
        Self { code, message, raw }
    }

    /// Keeps an answer as `redactor` shows it: with the secrets it knows, anything that looks like a
    /// mobile number, and each of `accounts` (an order's own, which may not look like one) masked.
    pub fn new(
        redactor: &Redactor,
        accounts: &[&str],
        code: &str,
        message: &str,
        raw: &str,
    ) -> Self {
        let keep = |text: &str| {
            let mut text = redactor.redact(text, accounts);
            // Only a text of more bytes can have more characters.
            if text.len() > Self::RAW_LIMIT {
                let end = text
                    .char_indices()
                    .nth(Self::RAW_LIMIT)
                    .map_or(text.len(), |(at, _)| at);
                text.truncate(end);
            }
            text
        };
        Self {
            code: keep(code),
            message: keep(message),
            raw: keep(raw),
        }
    }
}

/// The upstream's acknowledgement of a submit.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Receipt {
    /// The upstream's own number, when it gave one.
    pub upstream_order_id: Option<UpstreamOrderId>,
    /// The state reported with the acknowledgement. Only a query proves an end.
    pub reported: UpstreamState,
    /// The price reported with the acknowledgement.
    pub cost: Option<Money>,
    /// What was answered.
    pub answer: Answer,
}

impl Receipt {
    /// A receipt for an order that is charging, with no number and no price.
    pub const fn new(answer: Answer) -> Self {
        Self {
            upstream_order_id: None,
            reported: UpstreamState::Charging,
            cost: None,
            answer,
        }
    }
}

/// A refusal by a code that proves "not accepted", when it answers a first submit.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rejection {
    /// What was answered.
    pub answer: Answer,
    /// What the reader can do about it, where the adapter knows.
    pub advice: Option<String>,
}

impl Rejection {
    /// A rejection without advice.
    pub const fn new(answer: Answer) -> Self {
        Self {
            answer,
            advice: None,
        }
    }
}

/// Knowledge that not one byte of a request was written, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotSent {
    /// Why, in words.
    pub reason: String,
}

impl NotSent {
    /// Not sent, and why.
    pub fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
        }
    }
}

/// Why it is not known whether an order was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Doubt {
    /// The kind of doubt.
    pub kind: DoubtKind,
    /// The same in words.
    pub detail: String,
    /// What was answered, if anything.
    pub answer: Option<Answer>,
}

impl Doubt {
    /// A doubt without an answer.
    pub fn new(kind: DoubtKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            answer: None,
        }
    }

    /// The same doubt, with what was answered.
    #[must_use]
    pub fn with_answer(mut self, answer: Answer) -> Self {
        self.answer = Some(answer);
        self
    }
}

/// The kinds of [`Doubt`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DoubtKind {
    /// No answer: a timeout, a reset, a truncated or oversized one.
    NoAnswer,
    /// An HTTP status other than 200.
    HttpStatus,
    /// An answer that can't be read.
    Unreadable,
    /// A code that proves nothing, or that is not listed.
    Code,
    /// The answer names another phone, order number or face value than ours.
    Echo,
    /// Nobody read the answer: the caller went away, or the process stopped.
    Dropped,
}

impl DoubtKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::NoAnswer,
        Self::HttpStatus,
        Self::Unreadable,
        Self::Code,
        Self::Echo,
        Self::Dropped,
    ];

    /// The name in records and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoAnswer => "no_answer",
            Self::HttpStatus => "http_status",
            Self::Unreadable => "unreadable",
            Self::Code => "code",
            Self::Echo => "echo",
            Self::Dropped => "dropped",
        }
    }

    /// The kind of that [`as_str`](Self::as_str) name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// What a query found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sighting {
    /// The state reported.
    pub state: UpstreamState,
    /// The upstream's own number, when it gave one.
    pub upstream_order_id: Option<UpstreamOrderId>,
    /// What was deducted, when it said.
    pub cost: Option<Money>,
    /// What was answered.
    pub answer: Answer,
}

impl Sighting {
    /// An order in that state, with no number and no price.
    pub const fn new(state: UpstreamState, answer: Answer) -> Self {
        Self {
            state,
            upstream_order_id: None,
            cost: None,
            answer,
        }
    }
}

/// Why a question was not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unavailable {
    /// The kind of trouble.
    pub kind: UnavailableKind,
    /// The same in words.
    pub detail: String,
    /// What was answered, if anything.
    pub answer: Option<Answer>,
}

impl Unavailable {
    /// Trouble without an answer.
    pub fn new(kind: UnavailableKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            answer: None,
        }
    }

    /// The same trouble, with what was answered.
    #[must_use]
    pub fn with_answer(mut self, answer: Answer) -> Self {
        self.answer = Some(answer);
        self
    }
}

/// The kinds of [`Unavailable`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UnavailableKind {
    /// Transport trouble: no answer, or an HTTP status other than 200.
    Transport,
    /// Too many calls, or a quota used up.
    RateLimited,
    /// The upstream or the carrier is under maintenance.
    Maintenance,
    /// The upstream refuses our key or address.
    Denied,
    /// An answer that can't be read, a state that is not listed, or one about another order.
    Unreadable,
    /// A code that says nothing about the order.
    Code,
    /// The provider has no such call.
    Unsupported,
}

impl UnavailableKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Transport,
        Self::RateLimited,
        Self::Maintenance,
        Self::Denied,
        Self::Unreadable,
        Self::Code,
        Self::Unsupported,
    ];

    /// The name in records and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Transport => "transport",
            Self::RateLimited => "rate_limited",
            Self::Maintenance => "maintenance",
            Self::Denied => "denied",
            Self::Unreadable => "unreadable",
            Self::Code => "code",
            Self::Unsupported => "unsupported",
        }
    }

    /// The kind of that [`as_str`](Self::as_str) name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for state in UpstreamState::ALL {
            assert_eq!(UpstreamState::parse(state.as_str()), Some(state));
        }
        for kind in DoubtKind::ALL {
            assert_eq!(DoubtKind::parse(kind.as_str()), Some(kind));
        }
        for kind in UnavailableKind::ALL {
            assert_eq!(UnavailableKind::parse(kind.as_str()), Some(kind));
        }
        for none in ["", "Charging", "no answer", "Transport"] {
            assert_eq!(UpstreamState::parse(none), None);
            assert_eq!(DoubtKind::parse(none), None);
            assert_eq!(UnavailableKind::parse(none), None);
        }
    }

    #[test]
    fn a_huge_answer_is_kept_in_part() {
        let answer = Answer::new(&Redactor::default(), &[], "", "", &"大".repeat(10_000));
        assert_eq!(answer.raw.chars().count(), Answer::RAW_LIMIT);
    }

    #[test]
    fn a_stored_answer_comes_back_as_it_was() {
        // Cut off there, an order number of the upstream's looks like a mobile number.
        let raw = format!("{}{}", "x".repeat(Answer::RAW_LIMIT - 11), "1".repeat(20));
        let made = Answer::new(&Redactor::default(), &[], "0", "ok", &raw);
        let Answer { code, message, raw } = made.clone();
        assert_ne!(
            Answer::new(&Redactor::default(), &[], &code, &message, &raw),
            made
        );
        assert_eq!(Answer::restored(code, message, raw), made);
    }
}
