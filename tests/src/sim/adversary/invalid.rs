//! Proposes blocks that break one rule each; and blocks at times that nobody should vote for.

use tanba_crypto::Hash;
use tanba_ledger::{
    Block, BlockHash, ChainId, Slot, Timestamp, Transaction,
    state::{Live, check_live},
};
use tanba_node::{message::Message, replica::action::Action};
use tanba_storage::StoreReader;

use super::{craft, did};
use crate::{cluster::Cluster, sim::pool};

/// Ways in which a block can be wrong.
const WRONGS: u64 = 14;

const YEAR_MS: u64 = 365 * 24 * 3_600_000;

pub(super) fn says(cluster: &mut Cluster, node: usize, action: Action, late_ms: u64) {
    let Some(slot) = fresh_proposal(&action) else { return cluster.act(node, action, late_ms) };
    let time = cluster.wall();
    let Some(mut block) = craft::block(cluster, node, slot, time) else {
        return cluster.act(node, action, late_ms);
    };
    let valid = block.clone();
    spoil(cluster, &mut block);
    if block != valid {
        did(cluster, node);
    }
    let message = craft::propose(cluster, node, slot, block);
    for to in cluster.validators_besides(node) {
        cluster.send_message(node, to, &message, late_ms);
    }
}

pub(super) fn pushes_time(cluster: &mut Cluster, node: usize, action: Action, late_ms: u64) {
    let Some(slot) = fresh_proposal(&action) else { return cluster.act(node, action, late_ms) };
    let Some(tip) = cluster.nodes[node].reader.as_ref().map(|reader| reader.tip()) else {
        return cluster.act(node, action, late_ms);
    };
    let now = cluster.wall();
    let time = match cluster.random.below(7) {
        0 => now.saturating_add_ms(1_900),
        1 => now.saturating_add_ms(30_000),
        2 => now.saturating_add_ms(YEAR_MS),
        3 => Timestamp(u64::MAX),
        4 => tip.header.time.saturating_add_ms(1),
        5 => Timestamp(now.0.saturating_sub(40_000)),
        _ => now.saturating_add_ms(2_100),
    };
    let Some(block) = craft::block(cluster, node, slot, time) else {
        return cluster.act(node, action, late_ms);
    };
    if check_live(&block.header, &tip, now) != Live::Now {
        did(cluster, node);
    }
    let message = craft::propose(cluster, node, slot, block);
    for to in cluster.validators_besides(node) {
        cluster.send_message(node, to, &message, late_ms);
    }
}

fn fresh_proposal(action: &Action) -> Option<Slot> {
    let Action::Broadcast(message) = action else { return None };
    match &**message {
        Message::Proposal(message) if message.proposal.proposal.is_fresh() => {
            Some(message.proposal.proposal.slot)
        }
        _ => None,
    }
}

fn spoil(cluster: &mut Cluster, block: &mut Block) {
    let wrong = Hash::plain(b"wrong");
    let header = &mut block.header;
    match cluster.random.below(WRONGS) {
        0 => header.state = wrong,
        1 => header.history = wrong,
        2 => header.transactions = wrong,
        3 => header.count += 1,
        4 => header.parent = BlockHash(wrong),
        5 => header.chain = ChainId(wrong),
        6 => header.version += 1,
        7 => header.validators = wrong,
        8 => header.next_validators = wrong,
        9 => header.proposer = None,
        10 => header.height = header.height.next(),
        11 => header.time = Timestamp(0),
        12 => {
            let again = block.transactions.first().cloned();
            with_transactions(block, again);
        }
        _ => {
            let alone = Some((*pool::approved_by_one(cluster.universities())).clone());
            with_transactions(block, alone);
        }
    }
}

/// Adds a transaction, and makes the header's own claim about its transactions true.
fn with_transactions(block: &mut Block, more: Option<Transaction>) {
    use tanba_crypto::Canonical;
    block.transactions.extend(more);
    block.header.count = block.transactions.len() as u32;
    let bytes = block.transactions.iter().map(Canonical::to_canonical);
    block.header.transactions = tanba_ledger::merkle::tree::root(bytes);
}
