//! Values between Rust and SQL. SQL has one integer, with a sign.

use std::time::Duration;

use recharge_core::{OrderState, ReviewReason};
use recharge_engine::{Epoch, Moment, WallTime};
use rusqlite::types::Type;

pub(super) fn signed(value: u64) -> i64 {
    // 292 years of nanoseconds; keys and versions never get there.
    i64::try_from(value).unwrap_or(i64::MAX)
}

pub(super) fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

/// The columns of a moment.
pub(super) fn moment(at: Moment) -> (i64, i64, i64) {
    let nanos = i64::try_from(at.monotonic.as_nanos()).unwrap_or(i64::MAX);
    (at.wall.millis(), signed(at.epoch.0), nanos)
}

pub(super) fn moment_of(accepted: i64, epoch: i64, monotonic: i64) -> Moment {
    Moment {
        wall: WallTime::from_millis(accepted),
        epoch: Epoch(unsigned(epoch)),
        monotonic: Duration::from_nanos(unsigned(monotonic)),
    }
}

/// The states in the order in which they are counted.
pub(super) const STATES: [&str; 7] = [
    OrderState::Pending.as_str(),
    OrderState::Submitting.as_str(),
    OrderState::Charging.as_str(),
    OrderState::Unknown.as_str(),
    OrderState::Review(ReviewReason::Overdue).as_str(),
    OrderState::Succeeded.as_str(),
    OrderState::Failed.as_str(),
];

/// The columns of a state.
pub(super) const fn state(state: OrderState) -> (&'static str, Option<&'static str>) {
    match state {
        OrderState::Review(reason) => (state.as_str(), Some(reason.as_str())),
        OrderState::Pending
        | OrderState::Submitting
        | OrderState::Charging
        | OrderState::Unknown
        | OrderState::Succeeded
        | OrderState::Failed => (state.as_str(), None),
    }
}

/// Reads the columns of a state.
pub(super) fn state_of(name: &str, reason: Option<&str>) -> rusqlite::Result<OrderState> {
    let simple = [
        OrderState::Pending,
        OrderState::Submitting,
        OrderState::Charging,
        OrderState::Unknown,
        OrderState::Succeeded,
        OrderState::Failed,
    ];
    let found = match reason {
        None => simple.into_iter().find(|state| state.as_str() == name),
        Some(reason) => ReviewReason::parse(reason)
            .map(OrderState::Review)
            .filter(|state| state.as_str() == name),
    };
    found.ok_or_else(|| nonsense("there is no such state"))
}

/// What is stored can't be what was written.
#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
pub(crate) fn nonsense(what: impl ToString) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, Type::Text, what.to_string().into())
}
