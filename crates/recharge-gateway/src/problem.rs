//! [`Problem`]: every error that is answered, as `application/problem+json` (RFC 9457).
//!
//! A problem has a code that doesn't change, says what to do, and names the field that is at fault.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use recharge_engine::StoreError;
use recharge_store::RegistryError;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::{self, ContentBuilder, Ref, RefOr, ResponseBuilder};

use crate::api::closed::CodeName;

/// What can be wrong. Clients tell problems apart by [`as_str`](Self::as_str).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// No key, or one that isn't right.
    Unauthorized,
    /// The key doesn't allow it.
    Forbidden,
    /// There is no such thing, or it is another merchant's.
    NotFound,
    /// The path exists, but not for this method.
    MethodNotAllowed,
    /// The body isn't JSON.
    Malformed,
    /// A field is not what it must be.
    Invalid,
    /// The order id stands for another order.
    OrderConflict,
    /// The same account was charged with the same amount a short while ago.
    DuplicateOrder,
    /// The account has had as much as it may have in a day.
    AccountLimit,
    /// No provider sells it.
    NotOffered,
    /// The order's state doesn't allow it.
    NotNow,
    /// The order has gone on since it was looked at.
    Stale,
    /// The upstream can't be asked, or gave no answer.
    UpstreamUnavailable,
    /// Too much was sent.
    TooLarge,
    /// The content type is not one that is read here.
    UnsupportedMediaType,
    /// Too many requests.
    TooMany,
    /// The request did not arrive whole in time.
    SlowRequest,
    /// It took too long here.
    Timeout,
    /// It needs a master key, and there is none.
    NoMasterKey,
    /// The store can't be used.
    StoreUnavailable,
    /// Nobody knows whether it was done: ask, or send the same again.
    OutcomeUnknown,
    /// The service is about to stop.
    Stopping,
    /// Something that should not be.
    Internal,
}

impl Code {
    /// All.
    pub const ALL: [Self; 23] = [
        Self::Unauthorized,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Malformed,
        Self::Invalid,
        Self::OrderConflict,
        Self::DuplicateOrder,
        Self::AccountLimit,
        Self::NotOffered,
        Self::NotNow,
        Self::Stale,
        Self::UpstreamUnavailable,
        Self::TooLarge,
        Self::UnsupportedMediaType,
        Self::TooMany,
        Self::SlowRequest,
        Self::Timeout,
        Self::NoMasterKey,
        Self::StoreUnavailable,
        Self::OutcomeUnknown,
        Self::Stopping,
        Self::Internal,
    ];

    /// The code, the status that it is answered with, and what to do.
    #[expect(clippy::too_many_lines, reason = "it is a table")]
    const fn row(self) -> (&'static str, StatusCode, &'static str) {
        match self {
            Self::Unauthorized => (
                "unauthorized",
                StatusCode::UNAUTHORIZED,
                "send `Authorization: Bearer KEY` with a key that has not been revoked",
            ),
            Self::Forbidden => (
                "forbidden",
                StatusCode::FORBIDDEN,
                "use a key that has the scope; callbacks are for the upstreams to send",
            ),
            Self::NotFound => (
                "not_found",
                StatusCode::NOT_FOUND,
                "look at the name: there is no such thing under this key",
            ),
            Self::MethodNotAllowed => (
                "method_not_allowed",
                StatusCode::METHOD_NOT_ALLOWED,
                "use one of the methods of the header Allow",
            ),
            Self::Malformed => (
                "malformed",
                StatusCode::BAD_REQUEST,
                "send what the interface's description says",
            ),
            Self::Invalid => (
                "invalid",
                StatusCode::UNPROCESSABLE_ENTITY,
                "mend the field and send it again; nothing has been done",
            ),
            Self::OrderConflict => (
                "order_conflict",
                StatusCode::CONFLICT,
                "use a new order_id for a new order; nothing has been done",
            ),
            Self::DuplicateOrder => (
                "duplicate_order",
                StatusCode::CONFLICT,
                "if it is meant, send it again with allow_duplicate; nothing has been done",
            ),
            Self::AccountLimit => (
                "account_limit",
                StatusCode::UNPROCESSABLE_ENTITY,
                "the limit counts by the day in China; nothing has been done",
            ),
            Self::NotOffered => (
                "not_offered",
                StatusCode::UNPROCESSABLE_ENTITY,
                "choose what a provider sells; nothing has been done",
            ),
            Self::NotNow => (
                "not_now",
                StatusCode::CONFLICT,
                "look at the order and decide anew; nothing has been done",
            ),
            Self::Stale => (
                "stale",
                StatusCode::CONFLICT,
                "look at the order's present version and decide again; nothing has been done",
            ),
            Self::UpstreamUnavailable => (
                "upstream_unavailable",
                StatusCode::BAD_GATEWAY,
                "try again later; this says nothing about any order",
            ),
            Self::TooLarge => (
                "too_large",
                StatusCode::PAYLOAD_TOO_LARGE,
                "send less at a time",
            ),
            Self::UnsupportedMediaType => (
                "unsupported_media_type",
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "send the content type that the interface's description names",
            ),
            Self::TooMany => (
                "too_many_requests",
                StatusCode::TOO_MANY_REQUESTS,
                "wait as long as the header Retry-After says",
            ),
            Self::SlowRequest => (
                "slow_request",
                StatusCode::REQUEST_TIMEOUT,
                "send the whole request without a pause; nothing has been done",
            ),
            Self::Timeout => (
                "timeout",
                StatusCode::GATEWAY_TIMEOUT,
                "ask or send the same again: the same order_id is the same order",
            ),
            Self::NoMasterKey => (
                "no_master_key",
                StatusCode::SERVICE_UNAVAILABLE,
                "the operator sets RECHARGE_MASTER_KEY to the key under which secrets are sealed; nothing has been done",
            ),
            Self::StoreUnavailable => (
                "store_unavailable",
                StatusCode::SERVICE_UNAVAILABLE,
                "send the same again later; nothing has been done",
            ),
            Self::OutcomeUnknown => (
                "outcome_unknown",
                StatusCode::SERVICE_UNAVAILABLE,
                "send the same again: the same order_id is the same order",
            ),
            Self::Stopping => (
                "stopping",
                StatusCode::SERVICE_UNAVAILABLE,
                "send the same again in a moment: the same order_id is the same order",
            ),
            Self::Internal => (
                "internal",
                StatusCode::INTERNAL_SERVER_ERROR,
                "send the same again: the same order_id is the same order; tell the operator if it stays",
            ),
        }
    }

    /// The code of that [`as_str`](Self::as_str) name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == name)
    }

    /// The code.
    pub const fn as_str(self) -> &'static str {
        self.row().0
    }

    /// The status that it is answered with.
    pub const fn status(self) -> StatusCode {
        self.row().1
    }

    /// What to do, where the route says nothing else.
    pub const fn advice(self) -> &'static str {
        self.row().2
    }

    /// Whether what was asked for may have been done all the same.
    pub const fn is_in_doubt(self) -> bool {
        matches!(
            self,
            Self::Timeout | Self::OutcomeUnknown | Self::Stopping | Self::Internal
        )
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn codes_differ_and_each_says_what_to_do() {
        let codes: BTreeSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(codes.len(), Code::ALL.len());
        for code in Code::ALL {
            assert!(code.status().is_client_error() || code.status().is_server_error());
            assert!(code.advice().len() > 10, "{code:?}");
        }
    }
}
