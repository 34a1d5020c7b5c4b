//! RFC 6962 trees over lists (the same trees as RFC 9162): hashes, roots and what proofs are built from.
//!
//! A leaf hashes as SHA-256(0 ‖ bytes), an inner node as SHA-256(1 ‖ left ‖ right), untagged as the RFC says.
//! A subtree is *complete* when it spans 2^level leaves from a multiple of 2^level. A tree is known entirely by
//! its complete subtrees, and these never change as it grows: a store that keeps them can prove anything.

use tanba_crypto::Hash;

use super::{ConsistencyProof, Frontier, InclusionProof};

/// The root of a tree without leaves: SHA-256 of nothing.
pub const EMPTY_ROOT: Hash = Hash([
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27,
    0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
]);

/// Siblings on a path, at most: a tree has fewer than 2^64 leaves.
pub const PATH_MAX: usize = 64;

/// The hash of a leaf.
pub fn leaf_hash(bytes: &[u8]) -> Hash {
    Hash::plain(&[&[0], bytes].concat())
}

/// The hash of an inner node.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut bytes = [0; 65];
    bytes[0] = 1;
    bytes[1..33].copy_from_slice(&left.0);
    bytes[33..].copy_from_slice(&right.0);
    Hash::plain(&bytes)
}

/// The root over `leaves`, given by their bytes.
pub fn root<L: AsRef<[u8]>>(leaves: impl IntoIterator<Item = L>) -> Hash {
    let mut frontier = Frontier::default();
    for leaf in leaves {
        frontier.append(leaf.as_ref());
    }
    frontier.root()
}

/// Why a proof could not be built from the subtrees at hand.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum BuildError<E> {
    /// The leaf or the older size lies outside the tree.
    #[error("a tree of {size} leaves has no place {at}")]
    Bounds {
        /// What was asked for.
        at: u64,
        /// Leaves of the tree.
        size: u64,
    },
    /// A complete subtree of the tree is not there.
    #[error("the subtree of level {level} at {index} is missing")]
    Missing {
        /// Its level.
        level: u8,
        /// Its place within the level.
        index: u64,
    },
    /// The store failed.
    #[error("{0}")]
    Store(E),
}

/// The inclusion proof of leaf `index` in the tree of the first `size` leaves, from stored complete subtrees:
/// `subtree(level, index)` gives the hash of one, as [`Frontier::append`] returned it.
pub fn prove_inclusion<E>(
    index: u64,
    size: u64,
    subtree: impl Fn(u8, u64) -> Result<Option<Hash>, E>,
) -> Result<InclusionProof, BuildError<E>> {
    if index >= size {
        return Err(BuildError::Bounds { at: index, size });
    }
    let mut path = Vec::new();
    for level in 0..height(size) {
        let sibling = (index >> level) ^ 1;
        // A node without a right sibling moves up as it is.
        if sibling <= (size - 1) >> level {
            path.push(node_at(level, sibling, size, &subtree)?);
        }
    }
    Ok(InclusionProof { index, size, path })
}

/// The proof that the tree of the first `new_size` leaves begins with the tree of the first `old_size`
/// (RFC 9162, section 2.1.4.1), from stored complete subtrees.
pub fn prove_consistency<E>(
    old_size: u64,
    new_size: u64,
    subtree: impl Fn(u8, u64) -> Result<Option<Hash>, E>,
) -> Result<ConsistencyProof, BuildError<E>> {
    if old_size == 0 || old_size > new_size {
        return Err(BuildError::Bounds { at: old_size, size: new_size });
    }
    let mut path = Vec::new();
    // The node whose right edge is the old tree's: walking up from it, every sibling is needed, and so is the
    // node itself unless it is the whole old tree.
    let start = old_size.trailing_zeros() as u8;
    let (mut level, mut index) = (start, (old_size - 1) >> start);
    if old_size == new_size {
        return Ok(ConsistencyProof { old_size, new_size, path });
    }
    if !old_size.is_power_of_two() {
        path.push(node_at(level, index, new_size, &subtree)?);
    }
    while level < height(new_size) {
        let sibling = index ^ 1;
        if sibling <= (new_size - 1) >> level {
            path.push(node_at(level, sibling, new_size, &subtree)?);
        }
        (level, index) = (level + 1, index >> 1);
    }
    Ok(ConsistencyProof { old_size, new_size, path })
}

/// The inclusion proof of one leaf among few, all at hand by their hashes; `None` outside them.
pub fn prove_inclusion_among(leaves: &[Hash], index: usize) -> Option<InclusionProof> {
    let subtree = |level: u8, index: u64| -> Result<Option<Hash>, std::convert::Infallible> {
        let (from, to) = ((index as usize) << level, (index as usize + 1) << level);
        Ok(leaves.get(from..to).map(|part| {
            let mut frontier = Frontier::default();
            part.iter().for_each(|leaf| drop(frontier.append_hash(*leaf)));
            frontier.root()
        }))
    };
    prove_inclusion(index as u64, leaves.len() as u64, subtree).ok()
}

/// Levels above the leaves of a tree of `size >= 1` leaves.
fn height(size: u64) -> u8 {
    (u64::BITS - (size - 1).leading_zeros()) as u8
}

/// The hash of the node of `level` at `index`, which the right edge of the tree may cut short.
fn node_at<E>(
    level: u8,
    index: u64,
    size: u64,
    subtree: &impl Fn(u8, u64) -> Result<Option<Hash>, E>,
) -> Result<Hash, BuildError<E>> {
    let read = |level: u8, index: u64| {
        subtree(level, index).map_err(BuildError::Store)?.ok_or(BuildError::Missing { level, index })
    };
    let start = index << level;
    let count = size - start;
    if count >> level > 0 {
        return read(level, index);
    }
    let mut hash = None;
    for part in (0..level).filter(|bit| count >> bit & 1 == 1) {
        // The complete subtrees of the remainder, smallest and rightmost first.
        let left = read(part, (start + (count >> part << part)) / (1 << part) - 1)?;
        hash = Some(hash.map_or(left, |right| node_hash(&left, &right)));
    }
    Ok(hash.expect("a node of the tree spans at least one leaf"))
}
