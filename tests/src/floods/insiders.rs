//! Floods by a validator that listens: what it hears of the height being decided makes its lies cost most, for they pass
//! every check that costs nothing and are refused at the last signature.

use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use tanba_consensus::{
    limits::{PAGE_CERTIFICATES_MAX, STANDING_VOTES_MAX},
    message::{Proposal, SignedProposal, Standing},
};
use tanba_crypto::{Canonical as _, Hash, Signature, SigningKey};
use tanba_ledger::{
    BlockHash, Certificate, Height, SignedVote, Slot, ValidatorIndex, View, Vote, validators::quorum,
};
use tanba_node::{
    message::Message,
    network::{NetworkEvent, NetworkEvents},
};

use super::{Attack, Kind, STOLEN, Scene, kind, peers};
use crate::{fuzz::random::Random, network::VALIDATORS};

/// Votes of others that are remembered: those of a height that lasts.
const HEARD_MAX: usize = 256;

/// Views in which an attacker lies: as far ahead as the victim remembers, and somewhat beyond.
const VIEWS: usize = 80;

/// Kinds on the port of peers, by a stolen validator that listens.
pub const KINDS: &[Kind] = &[
    kind("peer: certificates but for one signature", 1, |s, _| listening(s, certificate)),
    kind("peer: full pages of such certificates", 1, |s, _| listening(s, justification)),
    kind("peer: heads, near and far", 1, |s, _| listening(s, head)),
    kind("peer: standings full of votes and pages", 1, |s, _| listening(s, standing)),
    kind("peer: votes that contradict each other", 1, |s, _| listening(s, contradiction)),
];

/// What the attacker has heard.
#[derive(Debug, Default)]
struct Heard {
    /// The height being decided.
    height: Height,
    /// Votes of it.
    votes: Vec<SignedVote>,
}

impl Heard {
    fn at(&mut self, height: Height) {
        if height > self.height {
            *self = Heard { height, votes: Vec::new() };
        }
    }

    fn hear(&mut self, message: Message) {
        let votes = match message {
            Message::Head(head) => return self.at(head.next()),
            Message::Vote(vote) => vec![vote],
            Message::Certificate(certificate) => certificate.votes().collect(),
            Message::Standing(standing) => standing.votes,
            _ => return,
        };
        for vote in votes {
            self.at(vote.vote.slot().height);
            let is_new = vote.vote.slot().height == self.height && !self.votes.contains(&vote);
            if is_new && self.votes.len() < HEARD_MAX {
                self.votes.push(vote);
            }
        }
    }
}

/// A signature of nobody over something else: it looks like any other until it is checked, and costs nothing to say
/// again.
static LIE: LazyLock<Signature> = LazyLock::new(|| SigningKey::ed25519(&[7; 32]).sign(b"something else"));

/// Makes the next message.
type Lie = fn(&Scene, &Heard, &mut Random) -> Message;

fn listening(scene: Arc<Scene>, lie: Lie) -> Attack {
    Box::pin(async move {
        let (handle, events) = peers::enter(&scene, scene.node_key.clone()).await;
        let (heard, mut random) = (Mutex::new(Heard::default()), Random::of(1));
        let next = || {
            let heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
            peers::Blow::Message(lie(&scene, &heard, &mut random).to_canonical())
        };
        tokio::join!(listen(events, &heard), peers::strike(&scene, &handle, next));
    })
}

async fn listen(mut events: NetworkEvents, heard: &Mutex<Heard>) {
    while let Some(event) = events.recv().await {
        if let NetworkEvent::Message { bytes, .. } = event
            && let Ok(message) = Message::read(&bytes)
        {
            heard.lock().unwrap_or_else(PoisonError::into_inner).hear(message);
        }
    }
}

fn block(random: &mut Random) -> BlockHash {
    BlockHash(Hash::plain(&random.bits().to_be_bytes()))
}

fn slot(heard: &Heard, random: &mut Random) -> Slot {
    Slot { height: heard.height, view: View(1 + random.below(VIEWS) as u32) }
}

/// A vote of the stolen validator, which holds.
fn vote(scene: &Scene, heard: &Heard, random: &mut Random) -> SignedVote {
    let (slot, block) = (slot(heard, random), block(random));
    let votes = [Vote::Notarize(slot, block), Vote::Nullify(slot), Vote::Finalize(slot, block)];
    own(scene, *random.one_of(&votes))
}

fn own(scene: &Scene, vote: Vote) -> SignedVote {
    SignedVote::sign(vote, ValidatorIndex(STOLEN as u16), &scene.chain, &scene.validator_key)
}

/// A certificate that holds up to its last signatures: the true ones are those of whoever was heard to say it. Where
/// nobody was heard, even the first does not hold.
fn forged(heard: &Heard, random: &mut Random) -> Certificate {
    let lone = [Vote::Nullify(slot(heard, random))];
    let said: Vec<Vote> = heard.votes.iter().map(|signed| signed.vote).collect();
    let vote = *random.one_of(if said.is_empty() { &lone } else { &said });
    let members = || (0..VALIDATORS as u16).map(ValidatorIndex);
    let true_of = |member| heard.votes.iter().find(|signed| signed.vote == vote && signed.voter == member);
    // Those that are true come first where that leaves the quorum; the last one is always a lie.
    let mut voters: Vec<ValidatorIndex> = members().filter(|member| true_of(*member).is_some()).collect();
    voters.truncate(quorum(VALIDATORS) - 1);
    let lies: Vec<ValidatorIndex> = members().filter(|member| !voters.contains(member)).rev().collect();
    voters.extend(lies.into_iter().take(quorum(VALIDATORS) - voters.len()));
    voters.sort();
    let last = *voters.last().expect("a quorum is somebody");
    let signature = |member: &ValidatorIndex| match true_of(*member) {
        Some(signed) if *member != last => signed.signature,
        _ => *LIE,
    };
    let bits = voters.iter().fold(0u8, |bits, member| bits | 1 << member.0);
    Certificate { vote, signers: vec![bits], signatures: voters.iter().map(signature).collect() }
}

fn page(heard: &Heard, random: &mut Random) -> Vec<Certificate> {
    (0..PAGE_CERTIFICATES_MAX).map(|_| forged(heard, random)).collect()
}

fn certificate(_: &Scene, heard: &Heard, random: &mut Random) -> Message {
    Message::Certificate(forged(heard, random))
}

fn justification(_: &Scene, heard: &Heard, random: &mut Random) -> Message {
    Message::Justification(page(heard, random))
}

fn head(_: &Scene, heard: &Heard, random: &mut Random) -> Message {
    let near = Height(heard.height.0.saturating_add(random.below(4) as u64));
    let far = Height(random.bits());
    Message::Head(*random.one_of(&[near, far, Height(u64::MAX), Height::GENESIS]))
}

fn standing(scene: &Scene, heard: &Heard, random: &mut Random) -> Message {
    let slot = slot(heard, random);
    let proposal = Proposal { slot, block: block(random), parent_view: View::NONE };
    Message::Standing(Box::new(Standing {
        slot,
        proposal: Some(SignedProposal::sign(proposal, &scene.chain, &scene.validator_key)),
        votes: (0..STANDING_VOTES_MAX).map(|_| vote(scene, heard, random)).collect(),
        justification: page(heard, random),
    }))
}

fn contradiction(scene: &Scene, heard: &Heard, random: &mut Random) -> Message {
    let slot = Slot { height: heard.height, view: View(1 + random.below(VIEWS) as u32) };
    Message::Vote(own(scene, Vote::Notarize(slot, block(random))))
}
