//! [`Problem`]: every error that is answered, as `application/problem+json` (RFC 9457).
//!
//! A problem has a code that doesn't change, says what to do, and names the field that is at fault.

mod code;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use recharge_engine::StoreError;
use recharge_store::RegistryError;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::{self, ContentBuilder, Ref, RefOr, ResponseBuilder};

pub use self::code::Code;

use crate::api::closed::CodeName;

/// An error that is answered. Its texts hold neither secrets nor what an upstream said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong.
    pub code: Code,
    /// The same in words, for this request.
    pub detail: Cow<'static, str>,
    /// The field that is at fault.
    pub field: Option<Cow<'static, str>>,
    /// After how long it is worth trying again.
    pub retry_after: Option<Duration>,
    /// What to do, in place of what the code advises.
    pub advice: Option<&'static str>,
    /// Of a file of orders: its bad lines.
    pub errors: Vec<LineError>,
}

/// As it is answered.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// An address that names the kind of problem: `/docs#` and the code.
    #[serde(rename = "type")]
    kind: String,
    /// The status.
    status: u16,
    /// By which programs tell problems apart; it doesn't change.
    #[schema(value_type = CodeName)]
    code: &'static str,
    /// What is wrong.
    detail: Cow<'static, str>,
    /// What to do.
    advice: &'static str,
    /// The field that is at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<Cow<'static, str>>,
    /// Of a file of orders: its bad lines, up to 100 of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<LineError>,
}

/// What is wrong with a line of a file of orders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LineError {
    /// The line, from 1; null: the file as a whole.
    #[schema(required)]
    pub line: Option<u64>,
    /// The column, where one value is wrong.
    #[schema(required)]
    pub column: Option<&'static str>,
    /// What is wrong, and what would be right.
    pub detail: String,
}

impl Problem {
    /// A problem of that kind.
    pub fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            detail: detail.into(),
            field: None,
            retry_after: None,
            advice: None,
            errors: Vec::new(),
        }
    }

    /// A field is not what it must be.
    pub fn field(
        field: impl Into<Cow<'static, str>>,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            field: Some(field.into()),
            ..Self::new(Code::Invalid, detail)
        }
    }

    /// There is no such thing, or it is another merchant's.
    pub fn not_found(what: &'static str) -> Self {
        Self::new(Code::NotFound, ["there is no such ", what].concat())
    }

    /// After so long it is worth trying again.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// This is to be done, whatever the code advises.
    #[must_use]
    pub const fn advise(mut self, advice: &'static str) -> Self {
        self.advice = Some(advice);
        self
    }
}

/// How long to wait when the store can't be used.
const STORE_AGAIN: Duration = Duration::from_secs(2);

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        // What the store says is for operators: it names files.
        tracing::error!(%error, "the store did not do it");
        match error {
            StoreError::Unavailable(_) => {
                Self::new(Code::StoreUnavailable, "the store can't be used now")
                    .retry_after(STORE_AGAIN)
            }
            StoreError::Unknown(_) => Self::new(
                Code::OutcomeUnknown,
                "it is not known whether this was written",
            )
            .retry_after(STORE_AGAIN),
            _ => Self::new(Code::Internal, "the store can't do this"),
        }
    }
}

impl From<RegistryError> for Problem {
    fn from(error: RegistryError) -> Self {
        match error {
            RegistryError::Store(error) => error.into(),
            other => {
                tracing::error!(error = %other, "the registry did not do it");
                Self::new(Code::Internal, "the store can't do this")
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (code, retry_after) = (self.code, self.retry_after);
        let status = code.status();
        // What stands around the routes knows which one it was, and may know better what to do.
        let in_doubt = code.is_in_doubt().then(|| self.clone());
        let body = ProblemBody {
            kind: ["/docs#", code.as_str()].concat(),
            status: status.as_u16(),
            code: code.as_str(),
            detail: self.detail,
            advice: self.advice.unwrap_or(code.advice()),
            field: self.field,
            errors: self.errors,
        };
        // Texts and a number: nothing that can't be written as JSON.
        let body = serde_json::to_vec(&body).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if code == Code::Unauthorized {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(wait) = retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
        }
        if let Some(problem) = in_doubt {
            response.extensions_mut().insert(problem);
        }
        response
    }
}

/// Describes problems as answers: one for each status, with the codes that it can have.
pub(crate) fn described(codes: &[Code]) -> BTreeMap<String, RefOr<openapi::Response>> {
    let mut statuses: BTreeMap<u16, Vec<&str>> = BTreeMap::new();
    for code in codes {
        let status = code.status().as_u16();
        statuses.entry(status).or_default().push(code.as_str());
    }
    let describe = |(status, codes): (u16, Vec<&str>)| {
        let content = ContentBuilder::new()
            .schema(Some(Ref::from_schema_name("Problem")))
            .build();
        let response = ResponseBuilder::new()
            .description(codes.join(" or "))
            .content("application/problem+json", content)
            .build();
        (status.to_string(), RefOr::T(response))
    };
    statuses.into_iter().map(describe).collect()
}

/// Names a set of problems for the descriptions of handlers.
macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident: $($code:ident)+;)+) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub(crate) struct $name;

        impl utoipa::IntoResponses for $name {
            fn responses() -> std::collections::BTreeMap<
                String,
                utoipa::openapi::RefOr<utoipa::openapi::Response>,
            > {
                $crate::problem::described(&[$($crate::problem::Code::$code),+])
            }
        }
    )+};
}
pub(crate) use refusals;

refusals! {
    /// Why one thing isn't shown.
    ShowRefusals: Unauthorized Forbidden NotFound TooMany Timeout StoreUnavailable Internal;
    /// Why things aren't listed, or counted.
    ListRefusals: Unauthorized Forbidden Invalid TooMany Timeout StoreUnavailable Internal;
}
