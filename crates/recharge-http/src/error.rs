//! Transport errors: what is known, what went wrong, and why.

use std::error::Error as StdError;
use std::fmt;

/// What is known about the bytes of a request that got no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Certainty {
    /// Not one byte of this request was written. Sending it again can't double it.
    NotSent,
    /// Bytes may have been written. Ask; never send again.
    MaybeSent,
}

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// The request can't be sent as it is: mend the base URL or a field.
    InvalidRequest,
    /// No connection: name not resolved, refused, TLS failed, or not made in time. Check the address
    /// and the network.
    Connect,
    /// The first byte was not written before [`SendBefore`](crate::SendBefore).
    Deadline,
    /// No whole answer in time.
    Timeout,
    /// The connection ended before a whole answer.
    Closed,
    /// The answer has more than [`MAX_ANSWER`](crate::MAX_ANSWER) bytes.
    TooLarge,
    /// The answer is encoded, though no encoding was asked for.
    Encoded,
    /// The answer is not HTTP.
    Protocol,
    /// Anything else.
    Other,
}

impl TransportErrorKind {
    /// The kind in words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "the request is invalid",
            Self::Connect => "no connection",
            Self::Deadline => "the send deadline passed before the first byte",
            Self::Timeout => "no whole answer in time",
            Self::Closed => "the connection ended before a whole answer",
            Self::TooLarge => "the answer is larger than 1 MiB",
            Self::Encoded => "the answer is encoded, though no encoding was asked for",
            Self::Protocol => "the answer is not HTTP",
            Self::Other => "the exchange failed",
        }
    }
}

/// Why an exchange gave no whole response, and what is known about the request's bytes.
///
/// Holds no URL with its query, no header value and no body: a source that would print one is replaced
/// by its kind in words.
#[derive(Debug)]
pub struct TransportError {
    certainty: Certainty,
    kind: TransportErrorKind,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl TransportError {
    /// An error without a source. What is wrong with an answer is never "not sent", whoever says so.
    pub const fn new(certainty: Certainty, kind: TransportErrorKind) -> Self {
        let is_of_answer = matches!(
            kind,
            TransportErrorKind::Encoded | TransportErrorKind::TooLarge
        );
        let certainty = if is_of_answer {
            Certainty::MaybeSent
        } else {
            certainty
        };
        Self {
            certainty,
            kind,
            source: None,
        }
    }

    /// The same error with its cause. The cause must not print a URL with its query, a header value or
    /// a body.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What is known about the request's bytes.
    pub const fn certainty(&self) -> Certainty {
        self.certainty
    }

    /// What went wrong.
    pub const fn kind(&self) -> TransportErrorKind {
        self.kind
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let certainty = match self.certainty {
            Certainty::NotSent => "nothing was sent",
            Certainty::MaybeSent => "the request may have been sent",
        };
        write!(f, "{} ({certainty})", self.kind.as_str())
    }
}

impl StdError for TransportError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_an_answer_is_never_not_sent() {
        for kind in [TransportErrorKind::Encoded, TransportErrorKind::TooLarge] {
            let error = TransportError::new(Certainty::NotSent, kind);
            assert_eq!(error.certainty(), Certainty::MaybeSent, "{kind:?}");
        }
        let refused = TransportError::new(Certainty::NotSent, TransportErrorKind::Connect);
        assert_eq!(refused.certainty(), Certainty::NotSent);
    }
}
