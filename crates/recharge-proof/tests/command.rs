//! The command: what it refuses, and what its status says.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::{Command, Output, Stdio};

fn proof(words: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_recharge-proof"));
    command.args(words.split_whitespace());
    command
}

fn run(words: &str) -> (Option<i32>, Output) {
    let output = proof(words).output().unwrap();
    (output.status.code(), output)
}

#[test]
fn what_would_show_nothing_is_refused() {
    for words in [
        "lives --lifecycles 0 --floors",
        "lives --lifecycles 1 --threads 0",
        "lives --lifecycles 1 --planted no-alarm",
        "hunt --lifecycles 1",
        "hunt --lifecycles 1 no-alarm",
        "hunt --lifecycles 1 no-alarm=11",
        "lives --lifecycles 1 --workers 3",
        "search --only nosuchpart",
        "search --only quiet --seconds 0",
        "search --only quiet --threads 0",
        "replay x",
        "replay 7:",
        "replay 7:9999",
        "replay 7@mysql/1",
    ] {
        let (status, output) = run(words);
        assert_eq!(status, Some(2), "{words}");
        assert!(output.stdout.is_empty(), "{words}");
        assert!(output.stderr.starts_with(b"error: "), "{words}");
    }
}

#[test]
fn what_holds_has_status_0() {
    for (words, last) in [
        ("lives --lifecycles 5", "lives lifecycles="),
        ("replay 7:0", "replay violations=0 "),
        ("replay 7 --workers 1", "replay violations=0 "),
        // Further away than any clock goes.
        (
            "search --only liar-any-1 --seconds 18446744073709551615",
            "search states=",
        ),
    ] {
        let (status, output) = run(words);
        assert_eq!(status, Some(0), "{words}");
        let said = String::from_utf8(output.stdout).unwrap();
        let line = said.lines().last().unwrap();
        assert!(line.starts_with(last), "{line}");
    }
}

#[test]
fn a_case_that_was_printed_can_be_replayed_without_another_word() {
    let trace = |words: &str| {
        let (_, output) = run(words);
        let said = String::from_utf8(output.stdout).unwrap();
        said.rsplit_once("trace=").unwrap().1.to_owned()
    };
    let wanted = trace("replay 8 --store postgres --workers 1");
    assert_eq!(trace("replay 8@postgres/1"), wanted);
    assert_eq!(
        trace("replay 8@sqlite/2 --store postgres --workers 1"),
        wanted
    );
}

#[test]
fn whoever_has_seen_enough_hears_of_no_panic() {
    let mut child = proof("replay 7")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stderr.is_empty());
}
