//! `recharge verify`: whether the callback on standard input is genuine.

use std::io::{self, Read as _};

use recharge_core::{Callback, CallbackError, UpstreamOrderId, UpstreamState};
use serde_json::json;

use crate::cli::VerifyCommand;
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::Tone;

/// The most bytes of a body that are read.
const BODY_AT_MOST: u64 = 64 * 1024;

/// Reads a callback from standard input and judges it.
pub(crate) fn run(command: &VerifyCommand, context: &Context) -> Result<Exit, CliError> {
    context.config_if_named()?;
    let (provider, read) = match command {
        VerifyCommand::JuheCallback { key } => {
            let key = context.secret(key.key.as_ref(), "juhe", "app_key")?;
            let body = body(io::stdin().lock())?;
            ("juhe", recharge_juhe::callback::read(&key, None, &body))
        }
        VerifyCommand::JisuCallback { secret } => {
            let secret = context.secret(secret.appsecret.as_ref(), "jisu", "app_secret")?;
            let body = body(io::stdin().lock())?;
            ("jisu", recharge_jisu::callback::read(&secret, None, &body))
        }
    };
    match read {
        Ok(callback) => {
            genuine(provider, &callback, context)?;
            Ok(Exit::Success)
        }
        Err(CallbackError::Forged) => {
            let output = &context.output;
            if output.is_json() {
                output.json(&json!({ "genuine": false, "provider": provider }))?;
            } else {
                output.line(output.tinted(Tone::Bad, "not genuine"))?;
            }
            Ok(Exit::No)
        }
        Err(error @ CallbackError::Unusable(_)) => Err(CliError::unusable(error.to_string())),
    }
}

/// The body without the line end that a file or `echo` puts after it.
fn body(input: impl io::Read) -> Result<Vec<u8>, CliError> {
    let mut body = Vec::new();
    input
        .take(BODY_AT_MOST + 1)
        .read_to_end(&mut body)
        .map_err(|error| CliError::system("can't read standard input", error))?;
    if body.len() as u64 > BODY_AT_MOST {
        return Err(CliError::unusable(
            "the input is longer than 64 KiB: a callback is one urlencoded form",
        ));
    }
    let stripped = body.strip_suffix(b"\n").unwrap_or(&body);
    let stripped = stripped.strip_suffix(b"\r").unwrap_or(stripped);
    if stripped.is_empty() {
        return Err(CliError::unusable(
            "the input is empty: give the body of the callback on standard input",
        ));
    }
    Ok(stripped.to_vec())
}

fn genuine(provider: &str, callback: &Callback, context: &Context) -> Result<(), CliError> {
    let output = &context.output;
    let upstream_id = callback.upstream_order_id.as_ref();
    let upstream_id = upstream_id.map(UpstreamOrderId::as_str);
    let claims = callback.claims.map(UpstreamState::as_str);
    if output.is_json() {
        return output.json(&json!({
            "genuine": true,
            "provider": provider,
            "order_id": callback.number,
            "upstream_id": upstream_id,
            "claims": claims,
            "covers_state": callback.covers_state,
            "message": callback.message,
        }));
    }
    let note = if callback.covers_state {
        "signed, yet it may be a replay: ask"
    } else {
        "not signed: ask"
    };
    output.line(format!(
        "{}\norder id: {}\nupstream id: {}\nclaims: {} ({note})",
        output.tinted(Tone::Good, "genuine"),
        callback.number,
        upstream_id.unwrap_or("-"),
        claims.unwrap_or("a state that is not listed"),
    ))
}
