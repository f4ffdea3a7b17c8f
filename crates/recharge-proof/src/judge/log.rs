//! What the judge reads in the log, event by event, as it becomes durable.

use std::collections::BTreeMap;
use std::time::Duration;

use recharge_core::{OrderState, QueryOutcome, ReviewReason};
use recharge_engine::store::{Lease, OrderKey, Stored};
use recharge_engine::{Alarm, Event, Purpose, Recorded, SendToken, Step};
use recharge_sim::Upstream;

use super::callbacks::{only_hasten, only_its_own, only_proved_names};
use super::evidence::{Answered, End, Heard, Send};
use super::file::File;
use super::times::NEW_ORDERS_ARE_HELD;
use super::wire::Packets;
use super::{Judge, OrderName};
use crate::executor::Process;

/// Who wrote, and when, on whose clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Writer {
    pub(crate) process: Process,
    pub(crate) monotonic: Duration,
    pub(crate) now: Duration,
    /// Whether it has the lease.
    pub(crate) holder: bool,
}

impl Judge {
    /// An order has become durable.
    pub(crate) fn accepted(&mut self, stored: &Stored) {
        let accepted = self.truly(stored.order.accepted());
        let file = File::new(stored, accepted, self.restored);
        let ago = self.restored.map(|at| accepted.saturating_sub(at));
        if let Some(ago) = ago.filter(|ago| *ago < NEW_ORDERS_ARE_HELD)
            && !stored.order.acceptance().held
        {
            let what = format!(
                "order {} is taken {ago:?} after a backup was put back, and not held",
                file.name
            );
            self.violated(1, what);
        }
        if let Some(other) = self.by_name.get(&file.name) {
            let what = format!("order {} is taken twice, as {other:?} as well", file.name);
            self.violated(9, what);
        }
        self.by_name.insert(file.name.clone(), stored.key);
        self.files.insert(stored.key, file);
    }

    /// A step has become durable.
    pub(crate) fn appended(
        &mut self,
        writer: Writer,
        key: OrderKey,
        lease: Option<Lease>,
        step: &Step,
    ) {
        let Some(mut file) = self.files.remove(&key) else {
            self.violated(10, format!("events of {key:?}, which is no order"));
            return;
        };
        let before = (file.state, file.due);
        let mut complaints = Complaints::default();
        file.contradicted = false;
        file.paid_again = false;
        for recorded in &step.events {
            self.event(&mut file, recorded, writer, &mut complaints);
        }
        if file.state != step.order.state() || file.version != step.order.version() {
            complaints.add(10, "is not the fold of its log");
        }
        only_proved_names(&file, &step.order, &mut complaints);
        file.due = step.order.due();
        let sends = |recorded: &Recorded| matches!(recorded.event, Event::SendIntended { .. });
        if lease.is_some_and(|lease| lease != self.lease) {
            complaints.add(5, "is written to under a lease that is void");
        }
        if step.events.iter().any(sends) && lease.is_none() {
            complaints.add(5, "is sent without a lease");
        }
        let decides = |recorded: &Recorded| {
            let event = &recorded.event;
            matches!(event, Event::Approved { .. } | Event::Decided { .. })
        };
        if step.events.iter().any(decides) && lease.is_none() {
            complaints.add(5, "is decided on without a lease");
        }
        if let Some(said) = file.must_reach_a_person.take()
            && file.state != OrderState::Review(ReviewReason::Contradiction)
        {
            let what = format!(
                "is {} and an answer says {said:?}, which no person hears of",
                file.state
            );
            complaints.add(6, what);
        }
        let answered = |recorded: &Recorded| matches!(recorded.event, Event::Answered { .. });
        if step.events.iter().any(answered) {
            self.leaves_its_desk(&file, &mut complaints);
        }
        if file.paid_again && !step.alarms.contains(&Alarm::PaidTwice) {
            complaints.add(1, "is paid twice, and no person hears of it");
        }
        self.moved(&mut file, step, writer, &mut complaints);
        only_hasten(before, &file, step, &mut complaints);
        for (invariant, what) in complaints.0 {
            self.violated(invariant, format!("order {} {what}", file.name));
        }
        for recorded in step.events.iter().filter(|it| has_text(&it.event)) {
            self.text(&format!("{:?}", recorded.event), Some(&file.account));
        }
        self.files.insert(key, file);
    }

    fn event(
        &mut self,
        file: &mut File,
        recorded: &Recorded,
        writer: Writer,
        complaints: &mut Complaints,
    ) {
        if recorded.version != file.version + 1 {
            let what = format!("has version {} after {}", recorded.version, file.version);
            complaints.add(10, what);
        }
        file.version = recorded.version;
        let at = self.truly(recorded.at);
        match &recorded.event {
            Event::SendIntended { .. } => self.intended(file, recorded, writer, complaints),
            Event::SendEnded {
                attempt,
                token,
                outcome,
            } => {
                file.occasion(writer.now);
                file.send_ended(writer.process, (*attempt, *token), outcome, at, complaints);
            }
            Event::Answered { .. } => self.answered(file, recorded, complaints),
            Event::Adopted {
                attempt,
                number,
                provider,
            } => {
                file.learned();
                let known = file.attempt_or_new(*attempt, number.as_str(), provider.as_str());
                if let Some(known) = known {
                    known.sends.push(Send {
                        token: SendToken(0),
                        intended: at,
                        heard: known.answers.len(),
                        end: Some((End::Unknown, at)),
                    });
                }
            }
            Event::Approved { decision } => file.approval = Some((decision.clone(), false)),
            Event::Decided {
                decision,
                approved_by,
            } => {
                file.occasion(writer.now);
                self.decided(file, decision, approved_by.as_ref(), at, complaints);
            }
            Event::Moved { to, cause } => {
                self.moves(file, *to, *cause, (at, recorded.at.epoch), complaints);
            }
            Event::CallbackSeen {
                attempt,
                upstream_order_id,
                asks: true,
                ..
            } => {
                self.asked_by_callback(file, recorded.at, complaints);
                if let (Some(id), Some(known)) = (upstream_order_id, file.attempt(*attempt)) {
                    only_its_own(known, id, complaints);
                }
                file.occasion(writer.now);
            }
            Event::Held => {
                file.held_since = self.restored;
                file.to_be_held = false;
                file.waits_since = None;
                file.occasion(writer.now);
            }
            Event::AskedAgain { .. } | Event::Recovered | Event::Probed { .. } => {
                file.occasion(writer.now);
            }
            Event::CallbackSeen { asks: false, .. }
            | Event::Priced { .. }
            | Event::Scheduled { .. } => {}
        }
    }

    /// An answer has become durable.
    fn answered(&mut self, file: &mut File, recorded: &Recorded, complaints: &mut Complaints) {
        let Event::Answered {
            attempt,
            asked,
            purpose,
            outcome,
            ..
        } = &recorded.event
        else {
            return;
        };
        if *purpose == Purpose::CallbackCounts {
            let index = usize::try_from(*attempt).unwrap_or(usize::MAX);
            let of = file.attempts.get(index).map(|it| it.provider.as_str());
            if !self.callbacks_count || of != Some(Upstream::Jisu.as_str()) {
                complaints.add(7, "believes a callback, which nobody allowed");
            }
        }
        let said = Answered::of(outcome);
        let counts = match purpose {
            Purpose::Callback => said.filter(|said| *said == Answered::Succeeded),
            _ => said,
        };
        let Some(said) = counts else { return };
        if said != Answered::NoSuchOrder {
            file.learned();
        }
        let times = (self.truly(*asked), self.truly(recorded.at));
        if let Some(known) = file.attempt(*attempt)
            && *purpose != Purpose::CallbackCounts
            && !self.has_asked(&known.provider, &known.number, times)
        {
            complaints.add(6, "has an answer to what was not asked by then");
        }
        let paid = file.attempts.iter().filter(|it| it.paid()).count();
        if let Some(known) = file.attempt(*attempt) {
            known.last = Some(said);
            if let QueryOutcome::Found(sighting) = outcome {
                known.is_called(sighting.upstream_order_id.as_ref());
            }
            known.answers.push(Heard {
                said,
                asked: times.0,
                epoch: asked.epoch,
                at: times.1,
                purpose: *purpose,
            });
            file.paid_again |=
                paid > 0 && file.attempts.iter().filter(|it| it.paid()).count() > paid;
            let against = file.contradicts(*attempt, said);
            file.must_reach_a_person = against.then_some(said);
            file.contradicted |= against;
        }
    }

    /// The log as a restored backup has it.
    pub(crate) fn restore(
        &mut self,
        orders: &BTreeMap<OrderKey, (Stored, Vec<Recorded>)>,
        now: Duration,
    ) {
        self.files.clear();
        self.by_name.clear();
        self.kept.clear();
        self.restored = Some(now);
        // The log has forgotten what gave occasion to ask, and asks anew.
        self.sent.values_mut().for_each(Packets::asks_anew);
        let writer = Writer {
            process: crate::executor::OUTSIDE,
            monotonic: Duration::ZERO,
            now: Duration::ZERO,
            holder: false,
        };
        let kept = self.violations.len();
        for (key, (stored, log)) in orders {
            let accepted = self.truly(stored.order.accepted());
            let mut file = File::new(stored, accepted, self.restored);
            let mut complaints = Complaints::default();
            let allowed = self.allowed.get(&file.name).cloned();
            for recorded in log {
                self.event(&mut file, recorded, writer, &mut complaints);
            }
            // What was allowed has been counted already.
            if let Some(allowed) = allowed {
                self.allowed.insert(file.name.clone(), allowed);
            }
            file.due = stored.order.due();
            file.intents.clear();
            file.to_be_held = !file.state.is_end();
            // Whoever should have heard of it did, before the backup was put back.
            file.must_reach_a_person = None;
            if file.state.is_end() {
                file.ended_at = Some(Duration::ZERO);
            }
            self.by_name.insert(file.name.clone(), *key);
            self.files.insert(*key, file);
        }
        self.violations.truncate(kept);
        let known: Vec<OrderName> = self.by_name.keys().cloned().collect();
        self.acknowledged.retain(|name| known.contains(name));
    }
}

/// Whether an event can hold what somebody else has written.
const fn has_text(event: &Event) -> bool {
    match event {
        Event::SendEnded { .. }
        | Event::Answered { .. }
        | Event::CallbackSeen { .. }
        | Event::AskedAgain { .. }
        | Event::Approved { .. }
        | Event::Decided { .. }
        | Event::Probed { .. }
        | Event::Priced { .. } => true,
        Event::SendIntended { .. }
        | Event::Adopted { .. }
        | Event::Moved { .. }
        | Event::Recovered
        | Event::Held
        | Event::Scheduled { .. } => false,
    }
}

/// What is wrong with one order.
#[derive(Default)]
pub(super) struct Complaints(pub(super) Vec<(u8, String)>);

impl Complaints {
    pub(super) fn add(&mut self, invariant: u8, what: impl Into<String>) {
        self.0.push((invariant, what.into()));
    }
}
