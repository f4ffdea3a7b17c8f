//! What became of a send: in time, late, or never heard of again.

use recharge_core::{Doubt, DoubtKind, OrderState, ReviewReason, Standing, SubmitOutcome};

use super::Work;
use crate::attempt::{Attempt, Said, SendEnd};
use crate::event::{Cause, Event, Purpose, SendToken};

impl Work<'_> {
    /// A send has ended, in time or late.
    pub(super) fn submit_ended(&mut self, index: u32, token: SendToken, outcome: &SubmitOutcome) {
        let under_way = self.order.state == OrderState::Submitting
            && self
                .order
                .attempt(index)
                .and_then(Attempt::send_under_way)
                .is_some_and(|send| send.token == token);
        let known = self.order.attempt(index).is_some_and(|attempt| {
            attempt.sends.iter().any(|send| {
                send.token == token && matches!(send.ended, None | Some((SendEnd::Unknown, _)))
            })
        });
        if !known {
            return; // Reported twice, or not ours.
        }
        self.emit(Event::SendEnded {
            attempt: index,
            token,
            outcome: outcome.clone(),
        });
        if under_way {
            self.send_in_time(index, outcome);
        } else {
            self.send_late(index, outcome);
        }
    }

    fn send_in_time(&mut self, index: u32, outcome: &SubmitOutcome) {
        let Some(attempt) = self.order.attempt(index) else {
            return;
        };
        let only_send = attempt.sends_with_bytes() == 1;
        let unsent = attempt.standing() == Standing::Unsent;
        match outcome {
            SubmitOutcome::Accepted(_) => {
                self.move_to(OrderState::Charging, Cause::Acknowledged);
                self.weigh();
                self.schedule_round();
            }
            SubmitOutcome::NotSent(_) if unsent => {
                self.move_to(OrderState::Pending, Cause::NotSent);
                let tries = self.order.not_sent_in_row.saturating_sub(1);
                self.schedule_in(self.jitter.stretch(self.policy.times.query_gap(tries)));
            }
            SubmitOutcome::Rejected(_)
                if only_send
                    && self
                        .order
                        .attempt(index)
                        .is_some_and(|attempt| self.can_ask(attempt)) =>
            {
                self.ask(index, Purpose::AfterRejection);
            }
            // What a second send tells proves nothing about the first.
            SubmitOutcome::NotSent(_) | SubmitOutcome::Rejected(_) | SubmitOutcome::Unknown(_) => {
                self.move_to(OrderState::Unknown, Cause::Doubt);
                self.weigh();
                self.schedule_round();
            }
        }
    }

    /// The end of a send that had been given up: evidence, wherever the order is now.
    fn send_late(&mut self, index: u32, outcome: &SubmitOutcome) {
        let accepted = matches!(outcome, SubmitOutcome::Accepted(_));
        // An acknowledgement is older than a failure that was told since.
        let taken = self
            .order
            .attempt(index)
            .is_some_and(|attempt| attempt.standing() == Standing::Taken);
        match self.order.state {
            OrderState::Pending if accepted => {
                self.review_and_ask(ReviewReason::EarlierAttempt, Cause::EarlierAttempt);
            }
            OrderState::Failed if accepted && taken && self.contradicts(index, Said::Charging) => {
                self.contradicted();
            }
            OrderState::Charging | OrderState::Unknown | OrderState::Review(_) => {
                let unknown = self.order.state == OrderState::Unknown;
                if unknown && accepted && taken && !self.order.any(Standing::Paid) {
                    self.move_to(OrderState::Charging, Cause::Acknowledged);
                }
                self.weigh();
                self.schedule_round();
            }
            OrderState::Pending
            | OrderState::Submitting
            | OrderState::Succeeded
            | OrderState::Failed => {}
        }
    }

    /// Nothing is under way any more: what was, is in doubt, and everything is asked about at once.
    pub(super) fn recovered(&mut self, restored: bool) {
        self.emit(Event::Recovered);
        if restored && !self.order.state.is_end() {
            self.emit(Event::Held);
        }
        if self.order.state == OrderState::Submitting {
            self.abandon_send(Cause::FoundAtStart);
        }
        match self.order.state {
            OrderState::Pending
            | OrderState::Charging
            | OrderState::Unknown
            | OrderState::Review(_) => {
                self.schedule(Some(self.now.wall));
            }
            OrderState::Succeeded | OrderState::Failed => self.watch_on(),
            OrderState::Submitting => {}
        }
    }

    /// The send under way, if any, will not be heard of: unknown.
    pub(super) fn abandon_send(&mut self, cause: Cause) {
        let under_way = self
            .indices()
            .find_map(|(index, attempt)| Some((index, attempt.send_under_way()?.token)));
        if let Some((attempt, token)) = under_way {
            let doubt = Doubt::new(DoubtKind::Dropped, cause.meaning());
            let outcome = SubmitOutcome::Unknown(doubt);
            self.emit(Event::SendEnded {
                attempt,
                token,
                outcome,
            });
        }
        self.move_to(OrderState::Unknown, cause);
        self.weigh();
        self.schedule_round();
    }
}
