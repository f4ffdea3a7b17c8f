//! How an answer is spoilt on its way, and the answers that only faults give.

use crate::answer::Answer;
use crate::config::Upstream;
use crate::faults::FaultKind as K;
use crate::message::{Delivery, Reply};
use crate::world::{Incoming, World};
use crate::{jisu, juhe};

/// In how many pieces a dripping answer comes.
const PIECES: usize = 40;

/// A reply, the code of the answer behind it, and the fault that really struck.
pub(crate) struct Outcome {
    pub(crate) reply: Reply,
    pub(crate) code: Option<i64>,
    pub(crate) hit: Option<K>,
}

impl Outcome {
    /// The true answer.
    pub(crate) fn right(answer: Answer) -> Self {
        Self {
            code: Some(answer.code),
            reply: Reply::json(answer.body),
            hit: None,
        }
    }

    /// Another reply than the answer's.
    pub(crate) fn hit(kind: K, answer: &Answer, reply: Reply) -> Self {
        Self {
            code: Some(answer.code),
            reply,
            hit: Some(kind),
        }
    }

    /// This answer, though it is a fault's.
    pub(crate) fn said(kind: K, answer: &Answer) -> Self {
        Self::hit(kind, answer, Reply::json(answer.body.clone()))
    }

    /// Nothing was worked out.
    pub(crate) fn skipped(kind: K, reply: Reply) -> Self {
        Self {
            code: None,
            reply,
            hit: Some(kind),
        }
    }
}

impl World {
    /// Sends the answer in the way that the fault wants, if it is one that spoils answers.
    pub(crate) fn spoil(&self, mut incoming: Incoming<'_>, answer: Answer) -> Outcome {
        let Some(kind) = incoming.fault else {
            return Outcome::right(answer);
        };
        match self.spoilt(kind, &mut incoming, &answer) {
            Some(reply) => Outcome::hit(kind, &answer, reply),
            None => Outcome::right(answer),
        }
    }

    fn spoilt(&self, kind: K, incoming: &mut Incoming<'_>, answer: &Answer) -> Option<Reply> {
        let upstream = incoming.call.upstream();
        let timings = self.plan.timings;
        let whole = || Reply::json(answer.body.clone());
        Some(match kind {
            K::ServerError => server_error(incoming),
            K::Html => Reply::html(200),
            K::TimeoutBefore => Reply::nothing(Delivery::Silence(timings.timeout_hold)),
            K::Reset | K::AnswerLost => Reply::nothing(Delivery::Reset),
            K::SystemError => Reply::json(system_error(upstream).body),
            K::UnlistedCode => Reply::json(unlisted(upstream).body),
            K::RateLimited => Reply::json(rate_limited(incoming).body),
            K::Truncated => Reply::json(answer.truncated()),
            K::CutOff => whole().delivered(Delivery::CutOff(answer.body.len() / 2)),
            K::Garbled => Reply::json(answer.garbled()),
            K::WrongTyped => Reply::json(answer.wrong_typed(upstream)),
            K::DuplicateKey => Reply::json(answer.duplicate_key(upstream)),
            K::Huge => Reply::json(answer.huge()),
            K::OtherTypes => Reply::json(answer.other_types()),
            K::Drip => {
                let piece = answer.body.len().div_ceil(PIECES).max(1);
                whole().delivered(Delivery::Drip(piece, timings.drip_gap))
            }
            K::WrongEcho => {
                let names: &[&str] = match incoming.dice.pick(&[true, false]) {
                    Some(true) => &["game_userid", "mobile", "tel", "account"],
                    Some(false) | None => &["uorderid", "outorderno"],
                };
                Reply::json(answer.with_fields(names, None))
            }
            K::EmptyEcho => Reply::json(answer.with_fields(&["outorderno"], Some(&"".into()))),
            K::UnlistedState => Reply::json(
                answer.with_fields(&["game_state", "rechargestatus"], Some(&"7".into())),
            ),
            // These do more than spoil an answer, so they are dealt with where they strike. Of a
            // submit that is refused by right there is nothing for them to do.
            K::ServerErrorTaken
            | K::HtmlTaken
            | K::TimeoutAfter
            | K::DelayedAcceptance
            | K::SystemErrorTaken
            | K::DuplicateCode
            | K::DuplicateCodeTaken
            | K::RechargeFailed
            | K::RechargeFailedTaken
            | K::RequestFailed
            | K::RequestFailedTaken
            | K::UnlistedCodeTaken
            | K::Refused
            | K::RepeatedPacket
            | K::RepeatedPacketSecond
            | K::RepeatedPacketRefused
            | K::LatePayment
            | K::NotFound
            | K::ResetAtLine
            | K::CallbackDropped
            | K::CallbackDoubled
            | K::CallbackReordered
            | K::CallbackForged
            | K::CallbackOtherSta
            | K::CallbackResplit
            | K::CallbackMixedUp
            | K::CallbackEarly
            | K::OrderFails
            | K::NotTakenOn
            | K::FailsThenSucceeds
            | K::SucceedsThenFails => return None,
        })
    }
}

pub(crate) fn server_error(incoming: &mut Incoming<'_>) -> Reply {
    Reply::html(incoming.dice.pick(&[500, 502, 503, 504]).unwrap_or(500))
}

pub(crate) fn system_error(upstream: Upstream) -> Answer {
    match upstream {
        Upstream::Juhe => juhe::error(10_014),
        Upstream::Jisu => jisu::error(210),
    }
}

pub(crate) fn duplicate(upstream: Upstream) -> Answer {
    match upstream {
        Upstream::Juhe => juhe::error(208_516),
        Upstream::Jisu => jisu::error(212),
    }
}

/// A code that no document lists.
pub(crate) fn unlisted(upstream: Upstream) -> Answer {
    match upstream {
        Upstream::Juhe => juhe::error(299_999),
        Upstream::Jisu => jisu::error(999),
    }
}

/// A code that says plainly: not accepted.
pub(crate) fn refusal(incoming: &mut Incoming<'_>, upstream: Upstream) -> Answer {
    let dice = &mut incoming.dice;
    match upstream {
        Upstream::Juhe => juhe::error(
            dice.pick(&[208_501, 208_503, 208_517, 10_012, 10_020])
                .unwrap_or(208_503),
        ),
        Upstream::Jisu => jisu::error(dice.pick(&[207, 208, 104, 107]).unwrap_or(208)),
    }
}

/// A code that says: not now.
fn rate_limited(incoming: &mut Incoming<'_>) -> Answer {
    let dice = &mut incoming.dice;
    match incoming.call.upstream() {
        Upstream::Juhe => juhe::error(dice.pick(&[10_011, 10_012, 10_020]).unwrap_or(10_012)),
        Upstream::Jisu => jisu::error(dice.pick(&[104, 106, 107]).unwrap_or(104)),
    }
}
