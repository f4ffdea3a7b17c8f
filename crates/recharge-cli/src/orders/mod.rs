//! The commands that keep orders, and orders as people see them: one with its history, many in a table,
//! and those on the desk with what can be decided about them.
//!
//! | module | what it holds |
//! |---|---|
//! | [`args`], [`decide`] | the commands' options |
//! | `place` | `submit`, `query` and `review decide`, on the engine |
//! | `look` | `orders`, `show` and `review list`, reading only |
//! | `keep`, `forget`, `doctor` | `backup`, `restore`; `forget`; `doctor` |
//! | [`show`] | one order and its history |
//! | [`list`] | rows of orders |
//! | [`desk`] | what waits for people, and which decisions are open to them |
//! | [`words`], [`events`] | each event in words, and as JSON |
//!
//! Attempts are counted from 1 wherever people see them, in JSON too; the engine counts from 0.

pub mod args;
pub mod decide;
pub mod desk;
mod doctor;
pub mod events;
mod forget;
mod keep;
pub mod list;
mod look;
mod place;
pub mod show;
pub mod words;

use self::args::{OrderCommand, ReviewCommand};
use crate::batch;
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Exit;

/// Runs one of them.
pub(crate) async fn run(command: OrderCommand, context: &Context) -> Result<Exit, CliError> {
    match command {
        OrderCommand::Submit(args) => place::submit(args, context).await,
        OrderCommand::Query(args) => place::query(args, context).await,
        OrderCommand::Orders(args) => look::orders(args, context).await,
        OrderCommand::Show(args) => look::show(args, context).await,
        OrderCommand::Review(ReviewCommand::List(args)) => look::review(args, context).await,
        OrderCommand::Review(ReviewCommand::Decide(args)) => place::decide(args, context).await,
        OrderCommand::Batch(args) => batch::run::run(args, context).await,
        OrderCommand::Backup(args) => keep::backup(&args, context),
        OrderCommand::Restore(args) => keep::restore(&args, context),
        OrderCommand::EndHold(args) => keep::end_hold(&args, context).await,
        OrderCommand::Forget(args) => forget::run(&args, context),
        OrderCommand::Doctor(args) => doctor::run(args, context).await,
    }
}

#[cfg(test)]
pub(crate) mod tests;
