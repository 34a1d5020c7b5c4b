//! The doors of the store: one for the replica, which writes, and one for everyone who reads.
//!
//! Reads never wait for agreement. A reader sees what is decided and behind the barrier, at one [`Tip`]; nodes
//! go by their hash, so whatever root a reader holds stays readable for
//! [`READABLE_BLOCKS`] further blocks.

use std::sync::Arc;

use tanba_crypto::Hash;
use tanba_ledger::{
    Block, BlockHash, Certificate, Header, Height, TransactionId,
    merkle::NodeReader,
    state::{Delta, Tip},
};

use crate::StoreError;

/// A root stays readable for so many blocks after it was the head's.
pub const READABLE_BLOCKS: u64 = 16;

/// A block as history keeps it: with the certificate that made it final (none for genesis).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CertifiedBlock {
    /// Header and transactions.
    pub block: Block,
    /// q `Finalize` votes for it.
    pub finalization: Option<Certificate>,
}

/// Where a final transaction stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Position {
    /// Its block.
    pub height: Height,
    /// Its place in the block, from 0.
    pub index: u32,
}

/// What is final on this node. Cheap to clone; every method may be called from any thread.
pub trait StoreReader: NodeReader + Clone + Send + Sync + 'static {
    /// The head: the last block that is decided and behind the barrier.
    fn tip(&self) -> Arc<Tip>;

    /// The block at `height`, or `None` above the head.
    fn block(&self, height: Height) -> Result<Option<CertifiedBlock>, StoreError>;

    /// The header at `height`, or `None` above the head.
    fn header(&self, height: Height) -> Result<Option<Header>, StoreError>;

    /// The certificate at `height`; `None` for genesis and above the head.
    fn finalization(&self, height: Height) -> Result<Option<Certificate>, StoreError>;

    /// The height of a final block.
    fn height_of(&self, block: &BlockHash) -> Result<Option<Height>, StoreError>;

    /// The hash of a complete subtree of the history tree.
    fn history_node(&self, level: u8, index: u64) -> Result<Option<Hash>, StoreError>;

    /// Where a final transaction stands.
    fn position(&self, transaction: &TransactionId) -> Result<Option<Position>, StoreError>;

    /// The caller found that what it was given cannot be right: the store does no more work, as after damage it
    /// found itself. A reader over something that cannot rot need not do anything.
    fn condemn(&self, damage: StoreError) {
        let _ = damage;
    }
}

/// The replica's door to what is kept. After the first error every further call fails: a disk's fault stops
/// the node.
pub trait Store: Send + 'static {
    /// The readers' door.
    type Reader: StoreReader;

    /// A reader of this store.
    fn reader(&self) -> Self::Reader;

    /// Makes `block` the head. When this returns, block, certificate and head are behind the barrier and
    /// readers see them.
    ///
    /// Panics unless `block` extends the head and `delta` is its own: the caller checked both.
    fn commit(&mut self, block: &Block, finalization: &Certificate, delta: Delta) -> Result<(), StoreError>;

    /// The highest head this home is known to have had: its own, or that of a damaged store that was set aside.
    fn head_once(&self) -> Height {
        self.reader().tip().header.height
    }

    /// The promise journal beside this store.
    fn journal(&mut self) -> &mut dyn Journal;
}

/// The promise journal: what this validator has signed and what that rests on, as opaque records. It is not
/// part of the database, of a backup or of a snapshot.
///
/// A journal that is not [`Whole`](JournalCondition::Whole) gives what can still be read and takes nothing
/// ([`StoreError::JournalLost`]) until its owner, having learned from the others what it may sign, rewrites it.
/// After the first error every call fails.
pub trait Journal: Send {
    /// What was found at opening, or [`Whole`](JournalCondition::Whole) once it was rewritten.
    fn condition(&self) -> JournalCondition;

    /// All records, oldest first.
    fn records(&self) -> Result<Vec<Vec<u8>>, StoreError>;

    /// Appends `records` with one sync. When this returns, all of them survive a power cut; when it fails, an
    /// unknown prefix of them does, and nothing may be sent that rests on them.
    fn append(&mut self, records: &[Vec<u8>]) -> Result<(), StoreError>;

    /// Replaces the journal by `records`, atomically: after a crash either the old or the new one is there. A
    /// journal that was missing or damaged is whole afterwards, and its bodies are forgotten.
    fn rewrite(&mut self, records: &[Vec<u8>]) -> Result<(), StoreError>;

    /// Bytes on disk, so that the caller knows when to rewrite.
    fn size_bytes(&self) -> u64;

    /// Times the disk was waited for since the journal was opened: promises, bodies and rewrites.
    fn syncs(&self) -> u64;

    /// Keeps the body of a block that a promise will rest on, until [`Journal::forget_bodies`]. Synced when
    /// this returns.
    fn put_body(&mut self, block: BlockHash, body: &[u8]) -> Result<(), StoreError>;

    /// A body kept by [`Journal::put_body`].
    fn body(&self, block: &BlockHash) -> Result<Option<Vec<u8>>, StoreError>;

    /// Forgets every body: a height was decided. The promises themselves stay.
    fn forget_bodies(&mut self) -> Result<(), StoreError>;
}

/// What a journal looked like when it was opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum JournalCondition {
    /// Every record is whole; an incomplete last one, whose write a crash cut short, was dropped.
    Whole,
    /// There is no journal where one must be.
    Missing,
    /// A complete record is damaged. Records before it are kept.
    Damaged {
        /// Records that can still be read.
        readable: u64,
    },
}
