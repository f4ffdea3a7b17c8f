//! Why a store does not do what it is asked to, and what is known then.

use recharge_core::{OrderId, OrderState};

/// Why a store didn't do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Nothing has been written. It may work later; until it does, accept nothing.
    #[error("the store can't be used now, nothing was written: {0}")]
    Unavailable(String),
    /// Nobody knows whether it has been written. Read back before acting on it.
    #[error("it is not known whether this was written: {0}")]
    Unknown(String),
    /// What is stored can't be what was written.
    #[error("the store is damaged: {0}")]
    Damaged(String),
}

/// Why an order is not accepted. Nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AcceptError {
    /// The same merchant has used the same order id for something else.
    #[error("this order id stands for another order already; use a new one")]
    Conflict,
    /// The same account was charged with the same face value a short while ago.
    #[error(
        "order {order_id} charges the same account with the same amount and is {state}; if this is meant, allow the duplicate"
    )]
    Duplicate {
        /// The earlier order, of whichever merchant.
        order_id: OrderId,
        /// Where it stands.
        state: OrderState,
    },
    /// The account has had as much as it may have in a day.
    #[error("this account has reached its limit for the day: {0}")]
    AccountLimit(String),
    /// No route sells it.
    #[error("{0}")]
    NotOffered(String),
    /// No further orders are accepted.
    #[error("the service is stopping; send it again later")]
    Stopping,
    /// The store didn't take it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why events are not appended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AppendError {
    /// The order has gone on since the step was made. Read it and step again.
    #[error("the order is at version {found} already")]
    Version {
        /// Its present version.
        found: u64,
    },
    /// Another worker has the order now.
    #[error("the claim on this order is void; another worker has it")]
    LeaseLost,
    /// There is no such order.
    #[error("there is no such order")]
    NoSuchOrder,
    /// The store didn't do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}
