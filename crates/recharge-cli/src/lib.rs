//! The `recharge` command.
//!
//! | module | what it holds |
//! |---|---|
//! | [`cli`] | the commands and their options |
//! | [`config`] | `recharge.toml` and the environment |
//! | [`batch`] | files of orders |
//! | [`orders`] | orders, their histories and the desk, as they are shown |
//! | [`demo`] | `recharge demo` |
//! | [`serve`], [`keys`], [`webhooks`] | the service, who may use it, and who is told |
//! | [`sim`] | `recharge sim` |
//! | [`provider`] | `recharge provider` |
//! | [`exit`] | what the exit status says |
//! | [`error`], [`output`] | what is printed, as text and as JSON |
//!
//! [`command`] and [`config::TEMPLATE`] are what docs are made from.

pub mod batch;
mod choice;
pub mod cli;
pub mod config;
pub mod context;
pub mod demo;
mod duration;
pub mod error;
pub mod exit;
mod files;
pub mod keys;
mod logs;
pub mod orders;
pub mod output;
pub mod provider;
pub mod serve;
mod service;
mod settings;
mod sign;
pub mod sim;
mod stop;
mod usage;
mod verify;
pub mod webhooks;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::cli::{Cli, Command};
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Exit;

/// The whole command as data. Help is wrapped at 100 columns, whatever the terminal's width.
pub fn command() -> clap::Command {
    Cli::command().term_width(100)
}

/// Runs the command of this process: its arguments, its environment, its standard streams.
pub fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().collect();
    let cli = match Cli::try_parse_from(&args) {
        Ok(cli) => cli,
        Err(error) => return usage::report(error, &args).into(),
    };
    let json = cli.global.json;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let ended = match runtime {
        Ok(runtime) => runtime.block_on(run(cli)),
        Err(error) => Err(CliError::system("can't start", error)),
    };
    match ended {
        Ok(exit) => exit.into(),
        Err(error) => {
            report(&error, json);
            error.exit().into()
        }
    }
}

/// Runs one command and prints its answer on standard output. Needs a Tokio runtime with I/O and time.
pub async fn run(cli: Cli) -> Result<Exit, CliError> {
    let context = Context::new(cli.global);
    match cli.command {
        Command::Demo(args) => demo::run(args, &context.output).await,
        Command::Orders(command) => orders::run(command, &context).await,
        Command::Serve(args) => serve::run(args, &context).await,
        Command::Keys(command) => keys::run(command, &context),
        Command::Webhooks(command) => webhooks::run(command, &context),
        Command::Sim(args) => sim::run(args, &context).await,
        Command::Sign(command) => sign::run(&command, &context),
        Command::Verify(command) => verify::run(&command, &context),
        Command::Provider(args) => provider::run(args, &context).await,
        Command::Config(command) => settings::run(command, &context),
        Command::Completions { shell } => completions(shell, &context),
    }
}

fn completions(shell: clap_complete::Shell, context: &Context) -> Result<Exit, CliError> {
    // Written to memory first: the generator panics when it can't write.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command(), "recharge", &mut script);
    if context.output.is_json() {
        let script = String::from_utf8_lossy(&script);
        let shell = shell.to_string();
        let answer = serde_json::json!({ "shell": shell, "script": script });
        context.output.json(&answer)?;
    } else {
        context.output.raw(&script)?;
    }
    Ok(Exit::Success)
}

fn report(error: &CliError, json: bool) {
    if json {
        output::to_stderr(&error.to_json().to_string());
    } else {
        output::to_stderr(&format!("error: {error}"));
    }
}
