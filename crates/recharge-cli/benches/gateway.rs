//! `recharge serve` under load, against a bare service: hyper and one thread that commits whatever has queued,
//! on SQLite with the settings of our store.
//!
//! Both are processes of their own, on fresh files, in turn; the same load generator sends both the same
//! requests, on 64 connections that are kept, the next one when the one before is answered. The reference
//! reads JSON or a form and writes what a small durable service would: an order under a unique name, with an
//! index of what is to be sent and an event; or a callback under a unique name. It knows no keys, checks
//! nothing, and does nothing with what it has.
//!
//! The gateway does all that it always does, and so its workers are at work too: with the default limits,
//! against an upstream that takes a second for each answer. 64 submits a second are then under way, and the
//! orders that come faster than that wait at the gate, as in any rush. Callbacks are those of orders that wait
//! for their end, each for another one: besides being kept, each is told to its order and makes it be asked about. Without
//! a goal it is printed, too, how fast orders are placed if the upstream answers at once: then most of the
//! machine's work is that of the orders' further lives.
//!
//! After that, what a million stored orders cost: a page of a list, and a start. `cargo xtask bench --long`
//! adds a soak: orders at a steady pace, most of whose lives end meanwhile, and the memory that it takes.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use recharge_conformance::ratio::{Rows, median};
use recharge_sign::juhe as sign;

#[path = "gateway/bare.rs"]
mod bare;
#[path = "gateway/load.rs"]
mod load;
#[path = "gateway/service.rs"]
mod service;
#[path = "gateway/soak.rs"]
mod soak;
#[path = "gateway/stored.rs"]
mod stored;
#[path = "gateway/upstream.rs"]
mod upstream;

use service::{APP_KEY, Home, Serving};
use upstream::Upstream;

/// How many connections there are, and how many requests a stretch has, after those that warm up.
const CONNECTIONS: usize = 64;
const REQUESTS: usize = 12_000;
const WARM_UP: usize = 1_000;
const ROUNDS: usize = 7;
/// How long the upstream takes.
const LATENCY: Duration = Duration::from_secs(1);

/// Orders are not asked about within a stretch unless a callback comes.
const QUIET: &str = "[lifecycle]\nquery_after = [\"50s\"]\n[callbacks]\nper_second = 100000\n";

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<ExitCode> {
    let args: Vec<String> = std::env::args().collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let chosen = match words.as_slice() {
        [_, "bare", file] => return bare::run(Path::new(file)).map(|()| ExitCode::SUCCESS),
        // For whoever looks into one of them.
        [
            _,
            only @ ("orders" | "submit" | "callbacks" | "stored" | "soak"),
            ..,
        ] => Some(*only),
        _ => None,
    };
    let (mut rows, upstream) = (Rows::default(), Upstream::start()?);
    let wanted = |what| chosen.is_none_or(|only| only == what);
    for (what, name, goal) in [
        (What::Orders, "orders", 0.8),
        (What::Submit, "submit", 0.7),
        (What::Callbacks, "callbacks", 0.7),
    ] {
        if wanted(name) {
            let ratio = compare(what, name, &upstream)?;
            rows.at_least(&format!("gateway.{name}"), ratio, goal);
        }
    }
    if wanted("orders") {
        let (ours, bare) = (
            ours(What::Orders, &upstream, Duration::ZERO)?,
            reference(What::Orders)?,
        );
        println!("gateway: {ours:.0} orders/s with all that follows at once; bare {bare:.0}/s");
    }
    if wanted("stored") {
        stored::measure(&upstream, &mut rows)?;
    }
    if chosen == Some("soak") || chosen.is_none() && std::env::var_os("LONG").is_some() {
        soak::measure(&upstream, &mut rows)?;
    }
    Ok(rows.exit())
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Orders,
    Submit,
    Callbacks,
}

impl What {
    /// How its answers begin, ours and those of the reference.
    const fn answers(self) -> (&'static str, &'static str) {
        match self {
            Self::Orders => ("HTTP/1.1 202 ", "HTTP/1.1 202 "),
            Self::Submit => ("HTTP/1.1 200 ", "HTTP/1.1 202 "),
            Self::Callbacks => ("HTTP/1.1 200 ", "HTTP/1.1 200 "),
        }
    }
}

/// The median of the ratios of both sides, in turn.
fn compare(what: What, name: &str, upstream: &Upstream) -> Result<f64> {
    let mut ratios = Vec::new();
    for round in 0..ROUNDS {
        let (ours, bare) = if round % 2 == 0 {
            let bare = reference(what)?;
            (ours(what, upstream, LATENCY)?, bare)
        } else {
            (ours(what, upstream, LATENCY)?, reference(what)?)
        };
        println!("gateway.{name}: {ours:.0}/s; bare {bare:.0}/s");
        ratios.push(ours / bare);
    }
    Ok(median(ratios))
}

/// A folder beside the build, on a disk: one for temporary files may be memory.
fn folder() -> Result<tempfile::TempDir> {
    Ok(tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?)
}

fn reference(what: What) -> Result<f64> {
    let folder = folder()?;
    let serving = service::bare(folder.path())?;
    let requests = match what {
        What::Orders => orders("rk_0", 0..WARM_UP + REQUESTS),
        What::Submit => submits("0123456789abcdef0123456789abcdef", "JH"),
        What::Callbacks => {
            let number = |at| format!("R{at:027}");
            callbacks((0..WARM_UP + REQUESTS).map(number))
        }
    };
    stretch(&serving, requests, what.answers().1)
}

fn ours(what: What, upstream: &Upstream, latency: Duration) -> Result<f64> {
    let folder = folder()?;
    let home = Home::new(folder.path(), upstream, QUIET)?;
    let (key, (app_key, open_id)) = (home.key()?, home.credential()?);
    let serving = home.serve()?;
    upstream.takes(latency);
    let requests = match what {
        What::Orders => orders(&key, 0..WARM_UP + REQUESTS),
        What::Submit => submits(&app_key, &open_id),
        What::Callbacks => {
            upstream.takes(Duration::ZERO);
            let numbers = charging(&serving, &key, upstream, WARM_UP + REQUESTS)?;
            upstream.takes(latency);
            callbacks(numbers.into_iter())
        }
    };
    stretch(&serving, requests, what.answers().0)
}

fn stretch(serving: &Serving, mut requests: Vec<Vec<u8>>, expected: &'static str) -> Result<f64> {
    let measured = requests.split_off(WARM_UP);
    load::run(&serving.address, CONNECTIONS, requests, expected)?;
    load::run(&serving.address, CONNECTIONS, measured, expected)
}

/// Places orders, and waits until the upstream has taken them all. Their numbers there.
fn charging(serving: &Serving, key: &str, upstream: &Upstream, many: usize) -> Result<Vec<String>> {
    drop(upstream.taken());
    let placed = orders(key, 0..many);
    load::run(
        &serving.address,
        CONNECTIONS,
        placed,
        What::Orders.answers().0,
    )?;
    let mut numbers = Vec::new();
    let begun = Instant::now();
    while numbers.len() < many {
        if begun.elapsed() > Duration::from_mins(2) {
            let sent = numbers.len();
            return Err(format!("the upstream was sent {sent} of {many} orders").into());
        }
        std::thread::sleep(Duration::from_millis(50));
        numbers.append(&mut upstream.taken());
    }
    // What it answered last is written down.
    std::thread::sleep(Duration::from_millis(500));
    Ok(numbers)
}

/// Accounts come in no order.
fn account(at: usize) -> String {
    format!("189{:08}", at.wrapping_mul(48_271) % 100_000_000)
}

fn orders(key: &str, which: std::ops::Range<usize>) -> Vec<Vec<u8>> {
    let headers = format!("authorization: Bearer {key}\r\ncontent-type: application/json\r\n");
    let order = |at| {
        let account = account(at);
        let body = format!(
            r#"{{"order_id":"20270115{at:010}","kind":"mobile","account":"{account}","amount":"50"}}"#
        );
        load::post("/v1/orders", &headers, &body)
    };
    which.map(order).collect()
}

const FORM: &str = "content-type: application/x-www-form-urlencoded\r\n";

fn submits(app_key: &str, open_id: &str) -> Vec<Vec<u8>> {
    let submit = |at| {
        let (account, number) = (account(at), format!("20270115{at:010}"));
        let sign = sign::submit(open_id, app_key, &account, "50", &number);
        let body =
            format!("key={app_key}&phoneno={account}&cardnum=50&orderid={number}&sign={sign}");
        load::post("/compat/juhe/ofpay/mobile/onlineorder", FORM, &body)
    };
    (0..WARM_UP + REQUESTS).map(submit).collect()
}

fn callbacks(numbers: impl Iterator<Item = String>) -> Vec<Vec<u8>> {
    let callback = |number: String| {
        let upstream_id = format!("J{number}");
        let sign = sign::callback(APP_KEY, &upstream_id, &number);
        let body = format!("sporder_id={upstream_id}&orderid={number}&sta=1&sign={sign}");
        load::post("/callbacks/juhe", FORM, &body)
    };
    numbers.map(callback).collect()
}
