//! Orders as a shop sees them: found, and in one of the three states that both upstreams know.

use recharge_core::{Money, OrderId, OrderState};
use recharge_engine::store::Stored;
use recharge_engine::{Attempt, Order, StoreError};
use recharge_store::registry::KeyKind;

use super::{Compat, REPLY_TO};
use crate::ring::Key;

/// Where an order stands, as both upstreams tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    /// Not at its end, or not known to be: a shop waits and asks again.
    Charging,
    /// Charged.
    Succeeded,
    /// Not charged, for sure: a shop may pay back.
    Failed,
}

impl Shown {
    /// Only what has ended is shown as ended. An order on a person's desk is in doubt, whatever was known of
    /// it before: it is charging until somebody has decided.
    pub(crate) const fn of(state: OrderState) -> Self {
        match state {
            OrderState::Pending
            | OrderState::Submitting
            | OrderState::Charging
            | OrderState::Unknown
            | OrderState::Review(_) => Self::Charging,
            OrderState::Succeeded => Self::Succeeded,
            OrderState::Failed => Self::Failed,
        }
    }
}

impl Compat {
    /// The order that the shop gave this number to.
    pub(super) async fn order(
        &self,
        key: &Key,
        order_id: &str,
    ) -> Result<Option<Stored>, StoreError> {
        let Ok(order_id) = OrderId::parse(order_id) else {
            return Ok(None);
        };
        let found = self
            .app
            .driver
            .order(&key.stored.merchant, &order_id)
            .await?;
        Ok(found.filter(|it| self.speaks(key.stored.kind, &it.order)))
    }

    /// Whether an order came by this protocol. One merchant may use both with the same numbers, as one can
    /// with two upstreams; an order of the other must not be taken for this one.
    pub(super) fn speaks(&self, kind: KeyKind, order: &Order) -> bool {
        let reply_to = order.what().reply_to.as_ref();
        let id = reply_to.and_then(|it| it.as_str().strip_prefix(REPLY_TO));
        // In force or not: an order outlives the credential that it came with.
        let key = id.and_then(|id| self.app.ring.key(id));
        key.is_some_and(|key| key.stored.kind == kind)
    }

    /// What the order costs: what the upstream said that it deducted; before that, what is expected.
    pub(super) fn cost(&self, order: &Order) -> Money {
        let what = order.what();
        let told = order.telling_attempt().and_then(Attempt::cost);
        told.unwrap_or_else(|| self.prices.expected(what.account.kind(), what.amount))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use recharge_core::ReviewReason;

    #[test]
    fn only_an_end_is_shown_as_an_end() {
        for state in [
            OrderState::Pending,
            OrderState::Submitting,
            OrderState::Charging,
            OrderState::Unknown,
            OrderState::Review(ReviewReason::ProbablyNotTaken),
            OrderState::Review(ReviewReason::Overdue),
            OrderState::Review(ReviewReason::Contradiction),
            OrderState::Review(ReviewReason::EarlierAttempt),
        ] {
            assert_eq!(Shown::of(state), Shown::Charging, "{state}");
        }
        assert_eq!(Shown::of(OrderState::Succeeded), Shown::Succeeded);
        assert_eq!(Shown::of(OrderState::Failed), Shown::Failed);
    }
}
