//! `capabilities.md`: what each provider declares that it sells and can do.

use std::fmt::Write as _;
use std::sync::Arc;

use recharge_core::{Call, Provider, ProviderExt, SecretString};
use recharge_http::fake::NeverTransport;
use recharge_jisu::{JisuConfig, JisuProvider};
use recharge_juhe::{JuheConfig, JuheProvider};

use crate::project::{Project, Result};

pub(super) fn page(_: &Project) -> Result<String> {
    let providers = providers()?;
    let mut out = String::from(
        "# What the providers can do\n\n\
         As the adapters declare it, with their default configuration. Policy is chosen from this, and so \
         are the conformance tests.\n\n",
    );
    row(&mut out, "", &providers, |it| it.id().to_string())?;
    writeln!(out, "|---|{}", "---|".repeat(providers.len()))?;
    for call in Call::ALL {
        let name = format!("call: {}", call.as_str());
        row(&mut out, &name, &providers, |it| yes(it.can(call)))?;
    }
    row(
        &mut out,
        "refuses an order number that it has",
        &providers,
        |it| yes(it.capabilities().refuses_duplicates),
    )?;
    row(
        &mut out,
        "a callback's signature covers its state",
        &providers,
        |it| yes(it.capabilities().callback_covers_state),
    )?;
    out.push_str(
        "\n## What is sold\n\n| provider | account | face values in yuan | a carrier to be named |\n\
         |---|---|---|---|\n",
    );
    for provider in &providers {
        for offer in &provider.capabilities().offers {
            let values: Vec<_> = offer
                .face_values
                .iter()
                .map(|it| it.yuan().to_string())
                .collect();
            let carriers: Vec<_> = offer.carriers.iter().map(|it| it.as_str()).collect();
            let carriers = if carriers.is_empty() {
                "none".to_owned()
            } else {
                format!("one of {}", carriers.join(", "))
            };
            let (id, kind, values) = (provider.id(), offer.kind, values.join(", "));
            writeln!(out, "| {id} | {kind} | {values} | {carriers} |")?;
        }
    }
    Ok(out)
}

/// Both providers, over a transport that never answers: nothing is sent here.
fn providers() -> Result<[Box<dyn Provider>; 2]> {
    let secret = || SecretString::from("0123456789abcdef0123456789abcdef");
    let juhe = JuheConfig::new(secret(), secret())?;
    let jisu = JisuConfig::new(secret(), secret())?;
    Ok([
        Box::new(JuheProvider::new(juhe, Arc::new(NeverTransport))),
        Box::new(JisuProvider::new(jisu, Arc::new(NeverTransport))),
    ])
}

fn row(
    out: &mut String,
    name: &str,
    providers: &[Box<dyn Provider>],
    value: impl Fn(&dyn Provider) -> String,
) -> Result<()> {
    let values: Vec<String> = providers.iter().map(|it| value(it.as_ref())).collect();
    writeln!(out, "| {name} | {} |", values.join(" | "))?;
    Ok(())
}

fn yes(is: bool) -> String {
    if is { "yes" } else { "no" }.to_owned()
}
