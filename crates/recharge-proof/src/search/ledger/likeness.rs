//! What matters of the judge's books.

use std::hash::{Hash, Hasher};
use std::time::Duration;

use recharge_core::OrderState;
use recharge_engine::Moment;

use super::{Around, Ledger, quarantine, ticks};

impl Ledger {
    /// Writes down what matters of it: times relative to the present, as far as they are compared.
    pub(crate) fn likeness(
        &self,
        around: Around<'_>,
        asked: &[Moment],
        back: Duration,
        out: &mut impl Hasher,
    ) {
        let now = around.now.tick;
        let times = &around.part.policy.times;
        let age = |at: u32, most| (now - at).min(ticks(most));
        for proof in &self.proofs {
            for send in &proof.sends {
                (send.told, send.written && send.told.is_none()).hash(out);
            }
            proof
                .sends
                .last()
                .map(|send| (now - send.at.tick).min(quarantine(times)))
                .hash(out);
            (proof.taken, proof.paid, proof.failed_twice, proof.permitted).hash(out);
            proof
                .failed_at
                .map(|at| age(at.tick, times.confirm_failure_after))
                .hash(out);
            (proof.denied, proof.denials.min(times.not_found_answers)).hash(out);
            (proof.last, proof.at_end).hash(out);
            (self.state == OrderState::Pending && self.asked_again(proof)).hash(out);
            (proof.watched.min(2)).hash(out);
            for asked in asked {
                let asked = around.truly(*asked);
                proof.rejected.is_some_and(|at| asked >= at).hash(out);
                (asked >= self.entered).hash(out);
            }
        }
        self.first_submit
            .map(|at| (around.wall - at).min(i64::from(ticks(times.charging_limit + back))))
            .hash(out);
        let waits = i64::from(ticks(times.pending_limit + back));
        (around.wall - self.waits_since()).min(waits).hash(out);
        (self.permits, &self.permit, &self.approval).hash(out);
        (self.decided, self.fresh).hash(out);
        self.callback_asked
            .map(|at| age(at, times.callback_gap))
            .hash(out);
    }
}
