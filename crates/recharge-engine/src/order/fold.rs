//! What each event makes of an order.

use recharge_core::{OrderState, ProviderId, QueryOutcome, SubmitOutcome};

use super::{Held, Order};
use crate::Moment;
use crate::attempt::{Attempt, Said, Sent};
use crate::event::{Event, Price, Purpose, Recorded, Verdict};

impl Order {
    /// Applies an event that is known to be the next.
    pub(crate) fn fold(&mut self, recorded: &Recorded) {
        self.version = recorded.version;
        let at = recorded.at;
        if !recorded.event.is_of_a_callback() {
            for attempt in &mut self.attempts {
                attempt.came_before(at);
            }
        }
        match &recorded.event {
            Event::SendIntended {
                attempt,
                number,
                provider,
                token,
            } => {
                self.evidence_seen();
                self.permit = None;
                if self.held.take().is_some() {
                    self.released = Some(at.wall);
                }
                if self.attempt(*attempt).is_none() {
                    self.not_sent_in_row = 0;
                    self.attempts.push(Attempt::new(*number, provider.clone()));
                }
                self.change(*attempt, |attempt| {
                    attempt.send_intended(Sent {
                        token: *token,
                        intended: at,
                        ended: None,
                    });
                });
            }
            Event::SendEnded {
                attempt,
                token,
                outcome,
            } => {
                self.evidence_seen();
                self.not_sent_in_row = match outcome {
                    SubmitOutcome::NotSent(_) => self.not_sent_in_row.saturating_add(1),
                    SubmitOutcome::Accepted(_)
                    | SubmitOutcome::Rejected(_)
                    | SubmitOutcome::Unknown(_) => 0,
                };
                self.change(*attempt, |attempt| attempt.send_ended(*token, outcome, at));
            }
            Event::Answered { .. } => self.answered(&recorded.event, at),
            Event::CallbackSeen { asks, .. } => {
                self.callback_seen = true;
                if *asks {
                    self.callback_asked = Some(at);
                }
            }
            Event::Approved { decision } => self.approval = Some(decision.clone()),
            Event::Decided { decision, .. } => {
                self.approval = None;
                match &decision.verdict {
                    Verdict::SendAgain { .. } | Verdict::SendElsewhere { .. } => {
                        self.permit = Some(decision.verdict.clone());
                        self.permitted_sends = self.permitted_sends.saturating_add(1);
                    }
                    Verdict::Succeeded | Verdict::Failed | Verdict::Cancel => {
                        self.decided_by = Some(decision.by.clone());
                    }
                }
            }
            Event::Moved { to, .. } => self.moved(*to, at),
            Event::AskedAgain { .. } | Event::Recovered => {}
            Event::Held => self.held = Some(Held::since(at)),
            Event::Probed {
                attempt,
                provider,
                outcome,
                ..
            } => self.probed(*attempt, provider, outcome, at),
            Event::Adopted {
                attempt,
                number,
                provider,
            } => {
                self.evidence_seen();
                if self.attempt(*attempt).is_none() {
                    self.attempts.push(Attempt::new(*number, provider.clone()));
                }
                self.change(*attempt, |attempt| attempt.adopted(at));
            }
            // Only what waits to be sent has a use for a price.
            Event::Priced { .. } if self.state != OrderState::Pending => {}
            Event::Priced {
                provider,
                price,
                passes,
            } => match price {
                Price::Known(_) | Price::NoQuote => {
                    self.priced.push((provider.clone(), *passes));
                }
                Price::Unavailable(_) => self.round = self.round.saturating_add(1),
            },
            Event::Scheduled { due } => self.due = *due,
        }
    }

    fn answered(&mut self, event: &Event, at: Moment) {
        let Event::Answered {
            attempt,
            asked,
            purpose,
            outcome,
            confirms_failure,
            after_quarantine,
            completes_round,
        } = event
        else {
            return;
        };
        let said = Said::in_answer(outcome, *purpose);
        if said.is_some_and(|said| said != Said::NoSuchOrder) {
            self.evidence_seen();
        }
        let round = self.round.saturating_add(1);
        let takes_turn = *purpose == Purpose::Schedule && self.is_of_this_schedule(*asked);
        self.change(*attempt, |attempt| {
            // Other questions take no turn of the schedule.
            if takes_turn {
                attempt.asked_round = round;
            }
            if let Some(said) = said {
                attempt.answered(said, *asked, at, *confirms_failure, *after_quarantine);
                attempt.sighted(outcome);
            }
        });
        if *completes_round {
            self.round = round;
        }
        if let (Purpose::Schedule, Some(held)) = (purpose, &mut self.held) {
            held.yields = false;
        }
    }

    fn probed(&mut self, index: u32, provider: &ProviderId, outcome: &QueryOutcome, at: Moment) {
        let Some(held) = &mut self.held else {
            return;
        };
        match outcome {
            QueryOutcome::NotFound(_) => {
                held.denied.push((index, provider.clone()));
                held.denied_at = Some(at.wall);
                held.unanswered = 0;
            }
            // What is found is weighed as an answer, which follows.
            QueryOutcome::Found(_) => held.unanswered = 0,
            QueryOutcome::Unavailable(_) => {
                held.unanswered = held.unanswered.saturating_add(1);
                held.yields = true;
            }
        }
    }

    fn moved(&mut self, to: OrderState, at: Moment) {
        if self.state.is_end() {
            self.decided_by = None;
        }
        match to {
            OrderState::Submitting => {
                self.first_submitting = self.first_submitting.or(Some(at.wall));
            }
            OrderState::Review(_) => self.permit = None,
            OrderState::Pending
            | OrderState::Charging
            | OrderState::Unknown
            | OrderState::Succeeded
            | OrderState::Failed => {}
        }
        // From unknown to charging and on to a desk the schedule goes on; elsewhere it begins again.
        let goes_on = matches!(to, OrderState::Charging | OrderState::Review(_))
            && matches!(self.state, OrderState::Charging | OrderState::Unknown);
        if !goes_on {
            self.round = 0;
            self.attempts
                .iter_mut()
                .for_each(|attempt| attempt.asked_round = 0);
        }
        for attempt in &mut self.attempts {
            if to.is_end() {
                attempt.last_at_end = attempt.last;
            }
            // Before a later attempt it is asked *again*.
            attempt.last_asked = None;
        }
        if to.is_end() {
            self.held = None;
        }
        self.priced.clear();
        self.state = to;
        self.entered = at;
    }

    /// Something other than "no such order" is on record: what people approved before it is void.
    fn evidence_seen(&mut self) {
        self.evidence_version = self.version;
        self.approval = None;
    }

    fn change(&mut self, index: u32, change: impl FnOnce(&mut Attempt)) {
        if let Some(attempt) = usize::try_from(index)
            .ok()
            .and_then(|at| self.attempts.get_mut(at))
        {
            change(attempt);
        }
    }
}
