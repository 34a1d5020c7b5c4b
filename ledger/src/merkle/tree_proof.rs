//! Proofs about RFC 6962 trees, checked as RFC 9162 lays down: that a leaf lies in a tree, and that a tree
//! begins with an older one.

use tanba_crypto::{
    Hash,
    canonical::{Decode, Encode},
};

use super::{
    ProofError,
    tree::{PATH_MAX, node_hash},
};

/// That a leaf lies at `index` of a tree of `size` leaves.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct InclusionProof {
    /// The leaf's place, from 0.
    pub index: u64,
    /// Leaves of the tree.
    pub size: u64,
    /// The siblings from the leaf up.
    pub path: Vec<Hash>,
}

impl InclusionProof {
    /// Checks the proof for the leaf with `leaf` as its [`leaf_hash`](super::tree::leaf_hash), against a root
    /// (RFC 9162, section 2.1.3.2). The caller checks that `index` and `size` are the ones it asked about.
    pub fn verify(&self, leaf: &Hash, root: &Hash) -> Result<(), ProofError> {
        if self.index >= self.size {
            return Err(ProofError::Bounds);
        }
        if self.path.len() > PATH_MAX {
            return Err(ProofError::Length);
        }
        let (mut at, mut last) = (self.index, self.size - 1);
        let mut hash = *leaf;
        for sibling in &self.path {
            if last == 0 {
                return Err(ProofError::Length);
            }
            if at & 1 == 1 || at == last {
                hash = node_hash(sibling, &hash);
                // No right sibling up to here: the node moved up as it is.
                while at & 1 == 0 && at != 0 {
                    (at, last) = (at >> 1, last >> 1);
                }
            } else {
                hash = node_hash(&hash, sibling);
            }
            (at, last) = (at >> 1, last >> 1);
        }
        if last != 0 {
            return Err(ProofError::Length);
        }
        if hash == *root { Ok(()) } else { Err(ProofError::Root) }
    }
}

/// That the tree of `new_size` leaves begins with the tree of `old_size` leaves.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct ConsistencyProof {
    /// Leaves of the older tree, at least 1: every tree begins with the empty one.
    pub old_size: u64,
    /// Leaves of the newer tree.
    pub new_size: u64,
    /// The nodes from which both roots follow.
    pub path: Vec<Hash>,
}

impl ConsistencyProof {
    /// Checks the proof against both roots (RFC 9162, section 2.1.4.2).
    pub fn verify(&self, old_root: &Hash, new_root: &Hash) -> Result<(), ProofError> {
        if self.old_size == 0 || self.old_size > self.new_size {
            return Err(ProofError::Bounds);
        }
        if self.old_size == self.new_size {
            return match (self.path.is_empty(), old_root == new_root) {
                (false, _) => Err(ProofError::Length),
                (true, false) => Err(ProofError::Root),
                (true, true) => Ok(()),
            };
        }
        if self.path.len() > PATH_MAX + 1 {
            return Err(ProofError::Length);
        }
        // A complete old tree is a node of the new one; its root stands first, and is not sent.
        let (first, rest) = if self.old_size.is_power_of_two() {
            (old_root, self.path.as_slice())
        } else {
            self.path.split_first().ok_or(ProofError::Length)?
        };
        let level = (self.old_size - 1).trailing_ones();
        let (mut at, mut last) = ((self.old_size - 1) >> level, (self.new_size - 1) >> level);
        let (mut old, mut new) = (*first, *first);
        for sibling in rest {
            if last == 0 {
                return Err(ProofError::Length);
            }
            if at & 1 == 1 || at == last {
                old = node_hash(sibling, &old);
                new = node_hash(sibling, &new);
                while at & 1 == 0 && at != 0 {
                    (at, last) = (at >> 1, last >> 1);
                }
            } else {
                new = node_hash(&new, sibling);
            }
            (at, last) = (at >> 1, last >> 1);
        }
        if last != 0 {
            return Err(ProofError::Length);
        }
        if old == *old_root && new == *new_root { Ok(()) } else { Err(ProofError::Root) }
    }
}

#[cfg(test)]
mod tests;
