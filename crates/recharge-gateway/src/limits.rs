//! How often something may be done.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use recharge_engine::store::OrderKey;

/// How long after an order was asked about by a merchant it may be again.
const AGAIN: Duration = Duration::from_secs(10);

/// How many orders are remembered before those are forgotten that may be asked about again.
const MANY: usize = 10_000;

/// That an order is asked about by its merchant at most once in a while.
#[derive(Debug)]
pub struct Asks(DefaultKeyedRateLimiter<OrderKey>);

impl Default for Asks {
    fn default() -> Self {
        let quota = Quota::with_period(AGAIN)
            .unwrap_or_else(|| Quota::per_second(NonZeroU32::MIN))
            .allow_burst(NonZeroU32::MIN);
        Self(RateLimiter::keyed(quota))
    }
}

impl Asks {
    /// Takes the order's turn; else how long to wait.
    pub fn take(&self, order: OrderKey) -> Result<(), Duration> {
        if self.0.len() > MANY {
            self.0.retain_recent();
        }
        let taken = self.0.check_key(&order);
        taken.map_err(|not_yet| not_yet.wait_time_from(DefaultClock::default().now()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_order_has_a_turn_of_its_own() {
        let asks = Asks::default();
        assert_eq!(asks.take(OrderKey(1)), Ok(()));
        let wait = asks.take(OrderKey(1)).unwrap_err();
        assert!(wait > Duration::from_secs(5) && wait <= AGAIN, "{wait:?}");
        assert_eq!(asks.take(OrderKey(2)), Ok(()));
    }
}
