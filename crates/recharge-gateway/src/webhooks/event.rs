//! What is told: an event of Standard Webhooks, about an order as it stood.

use recharge_core::OrderState;
use recharge_engine::store::{Message, Stored};
use recharge_engine::{Notice, WallTime};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::view::OrderView;
use crate::time;

/// A notice, as it is told.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Event)]
pub struct Event<'a> {
    /// `order.succeeded`, `order.failed` or `order.review`; and, of an order that had ended and has not after
    /// all, the state that it is in.
    #[serde(rename = "type")]
    #[schema(example = "order.succeeded")]
    kind: String,
    /// When it became so.
    timestamp: String,
    /// The order, in the state and version that are told. It may have gone on since: of two notices the one
    /// with the higher version holds.
    data: OrderView<'a>,
}

/// The body of a notice.
pub(super) fn body(stored: &Stored, notice: Notice, since: WallTime) -> String {
    let event = Event {
        kind: ["order.", OrderState::as_str(notice.state)].concat(),
        timestamp: time::rfc3339(since),
        data: OrderView::of(&stored.order).as_told(notice, since),
    };
    // Texts and numbers: nothing that can't be written as JSON.
    serde_json::to_string(&event).unwrap_or_default()
}

/// A message's name, the same however often it is told.
pub(crate) fn id(message: &Message) -> String {
    format!("msg_{}", message.id)
}
