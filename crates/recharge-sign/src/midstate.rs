//! MD5 of texts that follow each other with nothing between them, from a kept beginning.
//!
//! The compression function is `md-5`'s. Its hasher is not used, because copying every text into it
//! and out again costs a tenth of a whole signature; here the texts are laid out once, in their
//! final place, and the padding (RFC 1321, 3.1 and 3.2) is written behind them. The tests compare
//! with `md-5`'s hasher at every length around each block's end.

use md5::block_api::compress;

use crate::Digest;

/// Bytes in one MD5 block.
const BLOCK: usize = 64;

/// What padding needs: the byte 0x80 and the length of the message in bits.
const PADDING: usize = 1 + size_of::<u64>();

/// The state of MD5 after some bytes, from which any number of digests can be taken.
///
/// It is as secret as what went in: `tail` holds the last bytes in clear.
#[derive(Clone)]
pub(crate) struct Midstate {
    /// MD5's four words after all whole blocks.
    state: [u32; 4],
    /// The bytes after the last whole block, then zeros.
    tail: [u8; BLOCK],
    /// Bytes taken in so far, whole blocks and tail.
    length: u64,
}

impl Midstate {
    /// Before the first byte. The words are those of RFC 1321, 3.3.
    pub(crate) const START: Self = Self {
        state: [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476],
        tail: [0; BLOCK],
        length: 0,
    };

    /// Takes in the bytes of `text`.
    pub(crate) fn absorb(&mut self, text: &str) {
        let mut bytes = text.as_bytes();
        loop {
            let filled = self.filled();
            let room = &mut self.tail[filled..];
            if bytes.len() < room.len() {
                room[..bytes.len()].copy_from_slice(bytes);
                self.length += bytes.len() as u64;
                return;
            }
            let (now, later) = bytes.split_at(room.len());
            room.copy_from_slice(now);
            self.length += now.len() as u64;
            compress(&mut self.state, &[self.tail]);
            self.tail = [0; BLOCK];
            bytes = later;
        }
    }

    /// The MD5 of what was taken in, followed by `texts`.
    #[inline]
    pub(crate) fn digest<'a>(&self, texts: impl Iterator<Item = &'a str> + Clone) -> Digest {
        let length = texts.clone().fold(self.filled(), |length, text| {
            length.saturating_add(text.len())
        });
        if length <= BLOCK - PADDING {
            self.finish::<1>(texts)
        } else if length <= 2 * BLOCK - PADDING {
            self.finish::<2>(texts)
        } else {
            let mut longer = self.clone();
            texts.for_each(|text| longer.absorb(text));
            // Less than one block is left, so two hold it and the padding.
            longer.finish::<2>(core::iter::empty())
        }
    }

    /// As [`digest`](Self::digest), for a tail and texts that fit into `BLOCKS` blocks with their
    /// padding. The number is known to the compiler, because zeroing more blocks than are needed
    /// would cost some hundredths of a signature.
    #[inline]
    fn finish<'a, const BLOCKS: usize>(&self, texts: impl Iterator<Item = &'a str>) -> Digest {
        let mut blocks = [[0; BLOCK]; BLOCKS];
        blocks[0] = self.tail;
        let bytes = blocks.as_flattened_mut();
        let mut end = self.filled();
        let mut length = self.length;
        for text in texts {
            bytes[end..end + text.len()].copy_from_slice(text.as_bytes());
            end += text.len();
            length += text.len() as u64;
        }
        bytes[end] = 0x80;
        let used = (end + PADDING).div_ceil(BLOCK);
        let padded = used * BLOCK;
        // MD5 counts bits modulo 2^64.
        let bits = length.wrapping_mul(8).to_le_bytes();
        bytes[padded - bits.len()..padded].copy_from_slice(&bits);

        let mut state = self.state;
        compress(&mut state, &blocks[..used]);
        let mut digest = [0; 16];
        for (bytes, word) in digest.chunks_exact_mut(4).zip(state) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        Digest::from_bytes(digest)
    }

    /// Bytes in the tail: always less than one block.
    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the remainder is less than 64"
    )]
    fn filled(&self) -> usize {
        (self.length % BLOCK as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use md5::{Digest as _, Md5};

    use super::*;

    /// `length` printable bytes, no two neighbours alike.
    fn text(length: usize) -> String {
        (b'!'..=b'~').cycle().take(length).map(char::from).collect()
    }

    #[test]
    fn agrees_with_the_hasher_of_md5_at_every_length_and_every_cut() {
        let all = text(3 * BLOCK + 5);
        for length in 0..=all.len() {
            let expected = Digest::from_bytes(Md5::digest(&all[..length]).into());
            for cut in 0..=length {
                let (kept, rest) = all[..length].split_at(cut);
                let (first, second) = rest.split_at(rest.len() / 3);
                let mut midstate = Midstate::START;
                midstate.absorb(kept);
                let digest = midstate.digest([first, "", second].into_iter());
                assert_eq!(digest, expected, "{length} bytes, {cut} of them kept");
            }
        }
    }

    #[test]
    fn a_kept_state_is_not_changed_by_the_digests_taken_from_it() {
        let mut midstate = Midstate::START;
        midstate.absorb(&text(BLOCK + 2));
        let long = text(200);
        let first = midstate.digest([long.as_str()].into_iter());
        midstate.digest(["x"].into_iter());
        assert_eq!(midstate.digest([long.as_str()].into_iter()), first);
    }
}
