//! One state of the search: what is durable, what each worker has at hand, what is under way, and what is
//! true.

use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use recharge_core::AttemptNumber;
use recharge_engine::{
    Acceptance, Epoch, Input, Moment, Order, Purpose, SendToken, Step, WallTime,
};

use super::hash::Mixer;
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
    pub(crate) fn new(part: &Part) -> Option<Self> {
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
            ledger: Arc::new(Ledger::new()),
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

    /// A number that two worlds share only if all that can become of them is the same.
    pub(crate) fn fingerprint(&self, part: &Part) -> u64 {
        let mut out = Mixer::default();
        // The present worker first, so that names of workers don't matter.
        let order = [self.present, 1 - self.present];
        let workers = || order.iter().filter_map(|at| self.worker(*at));
        let mut clocks: Vec<Moment> = workers().map(|worker| self.reads(worker)).collect();
        clocks.sort_by_key(|clock| clock.epoch);
        let waits = || {
            workers()
                .flat_map(|worker| &worker.tasks)
                .filter_map(|task| task.wait.as_ref())
        };
        let facts = || workers().filter_map(|worker| worker.append.as_ref());
        let mut asked: Vec<Moment> = waits()
            .filter_map(|wait| match wait {
                Wait::Asked { at, .. } => Some(*at),
                Wait::Write { .. } | Wait::Sent { .. } => None,
            })
            .collect();
        let mut tokens: Vec<SendToken> = waits()
            .filter_map(|wait| match wait {
                Wait::Write { token, .. } | Wait::Sent { token, .. } => Some(*token),
                Wait::Asked { .. } => None,
            })
            .collect();
        for append in facts() {
            if let Waits::Fact(_, input) = &append.waits {
                match &**input {
                    Input::QueryEnded { asked: at, .. } | Input::Probed { asked: at, .. } => {
                        asked.push(*at);
                    }
                    Input::SubmitEnded { token, .. } => tokens.push(*token),
                    Input::Due { .. }
                    | Input::Callback { .. }
                    | Input::Priced { .. }
                    | Input::Recovered { .. }
                    | Input::Command(_) => {}
                }
            }
        }
        tokens.extend(self.upstream.packets.iter().map(|packet| packet.token));
        let seen: Vec<u64> = self.looked.into_iter().collect();
        let view = recharge_engine::order::Viewpoint {
            times: &part.policy.times,
            wall: WallTime::from_millis(self.wall() * 1000),
            clocks: &clocks,
            asked: &asked,
            tokens: &tokens,
            seen: &seen,
            back: self.back(part),
            grain: TICK,
        };
        self.log.likeness(&view, &mut out);
        let around = self.around(part);
        let back = self.back(part);
        self.ledger.likeness(around, &asked, back, &mut out);
        for at in order {
            match self.worker(at) {
                None => out.write_u8(0),
                Some(worker) => self.worker_likeness(worker, &view, &clocks, &mut out),
            }
        }
        self.upstream_likeness(&mut out);
        (
            self.faults,
            self.people,
            self.callbacks,
            self.reversed,
            self.restored,
        )
            .hash(&mut out);
        self.looked.is_some().hash(&mut out);
        if let Some((order, ledger)) = &self.backup {
            let view = recharge_engine::order::Viewpoint {
                asked: &[],
                tokens: &[],
                seen: &[],
                ..view
            };
            order.likeness(&view, &mut out);
            ledger.likeness(around, &[], back, &mut out);
        }
        out.finish()
    }

    fn worker_likeness(
        &self,
        worker: &Worker,
        view: &recharge_engine::order::Viewpoint<'_>,
        clocks: &[Moment],
        out: &mut Mixer,
    ) {
        out.write_u8(1);
        (worker.lease == self.lease).hash(out);
        (worker.lost, worker.paused, worker.echoes).hash(out);
        (worker.offset - self.offset).hash(out);
        clocks
            .iter()
            .position(|clock| clock.epoch.0 == worker.epoch)
            .hash(out);
        match &worker.at_hand {
            None => out.write_u8(0),
            Some(order) if order.version() == self.log.version() => out.write_u8(1),
            Some(order) => {
                out.write_u8(2);
                order.likeness(view, out);
            }
        }
        if let Some(append) = &worker.append {
            out.write_u8(1);
            append.unknown.hash(out);
            // Whether it could be appended still, or has been.
            let ours = append.made.order == *self.log;
            let next = append
                .made
                .events
                .first()
                .is_some_and(|first| first.version == self.log.version() + 1);
            (ours, next).hash(out);
            append.made.order.likeness(view, out);
            match &append.waits {
                Waits::Turn => out.write_u8(0),
                Waits::Fact(task, input) => {
                    task.hash(out);
                    super::input::likeness(input, out);
                }
            }
        }
        for task in &worker.tasks {
            (2_u8, task.turn, task.todo.len()).hash(out);
            for effect in &task.todo {
                super::input::effect(effect, out);
            }
            match &task.wait {
                None => out.write_u8(0),
                Some(Wait::Write {
                    attempt,
                    number,
                    provider,
                    until,
                    token: _,
                }) => {
                    (1_u8, attempt, number, provider).hash(out);
                    let now = self.reads(worker);
                    let open = now.epoch == until.epoch;
                    let left = until.monotonic.saturating_sub(now.monotonic);
                    open.then_some(left.as_nanos().div_ceil(TICK.as_nanos()))
                        .hash(out);
                }
                Some(Wait::Sent {
                    attempt,
                    limit,
                    told,
                    token: _,
                }) => {
                    (2_u8, attempt, told, limit.saturating_sub(self.tick)).hash(out);
                }
                Some(Wait::Asked {
                    attempt,
                    number,
                    provider,
                    purpose,
                    at,
                    told,
                }) => {
                    (3_u8, attempt, number, provider, purpose, told).hash(out);
                    // How old it is matters for what it may still clear, and by which epoch.
                    let age = u32::try_from(
                        self.reads(worker)
                            .monotonic
                            .saturating_sub(at.monotonic)
                            .as_secs(),
                    );
                    (at.epoch.0 == worker.epoch, age.unwrap_or(u32::MAX).min(4)).hash(out);
                }
            }
        }
    }

    fn upstream_likeness(&self, out: &mut Mixer) {
        for book in &self.upstream.books {
            let mistaken = book
                .mistaken_until
                .map(|until| until.saturating_sub(self.tick));
            (
                book.number,
                book.provider,
                book.truth,
                book.again,
                book.repeated,
                mistaken,
            )
                .hash(out);
        }
        for packet in &self.upstream.packets {
            (packet.number, packet.provider, packet.late).hash(out);
            (self.tick - packet.sent).hash(out);
            // Whether somebody still waits for what it is told.
            let waits = self.workers.iter().flatten().any(|worker| {
                worker.lease == packet.lease
                    && worker.tasks.iter().any(|task| {
                        matches!(&task.wait, Some(Wait::Sent { token, told: None, .. }) if *token == packet.token)
                    })
            });
            waits.hash(out);
        }
    }
}
