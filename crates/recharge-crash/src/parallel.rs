//! Many runs at a time.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Does something for each, so many at a time for each processor. What is not done is missing from the
/// answer, which is in no order.
pub(crate) fn in_parallel<T: Sync, R: Send>(
    all: &[T],
    at_once: usize,
    work: impl Fn(&T) -> R + Sync,
) -> Vec<(usize, R)> {
    let next = AtomicUsize::new(0);
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    let worker = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::SeqCst);
            match all.get(at) {
                Some(one) => done.push((at, work(one))),
                None => return done,
            }
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..processors * at_once)
            .map(|_| scope.spawn(worker))
            .collect();
        let done = workers.into_iter().map(thread::ScopedJoinHandle::join);
        done.flatten().flatten().collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_done_once() {
        let all: Vec<usize> = (10..110).collect();
        let mut done = in_parallel(&all, 3, |one| one * 2);
        done.sort_unstable();
        let expected: Vec<_> = (0..100).map(|at| (at, (at + 10) * 2)).collect();
        assert_eq!(done, expected);
    }
}
