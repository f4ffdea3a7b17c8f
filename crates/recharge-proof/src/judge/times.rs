//! How long things take, as the lifecycle says: the judge's own reading, which the engine's must be.

use std::time::Duration;

use recharge_engine::Times;

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const fn minutes(minutes: u64) -> Duration {
    Duration::from_mins(minutes)
}

const fn hours(hours: u64) -> Duration {
    Duration::from_hours(hours)
}

/// For how long after a backup was put back orders are held that are new to it.
pub(super) const NEW_ORDERS_ARE_HELD: Duration = hours(7 * 24);

/// The last asking after an end.
pub(crate) const LAST_ASKING: Duration = hours(7 * 24);

/// The times of the lifecycle.
pub(crate) fn of_the_lifecycle() -> Times {
    Times {
        query_after: vec![
            seconds(5),
            seconds(15),
            seconds(30),
            seconds(60),
            minutes(2),
            minutes(5),
            minutes(10),
            minutes(30),
            hours(1),
        ],
        confirm_failure_after: seconds(60),
        not_found_quarantine: minutes(30),
        not_found_answers: 6,
        charging_limit: hours(24),
        unknown_limit: hours(2),
        send_deadline: seconds(10),
        request_timeout: seconds(35),
        pending_limit: minutes(30),
        not_sent_tries: 3,
        callback_gap: seconds(30),
        watch_after: vec![
            minutes(10),
            hours(1),
            hours(6),
            hours(24),
            hours(72),
            LAST_ASKING,
        ],
    }
}

/// For how long after the intent a byte may be under way.
pub(super) fn in_flight(times: &Times) -> Duration {
    times.send_deadline + times.request_timeout
}

/// For how long after the intent "no such order" proves nothing: until no byte can be under way any more, and
/// the wait from then on.
pub(super) fn quarantine(times: &Times) -> Duration {
    in_flight(times) + times.not_found_quarantine
}
