//! Chance: jitter, and what tells sends apart. No secret comes from here.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::Mutex;

use super::core::lock;
use crate::{Epoch, Jitter, SendToken};

/// Where a driver draws.
#[derive(Debug)]
pub(super) struct Random(Mutex<u64>);

impl Random {
    /// Without a seed it begins anywhere. The epoch is the driver's own, so that one which is given the seed of
    /// another still draws other tokens: an end of one's send could be taken for the other's.
    pub(super) fn begin(seed: Option<u64>, epoch: Epoch) -> Self {
        let seed = seed.unwrap_or_else(|| RandomState::new().build_hasher().finish());
        Self(Mutex::new(scrambled(seed.wrapping_add(scrambled(epoch.0)))))
    }

    /// A token and jitter, by SplitMix64.
    pub(super) fn draw(&self) -> (SendToken, Jitter) {
        let mut state = lock(&self.0);
        let mut next = || {
            *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            scrambled(*state)
        };
        let token = SendToken((u128::from(next()) << 64) | u128::from(next()));
        let [_, _, _, _, _, _, high, low] = next().to_be_bytes();
        (token, Jitter(u16::from_be_bytes([high, low])))
    }
}

/// The finalizer of SplitMix64.
const fn scrambled(number: u64) -> u64 {
    let mut z = number;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
