//! Callbacks, as they are kept until an order has heard of them.

use recharge_core::{ProviderId, UpstreamOrderId, UpstreamState};

use super::OrderKey;

/// A genuine callback, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeptCallback {
    /// From which provider.
    pub provider: ProviderId,
    /// Our number, as it says; it may be nobody's.
    pub number: String,
    /// The upstream's number.
    pub upstream_order_id: Option<UpstreamOrderId>,
    /// The state that it claims.
    pub claims: Option<UpstreamState>,
    /// Whether its signature covers that state.
    pub covers_state: bool,
}

impl KeptCallback {
    /// One that carries nothing but our number.
    pub const fn new(provider: ProviderId, number: String) -> Self {
        Self {
            provider,
            number,
            upstream_order_id: None,
            claims: None,
            covers_state: false,
        }
    }
}

/// A callback that has been kept, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxEntry {
    /// By which it is [marked as handled](super::Store::handled).
    pub id: u64,
    /// What came.
    pub callback: KeptCallback,
    /// Whose it is: an order and the index of its attempt. `None` when no order that is still asked about
    /// has that number at that provider.
    pub whose: Option<(OrderKey, u32)>,
    /// Whether the same had come before.
    pub again: bool,
}
