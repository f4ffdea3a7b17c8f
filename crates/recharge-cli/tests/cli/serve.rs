//! `recharge serve`: the service as a program, and its log.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::common::{Ended, JISU_SECRET, KEY, OPEN_ID, Sim};

const PHONE: &str = "15912345678";
const FORGED: &str = "CANARYforgedline";

/// Sends this, and reads whatever comes until the other side closes.
fn exchange(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    // A reset is as good as an end.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn nobody_writes_lines_into_the_log_and_no_secret_gets_there() {
    let sim = Sim::start();
    let home = tempfile::TempDir::new().unwrap();
    let made = sim
        .with("keys create --merchant shop --scope submit,read,operate --json")
        .inside(home.path())
        .run()
        .exits(0);
    let key = made.json()["key"].as_str().unwrap().to_owned();
    let config = format!("{}[server]\nlisten = \"127.0.0.1:0\"\n", sim.toml());
    let serve = crate::common::recharge("serve")
        .inside(home.path())
        .file("recharge.toml", &config)
        .variable("RECHARGE_LOG", "trace");
    let (mut child, _folder) = serve.start();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    // Read all the while: a full pipe would stop the service.
    let mut stderr = child.stderr.take().unwrap();
    let log = std::thread::spawn(move || {
        let mut log = String::new();
        stderr.read_to_string(&mut log).map(|_| log)
    });
    let address = line.trim().strip_prefix("listening on http://").unwrap();
    let forged = format!("{{\"timestamp\":\"x\",\"level\":\"{FORGED}\"}}");
    let escaped = format!("%0d%0a{}", forged.replace('"', "%22"));
    let order = format!(
        r#"{{"order_id":"A1\n{FORGED}","kind":"mobile","account":"{PHONE}","amount":"10"}}"#
    );
    let right = format!(r#"{{"order_id":"A1","kind":"mobile","account":"{PHONE}","amount":"10"}}"#);
    let callback = format!("sporder_id=1%0a{FORGED}&orderid={escaped}&sta=1&sign={FORGED}");
    for (line, body) in [
        (format!("GET /v1/orders/A1{escaped}"), ""),
        (format!("GET /v1/orders?account={escaped}"), ""),
        (format!("POST /v1/orders/{escaped}/ask"), ""),
        ("POST /v1/orders".to_owned(), order.as_str()),
        ("POST /v1/orders".to_owned(), right.as_str()),
        ("POST /v1/batches".to_owned(), order.as_str()),
        ("POST /callbacks/juhe".to_owned(), callback.as_str()),
        (
            "POST /compat/juhe/ofpay/mobile/onlineorder".to_owned(),
            callback.as_str(),
        ),
        (format!("GET /v1/{FORGED}"), ""),
    ] {
        for header in [
            "user-agent",
            "x-forwarded-for",
            "x-request-id",
            "traceparent",
            "idempotency-key",
        ] {
            let request = format!(
                "{line} HTTP/1.1\r\nhost: {FORGED}\r\nconnection: close\r\nauthorization: Bearer {key}\r\n\
                 {header}: a\x0b\t{forged}\r\ncontent-type: application/x-www-form-urlencoded\r\n\
                 content-length: {}\r\n\r\n{body}",
                body.len()
            );
            exchange(address, &request);
            // The same without the control character, which is refused before anything is read.
            exchange(address, &request.replace('\x0b', ""));
        }
    }
    let get = format!(
        "GET /v1/orders/A1 HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {key}\r\n\r\n"
    );
    assert!(exchange(address, &get).starts_with("HTTP/1.1 200 "));
    child.kill().unwrap();
    child.wait().unwrap();
    let log = log.join().unwrap().unwrap();
    assert!(log.contains("a callback is not taken"), "{log}");
    for line in log.lines() {
        let read: Value =
            serde_json::from_str(line).unwrap_or_else(|_| panic!("no line of ours: {line}"));
        let level = read["level"].as_str().unwrap();
        assert!(
            ["ERROR", "WARN", "INFO", "DEBUG", "TRACE"].contains(&level),
            "{line}"
        );
    }
    for secret in [&*key, KEY, OPEN_ID, JISU_SECRET, PHONE, FORGED] {
        assert!(!log.contains(secret), "{secret}");
    }
}

/// The service in a shell that lets it have so many files open: as it is, and at most.
fn limited(home: &std::path::Path, soft: u32, hard: u32) -> Child {
    let limits = format!("ulimit -Sn {soft} && ulimit -Hn {hard} && exec \"$0\" serve");
    Command::new("sh")
        .args(["-c", &limits, env!("CARGO_BIN_EXE_recharge")])
        .env_clear()
        .env("RECHARGE_LOG", "warn")
        .current_dir(home)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

const ASK: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";

/// A client that is answered, and stays.
fn stay(address: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(ASK).unwrap();
    is_answered(&mut stream);
    stream
}

fn is_answered(stream: &mut TcpStream) {
    let mut begin = [0; 15];
    stream.read_exact(&mut begin).unwrap();
    assert_eq!(&begin, b"HTTP/1.1 200 OK");
}

/// Two providers, 4 calls of either kind at each, 64 notices, and 128 of its own: 208 files beside its clients'.
#[cfg(unix)]
#[test]
fn the_limit_of_open_files_is_raised_and_what_does_not_fit_is_said() {
    let sim = Sim::start();
    let home = tempfile::TempDir::new().unwrap();
    let config = format!(
        "{}[server]\nlisten = \"127.0.0.1:0\"\n[limits]\nin_flight = 4\n",
        sim.toml()
    );
    std::fs::write(home.path().join("recharge.toml"), config).unwrap();

    let none = Ended::of(limited(home.path(), 100, 208));
    assert_ne!(none.code, 0);
    none.complains("may have 208 files open, and takes 208")
        .complains("LimitNOFILE=10208");

    // What it has at first holds no connection at all.
    let mut child = limited(home.path(), 100, 300);
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let address = line.trim().strip_prefix("listening on http://").unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut warning = String::new();
    while !warning.contains("connections at a time") {
        warning.clear();
        assert_ne!(stderr.read_line(&mut warning).unwrap(), 0, "no warning");
    }
    assert!(warning.starts_with("warning: 92 connections at a time are served, not 10000:"));
    // So many there are.
    let mut clients: Vec<TcpStream> = (0..92).map(|_| stay(address)).collect();
    // One more waits for room, and gets it.
    let mut more = TcpStream::connect(address).unwrap();
    more.write_all(ASK).unwrap();
    more.set_nonblocking(true).unwrap();
    let nothing_yet = more.read(&mut [0]).unwrap_err();
    assert_eq!(nothing_yet.kind(), std::io::ErrorKind::WouldBlock);
    more.set_nonblocking(false).unwrap();
    clients.pop();
    is_answered(&mut more);
    child.kill().unwrap();
    child.wait().unwrap();
    let mut log = String::new();
    stderr.read_to_string(&mut log).unwrap();
    assert!(!log.contains("a connection was not accepted"), "{log}");
}
