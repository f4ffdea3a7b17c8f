//! What an installation has decided: routes, times, and the key of its numbers.

use std::time::Duration;

use recharge_core::{Call, Capabilities, ProviderId};

use crate::NumberKey;

/// Everything that [`step`](fn@crate::step) needs to know besides the order: made from configuration and
/// the providers' capabilities.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The providers that orders of this kind may go to, in order of preference.
    pub routes: Vec<Route>,
    /// How long things take.
    pub times: Times,
    /// The key from which attempt numbers are derived.
    pub numbers: NumberKey,
}

impl Policy {
    /// The route to a provider.
    pub fn route(&self, provider: &ProviderId) -> Option<&Route> {
        self.routes.iter().find(|route| route.provider == *provider)
    }
}

/// One provider that an order may go to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent switches and declared capabilities"
)]
pub struct Route {
    /// The provider.
    pub provider: ProviderId,
    /// Whether new attempts may be sent there. Orders already sent are asked about all the same.
    pub enabled: bool,
    /// Whether it can be asked for an order's state.
    pub can_query: bool,
    /// Whether it is documented to refuse a number that it already has; only then may people allow a
    /// second send of the same number.
    pub refuses_duplicates: bool,
    /// Whether a callback counts as an answer. Only for a provider that can't be queried and whose
    /// callback signature covers the state.
    pub callback_counts: bool,
    /// Whether an order may go to the next route by itself after this one *confirmed* that it failed.
    /// **The first provider may still pay**: there are two charges then. Off unless switched on.
    pub failover_after_failure: bool,
}

impl Route {
    /// The route to a provider with these capabilities.
    pub fn new(provider: ProviderId, capabilities: &Capabilities) -> Self {
        Self {
            provider,
            enabled: true,
            can_query: capabilities.calls.contains(&Call::Query),
            refuses_duplicates: capabilities.refuses_duplicates,
            callback_counts: false,
            failover_after_failure: false,
        }
    }
}

/// How long things take. The defaults are the lifecycle's; shortening them weakens what they protect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Times {
    /// Gaps between queries; the last repeats.
    pub query_after: Vec<Duration>,
    /// How long after the answer "failed" a second one must be sent to confirm it.
    pub confirm_failure_after: Duration,
    /// How long "no such order" proves nothing, on the monotonic clock, counted from the moment at
    /// which no byte can be under way any more.
    pub not_found_quarantine: Duration,
    /// How many explicit "no such order" it takes, the last one asked after the quarantine.
    pub not_found_answers: u32,
    /// How long an order may be charging before a person looks at it.
    pub charging_limit: Duration,
    /// How long nobody may know of an order before a person looks at it.
    pub unknown_limit: Duration,
    /// How long after our own commit the first byte may go out.
    pub send_deadline: Duration,
    /// The longest that one request takes, connection included.
    pub request_timeout: Duration,
    /// How long an order may wait to be sent.
    pub pending_limit: Duration,
    /// How many times in a row "not sent" is tried again at the same provider.
    pub not_sent_tries: u32,
    /// The least time between two queries that callbacks of one order cause.
    pub callback_gap: Duration,
    /// When, after an end, attempts are asked about again.
    pub watch_after: Vec<Duration>,
}

impl Default for Times {
    fn default() -> Self {
        const MINUTE: u64 = 60;
        const HOUR: u64 = 60 * MINUTE;
        let seconds = |list: &[u64]| list.iter().copied().map(Duration::from_secs).collect();
        Self {
            query_after: seconds(&[
                5,
                15,
                30,
                60,
                2 * MINUTE,
                5 * MINUTE,
                10 * MINUTE,
                30 * MINUTE,
                HOUR,
            ]),
            confirm_failure_after: Duration::from_mins(1),
            not_found_quarantine: Duration::from_mins(30),
            not_found_answers: 6,
            charging_limit: Duration::from_hours(24),
            unknown_limit: Duration::from_hours(2),
            send_deadline: Duration::from_secs(10),
            request_timeout: Duration::from_secs(35),
            pending_limit: Duration::from_mins(30),
            not_sent_tries: 3,
            callback_gap: Duration::from_secs(30),
            watch_after: seconds(&[
                10 * MINUTE,
                HOUR,
                6 * HOUR,
                24 * HOUR,
                72 * HOUR,
                168 * HOUR,
            ]),
        }
    }
}

impl Times {
    /// The gap before query number `asked` (from 0): the last of the list repeats.
    pub fn query_gap(&self, asked: u32) -> Duration {
        let at = usize::try_from(asked).unwrap_or(usize::MAX);
        self.query_after
            .get(at)
            .or(self.query_after.last())
            .copied()
            .unwrap_or(Duration::from_mins(1))
    }

    /// How long after the intent to send a byte of it may still be under way.
    pub fn in_flight(&self) -> Duration {
        self.send_deadline.saturating_add(self.request_timeout)
    }
}
