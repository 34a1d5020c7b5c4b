//! Signs and sends whatever fills memories.

use tanba_consensus::message::{Standing, Wanted};
use tanba_crypto::Hash;
use tanba_ledger::{BlockHash, Certificate, SignedVote, Slot, View, Vote};
use tanba_node::{message::Message, replica::action::Action};

use super::{did, key, place};
use crate::cluster::Cluster;

/// Messages of a flood to one peer, after each vote of its own.
const BURST: u64 = 12;

pub(super) fn says(cluster: &mut Cluster, node: usize, action: Action, late_ms: u64) {
    let vote = match &action {
        Action::Broadcast(message) => match &**message {
            Message::Vote(signed) => Some(signed.vote),
            _ => None,
        },
        _ => None,
    };
    cluster.act(node, action, late_ms);
    let Some(vote) = vote else { return };
    for to in cluster.validators_besides(node) {
        for _ in 0..BURST {
            let message = junk(cluster, node, vote.slot());
            did(cluster, node);
            cluster.send_message(node, to, &message, late_ms);
        }
    }
}

fn junk(cluster: &mut Cluster, node: usize, slot: Slot) -> Message {
    let far = [1, 2, 3, 60, 64, 65, 200, 10_000, u32::MAX];
    let view = View(slot.view.0.saturating_add(*cluster.random.of(&far)));
    let slot = Slot { view, ..slot };
    let block = BlockHash(Hash::plain(&cluster.random.below(1 << 40).to_be_bytes()));
    let vote = match cluster.random.below(3) {
        0 => Vote::Notarize(slot, block),
        1 => Vote::Nullify(slot),
        _ => Vote::Finalize(slot, block),
    };
    let own = SignedVote::sign(vote, place(cluster, node), &cluster.world.chain, &key(cluster, node));
    match cluster.random.below(6) {
        0 => Message::Certificate(false_certificate(cluster, own)),
        1 => Message::Standing(Box::new(Standing {
            slot,
            proposal: None,
            votes: vec![own; 4],
            justification: vec![false_certificate(cluster, own); 8],
        })),
        2 => Message::Wanted(Wanted { first: Slot { view: View::FIRST, ..slot }, last: view }),
        3 => Message::Justification(vec![false_certificate(cluster, own); 16]),
        _ => Message::Vote(own),
    }
}

/// Its own signature as often as a quorum needs it: under its own place alone, or under others' too.
fn false_certificate(cluster: &mut Cluster, own: SignedVote) -> Certificate {
    let validators = &cluster.world.tip.validators;
    let quorum = validators.quorum();
    let mut signers = vec![0; validators.len().div_ceil(8)];
    if cluster.random.per_mille(500) {
        signers[own.voter.at() / 8] |= 1 << (own.voter.at() % 8);
    } else {
        (0..quorum).for_each(|place| signers[place / 8] |= 1 << (place % 8));
    }
    Certificate { vote: own.vote, signers, signatures: vec![own.signature; quorum] }
}
