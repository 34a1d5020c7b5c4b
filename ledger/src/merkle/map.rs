//! Reading and writing a state trie.
//!
//! A branch names only the bit in which its sides differ, not the prefix they share; so a key's place is found
//! by walking its bits down to some leaf first, and comparing with that leaf. A batch of changes is written in
//! one descent: every node on the way is read once, and every changed branch hashed once.

use std::collections::BTreeMap;

use tanba_crypto::Hash;

use super::{Branch, Leaf, Node, NodeReader, ReadError};

/// A key has so many bits; a path has fewer branches.
pub const KEY_BITS: u16 = 256;

/// What a batch of writes makes of a trie.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MapUpdate {
    /// The new root.
    pub root: Hash,
    /// Nodes that are new, with their hashes, children before parents.
    pub nodes: Vec<(Hash, Node)>,
    /// Branches of the old root that the new one does not reach. Never leaves: a later version names them.
    pub dead: Vec<Hash>,
}

/// The leaf at `key` under `root`, or `None`. A zero root is an empty trie.
pub fn get<R: NodeReader>(reader: &R, root: &Hash, key: &Hash) -> Result<Option<Leaf>, ReadError> {
    Ok(walk(reader, root, key)?.map(|walk| walk.leaf).filter(|leaf| leaf.key == *key))
}

/// Writes `puts` (new leaves by their keys) over `root`. The result depends on the leaves alone, not on how
/// they are split into batches.
///
/// Panics if a leaf stands under another key than its own.
pub fn update<R: NodeReader>(
    reader: &R,
    root: &Hash,
    puts: &BTreeMap<Hash, Leaf>,
) -> Result<MapUpdate, ReadError> {
    assert!(puts.iter().all(|(key, leaf)| leaf.key == *key), "a leaf is put under its own key");
    let puts: Vec<&Leaf> = puts.values().collect();
    let mut writer = Writer { reader, nodes: Vec::new(), dead: Vec::new() };
    let root = writer.merge(root, &puts)?;
    Ok(MapUpdate { root, nodes: writer.nodes, dead: writer.dead })
}

/// The way from a root along a key's bits to the leaf where it ends.
#[derive(Debug)]
pub(super) struct Walk {
    /// The branches passed, root first, with strictly increasing bits.
    pub branches: Vec<(Hash, Branch)>,
    /// The leaf's hash.
    pub hash: Hash,
    /// The leaf, foreign if the key is absent.
    pub leaf: Leaf,
}

/// Walks from `root` along `key`; `None` for an empty trie.
pub(super) fn walk<R: NodeReader>(reader: &R, root: &Hash, key: &Hash) -> Result<Option<Walk>, ReadError> {
    if *root == Hash::ZERO {
        return Ok(None);
    }
    let mut branches = Vec::new();
    let mut hash = *root;
    let mut above = None;
    loop {
        match reader.node(&hash)? {
            Node::Leaf(leaf) => return Ok(Some(Walk { branches, hash, leaf })),
            Node::Branch(branch) => {
                // Bits that do not increase would be a trie no update ever wrote.
                if branch.bit >= KEY_BITS || above.is_some_and(|bit| branch.bit <= bit) {
                    return Err(ReadError::Damaged(hash));
                }
                above = Some(branch.bit);
                branches.push((hash, branch));
                hash = branch.sides(key).0;
            }
        }
    }
}

/// The hash of the one trie that holds exactly `leaves`, which are strictly ascending by key. Each node made
/// is given to `made`.
pub(super) fn build(leaves: &[&Leaf], made: &mut impl FnMut(Hash, Node)) -> Hash {
    let node = match leaves {
        [] => return Hash::ZERO,
        [leaf] => Node::Leaf((*leaf).clone()),
        [first, .., last] => {
            // Sorted keys differ first where their extremes do.
            let bit = first.key.first_difference(&last.key).expect("keys are strictly ascending");
            let (left, right) = split(leaves, bit);
            Node::Branch(Branch { bit, left: build(left, made), right: build(right, made) })
        }
    };
    let hash = node.hash();
    made(hash, node);
    hash
}

/// Sorted leaves that agree on all bits before `bit`, by that bit.
fn split<'s, 'l>(leaves: &'s [&'l Leaf], bit: u16) -> (&'s [&'l Leaf], &'s [&'l Leaf]) {
    leaves.split_at(leaves.partition_point(|leaf| !leaf.key.bit(bit)))
}

struct Writer<'r, R> {
    reader: &'r R,
    nodes: Vec<(Hash, Node)>,
    dead: Vec<Hash>,
}

impl<R: NodeReader> Writer<'_, R> {
    /// Merges `puts`, strictly ascending, into the subtrie at `root`.
    fn merge(&mut self, root: &Hash, puts: &[&Leaf]) -> Result<Hash, ReadError> {
        let Some(first) = puts.first() else { return Ok(*root) };
        match walk(self.reader, root, &first.key)? {
            Some(walk) => self.merge_along(&walk.branches, &walk, puts),
            None => Ok(self.build(puts)),
        }
    }

    /// Merges `puts` into the subtrie at the head of `branches`, the rest of a walk that ends at `end`. All
    /// puts agree with the end's key on every bit above the subtrie.
    fn merge_along(
        &mut self,
        branches: &[(Hash, Branch)],
        end: &Walk,
        puts: &[&Leaf],
    ) -> Result<Hash, ReadError> {
        let here = branches.first().map_or(end.hash, |(hash, _)| *hash);
        let (Some(first), Some(last)) = (puts.first(), puts.last()) else { return Ok(here) };
        let leaves_at = |put: &Leaf| put.key.first_difference(&end.leaf.key).unwrap_or(KEY_BITS);
        // Among sorted keys, one of the extremes is the first to leave the walk.
        let fork = leaves_at(first).min(leaves_at(last));
        let below = branches.first().map_or(KEY_BITS, |(_, branch)| branch.bit);
        if fork < below {
            let (left, right) = split(puts, fork);
            let branch = if end.leaf.key.bit(fork) {
                Branch { bit: fork, left: self.build(left), right: self.merge_along(branches, end, right)? }
            } else {
                Branch { bit: fork, left: self.merge_along(branches, end, left)?, right: self.build(right) }
            };
            return Ok(self.made(Node::Branch(branch)));
        }
        let Some(((_, old), rest)) = branches.split_first() else {
            return Ok(self.replace_leaf(here, first));
        };
        let (left, right) = split(puts, old.bit);
        let branch = if end.leaf.key.bit(old.bit) {
            Branch { left: self.merge(&old.left, left)?, right: self.merge_along(rest, end, right)?, ..*old }
        } else {
            Branch { left: self.merge_along(rest, end, left)?, right: self.merge(&old.right, right)?, ..*old }
        };
        if branch == *old {
            return Ok(here);
        }
        self.dead.push(here);
        Ok(self.made(Node::Branch(branch)))
    }

    fn replace_leaf(&mut self, old: Hash, leaf: &Leaf) -> Hash {
        let hash = leaf.hash();
        if hash != old {
            self.nodes.push((hash, Node::Leaf(leaf.clone())));
        }
        hash
    }

    fn build(&mut self, leaves: &[&Leaf]) -> Hash {
        build(leaves, &mut |hash, node| self.nodes.push((hash, node)))
    }

    fn made(&mut self, node: Node) -> Hash {
        let hash = node.hash();
        self.nodes.push((hash, node));
        hash
    }
}

#[cfg(test)]
mod tests;
