//! One request to somebody else's machine: bounded in every way, and followed nowhere.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, StatusCode};
use reqwest::{redirect, retry};
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};

use super::address::{Address, PrivateAddress, Resolver};

/// The most bytes of an answer that are read.
const MOST: usize = 64 * 1024;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);

/// How many connections to one host are kept for the next notice, and for how long.
const IDLE: usize = 8;
const IDLE_FOR: Duration = Duration::from_secs(15);

/// Sends notices.
#[derive(Clone)]
pub struct Client {
    client: reqwest::Client,
    answer_within: Duration,
}

/// There can be no client: nothing that a configuration could mend.
#[derive(Debug, thiserror::Error)]
#[error("there can be no client for webhooks: {0}")]
pub struct ClientError(String);

/// What is sent.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) to: Address,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

/// What was answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answered {
    pub(super) status: StatusCode,
    /// As far as it was read; `None` if it is longer than that, or broke off.
    pub(super) body: Option<Vec<u8>>,
}

impl Client {
    /// A client that gives each try so long, and goes to addresses of our own network only if that is
    /// allowed.
    pub fn new(answer_within: Duration, allow_private: bool) -> Result<Self, ClientError> {
        let roots = RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        // The provider is named: another crate in the build may bring a second one.
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| ClientError(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let client = reqwest::Client::builder()
            // A proxy would resolve the name for itself.
            .no_proxy()
            .dns_resolver(Arc::new(Resolver { allow_private }))
            .tls_backend_preconfigured(tls)
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .referer(false)
            .connect_timeout(CONNECT)
            .timeout(answer_within)
            .pool_max_idle_per_host(IDLE)
            .pool_idle_timeout(IDLE_FOR)
            .http1_only()
            .no_gzip()
            .no_brotli()
            .no_deflate()
            .no_zstd()
            .user_agent(concat!("Recharge/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| ClientError(root(&error.without_url())))?;
        Ok(Self {
            client,
            answer_within,
        })
    }

    /// Posts it; what goes wrong is told without the address.
    pub(super) async fn post(&self, what: Outgoing) -> Result<Answered, String> {
        let request = self
            .client
            .post(what.to.into_url())
            .headers(what.headers)
            .body(what.body);
        let mut answer = request.send().await.map_err(|error| self.trouble(error))?;
        let status = answer.status();
        Ok(Answered {
            status,
            body: read(&mut answer).await,
        })
    }

    fn trouble(&self, error: reqwest::Error) -> String {
        let error = error.without_url();
        if causes(&error).any(<dyn Error>::is::<PrivateAddress>) {
            return PrivateAddress.to_string();
        }
        if error.is_timeout() {
            let seconds = self.answer_within.as_secs_f32();
            return format!("no answer within {seconds} s");
        }
        let what = if error.is_connect() {
            "no connection"
        } else {
            "no answer"
        };
        format!("{what}: {}", root(&error))
    }
}

/// The body, no further than is of interest.
async fn read(answer: &mut reqwest::Response) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.ok()? {
        if body.len() + chunk.len() > MOST {
            return None;
        }
        body.extend_from_slice(&chunk);
    }
    Some(body)
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// The cause of all causes: those above only say that there was one.
fn root(error: &(dyn Error + 'static)) -> String {
    causes(error)
        .last()
        .map_or_else(String::new, ToString::to_string)
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}
