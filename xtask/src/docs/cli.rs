//! `cli.md`: the help of the `recharge` command and of each of its subcommands.

use std::fmt::Write as _;

use clap::Command;

use crate::project::{Project, Result};

/// How wide the help is written. The terminal of whoever runs this must not matter.
const WIDTH: usize = 100;

pub(super) fn page(_: &Project) -> Result<String> {
    render(recharge_cli::command())
}

fn render(command: Command) -> Result<String> {
    let mut command = without_environment(command).term_width(WIDTH);
    command.build();
    let mut out = String::from(
        "# The command line\n\n\
         The help of `recharge` and of its subcommands, as `--help` prints it.\n",
    );
    section(&mut out, &mut command, 2)?;
    Ok(out)
}

fn section(out: &mut String, command: &mut Command, depth: usize) -> Result<()> {
    let name = command.get_bin_name().unwrap_or(command.get_name());
    write!(out, "\n{} `{name}`\n\n```text\n", "#".repeat(depth))?;
    let help = command.render_long_help().to_string();
    for line in help.trim_end().lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    out.push_str("```\n");
    let visible = |command: &&mut Command| !command.is_hide_set() && command.get_name() != "help";
    for subcommand in command.get_subcommands_mut().filter(visible) {
        section(out, subcommand, (depth + 1).min(4))?;
    }
    Ok(())
}

/// The help would show the *values* of the variables that it names: keys, on a machine that has them.
fn without_environment(command: Command) -> Command {
    command
        .mut_args(|arg| arg.hide_env_values(true))
        .mut_subcommands(without_environment)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Arg;

    fn sample() -> Command {
        let key = Arg::new("key").long("key").help("The key").env("PATH");
        let inner = Command::new("submit").about("Sends one order").arg(key);
        let hidden = Command::new("secret").hide(true);
        let outer = Command::new("provider")
            .subcommand(inner)
            .subcommand(hidden);
        Command::new("recharge").subcommand(outer)
    }

    #[test]
    fn every_shown_subcommand_has_its_section_and_the_others_none() {
        let page = render(sample()).unwrap();
        let heads: Vec<&str> = page.lines().filter(|line| line.starts_with('#')).collect();
        assert_eq!(
            heads,
            [
                "# The command line",
                "## `recharge`",
                "### `recharge provider`",
                "#### `recharge provider submit`"
            ]
        );
        assert!(page.contains("--key <key>"), "{page}");
    }

    #[test]
    fn no_value_of_the_environment_is_shown() {
        let page = render(sample()).unwrap();
        assert!(page.contains("[env: PATH]"), "{page}");
        assert!(!page.contains("PATH="), "{page}");
    }
}
