//! Submits in the [`World`], with the faults that decide whether an order is taken.

use crate::answer::Answer;
use crate::books::low_balance;
use crate::config::Upstream;
use crate::faults::FaultKind as K;
use crate::message::{Delivery, Reply};
use crate::order::Wanted;
use crate::routes::Call;
use crate::spoil::{Outcome, duplicate, refusal, server_error, system_error, unlisted};
use crate::world::{Incoming, World};
use crate::{jisu, juhe};

/// What a fault does to a submit that is in order.
enum Effect {
    /// Nothing is done; what goes out is made up on the way.
    Nothing,
    /// Nothing is done, and this is answered.
    Say(Answer),
    /// The order is taken, and this is answered.
    TakeAndSay(Answer),
    /// The order is taken, and this goes out.
    TakeAndSend(Reply),
    /// A plain refusal; `paid_later`: and that is a lie.
    Refuse { paid_later: bool },
    /// Taken later, with no answer.
    Delay,
    /// Taken, and processed again later.
    Repeat,
    /// Processed twice at once; `refused`: the second copy finds too little balance.
    RepeatAtOnce { refused: bool },
    /// Taken, ended and called back before the answer.
    CallBackFirst,
    /// Taken, and the true answer is spoilt on its way.
    Spoil,
}

impl World {
    /// Places an order.
    pub(crate) fn submit(&mut self, mut incoming: Incoming<'_>) -> Outcome {
        let checked = if let Call::JisuRecharge(line) = incoming.call {
            jisu::check_submit(&self.config, line, incoming.fields)
        } else {
            juhe::check_submit(&self.config, incoming.fields)
        };
        self.record_submit(&incoming, checked.is_err());
        let wanted = match checked {
            Ok(wanted) => wanted,
            // What is refused by right stays refused: faults only spoil that answer on its way.
            Err(answer) => return self.spoil(incoming, answer),
        };
        let Some(kind) = incoming.fault else {
            return Outcome::right(self.process(incoming.now, wanted));
        };
        let (now, timings) = (incoming.now, self.plan.timings);
        match self.effect(kind, &mut incoming) {
            Effect::Nothing => Outcome {
                code: None,
                ..self.spoil(incoming, Answer::nothing())
            },
            Effect::Say(answer) => Outcome::said(kind, &answer),
            Effect::TakeAndSay(shown) => {
                let answer = self.process(now, wanted);
                Outcome::hit(kind, &answer, Reply::json(shown.body))
            }
            Effect::TakeAndSend(reply) => {
                let answer = self.process(now, wanted);
                Outcome::hit(kind, &answer, reply)
            }
            Effect::Refuse { paid_later } => self.refuse(kind, incoming, wanted, paid_later),
            Effect::Delay => {
                self.schedule_arrival(now, timings.delayed_acceptance, &wanted, false);
                let silence = Delivery::Silence(timings.timeout_hold);
                Outcome::skipped(kind, Reply::nothing(silence))
            }
            Effect::Repeat => {
                self.schedule_arrival(now, timings.repeat_after, &wanted, false);
                Outcome::said(kind, &self.process(now, wanted))
            }
            Effect::RepeatAtOnce { refused } => {
                let first = self.process(now, wanted.clone());
                if first.code != 0 {
                    return Outcome::right(first);
                }
                if !refused {
                    return Outcome::said(kind, &self.process(now, wanted));
                }
                // Who asks must be told the truth, else nobody could ever believe a refusal.
                let upstream = wanted.upstream;
                self.records.entry(wanted.key()).or_default().shown = true;
                Outcome::said(kind, &low_balance(upstream))
            }
            Effect::CallBackFirst => {
                let key = wanted.key();
                let answer = self.process(now, wanted);
                if answer.code == 0 {
                    self.settle(now, &key);
                }
                let late = Delivery::Late(timings.callback_early);
                let reply = Reply::json(answer.body.clone()).delivered(late);
                Outcome::hit(kind, &answer, reply)
            }
            Effect::Spoil => {
                let answer = self.process(now, wanted);
                self.spoil(incoming, answer)
            }
        }
    }

    fn effect(&self, kind: K, incoming: &mut Incoming<'_>) -> Effect {
        let upstream = incoming.call.upstream();
        let hold = self.plan.timings.timeout_hold;
        match kind {
            K::ServerError
            | K::Html
            | K::TimeoutBefore
            | K::Reset
            | K::SystemError
            | K::UnlistedCode => Effect::Nothing,
            K::DuplicateCode => Effect::Say(duplicate(upstream)),
            K::RechargeFailed => Effect::Say(juhe::error(208_507)),
            K::RequestFailed => Effect::Say(juhe::error(208_508)),
            K::SystemErrorTaken => Effect::TakeAndSay(system_error(upstream)),
            K::DuplicateCodeTaken => Effect::TakeAndSay(duplicate(upstream)),
            K::RechargeFailedTaken => Effect::TakeAndSay(juhe::error(208_507)),
            K::RequestFailedTaken => Effect::TakeAndSay(juhe::error(208_508)),
            K::UnlistedCodeTaken => Effect::TakeAndSay(unlisted(upstream)),
            K::ServerErrorTaken => Effect::TakeAndSend(server_error(incoming)),
            K::HtmlTaken => Effect::TakeAndSend(Reply::html(200)),
            K::TimeoutAfter => Effect::TakeAndSend(Reply::nothing(Delivery::Silence(hold))),
            K::Refused => Effect::Refuse { paid_later: false },
            K::LatePayment => Effect::Refuse { paid_later: true },
            K::DelayedAcceptance => Effect::Delay,
            K::RepeatedPacket => Effect::Repeat,
            K::RepeatedPacketSecond => Effect::RepeatAtOnce { refused: false },
            K::RepeatedPacketRefused => Effect::RepeatAtOnce { refused: true },
            K::CallbackEarly => Effect::CallBackFirst,
            K::Truncated
            | K::CutOff
            | K::Garbled
            | K::WrongTyped
            | K::DuplicateKey
            | K::Huge
            | K::OtherTypes
            | K::AnswerLost
            | K::Drip
            | K::WrongEcho
            | K::EmptyEcho
            // The plan admits none of these at a submit.
            | K::NotFound
            | K::UnlistedState
            | K::RateLimited
            | K::ResetAtLine
            | K::CallbackDropped
            | K::CallbackDoubled
            | K::CallbackReordered
            | K::CallbackForged
            | K::CallbackOtherSta
            | K::CallbackResplit
            | K::CallbackMixedUp
            | K::OrderFails
            | K::NotTakenOn
            | K::FailsThenSucceeds
            | K::SucceedsThenFails => Effect::Spoil,
        }
    }

    fn refuse(
        &mut self,
        kind: K,
        mut incoming: Incoming<'_>,
        wanted: Wanted,
        paid_later: bool,
    ) -> Outcome {
        let now = incoming.now;
        // A number that is taken already can't be refused as if it were not.
        if self.order(&wanted.key()).is_some() {
            return Outcome::right(self.process(now, wanted));
        }
        self.records.entry(wanted.key()).or_default().refused = true;
        if paid_later {
            let after = self.plan.timings.late_payment;
            self.schedule_arrival(now, after, &wanted, true);
        }
        Outcome::said(kind, &refusal(&mut incoming, wanted.upstream))
    }

    fn record_submit(&mut self, incoming: &Incoming<'_>, refused: bool) {
        if incoming.order_id.is_empty() {
            return;
        }
        let upstream = incoming.call.upstream();
        let key = (upstream, incoming.order_id.clone());
        let record = self.records.entry(key).or_default();
        record.submits += 1;
        if record.order.is_none() {
            record.refused |= refused;
            record.account.clone_from(&incoming.account);
            let amount = incoming.fields.get(match upstream {
                Upstream::Juhe => "cardnum",
                Upstream::Jisu => "amount",
            });
            amount.clone_into(&mut record.amount);
        }
    }
}
