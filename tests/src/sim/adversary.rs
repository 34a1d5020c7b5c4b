//! Validators that do not keep to the protocol, by name. Each runs the real replica, so that it knows what is
//! going on, and twists what that wants to say; the network it speaks over is authenticated, so it speaks in
//! its own name alone, with its own keys.

mod craft;
mod equivocator;
mod flooder;
mod invalid;
mod liar;
mod replayer;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt,
    sync::Arc,
};

use tanba_consensus::message::Standing;
use tanba_crypto::SigningKey;
use tanba_ledger::{Block, BlockHash, ValidatorIndex};
use tanba_node::{
    message::{Message, Request, Response},
    replica::{action::Action, event::Event},
};

use super::fault::in_words;
use crate::cluster::{Cluster, node::keys};

/// Messages a replayer remembers.
const HEARD_MAX: usize = 256;

/// Which of them it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Adversary {
    /// Proposes two blocks in one view, and votes for both and against both.
    Equivocator,
    /// Says what it should, but not to everyone, and gives nobody a body.
    Withholder,
    /// Votes, and never proposes.
    SilentLeader,
    /// Proposes blocks that break a rule.
    InvalidBlocks,
    /// Answers questions wrongly, and shows heights that it does not have.
    LyingPeer,
    /// Signs whatever fills memories: far views, invented blocks, junk certificates, endless questions.
    VoteFlooder,
    /// Says old things again: to others, for another height or kind, and from another chain.
    Replayer,
    /// Proposes at times that lie too far ahead or behind.
    TimePusher,
    /// Forgets everything whenever it starts, as if it had never been.
    Amnesiac,
}

impl Adversary {
    /// Every one of them.
    pub const ALL: [Adversary; 9] = [
        Adversary::Equivocator,
        Adversary::Withholder,
        Adversary::SilentLeader,
        Adversary::InvalidBlocks,
        Adversary::LyingPeer,
        Adversary::VoteFlooder,
        Adversary::Replayer,
        Adversary::TimePusher,
        Adversary::Amnesiac,
    ];
}

/// How a replayer says an old thing again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Replay {
    /// As it was.
    Again,
    /// A signature under a sentence about another height.
    OtherHeight,
    /// A signature under a sentence of another kind, or about another block.
    OtherKind,
    /// A sentence that was signed for another network.
    OtherChain,
}

impl Replay {
    /// Every way.
    pub const ALL: [Replay; 4] = [Replay::Again, Replay::OtherHeight, Replay::OtherKind, Replay::OtherChain];
}

impl fmt::Display for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "replay {}", in_words(&format!("{self:?}")))
    }
}

impl fmt::Display for Adversary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&in_words(&format!("{self:?}")))
    }
}

/// A node that is one.
#[derive(Clone, Debug)]
pub struct Wicked {
    /// Which.
    pub adversary: Adversary,
    /// Blocks it made up, for whoever asks.
    crafted: BTreeMap<BlockHash, Block>,
    /// What it heard.
    heard: VecDeque<Message>,
    /// Whom it does not serve.
    shunned: BTreeSet<usize>,
    /// Whether it lies in every answer.
    stubborn: bool,
}

impl Wicked {
    /// One that has done nothing yet, and shuns these.
    pub fn new(adversary: Adversary, shunned: BTreeSet<usize>, stubborn: bool) -> Wicked {
        Wicked { adversary, crafted: BTreeMap::new(), heard: VecDeque::new(), shunned, stubborn }
    }
}

/// Something happens to a node. If it is wicked it may keep it from its replica: then this is false.
pub fn hears(cluster: &mut Cluster, node: usize, event: &Event) -> bool {
    let Some(wicked) = cluster.wicked.get_mut(&node) else { return true };
    match event {
        Event::Message { message, .. } => {
            if wicked.heard.len() == HEARD_MAX {
                wicked.heard.pop_front();
            }
            wicked.heard.push_back(message.clone());
            true
        }
        Event::Request { channel, request } => {
            let response = match request {
                Request::Body(block) => {
                    wicked.crafted.get(block).map(|block| Response::Body(Some(block.clone())))
                }
                Request::Transactions(block, _) => {
                    wicked.crafted.get(block).map(|block| Response::Transactions(block.transactions.clone()))
                }
                Request::Blocks(_) | Request::Memory(_) => None,
            };
            let Some(response) = response else { return true };
            cluster.act(node, Action::Answer { channel: *channel, response }, 0);
            false
        }
        _ => true,
    }
}

/// A wicked node's replica wants something done.
pub fn says(cluster: &mut Cluster, node: usize, action: Action, late_ms: u64) {
    let adversary = cluster.wicked[&node].adversary;
    let hides =
        matches!(adversary, Adversary::SilentLeader | Adversary::InvalidBlocks | Adversary::TimePusher);
    let action = if hides { without_proposals(action) } else { action };
    match adversary {
        Adversary::Equivocator => equivocator::says(cluster, node, action, late_ms),
        Adversary::Withholder => withhold(cluster, node, action, late_ms),
        Adversary::SilentLeader => match &action {
            Action::Broadcast(message) if matches!(**message, Message::Proposal(_)) => did(cluster, node),
            _ => cluster.act(node, action, late_ms),
        },
        Adversary::InvalidBlocks => invalid::says(cluster, node, action, late_ms),
        Adversary::LyingPeer => liar::says(cluster, node, action, late_ms),
        Adversary::VoteFlooder => flooder::says(cluster, node, action, late_ms),
        Adversary::Replayer => replayer::says(cluster, node, action, late_ms),
        Adversary::TimePusher => invalid::pushes_time(cluster, node, action, late_ms),
        Adversary::Amnesiac => cluster.act(node, action, late_ms),
    }
}

/// A standing shows what its sender has seen proposed; these do not show it, or their replica's own honest block would
/// come out after all.
fn without_proposals(action: Action) -> Action {
    let bare = |message: Arc<Message>| match &*message {
        Message::Standing(standing) => {
            Arc::new(Message::Standing(Box::new(Standing { proposal: None, ..(**standing).clone() })))
        }
        _ => message,
    };
    match action {
        Action::Broadcast(message) => Action::Broadcast(bare(message)),
        Action::Send { to, message } => Action::Send { to, message: bare(message) },
        other => other,
    }
}

fn withhold(cluster: &mut Cluster, node: usize, action: Action, late_ms: u64) {
    let shunned = cluster.wicked[&node].shunned.clone();
    match action {
        Action::Broadcast(message) => {
            for to in cluster.validators_besides(node) {
                if shunned.contains(&to) {
                    did(cluster, node);
                } else {
                    cluster.send_message(node, to, &message, late_ms);
                }
            }
        }
        Action::Answer { response: Response::Body(Some(_)), .. } => did(cluster, node),
        Action::Answer { response: Response::Transactions(list), .. } if !list.is_empty() => {
            did(cluster, node);
        }
        action => cluster.act(node, action, late_ms),
    }
}

fn did(cluster: &mut Cluster, node: usize) {
    let adversary = cluster.wicked[&node].adversary;
    cluster.hits.did(adversary);
}

/// The validator key of a node, which it uses as it likes.
fn key(cluster: &Cluster, node: usize) -> SigningKey {
    keys(cluster.nodes[node].number).validator
}

/// Its place in the set, which never changes in these clusters.
fn place(cluster: &Cluster, node: usize) -> ValidatorIndex {
    let public = cluster.nodes[node].validator_key;
    cluster.world.tip.validators.index_of(&public).expect("a wicked node is a validator")
}
