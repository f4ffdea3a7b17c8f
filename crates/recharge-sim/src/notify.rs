//! Sends callbacks.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Collected, Full, Limited};
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, CONTENT_TYPE, HOST};
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// What is read of an answer: `success` has seven bytes.
const ANSWER_AT_MOST: usize = 64 * 1024;

/// Where callbacks go. `Debug` leaves out the query, where merchants put tokens.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Target {
    host: String,
    port: u16,
    authority: String,
    path_and_query: String,
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Target({})", self.authority)
    }
}

impl Target {
    /// Reads an `http` URL.
    pub(crate) fn parse(url: &str) -> Option<Self> {
        let uri: Uri = url.parse().ok()?;
        if uri.scheme_str() != Some("http") {
            return None;
        }
        let authority = uri.authority()?;
        let host = authority.host();
        Some(Self {
            // An IPv6 address stands in brackets in a URL and without them in a socket address.
            host: host.trim_matches(['[', ']']).to_owned(),
            port: authority.port_u16().unwrap_or(80),
            authority: authority.as_str().to_owned(),
            path_and_query: uri
                .path_and_query()
                .map_or_else(|| "/".to_owned(), |path| path.as_str().to_owned()),
        })
    }

    /// Posts a form once. `None`: no answer, or none that could be read.
    pub(crate) async fn post(&self, form: String) -> Option<Bytes> {
        tokio::time::timeout(PATIENCE, self.post_and_wait(form))
            .await
            .ok()?
    }

    async fn post_and_wait(&self, form: String) -> Option<Bytes> {
        let stream = TcpStream::connect((self.host.as_str(), self.port))
            .await
            .ok()?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
        let request = Request::post(&self.path_and_query)
            .header(HOST, &self.authority)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(CONNECTION, "close")
            .body(Full::new(Bytes::from(form)))
            .ok()?;
        let exchange = async {
            let response = sender.send_request(request).await.ok()?;
            let body = Limited::new(response.into_body(), ANSWER_AT_MOST);
            body.collect().await.ok().map(Collected::to_bytes)
        };
        // The connection does the work; it ends by itself or is dropped with the answer read.
        tokio::pin!(exchange);
        tokio::select! {
            answer = &mut exchange => answer,
            result = connection => match result {
                // The answer may have come with the connection's end.
                Ok(()) => exchange.await,
                Err(_) => None,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Target;

    #[test]
    fn urls() {
        let target = Target::parse("http://127.0.0.1:8080/juhe?token=t").unwrap();
        assert_eq!((target.host.as_str(), target.port), ("127.0.0.1", 8080));
        assert_eq!(target.path_and_query, "/juhe?token=t");
        assert_eq!(format!("{target:?}"), "Target(127.0.0.1:8080)");
        let target = Target::parse("http://[::1]/").unwrap();
        assert_eq!((target.host.as_str(), target.port), ("::1", 80));
        assert_eq!(Target::parse("https://example.com/"), None);
        assert_eq!(Target::parse("example.com"), None);
    }
}
