//! `recharge backup` and `restore`.

use recharge_store::Sqlite;
use serde_json::json;

use super::args::{BackupArgs, RestoreArgs};
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
