//! A check of everything a store holds. A running node checks what it reads, when it reads it; what nobody asks for
//! may rot unseen. This reads all of it: each block with its certificate, what is derived from it, and every node of the
//! state that the head's root reaches.

use tanba_crypto::Hash;
use tanba_ledger::{
    BlockHash, Height, ValidatorSet,
    merkle::{Frontier, Node},
    state::Tip,
};

use crate::{
    CertifiedBlock, Journal, StoreError, blocks,
    keys::{self, Table},
    open::verifies,
    reader::node_on_disk,
    record::Derived,
    tree::Tree,
    tree_store::TreeStore,
    value,
};

/// Damages that a [`CheckReport`] describes; further ones are counted.
pub const DAMAGES_SHOWN_MAX: usize = 20;

/// The progress is told after so many blocks or nodes.
const TELL_EVERY: u64 = 256;

/// What was looked at, and what was found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CheckReport {
    /// The store's head.
    pub head: Height,
    /// Blocks that were read whole: header, body under its root, certificate of this very block, and the parent they
    /// name.
    pub blocks: u64,
    /// Certificates whose signatures were verified. Those of sets that are no longer in force are covered by the
    /// later headers, which name them.
    pub certificates: u64,
    /// Transactions that are found where they stand.
    pub transactions: u64,
    /// Complete subtrees of the history tree.
    pub subtrees: u64,
    /// Nodes of the state, all versions of all records among them.
    pub nodes: u64,
    /// The first damages.
    pub damages: Vec<Damage>,
    /// All damages.
    pub damages_total: u64,
}

/// Something that is not what was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Damage {
    /// Which height, key or file.
    pub place: String,
    /// What does not fit.
    pub what: String,
}

impl CheckReport {
    /// Counts damage, and keeps it if it is among the first.
    pub fn add(&mut self, damage: Damage) {
        self.damages_total += 1;
        if self.damages.len() < DAMAGES_SHOWN_MAX {
            self.damages.push(damage);
        }
    }

    /// Notes damage and goes on; another error ends the check.
    fn note<V>(&mut self, found: Result<V, StoreError>) -> Result<Option<V>, StoreError> {
        match found {
            Ok(value) => Ok(Some(value)),
            Err(StoreError::Damaged { place, what }) => {
                self.add(Damage { place, what });
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

impl<T: Tree, J: Journal> TreeStore<T, J> {
    /// Reads and checks everything up to the head. Takes minutes for a large store; `tell` hears now and then how far
    /// it has come. Commits nothing and stops at nothing but an error of the disk.
    ///
    /// # Errors
    /// Damage is in the report and no error.
    pub fn check(&self, tell: &mut dyn FnMut(&CheckReport)) -> Result<CheckReport, StoreError> {
        // What is derived is looked for on disk.
        self.write_behind().run()?;
        let (tree, tip) = (&self.shared().tree, self.shared().tip());
        let electors = self.shared().read().electors.clone();
        let mut check = Check { tree, tip: &tip, electors: &electors, report: CheckReport::default() };
        check.report.head = tip.header.height;
        check.blocks(tell)?;
        check.nodes(tell)?;
        Ok(check.report)
    }
}

struct Check<'a, T> {
    tree: &'a T,
    tip: &'a Tip,
    electors: &'a ValidatorSet,
    report: CheckReport,
}

impl<T: Tree> Check<'_, T> {
    /// From genesis to the head, each block and what is derived from it.
    fn blocks(&mut self, tell: &mut dyn FnMut(&CheckReport)) -> Result<(), StoreError> {
        let mut history = Some(Frontier::default());
        let mut parent = None;
        for height in (0..=self.tip.header.height.0).map(Height) {
            let found = blocks::block(self.tree, height);
            let Some(found) = self.report.note(found)? else {
                (history, parent) = (None, None);
                continue;
            };
            let hash = found.block.hash();
            let fits = self.fits(&found, hash, parent);
            self.report.note(fits)?;
            self.places(&found, hash)?;
            if let Some(history) = &mut history {
                self.history(history, hash)?;
            }
            parent = Some(hash);
            self.report.blocks += 1;
            if self.report.blocks.is_multiple_of(TELL_EVERY) {
                tell(&self.report);
            }
        }
        if history.is_some_and(|history| history != self.tip.history) {
            let what = "it is not that of the blocks";
            self.report.note(Err::<(), _>(StoreError::damaged("the head's history tree", what)))?;
        }
        let derived: Option<Derived> =
            self.report.note(value::read_record(self.tree, &Table::Derived.key()))?.flatten();
        if derived.map(|it| it.height) != Some(self.tip.header.height) {
            let what = "state is not written up to the head";
            self.report.note(Err::<(), _>(StoreError::damaged("the checkpoint in force", what)))?;
        }
        Ok(())
    }

    /// The block extends the one before, and its certificate holds.
    fn fits(
        &mut self,
        found: &CertifiedBlock,
        hash: BlockHash,
        parent: Option<BlockHash>,
    ) -> Result<(), StoreError> {
        let header = &found.block.header;
        let damaged = |what: &str| StoreError::damaged(format!("block {}", header.height), what);
        if parent.is_some_and(|parent| parent != header.parent) {
            return Err(damaged("it does not extend the block before"));
        }
        if header.height == self.tip.header.height && hash != self.tip.hash {
            return Err(damaged("it is not the head"));
        }
        let Some(certificate) = &found.finalization else { return Ok(()) };
        let chain = self.tip.chain();
        let known =
            [self.electors, &self.tip.validators].into_iter().find(|set| set.hash() == header.validators);
        match known {
            Some(set) if !verifies(certificate, header, &chain, set) => {
                Err(damaged("its certificate does not verify"))
            }
            Some(_) => {
                self.report.certificates += 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Block and transactions are found by name.
    fn places(&mut self, found: &CertifiedBlock, hash: BlockHash) -> Result<(), StoreError> {
        let height = found.block.header.height;
        self.expect(keys::height_of(&hash), &height)?;
        for (index, transaction) in (0u32..).zip(&found.block.transactions) {
            self.expect(keys::position(&transaction.id()), &(height, index))?;
            self.report.transactions += 1;
        }
        Ok(())
    }

    /// The subtrees that the block closes are kept.
    fn history(&mut self, history: &mut Frontier, hash: BlockHash) -> Result<(), StoreError> {
        for node in history.append(hash.0.as_bytes()) {
            self.expect(keys::history(node.level, node.index), &node.hash)?;
            self.report.subtrees += 1;
        }
        Ok(())
    }

    /// The record at `key` must be `due`.
    fn expect<R: tanba_crypto::Canonical + PartialEq>(
        &mut self,
        key: Vec<u8>,
        due: &R,
    ) -> Result<(), StoreError> {
        let found = value::read_record::<_, R>(self.tree, &key).and_then(|found| match found {
            Some(found) if found == *due => Ok(()),
            Some(_) => Err(StoreError::damaged(keys::describe(&key), "the record is of something else")),
            None => Err(StoreError::damaged(keys::describe(&key), "the record is missing")),
        });
        self.report.note(found).map(drop)
    }

    /// Every node under the head's roots, and every earlier version of every record.
    fn nodes(&mut self, tell: &mut dyn FnMut(&CheckReport)) -> Result<(), StoreError> {
        let mut due: Vec<Hash> =
            self.tip.roots.0.iter().copied().filter(|root| *root != Hash::ZERO).collect();
        while let Some(hash) = due.pop() {
            let found = node_on_disk(self.tree, &hash).and_then(|node| {
                node.ok_or_else(|| {
                    StoreError::damaged(keys::describe(&keys::node(&hash)), "the node is missing")
                })
            });
            match self.report.note(found)? {
                Some(Node::Branch(branch)) => due.extend([branch.left, branch.right]),
                Some(Node::Leaf(leaf)) => due.extend((leaf.previous != Hash::ZERO).then_some(leaf.previous)),
                None => continue,
            }
            self.report.nodes += 1;
            if self.report.nodes.is_multiple_of(TELL_EVERY) {
                tell(&self.report);
            }
        }
        Ok(())
    }
}
