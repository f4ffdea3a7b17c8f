//! A store as a worker sees it: the engine's own in memory, with what real ones do to a client.
//!
//! A write is asked for, becomes durable at some moment after that, and is answered at some moment after
//! that. What is asked of a file is written at once and synced later, with whatever else was written by then, or
//! when somebody reads; a crash before takes it. That a real store answers no sooner than it has synced is shown
//! elsewhere. Of a database on another machine a commit can be answered with silence: it has landed, or is lost,
//! or **hangs** — it lands long after its client has been told that nobody knows, unless somebody else has begun
//! meanwhile. Until its fate is decided it keeps its order locked, as a database does: others who write there
//! wait.

// Long because: a store has that many methods, and each is one of the faults' places.

mod disk;

use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use recharge_core::{MerchantId, OrderId};
use recharge_engine::store::{
    Accepted, Brief, Delivery, Filter, Guards, InboxEntry, KeptCallback, Lease, Message, OrderKey,
    Session, Statistics, Store, Stored,
};
use recharge_engine::{
    AcceptError, Acceptance, AppendError, Epoch, MemoryStore, Recorded, Step, StoreError, WallTime,
};

use crate::executor::{OUTSIDE, Process};
use crate::lab::Lab;
use crate::order_name::OrderName;
use crate::points::{Op, Point};

pub(crate) use disk::{Disk, Locked};
use disk::{land, sync, write};

/// Which store is modelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StoreKind {
    /// A file: it dies with its one worker, and what was not synced with it.
    Sqlite,
    /// A database on another machine: workers come and go, commits hang.
    Postgres,
}

impl StoreKind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Sqlite, Self::Postgres];

    /// The name on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

/// How a call of the store goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum StoreFault {
    /// Nothing is done, and that is said.
    Unavailable,
    /// Nothing is done, and nobody knows.
    Lost,
    /// It is done, and nobody knows.
    Landed,
    /// It is done later, when nobody waits for it any more, or never.
    Hanging,
}

impl StoreFault {
    pub(crate) const ALL: [Self; 4] = [Self::Unavailable, Self::Lost, Self::Landed, Self::Hanging];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Unavailable => "store unavailable",
            Self::Lost => "commit lost",
            Self::Landed => "commit landed",
            Self::Hanging => "commit hanging",
        }
    }
}

/// The store as one process sees it.
#[derive(Clone)]
pub(crate) struct ModelStore {
    lab: Lab,
    process: Process,
}

impl ModelStore {
    pub(crate) fn new(lab: Lab, process: Process) -> Self {
        Self { lab, process }
    }

    /// A call that only reads.
    async fn reads<T, E: From<StoreError>>(
        &self,
        op: Op,
        what: impl FnOnce(&MemoryStore) -> Result<T, E>,
    ) -> Result<T, E> {
        self.lab.point(self.process, Point::Asked(op)).await;
        if self.lab.store_fault(self.process, op).is_some() {
            return Err(StoreError::Unavailable("no answer".to_owned()).into());
        }
        let memory = self.lab.inner().disk.memory.clone();
        // Nobody sees in a file what a crash could take.
        sync(&self.lab, memory.writes());
        what(&memory)
    }

    /// A call that writes. `told` hears of it as soon as it is durable.
    async fn writes<T: Clone + Send + 'static, E: From<StoreError>>(
        &self,
        op: Op,
        locks: Option<Locked>,
        what: impl Fn(&MemoryStore) -> Result<T, E> + Send + 'static,
        told: impl Fn(&Lab, &T) + Send + 'static,
    ) -> Result<T, E> {
        let file = self.lab.case().store == StoreKind::Sqlite;
        if !file {
            self.lab.point(self.process, Point::Asked(op)).await;
        }
        while let Some(free) = locks.as_ref().and_then(|locks| self.locked_until(locks)) {
            let wait = free.saturating_sub(self.lab.executor().now());
            let wait = wait.max(Duration::from_millis(1));
            self.lab.executor().sleep(self.process, wait).await;
        }
        let fault = self.lab.store_fault(self.process, op);
        if file && matches!(fault, Some(StoreFault::Unavailable | StoreFault::Lost)) {
            self.lab.point(self.process, Point::Asked(op)).await;
        }
        match fault {
            Some(StoreFault::Unavailable) => {
                return Err(StoreError::Unavailable("no connection".to_owned()).into());
            }
            Some(StoreFault::Lost) => return Err(unknown().into()),
            Some(StoreFault::Hanging) => {
                self.hang(locks, what, told);
                return Err(unknown().into());
            }
            Some(StoreFault::Landed) | None => {}
        }
        let done = if file {
            let (done, writes) = write(&self.lab, what, told);
            self.lab.point(self.process, Point::Asked(op)).await;
            sync(&self.lab, writes);
            done
        } else {
            land(&self.lab, what, told)
        };
        self.lab.point(self.process, Point::Durable(op)).await;
        match (fault, done) {
            (Some(_), Ok(_)) => Err(unknown().into()),
            (_, done) => done,
        }
    }

    fn locked_until(&self, locks: &Locked) -> Option<Duration> {
        self.lab.inner().disk.locked.get(locks).copied()
    }

    /// Leaves a commit to the database: it lands by itself, or is rolled back.
    fn hang<T: Clone + Send + 'static, E>(
        &self,
        locks: Option<Locked>,
        what: impl Fn(&MemoryStore) -> Result<T, E> + Send + 'static,
        told: impl Fn(&Lab, &T) + Send + 'static,
    ) {
        let (wait, lands) = self.lab.hanging();
        let lab = self.lab.clone();
        if let Some(locks) = &locks {
            let until = lab.executor().now() + wait;
            lab.inner().disk.locked.insert(locks.clone(), until);
        }
        let restored = lab.inner().disk.backups();
        let sleep = self.lab.executor().sleep(OUTSIDE, wait);
        let landing = async move {
            sleep.await;
            if lab.inner().disk.backups() != restored {
                return;
            }
            if let Some(locks) = &locks {
                lab.inner().disk.locked.remove(locks);
            }
            if lands {
                // Whether it is still allowed is decided where it lands.
                drop(land(&lab, what, told));
            }
        };
        self.lab.executor().spawn(OUTSIDE, Box::pin(landing));
    }
}

fn unknown() -> StoreError {
    StoreError::Unknown("no answer to the commit".to_owned())
}

/// The store in memory never waits.
pub(crate) fn at_once<T, E: From<StoreError>>(
    what: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    match pin!(what).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => Err(StoreError::Refused("it waits".to_owned()).into()),
    }
}

#[async_trait]
impl Store for ModelStore {
    async fn begin(&self) -> Result<Session, StoreError> {
        let process = self.process;
        let what = |memory: &MemoryStore| at_once(memory.begin());
        let told = move |lab: &Lab, session: &Session| lab.began(process, session);
        self.writes(Op::Begin, None, what, told).await
    }

    async fn next_epoch(&self, lease: Lease) -> Result<Option<Epoch>, StoreError> {
        let what = move |memory: &MemoryStore| at_once(memory.next_epoch(lease));
        self.writes(Op::NextEpoch, None, what, nobody).await
    }

    async fn accept(
        &self,
        acceptance: Acceptance,
        guards: Guards,
        lease: Option<Lease>,
    ) -> Result<Accepted, AcceptError> {
        let locks = Locked::Name(OrderName::of(&acceptance.what));
        // Claimed once it is durable, so that one of which nobody was told is nobody's.
        let what =
            move |memory: &MemoryStore| at_once(memory.accept(acceptance.clone(), guards, None));
        let told = |lab: &Lab, accepted: &Accepted| {
            if accepted.new {
                lab.accepted(&accepted.stored);
            }
        };
        let accepted = self.writes(Op::Accept, Some(locks), what, told).await?;
        if let (true, Some(lease)) = (accepted.new, lease) {
            let memory = self.lab.inner().disk.memory.clone();
            // Another may have been quicker, or have begun since.
            let claimed: Result<_, AppendError> = at_once(memory.claim(lease, accepted.stored.key));
            drop(claimed);
        }
        Ok(accepted)
    }

    async fn claim_due(
        &self,
        lease: Lease,
        now: WallTime,
        limit: usize,
    ) -> Result<Vec<Stored>, StoreError> {
        self.reads(Op::ClaimDue, |memory| {
            at_once(memory.claim_due(lease, now, limit))
        })
        .await
    }

    async fn claim(&self, lease: Lease, key: OrderKey) -> Result<Option<Stored>, AppendError> {
        self.reads(Op::Claim, |memory| at_once(memory.claim(lease, key)))
            .await
    }

    async fn release(&self, lease: Lease, keys: &[OrderKey]) -> Result<(), StoreError> {
        self.reads(Op::Release, |memory| at_once(memory.release(lease, keys)))
            .await
    }

    async fn next_due(&self) -> Result<Option<WallTime>, StoreError> {
        self.reads(Op::NextDue, |memory| at_once(memory.next_due()))
            .await
    }

    async fn append(
        &self,
        key: OrderKey,
        lease: Option<Lease>,
        step: &Step,
    ) -> Result<(), AppendError> {
        let (process, step) = (self.process, Arc::new(step.clone()));
        let same = step.clone();
        let what = move |memory: &MemoryStore| at_once(memory.append(key, lease, &step));
        let told = move |lab: &Lab, (): &()| lab.appended(process, key, lease, &same);
        self.writes(Op::Append, Some(Locked::Order(key)), what, told)
            .await
    }

    async fn read(&self, key: OrderKey) -> Result<Option<Stored>, StoreError> {
        self.reads(Op::Read, |memory| at_once(memory.read(key)))
            .await
    }

    async fn find(
        &self,
        merchant: &MerchantId,
        order_id: &OrderId,
    ) -> Result<Option<OrderKey>, StoreError> {
        self.reads(Op::Find, |memory| at_once(memory.find(merchant, order_id)))
            .await
    }

    async fn log(&self, key: OrderKey) -> Result<Vec<Recorded>, StoreError> {
        self.reads(Op::Read, |memory| at_once(memory.log(key)))
            .await
    }

    async fn list(
        &self,
        filter: &Filter,
        before: Option<OrderKey>,
        limit: usize,
    ) -> Result<Vec<Stored>, StoreError> {
        self.reads(Op::Read, |memory| {
            at_once(memory.list(filter, before, limit))
        })
        .await
    }

    async fn count(&self, filter: &Filter) -> Result<Vec<(&'static str, u64)>, StoreError> {
        self.reads(Op::Read, |memory| at_once(memory.count(filter)))
            .await
    }

    async fn survey(
        &self,
        beyond: WallTime,
        after: Option<OrderKey>,
        limit: usize,
    ) -> Result<Vec<Brief>, StoreError> {
        self.reads(Op::Survey, |memory| {
            at_once(memory.survey(beyond, after, limit))
        })
        .await
    }

    async fn probe(&self) -> Result<(), StoreError> {
        let what = |memory: &MemoryStore| at_once(memory.probe());
        self.writes(Op::Handled, None, what, nobody).await
    }

    async fn statistics(&self) -> Result<Statistics, StoreError> {
        self.reads(Op::Read, |memory| at_once(memory.statistics()))
            .await
    }

    async fn keep_callback(
        &self,
        callback: KeptCallback,
        at: WallTime,
    ) -> Result<InboxEntry, StoreError> {
        let what = move |memory: &MemoryStore| at_once(memory.keep_callback(callback.clone(), at));
        let told = |lab: &Lab, entry: &InboxEntry| lab.inner().judge.keeps(entry);
        self.writes(Op::KeepCallback, None, what, told).await
    }

    async fn unhandled(&self, limit: usize) -> Result<Vec<InboxEntry>, StoreError> {
        self.reads(Op::Unhandled, |memory| at_once(memory.unhandled(limit)))
            .await
    }

    async fn handled(&self, id: u64) -> Result<(), StoreError> {
        let what = move |memory: &MemoryStore| at_once(memory.handled(id));
        self.writes(Op::Handled, None, what, nobody).await
    }

    async fn messages(&self, after: u64, limit: usize) -> Result<Vec<Message>, StoreError> {
        self.reads(Op::Messages, |memory| {
            at_once(memory.messages(after, limit))
        })
        .await
    }

    async fn messages_due(&self, now: WallTime, limit: usize) -> Result<Vec<Message>, StoreError> {
        self.reads(Op::Messages, |memory| {
            at_once(memory.messages_due(now, limit))
        })
        .await
    }

    async fn next_message(&self) -> Result<Option<WallTime>, StoreError> {
        self.reads(Op::Messages, |memory| at_once(memory.next_message()))
            .await
    }

    async fn put_off(&self, id: u64, delivery: Delivery) -> Result<(), StoreError> {
        let what = move |memory: &MemoryStore| at_once(memory.put_off(id, delivery.clone()));
        self.writes(Op::Delivered, None, what, nobody).await
    }

    async fn delivered(&self, ids: &[u64]) -> Result<(), StoreError> {
        let ids = ids.to_vec();
        let what = move |memory: &MemoryStore| at_once(memory.delivered(&ids));
        self.writes(Op::Delivered, None, what, nobody).await
    }

    async fn set_hold(&self, left: Option<Duration>) -> Result<(), StoreError> {
        let what = move |memory: &MemoryStore| at_once(memory.set_hold(left));
        self.writes(Op::SetHold, None, what, nobody).await
    }
}

fn nobody<T>(_: &Lab, _: &T) {}

impl fmt::Debug for ModelStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModelStore")
            .field("process", &self.process)
            .finish_non_exhaustive()
    }
}
