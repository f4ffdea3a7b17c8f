//! `recharge serve`: the engine as a service.

use std::pin::pin;

use clap::Args;
use recharge_gateway::{Gateway, ServeError};
use recharge_store::Registry;
use serde_json::json;

use crate::context::Context;
use crate::error::CliError;
use crate::exit::Exit;
use crate::files;
use crate::logs;
use crate::orders::args::Database;
use crate::service;
use crate::stop::Stop;

/// The options of `recharge serve`.
#[derive(Debug, Clone, Args)]
pub struct ServeArgs {
    /// Where orders are kept.
    #[command(flatten)]
    pub database: Database,
}

/// Serves until SIGINT or SIGTERM, then lets what is under way come to its record.
pub(crate) async fn run(args: ServeArgs, context: &Context) -> Result<Exit, CliError> {
    // Listened to before anybody is told that it runs.
    let stop = Stop::listen()?;
    logs::start()?;
    let mut settings = context.config()?.server()?;
    let prepared = service::prepare(context, &args.database)?;
    let file = prepared.file.clone();
    let limit = files::raise();
    let setup = prepared.setup()?;
    let (connections, told) = files::fit(settings.connections, limit, files::beside(&setup))?;
    settings.connections = connections;
    let public_url = settings.public_url.clone();
    context.output.warn(told.as_slice());
    let registry = Registry::open(&file).map_err(|error| service::trouble(&file, error))?;
    let mut stopped = pin!(stop.wait());
    let started = tokio::select! {
        started = Gateway::start(setup, registry, settings) => started,
        // A start may wait for the store, for a disk that is full say, as long as that takes.
        () = &mut stopped => {
            let text = "stopped before it was ready; nothing was served";
            context.output.warn(&[text.to_owned()]);
            return Ok(Exit::Success);
        }
    };
    let gateway = started.map_err(|error| match error {
        ServeError::Listen { address, source } => CliError::system(
            format!("can't listen on {address} (choose another port, or 0 for any free one)"),
            source,
        ),
        ServeError::Registry(error) => service::trouble(&file, error),
        ServeError::Engine(error) => service::not_started(&file, error),
        other => CliError::unusable(other.to_string()),
    })?;
    say(&gateway, public_url.as_deref(), context)?;
    stopped.await;
    if !gateway.stop().await {
        let text = "some calls were still under way; the orders are in doubt and will be asked about at the next start";
        context.output.warn(&[text.to_owned()]);
    }
    Ok(Exit::Success)
}

/// Says where it listens and where it is described; and what of it doesn't work.
fn say(gateway: &Gateway, public_url: Option<&str>, context: &Context) -> Result<(), CliError> {
    let url = format!("http://{}", gateway.address());
    let seen = public_url.unwrap_or(&url);
    let (docs, openapi) = (format!("{seen}/docs"), format!("{seen}/openapi.json"));
    if context.output.is_json() {
        let said = json!({ "listening": url, "docs": docs, "openapi": openapi });
        context.output.json(&said)?;
    } else {
        let said = format!("listening on {url}\ndescribed at {docs} and {openapi}");
        context.output.line(said)?;
    }
    if let Some(locked) = gateway.locked() {
        let text = format!(
            "{locked}. Orders go on, and are asked about; but webhooks wait, drop-in credentials don't work, and /readyz answers 503"
        );
        context.output.warn(&[text]);
    }
    Ok(())
}
