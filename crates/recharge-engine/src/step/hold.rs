//! The hold of a restored backup: what was sent since the backup was made is not in its log.
//!
//! Numbers are derived, so those that the order could have used are known. Each is asked about at each
//! provider, once a request of before can't be under way any more, and as often as it takes elsewhere to
//! believe "no such order": an upstream may lose sight of an order for a while. One that the upstream knows
//! becomes an attempt, in doubt. Until all have been asked about, nothing is sent and nothing is called failed.

use std::time::Duration;

use recharge_core::{OrderState, ProviderId, QueryOutcome, ReviewReason};

use super::Work;
use crate::attempt::Attempt;
use crate::event::{Cause, Event, Purpose};
use crate::input::Effect;
use crate::policy::Route;
use crate::{Moment, WallTime};

/// How many numbers of one order are asked about. An upstream that knows even more knows any number, and
/// would be asked for ever.
const MOST_NUMBERS: u32 = 16;

/// What the hold has yet to know.
pub(super) enum Hold {
    /// Nothing.
    Over,
    /// In this round of questions, whether the number of this index is known there.
    Asks(u32, u32, ProviderId),
    /// What nobody can be asked.
    Deaf,
}

impl Work<'_> {
    /// Whether the hold has something yet to know.
    pub(super) fn is_held_back(&self) -> bool {
        match self.hold() {
            Hold::Over => false,
            Hold::Asks(..) | Hold::Deaf => true,
        }
    }

    pub(super) fn hold(&self) -> Hold {
        let Some(held) = &self.order.held else {
            return Hold::Over;
        };
        // The merchant's choice is part of the order, so no lost send went elsewhere. All else that a
        // route takes may have been otherwise then.
        let chosen = self.order.what().provider.as_ref();
        let routes = || {
            let routes = self.policy.routes.iter();
            routes.filter(|route| chosen.is_none_or(|chosen| *chosen == route.provider))
        };
        let end = self.numbers_end();
        let mut deaf = routes().next().is_none() || end > MOST_NUMBERS;
        let mut next: Option<(u32, u32, ProviderId)> = None;
        for index in 0..end.min(MOST_NUMBERS) {
            for route in routes() {
                let denied = held.denied(index, &route.provider);
                if denied >= self.policy.times.not_found_answers
                    || self.is_asked_anyway(index, route)
                {
                    continue;
                }
                if !route.can_query {
                    deaf = true;
                } else if next.as_ref().is_none_or(|(least, ..)| denied < *least) {
                    next = Some((denied, index, route.provider.clone()));
                }
            }
        }
        match next {
            Some((round, index, provider)) => Hold::Asks(round, index, provider),
            None if deaf => Hold::Deaf,
            None => Hold::Over,
        }
    }

    /// The index after the last one that the order could have used: each route takes at most one attempt
    /// of its own.
    fn numbers_end(&self) -> u32 {
        let end = self.order.attempts.len() + self.policy.routes.len();
        u32::try_from(end).unwrap_or(u32::MAX)
    }

    /// Whether it is an attempt that is asked about anyway: before a later one is sent, and by the
    /// schedule.
    fn is_asked_anyway(&self, index: u32, route: &Route) -> bool {
        self.order.attempt(index).is_some_and(|attempt| {
            attempt.provider == route.provider && attempt.sends_with_bytes() > 0
        })
    }

    /// How long the hold's questions would still prove nothing: a request that was under way when the
    /// backup's machine stopped may still arrive.
    fn too_early(&self, asked: Moment) -> Option<Duration> {
        let since = self.order.held.as_ref()?.since;
        let rest = self
            .policy
            .times
            .quarantine()
            .saturating_sub(asked.elapsed_since(since));
        (!rest.is_zero()).then_some(rest)
    }

    /// Whether the hold keeps a pending order from being sent; if so, it has been seen to what comes next.
    pub(super) fn holds_back(&mut self) -> bool {
        match (self.hold(), self.too_early(self.now)) {
            (Hold::Over, _) => return false,
            // All that came from the backup would ask in the same second.
            (Hold::Asks(..) | Hold::Deaf, Some(rest)) => {
                self.schedule_in(self.jitter.stretch(rest));
            }
            (Hold::Asks(_, index, provider), None) => self.probe(index, provider),
            (Hold::Deaf, None) => {
                self.review_and_ask(ReviewReason::EarlierAttempt, Cause::EarlierAttempt);
            }
        }
        true
    }

    /// What the hold asks of an order that is asked about already, if it is the hold's turn. Unanswered,
    /// it takes turns with the schedule.
    pub(super) fn hold_asks(&self, scheduled: bool) -> Option<(u32, ProviderId)> {
        let yields = self.order.held.as_ref()?.yields;
        match (self.hold(), self.too_early(self.now)) {
            (Hold::Asks(_, index, provider), None) if !(yields && scheduled) => {
                Some((index, provider))
            }
            (Hold::Asks(..) | Hold::Deaf | Hold::Over, _) => None,
        }
    }

    /// When that is.
    pub(super) fn hold_at(&self, scheduled: bool) -> Option<WallTime> {
        let held = self.order.held.as_ref()?;
        let Hold::Asks(round, ..) = self.hold() else {
            return None;
        };
        let wait = match (self.too_early(self.now), held.unanswered.checked_sub(1)) {
            (Some(rest), _) => self.jitter.stretch(rest),
            (None, None) => self.before_round(round),
            (None, Some(_)) if scheduled && held.yields => return None,
            (None, Some(_)) if scheduled => Duration::ZERO,
            (None, Some(before)) => self.jitter.stretch(self.policy.times.query_gap(before)),
        };
        Some(self.now.wall.after(wait))
    }

    /// How long the hold waits now that what it asks next is of this round: at the beginning of each but the
    /// first as long as the schedule does between two questions.
    fn before_round(&self, round: u32) -> Duration {
        let held = self.order.held.as_ref();
        let begun = held.is_some_and(|held| held.has_begun(round));
        match round.checked_sub(1) {
            Some(before) if !begun => self.jitter.stretch(self.policy.times.query_gap(before)),
            Some(_) | None => Duration::ZERO,
        }
    }

    pub(super) fn probe(&mut self, attempt: u32, provider: ProviderId) {
        self.effects.push(Effect::Probe {
            attempt,
            number: self.number(attempt),
            provider,
        });
    }

    /// A number that the order could have used has been asked about.
    pub(super) fn probed(
        &mut self,
        index: u32,
        provider: &ProviderId,
        asked: Moment,
        outcome: QueryOutcome,
    ) {
        let found = matches!(outcome, QueryOutcome::Found(_));
        // Asked before the hold began, or after its end, nothing but a find matters.
        let counts = self.order.held.is_some() && self.too_early(asked).is_none();
        if index >= self.numbers_end() || !(found || counts) {
            return;
        }
        self.emit(Event::Probed {
            attempt: index,
            provider: provider.clone(),
            asked,
            outcome: outcome.clone(),
        });
        match outcome {
            QueryOutcome::Found(_) => self.found(index, provider, asked, outcome),
            QueryOutcome::NotFound(_) => {
                if self.order.state == OrderState::Pending {
                    let wait = match self.hold() {
                        Hold::Asks(round, ..) => self.before_round(round),
                        Hold::Over | Hold::Deaf => Duration::ZERO,
                    };
                    self.schedule_in(wait);
                } else {
                    self.asked_about();
                }
            }
            QueryOutcome::Unavailable(_) => {
                let unanswered = self.order.held.as_ref().map_or(0, |held| held.unanswered);
                let gap = self.policy.times.query_gap(unanswered.saturating_sub(1));
                if self.order.state == OrderState::Pending {
                    self.schedule_in(self.jitter.stretch(gap));
                } else {
                    self.asked_about();
                }
            }
        }
    }

    /// The hold's last question may have been what an end waited for.
    fn asked_about(&mut self) {
        match self.order.state {
            OrderState::Charging | OrderState::Unknown | OrderState::Review(_) => {
                self.weigh();
                self.schedule_round();
            }
            OrderState::Pending
            | OrderState::Submitting
            | OrderState::Succeeded
            | OrderState::Failed => {}
        }
    }

    /// The upstream knows a number. One that the log has as sent is asked about like any other; of one
    /// that it hasn't a person must know, whatever the upstream says of it.
    fn found(&mut self, index: u32, provider: &ProviderId, asked: Moment, outcome: QueryOutcome) {
        let (index, new) = self.adopt(index, provider);
        match self.order.state {
            OrderState::Pending | OrderState::Charging | OrderState::Unknown if new => {
                self.review(ReviewReason::EarlierAttempt, Cause::EarlierAttempt);
            }
            OrderState::Pending
            | OrderState::Charging
            | OrderState::Unknown
            | OrderState::Submitting
            | OrderState::Review(_)
            | OrderState::Succeeded
            | OrderState::Failed => {}
        }
        self.query_ended(index, asked, Purpose::BeforeNextAttempt, outcome);
        if new {
            self.schedule_round();
        }
    }

    /// Takes into the log what leads up to a number that the upstream knows: its attempt, and whether it
    /// is new there. Attempts between were made at a provider that is no longer known; they are in doubt
    /// as well.
    fn adopt(&mut self, index: u32, provider: &ProviderId) -> (u32, bool) {
        let number = self.number(index);
        let same = |attempt: &Attempt| attempt.number == number && attempt.provider == *provider;
        let known = self.indices().find(|(_, attempt)| same(attempt));
        let known = known.map(|(at, attempt)| (at, attempt.sends_with_bytes() > 0));
        if let Some((at, true)) = known {
            return (at, false);
        }
        let end = u32::try_from(self.order.attempts.len()).unwrap_or(u32::MAX);
        for attempt in end..index {
            self.emit(Event::Adopted {
                attempt,
                number: self.number(attempt),
                provider: provider.clone(),
            });
        }
        // Should the log have another attempt in its place, it comes after all of them.
        let attempt = known.map_or(end.max(index), |(at, _)| at);
        self.emit(Event::Adopted {
            attempt,
            number,
            provider: provider.clone(),
        });
        (attempt, true)
    }
}
