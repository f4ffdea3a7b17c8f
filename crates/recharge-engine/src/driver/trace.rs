//! What is logged of an order's turn: a span with its name, and what came of each call. Neither accounts nor
//! what an upstream said are ever logged.

use recharge_core::{QueryOutcome, Redactor, SubmitOutcome};
use tracing::{Instrument, Level, Span};

use super::core::Held;
use crate::Order;

/// Follows what is done for an order.
pub(super) async fn about<T>(held: &Held, task: impl Future<Output = T>) -> T {
    let span = if tracing::span_enabled!(Level::INFO) {
        named(held, &*held.order.lock().await)
    } else {
        Span::none()
    };
    task.instrument(span).await
}

/// With all that it says from the beginning: to add to a span later costs as much as to begin it.
fn named(held: &Held, order: &Order) -> Span {
    let what = order.what();
    // Merchants may name orders by the account.
    let account = what.account.as_str();
    let order_id = Redactor::default().redact(what.order_id.as_str(), &[account]);
    let merchant = what.merchant.as_str();
    tracing::info_span!("order", key = held.key.0, merchant, order_id)
}

pub(super) fn submitted(outcome: &SubmitOutcome) {
    let (outcome, why) = match outcome {
        SubmitOutcome::Accepted(_) => ("accepted", ""),
        SubmitOutcome::Rejected(_) => ("rejected", ""),
        SubmitOutcome::NotSent(_) => ("not_sent", ""),
        SubmitOutcome::Unknown(doubt) => ("unknown", doubt.kind.as_str()),
    };
    tracing::debug!(outcome, why, "submitted");
}

pub(super) fn asked(outcome: &QueryOutcome) {
    let (outcome, why) = match outcome {
        QueryOutcome::Found(sighting) => (sighting.state.as_str(), ""),
        QueryOutcome::NotFound(_) => ("not_found", ""),
        QueryOutcome::Unavailable(trouble) => ("unavailable", trouble.kind.as_str()),
    };
    tracing::debug!(outcome, why, "asked");
}

pub(super) fn moved(before: &Order, after: &Order) {
    if before.state() != after.state() {
        let (state, version) = (after.state().as_str(), after.version());
        tracing::debug!(state, version, "moved");
    }
}
