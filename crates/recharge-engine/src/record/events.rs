//! Events, as they are written down.

use recharge_core::{AttemptNumber, ProviderId};
use serde::{Deserialize, Serialize};

use super::outcomes::{self, QueryShape, SubmitShape};
use super::people::{DecisionShape, PersonShape};
use super::{RecordError, Text, from_moment, moment, state_of, state_text, wrong};
use crate::{Cause, Event, Price, Purpose, SendToken, WallTime};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum EventShape<'a> {
    SendIntended {
        attempt: u32,
        #[serde(borrow)]
        number: Text<'a>,
        provider: Text<'a>,
        token: Text<'a>,
    },
    SendEnded {
        attempt: u32,
        #[serde(borrow)]
        token: Text<'a>,
        outcome: SubmitShape<'a>,
    },
    Answered {
        attempt: u32,
        asked: (i64, u64, u64),
        #[serde(borrow)]
        purpose: Text<'a>,
        outcome: QueryShape<'a>,
        #[serde(default, skip_serializing_if = "is_false")]
        confirms_failure: bool,
        #[serde(default, skip_serializing_if = "is_false")]
        after_quarantine: bool,
        #[serde(default, skip_serializing_if = "is_false")]
        completes_round: bool,
    },
    CallbackSeen {
        attempt: u32,
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        upstream_order_id: Option<Text<'a>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        claims: Option<Text<'a>>,
        asks: bool,
    },
    Approved {
        #[serde(borrow)]
        decision: DecisionShape<'a>,
    },
    Decided {
        #[serde(borrow)]
        decision: DecisionShape<'a>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        approved_by: Option<PersonShape<'a>>,
    },
    AskedAgain {
        #[serde(borrow)]
        by: PersonShape<'a>,
    },
    Moved {
        #[serde(borrow)]
        to: Text<'a>,
        cause: Text<'a>,
    },
    Recovered,
    Held,
    Probed {
        attempt: u32,
        #[serde(borrow)]
        provider: Text<'a>,
        asked: (i64, u64, u64),
        outcome: QueryShape<'a>,
    },
    Adopted {
        attempt: u32,
        #[serde(borrow)]
        number: Text<'a>,
        provider: Text<'a>,
    },
    Priced {
        #[serde(borrow)]
        provider: Text<'a>,
        price: PriceShape<'a>,
        passes: bool,
    },
    Scheduled {
        due: Option<i64>,
    },
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands it by reference"
)]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum PriceShape<'a> {
    /// In thousandths of a yuan.
    Known(u64),
    NoQuote,
    Unavailable(#[serde(borrow)] Text<'a>),
}

impl<'a> EventShape<'a> {
    #[expect(clippy::too_many_lines, reason = "one arm an event")]
    pub(super) fn of(event: &'a Event) -> Self {
        match event {
            Event::SendIntended {
                attempt,
                number,
                provider,
                token,
            } => Self::SendIntended {
                attempt: *attempt,
                number: number.as_str().into(),
                provider: provider.as_str().into(),
                token: token_text(*token).into(),
            },
            Event::SendEnded {
                attempt,
                token,
                outcome,
            } => Self::SendEnded {
                attempt: *attempt,
                token: token_text(*token).into(),
                outcome: SubmitShape::of(outcome),
            },
            Event::Answered {
                attempt,
                asked,
                purpose,
                outcome,
                confirms_failure,
                after_quarantine,
                completes_round,
            } => Self::Answered {
                attempt: *attempt,
                asked: moment(*asked),
                purpose: purpose.as_str().into(),
                outcome: QueryShape::of(outcome),
                confirms_failure: *confirms_failure,
                after_quarantine: *after_quarantine,
                completes_round: *completes_round,
            },
            Event::CallbackSeen {
                attempt,
                upstream_order_id,
                claims,
                asks,
            } => Self::CallbackSeen {
                attempt: *attempt,
                upstream_order_id: upstream_order_id.as_ref().map(|id| id.as_str().into()),
                claims: claims.map(|state| state.as_str().into()),
                asks: *asks,
            },
            Event::Approved { decision } => Self::Approved {
                decision: DecisionShape::of(decision),
            },
            Event::Decided {
                decision,
                approved_by,
            } => Self::Decided {
                decision: DecisionShape::of(decision),
                approved_by: approved_by.as_ref().map(PersonShape::of),
            },
            Event::AskedAgain { by } => Self::AskedAgain {
                by: PersonShape::of(by),
            },
            Event::Moved { to, cause } => Self::Moved {
                to: state_text(*to),
                cause: cause.as_str().into(),
            },
            Event::Recovered => Self::Recovered,
            Event::Held => Self::Held,
            Event::Probed {
                attempt,
                provider,
                asked,
                outcome,
            } => Self::Probed {
                attempt: *attempt,
                provider: provider.as_str().into(),
                asked: moment(*asked),
                outcome: QueryShape::of(outcome),
            },
            Event::Adopted {
                attempt,
                number,
                provider,
            } => Self::Adopted {
                attempt: *attempt,
                number: number.as_str().into(),
                provider: provider.as_str().into(),
            },
            Event::Priced {
                provider,
                price,
                passes,
            } => Self::Priced {
                provider: provider.as_str().into(),
                price: match price {
                    Price::Known(price) => PriceShape::Known(price.thousandths()),
                    Price::NoQuote => PriceShape::NoQuote,
                    Price::Unavailable(why) => PriceShape::Unavailable(why.into()),
                },
                passes: *passes,
            },
            Event::Scheduled { due } => Self::Scheduled {
                due: due.map(WallTime::millis),
            },
        }
    }

    #[expect(clippy::too_many_lines, reason = "one arm an event")]
    pub(super) fn event(self) -> Result<Event, RecordError> {
        Ok(match self {
            Self::SendIntended {
                attempt,
                number,
                provider,
                token,
            } => Event::SendIntended {
                attempt,
                number: number_of(&number)?,
                provider: provider_of(&provider)?,
                token: token_of(&token)?,
            },
            Self::SendEnded {
                attempt,
                token,
                outcome,
            } => Event::SendEnded {
                attempt,
                token: token_of(&token)?,
                outcome: outcome.outcome()?,
            },
            Self::Answered {
                attempt,
                asked,
                purpose,
                outcome,
                confirms_failure,
                after_quarantine,
                completes_round,
            } => Event::Answered {
                attempt,
                asked: from_moment(asked),
                purpose: Purpose::parse(&purpose).ok_or_else(|| wrong("purpose", &purpose))?,
                outcome: outcome.outcome()?,
                confirms_failure,
                after_quarantine,
                completes_round,
            },
            Self::CallbackSeen {
                attempt,
                upstream_order_id,
                claims,
                asks,
            } => Event::CallbackSeen {
                attempt,
                upstream_order_id: upstream_order_id
                    .map(|id| outcomes::upstream_id_of(&id))
                    .transpose()?,
                claims: claims
                    .map(|state| outcomes::upstream_state_of(&state))
                    .transpose()?,
                asks,
            },
            Self::Approved { decision } => Event::Approved {
                decision: decision.decision()?,
            },
            Self::Decided {
                decision,
                approved_by,
            } => Event::Decided {
                decision: decision.decision()?,
                approved_by: approved_by.map(PersonShape::person).transpose()?,
            },
            Self::AskedAgain { by } => Event::AskedAgain { by: by.person()? },
            Self::Moved { to, cause } => Event::Moved {
                to: state_of(&to)?,
                cause: Cause::parse(&cause).ok_or_else(|| wrong("cause", &cause))?,
            },
            Self::Recovered => Event::Recovered,
            Self::Held => Event::Held,
            Self::Probed {
                attempt,
                provider,
                asked,
                outcome,
            } => Event::Probed {
                attempt,
                provider: provider_of(&provider)?,
                asked: from_moment(asked),
                outcome: outcome.outcome()?,
            },
            Self::Adopted {
                attempt,
                number,
                provider,
            } => Event::Adopted {
                attempt,
                number: number_of(&number)?,
                provider: provider_of(&provider)?,
            },
            Self::Priced {
                provider,
                price,
                passes,
            } => Event::Priced {
                provider: provider_of(&provider)?,
                price: match price {
                    PriceShape::Known(price) => Price::Known(outcomes::money_of(price)?),
                    PriceShape::NoQuote => Price::NoQuote,
                    PriceShape::Unavailable(why) => Price::Unavailable(why.into_owned()),
                },
                passes,
            },
            Self::Scheduled { due } => Event::Scheduled {
                due: due.map(WallTime::from_millis),
            },
        })
    }
}

fn number_of(text: &str) -> Result<AttemptNumber, RecordError> {
    AttemptNumber::parse(text).map_err(|_| wrong("attempt number", text))
}

pub(super) fn provider_of(text: &str) -> Result<ProviderId, RecordError> {
    ProviderId::parse(text).map_err(|_| wrong("provider", text))
}

fn token_text(token: SendToken) -> String {
    format!("{:032x}", token.0)
}

fn token_of(text: &str) -> Result<SendToken, RecordError> {
    u128::from_str_radix(text, 16)
        .ok()
        .map(SendToken)
        // In one way only.
        .filter(|token| token_text(*token) == text)
        .ok_or_else(|| wrong("send token", text))
}
