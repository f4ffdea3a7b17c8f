//! `docs/gateway.md`, run line by line as a reader would, and the programs of shops beside it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::env;
use std::fmt::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// What differs from one run to the next. Its type must be the same all the same.
const OWN: [&str; 8] = [
    "version",
    "upstream_order_id",
    "created_at",
    "updated_at",
    "changed_at",
    "secret",
    "batch_id",
    "detail",
];

/// How a shop's program is run, and what must be on the machine for it.
const SHOPS: [(&str, &str); 4] = [
    ("php", "php shop.php"),
    ("python3", "python3 shop.py"),
    ("javac", "java Shop.java"),
    ("go", "go run shop.go"),
];

/// What stands between the outputs of two blocks.
const MARK: &str = "---- the end of a block ----";

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

/// The fenced blocks of a page: language and text.
fn blocks(page: &str) -> Vec<(&str, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(&str, String)> = None;
    for line in page.lines() {
        match (open.take(), line.strip_prefix("```")) {
            (None, Some(language)) => open = Some((language, String::new())),
            (None, None) => {}
            (Some(block), Some(_)) => blocks.push(block),
            (Some((language, mut text)), None) => {
                writeln!(text, "{line}").unwrap();
                open = Some((language, text));
            }
        }
    }
    assert!(open.is_none(), "the last block has no end");
    blocks
}

fn is_here(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// As one that nobody listens on now.
fn free_address() -> String {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    taken.local_addr().unwrap().to_string()
}

/// The types in the place of what differs.
fn skeleton(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, field)| {
                let field = match field {
                    Value::String(_) if OWN.contains(&name.as_str()) => "a text".into(),
                    Value::Number(_) if OWN.contains(&name.as_str()) => "a number".into(),
                    field => skeleton(field),
                };
                (name.clone(), field)
            })
            .collect(),
        Value::Array(items) => items.iter().map(skeleton).collect(),
        other => other.clone(),
    }
}

#[test]
fn the_guide_works_line_by_line() {
    let page = std::fs::read_to_string(docs().join("gateway.md")).unwrap();
    let blocks = blocks(&page);
    let commands: Vec<&String> = blocks
        .iter()
        .filter(|(language, _)| *language == "sh")
        .map(|(_, text)| text)
        .collect();
    let (stop, before) = commands.split_last().unwrap();
    assert!(stop.contains("kill %2"), "the last block stops the gateway");

    let mut script =
        "set -euo pipefail\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n".to_owned();
    for block in before {
        writeln!(script, "{block}\necho\necho '{MARK}'").unwrap();
    }
    let (here, absent): (Vec<_>, Vec<_>) = SHOPS.iter().partition(|(needs, _)| is_here(needs));
    println!("not on this machine, and so not run: {absent:?}");
    for (at, (_, run)) in here.iter().enumerate() {
        let shops = docs().join("shops");
        writeln!(
            script,
            "(cd '{}' && {run} C000000{at} 1890000220{at} 100)",
            shops.display()
        )
        .unwrap();
    }
    writeln!(script, "{stop}\necho \"the gateway ended with $?\"").unwrap();
    for address in ["127.0.0.1:8787", "127.0.0.1:8080"] {
        assert!(script.contains(address), "{address}");
        script = script.replace(address, &free_address());
    }

    let home = tempfile::tempdir().unwrap();
    let binary = Path::new(env!("CARGO_BIN_EXE_recharge")).parent().unwrap();
    let path = env::var_os("PATH").unwrap_or_default();
    let path = [binary.to_owned()]
        .into_iter()
        .chain(env::split_paths(&path));
    let done = Command::new("timeout")
        .args(["300", "bash", "-c", &script])
        .current_dir(home.path())
        .env("PATH", env::join_paths(path).unwrap())
        .env_remove("RECHARGE_MASTER_KEY")
        .output()
        .unwrap();
    let out = String::from_utf8(done.stdout).unwrap();
    let log = std::fs::read_to_string(home.path().join("gateway.log")).unwrap_or_default();
    let err = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{out}\n{err}\n{log}");

    let said: Vec<&str> = out.split(MARK).collect();
    let mut at = 0;
    let mut compared = 0;
    for (language, text) in &blocks {
        match *language {
            "sh" => at += 1,
            "json" => {
                let said = said[at - 1].trim();
                let last = said.lines().last().unwrap_or_default();
                let read = |text: &str| -> Value {
                    serde_json::from_str(text).unwrap_or_else(|_| panic!("not JSON: {text:?}"))
                };
                assert_eq!(
                    skeleton(&read(last)),
                    skeleton(&read(text)),
                    "after block {at}"
                );
                compared += 1;
            }
            other => panic!("a block of {other:?}, of which the test knows nothing"),
        }
    }
    assert!(compared > 8, "{compared}");
    let rest = said.last().unwrap();
    for at in 0..here.len() {
        let end = format!("C000000{at} succeeded");
        assert!(rest.contains(&end), "{end:?} in {rest}");
    }
    assert!(rest.contains("the gateway ended with 0"), "{rest}");
}
