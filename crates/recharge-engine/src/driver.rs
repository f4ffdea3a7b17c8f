//! [`Driver`]: gives [`step()`](fn@crate::step) hands and a clock.
//!
//! ```text
//!            accept ─▶ store ◀── append ── step ◀── fact ◀─┐
//!                        │                  ▲ │            │
//!   scheduler ── due ──▶ claim ──▶ turn ────┘ └─ effect ─▶ gate ─▶ provider
//! ```
//!
//! An order that is due is claimed and given a *turn*: one step, and what comes of it. What the step says
//! is appended before any of it is done; then the provider is called, with no lock held; what it answers is
//! the next step. Each provider has a *gate*: so many submits and so many questions at a time, so many a
//! second, and a breaker that keeps new submits back while the provider can't be reached. A turn that finds
//! its gate shut is parked there; it has written nothing down, so nothing counts against it.
//!
//! Whoever asks may go away: all of this runs in tasks of the driver's own.

mod breaker;
mod core;
mod gate;
mod intake;
mod recover;
pub mod recovery;
mod scheduler;
mod tasks;
mod turn;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use recharge_core::{
    AccountKind, CallbackError, MerchantId, OrderId, Provider, ProviderExt, ProviderId,
};

use self::core::Core;
use crate::store::{Accepted, AccountLimits, KeptCallback, Stored};
use crate::{
    AcceptError, Clock, Command, CommandError, NewOrder, Order, Route, Store, StoreError, Times,
    TimesError,
};

/// What a driver is made of. The fields have the defaults that the lifecycle names.
#[derive(Clone)]
#[non_exhaustive]
pub struct Setup {
    /// The memory.
    pub store: Arc<dyn Store>,
    /// The providers, in order of preference.
    pub providers: Vec<Arc<dyn Provider>>,
    /// Where orders of each kind may go, in order of preference. A kind that has no entry goes to every
    /// provider that sells it, in the order of `providers`.
    pub routes: BTreeMap<AccountKind, Vec<Route>>,
    /// How long things take.
    pub times: Times,
    /// Names that count, where a decision takes two people, though nobody has authenticated them.
    pub approvers: Vec<String>,
    /// How much may be under way.
    pub limits: Limits,
    /// What stands in a new order's way.
    pub caution: Caution,
    /// Where the time is read.
    pub clock: Arc<dyn Clock>,
    /// Makes jitter, and tells sends apart: different at each start, but no secret.
    pub seed: u64,
}

/// How much may be under way at one provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Submits at a time, and as many questions.
    pub in_flight: usize,
    /// Questions a second.
    pub queries_per_second: u32,
    /// New submits a second; `None`: as many as may be in flight.
    pub submits_per_second: Option<u32>,
    /// After how many calls in a row that did not reach the provider new submits are kept back.
    pub breaker_after: u32,
    /// How often one is let through then, to try.
    pub breaker_trial: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            in_flight: 64,
            queries_per_second: 500,
            submits_per_second: None,
            breaker_after: 20,
            breaker_trial: Duration::from_secs(1),
        }
    }
}

/// What stands in a new order's way, so that a mistake of the merchant's is not charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Caution {
    /// For how long the same face value for the same account must be allowed explicitly.
    pub duplicate_window: Duration,
    /// How many orders one account may have in a day, by the calendar of Shanghai.
    pub account_orders_per_day: Option<u32>,
    /// How many yuan, by face value.
    pub account_yuan_per_day: Option<u32>,
}

impl Default for Caution {
    fn default() -> Self {
        Self {
            duplicate_window: Duration::from_mins(10),
            account_orders_per_day: None,
            account_yuan_per_day: None,
        }
    }
}

/// Why a driver doesn't start.
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
    /// The store can't be used.
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
    /// The store didn't take it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The driver has stopped.
    #[error("the service is stopping; try again later")]
    Stopping,
}

/// Why a callback is not taken. It must not be answered with success.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TakeError {
    /// There is no such provider.
    #[error("there is no provider of that name")]
    NoSuchProvider,
    /// It is not a genuine callback.
    #[error(transparent)]
    Callback(#[from] CallbackError),
    /// The store didn't take it. The upstream delivers it again.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The driver has stopped. The upstream delivers it again.
    #[error("the service is stopping")]
    Stopping,
}

impl Setup {
    /// Every provider sells what it declares, with the lifecycle's times.
    pub fn new(
        store: Arc<dyn Store>,
        providers: Vec<Arc<dyn Provider>>,
        clock: Arc<dyn Clock>,
        seed: u64,
    ) -> Self {
        Self {
            store,
            providers,
            routes: BTreeMap::new(),
            times: Times::default(),
            approvers: Vec::new(),
            limits: Limits::default(),
            caution: Caution::default(),
            clock,
            seed,
        }
    }

    /// Begins on the store, recovers what was under way, and goes to work in tasks of the present tokio
    /// runtime.
    pub async fn start(self) -> Result<Driver, StartError> {
        let core = Arc::new(Core::begin(self).await?);
        core.recover_at_start().await?;
        scheduler::start(&core);
        Ok(Driver { core })
    }
}

/// The routes of a kind of account when nothing is configured: every provider that sells it.
pub fn default_routes(providers: &[Arc<dyn Provider>], kind: AccountKind) -> Vec<Route> {
    let route = |provider: &Arc<dyn Provider>| {
        let offer = provider.offer(kind)?.clone();
        Some(Route::new(
            provider.id().clone(),
            provider.capabilities(),
            offer,
        ))
    };
    providers.iter().filter_map(route).collect()
}

/// A worker that follows the orders of a store. Clones are handles to the same one.
///
/// Dropping the last handle doesn't stop it: [`stop`](Self::stop) does.
#[derive(Clone)]
pub struct Driver {
    core: Arc<Core>,
}

impl Driver {
    /// Takes an order, durably, and sees to it. The same content again gives the same order.
    pub async fn accept(
        &self,
        what: NewOrder,
        allow_duplicate: bool,
    ) -> Result<Accepted, AcceptError> {
        let core = self.core.clone();
        self.core
            .detached(async move { core.accept(what, allow_duplicate).await })
            .await
            .unwrap_or(Err(AcceptError::Stopping))
    }

    /// Waits until an order rests: ended, or on a person's desk. `None` if there is no such order, or if
    /// the driver stops before.
    pub async fn rest(
        &self,
        merchant: &MerchantId,
        order_id: &OrderId,
    ) -> Result<Option<Order>, StoreError> {
        self.core.rest(merchant, order_id).await
    }

    /// An order as it stands.
    pub async fn order(
        &self,
        merchant: &MerchantId,
        order_id: &OrderId,
    ) -> Result<Option<Stored>, StoreError> {
        let store = &self.core.store;
        match store.find(merchant, order_id).await? {
            Some(key) => store.read(key).await,
            None => Ok(None),
        }
    }

    /// Carries out a person's command. What it asks for, such as a query, goes on afterwards.
    pub async fn command(
        &self,
        merchant: &MerchantId,
        order_id: &OrderId,
        command: Command,
    ) -> Result<Order, ActError> {
        let (core, merchant, order_id) = (self.core.clone(), merchant.clone(), order_id.clone());
        self.core
            .detached(async move { core.command(&merchant, &order_id, command).await })
            .await
            .unwrap_or(Err(ActError::Stopping))
    }

    /// Takes the body of a callback. When this answers `Ok`, it is kept and may be answered with success;
    /// what it causes goes on afterwards.
    pub async fn callback(
        &self,
        provider: &ProviderId,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Result<(), TakeError> {
        let upstream = self
            .core
            .upstream(provider)
            .ok_or(TakeError::NoSuchProvider)?;
        let callback = upstream.provider.parse_callback(content_type, body)?;
        let kept = KeptCallback {
            provider: provider.clone(),
            number: callback.number,
            upstream_order_id: callback.upstream_order_id,
            claims: callback.claims,
            covers_state: callback.covers_state,
        };
        let core = self.core.clone();
        self.core
            .detached(async move { core.keep_callback(kept).await })
            .await
            .unwrap_or(Err(StoreError::Unavailable("stopping".to_owned())))
            .map_err(TakeError::Store)
    }

    /// Its store, to read from.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.core.store
    }

    /// Takes no more orders and begins no more turns; waits until what is in flight has been recorded as
    /// what it is, though no longer than `patience`. What is still in flight then is in doubt, and found
    /// so at the next start. Answers whether everything was recorded.
    pub async fn stop(&self, patience: Duration) -> bool {
        self.core.stop(patience).await
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver")
            .field("store", &self.core.store)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setup")
            .field("store", &self.store)
            .field("providers", &self.providers)
            .field("limits", &self.limits)
            .field("caution", &self.caution)
            .finish_non_exhaustive()
    }
}

impl Caution {
    /// The guards of an order that is accepted now.
    fn guards(&self, now: crate::WallTime, allow_duplicate: bool) -> crate::store::Guards {
        const DAY: i64 = 24 * 60 * 60 * 1000;
        const SHANGHAI: i64 = 8 * 60 * 60 * 1000;
        let limited = self.account_orders_per_day.is_some() || self.account_yuan_per_day.is_some();
        let midnight = now.millis() - (now.millis().saturating_add(SHANGHAI)).rem_euclid(DAY);
        crate::store::Guards {
            duplicate_since: (!allow_duplicate).then(|| now.before(self.duplicate_window)),
            account: limited.then_some(AccountLimits {
                since: crate::WallTime::from_millis(midnight),
                orders: self.account_orders_per_day,
                yuan: self.account_yuan_per_day,
            }),
        }
    }
}
