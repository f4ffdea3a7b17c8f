//! What the stub does in each situation, as data: so that it can be said beforehand whether the wire has
//! the words for it.

use recharge_http::{Certainty, TransportErrorKind};

use super::Form;
use crate::provider::{OnQuery, OnSubmit};

/// What comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// No answer.
    Broken(Certainty, TransportErrorKind),
    /// A page of HTML with this status.
    Html(u16),
    /// Words about no order.
    Words(Word),
    /// The true answer.
    Truth,
    /// The true answer, cut in its middle.
    Half,
    /// The true answer, with bytes that are no text.
    Garbled,
    /// The true answer in another form.
    Varied(Form),
    /// The answer about an order with another number or account.
    Another,
    /// A state that no document lists.
    UnlistedState,
}

/// Words about no order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    NoSuchOrder,
    Refused,
    Duplicate,
    SystemError,
    SoundsFailed,
    UnlistedCode,
    RateLimited,
}

const REFUSED: Effect = Effect::Broken(Certainty::NotSent, TransportErrorKind::Connect);
const CLOSED: Effect = Effect::Broken(Certainty::MaybeSent, TransportErrorKind::Closed);
const SILENT: Effect = Effect::Broken(Certainty::MaybeSent, TransportErrorKind::Timeout);
const TOO_LARGE: Effect = Effect::Broken(Certainty::MaybeSent, TransportErrorKind::TooLarge);

impl Effect {
    pub(super) const fn of_submit(situation: OnSubmit) -> Self {
        match situation {
            OnSubmit::NoConnection => REFUSED,
            OnSubmit::ClosedAtAccept
            | OnSubmit::Reset
            | OnSubmit::AnswerLost
            | OnSubmit::CutOff => CLOSED,
            OnSubmit::NeverAnswered | OnSubmit::NeverAnsweredTaken | OnSubmit::TakenLate => SILENT,
            OnSubmit::ServerError | OnSubmit::ServerErrorTaken => Self::Html(503),
            OnSubmit::Html | OnSubmit::HtmlTaken => Self::Html(200),
            OnSubmit::Truncated => Self::Half,
            OnSubmit::Garbled => Self::Garbled,
            OnSubmit::WrongTyped => Self::Varied(Form::WrongTyped),
            OnSubmit::DuplicateKey => Self::Varied(Form::DuplicateKey),
            OnSubmit::Huge => TOO_LARGE,
            OnSubmit::Dripping | OnSubmit::RepeatedPacket => Self::Truth,
            OnSubmit::OtherTypes => Self::Varied(Form::OtherTypes),
            OnSubmit::EmptyEcho => Self::Varied(Form::EmptyEcho),
            OnSubmit::WrongEcho => Self::Another,
            OnSubmit::Refused => Self::Words(Word::Refused),
            OnSubmit::SystemError | OnSubmit::SystemErrorTaken => Self::Words(Word::SystemError),
            OnSubmit::SoundsFailed | OnSubmit::SoundsFailedTaken => Self::Words(Word::SoundsFailed),
            OnSubmit::UnlistedCode | OnSubmit::UnlistedCodeTaken => Self::Words(Word::UnlistedCode),
            OnSubmit::DuplicateCode | OnSubmit::DuplicateCodeTaken => Self::Words(Word::Duplicate),
        }
    }

    pub(super) const fn of_query(situation: OnQuery) -> Self {
        match situation {
            OnQuery::NeverReceived | OnQuery::NotFoundOnce => Self::Words(Word::NoSuchOrder),
            OnQuery::NoConnection => REFUSED,
            OnQuery::AnswerLost | OnQuery::CutOff => CLOSED,
            OnQuery::NeverAnswered => SILENT,
            OnQuery::ServerError => Self::Html(503),
            OnQuery::Html => Self::Html(200),
            OnQuery::Truncated => Self::Half,
            OnQuery::Garbled => Self::Garbled,
            OnQuery::WrongTyped => Self::Varied(Form::WrongTyped),
            OnQuery::DuplicateKey => Self::Varied(Form::DuplicateKey),
            OnQuery::Huge => TOO_LARGE,
            OnQuery::Dripping => Self::Truth,
            OnQuery::OtherTypes => Self::Varied(Form::OtherTypes),
            OnQuery::WrongEcho => Self::Another,
            OnQuery::SystemError => Self::Words(Word::SystemError),
            OnQuery::UnlistedCode => Self::Words(Word::UnlistedCode),
            OnQuery::UnlistedState => Self::UnlistedState,
            OnQuery::RateLimited => Self::Words(Word::RateLimited),
        }
    }
}
