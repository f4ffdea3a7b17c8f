//! How the command is to die in a round. It follows from the round's seed.

use std::time::Duration;

use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::strace::{Call, Fault, Injection};

/// What the command is doing when it is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// Before it has acknowledged anything in this life.
    Starting,
    /// It has just answered that an order is accepted.
    Answering,
    /// A submit has just come in at the simulator.
    Submitting,
    /// A query has just come in.
    Querying,
    /// In a write or a sync of its file.
    Committing,
    /// It was told to stop.
    Stopping,
    /// Whatever it happens to be doing.
    Anywhere,
}

impl Phase {
    /// In which the command is killed at its own work.
    pub(crate) const OF_COMMAND: [Self; 5] = [
        Self::Starting,
        Self::Submitting,
        Self::Querying,
        Self::Committing,
        Self::Anywhere,
    ];

    /// In which it is killed as a service.
    pub(crate) const OF_SERVICE: [Self; 7] = [
        Self::Starting,
        Self::Answering,
        Self::Submitting,
        Self::Querying,
        Self::Committing,
        Self::Stopping,
        Self::Anywhere,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Answering => "answering",
            Self::Submitting => "submitting",
            Self::Querying => "querying",
            Self::Committing => "committing",
            Self::Stopping => "stopping",
            Self::Anywhere => "anywhere",
        }
    }
}

/// How one life ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Death {
    /// So long after its process was made.
    Starting(Duration),
    /// So long after so many submits of this life came in.
    Submitting(u64, Duration),
    /// So long after so many queries of this life came in.
    Querying(u64, Duration),
    /// In a call on its file.
    Committing(Injection),
    /// So long after its process was made.
    Anywhere(Duration),
    /// Stopped with a submit under way, woken when it is too late for it, and killed so long after.
    Stopped(u64, Duration),
}

/// The lives of a round that end so, in order. After them comes one that is let alone.
pub(crate) fn deaths(seed: u64) -> Vec<Death> {
    // Not the seed of the orders: that would tie the two together.
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0xDEAD);
    let mut millis = |below: u64| Duration::from_micros(rng.random_range(0..below * 1_000));
    // The first of them within the first millisecond, the others anywhere until it is ready.
    let starts = [millis(1), millis(25), millis(100)];
    let moments = [millis(3), millis(3), millis(1_500), millis(300)];
    let [submitting, querying, anywhere, stopped] = moments;
    let committing = killed_in_a_call(&mut rng, 6, 90);
    let mut deaths = vec![
        Death::Submitting(rng.random_range(1..=5), submitting),
        Death::Querying(rng.random_range(1..=10), querying),
        Death::Committing(committing),
        Death::Anywhere(anywhere),
        Death::Stopped(rng.random_range(1..=4), stopped),
    ];
    deaths.extend(starts.map(Death::Starting));
    deaths.shuffle(&mut rng);
    deaths
}

/// A kill in a sync or a write of its file, of which a life has at least so many.
pub(crate) fn killed_in_a_call(rng: &mut ChaCha8Rng, syncs: u32, writes: u32) -> Injection {
    let (call, most) = match rng.random_range(0..3) {
        0 => (Call::Sync, syncs),
        _ => (Call::Write, writes),
    };
    Injection {
        call,
        fault: Fault::Kill,
        at: rng.random_range(1..=most),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_round_has_every_way_to_die_and_follows_from_its_seed() {
        for seed in 0..50 {
            let found = deaths(seed);
            assert_eq!(found, deaths(seed));
            let count = |is: fn(&Death) -> bool| found.iter().filter(|it| is(it)).count();
            assert_eq!(count(|it| matches!(it, Death::Starting(_))), 3);
            assert_eq!(count(|it| matches!(it, Death::Submitting(..))), 1);
            assert_eq!(count(|it| matches!(it, Death::Querying(..))), 1);
            assert_eq!(count(|it| matches!(it, Death::Committing(_))), 1);
            assert_eq!(count(|it| matches!(it, Death::Anywhere(_))), 1);
            assert_eq!(count(|it| matches!(it, Death::Stopped(..))), 1);
        }
        assert_ne!(deaths(1), deaths(2));
    }
}
