//! A gateway on a store of its own, the simulator behind it, and a client.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use recharge_core::{MerchantId, Provider};
use recharge_engine::driver::Setup;
use recharge_engine::{Clock as _, SystemClock};
use recharge_gateway::seal::MasterKey;
use recharge_gateway::{Gateway, Settings, keys};
use recharge_http::{HttpConfig, HyperTransport};
use recharge_jisu::{JisuConfig, JisuProvider};
use recharge_juhe::{JuheConfig, JuheProvider};
use recharge_sim::{
    DEFAULT_JISU_APPKEY, DEFAULT_JISU_APPSECRET, DEFAULT_JUHE_KEY, DEFAULT_JUHE_OPENID, Simulator,
};
use recharge_store::registry::{KeyKind, Scope, StoredKey};
use recharge_store::{Registry, Sqlite};
use serde_json::Value;
use tempfile::TempDir;

use crate::described;

const QUERY_AFTER: Duration = Duration::from_millis(100);

pub(crate) struct Stage {
    pub(crate) simulator: Simulator,
    pub(crate) gateway: Option<Gateway>,
    folder: TempDir,
    client: reqwest::Client,
    decide: fn(&mut Settings),
    /// Whether Jisu stands behind Juhe.
    pub(crate) with_jisu: bool,
    /// How long an order waits before it is asked about, each time.
    pub(crate) query_after: Duration,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) status: u16,
    pub(crate) kind: String,
    pub(crate) text: String,
    pub(crate) headers: reqwest::header::HeaderMap,
}

impl Told {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    /// The code of a problem.
    pub(crate) fn code(&self) -> String {
        assert_eq!(self.kind, "application/problem+json", "{self:?}");
        let problem = self.json();
        assert_eq!(problem["status"], self.status);
        assert!(problem["advice"].as_str().is_some_and(|it| !it.is_empty()));
        problem["code"].as_str().unwrap().to_owned()
    }
}

impl Stage {
    pub(crate) async fn open() -> Self {
        Self::with(|_| ()).await
    }

    /// With other settings.
    pub(crate) async fn with(decide: fn(&mut Settings)) -> Self {
        let mut stage = Self::without_gateway().await;
        stage.decide = decide;
        stage.start().await;
        stage
    }

    /// The file and the simulator.
    pub(crate) async fn without_gateway() -> Self {
        // The client asks for one, though it speaks plain HTTP here. Another test may have been quicker.
        drop(rustls::crypto::ring::default_provider().install_default());
        // A connection of its own for each call: one that idles is closed by the other side, perhaps just now.
        let client = reqwest::Client::builder()
            .no_proxy()
            .pool_max_idle_per_host(0)
            .build();
        let simulator = Simulator::builder()
            .settle_after(Duration::from_millis(200))
            .start()
            .await
            .unwrap();
        Self {
            simulator,
            gateway: None,
            folder: tempfile::tempdir().unwrap(),
            client: client.unwrap(),
            decide: |_| (),
            with_jisu: false,
            query_after: QUERY_AFTER,
        }
    }

    pub(crate) fn file(&self) -> std::path::PathBuf {
        self.folder.path().join("shop.sqlite")
    }

    pub(crate) fn registry(&self) -> Registry {
        Registry::open(self.file()).unwrap()
    }

    pub(crate) async fn start(&mut self) {
        let mut setup = setup(&self.file(), &self.simulator.url());
        if self.with_jisu {
            setup.providers.push(jisu(&self.simulator.url()));
        }
        setup.times.query_after = vec![self.query_after];
        let mut settings = settings();
        (self.decide)(&mut settings);
        let gateway = Gateway::start(setup, self.registry(), settings).await;
        self.gateway = Some(gateway.unwrap());
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.gateway.as_ref().unwrap().address()
    }

    pub(crate) async fn stop(&mut self) {
        assert!(self.gateway.take().unwrap().stop().await);
    }

    /// A key of a merchant, made while the gateway runs.
    pub(crate) fn key(&self, merchant: &str, scopes: &[Scope]) -> String {
        self.key_of(merchant, scopes, None)
    }

    pub(crate) fn key_of(&self, merchant: &str, scopes: &[Scope], person: Option<&str>) -> String {
        use recharge_core::ExposeSecret as _;
        let made = keys::make().unwrap();
        let stored = StoredKey {
            id: made.id,
            merchant: MerchantId::parse(merchant).unwrap(),
            kind: KeyKind::Api,
            secret: made.hash,
            scopes: scopes.iter().copied().collect(),
            person: person.map(str::to_owned),
            callback_url: None,
            created: SystemClock::new().now().wall,
            revoked: None,
            used: None,
        };
        self.registry().add_key(&stored).unwrap();
        made.key.expose_secret().to_owned()
    }

    pub(crate) async fn call(
        &self,
        method: &str,
        path: &str,
        key: Option<&str>,
        body: Option<&str>,
    ) -> Told {
        let url = format!("http://{}{path}", self.address());
        let mut request = self.client.request(method.parse().unwrap(), url);
        if let Some(key) = key {
            request = request.bearer_auth(key);
        }
        if let Some(body) = body {
            request = request.body(body.to_owned());
        }
        let answer = request.send().await.unwrap();
        let kind = answer.headers().get("content-type");
        let kind = kind.map_or("", |it| it.to_str().unwrap()).to_owned();
        let status = answer.status().as_u16();
        // No answer of any test may be one that the description hasn't.
        described::find(method, path, status, &kind);
        Told {
            status,
            kind,
            headers: answer.headers().clone(),
            text: answer.text().await.unwrap(),
        }
    }

    /// Until the order is there, or ten seconds have passed.
    pub(crate) async fn until(&self, order_id: &str, state: &str, key: &str) -> Value {
        let path = format!("/v1/orders/{order_id}");
        let give_up = tokio::time::Instant::now() + Duration::from_secs(20);
        loop {
            let order = self.call("GET", &path, Some(key), None).await.json();
            if order["state"] == state {
                return order;
            }
            assert!(tokio::time::Instant::now() < give_up, "{order}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// On any free port, with a master key.
pub(crate) fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.listen.set_port(0);
    // Tests that count what the upstream was asked ask for it themselves.
    settings.balances_every = None;
    settings.master_key = Some(MasterKey::parse(&"5e".repeat(32).into()).unwrap());
    settings
}

/// An engine on that file, with Juhe at that address.
pub(crate) fn setup(file: &Path, url: &str) -> Setup {
    let juhe = JuheConfig::new(DEFAULT_JUHE_KEY.into(), DEFAULT_JUHE_OPENID.into()).unwrap();
    let juhe = juhe.with_base_url(url).unwrap();
    let transport = Arc::new(HyperTransport::new(&HttpConfig::default()).unwrap());
    let provider = Arc::new(JuheProvider::new(juhe, transport));
    let store = Arc::new(Sqlite::open(file).unwrap());
    let mut setup = Setup::new(store, vec![provider], Arc::new(SystemClock::new()));
    setup.times.query_after = vec![QUERY_AFTER];
    setup.times.confirm_failure_after = Duration::from_millis(200);
    setup
}

/// Jisu at that address.
pub(crate) fn jisu(url: &str) -> Arc<dyn Provider> {
    let jisu = JisuConfig::new(DEFAULT_JISU_APPKEY.into(), DEFAULT_JISU_APPSECRET.into()).unwrap();
    let transport = Arc::new(HyperTransport::new(&HttpConfig::default()).unwrap());
    Arc::new(JisuProvider::new(
        jisu.with_base_url(url).unwrap(),
        transport,
    ))
}

pub(crate) const ALL: &[Scope] = &Scope::ALL;

/// An order of a phone number of its own.
pub(crate) fn order(order_id: &str, at: u32) -> String {
    format!(r#"{{"order_id":"{order_id}","kind":"mobile","account":"189{at:08}","amount":"100"}}"#)
}
