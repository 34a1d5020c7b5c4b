//! Divisions of instances into groups: all of them, or drawn ones.

/// Every division of `count` instances, as the group of each: 52 of five.
pub(super) fn divisions(count: usize) -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = vec![Vec::new()];
    for _ in 0..count {
        let longer = all.iter().flat_map(|groups| {
            let fresh = groups.iter().max().map_or(0, |last| last + 1);
            (0..=fresh).map(move |group| groups.iter().copied().chain([group]).collect())
        });
        all = longer.collect();
    }
    all
}

/// A small generator of our own, so that a seed means the same scenarios for ever (Steele, Lea and Flood 2014).
pub(super) struct Draw(u64);

impl Draw {
    pub(super) const fn new(seed: u64) -> Draw {
        Draw(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// A division into at most one, two or three groups: more would leave nobody able to do anything.
    pub(super) fn division(&mut self, count: usize) -> Vec<u8> {
        let groups = 1 + self.below(3);
        (0..count).map(|_| self.below(groups) as u8).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_divisions_as_bell_counted() {
        assert_eq!([1, 2, 3, 4, 5].map(|count| divisions(count).len()), [1, 2, 5, 15, 52]);
    }
}
