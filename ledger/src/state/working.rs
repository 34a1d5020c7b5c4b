//! The state while a block is being worked out: what the parent left, and over it what the block's
//! transactions wrote so far.
//!
//! A transaction never writes piece by piece. The rules read and return [`Changes`]; only a transaction that
//! passed every rule has any, and all of them are written together. So nothing needs undoing.

use std::{cell::RefCell, collections::BTreeMap};

use tanba_crypto::{Canonical, Hash};

use super::{Delta, StateReader, StateView, TableRoots, Tip};
use crate::{
    Header, Height, TransactionId, ValidatorSet,
    merkle::{Frontier, Leaf, Node, NodeReader, ReadError, map},
    record::{Params, RecordKey, Table},
};

/// All that one transaction writes: at most one new value for each record.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Changes {
    values: BTreeMap<RecordKey, Vec<u8>>,
}

impl Changes {
    /// Gives a record a new value. Panics if the record has one already: no rule writes a record twice.
    pub fn put(&mut self, key: RecordKey, value: &impl Canonical) {
        let earlier = self.values.insert(key, value.to_canonical());
        assert!(earlier.is_none(), "a transaction writes a record of {:?} once", key.table);
    }

    /// The records written, with their canonical bytes, by table and key.
    pub fn values(&self) -> &BTreeMap<RecordKey, Vec<u8>> {
        &self.values
    }
}

/// The state in the middle of a block.
#[derive(Debug)]
pub struct BlockState<'a, R> {
    height: Height,
    roots: &'a TableRoots,
    reader: &'a R,
    /// The newest version of every record this block wrote.
    written: BTreeMap<RecordKey, Leaf>,
    /// Versions this block wrote and then wrote over. They stay: the next version names them.
    passed: Vec<Leaf>,
    /// What was read of the parent's state. A record is read by the rules and again when it is written; the
    /// block's size bounds how many there are.
    seen: RefCell<BTreeMap<RecordKey, Option<Leaf>>>,
}

/// What a block makes of the state.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StateUpdate {
    /// The roots after it.
    pub roots: TableRoots,
    /// New nodes, with their hashes.
    pub nodes: Vec<(Hash, Node)>,
    /// Branches that the new roots do not reach.
    pub dead: Vec<Hash>,
}

impl<'a, R: NodeReader> BlockState<'a, R> {
    /// Begins the block at `height` over the state under `roots`.
    pub fn new(roots: &'a TableRoots, reader: &'a R, height: Height) -> BlockState<'a, R> {
        BlockState {
            height,
            roots,
            reader,
            written: BTreeMap::new(),
            passed: Vec::new(),
            seen: RefCell::default(),
        }
    }

    /// Writes all changes of one transaction. After an error the state is not to be used: the store failed,
    /// and the block cannot be judged.
    pub fn write(&mut self, changes: Changes) -> Result<(), ReadError> {
        for (key, value) in changes.values {
            let leaf = match self.written.remove(&key) {
                Some(earlier) if counts_blocks(key.table) => Leaf { value, ..earlier },
                Some(earlier) => {
                    let leaf = self.next(&key, Some(&earlier), value);
                    self.passed.push(earlier);
                    leaf
                }
                None => self.next(&key, self.leaf_of_parent(&key)?.as_ref(), value),
            };
            self.written.insert(key, leaf);
        }
        Ok(())
    }

    /// Works out the roots after the block. A block that wrote nothing leaves the state as it was.
    pub fn finish(self) -> Result<StateUpdate, ReadError> {
        let mut tables: BTreeMap<Table, BTreeMap<Hash, Leaf>> = BTreeMap::new();
        for (key, leaf) in self.written {
            tables.entry(key.table).or_default().insert(key.key, leaf);
        }
        let nodes = self.passed.into_iter().map(|leaf| (leaf.hash(), Node::Leaf(leaf))).collect();
        let mut update = StateUpdate { roots: self.roots.clone(), nodes, dead: Vec::new() };
        for (table, leaves) in &tables {
            let root = &mut update.roots.0[table.at()];
            let map = map::update(self.reader, root, leaves)?;
            *root = map.root;
            update.nodes.extend(map.nodes);
            update.dead.extend(map.dead);
        }
        Ok(update)
    }

    fn next(&self, key: &RecordKey, earlier: Option<&Leaf>, value: Vec<u8>) -> Leaf {
        Leaf {
            key: key.key,
            version: earlier.map_or(1, |leaf| leaf.version.checked_add(1).expect("versions do not run out")),
            changed_at: self.height,
            previous: earlier.map_or(Hash::ZERO, Leaf::hash),
            value,
        }
    }

    fn leaf_of_parent(&self, key: &RecordKey) -> Result<Option<Leaf>, ReadError> {
        if let Some(leaf) = self.seen.borrow().get(key) {
            return Ok(leaf.clone());
        }
        let leaf = StateView::new(self.roots, self.reader).leaf(key)?;
        self.seen.borrow_mut().insert(*key, leaf.clone());
        Ok(leaf)
    }
}

impl<R: NodeReader> StateReader for BlockState<'_, R> {
    fn leaf(&self, key: &RecordKey) -> Result<Option<Leaf>, ReadError> {
        match self.written.get(key) {
            Some(leaf) => Ok(Some(leaf.clone())),
            None => self.leaf_of_parent(key),
        }
    }
}

impl StateUpdate {
    /// The delta of the block with `header`, which extends the history tree `before` it.
    pub(super) fn into_delta(
        self,
        header: Header,
        before: &Frontier,
        validators: ValidatorSet,
        params: Params,
        transactions: Vec<TransactionId>,
    ) -> Delta {
        let hash = header.hash();
        let mut frontier = before.clone();
        let history = frontier.append(hash.0.as_bytes());
        let tip = Tip { header, hash, roots: self.roots, history: frontier, validators, params };
        Delta { tip, nodes: self.nodes, dead: self.dead, history, transactions }
    }
}

/// Tables whose records get one version a block, however many transactions touch them: nobody names these
/// versions, and a version for each diploma would be dead weight for ever. All other records get one for each
/// write, since the next operation in the same block may have to name it.
const fn counts_blocks(table: Table) -> bool {
    match table {
        Table::Quotas | Table::Audit => true,
        Table::Institutions
        | Table::Accreditations
        | Table::Keys
        | Table::Batches
        | Table::Tokens
        | Table::Council
        | Table::Params
        | Table::Validators
        | Table::Proposals => false,
    }
}
