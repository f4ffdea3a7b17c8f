//! What happened to an order, as its merchant is told: never what an upstream said word by word.

use std::sync::Arc;

use axum::Json as Answer;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use recharge_core::{QueryOutcome, SubmitOutcome};
use recharge_engine::{Event, Recorded};
use serde::Serialize;
use utoipa::ToSchema;

use super::closed::{CauseName, StateName};
use super::input::Named;
use super::orders::find;
use crate::app::App;
use crate::auth::Reader;
use crate::problem::{Problem, ShowRefusals};
use crate::time;

/// Something that happened.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventView {
    /// The order's version from then on.
    version: u64,
    /// When.
    at: String,
    /// What: sending, sent, answered, callback, approved, decided, asked_again, moved, recovered, held, probed,
    /// adopted or priced.
    event: &'static str,
    /// The attempt, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt: Option<u32>,
    /// The provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<String>,
    /// What it told: accepted, rejected, not_sent, unknown; charging, succeeded, failed, no_such_order,
    /// unavailable.
    #[serde(skip_serializing_if = "Option::is_none")]
    told: Option<&'static str>,
    /// Where the order stands from then on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<StateName>)]
    state: Option<&'static str>,
    /// Why, for programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<CauseName>)]
    cause: Option<&'static str>,
    /// Why, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'static str>,
    /// The person.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
}

/// All that happened to an order.
#[derive(Debug, Serialize, ToSchema)]
pub struct Events {
    /// The oldest first. Versions that are left out only say when something is next to be done.
    events: Vec<EventView>,
}

impl EventView {
    fn of(recorded: &Recorded) -> Option<Self> {
        let view = |event| Self {
            version: recorded.version,
            at: time::rfc3339(recorded.at.wall),
            event,
            attempt: None,
            provider: None,
            told: None,
            state: None,
            cause: None,
            why: None,
            by: None,
        };
        let number = |attempt: &u32| Some(attempt.saturating_add(1));
        Some(match &recorded.event {
            Event::SendIntended {
                attempt, provider, ..
            } => Self {
                attempt: number(attempt),
                provider: Some(provider.to_string()),
                ..view("sending")
            },
            Event::SendEnded {
                attempt, outcome, ..
            } => Self {
                attempt: number(attempt),
                told: Some(match outcome {
                    SubmitOutcome::Accepted(_) => "accepted",
                    SubmitOutcome::Rejected(_) => "rejected",
                    SubmitOutcome::NotSent(_) => "not_sent",
                    SubmitOutcome::Unknown(_) => "unknown",
                }),
                ..view("sent")
            },
            Event::Answered {
                attempt, outcome, ..
            } => Self {
                attempt: number(attempt),
                told: Some(told(outcome)),
                ..view("answered")
            },
            Event::CallbackSeen { attempt, .. } => Self {
                attempt: number(attempt),
                ..view("callback")
            },
            Event::Approved { decision } => Self {
                by: Some(decision.by.name().to_owned()),
                ..view("approved")
            },
            Event::Decided { decision, .. } => Self {
                by: Some(decision.by.name().to_owned()),
                ..view("decided")
            },
            Event::AskedAgain { by } => Self {
                by: Some(by.name().to_owned()),
                ..view("asked_again")
            },
            Event::Moved { to, cause } => Self {
                state: Some(to.as_str()),
                cause: Some(cause.as_str()),
                why: Some(cause.meaning()),
                ..view("moved")
            },
            Event::Recovered => view("recovered"),
            Event::Held => view("held"),
            Event::Probed {
                provider, outcome, ..
            } => Self {
                provider: Some(provider.to_string()),
                told: Some(told(outcome)),
                ..view("probed")
            },
            Event::Adopted {
                attempt, provider, ..
            } => Self {
                attempt: number(attempt),
                provider: Some(provider.to_string()),
                ..view("adopted")
            },
            Event::Priced { provider, .. } => Self {
                provider: Some(provider.to_string()),
                ..view("priced")
            },
            Event::Scheduled { .. } => return None,
        })
    }
}

fn told(outcome: &QueryOutcome) -> &'static str {
    match outcome {
        QueryOutcome::Found(sighting) => sighting.state.as_str(),
        QueryOutcome::NotFound(_) => "no_such_order",
        QueryOutcome::Unavailable(_) => "unavailable",
    }
}

/// Show what happened to an order
#[utoipa::path(
    get, path = "/v1/orders/{order_id}/events", operation_id = "listOrderEvents", tag = "orders",
    params(("order_id" = String, Path, description = "Your name for it")),
    responses(
        (status = 200, description = "All that happened", body = Events),
        ShowRefusals,
    ),
    security(("key" = ["read"])),
)]
pub async fn events(
    State(app): State<Arc<App>>,
    Reader(caller): Reader,
    Named(order_id): Named,
) -> Result<Response, Problem> {
    let stored = find(&app, caller.merchant(), &order_id).await?;
    let log = app.store().log(stored.key).await?;
    let events = log.iter().filter_map(EventView::of).collect();
    Ok(Answer(Events { events }).into_response())
}
