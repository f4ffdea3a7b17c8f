//! Sending: which attempt may go out, under which guard, and what became of it.

use recharge_core::{AttemptNumber, OrderState, ProviderId, ReviewReason, Standing};

use super::Work;
use super::hold::Hold;
use crate::attempt::{Attempt, Said};
use crate::event::{Cause, Event, Price, Purpose, SendToken, Verdict};
use crate::input::Effect;
use crate::policy::Route;

/// What could be sent next.
enum Next {
    /// The number of an attempt that exists.
    Again(u32),
    /// A new attempt.
    New(ProviderId),
    /// A new attempt, if the price there passes.
    Price(ProviderId),
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
        if self.holds_back() {
            return;
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
            Next::Price(provider) => self.effects.push(Effect::Quote { provider }),
            Next::New(provider) => {
                let index = u32::try_from(self.order.attempts.len()).unwrap_or(u32::MAX);
                self.intend(index, self.number(index), provider, token);
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
        let since = match &self.order.permit {
            Some(_) => self.order.entered.wall,
            None => self.order.accepted().wall,
        };
        // A held one could not be sent before its hold was over.
        let held = self.order.held.as_ref().map(|held| {
            let quarantine = held.since.wall.after(self.policy.times.quarantine());
            held.denied_at.map_or(quarantine, |at| at.max(quarantine))
        });
        let since = held.or(self.order.released).map_or(since, |t| t.max(since));
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
        let tries_left = self.order.not_sent_in_row < self.policy.times.not_sent_tries;
        match (self.unsent(), self.next_route()) {
            (Some(again), _) if tries_left => again,
            // With nowhere else to go, "not sent" is tried until the order expires.
            (Some(again), Next::NoRoute) => again,
            (_, next) => next,
        }
    }

    /// The last attempt, if nothing of it has been written and it may be tried again.
    fn unsent(&self) -> Option<Next> {
        let (index, last) = self.indices().last()?;
        let route = self.policy.route(&last.provider)?;
        if last.standing() != Standing::Unsent
            || !self.others_allow(index)
            || !route.takes(self.order.what())
        {
            return None;
        }
        // What two people have allowed is not held against a ceiling.
        if self.order.permitted_sends > 0 {
            return Some(Next::Again(index));
        }
        self.priced_route(route, Next::Again(index))
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
            .filter(|route| route.takes(self.order.what()) && !used(&route.provider))
            .find_map(|route| self.priced_route(route, Next::New(route.provider.clone())))
            .unwrap_or(Next::NoRoute)
    }

    /// What is to be sent by a route, unless the price there is known to be above its ceiling. A price is
    /// asked for anew whenever the order comes back to be sent.
    fn priced_route(&self, route: &Route, send: Next) -> Option<Next> {
        if route.price_ceiling.is_none() {
            return Some(send);
        }
        let known = |(priced, _): &&(ProviderId, bool)| *priced == route.provider;
        match self.order.priced.iter().find(known) {
            Some((_, true)) => Some(send),
            Some((_, false)) => None,
            None => Some(Next::Price(route.provider.clone())),
        }
    }

    /// A price was asked for.
    pub(super) fn priced(&mut self, provider: ProviderId, price: Price) {
        let Some(route) = self.policy.route(&provider) else {
            return;
        };
        let passes = match (&price, route.price_ceiling) {
            (Price::Known(price), Some(ceiling)) => *price <= ceiling,
            (Price::Known(_) | Price::NoQuote, _) => true,
            (Price::Unavailable(_), _) => false,
        };
        let answered = !matches!(price, Price::Unavailable(_));
        let round = self.order.round;
        self.emit(Event::Priced {
            provider,
            price,
            passes,
        });
        if self.order.state != OrderState::Pending {
            return;
        }
        if answered {
            self.schedule(Some(self.now.wall));
        } else {
            self.schedule_in(self.jitter.stretch(self.policy.times.query_gap(round)));
        }
    }

    pub(super) fn number(&self, index: u32) -> AttemptNumber {
        let what = self.order.what();
        self.policy
            .numbers
            .derive(&what.merchant, &what.order_id, index)
    }

    /// Whether the order could be sent on, all of its attempts allowing it.
    fn can_go_on(&self) -> bool {
        matches!(
            self.next_send(),
            Next::Again(_) | Next::New(_) | Next::Price(_)
        )
    }

    /// Every attempt is negative, at least one by a confirmed failure: the end, unless the switch of the
    /// routes sends it on. By way of the desk, because the table has no other; the history shows it.
    pub(super) fn failed_twice(&mut self) {
        if self.can_go_on() && !matches!(self.order.state, OrderState::Review(_)) {
            self.review(ReviewReason::EarlierAttempt, Cause::FailoverSwitch);
            self.move_to(OrderState::Pending, Cause::FailoverSwitch);
            self.schedule(Some(self.now.wall));
            return;
        }
        let on_desk = matches!(self.order.state, OrderState::Review(_));
        match self.hold() {
            Hold::Over => {
                self.move_to(OrderState::Failed, Cause::QueryFailedTwice);
                self.schedule_round();
            }
            Hold::Deaf if !on_desk => {
                self.review(ReviewReason::EarlierAttempt, Cause::EarlierAttempt);
            }
            // It may have gone elsewhere since the backup was made.
            Hold::Asks(..) | Hold::Deaf => {}
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
        // A held one is asked about all over before it is called failed.
        if self.can_go_on() || self.is_held_back() {
            self.move_to(OrderState::Pending, cause);
            self.schedule(Some(self.now.wall));
        } else {
            self.move_to(OrderState::Failed, cause);
            self.schedule_round();
        }
    }
}
