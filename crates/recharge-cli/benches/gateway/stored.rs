//! What stored orders cost: a page of a list, and a start.

use std::path::Path;
use std::time::{Duration, Instant};

use recharge_conformance::ratio::{Rows, median};
use rusqlite::Connection;
use tokio::runtime::Builder;

use super::load::{self, Client};
use super::service::Home;
use super::upstream::Upstream;
use super::{CONNECTIONS, Result, charging, folder, orders};

/// How many ended orders a store holds that is not full, and one that is.
const FEW: usize = 10_000;
const MANY: usize = 1_000_000;
/// How many of them are lived; the others are copies of these.
const LIVED: usize = 1_000;
/// How many have not ended.
const OPEN: usize = 1_000;

const STARTS: usize = 7;
/// Stretches of requests for the same page.
const ROUNDS: usize = 31;
const REQUESTS: u32 = 30;

/// When orders are asked about: soon, or not while this lasts.
const SOON: &str = "[lifecycle]\nquery_after = [\"100ms\"]\n";
const LATE: &str = "[lifecycle]\nquery_after = [\"1h\"]\n";

/// Fills two stores, and compares.
pub(super) fn measure(upstream: &Upstream, rows: &mut Rows) -> Result<()> {
    let (lived, few, many) = (folder()?, folder()?, folder()?);
    upstream.takes(Duration::ZERO);
    live(lived.path(), upstream)?;
    let (few_home, few_key) = fill(lived.path(), few.path(), FEW, upstream)?;
    let (many_home, many_key) = fill(lived.path(), many.path(), MANY, upstream)?;
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        let serving = many_home.serve()?;
        starts.push(serving.ready.as_secs_f64());
        serving.end()?;
    }
    let (few, many) = (few_home.serve()?, many_home.serve()?);
    let mut worst: f64 = 0.0;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    for page in [
        "",
        "&state=succeeded",
        "&state=charging",
        // From the middle.
        &format!("&after=20270115{:010}-{}", LIVED / 2, FEW / LIVED / 2),
    ] {
        let (mut ratios, mut times) = (Vec::new(), Vec::new());
        runtime.block_on(async {
            let mut few_client = Client::connect(&few.address).await?;
            let mut many_client = Client::connect(&many.address).await?;
            let (few, many) = (get(page, &few_key), get(page, &many_key));
            for _ in 0..ROUNDS {
                let limit = time(&mut few_client, &few).await?;
                let took = time(&mut many_client, &many).await?;
                ratios.push(took / limit);
                times.push(took);
            }
            Ok::<_, Box<dyn std::error::Error>>(())
        })?;
        let (ratio, took) = (median(ratios), median(times));
        println!(
            "gateway.list{page}: {:.0} us, {ratio:.2} times that of {FEW} orders",
            took * 1e6
        );
        worst = worst.max(ratio);
    }
    rows.at_most("gateway.list", worst, 1.2);
    rows.at_most("gateway.ready_seconds", median(starts), 0.2);
    Ok(())
}

fn get(page: &str, key: &str) -> Vec<u8> {
    format!(
        "GET /v1/orders?limit=50{page} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {key}\r\n\r\n"
    )
    .into_bytes()
}

async fn time(client: &mut Client, request: &[u8]) -> Result<f64> {
    let begun = Instant::now();
    for _ in 0..REQUESTS {
        client.ask(request, "HTTP/1.1 200 ").await?;
    }
    Ok(begun.elapsed().as_secs_f64() / f64::from(REQUESTS))
}

/// Some orders come to their ends.
fn live(folder: &Path, upstream: &Upstream) -> Result<()> {
    let home = Home::new(folder, upstream, SOON)?;
    let key = home.key()?;
    let serving = home.serve()?;
    upstream.charges(true);
    let placed = orders(&key, 0..LIVED);
    load::run(&serving.address, CONNECTIONS, placed, "HTTP/1.1 202 ")?;
    let connection = Connection::open(folder.join("recharge.sqlite"))?;
    let begun = Instant::now();
    loop {
        let ended: i64 = connection.query_row(
            "SELECT count(*) FROM orders WHERE state = 'succeeded'",
            [],
            |row| row.get(0),
        )?;
        if usize::try_from(ended)? == LIVED {
            break;
        }
        if begun.elapsed() > Duration::from_mins(1) {
            return Err("not every order ended".into());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    upstream.charges(false);
    drop(connection);
    serving.end()
}

/// A store with so many ended orders, which nobody asks about any more, and some that are open.
fn fill<'a>(
    lived: &Path,
    folder: &'a Path,
    stored: usize,
    upstream: &Upstream,
) -> Result<(Home<'a>, String)> {
    let home = Home::new(folder, upstream, LATE)?;
    let key = home.key()?;
    let connection = Connection::open(folder.join("recharge.sqlite"))?;
    // Made anew if it breaks off.
    connection.pragma_update(None, "synchronous", "off")?;
    let lived = lived.join("recharge.sqlite");
    connection.execute("ATTACH ?1 AS lived", [lived.to_string_lossy()])?;
    let copies = stored / LIVED;
    for copy in 0..copies {
        let (first, earlier) = (copy * LIVED, (copies - copy) * 10_000);
        connection.execute_batch(&format!(
            "BEGIN;
             INSERT INTO orders (key, merchant, order_id, kind, account, yuan, carrier, provider, accepted, epoch,
                 monotonic, held, state, reason, version, due, open, reply_to, sent_by)
             SELECT key + {first}, merchant, order_id || '-{copy}', kind,
                 printf('188%08d', (key + {first}) * 48271 % 100000000), yuan, carrier, provider,
                 accepted - {earlier}, epoch, monotonic, held, state, reason, version, NULL, open, reply_to,
                 sent_by
             FROM lived.orders;
             INSERT INTO log (key, first, record) SELECT key + {first}, first, record FROM lived.log;
             COMMIT;"
        ))?;
    }
    connection.execute_batch(
        "INSERT INTO tally (state, provider, n)
             SELECT state, sent_by, count(*) FROM orders GROUP BY state, sent_by;
         PRAGMA wal_checkpoint(TRUNCATE);",
    )?;
    drop(connection);
    let serving = home.serve()?;
    charging(&serving, &key, upstream, OPEN)?;
    serving.end()?;
    Ok((home, key))
}
