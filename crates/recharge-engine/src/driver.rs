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
//! Whoever asks may go away: all of this runs in tasks of the driver's own, in the tokio runtime in which
//! it was started, unless [`Setup::tasks`] says where else. Its methods are called there too.
//!
//! ```
//! # use std::sync::Arc;
//! # use recharge_core::Provider;
//! # use recharge_engine::driver::{Setup, StartError};
//! # use recharge_engine::{Driver, Store, SystemClock};
//! # async fn start(
//! #     store: Arc<dyn Store>, providers: Vec<Arc<dyn Provider>>,
//! # ) -> Result<Driver, StartError> {
//! let mut setup = Setup::new(store, providers, Arc::new(SystemClock::new()));
//! setup.limits.in_flight = 16;
//! setup.caution.account_orders_per_day = Some(5);
//! setup.start().await
//! # }
//! ```

mod breaker;
mod by;
mod call;
mod core;
// For the search of all that can become of an order, and no promise to anybody else.
#[doc(hidden)]
pub mod decide;
mod error;
mod gate;
mod hand;
mod intake;
mod random;
mod recover;
mod recovery;
mod scheduler;
mod settle;
mod tasks;
mod trace;
mod turn;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use recharge_core::{AccountKind, MerchantId, OrderId, Provider, ProviderId};

use tokio::sync::watch;

use self::core::Core;
pub use self::error::{ActError, StartError, TakeError, WaitError};
pub use self::tasks::{OnTokio, Spawn, Task};
use crate::store::{Accepted, AccountLimits, KeptCallback, Stored};
use crate::{AcceptError, Clock, Command, Input, NewOrder, Order, Route, Store, StoreError, Times};

/// What a driver is made of. The fields have the defaults that the lifecycle names; set those that differ,
/// then [`start`](Self::start).
#[derive(Clone)]
#[non_exhaustive]
#[must_use = "nothing happens before it is started"]
pub struct Setup {
    /// The memory.
    pub store: Arc<dyn Store>,
    /// The providers, in order of preference. Their names differ. One to which orders were sent must stay
    /// here until they have ended and are no longer asked about, with its routes switched off if need be.
    pub providers: Vec<Arc<dyn Provider>>,
    /// Where orders of each kind may go, in order of preference. A kind that has no entry goes to every
    /// provider that sells it, in the order of `providers`.
    pub routes: BTreeMap<AccountKind, Vec<Route>>,
    /// How long things take. [Validated](Times::validate) at the start.
    pub times: Times,
    /// Names that count, where a decision takes two people, though nobody has authenticated them.
    pub approvers: Vec<String>,
    /// How much may be under way at each provider.
    pub limits: Limits,
    /// About how many orders are kept in memory, at most half of them only because they are due within a minute.
    /// More are read again when their turn comes. Zero counts as one.
    pub at_hand: usize,
    /// What stands in a new order's way.
    pub caution: Caution,
    /// Where the time is read.
    pub clock: Arc<dyn Clock>,
    /// Where its tasks run: in the tokio runtime in which it is started and called, unless told otherwise.
    pub tasks: Arc<dyn Spawn>,
    /// How long it sleeps at most: that a clock has jumped, or that another worker has left something to do,
    /// is noticed after this. Less than a millisecond counts as one.
    pub heartbeat: Duration,
    /// Who is told of each step.
    pub observer: Option<Arc<dyn Observer>>,
    /// From where jitter and what tells sends apart are drawn; `None`: from the system's own chance. Only a
    /// simulation sets it, so that the same happens again.
    pub seed: Option<u64>,
}

/// How much is under way at a provider, and how much waits for it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Load {
    /// The provider.
    pub provider: ProviderId,
    /// Submits under way.
    pub submits: usize,
    /// Submits that wait: for their turn, for the rate, or for the provider to be reached again.
    pub submits_waiting: usize,
    /// Questions under way.
    pub asks: usize,
    /// Questions that wait.
    pub asks_waiting: usize,
    /// Whether new submits are kept back because the provider can't be reached.
    pub kept_back: bool,
}

/// Told of each step of a driver, to count or to check. It has no say.
///
/// The order is locked meanwhile, so it must be quick, and must not wait for anything that needs the order. It
/// must not panic: that ends the task which was about to make the step, and an answer that it had is lost.
pub trait Observer: fmt::Debug + Send + Sync {
    /// This comes in to an order that stands so. What the step makes of it may still not become durable; then
    /// it is stepped again, or comes again.
    fn steps(&self, order: &Order, input: &Input);
}

/// How much may be under way at one provider. Zero counts as one.
///
/// Take the default, or that of [`Setup::new`], and set what differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Submits at a time, and as many questions.
    pub in_flight: usize,
    /// Questions a second.
    pub queries_per_second: u32,
    /// New submits a second; `None`: only [`in_flight`](Self::in_flight) limits them.
    pub submits_per_second: Option<u32>,
    /// After how many calls in a row that did not reach the provider new submits are kept back.
    pub breaker_after: u32,
    /// After how long one is let through then, to try, and after how long the next. The first call that
    /// reaches the provider lets all through again.
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

/// What stands in a new order's way, so that a mistake of the merchant's is not charged. All merchants'
/// orders count, those that failed do not.
///
/// Take the default, or that of [`Setup::new`], and set what differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Caution {
    /// For how long the same face value for the same account must be allowed explicitly.
    pub duplicate_window: Duration,
    /// How many orders one account may have in a day, by the calendar of Shanghai; `None`: any number.
    pub account_orders_per_day: Option<u32>,
    /// How many yuan, by face value, in the same day; `None`: any sum.
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

impl Setup {
    /// Every provider sells what it declares; times, limits and caution are the defaults.
    pub fn new(
        store: Arc<dyn Store>,
        providers: Vec<Arc<dyn Provider>>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            store,
            providers,
            routes: BTreeMap::new(),
            times: Times::default(),
            approvers: Vec::new(),
            limits: Limits::default(),
            at_hand: 20_000,
            caution: Caution::default(),
            clock,
            tasks: Arc::new(OnTokio),
            heartbeat: Duration::from_secs(10),
            observer: None,
            seed: None,
        }
    }

    /// Begins on the store, recovers what was under way, and goes to work in tasks of its own. A driver that
    /// works on the same store already is put out of work.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime, unless [`tasks`](Self::tasks) run elsewhere.
    pub async fn start(self) -> Result<Driver, StartError> {
        let core = Arc::new(Core::begin(self).await?);
        let seen = core.clock.now();
        core.recover_at_start().await?;
        scheduler::start(&core, seen);
        Ok(Driver { core })
    }
}

/// The routes of a kind of account when nothing is configured: each provider that sells it, in that order.
pub fn default_routes(providers: &[Arc<dyn Provider>], kind: AccountKind) -> Vec<Route> {
    let route = |provider: &Arc<dyn Provider>| Route::of(provider.as_ref(), kind);
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
    ///
    /// `allow_duplicate` lifts [`Caution::duplicate_window`] for this order, and nothing else. When the
    /// future is dropped, the order may be accepted all the same.
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

    /// Waits until an order rests: ended, or on a person's desk.
    ///
    /// That may take days: put a timeout around it. The future may be dropped at any time; the order goes
    /// on.
    pub async fn until_at_rest(
        &self,
        merchant: &MerchantId,
        order_id: &OrderId,
    ) -> Result<Order, WaitError> {
        self.core.until_at_rest(merchant, order_id).await
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

    /// Carries out a person's command, durably, and answers the order as it then is. What it asks for, such
    /// as a query, goes on afterwards.
    ///
    /// When the future is dropped, the command may be carried out all the same.
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

    /// Takes the body of a callback, with the content type that its request named. When this answers `Ok`,
    /// it is kept and may be answered with success; what it causes goes on afterwards. The same callback
    /// again is taken again, and kept once.
    ///
    /// When the future is dropped, the callback may be kept all the same.
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
            .ok_or(TakeError::Stopping)?
            .map_err(TakeError::Store)
    }

    /// Why the store can't be used, while it can't: what the upstreams have told is then held in memory
    /// until it can be written down. For an operator to be warned.
    pub fn trouble(&self) -> watch::Receiver<Option<String>> {
        self.core.trouble.subscribe()
    }

    /// How much is under way at each provider.
    pub fn load(&self) -> Vec<Load> {
        let upstreams = self.core.upstreams.values();
        upstreams.map(|upstream| upstream.load()).collect()
    }

    /// Its store, to read from and to deliver messages. What begins, claims or appends there gets in the
    /// driver's way.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.core.store
    }

    /// Takes no more orders and begins no more turns; waits until what is in flight has been recorded as
    /// what it is, though no longer than `patience`. What is still in flight then is in doubt, and found
    /// so at the next start. Answers whether everything was recorded.
    ///
    /// Callbacks are still kept afterwards. A driver that has stopped doesn't begin again: start another.
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
        let limited = self.account_orders_per_day.is_some() || self.account_yuan_per_day.is_some();
        crate::store::Guards {
            duplicate_since: (!allow_duplicate).then(|| now.before(self.duplicate_window)),
            account: limited.then_some(AccountLimits {
                since: now.midnight_in_china(),
                orders: self.account_orders_per_day,
                yuan: self.account_yuan_per_day,
            }),
        }
    }
}
