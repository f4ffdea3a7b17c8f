//! The life of an order on SQLite, engine and all, against a bare loop that writes the same rows: in
//! groups of 64 orders, and with a commit for each step of each order. And what a store that is full of
//! ended orders costs: at a start, and when the next due orders are asked for.
//!
//! `cargo xtask bench --long` fills it with five million orders instead of a million.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use recharge_conformance::ratio::{Rows, median};
use recharge_core::{
    Account, AccountKind, Answer, Call, Capabilities, FaceValue, MerchantId, Offer, OrderId,
    Provider, ProviderId, QueryOutcome, QueryRequest, Receipt, Redactor, Sighting, SubmitOutcome,
    SubmitRequest, UpstreamState,
};
use recharge_engine::driver::Setup;
use recharge_engine::{Driver, NewOrder, SystemClock};
use recharge_store::Sqlite;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

#[path = "life/bare.rs"]
mod bare;

/// Orders of one stretch, and stretches of each side.
const ORDERS: usize = 6_000;
const ROUNDS: usize = 5;
/// Of these few, each step has a commit of its own.
const ALONE: usize = 600;
/// How many orders are handed in at a time.
const AT_ONCE: usize = 512;
/// How many ended orders a store holds that is not full, and one that is.
const FEW: usize = 10_000;
const MANY: usize = 1_000_000;
const MANY_MORE: usize = 5_000_000;
/// How many open ones are there at a start.
const OPEN: usize = 1_000;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<ExitCode> {
    let mut rows = Rows::default();
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    // Beside the build, on a disk: a folder for temporary files may be memory.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let (mut grouped, mut alone) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let file = folder.path().join(format!("{round}.sqlite"));
        let ours = engine(&runtime, &file, 0)? / per(ORDERS);
        let script = bare::Script::of(&file, ORDERS)?;
        let few = bare::Script::of(&file, ALONE)?;
        let rows = folder.path().join("bare.sqlite");
        let group = script.play_on_fresh(&rows, 64)? / per(ORDERS);
        let single = few.play_on_fresh(&rows, 1)? / per(ALONE);
        println!(
            "life: {:.0} orders/s; bare {:.0}/s in groups, {:.0}/s one by one",
            1.0 / ours,
            1.0 / group,
            1.0 / single
        );
        grouped.push(group / ours);
        alone.push(single / ours);
    }
    rows.at_least("store.life", median(grouped), 0.8);
    rows.at_least("store.life_naive", median(alone), 15.0);
    full(&runtime, folder.path(), &mut rows)?;
    Ok(rows.exit())
}

/// What a store full of ended orders costs.
fn full(runtime: &Runtime, folder: &Path, rows: &mut Rows) -> Result<()> {
    let many = if std::env::var_os("LONG").is_some() {
        MANY_MORE
    } else {
        MANY
    };
    let pattern = folder.join("pattern.sqlite");
    engine(runtime, &pattern, 0)?;
    let script = bare::Script::of(&pattern, ORDERS)?;
    let (mut ours, mut limit, mut due, mut starts) = ([0.0; 2], [0.0; 2], [0.0; 2], Vec::new());
    for (at, stored) in [FEW, many].into_iter().enumerate() {
        let file = folder.join(format!("stored-{stored}.sqlite"));
        bare::fill(&script, &file, stored, OPEN)?;
        for _ in 0..ROUNDS {
            starts.push(runtime.block_on(time_of_start(&file))?);
        }
        due[at] = median(
            (0..ROUNDS)
                .map(|_| bare::next_due(&file))
                .collect::<std::result::Result<_, _>>()?,
        );
        ours[at] = engine(runtime, &file, 2 * MANY_MORE)?;
        limit[at] = script.play_on(&file, 64)?;
        println!(
            "{stored} stored: {:.0} orders/s, bare {:.0}/s; next due in {:.0} us; started in {:.3} s",
            per(ORDERS) / ours[at],
            per(ORDERS) / limit[at],
            due[at] * 1e6,
            median(starts.clone()),
        );
        if at == 0 {
            starts.clear();
        }
        std::fs::remove_file(&file)?;
    }
    let kept = (ours[0] / ours[1]) / (limit[0] / limit[1]);
    rows.at_least("store.kept", kept, 0.9);
    // Hot, both of them; a page more on the way down is no growth.
    rows.at_most("store.next_due", due[1] / due[0], 1.5);
    rows.at_most("store.start_seconds", median(starts), 0.2);
    Ok(())
}

/// From nothing to an engine at work.
async fn time_of_start(file: &Path) -> Result<f64> {
    let begun = Instant::now();
    let driver = start(file, Duration::from_hours(1)).await?;
    let took = begun.elapsed().as_secs_f64();
    driver.stop(Duration::from_secs(5)).await;
    Ok(took)
}

#[expect(clippy::cast_precision_loss, reason = "counts of orders are small")]
const fn per(orders: usize) -> f64 {
    orders as f64
}

/// Lives of so many orders, from `first` on, on this file: how long they take together.
fn engine(runtime: &Runtime, file: &Path, first: usize) -> Result<f64> {
    runtime.block_on(async {
        let driver = start(file, Duration::from_millis(1)).await?;
        let begun = Instant::now();
        let mut tasks: JoinSet<std::result::Result<(), String>> = JoinSet::new();
        for lane in 0..AT_ONCE {
            let driver = driver.clone();
            tasks.spawn(async move {
                for at in (lane..ORDERS).step_by(AT_ONCE) {
                    live(&driver, first + at).await?;
                }
                Ok(())
            });
        }
        while let Some(done) = tasks.join_next().await {
            done??;
        }
        let took = begun.elapsed().as_secs_f64();
        driver.stop(Duration::from_secs(5)).await;
        Ok(took)
    })
}

async fn start(file: &Path, query_after: Duration) -> Result<Driver> {
    let store = Arc::new(Sqlite::open(file)?);
    let clock = Arc::new(SystemClock::default());
    let mut setup = Setup::new(store, vec![Arc::new(Instantly::new()?)], clock);
    setup.times.query_after = vec![query_after];
    setup.limits.in_flight = 10_000;
    setup.limits.queries_per_second = 1_000_000;
    Ok(setup.start().await?)
}

async fn live(driver: &Driver, at: usize) -> std::result::Result<(), String> {
    let what = order(at).map_err(|error| error.to_string())?;
    let (merchant, order_id) = (what.merchant.clone(), what.order_id.clone());
    let accepted = driver.accept(what, false).await;
    accepted.map_err(|error| error.to_string())?;
    let rest = driver.until_at_rest(&merchant, &order_id).await;
    match rest.map_err(|error| error.to_string())? {
        order if order.state().is_end() => Ok(()),
        other => Err(format!("no end: {other:?}")),
    }
}

/// Order ids rise with time, as merchants are told to make them.
fn order(at: usize) -> Result<NewOrder> {
    Ok(NewOrder::new(
        MerchantId::local(),
        OrderId::parse(&format!("20270115-{at:010}"))?,
        // Accounts come in no order.
        Account::parse(
            AccountKind::Mobile,
            &format!("189{:08}", at.wrapping_mul(48_271) % 100_000_000),
        )?,
        FaceValue::from_yuan(50)?,
    ))
}

/// A provider that answers at once.
#[derive(Debug)]
struct Instantly {
    id: ProviderId,
    capabilities: Capabilities,
    answer: Answer,
}

impl Instantly {
    fn new() -> Result<Self> {
        let offer = Offer::new(AccountKind::Mobile, vec![FaceValue::from_yuan(50)?]);
        let raw = r#"{"reason":"充值成功","result":{"cardnum":"1","ordercash":"50.2","cardname":"全国话费50元","sporder_id":"20150511163237508","uorderid":"test","game_userid":"18900001234","game_state":"1"},"error_code":0}"#;
        Ok(Self {
            id: ProviderId::parse("instantly")?,
            capabilities: Capabilities::new(vec![offer], vec![Call::Submit, Call::Query]),
            answer: Answer::new(&Redactor::default(), &[], "0", "充值成功", raw),
        })
    }
}

#[async_trait]
impl Provider for Instantly {
    fn id(&self) -> &ProviderId {
        &self.id
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn submit(&self, _: &SubmitRequest) -> SubmitOutcome {
        SubmitOutcome::Accepted(Receipt::new(self.answer.clone()))
    }

    async fn query(&self, _: &QueryRequest) -> QueryOutcome {
        QueryOutcome::Found(Sighting::new(UpstreamState::Succeeded, self.answer.clone()))
    }
}
