//! The simulator in a process of its own, and what it says over HTTP.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::Result;
use crate::http::{self, Ask};

/// How long the simulator may take until it has nothing more in mind.
const PATIENCE: Duration = Duration::from_secs(20);

/// Every key, OpenID and secret of both upstreams' accounts: here they protect nothing.
pub(crate) const KEY: &str = "0123456789abcdef0123456789abcdef";

/// The simulator. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Upstream {
    child: Child,
    address: SocketAddr,
}

/// A row of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Booked {
    pub(crate) provider: String,
    /// The number under which it came.
    pub(crate) number: String,
    pub(crate) account: String,
    /// How many submits of this number came.
    pub(crate) submits: u64,
    /// Effective charges.
    pub(crate) charges: u64,
}

/// What has been counted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counts {
    pub(crate) submits: u64,
    pub(crate) queries: u64,
    /// Callbacks that were confirmed.
    pub(crate) callbacks: u64,
    pub(crate) faults: BTreeMap<String, u64>,
    /// In how many milliseconds the next thing happens by itself.
    next_event_ms: Option<u64>,
}

impl Upstream {
    /// Starts it with a scenario file. It calls back to the gateway at the address, if one is given.
    pub(crate) fn start(
        recharge: &Path,
        scenario: &Path,
        seed: u64,
        gateway: Option<SocketAddr>,
    ) -> Result<Self> {
        let mut command = Command::new(recharge);
        command
            .args(["sim", "--listen", "127.0.0.1:0", "--scenario"])
            .arg(scenario)
            .args(["--seed", &seed.to_string()])
            .args(["--juhe-key", KEY, "--juhe-openid", KEY])
            .args(["--jisu-appkey", KEY, "--jisu-appsecret", KEY]);
        if let Some(gateway) = gateway {
            let url = |upstream| format!("http://{gateway}/callbacks/{upstream}");
            command
                .args(["--callback-url", &url("juhe")])
                .args(["--jisu-callback-url", &url("jisu")]);
        }
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("can't start {}: {error}", recharge.display()))?;
        let stdout = child.stdout.take().ok_or("the simulator has no output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let address = line.trim().strip_prefix("listening on http://");
        let Some(address) = address.and_then(|it| it.parse().ok()) else {
            child.kill()?;
            child.wait()?;
            return Err(format!("the simulator did not start: {line:?}").into());
        };
        Ok(Self { child, address })
    }

    /// Such as `http://127.0.0.1:40123`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What was really charged.
    pub(crate) fn ledger(&self) -> Result<Vec<Booked>> {
        let rows = self.get("/_sim/ledger")?;
        let rows = rows.as_array().ok_or("the ledger is no list")?;
        rows.iter().map(booked).collect()
    }

    /// What has been counted so far.
    pub(crate) fn counts(&self) -> Result<Counts> {
        let counts = self.get("/_sim/faults")?;
        let stage = |name: &str| counts["by_stage"][name].as_u64().unwrap_or(0);
        let kinds = counts["by_kind"].as_object();
        Ok(Counts {
            submits: stage("submit"),
            queries: stage("query"),
            callbacks: counts["callbacks_confirmed"].as_u64().unwrap_or(0),
            faults: kinds
                .into_iter()
                .flatten()
                .map(|(kind, count)| (kind.clone(), count.as_u64().unwrap_or(0)))
                .collect(),
            next_event_ms: counts["next_event_ms"].as_u64(),
        })
    }

    /// Waits until it has nothing more in mind, such as taking an order that is late.
    pub(crate) fn come_to_rest(&self) -> Result<()> {
        let until = Instant::now() + PATIENCE;
        while let Some(next) = self.counts()?.next_event_ms {
            if Instant::now() > until {
                return Err("the simulator does not come to rest".into());
            }
            thread::sleep(Duration::from_millis(next.clamp(1, 1_000)));
        }
        Ok(())
    }

    fn get(&self, path: &str) -> Result<Value> {
        let ask = Ask {
            method: "GET",
            path,
            ..Ask::default()
        };
        let reply = http::ask(self.address, ask)?;
        if reply.status != 200 {
            return Err(format!("the simulator answered {path} with {}", reply.status).into());
        }
        Ok(reply.json())
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn booked(row: &Value) -> Result<Booked> {
    let text = |name: &str| {
        let text = row[name].as_str().map(str::to_owned);
        text.ok_or_else(|| format!("a row of the ledger has no {name}"))
    };
    let number = |name: &str| {
        let number = row[name].as_u64();
        number.ok_or_else(|| format!("a row of the ledger has no {name}"))
    };
    Ok(Booked {
        provider: text("provider")?,
        number: text("order_id")?,
        account: text("account")?,
        submits: number("submits")?,
        charges: number("charges")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_lacks_something_is_no_row() {
        let row = serde_json::json!({
            "provider": "juhe", "order_id": "A", "account": "138", "submits": 1, "charges": 1
        });
        assert!(booked(&row).is_ok());
        for name in ["provider", "order_id", "account", "submits", "charges"] {
            let mut row = row.clone();
            row[name] = Value::Null;
            assert!(booked(&row).is_err(), "{name}");
        }
    }
}
