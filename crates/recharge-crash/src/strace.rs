//! Faults of the disk: strace makes a system call of the command's on the store's files fail, or kills
//! the command in it. Nothing else is touched: not the sockets, and no other file.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Result;
use crate::books::beside;

/// What the command does to its files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Call {
    /// Writes bytes.
    Write,
    /// Syncs.
    Sync,
    /// Makes a file shorter or longer.
    Truncate,
}

impl Call {
    pub(crate) const ALL: [Self; 3] = [Self::Write, Self::Sync, Self::Truncate];

    /// What it is called in the output.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Write => "writes",
            Self::Sync => "syncs",
            Self::Truncate => "truncates",
        }
    }

    /// The system calls, as strace names them.
    const fn names(self) -> &'static str {
        match self {
            Self::Write => "write,pwrite64,writev,pwritev",
            Self::Sync => "fsync,fdatasync",
            Self::Truncate => "ftruncate",
        }
    }
}

/// What becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// An error of the disk.
    Eio,
    /// No space is left.
    Enospc,
    /// The process dies in it.
    Kill,
}

impl Fault {
    pub(crate) const ALL: [Self; 3] = [Self::Eio, Self::Enospc, Self::Kill];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Eio => "EIO",
            Self::Enospc => "ENOSPC",
            Self::Kill => "kill",
        }
    }

    const fn expression(self) -> &'static str {
        match self {
            Self::Eio => "error=EIO",
            Self::Enospc => "error=ENOSPC",
            Self::Kill => "signal=KILL",
        }
    }
}

/// Which call of a kind fails, counted in each thread from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Injection {
    pub(crate) call: Call,
    pub(crate) fault: Fault,
    pub(crate) at: u32,
}

/// Says why, where there is no strace.
pub(crate) fn is_there() -> Result<()> {
    let found = Command::new("strace")
        .arg("-V")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    match found {
        Ok(status) if status.success() => Ok(()),
        Ok(_) | Err(_) => Err(
            "faults of the disk take strace: install it, such as by `apt-get install strace`"
                .into(),
        ),
    }
}

/// What is done to a life's system calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Disk {
    /// What fails. Without it, calls are only written down.
    pub(crate) injection: Option<Injection>,
    /// What takes long. Syncs, as on a disk that spins: more orders share one then, and a run makes fewer of
    /// them. Writes: what comes before them is done long before they are.
    pub(crate) slow: Option<Call>,
}

/// How long a slow call takes, in microseconds. A commit is one sync and many writes.
const fn slowness(call: Call) -> u32 {
    match call {
        Call::Sync | Call::Truncate => 20_000,
        Call::Write => 2_000,
    }
}

/// strace before a command, watching the files of a store; the trace goes to a file.
pub(crate) fn before(db: &Path, trace: &Path, disk: Disk) -> Command {
    let mut command = Command::new("strace");
    command
        .args(["-f", "-qq", "-a", "0", "-s", "0", "-o"])
        .arg(trace);
    for file in files(db) {
        command.arg("-P").arg(file);
    }
    let all: Vec<&str> = Call::ALL.into_iter().map(Call::names).collect();
    command.arg("-e").arg(format!("trace={}", all.join(",")));
    let kills = disk.injection.is_some_and(|it| it.fault == Fault::Kill);
    if !kills {
        // Much quicker; but a signal that is sent so is lost.
        command.arg("--seccomp-bpf");
    }
    if let Some(slow) = disk.slow {
        let (names, time) = (slow.names(), slowness(slow));
        command
            .arg("-e")
            .arg(format!("inject={names}:delay_enter={time}"));
    }
    if let Some(Injection { call, fault, at }) = disk.injection {
        let (names, how) = (call.names(), fault.expression());
        command
            .arg("-e")
            .arg(format!("inject={names}:{how}:when={at}"));
    }
    command
}

/// The files of a store that hold orders. What is in the shared memory is made anew after a crash.
fn files(db: &Path) -> [PathBuf; 3] {
    [db.to_owned(), beside(db, "-wal"), beside(db, "-journal")]
}

/// How many calls a thread made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Calls {
    pub(crate) writes: u32,
    pub(crate) syncs: u32,
    pub(crate) truncates: u32,
}

impl Calls {
    /// How many of a kind.
    pub(crate) fn calls(&self, call: Call) -> u32 {
        match call {
            Call::Write => self.writes,
            Call::Sync => self.syncs,
            Call::Truncate => self.truncates,
        }
    }

    /// Of each kind the greater number.
    pub(crate) fn most(&mut self, other: Self) {
        self.writes = self.writes.max(other.writes);
        self.syncs = self.syncs.max(other.syncs);
        self.truncates = self.truncates.max(other.truncates);
    }

    fn count(&mut self, call: Call) {
        match call {
            Call::Write => self.writes += 1,
            Call::Sync => self.syncs += 1,
            Call::Truncate => self.truncates += 1,
        }
    }
}

/// What a trace says was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Traced {
    /// By the thread that came first: it makes the file.
    pub(crate) first: Calls,
    /// By any one thread at most.
    pub(crate) all: Calls,
    /// Calls that failed, and kills.
    pub(crate) struck: u64,
}

impl Traced {
    /// Reads the trace of a life, which is written to its end when the life has ended.
    pub(crate) fn read(trace: &Path) -> Result<Self> {
        Ok(Self::of(&String::from_utf8_lossy(&fs::read(trace)?)))
    }

    fn of(trace: &str) -> Self {
        let mut threads: BTreeMap<&str, Calls> = BTreeMap::new();
        let (mut first, mut struck, mut killed) = (None, 0, false);
        for line in trace.lines() {
            let Some((thread, rest)) = line.split_once(' ') else {
                continue;
            };
            killed |= rest.contains("+++ killed by SIGKILL +++");
            // A call that is only slowed down has its mark too.
            struck += u64::from(rest.contains("= -1 E") && rest.contains("(INJECTED"));
            let name = rest.trim_start().split('(').next().unwrap_or_default();
            let is = |call: &Call| call.names().split(',').any(|it| it == name);
            if let Some(call) = Call::ALL.into_iter().find(is) {
                threads.entry(thread).or_default().count(call);
                first.get_or_insert(thread);
            }
        }
        let mut all = Calls::default();
        for calls in threads.values() {
            all.most(*calls);
        }
        let of_first = first.and_then(|thread| threads.get(thread)).copied();
        Self {
            first: of_first.unwrap_or_default(),
            all,
            struck: struck + u64::from(killed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_counted_by_thread() {
        let trace = "\
10 pwrite64(12, \"\"..., 24, 0) = 24
10 pwrite64(12, \"\"..., 4096, 24) = -1 EIO (Input/output error) (INJECTED)
11 pwrite64(12, \"\"..., 24, 0) = 24
11 fsync(12) = 0 (DELAYED)
11 ftruncate(12, 0) = 0
10 +++ killed by SIGKILL +++
11 +++ killed by SIGKILL +++";
        let expected = Traced {
            first: Calls {
                writes: 2,
                ..Calls::default()
            },
            all: Calls {
                writes: 2,
                syncs: 1,
                truncates: 1,
            },
            struck: 2,
        };
        assert_eq!(Traced::of(trace), expected);
        assert_eq!(Traced::of(""), Traced::default());
    }
}
