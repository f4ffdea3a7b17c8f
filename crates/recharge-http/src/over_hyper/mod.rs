//! The transport over hyper: reused connections on which "not sent" is knowledge.
//!
//! Connections are hyper's, made by [`connect`] and kept by [`pool`] between requests. What makes "not
//! sent" knowledge is the [`gate`] of each. The pool is our own because of it: a connection that carries
//! one request at a time, and is known to the caller, can be asked about that request. hyper-util's
//! client keeps its connections to itself.

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
    pool: Pool<Carrier>,
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

    /// A new connection, by that moment.
    async fn connect(&self, uri: Uri, end: Instant) -> Result<Carrier, TransportError> {
        match timeout_at(end, self.connector.connect(uri)).await {
            Ok(connected) => {
                connected.map_err(|error| not_sent(TransportErrorKind::Connect).with_source(error))
            }
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
        let (request, origin, uri) = in_origin_form(request)?;
        let mut carrier = match self.pool.take(&origin) {
            Some(idle) => idle,
            // A large future for a rare case: kept out of this one.
            None => Box::pin(self.connect(uri, end)).await?,
        };
        let failure = match timeout_at(end, carrier.exchange(request, send_before)).await {
            Ok(Ok(response)) => {
                self.pool.put(origin, carrier);
                return Ok(response);
            }
            Ok(Err(failure)) => failure,
            Err(_elapsed) => Failure::OutOfTime,
        };
        Err(carrier.fail(failure))
    }
}

/// The request as it goes over a connection: its path and query, and its host in a header. Beside it
/// where the connection leads, and the address as it was.
fn in_origin_form(
    request: Request<Bytes>,
) -> Result<(Request<Full<Bytes>>, Origin, Uri), TransportError> {
    let invalid =
        |error: http::Error| not_sent(TransportErrorKind::InvalidRequest).with_source(error);
    let (mut head, body) = request.into_parts();
    let uri = std::mem::take(&mut head.uri);
    let parts = uri.clone().into_parts();
    let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else {
        return Err(
            not_sent(TransportErrorKind::InvalidRequest).with_source("the address is not absolute")
        );
    };
    if let Some(path) = parts.path_and_query {
        head.uri = path.into();
    }
    if !head.headers.contains_key(HOST) {
        let host = HeaderValue::from_str(host(&scheme, &authority))
            .map_err(|error| invalid(error.into()))?;
        head.headers.insert(HOST, host);
    }
    let request = Request::from_parts(head, Full::new(body));
    Ok((request, Origin { scheme, authority }, uri))
}

/// The host, and its port unless that is the scheme's own.
fn host<'a>(scheme: &Scheme, authority: &'a Authority) -> &'a str {
    let usual = if *scheme == Scheme::HTTPS { 443 } else { 80 };
    match authority.port_u16() {
        Some(port) if port != usual => authority.as_str(),
        Some(_) | None => authority.host(),
    }
}
