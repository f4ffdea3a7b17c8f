//! Counts of calls, hits and faults, and the log of requests.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde::Serialize;

use crate::config::Upstream;
use crate::faults::{FaultKind, Stage};

/// How many requests the log keeps; the oldest make room.
const LOG_LENGTH: usize = 10_000;

/// What was counted since the start or the last reset.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// Calls to documented paths.
    pub calls: u64,
    /// Calls that a fault hit. `End` and callback faults hit no call.
    pub hits: u64,
    /// Calls and hits by stage.
    pub by_stage: BTreeMap<Stage, (u64, u64)>,
    /// Faults of every stage, by kind.
    pub faults: BTreeMap<FaultKind, u64>,
    /// Callbacks sent, repetitions included.
    pub callbacks_sent: u64,
    /// Callbacks answered with `success`.
    pub callbacks_confirmed: u64,
}

impl Stats {
    /// All injected faults together.
    pub fn faults_injected(&self) -> u64 {
        self.faults.values().sum()
    }

    pub(crate) fn call(&mut self, stage: Stage, hit: Option<FaultKind>) {
        let (calls, hits) = self.by_stage.entry(stage).or_default();
        *calls += 1;
        self.calls += 1;
        if let Some(kind) = hit {
            *hits += 1;
            self.hits += 1;
            self.fault(kind);
        }
    }

    pub(crate) fn fault(&mut self, kind: FaultKind) {
        *self.faults.entry(kind).or_default() += 1;
    }
}

/// One request, as `/_sim/log` shows it. Keys, signatures and full account numbers are not in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogEntry {
    /// Milliseconds since the start.
    pub at_ms: u64,
    /// HTTP method.
    pub method: String,
    /// The path, without its query.
    pub path: String,
    /// The upstream, for a documented path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<Upstream>,
    /// The order number, if one was sent.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub order_id: String,
    /// The account, its middle masked.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub account: String,
    /// HTTP status.
    pub status: u16,
    /// The answer's code before any fault spoilt it; absent where nothing was worked out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<i64>,
    /// The fault that hit the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<FaultKind>,
}

/// The last requests, the oldest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log(VecDeque<LogEntry>);

impl Log {
    pub(crate) fn push(&mut self, entry: LogEntry) {
        if self.0.len() == LOG_LENGTH {
            self.0.pop_front();
        }
        self.0.push_back(entry);
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = &LogEntry> {
        self.0.iter()
    }
}

pub(crate) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// `189****1234`: the first three and the last four of a long account, less of a short one.
pub(crate) fn mask(account: &str) -> String {
    let chars: Vec<char> = account.chars().collect();
    let (head, tail) = match chars.len() {
        0 => return String::new(),
        1..=9 => (1, 1),
        _ => (3, 4),
    };
    let text = |part: &[char]| part.iter().collect::<String>();
    format!(
        "{}****{}",
        text(chars.get(..head).unwrap_or_default()),
        text(
            chars
                .get(chars.len().saturating_sub(tail)..)
                .unwrap_or_default()
        )
    )
}

/// A path as it may stand in a log: anything that looks like a number or a key is left out of one
/// that is not documented, because a client may have glued its fields to it.
pub(crate) fn safe_path(path: &str, is_known: bool) -> String {
    if is_known {
        path.to_owned()
    } else {
        path.chars()
            .take(80)
            .map(|c| if c.is_ascii_digit() { '#' } else { c })
            .collect()
    }
}
