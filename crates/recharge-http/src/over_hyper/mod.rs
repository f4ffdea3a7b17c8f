//! The transport over hyper: reused connections on which "not sent" is knowledge.
//!
//! Connections are hyper's, made by [`connect`] and kept by [`pool`] between requests. What makes "not
//! sent" knowledge is the [`gate`] of each. The pool is our own because of it: a connection that carries
//! one request at a time, and is known to the caller, can be asked about that request. hyper-util's
//! client keeps its connections to itself.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::HOST;
use http::uri::{Authority, Scheme};
use http::{HeaderValue, Request, Response, Uri};
use http_body_util::Full;
use rustls::ClientConfig;
use tokio::time::{Instant, timeout_at};

use crate::exchange::{check_request, deadline, not_sent};
use crate::{ConfigError, HttpConfig, Transport, TransportError, TransportErrorKind, tls};

use self::connect::{Carrier, Connector, Failure};
use self::pool::{Origin, Pool};

mod connect;
mod gate;
mod pool;
#[cfg(test)]
mod tests;

/// As good as no limit, and it can be added to a moment, which [`Duration::MAX`] can't.
const LONGEST: Duration = Duration::from_hours(24 * 365);

/// A [`Transport`] over hyper. HTTP/1.1, plain or TLS, connections reused.
///
/// [`NotSent`](crate::Certainty::NotSent) is knowledge here: a connection writes nothing of a request
/// before it has leave to, leave is refused once the [`SendBefore`](crate::SendBefore) has passed, and
/// a future that is done or dropped takes it along.
///
/// Needs a Tokio runtime with I/O and time. Takes no proxy.
#[derive(Clone)]
pub struct HyperTransport {
    connector: Connector,
    pool: Pool<Box<Carrier>>,
    timeout: Duration,
}

impl HyperTransport {
    /// A transport within the limits of `config`.
    pub fn new(config: &HttpConfig) -> Result<Self, ConfigError> {
        Self::with_tls(config, tls::client_config()?)
    }

    fn with_tls(config: &HttpConfig, tls: ClientConfig) -> Result<Self, ConfigError> {
        config.validate()?;
        if config.proxy.is_some() {
            return Err(ConfigError::ProxyNeedsReqwest);
        }
        Ok(Self {
            connector: Connector::new(config.connect_timeout, tls),
            pool: Pool::new(),
            timeout: config.timeout.min(LONGEST),
        })
    }

    /// An idle connection to where a request goes, or else a new one, by that moment.
    async fn carrier(&self, uri: &Uri, end: Instant) -> Result<Box<Carrier>, TransportError> {
        let (Some(scheme), Some(authority)) = (uri.scheme().cloned(), uri.authority().cloned())
        else {
            return Err(invalid("the address is not absolute"));
        };
        let origin = Origin { scheme, authority };
        if let Some(idle) = self.pool.take(&origin) {
            return Ok(idle);
        }
        // A large future for a rare case: kept out of this one.
        match timeout_at(end, Box::pin(self.connector.connect(&origin))).await {
            Ok(Ok(carrier)) => Ok(Box::new(carrier)),
            Ok(Err(error)) => Err(not_sent(TransportErrorKind::Connect).with_source(error)),
            Err(_elapsed) => Err(not_sent(TransportErrorKind::Timeout)),
        }
    }
}

impl fmt::Debug for HyperTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HyperTransport")
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Transport for HyperTransport {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let end = Instant::now() + self.timeout;
        check_request(&request)?;
        let send_before = deadline(&request)?;
        let mut carrier = self.carrier(request.uri(), end).await?;
        let coming = carrier.send(in_origin_form(request)?, send_before);
        let failure = match timeout_at(end, carrier.answer(coming)).await {
            Ok(Ok(response)) => {
                self.pool.put(carrier.origin().clone(), carrier);
                return Ok(response);
            }
            Ok(Err(failure)) => failure,
            Err(_elapsed) => Failure::OutOfTime,
        };
        Err(carrier.fail(failure))
    }
}

/// The request as it goes over a connection: its path and query, and its host in a header.
fn in_origin_form(request: Request<Bytes>) -> Result<Request<Full<Bytes>>, TransportError> {
    let (mut head, body) = request.into_parts();
    let parts = std::mem::take(&mut head.uri).into_parts();
    if let (false, Some(authority)) = (head.headers.contains_key(HOST), parts.authority) {
        let host = HeaderValue::from_str(host(parts.scheme.as_ref(), &authority));
        head.headers.insert(HOST, host.map_err(invalid)?);
    }
    if let Some(path) = parts.path_and_query {
        head.uri = path.into();
    }
    Ok(Request::from_parts(head, Full::new(body)))
}

/// The host, and its port unless that is the scheme's own.
fn host<'a>(scheme: Option<&Scheme>, authority: &'a Authority) -> &'a str {
    let usual = if scheme == Some(&Scheme::HTTPS) {
        443
    } else {
        80
    };
    match authority.port_u16() {
        Some(port) if port != usual => authority.as_str(),
        Some(_) | None => authority.host(),
    }
}

fn invalid(why: impl Into<Box<dyn StdError + Send + Sync>>) -> TransportError {
    not_sent(TransportErrorKind::InvalidRequest).with_source(why)
}
