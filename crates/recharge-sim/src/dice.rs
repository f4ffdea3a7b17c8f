//! Randomness tied to what it is about.
//!
//! A draw depends on the seed, the upstream, the stage, the order number (or path) and how often that
//! was called, and on nothing else. So the same seed gives the same faults to the same order, however
//! calls about different orders overtake each other.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

use crate::config::Upstream;
use crate::faults::Stage;
use crate::md5;

/// The unit of probabilities: one call in a million.
pub(crate) const MILLION: u32 = 1_000_000;

#[derive(Debug)]
pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    pub(crate) fn new(
        seed: u64,
        upstream: Upstream,
        stage: Stage,
        subject: &str,
        nth: u32,
    ) -> Self {
        let about = format!("{seed}|{upstream}|{}|{nth}|{subject}", stage.name());
        let first = md5::digest(about.as_bytes());
        let second = md5::digest(&first);
        let mut key = [0; 32];
        for (place, byte) in key.iter_mut().zip(first.into_iter().chain(second)) {
            *place = byte;
        }
        Self(ChaCha8Rng::from_seed(key))
    }

    /// Below [`MILLION`].
    pub(crate) fn millionths(&mut self) -> u32 {
        self.0.next_u32() % MILLION
    }

    /// One of a list; `None` of an empty one.
    pub(crate) fn pick<T: Copy>(&mut self, list: &[T]) -> Option<T> {
        let len = u32::try_from(list.len()).ok().filter(|len| *len > 0)?;
        list.get(usize::try_from(self.0.next_u32() % len).ok()?)
            .copied()
    }
}
