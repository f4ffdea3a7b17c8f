//! What is told: an event of Standard Webhooks, about an order as it stood; and how that is described. The headers
//! and the body that are sent are the types that the description is made of.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use recharge_core::{OrderState, SecretString};
use recharge_engine::store::{Message, Stored};
use recharge_engine::{Notice, WallTime};
use serde::Serialize;
use utoipa::openapi::{PathItem, Paths, PathsBuilder};
use utoipa::{IntoParams, Path, ToSchema};

use super::signature;
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

/// What is sent with it, so that the receiver knows who sent it and when.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header)]
pub(super) struct Signed {
    /// The notice's name, the same however often it is sent.
    #[param(rename = "webhook-id", example = "msg_42")]
    id: String,
    /// When this try was signed, in seconds since 1970. Refuse one that is more than five minutes from your clock.
    #[param(rename = "webhook-timestamp", example = 1_795_000_000)]
    timestamp: i64,
    /// `v1,` and the base64 of the HMAC-SHA256 over `webhook-id`, a dot, `webhook-timestamp`, a dot, and the body as
    /// it came. Its key is what your secret has after `whsec_`, decoded from base64. There may be several, with
    /// spaces between: one that is right is enough.
    #[param(
        rename = "webhook-signature",
        example = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )]
    signature: String,
}

impl Signed {
    /// `None` if the secret isn't one.
    pub(super) fn new(secret: &SecretString, id: String, at: WallTime, body: &str) -> Option<Self> {
        let timestamp = at.millis().div_euclid(1_000);
        let signature = signature::sign(secret, &id, timestamp, body)?;
        Some(Self {
            id,
            timestamp,
            signature,
        })
    }

    /// All headers of the notice, by the names that they are described by.
    pub(super) fn into_headers(self) -> Result<HeaderMap, http::header::InvalidHeaderValue> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert("webhook-id", self.id.try_into()?);
        headers.insert("webhook-timestamp", self.timestamp.into());
        headers.insert("webhook-signature", self.signature.try_into()?);
        Ok(headers)
    }
}

/// Hear what became of an order
///
/// It is posted to your address, or to the order's own `notify_url`, as [Standard
/// Webhooks](https://www.standardwebhooks.com) has it, until you answer 2xx, for three days. It comes at least once,
/// and notices may come in any order: answer one that you know with 2xx, and keep the highest `version`. No redirect
/// is followed, and what you answer is not read.
#[utoipa::path(
    post, path = "order", operation_id = "orderNotice",
    params(Signed),
    request_body = Event<'_>,
    responses(
        (status = "2XX", description = "You know. It is not sent again"),
        (status = "default", description = "It is sent again, ever less often"),
    ),
)]
#[expect(dead_code, reason = "it is a merchant who implements it")]
fn order() {}

/// What merchants are sent, for the description of the interface.
pub(crate) fn described() -> Paths {
    let mut operation = __path_order::operation();
    // A router would do it; nothing routes this one.
    operation.tags = Some(vec!["webhooks".to_owned()]);
    let methods = __path_order::methods();
    let item = PathItem::from_http_methods(methods, operation);
    PathsBuilder::new().path(__path_order::path(), item).build()
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
