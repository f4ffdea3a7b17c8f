//! Plays a demonstration: simulator, adapters over real HTTP, and the engine on a file of its own.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use recharge_core::Provider;
use recharge_engine::driver::{Setup, WaitError};
use recharge_engine::{NewOrder, Order, SystemClock, Times};
use recharge_http::{HttpConfig, HyperTransport, Transport};
use recharge_jisu::{JisuConfig, JisuProvider};
use recharge_juhe::{JuheConfig, JuheProvider};
use recharge_sim::{Credentials, LedgerRow, Preset, Simulator, Timings};
use recharge_store::Sqlite;
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::DemoError;

/// How long the upstreams may take to come to rest once all orders do.
const SETTLING: Duration = Duration::from_secs(5);

/// What it was played on, still standing.
pub(super) struct Stage {
    pub(super) simulator: Simulator,
    /// With it goes the store's file.
    folder: TempDir,
    seed: u64,
}

impl Stage {
    pub(super) fn file(&self) -> PathBuf {
        self.folder.path().join("demo.sqlite")
    }

    /// An engine on the file.
    pub(super) fn setup(&self) -> Result<Setup, DemoError> {
        let store = Sqlite::open(self.file())?;
        let mut setup = Setup::new(
            Arc::new(store),
            providers(&self.simulator.url())?,
            Arc::new(SystemClock::default()),
        );
        setup.seed = Some(self.seed);
        setup.times = shortened();
        Ok(setup)
    }
}

/// What came of it.
pub(super) struct Played {
    /// The orders, as placed, each at rest.
    pub(super) orders: Vec<Order>,
    /// What was really charged.
    pub(super) ledger: Vec<LedgerRow>,
    /// How many faults were injected.
    pub(super) faults_injected: u64,
    pub(super) stage: Stage,
}

/// Places the orders and follows each until it rests; calls `at_rest` each time one does.
pub(super) async fn play(
    wanted: Vec<NewOrder>,
    faults: Preset,
    seed: u64,
    at_rest: impl Fn(),
) -> Result<Played, DemoError> {
    let simulator = Simulator::builder()
        .seed(seed)
        .settle_after(Duration::from_millis(800))
        .faults(faults.plan().with_timings(Timings::quick()))
        .start()
        .await?;
    let stage = Stage {
        simulator,
        folder: tempfile::tempdir().map_err(DemoError::Folder)?,
        seed,
    };
    let driver = stage.setup()?.start().await?;

    let mut tasks = JoinSet::new();
    for (index, what) in wanted.into_iter().enumerate() {
        let (merchant, order_id) = (what.merchant.clone(), what.order_id.clone());
        driver.accept(what, false).await?;
        let driver = driver.clone();
        tasks.spawn(async move {
            let order = driver.until_at_rest(&merchant, &order_id).await;
            let order = order.map_err(|error| match error {
                WaitError::Store(error) => DemoError::from(error),
                _ => DemoError::Lost(order_id),
            })?;
            Ok::<_, DemoError>((index, order))
        });
    }
    let mut orders = Vec::new();
    while let Some(task) = tasks.join_next().await {
        orders.push(task??);
        at_rest();
    }
    orders.sort_by_key(|(index, _)| *index);

    driver.stop(Duration::from_secs(5)).await;
    let simulator = &stage.simulator;
    come_to_rest(simulator).await;
    let ledger = simulator.ledger();
    let faults_injected = simulator.faults_injected();
    let orders = orders.into_iter().map(|(_, order)| order).collect();
    Ok(Played {
        orders,
        ledger,
        faults_injected,
        stage,
    })
}

/// Lets the upstreams do what they still have in mind, such as taking an order that is late.
async fn come_to_rest(simulator: &Simulator) {
    let until = simulator.now().saturating_add(SETTLING);
    loop {
        let next = simulator.world().next_event();
        match next {
            Some(next) if next <= until => {
                let wait = next.saturating_sub(simulator.now());
                tokio::time::sleep(wait.max(Duration::from_millis(1))).await;
            }
            Some(_) | None => return,
        }
    }
}

fn providers(url: &str) -> Result<Vec<Arc<dyn Provider>>, DemoError> {
    let Credentials {
        juhe_key,
        juhe_openid,
        jisu_appkey,
        jisu_appsecret,
    } = Credentials::default();
    let http = HttpConfig {
        connect_timeout: Duration::from_millis(500),
        timeout: Duration::from_secs(1),
        ..HttpConfig::default()
    };
    let transport: Arc<dyn Transport> = Arc::new(HyperTransport::new(&http)?);
    let juhe = JuheConfig::new(juhe_key.into(), juhe_openid.into())?.with_base_url(url)?;
    let jisu = JisuConfig::new(jisu_appkey.into(), jisu_appsecret.into())?.with_base_url(url)?;
    Ok(vec![
        Arc::new(JuheProvider::new(juhe, transport.clone())),
        Arc::new(JisuProvider::new(jisu, transport)),
    ])
}

/// The lifecycle's times for a simulator that ends an order within a second and a client that waits one
/// second for an answer. What the simulator does late (2.5 s) lies within the quarantine.
fn shortened() -> Times {
    let millis = |list: &[u64]| list.iter().copied().map(Duration::from_millis).collect();
    Times {
        query_after: millis(&[150, 300, 600, 900]),
        confirm_failure_after: Duration::from_millis(700),
        not_found_quarantine: Duration::from_secs(3),
        charging_limit: Duration::from_secs(12),
        unknown_limit: Duration::from_secs(12),
        send_deadline: Duration::from_millis(500),
        request_timeout: Duration::from_millis(1_200),
        pending_limit: Duration::from_secs(8),
        callback_gap: Duration::from_millis(300),
        watch_after: Vec::new(),
        ..Times::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use recharge_core::OrderState;

    #[tokio::test(flavor = "multi_thread")]
    async fn without_faults_every_order_succeeds_with_one_charge() {
        let wanted = super::super::orders::orders(12, 3).unwrap();
        let played = play(wanted, Preset::Off, 3, || ()).await.unwrap();
        for order in &played.orders {
            assert_eq!(order.state(), OrderState::Succeeded, "{order:#?}");
        }
        assert_eq!(
            played
                .ledger
                .iter()
                .map(|row| row.charges)
                .collect::<Vec<_>>(),
            [1; 12]
        );
        assert_eq!(played.faults_injected, 0);
    }
}
