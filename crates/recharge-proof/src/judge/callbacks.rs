//! What callbacks may do: cause a question now and then, and nothing else.

use std::time::Duration;

use recharge_core::{OrderState, UpstreamOrderId};
use recharge_engine::{Event, Moment, Order, Purpose, Recorded, Step, WallTime};

use super::Judge;
use super::evidence::{Answered, Evidence};
use super::file::File;
use super::log::Complaints;

impl Judge {
    /// A callback causes a question.
    pub(super) fn asked_by_callback(
        &mut self,
        file: &mut File,
        at: Moment,
        complaints: &mut Complaints,
    ) {
        let now = self.truly(at);
        // Of what a superseded worker has asked since, the new one's clock knows nothing: each of the two may
        // ask.
        let began = self.truly(Moment {
            monotonic: Duration::ZERO,
            ..at
        });
        let known = |(last, epoch)| epoch >= at.epoch || last <= began;
        let last = file.callback_asked.replace((now, at.epoch));
        if last.is_some_and(|last| known(last) && now < last.0 + self.times.callback_gap) {
            complaints.add(15, "is asked about for each callback");
        }
    }
}

/// A callback that names another of the upstream's numbers than it has told is about another order.
pub(super) fn only_its_own(
    known: &Evidence,
    upstream_id: &UpstreamOrderId,
    complaints: &mut Complaints,
) {
    let mut ids = known.upstream_ids.iter();
    if !known.upstream_ids.is_empty() && ids.all(|id| id != upstream_id.as_str()) {
        complaints.add(8, "is asked about for a callback about another order");
    }
}

/// What the upstream calls an attempt is known from its answers: a callback only claims it.
pub(super) fn only_proved_names(file: &File, order: &Order, complaints: &mut Complaints) {
    let mut both = order.attempts().iter().zip(&file.attempts);
    let claimed = both.find(|(attempt, known)| {
        let id = attempt.upstream_order_id();
        id.is_some_and(|id| known.upstream_ids.iter().all(|it| it != id.as_str()))
    });
    if claimed.is_some() {
        let what = "has a number of the upstream's that only a callback has claimed";
        complaints.add(8, what);
    }
}

/// A callback, and an answer to what it asked other than "succeeded", leave everything as it is.
pub(super) fn only_hasten(
    before: (OrderState, Option<WallTime>),
    file: &File,
    step: &Step,
    complaints: &mut Complaints,
) {
    let hastens = |recorded: &Recorded| match &recorded.event {
        Event::CallbackSeen { .. } => true,
        Event::Answered {
            purpose: Purpose::Callback,
            outcome,
            ..
        } => Answered::of(outcome) != Some(Answered::Succeeded),
        _ => false,
    };
    if !step.events.first().is_some_and(hastens) {
        return;
    }
    // One that is configured to count is an answer of its own.
    let counts = step.events.iter().any(|recorded| {
        matches!(
            &recorded.event,
            Event::Answered {
                purpose: Purpose::CallbackCounts,
                ..
            }
        )
    });
    if !counts && before != (file.state, file.due) {
        let (from, to) = (before.0, file.state);
        complaints.add(
            8,
            format!("goes from {from} to {to}, or is put off, by a callback"),
        );
    }
}
