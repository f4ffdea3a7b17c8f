//! `recharge keys`: who may use the service.

use std::sync::Arc;

use clap::{Args, Subcommand, ValueEnum};
use recharge_core::{ExposeSecret, MerchantId, SecretString};
use recharge_engine::{Clock as _, SystemClock};
use recharge_gateway::ring::{KeyRing, Locked};
use recharge_gateway::seal::MasterKey;
use recharge_gateway::{keys, time};
use recharge_store::registry::{KeyKind, Scope, Scopes, StoredKey};
use recharge_store::sqlite::OpenError;
use recharge_store::{Registry, Sqlite};
use serde_json::{Value, json};

use crate::config::server::MASTER_KEY;
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Exit;
use crate::orders::args::Database;
use crate::service::trouble;

/// The commands.
#[derive(Debug, Clone, Subcommand)]
pub enum KeysCommand {
    /// Make a key. It is shown once
    #[command(after_help = "Examples:
  recharge keys create --merchant shop --scope submit,read
  recharge keys create --merchant shop --scope read,operate --person li.na
  recharge keys create --merchant shop --compat juhe --callback-url https://shop.example.com/juhe.php

It works whether or not a gateway runs on the store. The secret of a key is not kept, and can't be shown
again; that of a drop-in credential is kept sealed, which takes RECHARGE_MASTER_KEY.")]
    Create(CreateArgs),
    /// List keys, without their secrets
    List(ListArgs),
    /// Make a key void, within a second
    Revoke(RevokeArgs),
    /// Seal all secrets under another master key
    #[command(after_help = "Example:
  RECHARGE_MASTER_KEY=$OLD RECHARGE_NEW_MASTER_KEY=$NEW recharge keys rotate-master

Stop the gateway first, and start it with the new key. While one runs, which couldn't open what is sealed
anew, this is refused.")]
    RotateMaster(RotateArgs),
}

/// An upstream's protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Compat {
    /// Juhe's
    Juhe,
    /// Jisu's
    Jisu,
}

/// What a key is to be.
#[derive(Debug, Clone, Args)]
pub struct CreateArgs {
    /// Whose orders it is for
    #[arg(long, value_name = "NAME", value_parser = merchant)]
    pub merchant: MerchantId,
    /// What it allows: submit, read, operate, with commas between
    #[arg(long, value_name = "SCOPES", value_delimiter = ',', value_parser = scope, required_unless_present = "compat")]
    pub scope: Vec<Scope>,
    /// The person who has it, where its bearer decides about orders. Two keys of one person are one person
    #[arg(long, value_name = "NAME", value_parser = person, conflicts_with = "compat")]
    pub person: Option<String>,
    /// A credential for a shop that speaks an upstream's protocol
    #[arg(long, conflicts_with = "scope")]
    pub compat: Option<Compat>,
    /// Where such a shop hears of its orders
    #[arg(long, value_name = "URL", requires = "compat")]
    pub callback_url: Option<String>,
    /// Where orders are kept.
    #[command(flatten)]
    pub database: Database,
}

/// Which keys.
#[derive(Debug, Clone, Args)]
pub struct ListArgs {
    /// Of this merchant only
    #[arg(long, value_name = "NAME", value_parser = merchant)]
    pub merchant: Option<MerchantId>,
    /// Where orders are kept.
    #[command(flatten)]
    pub database: Database,
}

/// Which key.
#[derive(Debug, Clone, Args)]
pub struct RevokeArgs {
    /// The key's id, as `recharge keys list` shows it
    pub id: String,
    /// Where orders are kept.
    #[command(flatten)]
    pub database: Database,
}

/// Where.
#[derive(Debug, Clone, Args)]
pub struct RotateArgs {
    /// Where orders are kept.
    #[command(flatten)]
    pub database: Database,
}

pub(crate) fn merchant(text: &str) -> Result<MerchantId, String> {
    let merchant = MerchantId::parse(text).map_err(|error| error.to_string())?;
    if merchant == MerchantId::local() {
        return Err("`local` is the command line's own merchant; choose another name".to_owned());
    }
    Ok(merchant)
}

fn scope(text: &str) -> Result<Scope, String> {
    Scope::parse(text).ok_or_else(|| "write submit, read or operate".to_owned())
}

fn person(text: &str) -> Result<String, String> {
    let person = recharge_engine::Person::authenticated(text).map_err(|error| error.to_string())?;
    Ok(person.name().to_owned())
}

/// Runs one of them.
pub(crate) fn run(command: KeysCommand, context: &Context) -> Result<Exit, CliError> {
    match command {
        KeysCommand::Create(args) => create(args, context),
        KeysCommand::List(args) => list(&args, context),
        KeysCommand::Revoke(args) => revoke(&args, context),
        KeysCommand::RotateMaster(args) => rotate(&args, context),
    }?;
    Ok(Exit::Success)
}

pub(crate) fn open(database: &Database, context: &Context) -> Result<Registry, CliError> {
    let file = database.file(&context.config()?);
    Registry::open(&file).map_err(|error| trouble(&file, error))
}

pub(crate) fn failed(error: impl std::error::Error + Send + Sync + 'static) -> CliError {
    CliError::system("keys", std::io::Error::other(error))
}

/// Refuses, before anything is made, an address to which nothing would be sent.
pub(crate) fn address(option: &str, url: &str, context: &Context) -> Result<(), CliError> {
    let checked = context.config()?.server()?.told_at(url);
    checked.map_err(|error| CliError::unusable(format!("{option}: {error}")))?;
    Ok(())
}

/// The master key, to seal something under that is added to what is sealed already. Under two keys, one of them
/// wrong, a gateway could open either the old or the new.
pub(crate) fn sealing_key(
    what: &str,
    database: &Database,
    context: &Context,
) -> Result<MasterKey, CliError> {
    let master = master_key(what, context)?;
    match locked(open(database, context)?, Some(&master))? {
        None => Ok(master),
        Some(locked) => Err(CliError::unconfigured(format!(
            "{MASTER_KEY} is not the key under which the others are sealed, so nothing is added: {locked}"
        ))),
    }
}

/// The master key, to seal something under.
pub(crate) fn master_key(what: &str, context: &Context) -> Result<MasterKey, CliError> {
    context.config()?.master_key()?.ok_or_else(|| {
        CliError::unconfigured(format!(
            "{what} is kept sealed: set {MASTER_KEY} or server.master_key_file to 64 hexadecimal digits (`openssl rand -hex 32`), and start the gateway with the same"
        ))
    })
}

/// What of that which is in force this master key doesn't open.
pub(crate) fn locked(
    registry: Registry,
    master: Option<&MasterKey>,
) -> Result<Option<Locked>, CliError> {
    let ring = KeyRing::load(Arc::new(registry), master.cloned(), None);
    Ok(ring.map_err(failed)?.locked())
}

fn create(args: CreateArgs, context: &Context) -> Result<(), CliError> {
    if let Some(url) = &args.callback_url {
        address("--callback-url", url, context)?;
    }
    let scopes: Scopes = args.scope.iter().copied().collect();
    let mut stored = StoredKey {
        id: String::new(),
        merchant: args.merchant,
        kind: KeyKind::Api,
        secret: Vec::new(),
        scopes,
        person: args.person,
        callback_url: args.callback_url,
        created: SystemClock::default().now().wall,
        revoked: None,
        used: None,
    };
    let shown: Vec<(&str, String)> = match args.compat {
        None => {
            let made = keys::make().map_err(failed)?;
            (stored.id, stored.secret) = (made.id, made.hash);
            vec![
                ("key", made.key.expose_secret().to_owned()),
                ("id", stored.id.clone()),
            ]
        }
        Some(compat) => {
            let master = sealing_key("a drop-in credential", &args.database, context)?;
            let (kind, name) = match compat {
                Compat::Juhe => (KeyKind::Juhe, "open_id"),
                Compat::Jisu => (KeyKind::Jisu, "app_secret"),
            };
            let made = keys::make_credential(kind, &master).map_err(failed)?;
            (stored.kind, stored.secret) = (kind, made.sealed);
            stored.id.clone_from(&made.app_key);
            vec![
                ("app_key", made.app_key),
                (name, made.secret.expose_secret().to_owned()),
            ]
        }
    };
    open(&args.database, context)?
        .add_key(&stored)
        .map_err(failed)?;
    if context.output.is_json() {
        let object: serde_json::Map<String, Value> = shown
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.into()))
            .collect();
        return context.output.json(&Value::Object(object));
    }
    for (name, value) in &shown {
        context.output.line(format!("{name}: {value}"))?;
    }
    let text = "it is shown this once: put it where only its bearer can read it";
    context.output.warn(&[text.to_owned()]);
    Ok(())
}

fn list(args: &ListArgs, context: &Context) -> Result<(), CliError> {
    let keys = open(&args.database, context)?
        .keys(args.merchant.as_ref())
        .map_err(failed)?;
    let at = |at: Option<recharge_engine::WallTime>| at.map(time::rfc3339);
    if context.output.is_json() {
        let keys: Vec<Value> = keys
            .iter()
            .map(|key| {
                json!({
                    "id": key.id,
                    "merchant": key.merchant.as_str(),
                    "kind": key.kind.as_str(),
                    "scopes": Scope::ALL.iter().filter(|it| key.scopes.has(**it)).map(|it| it.as_str()).collect::<Vec<_>>(),
                    "person": key.person,
                    "callback_url": key.callback_url,
                    "created_at": time::rfc3339(key.created),
                    "revoked_at": at(key.revoked),
                    "used_at": at(key.used),
                })
            })
            .collect();
        return context.output.json(&json!({ "keys": keys }));
    }
    let local =
        |at: Option<recharge_engine::WallTime>| at.map_or_else(|| "-".to_owned(), time::local);
    let rows: Vec<Vec<String>> = keys
        .into_iter()
        .map(|key| {
            vec![
                key.id,
                key.merchant.to_string(),
                key.kind.as_str().to_owned(),
                key.scopes.to_string(),
                key.person.unwrap_or_else(|| "-".to_owned()),
                time::local(key.created),
                local(key.used),
                local(key.revoked),
            ]
        })
        .collect();
    let columns = [
        "id", "merchant", "kind", "scopes", "person", "created", "used", "revoked",
    ];
    context.output.table(&columns, &rows)
}

fn revoke(args: &RevokeArgs, context: &Context) -> Result<(), CliError> {
    let now = SystemClock::default().now().wall;
    let found = open(&args.database, context)?
        .revoke_key(&args.id, now)
        .map_err(failed)?;
    if !found {
        return Err(CliError::unusable(
            "there is no key of that id; `recharge keys list` shows them".to_owned(),
        ));
    }
    if context.output.is_json() {
        return context.output.json(&json!({ "revoked": args.id }));
    }
    context.output.line(format!("{} is void", args.id))
}

/// Where the new master key comes from.
const NEW_MASTER_KEY: &str = "RECHARGE_NEW_MASTER_KEY";

fn rotate(args: &RotateArgs, context: &Context) -> Result<(), CliError> {
    let missing =
        |name: &str| CliError::unconfigured(format!("set {name} to 64 hexadecimal digits"));
    let old = context.config()?.master_key()?;
    let old = old.ok_or_else(|| missing(MASTER_KEY))?;
    let new = std::env::var(NEW_MASTER_KEY).ok().map(SecretString::from);
    let new = new.ok_or_else(|| missing(NEW_MASTER_KEY))?;
    let new = MasterKey::parse(&new)
        .map_err(|error| CliError::unconfigured(format!("{NEW_MASTER_KEY}: {error}")))?;
    let file = args.database.file(&context.config()?);
    let registry = open(&args.database, context)?;
    // A gateway that runs would go on with the old key. It holds the right to write, so whoever gets that is alone;
    // and a gateway that starts meanwhile gets none.
    let _alone = Sqlite::open(&file).map_err(|error| match error {
        OpenError::InUse { .. } => CliError::system(
            "nothing is sealed anew, for a gateway that runs would go on with the old key",
            std::io::Error::other(error),
        ),
        error => trouble(&file, error),
    })?;
    let resealed = registry
        .reseal(|purpose, sealed| {
            let secret = old.open(purpose, sealed).map_err(failed)?;
            new.seal(purpose, &secret).map_err(failed)
        })
        .map_err(failed)??;
    if context.output.is_json() {
        return context
            .output
            .json(&json!({ "resealed": resealed, "master_key": new.mark() }));
    }
    context.output.line(format!(
        "{resealed} secrets are sealed under the master key {}",
        new.mark()
    ))
}
