//! `docs/gateway.md`, run line by line as a reader would, and the programs of shops beside it: those that place orders,
//! and those that are told of them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::env;
use std::fmt::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use recharge_gateway::webhooks::signature;
use serde_json::Value;

mod receivers;
mod shops;

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

/// How a program that is told is made ready and run at an address, and what must be on the machine for it. Each is one
/// process: killed, it is gone.
pub(crate) const RECEIVERS: [(&str, &str, &str); 4] = [
    ("php", "true", "php -S ADDRESS webhook.php"),
    ("python3", "true", "python3 webhook.py ADDRESS"),
    ("javac", "true", "java Webhook.java ADDRESS"),
    ("go", "go build webhook.go", "./webhook ADDRESS"),
];

/// What stands between the outputs of two blocks.
const MARK: &str = "---- the end of a block ----";

pub(crate) fn docs() -> PathBuf {
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

pub(crate) fn is_here(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// As one that nobody listens on now.
pub(crate) fn free_address() -> String {
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
    assert!(
        stop.contains("kill $gateway_pid"),
        "the last block stops them"
    );

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
    let (receivers, absent): (Vec<_>, Vec<_>) =
        RECEIVERS.iter().partition(|(needs, ..)| is_here(needs));
    println!("not on this machine, and so not run: {absent:?}");
    for (at, (_, ready, run)) in receivers.iter().enumerate() {
        script += &told(at, ready, run, &free_address());
    }
    // A failed wait ends the script.
    writeln!(script, "{stop}\necho both have ended").unwrap();
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
            // The notice, which another test looks at.
            "text" => {}
            other => panic!("a block of {other:?}, of which the test knows nothing"),
        }
    }
    assert!(compared > 8, "{compared}");
    let rest = said.last().unwrap();
    for at in 0..here.len() {
        let end = format!("C000000{at} succeeded");
        assert!(rest.contains(&end), "{end:?} in {rest}");
    }
    for at in 0..receivers.len() {
        let end = format!("D000000{at} succeeded");
        assert!(rest.contains(&end), "{end:?} in {rest}");
    }
    assert!(rest.contains("both have ended"), "{rest}");
}

/// A receiver, and an order of which it is told.
fn told(at: usize, ready: &str, run: &str, address: &str) -> String {
    let run = run.replace("ADDRESS", address);
    let order = format!(
        r#"{{"order_id":"D000000{at}","kind":"mobile","account":"1890000330{at}","amount":100,"notify_url":"http://{address}/"}}"#
    );
    format!(
        r#"mkdir receiver{at} && cp '{shops}'/[wW]ebhook.* receiver{at}
(cd receiver{at} && {ready})
(cd receiver{at} && exec {run} > told.log 2> err.log) &
curl -sS --retry 30 --retry-connrefused --retry-delay 1 -o /dev/null -d '' http://{address}/
curl -sS $GATEWAY/v1/orders -o /dev/null -H "Authorization: Bearer $KEY" -d '{order}'
until grep -q . receiver{at}/told.log; do sleep 0.2; done
cat receiver{at}/told.log
"#,
        shops = docs().join("shops").display()
    )
}

/// The notice that the guide shows is one, and is signed as it says.
#[test]
fn the_notice_of_the_guide_is_as_the_gateway_signs_it() {
    let page = std::fs::read_to_string(docs().join("gateway.md")).unwrap();
    let blocks = blocks(&page);
    let notice = blocks.iter().find(|(language, _)| *language == "text");
    let (head, body) = notice.unwrap().1.split_once("\n\n").unwrap();
    let body = body.trim_end();
    let header = |name: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(it, _)| *it == name).unwrap().1
    };
    let by_hand = blocks.iter().find(|(_, text)| text.contains("HEXKEY"));
    let by_hand = &by_hand.unwrap().1;
    assert!(by_hand.contains(&format!("'{body}'")));
    let secret = by_hand.split("NOTICE_SECRET=").nth(1).unwrap();
    let secret = secret.lines().next().unwrap().into();
    let at = header("webhook-timestamp").parse().unwrap();
    let signature = signature::sign(&secret, header("webhook-id"), at, body);
    assert_eq!(signature.as_deref(), Some(header("webhook-signature")));

    let event: Value = serde_json::from_str(body).unwrap();
    let shown = blocks
        .iter()
        .filter(|(language, _)| *language == "json")
        .map(|(_, text)| serde_json::from_str::<Value>(text).unwrap())
        .find(|it| it["state"] == "succeeded");
    assert_eq!(event["data"], shown.unwrap());
    assert_eq!(event["type"], "order.succeeded");
    assert_eq!(event["timestamp"], event["data"]["updated_at"]);
}
