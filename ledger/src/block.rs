//! Blocks: what the validators agree on, one per height.

use std::fmt;

use tanba_crypto::{
    Canonical, Hash, Tag,
    canonical::{Decode, Encode},
};

use crate::{Bin, Height, Timestamp, Transaction};

/// The version that headers carry; a change of any format changes it.
pub const HEADER_VERSION: u16 = 1;

/// The name of a network: the hash of its genesis header with `chain` zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct ChainId(pub Hash);

/// The name of a block: the hash of its header.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct BlockHash(pub Hash);

/// What is hashed of a block. View and certificate stay outside: nodes may hold different quorums.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Header {
    /// [`HEADER_VERSION`].
    pub version: u16,
    /// The network; zero in genesis itself.
    pub chain: ChainId,
    /// The block's number.
    pub height: Height,
    /// When it was proposed; greater than the parent's.
    pub time: Timestamp,
    /// The block before; zero in genesis.
    pub parent: BlockHash,
    /// The institution whose validator built it; none in genesis.
    pub proposer: Option<Bin>,
    /// RFC 6962 root over the transactions' full bytes.
    pub transactions: Hash,
    /// How many transactions.
    pub count: u32,
    /// The state root after this block.
    pub state: Hash,
    /// RFC 6962 root over the hashes of all earlier blocks, genesis first.
    pub history: Hash,
    /// Name of the set that decides this block.
    pub validators: Hash,
    /// Name of the set that decides the next.
    pub next_validators: Hash,
}

impl Header {
    /// The name of the block.
    pub fn hash(&self) -> BlockHash {
        BlockHash(Hash::tagged(Tag::BLOCK, &[&self.to_canonical()]))
    }

    /// The name of the network that this genesis header founds.
    ///
    /// Panics for a header that is not genesis: nothing else founds a network.
    pub fn founded_chain(&self) -> ChainId {
        assert_eq!(self.height, Height::GENESIS, "genesis founds a network");
        assert_eq!(self.chain, ChainId(Hash::ZERO), "the genesis header cannot hold its own hash");
        ChainId(Hash::tagged(Tag::CHAIN, &[&self.to_canonical()]))
    }
}

/// A header and the transactions under its root.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Block {
    /// What is hashed.
    pub header: Header,
    /// What happened, in order.
    pub transactions: Vec<Transaction>,
}

impl Block {
    /// The name of the block.
    pub fn hash(&self) -> BlockHash {
        self.header.hash()
    }
}

macro_rules! shown_as_hash {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.0)
            }
        }
    };
}
shown_as_hash!(ChainId);
shown_as_hash!(BlockHash);
