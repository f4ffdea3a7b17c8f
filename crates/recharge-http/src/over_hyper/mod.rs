//! The transport over hyper-util: pooled connections on which "not sent" is knowledge.
//!
//! A pooled connection has written bytes before, so a count of its bytes says nothing about one
//! request, and a count taken "before" may be taken too late: the connection writes on another thread
//! as soon as it has the request. So each request carries a [`mark::Mark`], and the connection may
//! write only for the mark that is bound to it. [`mark`] tells how the two meet.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper_util::client::legacy::{Client, Error as ClientError};
use hyper_util::rt::TokioTimer;
use rustls::ClientConfig;

use crate::cause::kind_of;
use crate::exchange::{Gather, check_head, check_request, deadline, maybe_sent};
use crate::{ConfigError, HttpConfig, Transport, TransportError, TransportErrorKind, tls};

use self::connect::MarkingConnector;
use self::mark::{MarkedBody, SlottedTasks, Ticket};

mod connect;
mod mark;
#[cfg(test)]
mod tests;

/// How long a connection may idle in the pool. Short, because a server that closes idle connections
/// (five seconds is a common setting) would do so just as the next order is written to one, and that
/// order is then in doubt.
const POOL_IDLE: Duration = Duration::from_secs(4);

/// A [`Transport`] over hyper-util with its own connector. HTTP/1.1, plain or TLS, connections reused.
///
/// [`NotSent`](crate::Certainty::NotSent) is knowledge here: the connection asks for leave before it
/// writes the first byte of a request, and leave is refused for good once the caller was told that
/// nothing was sent, once the [`SendBefore`](crate::SendBefore) has passed, or once the future was
/// dropped.
///
/// Needs a Tokio runtime with I/O and time. Takes no proxy.
#[derive(Clone)]
pub struct HyperTransport {
    client: Client<MarkingConnector, MarkedBody>,
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
        let client = Client::builder(SlottedTasks)
            // On by default, and then a request that a reused connection gave back is sent again.
            .retry_canceled_requests(false)
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(POOL_IDLE)
            .build(MarkingConnector::new(config.connect_timeout, tls));
        Ok(Self {
            client,
            timeout: config.timeout,
        })
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
        check_request(&request)?;
        let ticket = Ticket::new(deadline(&request)?);
        let request = ticket.mark(request);
        let exchange = async {
            let response = self.client.request(request).await;
            read(response.map_err(|error| unanswered(&ticket, error))?).await
        };
        match tokio::time::timeout(self.timeout, exchange).await {
            Ok(done) => done,
            Err(_elapsed) => Err(TransportError::new(
                ticket.certainty(),
                TransportErrorKind::Timeout,
            )),
        }
    }
}

fn unanswered(ticket: &Ticket, error: ClientError) -> TransportError {
    let certainty = ticket.certainty();
    if ticket.was_late() {
        return TransportError::new(certainty, TransportErrorKind::Deadline);
    }
    let kind = if error.is_connect() {
        TransportErrorKind::Connect
    } else {
        kind_of(&error)
    };
    TransportError::new(certainty, kind).with_source(error)
}

async fn read(response: Response<Incoming>) -> Result<Response<Bytes>, TransportError> {
    let (head, mut body) = response.into_parts();
    check_head(&head.headers)?;
    let mut gather = Gather::default();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| maybe_sent(kind_of(&error)).with_source(error))?;
        if let Ok(chunk) = frame.into_data() {
            gather.push(chunk)?;
        }
    }
    // The extensions may hold the connection's own things; they stay here.
    let mut response = Response::new(gather.finish());
    *response.status_mut() = head.status;
    *response.version_mut() = head.version;
    *response.headers_mut() = head.headers;
    Ok(response)
}
