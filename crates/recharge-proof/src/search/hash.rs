//! Fingerprints of states.

use std::hash::Hasher;

/// Sixty-four well mixed bits, fast. Not against people who choose what is hashed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mixer(u64, u64);

impl Default for Mixer {
    fn default() -> Self {
        Self(0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344)
    }
}

impl Mixer {
    fn mix(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word) * u128::from(0x9e37_79b9_7f4a_7c15_u64);
        let bytes = product.to_le_bytes();
        let half = |at: usize| {
            let mut word = [0; 8];
            word.iter_mut()
                .zip(bytes.iter().skip(at))
                .for_each(|(to, from)| *to = *from);
            u64::from_le_bytes(word)
        };
        let (low, high) = (half(0), half(8));
        self.0 = (high ^ low).wrapping_add(self.1);
        self.1 = (self.1 ^ word.rotate_left(23)).wrapping_mul(0xd6e8_feb8_6659_fd93) ^ (high >> 7);
    }
}

impl Hasher for Mixer {
    fn finish(&self) -> u64 {
        let mut end = *self;
        end.mix(0xff51_afd7_ed55_8ccd);
        end.mix(0xc4ce_b9fe_1a85_ec53);
        end.0 ^ end.1.rotate_left(32)
    }

    fn write(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(8) {
            let mut word = [0; 8];
            for (to, from) in word.iter_mut().zip(part) {
                *to = *from;
            }
            self.mix(u64::from_le_bytes(word));
        }
        self.mix(bytes.len() as u64);
    }

    fn write_u8(&mut self, word: u8) {
        self.mix(u64::from(word));
    }

    fn write_u16(&mut self, word: u16) {
        self.mix(u64::from(word));
    }

    fn write_u32(&mut self, word: u32) {
        self.mix(u64::from(word));
    }

    fn write_u64(&mut self, word: u64) {
        self.mix(word);
    }

    fn write_usize(&mut self, word: usize) {
        self.mix(word as u64);
    }
}
