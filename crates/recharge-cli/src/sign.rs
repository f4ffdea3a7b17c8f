//! `recharge sign`: the signature of a request or callback, from the texts exactly as they are given.

use recharge_core::{ExposeSecret, SecretString};
use recharge_sign::jisu::{self, SignOrder};
use recharge_sign::{Explained, juhe};
use serde_json::json;

use crate::cli::SignCommand;
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Exit;

/// Prints a signature: 32 digits and a line end, or its stages.
pub(crate) fn run(command: &SignCommand, context: &Context) -> Result<Exit, CliError> {
    context.config_if_named()?;
    let (explained, explain) = match command {
        SignCommand::JuheSubmit {
            openid,
            key,
            phone,
            amount,
            order_id,
            explain,
        } => {
            let openid = context.secret(openid.openid.as_ref(), "juhe", "open_id")?;
            let key = context.secret(key.key.as_ref(), "juhe", "app_key")?;
            let (openid, key) = (openid.expose_secret(), key.expose_secret());
            let phone = phone.as_str();
            let explained = juhe::explain_submit(openid, key, phone, amount, order_id);
            (explained, explain)
        }
        SignCommand::JuheBalance {
            openid,
            key,
            timestamp,
            explain,
        } => {
            let openid = context.secret(openid.openid.as_ref(), "juhe", "open_id")?;
            let key = context.secret(key.key.as_ref(), "juhe", "app_key")?;
            let (openid, key) = (openid.expose_secret(), key.expose_secret());
            (juhe::explain_balance(openid, key, timestamp), explain)
        }
        SignCommand::JuheCallback {
            key,
            upstream_id,
            order_id,
            explain,
        } => {
            let key = context.secret(key.key.as_ref(), "juhe", "app_key")?;
            let key = key.expose_secret();
            (juhe::explain_callback(key, upstream_id, order_id), explain)
        }
        SignCommand::Jisu {
            secret,
            params,
            documented_table,
            explain,
        } => {
            let params = pairs(params)?;
            let secret = context.secret(secret.appsecret.as_ref(), "jisu", "app_secret")?;
            let order = if *documented_table {
                SignOrder::DocumentedTable
            } else {
                SignOrder::Sorted
            };
            let explained = jisu::explain(order, params, secret.expose_secret())
                .map_err(|error| CliError::unusable(format!("--param: {error}")))?;
            (explained, explain)
        }
    };
    print(&explained, explain.explain, context)?;
    Ok(Exit::Success)
}

/// The error doesn't repeat the text: it may be a secret that got here by mistake.
fn pairs(params: &[SecretString]) -> Result<Vec<(&str, &str)>, CliError> {
    params
        .iter()
        .enumerate()
        .map(|(index, text)| match text.expose_secret().split_once('=') {
            Some((name, value)) if !name.is_empty() => Ok((name, value)),
            Some(_) | None => Err(CliError::unusable(format!(
                "--param: number {} is not NAME=VALUE, such as amount=100",
                index + 1
            ))),
        })
        .collect()
}

fn print(explained: &Explained, stages: bool, context: &Context) -> Result<(), CliError> {
    let output = &context.output;
    let sign = explained.digest().to_string();
    match (output.is_json(), stages) {
        (false, false) => output.line(sign),
        (false, true) => output.line(explained),
        (true, false) => output.json(&json!({ "sign": sign })),
        (true, true) => {
            let parameters: Vec<_> = explained
                .parameters()
                .iter()
                .map(|(name, value)| json!({ "name": name, "value": value }))
                .collect();
            output.json(&json!({
                "sign": sign,
                "string_to_sign": explained.string_to_sign(),
                "parameters": parameters,
            }))
        }
    }
}
