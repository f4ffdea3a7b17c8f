//! Ready-made fault plans.

use crate::faults::{FaultKind as K, Stage};
use crate::plan::FaultPlan;

/// A ready-made fault plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Preset {
    /// Nothing goes wrong: every valid order succeeds.
    #[default]
    Off,
    /// A bad day: about a tenth of the calls.
    Mild,
    /// At least 30 % of the calls are hit, and callbacks can't be trusted. Yet a confirmed end is
    /// never contradicted, and a number that was refused without being taken is never taken later.
    Hostile,
    /// As mild, and the upstream takes back what it said: failed orders that are paid later,
    /// succeeded ones that fail, refused ones that are paid.
    Liar,
}

impl Preset {
    /// Every preset.
    pub const ALL: [Self; 4] = [Self::Off, Self::Mild, Self::Hostile, Self::Liar];

    /// The name on the command line and in files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Mild => "mild",
            Self::Hostile => "hostile",
            Self::Liar => "liar",
        }
    }

    /// The preset of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|preset| preset.as_str() == name)
    }

    /// The plan, with the default [`Timings`](crate::Timings).
    pub fn plan(self) -> FaultPlan {
        let mut plan = FaultPlan::off();
        for table in self.tables() {
            for (stage, kind, thousandths) in *table {
                // The tables are checked by a test: a row that did not fit would fail there.
                let _ = plan.set_millionths(*stage, *kind, thousandths * 1000);
            }
        }
        plan
    }

    fn tables(self) -> &'static [&'static [(Stage, K, u32)]] {
        match self {
            Self::Off => &[],
            Self::Mild => &[MILD],
            Self::Hostile => &[HOSTILE],
            Self::Liar => &[MILD, LIES],
        }
    }
}

/// Stage, kind, thousandths of the calls at this stage.
const MILD: &[(Stage, K, u32)] = &[
    (Stage::Submit, K::ServerError, 10),
    (Stage::Submit, K::ServerErrorTaken, 5),
    (Stage::Submit, K::Html, 5),
    (Stage::Submit, K::Truncated, 5),
    (Stage::Submit, K::AnswerLost, 10),
    (Stage::Submit, K::TimeoutBefore, 5),
    (Stage::Submit, K::TimeoutAfter, 10),
    (Stage::Submit, K::SystemError, 5),
    (Stage::Submit, K::SystemErrorTaken, 5),
    (Stage::Submit, K::Refused, 15),
    (Stage::Submit, K::RepeatedPacket, 10),
    (Stage::Submit, K::OtherTypes, 15),
    (Stage::Submit, K::EmptyEcho, 10),
    (Stage::Query, K::ServerError, 15),
    (Stage::Query, K::Html, 5),
    (Stage::Query, K::AnswerLost, 10),
    (Stage::Query, K::TimeoutBefore, 5),
    (Stage::Query, K::SystemError, 10),
    (Stage::Query, K::RateLimited, 20),
    (Stage::Query, K::NotFound, 20),
    (Stage::Query, K::OtherTypes, 15),
    (Stage::Read, K::ServerError, 20),
    (Stage::Read, K::RateLimited, 30),
    (Stage::Read, K::AnswerLost, 10),
    (Stage::Read, K::OtherTypes, 20),
    (Stage::Callback, K::CallbackDropped, 50),
    (Stage::Callback, K::CallbackDoubled, 50),
    (Stage::Callback, K::CallbackReordered, 50),
    (Stage::End, K::OrderFails, 40),
    (Stage::End, K::NotTakenOn, 10),
    (Stage::RequestLine, K::ResetAtLine, 5),
];

const HOSTILE: &[(Stage, K, u32)] = &[
    (Stage::Submit, K::ServerError, 15),
    (Stage::Submit, K::ServerErrorTaken, 15),
    (Stage::Submit, K::Html, 10),
    (Stage::Submit, K::HtmlTaken, 10),
    (Stage::Submit, K::Truncated, 15),
    (Stage::Submit, K::CutOff, 15),
    (Stage::Submit, K::Garbled, 10),
    (Stage::Submit, K::WrongTyped, 10),
    (Stage::Submit, K::DuplicateKey, 10),
    (Stage::Submit, K::Huge, 5),
    (Stage::Submit, K::OtherTypes, 20),
    (Stage::Submit, K::AnswerLost, 20),
    (Stage::Submit, K::TimeoutBefore, 15),
    (Stage::Submit, K::TimeoutAfter, 20),
    (Stage::Submit, K::DelayedAcceptance, 20),
    (Stage::Submit, K::Drip, 10),
    (Stage::Submit, K::Reset, 10),
    (Stage::Submit, K::SystemError, 15),
    (Stage::Submit, K::SystemErrorTaken, 15),
    (Stage::Submit, K::DuplicateCode, 10),
    (Stage::Submit, K::DuplicateCodeTaken, 10),
    (Stage::Submit, K::RechargeFailed, 10),
    (Stage::Submit, K::RechargeFailedTaken, 10),
    (Stage::Submit, K::RequestFailed, 10),
    (Stage::Submit, K::RequestFailedTaken, 10),
    (Stage::Submit, K::UnlistedCode, 5),
    (Stage::Submit, K::UnlistedCodeTaken, 5),
    (Stage::Submit, K::Refused, 30),
    (Stage::Submit, K::WrongEcho, 15),
    (Stage::Submit, K::EmptyEcho, 10),
    (Stage::Submit, K::RepeatedPacket, 15),
    (Stage::Submit, K::RepeatedPacketSecond, 15),
    (Stage::Submit, K::RepeatedPacketRefused, 10),
    (Stage::Submit, K::CallbackEarly, 20),
    (Stage::Query, K::ServerError, 35),
    (Stage::Query, K::Html, 20),
    (Stage::Query, K::Truncated, 20),
    (Stage::Query, K::CutOff, 20),
    (Stage::Query, K::Garbled, 15),
    (Stage::Query, K::WrongTyped, 15),
    (Stage::Query, K::DuplicateKey, 15),
    (Stage::Query, K::Huge, 5),
    (Stage::Query, K::OtherTypes, 25),
    (Stage::Query, K::AnswerLost, 25),
    (Stage::Query, K::TimeoutBefore, 20),
    (Stage::Query, K::Drip, 10),
    (Stage::Query, K::Reset, 10),
    (Stage::Query, K::SystemError, 30),
    (Stage::Query, K::UnlistedCode, 10),
    (Stage::Query, K::UnlistedState, 20),
    (Stage::Query, K::RateLimited, 45),
    (Stage::Query, K::WrongEcho, 10),
    (Stage::Query, K::NotFound, 100),
    (Stage::Read, K::ServerError, 50),
    (Stage::Read, K::Html, 30),
    (Stage::Read, K::Truncated, 30),
    (Stage::Read, K::CutOff, 30),
    (Stage::Read, K::Garbled, 20),
    (Stage::Read, K::WrongTyped, 20),
    (Stage::Read, K::DuplicateKey, 20),
    (Stage::Read, K::Huge, 5),
    (Stage::Read, K::OtherTypes, 30),
    (Stage::Read, K::AnswerLost, 30),
    (Stage::Read, K::TimeoutBefore, 20),
    (Stage::Read, K::Drip, 15),
    (Stage::Read, K::SystemError, 30),
    (Stage::Read, K::RateLimited, 50),
    (Stage::Callback, K::CallbackDropped, 150),
    (Stage::Callback, K::CallbackDoubled, 150),
    (Stage::Callback, K::CallbackReordered, 150),
    (Stage::Callback, K::CallbackForged, 100),
    (Stage::Callback, K::CallbackOtherSta, 100),
    (Stage::Callback, K::CallbackResplit, 100),
    (Stage::Callback, K::CallbackMixedUp, 50),
    (Stage::End, K::OrderFails, 120),
    (Stage::End, K::NotTakenOn, 40),
    (Stage::RequestLine, K::ResetAtLine, 15),
];

/// What the liar does on top of a bad day.
const LIES: &[(Stage, K, u32)] = &[
    (Stage::Submit, K::LatePayment, 80),
    (Stage::End, K::FailsThenSucceeds, 150),
    (Stage::End, K::SucceedsThenFails, 100),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Upstream;

    #[test]
    fn every_row_of_every_preset_fits_its_stage_and_the_sum() {
        for preset in Preset::ALL {
            let rows: Vec<_> = preset.tables().concat();
            let plan = preset.plan();
            assert_eq!(
                plan.rates().count(),
                rows.len(),
                "{preset:?}: a row was refused"
            );
            for (stage, kind, thousandths) in rows {
                assert!(
                    plan.rates()
                        .any(|row| row == (stage, kind, thousandths * 1000))
                );
            }
        }
    }

    #[test]
    fn only_the_liar_lies() {
        let lies = [K::LatePayment, K::FailsThenSucceeds, K::SucceedsThenFails];
        for preset in Preset::ALL {
            let tells = preset
                .plan()
                .rates()
                .any(|(_, kind, _)| lies.contains(&kind));
            assert_eq!(tells, preset == Preset::Liar, "{preset:?}");
        }
    }

    #[test]
    fn hostile_uses_every_honest_kind() {
        let plan = Preset::Hostile.plan();
        let lies = [K::LatePayment, K::FailsThenSucceeds, K::SucceedsThenFails];
        for kind in K::ALL.iter().filter(|kind| !lies.contains(kind)) {
            assert!(
                plan.rates().any(|(_, used, _)| used == *kind),
                "{kind} is never used"
            );
        }
    }

    /// What the table promises; that the world keeps it is counted in `tests/presets.rs`.
    #[test]
    fn hostile_promises_more_than_thirty_percent_at_every_stage_of_both_upstreams() {
        let plan = Preset::Hostile.plan();
        for stage in [Stage::Submit, Stage::Query, Stage::Read] {
            for upstream in Upstream::ALL {
                let sum: u32 = plan
                    .rates()
                    // A "not found" can strike only before the order was shown.
                    .filter(|(at, kind, _)| {
                        *at == stage && kind.applies(stage, upstream) && *kind != K::NotFound
                    })
                    .map(|(_, _, rate)| rate)
                    .sum();
                assert!(sum >= 330_000, "{upstream} {stage:?}: {sum}");
            }
        }
    }
}
