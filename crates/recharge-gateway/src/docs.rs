//! The interface described: `/openapi.json` for programs, `/docs` for people. Everything that a browser needs is
//! in this program; the page is told to fetch nothing from elsewhere, and the browser holds it to that.

use std::fmt::Write as _;
use std::sync::LazyLock;

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use utoipa::openapi::{ObjectBuilder, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::problem::Code;
use crate::routes;

/// Where the viewer is; the version is in its name, so that a browser may keep it.
const VIEWER: &str = "/docs/rapidoc-9.3.8.js";
/// The viewer, packed as its package has it.
const VIEWER_GZ: &[u8] = include_bytes!("../vendored/rapidoc/rapidoc-min.js.gz");

const STYLE: &str = "/docs/page.css";
const STYLE_CSS: &str = include_str!("docs/page.css");
const PAGE: &str = include_str!("docs/page.html");

/// The page may load what this service has, and nothing else. The viewer writes styles of its own.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The description of the interface: an OpenAPI document.
struct OpenApiDocument;

impl PartialSchema for OpenApiDocument {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        ObjectBuilder::new().schema_type(Type::Object).into()
    }
}

impl ToSchema for OpenApiDocument {}

/// The description, as it is answered. It doesn't change while the process lives.
static DESCRIPTION: LazyLock<Bytes> =
    LazyLock::new(|| routes::description().to_json().unwrap_or_default().into());

static PAGE_HTML: LazyLock<Bytes> = LazyLock::new(|| page_html().into());

/// What the page is made of, beside itself.
pub(crate) fn files<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route(
            VIEWER,
            get(async || {
                let packed = [(CONTENT_ENCODING, "gzip")];
                (packed, kept("text/javascript; charset=utf-8", VIEWER_GZ)).into_response()
            }),
        )
        .route(
            STYLE,
            get(async || kept("text/css; charset=utf-8", STYLE_CSS.as_bytes())),
        )
}

fn kept(kind: &'static str, body: &'static [u8]) -> Response {
    let headers = [
        (CONTENT_TYPE, kind),
        (CACHE_CONTROL, "public, max-age=86400"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, body).into_response()
}

/// Describe the interface
///
/// This very document.
#[utoipa::path(
    get, path = "/openapi.json", operation_id = "describeInterface", tag = "description",
    responses((status = 200, description = "As OpenAPI 3.1", body = inline(OpenApiDocument), content_type = "application/json")),
)]
pub async fn openapi() -> Response {
    ([(CONTENT_TYPE, "application/json")], DESCRIPTION.clone()).into_response()
}

/// Show the interface to people
///
/// The same page as `/docs`: where somebody looks who knows the address alone.
#[utoipa::path(
    get, path = "/", operation_id = "showFrontPage", tag = "description",
    responses((status = 200, description = "A page", body = String, content_type = "text/html")),
)]
pub async fn front() -> Response {
    page().await
}

/// Show the interface to people
///
/// The description, to be read and tried out, and every problem that can be answered.
#[utoipa::path(
    get, path = "/docs", operation_id = "showDocumentation", tag = "description",
    responses((status = 200, description = "A page", body = String, content_type = "text/html")),
)]
pub async fn page() -> Response {
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (CACHE_CONTROL, "no-cache"),
    ];
    (headers, PAGE_HTML.clone()).into_response()
}

/// The page, with a row for each problem: where the `type` of a problem leads.
fn page_html() -> String {
    let mut rows = String::new();
    for code in Code::ALL {
        let (name, status) = (code.as_str(), code.status().as_u16());
        // Our own words: a back-tick in them is the only mark.
        let advice = code.advice().replace('&', "&amp;").replace('<', "&lt;");
        // A String takes every write.
        let _ = writeln!(
            rows,
            "<tr id=\"{name}\"><td><code>{name}</code></td><td>{status}</td><td>{advice}</td></tr>"
        );
    }
    PAGE.replace("<!-- problems -->", &rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest as _, Sha256};

    #[test]
    fn the_viewer_is_the_one_that_its_folder_names() {
        let readme = include_str!("../vendored/rapidoc/README.md");
        let sum = hex::encode(Sha256::digest(VIEWER_GZ));
        assert!(readme.contains(&sum), "{sum}");
        let version = VIEWER
            .trim_start_matches("/docs/rapidoc-")
            .trim_end_matches(".js");
        assert!(readme.starts_with(&format!("# RapiDoc {version}\n")));
    }

    #[test]
    fn every_problem_has_its_row_and_the_page_names_nothing_elsewhere() {
        let page = page_html();
        for code in Code::ALL {
            let row = format!("<tr id=\"{}\">", code.as_str());
            assert_eq!(page.matches(&row).count(), 1, "{code:?}");
        }
        assert!(!page.contains("://") && !STYLE_CSS.contains("url("));
        for file in [VIEWER, STYLE] {
            assert!(page.contains(&format!("\"{}\"", &file[1..])), "{file}");
        }
    }
}
