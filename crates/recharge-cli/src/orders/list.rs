//! Orders as rows of a table, and as JSON.

use recharge_core::{Carrier, Money, ProviderId, UpstreamOrderId};
use recharge_engine::{Attempt, Order};
use serde_json::{Value, json};

use super::words::{counted, reason};
use crate::error::CliError;
use crate::output::{Output, Tone, plain};
use recharge_gateway::time::{local, rfc3339};

/// The head of a table of orders.
pub const HEAD: [&str; 8] = [
    "order id",
    "state",
    "account",
    "amount",
    "provider",
    "upstream id",
    "price",
    "accepted",
];

/// Prints a page of orders: a table, or one JSON object. `more` says that there are others after it.
pub fn print<'a>(
    orders: impl IntoIterator<Item = &'a Order>,
    more: bool,
    output: &Output,
) -> Result<(), CliError> {
    if output.is_json() {
        let orders: Vec<Value> = orders.into_iter().map(json).collect();
        return output.json(&json!({ "orders": orders, "more": more }));
    }
    let rows: Vec<Vec<String>> = orders.into_iter().map(|order| row(order, output)).collect();
    output.table(&HEAD, &rows)?;
    if more && output.is_terminal() {
        output.line("more with a higher --limit, or with --until")?;
    }
    Ok(())
}

/// The row of one order under [`HEAD`].
pub fn row(order: &Order, output: &Output) -> Vec<String> {
    let what = order.what();
    let told = order.telling_attempt();
    let dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    vec![
        plain(what.order_id.as_str()),
        output.tinted(tone(order), &order.state().to_string()),
        what.account.to_string(),
        what.amount.to_string(),
        dash(told.map(|attempt| attempt.provider().to_string())),
        dash(
            told.and_then(Attempt::upstream_order_id)
                .map(|id| plain(id.as_str())),
        ),
        dash(told.and_then(Attempt::cost).map(|cost| cost.to_string())),
        local(order.accepted().wall),
    ]
}

/// How well an order stands.
pub(super) const fn tone(order: &Order) -> Tone {
    use recharge_core::OrderState as S;
    match order.state() {
        S::Succeeded => Tone::Good,
        S::Failed => Tone::Bad,
        S::Pending | S::Submitting | S::Charging | S::Unknown | S::Review(_) => Tone::Doubtful,
    }
}

/// One order as JSON: what `orders` and `review list` have of each, and `show` at its top. The account
/// is masked.
pub fn json(order: &Order) -> Value {
    let what = order.what();
    let told = order.telling_attempt();
    let attempts: Vec<Value> = (0..).zip(order.attempts()).map(attempt_json).collect();
    json!({
        "order_id": what.order_id.as_str(),
        "merchant": what.merchant.as_str(),
        "kind": what.account.kind().as_str(),
        "account": what.account.to_string(),
        "amount": what.amount.yuan(),
        "carrier": what.carrier.map(Carrier::as_str),
        "chosen_provider": what.provider.as_ref().map(ProviderId::as_str),
        "state": order.state().as_str(),
        "review_reason": reason(order.state()),
        "version": order.version(),
        "accepted": rfc3339(order.accepted().wall),
        "since": rfc3339(order.entered().wall),
        "next": order.due().map(rfc3339),
        "held": order.is_held(),
        "callback_seen": order.callback_seen(),
        "provider": told.map(|attempt| attempt.provider().as_str()),
        "upstream_id": told.and_then(Attempt::upstream_order_id).map(UpstreamOrderId::as_str),
        "cost": told.and_then(Attempt::cost).as_ref().map(Money::to_string),
        "attempts": attempts,
    })
}

fn attempt_json((index, attempt): (u32, &Attempt)) -> Value {
    json!({
        "attempt": counted(index),
        "number": attempt.number().as_str(),
        "provider": attempt.provider().as_str(),
        "standing": attempt.standing().as_str(),
        "upstream_id": attempt.upstream_order_id().map(UpstreamOrderId::as_str),
        "cost": attempt.cost().as_ref().map(Money::to_string),
    })
}
