//! The one function that makes every move.
//!
//! [`step`] is total: any input in any state has an answer. Its parts are in files of their own: sending,
//! what became of a send, asking and weighing answers, the hold of a restored backup, and obeying people.

mod answer;
mod ended;
mod hold;
mod people;
mod send;

use std::time::Duration;

use recharge_core::{OrderState, ReviewReason};

use crate::attempt::Attempt;
use crate::event::{Cause, Event, Recorded};
use crate::input::{Alarm, CommandError, Effect, Input, Jitter, Notice};
use crate::order::Order;
use crate::{Moment, Policy, WallTime};

/// What a step came to.
///
/// Events, notices and alarms become durable together, or a crash in between would leave an end that
/// nobody is told of; only then are the effects done.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "its events must be written down, and its effects done"]
pub struct Step {
    /// To be written down first, at the version that the step was given.
    pub events: Vec<Recorded>,
    /// To be told to the merchant, at least once each.
    pub notices: Vec<Notice>,
    /// To be shown to an operator.
    pub alarms: Vec<Alarm>,
    /// To be done once all of these are durable.
    pub effects: Vec<Effect>,
    /// The order with the events applied.
    pub order: Order,
}

/// Decides what an input means for an order.
///
/// Only a [`Command`](crate::Command) can be refused; then nothing has changed. Everything else is a
/// fact, late or not, and is taken.
pub fn step(
    policy: &Policy,
    order: &Order,
    input: Input,
    now: Moment,
) -> Result<Step, CommandError> {
    let jitter = match &input {
        Input::Due { jitter, .. }
        | Input::SubmitEnded { jitter, .. }
        | Input::QueryEnded { jitter, .. }
        | Input::Callback { jitter, .. }
        | Input::Probed { jitter, .. }
        | Input::Priced { jitter, .. }
        | Input::Recovered { jitter, .. } => *jitter,
        Input::Command(_) => Jitter::default(),
    };
    let mut work = Work {
        policy,
        now,
        jitter,
        order: order.clone(),
        events: Vec::new(),
        notices: Vec::new(),
        alarms: Vec::new(),
        effects: Vec::new(),
    };
    match input {
        Input::Due { token, .. } => work.due(token),
        Input::SubmitEnded {
            attempt,
            token,
            outcome,
            ..
        } => {
            work.submit_ended(attempt, token, &outcome);
        }
        Input::QueryEnded {
            attempt,
            asked,
            purpose,
            outcome,
            ..
        } => {
            work.query_ended(attempt, asked, purpose, outcome);
        }
        Input::Callback {
            attempt,
            upstream_order_id,
            claims,
            covers_state,
            ..
        } => {
            work.callback(attempt, upstream_order_id, claims, covers_state);
        }
        Input::Probed {
            attempt,
            provider,
            asked,
            outcome,
            ..
        } => work.probed(attempt, &provider, asked, outcome),
        Input::Priced {
            provider, price, ..
        } => work.priced(provider, price),
        Input::Recovered { restored, .. } => work.recovered(restored),
        Input::Command(command) => work.command(command)?,
    }
    Ok(Step {
        events: work.events,
        notices: work.notices,
        alarms: work.alarms,
        effects: work.effects,
        order: work.order,
    })
}

/// A step being made: the order with the events so far applied, and what is to come of it.
struct Work<'a> {
    policy: &'a Policy,
    now: Moment,
    jitter: Jitter,
    order: Order,
    events: Vec<Recorded>,
    notices: Vec<Notice>,
    alarms: Vec<Alarm>,
    effects: Vec<Effect>,
}

impl Work<'_> {
    /// Writes an event down and applies it, so that what follows sees it.
    fn emit(&mut self, event: Event) {
        let recorded = Recorded {
            version: self.order.version + 1,
            at: self.now,
            event,
        };
        self.order.fold(&recorded);
        self.events.push(recorded);
    }

    /// Makes a move. One that the table doesn't have is not made: it would be a defect here, and leaving
    /// the order where it is, asked about, is the harmless side of it.
    fn move_to(&mut self, to: OrderState, cause: Cause) {
        debug_assert!(
            self.order.state.may_become(to),
            "{} -> {to}",
            self.order.state
        );
        if !self.order.state.may_become(to) {
            return;
        }
        let left_an_end = self.order.state.is_end();
        self.emit(Event::Moved { to, cause });
        let at_rest = match to {
            OrderState::Review(reason) => {
                self.alarms.push(Alarm::Review(reason));
                true
            }
            OrderState::Succeeded | OrderState::Failed => true,
            OrderState::Pending
            | OrderState::Submitting
            | OrderState::Charging
            | OrderState::Unknown => false,
        };
        if at_rest || left_an_end {
            self.notices.push(Notice {
                version: self.order.version,
                state: to,
            });
        }
    }

    fn review(&mut self, reason: ReviewReason, cause: Cause) {
        self.move_to(OrderState::Review(reason), cause);
    }

    fn schedule(&mut self, due: Option<WallTime>) {
        if due != self.order.due {
            self.emit(Event::Scheduled { due });
        }
    }

    fn schedule_in(&mut self, gap: Duration) {
        self.schedule(Some(self.now.wall.after(gap)));
    }

    /// Whether this attempt can be asked about: something of it may have gone out, and the provider has a
    /// query call.
    fn can_ask(&self, attempt: &Attempt) -> bool {
        attempt.sends_with_bytes() > 0
            && self
                .policy
                .route(&attempt.provider)
                .is_some_and(|route| route.can_query)
    }

    /// The limit of the present state, if it has one: time of the wall clock since the first submit.
    fn overdue_at(&self) -> Option<WallTime> {
        let limit = match self.order.state {
            OrderState::Charging => self.policy.times.charging_limit,
            OrderState::Unknown => self.policy.times.unknown_limit,
            OrderState::Pending
            | OrderState::Submitting
            | OrderState::Review(_)
            | OrderState::Succeeded
            | OrderState::Failed => return None,
        };
        Some(self.order.first_submitting?.after(limit))
    }

    fn overdue(&self) -> bool {
        self.overdue_at()
            .is_some_and(|limit| self.now.wall >= limit)
    }

    fn indices(&self) -> impl Iterator<Item = (u32, &Attempt)> {
        (0_u32..).zip(&self.order.attempts)
    }
}
