//! A leader that lies: it holds a validator's keys, speaks the nodes' own protocol, and proposes a block with a
//! mint that one officer alone approved. Everything else in the block is right.

use std::{collections::BTreeSet, time::Duration};

use tanba_consensus::message::{Proposal, SignedProposal};
use tanba_crypto::{Canonical, Verified};
use tanba_ledger::{
    Block, BlockHash, Slot, Transaction, View, Vote,
    merkle::tree,
    record::PeerKind,
    state::{Room, build},
};
use tanba_storage::{DiskStore, Store, StoreReader, replay::by_the_rules};
use tokio::time::timeout;

use super::{DevnetError, Founded, Party};
use crate::{
    clock,
    message::{Message, Outline, ProposalMessage, Request, Response},
    network::{self, Admitted, NetworkConfig, NetworkEvent, NetworkEvents, NetworkHandle, NetworkLimits},
};

/// The honest validators react within this.
const REACT_WITHIN: Duration = Duration::from_secs(20);

/// What the honest validators did.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reaction {
    /// Where the lie was told.
    pub(super) slot: Slot,
    /// Validators that voted to give the slot up.
    pub(super) nullified: usize,
    /// Validators that voted for the block.
    pub(super) notarized: usize,
}

/// Proposes, in the name of `liar` whose node is stopped, the block of `approved` with the transaction replaced
/// by `half_approved`, the same body with one approval missing. `None` if it is not the liar's turn any more.
pub(super) async fn propose_half_approved(
    founded: &Founded,
    liar: &Party,
    approved: &Transaction,
    half_approved: &Transaction,
) -> Result<Option<Reaction>, DevnetError> {
    let (block, slot) = match make_block(founded, liar, approved, half_approved)? {
        Some(made) => made,
        None => return Ok(None),
    };
    let (network, mut events) = join(founded, liar).await?;
    let result = timeout(REACT_WITHIN, tell(&network, &mut events, founded, liar, &block, slot)).await;
    network.shutdown().await;
    result.map_err(|_| broken("the honest validators did not react in time"))?
}

/// The block that lies, if it is the liar's turn.
fn make_block(
    founded: &Founded,
    liar: &Party,
    approved: &Transaction,
    half_approved: &Transaction,
) -> Result<Option<(Block, Slot)>, DevnetError> {
    let home = liar.home.as_ref().expect("a validator has a home");
    let chain = founded.genesis.chain_id();
    let store =
        DiskStore::open(home.root(), &chain, &by_the_rules).map_err(|error| broken(&error.to_string()))?;
    let (reader, tip) = (store.reader(), store.reader().tip());
    let slot = Slot { height: tip.header.height.next(), view: View::FIRST };
    let leader = tip.validators.leader(slot.height, slot.view);
    if tip.validators.get(leader).map(|member| member.bin) != Some(liar.bin) {
        return Ok(None);
    }
    let checked = Verified::check(approved.clone(), &chain).map_err(|error| broken(&error.to_string()))?;
    let time = clock::now().max(tip.header.time.saturating_add_ms(1));
    let built = build(&tip, &reader, time, liar.bin, Room::in_view(slot.view), [&checked]);
    let built = built.map_err(|error| broken(&error.to_string()))?;
    let Some((mut block, _)) = built.block.filter(|(block, _)| block.transactions.len() == 1) else {
        return Err(broken("the fully approved block could not be built"));
    };
    block.transactions = vec![half_approved.clone()];
    block.header.transactions = tree::root([half_approved.to_canonical()]);
    Ok(Some((block, slot)))
}

async fn join(founded: &Founded, liar: &Party) -> Result<(NetworkHandle, NetworkEvents), DevnetError> {
    let others = || founded.with_nodes().filter(|party| party.bin != liar.bin);
    let reach = |party: &Party| Some((party.node.as_ref()?.public(), party.p2p?));
    let config = NetworkConfig {
        chain: founded.genesis.chain_id(),
        node_key: liar.node.clone().expect("a validator has a node"),
        listen: liar.p2p.into_iter().collect(),
        dial: others().filter_map(reach).collect(),
        limits: NetworkLimits::default(),
    };
    let (network, events) = network::spawn(config).await.map_err(|error| broken(&error.to_string()))?;
    let admit = |party: &Party| {
        let kind = if party.validator.is_some() { PeerKind::Validator } else { PeerKind::Observer };
        Some(Admitted { key: party.node.as_ref()?.public(), kind })
    };
    network.set_admitted(others().filter_map(admit).collect());
    Ok((network, events))
}

/// Proposes as soon as every honest validator is connected, hands out the body, and counts votes.
async fn tell(
    network: &NetworkHandle,
    events: &mut NetworkEvents,
    founded: &Founded,
    liar: &Party,
    block: &Block,
    slot: Slot,
) -> Result<Option<Reaction>, DevnetError> {
    let honest = founded.universities().len() - 1;
    let observer = founded.observer().node.as_ref().map(|key| key.public());
    let (mut connected, mut nullified, mut notarized) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let hash = block.hash();
    while let Some(event) = events.recv().await {
        match event {
            NetworkEvent::Connected { key } if Some(key) != observer => {
                connected.insert(key);
                if connected.len() == honest {
                    propose(network, founded, liar, block, hash, slot)?;
                }
            }
            NetworkEvent::Request { channel, bytes, .. } => {
                let response = match Request::read(&bytes) {
                    Ok(Request::Transactions(..)) => Response::Transactions(block.transactions.clone()),
                    Ok(Request::Body(_)) => Response::Body(Some(block.clone())),
                    _ => continue,
                };
                // A question that is not answered is asked again.
                let _ = network.answer(channel, response.to_canonical());
            }
            NetworkEvent::Message { bytes, .. } => match Message::read(&bytes) {
                Ok(Message::Vote(signed)) if signed.vote == Vote::Nullify(slot) => {
                    nullified.insert(signed.voter);
                }
                Ok(Message::Vote(signed)) if signed.vote == Vote::Notarize(slot, hash) => {
                    notarized.insert(signed.voter);
                }
                // The height was decided meanwhile: a heartbeat was faster.
                Ok(Message::Head(head)) if head >= slot.height => return Ok(None),
                _ => {}
            },
            _ => {}
        }
        if nullified.len() + notarized.len() >= honest {
            return Ok(Some(Reaction { slot, nullified: nullified.len(), notarized: notarized.len() }));
        }
    }
    Err(broken("the network ended"))
}

fn propose(
    network: &NetworkHandle,
    founded: &Founded,
    liar: &Party,
    block: &Block,
    hash: BlockHash,
    slot: Slot,
) -> Result<(), DevnetError> {
    let key = liar.validator.as_ref().expect("a validator lies");
    let proposal = Proposal { slot, block: hash, parent_view: View::NONE };
    let outline = Outline {
        header: block.header.clone(),
        transactions: block.transactions.iter().map(Transaction::bytes_hash).collect(),
    };
    let message = Message::Proposal(Box::new(ProposalMessage {
        proposal: SignedProposal::sign(proposal, &founded.genesis.chain_id(), key),
        notarization: None,
        outline: Some(outline),
    }));
    network.broadcast(message.to_canonical()).map_err(|error| broken(&error.to_string()))?;
    Ok(())
}

fn broken(what: &str) -> DevnetError {
    DevnetError::broken("a dishonest leader", what)
}
