//! One state of the search: what is durable, what each worker has at hand, what is under way, and what is
//! true.

use std::sync::Arc;
use std::time::Duration;

use recharge_core::AttemptNumber;
use recharge_engine::{
    Acceptance, Epoch, Input, Moment, Order, Purpose, SendToken, Step, WallTime,
};

use super::ledger::{Around, Ledger, Say, True};
use super::part::{Fault, JUMP, Part, TICK, what};
use super::upstream::{Reply, Upstream};

/// Where the wall clock is when the search begins, in ticks.
const DAWN: i64 = 1_000_000;

/// What a question is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Answer {
    Says(Say),
    Nothing,
}

/// What a task waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wait {
    /// To write the first byte of a send, before a deadline on its worker's monotonic clock.
    Write {
        attempt: u32,
        token: SendToken,
        number: AttemptNumber,
        provider: u8,
        until: Moment,
    },
    /// For the end of a send.
    Sent {
        attempt: u32,
        token: SendToken,
        /// When the driver gives up.
        limit: u32,
        told: Option<Reply>,
    },
    /// For an answer.
    Asked {
        attempt: u32,
        number: AttemptNumber,
        provider: u8,
        /// `None`: the hold of a restored backup asks.
        purpose: Option<Purpose>,
        at: Moment,
        told: Option<Answer>,
    },
}

/// Effects being done, one after the other.
#[derive(Debug, Clone)]
pub(crate) struct Task {
    /// Whether it is the order's turn, of which there is one at a time.
    pub(crate) turn: bool,
    pub(crate) todo: Vec<recharge_engine::Effect>,
    pub(crate) wait: Option<Wait>,
}

/// Who waits for an append.
#[derive(Debug, Clone)]
pub(crate) enum Waits {
    /// A turn, which looks whether the order is due still.
    Turn,
    /// A task whose fact it is.
    Fact(usize, Arc<Input>),
}

/// An append under way. The order is locked meanwhile.
#[derive(Debug, Clone)]
pub(crate) struct Append {
    pub(crate) made: Arc<Step>,
    pub(crate) waits: Waits,
    /// The commit's fate is not known: it is to be read back.
    pub(crate) unknown: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Worker {
    pub(crate) lease: u64,
    pub(crate) epoch: u64,
    /// The tick in which the epoch began.
    pub(crate) began: u32,
    /// The jump of the wall clock that it knows of.
    pub(crate) offset: i64,
    /// The order as it has it at hand; before the claim, what it will be claimed as.
    pub(crate) at_hand: Option<Arc<Order>>,
    /// Found out that another has the lease: takes no more turns.
    pub(crate) lost: bool,
    /// How many turns it takes once another has the lease.
    pub(crate) echoes: u8,
    pub(crate) paused: bool,
    pub(crate) append: Option<Append>,
    pub(crate) tasks: Vec<Task>,
}

#[derive(Debug, Clone)]
pub(crate) struct World {
    /// True time.
    pub(crate) tick: u32,
    /// So that no two moments are the same.
    pub(crate) place: u32,
    /// How far the wall clock has jumped.
    pub(crate) offset: i64,
    pub(crate) log: Arc<Order>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) upstream: Arc<Upstream>,
    pub(crate) workers: [Option<Arc<Worker>>; 2],
    /// The newest lease, and whose it is.
    pub(crate) lease: u64,
    pub(crate) present: usize,
    /// When each epoch began.
    pub(crate) began: Arc<Vec<u32>>,
    pub(crate) tokens: u32,
    pub(crate) faults: u8,
    pub(crate) people: u8,
    pub(crate) callbacks: u8,
    /// The version that the second person looked at, and may decide by later; and whether nothing has come
    /// since, as the judge knows it.
    pub(crate) looked: Option<u64>,
    /// The log is a backup that no worker has looked through yet.
    pub(crate) restored: bool,
    pub(crate) backup: Option<(Arc<Order>, Arc<Ledger>)>,
    /// The upstream has gone back on its word.
    pub(crate) reversed: bool,
}

impl World {
    /// `None`: what is searched can't be made, and the part is not complete.
    pub(crate) fn new(part: &Part) -> Option<Self> {
        part.policy.routes.first()?;
        let at = Moment {
            wall: WallTime::from_millis(DAWN * 1000),
            epoch: Epoch(1),
            monotonic: Duration::ZERO,
        };
        let order = Arc::new(Order::accept(Acceptance {
            what: what()?,
            at,
            held: false,
        }));
        let worker = Worker {
            lease: 1,
            epoch: 1,
            began: 0,
            offset: 0,
            at_hand: Some(order.clone()),
            lost: false,
            echoes: part.echoes,
            paused: false,
            append: None,
            tasks: Vec::new(),
        };
        Some(Self {
            tick: 0,
            place: 1,
            offset: 0,
            log: order,
            ledger: Arc::new(Ledger::new(DAWN)),
            upstream: Arc::new(Upstream::default()),
            workers: [Some(Arc::new(worker)), None],
            lease: 1,
            present: 0,
            began: Arc::new(vec![0, 0]),
            tokens: 0,
            faults: part.most,
            people: part.people,
            callbacks: part.callbacks,
            looked: None,
            restored: false,
            backup: None,
            reversed: false,
        })
    }

    pub(crate) fn wall(&self) -> i64 {
        DAWN + i64::from(self.tick) + self.offset
    }

    /// What a worker's clocks say.
    pub(crate) fn reads(&self, worker: &Worker) -> Moment {
        Moment {
            wall: WallTime::from_millis(self.wall() * 1000),
            epoch: Epoch(worker.epoch),
            monotonic: TICK * (self.tick - worker.began)
                + Duration::from_nanos(u64::from(self.place)),
        }
    }

    /// The same, later than anything before.
    pub(crate) fn now(&mut self, at: usize) -> Moment {
        self.place += 1;
        let began = (self.tick, Epoch(0));
        self.worker(at).map_or(
            Moment {
                wall: WallTime::from_millis(self.wall() * 1000),
                epoch: began.1,
                monotonic: Duration::ZERO,
            },
            |worker| self.reads(worker),
        )
    }

    /// How far the wall clock may yet go back.
    pub(crate) fn back(&self, part: &Part) -> Duration {
        let jumps = u32::from(self.faults) * u32::from(JUMP.unsigned_abs());
        TICK * if part.allows(Fault::Back) { jumps } else { 0 }
    }

    pub(crate) fn around<'a>(&'a self, part: &'a Part) -> Around<'a> {
        Around {
            part,
            now: True {
                tick: self.tick,
                place: self.place,
            },
            wall: self.wall(),
            began: &self.began,
        }
    }

    pub(crate) fn worker(&self, at: usize) -> Option<&Worker> {
        self.workers.get(at)?.as_deref()
    }

    pub(crate) fn worker_mut(&mut self, at: usize) -> Option<&mut Worker> {
        Some(Arc::make_mut(self.workers.get_mut(at)?.as_mut()?))
    }
}
