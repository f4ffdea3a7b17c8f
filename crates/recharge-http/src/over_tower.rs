//! Any `tower::Service` as a transport.

use std::error::Error as StdError;
use std::fmt;
use std::future::poll_fn;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use tower_service::Service;

use crate::exchange::{Gather, check_head, check_request, deadline, maybe_sent, not_sent};
use crate::{Transport, TransportError, TransportErrorKind};

/// A [`Transport`] that calls a clone of a `tower::Service` for each request.
///
/// What the service says is taken so:
///
/// | it says | which is |
/// |---|---|
/// | not ready, with any error | `NotSent`: the service never had the request |
/// | a [`TransportError`] | that error |
/// | any other error | `MaybeSent`, kind `Other` |
///
/// The text of an error that is no `TransportError` is dropped, because it may hold the URL with its
/// query, as reqwest's does. A service that has something to say turns it into a `TransportError`.
///
/// The answer's size and encoding are checked here; the [`SendBefore`](crate::SendBefore) is, when the
/// service is ready. The service owes the rest of the contract: no retry, no redirect, and a time
/// limit. A `tower::retry::Retry` inside would charge orders twice.
#[derive(Clone)]
pub struct ServiceTransport<S> {
    service: S,
}

impl<S> ServiceTransport<S> {
    /// A transport over `service`.
    pub const fn new(service: S) -> Self {
        Self { service }
    }
}

impl<S> fmt::Debug for ServiceTransport<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceTransport").finish_non_exhaustive()
    }
}

#[async_trait]
impl<S> Transport for ServiceTransport<S>
where
    S: Service<Request<Bytes>, Response = Response<Bytes>> + Clone + Send + Sync + 'static,
    S::Error: Into<Box<dyn StdError + Send + Sync>>,
    S::Future: Send,
{
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        check_request(&request)?;
        let mut service = self.service.clone();
        poll_fn(|cx| service.poll_ready(cx))
            .await
            .map_err(|error| translate(error.into(), not_sent(TransportErrorKind::Connect)))?;
        deadline(&request)?;
        let response = service
            .call(request)
            .await
            .map_err(|error| translate(error.into(), maybe_sent(TransportErrorKind::Other)))?;
        check_head(response.headers())?;
        let (head, body) = response.into_parts();
        let mut gather = Gather::default();
        gather.push(body)?;
        Ok(Response::from_parts(head, gather.finish()))
    }
}

fn translate(error: Box<dyn StdError + Send + Sync>, unknown: TransportError) -> TransportError {
    match error.downcast::<TransportError>() {
        Ok(known) => *known,
        Err(_text_may_hold_a_key) => unknown,
    }
}

#[cfg(test)]
mod tests {
    use std::future::{Ready, ready};
    use std::task::{Context, Poll};

    use super::*;
    use crate::{Certainty, MAX_ANSWER};

    type Said = Result<Response<Bytes>, Box<dyn StdError + Send + Sync>>;

    /// Ready, or not, and then what it says.
    #[derive(Clone)]
    struct Scripted(fn() -> Said, fn() -> Said);

    impl Service<Request<Bytes>> for Scripted {
        type Response = Response<Bytes>;
        type Error = Box<dyn StdError + Send + Sync>;
        type Future = Ready<Said>;

        fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
            Poll::Ready((self.0)().map(drop))
        }

        fn call(&mut self, _request: Request<Bytes>) -> Self::Future {
            ready((self.1)())
        }
    }

    async fn send(ready: fn() -> Said, call: fn() -> Said) -> Result<Bytes, TransportError> {
        let request = Request::get("http://upstream.test/?key=CANARY");
        let request = request.body(Bytes::new()).unwrap();
        let response = ServiceTransport::new(Scripted(ready, call))
            .send(request)
            .await;
        response.map(Response::into_body)
    }

    const FINE: fn() -> Said = || Ok(Response::new(Bytes::from("{}")));

    fn foreign() -> Said {
        Err("error sending request for url (http://upstream.test/?key=CANARY)".into())
    }

    #[tokio::test]
    async fn a_service_that_is_not_ready_has_not_sent() {
        assert_eq!(send(FINE, FINE).await.unwrap(), "{}");
        let error = send(foreign, FINE).await.unwrap_err();
        assert_eq!(error.certainty(), Certainty::NotSent);
        assert!(!format!("{error:?}").contains("CANARY"));
    }

    #[tokio::test]
    async fn a_foreign_error_is_in_doubt_and_its_text_is_dropped() {
        let error = send(FINE, foreign).await.unwrap_err();
        assert_eq!(error.certainty(), Certainty::MaybeSent);
        assert!(!format!("{error:?}").contains("CANARY"));
    }

    #[tokio::test]
    async fn a_transport_error_passes_as_it_is() {
        let error = send(FINE, || Err(not_sent(TransportErrorKind::Deadline).into()));
        let error = error.await.unwrap_err();
        assert_eq!(error.certainty(), Certainty::NotSent);
        assert_eq!(error.kind(), TransportErrorKind::Deadline);
    }

    #[tokio::test]
    async fn the_answer_of_a_service_is_held_to_the_contract() {
        let large = || Ok(Response::new(Bytes::from(vec![b'x'; MAX_ANSWER + 1])));
        let error = send(FINE, large).await.unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::TooLarge);
        let encoded = || {
            let response = Response::builder().header("content-encoding", "gzip");
            Ok(response.body(Bytes::new())?)
        };
        let error = send(FINE, encoded).await.unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::Encoded);
    }
}
