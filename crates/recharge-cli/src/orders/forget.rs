//! `recharge forget`: of orders that have long ended only the masked account is kept.

use recharge_engine::{Clock as _, SystemClock};
use recharge_gateway::time;
use recharge_store::{OpenError, Registry};
use serde_json::json;

use super::args::ForgetArgs;
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Exit;
use crate::service::trouble;

/// Counts the orders that have ended before then, or masks their accounts.
pub(super) fn run(args: &ForgetArgs, context: &Context) -> Result<Exit, CliError> {
    let file = args.database.file(&context.config()?);
    if !file.exists() {
        let missing = OpenError::Missing { path: file.clone() };
        return Err(trouble(&file, missing));
    }
    let now = SystemClock::new().now().wall;
    if args.before > now {
        let text = "--before lies in the future: nothing that has not ended yet can be forgotten";
        return Err(CliError::unusable(text.to_owned()));
    }
    let registry = Registry::open(&file).map_err(|error| trouble(&file, error))?;
    let done = if args.yes {
        registry.forget(args.before)
    } else {
        registry.forgettable(args.before)
    };
    let orders = done.map_err(|error| trouble(&file, error))?;
    let before = time::rfc3339(args.before);
    if context.output.is_json() {
        context
            .output
            .json(&json!({ "before": before, "orders": orders, "forgotten": args.yes }))?;
    } else if args.yes {
        context.output.line(format!(
            "the accounts of {orders} orders are masked; backups that were made before still hold them"
        ))?;
    } else {
        context.output.line(format!(
            "{orders} orders ended before {before}; nothing is changed: with --yes their accounts are masked for good"
        ))?;
    }
    Ok(Exit::Success)
}
