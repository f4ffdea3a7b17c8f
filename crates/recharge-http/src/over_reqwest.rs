//! The transport over reqwest: a fresh connection for each request.

use std::error::Error as StdError;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use ::reqwest::{Client, ClientBuilder, Proxy, redirect, retry};
use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use rustls::ClientConfig;
use tower_layer::Layer;
use tower_service::Service;

use crate::cause::{causes, kind_of};
use crate::exchange::{Gather, check_head, check_request, deadline, is_past, maybe_sent, not_sent};
use crate::{ConfigError, HttpConfig, Transport, TransportError, TransportErrorKind, tls};

/// A [`Transport`] over reqwest: HTTP/1.1, plain or TLS, with a proxy if configured.
///
/// [`NotSent`](crate::Certainty::NotSent) is said only where no connection could be made, or where the
/// [`SendBefore`](crate::SendBefore) had passed when it was made. reqwest says nothing of the bytes
/// written to a connection, so once there is one every failure is `MaybeSent`, and a time that runs out
/// is `MaybeSent` unless it was the one for connecting. `HyperTransport` knows more.
///
/// Needs a Tokio runtime with I/O and time.
#[derive(Clone)]
pub struct ReqwestTransport {
    client: Client,
}

impl ReqwestTransport {
    /// A transport within the limits of `config`.
    pub fn new(config: &HttpConfig) -> Result<Self, ConfigError> {
        Self::build(config, tls::client_config()?, Client::builder())
    }

    fn build(
        config: &HttpConfig,
        tls: ClientConfig,
        builder: ClientBuilder,
    ) -> Result<Self, ConfigError> {
        config.validate()?;
        // The proxies of the environment are dropped first: an order leaves by no route unchosen.
        let mut builder = builder.no_proxy();
        if let Some(proxy) = &config.proxy {
            let proxy =
                Proxy::all(proxy.expose()).map_err(|_| ConfigError::Proxy("it is not a URL"))?;
            builder = builder.proxy(proxy);
        }
        let client = builder
            .tls_backend_preconfigured(tls)
            .connector_layer(DeadlineLayer)
            .connect_timeout(config.connect_timeout)
            .timeout(config.timeout)
            .redirect(redirect::Policy::none())
            .referer(false)
            .retry(retry::never())
            // No connection is kept. `retry::never` governs reqwest's own retries only; hyper-util
            // below would still send a request again that a reused connection gave back, and reqwest
            // can't say which bytes of a reused connection were written.
            .pool_max_idle_per_host(0)
            .http1_only()
            // Off already; named, because another crate in the build may switch reqwest's features on,
            // and with them come Accept-Encoding and silent decoding.
            .no_gzip()
            .no_brotli()
            .no_deflate()
            .no_zstd()
            .build()
            .map_err(|error| {
                let error = error.without_url();
                let causes = causes(&error).map(ToString::to_string);
                ConfigError::Client(causes.collect::<Vec<_>>().join(": "))
            })?;
        Ok(Self { client })
    }
}

impl fmt::Debug for ReqwestTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReqwestTransport").finish_non_exhaustive()
    }
}

#[async_trait]
impl Transport for ReqwestTransport {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        check_request(&request)?;
        let send_before = deadline(&request)?;
        let request = ::reqwest::Request::try_from(request).map_err(|error| {
            not_sent(TransportErrorKind::InvalidRequest).with_source(error.without_url())
        })?;
        let mut answer = SEND_BEFORE
            .scope(send_before, self.client.execute(request))
            .await
            .map_err(unanswered)?;
        check_head(answer.headers())?;
        let mut gather = Gather::default();
        while let Some(chunk) = answer.chunk().await.map_err(half_answered)? {
            gather.push(chunk)?;
        }
        let mut response = Response::new(gather.finish());
        *response.status_mut() = answer.status();
        *response.version_mut() = answer.version();
        *response.headers_mut() = std::mem::take(answer.headers_mut());
        Ok(response)
    }
}

fn unanswered(error: ::reqwest::Error) -> TransportError {
    let error = error.without_url();
    if causes(&error).any(<dyn StdError>::is::<PastDeadline>) {
        return not_sent(TransportErrorKind::Deadline);
    }
    // Raised by the connector alone, before the request is handed to a connection.
    if error.is_connect() {
        return not_sent(TransportErrorKind::Connect).with_source(error);
    }
    half_answered(error)
}

fn half_answered(error: ::reqwest::Error) -> TransportError {
    let error = error.without_url();
    let kind = if error.is_timeout() {
        TransportErrorKind::Timeout
    } else {
        kind_of(&error)
    };
    maybe_sent(kind).with_source(error)
}

tokio::task_local! {
    /// The deadline of the request whose connection is being made. Without a pool a connection is made
    /// inside the call that uses it, so that the connector sees what that call has set.
    static SEND_BEFORE: Option<Instant>;
}

#[derive(Debug, thiserror::Error)]
#[error("the deadline passed while the connection was made")]
struct PastDeadline;

#[derive(Debug, thiserror::Error)]
#[error("a connection was made outside of the call that needs it")]
struct NoCall;

/// Checks the deadline once more when the connection stands: the last moment at which reqwest lets us.
#[derive(Debug, Clone, Copy)]
struct DeadlineLayer;

impl<S> Layer<S> for DeadlineLayer {
    type Service = DeadlineConnector<S>;

    fn layer(&self, inner: S) -> Self::Service {
        DeadlineConnector { inner }
    }
}

#[derive(Debug, Clone)]
struct DeadlineConnector<S> {
    inner: S,
}

type BoxError = Box<dyn StdError + Send + Sync>;
type Connecting<T> = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send>>;

impl<S, R> Service<R> for DeadlineConnector<S>
where
    S: Service<R, Error = BoxError>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Connecting<S::Response>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let connecting = self.inner.call(request);
        Box::pin(async move {
            let connection = connecting.await?;
            // Outside of a call there is no telling for whom this is: then nothing may be sent on it.
            let send_before = SEND_BEFORE.try_with(|at| *at).map_err(|_| NoCall)?;
            if is_past(send_before) {
                return Err(PastDeadline.into());
            }
            Ok(connection)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use recharge_sim::socket::{RefusedPort, SocketFault, SocketServer, answer};

    use super::*;
    use crate::testing::{get, serve_tls, trusting};
    use crate::{Certainty, SendBefore};

    /// Connects, and then waits until the deadline of the request has passed.
    #[derive(Clone)]
    struct Slow;

    impl<S> Layer<S> for Slow {
        type Service = SlowConnector<S>;

        fn layer(&self, inner: S) -> Self::Service {
            SlowConnector(inner)
        }
    }

    #[derive(Clone)]
    struct SlowConnector<S>(S);

    impl<S, R> Service<R> for SlowConnector<S>
    where
        S: Service<R, Error = BoxError>,
        S::Response: Send,
        S::Future: Send + 'static,
    {
        type Response = S::Response;
        type Error = BoxError;
        type Future = Connecting<S::Response>;

        fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
            self.0.poll_ready(cx)
        }

        fn call(&mut self, request: R) -> Self::Future {
            let connecting = self.0.call(request);
            Box::pin(async move {
                let connection = connecting.await?;
                let deadline = SEND_BEFORE.with(|at| *at);
                while deadline.is_some() && !is_past(deadline) {
                    tokio::task::yield_now().await;
                }
                Ok(connection)
            })
        }
    }

    #[tokio::test]
    async fn a_deadline_that_passes_while_connecting_keeps_the_request_back() {
        let server = SocketServer::start([]).await.unwrap();
        let transport = ReqwestTransport::build(
            &HttpConfig::default(),
            tls::client_config().unwrap(),
            Client::builder().connector_layer(Slow),
        )
        .unwrap();
        let mut late = get(&server.url("/"));
        let deadline = Instant::now() + Duration::from_millis(200);
        late.extensions_mut().insert(SendBefore(deadline));
        let error = transport.send(late).await.unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::Deadline);
        assert_eq!(error.certainty(), Certainty::NotSent);
        // Without a deadline the same connector serves.
        let answer = transport.send(get(&server.url("/"))).await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(server.requests().len(), 1);
    }

    #[tokio::test]
    async fn tls_carries_requests_and_a_closed_one_is_in_doubt() {
        let config = HttpConfig::default();
        let (url, requests) = serve_tls(0);
        let transport = ReqwestTransport::build(&config, trusting(), Client::builder()).unwrap();
        let error = transport.send(get(&url)).await.unwrap_err();
        assert_eq!(error.certainty(), Certainty::MaybeSent, "{error:?}");
        assert_eq!(error.kind(), TransportErrorKind::Closed, "{error:?}");
        assert_eq!(requests.try_iter().count(), 1);

        let (url, requests) = serve_tls(1);
        assert_eq!(transport.send(get(&url)).await.unwrap().body(), "ok");
        // Its own roots don't hold the test server's.
        let transport = ReqwestTransport::new(&config).unwrap();
        let error = transport.send(get(&url)).await.unwrap_err();
        assert_eq!(error.certainty(), Certainty::NotSent);
        assert_eq!(error.kind(), TransportErrorKind::Connect);
        assert_eq!(requests.try_iter().count(), 1);
    }

    #[tokio::test]
    async fn a_configured_proxy_gets_the_request() {
        let proxy = SocketServer::start([SocketFault::Answer(answer(200, &[], b"proxied"))]);
        let proxy = proxy.await.unwrap();
        let nobody = RefusedPort::new().unwrap();
        let config = HttpConfig {
            proxy: Some(proxy.url("").parse().unwrap()),
            ..HttpConfig::default()
        };
        let transport = ReqwestTransport::new(&config).unwrap();
        let answer = transport.send(get(&nobody.url("/a?b"))).await.unwrap();
        assert_eq!(answer.body(), "proxied");
        let line = format!("GET {} HTTP/1.1\r\n", nobody.url("/a?b"));
        assert!(proxy.requests()[0].starts_with(line.as_bytes()));
    }
}
