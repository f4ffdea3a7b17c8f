//! `recharge sim`: both upstreams on a local port, until it is interrupted.

use std::fs::File;
use std::io::{self, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use recharge_core::ExposeSecret;
use recharge_core::SecretString;
use recharge_sim::{
    Credentials, DEFAULT_JISU_APPKEY, DEFAULT_JISU_APPSECRET, DEFAULT_JUHE_KEY,
    DEFAULT_JUHE_OPENID, Preset, Scenario, Settle, Simulator, StartError,
};
use serde_json::json;

use crate::choice::choice;
use crate::config::FILE_AT_MOST;
use crate::context::Context;
use crate::duration;
use crate::error::CliError;
use crate::exit::Exit;
use crate::stop::Stop;

const PRESETS: &[Preset] = &Preset::ALL;

/// What `recharge sim` takes.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  recharge sim
  recharge sim --listen 127.0.0.1:8080 --faults hostile --seed 7
  recharge sim --callback-url http://127.0.0.1:9000/callback --settle-after 300ms

When it is ready it prints one line, `listening on http://ADDR`. Put that address in the place of
http://op.juhe.cn and https://api.jisuapi.com; paths stay as they are.

  GET  /_sim/ledger   what was really charged, one object for each order number received
  GET  /_sim/log      the requests received, secrets and accounts masked
  GET  /_sim/faults   counts of calls and injected faults
  POST /_sim/faults   other faults, as JSON
  POST /_sim/step     end charging orders
  POST /_sim/reset    forget everything")]
pub struct SimArgs {
    /// Where to listen; port 0 is any free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    /// Let --listen name an address that other machines can reach; the simulator has no protection
    #[arg(long)]
    pub allow_remote: bool,
    /// Juhe's appkey
    #[arg(long, value_name = "K", default_value = DEFAULT_JUHE_KEY)]
    pub juhe_key: String,
    /// Juhe's OpenID
    #[arg(long, value_name = "O", default_value = DEFAULT_JUHE_OPENID)]
    pub juhe_openid: String,
    /// Jisu's appkey
    #[arg(long, value_name = "A", default_value = DEFAULT_JISU_APPKEY)]
    pub jisu_appkey: String,
    /// Jisu's appsecret
    #[arg(long, value_name = "S", default_value = DEFAULT_JISU_APPSECRET)]
    pub jisu_appsecret: String,
    /// Where both upstreams call back when an order ends; without it they don't
    #[arg(long, value_name = "URL", hide_env_values = true)]
    pub callback_url: Option<SecretString>,
    /// Where Jisu calls back, if not where Juhe does
    #[arg(long, value_name = "URL", hide_env_values = true)]
    pub jisu_callback_url: Option<SecretString>,
    /// What goes wrong [default: off, or what the scenario says]
    #[arg(long, value_name = "PRESET", value_parser = choice(PRESETS, Preset::as_str))]
    pub faults: Option<Preset>,
    /// A scenario file (TOML): faults by probability or for named orders, balances, times. Options of
    /// the command line win over it
    #[arg(long, value_name = "FILE")]
    pub scenario: Option<PathBuf>,
    /// The seed of everything random; the same seed and calls give the same faults
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// When an order that was taken ends: a duration, or never (only by /_sim/step) [default: 2s]
    #[arg(long, value_name = "TIME", value_parser = settle)]
    pub settle_after: Option<Settle>,
}

/// Runs the simulator until SIGINT or SIGTERM.
pub(crate) async fn run(args: SimArgs, context: &Context) -> Result<Exit, CliError> {
    // Listened to before anybody is told that it runs: who reads the line may stop it at once.
    let stop = Stop::listen()?;
    let mut builder = Simulator::builder().listen(args.listen);
    if args.allow_remote {
        builder = builder.allow_remote();
    }
    if let Some(path) = &args.scenario {
        builder = builder.scenario(scenario(path)?);
    }
    builder = builder.credentials(Credentials {
        juhe_key: args.juhe_key,
        juhe_openid: args.juhe_openid,
        jisu_appkey: args.jisu_appkey,
        jisu_appsecret: args.jisu_appsecret,
    });
    if let Some(preset) = args.faults {
        builder = builder.faults(preset.plan());
    }
    if let Some(seed) = args.seed {
        builder = builder.seed(seed);
    }
    if let Some(settle) = args.settle_after {
        builder = builder.settle(settle);
    }
    if let Some(url) = &args.callback_url {
        builder = builder.callback_url(url.expose_secret());
    }
    if let Some(url) = &args.jisu_callback_url {
        builder = builder.jisu_callback_url(url.expose_secret());
    }
    let simulator = builder.start().await.map_err(not_started)?;
    if context.output.is_json() {
        context
            .output
            .json(&json!({ "listening": simulator.url() }))?;
    } else {
        context
            .output
            .line(format!("listening on {}", simulator.url()))?;
    }
    stop.wait().await;
    simulator.shutdown().await;
    Ok(Exit::Success)
}

fn settle(text: &str) -> Result<Settle, String> {
    if text == "never" {
        return Ok(Settle::WhenStepped);
    }
    duration::parse(text)
        .map(Settle::After)
        .map_err(|right| format!("{right}, or never"))
}

fn scenario(path: &Path) -> Result<Scenario, CliError> {
    let name = path.display();
    let unreadable = |error| CliError::unusable(format!("can't read the scenario {name}: {error}"));
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(FILE_AT_MOST + 1).read_to_string(&mut text))
        .map_err(unreadable)?;
    if text.len() as u64 > FILE_AT_MOST {
        return Err(unreadable(io::Error::other("it has more than 1 MiB")));
    }
    Scenario::from_toml(&text).map_err(|error| CliError::unusable(format!("{name}: {error}")))
}

fn not_started(error: StartError) -> CliError {
    match error {
        StartError::Listen { address, source } => CliError::system(
            format!("can't listen on {address} (choose another port, or 0 for any free one)"),
            source,
        ),
        StartError::NotLoopback(address) => CliError::unusable(format!(
            "{address} is not a loopback address, and the simulator has no protection: add \
             --allow-remote if others are to reach it"
        )),
        other => CliError::unusable(other.to_string()),
    }
}
