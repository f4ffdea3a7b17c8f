//! What is shown of an order.

use recharge_core::{Account, AccountKind, OrderState};
use recharge_engine::{Notice, Order, WallTime};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use super::closed::{CarrierName, KindName, ReasonName, StateName};
use crate::time;

/// An order as its merchant sees it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Order)]
pub struct OrderView<'a> {
    /// The merchant's name for it.
    order_id: &'a str,
    /// Where it stands: pending, submitting, charging, unknown, review, succeeded or failed.
    #[schema(value_type = StateName)]
    state: &'static str,
    /// Why it is on a person's desk.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ReasonName>)]
    review_reason: Option<&'static str>,
    /// Why a pending order isn't sent yet. `restored`: the service was restored from a backup, and first makes sure
    /// that the order was not sent before, which takes half an hour and more. Nothing is wrong with the order; wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "restored")]
    held: Option<&'static str>,
    /// Rises with everything that becomes known of it.
    version: u64,
    /// mobile, landline, broadband or combined.
    #[schema(value_type = KindName)]
    kind: &'static str,
    /// What is topped up.
    #[serde(serialize_with = "whole")]
    #[schema(value_type = String)]
    account: &'a Account,
    /// The face value in whole yuan.
    #[schema(example = "100")]
    amount: String,
    /// The carrier, where it was named.
    #[schema(value_type = Option<CarrierName>, required)]
    carrier: Option<&'static str>,
    /// Where it was sent last, or was charged; or the only one that it may go to.
    #[schema(required)]
    provider: Option<&'a str>,
    /// The provider's number for it.
    #[schema(required)]
    upstream_order_id: Option<&'a str>,
    /// What the provider charges for it, in yuan.
    #[schema(required, example = "99.65")]
    cost: Option<String>,
    /// When it was accepted.
    created_at: String,
    /// When it came to where it stands.
    updated_at: String,
}

/// An account as its merchant sees it. `Debug` masks it.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn whole<S: Serializer>(account: &&Account, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(account.as_str())
}

/// Why an order in that state is on a person's desk.
const fn reason(state: OrderState) -> Option<&'static str> {
    match state {
        OrderState::Review(reason) => Some(reason.as_str()),
        OrderState::Pending
        | OrderState::Submitting
        | OrderState::Charging
        | OrderState::Unknown
        | OrderState::Succeeded
        | OrderState::Failed => None,
    }
}

impl<'a> OrderView<'a> {
    /// Its values as a statement has them.
    pub(crate) fn values(&self) -> [&str; 11] {
        [
            self.order_id,
            self.kind,
            self.account.as_str(),
            &self.amount,
            self.carrier.unwrap_or_default(),
            self.state,
            self.cost.as_deref().unwrap_or_default(),
            self.provider.unwrap_or_default(),
            self.upstream_order_id.unwrap_or_default(),
            &self.created_at,
            &self.updated_at,
        ]
    }

    /// What is shown of it.
    pub fn of(order: &'a Order) -> Self {
        let what = order.what();
        let attempt = order.telling_attempt();
        let state = order.state();
        let provider = attempt.map(recharge_engine::Attempt::provider);
        Self {
            order_id: what.order_id.as_str(),
            state: state.as_str(),
            review_reason: reason(state),
            held: (state == OrderState::Pending && order.is_held()).then_some("restored"),
            version: order.version(),
            kind: AccountKind::as_str(what.account.kind()),
            account: &what.account,
            amount: what.amount.yuan().to_string(),
            carrier: what.carrier.map(recharge_core::Carrier::as_str),
            provider: provider
                .or(what.provider.as_ref())
                .map(recharge_core::ProviderId::as_str),
            upstream_order_id: attempt
                .and_then(|attempt| attempt.upstream_order_id())
                .map(recharge_core::UpstreamOrderId::as_str),
            cost: attempt
                .and_then(recharge_engine::Attempt::cost)
                .map(|cost| cost.to_string()),
            created_at: time::rfc3339(order.accepted().wall),
            updated_at: time::rfc3339(order.entered().wall),
        }
    }

    /// The same, standing as a notice tells it, which it did since then.
    #[must_use]
    pub fn as_told(self, notice: Notice, since: WallTime) -> Self {
        Self {
            state: OrderState::as_str(notice.state),
            review_reason: reason(notice.state),
            held: None,
            version: notice.version,
            updated_at: time::rfc3339(since),
            ..self
        }
    }
}
