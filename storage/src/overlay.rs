//! What is derived from blocks and not yet on disk: nodes of the state, places of transactions, heights of
//! blocks, subtrees of history. Kept in memory and written in the background; after a crash the blocks give all
//! of it again.
//!
//! A node is in one of three places. *Fresh*: born since the last write-behind began. *Frozen*: being written.
//! *Faded*: born and dead before it was ever written; such a node is kept only as long as a reader may still hold
//! a root above it, and never reaches the disk unless faded nodes outgrow [`FADED_BYTES_MAX`]. Whatever is in
//! none of them is on disk or gone.

use std::{
    collections::{BTreeMap, VecDeque},
    mem,
    sync::Arc,
};

use tanba_crypto::Hash;
use tanba_ledger::{BlockHash, Height, TransactionId, merkle::Node, state::Delta};

use crate::{Position, READABLE_BLOCKS};

/// Bytes of derived state in memory, at most; a commit above this writes behind before it returns.
pub const OVERLAY_BYTES_MAX: usize = 32 << 20;

/// Bytes of faded nodes, at most; above this a dead node is written all the same, and removed later.
pub const FADED_BYTES_MAX: usize = 16 << 20;

/// Bytes of blocks above the checkpoint, at most: the bodies that an opening works through again. At 450 bytes
/// and two signatures for a transaction this is some 18,000 transactions, about two seconds.
pub const REPLAY_BYTES_MAX: usize = 8 << 20;

/// Blocks above the checkpoint, at most.
pub const REPLAY_BLOCKS_MAX: usize = 4_096;

/// What a map entry costs beside its content, roughly.
const ENTRY_BYTES: usize = 64;

/// Derived values of consecutive blocks.
#[derive(Debug, Default)]
pub(crate) struct Layer {
    pub(crate) nodes: BTreeMap<Hash, Node>,
    pub(crate) positions: BTreeMap<TransactionId, Position>,
    pub(crate) heights: BTreeMap<BlockHash, Height>,
    pub(crate) history: BTreeMap<(u8, u64), Hash>,
    /// Branches that died while these blocks were applied and are on disk, or may be.
    pub(crate) dead: Vec<Hash>,
    bytes: usize,
    body_bytes: usize,
    blocks: usize,
}

impl Layer {
    /// Whether no block went into it.
    pub(crate) fn is_empty(&self) -> bool {
        self.blocks == 0
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Overlay {
    fresh: Layer,
    frozen: Option<Arc<Layer>>,
    faded: BTreeMap<Hash, Node>,
    fading: VecDeque<(Height, Vec<Hash>)>,
    faded_bytes: usize,
}

impl Overlay {
    /// Takes in what the block at `delta.tip` changed. `replayed`: after a crash, when a write-behind that was
    /// cut short may have left any of these nodes on disk.
    pub(crate) fn absorb(&mut self, delta: Delta, body_bytes: usize, replayed: bool) {
        let Delta { tip, nodes, dead, history, transactions } = delta;
        let height = tip.header.height;
        let fresh = &mut self.fresh;
        fresh.blocks += 1;
        fresh.body_bytes += body_bytes;
        fresh.bytes += (history.len() + transactions.len() + 1) * (ENTRY_BYTES + mem::size_of::<Hash>());
        fresh.heights.insert(tip.hash, height);
        fresh.history.extend(history.into_iter().map(|node| ((node.level, node.index), node.hash)));
        let positions = transactions.into_iter().zip(0..);
        fresh.positions.extend(positions.map(|(id, index)| (id, Position { height, index })));
        for (hash, node) in nodes {
            fresh.bytes += node_bytes(&node);
            fresh.nodes.insert(hash, node);
        }
        self.bury(height, dead, replayed);
        self.forget_faded(height);
    }

    /// A dead branch cannot be born again: below it are leaves, each names its version, and versions only grow.
    fn bury(&mut self, height: Height, dead: Vec<Hash>, replayed: bool) {
        let mut fading = Vec::new();
        for hash in dead {
            let may_fade = self.faded_bytes < FADED_BYTES_MAX;
            let unwritten = if may_fade { self.fresh.nodes.remove(&hash) } else { None };
            if unwritten.is_none() || replayed {
                self.fresh.bytes += mem::size_of::<Hash>();
                self.fresh.dead.push(hash);
            }
            if let Some(node) = unwritten {
                self.fresh.bytes = self.fresh.bytes.saturating_sub(node_bytes(&node));
                self.faded_bytes += node_bytes(&node);
                self.faded.insert(hash, node);
                fading.push(hash);
            }
        }
        self.fading.push_back((height, fading));
    }

    fn forget_faded(&mut self, head: Height) {
        while self.fading.front().is_some_and(|(died, _)| no_longer_read(*died, head)) {
            let (_, hashes) = self.fading.pop_front().expect("there is a front");
            for hash in hashes {
                let node = self.faded.remove(&hash).expect("a fading node is there until now");
                self.faded_bytes -= node_bytes(&node);
            }
        }
    }

    /// Begins a write-behind: the fresh layer is frozen and handed out to be written.
    pub(crate) fn freeze(&mut self) -> Arc<Layer> {
        assert!(self.frozen.is_none(), "one write-behind at a time");
        let layer = Arc::new(mem::take(&mut self.fresh));
        self.frozen = Some(Arc::clone(&layer));
        layer
    }

    /// Ends a write-behind: the frozen layer is on disk.
    pub(crate) fn settle(&mut self) {
        assert!(self.frozen.take().is_some(), "a write-behind was begun");
    }

    /// Whether a bound is reached: what comes next has to wait for a write-behind.
    pub(crate) fn is_full(&self) -> bool {
        self.has_reached(1)
    }

    /// Whether a quarter of a bound is reached.
    pub(crate) fn is_due(&self) -> bool {
        self.has_reached(4)
    }

    fn has_reached(&self, fraction: usize) -> bool {
        let waiting = |of: fn(&Layer) -> usize| self.layers().map(of).sum::<usize>();
        waiting(|layer| layer.bytes) >= OVERLAY_BYTES_MAX / fraction
            || waiting(|layer| layer.body_bytes) >= REPLAY_BYTES_MAX / fraction
            || waiting(|layer| layer.blocks) >= REPLAY_BLOCKS_MAX / fraction
    }

    /// Whether nothing waits to be written.
    pub(crate) fn is_clean(&self) -> bool {
        self.fresh.is_empty()
    }

    pub(crate) fn node(&self, hash: &Hash) -> Option<&Node> {
        self.layers().find_map(|layer| layer.nodes.get(hash)).or_else(|| self.faded.get(hash))
    }

    pub(crate) fn position(&self, transaction: &TransactionId) -> Option<Position> {
        self.layers().find_map(|layer| layer.positions.get(transaction)).copied()
    }

    pub(crate) fn height_of(&self, block: &BlockHash) -> Option<Height> {
        self.layers().find_map(|layer| layer.heights.get(block)).copied()
    }

    pub(crate) fn history_node(&self, level: u8, index: u64) -> Option<Hash> {
        self.layers().find_map(|layer| layer.history.get(&(level, index))).copied()
    }

    fn layers(&self) -> impl Iterator<Item = &Layer> {
        std::iter::once(&self.fresh).chain(self.frozen.as_deref())
    }
}

/// Whether a branch that died in the block at `died` is out of every reader's sight once `head` is the head.
pub(crate) fn no_longer_read(died: Height, head: Height) -> bool {
    died.0.checked_add(READABLE_BLOCKS).is_some_and(|until| until <= head.0)
}

fn node_bytes(node: &Node) -> usize {
    let value_bytes = match node {
        Node::Leaf(leaf) => leaf.value.len(),
        Node::Branch(_) => 0,
    };
    ENTRY_BYTES + mem::size_of::<Hash>() + mem::size_of::<Node>() + value_bytes
}

#[cfg(test)]
mod tests {
    use tanba_ledger::{
        BlockHash, ChainId, Header, Timestamp, Validator, ValidatorSet,
        block::HEADER_VERSION,
        merkle::{Branch, Frontier},
        record::{NetworkKind, Params},
        state::{TableRoots, Tip},
    };

    use super::*;

    fn branch(n: u64) -> (Hash, Node) {
        let left = Hash::plain(&n.to_be_bytes());
        let branch = Branch { bit: 0, left, right: Hash::ZERO };
        (branch.hash(), Node::Branch(branch))
    }

    fn delta(height: u64, born: &[u64], dead: &[u64]) -> Delta {
        let bin = tanba_ledger::Bin::with_control_digit(10_000_000_000).expect("has a control digit");
        let key = tanba_crypto::PublicKey::Ed25519([1; 32]);
        let validators = ValidatorSet::new(vec![Validator { bin, key }]).expect("a set");
        let params = Params {
            kind: NetworkKind::Devnet,
            heartbeat_ms: 0,
            officer_delay_ms: 0,
            factors_min: 0,
            issued_daily_max: 0,
            changed_daily_max: 0,
            territory: Hash::ZERO,
        };
        let header = Header {
            version: HEADER_VERSION,
            chain: ChainId(Hash::ZERO),
            height: Height(height),
            time: Timestamp(0),
            parent: BlockHash(Hash::ZERO),
            proposer: None,
            transactions: Hash::ZERO,
            count: 0,
            state: Hash::ZERO,
            history: Hash::ZERO,
            validators: Hash::ZERO,
            next_validators: Hash::ZERO,
        };
        let (roots, history) = (TableRoots::default(), Frontier::default());
        let tip = Tip { hash: header.hash(), header, roots, history, validators, params };
        Delta {
            tip,
            nodes: born.iter().map(|n| branch(*n)).collect(),
            dead: dead.iter().map(|n| branch(*n).0).collect(),
            history: vec![],
            transactions: vec![],
        }
    }

    #[test]
    fn a_node_born_and_dead_between_two_checkpoints_is_never_written() {
        let mut overlay = Overlay::default();
        overlay.absorb(delta(1, &[1, 2], &[]), 0, false);
        overlay.absorb(delta(2, &[3], &[2]), 0, false);
        let layer = overlay.freeze();
        assert_eq!(layer.nodes.len(), 2);
        assert!(!layer.nodes.contains_key(&branch(2).0));
        assert!(layer.dead.is_empty(), "nothing on disk to remove");
        assert!(overlay.node(&branch(2).0).is_some(), "still read by whoever holds the root of block 1");
    }

    #[test]
    fn a_faded_node_is_forgotten_once_its_last_root_is_out_of_sight() {
        let mut overlay = Overlay::default();
        overlay.absorb(delta(1, &[1], &[]), 0, false);
        overlay.absorb(delta(2, &[2], &[1]), 0, false);
        for height in 3..=1 + READABLE_BLOCKS {
            overlay.absorb(delta(height, &[], &[]), 0, false);
        }
        assert!(overlay.node(&branch(1).0).is_some(), "block 1 is {READABLE_BLOCKS} blocks old");
        overlay.absorb(delta(2 + READABLE_BLOCKS, &[], &[]), 0, false);
        assert!(overlay.node(&branch(1).0).is_none());
        assert_eq!(overlay.faded_bytes, 0);
    }

    #[test]
    fn a_branch_that_dies_while_it_is_written_is_listed_for_removal() {
        let mut overlay = Overlay::default();
        overlay.absorb(delta(1, &[1], &[]), 0, false);
        overlay.freeze();
        overlay.absorb(delta(2, &[2], &[1]), 0, false);
        assert!(overlay.node(&branch(1).0).is_some(), "in the frozen layer");
        overlay.settle();
        assert_eq!(overlay.freeze().dead, [branch(1).0]);
    }

    #[test]
    fn after_a_replay_every_dead_branch_is_listed_for_removal() {
        let mut overlay = Overlay::default();
        overlay.absorb(delta(1, &[1], &[]), 0, true);
        overlay.absorb(delta(2, &[2], &[1]), 0, true);
        assert_eq!(overlay.freeze().dead, [branch(1).0]);
    }

    #[test]
    fn blocks_bytes_and_bodies_that_wait_are_bounded() {
        let mut overlay = Overlay::default();
        assert!(!overlay.is_due());
        overlay.absorb(delta(1, &[], &[]), REPLAY_BYTES_MAX / 4, false);
        assert!(overlay.is_due() && !overlay.is_full());
        overlay.freeze();
        overlay.absorb(delta(2, &[], &[]), REPLAY_BYTES_MAX, false);
        assert!(overlay.is_full(), "what is being written waits too");
    }

    #[test]
    fn faded_nodes_are_bounded_by_writing_them() {
        let mut overlay = Overlay { faded_bytes: FADED_BYTES_MAX, ..Overlay::default() };
        overlay.absorb(delta(1, &[1], &[]), 0, false);
        overlay.absorb(delta(2, &[2], &[1]), 0, false);
        let layer = overlay.freeze();
        assert!(layer.nodes.contains_key(&branch(1).0));
        assert_eq!(layer.dead, [branch(1).0]);
    }
}
