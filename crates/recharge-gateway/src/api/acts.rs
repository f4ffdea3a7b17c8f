//! What is done to an order that is there: asked about, cancelled, decided.

use std::sync::Arc;

use axum::Json as Answer;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use recharge_core::ProviderId;
use recharge_engine::driver::ActError;
use recharge_engine::{Command, CommandError, Decision, Order, Verdict};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::input::{Json, Named};
use super::orders::find;
use super::private::Private;
use super::view::OrderView;
use crate::app::App;
use crate::auth::{Caller, Operator, Reader, Submitter};
use crate::problem::{Code, Problem, refusals};

refusals! {
    /// Why an order isn't asked about.
    AskRefusals: Unauthorized Forbidden NotFound NotNow TooMany Timeout StoreUnavailable OutcomeUnknown Stopping
        Internal;
    /// Why an order isn't cancelled, or decided.
    DecideRefusals: Unauthorized Forbidden NotFound Malformed Invalid NotNow Stale TooLarge SlowRequest TooMany Timeout
        StoreUnavailable OutcomeUnknown Stopping Internal;
}

/// Ask about an order now
///
/// The answer comes later, as an event. An order is asked about by this at most once in ten seconds.
#[utoipa::path(
    post, path = "/v1/orders/{order_id}/ask", operation_id = "askAboutOrder", tag = "orders",
    params(("order_id" = String, Path, description = "Your name for it")),
    responses(
        (status = 202, description = "It is being asked about", body = OrderView<'_>),
        AskRefusals,
    ),
    security(("key" = ["read"])),
)]
pub async fn ask(
    State(app): State<Arc<App>>,
    Reader(caller): Reader,
    Named(order_id): Named,
) -> Result<Response, Problem> {
    let stored = find(&app, caller.merchant(), &order_id).await?;
    app.asks.take(stored.key).map_err(|wait| {
        Problem::new(Code::TooMany, "this order was asked about a moment ago").retry_after(wait)
    })?;
    let by = caller.person()?;
    let order = carry_out(&app, &stored.order, Command::AskAgain { by }).await?;
    let answer = Answer(OrderView::of(&order));
    Ok((http::StatusCode::ACCEPTED, answer).into_response())
}

/// Why an order is no longer wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Cancel {
    /// In your words, for the record.
    #[schema(value_type = String, example = "the customer went away")]
    reason: Private,
}

/// Cancel an order
///
/// Only while nothing of it has been sent.
#[utoipa::path(
    post, path = "/v1/orders/{order_id}/cancel", operation_id = "cancelOrder", tag = "orders",
    params(("order_id" = String, Path, description = "Your name for it")),
    request_body = Cancel,
    responses(
        (status = 200, description = "It is cancelled: failed, and not charged", body = OrderView<'_>),
        DecideRefusals,
    ),
    security(("key" = ["submit"])),
)]
pub async fn cancel(
    State(app): State<Arc<App>>,
    Submitter(caller): Submitter,
    Named(order_id): Named,
    Json(cancel): Json<Cancel>,
) -> Result<Response, Problem> {
    let order = loop {
        let stored = find(&app, caller.merchant(), &order_id).await?;
        let seen = stored.order.version();
        let reason = cancel.reason.0.clone();
        match decide(&app, &caller, &stored.order, Verdict::Cancel, reason, seen).await {
            // What the merchant wants doesn't hang on what an upstream said in the meantime. Nothing is
            // written between two looks for ever.
            Err(problem) if problem.code == Code::Stale => {}
            done => break done?,
        }
    };
    Ok(Answer(OrderView::of(&order)).into_response())
}

/// What a person decides about an order.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Decide {
    /// succeeded (one person, with the upstream's proof), failed, send_again, send_elsewhere (each two people),
    /// or cancel (one person, while nothing has been sent).
    #[schema(example = "succeeded")]
    verdict: String,
    /// What proves it: the upstream's statement, a ticket, what was said on the telephone.
    #[schema(value_type = String)]
    evidence: Private,
    /// The version of the order that was looked at.
    version: u64,
    /// For send_again: which attempt, counted from 1.
    attempt: Option<u32>,
    /// For send_elsewhere: to whom.
    provider: Option<String>,
}

/// What a decision came to.
#[derive(Debug, Serialize, ToSchema)]
pub struct Decided<'a> {
    /// Whether it waits for a second person.
    waits_for_second_person: bool,
    /// The order as it now stands.
    order: OrderView<'a>,
}

/// Decide about an order
///
/// The person is whoever the key was made for. Two people are two keys of two persons.
#[utoipa::path(
    post, path = "/v1/orders/{order_id}/decisions", operation_id = "decideOrder", tag = "orders",
    params(("order_id" = String, Path, description = "The merchant's name for it")),
    request_body = Decide,
    responses(
        (status = 200, description = "It is decided, or waits for a second person", body = Decided<'_>),
        DecideRefusals,
    ),
    security(("key" = ["operate"])),
)]
pub async fn decisions(
    State(app): State<Arc<App>>,
    Operator(caller): Operator,
    Named(order_id): Named,
    Json(given): Json<Decide>,
) -> Result<Response, Problem> {
    let verdict = verdict(&given)?;
    let stored = find(&app, caller.merchant(), &order_id).await?;
    let Decide {
        evidence, version, ..
    } = given;
    let order = decide(&app, &caller, &stored.order, verdict, evidence.0, version).await?;
    let decided = Decided {
        waits_for_second_person: order.approval().is_some(),
        order: OrderView::of(&order),
    };
    Ok(Answer(decided).into_response())
}

fn verdict(given: &Decide) -> Result<Verdict, Problem> {
    let Decide {
        attempt, provider, ..
    } = given;
    let verdict = match given.verdict.as_str() {
        "succeeded" => Verdict::Succeeded,
        "failed" => Verdict::Failed,
        "cancel" => Verdict::Cancel,
        "send_again" => {
            let attempt = attempt.and_then(|attempt| attempt.checked_sub(1));
            let attempt =
                attempt.ok_or_else(|| Problem::field("attempt", "say which, counted from 1"))?;
            Verdict::SendAgain { attempt }
        }
        "send_elsewhere" => {
            let name = provider.as_deref().unwrap_or_default();
            let provider = ProviderId::parse(name)
                .map_err(|error| Problem::field("provider", error.to_string()))?;
            Verdict::SendElsewhere { provider }
        }
        _ => {
            let right = "write succeeded, failed, send_again, send_elsewhere or cancel";
            return Err(Problem::field("verdict", right));
        }
    };
    match (&verdict, attempt, provider) {
        (Verdict::SendAgain { .. }, _, None)
        | (Verdict::SendElsewhere { .. }, None, _)
        | (Verdict::Succeeded | Verdict::Failed | Verdict::Cancel, None, None) => Ok(verdict),
        (_, Some(_), _) if !matches!(verdict, Verdict::SendAgain { .. }) => Err(Problem::field(
            "attempt",
            "only send_again names an attempt: leave it out",
        )),
        _ => Err(Problem::field(
            "provider",
            "only send_elsewhere names a provider: leave it out",
        )),
    }
}

async fn decide(
    app: &App,
    caller: &Caller,
    order: &Order,
    verdict: Verdict,
    evidence: String,
    seen: u64,
) -> Result<Order, Problem> {
    let by = caller.person()?;
    let decision = Decision {
        verdict,
        by,
        evidence,
        seen,
    };
    carry_out(app, order, Command::Decide(decision)).await
}

async fn carry_out(app: &App, order: &Order, command: Command) -> Result<Order, Problem> {
    let what = order.what();
    let done = app
        .driver
        .command(&what.merchant, &what.order_id, command)
        .await;
    done.map_err(|error| match error {
        ActError::NoSuchOrder => Problem::not_found("order"),
        ActError::Refused(error) => refused(&error),
        ActError::Store(error) => error.into(),
        ActError::Stopping => Problem::new(Code::Stopping, "the service is about to stop"),
        _ => Problem::new(Code::StoreUnavailable, "another worker has this order now"),
    })
}

fn refused(error: &CommandError) -> Problem {
    let detail = error.to_string();
    match error {
        CommandError::Stale { .. } => Problem::new(Code::Stale, detail),
        CommandError::NotSeen { .. } => Problem::field("version", detail),
        CommandError::NoEvidence => Problem::field("evidence", detail),
        CommandError::NotAPerson(_) => Problem::new(
            Code::NotNow,
            format!(
                "{detail}; decide with a key that was made for a person (`recharge keys create --person NAME`)"
            ),
        ),
        _ => Problem::new(Code::NotNow, detail),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_are_counted_from_one() {
        for (attempt, meant) in [
            (Some(1), Some(0)),
            (Some(2), Some(1)),
            (Some(0), None),
            (None, None),
        ] {
            let given = Decide {
                verdict: "send_again".to_owned(),
                evidence: Private(String::new()),
                version: 1,
                attempt,
                provider: None,
            };
            let meant = meant.map(|attempt| Verdict::SendAgain { attempt });
            assert_eq!(verdict(&given).ok(), meant, "{attempt:?}");
        }
    }
}
