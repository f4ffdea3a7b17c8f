//! What a store counts.

use recharge_core::ProviderId;

use crate::WallTime;

/// How many orders there are of each state, and what waits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// Orders by [the name of their state](recharge_core::OrderState::as_str), reviews together whatever their reason;
    /// states without orders are left out.
    pub orders: Vec<(&'static str, u64)>,
    /// The same by the provider of their newest attempt as well; without one, they were not sent yet.
    pub by_provider: Vec<(&'static str, Option<ProviderId>, u64)>,
    /// Messages that have not been delivered.
    pub messages: u64,
    /// Those of them that were given up, and wait for a person.
    pub given_up: u64,
    /// When the order was accepted that has waited longest of those neither ended nor on a desk.
    pub oldest_open: Option<WallTime>,
    /// When the oldest order was accepted of which nobody knows whether it was taken.
    pub oldest_unknown: Option<WallTime>,
    /// When the oldest order was accepted that lies on a person's desk.
    pub oldest_review: Option<WallTime>,
}

/// How many commits a store has made since it was opened, and how many writes shared them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Commits {
    /// Commits.
    pub commits: u64,
    /// Writes that they made durable.
    pub writes: u64,
    /// How many commits had at most so many writes, and more than the entry before; rising, and the last
    /// entry is the largest that a commit can have. Empty where a store doesn't count.
    pub by_size: Vec<(u64, u64)>,
}
