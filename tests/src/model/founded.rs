//! What honest words must rest on, judged without the guard: written here once more, from the rules.

use tanba_consensus::{Proposal, Record, Utterance};
use tanba_ledger::{BlockHash, Certificate, Slot, View, Vote};

use super::{stage::Stage, violation::Violation};

/// Whether no honest key signs both.
pub fn contradict(a: &Utterance, b: &Utterance) -> bool {
    if a.slot() != b.slot() || a == b {
        return false;
    }
    match (a, b) {
        (Utterance::Proposal(_), Utterance::Proposal(_)) => true,
        (Utterance::Vote(a), Utterance::Vote(b)) => {
            a.kind() == b.kind()
                || matches!(
                    (a, b),
                    (Vote::Nullify(_), Vote::Finalize(..)) | (Vote::Finalize(..), Vote::Nullify(_))
                )
        }
        (Utterance::Proposal(_), Utterance::Vote(_)) | (Utterance::Vote(_), Utterance::Proposal(_)) => false,
    }
}

/// A certificate that is used holds a quorum of different members' signatures.
pub fn certificate(stage: &Stage, member: usize, held: &Certificate) -> Result<(), Violation> {
    let height = held.slot().height;
    let members = stage.members(height).len();
    let signers = held.signer_indices().filter(|index| index.at() < members).count();
    let complete = signers >= stage.quorum(height) && held.signatures.len() == signers;
    if complete { Ok(()) } else { Err(Violation::Uncertified(member, held.vote, signers)) }
}

/// What is said rests on what is on disk with it.
pub fn utterance(member: usize, said: &Utterance, journal: &[Record]) -> Result<(), Violation> {
    let disk = Disk(journal);
    let slot = said.slot();
    let missing = match said {
        Utterance::Proposal(proposal) => disk.lacks_for(proposal),
        Utterance::Vote(Vote::Notarize(_, block)) => match disk.proposal(slot, *block) {
            Some(proposal) => disk.lacks_for(&proposal),
            None => Some("the leader's proposal"),
        },
        Utterance::Vote(Vote::Nullify(_)) => (!disk.entered(slot)).then_some("a way into the view"),
        Utterance::Vote(Vote::Finalize(_, block)) => {
            (disk.notarized(slot) != Some(*block)).then_some("the notarization")
        }
    };
    missing.map_or(Ok(()), |missing| Err(Violation::Unfounded(member, *said, missing)))
}

struct Disk<'a>(&'a [Record]);

impl Disk<'_> {
    fn votes(&self) -> impl Iterator<Item = Vote> {
        self.0.iter().filter_map(|record| match record {
            Record::Certificate(held) => Some(held.vote),
            _ => None,
        })
    }

    fn notarized(&self, slot: Slot) -> Option<BlockHash> {
        self.votes().find_map(|vote| match vote {
            Vote::Notarize(at, block) if at == slot => Some(block),
            _ => None,
        })
    }

    fn nullified(&self, slot: Slot) -> bool {
        self.votes().any(|vote| vote == Vote::Nullify(slot))
    }

    fn proposal(&self, slot: Slot, block: BlockHash) -> Option<Proposal> {
        self.0.iter().find_map(|record| match record {
            Record::LeaderProposal(signed) | Record::OwnProposal(signed)
                if signed.proposal.slot == slot && signed.proposal.block == block =>
            {
                Some(signed.proposal)
            }
            _ => None,
        })
    }

    fn lacks_for(&self, proposal: &Proposal) -> Option<&'static str> {
        let Proposal { slot, block, parent_view } = *proposal;
        let at = |view| Slot { view, ..slot };
        if parent_view != View::NONE && self.notarized(at(parent_view)) != Some(block) {
            return Some("the notarization it builds on");
        }
        let whole = (parent_view.0 + 1..slot.view.0).all(|view| self.nullified(at(View(view))));
        (!whole).then_some("a nullification of the gap")
    }

    fn entered(&self, slot: Slot) -> bool {
        for view in (1..slot.view.0).rev() {
            let below = Slot { view: View(view), ..slot };
            if self.notarized(below).is_some() {
                return true;
            }
            if !self.nullified(below) {
                return false;
            }
        }
        true
    }
}
