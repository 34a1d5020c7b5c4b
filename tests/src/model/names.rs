//! Short names of blocks and words, for traces.

use tanba_consensus::{Proposal, Utterance};
use tanba_crypto::Hash;
use tanba_ledger::{BlockHash, Slot, Vote};

/// The block that an instance of a member builds in a slot. A twin and a later life build other blocks.
pub fn built(member: usize, instance: u8, life: u8, slot: Slot) -> BlockHash {
    named(b'h', member as u8, instance, life, slot)
}

/// One of the blocks that a liar offers in a slot that it leads: 0 is A, 1 is B.
pub fn invented(member: usize, which: u8, slot: Slot) -> BlockHash {
    named(b'l', member as u8, which, 0, slot)
}

/// Whether a liar invented the block, and so has its body.
pub fn is_invented(block: BlockHash) -> bool {
    block.0.0[0] == b'l'
}

fn named(kind: u8, member: u8, which: u8, life: u8, slot: Slot) -> BlockHash {
    let mut name = [0; 32];
    name[..6].copy_from_slice(&[kind, member, which, life, slot.height.0 as u8, slot.view.0 as u8]);
    BlockHash(Hash(name))
}

/// A block's name: `m2.v1` was built by member 2 in view 1, `A.v3` is a liar's.
pub fn block_name(block: BlockHash) -> String {
    let [kind, member, which, life, height, view, ..] = block.0.0;
    match kind {
        b'l' => format!("{}{height}.v{view}", char::from(b'A' + which)),
        _ => format!("m{member}{}{height}.v{view}", "'".repeat(usize::from(which + life))),
    }
}

fn at(slot: Slot) -> String {
    format!("@{}/{}", slot.height, slot.view)
}

/// A vote in words.
pub fn vote_name(vote: &Vote) -> String {
    match vote {
        Vote::Notarize(slot, block) => format!("notarize {} {}", block_name(*block), at(*slot)),
        Vote::Nullify(slot) => format!("nullify {}", at(*slot)),
        Vote::Finalize(slot, block) => format!("finalize {} {}", block_name(*block), at(*slot)),
    }
}

/// A proposal in words.
pub fn proposal_name(proposal: &Proposal) -> String {
    let on = if proposal.is_fresh() { String::new() } else { format!(" on view {}", proposal.parent_view) };
    format!("propose {} {}{on}", block_name(proposal.block), at(proposal.slot))
}

/// An utterance in words.
pub fn word_name(word: &Utterance) -> String {
    match word {
        Utterance::Proposal(proposal) => proposal_name(proposal),
        Utterance::Vote(vote) => vote_name(vote),
    }
}
