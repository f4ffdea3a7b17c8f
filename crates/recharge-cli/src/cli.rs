//! The commands and their options. Texts here are what `--help` says and docs are made from.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use recharge_core::SecretString;

use crate::demo::DemoArgs;
use crate::exit;
use crate::keys::KeysCommand;
use crate::orders::args::OrderCommand;
use crate::provider::{AccountText, ProviderArgs};
use crate::serve::ServeArgs;
use crate::sim::SimArgs;
use crate::webhooks::WebhooksCommand;

/// Tops up phones, landlines and broadband through Juhe and Jisu
#[derive(Debug, Parser)]
#[command(
    name = "recharge",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    max_term_width = 100,
    after_help = exit::help(),
    after_long_help = exit::help() + ENVIRONMENT
)]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

const ENVIRONMENT: &str = "
Environment:
  RECHARGE_CONFIG   the configuration file, as --config
  RECHARGE_JUHE_…, RECHARGE_JISU_…, RECHARGE_HTTP_…, RECHARGE_LIFECYCLE_…,
  RECHARGE_STORE_…, RECHARGE_PEOPLE_…, RECHARGE_LIMITS_…,
  RECHARGE_SERVER_…, RECHARGE_WEBHOOKS_…, RECHARGE_CALLBACKS_…
                    one for each key of the file, and it wins over the file: see
                    `recharge config template`
  RECHARGE_MASTER_KEY
                    64 hexadecimal digits that seal the secrets of drop-in credentials and webhooks
  RECHARGE_LOG      what the service logs, such as warn
  NO_COLOR          no colours, if it is set to anything";

/// Over the options that every command takes.
const EVERYWHERE: &str = "Options of every command";

/// What every command takes.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// Print JSON: the answer on standard output, an error on standard error
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub json: bool,
    /// The configuration file [default: recharge.toml, if there is one here]
    #[arg(
        long,
        global = true,
        help_heading = EVERYWHERE,
        value_name = "FILE",
        env = "RECHARGE_CONFIG",
        hide_env_values = true
    )]
    pub config: Option<PathBuf>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Send orders through the simulator, follow each to its end, and check every charge
    #[command(after_help = "Examples:
  recharge demo
  recharge demo --orders 60 --faults hostile --seed 7
  recharge demo --json

The exit status is 0 if and only if no order was charged twice, lost, or given a wrong end.")]
    Demo(DemoArgs),
    /// Orders that are kept: written down before they are sent, and followed to their end.
    #[command(flatten)]
    Orders(OrderCommand),
    /// Run the service: orders over HTTP, callbacks, webhooks
    #[command(after_help = "Examples:
  recharge serve --config recharge.toml
  RECHARGE_SERVER_LISTEN=0.0.0.0:8080 recharge serve

It prints `listening on http://ADDR` once it takes requests, and where these are described. It ends on SIGINT
or SIGTERM when what is under way has been recorded. Keys are made with `recharge keys create`. Logs are JSON on standard error;
RECHARGE_LOG says of what, such as `warn` or `recharge_gateway=debug`.")]
    Serve(ServeArgs),
    /// Make, list and revoke the keys of the service
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Set and show where merchants are told what becomes of their orders
    #[command(subcommand)]
    Webhooks(WebhooksCommand),
    /// Run the simulator of both upstreams until it is interrupted
    Sim(SimArgs),
    /// Print the signature of a request or callback
    #[command(subcommand, after_help = SECRETS)]
    Sign(SignCommand),
    /// Say whether the callback on standard input is genuine
    #[command(subcommand, after_help = VERIFY)]
    Verify(VerifyCommand),
    /// Talk to an upstream directly: one call, no record of it
    Provider(ProviderArgs),
    /// Print or check a configuration file
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print the completion script of a shell
    #[command(after_help = "Example:
  recharge completions bash > ~/.local/share/bash-completion/completions/recharge")]
    Completions {
        /// The shell
        shell: Shell,
    },
}

const SECRETS: &str = "Secrets may also come from the environment or from the configuration file, where \
other users of the machine can't read them as they can a command line.";

const VERIFY: &str = "The input is the body of the callback as it was received: an urlencoded form, at most \
64 KiB. A line end after it is ignored.

The exit status is 0 for genuine, 1 for not genuine, 2 for input that can't be judged: a field that is \
missing, repeated or malformed.

Genuine does not mean true: a callback can be replayed, and Juhe's signature does not cover the state. \
Ask the upstream.";

/// What `recharge sign` signs.
#[derive(Debug, Subcommand)]
pub enum SignCommand {
    /// Juhe's onlineorder: md5(openid + key + phoneno + cardnum + orderid)
    #[command(after_help = "Example:
  recharge sign juhe-submit --openid JH0001 --key k \\
    --phone 18900001234 --amount 1 --order-id 111111111")]
    JuheSubmit {
        /// The OpenID.
        #[command(flatten)]
        openid: JuheOpenId,
        /// The appkey.
        #[command(flatten)]
        key: JuheKey,
        /// phoneno, as sent
        #[arg(long)]
        phone: AccountText,
        /// cardnum, the face value in whole yuan, as sent
        #[arg(long)]
        amount: String,
        /// orderid, as sent
        #[arg(long)]
        order_id: String,
        /// How to print it.
        #[command(flatten)]
        explain: Explain,
    },
    /// Juhe's yue: md5(openid + key + timestamp)
    #[command(after_help = "Example:
  recharge sign juhe-balance --openid JH0001 --key k --timestamp 1461309295")]
    JuheBalance {
        /// The OpenID.
        #[command(flatten)]
        openid: JuheOpenId,
        /// The appkey.
        #[command(flatten)]
        key: JuheKey,
        /// timestamp in unix seconds, as sent
        #[arg(long)]
        timestamp: String,
        /// How to print it.
        #[command(flatten)]
        explain: Explain,
    },
    /// Juhe's callback: md5(key + sporder_id + orderid)
    #[command(after_help = "Example:
  recharge sign juhe-callback --key k --upstream-id J1234 --order-id 567")]
    JuheCallback {
        /// The appkey.
        #[command(flatten)]
        key: JuheKey,
        /// sporder_id, Juhe's own number, as received
        #[arg(long)]
        upstream_id: String,
        /// orderid, as received
        #[arg(long)]
        order_id: String,
        /// How to print it.
        #[command(flatten)]
        explain: Explain,
    },
    /// Jisu's requests and callbacks: md5(values in byte order of their names + appsecret)
    #[command(after_help = "Examples:
  recharge sign jisu --appsecret s \\
    --param mobile=18900001234 --param amount=10 --param outorderno=A1
  recharge sign jisu --appsecret s --documented-table \\
    --param tel=0571-56565366 amount=100 teltype=1 rechargetype=1 outorderno=A1")]
    Jisu {
        /// The appsecret.
        #[command(flatten)]
        secret: JisuSecret,
        /// A parameter as sent, in any order; repeat it for each. appkey and sign are not signed
        #[arg(
            long = "param",
            value_name = "NAME=VALUE",
            required = true,
            num_args = 1..
        )]
        params: Vec<SecretString>,
        /// Sign in the order of the document's table, with tel in the place of mobile
        #[arg(long)]
        documented_table: bool,
        /// How to print it.
        #[command(flatten)]
        explain: Explain,
    },
}

/// What `recharge verify` verifies.
#[derive(Debug, Subcommand)]
pub enum VerifyCommand {
    /// Juhe's: sporder_id, orderid, sta, sign
    #[command(after_help = "Example:
  recharge verify juhe-callback --key k < body.txt")]
    JuheCallback {
        /// The appkey.
        #[command(flatten)]
        key: JuheKey,
    },
    /// Jisu's: orderno, outorderno, mobile, rechargestatus, amount, totalfee, sign
    #[command(after_help = "Example:
  recharge verify jisu-callback --appsecret s < body.txt")]
    JisuCallback {
        /// The appsecret.
        #[command(flatten)]
        secret: JisuSecret,
    },
}

/// What `recharge config` does.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum ConfigCommand {
    /// Print a documented file in which everything is left at its default
    #[command(after_help = "Example:
  recharge config template > recharge.toml")]
    Template,
    /// Read file and environment, and say what is wrong or what holds; secrets are not shown
    #[command(after_help = "Example:
  recharge config check --config recharge.toml")]
    Check,
}

/// Juhe's appkey.
#[derive(Debug, Clone, Args)]
pub struct JuheKey {
    /// Juhe's appkey
    #[arg(
        long,
        visible_alias = "app-key",
        env = "RECHARGE_JUHE_APP_KEY",
        hide_env_values = true
    )]
    pub key: Option<SecretString>,
}

/// Juhe's OpenID.
#[derive(Debug, Clone, Args)]
pub struct JuheOpenId {
    /// Juhe's OpenID
    #[arg(
        long,
        visible_alias = "open-id",
        env = "RECHARGE_JUHE_OPEN_ID",
        hide_env_values = true
    )]
    pub openid: Option<SecretString>,
}

/// Jisu's appsecret.
#[derive(Debug, Clone, Args)]
pub struct JisuSecret {
    /// Jisu's appsecret
    #[arg(
        long,
        visible_alias = "app-secret",
        env = "RECHARGE_JISU_APP_SECRET",
        hide_env_values = true
    )]
    pub appsecret: Option<SecretString>,
}

/// How to print a signature.
#[derive(Debug, Clone, Copy, Args)]
pub struct Explain {
    /// Show the parameters in order and the string to sign, with *** for secrets
    #[arg(long)]
    pub explain: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_neither_accounts_nor_what_is_signed() {
        for line in [
            "recharge sign juhe-submit --openid o --key k --phone 18900001234 --amount 1 --order-id 7",
            "recharge sign jisu --appsecret s --param mobile=18900001234 tel=0571-56565366",
        ] {
            let read = Cli::try_parse_from(line.split(' ')).unwrap();
            let shown = format!("{read:?}");
            assert!(!shown.contains("18900001234"), "{shown}");
            assert!(!shown.contains("56565366"), "{shown}");
        }
    }
}
