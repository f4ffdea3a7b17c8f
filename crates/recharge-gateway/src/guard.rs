//! What stands around every route: a deadline, what is answered after a panic, which web pages may call.

use std::sync::Arc;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Method};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::CorsLayer;

use crate::app::App;
use crate::problem::{Code, Problem};
use crate::trace;

/// The routes, guarded. A panic and a deadline are answered like any other problem.
pub fn guarded(router: Router, app: &Arc<App>) -> Router {
    let router = router
        .layer(CatchPanicLayer::custom(|_| {
            tracing::error!("a handler panicked");
            Problem::new(Code::Internal, "something went wrong here").into_response()
        }))
        .layer(from_fn_with_state(Arc::clone(app), guard));
    match cors(&app.settings.cors_origins) {
        // Outermost: a page that may call must be able to read every refusal.
        Some(cors) => router.layer(cors),
        None => router,
    }
}

/// One layer for both: each costs some allocations a request. A panic and a deadline are counted like any other
/// answer.
async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let deadline = app.settings.deadline;
    let answer = async |request: Request| {
        let advice = in_doubt(&request);
        let mut response = match tokio::time::timeout(deadline, next.run(request)).await {
            Ok(response) => response,
            Err(_) => Problem::new(Code::Timeout, "it took too long").into_response(),
        };
        match (response.extensions_mut().remove::<Problem>(), advice) {
            (Some(problem), Some(advice)) => problem.advise(advice).into_response(),
            _ => response,
        }
    };
    trace::watched(&app, request, answer).await
}

/// What to do when nobody knows whether it was done, where to send the same again is not it.
fn in_doubt(request: &Request) -> Option<&'static str> {
    let route = request.extensions().get::<MatchedPath>()?.as_str();
    Some(match (request.method().as_str(), route) {
        ("POST", "/v1/orders/{order_id}/decisions") => {
            "look at the order, then decide again if it is still needed"
        }
        ("POST", "/v1/orders/{order_id}/cancel") => {
            "look at the order, then cancel it again if it is still needed"
        }
        ("POST", "/v1/orders/{order_id}/ask") => "look at the order's events, or ask again",
        ("PUT", "/v1/webhook") => {
            "set it again; if GET /v1/webhook shows it and you were shown no secret, make one by POST /v1/webhook/rotate"
        }
        ("POST", "/v1/webhook/rotate") => {
            "GET /v1/webhook tells by changed_at whether it happened; if it did, make a new secret, for this one is not shown again"
        }
        ("POST", "/v1/webhooks/{id}/resend") => {
            "send the same again: the notice may come twice, under the same webhook-id"
        }
        _ => return None,
    })
}

/// Without an origin there is nothing to say, and a browser keeps all pages out by itself. Credentials of
/// the browser's own, cookies say, are never let through: keys are sent by name.
fn cors(origins: &[String]) -> Option<CorsLayer> {
    let origins: Vec<HeaderValue> = origins
        .iter()
        .filter_map(|origin| HeaderValue::from_str(origin).ok())
        .collect();
    let layer = || {
        CorsLayer::new()
            .allow_origin(origins.clone())
            .allow_methods([Method::GET, Method::POST, Method::PUT])
            .allow_headers([AUTHORIZATION, CONTENT_TYPE])
            .expose_headers([RETRY_AFTER])
    };
    (!origins.is_empty()).then(layer)
}
