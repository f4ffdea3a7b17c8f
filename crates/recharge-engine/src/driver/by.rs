//! [`By`]: what an input to an order rests on.

use crate::store::Lease;

/// By what a step is made.
#[derive(Debug, Clone, Copy)]
pub(super) enum By {
    /// Its claimer: it may send and decide.
    Claimer(Lease),
    /// A fact, which needs no claim.
    Fact,
    /// A kept callback: a fact, and the callback has then been handled.
    Callback(u64),
}

impl From<Option<Lease>> for By {
    fn from(lease: Option<Lease>) -> Self {
        lease.map_or(Self::Fact, Self::Claimer)
    }
}
