//! Help, versions, completions, and command lines that can't be used.

use std::process::Stdio;

use clap::Command;

use crate::common::recharge;

/// The help of every command, the root's first, as it is printed where there is no terminal.
fn every_help(command: &mut Command, all: &mut String) {
    all.push_str(&"=".repeat(100));
    all.push('\n');
    all.push_str(&command.render_long_help().to_string());
    for inner in command
        .get_subcommands_mut()
        .filter(|inner| inner.get_name() != "help")
    {
        every_help(inner, all);
    }
}

#[test]
fn the_help_of_every_command_is_as_checked_in() {
    let mut command = recharge_cli::command();
    command.build();
    let mut all = String::new();
    every_help(&mut command, &mut all);
    insta::assert_snapshot!(all.replace(env!("CARGO_PKG_VERSION"), "VERSION"));
}

#[test]
fn the_command_holds_together() {
    recharge_cli::command().debug_assert();
}

#[test]
fn help_and_version_are_answers() {
    for line in [
        "--help",
        "-h",
        "help",
        "sign --help",
        "help sign jisu",
        "provider submit -h",
    ] {
        let ended = recharge(line).run().exits(0);
        assert!(
            ended.out.contains("Usage: recharge") && ended.err.is_empty(),
            "{ended:?}"
        );
    }
    for line in ["--version", "-V", "sign jisu --version"] {
        let ended = recharge(line).run().exits(0);
        let version = format!(" {}\n", env!("CARGO_PKG_VERSION"));
        assert!(ended.out.ends_with(&version), "{ended:?}");
    }
}

#[test]
fn the_exit_statuses_are_in_the_help() {
    let ended = recharge("--help").run().exits(0);
    for exit in recharge_cli::exit::Exit::ALL {
        ended.says(&format!("  {}  {}\n", exit.code(), exit.meaning()));
    }
}

#[test]
fn a_command_line_that_cannot_be_used_is_status_2() {
    for (line, says) in [
        ("", "Usage:"),
        ("sign", "Usage:"),
        ("provder", "'provider'"),
        ("sign jisuu", "'jisu'"),
        ("demo --order 3", "'--orders'"),
        ("demo --orders 0", "0 is not in"),
        (
            "demo --faults liar",
            "[possible values: off, mild, hostile]",
        ),
        (
            "sim --faults nasty",
            "[possible values: off, mild, hostile, liar]",
        ),
        ("sim --settle-after 2", "\"300ms\""),
        ("completions tcsh", "bash"),
        ("sign juhe-callback --key k", "--upstream-id"),
        ("provider query --provider juhe", "--order-id"),
        (
            "provider balance --provider alipay",
            "[possible values: juhe, jisu]",
        ),
        (
            "provider quote --provider juhe --account 1 --amount 0",
            "above zero",
        ),
    ] {
        let ended = recharge(line).run().exits(2);
        assert!(ended.out.is_empty(), "{ended:?}");
        ended.complains(says);
        let error = recharge(line).arg("--json").run().exits(2).json_error();
        assert_eq!(error["kind"], "usage");
    }
}

#[test]
fn completions_know_the_commands() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ended = recharge(&format!("completions {shell}")).run().exits(0);
        ended.says("juhe-submit");
    }
    let json = recharge("completions bash --json").run().exits(0).json();
    assert_eq!(json["shell"], "bash");
}

#[test]
fn no_colours_where_there_is_no_terminal() {
    for line in ["--help", "config check", "nonsense", "demo --orders 0"] {
        let ended = recharge(line).variable("TERM", "xterm-256color").run();
        assert!(
            !format!("{}{}", ended.out, ended.err).contains('\x1b'),
            "{ended:?}"
        );
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    for line in ["config template", "completions bash", "--help"] {
        let (mut child, _home) = recharge(line).start();
        drop(child.stdin.take());
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{line}");
        assert!(output.stderr.is_empty(), "{line}");
    }
}

#[test]
fn an_answer_that_cannot_be_written_is_status_8() {
    for line in [&["config", "template"][..], &["--help"], &["--version"]] {
        let full = std::fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_recharge"))
            .args(line)
            .stdout(Stdio::from(full))
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(8), "{line:?}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("standard output"), "{line:?}: {said}");
    }
}
