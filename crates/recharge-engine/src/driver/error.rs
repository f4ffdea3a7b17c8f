//! Why a driver doesn't do what it is asked to, and what can be done about it.

use recharge_core::{CallbackError, ProviderId};

use crate::{CommandError, StoreError, TimesError};

/// Why a driver doesn't start. All but [`Store`](Self::Store) ask for another [`Setup`](super::Setup).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A route leads to a provider that is not there.
    #[error("a route leads to {0}, which is not one of the providers")]
    NoSuchProvider(ProviderId),
    /// Two providers have one name, so that an order's attempts could not be told apart.
    #[error("two providers are called {0}")]
    SameProvider(ProviderId),
    /// A time that nothing can work with.
    #[error(transparent)]
    Times(#[from] TimesError),
    /// The store can't be used, or failed while the orders of an earlier worker were looked through. To
    /// start again is harmless.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a command is not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ActError {
    /// There is no such order.
    #[error("there is no such order")]
    NoSuchOrder,
    /// The lifecycle doesn't allow it. Nothing has changed.
    #[error(transparent)]
    Refused(#[from] CommandError),
    /// Another worker has the order. Nothing has changed.
    #[error("another worker has this order at the moment; try again")]
    Busy,
    /// The store didn't take it. After [`StoreError::Unknown`], look at the order before commanding again.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The driver has stopped. Look at the order before commanding again.
    #[error("the service is stopping; try again later")]
    Stopping,
}

/// Why nobody waits for an order any longer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WaitError {
    /// There is no such order.
    #[error("there is no such order")]
    NoSuchOrder,
    /// The driver has stopped. The order is as it was left, and the next worker goes on with it: it is not over.
    #[error("the service is stopping; the order goes on when it begins again")]
    Stopping,
    /// The store can't be read. The order goes on.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a callback is not taken. It must not be answered with success.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TakeError {
    /// There is no such provider.
    #[error("there is no provider of that name")]
    NoSuchProvider,
    /// It is not a genuine callback, or one of another kind. Nothing is kept of it.
    #[error(transparent)]
    Callback(#[from] CallbackError),
    /// The store didn't take it. The upstream delivers it again.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The driver has stopped. The upstream delivers it again.
    #[error("the service is stopping")]
    Stopping,
}
