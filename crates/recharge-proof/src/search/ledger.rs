//! The judge's own books: what the log proves about each attempt, worked out here from the lifecycle's
//! tables and in true time, without the engine's own view of it.

use std::hash::{Hash, Hasher};

use recharge_core::{
    AttemptNumber, OrderState, QueryOutcome, ReviewReason, Standing, SubmitOutcome, UpstreamState,
};
use recharge_engine::{Event, Moment, Purpose, Recorded, SendToken, Verdict};

use super::part::{Part, TICK};

/// A law that was broken.
#[derive(Debug, Clone)]
pub(crate) struct Broken {
    /// Its number in the lifecycle.
    pub(crate) invariant: u8,
    pub(crate) what: String,
}

pub(crate) type Lawful = Result<(), Broken>;

pub(crate) fn broken(invariant: u8, what: impl Into<String>) -> Lawful {
    Err(Broken {
        invariant,
        what: what.into(),
    })
}

pub(crate) fn law(invariant: u8, holds: bool, what: &str) -> Lawful {
    if holds {
        Ok(())
    } else {
        broken(invariant, what)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Say {
    Charging,
    Succeeded,
    Failed,
    NoSuchOrder,
}

pub(crate) fn say(outcome: &QueryOutcome, purpose: Purpose) -> Option<Say> {
    let say = match outcome {
        QueryOutcome::Found(sighting) => match sighting.state {
            UpstreamState::Charging => Say::Charging,
            UpstreamState::Succeeded => Say::Succeeded,
            UpstreamState::Failed => Say::Failed,
        },
        QueryOutcome::NotFound(_) => Say::NoSuchOrder,
        QueryOutcome::Unavailable(_) => return None,
    };
    (purpose != Purpose::Callback || say == Say::Succeeded).then_some(say)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Told {
    Accepted,
    Rejected,
    NotSent,
    Unknown,
}

/// A moment in true time: the tick, and its place among all moments of the life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct True {
    pub(crate) tick: u32,
    pub(crate) place: u32,
}

#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) token: SendToken,
    pub(crate) at: True,
    pub(crate) written: bool,
    pub(crate) told: Option<Told>,
}

/// What the log proves about one attempt.
#[derive(Debug, Clone)]
pub(crate) struct Proof {
    pub(crate) number: AttemptNumber,
    pub(crate) provider: u8,
    pub(crate) sends: Vec<Sent>,
    taken: bool,
    paid: bool,
    failed_at: Option<True>,
    failed_twice: bool,
    rejected: Option<True>,
    denied: bool,
    denials: u32,
    last: Option<Say>,
    last_asked: Option<True>,
    /// By which epoch's clock.
    asked_epoch: u64,
    pub(crate) at_end: Option<Say>,
    pub(crate) watched: u8,
}

impl Proof {
    pub(crate) fn bytes(&self) -> usize {
        let not_sent = |send: &&Sent| send.told == Some(Told::NotSent);
        self.sends.len() - self.sends.iter().filter(not_sent).count()
    }

    pub(crate) fn standing(&self) -> Standing {
        match self {
            _ if self.paid => Standing::Paid,
            _ if self.failed_twice => Standing::Failed,
            _ if self.taken => Standing::Taken,
            _ if self.bytes() == 0 => Standing::Unsent,
            _ if self.bytes() == 1 && self.denied && self.failed_at.is_none() => Standing::Refused,
            _ => Standing::Open,
        }
    }

    fn is_closed(&self) -> bool {
        matches!(self.standing(), Standing::Unsent | Standing::Refused)
    }

    pub(crate) fn is_negative(&self) -> bool {
        self.is_closed() || self.standing() == Standing::Failed
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
    /// Whether people decided where the order is now.
    pub(crate) decided: bool,
    pub(crate) entered: True,
    entered_epoch: u64,
    /// When a callback last caused a question.
    callback_asked: Option<u32>,
    /// Whether each person has seen all evidence.
    pub(crate) fresh: bool,
    /// The version of the last notice.
    pub(crate) told: u64,
}

impl Ledger {
    pub(crate) fn new() -> Self {
        Self {
            state: OrderState::Pending,
            proofs: Vec::new(),
            first_submit: None,
            permits: 0,
            permit: None,
            approval: None,
            decided: false,
            entered: True { tick: 0, place: 0 },
            entered_epoch: 0,
            callback_asked: None,
            fresh: true,
            told: 0,
        }
    }

    pub(crate) fn all_negative(&self) -> bool {
        self.proofs.iter().all(Proof::is_negative)
    }

    /// Takes an event in, as it becomes durable.
    pub(crate) fn take(&mut self, recorded: &Recorded, around: Around<'_>) -> Lawful {
        match &recorded.event {
            Event::SendIntended {
                attempt,
                number,
                provider,
                token,
            } => {
                let index = at(*attempt);
                self.may_send(index, around)?;
                self.evidence();
                let provider = around.part.place(provider);
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
                proof.sends.push(Sent {
                    token: *token,
                    at: around.truly(recorded.at),
                    written: false,
                    told: None,
                });
                (proof.denials, proof.failed_at, proof.failed_twice) = (0, None, false);
                let wall = recorded.at.wall.millis().div_euclid(1000);
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
                    by: decision.by.name().into(),
                    fresh: true,
                });
            }
            Event::Decided {
                decision,
                approved_by,
            } => {
                let two = approved_by.is_some();
                let first = self.approval.take();
                if two {
                    let holds = first.is_some_and(|first| {
                        first.fresh
                            && first.verdict == decision.verdict
                            && *first.by != *decision.by.name()
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
            Event::Moved { to, .. } => {
                self.moved(*to, around)?;
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

    /// Before any byte: no earlier attempt may be open, unless people allowed it, and each that ever had
    /// bytes in doubt has been asked again.
    fn may_send(&self, index: usize, around: Around<'_>) -> Lawful {
        let route = |proof: &Proof| around.part.policy.routes.get(usize::from(proof.provider));
        let switched = |proof: &Proof| {
            proof.standing() == Standing::Failed
                && route(proof).is_some_and(|route| route.failover_after_failure)
        };
        for (other, proof) in self.proofs.iter().enumerate() {
            let allowed = proof.is_closed()
                || switched(proof)
                || self.permit.is_some()
                || self.permits > 0 && proof.standing() == Standing::Open;
            law(
                2,
                allowed,
                "a send though an attempt is not closed, and people have not allowed it",
            )?;
            if other == index {
                let again = proof.standing() == Standing::Unsent
                    || matches!(self.permit, Some(Verdict::SendAgain { attempt }) if at(attempt) == index);
                law(
                    2,
                    again,
                    "a number is sent again, and people have not allowed it",
                )?;
            }
            if proof.bytes() > 0 {
                let clear = proof.last == Some(Say::NoSuchOrder)
                    || proof.last == Some(Say::Failed) && switched(proof);
                let asked = self.asked_again(proof);
                law(
                    2,
                    clear && asked,
                    "a send before an earlier attempt was asked about again",
                )?;
            }
        }
        Ok(())
    }

    /// Whether the last question was sent since the order is where it is. A worker that has lost its lease
    /// can bring it there by a clock that can't be compared: then it is enough that the question is the new
    /// worker's.
    fn asked_again(&self, proof: &Proof) -> bool {
        proof.last_asked.is_some_and(|asked| asked >= self.entered)
            || proof.asked_epoch > self.entered_epoch
    }

    fn decided(&mut self, verdict: &Verdict, two: bool, around: Around<'_>) -> Lawful {
        let known_taken = self
            .proofs
            .iter()
            .any(|proof| matches!(proof.standing(), Standing::Taken | Standing::Paid));
        match verdict {
            Verdict::Succeeded => {}
            Verdict::Failed => law(
                6,
                two || self.all_negative(),
                "one person calls failed what has an attempt that is not negative",
            )?,
            Verdict::Cancel => law(
                6,
                self.proofs.iter().all(|proof| proof.bytes() == 0),
                "cancelled though something was sent",
            )?,
            Verdict::SendAgain { attempt } => {
                let refuses = self
                    .proofs
                    .get(at(*attempt))
                    .and_then(|proof| around.part.kinds.get(usize::from(proof.provider)))
                    .is_some_and(|kind| kind.refuses_duplicates);
                law(
                    2,
                    two && refuses && !known_taken,
                    "this send needs two people, and a provider that refuses duplicates, and no attempt that was taken",
                )?;
            }
            Verdict::SendElsewhere { .. } => law(
                2,
                two && !known_taken
                    && self.state == OrderState::Review(ReviewReason::ProbablyNotTaken),
                "this send needs two people, from \"probably not taken\"",
            )?,
        }
        if let Verdict::SendAgain { .. } | Verdict::SendElsewhere { .. } = verdict {
            self.permits = self.permits.saturating_add(1);
            self.permit = Some(verdict.clone());
        }
        self.decided = true;
        Ok(())
    }

    fn moved(&mut self, to: OrderState, around: Around<'_>) -> Lawful {
        use OrderState::{Charging, Failed, Pending, Review, Submitting, Succeeded, Unknown};
        let from = self.state;
        let listed = match (from, to) {
            (Pending, Submitting | Failed | Review(_))
            | (Submitting, Pending | Charging | Unknown | Failed)
            | (Charging, Succeeded | Failed | Review(_))
            | (Unknown, Charging | Succeeded | Failed | Review(_) | Pending)
            | (Review(_), Succeeded | Failed | Pending)
            | (Succeeded | Failed, Review(ReviewReason::Contradiction)) => true,
            (Pending | Submitting | Charging | Unknown | Review(_) | Succeeded | Failed, _) => {
                false
            }
        };
        if !listed {
            return broken(10, format!("the table has no move from {from} to {to}"));
        }
        let decided = std::mem::take(&mut self.decided);
        let contradiction = from == Review(ReviewReason::Contradiction);
        match to {
            Submitting => self.permit = None,
            Failed => {
                law(
                    6,
                    decided || self.all_negative(),
                    "failed though an attempt is not negative",
                )?;
                law(
                    6,
                    decided || !contradiction,
                    "a contradiction settled itself",
                )?;
                self.decided = decided;
            }
            Succeeded => {
                let paid = self.proofs.iter().any(|proof| proof.paid);
                law(7, decided || paid, "succeeded without a query or a person")?;
                law(
                    7,
                    decided || !contradiction,
                    "a contradiction settled itself",
                )?;
                self.decided = decided;
            }
            Review(ReviewReason::ProbablyNotTaken) => self.probably_not_taken(around)?,
            Pending => law(
                2,
                !matches!(from, Review(_))
                    || decided
                    || self
                        .proofs
                        .iter()
                        .any(|proof| proof.standing() == Standing::Failed),
                "back from the desk, and nobody decided it",
            )?,
            Charging | Unknown | Review(_) => {}
        }
        if let Review(_) = to {
            self.permit = None;
        }
        if to.is_end() {
            for proof in &mut self.proofs {
                (proof.at_end, proof.watched) = (proof.last, 0);
            }
        }
        (self.state, self.entered) = (to, around.now);
        Ok(())
    }

    fn probably_not_taken(&self, around: Around<'_>) -> Lawful {
        let times = &around.part.policy.times;
        for proof in self.proofs.iter().filter(|proof| !proof.is_negative()) {
            let sent = proof
                .sends
                .last()
                .map_or(around.now.tick, |send| send.at.tick);
            let late = proof
                .last_asked
                .is_some_and(|asked| asked.tick >= sent + ticks(times.quarantine()));
            law(
                1,
                proof.standing() == Standing::Open
                    && proof.last == Some(Say::NoSuchOrder)
                    && proof.denials >= times.not_found_answers
                    && late,
                "\"probably not taken\" of what may still arrive, or was not asked about often enough",
            )?;
        }
        Ok(())
    }

    /// Writes down what matters of it: times relative to the present, as far as they are compared.
    pub(crate) fn likeness(
        &self,
        around: Around<'_>,
        asked: &[Moment],
        back: std::time::Duration,
        out: &mut impl Hasher,
    ) {
        let now = around.now.tick;
        let times = &around.part.policy.times;
        let age = |at: u32, most| (now - at).min(ticks(most));
        for proof in &self.proofs {
            for send in &proof.sends {
                (send.told, send.written && send.told.is_none()).hash(out);
            }
            proof
                .sends
                .last()
                .map(|send| age(send.at.tick, times.quarantine()))
                .hash(out);
            (proof.taken, proof.paid, proof.failed_twice).hash(out);
            proof
                .failed_at
                .map(|at| age(at.tick, times.confirm_failure_after))
                .hash(out);
            (proof.denied, proof.denials.min(times.not_found_answers)).hash(out);
            (proof.last, proof.at_end).hash(out);
            (self.state == OrderState::Pending && self.asked_again(proof)).hash(out);
            (proof.watched.min(2)).hash(out);
            for asked in asked {
                let asked = around.truly(*asked);
                proof.rejected.is_some_and(|at| asked >= at).hash(out);
                (asked >= self.entered).hash(out);
            }
        }
        self.first_submit
            .map(|at| (around.wall - at).min(i64::from(ticks(times.charging_limit + back))))
            .hash(out);
        (self.permits, &self.permit, &self.approval).hash(out);
        (self.decided, self.fresh).hash(out);
        self.callback_asked
            .map(|at| age(at, times.callback_gap))
            .hash(out);
    }
}

fn proof(number: AttemptNumber, provider: u8) -> Proof {
    Proof {
        number,
        provider,
        sends: Vec::new(),
        taken: false,
        paid: false,
        failed_at: None,
        failed_twice: false,
        rejected: None,
        denied: false,
        denials: 0,
        last: None,
        last_asked: None,
        asked_epoch: 0,
        at_end: None,
        watched: 0,
    }
}

pub(crate) fn ticks(time: std::time::Duration) -> u32 {
    u32::try_from(time.as_secs() / TICK.as_secs()).unwrap_or(u32::MAX)
}

fn at(index: u32) -> usize {
    usize::try_from(index).unwrap_or(usize::MAX)
}
