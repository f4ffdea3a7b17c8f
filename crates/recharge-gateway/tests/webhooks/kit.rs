//! A gateway to be tested, and what asks it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use recharge_core::{
    Account, AccountKind, ExposeSecret, FaceValue, MerchantId, OrderId, Provider, ProviderId,
};
use recharge_engine::driver::Setup;
use recharge_engine::{Clock, NewOrder, ReplyTo, SystemClock, Times, WallTime};
use recharge_gateway::app::End;
use recharge_gateway::callbacks::Throttle;
use recharge_gateway::limits::Asks;
use recharge_gateway::metrics::Metrics;
use recharge_gateway::ring::KeyRing;
use recharge_gateway::seal::MasterKey;
use recharge_gateway::trace::RequestIds;
use recharge_gateway::webhooks::{Pace, Tally};
use recharge_gateway::{App, Gateway, Settings, keys};
use recharge_http::{HttpConfig, HyperTransport, Transport};
use recharge_jisu::{JisuConfig, JisuProvider};
use recharge_juhe::{JuheConfig, JuheProvider};
use recharge_sim::{Credentials, Settle, Simulator, Step};
use recharge_store::registry::{KeyKind, Scope, StoredKey};
use recharge_store::{Registry, Sqlite};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use crate::described;

/// How long anything is waited for.
const PATIENCE: Duration = Duration::from_secs(90);

/// Waits for the thing itself.
pub(crate) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "{what}: it did not come");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A store's file, the upstreams behind it, and two merchants.
pub(crate) struct Scene {
    pub(crate) folder: TempDir,
    pub(crate) simulator: Simulator,
    pub(crate) times: Times,
    pub(crate) settings: Settings,
}

impl Scene {
    /// Orders end at once, or when they are told to; nothing is late.
    pub(crate) async fn new(settle: Settle) -> Self {
        let mut settings = Settings::default();
        settings.listen = "127.0.0.1:0".parse().unwrap();
        settings.allow_private_webhooks = true;
        settings.master_key = Some(MasterKey::parse(&"5e".repeat(32).into()).unwrap());
        settings.callbacks_per_second = u32::MAX;
        settings.pace = Pace {
            waits: vec![Duration::from_millis(40)],
            patience: Duration::from_hours(1),
            juhe_first: vec![Duration::from_millis(20)],
            answer_within: Duration::from_secs(20),
            look: Duration::from_millis(20),
        };
        Self {
            folder: tempfile::tempdir().unwrap(),
            simulator: Simulator::builder().settle(settle).start().await.unwrap(),
            times: Times {
                query_after: vec![Duration::from_millis(50)],
                confirm_failure_after: Duration::from_millis(100),
                watch_after: Vec::new(),
                callback_gap: Duration::from_millis(1),
                ..Times::default()
            },
            settings,
        }
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("orders.sqlite")
    }

    pub(crate) fn registry(&self) -> Registry {
        Registry::open(self.file()).unwrap()
    }

    /// A key that may do anything, for that merchant.
    pub(crate) fn key(&self, merchant: &str) -> String {
        let made = keys::make().unwrap();
        let key = made.key.expose_secret().to_owned();
        self.registry()
            .add_key(&StoredKey {
                id: made.id,
                secret: made.hash,
                ..stored_key(merchant, KeyKind::Api)
            })
            .unwrap();
        key
    }

    pub(crate) fn setup(&self) -> Setup {
        let clock = Arc::new(SystemClock::default());
        let store = Arc::new(Sqlite::open(self.file()).unwrap());
        let mut setup = Setup::new(store, providers(&self.simulator.url()), clock);
        setup.times = self.times.clone();
        setup
    }

    pub(crate) async fn gateway(&self) -> Gateway {
        Gateway::start(self.setup(), self.registry(), self.settings.clone())
            .await
            .unwrap()
    }

    /// What handlers have at hand, without a server around them.
    pub(crate) async fn app(&self) -> Arc<App> {
        let mut setup = self.setup();
        let metrics = Metrics::watch(&mut setup);
        let registry = Arc::new(self.registry());
        let (providers, clock): (_, Arc<dyn Clock>) =
            (setup.providers.clone(), Arc::clone(&setup.clock));
        let ring = KeyRing::load(
            Arc::clone(&registry),
            self.settings.master_key.clone(),
            None,
        )
        .unwrap();
        Arc::new(App {
            driver: setup.start().await.unwrap(),
            registry,
            metrics,
            request_ids: RequestIds::new().unwrap(),
            ring: Arc::new(ring),
            providers,
            clock,
            asks: Asks::default(),
            batches: Notify::new(),
            throttle: Throttle::new(self.settings.callbacks_per_second),
            tally: Tally::default(),
            settings: self.settings.clone(),
            end: End::default(),
        })
    }

    /// Ends what the upstreams have under way.
    pub(crate) fn step(&self, step: &Step) {
        let now = self.simulator.now();
        self.simulator.world().step(now, step);
    }
}

pub(crate) fn stored_key(merchant: &str, kind: KeyKind) -> StoredKey {
    StoredKey {
        id: String::new(),
        merchant: MerchantId::parse(merchant).unwrap(),
        kind,
        secret: Vec::new(),
        scopes: Scope::ALL.into_iter().collect(),
        person: None,
        callback_url: None,
        created: WallTime::from_millis(0),
        revoked: None,
        used: None,
    }
}

fn providers(url: &str) -> Vec<Arc<dyn Provider>> {
    let it = Credentials::default();
    let transport: Arc<dyn Transport> =
        Arc::new(HyperTransport::new(&HttpConfig::default()).unwrap());
    let juhe = JuheConfig::new(it.juhe_key.into(), it.juhe_openid.into()).unwrap();
    let jisu = JisuConfig::new(it.jisu_appkey.into(), it.jisu_appsecret.into()).unwrap();
    vec![
        Arc::new(JuheProvider::new(
            juhe.with_base_url(url).unwrap(),
            transport.clone(),
        )),
        Arc::new(JisuProvider::new(
            jisu.with_base_url(url).unwrap(),
            transport,
        )),
    ]
}

/// An order as a handler would make it.
pub(crate) fn order(
    merchant: &str,
    order_id: &str,
    provider: &str,
    reply_to: Option<&str>,
) -> NewOrder {
    let mut what = NewOrder::new(
        MerchantId::parse(merchant).unwrap(),
        OrderId::parse(order_id).unwrap(),
        Account::parse(AccountKind::Mobile, "18900001234").unwrap(),
        FaceValue::from_yuan(100).unwrap(),
    );
    what.provider = Some(ProviderId::parse(provider).unwrap());
    what.reply_to = reply_to.map(|it| ReplyTo::parse(it).unwrap());
    what
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Answered {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }
}

/// One request on a connection of its own.
pub(crate) async fn ask(
    gateway: &Gateway,
    key: &str,
    method: &str,
    path: &str,
    body: &str,
) -> Answered {
    let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {key}\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head[9..12].parse().unwrap();
    let kind = head
        .lines()
        .find_map(|it| it.strip_prefix("content-type: "));
    // No answer of any test may be one that the description hasn't.
    described::find(method, path, status, kind.unwrap_or_default());
    Answered {
        status,
        body: body.to_owned(),
    }
}

/// Places an order of 100 yuan, and expects it to be taken.
pub(crate) async fn place(gateway: &Gateway, key: &str, order_id: &str, notify_url: Option<&str>) {
    let mut order = serde_json::json!({
        "order_id": order_id, "kind": "mobile", "account": "18900001234", "amount": "100",
        "allow_duplicate": true,
    });
    if let Some(url) = notify_url {
        order["notify_url"] = url.into();
    }
    let answered = ask(gateway, key, "POST", "/v1/orders", &order.to_string()).await;
    assert_eq!(answered.status, 202, "{answered:?}");
}

/// Sets where a merchant is told; answers the secret.
pub(crate) async fn set_webhook(gateway: &Gateway, key: &str, url: Option<&str>) -> String {
    let body = serde_json::json!({ "url": url }).to_string();
    let answered = ask(gateway, key, "PUT", "/v1/webhook", &body).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    answered.json()["secret"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

pub(crate) async fn dead(gateway: &Gateway, key: &str) -> Vec<Value> {
    let answered = ask(gateway, key, "GET", "/v1/webhooks/dead", "").await;
    assert_eq!(answered.status, 200, "{answered:?}");
    answered.json()["dead"].as_array().unwrap().clone()
}

/// What waits to be told, as the file has it.
pub(crate) async fn waiting(file: &Path) -> Vec<recharge_engine::store::Message> {
    use recharge_engine::Store as _;
    let store = Sqlite::open_read_only(file).unwrap();
    store.messages(0, 1_000).await.unwrap()
}
