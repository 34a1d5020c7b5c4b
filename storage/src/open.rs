//! Opening: what is checked before a store is used, and how it catches up with its own blocks.

use std::sync::Arc;

use tanba_crypto::{Canonical, Verify};
use tanba_ledger::{
    Block, Certificate, ChainId, Header, Height, ValidatorSet,
    certificate::Electorate,
    merkle::NodeReader,
    state::{Delta, Tip},
};

use crate::{
    CertifiedBlock, StoreError,
    blocks::{self, BlockEntries},
    keys::{self, Table},
    overlay::Overlay,
    reader::TreeReader,
    record::{Checkpoint, Derived, FORMAT, Format, Head, Pending},
    replay::Replay,
    shared::Shared,
    tree::{Tree, insert_all},
    value,
    write_behind::{self, Behind},
};

/// Writes genesis into an empty tree. Once this returned the store can be opened; before, it cannot, and the
/// caller starts over.
///
/// Panics unless `delta` is that of the block and the block is genesis: the caller made both.
pub(crate) fn found<T: Tree>(tree: &T, genesis: &Block, delta: Delta) -> Result<(), StoreError> {
    let header = &genesis.header;
    let chain = header.founded_chain();
    assert_eq!(delta.tip.header, *header, "the delta of genesis is given");
    assert_eq!(delta.tip.roots.root(), header.state, "the state of genesis is given");
    let checkpoint = Checkpoint::of(&delta.tip, &delta.tip.validators);
    let BlockEntries { entries, body_bytes, .. } = BlockEntries::of(genesis, None);
    let mut overlay = Overlay::default();
    overlay.absorb(delta, body_bytes, false);
    insert_all(tree, &entries)?;
    write_behind::write_layer(tree, &overlay.freeze(), &checkpoint, Height::GENESIS)?;
    put(tree, Table::Head, &Head { height: Height::GENESIS, hash: header.hash() })?;
    tree.barrier()?;
    put(tree, Table::Format, &Format { format: FORMAT, chain })?;
    tree.barrier()
}

/// Opens a founded tree: checks format, network, head, its certificate and the state, and applies again the
/// blocks above the checkpoint.
pub(crate) fn open<T: Tree>(
    tree: T,
    chain: &ChainId,
    replay: &Replay<'_>,
) -> Result<Arc<Shared<T>>, StoreError> {
    check_format(&tree, chain)?;
    let head: Head = get(&tree, Table::Head)?;
    drop_above(&tree, head)?;
    let (tip, electors, behind) = read_checkpoint(&tree, head)?;
    let shared = Arc::new(Shared::new(tree, tip, electors, behind));
    replay_to(&shared, head, replay)?;
    check_head(&shared, head, chain)?;
    check_roots(&shared)?;
    // From here on every node that is not on disk is known to be in memory, and the next opening is short. What died
    // is removed when nobody waits for it.
    write_behind::write(&shared)?;
    Ok(shared)
}

fn check_format<T: Tree>(tree: &T, chain: &ChainId) -> Result<(), StoreError> {
    let found: Format = get(tree, Table::Format)?;
    if found.format != FORMAT {
        return Err(StoreError::WrongFormat { found: found.format, expected: FORMAT });
    }
    if found.chain != *chain {
        let (found, expected) = (found.chain.to_string(), chain.to_string());
        return Err(StoreError::WrongNetwork { found, expected });
    }
    Ok(())
}

/// Drops a block whose commit was cut short. It was decided, so whoever commits this height again commits the
/// same block; still nothing is left lying about that no head vouches for.
fn drop_above<T: Tree>(tree: &T, head: Head) -> Result<(), StoreError> {
    let Some(pending) = value::read_record::<_, Pending>(tree, &Table::Pending.key())? else { return Ok(()) };
    if pending.height <= head.height {
        return Ok(());
    }
    if pending.height != head.height.next() {
        let what = format!("block {} was begun above head {}", pending.height, head.height);
        return Err(StoreError::damaged("the list of pending keys", what));
    }
    blocks::remove(tree, &pending)
}

/// Reads the checkpoint in force; removes what a write-behind cut short left of a later one.
fn read_checkpoint<T: Tree>(tree: &T, head: Head) -> Result<(Tip, ValidatorSet, Behind), StoreError> {
    let Derived { height } = get(tree, Table::Derived)?;
    let place = || format!("the checkpoint at {height}");
    if height > head.height {
        return Err(StoreError::damaged(place(), format!("it is above the head {}", head.height)));
    }
    for key in tree.keys(&Table::Checkpoint.key())? {
        if keys::height_in(&key) != Some(height) {
            tree.remove(&key)?;
        }
    }
    let mut behind = Behind { checkpoint: height, ..Behind::default() };
    for key in tree.keys(&Table::Doomed.key())? {
        match keys::height_in(&key) {
            Some(doomed) if doomed <= height => drop(behind.doomed.insert(doomed)),
            _ => tree.remove(&key)?,
        }
    }
    let checkpoint: Option<Checkpoint> = value::read_record(tree, &Table::Checkpoint.at(height))?;
    let checkpoint = checkpoint.ok_or_else(|| StoreError::damaged(place(), "it is missing"))?;
    let header = blocks::header(tree, height)?;
    let (tip, electors) = checkpoint
        .into_tip(header)
        .ok_or_else(|| StoreError::damaged(place(), "it does not fit the header of its height"))?;
    Ok((tip, electors, behind))
}

fn replay_to<T: Tree>(shared: &Arc<Shared<T>>, head: Head, replay: &Replay<'_>) -> Result<(), StoreError> {
    while shared.head() < head.height {
        let parent = shared.tip();
        let CertifiedBlock { block, .. } = blocks::block(&shared.tree, parent.header.height.next())?;
        let delta = apply_again(shared, &block, &parent, replay)?;
        let body_bytes = block.transactions.to_canonical().len();
        shared.write().advance(delta, body_bytes, true);
        if shared.read().overlay.is_full() {
            write_behind::write(shared)?;
        }
    }
    Ok(())
}

fn apply_again<T: Tree>(
    shared: &Arc<Shared<T>>,
    block: &Block,
    parent: &Tip,
    replay: &Replay<'_>,
) -> Result<Delta, StoreError> {
    let height = block.header.height;
    let damaged = |what: String| StoreError::damaged(format!("block {height}"), what);
    if block.header.parent != parent.hash {
        return Err(damaged(format!("it extends {}, not {}", block.header.parent, parent.hash)));
    }
    let delta = replay(block, parent, &TreeReader::new(Arc::clone(shared)))
        .map_err(|error| damaged(format!("it does not apply again: {error}")))?;
    if delta.tip.header != block.header || delta.tip.roots.root() != block.header.state {
        return Err(damaged("applied again it gives another state".to_owned()));
    }
    Ok(delta)
}

/// The head's certificate vouches for the head, and so, through parents and state roots, for all of the past.
fn check_head<T: Tree>(shared: &Shared<T>, head: Head, chain: &ChainId) -> Result<(), StoreError> {
    let damaged = |what: &str| StoreError::damaged(format!("the head {}", head.height), what);
    let current = shared.read();
    let header = &current.tip.header;
    if current.tip.hash != head.hash {
        return Err(damaged("its block has another hash"));
    }
    match blocks::finalization(&shared.tree, head.height)? {
        None if header.founded_chain() == *chain => Ok(()),
        None => Err(damaged("genesis founds another network")),
        Some(certificate) => {
            if verifies(&certificate, header, chain, &current.electors) {
                Ok(())
            } else {
                Err(damaged("its certificate does not verify"))
            }
        }
    }
}

/// Whether `certificate` makes the block of `header` final by votes of `electors`, its own set.
pub(crate) fn verifies(
    certificate: &Certificate,
    header: &Header,
    chain: &ChainId,
    electors: &ValidatorSet,
) -> bool {
    let electorate = Electorate { chain, height: header.height, validators: electors };
    header.validators == electors.hash()
        && blocks::certifies(certificate, header)
        && certificate.verify(electorate).is_ok()
}

/// The top of every table's trie must be there; the rest is checked as it is read.
fn check_roots<T: Tree>(shared: &Arc<Shared<T>>) -> Result<(), StoreError> {
    let tip = shared.tip();
    let reader = TreeReader::new(Arc::clone(shared));
    let roots = tip.roots.0.iter().filter(|root| **root != tanba_crypto::Hash::ZERO);
    for root in roots {
        reader.node(root).map_err(|error| StoreError::damaged("the state", error.to_string()))?;
    }
    Ok(())
}

fn get<T: Tree, R: Canonical>(tree: &T, table: Table) -> Result<R, StoreError> {
    let key = table.key();
    let found = value::read_record(tree, &key)?;
    found.ok_or_else(|| StoreError::damaged(format!("{table:?}").to_lowercase(), "the record is missing"))
}

fn put<T: Tree, R: Canonical>(tree: &T, table: Table, record: &R) -> Result<(), StoreError> {
    let (key, value) = value::record(table.key(), record);
    tree.insert(&key, &value)
}

#[cfg(test)]
mod tests {
    use tanba_crypto::Hash;

    use super::*;
    use crate::MemoryDisk;

    const CHAIN: ChainId = ChainId(Hash([9; 32]));

    #[test]
    fn another_layout_is_refused_before_anything_else_is_read() {
        let tree = MemoryDisk::new().tree();
        put(&tree, Table::Format, &Format { format: FORMAT + 1, chain: CHAIN }).expect("stored");
        let never =
            |_: &Block, _: &Tip, _: &dyn NodeReader| -> Result<Delta, String> { panic!("no block is read") };
        let refusal = open(tree, &CHAIN, &never).err();
        assert_eq!(refusal, Some(StoreError::WrongFormat { found: FORMAT + 1, expected: FORMAT }));
    }

    #[test]
    fn a_store_whose_founding_was_cut_short_is_no_store() {
        let tree = MemoryDisk::new().tree();
        put(&tree, Table::Head, &Head { height: Height(0), hash: tanba_ledger::BlockHash(Hash::ZERO) })
            .expect("stored");
        assert!(matches!(check_format(&tree, &CHAIN), Err(StoreError::Damaged { .. })));
    }
}
