//! What the tasks of a driver share: the orders that it has claimed, and how an input becomes durable.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use recharge_core::{AccountKind, ProviderId};
use tokio::sync::{Notify, oneshot, watch};

use super::by::By;
use super::decide::{self, Wrote};
use super::gate::Upstream;
use super::random::Random;
use super::scheduler::Agenda;
use super::tasks::Tasks;
use super::trace;
use super::{Caution, Observer, Setup, StartError, default_routes};
use crate::store::{Hold, Lease, OrderKey};
use crate::{
    AppendError, Clock, Effect, Input, Jitter, Moment, NewOrder, Order, Policy, SendToken, Step,
    Store, StoreError, Times, step,
};

/// How long to wait when the store, or a task, has failed.
pub(super) const AFTER_TROUBLE: Duration = Duration::from_secs(1);
/// How many orders are read at once.
pub(super) const BATCH: usize = 256;

pub(super) struct Core {
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) times: Times,
    pub(super) lease: Lease,
    pub(super) upstreams: BTreeMap<ProviderId, Arc<Upstream>>,
    pub(super) tasks: Tasks,
    /// Told when there is something for the scheduler to do.
    pub(super) wake: Arc<Notify>,
    policies: BTreeMap<AccountKind, Policy>,
    pub(super) caution: Caution,
    pub(super) at_hand: usize,
    pub(super) heartbeat: Duration,
    observer: Option<Arc<dyn Observer>>,
    pub(super) hold: Mutex<Option<Hold>>,
    /// Until when its time has been counted.
    pub(super) hold_counted: Mutex<Option<Moment>>,
    stopped: watch::Sender<bool>,
    /// Why the store can't be used, while it can't.
    pub(super) trouble: watch::Sender<Option<String>>,
    pub(super) random: Random,
    pub(super) held: Mutex<HashMap<OrderKey, Arc<Held>>>,
    pub(super) agenda: Mutex<Agenda>,
    pub(super) waiting: Mutex<HashMap<OrderKey, Vec<oneshot::Sender<Order>>>>,
}

/// A claimed order.
pub(super) struct Held {
    pub(super) key: OrderKey,
    /// Locked while an input becomes durable, never while a provider is called.
    pub(super) order: tokio::sync::Mutex<Order>,
    /// Whether somebody sees to its next turn: a task, a gate, or the scheduler.
    pub(super) seen_to: AtomicBool,
    /// The epoch of the last step that was written down here; 0 before there was one.
    pub(super) stepped_in: AtomicU64,
    /// The attempts that a person's question waits to be asked about.
    pub(super) asked_by_people: Mutex<BTreeSet<u32>>,
}

/// Why an input did not become durable.
#[derive(Debug)]
pub(super) enum TellError {
    Refused(crate::CommandError),
    LeaseLost,
    NoSuchOrder,
    Store(StoreError),
}

impl Core {
    pub(super) async fn begin(setup: Setup) -> Result<Self, StartError> {
        setup.times.validate()?;
        let mut ids = BTreeSet::new();
        if let Some(twice) = setup.providers.iter().find(|p| !ids.insert(p.id())) {
            return Err(StartError::SameProvider(twice.id().clone()));
        }
        let known = |provider: &ProviderId| setup.providers.iter().any(|p| p.id() == provider);
        let mut routes = setup.routes.values().flatten();
        if let Some(route) = routes.find(|route| !known(&route.provider)) {
            return Err(StartError::NoSuchProvider(route.provider.clone()));
        }
        let session = setup.store.begin().await?;
        setup.clock.begin(session.epoch);
        let policy = |kind: AccountKind| {
            let routes = setup.routes.get(&kind).cloned();
            let routes = routes.unwrap_or_else(|| default_routes(&setup.providers, kind));
            let mut policy = Policy::new(routes, setup.times.clone(), session.numbers.clone());
            policy.approvers.clone_from(&setup.approvers);
            policy
        };
        let wake = Arc::new(Notify::new());
        Ok(Self {
            policies: AccountKind::ALL.map(|kind| (kind, policy(kind))).into(),
            upstreams: setup
                .providers
                .iter()
                .map(|provider| {
                    let upstream = Upstream::new(provider.clone(), &setup.limits, wake.clone());
                    (provider.id().clone(), Arc::new(upstream))
                })
                .collect(),
            store: setup.store,
            clock: setup.clock,
            times: setup.times,
            lease: session.lease,
            tasks: Tasks::new(setup.tasks),
            wake,
            caution: setup.caution,
            at_hand: setup.at_hand.max(1),
            heartbeat: setup.heartbeat.max(Duration::from_millis(1)),
            observer: setup.observer,
            hold: Mutex::new(session.hold),
            hold_counted: Mutex::default(),
            stopped: watch::Sender::new(false),
            trouble: watch::Sender::new(None),
            random: Random::begin(setup.seed, session.epoch),
            held: Mutex::default(),
            agenda: Mutex::default(),
            waiting: Mutex::default(),
        })
    }

    pub(super) fn upstream(&self, provider: &ProviderId) -> Option<&Arc<Upstream>> {
        self.upstreams.get(provider)
    }

    pub(super) fn detached<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
        &self,
        task: F,
    ) -> impl Future<Output = Option<T>> + use<T, F> {
        self.tasks.detached(task)
    }

    pub(super) fn stopping(&self) -> bool {
        *self.stopped.borrow()
    }

    pub(super) async fn stop(&self, patience: Duration) -> bool {
        self.stopped.send_replace(true);
        self.wake.notify_one();
        lock(&self.waiting).clear();
        tokio::select! {
            biased;
            () = self.tasks.finished() => true,
            () = self.clock.sleep(patience) => false,
        }
    }

    /// Waits, though not past a stop.
    pub(super) async fn pause(&self, duration: Duration) {
        tokio::select! {
            biased;
            () = self.stop_is_called() => {}
            () = self.clock.sleep(duration) => {}
        }
    }

    pub(super) async fn stop_is_called(&self) {
        // The sender lives in `self`, so the only end of this is the wanted one.
        let _ = self.stopped.subscribe().wait_for(|stopped| *stopped).await;
    }

    pub(super) fn policy(&self, what: &NewOrder) -> Option<&Policy> {
        self.policies.get(&what.account.kind())
    }

    /// An order that is at hand, or is claimed now, or is this worker's already, or another's.
    pub(super) async fn obtain(&self, key: OrderKey) -> Result<Arc<Held>, TellError> {
        if let Some(held) = self.at_hand(key) {
            return Ok(held);
        }
        let stored = match self.store.claim(self.lease, key).await {
            Ok(Some(stored)) => Some(stored),
            // A fact needs no claim; what does finds out when it is written down.
            Ok(None) | Err(AppendError::LeaseLost) => self.store.read(key).await?,
            Err(error) => return Err(error.into()),
        };
        let stored = stored.ok_or(TellError::NoSuchOrder)?;
        Ok(self.keep(key, stored.order))
    }

    /// Tells an order something: one step, written down. With a lease, only as its claimer; a fact needs
    /// none. Answers what is to be done now that it is durable.
    pub(super) async fn tell(
        &self,
        held: &Held,
        by: impl Into<By>,
        input: impl Fn(SendToken, Jitter) -> Input,
    ) -> Result<Vec<Effect>, TellError> {
        let by = by.into();
        let mut order = held.order.lock().await;
        loop {
            let made = self.step(&order, &input)?;
            match self.write(held, by, &mut order, made).await? {
                Written::Durable(effects) => return Ok(effects),
                Written::Again => {}
            }
        }
    }

    /// What an input means for an order, now.
    pub(super) fn step(
        &self,
        order: &Order,
        input: impl FnOnce(SendToken, Jitter) -> Input,
    ) -> Result<Step, TellError> {
        let (token, jitter) = self.random.draw();
        // Kinds of account are few and fixed, and each has a policy.
        let policy = self.policy(order.what()).ok_or(TellError::NoSuchOrder)?;
        let input = input(token, jitter);
        if let Some(observer) = &self.observer {
            observer.steps(order, &input);
        }
        step(policy, order, input, self.clock.now()).map_err(TellError::Refused)
    }

    /// Makes a step durable, whatever it takes to know that it is.
    pub(super) async fn write(
        &self,
        held: &Held,
        by: impl Into<By>,
        order: &mut Order,
        made: Step,
    ) -> Result<Written, TellError> {
        let by = by.into();
        let Some(last) = made.events.last() else {
            self.mark(by).await;
            return Ok(Written::Durable(made.effects));
        };
        let (key, epoch) = (held.key, last.at.epoch.0);
        let mut wait = Duration::from_millis(50);
        loop {
            let appended = match by {
                By::Claimer(lease) => self.store.append(key, Some(lease), &made).await,
                By::Fact => self.store.append(key, None, &made).await,
                By::Callback(id) => self.store.append_heard(key, &made, id).await,
            };
            match decide::wrote(appended, matches!(by, By::Claimer(_))) {
                Wrote::Durable => {
                    self.store_works();
                    held.stepped_in.store(epoch, Ordering::Release);
                    trace::moved(order, &made.order);
                    *order = made.order;
                    self.tell_waiting(key, order);
                    return Ok(Written::Durable(made.effects));
                }
                Wrote::Behind => {
                    *order = self.read_back(key).await?;
                    return Ok(Written::Again);
                }
                // Given back a moment ago, perhaps; then it is this worker's to claim again.
                Wrote::Unclaimed => {
                    *order = match self.store.claim(self.lease, key).await? {
                        Some(stored) => stored.order,
                        None => return Err(TellError::LeaseLost),
                    };
                    return Ok(Written::Again);
                }
                Wrote::Unknown => {
                    *order = self.read_back(key).await?;
                    if decide::is_ours(order, &made) {
                        self.mark(by).await;
                        held.stepped_in.store(epoch, Ordering::Release);
                        self.tell_waiting(key, order);
                        return Ok(Written::Durable(made.effects));
                    }
                    return Ok(Written::Again);
                }
                // A stop waits for it as long as it has patience.
                Wrote::Waits(why) => {
                    self.store_fails(&why);
                    self.clock.sleep(wait).await;
                    wait = (wait * 2).min(Duration::from_secs(5));
                }
                Wrote::Fails(error) => {
                    if let AppendError::Store(error) = &error {
                        self.store_fails(&error.to_string());
                    }
                    return Err(error.into());
                }
            }
        }
    }

    /// Marks a callback that made a step as handled, where no append has done so for sure.
    async fn mark(&self, by: By) {
        if let By::Callback(id) = by {
            // What is not marked is told again at the next start, which is harmless.
            drop(self.store.handled(id).await);
        }
    }

    fn store_fails(&self, why: &str) {
        self.trouble.send_if_modified(|trouble| {
            let new = trouble.as_deref() != Some(why);
            if new {
                tracing::error!(why, "the store can't be used");
                *trouble = Some(why.to_owned());
            }
            new
        });
    }

    fn store_works(&self) {
        self.trouble.send_if_modified(|trouble| {
            let over = trouble.take().is_some();
            if over {
                tracing::info!("the store can be used again");
            }
            over
        });
    }

    async fn read_back(&self, key: OrderKey) -> Result<Order, TellError> {
        let mut wait = Duration::from_millis(50);
        loop {
            match self.store.read(key).await {
                Ok(Some(stored)) => {
                    self.store_works();
                    return Ok(stored.order);
                }
                Ok(None) => return Err(TellError::NoSuchOrder),
                Err(StoreError::Unavailable(why) | StoreError::Unknown(why)) => {
                    self.store_fails(&why);
                    self.clock.sleep(wait).await;
                    wait = (wait * 2).min(Duration::from_secs(5));
                }
                Err(error) => return Err(TellError::Store(error)),
            }
        }
    }

    fn tell_waiting(&self, key: OrderKey, order: &Order) {
        if !order.is_at_rest() {
            return;
        }
        let waiting = lock(&self.waiting).remove(&key);
        for waiter in waiting.into_iter().flatten() {
            // It may have gone.
            let _ = waiter.send(order.clone());
        }
    }
}

/// What became of a step.
pub(super) enum Written {
    /// It is durable; this is to be done.
    Durable(Vec<Effect>),
    /// The order had gone on. It has been read again: step once more.
    Again,
}

impl From<AppendError> for TellError {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Version { .. } | AppendError::LeaseLost => Self::LeaseLost,
            AppendError::NoSuchOrder => Self::NoSuchOrder,
            AppendError::Store(error) => Self::Store(error),
        }
    }
}

impl From<StoreError> for TellError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What these guard is whole between any two statements, also where a task has panicked.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
