//! Whether it lives, and whether it can do its work.

use std::sync::Arc;

use axum::Json as Answer;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::CACHE_CONTROL;
use recharge_engine::WallTime;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::problem::{Problem, refusals};

/// Before this no clock is right: 2026-01-01 in China, in milliseconds since 1970.
const THIS_PROJECT: WallTime = WallTime::from_millis(1_767_196_800_000);

refusals! {
    /// Why it isn't known.
    NotKnown: Internal;
}

/// That all is well.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// `ok`.
    status: &'static str,
}

/// Whether the service can do all of its work.
#[derive(Debug, Serialize, ToSchema)]
pub struct Readiness {
    /// `ok`, or `not_ready` if a check has failed.
    #[schema(example = "ok")]
    status: &'static str,
    /// What was looked at.
    checks: Vec<Check>,
}

/// One thing that was looked at.
#[derive(Debug, Serialize, ToSchema)]
pub struct Check {
    /// `store`: it can be written. `clock`: it is sane. `master_key`: it opens every secret that is in force.
    #[schema(example = "master_key")]
    name: &'static str,
    /// Whether it is as it should be.
    ok: bool,
    /// What is wrong, and what the operator does about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'static str>,
}

impl Check {
    /// It is well unless there is something wrong.
    const fn of(name: &'static str, wrong: Option<&'static str>) -> Self {
        Self {
            name,
            ok: wrong.is_none(),
            detail: wrong,
        }
    }
}

/// Say that the process lives
#[utoipa::path(
    get, path = "/healthz", operation_id = "checkHealth", tag = "health",
    responses((status = 200, description = "It lives", body = Health)),
)]
pub async fn healthz() -> Answer<Health> {
    Answer(Health { status: "ok" })
}

/// Say whether all work can be done
///
/// Each check by its name. While one fails, orders that were taken go on as far as they can; send new ones
/// elsewhere, or later.
#[utoipa::path(
    get, path = "/readyz", operation_id = "checkReadiness", tag = "health",
    responses(
        (status = 200, description = "It can", body = Readiness),
        (status = 503, description = "It can't", body = Readiness),
        NotKnown,
    ),
)]
pub async fn readyz(State(app): State<Arc<App>>) -> Response {
    let behind = app.now() < THIS_PROJECT;
    let checks = vec![
        Check::of("store", store(&app).await),
        Check::of(
            "clock",
            behind.then_some("it is years behind: set it, and keep it by NTP"),
        ),
        Check::of(
            "master_key",
            app.ring.locked().map(|_| {
                "some secrets can't be opened with it: start with the key under which they are sealed; `recharge doctor` says more"
            }),
        ),
    ];
    let (status, word) = if checks.iter().all(|check| check.ok) {
        (StatusCode::OK, "ok")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not_ready")
    };
    let readiness = Readiness {
        status: word,
        checks,
    };
    (status, [(CACHE_CONTROL, "no-store")], Answer(readiness)).into_response()
}

/// What is wrong with the store.
async fn store(app: &App) -> Option<&'static str> {
    let wrong = Some("it can't be used now: look at the log, the disk, and whether it is full");
    if app.driver.trouble().borrow().is_some() {
        return wrong;
    }
    // The reason is for operators, and in the log.
    let probed = app.store().probe().await.map_err(Problem::from);
    probed.err().and(wrong)
}
