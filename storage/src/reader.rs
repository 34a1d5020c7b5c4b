//! The readers' side of the store: what is final, without waiting for anyone.

use std::sync::Arc;

use tanba_crypto::{Canonical, Hash};
use tanba_ledger::{
    BlockHash, Certificate, Header, Height, TransactionId,
    merkle::{Node, NodeReader, ReadError},
    proof::ChainReader,
    state::Tip,
};

use crate::{
    CertifiedBlock, Position, StoreError, StoreReader, blocks, keys, shared::Shared, tree::Tree, value,
};

/// Reads one store. Everything read from disk is checked: by its seal, or by the hash it goes by.
pub struct TreeReader<T> {
    shared: Arc<Shared<T>>,
}

impl<T> Clone for TreeReader<T> {
    fn clone(&self) -> Self {
        TreeReader { shared: Arc::clone(&self.shared) }
    }
}

impl<T> std::fmt::Debug for TreeReader<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TreeReader")
    }
}

impl<T: Tree> TreeReader<T> {
    pub(crate) fn new(shared: Arc<Shared<T>>) -> TreeReader<T> {
        TreeReader { shared }
    }

    /// The first error of this store, after which it does no work; `None` while all is well.
    pub fn cause(&self) -> Option<StoreError> {
        self.shared.fuse.cause().cloned()
    }

    /// Looks in memory, then on disk. In this order nothing is missed: what leaves memory is on disk by then.
    fn derived<V>(
        &self,
        in_memory: impl FnOnce(&crate::overlay::Overlay) -> Option<V>,
        on_disk: impl FnOnce(&T) -> Result<Option<V>, StoreError>,
    ) -> Result<Option<V>, StoreError> {
        self.shared.fuse.check()?;
        if let Some(value) = in_memory(&self.shared.read().overlay) {
            return Ok(Some(value));
        }
        self.shared.fuse.run(|| on_disk(&self.shared.tree))
    }

    /// Reads what belongs to a block, if the block is not above the head.
    fn of_block<V>(
        &self,
        height: Height,
        read: impl FnOnce(&T) -> Result<V, StoreError>,
    ) -> Result<Option<V>, StoreError> {
        self.shared.fuse.check()?;
        if height > self.shared.head() {
            return Ok(None);
        }
        self.shared.fuse.run(|| read(&self.shared.tree).map(Some))
    }
}

/// A state node, which must hash to its name.
pub(crate) fn node_on_disk<T: Tree>(tree: &T, hash: &Hash) -> Result<Option<Node>, StoreError> {
    let key = keys::node(hash);
    let Some(bytes) = value::read_pieces(tree, &key)? else { return Ok(None) };
    match Node::from_canonical(&bytes, bytes.len()) {
        Ok(node) if node.hash() == *hash => Ok(Some(node)),
        _ => Err(StoreError::damaged(keys::describe(&key), "the node does not hash to its name")),
    }
}

impl<T: Tree> NodeReader for TreeReader<T> {
    fn node(&self, hash: &Hash) -> Result<Node, ReadError> {
        let found = self.derived(|overlay| overlay.node(hash).cloned(), |tree| node_on_disk(tree, hash))?;
        found.ok_or(ReadError::Missing(*hash))
    }
}

impl<T: Tree> StoreReader for TreeReader<T> {
    fn tip(&self) -> Arc<Tip> {
        self.shared.tip()
    }

    fn block(&self, height: Height) -> Result<Option<CertifiedBlock>, StoreError> {
        self.of_block(height, |tree| blocks::block(tree, height))
    }

    fn header(&self, height: Height) -> Result<Option<Header>, StoreError> {
        self.of_block(height, |tree| blocks::header(tree, height))
    }

    fn finalization(&self, height: Height) -> Result<Option<Certificate>, StoreError> {
        Ok(self.of_block(height, |tree| blocks::finalization(tree, height))?.flatten())
    }

    fn height_of(&self, block: &BlockHash) -> Result<Option<Height>, StoreError> {
        self.derived(
            |overlay| overlay.height_of(block),
            |tree| value::read_record(tree, &keys::height_of(block)),
        )
    }

    fn history_node(&self, level: u8, index: u64) -> Result<Option<Hash>, StoreError> {
        self.derived(
            |overlay| overlay.history_node(level, index),
            |tree| value::read_record(tree, &keys::history(level, index)),
        )
    }

    fn position(&self, transaction: &TransactionId) -> Result<Option<Position>, StoreError> {
        self.derived(
            |overlay| overlay.position(transaction),
            |tree| {
                let found: Option<(Height, u32)> = value::read_record(tree, &keys::position(transaction))?;
                Ok(found.map(|(height, index)| Position { height, index }))
            },
        )
    }

    fn condemn(&self, damage: StoreError) {
        self.shared.fuse.blow(&damage);
    }
}

/// What proofs are built from.
impl<T: Tree> ChainReader for TreeReader<T> {
    fn final_header(&self, height: Height) -> Result<Option<Header>, ReadError> {
        Ok(self.header(height)?)
    }

    fn certificate_of(&self, height: Height) -> Result<Option<Certificate>, ReadError> {
        Ok(self.finalization(height)?)
    }

    fn history_subtree(&self, level: u8, index: u64) -> Result<Option<Hash>, ReadError> {
        Ok(self.history_node(level, index)?)
    }
}
