//! The upstreams' own protocols, under `/compat`, so that a shop that talks to Juhe or Jisu changes one
//! address and its keys.
//!
//! The facts of the wire are those of `docs/upstreams`; where the documents are silent, the answer is the one
//! that the simulator gives. A shop's program was written for the original, so the rule for every answer is:
//! **what is not known to have failed is never shown as failed.** A code that a shop may take for a refusal is
//! given only when nothing was taken for sure; whatever is in doubt is 10014 or 210, which mean "ask".
//!
//! What differs from the original, and why, is in `docs/migration.md`.

mod catalogue;
pub(crate) mod described;
mod form;
pub mod jisu;
pub mod juhe;
mod list;
pub mod number;
mod submit;
mod view;

use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, on};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use recharge_store::registry::KeyKind;
use serde::Serialize;
use tokio::time::timeout;

use crate::app::App;
use crate::guard::caught;
use crate::ring::Key;
use crate::trace;
use catalogue::Prices;

/// What an order's [`reply_to`](recharge_engine::NewOrder::reply_to) begins with when it came under a drop-in
/// credential; the credential's id follows.
pub const REPLY_TO: &str = "compat:";

/// Every path that is served here.
pub fn paths() -> impl Iterator<Item = &'static str> {
    let juhe = juhe::Call::ALL.into_iter().map(juhe::Call::path);
    let jisu = jisu::Call::all().map(jisu::Call::path);
    juhe.chain(jisu)
}

/// What the calls have at hand.
pub(crate) struct Compat {
    app: Arc<App>,
    prices: Prices,
}

impl fmt::Debug for Compat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compat").finish_non_exhaustive()
    }
}

/// The protocols' paths.
pub(crate) fn router<S: Clone + Send + Sync + 'static>(app: Arc<App>) -> Router<S> {
    let compat = Arc::new(Compat {
        app,
        prices: Prices::default(),
    });
    // HEAD is a GET to the router; the handlers refuse it, since it would place orders.
    let methods = MethodFilter::GET.or(MethodFilter::POST);
    let mut router = Router::new();
    for call in juhe::Call::ALL {
        let answer = async move |State(compat): State<Arc<Compat>>, request: Request| {
            let answer = juhe::answer(&compat, call, request);
            guarded(&compat, answer, juhe::in_doubt).await
        };
        router = router.route(call.path(), on(methods, answer));
    }
    for call in jisu::Call::all() {
        let answer = async move |State(compat): State<Arc<Compat>>, request: Request| {
            let answer = jisu::answer(&compat, call, request);
            guarded(&compat, answer, jisu::in_doubt).await
        };
        router = router.route(call.path(), on(methods, answer));
    }
    router.with_state(compat)
}

/// After a panic, or past the deadline, nobody knows what was done: what is answered says so. The deadline is
/// a little shorter than that of the whole service, which would answer in another form.
async fn guarded(
    compat: &Compat,
    answer: impl Future<Output = Response>,
    in_doubt: fn() -> Response,
) -> Response {
    let patience = compat.app.settings.deadline / 5 * 4;
    match timeout(patience, caught(answer)).await {
        Ok(Some(response)) => response,
        Ok(None) | Err(_) => in_doubt(),
    }
}

/// Why a credential can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NoKey {
    /// There is none of that name, or it is revoked.
    Unknown,
    /// It makes too many requests.
    TooMany,
}

impl Compat {
    /// The credential of that name, with one of its requests taken.
    async fn key(&self, kind: KeyKind, id: Option<&str>) -> Result<Arc<Key>, NoKey> {
        let found = match id {
            Some(id) => self.app.ring.find(kind, id).await,
            None => None,
        };
        let key = found.ok_or(NoKey::Unknown)?;
        trace::merchant(&key.stored.merchant);
        self.app.ring.used(&key, self.app.now());
        key.take().map_err(|_| NoKey::TooMany)?;
        Ok(key)
    }
}

/// An answer of either upstream: always status 200, with its envelope.
fn envelope<T: Serialize>(envelope: &T) -> Response {
    // Our envelopes have text keys and no foreign `Serialize`, so writing them can't fail.
    let body = serde_json::to_vec(envelope).unwrap_or_default();
    let headers = [
        (
            CONTENT_TYPE,
            HeaderValue::from_static("application/json;charset=utf-8"),
        ),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (StatusCode::OK, headers, body).into_response()
}
