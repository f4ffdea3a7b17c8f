//! [`Stands`]: how things stand, as they were last looked at.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeGaugeValue, EncodeLabelSet, NoLabelSet,
};
use prometheus_client::metrics::MetricType;
use recharge_core::{Money, ProviderId};
use recharge_engine::WallTime;
use recharge_engine::driver::Load;
use recharge_engine::store::{Commits, Statistics};

use crate::app::App;

/// For how long what the store has said is said again.
const FRESH: Duration = Duration::from_secs(5);

/// How things stand.
#[derive(Debug, Default)]
pub(super) struct Stands {
    /// Held while the store is asked, so that it is asked once.
    asked: tokio::sync::Mutex<Option<Instant>>,
    seen: Mutex<Seen>,
    balances: Mutex<BTreeMap<ProviderId, (Money, SystemTime)>>,
}

#[derive(Debug, Default)]
struct Seen {
    now: Option<WallTime>,
    /// None until the store has answered.
    store: Option<(Statistics, Option<WallTime>)>,
    commits: Commits,
    load: Vec<Load>,
    usable: bool,
    locked: u64,
    delivered: u64,
    failed: u64,
    given_up: u64,
    alarms: u64,
}

impl Stands {
    /// A provider has told our balance.
    pub(super) fn heard(&self, provider: &ProviderId, balance: Money) {
        let entry = (balance, SystemTime::now());
        lock(&self.balances).insert(provider.clone(), entry);
    }

    /// Looks how things stand. The store is asked at most every few seconds; when it can't answer, what it
    /// said last stays.
    pub(super) async fn look(&self, app: &App) {
        let mut asked = self.asked.lock().await;
        if asked.is_none_or(|at| at.elapsed() >= FRESH) {
            let store = app.store();
            match (store.statistics().await, store.next_due().await) {
                (Ok(statistics), Ok(due)) => lock(&self.seen).store = Some((statistics, due)),
                (Err(error), _) | (_, Err(error)) => {
                    tracing::warn!(%error, "the store can't say how many orders there are");
                }
            }
            *asked = Some(Instant::now());
        }
        drop(asked);
        let mut seen = lock(&self.seen);
        seen.now = Some(app.now());
        seen.commits = app.store().commits();
        seen.load = app.driver.load();
        seen.usable = app.driver.trouble().borrow().is_none();
        let locked = app.ring.locked().map_or(0, |locked| locked.secrets);
        seen.locked = u64::try_from(locked).unwrap_or(u64::MAX);
        seen.delivered = app.tally.delivered();
        seen.failed = app.tally.failed();
        seen.given_up = app.tally.given_up();
        seen.alarms = app.tally.alarms();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What these guard is whole between any two statements.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One figure that goes up and down, with a value for each set of labels.
fn gauge<L: EncodeLabelSet, V: EncodeGaugeValue>(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    what: &str,
    values: impl IntoIterator<Item = (L, V)>,
) -> fmt::Result {
    let mut metric = encoder.encode_descriptor(name, what, None, MetricType::Gauge)?;
    for (labels, value) in values {
        metric.encode_family(&labels)?.encode_gauge(&value)?;
    }
    Ok(())
}

/// One figure that only rises.
fn counter<L: EncodeLabelSet>(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    what: &str,
    values: impl IntoIterator<Item = (L, u64)>,
) -> fmt::Result {
    let mut metric = encoder.encode_descriptor(name, what, None, MetricType::Counter)?;
    for (labels, value) in values {
        metric
            .encode_family(&labels)?
            .encode_counter::<NoLabelSet, _, u64>(&value, None)?;
    }
    Ok(())
}

/// The same with one value.
fn one(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    what: &str,
    value: &impl EncodeGaugeValue,
) -> fmt::Result {
    let mut metric = encoder.encode_descriptor(name, what, None, MetricType::Gauge)?;
    metric.encode_gauge(value)
}

impl Collector for Stands {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let (encoder, seen) = (&mut encoder, lock(&self.seen));
        if let (Some((statistics, due)), Some(now)) = (&seen.store, seen.now) {
            in_store(encoder, statistics, *due, now)?;
        }
        under_way(encoder, &seen.load)?;
        commits(encoder, &seen.commits)?;
        let what = "1: the store can be used";
        one(encoder, "store_usable", what, &u64::from(seen.usable))?;
        let what = "Secrets in force that the master key doesn't open";
        one(encoder, "locked_secrets", what, &seen.locked)?;
        let outcomes = [
            ([("outcome", "delivered")], seen.delivered),
            ([("outcome", "failed")], seen.failed),
            ([("outcome", "given_up")], seen.given_up),
        ];
        let what = "What came of telling merchants; what is given up has failed before";
        counter(encoder, "webhooks", what, outcomes)?;
        let what = "Orders that came to need a person, as they were logged";
        encoder
            .encode_descriptor("alarms", what, None, MetricType::Counter)?
            .encode_counter::<NoLabelSet, _, u64>(&seen.alarms, None)?;
        drop(seen);
        self.balances(encoder)
    }
}

impl Stands {
    fn balances(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let balances = lock(&self.balances);
        let labelled = |provider: &ProviderId| [("provider", provider.to_string())];
        // Here, for a picture, money may be a float.
        let yuan = |balance: Money| balance.to_string().parse::<f64>().unwrap_or(f64::NAN);
        let values = balances
            .iter()
            .map(|(it, (yuan_, _))| (labelled(it), yuan(*yuan_)));
        let what = "Our balance with the provider, as it was last heard";
        gauge(encoder, "balance_yuan", what, values)?;
        let ages = balances.iter().map(|(it, (_, at))| {
            let age = at.elapsed().unwrap_or_default();
            (labelled(it), age.as_secs_f64())
        });
        let what = "How long ago the balance was heard";
        gauge(encoder, "balance_age_seconds", what, ages)
    }
}

fn in_store(
    encoder: &mut DescriptorEncoder<'_>,
    statistics: &Statistics,
    due: Option<WallTime>,
    now: WallTime,
) -> fmt::Result {
    let orders = statistics.by_provider.iter().map(|(state, provider, n)| {
        let provider = provider
            .as_ref()
            .map_or_else(String::new, ToString::to_string);
        ([("state", (*state).to_owned()), ("provider", provider)], *n)
    });
    let what = "Orders by state and by the provider of their newest attempt, once there is one";
    gauge(encoder, "orders", what, orders)?;
    let oldest = [
        ("open", statistics.oldest_open),
        ("unknown", statistics.oldest_unknown),
        ("review", statistics.oldest_review),
    ];
    let ages = oldest.into_iter().map(|(state, oldest)| {
        let age = oldest.map_or(Duration::ZERO, |oldest| now.since(oldest));
        ([("state", state)], age.as_secs_f64())
    });
    let what = "How long ago the oldest order was accepted that is unknown, on a desk, or neither ended nor on a desk (open); 0 if there is none";
    gauge(encoder, "oldest_order_age_seconds", what, ages)?;
    let late = due.map_or(Duration::ZERO, |due| now.since(due));
    let what = "How long ago the order was due that nobody has begun to see to; 0 if there is none";
    one(encoder, "overdue_seconds", what, &late.as_secs_f64())?;
    let waiting = statistics.messages.saturating_sub(statistics.given_up);
    let messages = [
        ([("state", "waiting")], waiting),
        ([("state", "given_up")], statistics.given_up),
    ];
    let what = "Notices and alarms that have not been delivered";
    gauge(encoder, "outbox_messages", what, messages)
}

fn under_way(encoder: &mut DescriptorEncoder<'_>, load: &[Load]) -> fmt::Result {
    let calls = load.iter().flat_map(|it| {
        let labels = |call: &str, stage: &str| {
            [
                ("provider", it.provider.to_string()),
                ("call", call.to_owned()),
                ("stage", stage.to_owned()),
            ]
        };
        [
            (labels("submit", "under_way"), it.submits as u64),
            (labels("submit", "waiting"), it.submits_waiting as u64),
            (labels("query", "under_way"), it.asks as u64),
            (labels("query", "waiting"), it.asks_waiting as u64),
        ]
    });
    let what = "Calls to providers that are under way, or wait for their turn";
    gauge(encoder, "calls", what, calls)?;
    let kept_back = load.iter().map(|it| {
        let labels = [("provider", it.provider.to_string())];
        (labels, u64::from(it.kept_back))
    });
    let what = "1: new submits are kept back because the provider can't be reached";
    gauge(encoder, "kept_back", what, kept_back)
}

fn commits(encoder: &mut DescriptorEncoder<'_>, commits: &Commits) -> fmt::Result {
    let float = |n: u64| n.to_string().parse().unwrap_or(f64::INFINITY);
    let mut buckets: Vec<_> = commits
        .by_size
        .iter()
        .map(|(at, n)| (float(*at), *n))
        .collect();
    buckets.push((f64::INFINITY, 0));
    let what = "How many writes the commits of the store made durable";
    encoder
        .encode_descriptor("commit_writes", what, None, MetricType::Histogram)?
        .encode_histogram::<NoLabelSet>(float(commits.writes), commits.commits, &buckets, None)
}
