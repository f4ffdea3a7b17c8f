//! What every program that is told must do right, whoever calls it: each is run, and sent notices as they come and as
//! they must not.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use recharge_gateway::webhooks::signature;

use crate::{RECEIVERS, docs, free_address, is_here};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER: &str = "whsec_Zjw3Td9CptWgMybhwAqx9qwiIzn/KxtCGop5gFp5m7c=";
const PATIENCE: Duration = Duration::from_mins(1);

struct Receiver {
    child: Child,
    address: String,
    home: tempfile::TempDir,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Receiver {
    fn start(ready: &str, run: &str) -> Self {
        let (home, address) = (tempfile::tempdir().unwrap(), free_address());
        for file in std::fs::read_dir(docs().join("shops")).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), home.path().join(file.file_name())).unwrap();
        }
        let made = Command::new("sh")
            .args(["-c", ready])
            .current_dir(home.path())
            .status();
        assert!(made.unwrap().success(), "{ready}");
        let child = spawn(run, &address, home.path());
        let this = Self {
            child,
            address,
            home,
        };
        this.until_it_listens();
        this
    }

    /// Killed as it stands, and started again in the same folder.
    fn start_again(&mut self, run: &str) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.address = free_address();
        self.child = spawn(run, &self.address, self.home.path());
        self.until_it_listens();
    }

    fn until_it_listens(&self) {
        let begun = Instant::now();
        while TcpStream::connect(&self.address).is_err() {
            assert!(begun.elapsed() < PATIENCE, "it doesn't listen");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The status that it answers.
    fn post(&self, id: &str, at: i64, signature: &str, body: &str) -> u16 {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let request = format!(
            "POST /recharge HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n\
             webhook-id: {id}\r\nwebhook-timestamp: {at}\r\nwebhook-signature: {signature}\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        // A reset after the answer is as good as an end.
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer);
        let status = answer.split(' ').nth(1);
        status
            .unwrap_or_else(|| panic!("{answer:?}"))
            .parse()
            .unwrap()
    }

    /// A notice as the gateway sends it.
    fn tell(&self, order_id: &str, state: &str, version: u64) -> u16 {
        let (body, at) = (event(order_id, state, version), now());
        self.post("msg_7", at, &sign(SECRET, "msg_7", at, &body), &body)
    }

    /// All that it has said, once it has said so many lines.
    fn said(&self, lines: usize) -> Vec<String> {
        let begun = Instant::now();
        loop {
            let said = std::fs::read_to_string(self.home.path().join("told.log")).unwrap();
            let said: Vec<String> = said.lines().map(str::to_owned).collect();
            if said.len() >= lines {
                return said;
            }
            assert!(begun.elapsed() < PATIENCE, "{said:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn spawn(run: &str, address: &str, home: &Path) -> Child {
    let run = run.replace("ADDRESS", address);
    let mut words = run.split(' ');
    let log = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(home.join("told.log"));
    Command::new(words.next().unwrap())
        .args(words)
        .current_dir(home)
        .env("SECRET", SECRET)
        .stdin(Stdio::null())
        .stdout(log.unwrap())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_secs()).unwrap()
}

fn sign(secret: &str, id: &str, at: i64, body: &str) -> String {
    signature::sign(&secret.into(), id, at, body).unwrap()
}

fn event(order_id: &str, state: &str, version: u64) -> String {
    format!(
        r#"{{"type":"order.{state}","timestamp":"2026-11-22T11:27:32.779+08:00","data":{{"order_id":"{order_id}","state":"{state}","version":{version}}}}}"#
    )
}

#[test]
fn every_receiver_believes_what_is_signed_now_and_keeps_the_highest_version() {
    for (needs, ready, run) in RECEIVERS {
        if !is_here(needs) {
            println!("not on this machine, and so not run: {needs}");
            continue;
        }
        let mut receiver = Receiver::start(ready, run);
        let (body, at) = (event("A1", "failed", 9), now());
        let right = sign(SECRET, "msg_1", at, &body);
        let long_ago = at - 3_600;
        let refused = [
            ("msg_1", at, sign(OTHER, "msg_1", at, &body), body.clone()),
            ("msg_2", at, right.clone(), body.clone()),
            ("msg_1", at + 1, right.clone(), body.clone()),
            ("msg_1", at, right.clone(), event("A1", "succeeded", 9)),
            ("msg_1", at, right.replace("v1,", "v2,"), body.clone()),
            ("msg_1", at, String::new(), body.clone()),
            (
                "msg_1",
                long_ago,
                sign(SECRET, "msg_1", long_ago, &body),
                body.clone(),
            ),
        ];
        for (id, at, signature, body) in refused {
            let status = receiver.post(id, at, &signature, &body);
            assert_eq!(status, 401, "{needs}: {id} {at} {signature} {body}");
        }
        // One of several that is right is enough: a secret is being changed.
        let several = format!("{} {right}", sign(OTHER, "msg_1", at, &body));
        assert_eq!(receiver.post("msg_1", at, &several, &body), 204, "{needs}");
        assert_eq!(receiver.tell("A2", "review", 5), 204, "{needs}");
        // Again; and what was overtaken.
        assert_eq!(receiver.tell("A2", "review", 5), 204, "{needs}");
        assert_eq!(receiver.tell("A2", "succeeded", 4), 204, "{needs}");
        assert_eq!(receiver.tell("A2", "succeeded", 12), 204, "{needs}");
        receiver.said(3);
        receiver.start_again(run);
        assert_eq!(receiver.tell("A2", "review", 5), 204, "{needs}");
        assert_eq!(receiver.tell("A1", "failed", 9), 204, "{needs}");
        assert_eq!(receiver.tell("A3", "succeeded", 1), 204, "{needs}");
        let said = receiver.said(4);
        let right = ["A1 failed", "A2 review", "A2 succeeded", "A3 succeeded"];
        assert_eq!(said, right, "{needs}");
    }
}
