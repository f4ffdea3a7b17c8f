//! Schemathesis on the gateway: thousands of requests made from its own description, right and wrong ones, against the
//! real command with the simulator behind it. None may be answered by a fault of ours (5xx), not at all, or in a way
//! that the description hasn't.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::project::{Project, Result};
use crate::{proof, run};

/// What is installed, in these versions: with others a seed would mean other requests.
const PACKAGES: &[&str] = &["schemathesis==4.32.5", "hypothesis==6.170.15"];

/// What it looks for in each answer.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
    response_schema_conformance,response_headers_conformance";

/// How long all of it may take; it takes a minute.
const PATIENCE: Duration = Duration::from_mins(6);

const CONFIG: &str = r#"
[server]
listen = "127.0.0.1:0"
[juhe]
app_key = "seventeenlettersandmoreofthem000"
open_id = "JHseventeenlettersandmoreofthem00"
base_url = "SIMULATOR"
[jisu]
app_key = "seventeenletters"
app_secret = "seventeenlettersandmoreofthem000"
base_url = "SIMULATOR"
"#;

const SIM: &[&str] = &[
    "sim",
    "--listen",
    "127.0.0.1:0",
    "--settle-after",
    "1s",
    "--juhe-key",
    "seventeenlettersandmoreofthem000",
    "--juhe-openid",
    "JHseventeenlettersandmoreofthem00",
    "--jisu-appkey",
    "seventeenletters",
    "--jisu-appsecret",
    "seventeenlettersandmoreofthem000",
];

/// Runs it: so many requests for each route and way of making them up. `false` when anything is wrong.
pub(crate) fn run(project: &Project, seed: u64, examples: u32) -> Result<bool> {
    let program = installed(project)?;
    let recharge = proof::recharge(project)?;
    let folder = tempfile::tempdir()?;
    let home = folder.path();
    let simulator = Service::start(command(&recharge, home).args(SIM))?;
    let config = CONFIG.replace("SIMULATOR", &simulator.url);
    fs::write(home.join("recharge.toml"), config)?;
    let log = home.join("log");
    let mut gateway = Service::start(
        command(&recharge, home)
            .arg("serve")
            .stderr(fs::File::create(&log)?),
    )?;
    let key = key(&recharge, home)?;
    let mut tests = Command::new(program);
    tests
        .current_dir(home)
        .args(["run", &format!("{}/openapi.json", gateway.url)])
        .args(["--header", &format!("Authorization: Bearer {key}")])
        .args([
            "--seed",
            &seed.to_string(),
            "--max-examples",
            &examples.to_string(),
        ])
        .args(["--checks", CHECKS, "--phases", "examples,coverage,fuzzing"])
        .args(["--request-timeout", "10", "--workers", "2"])
        .args(["--generation-database", "none", "--warnings", "off"])
        .args(["--continue-on-failure", "--no-color"]);
    let passed = within(&mut tests, PATIENCE)?;
    // It still runs, and nothing was written that is not a line of the log.
    let served = gateway.is_running()?;
    let log = fs::read_to_string(log)?;
    let odd = log
        .lines()
        .find(|line| !(line.starts_with("{\"timestamp\":\"") && line.ends_with('}')));
    if let Some(line) = odd {
        println!("schemathesis: this is no line of the log: {line}");
    }
    let panicked = log.contains("panicked");
    if panicked || !served {
        println!("schemathesis: the gateway panicked or has ended; its log:\n{log}");
    }
    Ok(passed && odd.is_none() && served && !panicked)
}

/// The program, in a folder of its own that is made the first time.
fn installed(project: &Project) -> Result<PathBuf> {
    let folder = proof::target(project).join("schemathesis");
    let (program, said) = (folder.join("bin/schemathesis"), folder.join("installed"));
    let wanted = PACKAGES.join(" ");
    if fs::read_to_string(&said).is_ok_and(|it| it == wanted) {
        return Ok(program);
    }
    println!("schemathesis: installing {wanted}");
    let mut make = Command::new("python3");
    make.args(["-m", "venv", "--clear"]).arg(&folder);
    run::output(&mut make).map_err(|error| {
        format!("{error}\npython3 with its venv is needed (Debian: python3-venv)")
    })?;
    let mut install = Command::new(folder.join("bin/pip"));
    install.args(["install", "--quiet", "--disable-pip-version-check"]);
    run::output(install.args(PACKAGES))?;
    fs::write(said, wanted)?;
    Ok(program)
}

/// The command, in that folder, with none of the settings of whoever runs this.
fn command(recharge: &Path, home: &Path) -> Command {
    let mut command = Command::new(recharge);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("RECHARGE_") {
            command.env_remove(name);
        }
    }
    command
        .current_dir(home)
        .env("RECHARGE_MASTER_KEY", "5e".repeat(32));
    command
}

/// A key that may do everything.
fn key(recharge: &Path, home: &Path) -> Result<String> {
    let mut make = command(recharge, home);
    make.args(["keys", "create", "--merchant", "shop"]);
    let shown = run::output(make.args(["--scope", "submit,read,operate", "--json"]))?;
    let (_, rest) = shown
        .split_once("\"key\":\"")
        .ok_or("`keys create` has shown no key")?;
    Ok(rest.split('"').next().unwrap_or_default().to_owned())
}

/// Runs it for at most so long. Whether it ended well.
fn within(command: &mut Command, patience: Duration) -> Result<bool> {
    let mut child = command.spawn()?;
    let give_up = Instant::now() + patience;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status.success());
        }
        if Instant::now() > give_up {
            child.kill()?;
            child.wait()?;
            println!("schemathesis: it took longer than {} s", patience.as_secs());
            return Ok(false);
        }
        thread::sleep(Duration::from_millis(100));
    }
}

/// A command that listens. Dropping it ends it.
struct Service {
    child: Child,
    url: String,
}

impl Service {
    /// Starts it, and waits until it says where it listens.
    fn start(command: &mut Command) -> Result<Self> {
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let stdout = child.stdout.take().ok_or("there is no output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let url = line.trim().strip_prefix("listening on ");
        let url = url.map(str::to_owned);
        let service = Self {
            child,
            url: url.clone().unwrap_or_default(),
        };
        url.map(|_| service)
            .ok_or_else(|| format!("{command:?} did not begin to listen").into())
    }

    fn is_running(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let child = &mut self.child;
        // It may have ended already.
        let _ = child.kill();
        let _ = child.wait();
    }
}
