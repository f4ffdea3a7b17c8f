//! What matters of an order for what can still become of it.

use std::hash::{Hash, Hasher};
use std::time::Duration;

use super::{Held, Order};
use crate::attempt::{Attempt, SendEnd, Sent};
use crate::{Moment, SendToken, Times, WallTime};

/// From where two orders for the same thing are compared: the present, and what is under way.
#[derive(Debug, Clone, Copy)]
pub struct Viewpoint<'a> {
    /// The times of their policy, each a multiple of `grain`.
    pub times: &'a Times,
    /// The wall clock.
    pub wall: WallTime,
    /// What the monotonic clocks say that still run, in rising order of epochs.
    pub clocks: &'a [Moment],
    /// When the questions were sent that are under way.
    pub asked: &'a [Moment],
    /// The sends that may still report their end.
    pub tokens: &'a [SendToken],
    /// The versions that people have seen who may still decide.
    pub seen: &'a [u64],
    /// How far the wall clock may yet go back.
    pub back: Duration,
    /// How finely time is told. Within a grain only the order of moments matters, and time goes on by
    /// whole grains.
    pub grain: Duration,
}

impl Order {
    /// Writes down what matters of the order from now on. Of two orders for the same thing that write the
    /// same, [`step`](fn@crate::step) makes the same of all that can still come: the same effects, but for
    /// names of tokens, and orders that write the same again.
    ///
    /// Times are relative to the present and no longer than the longest that a rule compares them with;
    /// versions are told apart only by what a person has seen of the evidence; tokens by whose they are;
    /// counters as far as anything counts. Texts of evidence are left out: no rule reads them.
    // For the search, as `Viewpoint` is. An order's fields are private, so it can't be written there.
    #[doc(hidden)]
    pub fn likeness(&self, view: &Viewpoint<'_>, out: &mut impl Hasher) {
        debug_assert!(
            view.clocks.is_sorted_by_key(|clock| clock.epoch),
            "places are counted from the earliest epoch"
        );
        let Self {
            acceptance,
            version: _,
            state,
            attempts,
            due,
            entered,
            first_submitting,
            round,
            not_sent_in_row,
            callback_asked,
            callback_seen,
            approval,
            evidence_version,
            permit,
            permitted_sends,
            decided_by,
            held,
            released,
            priced,
        } = self;
        let times = view.times;
        let pending = *state == recharge_core::OrderState::Pending;
        let schedule = times.query_after.len().max(times.watch_after.len());
        let limit = times.charging_limit.max(times.unknown_limit);
        state.hash(out);
        attempts.len().hash(out);
        for attempt in attempts {
            attempt.likeness(*round, pending, *entered, view, out);
        }
        // What is past is due, however long it has been.
        due.map(|due| view.wall_age_within(due, Duration::ZERO))
            .hash(out);
        (*round).min(count(schedule)).hash(out);
        not_sent_in_row
            .min(&times.not_sent_tries.max(count(schedule)))
            .hash(out);
        first_submitting
            .map(|at| view.wall_age_within(at, limit))
            .hash(out);
        if pending {
            // Answers to questions sent before don't count, nor those of an earlier epoch.
            view.place(*entered).hash(out);
            for asked in view.asked {
                asked.not_before(*entered).hash(out);
            }
        }
        if state.is_end() || permit.is_some() {
            let watch = times.watch_after.last().copied().unwrap_or_default();
            let longest = watch.max(times.pending_limit).saturating_mul(2);
            view.wall_age_within(entered.wall, longest).hash(out);
        }
        let waits = times.pending_limit.saturating_add(times.quarantine());
        view.wall_age_within(acceptance.at.wall, waits).hash(out);
        released.map(|at| view.wall_age_within(at, waits)).hash(out);
        callback_asked
            .map(|at| view.age(at, times.callback_gap))
            .hash(out);
        callback_seen.hash(out);
        approval
            .as_ref()
            .map(|decision| (&decision.verdict, &decision.by))
            .hash(out);
        for seen in view.seen {
            (seen >= evidence_version).hash(out);
        }
        permit.hash(out);
        (*permitted_sends > 0).hash(out);
        decided_by.is_some().hash(out);
        priced.hash(out);
        held.is_some().hash(out);
        if let Some(held) = held {
            held.likeness(waits, view, out);
        }
        view.epochs_begun(self, out);
    }

    /// The moments that are compared with later ones.
    fn moments(&self) -> impl Iterator<Item = Moment> {
        let of_attempts = self.attempts.iter().flat_map(|attempt| {
            let sent = attempt.sends.last().map(|send| send.intended);
            [sent, attempt.failed_since].into_iter().flatten()
        });
        let held = self.held.as_ref().map(|held| held.since);
        of_attempts.chain(self.callback_asked).chain(held)
    }
}

impl Attempt {
    fn likeness(
        &self,
        round: u32,
        pending: bool,
        entered: Moment,
        view: &Viewpoint<'_>,
        out: &mut impl Hasher,
    ) {
        let Self {
            number,
            provider,
            sends,
            upstream_order_id,
            cost: _,
            taken,
            paid,
            failed_since,
            failed_twice,
            not_found,
            not_found_after_quarantine,
            not_found_after_rejection,
            last,
            last_asked,
            last_at_end,
            asked_round,
        } = self;
        let times = view.times;
        number.hash(out);
        provider.hash(out);
        upstream_order_id
            .as_ref()
            .map(ToString::to_string)
            .hash(out);
        let is_over = |send: &&Sent| matches!(send.ended, Some((SendEnd::NotSent, _)));
        // Of those of which nothing was written only the last one's time matters.
        for send in sends.iter().filter(|send| !is_over(send)) {
            send.ended.map(|(end, _)| end).hash(out);
            for token in view.tokens {
                (send.token == *token).hash(out);
            }
        }
        if let Some(send) = sends.last() {
            is_over(&send).hash(out);
            view.age(send.intended, times.quarantine()).hash(out);
            for asked in view.asked {
                (asked.elapsed_since(send.intended) >= times.quarantine()).hash(out);
            }
        }
        (taken, paid, failed_twice).hash(out);
        failed_since.is_some().hash(out);
        if let (Some(since), false) = (failed_since, failed_twice) {
            let apart = times.confirm_failure_after;
            view.age(*since, apart).hash(out);
            for asked in view.asked {
                (asked.elapsed_since(*since) >= apart).hash(out);
            }
        }
        not_found.min(&times.not_found_answers).hash(out);
        not_found_after_quarantine.hash(out);
        not_found_after_rejection.hash(out);
        if let (Some(rejected), false) = (self.rejected_at(), not_found_after_rejection) {
            view.place(rejected).hash(out);
            for asked in view.asked {
                asked.not_before(rejected).hash(out);
            }
        }
        (last, last_at_end).hash(out);
        // Every move forgets it.
        if let (Some(asked), true) = (last_asked, pending) {
            view.age(*asked, times.in_flight()).hash(out);
            asked.not_before(entered).hash(out);
        }
        (*asked_round > round).hash(out);
    }
}

impl Held {
    fn likeness(&self, waits: Duration, view: &Viewpoint<'_>, out: &mut impl Hasher) {
        let Self {
            since,
            denied,
            denied_at,
            unanswered,
            yields,
        } = self;
        let quarantine = view.times.quarantine();
        view.age(*since, quarantine).hash(out);
        for asked in view.asked {
            (asked.elapsed_since(*since) >= quarantine).hash(out);
        }
        view.wall_age_within(since.wall, waits).hash(out);
        denied.hash(out);
        denied_at
            .map(|at| view.wall_age_within(at, waits))
            .hash(out);
        unanswered
            .min(&(count(view.times.query_after.len()) + 1))
            .hash(out);
        yields.hash(out);
    }
}

impl Viewpoint<'_> {
    /// How many grains ago it was on the wall clock; negative if it is still to come.
    fn wall_age(&self, at: WallTime) -> i64 {
        self.wall
            .millis()
            .saturating_sub(at.millis())
            .div_euclid(i64::try_from(self.grain.as_millis()).map_or(1, |grain| grain.max(1)))
    }

    /// The same, no longer than what it is compared with, wherever the clock may yet go.
    fn wall_age_within(&self, at: WallTime, longest: Duration) -> i64 {
        let longest = longest.saturating_add(self.back);
        self.wall_age(at).min(self.grains(longest))
    }

    fn grains(&self, time: Duration) -> i64 {
        let grains = time.as_millis() / self.grain.as_millis().max(1);
        i64::try_from(grains).map_or(i64::MAX, |grains| grains.saturating_add(1))
    }

    /// By which of the clocks it was, or between which; and how long ago, as far as that matters.
    fn age(&self, at: Moment, longest: Duration) -> (usize, Option<i64>) {
        let clock = self.clocks.iter().find(|clock| clock.epoch == at.epoch);
        let age = clock.map(|clock| {
            let age = clock.monotonic.saturating_sub(at.monotonic);
            (self.grains(age) - 1).min(self.grains(longest))
        });
        (self.place(at), age)
    }

    /// Where its epoch stands among those of the clocks.
    fn place(&self, at: Moment) -> usize {
        let earlier = self.clocks.iter().filter(|clock| clock.epoch < at.epoch);
        let same = self.clocks.iter().any(|clock| clock.epoch == at.epoch);
        2 * earlier.count() + usize::from(same)
    }

    /// By each clock that came after something that it is compared with, or that another clock may yet
    /// write: how long it has run.
    fn epochs_begun(&self, order: &Order, out: &mut impl Hasher) {
        let times = self.times;
        let longest = times
            .quarantine()
            .max(times.confirm_failure_after)
            .max(times.callback_gap);
        for (earlier, clock) in self.clocks.iter().enumerate() {
            let matters = earlier > 0 || order.moments().any(|at| at.epoch < clock.epoch);
            matters
                .then(|| (self.grains(clock.monotonic) - 1).min(self.grains(longest)))
                .hash(out);
        }
    }
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
