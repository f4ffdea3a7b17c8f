//! What upstreams told, as it is written down.

use std::borrow::Cow;

use recharge_core::{
    Answer, Doubt, DoubtKind, Money, NotSent, QueryOutcome, Receipt, Rejection, Sighting,
    SubmitOutcome, Unavailable, UnavailableKind, UpstreamOrderId, UpstreamState,
};
use serde::{Deserialize, Serialize};

use super::{RecordError, Text, wrong};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum SubmitShape<'a> {
    Accepted {
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        upstream_order_id: Option<Text<'a>>,
        reported: Text<'a>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cost: Option<u64>,
        answer: AnswerShape<'a>,
    },
    Rejected {
        #[serde(borrow)]
        answer: AnswerShape<'a>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        advice: Option<Text<'a>>,
    },
    NotSent {
        #[serde(borrow)]
        reason: Text<'a>,
    },
    Unknown {
        #[serde(borrow)]
        kind: Text<'a>,
        detail: Text<'a>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        answer: Option<AnswerShape<'a>>,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum QueryShape<'a> {
    Found {
        #[serde(borrow)]
        state: Text<'a>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        upstream_order_id: Option<Text<'a>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cost: Option<u64>,
        answer: AnswerShape<'a>,
    },
    NotFound {
        #[serde(borrow)]
        answer: AnswerShape<'a>,
    },
    Unavailable {
        #[serde(borrow)]
        kind: Text<'a>,
        detail: Text<'a>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        answer: Option<AnswerShape<'a>>,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AnswerShape<'a> {
    #[serde(borrow)]
    code: Text<'a>,
    message: Text<'a>,
    raw: Text<'a>,
}

impl<'a> SubmitShape<'a> {
    pub(super) fn of(outcome: &'a SubmitOutcome) -> Self {
        match outcome {
            SubmitOutcome::Accepted(receipt) => Self::Accepted {
                upstream_order_id: receipt
                    .upstream_order_id
                    .as_ref()
                    .map(|id| id.as_str().into()),
                reported: receipt.reported.as_str().into(),
                cost: receipt.cost.map(Money::thousandths),
                answer: AnswerShape::of(&receipt.answer),
            },
            SubmitOutcome::Rejected(rejection) => Self::Rejected {
                answer: AnswerShape::of(&rejection.answer),
                advice: rejection.advice.as_deref().map(Into::into),
            },
            SubmitOutcome::NotSent(not_sent) => Self::NotSent {
                reason: not_sent.reason.as_str().into(),
            },
            SubmitOutcome::Unknown(doubt) => Self::Unknown {
                kind: doubt.kind.as_str().into(),
                detail: doubt.detail.as_str().into(),
                answer: doubt.answer.as_ref().map(AnswerShape::of),
            },
        }
    }

    pub(super) fn outcome(self) -> Result<SubmitOutcome, RecordError> {
        Ok(match self {
            Self::Accepted {
                upstream_order_id,
                reported,
                cost,
                answer,
            } => {
                let mut receipt = Receipt::new(answer.answer());
                receipt.upstream_order_id = upstream_order_id
                    .map(|id| upstream_id_of(&id))
                    .transpose()?;
                receipt.reported = upstream_state_of(&reported)?;
                receipt.cost = cost.map(money_of).transpose()?;
                SubmitOutcome::Accepted(receipt)
            }
            Self::Rejected { answer, advice } => {
                let mut rejection = Rejection::new(answer.answer());
                rejection.advice = advice.map(Cow::into_owned);
                SubmitOutcome::Rejected(rejection)
            }
            Self::NotSent { reason } => SubmitOutcome::NotSent(NotSent::new(reason)),
            Self::Unknown {
                kind,
                detail,
                answer,
            } => {
                let kind = DoubtKind::parse(&kind).ok_or_else(|| wrong("kind of doubt", &kind))?;
                let mut doubt = Doubt::new(kind, detail);
                doubt.answer = answer.map(AnswerShape::answer);
                SubmitOutcome::Unknown(doubt)
            }
        })
    }
}

impl<'a> QueryShape<'a> {
    pub(super) fn of(outcome: &'a QueryOutcome) -> Self {
        match outcome {
            QueryOutcome::Found(sighting) => Self::Found {
                state: sighting.state.as_str().into(),
                upstream_order_id: sighting
                    .upstream_order_id
                    .as_ref()
                    .map(|id| id.as_str().into()),
                cost: sighting.cost.map(Money::thousandths),
                answer: AnswerShape::of(&sighting.answer),
            },
            QueryOutcome::NotFound(answer) => Self::NotFound {
                answer: AnswerShape::of(answer),
            },
            QueryOutcome::Unavailable(trouble) => Self::Unavailable {
                kind: trouble.kind.as_str().into(),
                detail: trouble.detail.as_str().into(),
                answer: trouble.answer.as_ref().map(AnswerShape::of),
            },
        }
    }

    pub(super) fn outcome(self) -> Result<QueryOutcome, RecordError> {
        Ok(match self {
            Self::Found {
                state,
                upstream_order_id,
                cost,
                answer,
            } => {
                let mut sighting = Sighting::new(upstream_state_of(&state)?, answer.answer());
                sighting.upstream_order_id = upstream_order_id
                    .map(|id| upstream_id_of(&id))
                    .transpose()?;
                sighting.cost = cost.map(money_of).transpose()?;
                QueryOutcome::Found(sighting)
            }
            Self::NotFound { answer } => QueryOutcome::NotFound(answer.answer()),
            Self::Unavailable {
                kind,
                detail,
                answer,
            } => {
                let kind =
                    UnavailableKind::parse(&kind).ok_or_else(|| wrong("kind of trouble", &kind))?;
                let mut trouble = Unavailable::new(kind, detail);
                trouble.answer = answer.map(AnswerShape::answer);
                QueryOutcome::Unavailable(trouble)
            }
        })
    }
}

impl<'a> AnswerShape<'a> {
    fn of(answer: &'a Answer) -> Self {
        Self {
            code: answer.code.as_str().into(),
            message: answer.message.as_str().into(),
            raw: answer.raw.as_str().into(),
        }
    }

    fn answer(self) -> Answer {
        Answer::restored(
            self.code.into_owned(),
            self.message.into_owned(),
            self.raw.into_owned(),
        )
    }
}

pub(super) fn upstream_id_of(text: &str) -> Result<UpstreamOrderId, RecordError> {
    UpstreamOrderId::parse(text).map_err(|_| wrong("upstream's number", text))
}

pub(super) fn upstream_state_of(text: &str) -> Result<UpstreamState, RecordError> {
    UpstreamState::parse(text).ok_or_else(|| wrong("upstream's state", text))
}

pub(super) fn money_of(thousandths: u64) -> Result<Money, RecordError> {
    Money::from_thousandths(thousandths).ok_or_else(|| wrong("amount", &thousandths.to_string()))
}
