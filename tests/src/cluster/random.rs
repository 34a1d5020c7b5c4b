//! The one source of chance in a simulation: a seed is a run, for ever and on every machine.

/// SplitMix64 (Steele, Lea and Flood 2014): small, and good enough to draw faults with.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// Begins at a seed.
    pub const fn new(seed: u64) -> Random {
        Random(seed)
    }

    /// A number below `end`; 0 if that is 0.
    pub const fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let z = z ^ (z >> 31);
        if end == 0 { 0 } else { z % end }
    }

    /// True in so many of 1,000 cases.
    pub const fn per_mille(&mut self, count: u64) -> bool {
        self.below(1_000) < count
    }

    /// A place in a list of `length`, which is not empty.
    pub const fn place(&mut self, length: usize) -> usize {
        assert!(length > 0, "something is chosen from a list that holds something");
        self.below(length as u64) as usize
    }

    /// One of a list that is not empty.
    pub const fn of<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.place(list.len())]
    }
}
