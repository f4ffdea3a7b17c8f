//! What every program that places an order must do right when the gateway doesn't answer as it should.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};

use crate::{SHOPS, docs, is_here};

const ORDER: &str = "E0000001 18900004400 100";
const PENDING: &str = r#"{"order_id":"E0000001","state":"pending"}"#;
const SUCCEEDED: &str = r#"{"order_id":"E0000001","state":"succeeded"}"#;
const STOPPING: &str = r#"{"code":"stopping","detail":"it is about to stop","advice":"again"}"#;
const HTML: &str = "<html>a proxy's words</html>";

/// Answers requests in turn, the last answer again and again, and keeps what was asked. An empty answer is none.
struct Stub {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Stub {
    fn start(answers: Vec<(u16, &'static str)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&asked);
        // It ends with the test.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                let Some(request) = read(&stream) else {
                    continue;
                };
                let mut kept = kept.lock().unwrap();
                let (status, body) = answers[kept.len().min(answers.len() - 1)];
                kept.push(request);
                drop(kept);
                if status == 0 {
                    continue;
                }
                let length = body.len();
                let answer = format!(
                    "HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
                );
                // Who doesn't listen any more has ended.
                let _ = (&stream).write_all(answer.as_bytes());
            }
        });
        Self { url, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// The first line of a request and its body; `None` if it isn't whole.
fn read(stream: &TcpStream) -> Option<String> {
    let mut reader = BufReader::new(stream);
    let (mut first, mut length) = (String::new(), 0);
    reader.read_line(&mut first).ok()?;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            break;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let body = String::from_utf8(body).ok()?;
    Some(format!("{} {body}", first.trim_end()))
}

/// Those whose language is here.
fn shops() -> impl Iterator<Item = &'static str> {
    SHOPS
        .iter()
        .filter(|(needs, _)| is_here(needs))
        .map(|(_, run)| *run)
}

fn spawn(run: &str, gateway: Option<&str>) -> Child {
    let line = format!("exec timeout 240 {run} {ORDER}");
    let mut command = Command::new("sh");
    command
        .args(["-c", &line])
        .current_dir(docs().join("shops"))
        .env_remove("GATEWAY")
        .env("KEY", "rk_0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if let Some(gateway) = gateway {
        command.env("GATEWAY", gateway);
    }
    command.spawn().unwrap()
}

/// What it said for people, and nothing that its language says of faults.
#[track_caller]
fn complaint(run: &str, ended: &Output) -> String {
    let err = String::from_utf8_lossy(&ended.stderr).into_owned();
    for fault in ["Traceback", "Warning", "Fatal", "Exception in", "goroutine"] {
        assert!(!err.contains(fault), "{run}: {err}");
    }
    err
}

#[test]
fn every_shop_asks_again_with_the_same_order_until_there_is_an_answer() {
    for run in shops() {
        let stub = Stub::start(vec![
            (503, STOPPING),
            (502, HTML),
            (0, ""),
            (202, PENDING),
            (503, HTML),
            (200, SUCCEEDED),
        ]);
        let ended = spawn(run, Some(&stub.url)).wait_with_output().unwrap();
        let err = complaint(run, &ended);
        assert!(ended.status.success(), "{run}: {err}");
        assert_eq!(
            String::from_utf8_lossy(&ended.stdout).trim(),
            "E0000001 succeeded"
        );
        assert!(err.contains("asking again: it is about to stop"), "{err}");
        assert!(err.contains("502"), "{run}: {err}");
        assert!(err.contains("no answer"), "{run}: {err}");
        let asked = stub.asked();
        assert_eq!(asked.len(), 6, "{run}: {asked:#?}");
        for again in &asked[..4] {
            assert!(again.starts_with("POST /v1/orders "), "{run}: {again}");
            assert_eq!(*again, asked[0], "{run}");
        }
        for look in &asked[4..] {
            assert!(look.starts_with("GET /v1/orders/E0000001 "), "{look}");
        }
    }
}

#[test]
fn every_shop_says_why_it_is_refused_and_what_it_misses() {
    for run in shops() {
        for (body, says) in [
            (
                r#"{"detail":"no key","advice":"make one"}"#,
                "refused: no key (make one)",
            ),
            (HTML, "refused: the answer was 403"),
        ] {
            let stub = Stub::start(vec![(403, body)]);
            let ended = spawn(run, Some(&stub.url)).wait_with_output().unwrap();
            let err = complaint(run, &ended);
            assert!(!ended.status.success(), "{run}: {err}");
            assert!(err.contains(says), "{run}: {err}");
            assert_eq!(stub.asked().len(), 1, "{run}");
        }
        let ended = spawn(run, None).wait_with_output().unwrap();
        let err = complaint(run, &ended);
        assert!(!ended.status.success(), "{run}: {err}");
        assert!(
            err.contains("GATEWAY=http://127.0.0.1:8080 KEY="),
            "{run}: {err}"
        );
    }
}

#[test]
fn every_shop_gives_up_at_last_and_says_how_to_go_on() {
    let started: Vec<_> = shops()
        .map(|run| {
            let stub = Stub::start(vec![(503, STOPPING)]);
            let child = spawn(run, Some(&stub.url));
            (run, stub, child)
        })
        .collect();
    for (run, stub, child) in started {
        let ended = child.wait_with_output().unwrap();
        let err = complaint(run, &ended);
        assert!(!ended.status.success(), "{run}: {err}");
        let how = "Nobody knows whether the order was taken: run this again with the same order id";
        assert!(err.contains(how), "{run}: {err}");
        let asked = stub.asked();
        assert_eq!(asked.len(), 30, "{run}");
        assert!(asked.iter().all(|it| *it == asked[0]), "{run}: {asked:#?}");
    }
}
