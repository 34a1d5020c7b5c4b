//! Proofs that a key of a state trie holds a leaf, or nothing.

use tanba_crypto::{
    Hash,
    canonical::{Decode, Encode},
};

use super::{
    Branch, Leaf, NodeReader, ProofError, ReadError,
    map::{KEY_BITS, walk},
};

/// One branch on a path: the bit it forks at and the hash of the side not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Step {
    /// The branch's bit.
    pub bit: u16,
    /// The other side.
    pub sibling: Hash,
}

/// What a key holds under a root: its leaf; or a foreign leaf at which the walk along the key ends, or an empty
/// trie, either of which proves that the key is absent.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct MapProof {
    /// From the root down, bits strictly increasing.
    pub path: Vec<Step>,
    /// Where the walk ends; `None` only in an empty trie.
    pub leaf: Option<Leaf>,
}

/// Proves what `key` holds under `root`.
pub fn prove<R: NodeReader>(reader: &R, root: &Hash, key: &Hash) -> Result<MapProof, ReadError> {
    let Some(walk) = walk(reader, root, key)? else {
        return Ok(MapProof { path: Vec::new(), leaf: None });
    };
    let step = |(_, branch): &(Hash, Branch)| Step { bit: branch.bit, sibling: branch.sides(key).1 };
    Ok(MapProof { path: walk.branches.iter().map(step).collect(), leaf: Some(walk.leaf) })
}

impl MapProof {
    /// Checks the proof: `Some` leaf is what `key` holds under `root`, `None` means it holds nothing.
    pub fn verify(&self, root: &Hash, key: &Hash) -> Result<Option<&Leaf>, ProofError> {
        check_bits(&self.path)?;
        let Some(leaf) = &self.leaf else {
            return if self.path.is_empty() && *root == Hash::ZERO {
                Ok(None)
            } else {
                Err(ProofError::Root)
            };
        };
        // A foreign leaf is where the key's own walk ends only if both turn the same way at every branch.
        if self.path.iter().any(|step| leaf.key.bit(step.bit) != key.bit(step.bit)) {
            return Err(ProofError::Elsewhere);
        }
        if climb(&self.path, key, leaf.hash()) != *root {
            return Err(ProofError::Root);
        }
        Ok((leaf.key == *key).then_some(leaf))
    }
}

/// Refuses a path whose bits are not those of a walk; this also bounds its length.
pub(super) fn check_bits(path: &[Step]) -> Result<(), ProofError> {
    let increasing = path.is_sorted_by(|a, b| a.bit < b.bit);
    if increasing && path.last().is_none_or(|step| step.bit < KEY_BITS) {
        Ok(())
    } else {
        Err(ProofError::Bits)
    }
}

/// The root that follows from `hash` at the end of `path` along `key`. Bits are below 256.
pub(super) fn climb(path: &[Step], key: &Hash, hash: Hash) -> Hash {
    path.iter().rev().fold(hash, |hash, step| {
        let (left, right) = if key.bit(step.bit) { (step.sibling, hash) } else { (hash, step.sibling) };
        Branch { bit: step.bit, left, right }.hash()
    })
}

#[cfg(test)]
mod tests;
