//! The laws: what must hold of each step that becomes durable, and of each state.

use recharge_core::{OrderState, ReviewReason, Standing};
use recharge_engine::{Alarm, Effect, Input, Order, Purpose, Step};

use super::ledger::{Around, Broken, Decided, Lawful, Ledger, Say, broken, law, say};
use super::part::{Fault, Part};
use super::world::World;

/// How many epochs are known while the first lasts: they count from one.
const FIRST_EPOCH: usize = 2;

/// A step that became durable: what was, and what is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Made<'a> {
    pub(crate) input: &'a Input,
    pub(crate) step: &'a Step,
    pub(crate) before: &'a Order,
    pub(crate) was: &'a Ledger,
    pub(crate) is: &'a Ledger,
}

impl Made<'_> {
    pub(crate) fn judge(&self, around: Around<'_>) -> Lawful {
        self.is_told()?;
        self.callbacks(around)?;
        self.contradictions()?;
        self.goes_on(around)
    }

    /// Whoever must know of an end or of a desk is told with it, with a higher version.
    fn is_told(&self) -> Lawful {
        let (from, to) = (self.was.state, self.is.state);
        if from == to {
            return Ok(());
        }
        let rests = |state: OrderState| state.is_end() || matches!(state, OrderState::Review(_));
        if rests(to) || from.is_end() {
            let notice = self.step.notices.last();
            let told = notice.is_some_and(|notice| {
                notice.state == to
                    && notice.version > self.was.told
                    && notice.version <= self.step.order.version()
            });
            law(
                12,
                told,
                "the merchant is not told where the order rests now",
            )?;
        }
        if let OrderState::Review(reason) = to {
            let alarmed = self.step.alarms.contains(&Alarm::Review(reason));
            law(11, alarmed, "an order is on a desk, and nobody is alarmed")?;
        }
        Ok(())
    }

    /// Callbacks, and their answers, change nothing; but "succeeded" is believed of a query.
    fn callbacks(&self, around: Around<'_>) -> Lawful {
        let nothing = match self.input {
            Input::Callback { attempt, .. } => {
                let counts = self
                    .is
                    .proofs
                    .get(*attempt as usize)
                    .and_then(|proof| around.part.kinds.get(usize::from(proof.provider)))
                    .is_some_and(|kind| kind.callback_counts && !kind.can_query);
                !counts
            }
            Input::QueryEnded {
                purpose: Purpose::Callback,
                outcome,
                ..
            } => say(outcome, Purpose::Callback).is_none(),
            Input::QueryEnded { .. }
            | Input::Due { .. }
            | Input::SubmitEnded { .. }
            | Input::Probed { .. }
            | Input::Priced { .. }
            | Input::Recovered { .. }
            | Input::Command(_) => false,
        };
        if !nothing {
            return Ok(());
        }
        let (before, after) = (self.before, &self.step.order);
        let same = before.state() == after.state()
            && before.due() == after.due()
            && before.approval() == after.approval()
            && before.permitted_sends() == after.permitted_sends()
            && before.attempts().len() == after.attempts().len()
            && self.was.state == self.is.state
            && before
                .attempts()
                .iter()
                .zip(after.attempts())
                .all(|(before, after)| before == after);
        law(
            8,
            same,
            "a callback, or what it had asked, has changed more than it may",
        )
    }

    /// An answer against the end puts the order on a desk; the answer that it was settled with doesn't.
    fn contradictions(&self) -> Lawful {
        let Input::QueryEnded {
            attempt,
            purpose,
            outcome,
            ..
        } = self.input
        else {
            return Ok(());
        };
        let Some(said) = say(outcome, *purpose) else {
            return Ok(());
        };
        let proof = self.was.proofs.get(*attempt as usize);
        let at_end = proof.and_then(|proof| proof.at_end);
        let paid = proof.is_some_and(|proof| proof.paid);
        let against = match (self.was.state, said) {
            (OrderState::Failed, Say::Charging | Say::Succeeded) => true,
            (OrderState::Succeeded, Say::Failed) => self.was.decided.is_some() || paid,
            (OrderState::Succeeded, Say::NoSuchOrder) => self.was.decided.is_some(),
            _ => false,
        };
        let contradiction = OrderState::Review(ReviewReason::Contradiction);
        let found = self.is.state == contradiction;
        if against && at_end != Some(said) {
            return law(6, found, "an answer against the end, and nobody is told");
        }
        if self.was.state.is_end() && at_end == Some(said) {
            return law(
                6,
                !found,
                "what was settled is opened again by the answer that it was settled with",
            );
        }
        Ok(())
    }

    /// Past its limit no order goes on as if nothing were the matter; and what an answer proves ends it, on a desk
    /// as well.
    fn goes_on(&self, around: Around<'_>) -> Lawful {
        let counts = match self.input {
            Input::Due { .. } => true,
            Input::QueryEnded { purpose, .. } => *purpose != Purpose::Callback,
            Input::SubmitEnded { .. }
            | Input::Callback { .. }
            | Input::Probed { .. }
            | Input::Priced { .. }
            | Input::Recovered { .. }
            | Input::Command(_) => false,
        };
        let times = &around.part.policy.times;
        let limit = match self.is.state {
            OrderState::Charging => times.charging_limit,
            OrderState::Unknown => times.unknown_limit,
            OrderState::Review(reason) if counts && reason != ReviewReason::Contradiction => {
                return self.leaves_its_desk(around);
            }
            _ => return Ok(()),
        };
        let over = self
            .is
            .first_submit
            .is_some_and(|first| around.wall - first >= i64::from(super::ledger::ticks(limit)));
        law(11, !(counts && over), "past its limit, and not on a desk")
    }

    /// A contradiction is for people; and under a hold there may be more than the log has. Two failures count by
    /// one clock.
    fn leaves_its_desk(&self, around: Around<'_>) -> Lawful {
        let proofs = &self.is.proofs;
        let paid = proofs.iter().any(|proof| proof.paid);
        law(11, !paid, "paid, as an answer proves, and still on a desk")?;
        let failed = proofs.iter().any(|it| it.standing() == Standing::Failed);
        law(
            11,
            !(failed && self.is.all_negative())
                || around.part.allows(Fault::Restore)
                || around.began.len() > FIRST_EPOCH,
            "failed, as an answer proves, and still on a desk",
        )
    }
}

/// What a step asks to be done.
pub(crate) fn effects(effects: &[Effect], attempts: usize) -> Lawful {
    law(
        15,
        effects.len() <= attempts.max(1),
        "more is asked at once than there are attempts",
    )
}

impl World {
    /// What must be true of every state, whatever led to it.
    pub(crate) fn judge(&self, part: &Part) -> Lawful {
        let order = &*self.log;
        if order.state() != self.ledger.state {
            return broken(10, "the order is not where its log puts it");
        }
        let charges = self.upstream.charges();
        let allowed = 1 + u32::from(self.ledger.permits);
        if !self.reversed && charges > allowed {
            return broken(
                1,
                format!("charged, or to be charged, {charges} times where {allowed} are allowed"),
            );
        }
        let decided = self.ledger.decided;
        let judged = !self.reversed;
        match order.state() {
            // One person alone says "failed" only where it is proved.
            OrderState::Failed => law(
                6,
                !judged || decided == Some(Decided::ByTwo) || !self.upstream.could_charge(),
                "called failed, and the customer is or may be charged",
            )?,
            OrderState::Succeeded => law(
                7,
                !judged || decided.is_some() || self.upstream.paid(),
                "called succeeded, and nobody has paid",
            )?,
            OrderState::Pending
            | OrderState::Submitting
            | OrderState::Charging
            | OrderState::Unknown
            | OrderState::Review(_) => {}
        }
        self.has_a_next_action(part)
    }

    fn has_a_next_action(&self, part: &Part) -> Lawful {
        let order = &*self.log;
        if order.due().is_some() {
            return Ok(());
        }
        law(
            11,
            order.is_at_rest(),
            "open, and nothing is to be done of itself",
        )?;
        let watches = u8::try_from(part.policy.times.watch_after.len()).unwrap_or(u8::MAX);
        for proof in &self.ledger.proofs {
            let asked = part
                .kinds
                .get(usize::from(proof.provider))
                .is_some_and(|kind| kind.can_query);
            let enough = order.state().is_end() && proof.watched >= watches;
            law(
                6,
                proof.bytes() == 0 || !asked || enough,
                "an attempt that had bytes in doubt is not asked about any more",
            )?;
        }
        Ok(())
    }

    /// A byte of a send goes out.
    pub(crate) fn judge_bytes(
        &mut self,
        attempt: u32,
        token: recharge_engine::SendToken,
        number: recharge_core::AttemptNumber,
        part: &Part,
    ) -> Result<(), Broken> {
        let now = self.tick;
        let within = super::ledger::ticks(part.policy.times.send_deadline);
        let restored = part.allows(Fault::Restore);
        let ledger = std::sync::Arc::make_mut(&mut self.ledger);
        let proof = ledger.proofs.get_mut(attempt as usize);
        let Some(proof) = proof.filter(|proof| proof.number == number) else {
            return if restored {
                Ok(())
            } else {
                broken(3, "a byte of a number that no durable record names")
            };
        };
        let Some(send) = proof.sends.iter_mut().find(|send| send.token == token) else {
            return broken(3, "a byte of a send whose token no durable record names");
        };
        law(3, now - send.at.tick < within, "a byte after the deadline")?;
        law(5, !send.written, "two have sent by one token")?;
        send.written = true;
        Ok(())
    }
}
