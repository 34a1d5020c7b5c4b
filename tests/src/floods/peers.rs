//! Floods by admitted nodes: whoever stole the node key of a validator or an observer, and the validator key with it.
//!
//! The attacker uses the product's own network layer, which keeps no pace of its own: it sends what it is given as
//! fast as the other side takes it.

use std::{sync::Arc, time::Duration};

use tanba_consensus::{
    message::{Proposal, SignedProposal, Standing, Wanted},
    recovery::Inquiry,
};
use tanba_crypto::{Canonical as _, Hash, SigningKey};
use tanba_ledger::{
    BlockHash, ChainId, Height, SignedVote, Slot, ValidatorIndex, View, Vote, record::PeerKind,
};
use tanba_node::{
    message::{Announcement, MESSAGE_BYTES_MAX, Message, ProposalMessage, REQUEST_BYTES_MAX, Request},
    network::{self, Admitted, NetworkConfig, NetworkEvents, NetworkHandle, NetworkLimits, SendError, Topic},
};
use tokio::time::sleep;

use super::{Attack, Kind, STOLEN, Scene, kind};
use crate::fuzz::random::Random;

/// A pause while the attacker's own queues are full.
const PAUSE: Duration = Duration::from_millis(2);

/// Messages that the attacker's outbox is filled with between two looks at the rest of the world.
const VOLLEY: usize = 64;

/// Kinds on the port of peers, behind the handshake.
pub const KINDS: &[Kind] = &[
    kind("peer: gossip without meaning", 1, |scene, _| validator(scene, noise)),
    kind("peer: gossip with bad signatures", 1, |scene, _| validator(scene, forged)),
    kind("peer: good transactions by gossip", 1, |scene, _| validator(scene, good)),
    kind("peer: announcements of blocks that are not", 1, |scene, _| observer(scene, announcement)),
    kind("peer: messages without meaning", 1, |scene, _| validator(scene, meaningless)),
    kind("peer: good transactions again and again", 1, |scene, _| validator(scene, again)),
    kind("peer: votes for far views, heights, chains", 1, |scene, _| validator(scene, vote)),
    kind("peer: proposals", 1, |scene, _| validator(scene, proposal)),
    kind("peer: standings and wants", 1, |scene, _| validator(scene, standing)),
    kind("peer: requests, answers never read", 1, |scene, _| observer(scene, request)),
    kind("peer: requests without meaning", 1, |scene, _| observer(scene, unasked)),
];

/// What is sent.
pub(super) enum Blow {
    Gossip(Topic, Vec<u8>),
    Message(Vec<u8>),
    Request(Vec<u8>),
}

/// Makes the next blow.
type Arm = fn(&Scene, &mut Random) -> Blow;

fn validator(scene: Arc<Scene>, arm: Arm) -> Attack {
    let key = scene.node_key.clone();
    Box::pin(besiege(scene, key, arm))
}

fn observer(scene: Arc<Scene>, arm: Arm) -> Attack {
    let key = scene.observer_key.clone();
    Box::pin(besiege(scene, key, arm))
}

/// Connects under a stolen key and strikes as fast as the victim takes it. Nothing that comes back is read.
async fn besiege(scene: Arc<Scene>, node_key: SigningKey, arm: Arm) {
    let (handle, _unread) = enter(&scene, node_key).await;
    let mut random = Random::of(1);
    strike(&scene, &handle, || arm(&scene, &mut random)).await;
}

/// Strikes without end, as fast as the victim takes it. What left the attacker for the victim counts as a blow, not what
/// waits in its own queues.
pub(super) async fn strike(scene: &Scene, handle: &NetworkHandle, mut next: impl FnMut() -> Blow) {
    let mut landed = 0;
    loop {
        let mut is_full = false;
        for _ in 0..VOLLEY {
            let struck = match next() {
                Blow::Gossip(topic, bytes) => handle.gossip(topic, bytes),
                Blow::Message(bytes) => handle.send(&scene.victim, bytes),
                Blow::Request(bytes) => handle.request(scene.victim, bytes).map(drop),
            };
            match struck {
                Ok(()) => {}
                Err(SendError::TooLarge { .. }) => panic!("the attacker's limits are the victim's"),
                // Cut off, or faster than the network: it dials again, and empties its queues, by itself.
                Err(SendError::Busy | SendError::NotConnected | SendError::Stopped) => is_full = true,
            }
        }
        let stats = handle.stats();
        let sent = stats.gossip_sent + stats.messages_sent + stats.requests_sent;
        scene.blows(sent - landed);
        landed = sent;
        if is_full {
            sleep(PAUSE).await;
        } else {
            tokio::task::yield_now().await;
        }
    }
}

/// Opens the attacker's network; it dials the victim until it is connected.
pub(super) async fn enter(scene: &Scene, node_key: SigningKey) -> (NetworkHandle, NetworkEvents) {
    let config = NetworkConfig {
        chain: scene.chain,
        node_key,
        listen: Vec::new(),
        dial: vec![(scene.victim, scene.p2p)],
        limits: NetworkLimits { requests_to_peer_max: 1_000, ..NetworkLimits::default() },
    };
    let (handle, events) = network::spawn(config).await.expect("the attacker's network starts");
    handle.set_admitted(vec![Admitted { key: scene.victim, kind: PeerKind::Validator }]);
    (handle, events)
}

fn noise(_: &Scene, random: &mut Random) -> Blow {
    let mut bytes = vec![random.bits() as u8; 120 * 1024];
    bytes[..8].copy_from_slice(&random.bits().to_be_bytes());
    Blow::Gossip(Topic::Transactions, bytes)
}

fn forged(scene: &Scene, random: &mut Random) -> Blow {
    let mut bytes = random.one_of(&scene.good).to_canonical();
    let at = bytes.len() - 1 - random.below(32);
    bytes[at] ^= random.bits() as u8 | 1;
    Blow::Gossip(Topic::Transactions, bytes)
}

fn good(scene: &Scene, _: &mut Random) -> Blow {
    Blow::Gossip(Topic::Transactions, scene.next_good().to_canonical())
}

fn block(random: &mut Random) -> BlockHash {
    BlockHash(Hash::plain(&random.bits().to_be_bytes()))
}

fn slot(random: &mut Random) -> Slot {
    // Near and far, below and above where the victim is.
    let [heights_max, views_max] = [10, 100_000].map(|max| 1 + random.below(max) as u64);
    Slot {
        height: Height(1 + random.bits() % heights_max),
        view: View(1 + (random.bits() % views_max) as u32),
    }
}

fn announcement(_: &Scene, random: &mut Random) -> Blow {
    let announcement = Announcement { height: Height(random.bits() % 1_000_000), block: block(random) };
    Blow::Gossip(Topic::Blocks, announcement.to_canonical())
}

fn meaningless(_: &Scene, random: &mut Random) -> Blow {
    let bytes_max = if random.below(8) == 0 { MESSAGE_BYTES_MAX } else { 100 };
    Blow::Message(vec![random.bits() as u8; bytes_max])
}

fn again(scene: &Scene, random: &mut Random) -> Blow {
    let some = (0..16).map(|_| random.one_of(&scene.good).clone());
    Blow::Message(Message::Transactions(some.collect()).to_canonical())
}

fn vote(scene: &Scene, random: &mut Random) -> Blow {
    let (slot, block) = (slot(random), block(random));
    let votes = [Vote::Notarize(slot, block), Vote::Nullify(slot), Vote::Finalize(slot, block)];
    let chain = if random.below(4) == 0 { ChainId(Hash::plain(b"another")) } else { scene.chain };
    let voter = ValidatorIndex(STOLEN as u16);
    let signed = SignedVote::sign(*random.one_of(&votes), voter, &chain, &scene.validator_key);
    Blow::Message(Message::Vote(signed).to_canonical())
}

fn proposal(scene: &Scene, random: &mut Random) -> Blow {
    let proposal = Proposal { slot: slot(random), block: block(random), parent_view: View::NONE };
    let proposal = SignedProposal::sign(proposal, &scene.chain, &scene.validator_key);
    let message = ProposalMessage { proposal, notarization: None, outline: None };
    Blow::Message(Message::Proposal(Box::new(message)).to_canonical())
}

fn standing(_: &Scene, random: &mut Random) -> Blow {
    let slot = slot(random);
    Blow::Message(if random.below(2) == 0 {
        Message::Wanted(Wanted { first: slot, last: View(u32::MAX) }).to_canonical()
    } else {
        let standing = Standing { slot, proposal: None, votes: Vec::new(), justification: Vec::new() };
        Message::Standing(Box::new(standing)).to_canonical()
    })
}

fn request(scene: &Scene, random: &mut Random) -> Blow {
    let names = || (0..1_000u64).map(|n| Hash::plain(&n.to_be_bytes())).collect();
    let request = match random.below(4) {
        0 => Request::Blocks(Height(1)),
        1 => Request::Body(block(random)),
        2 => Request::Transactions(block(random), names()),
        _ => {
            let key = scene.validator_key.public();
            Request::Memory(Inquiry { key, above: Height(random.bits() % 10) })
        }
    };
    Blow::Request(request.to_canonical())
}

fn unasked(_: &Scene, random: &mut Random) -> Blow {
    Blow::Request(vec![random.bits() as u8; REQUEST_BYTES_MAX])
}
