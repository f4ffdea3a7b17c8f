//! A gateway with the simulator behind it, shops' credentials, and a client that sends as shops do.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use recharge_core::{MerchantId, Provider, SecretString};
use recharge_engine::driver::Setup;
use recharge_engine::{SystemClock, WallTime};
use recharge_gateway::seal::MasterKey;
use recharge_gateway::{Gateway, Settings, ring};
use recharge_http::form::{BaseUrl, Encoding, request};
use recharge_http::{HttpConfig, HyperTransport, Transport};
use recharge_jisu::{JisuConfig, JisuProvider};
use recharge_juhe::{JuheConfig, JuheProvider};
use recharge_sim::{
    DEFAULT_JISU_APPKEY, DEFAULT_JISU_APPSECRET, DEFAULT_JUHE_KEY, DEFAULT_JUHE_OPENID, Simulator,
    WorldConfig,
};
use recharge_store::registry::{KeyKind, Scopes, StoredKey};
use recharge_store::{Registry, Sqlite};
use serde_json::Value;

use crate::described;

/// A key and the secret that signs with it.
#[derive(Clone, Copy)]
pub(crate) struct Keys {
    pub(crate) key: &'static str,
    pub(crate) secret: &'static str,
}

pub(crate) const JUHE: Keys = Keys {
    key: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    secret: "JHaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
};
pub(crate) const JISU: Keys = Keys {
    key: "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
    secret: "cccccccccccccccccccccccccccccccc",
};
/// Another merchant's.
pub(crate) const OTHER_JUHE: Keys = Keys {
    key: "dddddddddddddddddddddddddddddddd",
    secret: "JHdddddddddddddddddddddddddddddddd",
};
pub(crate) const OTHER_JISU: Keys = Keys {
    key: "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee",
    secret: "ffffffffffffffffffffffffffffffff",
};
/// Whose secret is sealed for another's place: [`JUHE`]'s.
pub(crate) const MISPLACED: Keys = Keys {
    key: "88888888888888888888888888888888",
    secret: "JH88888888888888888888888888888888",
};
pub(crate) const REVOKED: Keys = Keys {
    key: "99999999999999999999999999999999",
    secret: "JH99999999999999999999999999999999",
};

/// Where a request goes, and as whom.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) juhe_url: String,
    pub(crate) jisu_url: String,
    pub(crate) juhe: Keys,
    pub(crate) jisu: Keys,
}

const FILE: &str = "orders.db";

pub(crate) struct Bench {
    pub(crate) simulator: Simulator,
    pub(crate) gateway: Gateway,
    folder: tempfile::TempDir,
}

impl Bench {
    pub(crate) async fn start() -> Self {
        Self::with(WorldConfig::default(), |_| {}, |_| {}).await
    }

    pub(crate) async fn with(
        world: WorldConfig,
        decide: impl FnOnce(&mut Settings),
        change: impl FnOnce(&mut Vec<Arc<dyn Provider>>),
    ) -> Self {
        let simulator = Simulator::builder().config(world).start().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(FILE);
        let store = Sqlite::open(&file).unwrap();
        let registry = Registry::open(&file).unwrap();
        let master = MasterKey::parse(&"ab".repeat(32).into()).unwrap();
        for (keys, kind, merchant) in [
            (JUHE, KeyKind::Juhe, "shop"),
            (JISU, KeyKind::Jisu, "shop"),
            (OTHER_JUHE, KeyKind::Juhe, "other"),
            (OTHER_JISU, KeyKind::Jisu, "other"),
            (MISPLACED, KeyKind::Juhe, "shop"),
            (REVOKED, KeyKind::Juhe, "shop"),
        ] {
            let place = if keys.key == MISPLACED.key {
                JUHE
            } else {
                keys
            };
            let purpose = ring::purpose_of_key(place.key);
            let secret = master.seal(&purpose, &SecretString::from(keys.secret));
            let stored = StoredKey {
                id: keys.key.to_owned(),
                merchant: MerchantId::parse(merchant).unwrap(),
                kind,
                secret: secret.unwrap(),
                scopes: Scopes::default(),
                person: None,
                callback_url: None,
                created: WallTime::from_millis(0),
                revoked: None,
                used: None,
            };
            registry.add_key(&stored).unwrap();
        }
        registry
            .revoke_key(REVOKED.key, WallTime::from_millis(1))
            .unwrap();
        let mut providers = providers(&simulator.url());
        change(&mut providers);
        let mut setup = Setup::new(Arc::new(store), providers, Arc::new(SystemClock::new()));
        setup.times.query_after = vec![Duration::from_millis(100)];
        let mut settings = Settings::default();
        settings.listen = ([127, 0, 0, 1], 0).into();
        settings.master_key = Some(master);
        decide(&mut settings);
        let gateway = Gateway::start(setup, registry, settings).await.unwrap();
        Self {
            simulator,
            gateway,
            folder,
        }
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join(FILE)
    }

    /// The simulator, as the original.
    pub(crate) fn original(&self) -> Place {
        Place {
            juhe_url: self.simulator.url(),
            jisu_url: self.simulator.url(),
            juhe: Keys {
                key: DEFAULT_JUHE_KEY,
                secret: DEFAULT_JUHE_OPENID,
            },
            jisu: Keys {
                key: DEFAULT_JISU_APPKEY,
                secret: DEFAULT_JISU_APPSECRET,
            },
        }
    }

    /// The gateway, with credentials that it issued.
    pub(crate) fn ours(&self) -> Place {
        let url = format!("http://{}/compat", self.gateway.address());
        Place {
            juhe_url: format!("{url}/juhe"),
            jisu_url: format!("{url}/jisu"),
            juhe: JUHE,
            jisu: JISU,
        }
    }
}

fn providers(url: &str) -> Vec<Arc<dyn Provider>> {
    let transport = Arc::new(HyperTransport::new(&HttpConfig::default()).unwrap());
    let juhe = JuheConfig::new(DEFAULT_JUHE_KEY.into(), DEFAULT_JUHE_OPENID.into())
        .and_then(|it| it.with_base_url(url))
        .unwrap();
    let jisu = JisuConfig::new(DEFAULT_JISU_APPKEY.into(), DEFAULT_JISU_APPSECRET.into())
        .and_then(|it| it.with_base_url(url))
        .unwrap();
    vec![
        Arc::new(JuheProvider::new(juhe, transport.clone())),
        Arc::new(JisuProvider::new(jisu, transport)),
    ]
}

/// The text that is answered, which is always status 200 and JSON.
pub(crate) async fn text(
    encoding: Encoding,
    url: &str,
    path: &str,
    fields: &[(&str, &str)],
) -> String {
    let answer = send(encoding, url, path, fields).await;
    assert_eq!(answer.status(), 200, "{path}");
    let kind = answer.headers().get("content-type").unwrap();
    assert_eq!(kind, "application/json;charset=utf-8", "{path}");
    String::from_utf8(answer.into_body().to_vec()).unwrap()
}

pub(crate) async fn send(
    encoding: Encoding,
    url: &str,
    path: &str,
    fields: &[(&str, &str)],
) -> http::Response<bytes::Bytes> {
    let request = request(
        encoding,
        &BaseUrl::parse(url).unwrap(),
        path,
        fields,
        "Shop",
    );
    let client = HyperTransport::new(&HttpConfig::default()).unwrap();
    let request = request.unwrap();
    let (method, target) = (request.method().clone(), request.uri().path().to_owned());
    let answer = client.send(request).await.unwrap();
    // No answer of any test may be one that the description hasn't. The original's has none.
    if target.starts_with("/compat/") {
        described::check(method.as_str(), &target, &answer);
    }
    answer
}

impl Place {
    /// A call of Juhe's protocol, unsigned.
    pub(crate) async fn juhe(
        &self,
        encoding: Encoding,
        call: &str,
        fields: &[(&str, &str)],
    ) -> String {
        let mut all = vec![("key", self.juhe.key)];
        all.extend(fields);
        let path = format!("/ofpay/mobile/{call}");
        text(encoding, &self.juhe_url, &path, &all).await
    }

    /// A submit of Juhe's protocol, signed.
    pub(crate) async fn submit(
        &self,
        encoding: Encoding,
        phone: &str,
        amount: &str,
        order_id: &str,
    ) -> String {
        let sign =
            recharge_sign::juhe::submit(self.juhe.secret, self.juhe.key, phone, amount, order_id);
        let fields = [
            ("phoneno", phone),
            ("cardnum", amount),
            ("orderid", order_id),
            ("sign", &sign.to_string()),
        ];
        self.juhe(encoding, "onlineorder", &fields).await
    }

    /// A call of Jisu's protocol, unsigned.
    pub(crate) async fn jisu(
        &self,
        encoding: Encoding,
        call: &str,
        fields: &[(&str, &str)],
    ) -> String {
        let mut all = vec![("appkey", self.jisu.key)];
        all.extend(fields);
        text(encoding, &self.jisu_url, &format!("/{call}"), &all).await
    }

    /// A recharge of Jisu's protocol, signed in this order.
    pub(crate) async fn recharge(
        &self,
        encoding: Encoding,
        order: recharge_sign::jisu::SignOrder,
        product: &str,
        fields: &[(&str, &str)],
    ) -> String {
        let sign = recharge_sign::jisu::sign(order, fields.iter().copied(), self.jisu.secret);
        let sign = sign.unwrap().to_string();
        let mut all = fields.to_vec();
        all.push(("sign", &sign));
        self.jisu(encoding, &format!("{product}/recharge"), &all)
            .await
    }
}

pub(crate) fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Asks until the answer is so; fails by the test's own patience.
pub(crate) async fn until(
    mut ask: impl AsyncFnMut() -> String,
    is_so: impl Fn(&Value) -> bool,
) -> Value {
    for _ in 0..300 {
        let answer = json(&ask().await);
        if is_so(&answer) {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("it never came to be so");
}
