//! Says one thing to some and another to others.

use tanba_ledger::{BlockHash, SignedVote, Vote};
use tanba_node::{
    message::{Message, ProposalMessage},
    replica::action::Action,
};

use super::{craft, did, key, place};
use crate::cluster::Cluster;

pub(super) fn says(cluster: &mut Cluster, node: usize, action: Action, late_ms: u64) {
    let Action::Broadcast(message) = action else { return cluster.act(node, action, late_ms) };
    match &*message {
        Message::Proposal(proposal) => two_proposals(cluster, node, proposal, late_ms),
        Message::Vote(signed) => two_votes(cluster, node, signed.vote, late_ms),
        _ => cluster.act(node, Action::Broadcast(message), late_ms),
    }
}

fn two_proposals(cluster: &mut Cluster, node: usize, first: &ProposalMessage, late_ms: u64) {
    let slot = first.proposal.proposal.slot;
    let time = cluster.wall().saturating_add_ms(1 + cluster.random.below(5));
    let other = craft::block(cluster, node, slot, time);
    let other = other.filter(|block| block.hash() != first.proposal.proposal.block);
    let second = other.map(|block| craft::propose(cluster, node, slot, block));
    let first = Message::Proposal(Box::new(first.clone()));
    for to in cluster.validators_besides(node) {
        let (one, other) = match cluster.random.below(4) {
            0 => (true, true),
            1 => (false, true),
            _ => (true, false),
        };
        if one {
            cluster.send_message(node, to, &first, late_ms);
        }
        if let (true, Some(second)) = (other, &second) {
            did(cluster, node);
            cluster.send_message(node, to, second, late_ms);
        }
    }
}

fn two_votes(cluster: &mut Cluster, node: usize, honest: Vote, late_ms: u64) {
    let slot = honest.slot();
    let mut blocks: Vec<BlockHash> = honest.block().into_iter().collect();
    blocks.extend(cluster.wicked[&node].crafted.keys().copied());
    for to in cluster.validators_besides(node) {
        for _ in 0..1 + cluster.random.below(2) {
            let block = if blocks.is_empty() { None } else { Some(*cluster.random.of(&blocks)) };
            let vote = match (cluster.random.below(4), block) {
                (0, Some(block)) => Vote::Notarize(slot, block),
                (1, Some(block)) => Vote::Finalize(slot, block),
                (2, _) => Vote::Nullify(slot),
                _ => honest,
            };
            let signed =
                SignedVote::sign(vote, place(cluster, node), &cluster.world.chain, &key(cluster, node));
            if vote != honest {
                did(cluster, node);
            }
            cluster.send_message(node, to, &Message::Vote(signed), late_ms);
        }
    }
}
