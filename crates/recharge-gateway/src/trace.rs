//! What is logged of a request: a span with an id of ours, the route as it was declared, and, once they are
//! known, the merchant and the order.
//!
//! Nothing that a client wrote is logged as it came: an id is taken over only after it was read as one, and
//! what looks like a phone number in it is masked.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::response::Response;
use http::{HeaderName, HeaderValue};
use recharge_core::{MerchantId, OrderId, Redactor};
use tracing::field::{Empty, display};
use tracing::{Instrument as _, Span};

use crate::app::App;
use crate::seal::{NoRandom, random};

/// By which an answer is found in the logs.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A request whose path is none.
const NOWHERE: &str = "none";

/// Names requests: a part for this start of the service, and a number.
#[derive(Debug)]
pub struct RequestIds {
    start: String,
    next: AtomicU64,
}

impl RequestIds {
    /// Names that no other start gives.
    pub fn new() -> Result<Self, NoRandom> {
        Ok(Self {
            start: hex::encode(random::<5>()?),
            next: AtomicU64::new(1),
        })
    }

    fn next(&self) -> String {
        let n = self.next.fetch_add(1, Ordering::Relaxed);
        format!("{}-{n}", self.start)
    }
}

/// Watches a request from its head to its answer: names it, logs it and counts it.
pub(crate) async fn watched(
    app: &App,
    request: Request,
    answer: impl AsyncFnOnce(Request) -> Response,
) -> Response {
    let began = Instant::now();
    let id = app.request_ids.next();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or(NOWHERE, MatchedPath::as_str);
    let method = request.method().clone();
    let span = tracing::info_span!("request", id, route, merchant = Empty, order_id = Empty);
    let mut response = answer(request).instrument(span.clone()).await;
    let (took, status) = (began.elapsed(), response.status());
    app.metrics.answered(route, &method, status.as_u16(), took);
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    span.in_scope(|| {
        let status = status.as_u16();
        if status >= 500 {
            tracing::warn!(status, micros, "answered");
        } else {
            tracing::debug!(status, micros, "answered");
        }
    });
    // Hexadecimal digits, a dash and a number.
    if let Ok(id) = HeaderValue::try_from(id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// The request is this merchant's.
pub(crate) fn merchant(merchant: &MerchantId) {
    Span::current().record("merchant", merchant.as_str());
}

/// The request is about this order.
pub(crate) fn order(order_id: &OrderId) {
    Span::current().record("order_id", display(shown(order_id)));
}

/// An order's name as it is logged: a merchant may well name orders by phone numbers.
pub(crate) fn shown(order_id: &OrderId) -> String {
    Redactor::default().redact(order_id.as_str(), &[])
}
