//! `recharge.toml`: an input is a file.

use std::sync::Arc;

use recharge_cli::config::{Config, ConfigError, KEYS, Providers, Value};
use recharge_core::{CodeClass, Money, QueryClass, SubmitClass};
use recharge_jisu::JisuProvider;
use recharge_juhe::JuheProvider;

use crate::hidden::{Hidden, bounded, same, twice};
use crate::upstream::Canned;

/// What an input writes where a secret or a password belongs.
pub const SECRET: &str = "CANARYcanary0123456789";

/// The name of the file in complaints.
const NAME: &str = "recharge.toml";

/// Reads a file, and holds what comes of it against what may be shown and what makes sense.
///
/// # Panics
///
/// If a law is broken.
pub fn judge(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let hidden = Hidden::new(&[SECRET]);
    let told = Config::from_text(text, NAME);
    if twice(data) {
        let shown = |told: &Result<Config, ConfigError>| format!("{told:?}");
        same(&shown(&Config::from_text(text, NAME)), &shown(&told));
    }
    match told {
        Ok(config) => {
            hidden_values(&hidden, text, &config);
            codes(&config);
            sensible(&hidden, text, &config);
            let with_comment = format!("{text}\n# the end\n");
            let read = Config::from_text(&with_comment, NAME);
            assert!(read.is_ok(), "a comment more, and it is refused");
        }
        Err(error) => refused(&hidden, text, &error),
    }
}

/// A name is repeated in a complaint, for the reader to find it; a value never is.
fn names_it(text: &str) -> bool {
    let named = |line: &str| {
        // A section's name, and one in quotes, may have `=` in it.
        let line = line.trim_start();
        let name = match line.split_once('=') {
            Some((name, _)) if !line.starts_with(['[', '"', '\'']) => name,
            Some(_) | None => line,
        };
        name.contains("CANARY")
    };
    // An inline table has names behind the first `=`; an escape may spell it.
    text.lines().any(named)
        || text.contains(['{', '\\'])
        || text.contains("'''")
        || text.contains("\"\"\"")
}

fn refused(hidden: &Hidden, text: &str, error: &ConfigError) {
    let problems = match error {
        ConfigError::Problems(problems) => problems,
        ConfigError::Unreadable { .. } => unreachable!("no file is read"),
    };
    assert!(
        (1..=20).contains(&problems.len()),
        "refused, and nothing is wrong, or too much"
    );
    let lines = text.split('\n').count();
    for problem in problems {
        if problem.text.starts_with("not TOML") || !names_it(text) {
            hidden.keeps("a complaint", &problem.text);
        }
        bounded("a complaint", &problem.text, text.len() + 600);
        let line = problem
            .place
            .rsplit_once(':')
            .and_then(|(_, line)| line.parse().ok());
        let there =
            problem.place.is_empty() || line.is_some_and(|line| (1..=lines).contains(&line));
        assert!(
            there || problem.place == NAME,
            "a complaint about no line of the file"
        );
    }
}

fn hidden_values(hidden: &Hidden, text: &str, config: &Config) {
    for key in KEYS {
        let Some(setting) = config.get(key.section, key.name) else {
            continue;
        };
        match &setting.value {
            Value::Secret(_) => assert_eq!(setting.value.shown(), "***", "a secret is shown"),
            // Its password is not.
            Value::Proxy(_) if text.contains(&format!(":{SECRET}@")) => {
                hidden.keeps("a proxy", &setting.value.shown());
                hidden.keeps("a proxy", &format!("{:?}", setting.value));
            }
            Value::FaceValues(values) => {
                assert!(
                    values.iter().all(|value| value.yuan() > 0),
                    "a face value of nothing"
                );
            }
            Value::Proxy(_)
            | Value::Text(_)
            | Value::Duration(_)
            | Value::Durations(_)
            | Value::Count(_)
            | Value::Listen(_)
            | Value::Flag(_)
            | Value::Networks(_)
            | Value::Names(_) => {}
        }
    }
}

/// No configuration makes a code mean "taken".
fn codes(config: &Config) {
    for changed in config.changed_codes() {
        assert_ne!(changed.code, "0", "the class of 0 is changed");
        let taken = matches!(
            changed.class,
            CodeClass::Submit(SubmitClass::Accepted) | CodeClass::Query(QueryClass::Understood)
        );
        assert!(!taken, "a code is made to mean taken");
    }
}

/// What the engine would be given.
fn sensible(hidden: &Hidden, text: &str, config: &Config) {
    let transport = Arc::new(Canned::default());
    let mut providers = Providers::new();
    let shows = |shown: &str| {
        if !names_it(text) && !text.contains(&format!("/{SECRET}")) {
            hidden.keeps("a configuration", shown);
        }
    };
    if config.has("juhe")
        && let Ok(juhe) = config.juhe()
    {
        providers.push(Arc::new(JuheProvider::new(juhe, transport.clone())));
    }
    if config.has("jisu")
        && let Ok(jisu) = config.jisu()
    {
        providers.push(Arc::new(JisuProvider::new(jisu, transport)));
    }
    for provider in &providers {
        // A secret that stands in a field of its own is not in what Debug shows.
        if text.matches("CANARY").count() == text.matches("key = \"CANARY").count() {
            shows(&format!("{provider:?}"));
        }
    }
    let rules = match config.rules(&providers) {
        Ok(rules) => rules,
        Err(error) => return refused(hidden, text, &error),
    };
    // Limits of zero are refused where the transport is made.
    let sane = config.http().validate().is_err() || rules.times.validate().is_ok();
    assert!(sane, "times that make no sense");
    assert!(
        rules.limits.in_flight > 0 && rules.limits.queries_per_second > 0,
        "nothing would be done"
    );
    for (kind, routes) in &rules.routes {
        assert!(!routes.is_empty(), "a kind without routes");
        for (at, route) in routes.iter().enumerate() {
            assert_eq!(route.offer.kind, *kind, "a route of another kind");
            assert!(
                !route.offer.face_values.is_empty(),
                "a route that sells nothing"
            );
            assert!(
                !route.callback_counts,
                "a callback of one who can be asked counts"
            );
            assert!(
                route.price_ceiling.is_none_or(|most| most > Money::ZERO),
                "a ceiling of nothing"
            );
            let again = routes
                .iter()
                .skip(at + 1)
                .any(|other| other.provider == route.provider);
            assert!(!again, "an order might be sent twice to one provider");
            let setting = config.route_settings().iter().find(|it| it.kind == *kind);
            let wanted = setting.is_none_or(|setting| {
                let named = setting.providers.as_ref();
                setting.enabled && named.is_none_or(|named| named.contains(&route.provider))
            });
            assert_eq!(
                route.enabled, wanted,
                "a route that is on against the file, or off"
            );
            if let Some(setting) = setting.filter(|_| route.enabled) {
                assert_eq!(
                    route.price_ceiling, setting.price_ceiling,
                    "another ceiling"
                );
                assert_eq!(route.failover_after_failure, setting.failover_after_failure);
                let only = setting.face_values.as_ref();
                let within = |values: &Vec<_>| {
                    route
                        .offer
                        .face_values
                        .iter()
                        .all(|value| values.contains(value))
                };
                assert!(
                    only.is_none_or(within),
                    "a face value that the route doesn't take"
                );
            } else if setting.is_none() {
                assert!(
                    !route.failover_after_failure,
                    "a switch that nobody has thrown"
                );
            }
        }
    }
}
