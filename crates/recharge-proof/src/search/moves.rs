//! What can happen next.

use std::sync::Arc;

use recharge_core::ProviderId;
use recharge_core::{OrderState, UpstreamState};
use recharge_engine::driver::decide;
use recharge_engine::{Command, Decision, Input, Jitter, Person, Verdict};

use super::apply::{Commit, Told};
use super::input;
use super::ledger::{Broken, Say, ticks};
use super::part::{Fault, JUMP, NAMES, Part};
use super::upstream::{Packet, Reply, Truth};
use super::world::{Answer, Wait, World};

/// One move. Workers, tasks, packets and numbers are named by their places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Move {
    Tick,
    Begin(usize),
    Notice(usize),
    Turn(usize),
    Commit(usize, Commit),
    ReadBack(usize),
    Write(usize, usize),
    GiveUp(usize, usize),
    Answered(usize, usize, Answer),
    Tell(usize, usize, Commit),
    Arrives(usize, bool),
    /// What was charging has been paid, or has failed, and says so.
    Settled(usize, usize, bool),
    Callback(u32, UpstreamState),
    Look,
    AskAgain,
    Decide(usize, Ruling),
    Backup,
    Crash(usize),
    Takeover(usize),
    Pause(usize),
    NoConnection(usize, usize),
    LostReply(usize, usize),
    LostRequest(usize),
    Late(usize),
    Twice(usize),
    NoAnswer(usize, usize),
    Overlooked(usize, usize),
    Mistaken(usize),
    Jump(i8),
    Restore,
    Reversal(usize),
}

/// What a person can decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Ruling {
    Succeeded,
    Failed,
    Again(u32),
    Elsewhere(usize),
    Cancel,
}

const PEOPLE: [&str; 2] = ["ann", "bob"];

impl World {
    /// All that can happen next.
    pub(crate) fn moves(&self, part: &Part) -> Vec<Move> {
        let mut moves = Vec::with_capacity(32);
        let fault = |fault| self.faults > 0 && part.allows(fault);
        // Time goes by only when nobody would do something before, unless they stand still.
        let paused = self
            .worker(self.present)
            .is_some_and(|worker| worker.paused);
        let mut hurry = self.worker_moves(part, self.present, &mut moves) && !paused;
        if hurry && fault(Fault::Pause) {
            moves.push(Move::Pause(self.present));
        }
        self.from_outside(part, &mut moves);
        // A worker that has lost its lease, and doesn't know, may stand still for as long as it likes.
        self.worker_moves(part, 1 - self.present, &mut moves);
        for at in [self.present, 1 - self.present] {
            if self.worker(at).is_some() && fault(Fault::Crash) {
                moves.push(Move::Crash(at));
            }
        }
        let bound = ticks(part.policy.times.request_timeout);
        for (at, packet) in self.upstream.packets.iter().enumerate() {
            hurry |= !packet.late || self.tick - packet.sent >= bound;
            moves.push(Move::Arrives(at, true));
            if self.upstream.book(packet.number, packet.provider).is_none() {
                moves.push(Move::Arrives(at, false));
            }
            if fault(Fault::LostRequest) {
                moves.push(Move::LostRequest(at));
            }
            if fault(Fault::Late) && !packet.late {
                moves.push(Move::Late(at));
            }
            let refuses = part
                .kinds
                .get(usize::from(packet.provider))
                .is_some_and(|kind| kind.refuses_duplicates);
            if fault(Fault::Twice) && refuses && self.upstream.packets.len() < 3 {
                moves.push(Move::Twice(at));
            }
        }
        for (at, book) in self.upstream.books.iter().enumerate() {
            match book.truth {
                // It settles when somebody hears of it: before that nobody could tell.
                Truth::Charging if fault(Fault::Mistaken) && book.mistaken_until.is_none() => {
                    moves.push(Move::Mistaken(at));
                }
                Truth::Charging => {}
                Truth::Paid | Truth::Failed if fault(Fault::Reversal) => {
                    moves.push(Move::Reversal(at));
                }
                Truth::Paid | Truth::Failed | Truth::Refused => {}
            }
        }
        let alive = self.worker(self.present).is_some();
        if !alive {
            moves.push(Move::Begin(self.present));
        } else if fault(Fault::Takeover) && self.worker(1 - self.present).is_none() {
            moves.push(Move::Takeover(1 - self.present));
        }
        if fault(Fault::Ahead) {
            moves.push(Move::Jump(JUMP));
        }
        if fault(Fault::Back) {
            moves.push(Move::Jump(-JUMP));
        }
        if part.allows(Fault::Restore) && self.backup.is_none() && self.faults == part.most {
            moves.push(Move::Backup);
        }
        if fault(Fault::Restore) && self.backup.is_some() {
            moves.push(Move::Restore);
        }
        if !hurry {
            moves.push(Move::Tick);
        }
        moves
    }

    /// What a worker can do. Whether it would before time goes by, if it doesn't stand still.
    fn worker_moves(&self, part: &Part, at: usize, moves: &mut Vec<Move>) -> bool {
        let Some(worker) = self.worker(at) else {
            return false;
        };
        let before = moves.len();
        let fault = |fault| self.faults > 0 && part.allows(fault);
        let present = at == self.present;
        match &worker.append {
            Some(append) if append.unknown => moves.push(Move::ReadBack(at)),
            Some(_) => {
                moves.push(Move::Commit(at, Commit::Plain));
                if present && fault(Fault::Landed) {
                    moves.push(Move::Commit(at, Commit::Landed));
                }
                if fault(Fault::Vanished) {
                    moves.push(Move::Commit(at, Commit::Vanished));
                }
            }
            None => {
                if worker.offset != self.offset && present {
                    moves.push(Move::Notice(at));
                }
                let order = worker.at_hand.as_ref().unwrap_or(&self.log);
                let free = !worker.lost
                    && (present || worker.echoes > 0)
                    && !worker.tasks.iter().any(|task| task.turn);
                if free && decide::is_due(order, self.reads(worker)) {
                    moves.push(Move::Turn(at));
                }
            }
        }
        for (index, task) in worker.tasks.iter().enumerate() {
            let told = match &task.wait {
                Some(Wait::Write { .. }) => {
                    moves.push(Move::Write(at, index));
                    if fault(Fault::NoConnection) {
                        moves.push(Move::NoConnection(at, index));
                    }
                    false
                }
                Some(Wait::Sent {
                    told: None, limit, ..
                }) => {
                    if self.tick >= *limit {
                        moves.push(Move::GiveUp(at, index));
                    } else if fault(Fault::LostReply) {
                        moves.push(Move::LostReply(at, index));
                    }
                    false
                }
                Some(Wait::Asked {
                    told: None,
                    number,
                    provider,
                    ..
                }) => {
                    self.answers(part, at, index, *number, *provider, moves);
                    false
                }
                Some(Wait::Sent { told: Some(_), .. } | Wait::Asked { told: Some(_), .. }) => true,
                None => false,
            };
            if told && worker.append.is_none() {
                moves.push(Move::Tell(at, index, Commit::Plain));
                if fault(Fault::Landed) {
                    moves.push(Move::Tell(at, index, Commit::Landed));
                }
                if fault(Fault::Vanished) {
                    moves.push(Move::Tell(at, index, Commit::Vanished));
                }
            }
        }
        moves[before..]
            .iter()
            .any(|it| !matches!(it, Move::LostReply(..)))
    }

    fn answers(
        &self,
        part: &Part,
        at: usize,
        task: usize,
        number: recharge_core::AttemptNumber,
        provider: u8,
        moves: &mut Vec<Move>,
    ) {
        let fault = |fault| self.faults > 0 && part.allows(fault);
        let book = self.upstream.book(number, provider);
        let says = match book.map(|book| book.truth) {
            None | Some(Truth::Refused) => Say::NoSuchOrder,
            Some(Truth::Charging) => Say::Charging,
            Some(Truth::Paid) => Say::Succeeded,
            Some(Truth::Failed) => Say::Failed,
        };
        moves.push(Move::Answered(at, task, Answer::Says(says)));
        if says == Say::Charging {
            moves.push(Move::Settled(at, task, true));
            moves.push(Move::Settled(at, task, false));
        }
        let mistaken = book.and_then(|book| book.mistaken_until);
        if mistaken.is_some_and(|until| self.tick < until) && says == Say::Charging {
            moves.push(Move::Answered(at, task, Answer::Says(Say::Failed)));
        }
        if fault(Fault::NoAnswer) {
            moves.push(Move::NoAnswer(at, task));
        }
        if fault(Fault::Overlooked)
            && book.is_some_and(|book| !book.repeated)
            && says != Say::NoSuchOrder
        {
            moves.push(Move::Overlooked(at, task));
        }
    }

    /// Callbacks and people, who come to the worker that has the lease.
    fn from_outside(&self, part: &Part, moves: &mut Vec<Move>) {
        let Some(worker) = self.worker(self.present) else {
            return;
        };
        if worker.append.is_some() {
            return;
        }
        let asked = worker
            .tasks
            .iter()
            .filter(|task| matches!(task.wait, Some(Wait::Asked { .. })))
            .count();
        if asked >= part.answers {
            return;
        }
        if self.callbacks > 0 {
            for (index, attempt) in self.log.attempts().iter().enumerate() {
                let provider = part.place(attempt.provider());
                let covers = part
                    .kinds
                    .get(usize::from(provider))
                    .is_some_and(|kind| kind.callback_counts);
                let truth = self
                    .upstream
                    .book(attempt.number(), provider)
                    .map(|book| book.truth);
                for claims in UpstreamState::ALL {
                    let genuine = matches!(
                        (truth, claims),
                        (
                            Some(Truth::Charging | Truth::Paid),
                            UpstreamState::Succeeded
                        ) | (Some(Truth::Charging | Truth::Failed), UpstreamState::Failed)
                    );
                    // What the signature doesn't cover can be forged.
                    if genuine || !covers && claims != UpstreamState::Charging {
                        moves.push(Move::Callback(
                            u32::try_from(index).unwrap_or(u32::MAX),
                            claims,
                        ));
                    }
                }
            }
        }
        let on_desk = matches!(self.log.state(), OrderState::Review(_));
        if self.people > 0 && (on_desk || self.log.approval().is_some() || !part.at_desk) {
            if part.looks && self.looked.is_none() {
                moves.push(Move::Look);
            }
            moves.push(Move::AskAgain);
            let rulings = [
                Ruling::Succeeded,
                Ruling::Failed,
                Ruling::Again(0),
                Ruling::Again(1),
                Ruling::Elsewhere(0),
                Ruling::Elsewhere(1),
                Ruling::Cancel,
            ];
            for by in 0..PEOPLE.len() {
                moves.extend(rulings.iter().map(|ruling| Move::Decide(by, *ruling)));
            }
        }
    }

    /// The world after a move; `None` if there is no such move after all.
    pub(crate) fn after(&self, part: &Part, it: Move) -> Result<Option<Self>, Broken> {
        let mut world = self.clone();
        if it.is_fault() {
            world.faults = world.faults.saturating_sub(1);
        }
        world.place += 1;
        if let Some(worker) = it.by().and_then(|at| world.worker_mut(at)) {
            worker.paused = false;
        }
        let told = world.make(part, it)?;
        world.judge(part)?;
        Ok(match told {
            Told::Done => Some(world),
            Told::Nothing => None,
        })
    }

    #[expect(clippy::too_many_lines, reason = "one arm a move")]
    fn make(&mut self, part: &Part, it: Move) -> Result<Told, Broken> {
        match it {
            Move::Tick => self.tick += 1,
            Move::Begin(at) | Move::Takeover(at) => return self.begin(part, at),
            Move::Notice(at) => return self.notice(part, at),
            Move::Turn(at) => return self.turn(part, at),
            Move::Commit(at, how) => return self.commit(part, at, how),
            Move::ReadBack(at) => return self.read_back(part, at),
            Move::Write(at, task) => return self.write(part, at, task),
            Move::NoConnection(at, task) => {
                let limit = self.tick;
                if let Some(wait) = self.wait(at, task)
                    && let Wait::Write { attempt, token, .. } = *wait
                {
                    *wait = Wait::Sent {
                        attempt,
                        token,
                        limit,
                        told: Some(Reply::NotSent),
                    };
                }
            }
            Move::GiveUp(at, task) | Move::LostReply(at, task) => {
                if let Some(Wait::Sent { told, .. }) = self.wait(at, task) {
                    *told = Some(Reply::Unknown);
                }
            }
            Move::Answered(at, task, answer) => self.answer(at, task, answer),
            Move::NoAnswer(at, task) => self.answer(at, task, Answer::Nothing),
            Move::Overlooked(at, task) => self.answer(at, task, Answer::Says(Say::NoSuchOrder)),
            Move::Tell(at, task, how) => return self.report(part, at, task, how),
            Move::Arrives(at, takes) => self.arrives(part, at, takes),
            Move::LostRequest(at) => {
                Arc::make_mut(&mut self.upstream).packets.remove(at);
            }
            Move::Late(at) => {
                if let Some(packet) = Arc::make_mut(&mut self.upstream).packets.get_mut(at) {
                    packet.late = true;
                }
            }
            Move::Twice(at) => {
                let upstream = Arc::make_mut(&mut self.upstream);
                if let Some(packet) = upstream.packets.get(at).copied() {
                    upstream.packets.push(Packet {
                        late: true,
                        ..packet
                    });
                }
            }
            Move::Settled(at, task, paid) => {
                let Some(Wait::Asked {
                    number, provider, ..
                }) = self.wait(at, task).cloned()
                else {
                    return Ok(Told::Nothing);
                };
                self.settle(number, provider, paid);
                let says = if paid { Say::Succeeded } else { Say::Failed };
                self.answer(at, task, Answer::Says(says));
            }
            Move::Mistaken(at) => {
                let until = self.tick + ticks(part.policy.times.confirm_failure_after);
                if let Some(book) = Arc::make_mut(&mut self.upstream).books.get_mut(at) {
                    book.mistaken_until = Some(until);
                }
            }
            Move::Reversal(at) => {
                self.reversed = true;
                if let Some(book) = Arc::make_mut(&mut self.upstream).books.get_mut(at) {
                    book.truth = if book.truth == Truth::Paid {
                        Truth::Failed
                    } else {
                        Truth::Paid
                    };
                }
            }
            Move::Callback(attempt, claims) => return self.callback(part, attempt, claims),
            Move::Look => {
                self.looked = Some(self.log.version());
                Arc::make_mut(&mut self.ledger).fresh = true;
            }
            Move::AskAgain => {
                let Ok(by) = Person::authenticated("ann") else {
                    return Ok(Told::Nothing);
                };
                return self.command(part, Command::AskAgain { by });
            }
            Move::Decide(by, ruling) => return self.decide(part, by, ruling),
            Move::Backup => self.backup = Some((self.log.clone(), self.ledger.clone())),
            Move::Crash(at) => {
                if let Some(slot) = self.workers.get_mut(at) {
                    *slot = None;
                }
            }
            Move::Pause(at) => {
                if let Some(worker) = self.worker_mut(at) {
                    worker.paused = true;
                }
            }
            Move::Jump(by) => self.offset += i64::from(by),
            Move::Restore => self.restore(),
        }
        Ok(Told::Done)
    }

    fn wait(&mut self, at: usize, task: usize) -> Option<&mut Wait> {
        self.worker_mut(at)?.tasks.get_mut(task)?.wait.as_mut()
    }

    /// The connector checks the deadline at the last moment before the first byte.
    fn write(&mut self, part: &Part, at: usize, task: usize) -> Result<Told, Broken> {
        let now = self.now(at);
        let limit = self.tick + ticks(part.policy.times.request_timeout);
        let (sent, lease) = (self.tick, self.worker(at).map_or(0, |worker| worker.lease));
        let Some(Wait::Write {
            attempt,
            token,
            number,
            provider,
            until,
        }) = self.wait(at, task).cloned()
        else {
            return Ok(Told::Nothing);
        };
        // In true time: requests carry the deadline on a clock that no epoch touches.
        let began = |epoch: u64| {
            let began = self.began.get(usize::try_from(epoch).unwrap_or_default());
            super::part::TICK * began.copied().unwrap_or_default()
        };
        let late = began(now.epoch.0) + now.monotonic >= began(until.epoch.0) + until.monotonic;
        if !late {
            self.judge_bytes(attempt, token, number, part)?;
            Arc::make_mut(&mut self.upstream).packets.push(Packet {
                number,
                provider,
                token,
                lease,
                sent,
                late: false,
            });
        }
        if let Some(wait) = self.wait(at, task) {
            *wait = Wait::Sent {
                attempt,
                token,
                limit,
                told: late.then_some(Reply::NotSent),
            };
        }
        Ok(Told::Done)
    }

    fn settle(&mut self, number: recharge_core::AttemptNumber, provider: u8, paid: bool) {
        let books = &mut Arc::make_mut(&mut self.upstream).books;
        let settles = |book: &&mut super::upstream::Book| {
            book.number == number && book.provider == provider && book.truth == Truth::Charging
        };
        if let Some(book) = books.iter_mut().find(settles) {
            book.truth = if paid { Truth::Paid } else { Truth::Failed };
        }
    }

    fn answer(&mut self, at: usize, task: usize, answer: Answer) {
        if let Some(Wait::Asked { told, .. }) = self.wait(at, task) {
            *told = Some(answer);
        }
    }

    fn arrives(&mut self, part: &Part, at: usize, takes: bool) {
        let upstream = Arc::make_mut(&mut self.upstream);
        let packet = upstream.packets.remove(at);
        let refuses = part
            .kinds
            .get(usize::from(packet.provider))
            .is_some_and(|kind| kind.refuses_duplicates);
        let reply = upstream.arrives(packet, takes, refuses);
        let workers = self.workers.iter_mut().flatten();
        for worker in workers.filter(|worker| worker.lease == packet.lease) {
            for task in &mut Arc::make_mut(worker).tasks {
                if let Some(Wait::Sent { token, told, .. }) = &mut task.wait
                    && *token == packet.token
                    && told.is_none()
                {
                    *told = Some(reply);
                }
            }
        }
    }

    fn report(&mut self, part: &Part, at: usize, task: usize, how: Commit) -> Result<Told, Broken> {
        let jitter = Jitter::default();
        let input = match self.wait(at, task).cloned() {
            Some(Wait::Sent {
                attempt,
                token,
                told: Some(told),
                ..
            }) => Input::SubmitEnded {
                attempt,
                token,
                outcome: input::submit_outcome(told),
                jitter,
            },
            Some(Wait::Asked {
                attempt,
                purpose: Some(purpose),
                at: asked,
                told: Some(told),
                ..
            }) => Input::QueryEnded {
                attempt,
                asked,
                purpose,
                outcome: input::query_outcome(told),
                jitter,
            },
            Some(Wait::Asked {
                attempt,
                provider,
                purpose: None,
                at: asked,
                told: Some(told),
                ..
            }) => {
                let Some(provider) = named(usize::from(provider)) else {
                    return Ok(Told::Nothing);
                };
                Input::Probed {
                    attempt,
                    provider,
                    asked,
                    outcome: input::query_outcome(told),
                    jitter,
                }
            }
            _ => return Ok(Told::Nothing),
        };
        self.tell(part, at, task, false, &Arc::new(input), how)
    }

    fn callback(
        &mut self,
        part: &Part,
        attempt: u32,
        claims: UpstreamState,
    ) -> Result<Told, Broken> {
        self.callbacks -= 1;
        // A genuine one comes when it has settled.
        let known = self.log.attempt(attempt).map(|known| {
            let provider = part.place(known.provider());
            (known.number(), provider)
        });
        let covers_state = self
            .log
            .attempt(attempt)
            .and_then(|attempt| part.kinds.get(usize::from(part.place(attempt.provider()))))
            .is_some_and(|kind| kind.callback_counts);
        if let (Some((number, provider)), true) = (known, covers_state) {
            self.settle(number, provider, claims == UpstreamState::Succeeded);
        }
        let input = Input::Callback {
            attempt,
            upstream_order_id: None,
            claims: Some(claims),
            covers_state,
            jitter: Jitter::default(),
        };
        self.comes(part, false, input)
    }

    fn command(&mut self, part: &Part, command: Command) -> Result<Told, Broken> {
        self.people -= 1;
        self.comes(part, true, Input::Command(command))
    }

    /// Something comes from outside, to the worker that has the lease.
    fn comes(&mut self, part: &Part, leased: bool, input: Input) -> Result<Told, Broken> {
        let at = self.present;
        let log = self.log.clone();
        if let Some(worker) = self.worker_mut(at) {
            worker.at_hand.get_or_insert(log);
        }
        let task = self.new_task(at, false);
        self.tell(part, at, task, leased, &Arc::new(input), Commit::Plain)
    }

    fn decide(&mut self, part: &Part, by: usize, ruling: Ruling) -> Result<Told, Broken> {
        let verdict = match ruling {
            Ruling::Succeeded => Verdict::Succeeded,
            Ruling::Failed => Verdict::Failed,
            Ruling::Cancel => Verdict::Cancel,
            Ruling::Again(attempt) => Verdict::SendAgain { attempt },
            Ruling::Elsewhere(at) => match named(at) {
                Some(provider) => Verdict::SendElsewhere { provider },
                None => return Ok(Told::Nothing),
            },
        };
        let seen = if by == 1 { self.looked.take() } else { None };
        let stale = seen.is_some() && !self.ledger.fresh;
        let person = PEOPLE
            .get(by)
            .and_then(|name| Person::authenticated(name).ok());
        let Some(by) = person else {
            return Ok(Told::Nothing);
        };
        let command = Command::Decide(Decision {
            verdict,
            by,
            evidence: "ticket 1".to_owned(),
            seen: seen.unwrap_or(self.log.version()),
        });
        let told = self.command(part, command)?;
        if stale && matches!(told, Told::Done) {
            return Err(Broken {
                invariant: 2,
                what: "a person decides who has not seen the newest evidence".to_owned(),
            });
        }
        Ok(told)
    }

    fn restore(&mut self) {
        let Some((order, ledger)) = self.backup.clone() else {
            return;
        };
        let permits = self.ledger.permits;
        self.log = order;
        self.ledger = ledger;
        let ledger = Arc::make_mut(&mut self.ledger);
        // What people allowed is allowed, whatever is left of the log.
        ledger.permits = ledger.permits.max(permits);
        self.workers = [None, None];
        self.looked = None;
        self.restored = true;
    }
}

impl Move {
    pub(crate) const fn is_fault(self) -> bool {
        match self {
            Self::Crash(_)
            | Self::Takeover(_)
            | Self::Pause(_)
            | Self::NoConnection(..)
            | Self::LostReply(..)
            | Self::LostRequest(_)
            | Self::Late(_)
            | Self::Twice(_)
            | Self::NoAnswer(..)
            | Self::Overlooked(..)
            | Self::Mistaken(_)
            | Self::Jump(_)
            | Self::Restore
            | Self::Reversal(_)
            | Self::Commit(_, Commit::Landed | Commit::Vanished)
            | Self::Tell(_, _, Commit::Landed | Commit::Vanished) => true,
            Self::Tick
            | Self::Begin(_)
            | Self::Notice(_)
            | Self::Turn(_)
            | Self::Commit(_, Commit::Plain)
            | Self::ReadBack(_)
            | Self::Write(..)
            | Self::GiveUp(..)
            | Self::Answered(..)
            | Self::Tell(_, _, Commit::Plain)
            | Self::Arrives(..)
            | Self::Settled(..)
            | Self::Callback(..)
            | Self::Look
            | Self::AskAgain
            | Self::Decide(..)
            | Self::Backup => false,
        }
    }

    /// The worker that makes it, which stands still no longer.
    const fn by(self) -> Option<usize> {
        match self {
            Self::Notice(at)
            | Self::Turn(at)
            | Self::Commit(at, _)
            | Self::ReadBack(at)
            | Self::Write(at, _)
            | Self::Tell(at, ..) => Some(at),
            _ => None,
        }
    }

    /// The worker of which it is a move.
    pub(crate) const fn whose(self) -> Option<usize> {
        match self {
            Self::Answered(at, ..) | Self::Settled(at, ..) | Self::GiveUp(at, _) => Some(at),
            _ => self.by(),
        }
    }
}

fn named(at: usize) -> Option<ProviderId> {
    ProviderId::parse(NAMES.get(at)?).ok()
}
