//! Why a store does not do what it is asked to, and what is known then.

use std::fmt;

use recharge_core::{MerchantId, OrderId, OrderState};

/// Why a store didn't do it. The texts are for operators: they name files and settings, and neither
/// accounts nor secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Nothing has been written. It may work later; until it does, accept nothing.
    #[error("the store can't be used now, nothing was written: {0}")]
    Unavailable(String),
    /// This store will not do it: it is open for reading only, or what is to be written can't be. Nothing
    /// has been written, and trying again doesn't help.
    #[error("the store will not do this, nothing was written: {0}")]
    Refused(String),
    /// Nobody knows whether it has been written. Read back before acting on it; all of it is there, or
    /// nothing.
    #[error("it is not known whether this was written: {0}")]
    Unknown(String),
    /// What is stored can't be what was written. Trying again doesn't help: a person must look.
    #[error("the store is damaged: {0}")]
    Damaged(String),
}

/// Why an order is not accepted. Nothing has changed, unless it is [`Store`](Self::Store) with
/// [`StoreError::Unknown`], or [`Stopping`](Self::Stopping): then it may have been accepted, and to send the
/// same again, by the same name, is how to find out.
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
        /// Whose the earlier order is. Another merchant is not told its name.
        merchant: MerchantId,
        /// The earlier order.
        order_id: OrderId,
        /// Where it stands.
        state: OrderState,
    },
    /// The account has had as much as it may have in a day.
    #[error("this account has reached its limit for the day: it has had {had} of {limit}")]
    AccountLimit {
        /// The limit.
        limit: AccountLimit,
        /// How much the account has had of it, this order not counted.
        had: u64,
    },
    /// No route sells it. Only a driver says so, and never a store.
    #[error("{0}")]
    NotOffered(String),
    /// No further orders are accepted by this process. Only a driver says so, and never a store.
    #[error("the service is stopping; send it again later")]
    Stopping,
    /// The store didn't take it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What limits an account for a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AccountLimit {
    /// So many orders.
    Orders(u32),
    /// So many yuan, by face value.
    Yuan(u32),
}

impl fmt::Display for AccountLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Orders(most) => write!(f, "{most} orders"),
            Self::Yuan(most) => write!(f, "{most} yuan"),
        }
    }
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
    /// The order isn't claimed under this lease. Claim it, or leave it to whoever has it.
    #[error("the claim on this order is void; another worker has it")]
    LeaseLost,
    /// There is no such order.
    #[error("there is no such order")]
    NoSuchOrder,
    /// The store didn't do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}
