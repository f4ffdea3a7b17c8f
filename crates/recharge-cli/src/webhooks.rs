//! `recharge webhooks`: where merchants are told what becomes of their orders.

use clap::{Args, Subcommand};
use recharge_core::{ExposeSecret, MerchantId};
use recharge_engine::{Clock as _, SystemClock};
use recharge_gateway::webhooks::signature;
use recharge_gateway::{ring, time};
use recharge_store::Registry;
use recharge_store::registry::Endpoint;
use serde_json::{Value, json};

use crate::context::Context;
use crate::error::CliError;
use crate::exit::Exit;
use crate::keys::{address, failed, master_key, merchant, open, sealing_key};
use crate::orders::args::Database;

/// The commands.
#[derive(Debug, Clone, Subcommand)]
pub enum WebhooksCommand {
    /// Set where a merchant is told; the first time, make the secret that signs. It is shown once
    #[command(after_help = "Examples:
  recharge webhooks set --merchant shop --url https://shop.example.com/recharge
  recharge webhooks set --merchant shop
  recharge webhooks set --merchant shop --new-secret

Without an address the merchant is told only of orders that name one. The secret is kept sealed, which takes
RECHARGE_MASTER_KEY. A gateway that runs on the store sees the change within a second.")]
    Set(SetArgs),
    /// Show where merchants are told, without the secrets
    Show(ShowArgs),
}

/// What is set.
#[derive(Debug, Clone, Args)]
pub struct SetArgs {
    /// Whose orders it is about
    #[arg(long, value_name = "NAME", value_parser = merchant)]
    pub merchant: MerchantId,
    /// The address of orders that name none; left out, it stays what it is
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// No address any more
    #[arg(long, conflicts_with = "url")]
    pub no_url: bool,
    /// Make a new secret; the old one is void within a second
    #[arg(long)]
    pub new_secret: bool,
    /// Where orders are kept.
    #[command(flatten)]
    pub database: Database,
}

/// Whose.
#[derive(Debug, Clone, Args)]
pub struct ShowArgs {
    /// Of this merchant only
    #[arg(long, value_name = "NAME", value_parser = merchant)]
    pub merchant: Option<MerchantId>,
    /// Where orders are kept.
    #[command(flatten)]
    pub database: Database,
}

/// Runs one of them.
pub(crate) fn run(command: WebhooksCommand, context: &Context) -> Result<Exit, CliError> {
    match command {
        WebhooksCommand::Set(args) => set(args, context),
        WebhooksCommand::Show(args) => show(&args, context),
    }?;
    Ok(Exit::Success)
}

fn set(args: SetArgs, context: &Context) -> Result<(), CliError> {
    if let Some(url) = &args.url {
        address("--url", url, context)?;
    }
    let registry = open(&args.database, context)?;
    let known = registry.endpoint(&args.merchant).map_err(failed)?;
    let changed = SystemClock::default().now().wall;
    let url = match &known {
        Some(known) if args.url.is_none() && !args.no_url => known.url.clone(),
        Some(_) | None => args.url,
    };
    let mut shown = None;
    let made = match known {
        Some(known) if !args.new_secret => known.secret,
        known => {
            let what = "a webhook's secret";
            let master = match known {
                // In the place of one that perhaps nobody can open any more.
                Some(_) => master_key(what, context)?,
                None => sealing_key(what, &args.database, context)?,
            };
            let secret = signature::new_secret().map_err(failed)?;
            let purpose = ring::purpose_of_endpoint(&args.merchant);
            let sealed = master.seal(&purpose, &secret).map_err(failed)?;
            shown = Some(secret);
            sealed
        }
    };
    let endpoint = Endpoint {
        merchant: args.merchant,
        url,
        secret: made,
        changed,
    };
    // All or nothing: a secret that is shown is the one that signs.
    if shown.is_some() {
        registry.set_endpoint(&endpoint).map_err(failed)?;
    } else {
        registry.set_endpoint_url(&endpoint).map_err(failed)?;
    }
    tell(
        &endpoint,
        shown.as_ref().map(ExposeSecret::expose_secret),
        context,
    )
}

fn tell(endpoint: &Endpoint, secret: Option<&str>, context: &Context) -> Result<(), CliError> {
    let output = &context.output;
    if output.is_json() {
        let mut object = shown(endpoint);
        if let Some(secret) = secret {
            object["secret"] = secret.into();
        }
        return output.json(&object);
    }
    let url = endpoint.url.as_deref();
    let url = url.unwrap_or("none: only of orders that name an address the merchant is told");
    output.line(format!("url: {url}"))?;
    if let Some(secret) = secret {
        output.line(format!("secret: {secret}"))?;
        let text = "it is shown this once: put it where only the receiver can read it";
        output.warn(&[text.to_owned()]);
    }
    Ok(())
}

fn shown(endpoint: &Endpoint) -> Value {
    json!({
        "merchant": endpoint.merchant.as_str(),
        "url": endpoint.url,
        "changed_at": time::rfc3339(endpoint.changed),
    })
}

fn show(args: &ShowArgs, context: &Context) -> Result<(), CliError> {
    let registry: Registry = open(&args.database, context)?;
    let mut endpoints = registry.endpoints().map_err(failed)?;
    if let Some(merchant) = &args.merchant {
        endpoints.retain(|endpoint| endpoint.merchant == *merchant);
    }
    if context.output.is_json() {
        let endpoints: Vec<Value> = endpoints.iter().map(shown).collect();
        return context.output.json(&json!({ "webhooks": endpoints }));
    }
    let rows: Vec<Vec<String>> = endpoints
        .into_iter()
        .map(|endpoint| {
            vec![
                endpoint.merchant.to_string(),
                endpoint.url.unwrap_or_else(|| "-".to_owned()),
                time::local(endpoint.changed),
            ]
        })
        .collect();
    context.output.table(&["merchant", "url", "set"], &rows)
}
