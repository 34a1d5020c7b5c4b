//! The store itself, over any tree and any journal.

use std::sync::Arc;
use tanba_crypto::planted;

use tanba_ledger::{Block, Certificate, Height, state::Delta};

use crate::{
    Journal, Store, StoreError,
    blocks::{self, BlockEntries},
    keys::Table,
    reader::TreeReader,
    record::Head,
    shared::Shared,
    tree::{Tree, insert_all},
    value,
    write_behind::{self, WriteBehind},
};

/// The replica's store: a tree for what is final, and the promise journal beside it.
pub struct TreeStore<T: Tree, J: Journal> {
    shared: Arc<Shared<T>>,
    journal: J,
    /// The highest head of the damaged stores that were set aside.
    head_aside: Height,
}

impl<T: Tree, J: Journal> TreeStore<T, J> {
    pub(crate) fn new(shared: Arc<Shared<T>>, journal: J, head_aside: Height) -> TreeStore<T, J> {
        TreeStore { shared, journal, head_aside }
    }

    pub(crate) fn shared(&self) -> &Shared<T> {
        &self.shared
    }

    /// The handle by which a thread of the node's writes derived state to disk.
    pub fn write_behind(&self) -> WriteBehind<T> {
        WriteBehind::new(Arc::clone(&self.shared))
    }

    /// Bytes of the store on disk, the journal apart. sled gives space back slowly; see
    /// [`STORE_BYTES_ADVISED_MAX`](crate::STORE_BYTES_ADVISED_MAX).
    pub fn size_bytes(&self) -> Result<u64, StoreError> {
        self.shared.fuse.run(|| self.shared.tree.size_bytes())
    }

    /// Block and certificate behind the barrier, then the head behind the barrier.
    fn write_block(&self, block: &Block, finalization: &Certificate) -> Result<usize, StoreError> {
        let tree = &self.shared.tree;
        let BlockEntries { pending, entries, body_bytes } = BlockEntries::of(block, Some(finalization));
        let (key, value) = value::record(Table::Pending.key(), &pending);
        tree.insert(&key, &value)?;
        insert_all(tree, &entries)?;
        planted!(HeadBeforeBody => (), tree.barrier()?);
        let head = Head { height: block.header.height, hash: block.hash() };
        let (key, value) = value::record(Table::Head.key(), &head);
        tree.insert(&key, &value)?;
        planted!(AcknowledgedTooEarly => (), tree.barrier()?);
        Ok(body_bytes)
    }
}

impl<T: Tree, J: Journal + 'static> Store for TreeStore<T, J> {
    type Reader = TreeReader<T>;

    fn reader(&self) -> TreeReader<T> {
        TreeReader::new(Arc::clone(&self.shared))
    }

    fn commit(&mut self, block: &Block, finalization: &Certificate, delta: Delta) -> Result<(), StoreError> {
        self.shared.fuse.run(|| {
            let parent = self.shared.tip();
            let header = &block.header;
            assert_eq!(header.height, parent.header.height.next(), "blocks are committed in order");
            assert_eq!(header.parent, parent.hash, "a block extends the head");
            assert_eq!(delta.tip.header, *header, "the delta is the block's own");
            assert_eq!(delta.tip.roots.root(), header.state, "this node diverged at {}", header.height);
            assert_eq!(delta.transactions.len(), block.transactions.len(), "the delta is the block's own");
            assert!(blocks::certifies(finalization, header), "the certificate is the block's own");
            let body_bytes = self.write_block(block, finalization)?;
            self.shared.write().advance(delta, body_bytes, false);
            Ok(())
        })?;
        let full = self.shared.read().overlay.is_full();
        if full { write_behind::run(&self.shared) } else { Ok(()) }
    }

    fn head_once(&self) -> Height {
        self.shared.head().max(self.head_aside)
    }

    fn journal(&mut self) -> &mut dyn Journal {
        &mut self.journal
    }
}
