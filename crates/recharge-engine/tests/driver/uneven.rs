//! A store whose calls take time, fail or die, also those that only read or claim.

use std::fmt;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use recharge_core::{MerchantId, OrderId};
use recharge_engine::store::{
    Accepted, Brief, Delivery, Filter, Guards, InboxEntry, KeptCallback, Lease, Message, OrderKey,
    Session, Statistics, Stored,
};
use recharge_engine::{
    AcceptError, Acceptance, AppendError, Epoch, MemoryStore, Recorded, Step, Store, StoreError,
    WallTime,
};

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It takes that long before it is done, and that long after.
    Takes(Duration, Duration),
    /// It is not done, and that is said.
    Fails,
    /// Its task dies.
    Dies,
}

pub(crate) const AT_ONCE: Fate = Fate::Takes(Duration::ZERO, Duration::ZERO);

type Plan = Box<dyn FnMut(&'static str) -> Fate + Send>;

/// A store in memory on which a plan decides about each call, by the name of its method.
pub(crate) struct Uneven {
    store: MemoryStore,
    plan: Mutex<Plan>,
}

impl Uneven {
    pub(crate) fn new(
        store: &MemoryStore,
        plan: impl FnMut(&'static str) -> Fate + Send + 'static,
    ) -> Self {
        Self {
            store: store.clone(),
            plan: Mutex::new(Box::new(plan)),
        }
    }

    /// Waits before the call; answers how long to wait after it.
    async fn fate(&self, call: &'static str) -> Result<Duration, StoreError> {
        let fate = (self.plan.lock().unwrap())(call);
        match fate {
            Fate::Takes(before, after) => {
                nap(before).await;
                Ok(after)
            }
            Fate::Fails => Err(StoreError::Unavailable(format!("{call} fails"))),
            Fate::Dies => panic!("{call} dies"),
        }
    }
}

async fn nap(duration: Duration) {
    if !duration.is_zero() {
        tokio::time::sleep(duration).await;
    }
}

impl fmt::Debug for Uneven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Uneven({:?})", self.store)
    }
}

macro_rules! with_fate {
    ($self:ident, $method:ident ( $($argument:expr),* )) => {{
        let after = $self.fate(stringify!($method)).await?;
        let done = $self.store.$method($($argument),*).await;
        nap(after).await;
        done
    }};
}

#[async_trait]
impl Store for Uneven {
    async fn begin(&self) -> Result<Session, StoreError> {
        with_fate!(self, begin())
    }

    async fn next_epoch(&self, lease: Lease) -> Result<Option<Epoch>, StoreError> {
        with_fate!(self, next_epoch(lease))
    }

    async fn accept(
        &self,
        acceptance: Acceptance,
        guards: Guards,
        lease: Option<Lease>,
    ) -> Result<Accepted, AcceptError> {
        with_fate!(self, accept(acceptance, guards, lease))
    }

    async fn claim_due(
        &self,
        lease: Lease,
        now: WallTime,
        limit: usize,
    ) -> Result<Vec<Stored>, StoreError> {
        with_fate!(self, claim_due(lease, now, limit))
    }

    async fn claim(&self, lease: Lease, key: OrderKey) -> Result<Option<Stored>, AppendError> {
        with_fate!(self, claim(lease, key))
    }

    async fn release(&self, lease: Lease, keys: &[OrderKey]) -> Result<(), StoreError> {
        with_fate!(self, release(lease, keys))
    }

    async fn next_due(&self) -> Result<Option<WallTime>, StoreError> {
        with_fate!(self, next_due())
    }

    async fn append(
        &self,
        key: OrderKey,
        lease: Option<Lease>,
        step: &Step,
    ) -> Result<(), AppendError> {
        with_fate!(self, append(key, lease, step))
    }

    async fn read(&self, key: OrderKey) -> Result<Option<Stored>, StoreError> {
        with_fate!(self, read(key))
    }

    async fn find(
        &self,
        merchant: &MerchantId,
        order_id: &OrderId,
    ) -> Result<Option<OrderKey>, StoreError> {
        self.store.find(merchant, order_id).await
    }

    async fn log(&self, key: OrderKey) -> Result<Vec<Recorded>, StoreError> {
        self.store.log(key).await
    }

    async fn list(
        &self,
        filter: &Filter,
        before: Option<OrderKey>,
        limit: usize,
    ) -> Result<Vec<Stored>, StoreError> {
        self.store.list(filter, before, limit).await
    }

    async fn count(&self, filter: &Filter) -> Result<Vec<(&'static str, u64)>, StoreError> {
        self.store.count(filter).await
    }

    async fn survey(
        &self,
        beyond: WallTime,
        after: Option<OrderKey>,
        limit: usize,
    ) -> Result<Vec<Brief>, StoreError> {
        with_fate!(self, survey(beyond, after, limit))
    }

    async fn probe(&self) -> Result<(), StoreError> {
        self.store.probe().await
    }

    async fn statistics(&self) -> Result<Statistics, StoreError> {
        self.store.statistics().await
    }

    async fn keep_callback(
        &self,
        callback: KeptCallback,
        at: WallTime,
    ) -> Result<InboxEntry, StoreError> {
        with_fate!(self, keep_callback(callback, at))
    }

    async fn unhandled(&self, limit: usize) -> Result<Vec<InboxEntry>, StoreError> {
        with_fate!(self, unhandled(limit))
    }

    async fn handled(&self, id: u64) -> Result<(), StoreError> {
        with_fate!(self, handled(id))
    }

    async fn messages(&self, after: u64, limit: usize) -> Result<Vec<Message>, StoreError> {
        self.store.messages(after, limit).await
    }

    async fn messages_due(&self, now: WallTime, limit: usize) -> Result<Vec<Message>, StoreError> {
        self.store.messages_due(now, limit).await
    }

    async fn next_message(&self) -> Result<Option<WallTime>, StoreError> {
        self.store.next_message().await
    }

    async fn put_off(&self, id: u64, delivery: Delivery) -> Result<(), StoreError> {
        self.store.put_off(id, delivery).await
    }

    async fn delivered(&self, ids: &[u64]) -> Result<(), StoreError> {
        self.store.delivered(ids).await
    }

    async fn set_hold(&self, left: Option<Duration>) -> Result<(), StoreError> {
        with_fate!(self, set_hold(left))
    }
}
