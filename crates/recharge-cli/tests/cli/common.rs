//! Runs the real binary, in an empty directory and with no environment but what a test gives.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// One run of the binary, to be set up.
pub(crate) struct Recharge {
    args: Vec<String>,
    variables: Vec<(String, String)>,
    files: Vec<(String, String)>,
    input: Vec<u8>,
    home: Option<PathBuf>,
}

/// What a run gave.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// The binary with these arguments, split at spaces.
pub(crate) fn recharge(line: &str) -> Recharge {
    Recharge {
        args: line.split_whitespace().map(str::to_owned).collect(),
        variables: Vec::new(),
        files: Vec::new(),
        input: Vec::new(),
        home: None,
    }
}

impl Recharge {
    /// One more argument, spaces and all.
    pub(crate) fn arg(mut self, arg: &str) -> Self {
        self.args.push(arg.to_owned());
        self
    }

    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A file in the directory of the run.
    pub(crate) fn file(mut self, name: &str, text: &str) -> Self {
        self.files.push((name.to_owned(), text.to_owned()));
        self
    }

    pub(crate) fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = input.into();
        self
    }

    /// In this directory, and not in a new one.
    pub(crate) fn inside(mut self, home: &Path) -> Self {
        self.home = Some(home.to_owned());
        self
    }

    fn command(&self, home: &Path) -> Command {
        for (name, text) in &self.files {
            std::fs::write(home.join(name), text).unwrap();
        }
        let mut command = Command::new(env!("CARGO_BIN_EXE_recharge"));
        command
            .args(&self.args)
            .env_clear()
            .envs(self.variables.iter().cloned())
            .current_dir(home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub(crate) fn run(self) -> Ended {
        let new = TempDir::new().unwrap();
        let home = self.home.as_deref().unwrap_or(new.path());
        let mut child = self.command(home).spawn().unwrap();
        // A command that reads no input may have gone already.
        let _ = child.stdin.take().unwrap().write_all(&self.input);
        Ended::of(child)
    }

    /// Starts it and leaves it running, with its standard output to be read.
    pub(crate) fn start(self) -> (Child, TempDir) {
        let new = TempDir::new().unwrap();
        let home = self.home.as_deref().unwrap_or(new.path());
        let child = self.command(home).spawn().unwrap();
        (child, new)
    }
}

impl Ended {
    /// Waits until it has ended by itself.
    #[track_caller]
    pub(crate) fn of(child: Child) -> Self {
        let output = child.wait_with_output().unwrap();
        let ended = Self {
            code: output.status.code().expect("an exit status, not a signal"),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        };
        assert!(!ended.err.contains("panicked"), "{ended:?}");
        ended
    }

    /// Ended with this status.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        self
    }

    /// Standard output as JSON: one line.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.out.lines().count(), 1, "{self:?}");
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("{self:?}"))
    }

    /// The error on standard error as JSON; nothing stands on standard output.
    #[track_caller]
    pub(crate) fn json_error(&self) -> Value {
        assert_eq!(
            (self.out.as_str(), self.err.lines().count()),
            ("", 1),
            "{self:?}"
        );
        let error: Value = serde_json::from_str(&self.err).unwrap_or_else(|_| panic!("{self:?}"));
        assert_eq!(error["error"]["exit"], self.code, "{self:?}");
        error["error"].clone()
    }

    #[track_caller]
    pub(crate) fn says(&self, text: &str) -> &Self {
        assert!(self.out.contains(text), "{text:?} in {self:?}");
        self
    }

    #[track_caller]
    pub(crate) fn complains(&self, text: &str) -> &Self {
        assert!(self.err.contains(text), "{text:?} in {self:?}");
        self
    }
}

pub(crate) const KEY: &str = "canaryappkey0000000000000000000a";
pub(crate) const OPEN_ID: &str = "JHcanaryopenid000000000000000000a";
pub(crate) const JISU_KEY: &str = "canaryjisukey000";
pub(crate) const JISU_SECRET: &str = "canaryjisusecret000000000000000a";

/// A simulator of its own process. Dropping it ends it.
pub(crate) struct Sim {
    child: Child,
    /// Such as `127.0.0.1:40123`.
    pub(crate) address: String,
    _home: TempDir,
}

impl Sim {
    /// With our secrets; orders end only when stepped.
    pub(crate) fn start() -> Self {
        let line = format!(
            "sim --settle-after never --juhe-key {KEY} --juhe-openid {OPEN_ID} \
             --jisu-appkey {JISU_KEY} --jisu-appsecret {JISU_SECRET}"
        );
        Self::of(recharge(&line))
    }

    pub(crate) fn of(run: Recharge) -> Self {
        let (mut child, home) = run.start();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap())
            .read_line(&mut line)
            .unwrap();
        let address = line
            .strip_prefix("listening on http://")
            .and_then(|rest| rest.strip_suffix('\n'))
            .unwrap_or_else(|| panic!("{line:?}"))
            .to_owned();
        Self {
            child,
            address,
            _home: home,
        }
    }

    pub(crate) fn get(&self, path: &str) -> Value {
        self.exchange(&format!("GET {path} HTTP/1.0\r\n\r\n"))
    }

    pub(crate) fn post(&self, path: &str, body: &str) -> Value {
        let length = body.len();
        self.exchange(&format!(
            "POST {path} HTTP/1.0\r\nContent-Length: {length}\r\n\r\n{body}"
        ))
    }

    fn exchange(&self, request: &str) -> Value {
        let body = self.exchange_text(request);
        serde_json::from_str(&body).unwrap_or_else(|_| panic!("{body}"))
    }

    /// The body of the answer to a request, which is not kept alive.
    pub(crate) fn exchange_text(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split_once("\r\n\r\n").unwrap().1.to_owned()
    }

    /// The row of an order in the ledger.
    pub(crate) fn ledger(&self, order_id: &str) -> Value {
        let rows = self.get("/_sim/ledger");
        rows.as_array()
            .unwrap()
            .iter()
            .find(|row| row["order_id"] == order_id)
            .unwrap_or_else(|| panic!("{rows}"))
            .clone()
    }

    /// A configuration file that points at it.
    pub(crate) fn toml(&self) -> String {
        let address = &self.address;
        format!(
            "[juhe]\napp_key = \"{KEY}\"\nopen_id = \"{OPEN_ID}\"\nbase_url = \"http://{address}\"\n\
             [jisu]\napp_key = \"{JISU_KEY}\"\napp_secret = \"{JISU_SECRET}\"\nbase_url = \"http://{address}/\"\n\
             [http]\nconnect_timeout = \"5s\"\ntimeout = \"30s\"\n"
        )
    }

    /// A run that is configured for it.
    pub(crate) fn with(&self, line: &str) -> Recharge {
        recharge(line).file("recharge.toml", &self.toml())
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it has ended by itself.
    pub(crate) fn ended(&mut self) -> i32 {
        self.child.wait().unwrap().code().expect("not a signal")
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The address of a server that gives its first caller this JSON.
pub(crate) fn answers(body: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        request(&stream);
        let length = body.len();
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
        (&stream)
            .write_all(format!("{head}{body}").as_bytes())
            .unwrap();
    });
    format!("http://{address}")
}

/// The body of the request on a connection.
pub(crate) fn request(stream: &TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    String::from_utf8(body).unwrap()
}
