//! The rules that every transport keeps: which requests go out at all, and which answers come in.

use std::time::Instant;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap, HeaderValue, TRANSFER_ENCODING};
use http::{Method, Request, Version};

use crate::{Certainty, MAX_ANSWER, SendBefore, TransportError, TransportErrorKind};

/// Refuses what can't be sent as it is, before anything happens.
pub(crate) fn check_request(request: &Request<Bytes>) -> Result<(), TransportError> {
    let uri = request.uri();
    let wrong = if !matches!(uri.scheme_str(), Some("http" | "https")) {
        "the address must begin with http:// or https://"
    } else if uri.host().is_none_or(str::is_empty) {
        "the address names no host"
    } else if uri
        .authority()
        .is_some_and(|part| part.as_str().contains('@'))
    {
        // One client below would turn it into a header, the other would not.
        "the address has a user name in it: send an Authorization header instead"
    } else if request.method() == Method::CONNECT {
        "CONNECT is not an exchange"
    } else if !matches!(request.version(), Version::HTTP_10 | Version::HTTP_11) {
        "only HTTP/1.0 and HTTP/1.1 are spoken"
    } else {
        return Ok(());
    };
    Err(not_sent(TransportErrorKind::InvalidRequest).with_source(wrong))
}

/// The request's deadline for its first byte, or the error if it has passed already.
pub(crate) fn deadline(request: &Request<Bytes>) -> Result<Option<Instant>, TransportError> {
    let deadline = request.extensions().get().map(|SendBefore(at)| *at);
    if is_past(deadline) {
        return Err(not_sent(TransportErrorKind::Deadline));
    }
    Ok(deadline)
}

pub(crate) fn is_past(deadline: Option<Instant>) -> bool {
    deadline.is_some_and(|at| Instant::now() > at)
}

/// Refuses an encoded answer, and one that announces too much before reading it.
pub(crate) fn check_head(headers: &HeaderMap) -> Result<(), TransportError> {
    for (name, value) in headers {
        // A transfer coding under `chunked` would reach us undecoded.
        if name == CONTENT_ENCODING && has_token_other_than(value, "identity")
            || name == TRANSFER_ENCODING && has_token_other_than(value, "chunked")
        {
            return Err(maybe_sent(TransportErrorKind::Encoded));
        }
        if name == CONTENT_LENGTH
            && announced(value).is_some_and(|length| length > MAX_ANSWER as u64)
        {
            return Err(maybe_sent(TransportErrorKind::TooLarge));
        }
    }
    Ok(())
}

fn announced(length: &HeaderValue) -> Option<u64> {
    length.to_str().ok()?.parse().ok()
}

fn has_token_other_than(value: &HeaderValue, allowed: &str) -> bool {
    match value.to_str() {
        Ok(text) => text
            .split(',')
            .map(str::trim)
            .any(|token| !token.is_empty() && !token.eq_ignore_ascii_case(allowed)),
        Err(_) => true,
    }
}

/// Gathers an answer's body up to [`MAX_ANSWER`]. One chunk, the usual case, is not copied.
#[derive(Default)]
pub(crate) struct Gather {
    single: Bytes,
    joined: BytesMut,
}

impl Gather {
    pub(crate) fn push(&mut self, chunk: Bytes) -> Result<(), TransportError> {
        let length = self.single.len() + self.joined.len();
        if chunk.len() > MAX_ANSWER - length.min(MAX_ANSWER) {
            return Err(maybe_sent(TransportErrorKind::TooLarge));
        }
        if length == 0 {
            self.single = chunk;
        } else {
            if self.joined.is_empty() {
                self.joined.extend_from_slice(&self.single);
                self.single.clear();
            }
            self.joined.extend_from_slice(&chunk);
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> Bytes {
        if self.joined.is_empty() {
            self.single
        } else {
            self.joined.freeze()
        }
    }
}

pub(crate) const fn not_sent(kind: TransportErrorKind) -> TransportError {
    TransportError::new(Certainty::NotSent, kind)
}

pub(crate) const fn maybe_sent(kind: TransportErrorKind) -> TransportError {
    TransportError::new(Certainty::MaybeSent, kind)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn request(uri: &'static str) -> Request<Bytes> {
        Request::get(uri).body(Bytes::new()).unwrap()
    }

    #[test]
    fn a_request_that_cannot_be_sent_is_not_sent() {
        for uri in ["/path", "ftp://host/", "http://user:pw@host/", "host:80"] {
            let error = check_request(&request(uri)).unwrap_err();
            assert_eq!(error.kind(), TransportErrorKind::InvalidRequest, "{uri}");
            assert_eq!(error.certainty(), Certainty::NotSent, "{uri}");
        }
        let mut connect = request("http://host/");
        *connect.method_mut() = Method::CONNECT;
        assert!(check_request(&connect).is_err());
        let mut two = request("http://host/");
        *two.version_mut() = Version::HTTP_2;
        assert!(check_request(&two).is_err());
        assert!(check_request(&request("https://host:8443/path?query")).is_ok());
    }

    #[test]
    fn only_a_passed_deadline_refuses() {
        let mut request = request("http://host/");
        assert_eq!(deadline(&request).unwrap(), None);
        let later = Instant::now() + Duration::from_mins(1);
        request.extensions_mut().insert(SendBefore(later));
        assert_eq!(deadline(&request).unwrap(), Some(later));
        let past = Instant::now();
        request.extensions_mut().insert(SendBefore(past));
        while Instant::now() <= past {}
        assert_eq!(
            deadline(&request).unwrap_err().kind(),
            TransportErrorKind::Deadline
        );
    }

    #[test]
    fn encodings_are_refused_wherever_they_stand() {
        let refused = [
            ("content-encoding", "gzip"),
            ("content-encoding", "identity, br"),
            ("content-encoding", "\u{e9}"),
            ("transfer-encoding", "gzip, chunked"),
        ];
        for (name, value) in refused {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            let error = check_head(&headers).unwrap_err();
            assert_eq!(error.kind(), TransportErrorKind::Encoded, "{name}: {value}");
        }
        for (name, value) in [
            ("content-encoding", ""),
            ("content-encoding", "Identity"),
            ("transfer-encoding", "chunked"),
            ("content-length", "1048576"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            assert!(check_head(&headers).is_ok(), "{name}: {value}");
        }
    }

    #[test]
    fn an_announced_excess_is_refused_before_reading() {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_LENGTH, "1048577".parse().unwrap());
        let error = check_head(&headers).unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::TooLarge);
    }

    #[test]
    fn bodies_are_joined_up_to_the_limit_and_not_beyond() {
        let mut gather = Gather::default();
        for chunk in ["", "ab", "", "c", "de"] {
            gather.push(Bytes::from(chunk)).unwrap();
        }
        assert_eq!(gather.finish(), "abcde");

        let mut gather = Gather::default();
        gather
            .push(Bytes::from(vec![b'x'; MAX_ANSWER - 1]))
            .unwrap();
        gather.push(Bytes::from("y")).unwrap();
        let error = gather.push(Bytes::from("z")).unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::TooLarge);
        assert_eq!(error.certainty(), Certainty::MaybeSent);
        assert_eq!(gather.finish().len(), MAX_ANSWER);

        let whole = Bytes::from(vec![b'x'; 64]);
        let mut gather = Gather::default();
        gather.push(whole.clone()).unwrap();
        assert_eq!(
            gather.finish().as_ptr(),
            whole.as_ptr(),
            "one chunk is not copied"
        );
    }
}
