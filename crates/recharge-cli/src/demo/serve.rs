//! What was played is left standing, behind a gateway: to be looked at, and tried.

use std::net::SocketAddr;

use recharge_core::{ExposeSecret, MerchantId};
use recharge_engine::{Clock as _, SystemClock};
use recharge_gateway::seal::{self, MasterKey};
use recharge_gateway::{Gateway, Settings, keys};
use recharge_store::Registry;
use recharge_store::registry::{KeyKind, Scope, StoredKey};
use serde_json::json;

use super::DemoError;
use super::orders::MERCHANT;
use super::play::Stage;
use crate::error::CliError;
use crate::output::Output;
use crate::stop::Stop;

/// What a shop needs to talk to it. It is good for this demonstration only, so it may be shown.
struct Access {
    key: String,
    /// Application key and openid.
    juhe: (String, String),
    /// Application key and secret.
    jisu: (String, String),
}

/// Serves until it is told to stop.
pub(super) async fn serve(
    stage: Stage,
    listen: SocketAddr,
    stop: Stop,
    output: &Output,
) -> Result<(), CliError> {
    let (gateway, access) = start(&stage, listen).await?;
    let url = format!("http://{}", gateway.address());
    if output.is_json() {
        output.json(&json!({
            "listening": url,
            "key": access.key,
            "juhe": { "app_key": access.juhe.0, "open_id": access.juhe.1 },
            "jisu": { "app_key": access.jisu.0, "app_secret": access.jisu.1 },
        }))?;
    } else {
        show(&url, &access, output)?;
    }
    stop.wait().await;
    gateway.stop().await;
    stage.simulator.shutdown().await;
    Ok(())
}

async fn start(stage: &Stage, listen: SocketAddr) -> Result<(Gateway, Access), DemoError> {
    let master = MasterKey::parse(&hex::encode(seal::random::<32>()?).into())?;
    let registry = Registry::open(stage.file())?;
    let made = keys::make()?;
    let stored = |id: String, kind, secret| {
        Ok::<_, DemoError>(StoredKey {
            id,
            merchant: MerchantId::parse(MERCHANT)?,
            kind,
            secret,
            scopes: Scope::ALL.into_iter().collect(),
            person: None,
            callback_url: None,
            created: SystemClock::default().now().wall,
            revoked: None,
            used: None,
        })
    };
    registry.add_key(&stored(made.id, KeyKind::Api, made.hash)?)?;
    let credential = |kind| {
        let made = keys::make_credential(kind, &master)?;
        registry.add_key(&stored(made.app_key.clone(), kind, made.sealed)?)?;
        Ok::<_, DemoError>((made.app_key, made.secret.expose_secret().to_owned()))
    };
    let access = Access {
        key: made.key.expose_secret().to_owned(),
        juhe: credential(KeyKind::Juhe)?,
        jisu: credential(KeyKind::Jisu)?,
    };
    let mut settings = Settings::default();
    settings.listen = listen;
    settings.master_key = Some(master);
    // So that a shop on this machine can be told.
    settings.allow_private_webhooks = true;
    let gateway = Gateway::start(stage.setup()?, registry, settings).await?;
    Ok((gateway, access))
}

fn show(url: &str, access: &Access, output: &Output) -> Result<(), CliError> {
    let Access { key, juhe, jisu } = access;
    output.line(format!(
        "\nlistening on {url}
  key of merchant {MERCHANT}:  {key}
  drop-in for Juhe:      {url}/compat/juhe  key {}, openid {}
  drop-in for Jisu:      {url}/compat/jisu  appkey {}, appsecret {}

Try, in another window:
  curl -H 'Authorization: Bearer {key}' '{url}/v1/orders?limit=3'
  curl -H 'Authorization: Bearer {key}' -d '{{\"order_id\":\"A1\",\"kind\":\"mobile\",\"account\":\"18900000001\",\"amount\":\"50\"}}' {url}/v1/orders
  curl -H 'Authorization: Bearer {key}' {url}/v1/orders/A1/events

Ctrl-C ends it, and nothing is kept.",
        juhe.0, juhe.1, jisu.0, jisu.1
    ))
}
