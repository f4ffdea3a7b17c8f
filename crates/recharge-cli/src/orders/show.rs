//! One order with its history.

use std::fmt::Write as _;

use recharge_core::ProviderId;
use recharge_engine::{Event, Order, Recorded};
use serde_json::Value;

use super::events;
use super::list::{self, tone};
use super::words::{self, Words, counted};
use crate::error::CliError;
use crate::output::{Output, plain};
use recharge_gateway::time::local;

/// Prints an order and its history. `log` is what the order is the fold of.
pub fn print(order: &Order, log: &[Recorded], output: &Output) -> Result<(), CliError> {
    if output.is_json() {
        output.json(&json(order, log))
    } else {
        output.line(text(order, log, output))
    }
}

/// The order as [`list::json`] has it, and its `history`.
pub fn json(order: &Order, log: &[Recorded]) -> Value {
    let mut told = list::json(order);
    let history: Vec<Value> = log
        .iter()
        .map(|recorded| events::json(order, recorded))
        .collect();
    told["history"] = history.into();
    told
}

/// The order for people: what it is, where it stands, and a line for each thing that happened.
pub fn text(order: &Order, log: &[Recorded], output: &Output) -> String {
    let what = order.what();
    let state = order.state();
    let mut text = output.tinted(tone(order), &state.to_string());
    let mut field = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            // Writing to a String can't fail.
            let _ = write!(text, "\n{name}: {}", plain(&value));
        }
    };
    field("meaning", Some(state.meaning().to_owned()));
    field("order id", Some(what.order_id.to_string()));
    field(
        "account",
        Some(format!("{} ({})", what.account, what.account.kind())),
    );
    field("amount", Some(format!("{} yuan", what.amount)));
    field("carrier", what.carrier.map(|carrier| carrier.to_string()));
    field("only by", what.provider.as_ref().map(ProviderId::to_string));
    field(
        "merchant",
        Some(what.merchant.to_string()).filter(|name| name != "local"),
    );
    field("accepted", Some(local(order.accepted().wall)));
    field("since", Some(local(order.entered().wall)));
    field("next", order.due().map(local));
    field("version", Some(order.version().to_string()));
    let held = "by a restored backup: asked about before anything is sent";
    field("held", order.is_held().then(|| held.to_owned()));
    field(
        "waits for a second person",
        order.approval().map(|first| {
            format!(
                "{} has approved; `recharge review list` says what",
                first.by
            )
        }),
    );
    for (index, attempt) in (0..).zip(order.attempts()) {
        let mut told = format!(
            "{} at {}, number {}",
            attempt.standing(),
            attempt.provider(),
            attempt.number()
        );
        if let Some(id) = attempt.upstream_order_id() {
            let _ = write!(told, ", upstream id {id}");
        }
        if let Some(cost) = attempt.cost() {
            let _ = write!(told, ", price {cost}");
        }
        field(&format!("attempt {}", counted(index)), Some(told));
    }
    text.push_str("\n\n");
    text.push_str(&timeline(order, log).join("\n"));
    text
}

/// A line for each thing that happened: when, the version, what, and what proves it. What is planned
/// stands at the end of the line that planned it.
pub fn timeline(order: &Order, log: &[Recorded]) -> Vec<String> {
    let mut lines = vec![format!("{}  v0  accepted", local(order.accepted().wall))];
    let mut before = None;
    for recorded in log {
        let Words { what, evidence } = words::words(order, &recorded.event);
        let planned = matches!(recorded.event, Event::Scheduled { .. });
        match lines.last_mut() {
            Some(last) if planned && before == Some(recorded.at) => {
                let _ = write!(last, "; {what}");
            }
            Some(_) | None => {
                let mut line =
                    format!("{}  v{}  {what}", local(recorded.at.wall), recorded.version);
                if let Some(evidence) = evidence {
                    let _ = write!(line, " [{evidence}]");
                }
                lines.push(line);
            }
        }
        before = Some(recorded.at);
    }
    lines
}
