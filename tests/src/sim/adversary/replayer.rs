//! Says again what was said: later, to others, for another height or kind, and from another chain.

use tanba_crypto::Hash;
use tanba_ledger::{ChainId, SignedVote, Slot, ValidatorIndex, Vote};
use tanba_node::{message::Message, replica::action::Action};

use super::did;
use crate::{
    cluster::{Cluster, node::keys},
    sim::Replay,
};

pub(super) fn says(cluster: &mut Cluster, node: usize, action: Action, late_ms: u64) {
    let spoke = matches!(action, Action::Broadcast(_));
    cluster.act(node, action, late_ms);
    if !spoke {
        return;
    }
    for to in cluster.validators_besides(node) {
        for _ in 0..3 {
            let heard = &cluster.wicked[&node].heard;
            if heard.is_empty() {
                return;
            }
            let place = cluster.random.place(heard.len());
            let message = cluster.wicked[&node].heard[place].clone();
            let (replay, message) = match (message, cluster.random.below(3)) {
                (Message::Vote(signed), 0) => {
                    let (replay, signed) = as_another_sentence(cluster, signed);
                    (replay, Message::Vote(signed))
                }
                (Message::Vote(signed), 1) => {
                    (Replay::OtherChain, Message::Vote(of_another_chain(cluster, signed)))
                }
                (message, _) => (Replay::Again, message),
            };
            did(cluster, node);
            cluster.hits.replayed(replay);
            cluster.send_message(node, to, &message, late_ms);
        }
    }
}

/// The same signature under another sentence; now and then it is the same sentence.
fn as_another_sentence(cluster: &mut Cluster, signed: SignedVote) -> (Replay, SignedVote) {
    let slot = signed.vote.slot();
    let (highest, hash) = cluster.highest();
    let block = signed.vote.block().unwrap_or(hash);
    let vote = match cluster.random.below(4) {
        0 => Vote::Finalize(slot, block),
        1 => Vote::Nullify(slot),
        2 => Vote::Notarize(slot, block),
        _ => {
            let slot = Slot { height: highest.next(), ..slot };
            match signed.vote {
                Vote::Notarize(..) => Vote::Notarize(slot, block),
                Vote::Nullify(_) => Vote::Nullify(slot),
                Vote::Finalize(..) => Vote::Finalize(slot, block),
            }
        }
    };
    let replay = match vote {
        vote if vote == signed.vote => Replay::Again,
        vote if vote.slot() != slot => Replay::OtherHeight,
        _ => Replay::OtherKind,
    };
    (replay, SignedVote { vote, ..signed })
}

/// The same keys serve another network too, and there an honest validator said this.
fn of_another_chain(cluster: &mut Cluster, signed: SignedVote) -> SignedVote {
    let other = ChainId(Hash::plain(b"another network"));
    let number = cluster.random.place(cluster.universities());
    let index = ValidatorIndex(number as u16);
    let slot = signed.vote.slot();
    let (_, hash) = cluster.highest();
    let vote = match cluster.random.below(2) {
        0 => Vote::Nullify(slot),
        _ => Vote::Finalize(slot, signed.vote.block().unwrap_or(hash)),
    };
    SignedVote::sign(vote, index, &other, &keys(number).validator)
}
