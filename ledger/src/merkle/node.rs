//! What a state trie is made of.
//!
//! A trie is a crit-bit tree over 256-bit keys: a branch names the one bit in which its two sides differ, and
//! every key under it agrees on all bits before. The set of leaves alone decides the shape, so equal states
//! have equal roots however they came about. A walk that follows a key's bits ends at that key's leaf if there
//! is one, else at a foreign leaf, which therefore proves absence. The root of an empty table is zero.

use tanba_crypto::{
    Canonical, Hash, Tag,
    canonical::{Decode, Encode},
};

use crate::Height;

/// One version of one record.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Leaf {
    /// Where the record lies ([`RecordKey`](crate::record::RecordKey)).
    pub key: Hash,
    /// 1 for a new record, one more with each change.
    pub version: u32,
    /// The block that wrote this version.
    pub changed_at: Height,
    /// Hash of the leaf of the previous version, zero for the first.
    pub previous: Hash,
    /// The record's canonical bytes.
    pub value: Vec<u8>,
}

/// A fork: keys with `bit` 0 lie left, keys with `bit` 1 right.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Branch {
    /// The first bit, 0..256, in which the two sides differ.
    pub bit: u16,
    /// Hash of the left side.
    pub left: Hash,
    /// Hash of the right side.
    pub right: Hash,
}

/// A node of a state trie.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Node {
    /// A record.
    Leaf(Leaf),
    /// A fork.
    Branch(Branch),
}
tanba_crypto::canonical_enum!(Node { 1 = Leaf(leaf), 2 = Branch(branch) });

impl Leaf {
    /// The leaf's hash: tag, key, version, height, previous, value.
    pub fn hash(&self) -> Hash {
        Hash::tagged(Tag::STATE_LEAF, &[&self.to_canonical()])
    }
}

impl Branch {
    /// The branch's hash: tag, bit, left, right.
    pub fn hash(&self) -> Hash {
        Hash::tagged(Tag::STATE_BRANCH, &[&self.bit.to_be_bytes(), &self.left.0, &self.right.0])
    }

    /// The side a key lies on, and the other one.
    pub fn sides(&self, key: &Hash) -> (Hash, Hash) {
        if key.bit(self.bit) { (self.right, self.left) } else { (self.left, self.right) }
    }
}

impl Node {
    /// The node's hash, under which it is stored.
    pub fn hash(&self) -> Hash {
        match self {
            Node::Leaf(leaf) => leaf.hash(),
            Node::Branch(branch) => branch.hash(),
        }
    }

    /// This node, if `name` is its hash; else the copy that was read is damaged. Every [`NodeReader`] over
    /// bytes that could have changed passes what it read through here.
    pub fn named(self, name: &Hash) -> Result<Node, ReadError> {
        if self.hash() == *name { Ok(self) } else { Err(ReadError::Damaged(*name)) }
    }
}

/// Why the state could not be read. Never the peer's fault, never an answer: the store is damaged or gone.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum ReadError {
    /// A node that a root rests on is not there.
    #[error("the state has no node {0}")]
    Missing(Hash),
    /// A node does not hash to its name, or does not decode.
    #[error("node {0} is damaged")]
    Damaged(Hash),
    /// The store itself failed.
    #[error("the store failed: {0}")]
    Store(String),
}

/// Gives the nodes of a state, by hash.
///
/// Implementors answer only with a node whose hash is the one asked for ([`Node::named`]).
pub trait NodeReader {
    /// The node that hashes to `hash`.
    fn node(&self, hash: &Hash) -> Result<Node, ReadError>;
}

impl<R: NodeReader + ?Sized> NodeReader for &R {
    fn node(&self, hash: &Hash) -> Result<Node, ReadError> {
        (**self).node(hash)
    }
}
