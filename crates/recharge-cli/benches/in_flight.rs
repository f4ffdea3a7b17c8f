//! Ten thousand submits at a time — engine, SQLite, Juhe's adapter, hyper transport — against an upstream
//! in another process that answers each after a second; and a bare hyper-util client that sends the same
//! requests. Memory and throughput, each side in a process of its own.

use std::error::Error;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use recharge_conformance::ratio::{Rows, median};
use recharge_core::{Account, AccountKind, AttemptNumber, FaceValue, MerchantId, OrderId};
use recharge_engine::driver::Setup;
use recharge_engine::{Driver, NewOrder, SystemClock};
use recharge_http::{HttpConfig, HyperTransport};
use recharge_juhe::{JuheConfig, JuheProvider};
use recharge_store::Sqlite;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

#[path = "in_flight/upstream.rs"]
mod upstream;

/// How many are under way at a time, and how many there are.
const AT_ONCE: usize = 10_000;
const ORDERS: usize = 30_000;
/// How long the upstream takes.
const LATENCY: Duration = Duration::from_secs(1);
const ROUNDS: usize = 3;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<ExitCode> {
    let args: Vec<String> = std::env::args().collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        [_, "upstream"] => upstream::run(LATENCY).map(|()| ExitCode::SUCCESS),
        [_, "bare", address] => side(bare(address)),
        [_, "ours", address] => side(ours(address)),
        _ => compare(),
    }
}

/// Runs both sides in turn, each in a fresh process.
fn compare() -> Result<ExitCode> {
    let upstream = Upstream::start()?;
    let (mut memory, mut speed) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let bare = measure("bare", &upstream.address)?;
        let ours = measure("ours", &upstream.address)?;
        println!(
            "in_flight: bare {:.0}/s, {:.0} MB; ours {:.0}/s, {:.0} MB",
            bare.rate, bare.megabytes, ours.rate, ours.megabytes
        );
        memory.push(ours.megabytes / bare.megabytes);
        speed.push(ours.rate / bare.rate);
    }
    let mut rows = Rows::default();
    rows.at_most("in_flight.memory", median(memory), 1.4);
    rows.at_least("in_flight.throughput", median(speed), 0.95);
    Ok(rows.exit())
}

struct Upstream {
    child: Child,
    address: String,
}

impl Upstream {
    fn start() -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("upstream")
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = child.stdout.take().ok_or("no output")?;
        let mut address = String::new();
        BufReader::new(stdout).read_line(&mut address)?;
        let address = address.trim().to_owned();
        Ok(Self { child, address })
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Measured {
    rate: f64,
    megabytes: f64,
}

fn measure(side: &str, address: &str) -> Result<Measured> {
    let output = Command::new(std::env::current_exe()?)
        .args([side, address])
        .stderr(Stdio::inherit())
        .output()?;
    let text = String::from_utf8(output.stdout)?;
    let mut numbers = text.split_whitespace().map(str::parse);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(rate)), Some(Ok(megabytes))) => Ok(Measured { rate, megabytes }),
        _ => Err(format!("{side} measured nothing: {text}").into()),
    }
}

/// One side: prints its rate and the most memory that it had.
fn side(work: impl Future<Output = Result<f64>>) -> Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let seconds = runtime.block_on(work)?;
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|text| text.trim().strip_suffix("kB"))
        .ok_or("the system does not say how much memory was used")?;
    let kilobytes: f64 = peak.trim().parse()?;
    println!("{} {}", count(ORDERS) / seconds, kilobytes / 1024.0);
    Ok(ExitCode::SUCCESS)
}

#[expect(clippy::cast_precision_loss, reason = "counts of orders are small")]
const fn count(orders: usize) -> f64 {
    orders as f64
}

fn juhe(address: &str) -> Result<JuheConfig> {
    Ok(JuheConfig::new(
        "fedcba9876543210fedcba9876543210".into(),
        "JH0123456789abcdef0123456789abcdef".into(),
    )?
    .with_base_url(&format!("http://{address}"))?)
}

fn account(at: usize) -> Result<Account> {
    Ok(Account::parse(AccountKind::Mobile, &format!("189{at:08}"))?)
}

/// The same requests, sent and read, and nothing else.
async fn bare(address: &str) -> Result<f64> {
    let transport = HyperTransport::new(&HttpConfig::default())?;
    let provider = Arc::new(JuheProvider::new(juhe(address)?, Arc::new(transport)));
    let client = Client::builder(TokioExecutor::new())
        .pool_max_idle_per_host(AT_ONCE)
        .build_http::<Full<Bytes>>();
    let slots = Arc::new(Semaphore::new(AT_ONCE));
    let mut tasks: JoinSet<std::result::Result<(), String>> = JoinSet::new();
    let begun = Instant::now();
    for at in 0..ORDERS {
        let slot = slots.clone().acquire_owned().await?;
        let bits = u128::try_from(at)?.to_be_bytes();
        let mut number = [0; 17];
        number[1..].copy_from_slice(&bits);
        let number = AttemptNumber::from_bits(&number);
        let (account, amount) = (account(at)?, FaceValue::from_yuan(50)?);
        let request = provider
            .client()
            .submit_request(&account, amount, number.as_str())?;
        let client = client.clone();
        tasks.spawn(async move {
            let answer = client.request(request.map(Full::new)).await;
            let answer = answer.map_err(|error| error.to_string())?;
            let body = answer.into_body().collect().await;
            let body = body.map_err(|error| error.to_string())?.to_bytes();
            drop(slot);
            if body.is_empty() {
                return Err("an empty answer".to_owned());
            }
            Ok(())
        });
        while let Some(done) = tasks.try_join_next() {
            done??;
        }
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(begun.elapsed().as_secs_f64())
}

/// Orders, accepted and sent and acknowledged, all of it durable.
async fn ours(address: &str) -> Result<f64> {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let store = Arc::new(Sqlite::open(folder.path().join("orders.sqlite"))?);
    let transport = HyperTransport::new(&HttpConfig::default())?;
    let provider = JuheProvider::new(juhe(address)?, Arc::new(transport));
    let clock = Arc::new(SystemClock::default());
    let mut setup = Setup::new(store, vec![Arc::new(provider)], clock);
    setup.limits.in_flight = AT_ONCE;
    // What is asked afterwards is not measured.
    setup.times.query_after = vec![Duration::from_hours(1)];
    let driver = setup.start().await?;
    let begun = Instant::now();
    let slots = Arc::new(Semaphore::new(512));
    let mut tasks: JoinSet<std::result::Result<(), String>> = JoinSet::new();
    for at in 0..ORDERS {
        let slot = slots.clone().acquire_owned().await?;
        let what = NewOrder::new(
            MerchantId::local(),
            OrderId::parse(&format!("20270115-{at:010}"))?,
            account(at)?,
            FaceValue::from_yuan(50)?,
        );
        let driver = driver.clone();
        tasks.spawn(async move {
            let accepted = driver.accept(what, false).await;
            drop(slot);
            accepted.map(drop).map_err(|error| error.to_string())
        });
        while let Some(done) = tasks.try_join_next() {
            done??;
        }
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    all_charging(&driver).await?;
    let took = begun.elapsed().as_secs_f64();
    driver.stop(Duration::from_secs(10)).await;
    Ok(took)
}

async fn all_charging(driver: &Driver) -> Result<()> {
    loop {
        let statistics = driver.store().statistics().await?;
        let charging = statistics
            .orders
            .iter()
            .find_map(|(state, count)| (*state == "charging").then_some(*count));
        if charging == Some(u64::try_from(ORDERS)?) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
