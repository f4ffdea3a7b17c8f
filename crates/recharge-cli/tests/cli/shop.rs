//! A merchant's machine: a directory with a configuration and a store, and a simulator that it buys from.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::common::{Ended, JISU_KEY, JISU_SECRET, KEY, OPEN_ID, Recharge, Sim, recharge};

/// Whose orders most tests place.
pub(crate) const PHONE: &str = "15912345678";

/// An address that nobody listens on.
pub(crate) const NOBODY: &str = "http://127.0.0.1:9";

/// Times for tests. Of the waits after "no such order", most is what a request may take.
const QUICK: &str = r#"[http]
connect_timeout = "500ms"
timeout = "2s"
[lifecycle]
query_after = ["100ms"]
confirm_failure_after = "300ms"
not_found_quarantine = "200ms"
not_found_answers = 2
send_deadline = "1s"
"#;

/// A merchant's machine.
pub(crate) struct Shop {
    pub(crate) sim: Sim,
    home: TempDir,
}

impl Shop {
    /// Orders end 50 ms after they were taken.
    pub(crate) fn open() -> Self {
        Self::with("50ms", "")
    }

    /// Orders end after `settle`, and `tables` stand at the end of the configuration.
    pub(crate) fn with(settle: &str, tables: &str) -> Self {
        let sim = Sim::of(recharge(&format!(
            "sim --settle-after {settle} --juhe-key {KEY} --juhe-openid {OPEN_ID} \
             --jisu-appkey {JISU_KEY} --jisu-appsecret {JISU_SECRET}"
        )));
        let accounts = sim.toml();
        let (accounts, _) = accounts.split_once("[http]").unwrap();
        let home = TempDir::new().unwrap();
        let toml = format!("{accounts}{QUICK}{tables}");
        std::fs::write(home.path().join("recharge.toml"), toml).unwrap();
        Self { sim, home }
    }

    /// With calls that take a second at most: what waits until no byte can be under way waits less.
    pub(crate) fn hurried(self) -> Self {
        let path = self.path("recharge.toml");
        let toml = std::fs::read_to_string(&path).unwrap();
        let toml = toml
            .replace("timeout = \"2s\"", "timeout = \"1s\"")
            .replace("connect_timeout = \"500ms\"", "connect_timeout = \"200ms\"")
            .replace("send_deadline = \"1s\"", "send_deadline = \"500ms\"");
        std::fs::write(path, toml).unwrap();
        self
    }

    /// A command on this machine.
    pub(crate) fn at(&self, line: &str) -> Recharge {
        recharge(line).inside(self.home.path())
    }

    /// Runs a command, which shows no secret and no phone number.
    #[track_caller]
    pub(crate) fn run(&self, line: &str) -> Ended {
        silent(self.at(line).run())
    }

    /// As JSON.
    #[track_caller]
    pub(crate) fn json(&self, line: &str) -> Value {
        self.run(&format!("{line} --json")).json()
    }

    /// Starts a command and leaves it running.
    pub(crate) fn start(&self, line: &str) -> Running {
        Running::new(self.at(line))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// What goes wrong with the orders of one account: the rest of a script as JSON.
    pub(crate) fn script(&self, account: &str, script: &Value) {
        let mut script = script.clone();
        script["account"] = account.into();
        self.sim
            .post("/_sim/faults", &json!({ "order": [script] }).to_string());
    }

    /// The rows of the ledger about an account.
    pub(crate) fn rows(&self, account: &str) -> Vec<Value> {
        let rows = self.sim.get("/_sim/ledger");
        let rows = rows.as_array().unwrap().iter();
        rows.filter(|row| row["account"] == account)
            .cloned()
            .collect()
    }

    /// How often submits for an account were received, and how often it was charged.
    pub(crate) fn sent(&self, account: &str) -> (u64, u64) {
        let rows = self.rows(account);
        let sum = |name: &str| rows.iter().map(|row| row[name].as_u64().unwrap()).sum();
        (sum("submits"), sum("charges"))
    }

    /// Waits until a submit for the account has been received.
    #[track_caller]
    pub(crate) fn waits_for(&self, account: &str) {
        until("a submit was received", || self.sent(account).0 > 0);
    }
}

/// A command that runs.
pub(crate) struct Running(Option<Child>);

impl Running {
    pub(crate) fn new(run: Recharge) -> Self {
        let (mut child, _) = run.start();
        drop(child.stdin.take());
        Self(Some(child))
    }

    fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.0.as_ref().unwrap().id());
        let sent = Command::new("sh").args(["-c", &kill]).status();
        assert!(sent.unwrap().success());
    }

    /// Tells it to stop, and waits until it has.
    #[track_caller]
    pub(crate) fn stopped(mut self) -> Ended {
        self.signal("TERM");
        silent(Ended::of(self.0.take().unwrap()))
    }

    /// Waits until it has ended by itself.
    #[track_caller]
    pub(crate) fn ended(mut self) -> Ended {
        silent(Ended::of(self.0.take().unwrap()))
    }

    /// Ends it at once, as a crash would.
    pub(crate) fn killed(self) {
        drop(self);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            // It may have ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Nothing of what must not be shown, on either stream.
#[track_caller]
pub(crate) fn silent(ended: Ended) -> Ended {
    for text in [&ended.out, &ended.err] {
        for secret in [KEY, OPEN_ID, JISU_KEY, JISU_SECRET, PHONE] {
            assert!(!text.contains(secret), "{secret} in {ended:?}");
        }
    }
    ended
}

/// Looks until it is so.
#[track_caller]
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(30), "never: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
