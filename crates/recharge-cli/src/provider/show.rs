//! What a call told, as text and as JSON.

use std::fmt::Write as _;

use recharge_core::{
    AccountKind, Answer, DoubtKind, Money, Page, QueryOutcome, Quote, SubmitOutcome,
    UnavailableKind, UpstreamOrderId, UpstreamState,
};
use serde_json::{Value, json};

use super::Name;
use crate::error::CliError;
use crate::output::{self, Output, Tone};

/// Lines `name: value`, those without a value left out.
fn fields(head: &str, fields: &[(&str, Option<String>)]) -> String {
    let mut text = head.to_owned();
    for (name, value) in fields {
        if let Some(value) = value.as_deref().filter(|value| !value.is_empty()) {
            // Writing to a String can't fail.
            let _ = write!(text, "\n{name}: {}", output::plain(value));
        }
    }
    text
}

fn upstream_id(id: Option<&UpstreamOrderId>) -> Option<String> {
    id.map(|id| id.as_str().to_owned())
}

fn price(money: Option<Money>) -> Option<String> {
    money.map(|money| money.to_string())
}

/// Code and message on one line.
fn said(answer: &Answer) -> String {
    match (answer.code.as_str(), answer.message.as_str()) {
        ("", message) => message.to_owned(),
        (code, "") => format!("code {code}"),
        (code, message) => format!("code {code}: {message}"),
    }
}

pub(super) fn submit(
    outcome: &SubmitOutcome,
    provider: Name,
    kind: AccountKind,
    order_id: &str,
    output: &Output,
) -> Result<(), CliError> {
    let ask = format!(
        "ask with `recharge provider query --provider {} --kind {kind} --order-id {order_id}`; \
         never send this order again under another number",
        provider.as_str()
    );
    let order = ("order id", Some(order_id.to_owned()));
    if output.is_json() {
        return output.json(&submit_json(outcome, provider, order_id, &ask));
    }
    output.line(match outcome {
        SubmitOutcome::Accepted(receipt) => fields(
            &output.tinted(Tone::Good, "accepted"),
            &[
                order,
                (
                    "upstream id",
                    upstream_id(receipt.upstream_order_id.as_ref()),
                ),
                ("state", Some(receipt.reported.as_str().to_owned())),
                ("price", price(receipt.cost)),
                ("answer", Some(said(&receipt.answer))),
            ],
        ),
        SubmitOutcome::Rejected(rejection) => fields(
            &output.tinted(Tone::Bad, "rejected: this send was not taken"),
            &[
                order,
                ("answer", Some(said(&rejection.answer))),
                ("advice", rejection.advice.clone()),
            ],
        ),
        SubmitOutcome::NotSent(not_sent) => fields(
            &output.tinted(Tone::Bad, "not sent: not one byte left"),
            &[order, ("reason", Some(not_sent.reason.clone()))],
        ),
        SubmitOutcome::Unknown(doubt) => fields(
            &output.tinted(Tone::Doubtful, "unknown: it may have been taken"),
            &[
                order,
                ("reason", Some(doubt.detail.clone())),
                ("answer", doubt.answer.as_ref().map(said)),
                ("next", Some(ask)),
            ],
        ),
    })
}

fn submit_json(outcome: &SubmitOutcome, provider: Name, order_id: &str, ask: &str) -> Value {
    let mut told = match outcome {
        SubmitOutcome::Accepted(receipt) => json!({
            "outcome": "accepted",
            "upstream_id": upstream_id(receipt.upstream_order_id.as_ref()),
            "state": receipt.reported.as_str(),
            "cost": price(receipt.cost),
            "answer": output::answer(&receipt.answer),
        }),
        SubmitOutcome::Rejected(rejection) => json!({
            "outcome": "rejected",
            "advice": rejection.advice,
            "answer": output::answer(&rejection.answer),
        }),
        SubmitOutcome::NotSent(not_sent) => json!({
            "outcome": "not_sent",
            "reason": not_sent.reason,
        }),
        SubmitOutcome::Unknown(doubt) => json!({
            "outcome": "unknown",
            "doubt": doubt_name(doubt.kind),
            "reason": doubt.detail,
            "answer": doubt.answer.as_ref().map(output::answer),
            "next": ask,
        }),
    };
    told["provider"] = provider.as_str().into();
    told["order_id"] = order_id.into();
    told
}

const fn doubt_name(kind: DoubtKind) -> &'static str {
    match kind {
        DoubtKind::NoAnswer => "no_answer",
        DoubtKind::HttpStatus => "http_status",
        DoubtKind::Unreadable => "unreadable",
        DoubtKind::Code => "code",
        DoubtKind::Echo => "echo",
        DoubtKind::Dropped => "dropped",
    }
}

pub(super) fn query(
    outcome: &QueryOutcome,
    provider: Name,
    order_id: &str,
    output: &Output,
) -> Result<(), CliError> {
    if output.is_json() {
        return output.json(&query_json(outcome, provider, order_id));
    }
    let order = ("order id", Some(order_id.to_owned()));
    output.line(match outcome {
        QueryOutcome::Found(sighting) => {
            let tone = match sighting.state {
                UpstreamState::Charging => Tone::Doubtful,
                UpstreamState::Succeeded => Tone::Good,
                UpstreamState::Failed => Tone::Bad,
            };
            fields(
                &output.tinted(tone, sighting.state.as_str()),
                &[
                    order,
                    (
                        "upstream id",
                        upstream_id(sighting.upstream_order_id.as_ref()),
                    ),
                    ("price", price(sighting.cost)),
                    ("answer", Some(said(&sighting.answer))),
                ],
            )
        }
        QueryOutcome::NotFound(answer) => fields(
            &output.tinted(
                Tone::Bad,
                "no such order; a delayed submit may still arrive",
            ),
            &[order, ("answer", Some(said(answer)))],
        ),
        QueryOutcome::Unavailable(trouble) => fields(
            &output.tinted(Tone::Doubtful, "not answered: ask again later"),
            &[
                order,
                ("reason", Some(trouble.detail.clone())),
                ("answer", trouble.answer.as_ref().map(said)),
            ],
        ),
    })
}

fn query_json(outcome: &QueryOutcome, provider: Name, order_id: &str) -> Value {
    let mut told = match outcome {
        QueryOutcome::Found(sighting) => json!({
            "outcome": "found",
            "state": sighting.state.as_str(),
            "upstream_id": upstream_id(sighting.upstream_order_id.as_ref()),
            "cost": price(sighting.cost),
            "answer": output::answer(&sighting.answer),
        }),
        QueryOutcome::NotFound(answer) => json!({
            "outcome": "not_found",
            "answer": output::answer(answer),
        }),
        QueryOutcome::Unavailable(trouble) => json!({
            "outcome": "unavailable",
            "trouble": trouble_name(trouble.kind),
            "reason": trouble.detail,
            "answer": trouble.answer.as_ref().map(output::answer),
        }),
    };
    told["provider"] = provider.as_str().into();
    told["order_id"] = order_id.into();
    told
}

const fn trouble_name(kind: UnavailableKind) -> &'static str {
    match kind {
        UnavailableKind::Transport => "transport",
        UnavailableKind::RateLimited => "rate_limited",
        UnavailableKind::Maintenance => "maintenance",
        UnavailableKind::Denied => "denied",
        UnavailableKind::Unreadable => "unreadable",
        UnavailableKind::Code => "code",
        UnavailableKind::Unsupported => "unsupported",
    }
}

/// `refused` is the upstream's "no"; `None` its "yes".
pub(super) fn check(
    refused: Option<&Answer>,
    provider: Name,
    output: &Output,
) -> Result<(), CliError> {
    if output.is_json() {
        return output.json(&json!({
            "provider": provider.as_str(),
            "chargeable": refused.is_none(),
            "answer": refused.map(output::answer),
        }));
    }
    output.line(match refused {
        None => output.tinted(Tone::Good, "can be charged"),
        Some(answer) => fields(
            &output.tinted(Tone::Bad, "can't be charged"),
            &[("answer", Some(said(answer)))],
        ),
    })
}

pub(super) fn quote(quote: &Quote, provider: Name, output: &Output) -> Result<(), CliError> {
    if output.is_json() {
        return output.json(&json!({
            "provider": provider.as_str(),
            "price": quote.price.to_string(),
            "product": quote.product,
            "region": quote.region,
        }));
    }
    output.line(fields(
        &format!("price: {}", quote.price),
        &[
            ("product", Some(quote.product.clone())),
            ("region", quote.region.clone()),
        ],
    ))
}

pub(super) fn balance(balance: Money, provider: Name, output: &Output) -> Result<(), CliError> {
    if output.is_json() {
        return output.json(&json!({
            "provider": provider.as_str(),
            "balance": balance.to_string(),
        }));
    }
    output.line(balance)
}

pub(super) fn orders(
    list: &Page,
    provider: Name,
    page: u32,
    output: &Output,
) -> Result<(), CliError> {
    let state = |state: Option<UpstreamState>| state.map(UpstreamState::as_str);
    if output.is_json() {
        let orders: Vec<Value> = list
            .orders
            .iter()
            .map(|order| {
                json!({
                    "order_id": order.number,
                    "upstream_id": upstream_id(order.upstream_order_id.as_ref()),
                    "state": state(order.state),
                    "cost": price(order.cost),
                })
            })
            .collect();
        return output.json(&json!({
            "provider": provider.as_str(),
            "page": page,
            "more": list.more,
            "orders": orders,
        }));
    }
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let rows: Vec<Vec<String>> = list
        .orders
        .iter()
        .map(|order| {
            vec![
                output::plain(&order.number),
                or_dash(upstream_id(order.upstream_order_id.as_ref())),
                state(order.state).unwrap_or("not listed").to_owned(),
                or_dash(price(order.cost)),
            ]
        })
        .collect();
    output.table(&["order id", "upstream id", "state", "price"], &rows)?;
    if list.more && output.is_terminal() {
        output.line(format!("more on --page {}", page.saturating_add(1)))?;
    }
    Ok(())
}
