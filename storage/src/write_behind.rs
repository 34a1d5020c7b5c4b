//! Writes derived state to disk behind the blocks' back, and removes dead branches when nothing needs them.
//!
//! Order is everything here. The layer's values and the checkpoint they stand for go first; a barrier; then one
//! small record that names the checkpoint as the one in force; a barrier. A crash before the second barrier
//! leaves the old checkpoint in force, and the values above it are only nodes under their own hash and places
//! that a replay writes again. Dead branches are listed beside the checkpoint and removed once a later run finds
//! them out of every reader's sight: the checkpoint in force no longer needs them by then. Their list goes after
//! a further barrier, so that none is forgotten, and in the same run, so that a node that never lives long gets
//! through its lists all the same. An opening only writes; what is listed waits for the first run after it.

use std::{
    collections::BTreeSet,
    sync::{Arc, PoisonError},
};

use tanba_crypto::{Canonical, Hash};
use tanba_ledger::Height;

use crate::{
    Position, StoreError,
    keys::{self, Table},
    overlay::{Layer, no_longer_read},
    record::{Checkpoint, Derived},
    shared::Shared,
    tree::{Tree, insert_all},
    value::{self, Entry},
};

/// What only the write-behind knows; one runs at a time.
#[derive(Debug, Default)]
pub(crate) struct Behind {
    /// The checkpoint in force.
    pub(crate) checkpoint: Height,
    /// Checkpoints whose list of dead branches is still to be worked through.
    pub(crate) doomed: BTreeSet<Height>,
}

/// The handle by which the node's own thread writes derived state to disk, while blocks are committed.
pub struct WriteBehind<T> {
    shared: Arc<Shared<T>>,
}

impl<T> Clone for WriteBehind<T> {
    fn clone(&self) -> Self {
        WriteBehind { shared: Arc::clone(&self.shared) }
    }
}

impl<T: Tree> WriteBehind<T> {
    pub(crate) fn new(shared: Arc<Shared<T>>) -> WriteBehind<T> {
        WriteBehind { shared }
    }

    /// Whether a quarter of what may wait in memory does. At the whole of it a commit writes behind by itself,
    /// and its caller waits.
    pub fn is_due(&self) -> bool {
        self.shared.read().overlay.is_due()
    }

    /// Fails with the store's first error, once there was one, wherever it was met.
    pub fn check(&self) -> Result<(), StoreError> {
        self.shared.fuse.cause().map_or(Ok(()), |cause| Err(cause.clone()))
    }

    /// Writes everything derived up to the head as it now is, and removes what died long enough ago. Takes as
    /// long as it takes; commits and reads go on meanwhile.
    ///
    /// An error is the store's last, as every other is.
    pub fn run(&self) -> Result<(), StoreError> {
        run(&self.shared)
    }
}

/// See [`WriteBehind::run`].
pub(crate) fn run<T: Tree>(shared: &Shared<T>) -> Result<(), StoreError> {
    let mut behind = shared.behind.lock().unwrap_or_else(PoisonError::into_inner);
    // Asked under the lock: the run before this one may have failed.
    shared.fuse.run(|| {
        write_waiting(shared, &mut behind)?;
        remove_doomed(shared, &mut behind)
    })
}

/// The first half of a run: everything derived is on disk when this returns.
pub(crate) fn write<T: Tree>(shared: &Shared<T>) -> Result<(), StoreError> {
    let mut behind = shared.behind.lock().unwrap_or_else(PoisonError::into_inner);
    shared.fuse.run(|| write_waiting(shared, &mut behind))
}

fn write_waiting<T: Tree>(shared: &Shared<T>, behind: &mut Behind) -> Result<(), StoreError> {
    if shared.read().overlay.is_clean() {
        return Ok(());
    }
    let (layer, checkpoint, height) = {
        let mut current = shared.write();
        let checkpoint = Checkpoint::of(&current.tip, &current.electors);
        (current.overlay.freeze(), checkpoint, current.tip.header.height)
    };
    let tree = &shared.tree;
    write_layer(tree, &layer, &checkpoint, height)?;
    shared.write().overlay.settle();
    let old = std::mem::replace(&mut behind.checkpoint, height);
    assert!(old < height, "a checkpoint follows the one before");
    value::remove_all(tree, &Table::Checkpoint.at(old))?;
    if !layer.dead.is_empty() {
        behind.doomed.insert(height);
    }
    Ok(())
}

/// Writes `layer` and puts the checkpoint it leads to in force.
pub(crate) fn write_layer<T: Tree>(
    tree: &T,
    layer: &Layer,
    checkpoint: &Checkpoint,
    height: Height,
) -> Result<(), StoreError> {
    for (hash, node) in &layer.nodes {
        insert_all(tree, &value::pieces(keys::node(hash), node.to_canonical()))?;
    }
    for (id, Position { height, index }) in &layer.positions {
        insert(tree, value::record(keys::position(id), &(*height, *index)))?;
    }
    for (hash, height) in &layer.heights {
        insert(tree, value::record(keys::height_of(hash), height))?;
    }
    for ((level, index), hash) in &layer.history {
        insert(tree, value::record(keys::history(*level, *index), hash))?;
    }
    if !layer.dead.is_empty() {
        insert_all(tree, &value::sealed(Table::Doomed.at(height), &layer.dead.to_canonical()))?;
    }
    insert_all(tree, &value::sealed(Table::Checkpoint.at(height), &checkpoint.to_canonical()))?;
    tree.barrier()?;
    insert(tree, value::record(Table::Derived.key(), &Derived { height }))?;
    tree.barrier()
}

/// What a crash brings back is on its list still.
fn remove_doomed<T: Tree>(shared: &Shared<T>, behind: &mut Behind) -> Result<(), StoreError> {
    let head = shared.head();
    while let Some(height) = behind.doomed.first().copied().filter(|height| no_longer_read(*height, head)) {
        assert!(height <= behind.checkpoint, "the checkpoint in force does without what died before it");
        // A list whose own removal a crash cut short has done its work; no other answer rests on one.
        let dead = match value::read_record::<_, Vec<Hash>>(&shared.tree, &Table::Doomed.at(height)) {
            Ok(dead) => dead.unwrap_or_default(),
            Err(StoreError::Damaged { .. }) => Vec::new(),
            Err(error) => return Err(error),
        };
        dead.iter().try_for_each(|hash| remove_node(&shared.tree, hash))?;
        shared.tree.barrier()?;
        value::remove_all(&shared.tree, &Table::Doomed.at(height))?;
        behind.doomed.pop_first();
    }
    Ok(())
}

/// Branches alone die, and a branch is one piece.
fn remove_node<T: Tree>(tree: &T, hash: &Hash) -> Result<(), StoreError> {
    tree.remove(&keys::node(hash))
}

fn insert<T: Tree>(tree: &T, (key, value): Entry) -> Result<(), StoreError> {
    tree.insert(&key, &value)
}
