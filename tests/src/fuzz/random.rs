//! Chance from a seed, in the measures of an attack: places are indices, and bytes are wanted as well as numbers.

use crate::cluster::random;

/// A source of numbers that the seed decides.
#[derive(Clone, Debug)]
pub struct Random(random::Random);

impl Random {
    /// The numbers of `seed`.
    pub const fn of(seed: u64) -> Random {
        Random(random::Random::new(seed))
    }

    /// The next 64 bits.
    pub const fn bits(&mut self) -> u64 {
        const HALF: u64 = 1 << 32;
        self.0.below(HALF) << 32 | self.0.below(HALF)
    }

    /// A number below `end`; 0 if there is none.
    pub const fn below(&mut self, end: usize) -> usize {
        self.0.below(end as u64) as usize
    }

    /// One of a list that is not empty.
    pub const fn one_of<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        self.0.of(list)
    }
}
