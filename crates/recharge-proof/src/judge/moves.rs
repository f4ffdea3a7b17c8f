//! What must be true of an order that moves.

use std::time::Duration;

use recharge_core::{OrderState, ReviewReason};
use recharge_engine::{Alarm, Cause, Epoch, Event, Step};

use super::Judge;
use super::evidence::Evidence;
use super::file::File;
use super::log::{Complaints, Writer};
use super::times::quarantine;

/// The table of moves, as the lifecycle has it.
const fn may_become(from: OrderState, to: OrderState) -> bool {
    use OrderState::{Charging, Failed, Pending, Review, Submitting, Succeeded, Unknown};
    match from {
        Pending => matches!(to, Submitting | Failed | Review(_)),
        Submitting => matches!(to, Pending | Charging | Unknown | Failed),
        Charging => matches!(to, Succeeded | Failed | Review(_)),
        Unknown => matches!(to, Charging | Succeeded | Failed | Review(_) | Pending),
        Review(_) => matches!(to, Succeeded | Failed | Pending),
        Succeeded | Failed => matches!(to, Review(ReviewReason::Contradiction)),
    }
}

impl Judge {
    /// What is true of an order that stands so, after it stood so before.
    pub(super) fn moved(
        &self,
        file: &mut File,
        step: &Step,
        writer: Writer,
        complaints: &mut Complaints,
    ) {
        let apart = self.times.confirm_failure_after;
        let state = file.state;
        let askable = file.attempts.iter().any(Evidence::may_have_gone);
        if !file.rests() && file.due.is_none() {
            complaints.add(11, format!("is {state} and never due again"));
        }
        let told = step
            .notices
            .last()
            .map(|notice| (notice.version, notice.state));
        if let Some((version, state)) = told {
            if file.notice.is_some_and(|(before, _)| before >= version) {
                complaints.add(
                    12,
                    format!("has a notice of version {version} after a later one"),
                );
            }
            file.notice = Some((version, state));
            file.news_at = Some(writer.now);
        }
        if !step.alarms.is_empty() {
            file.alarm = Some(step.order.version());
            file.news_at = Some(writer.now);
        }
        let passed = step
            .events
            .iter()
            .any(|it| matches!(it.event, Event::Moved { .. }));
        if !passed {
            return;
        }
        if file.rests() && told.is_none_or(|(_, told)| told != state) {
            complaints.add(12, format!("is {state} and its merchant is not told"));
        }
        if let OrderState::Review(reason) = state {
            let alarm = Alarm::Review(reason);
            file.alarmed = step.alarms.contains(&alarm);
            if !file.alarmed {
                complaints.add(11, format!("is on a desk ({reason:?}) without an alarm"));
            }
            if askable && file.due.is_none() && self.can_be_asked(file) {
                complaints.add(11, "is on a desk and not asked about any more");
            }
        }
        if state.is_end() {
            // What a worker without the lease writes down is not of the clock by which the rest is asked about.
            file.ended_at = writer.holder.then_some(writer.now);
            file.asked_since_end = 0;
        } else {
            file.ended_at = None;
        }
        match state {
            OrderState::Failed if file.decided.is_none() => {
                let open = file
                    .attempts
                    .iter()
                    .find(|attempt| !attempt.negative(apart));
                if let Some(open) = open {
                    let what = format!(
                        "is called failed, and its number {} is not negative",
                        open.number
                    );
                    complaints.add(6, what);
                }
            }
            OrderState::Succeeded
                if file.decided.is_none() && !file.attempts.iter().any(Evidence::paid) =>
            {
                complaints.add(7, "is called succeeded, and nobody said so");
            }
            _ => {}
        }
    }

    /// A limit is not applied before it has passed.
    fn in_time(&self, file: &File, cause: Cause, at: Duration, complaints: &mut Complaints) {
        let since = match cause {
            // What people have allowed waits from their decision.
            Cause::Expired if file.permitted.is_some() => file.pending_since.map(|(then, _)| then),
            Cause::Expired => Some(file.accepted),
            Cause::Overdue => file.first_intent,
            _ => return,
        };
        let limit = match file.state {
            OrderState::Charging => self.times.charging_limit,
            OrderState::Unknown => self.times.unknown_limit,
            _ => self.times.pending_limit,
        };
        // Wall clocks count whole milliseconds.
        let passed = since.is_some_and(|since| at + Duration::from_millis(1) >= since + limit);
        if !passed {
            let what = format!(
                "is {} and {cause:?} after {:?}",
                file.state,
                since.map(|it| at.saturating_sub(it))
            );
            complaints.add(11, what);
        }
    }

    /// Whether what was sent before its backup was put back may still arrive. The hold lasts longer than that.
    pub(super) fn is_held(&self, file: &File, at: Duration) -> bool {
        file.held_since
            .is_some_and(|since| at < since + quarantine(&self.times))
    }

    /// What an answer proves ends it, on a desk as well; but a contradiction is for people, and what is held may
    /// have been sent in a way that its log has lost. Two failures count by one clock.
    pub(super) fn leaves_its_desk(&self, file: &File, complaints: &mut Complaints) {
        let OrderState::Review(reason) = file.state else {
            return;
        };
        if reason == ReviewReason::Contradiction {
            return;
        }
        let apart = self.times.confirm_failure_after;
        if file.attempts.iter().any(Evidence::paid) {
            complaints.add(11, "is on a desk still, and it is proved that it succeeded");
        }
        let failed = file.attempts.iter().any(|it| it.failed_for_good(apart));
        let negative = file.attempts.iter().all(|it| it.negative(apart));
        let mut heard = file.attempts.iter().flat_map(|it| &it.answers);
        let first = heard.next().map(|it| it.epoch);
        let one_clock = heard.all(|it| Some(it.epoch) == first);
        if failed && negative && one_clock && file.held_since.is_none() {
            complaints.add(11, "is on a desk still, and it is proved that it failed");
        }
    }

    fn can_be_asked(&self, file: &File) -> bool {
        file.attempts.iter().any(|attempt| {
            attempt.may_have_gone() && Some(attempt.provider.as_str()) != self.mute.as_deref()
        })
    }

    pub(super) fn moves(
        &mut self,
        file: &mut File,
        to: OrderState,
        cause: Cause,
        at: (Duration, Epoch),
        complaints: &mut Complaints,
    ) {
        let from = file.state;
        if !may_become(from, to) {
            complaints.add(10, format!("goes from {from} to {to}"));
        }
        let contradiction = OrderState::Review(ReviewReason::Contradiction);
        if from == contradiction && cause != Cause::Decided {
            complaints.add(6, format!("leaves a contradiction for {to} by itself"));
        }
        if to == contradiction && !file.contradicted {
            complaints.add(
                11,
                "is on a desk again for what was known when it was settled",
            );
        }
        if to == OrderState::Review(ReviewReason::ProbablyNotTaken) {
            let apart = self.times.confirm_failure_after;
            let mut open = file.attempts.iter().filter(|it| !it.negative(apart));
            if !open.all(|it| it.probably_not_taken(&self.times)) {
                complaints.add(2, "is called probably not taken too soon");
            }
        }
        if to == OrderState::Failed && cause != Cause::Decided && self.is_held(file, at.0) {
            complaints.add(6, "is called failed under the hold of a restored backup");
        }
        if self.steady {
            self.in_time(file, cause, at.0, complaints);
        }
        file.pending_since = (to == OrderState::Pending).then_some(at);
        file.decided = file.decided.filter(|_| cause == Cause::Decided);
        file.state = to;
        if file.rests() {
            file.permitted = None;
        }
        if to.is_end() {
            file.held_since = None;
            for attempt in &mut file.attempts {
                attempt.at_end = attempt.last;
            }
        }
    }
}
