//! `recharge keys` and `recharge webhooks`: who may use the gateway, and where it tells.

use recharge_core::{ExposeSecret, MerchantId, SecretString};
use recharge_gateway::{ring, seal::MasterKey};
use recharge_store::Registry;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::common::{Ended, recharge};

/// An empty folder, in which the commands run.
struct Desk(TempDir);

fn digits(pair: &str) -> String {
    pair.repeat(32)
}

/// Opens what is sealed.
fn opened(purpose: &str, sealed: &[u8], master: &str) -> Option<String> {
    let master = MasterKey::parse(&SecretString::from(digits(master))).unwrap();
    let opened = master.open(purpose, sealed).ok();
    opened.map(|it| it.expose_secret().to_owned())
}

impl Desk {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    /// With a master key.
    fn run(&self, line: &str) -> Ended {
        self.under("5e", line)
    }

    fn under(&self, master: &str, line: &str) -> Ended {
        recharge(&format!("{line} --json"))
            .inside(self.0.path())
            .variable("RECHARGE_MASTER_KEY", &digits(master))
            .run()
    }

    #[track_caller]
    fn told(&self, line: &str) -> Value {
        self.run(line).exits(0).json()
    }

    /// The keys as they are listed.
    #[track_caller]
    fn keys(&self, of: &str) -> Vec<Value> {
        let told = self.told(&format!("keys list{of}"));
        told["keys"].as_array().unwrap().clone()
    }

    fn registry(&self) -> Registry {
        Registry::open(self.0.path().join("recharge.sqlite")).unwrap()
    }
}

#[test]
fn a_key_may_do_what_it_was_made_for_until_it_is_revoked() {
    let desk = Desk::new();
    let made = desk.told("keys create --merchant shop --scope read,operate --person li.na");
    let (id, key) = (made["id"].as_str().unwrap(), made["key"].as_str().unwrap());
    desk.told("keys create --merchant other --scope submit");
    let compat =
        "keys create --merchant shop --compat juhe --callback-url https://shop.example.com/a";
    let drop_in = desk.told(compat);
    let listed = desk.keys(" --merchant shop");
    assert_eq!(listed.len(), 2, "{listed:?}");
    let of = |id: &str| {
        let keys = desk.keys("");
        keys.into_iter().find(|it| it["id"] == id).unwrap()
    };
    let found = of(id);
    assert_eq!(found["merchant"], "shop");
    assert_eq!(found["kind"], "api");
    assert_eq!(found["scopes"], json!(["read", "operate"]));
    assert_eq!(found["person"], "li.na");
    assert!(found["revoked_at"].is_null());
    let found = of(drop_in["app_key"].as_str().unwrap());
    assert_eq!(
        (&found["kind"], &found["scopes"]),
        (&"juhe".into(), &json!([]))
    );
    assert_eq!(found["callback_url"], "https://shop.example.com/a");
    // Neither list shows what a bearer must know.
    let (_, secret) = key.rsplit_once('_').unwrap();
    for line in ["keys list", "keys list --json"] {
        let ended = recharge(line).inside(desk.0.path()).run().exits(0);
        assert!(!ended.out.contains(secret), "{ended:?}");
        assert!(!ended.out.contains(drop_in["open_id"].as_str().unwrap()));
    }
    assert_eq!(
        desk.told(&format!("keys revoke {id}")),
        json!({"revoked": id})
    );
    assert!(of(id)["revoked_at"].is_string());
    let others: Vec<Value> = desk.keys("");
    let revoked = others.iter().filter(|it| !it["revoked_at"].is_null());
    assert_eq!(revoked.count(), 1, "{others:?}");
    let unknown = desk.run("keys revoke 0000000000000000");
    assert_ne!(unknown.code, 0, "{unknown:?}");
    // That merchant is the command line's own: a key for it would see what operators do by hand.
    let local = desk.run("keys create --merchant local --scope read");
    assert_ne!(local.code, 0, "{local:?}");
    assert_eq!(desk.keys("").len(), 3);
}

#[test]
fn after_the_master_key_is_changed_only_the_new_one_opens_and_every_secret_is_what_it_was() {
    let desk = Desk::new();
    let juhe = desk.told("keys create --merchant shop --compat juhe");
    let hook = desk.told("webhooks set --merchant shop --url https://shop.example.com/a");
    let rotate = |old: &str, new: &str| {
        recharge("keys rotate-master --json")
            .inside(desk.0.path())
            .variable("RECHARGE_MASTER_KEY", &digits(old))
            .variable("RECHARGE_NEW_MASTER_KEY", &digits(new))
            .run()
    };
    let secrets = |master: &str| {
        let registry = desk.registry();
        let key = registry.keys(None).unwrap().remove(0);
        let merchant = MerchantId::parse("shop").unwrap();
        let endpoint = registry.endpoint(&merchant).unwrap().unwrap();
        let purpose = ring::purpose_of_key(&key.id);
        [
            opened(&purpose, &key.secret, master),
            opened(
                &ring::purpose_of_endpoint(&merchant),
                &endpoint.secret,
                master,
            ),
        ]
    };
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let shown = [text(&juhe["open_id"]), text(&hook["secret"])];
    assert_eq!(secrets("5e"), shown);
    // What can't be opened leaves everything as it was.
    assert_ne!(rotate("a7", "b8").code, 0);
    assert_eq!(secrets("5e"), shown);
    let done = rotate("5e", "b8").exits(0).json();
    assert_eq!(done["resealed"], 2);
    assert_eq!(secrets("b8"), shown);
    assert_eq!(secrets("5e"), [None, None]);
}

#[test]
fn a_webhook_keeps_its_secret_until_a_new_one_is_made() {
    let desk = Desk::new();
    let set = |more: &str| desk.told(&format!("webhooks set --merchant shop{more}"));
    let kept = || {
        let merchant = MerchantId::parse("shop").unwrap();
        let endpoint = desk.registry().endpoint(&merchant).unwrap().unwrap();
        let purpose = ring::purpose_of_endpoint(&merchant);
        opened(&purpose, &endpoint.secret, "5e").unwrap()
    };
    let first = set(" --url https://shop.example.com/a");
    assert_eq!(first["secret"], kept());
    let moved = set(" --url https://shop.example.com/b");
    assert!(moved["secret"].is_null());
    assert_eq!(first["secret"], kept());
    let second = set(" --new-secret");
    assert_eq!(second["url"], "https://shop.example.com/b");
    assert!(second["secret"] != first["secret"]);
    assert_eq!(second["secret"], kept());
    assert!(set(" --no-url")["url"].is_null());
    for url in [
        "http://127.0.0.1/a",
        "http://10.0.0.1/",
        "http://0x7f.1/",
        "shop",
    ] {
        let ended = desk.run(&format!("webhooks set --merchant other --url {url}"));
        assert_ne!(ended.code, 0, "{url}");
    }
    desk.told("webhooks set --merchant third");
    let show = |of: &str| {
        let told = desk.told(&format!("webhooks show{of}"));
        assert!(!told.to_string().contains("whsec_"));
        told["webhooks"].as_array().unwrap().len()
    };
    assert_eq!((show(""), show(" --merchant third")), (2, 1));
}
