//! How events are written down: as JSON, one record a step.
//!
//! A record is read years after it was written, perhaps by somebody with nothing but `sqlite3`. So every
//! shape has names of its own here, apart from the Rust types, and a snapshot of each in the tests: to
//! change one is to change the format of every file there is.

use std::borrow::Cow;
use std::time::Duration;

use recharge_core::{OrderState, ReviewReason};
use serde::{Deserialize, Serialize};

use crate::{Alarm, Epoch, Moment, Recorded, WallTime};

mod events;
mod names;
mod outcomes;
mod people;

use events::EventShape;

/// Why a record can't be read: it is not what was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// Not JSON of this shape.
    #[error("a record of the log can't be read: {0}")]
    Json(#[from] serde_json::Error),
    /// More than one record would hold.
    #[error(
        "these events are not those of one step: their moments differ, or versions are missing"
    )]
    NotOneStep,
    /// A value that can't be.
    #[error("a record of the log holds {value:?}, which is no {what}")]
    Value {
        /// What it should be.
        what: &'static str,
        /// What it is.
        value: String,
    },
}

fn wrong(what: &'static str, value: &str) -> RecordError {
    let value = value.chars().take(64).collect();
    RecordError::Value { what, value }
}

/// Writes the events of one step. They have one moment, and versions without gaps; others are an error,
/// because they would be read back as something else.
pub fn encode(events: &[Recorded]) -> Result<String, RecordError> {
    let Some(first) = events.first() else {
        return Ok(String::new());
    };
    let follows = |pair: &[Recorded]| match pair {
        [before, after] => {
            before.at == after.at && before.version.checked_add(1) == Some(after.version)
        }
        _ => false,
    };
    if !events.windows(2).all(follows) {
        return Err(RecordError::NotOneStep);
    }
    let record = Record {
        first: first.version,
        at: moment(first.at),
        events: events.iter().map(|e| EventShape::of(&e.event)).collect(),
    };
    Ok(serde_json::to_string(&record)?)
}

/// Reads what [`encode`] wrote.
pub fn decode(text: &str) -> Result<Vec<Recorded>, RecordError> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let Record { first, at, events } = serde_json::from_str(text)?;
    let at = from_moment(at);
    let recorded = |(offset, shape): (u64, EventShape<'_>)| {
        let version = first.checked_add(offset);
        let version = version.ok_or_else(|| wrong("version", &first.to_string()))?;
        let event = shape.event()?;
        Ok(Recorded { version, at, event })
    };
    (0..).zip(events).map(recorded).collect()
}

/// A state as it is written: a review with its reason, such as `review:overdue`.
pub fn state_text(state: OrderState) -> Cow<'static, str> {
    match state {
        OrderState::Review(reason) => format!("review:{}", reason.as_str()).into(),
        OrderState::Pending
        | OrderState::Submitting
        | OrderState::Charging
        | OrderState::Unknown
        | OrderState::Succeeded
        | OrderState::Failed => state.as_str().into(),
    }
}

/// Reads what [`state_text`] wrote.
pub fn state_of(text: &str) -> Result<OrderState, RecordError> {
    if let Some(reason) = text.strip_prefix("review:") {
        let reason = ReviewReason::parse(reason).ok_or_else(|| wrong("reason of review", text))?;
        return Ok(OrderState::Review(reason));
    }
    [
        OrderState::Pending,
        OrderState::Submitting,
        OrderState::Charging,
        OrderState::Unknown,
        OrderState::Succeeded,
        OrderState::Failed,
    ]
    .into_iter()
    .find(|state| state.as_str() == text)
    .ok_or_else(|| wrong("state", text))
}

/// An alarm as it is written.
pub fn alarm_text(alarm: Alarm) -> Cow<'static, str> {
    match alarm {
        Alarm::Review(reason) => state_text(OrderState::Review(reason)),
        Alarm::PaidTwice => "paid_twice".into(),
    }
}

/// Reads what [`alarm_text`] wrote.
pub fn alarm_of(text: &str) -> Result<Alarm, RecordError> {
    match (text, state_of(text)) {
        ("paid_twice", _) => Ok(Alarm::PaidTwice),
        (_, Ok(OrderState::Review(reason))) => Ok(Alarm::Review(reason)),
        (_, _) => Err(wrong("alarm", text)),
    }
}

/// One step's events.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record<'a> {
    /// The version of the first.
    first: u64,
    at: (i64, u64, u64),
    #[serde(borrow)]
    events: Vec<EventShape<'a>>,
}

/// Wall clock in milliseconds, epoch, monotonic time in nanoseconds.
fn moment(at: Moment) -> (i64, u64, u64) {
    let nanos = u64::try_from(at.monotonic.as_nanos()).unwrap_or(u64::MAX);
    (at.wall.millis(), at.epoch.0, nanos)
}

const fn from_moment((wall, epoch, nanos): (i64, u64, u64)) -> Moment {
    Moment {
        wall: WallTime::from_millis(wall),
        epoch: Epoch(epoch),
        monotonic: Duration::from_nanos(nanos),
    }
}

type Text<'a> = Cow<'a, str>;
