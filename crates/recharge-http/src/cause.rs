//! What kind of failure a chain of causes tells of.

use std::error::Error as StdError;
use std::io;

use crate::TransportErrorKind;

/// The kind of the first cause in the chain that says one.
///
/// A kind only: whether bytes were written is never read off an error. The causes themselves name
/// neither the URL nor a header nor a body, which the transport suite checks.
pub(crate) fn kind_of(error: &(dyn StdError + 'static)) -> TransportErrorKind {
    let told = causes(error).find_map(|cause| {
        let hyper = cause.downcast_ref().and_then(hyper_kind);
        hyper.or_else(|| cause.downcast_ref().and_then(io_kind))
    });
    told.unwrap_or(TransportErrorKind::Other)
}

/// The error, its cause, and so on down.
pub(crate) fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

fn hyper_kind(error: &hyper::Error) -> Option<TransportErrorKind> {
    if error.is_timeout() {
        Some(TransportErrorKind::Timeout)
    } else if error.is_parse() {
        Some(TransportErrorKind::Protocol)
    } else if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
        Some(TransportErrorKind::Closed)
    } else {
        None
    }
}

fn io_kind(error: &io::Error) -> Option<TransportErrorKind> {
    match error.kind() {
        io::ErrorKind::TimedOut => Some(TransportErrorKind::Timeout),
        io::ErrorKind::UnexpectedEof
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::NotConnected
        | io::ErrorKind::WriteZero => Some(TransportErrorKind::Closed),
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
            Some(TransportErrorKind::Protocol)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] io::Error);

    #[test]
    fn the_kind_is_found_below() {
        let reset = Outer(io::ErrorKind::ConnectionReset.into());
        assert_eq!(kind_of(&reset), TransportErrorKind::Closed);
        let slow = Outer(io::ErrorKind::TimedOut.into());
        assert_eq!(kind_of(&slow), TransportErrorKind::Timeout);
        let odd = Outer(io::Error::other("odd"));
        assert_eq!(kind_of(&odd), TransportErrorKind::Other);
    }
}
