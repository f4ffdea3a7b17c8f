//! Sending: which attempt may go out, under which guard, and what became of it.

use recharge_core::{
    AttemptNumber, Doubt, DoubtKind, OrderState, ProviderId, ReviewReason, Standing, SubmitOutcome,
};

use super::Work;
use crate::attempt::{Attempt, Said, SendEnd};
use crate::event::{Cause, Event, Purpose, SendToken, Verdict};
use crate::input::Effect;

/// What could be sent next.
enum Next {
    /// The number of an attempt that exists.
    Again(u32),
    /// A new attempt.
    New(ProviderId),
    /// Nothing: every route has been used.
    NoRoute,
    /// Nothing: an attempt is not closed, and nobody has allowed another.
    Blocked,
}

impl Work<'_> {
    /// A pending order is due: expire it, ask about what went before, or send.
    pub(super) fn pending_due(&mut self, token: SendToken) {
        if let Some(index) = self.unguarded() {
            return self.guard(index);
        }
        if self.waited_too_long() {
            return self.give_up(Cause::Expired);
        }
        match self.next_send() {
            Next::Again(index) => {
                if let Some(Attempt {
                    number, provider, ..
                }) = self.order.attempt(index).cloned()
                {
                    self.intend(index, number, provider, token);
                }
            }
            Next::New(provider) => {
                let index = u32::try_from(self.order.attempts.len()).unwrap_or(u32::MAX);
                let what = &self.order.what;
                let number = self
                    .policy
                    .numbers
                    .derive(&what.merchant, &what.order_id, index);
                self.intend(index, number, provider, token);
            }
            Next::NoRoute => self.give_up(Cause::NoRouteLeft),
            Next::Blocked => {
                self.review_and_ask(ReviewReason::EarlierAttempt, Cause::EarlierAttempt);
            }
        }
    }

    fn intend(
        &mut self,
        attempt: u32,
        number: AttemptNumber,
        provider: ProviderId,
        token: SendToken,
    ) {
        self.emit(Event::SendIntended {
            attempt,
            number,
            provider: provider.clone(),
            token,
        });
        self.move_to(OrderState::Submitting, Cause::SendIntended);
        // Should its end never be reported, it is given up as unknown when no byte can be under way.
        let times = &self.policy.times;
        self.schedule_in(times.in_flight().saturating_add(times.in_flight()));
        let send_within = times.send_deadline;
        self.effects.push(Effect::Submit {
            attempt,
            number,
            provider,
            token,
            send_within,
        });
    }

    /// Ends a pending order of which nothing can have been charged; any other is for people.
    fn give_up(&mut self, cause: Cause) {
        if self.order.all_negative() {
            self.move_to(OrderState::Failed, cause);
            self.schedule_round();
        } else {
            self.review_and_ask(ReviewReason::EarlierAttempt, Cause::EarlierAttempt);
        }
    }

    fn waited_too_long(&self) -> bool {
        // What people have allowed waits from their decision, or an old order could never be sent.
        let since = if self.order.permit.is_some() {
            self.order.entered.wall
        } else {
            self.order.accepted.wall
        };
        self.now.wall.since(since) >= self.policy.times.pending_limit
    }

    /// Which attempt, whose bytes may have gone out, has not been asked about since the order became
    /// pending — or not recently, on the monotonic clock.
    fn unguarded(&self) -> Option<u32> {
        let fresh = |attempt: &Attempt| {
            let clears = attempt.last == Some(Said::NoSuchOrder)
                || attempt.last == Some(Said::Failed) && self.sends_on(attempt);
            clears
                && attempt.last_asked.is_some_and(|asked| {
                    asked.epoch == self.now.epoch
                        && asked.not_before(self.order.entered)
                        && self.now.elapsed_since(asked) <= self.policy.times.in_flight()
                })
        };
        self.indices()
            .find(|(_, attempt)| attempt.sends_with_bytes() > 0 && !fresh(attempt))
            .map(|(index, _)| index)
    }

    /// Whether an attempt has confirmed its failure on a route whose switch sends the order on.
    pub(super) fn sends_on(&self, attempt: &Attempt) -> bool {
        attempt.standing() == Standing::Failed
            && self
                .policy
                .route(&attempt.provider)
                .is_some_and(|route| route.failover_after_failure)
    }

    fn guard(&mut self, index: u32) {
        let askable = self
            .order
            .attempt(index)
            .is_some_and(|attempt| self.can_ask(attempt));
        if askable {
            self.ask(index, Purpose::BeforeNextAttempt);
        } else {
            self.review_and_ask(ReviewReason::EarlierAttempt, Cause::EarlierAttempt);
        }
    }

    fn next_send(&self) -> Next {
        match &self.order.permit {
            Some(Verdict::SendAgain { attempt }) => return Next::Again(*attempt),
            Some(Verdict::SendElsewhere { provider }) => return Next::New(provider.clone()),
            Some(Verdict::Succeeded | Verdict::Failed | Verdict::Cancel) | None => {}
        }
        let unsent = self.indices().last().filter(|(index, last)| {
            last.standing() == Standing::Unsent
                && self.others_allow(*index)
                && self
                    .policy
                    .route(&last.provider)
                    .is_some_and(|route| route.enabled)
        });
        let tries_left = self.order.not_sent_in_row < self.policy.times.not_sent_tries;
        match (unsent, self.next_route()) {
            (Some((index, _)), _) if tries_left => Next::Again(index),
            // With nowhere else to go, "not sent" is tried until the order expires.
            (Some((index, _)), Next::NoRoute) => Next::Again(index),
            (_, next) => next,
        }
    }

    /// Whether nothing else of the order keeps an attempt, of which nothing has been written, from being
    /// tried again. One that people allowed beside an open one goes on; not once that one is known to
    /// have been taken.
    fn others_allow(&self, index: u32) -> bool {
        let allowed = |other: &Attempt| {
            self.lets_go_on(other)
                || self.order.permitted_sends > 0 && other.standing() == Standing::Open
        };
        self.indices()
            .all(|(other, attempt)| other == index || allowed(attempt))
    }

    fn lets_go_on(&self, attempt: &Attempt) -> bool {
        attempt.standing().is_closed() || self.sends_on(attempt)
    }

    fn next_route(&self) -> Next {
        if !self
            .order
            .attempts
            .iter()
            .all(|attempt| self.lets_go_on(attempt))
        {
            return Next::Blocked;
        }
        let used = |provider: &ProviderId| {
            self.order
                .attempts
                .iter()
                .any(|attempt| attempt.provider == *provider)
        };
        self.policy
            .routes
            .iter()
            .find(|route| route.enabled && !used(&route.provider))
            .map_or(Next::NoRoute, |route| Next::New(route.provider.clone()))
    }

    /// Whether the order could be sent on, all of its attempts allowing it.
    fn can_go_on(&self) -> bool {
        matches!(self.next_send(), Next::Again(_) | Next::New(_))
    }

    /// Every attempt is negative, at least one by a confirmed failure: the end, unless the switch of the
    /// routes sends it on. By way of the desk, because the table has no other; the history shows it.
    pub(super) fn failed_twice(&mut self) {
        if self.can_go_on() && !matches!(self.order.state, OrderState::Review(_)) {
            self.review(ReviewReason::EarlierAttempt, Cause::FailoverSwitch);
            self.move_to(OrderState::Pending, Cause::FailoverSwitch);
            self.schedule(Some(self.now.wall));
        } else {
            self.move_to(OrderState::Failed, Cause::QueryFailedTwice);
            self.schedule_round();
        }
    }

    /// Every attempt is closed: the next route, or the end.
    pub(super) fn refused(&mut self) {
        let written = self
            .order
            .attempts
            .iter()
            .any(|attempt| attempt.sends_with_bytes() > 0);
        let cause = if written {
            Cause::Refused
        } else {
            Cause::NotSent
        };
        if self.can_go_on() {
            self.move_to(OrderState::Pending, cause);
            self.schedule(Some(self.now.wall));
        } else {
            self.move_to(OrderState::Failed, cause);
            self.schedule_round();
        }
    }

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
    pub(super) fn recovered(&mut self) {
        self.emit(Event::Recovered);
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
            let doubt = Doubt::new(DoubtKind::Dropped, cause.as_str());
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
