//! How the service is to end in a round. It follows from the round's seed.

use std::time::Duration;

use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::schedule::killed_in_a_call;
use crate::strace::Injection;

/// How one life of the service ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Death {
    /// So long after its process was made.
    Starting(Duration),
    /// As soon as so many orders of this life have been answered, on a disk whose writes take long: what is
    /// answered before it is written is not there then.
    Slow(u64),
    /// So long after so many orders of this life have been answered.
    Answering(u64, Duration),
    /// So long after so many submits of this life came in.
    Submitting(u64, Duration),
    /// So long after so many queries of this life came in.
    Querying(u64, Duration),
    /// In a call on its file.
    Committing(Injection),
    /// So long after its process was made.
    Anywhere(Duration),
    /// Told to stop as soon as so many orders have been answered, and killed so long after.
    Stopping(u64, Duration),
    /// Told to stop as soon as so many orders have been answered, and let end by itself.
    Told(u64),
}

/// The lives of a round that end so, in order. After them comes one that is let alone.
pub(super) fn deaths(seed: u64) -> Vec<Death> {
    // Neither the seed of the orders nor that of the command's deaths.
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x5E1F_DEAD);
    let mut millis = |below: u64| Duration::from_micros(rng.random_range(0..below * 1_000));
    let starts = [millis(10), millis(100)];
    let (answering, submitting, querying) = (millis(4), millis(3), millis(3));
    let (anywhere, stopping) = (millis(1_500), millis(60));
    // Each commit is a write or a few; an answer that is given before it is out when it dies.
    let committing = killed_in_a_call(&mut rng, 8, 60);
    let mut deaths = vec![
        Death::Slow(rng.random_range(1..=4)),
        Death::Answering(rng.random_range(1..=6), answering),
        Death::Submitting(rng.random_range(1..=5), submitting),
        Death::Querying(rng.random_range(1..=10), querying),
        Death::Committing(committing),
        Death::Anywhere(anywhere),
        Death::Stopping(rng.random_range(1..=6), stopping),
        Death::Told(rng.random_range(1..=6)),
    ];
    deaths.extend(starts.map(Death::Starting));
    deaths.shuffle(&mut rng);
    deaths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_round_has_every_way_to_end_and_follows_from_its_seed() {
        for seed in 0..50 {
            let found = deaths(seed);
            assert_eq!(found, deaths(seed));
            let count = |is: fn(&Death) -> bool| found.iter().filter(|it| is(it)).count();
            assert_eq!(count(|it| matches!(it, Death::Starting(_))), 2);
            assert_eq!(count(|it| matches!(it, Death::Slow(_))), 1);
            assert_eq!(count(|it| matches!(it, Death::Answering(..))), 1);
            assert_eq!(count(|it| matches!(it, Death::Submitting(..))), 1);
            assert_eq!(count(|it| matches!(it, Death::Querying(..))), 1);
            assert_eq!(count(|it| matches!(it, Death::Committing(_))), 1);
            assert_eq!(count(|it| matches!(it, Death::Anywhere(_))), 1);
            assert_eq!(count(|it| matches!(it, Death::Stopping(..))), 1);
            assert_eq!(count(|it| matches!(it, Death::Told(_))), 1);
        }
        assert_ne!(deaths(1), deaths(2));
    }
}
