//! `recharge backup` and `restore`.

use recharge_engine::Store as _;
use recharge_engine::store::Hold;
use recharge_store::Sqlite;
use serde_json::json;

use super::args::{BackupArgs, EndHoldArgs, RestoreArgs};
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Exit;
use crate::service::trouble;

/// Copies the store, while it is in use.
pub(super) fn backup(args: &BackupArgs, context: &Context) -> Result<Exit, CliError> {
    let file = args.database.file(&context.config()?);
    Sqlite::backup(&file, &args.file).map_err(|error| trouble(&args.file, error))?;
    let (from, to) = (file.display().to_string(), args.file.display().to_string());
    if context.output.is_json() {
        context
            .output
            .json(&json!({ "from": from, "backup": to }))?;
    } else {
        context.output.line(format!(
            "{from} has been copied to {to}, and the copy checked from end to end"
        ))?;
    }
    Ok(Exit::Success)
}

/// Makes a store out of a backup.
pub(super) fn restore(args: &RestoreArgs, context: &Context) -> Result<Exit, CliError> {
    let file = args.database.file(&context.config()?);
    Sqlite::restore(&args.file, &file, args.replace).map_err(|error| trouble(&file, error))?;
    let (from, to) = (args.file.display().to_string(), file.display().to_string());
    if context.output.is_json() {
        context
            .output
            .json(&json!({ "backup": from, "store": to, "held": true }))?;
    } else {
        context.output.line(format!(
            "{to} is {from}. Orders that could still be sent are held until the upstreams have been asked about every number that they could have used"
        ))?;
    }
    Ok(Exit::Success)
}

/// Ends the hold of a restored backup for new orders.
pub(super) async fn end_hold(args: &EndHoldArgs, context: &Context) -> Result<Exit, CliError> {
    let file = args.database.file(&context.config()?);
    if !file.exists() {
        let missing = recharge_store::OpenError::Missing { path: file.clone() };
        return Err(trouble(&file, missing));
    }
    let store = Sqlite::open(&file).map_err(|error| trouble(&file, error))?;
    let held = store.begin().await.map_err(CliError::store)?.hold;
    match held {
        Some(Hold::Restored) => {
            let text = "nothing has worked on this backup since it was restored, so its open orders are not held yet: start once first, with `recharge query` or a gateway";
            return Err(CliError::unusable(text.to_owned()));
        }
        Some(Hold::For(_)) => store.set_hold(None).await.map_err(CliError::store)?,
        None => {}
    }
    let was_held = held.is_some();
    if context.output.is_json() {
        context
            .output
            .json(&json!({ "store": file.display().to_string(), "was_held": was_held }))?;
    } else if was_held {
        context
            .output
            .line("new orders are no longer held; those that are held already stay so")?;
    } else {
        context.output.line("there is no hold")?;
    }
    Ok(Exit::Success)
}
