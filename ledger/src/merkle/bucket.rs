//! All leaves under a prefix, with one proof: who asks for a bucket does not say which leaf it is about.

use tanba_crypto::{
    Hash,
    canonical::{Decode, Encode},
};

use super::{
    Leaf, Node, NodeReader, ProofError, ReadError,
    map::{KEY_BITS, build, walk},
    map_proof::{Step, check_bits, climb},
};

/// Every leaf whose key begins with a prefix. The leaves alone decide the subtrie's hash, so none can be left
/// out. An empty bucket is shown by one foreign leaf at which every key with the prefix would end.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct MapBucket {
    /// From the root down to the subtrie, or to the foreign leaf.
    pub path: Vec<Step>,
    /// The leaves, strictly ascending by key; or one foreign leaf; or none, in an empty trie.
    pub leaves: Vec<Leaf>,
}

/// Why a bucket was not read.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum BucketError {
    /// The state could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// More leaves than asked for at most: the caller names a longer prefix.
    #[error("the bucket holds more than {0} leaves, ask with a longer prefix")]
    TooLarge(usize),
}

/// Reads the bucket of all keys that share their first `bits` (0 to 256) bits with `prefix`.
///
/// Panics for more than 256 bits.
pub fn bucket<R: NodeReader>(
    reader: &R,
    root: &Hash,
    prefix: &Hash,
    bits: u16,
    leaves_max: usize,
) -> Result<MapBucket, BucketError> {
    assert!(bits <= KEY_BITS, "a key has 256 bits");
    let Some(walk) = walk(reader, root, prefix)? else {
        return Ok(MapBucket { path: Vec::new(), leaves: Vec::new() });
    };
    let steps = walk.branches.iter();
    let mut path: Vec<Step> =
        steps.map(|(_, branch)| Step { bit: branch.bit, sibling: branch.sides(prefix).1 }).collect();
    if !under(&walk.leaf.key, prefix, bits) {
        return Ok(MapBucket { path, leaves: vec![walk.leaf] });
    }
    let above = path.partition_point(|step| step.bit < bits);
    let subtrie = walk.branches.get(above).map_or(walk.hash, |(hash, _)| *hash);
    path.truncate(above);
    let mut leaves = Vec::new();
    collect(reader, &subtrie, leaves_max, &mut leaves)?;
    Ok(MapBucket { path, leaves })
}

impl MapBucket {
    /// Checks the bucket: the leaves returned are all that `root` holds under the first `bits` bits of
    /// `prefix`, none for an empty bucket.
    pub fn verify(&self, root: &Hash, prefix: &Hash, bits: u16) -> Result<&[Leaf], ProofError> {
        if bits > KEY_BITS {
            return Err(ProofError::Bounds);
        }
        check_bits(&self.path)?;
        match self.leaves.as_slice() {
            [] => match (self.path.is_empty(), *root == Hash::ZERO) {
                (true, true) => Ok(&[]),
                _ => Err(ProofError::Root),
            },
            [foreign] if !under(&foreign.key, prefix, bits) => self.verify_empty(foreign, root, prefix, bits),
            leaves => self.verify_leaves(leaves, root, prefix, bits),
        }
    }

    fn verify_empty(
        &self,
        foreign: &Leaf,
        root: &Hash,
        prefix: &Hash,
        bits: u16,
    ) -> Result<&[Leaf], ProofError> {
        // Within the prefix the path turns as every key of the bucket does. Below it, all keys agree with the
        // foreign leaf on the prefix's bits, so none of them is in the bucket whichever way the path turns.
        let strays = |step: &Step| step.bit < bits && foreign.key.bit(step.bit) != prefix.bit(step.bit);
        if self.path.iter().any(strays) {
            return Err(ProofError::Elsewhere);
        }
        if climb(&self.path, &foreign.key, foreign.hash()) != *root {
            return Err(ProofError::Root);
        }
        Ok(&[])
    }

    fn verify_leaves<'l>(
        &self,
        leaves: &'l [Leaf],
        root: &Hash,
        prefix: &Hash,
        bits: u16,
    ) -> Result<&'l [Leaf], ProofError> {
        if !leaves.is_sorted_by(|a, b| a.key < b.key) {
            return Err(ProofError::Order);
        }
        if leaves.iter().any(|leaf| !under(&leaf.key, prefix, bits)) {
            return Err(ProofError::Elsewhere);
        }
        // A path that goes on below the prefix would leave out a side of the bucket.
        if self.path.last().is_some_and(|step| step.bit >= bits) {
            return Err(ProofError::Bits);
        }
        let subtrie = build(&leaves.iter().collect::<Vec<_>>(), &mut |_, _| ());
        if climb(&self.path, prefix, subtrie) != *root {
            return Err(ProofError::Root);
        }
        Ok(leaves)
    }
}

/// Whether `key` begins with the first `bits` bits of `prefix`.
fn under(key: &Hash, prefix: &Hash, bits: u16) -> bool {
    key.first_difference(prefix).is_none_or(|bit| bit >= bits)
}

/// Adds the leaves under `hash` in order of key.
fn collect<R: NodeReader>(
    reader: &R,
    hash: &Hash,
    leaves_max: usize,
    leaves: &mut Vec<Leaf>,
) -> Result<(), BucketError> {
    let mut waiting = vec![(*hash, None::<u16>)];
    while let Some((hash, above)) = waiting.pop() {
        match reader.node(&hash)? {
            Node::Leaf(_) if leaves.len() >= leaves_max => return Err(BucketError::TooLarge(leaves_max)),
            Node::Leaf(leaf) => leaves.push(leaf),
            Node::Branch(branch) => {
                if branch.bit >= KEY_BITS || above.is_some_and(|bit| branch.bit <= bit) {
                    return Err(ReadError::Damaged(hash).into());
                }
                waiting.push((branch.right, Some(branch.bit)));
                waiting.push((branch.left, Some(branch.bit)));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
