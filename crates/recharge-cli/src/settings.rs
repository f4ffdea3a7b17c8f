//! `recharge config`: the template, and what holds.

use recharge_engine::Route;
use serde_json::json;

use crate::cli::ConfigCommand;
use crate::config::{Config, KEYS, Key, Kind, Rules, TEMPLATE};
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::Tone;

/// Prints the template, or what holds.
pub(crate) fn run(command: ConfigCommand, context: &Context) -> Result<Exit, CliError> {
    match command {
        ConfigCommand::Template => template(context)?,
        ConfigCommand::Check => {
            let config = context.config()?;
            config.check()?;
            let rules = config.rules(&config.providers()?)?;
            // As JSON they are part of the answer.
            if !context.output.is_json() {
                context.output.warn(&rules.warnings);
            }
            show(&config, &rules, context)?;
        }
    }
    Ok(Exit::Success)
}

fn template(context: &Context) -> Result<(), CliError> {
    if context.output.is_json() {
        context.output.json(&json!({ "template": TEMPLATE }))
    } else {
        context.output.raw(TEMPLATE.as_bytes())
    }
}

/// A key, what holds for it, and where that is from.
struct Holds {
    key: String,
    value: Option<String>,
    from: String,
}

fn holds(config: &Config, key: &Key) -> Holds {
    let (value, from) = match config.get(key.section, key.name) {
        Some(setting) => (Some(setting.value.shown()), setting.place.clone()),
        None => (key.default.map(str::to_owned), "default".to_owned()),
    };
    Holds {
        key: key.path(),
        value,
        from,
    }
}

/// The routes that orders may take, one row a kind of account.
fn routes(rules: &Rules) -> Vec<(&'static str, Vec<String>)> {
    let open = |routes: &Vec<Route>| {
        let open = routes.iter().filter(|route| route.enabled);
        open.map(|route| route.provider.to_string()).collect()
    };
    rules
        .routes
        .iter()
        .map(|(kind, routes)| (kind.as_str(), open(routes)))
        .collect()
}

fn show(config: &Config, rules: &Rules, context: &Context) -> Result<(), CliError> {
    let output = &context.output;
    let file = config.file().map(|path| path.display().to_string());
    let rows: Vec<Holds> = KEYS.iter().map(|key| holds(config, key)).collect();
    if output.is_json() {
        let settings: Vec<_> = rows
            .iter()
            .map(|row| json!({ "key": row.key, "value": row.value, "from": row.from }))
            .collect();
        let codes: Vec<_> = config
            .changed_codes()
            .iter()
            .map(|changed| {
                json!({
                    "provider": changed.provider,
                    "code": changed.code,
                    "class": changed.class.as_str(),
                    "from": changed.place,
                })
            })
            .collect();
        let routes: Vec<_> = routes(rules)
            .into_iter()
            .map(|(kind, providers)| json!({ "kind": kind, "providers": providers }))
            .collect();
        return output.json(&json!({
            "ok": true,
            "file": file,
            "juhe_usable": config.juhe().is_ok(),
            "jisu_usable": config.jisu().is_ok(),
            "settings": settings,
            "code_overrides": codes,
            "routes": routes,
            "warnings": rules.warnings,
        }));
    }
    let mut table: Vec<Vec<String>> = rows
        .into_iter()
        .map(|row| {
            vec![
                row.key,
                row.value.unwrap_or_else(|| "-".to_owned()),
                row.from,
            ]
        })
        .collect();
    for changed in config.changed_codes() {
        table.push(vec![
            format!("code_override {} {}", changed.provider, changed.code),
            changed.class.to_string(),
            changed.place.clone(),
        ]);
    }
    for (kind, providers) in routes(rules) {
        let from = config
            .route_settings()
            .iter()
            .find(|route| route.kind.as_str() == kind);
        let from = from.map_or("default", |route| route.place.as_str());
        let providers = if providers.is_empty() {
            "switched off".to_owned()
        } else {
            providers.join(",")
        };
        table.push(vec![format!("route {kind}"), providers, from.to_owned()]);
    }
    output.table(&["key", "value", "from"], &table)?;
    for (section, usable) in [
        ("juhe", config.juhe().is_ok()),
        ("jisu", config.jisu().is_ok()),
    ] {
        if !usable {
            let secrets: Vec<String> = KEYS
                .iter()
                .filter(|key| key.section == section && key.kind == Kind::Secret)
                .map(Key::path)
                .collect();
            let text = format!("{section}: no account; set {}", secrets.join(" and "));
            output.line(output.tinted(Tone::Doubtful, &text))?;
        }
    }
    let read = match file {
        Some(file) => format!("{file} is fine"),
        None => "no file was read; the environment is fine".to_owned(),
    };
    output.line(output.tinted(Tone::Good, &read))
}
