//! What the upstreams tell. A callback makes the engine ask sooner and proves nothing, so that whoever forges
//! or repeats one gains nothing; what is not genuine is not even kept.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use http::header::CONTENT_TYPE;
use http::request::Parts;
use recharge_core::{CallbackError, ProviderId};
use recharge_engine::driver::TakeError;

use crate::api::input::{BodyLimit, read};
use crate::app::App;
use crate::peer;
use crate::problem::{Code, Problem, refusals};

/// The most bytes of a callback: known ones have some hundred.
const MOST: usize = 64 * 1024;

/// Whose callbacks are taken, each by a route of its own.
pub(crate) const UPSTREAMS: [&str; 2] = ["juhe", "jisu"];

/// After how long an upstream may try again.
const AGAIN: Duration = Duration::from_secs(3);

refusals! {
    /// Why a callback isn't taken.
    CallbackRefusals: Forbidden NotFound Malformed TooLarge SlowRequest TooMany Timeout StoreUnavailable OutcomeUnknown
        Stopping Internal;
}

/// How many callbacks are taken in a second, from all senders together.
#[derive(Debug)]
pub struct Throttle {
    limiter: DefaultDirectRateLimiter,
}

impl Throttle {
    /// So many; zero counts as one.
    pub fn new(per_second: u32) -> Self {
        let most = NonZeroU32::new(per_second).unwrap_or(NonZeroU32::MIN);
        Self {
            limiter: RateLimiter::direct(Quota::per_second(most)),
        }
    }

    fn take(&self) -> Result<(), Problem> {
        self.limiter.check().map_err(|not_yet| {
            Problem::new(Code::TooMany, "too many callbacks at a time")
                .retry_after(not_yet.wait_time_from(DefaultClock::default().now()))
        })
    }
}

/// Take a callback of Juhe's
#[utoipa::path(
    post, path = "/callbacks/juhe", operation_id = "takeJuheCallback", tag = "callbacks",
    request_body(
        content((String = "application/x-www-form-urlencoded"), (String = "multipart/form-data")),
        description = "sporder_id, orderid, sta, sign",
    ),
    responses(
        (status = 200, description = "It is kept: `success`", body = String, content_type = "text/plain"),
        CallbackRefusals,
    ),
)]
pub async fn juhe(State(app): State<Arc<App>>, request: Request) -> Result<Response, Problem> {
    take(&app, "juhe", request).await
}

/// Take a callback of Jisu's
#[utoipa::path(
    post, path = "/callbacks/jisu", operation_id = "takeJisuCallback", tag = "callbacks",
    request_body(
        content((String = "application/x-www-form-urlencoded"), (String = "multipart/form-data")),
        description = "orderno, outorderno, mobile, rechargestatus, amount, totalfee, sign",
    ),
    responses(
        (status = 200, description = "It is kept: `success`", body = String, content_type = "text/plain"),
        CallbackRefusals,
    ),
)]
pub async fn jisu(State(app): State<Arc<App>>, request: Request) -> Result<Response, Problem> {
    take(&app, "jisu", request).await
}

async fn take(app: &App, provider: &'static str, request: Request) -> Result<Response, Problem> {
    let taken = try_to_take(app, provider, request).await;
    app.metrics
        .called_back(provider, taken.as_ref().err().map(|problem| problem.code));
    if let Err(problem) = &taken {
        // Of what it holds not a word: it is somebody's number, or somebody's lie.
        tracing::warn!(
            provider,
            code = problem.code.as_str(),
            "a callback is not taken"
        );
    }
    taken
}

async fn try_to_take(
    app: &App,
    provider: &'static str,
    request: Request,
) -> Result<Response, Problem> {
    let id = ProviderId::parse(provider)
        .ok()
        .filter(|id| app.provider(id).is_some())
        .ok_or_else(|| Problem::not_found("path"))?;
    let (parts, body) = request.into_parts();
    // First of all, so that nobody else can use up what the upstream may send.
    is_from(app, provider, &parts)?;
    app.throttle.take()?;
    let body = read(body, BodyLimit(MOST), &parts.extensions).await?;
    // A header that isn't text names no form that could be read.
    let kind = match parts.headers.get(CONTENT_TYPE) {
        None => None,
        Some(kind) => Some(kind.to_str().map_err(|_| unusable())?),
    };
    match app.driver.callback(&id, kind, &body).await {
        Ok(()) => Ok("success".into_response()),
        Err(error) => Err(not_taken(error)),
    }
}

fn is_from(app: &App, provider: &str, parts: &Parts) -> Result<(), Problem> {
    let senders = &app.settings.callback_senders;
    let Some((_, networks)) = senders.iter().find(|(name, _)| name == provider) else {
        return Ok(());
    };
    let sender = peer::of(parts, &app.settings.trusted_proxies);
    if sender.is_some_and(|ip| networks.iter().any(|network| network.contains(&ip))) {
        Ok(())
    } else {
        Err(Problem::new(
            Code::Forbidden,
            "this is not an address from which such callbacks come",
        ))
    }
}

fn unusable() -> Problem {
    Problem::new(
        Code::Malformed,
        "this is not a callback as it is documented",
    )
}

fn not_taken(error: TakeError) -> Problem {
    match error {
        TakeError::Callback(CallbackError::Forged) => {
            Problem::new(Code::Forbidden, "the signature is not genuine")
        }
        // What is wrong with it is not repeated: it could hold a word of the body.
        TakeError::Callback(CallbackError::Unusable(_)) => unusable(),
        TakeError::NoSuchProvider => Problem::not_found("path"),
        TakeError::Store(error) => error.into(),
        TakeError::Stopping => {
            Problem::new(Code::Stopping, "the service is about to stop").retry_after(AGAIN)
        }
        _ => Problem::new(Code::Internal, "the callback was not taken"),
    }
}
