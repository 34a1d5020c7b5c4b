//! Divisions of instances into groups: all of them, or drawn ones.

use crate::cluster::random::Random;

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

/// A division into at most one, two or three groups: more would leave nobody able to do anything.
pub(super) fn division(chance: &mut Random, members: usize) -> Vec<u8> {
    let groups = 1 + chance.below(3);
    (0..members).map(|_| chance.below(groups) as u8).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_divisions_as_bell_counted() {
        assert_eq!([1, 2, 3, 4, 5].map(|count| divisions(count).len()), [1, 2, 5, 15, 52]);
    }
}
