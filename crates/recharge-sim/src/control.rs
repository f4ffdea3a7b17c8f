//! `/_sim`: the simulator's own calls. No fault ever strikes them.
//!
//! | call | does |
//! |---|---|
//! | `GET /_sim` | says what there is |
//! | `GET /_sim/ledger` | a JSON array of [`LedgerRow`](crate::LedgerRow)s: what was really charged |
//! | `GET /_sim/log` | the requests received, secrets and accounts masked |
//! | `GET /_sim/faults` | counts of calls, hits and injected faults, and when the next thing is due |
//! | `POST /_sim/faults` | sets the faults: the keys `preset`, `timings`, `probabilities`, `order` of a [`Scenario`](crate::Scenario), as JSON |
//! | `POST /_sim/step` | settles charging orders; optional JSON `{"provider", "order_id", "to"}`, `to` being `succeeded`, `failed` or `not_taken_on` |
//! | `POST /_sim/reset` | forgets everything and goes back to the start's settings |

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::books::{End, Step};
use crate::config::Upstream;
use crate::message::{Reply, Request};
use crate::scenario::faults_from_json;
use crate::stats::millis;
use crate::world::World;

/// Whether the path is one of the simulator's own.
pub(crate) fn is_control(path: &str) -> bool {
    path == "/_sim" || path.starts_with("/_sim/")
}

/// Answers a control call.
pub(crate) fn handle(world: &mut World, now: Duration, request: &Request) -> Reply {
    world.advance(now);
    let path = request.path.strip_prefix("/_sim").unwrap_or_default();
    let body = request.body.trim_ascii();
    match (request.method.as_str(), path.trim_matches('/')) {
        ("GET", "") => json_reply(&json!({
            "GET": ["/_sim/ledger", "/_sim/log", "/_sim/faults"],
            "POST": ["/_sim/faults", "/_sim/step", "/_sim/reset"],
        })),
        ("GET", "ledger") => json_reply(&world.ledger()),
        ("GET", "log") => json_reply(&world.log().collect::<Vec<_>>()),
        ("GET", "faults") => json_reply(&counts(world, now)),
        ("POST", "faults") => match faults_from_json(body) {
            Ok(plan) => {
                world.set_faults(plan);
                json_reply(&counts(world, now))
            }
            Err(error) => bad_request(&format!(
                "{error}; send JSON such as {{\"preset\": \"hostile\"}}"
            )),
        },
        ("POST", "step") => match read_step(body) {
            Ok(step) => {
                let rows = world.step(now, &step);
                match &step.order_id {
                    Some(id) if rows.is_empty() && !exists(world, &step) => bad_request(&format!(
                        "no order {id:?} was taken; GET /_sim/ledger lists those that were"
                    )),
                    Some(_) | None => json_reply(&rows),
                }
            }
            Err(error) => bad_request(&error),
        },
        ("POST", "reset") => {
            world.reset();
            json_reply(&json!({"reset": true}))
        }
        (_, "ledger" | "log" | "") => wrong_method("GET"),
        (_, "faults") => wrong_method("GET or POST"),
        (_, "step" | "reset") => wrong_method("POST"),
        _ => error(404, "no such call; GET /_sim lists them"),
    }
}

fn exists(world: &World, step: &Step) -> bool {
    world.ledger().iter().any(|row| {
        Some(&row.order_id) == step.order_id.as_ref()
            && row.upstream_id.is_some()
            && step.upstream.is_none_or(|wanted| wanted == row.provider)
    })
}

#[derive(Serialize)]
struct Counts {
    calls: u64,
    hits: u64,
    faults_injected: u64,
    by_kind: BTreeMap<&'static str, u64>,
    by_stage: BTreeMap<&'static str, u64>,
    callbacks_sent: u64,
    callbacks_confirmed: u64,
    /// In how many milliseconds the next thing happens by itself, such as the end of an order; `null`:
    /// nothing does.
    next_event_ms: Option<u64>,
}

fn counts(world: &World, now: Duration) -> Counts {
    let stats = world.stats();
    Counts {
        calls: stats.calls,
        hits: stats.hits,
        faults_injected: stats.faults_injected(),
        by_kind: stats
            .faults
            .iter()
            .map(|(kind, count)| (kind.name(), *count))
            .collect(),
        by_stage: stats
            .by_stage
            .iter()
            .map(|(stage, (calls, _))| (stage.name(), *calls))
            .collect(),
        callbacks_sent: stats.callbacks_sent,
        callbacks_confirmed: stats.callbacks_confirmed,
        next_event_ms: world.next_event().map(|at| millis(at.saturating_sub(now))),
    }
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct StepTexts {
    provider: Option<Upstream>,
    order_id: Option<String>,
    to: Option<String>,
}

fn read_step(body: &[u8]) -> Result<Step, String> {
    if body.is_empty() {
        return Ok(Step::default());
    }
    let texts: StepTexts = serde_json::from_slice(body).map_err(|error| {
        format!(
            "the step can't be read: {error}; send nothing, or JSON such as \
             {{\"order_id\": \"ABCDEFGH12345678\", \"to\": \"failed\"}}"
        )
    })?;
    let to = match texts.to.as_deref() {
        None => None,
        Some("succeeded") => Some(End::Succeeded),
        Some("failed") => Some(End::Failed),
        Some("not_taken_on") => Some(End::NotTakenOn),
        Some(other) => {
            return Err(format!(
                "no end is called {other:?}; write succeeded, failed or not_taken_on"
            ));
        }
    };
    Ok(Step {
        upstream: texts.provider,
        order_id: texts.order_id,
        to,
    })
}

fn json_reply<T: Serialize>(value: &T) -> Reply {
    Reply::json(serde_json::to_vec(value).unwrap_or_default())
}

fn bad_request(text: &str) -> Reply {
    error(400, text)
}

fn wrong_method(right: &str) -> Reply {
    error(405, &format!("this call is {right}"))
}

fn error(status: u16, text: &str) -> Reply {
    Reply::json_status(status, json!({ "error": text }).to_string())
}
