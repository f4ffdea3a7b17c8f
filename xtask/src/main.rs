//! The project's own tasks: `cargo xtask docs | tidy | lint | test | bench | crash | sweep | simulate | fuzz |
//! schemathesis | mutants`.
//!
//! | module | what it holds |
//! |---|---|
//! | [`project`] | the workspace as the tasks see it: its members, its files |
//! | [`arrows`] | which crate may use which: the table that `tidy` enforces and `docs` draws |
//! | [`tidy`] | one file a rule |
//! | [`facts`] | the upstreams' facts, and the tests that prove them |
//! | [`docs`] | one file a generated page |
//! | [`lint`], [`test`](mod@test), [`bench`](mod@bench) | the other tasks |
//! | [`planted`] | bugs that the simulation must catch, woven into a copy of the sources |
//! | [`fuzz`] | the fuzz targets of `crates/fuzz`, two at a time |
//! | [`mutants`] | the code of the rules changed in small ways, which the tests must notice |
//! | [`proof`] | `crash` and `sweep`: the command killed, and its disk failed |
//! | [`schemathesis`] | requests made up from the gateway's description, right and wrong ones |
//! | [`simulate`] | lives of orders, simulated, and whether each planted bug is caught |
//! | [`tree`] | limits on what `cargo tree` shows, for `tidy` and `bench` |

mod arrows;
mod bench;
mod docs;
mod facts;
mod fuzz;
mod lint;
mod mutants;
mod planted;
mod problem;
mod project;
mod proof;
mod run;
mod rust;
#[cfg(test)]
mod sample;
mod schemathesis;
mod simulate;
mod test;
mod tidy;
mod tree;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::project::{Project, Result};

/// The project's own tasks.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Write docs/generated from the code
    Docs {
        /// Write nothing; fail when a page is stale
        #[arg(long)]
        check: bool,
    },
    /// Check the rules that no compiler checks: the arrows between crates, names, lengths, the fact table
    Tidy,
    /// Formatting, clippy, the feature combinations, rustdoc, tidy, and docs --check
    Lint,
    /// Every test of the workspace, once
    Test {
        /// Handed to `cargo test`, such as a test's name, or `-p recharge-core`
        #[arg(
            value_name = "ARGS",
            trailing_var_arg = true,
            allow_hyphen_values = true
        )]
        _args: Vec<String>,
    },
    /// Kill the command again and again, at files of orders and as a service, and judge by the upstreams' ledger
    Crash {
        /// How many rounds of orders
        #[arg(long, value_name = "N", default_value_t = 50)]
        rounds: u64,
        /// The seed of the first round; the next round has the next one
        #[arg(long, value_name = "S", default_value_t = 1)]
        seed: u64,
    },
    /// Fail each write and each sync of a run once, and cut off its log at every frame
    Sweep,
    /// Lives of orders in virtual time, all lives where the space is small, and the planted bugs
    Simulate(simulate::Options),
    /// Fuzz whatever reads what others wrote, each reader for a while
    Fuzz {
        /// How long each target runs
        #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u64).range(fuzz::SECONDS))]
        seconds: u64,
        /// How many inputs each target is given, however long it takes
        #[arg(long, value_name = "N", conflicts_with = "seconds", value_parser = clap::value_parser!(u64).range(fuzz::EXECUTIONS))]
        executions: Option<u64>,
        /// The targets; all, if none is named
        #[arg(value_name = "TARGET")]
        targets: Vec<String>,
    },
    /// Make up requests from the gateway's description; none may end in a fault, a hang, or an answer that is not in it
    Schemathesis {
        /// The seed of what is made up
        #[arg(long, value_name = "S", default_value_t = 1)]
        seed: u64,
        /// How many requests for each route and way of making them up
        #[arg(long, value_name = "N", default_value_t = 25, value_parser = clap::value_parser!(u32).range(1..))]
        examples: u32,
    },
    /// Change the code of the rules in small ways, one at a time; a change that no test notices is printed
    Mutants {
        /// The files to change; all that `.cargo/mutants.toml` chooses, if none is named
        #[arg(value_name = "FILE")]
        files: Vec<String>,
    },
    /// Every goal of performance in one table
    Bench {
        /// Also what takes long: the cold build of the README's first command, five million stored orders, and a
        /// soak of the gateway
        #[arg(long)]
        long: bool,
    },
}

fn main() -> ExitCode {
    let done = Project::load().and_then(|project| match Cli::parse().task {
        Task::Docs { check: true } => docs::check(&project),
        Task::Docs { check: false } => docs::write(&project),
        Task::Tidy => tidy::run(&project),
        Task::Lint => Ok(lint::run(&project)),
        Task::Test { .. } => test::run(&project, &after_test()),
        Task::Crash { rounds, seed } => proof::crash(&project, rounds, seed),
        Task::Sweep => proof::sweep(&project),
        Task::Simulate(options) => simulate::run(&project, &options),
        Task::Fuzz {
            seconds,
            executions,
            targets,
        } => {
            let seconds = fuzz::Limit::Seconds(seconds);
            let limit = executions.map_or(seconds, fuzz::Limit::Executions);
            fuzz::run(&project, limit, &targets)
        }
        Task::Schemathesis { seed, examples } => schemathesis::run(&project, seed, examples),
        Task::Mutants { files } => mutants::run(&project, &files),
        Task::Bench { long } => bench::run(&project, long),
    });
    finish(done)
}

/// The words after `test`, as they stand. clap would swallow a leading `--`, which is for `cargo test`.
fn after_test() -> Vec<String> {
    let words = std::env::args().skip_while(|word| word != "test");
    words.skip(1).collect()
}

fn finish(done: Result<bool>) -> ExitCode {
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fuzzer_is_given_a_limit_that_it_keeps() {
        let read = |limit: &[&str]| Cli::try_parse_from([&["xtask", "fuzz"], limit].concat());
        assert!(read(&["--seconds", "86400"]).is_ok());
        assert!(read(&["--executions", "100000000"]).is_ok());
        for limit in [
            ["--seconds", "0"],
            ["--seconds", "86401"],
            ["--seconds", "18446744073709551615"],
            ["--executions", "0"],
            ["--executions", "2147483648"],
        ] {
            assert!(read(&limit).is_err(), "{limit:?}");
        }
    }
}
