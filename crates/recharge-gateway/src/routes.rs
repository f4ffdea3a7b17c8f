//! Every route. Their description is made from the handlers, and so can't be behind them.

use std::sync::Arc;

use axum::{Extension, Router};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::input::BodyLimit;
use crate::app::App;
use crate::problem::{Code, Problem, ProblemBody};
use crate::webhooks::event::Event;
use crate::{api, callbacks, compat, docs, guard, health, metrics, webhooks};

/// What the description says of the whole.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Recharge",
        description = "Tops up phones, landlines and broadband. An order that was answered for is not lost, is \
            not charged twice, and is not called failed while it may have been paid. Amounts are answered as \
            texts in yuan; times are RFC 3339 with an offset. Every error is a problem of RFC 9457; but what is \
            no HTTP/1.1 request at all, or has more than 100 headers or 16 KiB of them, is answered with the \
            status alone, without a body, and its connection is closed.",
    ),
    tags(
        (name = "orders", description = "Orders, and what becomes of them"),
        (name = "batches", description = "Files of orders"),
        (name = "upstreams", description = "What the upstreams are asked for directly"),
        (name = "webhooks", description = "Where you are told, and what has not arrived"),
        (name = "callbacks", description = "For the upstreams"),
        (name = "compat", description = "The upstreams' own protocols, for programs that were written for them"),
        (name = "health", description = "For whoever runs the service"),
        (name = "description", description = "What you read here"),
    ),
    components(schemas(ProblemBody, Event<'_>)),
    modifiers(&Keys),
)]
struct Description;

struct Keys;

impl Modify for Keys {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        let components = description.components.get_or_insert_default();
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        components.add_security_scheme("key", scheme);
    }
}

/// All routes, and their description.
fn all(files_limit: BodyLimit) -> OpenApiRouter<Arc<App>> {
    // A file of orders is larger than any other body.
    let files = OpenApiRouter::new()
        .routes(routes!(api::batches::hand_in))
        .layer(Extension(files_limit));
    OpenApiRouter::with_openapi(Description::openapi())
        .merge(files)
        .routes(routes!(api::orders::place, api::orders::list))
        .routes(routes!(api::orders::show))
        .routes(routes!(api::events::events))
        .routes(routes!(api::acts::ask))
        .routes(routes!(api::acts::cancel))
        .routes(routes!(api::acts::decisions))
        .routes(routes!(api::upstreams::check))
        .routes(routes!(api::upstreams::quote))
        .routes(routes!(api::upstreams::balances))
        .routes(routes!(api::books::statistics))
        .routes(routes!(api::books::statement))
        .routes(routes!(api::batches::show))
        .routes(routes!(api::batches::result))
        .routes(routes!(api::webhooks::show, api::webhooks::set))
        .routes(routes!(api::webhooks::rotate))
        .routes(routes!(api::webhooks::dead))
        .routes(routes!(api::webhooks::resend))
        .routes(routes!(callbacks::juhe))
        .routes(routes!(callbacks::jisu))
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        .routes(routes!(metrics::metrics))
        .routes(routes!(docs::openapi))
        .routes(routes!(docs::page))
        .routes(routes!(docs::front))
}

/// The description of the interface, as OpenAPI 3.1. The drop-in protocols are served by a router of their own,
/// and described here.
pub fn description() -> utoipa::openapi::OpenApi {
    let (_, mut description) = all(BodyLimit(0)).split_for_parts();
    description.paths.merge(compat::described::paths());
    description.webhooks = Some(webhooks::event::described());
    description
}

/// The service, without what guards its connections.
pub fn router(app: &Arc<App>) -> Router {
    let (router, _) = all(BodyLimit(app.settings.batch_limit)).split_for_parts();
    let router = router
        .merge(compat::router(Arc::clone(app)))
        .merge(docs::files())
        .method_not_allowed_fallback(async || {
            Problem::new(Code::MethodNotAllowed, "there is no such method here")
        })
        .fallback(async || {
            let detail = "there is no such path; /docs and /openapi.json describe those that are";
            Problem::new(Code::NotFound, detail)
        })
        .with_state(Arc::clone(app));
    guard::guarded(router, app)
}
