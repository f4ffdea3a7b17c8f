//! What the driver does, with its own decisions: steps, appends, reading back, and doing what a step asks.

use std::sync::Arc;

use recharge_engine::driver::decide::{self, Occasion, Wrote};
use recharge_engine::store::{Brief, OrderKey};
use recharge_engine::{AppendError, Input, Jitter, Order, SendToken, Step, StoreError, step};

use super::judge::{self, Made};
use super::ledger::Broken;
use super::part::{Fault, Part};
use super::world::{Append, Waits, Worker, World};

/// How a commit goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Commit {
    Plain,
    /// Its fate is unknown, and it became durable.
    Landed,
    /// Its fate is unknown, and it did not.
    Vanished,
}

/// What became of telling an order something.
pub(crate) enum Told {
    /// It is done, or will be when the commit is read back.
    Done,
    /// There is no such move: a command that is refused, or a commit that would not have been made.
    Nothing,
}

impl World {
    /// What a driver gives a step.
    fn step(&mut self, part: &Part, at: usize, order: &Order, input: Input) -> Option<Step> {
        let now = self.now(at);
        step(&part.policy, order, input, now).ok()
    }

    /// The contract of a store's append.
    fn append(
        &mut self,
        part: &Part,
        at: usize,
        leased: bool,
        input: &Input,
        made: &Step,
    ) -> Result<Result<(), AppendError>, Broken> {
        let lease = self.worker(at).map(|worker| worker.lease);
        if leased && lease != Some(self.lease) {
            return Ok(Err(AppendError::LeaseLost));
        }
        let found = self.log.version();
        if made
            .events
            .first()
            .is_some_and(|first| first.version != found + 1)
        {
            return Ok(Err(AppendError::Version { found }));
        }
        self.place += 1;
        let before = self.log.clone();
        let was = self.ledger.clone();
        let mut ledger = (*was).clone();
        let around = self.around(part);
        let mut log = (*before).clone();
        for recorded in &made.events {
            ledger.take(recorded, around)?;
            if let Err(error) = log.apply(recorded) {
                return Err(Broken::of(10, error.to_string()));
            }
        }
        if log != made.order {
            return Err(Broken::of(10, "the order is not the fold of its events"));
        }
        Made {
            input,
            step: made,
            before: &before,
            was: &was,
            is: &ledger,
        }
        .judge(around)?;
        if let Some(notice) = made.notices.last() {
            ledger.told = notice.version;
        }
        self.log = Arc::new(log);
        self.ledger = Arc::new(ledger);
        Ok(Ok(()))
    }

    /// Tells an order something that a worker has at hand. A fact needs no lease.
    pub(crate) fn tell(
        &mut self,
        part: &Part,
        at: usize,
        task: usize,
        leased: bool,
        input: &Arc<Input>,
        commit: Commit,
    ) -> Result<Told, Broken> {
        loop {
            let Some(order) = self.worker(at).and_then(|worker| worker.at_hand.clone()) else {
                return Ok(Told::Nothing);
            };
            let Some(made) = self.step(part, at, &order, (**input).clone()) else {
                return Ok(Told::Nothing);
            };
            judge::effects(&made.effects, made.order.attempts().len() + 1)?;
            if made.events.is_empty() {
                if commit != Commit::Plain {
                    return Ok(Told::Nothing);
                }
                self.goes_on(part, at, task, made.effects);
                return Ok(Told::Done);
            }
            if commit != Commit::Plain {
                if commit == Commit::Landed && self.append(part, at, leased, input, &made)?.is_err()
                {
                    return Ok(Told::Nothing);
                }
                if let Some(worker) = self.worker_mut(at) {
                    worker.append = Some(Append {
                        made: Arc::new(made),
                        waits: Waits::Fact(task, input.clone()),
                        unknown: true,
                    });
                }
                return Ok(Told::Done);
            }
            let appended = self.append(part, at, leased, input, &made)?;
            match decide::wrote(appended, leased) {
                Wrote::Durable => {
                    self.has(at, Arc::new(made.order));
                    self.goes_on(part, at, task, made.effects);
                    return Ok(Told::Done);
                }
                Wrote::Behind | Wrote::Unknown => self.has(at, self.log.clone()),
                Wrote::Unclaimed | Wrote::Waits(_) | Wrote::Fails(_) => {
                    self.loses(at);
                    return Ok(Told::Nothing);
                }
            }
        }
    }

    /// The turn of an order that is due: a step, which is appended now or a while later.
    pub(crate) fn turn(&mut self, part: &Part, at: usize) -> Result<Told, Broken> {
        let claimed = self.worker(at).and_then(|worker| worker.at_hand.clone());
        let order = claimed.unwrap_or_else(|| self.log.clone());
        let now = self.now(at);
        if !decide::is_due(&order, now) {
            return Ok(Told::Nothing);
        }
        self.has(at, order.clone());
        if at != self.present
            && let Some(worker) = self.worker_mut(at)
        {
            worker.echoes -= 1;
        }
        self.tokens += 1;
        let input = due(self.tokens);
        let Some(made) = self.step(part, at, &order, input) else {
            return Ok(Told::Nothing);
        };
        judge::effects(&made.effects, made.order.attempts().len() + 1)?;
        if made.events.is_empty() && made.effects.is_empty() {
            return Err(Broken::of(11, "a due order has nothing to do"));
        }
        if made.events.is_empty() {
            self.begin_task(part, at, true, made.effects);
            return Ok(Told::Done);
        }
        if let Some(worker) = self.worker_mut(at) {
            worker.append = Some(Append {
                made: Arc::new(made),
                waits: Waits::Turn,
                unknown: false,
            });
        }
        // Only what stands still, or meets another worker's commit, makes a difference in between.
        if part.allows(Fault::Pause) || part.allows(Fault::Landed) || part.allows(Fault::Vanished) {
            return Ok(Told::Done);
        }
        self.commit(part, at, Commit::Plain)
    }

    /// The append of a turn's step.
    pub(crate) fn commit(
        &mut self,
        part: &Part,
        at: usize,
        commit: Commit,
    ) -> Result<Told, Broken> {
        let Some(append) = self
            .worker_mut(at)
            .and_then(|worker| worker.append.take())
            .filter(|append| !append.unknown)
        else {
            return Ok(Told::Nothing);
        };
        let unknown = || Err(AppendError::Store(StoreError::Unknown(String::new())));
        let appended = match commit {
            Commit::Plain => self.append(part, at, true, &due(0), &append.made)?,
            Commit::Landed => {
                if self.append(part, at, true, &due(0), &append.made)?.is_err() {
                    return Ok(Told::Nothing);
                }
                unknown()
            }
            Commit::Vanished => unknown(),
        };
        match decide::wrote(appended, true) {
            Wrote::Durable => {
                self.has(at, Arc::new(append.made.order.clone()));
                self.begin_task(part, at, true, append.made.effects.clone());
            }
            Wrote::Behind => self.has(at, self.log.clone()),
            Wrote::Unknown => {
                if let Some(worker) = self.worker_mut(at) {
                    worker.append = Some(Append {
                        unknown: true,
                        ..append
                    });
                }
            }
            Wrote::Unclaimed | Wrote::Waits(_) | Wrote::Fails(_) => self.loses(at),
        }
        Ok(Told::Done)
    }

    /// A commit of unknown fate is read back.
    pub(crate) fn read_back(&mut self, part: &Part, at: usize) -> Result<Told, Broken> {
        let log = self.log.clone();
        let Some(append) = self.worker_mut(at).and_then(|worker| worker.append.take()) else {
            return Ok(Told::Nothing);
        };
        self.has(at, log.clone());
        let ours = decide::is_ours(&log, &append.made);
        match append.waits {
            Waits::Turn if ours => {
                self.begin_task(part, at, true, append.made.effects.clone());
            }
            Waits::Turn => {}
            Waits::Fact(task, _) if ours => {
                self.goes_on(part, at, task, append.made.effects.clone());
            }
            Waits::Fact(task, input) => {
                return self.tell(part, at, task, false, &input, Commit::Plain);
            }
        }
        Ok(Told::Done)
    }

    /// A worker begins, with the newest lease, and looks through what is there.
    pub(crate) fn begin(&mut self, part: &Part, at: usize) -> Result<Told, Broken> {
        self.lease += 1;
        self.present = at;
        let worker = Worker {
            lease: self.lease,
            epoch: self.next_epoch(),
            began: self.tick,
            offset: self.offset,
            at_hand: None,
            lost: false,
            echoes: part.echoes,
            paused: false,
            append: None,
            tasks: Vec::new(),
        };
        if let Some(slot) = self.workers.get_mut(at) {
            *slot = Some(Arc::new(worker));
        }
        let restored = std::mem::take(&mut self.restored);
        self.recover(part, at, Occasion::Start { restored })
    }

    /// A worker finds that the wall clock has jumped, and begins an epoch.
    pub(crate) fn notice(&mut self, part: &Part, at: usize) -> Result<Told, Broken> {
        let (epoch, tick, offset) = (self.next_epoch(), self.tick, self.offset);
        if let Some(worker) = self.worker_mut(at) {
            (worker.epoch, worker.began, worker.offset) = (epoch, tick, offset);
        }
        self.recover(part, at, Occasion::Jump)
    }

    fn next_epoch(&mut self) -> u64 {
        Arc::make_mut(&mut self.began).push(self.tick);
        self.began.len() as u64 - 1
    }

    fn recover(&mut self, part: &Part, at: usize, occasion: Occasion) -> Result<Told, Broken> {
        let brief = Brief {
            key: OrderKey(1),
            state: self.log.state(),
            due: self.log.due(),
        };
        let now = self.now(at).wall;
        if !decide::must_be_told(occasion, &brief, now, &part.policy.times) {
            return Ok(Told::Done);
        }
        if self
            .worker(at)
            .is_some_and(|worker| worker.at_hand.is_none())
        {
            self.has(at, self.log.clone());
        }
        let input = Arc::new(Input::Recovered {
            restored: occasion == Occasion::Start { restored: true },
            jitter: Jitter::default(),
        });
        let task = self.new_task(at, false);
        self.tell(part, at, task, true, &input, Commit::Plain)?;
        Ok(Told::Done)
    }
}

fn due(token: u32) -> Input {
    Input::Due {
        token: SendToken(u128::from(token)),
        jitter: Jitter::default(),
    }
}
