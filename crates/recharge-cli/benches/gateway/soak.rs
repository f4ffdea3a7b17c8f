//! Memory, while orders come at a steady pace and end.

use std::time::{Duration, Instant};

use recharge_conformance::ratio::{Rows, median};
use tokio::runtime::Builder;
use tokio::time::MissedTickBehavior;

use super::load::Client;
use super::service::Home;
use super::upstream::Upstream;
use super::{Result, folder, orders};

/// How long it lasts, how often it is looked at, and how many orders come in a second: fewer than the
/// questions that a provider is asked.
const LENGTH: Duration = Duration::from_mins(10);
const LOOK: Duration = Duration::from_secs(10);
const PER_SECOND: usize = 250;

/// How much more memory there is in the last third than in the one before. In the first, caches fill.
pub(super) fn measure(upstream: &Upstream, rows: &mut Rows) -> Result<()> {
    let folder = folder()?;
    let home = Home::new(
        folder.path(),
        upstream,
        "[lifecycle]\nquery_after = [\"1s\"]\n",
    )?;
    let key = home.key()?;
    let serving = home.serve()?;
    upstream.takes(Duration::from_millis(50));
    upstream.charges(true);
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let sizes = runtime.block_on(async {
        let mut client = Client::connect(&serving.address).await?;
        let (begun, mut looked, mut sizes, mut placed) = (Instant::now(), LOOK, Vec::new(), 0);
        let mut pace = tokio::time::interval(Duration::from_secs(1));
        // A machine that is busy for a while makes them fewer, and no rush afterwards.
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while begun.elapsed() < LENGTH {
            pace.tick().await;
            for order in orders(&key, placed..placed + PER_SECOND) {
                client.ask(&order, "HTTP/1.1 202 ").await?;
            }
            placed += PER_SECOND;
            if begun.elapsed() >= looked {
                looked += LOOK;
                sizes.push(serving.memory()?);
                println!(
                    "soak: {placed} orders, {:.0} kB",
                    sizes.last().unwrap_or(&0.0)
                );
            }
        }
        Ok::<_, Box<dyn std::error::Error>>(sizes)
    })?;
    upstream.charges(false);
    drop(upstream.taken());
    let third = sizes.len() / 3;
    let (before, last) = sizes.split_at(sizes.len() - third);
    let before = before.iter().skip(before.len() - third).copied();
    let ratio = median(last.to_vec()) / median(before.collect());
    rows.at_most("gateway.soak_memory", ratio, 1.1);
    Ok(())
}
