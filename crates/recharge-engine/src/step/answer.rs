//! Asking, and weighing what is answered.

use recharge_core::{
    Answer, OrderState, QueryOutcome, Redactor, ReviewReason, Sighting, Standing, UpstreamOrderId,
    UpstreamState,
};

use super::Work;
use crate::attempt::{Attempt, Said};
use crate::event::{Cause, Event, Purpose, SendToken};
use crate::input::{Alarm, Effect};
use crate::{Moment, WallTime};

impl Work<'_> {
    /// The order is due.
    pub(super) fn due(&mut self, token: SendToken) {
        match self.order.state {
            OrderState::Pending => self.pending_due(token),
            OrderState::Submitting => self.abandon_send(Cause::Doubt),
            OrderState::Charging | OrderState::Unknown if self.overdue() => {
                self.review_and_ask(ReviewReason::Overdue, Cause::Overdue);
            }
            OrderState::Charging
            | OrderState::Unknown
            | OrderState::Review(_)
            | OrderState::Succeeded
            | OrderState::Failed => {
                let scheduled = self.unasked();
                match (self.hold_asks(scheduled.is_some()), scheduled) {
                    (Some((index, provider)), _) => self.probe(index, provider),
                    (None, Some(index)) => self.ask(index, Purpose::Schedule),
                    (None, None) => self.schedule_round(),
                }
            }
        }
    }

    pub(super) fn ask(&mut self, index: u32, purpose: Purpose) {
        if let Some(Attempt {
            number, provider, ..
        }) = self.order.attempt(index).cloned()
        {
            self.effects.push(Effect::Query {
                attempt: index,
                number,
                provider,
                purpose,
            });
        }
    }

    /// An attempt that has not been asked about in this round. After an end that is every one whose
    /// bytes were ever in doubt, whatever the end.
    fn unasked(&self) -> Option<u32> {
        let askable = || self.indices().filter(|(_, attempt)| self.can_ask(attempt));
        askable()
            .find(|(_, attempt)| attempt.asked_round <= self.order.round)
            // The one that was still to be asked can turn out not to have been sent.
            .or_else(|| askable().next())
            .map(|(index, _)| index)
    }

    /// Sets when an order that is asked about wants something next. One that is pending or being sent
    /// has its own times.
    pub(super) fn schedule_round(&mut self) {
        match self.order.state {
            OrderState::Pending | OrderState::Submitting => return,
            OrderState::Charging
            | OrderState::Unknown
            | OrderState::Review(_)
            | OrderState::Succeeded
            | OrderState::Failed => {}
        }
        let in_midst = self
            .order
            .attempts
            .iter()
            .any(|a| a.asked_round > self.order.round);
        let scheduled = self.unasked();
        let next = match (scheduled, self.order.state) {
            (None, _) => None,
            (Some(_), OrderState::Succeeded | OrderState::Failed) if !in_midst => self.watch_at(),
            (Some(_), _) if in_midst => Some(self.now.wall),
            (Some(_), _) => Some(self.now.wall.after(self.gap())),
        };
        let hold = self.hold_at(scheduled.is_some());
        let due = [next, self.overdue_at(), hold].into_iter().flatten().min();
        self.schedule(due);
    }

    fn gap(&self) -> std::time::Duration {
        let times = &self.policy.times;
        let gap = times.query_gap(self.order.round);
        // Asked sooner, a second "failed" would confirm nothing.
        let confirming = self
            .order
            .attempts
            .iter()
            .any(|a| a.failed_since.is_some() && !a.failed_twice);
        let gap = if confirming {
            gap.max(times.confirm_failure_after)
        } else {
            gap
        };
        self.jitter.stretch(gap)
    }

    fn watch_at(&self) -> Option<WallTime> {
        let round = usize::try_from(self.order.round).ok()?;
        let times = &self.policy.times.watch_after;
        let after = *times.get(round)?;
        let before = round.checked_sub(1).and_then(|last| times.get(last));
        let gap = after.saturating_sub(before.copied().unwrap_or_default());
        // A clock set back since the end must not put it off, nor one set forward use it up at once.
        let latest = self.now.wall.after(self.jitter.stretch(after));
        let soonest = self.now.wall.after(gap / 2);
        let planned = self.order.entered.wall.after(self.jitter.stretch(after));
        Some(planned.min(latest).max(soonest))
    }

    /// The same after a start or a jump of the clock, which must not put it off.
    pub(super) fn watch_on(&mut self) {
        if let (Some(_), Some(latest)) = (self.unasked(), self.watch_at()) {
            let due = self.order.due.map_or(latest, |due| due.min(latest));
            self.schedule(Some(due));
        }
    }

    /// A question has been answered.
    pub(super) fn query_ended(
        &mut self,
        index: u32,
        asked: Moment,
        purpose: Purpose,
        outcome: QueryOutcome,
    ) {
        let Some(attempt) = self.order.attempt(index) else {
            return;
        };
        let times = &self.policy.times;
        let said = Said::in_answer(&outcome, purpose);
        // Nobody sent a question for a callback that counts: it may be the first one, delivered again.
        let confirms_failure = said == Some(Said::Failed)
            && purpose != Purpose::CallbackCounts
            && attempt.failed_since.is_some_and(|first| {
                first.epoch == asked.epoch
                    && asked.elapsed_since(first) >= times.confirm_failure_after
            });
        let quarantine = times.quarantine();
        let after_quarantine = said == Some(Said::NoSuchOrder)
            && attempt
                .sends
                .last()
                .is_some_and(|send| asked.elapsed_since(send.intended) >= quarantine);
        let completes_round = match purpose {
            Purpose::Schedule => {
                self.order.is_of_this_schedule(asked)
                    && self.indices().all(|(other, a)| {
                        other == index || !self.can_ask(a) || a.asked_round > self.order.round
                    })
            }
            // So that the gap grows.
            Purpose::BeforeNextAttempt => said.is_none() && self.order.state == OrderState::Pending,
            Purpose::AfterRejection
            | Purpose::Callback
            | Purpose::Person
            | Purpose::CallbackCounts => false,
        };
        let before = attempt.standing();
        self.emit(Event::Answered {
            attempt: index,
            asked,
            purpose,
            outcome,
            confirms_failure,
            after_quarantine,
            completes_round,
        });
        if said == Some(Said::Succeeded) && before != Standing::Paid && self.paid_twice() {
            self.alarms.push(Alarm::PaidTwice);
        }
        self.answered(index, purpose, said);
    }

    fn paid_twice(&self) -> bool {
        self.order
            .attempts
            .iter()
            .filter(|a| a.standing() == Standing::Paid)
            .count()
            > 1
    }

    fn answered(&mut self, index: u32, purpose: Purpose, said: Option<Said>) {
        if purpose == Purpose::Callback && said.is_none() {
            return; // It has no say, and takes nothing from the schedule.
        }
        let before = self.order.state;
        match before {
            OrderState::Pending => self.answered_while_pending(index, said),
            OrderState::Submitting => self.answered_while_submitting(index, said),
            OrderState::Charging | OrderState::Unknown | OrderState::Review(_) => {
                self.weigh();
                if self.order.state != before || purpose == Purpose::Schedule {
                    self.schedule_round();
                }
            }
            OrderState::Succeeded | OrderState::Failed => {
                if said.is_some_and(|said| self.contradicts(index, said)) {
                    self.contradicted();
                } else if purpose == Purpose::Schedule {
                    self.schedule_round();
                }
            }
        }
    }

    fn answered_while_pending(&mut self, index: u32, said: Option<Said>) {
        let sent_on = self
            .order
            .attempt(index)
            .is_some_and(|attempt| self.sends_on(attempt));
        match said {
            Some(Said::Failed) if sent_on => self.schedule(Some(self.now.wall)),
            None => self.schedule_in(
                self.jitter
                    .stretch(self.policy.times.query_gap(self.order.round)),
            ),
            Some(Said::NoSuchOrder) => self.schedule(Some(self.now.wall)),
            Some(Said::Charging | Said::Succeeded | Said::Failed) => {
                self.review_and_ask(ReviewReason::EarlierAttempt, Cause::EarlierAttempt);
            }
        }
    }

    fn answered_while_submitting(&mut self, index: u32, said: Option<Said>) {
        let sending = self
            .order
            .attempts
            .iter()
            .any(|attempt| attempt.send_under_way().is_some());
        if sending {
            return; // It is on record; the end of the send will be weighed with it.
        }
        let refused = self
            .order
            .attempt(index)
            .is_some_and(|a| a.standing() == Standing::Refused);
        match said {
            Some(Said::NoSuchOrder) if refused && self.order.all_closed() => self.refused(),
            Some(said @ (Said::Charging | Said::Succeeded)) => {
                let cause = if said == Said::Succeeded {
                    Cause::QuerySucceeded
                } else {
                    Cause::QueryCharging
                };
                // An order that was taken has been charging, if only for a moment.
                self.move_to(OrderState::Charging, cause);
                self.weigh();
                self.schedule_round();
            }
            None | Some(Said::NoSuchOrder | Said::Failed) => {
                self.move_to(OrderState::Unknown, Cause::Doubt);
                self.weigh();
                self.schedule_round();
            }
        }
    }

    /// Puts an order on the desk; what is on record may end it there at once.
    pub(super) fn review_and_ask(&mut self, reason: ReviewReason, cause: Cause) {
        self.review(reason, cause);
        self.weigh();
        self.schedule_round();
    }

    /// Moves an order that is asked about by all that is on record.
    pub(super) fn weigh(&mut self) {
        let order = &self.order;
        let state = order.state;
        let on_desk = matches!(state, OrderState::Review(_));
        if order.is_contradiction() {
            return; // People settle it.
        }
        if order.any(Standing::Paid) {
            self.move_to(OrderState::Succeeded, Cause::QuerySucceeded);
        } else if order.all_negative() && order.any(Standing::Failed) {
            self.failed_twice();
        } else if order.all_closed() && state == OrderState::Unknown {
            self.refused();
        } else if order.any(Standing::Taken) && state == OrderState::Unknown {
            self.move_to(OrderState::Charging, Cause::QueryCharging);
        } else if state == OrderState::Unknown && self.probably_not_taken() {
            self.review(ReviewReason::ProbablyNotTaken, Cause::ProbablyNotTaken);
        }
        if !on_desk && self.overdue() {
            self.review(ReviewReason::Overdue, Cause::Overdue);
        }
    }

    fn probably_not_taken(&self) -> bool {
        self.order
            .attempts
            .iter()
            .filter(|a| !a.standing().is_negative())
            .all(|attempt| {
                attempt.standing() == Standing::Open
                    && attempt.failed_since.is_none()
                    && attempt.not_found >= self.policy.times.not_found_answers
                    && attempt.not_found_after_quarantine
                    && attempt.last == Some(Said::NoSuchOrder)
            })
    }

    /// Whether an answer contradicts the end. The answer that was on record when it was settled doesn't.
    pub(super) fn contradicts(&self, index: u32, said: Said) -> bool {
        let Some(attempt) = self.order.attempt(index) else {
            return false;
        };
        let decided = self.order.decided_by.is_some();
        let against = match (self.order.state, said) {
            (OrderState::Failed, Said::Charging | Said::Succeeded) => true,
            (OrderState::Succeeded, Said::Failed) => decided || attempt.paid,
            (OrderState::Succeeded, Said::NoSuchOrder) => decided,
            (_, Said::Charging | Said::Succeeded | Said::Failed | Said::NoSuchOrder) => false,
        };
        against && attempt.last_at_end != Some(said)
    }

    pub(super) fn contradicted(&mut self) {
        self.review(ReviewReason::Contradiction, Cause::Contradiction);
        self.schedule_round();
    }

    /// A genuine callback: a reason to ask, at most once in a while, and no more.
    pub(super) fn callback(
        &mut self,
        index: u32,
        upstream_order_id: Option<UpstreamOrderId>,
        claims: Option<UpstreamState>,
        covers_state: bool,
    ) {
        let Some(attempt) = self.order.attempt(index) else {
            return;
        };
        // It goes into logs as it is: a number that holds the account is as good as none, as in an answer.
        let account = self.order.what().account.as_str();
        let shows = |id: &UpstreamOrderId| Redactor::default().finds(id.as_str(), &[account]);
        let upstream_order_id = upstream_order_id.filter(|id| !shows(id));
        let known = attempt.upstream_order_id.as_ref();
        let same = match (known, &upstream_order_id) {
            (Some(known), Some(given)) => known == given,
            (None, _) => true,
            (Some(_), None) => false,
        };
        let quiet = self
            .order
            .callback_asked
            .is_some_and(|asked| self.now.elapsed_since(asked) < self.policy.times.callback_gap);
        let asks = same && !quiet && self.can_ask(attempt);
        // What was said last is said again by a callback that is delivered again.
        let counts = same
            && covers_state
            && attempt.last != claims.map(Said::from)
            && attempt.sends_with_bytes() > 0
            && self
                .policy
                .route(&attempt.provider)
                .is_some_and(|route| route.callback_counts && !route.can_query);
        // Replays would fill the log; one that changes nothing is not written down.
        if asks || (same && !self.order.callback_seen) {
            self.emit(Event::CallbackSeen {
                attempt: index,
                upstream_order_id: upstream_order_id.clone(),
                claims,
                asks,
            });
        }
        if asks {
            self.ask(index, Purpose::Callback);
        } else if let (true, Some(state)) = (counts, claims) {
            let mut sighting = Sighting::new(
                state,
                Answer::new(&Redactor::default(), &[], "", "callback", ""),
            );
            sighting.upstream_order_id = upstream_order_id;
            self.query_ended(
                index,
                self.now,
                Purpose::CallbackCounts,
                QueryOutcome::Found(sighting),
            );
        }
    }
}
