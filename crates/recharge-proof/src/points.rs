//! The places at which a worker can be stopped: every await on the store or on the wire.

use std::fmt;

/// What is asked of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Op {
    Begin,
    NextEpoch,
    Accept,
    ClaimDue,
    Claim,
    Release,
    NextDue,
    Append,
    Read,
    Find,
    Survey,
    KeepCallback,
    Unhandled,
    Handled,
    Messages,
    Delivered,
    SetHold,
}

impl Op {
    pub(crate) const ALL: [Self; 17] = [
        Self::Begin,
        Self::NextEpoch,
        Self::Accept,
        Self::ClaimDue,
        Self::Claim,
        Self::Release,
        Self::NextDue,
        Self::Append,
        Self::Read,
        Self::Find,
        Self::Survey,
        Self::KeepCallback,
        Self::Unhandled,
        Self::Handled,
        Self::Messages,
        Self::Delivered,
        Self::SetHold,
    ];

    /// Whether it makes something durable.
    pub(crate) const fn writes(self) -> bool {
        match self {
            Self::Begin
            | Self::NextEpoch
            | Self::Accept
            | Self::Append
            | Self::KeepCallback
            | Self::Handled
            | Self::Delivered
            | Self::SetHold => true,
            Self::ClaimDue
            | Self::Claim
            | Self::Release
            | Self::NextDue
            | Self::Read
            | Self::Find
            | Self::Survey
            | Self::Unhandled
            | Self::Messages => false,
        }
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Begin => "begin",
            Self::NextEpoch => "next_epoch",
            Self::Accept => "accept",
            Self::ClaimDue => "claim_due",
            Self::Claim => "claim",
            Self::Release => "release",
            Self::NextDue => "next_due",
            Self::Append => "append",
            Self::Read => "read",
            Self::Find => "find",
            Self::Survey => "survey",
            Self::KeepCallback => "keep_callback",
            Self::Unhandled => "unhandled",
            Self::Handled => "handled",
            Self::Messages => "messages",
            Self::Delivered => "delivered",
            Self::SetHold => "set_hold",
        }
    }
}

/// Where a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Point {
    /// It has asked the store, which has not done it yet, or has written it and not synced: a crash loses it.
    Asked(Op),
    /// It is durable, and the worker has not been told.
    Durable(Op),
    /// A request is about to be made: no byte has gone.
    BeforeFirstByte,
    /// Its bytes have gone, and no answer has come.
    BytesGone,
    /// The answer is there, and has not been looked at.
    Answered,
}

impl Point {
    /// Every point.
    pub(crate) fn all() -> Vec<Self> {
        let of_store = Op::ALL.into_iter().flat_map(|op| {
            std::iter::once(Self::Asked(op)).chain(op.writes().then_some(Self::Durable(op)))
        });
        let of_wire = [Self::BeforeFirstByte, Self::BytesGone, Self::Answered];
        of_store.chain(of_wire).collect()
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asked(op) => write!(f, "{} asked", op.as_str()),
            Self::Durable(op) => write!(f, "{} durable", op.as_str()),
            Self::BeforeFirstByte => f.write_str("before the first byte"),
            Self::BytesGone => f.write_str("bytes gone"),
            Self::Answered => f.write_str("answered"),
        }
    }
}
