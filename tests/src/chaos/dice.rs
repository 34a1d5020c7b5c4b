//! Numbers drawn from a seed.

use std::{ops::Range, time::Duration};

/// SplitMix64 (Steele, Lea and Flood 2014): one word of state, good enough to choose victims.
#[derive(Clone, Debug)]
pub(super) struct Dice(u64);

impl Dice {
    /// Dice that depend on the seed and a name alone.
    pub(super) fn new(seed: u64, name: &str) -> Dice {
        let mixed = name.bytes().fold(seed, |sum, byte| sum.rotate_left(8) ^ u64::from(byte));
        Dice(mixed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// A number within a range that is not empty.
    pub(super) fn within(&mut self, range: Range<u64>) -> u64 {
        range.start + self.next() % (range.end - range.start)
    }

    /// One of `count` places.
    pub(super) fn place(&mut self, count: usize) -> usize {
        self.within(0..count as u64) as usize
    }

    /// True in so many of 1,000 cases.
    pub(super) fn per_mille(&mut self, share: u64) -> bool {
        self.within(0..1_000) < share
    }

    /// A time within a range of milliseconds.
    pub(super) fn pause(&mut self, ms: Range<u64>) -> Duration {
        Duration::from_millis(self.within(ms))
    }
}
