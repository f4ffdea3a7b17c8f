//! [`Metrics`]: figures for Prometheus, at `GET /metrics`.
//!
//! No label holds an account, an order, a merchant or a key: each has few values, which are known beforehand.
//! What is counted as it happens is counted here; what the store knows is read every few
//! seconds at most, however often somebody looks; no upstream is ever asked because somebody looks: for balances
//! they are asked by the clock.

pub mod balances;
mod stands;
mod upstream;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use recharge_core::{QueryOutcome, SubmitOutcome};
use recharge_engine::driver::{Observer, Setup};
use recharge_engine::event::Purpose;
use recharge_engine::{Input, Order};

use self::stands::Stands;
use self::upstream::Measured;
use crate::app::App;
use crate::problem::{Code, Problem, refusals};

/// The form in which the figures are answered, as OpenMetrics names it.
const FORM: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Seconds, for what takes as long as a call takes.
const CALL: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 20.0,
];

/// Seconds, for what waits its turn.
const LATE: [f64; 10] = [0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0, 60.0, 600.0, 3_600.0];

refusals! {
    /// Why there are no figures.
    NoFigures: NotFound Internal;
}

/// A request, as it is counted.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    route: String,
    method: &'static str,
    status: u16,
}

/// Where a request went.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
    method: &'static str,
}

/// What came of something at a provider.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    provider: String,
    outcome: &'static str,
}

/// A provider.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct At {
    provider: String,
}

/// Makes histograms of these buckets.
#[derive(Debug, Clone, Copy)]
struct Buckets(&'static [f64]);

impl MetricConstructor<Histogram> for Buckets {
    fn new_metric(&self) -> Histogram {
        Histogram::new(self.0.iter().copied())
    }
}

type Histograms<L> = Family<L, Histogram, Buckets>;

/// What is counted, and where it is read.
pub struct Metrics {
    registry: Registry,
    requests: Family<Request, Counter>,
    request_seconds: Histograms<Route>,
    callbacks: Family<Outcome, Counter>,
    stands: Arc<Stands>,
}

/// Counts what the engine is told.
struct Steps {
    submits: Family<Outcome, Counter>,
    queries: Family<Outcome, Counter>,
    lag: Histograms<At>,
    /// Who was told before.
    next: Option<Arc<dyn Observer>>,
}

impl Metrics {
    /// Watches an engine that is about to be started: its steps, and its calls to the providers.
    pub fn watch(setup: &mut Setup) -> Self {
        let mut registry = Registry::with_prefix("recharge");
        registry.register(
            "build",
            "The version that runs",
            Info::new([("version", env!("CARGO_PKG_VERSION"))]),
        );
        let requests = Family::default();
        let what = "Requests that were answered, by route";
        registry.register("http_requests", what, Family::clone(&requests));
        let request_seconds = Family::new_with_constructor(Buckets(&CALL));
        let what = "How long requests took to be answered";
        registry.register("http_request_seconds", what, request_seconds.clone());
        let callbacks = Family::default();
        let what = "Callbacks that were taken, or why they were not";
        registry.register("callbacks", what, Family::clone(&callbacks));
        let steps = Steps {
            submits: Family::default(),
            queries: Family::default(),
            lag: Family::new_with_constructor(Buckets(&LATE)),
            next: setup.observer.take(),
        };
        let what = "What orders were told of their submits";
        registry.register("submits", what, steps.submits.clone());
        let what = "What orders were told when they were asked about";
        registry.register("queries", what, steps.queries.clone());
        let what = "How late scheduled questions were asked";
        registry.register("query_lag_seconds", what, steps.lag.clone());
        setup.observer = Some(Arc::new(steps));
        let stands = Arc::new(Stands::default());
        let measured = upstream::Times::register(&mut registry, Arc::clone(&stands));
        for provider in &mut setup.providers {
            *provider = Arc::new(Measured::new(Arc::clone(provider), &measured));
        }
        registry.register_collector(Box::new(Arc::clone(&stands)));
        Self {
            registry,
            requests,
            request_seconds,
            callbacks,
            stands,
        }
    }

    /// A request was answered. The route is as it was declared, not as it was called.
    pub fn answered(&self, route: &str, method: &http::Method, status: u16, took: Duration) {
        let (route, method) = (route.to_owned(), named(method));
        self.request_seconds
            .get_or_create(&Route {
                route: route.clone(),
                method,
            })
            .observe(took.as_secs_f64());
        let request = Request {
            route,
            method,
            status,
        };
        self.requests.get_or_create(&request).inc();
    }

    /// A callback was taken, or not for that reason.
    pub fn called_back(&self, provider: &str, refused: Option<Code>) {
        let outcome = Outcome {
            provider: provider.to_owned(),
            outcome: refused.map_or("taken", Code::as_str),
        };
        self.callbacks.get_or_create(&outcome).inc();
    }

    /// The figures, as text.
    async fn text(&self, app: &App) -> Result<String, fmt::Error> {
        self.stands.look(app).await;
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

/// Methods are whatever a client likes; those that nobody serves are one.
fn named(method: &http::Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

impl Observer for Steps {
    fn steps(&self, order: &Order, input: &Input) {
        if let Some(next) = &self.next {
            next.steps(order, input);
        }
        let provider = |attempt: u32| {
            let attempt = order.attempt(attempt);
            attempt.map_or_else(String::new, |it| it.provider().to_string())
        };
        match input {
            Input::SubmitEnded {
                attempt, outcome, ..
            } => {
                let outcome = Outcome {
                    provider: provider(*attempt),
                    outcome: submitted(outcome),
                };
                self.submits.get_or_create(&outcome).inc();
            }
            Input::QueryEnded {
                attempt,
                asked,
                purpose,
                outcome,
                ..
            } => {
                let provider = provider(*attempt);
                if *purpose == Purpose::Schedule
                    && let Some(due) = order.due()
                {
                    let late = asked.wall.since(due).as_secs_f64();
                    let at = At {
                        provider: provider.clone(),
                    };
                    self.lag.get_or_create(&at).observe(late);
                }
                let outcome = Outcome {
                    provider,
                    outcome: answered(outcome),
                };
                self.queries.get_or_create(&outcome).inc();
            }
            Input::Due { .. }
            | Input::Callback { .. }
            | Input::Probed { .. }
            | Input::Priced { .. }
            | Input::Recovered { .. }
            | Input::Command(_) => {}
        }
    }
}

impl fmt::Debug for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Steps").finish_non_exhaustive()
    }
}

const fn submitted(outcome: &SubmitOutcome) -> &'static str {
    match outcome {
        SubmitOutcome::Accepted(_) => "accepted",
        SubmitOutcome::Rejected(_) => "rejected",
        SubmitOutcome::NotSent(_) => "not_sent",
        SubmitOutcome::Unknown(_) => "unknown",
    }
}

const fn answered(outcome: &QueryOutcome) -> &'static str {
    match outcome {
        QueryOutcome::Found(sighting) => sighting.state.as_str(),
        QueryOutcome::NotFound(_) => "not_found",
        QueryOutcome::Unavailable(_) => "unavailable",
    }
}

/// Show figures for Prometheus
#[utoipa::path(
    get, path = "/metrics", operation_id = "showMetrics", tag = "health",
    responses(
        (status = 200, description = "As OpenMetrics has it", body = String, content_type = "application/openmetrics-text"),
        NoFigures,
    ),
)]
pub async fn metrics(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    if !app.settings.metrics {
        return Err(Problem::not_found("path"));
    }
    let text = app.metrics.text(&app).await.map_err(|_| {
        // Only a value that can't be written does this, and all are numbers.
        Problem::new(Code::Internal, "the figures can't be written")
    })?;
    let headers = [(CONTENT_TYPE, FORM), (CACHE_CONTROL, "no-store")];
    Ok((headers, text).into_response())
}
