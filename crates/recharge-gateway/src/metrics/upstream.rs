//! [`Measured`]: a provider whose calls are timed, and whose balance is remembered.

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use recharge_core::{
    Account, AccountKind, Answer, CallError, Callback, CallbackError, Capabilities, FaceValue,
    Money, Page, Provider, ProviderId, QueryOutcome, QueryRequest, Quote, SubmitOutcome,
    SubmitRequest,
};

use super::stands::Stands;
use super::{At, Buckets, CALL, Histograms};

/// How long calls take, and what they tell.
#[derive(Debug)]
pub(super) struct Times {
    submits: Histograms<At>,
    queries: Histograms<At>,
    stands: Arc<Stands>,
}

impl Times {
    pub(super) fn register(registry: &mut Registry, stands: Arc<Stands>) -> Self {
        let times = Self {
            submits: Family::new_with_constructor(Buckets(&CALL)),
            queries: Family::new_with_constructor(Buckets(&CALL)),
            stands,
        };
        let what = "How long providers took to answer submits, or until they were given up";
        registry.register("submit_seconds", what, times.submits.clone());
        let what = "How long providers took to answer questions, or until they were given up";
        registry.register("query_seconds", what, times.queries.clone());
        times
    }
}

/// A provider whose calls are timed. It adds nothing to them and takes nothing away.
#[derive(Debug)]
pub(super) struct Measured {
    provider: Arc<dyn Provider>,
    submits: Histogram,
    queries: Histogram,
    stands: Arc<Stands>,
}

impl Measured {
    pub(super) fn new(provider: Arc<dyn Provider>, times: &Times) -> Self {
        let at = At {
            provider: provider.id().to_string(),
        };
        Self {
            submits: times.submits.get_or_create(&at).clone(),
            queries: times.queries.get_or_create(&at).clone(),
            stands: Arc::clone(&times.stands),
            provider,
        }
    }
}

/// Notes when it is dropped how long that took: a call that is given up has taken its time as well.
struct Stopwatch<'a>(&'a Histogram, Instant);

impl<'a> Stopwatch<'a> {
    fn start(histogram: &'a Histogram) -> Self {
        Self(histogram, Instant::now())
    }
}

impl Drop for Stopwatch<'_> {
    fn drop(&mut self) {
        self.0.observe(self.1.elapsed().as_secs_f64());
    }
}

#[async_trait]
impl Provider for Measured {
    fn id(&self) -> &ProviderId {
        self.provider.id()
    }

    fn capabilities(&self) -> &Capabilities {
        self.provider.capabilities()
    }

    async fn submit(&self, request: &SubmitRequest) -> SubmitOutcome {
        let _watch = Stopwatch::start(&self.submits);
        self.provider.submit(request).await
    }

    async fn query(&self, request: &QueryRequest) -> QueryOutcome {
        let _watch = Stopwatch::start(&self.queries);
        self.provider.query(request).await
    }

    async fn check(
        &self,
        account: &Account,
        amount: FaceValue,
    ) -> Result<Result<(), Answer>, CallError> {
        self.provider.check(account, amount).await
    }

    async fn quote(&self, account: &Account, amount: FaceValue) -> Result<Quote, CallError> {
        self.provider.quote(account, amount).await
    }

    async fn balance(&self) -> Result<Money, CallError> {
        let balance = self.provider.balance().await?;
        self.stands.heard(self.provider.id(), balance);
        Ok(balance)
    }

    async fn list(&self, kind: AccountKind, page: u32) -> Result<Page, CallError> {
        self.provider.list(kind, page).await
    }

    fn parse_callback(
        &self,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Result<Callback, CallbackError> {
        self.provider.parse_callback(content_type, body)
    }
}
