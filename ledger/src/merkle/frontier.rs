//! The right edge of an RFC 6962 tree: enough to append and to know the root, in logarithmic space.

use tanba_crypto::{Hash, canonical::Encode};

use super::tree::{EMPTY_ROOT, leaf_hash, node_hash};
use crate::state::HistoryNode;

/// An RFC 6962 tree by its complete subtrees, largest first: one for each bit that is set in `size`.
///
/// Bytes with another number of peaks do not decode.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode)]
pub struct Frontier {
    /// Leaves so far.
    pub size: u64,
    /// The complete subtrees, from the left.
    pub peaks: Vec<Hash>,
}

tanba_crypto::canonical_checked!(
    Frontier,
    (u64, Vec<Hash>),
    |(size, peaks)| (peaks.len() == size.count_ones() as usize).then_some(Frontier { size, peaks }),
    "not the right edge of a tree"
);

impl Frontier {
    /// Appends a leaf by its bytes. Returns the complete subtrees this closes, smallest first: the leaf's own
    /// hash (level 0) and one for each level that is now full. Over a tree's life each is returned once.
    pub fn append(&mut self, leaf: &[u8]) -> Vec<HistoryNode> {
        self.append_hash(leaf_hash(leaf))
    }

    /// As [`Frontier::append`], for a leaf whose [`leaf_hash`] is known.
    ///
    /// Panics if the peaks are not those of a tree of `size` leaves: they are only ever made here.
    pub fn append_hash(&mut self, leaf: Hash) -> Vec<HistoryNode> {
        assert_eq!(self.peaks.len(), self.size.count_ones() as usize, "one peak for each bit of the size");
        let at = self.size;
        self.size = at.checked_add(1).expect("trees do not outgrow 64 bits");
        let closed = at.trailing_ones() as u8;
        let mut completed = Vec::with_capacity(usize::from(closed) + 1);
        let mut hash = leaf;
        completed.push(HistoryNode { level: 0, index: at, hash });
        for level in 1..=closed {
            let left = self.peaks.pop().expect("a set bit has a peak");
            hash = node_hash(&left, &hash);
            completed.push(HistoryNode { level, index: at >> level, hash });
        }
        self.peaks.push(hash);
        completed
    }

    /// The root of the tree (RFC 6962, section 2.1).
    pub fn root(&self) -> Hash {
        let join = |right: Hash, left: &Hash| node_hash(left, &right);
        match self.peaks.split_last() {
            Some((last, larger)) => larger.iter().rev().fold(*last, join),
            None => EMPTY_ROOT,
        }
    }
}

#[cfg(test)]
mod tests {
    use tanba_crypto::Canonical;

    use super::*;

    #[test]
    fn every_complete_subtree_is_returned_once() {
        let mut frontier = Frontier::default();
        let mut seen = std::collections::BTreeSet::new();
        for at in 0u64..64 {
            for node in frontier.append(&at.to_be_bytes()) {
                assert!(seen.insert((node.level, node.index)), "{node:?} is new");
            }
        }
        let expected = (0u8..=6).flat_map(|level| (0..64u64 >> level).map(move |index| (level, index)));
        assert_eq!(seen, expected.collect());
    }

    #[test]
    fn a_frontier_with_a_missing_peak_does_not_decode() {
        let mut frontier = Frontier::default();
        (0u8..5).for_each(|i| drop(frontier.append(&[i])));
        assert_eq!(Frontier::from_canonical(&frontier.to_canonical(), 1024), Ok(frontier.clone()));
        frontier.peaks.pop();
        assert!(Frontier::from_canonical(&frontier.to_canonical(), 1024).is_err());
    }
}
