//! Blocks that an adversary makes up, and proposals for them.

use tanba_consensus::message::{Proposal, SignedProposal};
use tanba_crypto::Verified;
use tanba_ledger::{
    Block, Slot, Timestamp, Transaction, View,
    state::{Room, build},
};
use tanba_node::message::{Message, Outline, ProposalMessage};
use tanba_storage::StoreReader;

use super::key;
use crate::{cluster::Cluster, sim::pool};

/// A valid block for a slot at a time of one's choice, of a transaction or two that others may not have.
pub(super) fn block(cluster: &mut Cluster, node: usize, slot: Slot, time: Timestamp) -> Option<Block> {
    let tip = cluster.nodes[node].reader.as_ref()?.tip();
    if slot.height != tip.header.height.next() || time <= tip.header.time {
        return None;
    }
    let pool = pool::transactions(cluster.universities());
    let mut candidates: Vec<Verified<Transaction>> =
        (0..2).map(|_| pool[cluster.random.place(pool.len())].clone()).collect();
    // Left out by whoever keeps to the rules.
    candidates.push(cluster.world.verified((*pool::approved_by_one(cluster.universities())).clone()));
    let number = cluster.nodes[node].number;
    let reader = cluster.nodes[node].reader.as_ref()?;
    let proposer = tanba_ledger::testkit::bin(number);
    let built = build(&tip, reader, time, proposer, Room::in_view(slot.view), &candidates).ok()?;
    built.block.map(|(block, _)| block)
}

/// Signs a fresh proposal of a block, and keeps the block for whoever asks.
pub(super) fn propose(cluster: &mut Cluster, node: usize, slot: Slot, block: Block) -> Message {
    let proposal = Proposal { slot, block: block.hash(), parent_view: View::NONE };
    let signed = SignedProposal::sign(proposal, &cluster.world.chain, &key(cluster, node));
    let names = block.transactions.iter().map(Transaction::bytes_hash).collect();
    let outline = Some(Outline { header: block.header.clone(), transactions: names });
    let wicked = cluster.wicked.get_mut(&node).expect("only the wicked make blocks up");
    wicked.crafted.insert(proposal.block, block);
    Message::Proposal(Box::new(ProposalMessage { proposal: signed, notarization: None, outline }))
}
