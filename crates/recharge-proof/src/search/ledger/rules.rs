//! The lifecycle's rules for what the log may say.

use recharge_core::{OrderState, ReviewReason, Standing};
use recharge_engine::{Cause, Verdict};

use super::proof::{Proof, Say};
use super::{Around, Decided, Lawful, Ledger, at, broken, law, quarantine, ticks};
use crate::search::part::Fault;

impl Ledger {
    /// Before any byte: no earlier attempt may be open, unless people allowed it, and each that ever had
    /// bytes in doubt has been asked again.
    pub(super) fn may_send(&self, index: usize, provider: u8, around: Around<'_>) -> Lawful {
        let permitted = self.permits(index, provider, around);
        // What was allowed is this attempt's: one that wrote nothing may be tried again, and no other.
        let permits = permitted || self.proofs.get(index).is_some_and(|it| it.permitted);
        let route = |proof: &Proof| around.part.policy.routes.get(usize::from(proof.provider));
        let switched = |proof: &Proof| {
            proof.standing() == Standing::Failed
                && route(proof).is_some_and(|route| route.failover_after_failure)
        };
        for (other, proof) in self.proofs.iter().enumerate() {
            let allowed = other == index
                || proof.is_closed()
                || switched(proof)
                || permitted
                || permits && proof.standing() == Standing::Open;
            law(
                2,
                allowed,
                "a send though an attempt is not closed, and people have not allowed it",
            )?;
            if other == index {
                let again = proof.standing() == Standing::Unsent || permitted;
                law(
                    2,
                    again,
                    "a number is sent again, and people have not allowed it",
                )?;
            }
            if proof.bytes() > 0 {
                let clear = proof.last == Some(Say::NoSuchOrder)
                    || proof.last == Some(Say::Failed) && switched(proof);
                let asked = self.asked_again(proof);
                law(
                    2,
                    clear && asked,
                    "a send before an earlier attempt was asked about again",
                )?;
            }
        }
        Ok(())
    }

    /// Whether people have allowed this very send.
    pub(super) fn permits(&self, index: usize, provider: u8, around: Around<'_>) -> bool {
        match &self.permit {
            Some(Verdict::SendAgain { attempt }) => at(*attempt) == index,
            Some(Verdict::SendElsewhere { provider: to }) => {
                index == self.proofs.len() && around.part.place(to) == provider
            }
            Some(Verdict::Succeeded | Verdict::Failed | Verdict::Cancel) | None => false,
        }
    }

    /// Whether the last question was sent since the order is where it is. A worker that has lost its lease
    /// can bring it there by a clock that can't be compared: then it is enough that the question is the new
    /// worker's.
    pub(super) fn asked_again(&self, proof: &Proof) -> bool {
        proof.last_asked.is_some_and(|asked| asked >= self.entered)
            || proof.asked_epoch > self.entered_epoch
    }

    pub(super) fn decided(&mut self, verdict: &Verdict, two: bool, around: Around<'_>) -> Lawful {
        let known_taken = self
            .proofs
            .iter()
            .any(|proof| matches!(proof.standing(), Standing::Taken | Standing::Paid));
        match verdict {
            Verdict::Succeeded => {}
            Verdict::Failed => law(
                6,
                two || self.all_negative()
                    && self.state != OrderState::Review(ReviewReason::Contradiction),
                "one person calls failed what has an attempt that is not negative, or a contradiction",
            )?,
            Verdict::Cancel => law(
                6,
                self.proofs.iter().all(|proof| proof.bytes() == 0),
                "cancelled though something was sent",
            )?,
            Verdict::SendAgain { attempt } => {
                let refuses = self
                    .proofs
                    .get(at(*attempt))
                    .and_then(|proof| around.part.kinds.get(usize::from(proof.provider)))
                    .is_some_and(|kind| kind.refuses_duplicates);
                law(
                    2,
                    two && refuses && !known_taken,
                    "this send needs two people, and a provider that refuses duplicates, and no attempt that was taken",
                )?;
            }
            Verdict::SendElsewhere { .. } => law(
                2,
                two && !known_taken
                    && self.state == OrderState::Review(ReviewReason::ProbablyNotTaken),
                "this send needs two people, from \"probably not taken\"",
            )?,
        }
        if let Verdict::SendAgain { .. } | Verdict::SendElsewhere { .. } = verdict {
            self.permits = self.permits.saturating_add(1);
            self.permit = Some(verdict.clone());
        }
        self.decided = Some(if two { Decided::ByTwo } else { Decided::ByOne });
        Ok(())
    }

    pub(super) fn moved(&mut self, to: OrderState, around: Around<'_>) -> Lawful {
        use OrderState::{Charging, Failed, Pending, Review, Submitting, Succeeded, Unknown};
        let from = self.state;
        let listed = match (from, to) {
            (Pending, Submitting | Failed | Review(_))
            | (Submitting, Pending | Charging | Unknown | Failed)
            | (Charging, Succeeded | Failed | Review(_))
            | (Unknown, Charging | Succeeded | Failed | Review(_) | Pending)
            | (Review(_), Succeeded | Failed | Pending)
            | (Succeeded | Failed, Review(ReviewReason::Contradiction)) => true,
            (Pending | Submitting | Charging | Unknown | Review(_) | Succeeded | Failed, _) => {
                false
            }
        };
        if !listed {
            return broken(10, format!("the table has no move from {from} to {to}"));
        }
        let by = self.decided.take();
        let decided = by.is_some();
        let contradiction = from == Review(ReviewReason::Contradiction);
        match to {
            Submitting => self.permit = None,
            Failed => {
                law(
                    6,
                    decided || self.all_negative(),
                    "failed though an attempt is not negative",
                )?;
                law(
                    6,
                    decided || !contradiction,
                    "a contradiction settled itself",
                )?;
                self.decided = by;
            }
            Succeeded => {
                let paid = self.proofs.iter().any(|proof| proof.paid);
                law(7, decided || paid, "succeeded without a query or a person")?;
                law(
                    7,
                    decided || !contradiction,
                    "a contradiction settled itself",
                )?;
                self.decided = by;
            }
            Review(ReviewReason::ProbablyNotTaken) => self.probably_not_taken(around)?,
            Pending => law(
                2,
                !matches!(from, Review(_))
                    || decided
                    || self
                        .proofs
                        .iter()
                        .any(|proof| proof.standing() == Standing::Failed),
                "back from the desk, and nobody decided it",
            )?,
            Charging | Unknown | Review(_) => {}
        }
        if let Review(_) = to {
            self.permit = None;
        }
        if to.is_end() {
            for proof in &mut self.proofs {
                (proof.at_end, proof.watched) = (proof.last, 0);
            }
        }
        (self.state, self.entered) = (to, around.now);
        Ok(())
    }

    /// Nothing is overdue before its limit, on the wall clock.
    pub(super) fn in_time(&self, cause: Cause, wall: i64, around: Around<'_>) -> Lawful {
        let times = &around.part.policy.times;
        let limit = match (cause, self.state) {
            (Cause::Overdue, OrderState::Charging) => times.charging_limit,
            (Cause::Overdue, OrderState::Unknown) => times.unknown_limit,
            (Cause::Expired, _) => times.pending_limit,
            _ => return Ok(()),
        };
        let since = match cause {
            Cause::Expired => Some(self.waits_since()),
            _ => self.first_submit,
        };
        let passed = since.is_some_and(|since| wall - since >= i64::from(ticks(limit)));
        law(11, passed, "overdue or expired before its limit")
    }

    /// Since when it waits to be sent. What people have allowed waits from then on.
    pub(super) fn waits_since(&self) -> i64 {
        if self.permit.is_some() {
            self.entered_wall
        } else {
            self.accepted
        }
    }

    /// What has waited for too long is not sent any more. The hold of a restored backup takes time of its own.
    pub(super) fn waits_no_longer(&self, wall: i64, around: Around<'_>) -> Lawful {
        let limit = i64::from(ticks(around.part.policy.times.pending_limit));
        let expired = wall - self.waits_since() >= limit;
        law(
            11,
            !expired || around.part.allows(Fault::Restore),
            "sent though it has waited too long",
        )
    }

    fn probably_not_taken(&self, around: Around<'_>) -> Lawful {
        let times = &around.part.policy.times;
        for proof in self.proofs.iter().filter(|proof| !proof.is_negative()) {
            let sent = proof
                .sends
                .last()
                .map_or(around.now.tick, |send| send.at.tick);
            let late = proof
                .last_asked
                .is_some_and(|asked| asked.tick >= sent + quarantine(times));
            law(
                1,
                proof.standing() == Standing::Open
                    && proof.last == Some(Say::NoSuchOrder)
                    && proof.denials >= times.not_found_answers
                    && late,
                "\"probably not taken\" of what may still arrive, or was not asked about often enough",
            )?;
        }
        Ok(())
    }
}
