//! Numbers drawn from a seed.

use std::{ops::Range, time::Duration};

use crate::cluster::random::Random;

/// A source of chance, in the measures of a scenario.
#[derive(Clone, Debug)]
pub(super) struct Dice(Random);

impl Dice {
    /// Dice that depend on the seed and a name alone.
    pub(super) fn new(seed: u64, name: &str) -> Dice {
        let mixed = name.bytes().fold(seed, |sum, byte| sum.rotate_left(8) ^ u64::from(byte));
        Dice(Random::new(mixed))
    }

    /// A number within a range that is not empty.
    pub(super) fn within(&mut self, range: Range<u64>) -> u64 {
        range.start + self.0.below(range.end - range.start)
    }

    /// One of `count` places.
    pub(super) fn place(&mut self, count: usize) -> usize {
        self.0.place(count)
    }

    /// True in so many of 1,000 cases.
    pub(super) fn per_mille(&mut self, share: u64) -> bool {
        self.0.per_mille(share)
    }

    /// A time within a range of milliseconds.
    pub(super) fn pause(&mut self, ms: Range<u64>) -> Duration {
        Duration::from_millis(self.within(ms))
    }
}
