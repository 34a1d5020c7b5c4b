//! Where the chain stands, and what one block changes.

use tanba_crypto::{
    Hash, Tag,
    canonical::{Decode, Encode},
};

use crate::{
    BlockHash, ChainId, Header, Height, TransactionId, ValidatorSet,
    merkle::{Frontier, Node},
    record::{Params, Table},
};

/// The roots of all tables, in the order of [`Table::ALL`]; zero for an empty table.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode)]
pub struct TableRoots(pub [Hash; Table::ALL.len()]);

impl TableRoots {
    /// The root of one table.
    pub fn of(&self, table: Table) -> Hash {
        self.0[table.at()]
    }

    /// The state root that headers carry: SHA-256 over tag and all table roots.
    pub fn root(&self) -> Hash {
        let parts: Vec<&[u8]> = self.0.iter().map(|root| root.as_bytes().as_slice()).collect();
        Hash::tagged(Tag::STATE_ROOT, &parts)
    }
}

/// The last block of a chain and all that the next one is checked against, besides the records.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tip {
    /// The last block's header.
    pub header: Header,
    /// Its name.
    pub hash: BlockHash,
    /// The state after it.
    pub roots: TableRoots,
    /// The tree over all block hashes, the last block's included.
    pub history: Frontier,
    /// The set that decides the next block.
    pub validators: ValidatorSet,
    /// The parameters in force for the next block.
    pub params: Params,
}

impl Tip {
    /// The network's name. Genesis cannot hold its own hash and founds it; later headers carry it.
    pub fn chain(&self) -> ChainId {
        if self.header.height == Height::GENESIS { self.header.founded_chain() } else { self.header.chain }
    }
}

/// A complete subtree of the history tree: 2^`level` block hashes, the `index`-th such group.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct HistoryNode {
    /// 0 for a single block.
    pub level: u8,
    /// Counted from the left.
    pub index: u64,
    /// Its RFC 6962 hash.
    pub hash: Hash,
}

/// The changes one block makes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delta {
    /// Where the chain stands after the block.
    pub tip: Tip,
    /// State nodes that are new, with their hashes.
    pub nodes: Vec<(Hash, Node)>,
    /// State branches that no newer root reaches. Leaves never die: each version names the one before.
    pub dead: Vec<Hash>,
    /// History subtrees that this block completed.
    pub history: Vec<HistoryNode>,
    /// The transactions, in block order.
    pub transactions: Vec<TransactionId>,
}
