//! What happened, as a number that is the same if all of it is, and as lines where somebody wants to read
//! it.

use std::time::Duration;

/// The trace of one case.
#[derive(Debug)]
pub(crate) struct Trace {
    hash: u64,
    lines: Option<Vec<String>>,
}

impl Trace {
    pub(crate) fn new(readable: bool) -> Self {
        Self {
            hash: 0xcbf2_9ce4_8422_2325,
            lines: readable.then(Vec::new),
        }
    }

    /// Something happened. Told in words only if somebody reads them.
    pub(crate) fn note(
        &mut self,
        now: Duration,
        what: &str,
        number: u64,
        words: impl FnOnce() -> String,
    ) {
        let nanos = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
        let bytes = what.bytes().map(u64::from);
        for part in bytes.chain([nanos, number]) {
            self.hash = (self.hash ^ part)
                .wrapping_mul(0x0100_0000_01b3)
                .rotate_left(23);
        }
        if let Some(lines) = &mut self.lines {
            lines.push(format!(
                "{:>14.3} s  {what}: {}",
                now.as_secs_f64(),
                words()
            ));
        }
    }

    pub(crate) const fn hash(&self) -> u64 {
        self.hash
    }

    pub(crate) fn into_lines(self) -> Vec<String> {
        self.lines.unwrap_or_default()
    }
}
