//! `recharge doctor`: configuration, store, clock and upstreams, looked at without changing anything and
//! without spending money.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use recharge_core::{AccountKind, Call, CallError, CallErrorKind, Provider, ProviderExt as _};
use recharge_store::sqlite::OpenError;
use recharge_store::{Registry, Sqlite};
use serde_json::json;

use super::args::DoctorArgs;
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Exit;
use crate::keys;
use crate::output::{Tone, plain};
use crate::service;

/// When this was written. A clock before it is wrong.
const WRITTEN: u64 = 1_795_000_000;

/// What was looked at, and what was found.
struct Finding {
    what: String,
    tone: Tone,
    found: String,
}

#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn good(&mut self, what: &str, found: impl Into<String>) {
        self.add(what, Tone::Good, found);
    }

    fn doubtful(&mut self, what: &str, found: impl Into<String>) {
        self.add(what, Tone::Doubtful, found);
    }

    fn bad(&mut self, what: &str, found: impl Into<String>) {
        self.add(what, Tone::Bad, found);
    }

    fn add(&mut self, what: &str, tone: Tone, found: impl Into<String>) {
        self.0.push(Finding {
            what: what.to_owned(),
            tone,
            found: plain(&found.into()),
        });
    }
}

/// Looks at everything.
pub(super) async fn run(args: DoctorArgs, context: &Context) -> Result<Exit, CliError> {
    let mut findings = Findings::default();
    let config = context.config()?;
    match config.file() {
        Some(file) => findings.good("configuration", file.display().to_string()),
        None => findings.doubtful("configuration", "no file was read, only the environment"),
    }
    if let Err(error) = config.check() {
        findings.bad("configuration", error.to_string());
        return report(&findings, context);
    }
    let providers = config.providers()?;
    let rules = config.rules(&providers)?;
    for warning in rules.warnings {
        findings.doubtful("configuration", warning);
    }
    clock(&mut findings);
    store(&args, context, &mut findings).await?;
    if providers.is_empty() {
        findings.bad("upstreams", "no account is configured");
    }
    for provider in providers {
        reach(provider.as_ref(), &mut findings).await;
    }
    report(&findings, context)
}

fn clock(findings: &mut Findings) {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(now) if now.as_secs() >= WRITTEN => {
            let millis = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
            let now = recharge_engine::WallTime::from_millis(millis);
            findings.good("clock", recharge_gateway::time::local(now));
        }
        Ok(_) | Err(_) => findings.bad(
            "clock",
            "it is set to a time before this program was made: set it, or limits end orders too late",
        ),
    }
}

async fn store(
    args: &DoctorArgs,
    context: &Context,
    findings: &mut Findings,
) -> Result<(), CliError> {
    let file = args.database.file(&context.config()?);
    let report = match Sqlite::check(&file) {
        Ok(report) => report,
        Err(OpenError::Missing { .. }) => {
            let text = format!(
                "{} is not there yet; the first order makes it",
                file.display()
            );
            findings.doubtful("store", text);
            return Ok(());
        }
        Err(error) => {
            findings.bad("store", error.to_string());
            return Ok(());
        }
    };
    let settings: Vec<_> = report
        .settings
        .iter()
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
    let counts: Vec<_> = report
        .counts
        .iter()
        .map(|(name, count)| format!("{count} {name}"))
        .collect();
    findings.good(
        "store",
        format!("{}, SQLite {}", file.display(), report.library),
    );
    findings.good("store settings", settings.join(", "));
    findings.good("store rows", counts.join(", "));
    for problem in &report.problems {
        findings.bad("store", format!("{problem}: restore a backup"));
    }
    if report.problems.is_empty() {
        findings.good("store check", "every page and every open order can be read");
    }
    if report.settled > 0 {
        let text = format!(
            "{} commits failed and were settled: look at the disk",
            report.settled
        );
        findings.doubtful("store disk", text);
    }
    if report.held {
        findings.doubtful(
            "store hold",
            "it is a restored backup; orders are held until the upstreams have been asked",
        );
    }
    sealed(&file, context, findings);
    waiting(args, context, findings).await
}

/// Whether the master key is the one under which secrets are sealed.
fn sealed(file: &Path, context: &Context, findings: &mut Findings) {
    const WHAT: &str = "master key";
    let look = || {
        let master = context.config()?.master_key()?;
        let registry = Registry::open_read_only(file);
        let registry = registry.map_err(|error| service::trouble(file, error))?;
        Ok::<_, CliError>((keys::locked(registry, master.as_ref())?, master))
    };
    match look() {
        Err(error) => findings.bad(WHAT, error.to_string()),
        Ok((Some(locked), _)) => {
            let text = format!(
                "{locked}. Webhooks and drop-in credentials don't work, and /readyz says so, until it is right"
            );
            findings.bad(WHAT, text);
        }
        Ok((None, Some(_))) => findings.good(WHAT, "it opens every secret that is in force"),
        Ok((None, None)) => findings.good(WHAT, "none is set, and nothing is sealed"),
    }
}

async fn waiting(
    args: &DoctorArgs,
    context: &Context,
    findings: &mut Findings,
) -> Result<(), CliError> {
    let store = service::read(context, &args.database)?;
    let statistics = store.statistics().await.map_err(CliError::store)?;
    let on_desk = statistics
        .orders
        .iter()
        .find(|(state, _)| *state == "review");
    if let Some((_, count)) = on_desk.filter(|(_, count)| *count > 0) {
        let text = format!("{count} orders wait for a person: `recharge review list`");
        findings.doubtful("desk", text);
    } else {
        findings.good("desk", "nothing waits for a person");
    }
    Ok(())
}

/// Asks an upstream something that costs nothing.
async fn reach(provider: &dyn Provider, findings: &mut Findings) {
    let name = provider.id().as_str();
    let answer = if provider.can(Call::Balance) {
        provider
            .balance()
            .await
            .map(|balance| format!("reached; the balance is {balance} yuan"))
    } else if provider.can(Call::List) {
        provider
            .list(AccountKind::Mobile, 1)
            .await
            .map(|_| "reached; it lists orders".to_owned())
    } else {
        return findings.doubtful(
            name,
            "it has no call that costs nothing, so it was not asked",
        );
    };
    match answer {
        Ok(text) => findings.good(name, text),
        Err(error) => findings.bad(name, advice(&error)),
    }
}

fn advice(error: &CallError) -> String {
    let hint = match error.kind {
        CallErrorKind::Transport => {
            "it can't be reached: look at the network, the address and the proxy"
        }
        CallErrorKind::Denied => {
            "it refuses us: look at the key, and whether it allows this machine's address"
        }
        CallErrorKind::RateLimited => "it was reached, and asks us to slow down",
        CallErrorKind::Maintenance => "it was reached, and is under maintenance",
        CallErrorKind::Unsupported | CallErrorKind::Refused | CallErrorKind::Unreadable => {
            "it was reached, and its answer is not what is documented"
        }
    };
    format!("{hint} ({error})")
}

fn report(findings: &Findings, context: &Context) -> Result<Exit, CliError> {
    let word = |tone: Tone| match tone {
        Tone::Good => "ok",
        Tone::Doubtful => "look",
        Tone::Bad => "bad",
    };
    let well = !findings.0.iter().any(|finding| finding.tone == Tone::Bad);
    if context.output.is_json() {
        let found: Vec<_> = findings
            .0
            .iter()
            .map(|f| json!({ "what": f.what, "result": word(f.tone), "found": f.found }))
            .collect();
        context
            .output
            .json(&json!({ "ok": well, "findings": found }))?;
    } else {
        let rows: Vec<Vec<String>> = findings
            .0
            .iter()
            .map(|f| {
                let word = context.output.tinted(f.tone, word(f.tone));
                vec![f.what.clone(), word, f.found.clone()]
            })
            .collect();
        context.output.table(&["what", "", "found"], &rows)?;
    }
    Ok(if well { Exit::Success } else { Exit::No })
}
