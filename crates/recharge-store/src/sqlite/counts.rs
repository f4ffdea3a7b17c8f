//! How many writes shared a commit.

use std::sync::atomic::{AtomicU64, Ordering};

use recharge_engine::store::Commits;

use super::queue::MOST;

/// The sizes by which commits are told apart: the last is the most that there can be.
const SIZES: [usize; 10] = [1, 2, 4, 8, 16, 32, 64, 128, 256, MOST];

/// Counted by the one thread that writes, read by anybody.
#[derive(Debug, Default)]
pub(super) struct Counts {
    writes: AtomicU64,
    by_size: [AtomicU64; SIZES.len()],
}

impl Counts {
    /// A commit made so many writes durable.
    pub(super) fn count(&self, writes: usize) {
        let add = |to: &AtomicU64, n| to.fetch_add(n, Ordering::Relaxed);
        add(&self.writes, u64::try_from(writes).unwrap_or(u64::MAX));
        let at = SIZES.iter().position(|most| writes <= *most);
        let last = SIZES.len() - 1;
        if let Some(bucket) = self.by_size.get(at.unwrap_or(last)) {
            add(bucket, 1);
        }
    }

    pub(super) fn read(&self) -> Commits {
        let sizes = SIZES.iter().zip(&self.by_size);
        let mut commits = Commits::default();
        commits.writes = self.writes.load(Ordering::Relaxed);
        commits.by_size = sizes
            .map(|(most, n)| (*most as u64, n.load(Ordering::Relaxed)))
            .collect();
        commits.commits = commits.by_size.iter().map(|(_, n)| n).sum();
        commits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_commit_is_counted_once_by_its_size() {
        let counts = Counts::default();
        for writes in [1, 1, 3, MOST] {
            counts.count(writes);
        }
        let read = counts.read();
        assert_eq!((read.commits, read.writes), (4, 5 + MOST as u64));
        let seen: Vec<_> = read.by_size.iter().filter(|(_, n)| *n > 0).collect();
        assert_eq!(seen, [&(1, 2), &(4, 1), &(MOST as u64, 1)]);
    }
}
