//! The simulator's fault for each situation.

use recharge_sim::FaultKind;

use crate::provider::{OnQuery, OnSubmit};

/// For a situation of a submit; `None` where the fault is in the connection. Where there are several
/// such faults, `is_even` chooses.
pub(super) const fn of_submit(situation: OnSubmit, is_even: bool) -> Option<FaultKind> {
    Some(match situation {
        OnSubmit::NoConnection | OnSubmit::ClosedAtAccept => return None,
        OnSubmit::Reset => FaultKind::Reset,
        OnSubmit::AnswerLost => FaultKind::AnswerLost,
        OnSubmit::NeverAnswered => FaultKind::TimeoutBefore,
        OnSubmit::NeverAnsweredTaken => FaultKind::TimeoutAfter,
        OnSubmit::TakenLate => FaultKind::DelayedAcceptance,
        OnSubmit::CutOff => FaultKind::CutOff,
        OnSubmit::ServerError => FaultKind::ServerError,
        OnSubmit::ServerErrorTaken => FaultKind::ServerErrorTaken,
        OnSubmit::Html => FaultKind::Html,
        OnSubmit::HtmlTaken => FaultKind::HtmlTaken,
        OnSubmit::Truncated => FaultKind::Truncated,
        OnSubmit::Garbled => FaultKind::Garbled,
        OnSubmit::WrongTyped => FaultKind::WrongTyped,
        OnSubmit::DuplicateKey => FaultKind::DuplicateKey,
        OnSubmit::Huge => FaultKind::Huge,
        OnSubmit::Dripping => FaultKind::Drip,
        OnSubmit::OtherTypes => FaultKind::OtherTypes,
        OnSubmit::EmptyEcho => FaultKind::EmptyEcho,
        OnSubmit::WrongEcho => FaultKind::WrongEcho,
        OnSubmit::RepeatedPacket => FaultKind::RepeatedPacket,
        OnSubmit::Refused => FaultKind::Refused,
        OnSubmit::SystemError => FaultKind::SystemError,
        OnSubmit::SystemErrorTaken => FaultKind::SystemErrorTaken,
        OnSubmit::SoundsFailed if is_even => FaultKind::RechargeFailed,
        OnSubmit::SoundsFailed => FaultKind::RequestFailed,
        OnSubmit::SoundsFailedTaken if is_even => FaultKind::RechargeFailedTaken,
        OnSubmit::SoundsFailedTaken => FaultKind::RequestFailedTaken,
        OnSubmit::UnlistedCode => FaultKind::UnlistedCode,
        OnSubmit::UnlistedCodeTaken => FaultKind::UnlistedCodeTaken,
        OnSubmit::DuplicateCode => FaultKind::DuplicateCode,
        OnSubmit::DuplicateCodeTaken => FaultKind::DuplicateCodeTaken,
    })
}

/// For a situation of a query; `None` where there is none to inject.
pub(super) const fn of_query(situation: OnQuery) -> Option<FaultKind> {
    Some(match situation {
        OnQuery::NeverReceived | OnQuery::NoConnection => return None,
        OnQuery::NotFoundOnce => FaultKind::NotFound,
        OnQuery::AnswerLost => FaultKind::AnswerLost,
        OnQuery::NeverAnswered => FaultKind::TimeoutBefore,
        OnQuery::CutOff => FaultKind::CutOff,
        OnQuery::ServerError => FaultKind::ServerError,
        OnQuery::Html => FaultKind::Html,
        OnQuery::Truncated => FaultKind::Truncated,
        OnQuery::Garbled => FaultKind::Garbled,
        OnQuery::WrongTyped => FaultKind::WrongTyped,
        OnQuery::DuplicateKey => FaultKind::DuplicateKey,
        OnQuery::Huge => FaultKind::Huge,
        OnQuery::Dripping => FaultKind::Drip,
        OnQuery::OtherTypes => FaultKind::OtherTypes,
        OnQuery::WrongEcho => FaultKind::WrongEcho,
        OnQuery::SystemError => FaultKind::SystemError,
        OnQuery::UnlistedCode => FaultKind::UnlistedCode,
        OnQuery::UnlistedState => FaultKind::UnlistedState,
        OnQuery::RateLimited => FaultKind::RateLimited,
    })
}
