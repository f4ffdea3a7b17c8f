//! What a move makes of a world.

use std::sync::Arc;

use recharge_core::{AttemptNumber, ProviderId, UpstreamState};
use recharge_engine::{Command, Decision, Input, Jitter, Person, Verdict};

use super::apply::{Commit, Told};
use super::input;
use super::ledger::{Broken, Say, ticks};
use super::moves::{Move, Ruling};
use super::part::{NAMES, Part, TICK};
use super::upstream::{Book, Packet, Reply, Truth};
use super::world::{Answer, Wait, World};

const PEOPLE: [&str; 2] = ["ann", "bob"];

impl World {
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
            TICK * began.copied().unwrap_or_default()
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

    fn settle(&mut self, number: AttemptNumber, provider: u8, paid: bool) {
        let books = &mut Arc::make_mut(&mut self.upstream).books;
        let settles = |book: &&mut Book| {
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
            let what = "a person decides who has not seen the newest evidence";
            return Err(Broken::of(2, what));
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

fn named(at: usize) -> Option<ProviderId> {
    ProviderId::parse(NAMES.get(at)?).ok()
}
