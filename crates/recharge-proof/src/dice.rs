//! Random numbers that depend on a seed and on nothing else.

/// SplitMix64. For choosing what happens, not for secrets.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    /// Dice of their own for one purpose: what is drawn from these changes nothing for others.
    pub(crate) fn stream(seed: u64, purpose: u64, which: u64) -> Self {
        let mut dice = Self(seed ^ purpose.wrapping_mul(0xd6e8_feb8_6659_fd93));
        let mixed = dice.next() ^ which.wrapping_mul(0xa076_1d64_78bd_642f);
        let mut dice = Self(mixed);
        Self(dice.next())
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `end`; 0 if there is nothing below it.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        // The high half of the product: uniform enough, and without a division.
        let wide = u128::from(self.next()) * u128::from(end);
        u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// An index into something of that length, which is not empty.
    pub(crate) fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or(0)
    }

    /// From `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low.saturating_add(self.below(high.saturating_sub(low).saturating_add(1)))
    }

    /// True so many times in a thousand.
    pub(crate) fn in_thousand(&mut self, times: u64) -> bool {
        self.below(1000) < times
    }

    /// True once in so many.
    pub(crate) fn once_in(&mut self, many: u64) -> bool {
        self.below(many.max(1)) == 0
    }

    /// One of these.
    pub(crate) fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        of.get(self.index(of.len()))
    }

    /// From `low` to `high` such that every order of magnitude is as likely as any other.
    pub(crate) fn magnitude(&mut self, low: u64, high: u64) -> u64 {
        let (low, high) = (low.max(1), high.max(1));
        let (from, to) = (u64::from(low.ilog2()), u64::from(high.ilog2()));
        let power = self.between(from, to);
        let (start, end) = (1_u64 << power, (1_u64 << power).saturating_mul(2) - 1);
        self.between(start.max(low), end.min(high).max(low))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_kept_and_reached() {
        let mut dice = Dice::stream(1, 1, 1);
        let mut seen = [false; 4];
        for _ in 0..200 {
            let drawn = dice.between(3, 6);
            assert!((3..=6).contains(&drawn));
            seen[usize::try_from(drawn - 3).unwrap_or(9)] = true;
            assert!((10..=5_000).contains(&dice.magnitude(10, 5_000)));
        }
        assert_eq!(seen, [true; 4]);
        assert_eq!(dice.below(0), 0);
    }

    #[test]
    fn streams_repeat_and_differ() {
        let draw = |seed, purpose, which| Dice::stream(seed, purpose, which).next();
        assert_eq!(draw(1, 2, 3), draw(1, 2, 3));
        for other in [draw(2, 2, 3), draw(1, 3, 3), draw(1, 2, 4), draw(1, 3, 2)] {
            assert_ne!(draw(1, 2, 3), other);
        }
    }
}
