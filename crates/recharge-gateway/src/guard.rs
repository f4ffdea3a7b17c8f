//! What stands around every route: a deadline, what is answered after a panic, which web pages may call.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Method};
use tokio::time::timeout;
use tower_http::cors::CorsLayer;

use crate::api::input::{Arrival, BodyLimit};
use crate::app::App;
use crate::problem::{Code, Problem};
use crate::trace;

/// The routes, guarded. A panic and a deadline are answered like any other problem.
pub fn guarded(router: Router, app: &Arc<App>) -> Router {
    let router = router.layer(from_fn_with_state(Arc::clone(app), guard));
    match cors(&app.settings.cors_origins) {
        // Outermost: a page that may call must be able to read every refusal.
        Some(cors) => router.layer(cors),
        None => router,
    }
}

/// One layer for all: each costs some allocations a request. A panic and a deadline are counted like any other
/// answer.
async fn guard(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let deadline = app.settings.deadline;
    let extensions = request.extensions_mut();
    // Routes that take more say so within.
    extensions.insert(BodyLimit(app.settings.body_limit));
    extensions.insert(Arrival::before(deadline));
    let answer = async |request: Request| {
        let advice = in_doubt(&request);
        let mut response = match timeout(deadline, caught(next.run(request))).await {
            Ok(Some(response)) => response,
            Ok(None) => {
                tracing::error!("a handler panicked");
                Problem::new(Code::Internal, "something went wrong here").into_response()
            }
            Err(_) => Problem::new(Code::Timeout, "it took too long").into_response(),
        };
        match (response.extensions_mut().remove::<Problem>(), advice) {
            (Some(problem), Some(advice)) => problem.advise(advice).into_response(),
            _ => response,
        }
    };
    trace::watched(&app, request, answer).await
}

/// What a task comes to; `None` if it panics.
pub(crate) async fn caught<T>(task: impl Future<Output = T>) -> Option<T> {
    let mut task = pin!(task);
    poll_fn(|context| {
        // Whatever it leaves half done is its own, and it is not polled again.
        let polled = catch_unwind(AssertUnwindSafe(|| task.as_mut().poll(context)));
        polled.map_or(Poll::Ready(None), |polled| polled.map(Some))
    })
    .await
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_caught_also_after_a_wait() {
        let panics = async |at_once: bool| {
            if !at_once {
                tokio::task::yield_now().await;
            }
            "no number".parse::<u8>().unwrap()
        };
        assert_eq!(caught(panics(true)).await, None);
        assert_eq!(caught(panics(false)).await, None);
        assert_eq!(caught(async { 7 }).await, Some(7));
    }
}
