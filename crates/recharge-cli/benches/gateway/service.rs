//! The two sides, each in a process of its own: `recharge serve`, and the reference.

use std::error::Error;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::upstream::Upstream;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The account at the upstream.
pub(super) const APP_KEY: &str = "fedcba9876543210fedcba9876543210";

const MASTER_KEY: &str = "5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e";

/// A process that serves. It is killed when it is dropped.
pub(super) struct Serving {
    child: Child,
    pub(super) address: String,
    /// From its start until it said where it listens.
    pub(super) ready: Duration,
}

impl Serving {
    fn start(command: &mut Command) -> Result<Self> {
        let begun = Instant::now();
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let stdout = child.stdout.take().ok_or("no output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let ready = begun.elapsed();
        let mut this = Self {
            child,
            address: String::new(),
            ready,
        };
        let said = line.trim().strip_prefix("listening on http://");
        said.ok_or("it doesn't listen")?
            .clone_into(&mut this.address);
        Ok(this)
    }

    /// How much memory it has, in kilobytes.
    pub(super) fn memory(&self) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let resident = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|text| text.trim().strip_suffix("kB"))
            .ok_or("the system does not say how much memory is used")?;
        Ok(resident.trim().parse()?)
    }

    /// Lets it come to its end.
    pub(super) fn end(mut self) -> Result<()> {
        let pid = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &pid]).status()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The reference on a fresh file in this folder.
pub(super) fn bare(folder: &Path) -> Result<Serving> {
    let mut command = Command::new(std::env::current_exe()?);
    Serving::start(command.arg("bare").arg(folder.join("bare.sqlite")))
}

/// A home of `recharge serve`: its configuration and its store.
pub(super) struct Home<'a> {
    folder: &'a Path,
}

impl<'a> Home<'a> {
    pub(super) fn new(folder: &'a Path, upstream: &Upstream, more: &str) -> Result<Self> {
        let config = format!(
            "[juhe]\napp_key = \"{APP_KEY}\"\nopen_id = \"JH0123456789abcdef0123456789abcdef\"\n\
             base_url = \"http://{}\"\n[http]\ntransport = \"hyper\"\n\
             [server]\nlisten = \"127.0.0.1:0\"\n{more}",
            upstream.address
        );
        std::fs::write(folder.join("recharge.toml"), config)?;
        Ok(Self { folder })
    }

    pub(super) fn serve(&self) -> Result<Serving> {
        Serving::start(self.recharge().arg("serve"))
    }

    /// A key of the shop's that may do anything.
    pub(super) fn key(&self) -> Result<String> {
        let made = self.made(&["--scope", "submit,read,operate"])?;
        Ok(text(&made, "key")?.to_owned())
    }

    /// A drop-in credential of the shop's: what names it, and what signs.
    pub(super) fn credential(&self) -> Result<(String, String)> {
        let made = self.made(&["--compat", "juhe"])?;
        let (app_key, open_id) = (text(&made, "app_key")?, text(&made, "open_id")?);
        Ok((app_key.to_owned(), open_id.to_owned()))
    }

    fn made(&self, how: &[&str]) -> Result<Value> {
        let mut command = self.recharge();
        command.args(["keys", "create", "--merchant", "shop", "--json"]);
        let output = command.args(how).stderr(Stdio::inherit()).output()?;
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    fn recharge(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_recharge"));
        command
            .env_clear()
            .env("RECHARGE_MASTER_KEY", MASTER_KEY)
            .current_dir(self.folder)
            .stdin(Stdio::null());
        command
    }
}

fn text<'a>(made: &'a Value, name: &str) -> Result<&'a str> {
    let text = made.get(name).and_then(Value::as_str);
    Ok(text.ok_or_else(|| format!("no {name}"))?)
}
