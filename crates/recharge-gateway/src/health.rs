//! Whether it lives, and whether it can do its work.

use std::sync::Arc;

use axum::Json as Answer;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use recharge_engine::WallTime;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::problem::{Code, Problem, refusals};

/// Before this no clock is right: 2026-01-01 in China, in milliseconds since 1970.
const THIS_PROJECT: WallTime = WallTime::from_millis(1_767_196_800_000);

refusals! {
    /// Why orders can't be taken.
    NotReady: StoreUnavailable OutcomeUnknown Internal;
}

/// That all is well.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// `ok`.
    status: &'static str,
}

/// Say that the process lives
#[utoipa::path(
    get, path = "/healthz", tag = "health",
    responses((status = 200, description = "It lives", body = Health)),
)]
pub async fn healthz() -> Answer<Health> {
    Answer(Health { status: "ok" })
}

/// Say whether orders can be taken
///
/// The store can be written, and the clock is sane.
#[utoipa::path(
    get, path = "/readyz", tag = "health",
    responses(
        (status = 200, description = "They can", body = Health),
        NotReady,
    ),
)]
pub async fn readyz(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    if app.driver.trouble().borrow().is_some() {
        return Err(Problem::new(
            Code::StoreUnavailable,
            "the store can't be used now",
        ));
    }
    app.store().probe().await?;
    if app.now() < THIS_PROJECT {
        return Err(Problem::new(
            Code::StoreUnavailable,
            "the clock is years behind",
        ));
    }
    Ok(Answer(Health { status: "ok" }).into_response())
}
