//! One process of the command, and how it is watched, stopped and killed.

use std::io::{BufRead as _, BufReader, Read};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use crate::Result;
use crate::bench::Bench;
use crate::strace::{self, Disk};

/// How often it is looked whether something has come about.
const LOOK: Duration = Duration::from_micros(200);

/// How often it is looked whether a process has ended by itself.
const LOOK_AT_END: Duration = Duration::from_millis(3);

/// What the command prints for an order, once its acceptance is durable.
const ACKNOWLEDGEMENT: &str = "accepted ";

/// What the service prints, once it answers.
const SERVES: &str = "listening on ";

/// The key that seals drop-in credentials: the variable, and what is in it.
pub(crate) const MASTER_KEY: (&str, &str) = (
    "RECHARGE_MASTER_KEY",
    "5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e",
);

/// A process of the command.
#[derive(Debug)]
pub(crate) struct Life {
    child: Child,
    said: JoinHandle<String>,
    /// Whether it has said that it serves.
    serves: Arc<AtomicBool>,
}

/// How a life ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    /// The ids that it acknowledged.
    pub(crate) acknowledged: Vec<String>,
    /// What it said on standard error.
    pub(crate) said: String,
}

impl Ended {
    /// Whether it was killed, by us or by strace, and did not end by itself.
    pub(crate) fn was_killed(&self) -> bool {
        self.status.signal() == Some(Signal::KILL.as_raw())
    }
}

impl Life {
    /// Begins a life on the bench's file.
    pub(crate) fn begin(bench: &Bench) -> Result<Self> {
        Self::batch(Command::new(&bench.recharge), bench)
    }

    /// Begins a life whose disk is watched, and may fail.
    pub(crate) fn begin_with(bench: &Bench, disk: Disk) -> Result<Self> {
        Self::batch(traced(bench, disk), bench)
    }

    /// Begins a life as a service, on a disk that may be watched and may fail.
    pub(crate) fn serve(bench: &Bench, disk: Option<Disk>) -> Result<Self> {
        let plain = || Command::new(&bench.recharge);
        let mut command = disk.map_or_else(plain, |disk| traced(bench, disk));
        command
            .arg("serve")
            .env(MASTER_KEY.0, MASTER_KEY.1)
            // Every request has a line otherwise, and nobody reads it.
            .env("RECHARGE_LOG", "warn")
            .stdout(Stdio::piped());
        Self::spawn(command, bench)
    }

    fn batch(mut command: Command, bench: &Bench) -> Result<Self> {
        command
            .arg("batch")
            .arg(bench.orders())
            .arg("--verbose")
            .arg("--out")
            .arg(bench.result())
            .stdout(Stdio::null());
        Self::spawn(command, bench)
    }

    fn spawn(mut command: Command, bench: &Bench) -> Result<Self> {
        let mut child = command
            .arg("--db")
            .arg(bench.db())
            .arg("--config")
            .arg(bench.config())
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            // So that strace and what it traces are killed together.
            .process_group(0)
            .spawn()?;
        let stderr = child.stderr.take().ok_or("the command has no errors")?;
        let serves = Arc::new(AtomicBool::new(false));
        if let Some(stdout) = child.stdout.take() {
            let serves = Arc::clone(&serves);
            // It ends with the process.
            thread::spawn(move || {
                for line in BufReader::new(stdout)
                    .lines()
                    .map_while(std::result::Result::ok)
                {
                    if line.starts_with(SERVES) {
                        serves.store(true, Ordering::SeqCst);
                    }
                }
            });
        }
        Ok(Self {
            child,
            said: thread::spawn(move || all(stderr)),
            serves,
        })
    }

    /// Whether it has said that it answers requests.
    pub(crate) fn serves(&self) -> bool {
        self.serves.load(Ordering::SeqCst)
    }

    /// Whether it is alive.
    pub(crate) fn is_alive(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }

    /// Waits until it ends or the condition holds; answers whether the condition holds. `false` as well
    /// when it takes too long.
    pub(crate) fn until(
        &mut self,
        patience: Duration,
        mut condition: impl FnMut() -> Result<bool>,
    ) -> Result<bool> {
        let end = Instant::now() + patience;
        while self.is_alive()? {
            if condition()? {
                return Ok(true);
            }
            if Instant::now() > end {
                return Ok(false);
            }
            thread::sleep(LOOK);
        }
        Ok(false)
    }

    /// Waits until it ends by itself; kills it when that takes too long.
    pub(crate) fn end(mut self, patience: Duration) -> Result<Ended> {
        let until = Instant::now() + patience;
        while self.is_alive()? && Instant::now() < until {
            thread::sleep(LOOK_AT_END);
        }
        self.kill()
    }

    /// Kills it, if it hasn't ended.
    pub(crate) fn kill(mut self) -> Result<Ended> {
        if self.is_alive()? {
            self.signal(Signal::KILL)?;
        }
        let status = self.child.wait()?;
        let said = self.said.join();
        let said = said.map_err(|_| "the reader of the command's output broke off")?;
        Ok(Ended {
            status,
            acknowledged: acknowledged(&said),
            said,
        })
    }

    /// Sends a signal to it and to what it runs in.
    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        let id = i32::try_from(self.child.id())?;
        let pid = Pid::from_raw(id).ok_or("the command has no process")?;
        match rustix::process::kill_process_group(pid, signal) {
            // It has just ended.
            Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// The command under strace.
fn traced(bench: &Bench, disk: Disk) -> Command {
    let mut command = strace::before(&bench.db(), &bench.trace(), disk);
    command.arg(&bench.recharge);
    command
}

/// A line that the kill cut off has told nobody anything.
fn acknowledged(said: &str) -> Vec<String> {
    let whole = said.split_inclusive('\n');
    let ids = whole.filter_map(|line| line.strip_suffix('\n')?.strip_prefix(ACKNOWLEDGEMENT));
    ids.map(str::to_owned).collect()
}

fn all(mut stderr: impl Read) -> String {
    let mut bytes = Vec::new();
    // What was read until it broke off is all there is.
    let _ = stderr.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_line_acknowledges() {
        let said = "accepted A1\nwarning: accepted B\naccepted A2\naccepted A";
        assert_eq!(acknowledged(said), ["A1", "A2"]);
    }
}
