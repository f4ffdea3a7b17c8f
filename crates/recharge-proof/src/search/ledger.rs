//! The judge's own books: what the log proves about each attempt, worked out here from the lifecycle's
//! tables and in true time, without the engine's own view of it.

mod likeness;
mod proof;
mod rules;

use recharge_core::{OrderState, QueryOutcome, SubmitOutcome};
use recharge_engine::{Event, Moment, Person, Purpose, Recorded, SendToken, Times, Verdict};

use self::proof::proof;
pub(crate) use self::proof::{Proof, Say, Sent, Told, True, say};

/// A law that was broken.
pub(crate) use crate::invariant::Violation as Broken;

use super::part::{Part, TICK};

pub(crate) type Lawful = Result<(), Broken>;

pub(crate) fn broken(invariant: u8, what: impl Into<String>) -> Lawful {
    Err(Broken::of(invariant, what))
}

pub(crate) fn law(invariant: u8, holds: bool, what: &str) -> Lawful {
    if holds {
        Ok(())
    } else {
        broken(invariant, what)
    }
}

/// What happens around an event.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Around<'a> {
    pub(crate) part: &'a Part,
    pub(crate) now: True,
    /// The wall clock, in ticks.
    pub(crate) wall: i64,
    /// When each epoch began.
    pub(crate) began: &'a [u32],
}

impl Around<'_> {
    pub(crate) fn truly(&self, at: Moment) -> True {
        let epoch = usize::try_from(at.epoch.0).unwrap_or_default();
        let began = self.began.get(epoch).copied().unwrap_or_default();
        let ticks = at.monotonic.as_secs() / TICK.as_secs();
        True {
            tick: began.saturating_add(u32::try_from(ticks).unwrap_or(u32::MAX)),
            place: at.monotonic.subsec_nanos(),
        }
    }
}

/// An approval that waits for a second person.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Approval {
    verdict: Verdict,
    by: Box<str>,
    /// No evidence has come since.
    fresh: bool,
}

/// How many people decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Decided {
    /// One may say only what is proved, but for "succeeded".
    ByOne,
    ByTwo,
}

#[derive(Debug, Clone)]
pub(crate) struct Ledger {
    pub(crate) state: OrderState,
    pub(crate) proofs: Vec<Proof>,
    /// On the wall clock, in ticks.
    pub(crate) first_submit: Option<i64>,
    /// How many sends people have allowed, of whatever log.
    pub(crate) permits: u8,
    /// What people have allowed that has not been sent.
    permit: Option<Verdict>,
    approval: Option<Approval>,
    /// Who decided where the order is now, if people did.
    pub(crate) decided: Option<Decided>,
    pub(crate) entered: True,
    entered_epoch: u64,
    /// When it was accepted, and when it entered its state, on the wall clock, in ticks.
    accepted: i64,
    entered_wall: i64,
    /// When a callback last caused a question.
    callback_asked: Option<u32>,
    /// Whether each person has seen all evidence.
    pub(crate) fresh: bool,
    /// The version of the last notice.
    pub(crate) told: u64,
}

impl Ledger {
    pub(crate) fn new(accepted: i64) -> Self {
        Self {
            state: OrderState::Pending,
            proofs: Vec::new(),
            first_submit: None,
            permits: 0,
            permit: None,
            approval: None,
            decided: None,
            entered: True { tick: 0, place: 0 },
            entered_epoch: 0,
            accepted,
            entered_wall: accepted,
            callback_asked: None,
            fresh: true,
            told: 0,
        }
    }

    pub(crate) fn all_negative(&self) -> bool {
        self.proofs.iter().all(Proof::is_negative)
    }

    /// Takes an event in, as it becomes durable.
    #[expect(clippy::too_many_lines, reason = "one arm an event")]
    pub(crate) fn take(&mut self, recorded: &Recorded, around: Around<'_>) -> Lawful {
        match &recorded.event {
            Event::SendIntended {
                attempt,
                number,
                provider,
                token,
            } => {
                let index = at(*attempt);
                let provider = around.part.place(provider);
                self.may_send(index, provider, around)?;
                let permitted = self.permits(index, provider, around);
                self.evidence();
                if index == self.proofs.len() {
                    self.proofs.push(proof(*number, provider));
                }
                let Some(proof) = self.proofs.get_mut(index) else {
                    return broken(10, "an attempt is skipped");
                };
                law(
                    3,
                    proof.number == *number && proof.provider == provider,
                    "an attempt's number or provider has changed",
                )?;
                proof.permitted |= permitted;
                proof.sends.push(Sent {
                    token: *token,
                    at: around.truly(recorded.at),
                    written: false,
                    told: None,
                });
                (proof.denials, proof.failed_at, proof.failed_twice) = (0, None, false);
                let wall = recorded.at.wall.millis().div_euclid(1000);
                self.waits_no_longer(wall, around)?;
                self.first_submit = self.first_submit.or(Some(wall));
            }
            Event::SendEnded {
                attempt,
                token,
                outcome,
            } => {
                self.evidence();
                let now = around.truly(recorded.at);
                if let Some(proof) = self.proofs.get_mut(at(*attempt)) {
                    let told = match outcome {
                        SubmitOutcome::Accepted(_) => Told::Accepted,
                        SubmitOutcome::Rejected(_) => Told::Rejected,
                        SubmitOutcome::NotSent(_) => Told::NotSent,
                        SubmitOutcome::Unknown(_) => Told::Unknown,
                    };
                    proof.taken |= told == Told::Accepted;
                    if told == Told::Accepted && proof.failed_at.is_none() && !proof.failed_twice {
                        proof.last = Some(Say::Charging);
                    }
                    if told == Told::Rejected {
                        proof.rejected = proof.rejected.or(Some(now));
                    }
                    if let Some(send) = proof.sends.iter_mut().find(|send| send.token == *token) {
                        send.told = Some(told);
                    }
                }
            }
            Event::Answered {
                attempt,
                asked,
                purpose,
                outcome,
                ..
            } => self.answered(at(*attempt), *asked, *purpose, outcome, recorded.at, around)?,
            Event::Adopted {
                attempt,
                number,
                provider,
            } => {
                self.evidence();
                let provider = around.part.place(provider);
                let index = at(*attempt);
                if index == self.proofs.len() {
                    self.proofs.push(proof(*number, provider));
                }
                if let Some(proof) = self.proofs.get_mut(index) {
                    proof.sends.push(Sent {
                        token: SendToken(0),
                        at: around.truly(recorded.at),
                        written: true,
                        told: Some(Told::Unknown),
                    });
                    (proof.denials, proof.failed_at, proof.failed_twice) = (0, None, false);
                }
            }
            Event::Approved { decision } => {
                self.approval = Some(Approval {
                    verdict: decision.verdict.clone(),
                    by: named(&decision.by),
                    fresh: true,
                });
            }
            Event::Decided {
                decision,
                approved_by,
            } => {
                let two = approved_by.is_some();
                let first = self.approval.take();
                if let Some(by) = approved_by {
                    let holds = first.is_some_and(|first| {
                        first.fresh
                            && first.verdict == decision.verdict
                            && first.by == named(by)
                            && first.by != named(&decision.by)
                    });
                    law(
                        2,
                        holds,
                        "an approval counts though evidence has come since, or it is the same person's",
                    )?;
                }
                self.decided(&decision.verdict, two, around)?;
            }
            Event::CallbackSeen { asks: true, .. } => {
                let now = around.now.tick;
                let gap = ticks(around.part.policy.times.callback_gap);
                let soon = self.callback_asked.is_some_and(|asked| now - asked < gap);
                law(15, !soon, "callbacks cause questions too often")?;
                self.callback_asked = Some(now);
            }
            Event::Moved { to, cause } => {
                let wall = recorded.at.wall.millis().div_euclid(1000);
                self.in_time(*cause, wall, around)?;
                self.moved(*to, around)?;
                self.entered_wall = wall;
                self.entered_epoch = recorded.at.epoch.0;
            }
            Event::CallbackSeen { .. }
            | Event::AskedAgain { .. }
            | Event::Recovered
            | Event::Held
            | Event::Probed { .. }
            | Event::Priced { .. }
            | Event::Scheduled { .. } => {}
        }
        Ok(())
    }

    fn evidence(&mut self) {
        self.fresh = false;
        if let Some(approval) = &mut self.approval {
            approval.fresh = false;
        }
    }

    fn answered(
        &mut self,
        index: usize,
        asked: Moment,
        purpose: Purpose,
        outcome: &QueryOutcome,
        arrived: Moment,
        around: Around<'_>,
    ) -> Lawful {
        let said = say(outcome, purpose);
        if said.is_some_and(|said| said != Say::NoSuchOrder) {
            self.evidence();
        }
        let ended = self.state.is_end();
        let Some(proof) = self.proofs.get_mut(index) else {
            return broken(10, "an answer about an attempt that isn't there");
        };
        if purpose == Purpose::Schedule && ended {
            proof.watched = proof.watched.saturating_add(1);
        }
        let Some(said) = said else {
            return Ok(());
        };
        proof.asked_epoch = asked.epoch.0;
        let (asked, arrived) = (around.truly(asked), around.truly(arrived));
        let apart = ticks(around.part.policy.times.confirm_failure_after);
        (proof.last, proof.last_asked) = (Some(said), Some(asked));
        match said {
            Say::Charging => {
                proof.taken = true;
                (proof.failed_at, proof.failed_twice) = (None, false);
            }
            Say::Succeeded => {
                proof.paid = true;
                proof.failed_at = None;
            }
            Say::Failed => {
                let sent_for = purpose != Purpose::CallbackCounts;
                let first = proof.failed_at.get_or_insert(arrived);
                proof.failed_twice |= sent_for && asked.tick >= first.tick + apart;
            }
            Say::NoSuchOrder => {
                proof.failed_at = None;
                proof.denials += 1;
                proof.denied |= proof.rejected.is_some_and(|at| asked >= at);
            }
        }
        Ok(())
    }
}

/// Whose name it is: as people write it, in capitals or not.
fn named(person: &Person) -> Box<str> {
    person.name().to_lowercase().into()
}

/// For how long after the intent "no such order" proves nothing: until no byte can be under way any more, and
/// the wait from then on.
fn quarantine(times: &Times) -> u32 {
    ticks(times.send_deadline + times.request_timeout + times.not_found_quarantine)
}

pub(crate) fn ticks(time: std::time::Duration) -> u32 {
    u32::try_from(time.as_secs() / TICK.as_secs()).unwrap_or(u32::MAX)
}

fn at(index: u32) -> usize {
    usize::try_from(index).unwrap_or(usize::MAX)
}
