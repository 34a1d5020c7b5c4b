//! What validators say besides votes and certificates: proposals, and where they stand.
//!
//! A block's header and transactions travel beside a proposal; that is the host's matter. Here a block is its
//! hash.

use tanba_crypto::{
    Canonical, Signature, SignatureError, SigningKey, Tag, Verify,
    canonical::{Decode, Encode},
};
use tanba_ledger::{BlockHash, Certificate, ChainId, SignedVote, Slot, View, certificate::Electorate};

/// "Let us decide this block here." One a slot, by the slot's leader alone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Encode, Decode)]
pub struct Proposal {
    /// Where.
    pub slot: Slot,
    /// Which block.
    pub block: BlockHash,
    /// The notarized view whose block this is once more, or [`View::NONE`] for a fresh block. The proposal
    /// counts beside nullifications of every view between the two.
    pub parent_view: View,
}

impl Proposal {
    /// Whether the block is new, and not one that an earlier view notarized.
    pub fn is_fresh(&self) -> bool {
        self.parent_view == View::NONE
    }

    /// The bytes the leader signs: tag, chain, then the proposal (height, view, block, parent view).
    pub fn signing_bytes(&self, chain: &ChainId) -> Vec<u8> {
        let mut bytes = Tag::PROPOSAL.as_bytes().to_vec();
        bytes.extend(chain.to_canonical());
        bytes.extend(self.to_canonical());
        bytes
    }
}

/// A proposal and its leader's signature; unchecked until it is [`Verified`](tanba_crypto::Verified). The
/// leader is not named: the slot says who it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct SignedProposal {
    /// What is proposed.
    pub proposal: Proposal,
    /// The leader's signature over [`Proposal::signing_bytes`].
    pub signature: Signature,
}

impl SignedProposal {
    /// Signs `proposal`. Callers go through the promise guard first.
    pub fn sign(proposal: Proposal, chain: &ChainId, key: &SigningKey) -> SignedProposal {
        SignedProposal { proposal, signature: key.sign(&proposal.signing_bytes(chain)) }
    }
}

impl Verify for SignedProposal {
    type Context<'a> = Electorate<'a>;

    fn verify(&self, electorate: Electorate<'_>) -> Result<(), SignatureError> {
        let slot = self.proposal.slot;
        if slot.height != electorate.height {
            return Err(SignatureError::Structure("a proposal for another height than the set's"));
        }
        if slot.view == View::NONE {
            return Err(SignatureError::Structure("there is no view 0 to propose in"));
        }
        if self.proposal.parent_view >= slot.view {
            return Err(SignatureError::Structure("a proposal builds on an earlier view"));
        }
        let leader = electorate.validators.leader(slot.height, slot.view);
        let leader = electorate.validators.get(leader).expect("the leader is a member");
        leader.key.verify(&self.proposal.signing_bytes(electorate.chain), &self.signature)
    }
}

/// Everything a validator repeats while its view lasts: enough for any peer to reach that view and vote in it.
///
/// The receiver checks each part and feeds it to its own engine: `justification` first (as one
/// [`Input::Justification`](crate::Input::Justification)), then the proposal, then the votes, and last
/// [`Input::PeerAt`](crate::Input::PeerAt) with `slot`, so that a peer that lags is answered.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Standing {
    /// Where the sender is.
    pub slot: Slot,
    /// The leader's proposal, if the sender has it; whoever receives it may repeat it too.
    pub proposal: Option<SignedProposal>,
    /// The sender's own votes of this view, and its last `Finalize`: at most
    /// [`STANDING_VOTES_MAX`](crate::limits::STANDING_VOTES_MAX).
    pub votes: Vec<SignedVote>,
    /// How the sender entered the view; the highest page of it if it is long.
    pub justification: Vec<Certificate>,
}

/// A question for the certificates of some views: for each view the nullification, or where the answerer has
/// none, the notarization. At most one page is answered.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Encode, Decode)]
pub struct Wanted {
    /// The lowest view asked for, and the height.
    pub first: Slot,
    /// The highest view asked for, inclusive.
    pub last: View,
}
