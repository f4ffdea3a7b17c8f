//! The names of what is written down. They never change: files have them.

use crate::{Cause, Purpose};

impl Purpose {
    /// Every purpose.
    pub const ALL: [Self; 6] = [
        Self::Schedule,
        Self::AfterRejection,
        Self::BeforeNextAttempt,
        Self::Callback,
        Self::Person,
        Self::CallbackCounts,
    ];

    /// The name in records and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::AfterRejection => "after_rejection",
            Self::BeforeNextAttempt => "before_next_attempt",
            Self::Callback => "callback",
            Self::Person => "person",
            Self::CallbackCounts => "callback_counts",
        }
    }

    /// The purpose of that [`as_str`](Self::as_str) name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|purpose| purpose.as_str() == name)
    }
}

impl Cause {
    /// Every cause.
    pub const ALL: [Self; 17] = [
        Self::SendIntended,
        Self::NotSent,
        Self::Refused,
        Self::Acknowledged,
        Self::Doubt,
        Self::FoundAtStart,
        Self::QueryCharging,
        Self::QuerySucceeded,
        Self::QueryFailedTwice,
        Self::EarlierAttempt,
        Self::ProbablyNotTaken,
        Self::Overdue,
        Self::Contradiction,
        Self::Expired,
        Self::NoRouteLeft,
        Self::Decided,
        Self::FailoverSwitch,
    ];

    /// The name in records and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SendIntended => "send_intended",
            Self::NotSent => "not_sent",
            Self::Refused => "refused",
            Self::Acknowledged => "acknowledged",
            Self::Doubt => "doubt",
            Self::FoundAtStart => "found_at_start",
            Self::QueryCharging => "query_charging",
            Self::QuerySucceeded => "query_succeeded",
            Self::QueryFailedTwice => "query_failed_twice",
            Self::EarlierAttempt => "earlier_attempt",
            Self::ProbablyNotTaken => "probably_not_taken",
            Self::Overdue => "overdue",
            Self::Contradiction => "contradiction",
            Self::Expired => "expired",
            Self::NoRouteLeft => "no_route_left",
            Self::Decided => "decided",
            Self::FailoverSwitch => "failover_switch",
        }
    }

    /// The cause of that [`as_str`](Self::as_str) name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.as_str() == name)
    }
}
