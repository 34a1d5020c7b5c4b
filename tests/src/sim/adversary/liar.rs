//! Answers wrongly, and shows heights it does not have.

use std::sync::Arc;

use tanba_crypto::Hash;
use tanba_ledger::{Block, BlockHash, Height, SignedVote, Slot, View, Vote};
use tanba_node::{
    message::{Announcement, Message, Response},
    replica::action::Action,
};

use super::{did, key, place};
use crate::cluster::Cluster;

pub(super) fn says(cluster: &mut Cluster, node: usize, action: Action, late_ms: u64) {
    match action {
        Action::Answer { channel, response } => {
            let truth = response.clone();
            let response = twisted(cluster, node, response);
            if response != truth {
                did(cluster, node);
            }
            cluster.act(node, Action::Answer { channel, response }, late_ms);
        }
        Action::Send { to, message } => {
            let message = match *message {
                Message::Head(head) => Arc::new(Message::Head(invented_height(cluster, node, head))),
                _ => message,
            };
            cluster.act(node, Action::Send { to, message }, late_ms);
        }
        Action::Announce(truth) => {
            let height = invented_height(cluster, node, truth.height);
            cluster.act(node, Action::Announce(Announcement { height, ..truth }), late_ms);
        }
        action => cluster.act(node, action, late_ms),
    }
}

fn invented_height(cluster: &mut Cluster, node: usize, truth: Height) -> Height {
    let (highest, _) = cluster.highest();
    let height = match cluster.random.below(4) {
        0 => Height(u64::MAX),
        1 => Height(highest.0 + 1 + cluster.random.below(1_000)),
        2 => Height(highest.0 / 2),
        _ => highest,
    };
    if height != truth {
        did(cluster, node);
    }
    height
}

fn twisted(cluster: &mut Cluster, node: usize, response: Response) -> Response {
    match response {
        Response::Blocks(mut blocks) if !blocks.is_empty() => {
            let at = cluster.random.place(blocks.len());
            match cluster.random.below(6) {
                // Some of these lies are of use to whoever asked; a stubborn one tells none of those.
                _ if cluster.wicked[&node].stubborn => {
                    blocks[0].block.header.state = Hash::plain(b"another state");
                }
                0 => blocks.clear(),
                1 => drop(blocks.remove(at)),
                2 => blocks.reverse(),
                3 => blocks[at].block.header.state = Hash::plain(b"another state"),
                4 => blocks[at].block.transactions.clear(),
                _ => blocks[at].finalization = blocks[0].finalization.clone(),
            }
            Response::Blocks(blocks)
        }
        Response::Body(Some(mut block)) => Response::Body(match cluster.random.below(3) {
            0 => None,
            1 => {
                block.transactions.clear();
                Some(block)
            }
            _ => Some(Block {
                header: tanba_ledger::Header { count: 0, ..block.header },
                transactions: Vec::new(),
            }),
        }),
        Response::Transactions(mut list) => {
            list.pop();
            Response::Transactions(list)
        }
        Response::Memory(mut answer) => {
            match cluster.random.below(3) {
                0 => answer.decided = None,
                1 => answer.votes.clear(),
                _ => {
                    // A genuine signature, but its own: it must not pass for one of the asker's.
                    let slot = Slot { height: cluster.highest().0.next(), view: View::FIRST };
                    let vote = Vote::Notarize(slot, BlockHash(Hash::plain(b"never")));
                    let chain = cluster.world.chain;
                    answer.votes =
                        vec![SignedVote::sign(vote, place(cluster, node), &chain, &key(cluster, node))];
                }
            }
            Response::Memory(answer)
        }
        other => other,
    }
}
