//! [`Code`]: what can be wrong, the status that it is answered with, and what to do.

use http::StatusCode;

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
