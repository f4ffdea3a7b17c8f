//! How a request gets to an upstream, and how its answer is read.
//!
//! [`Transport`] is one async call: a whole [`http::Request`] in, a whole [`http::Response`] out. What
//! it doesn't do matters as much: it never retries, never follows a redirect, uses no proxy unless told
//! to, asks for no content encoding and refuses one. Its errors say what is *known* — whether a byte of
//! the request may have been written — because for an order that is the difference between sending
//! again and charging twice.
//!
//! | feature | what it adds |
//! |---|---|
//! | `reqwest` (default) | [`ReqwestTransport`]: a fresh connection for each request |
//! | `hyper` | [`HyperTransport`]: connections are reused, and know whether a byte of a request was written |
//! | `tower` | [`ServiceTransport`]: any `tower::Service` as a transport |
//! | `test-util` | [`fake`]: scripted, recording and never-answering transports |
//!
//! What adapters share: [`form`] encodes requests and reads callbacks; [`read`] reads answers with byte
//! order marks, numbers where strings should be, and keys that come twice; [`judge`] says what an
//! exchange tells about an order.

use std::fmt;
use std::time::Instant;

use async_trait::async_trait;
use bytes::Bytes;

#[cfg(any(feature = "hyper", feature = "reqwest"))]
mod cause;
mod client;
mod config;
mod error;
#[cfg(any(feature = "hyper", feature = "reqwest", feature = "tower"))]
mod exchange;
#[cfg(feature = "test-util")]
pub mod fake;
pub mod form;
pub mod judge;
#[cfg(feature = "hyper")]
mod over_hyper;
#[cfg(feature = "reqwest")]
mod over_reqwest;
#[cfg(feature = "tower")]
mod over_tower;
pub mod read;
#[cfg(all(test, any(feature = "hyper", feature = "reqwest")))]
mod testing;
#[cfg(any(feature = "hyper", feature = "reqwest"))]
mod tls;

pub use client::ClientError;
pub use config::{ConfigError, HttpConfig, ProxyUrl};
pub use error::{Certainty, TransportError, TransportErrorKind};
#[cfg(feature = "hyper")]
pub use over_hyper::HyperTransport;
#[cfg(feature = "reqwest")]
pub use over_reqwest::ReqwestTransport;
#[cfg(feature = "tower")]
pub use over_tower::ServiceTransport;

/// The most bytes of an answer's body that a transport reads: 1 MiB. More is an error.
pub const MAX_ANSWER: usize = 1 << 20;

/// One HTTP exchange. Object safe: `Arc<dyn Transport>` is how adapters hold it.
///
/// # Contract for implementers
///
/// - Any status is a response. An error means that there is no whole response.
/// - [`Certainty::NotSent`] only where it is *known* that not one byte of this request was written: the
///   connection could not be made, the request is invalid, or its [`SendBefore`] had passed. In all
///   other cases [`Certainty::MaybeSent`], a reset of a reused connection included.
/// - One request, written once. No retry, no redirect, no second connection attempt after the first
///   byte.
/// - No `Accept-Encoding` is sent; an answer with a `Content-Encoding` other than `identity` is an
///   error, as is one of more than [`MAX_ANSWER`] bytes.
/// - Errors hold no URL with its query, no header value and no body.
/// - The future may be dropped at any await; then it is as if the certainty were `MaybeSent`.
///
/// The conformance crate's transport suite checks all of this against real socket faults.
#[async_trait]
pub trait Transport: fmt::Debug + Send + Sync {
    /// Sends the request and reads the whole answer.
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError>;
}

/// A request extension: the moment (of the monotonic clock) past which the first byte of the request
/// must not be written. A transport checks it as late as it can; past it the error is
/// [`Certainty::NotSent`].
///
/// ```
/// # use std::time::{Duration, Instant};
/// let mut request = http::Request::new(bytes::Bytes::new());
/// request.extensions_mut().insert(recharge_http::SendBefore(Instant::now() + Duration::from_secs(10)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SendBefore(pub Instant);
