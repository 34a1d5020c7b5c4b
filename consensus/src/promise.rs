//! What a validator says, as a value to be guarded; and what its journal keeps of it.

use tanba_crypto::{
    Canonical, DecodeError, PublicKey, Signature,
    canonical::{Decode, Encode},
};
use tanba_ledger::{Certificate, ChainId, Height, SignedVote, Slot, ValidatorIndex, Vote};

use crate::{
    limits::RECORD_BYTES_MAX,
    message::{Proposal, SignedProposal},
};

/// Something to be signed with the validator key. There is nothing else that key signs in agreement.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Utterance {
    /// A leader's proposal.
    Proposal(Proposal),
    /// A vote.
    Vote(Vote),
}

impl Utterance {
    /// Where it is said.
    pub const fn slot(&self) -> Slot {
        match self {
            Utterance::Proposal(proposal) => proposal.slot,
            Utterance::Vote(vote) => vote.slot(),
        }
    }

    /// The bytes to sign.
    pub fn signing_bytes(&self, chain: &ChainId) -> Vec<u8> {
        match self {
            Utterance::Proposal(proposal) => proposal.signing_bytes(chain),
            Utterance::Vote(vote) => vote.signing_bytes(chain),
        }
    }

    /// The utterance with its signature, as the journal keeps it.
    pub const fn signed(&self, own: ValidatorIndex, signature: Signature) -> Record {
        match self {
            Utterance::Proposal(proposal) => {
                Record::OwnProposal(SignedProposal { proposal: *proposal, signature })
            }
            Utterance::Vote(vote) => Record::OwnVote(SignedVote { vote: *vote, voter: own, signature }),
        }
    }
}

/// A governance-signed decision that this validator may vote again although its promises are lost. Its
/// signatures are checked by whoever brings it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct GuardReset {
    /// The validator key that is freed.
    pub key: PublicKey,
    /// The last height in which it still abstains.
    pub abstain_through: Height,
}

/// One entry of the promise journal. Its canonical bytes are what the journal file frames and checks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Record {
    /// Whose journal this is: always the first record, written by `tanba init` alone.
    Owner(ChainId, PublicKey),
    /// A certificate that a promise rests on: part of a justification, or the notarization of a `Finalize`.
    Certificate(Certificate),
    /// The leader's proposal that a `Notarize` rests on.
    LeaderProposal(SignedProposal),
    /// A proposal of ours.
    OwnProposal(SignedProposal),
    /// A vote of ours.
    OwnVote(SignedVote),
    /// Our earlier promises may be lost: nothing is said through this height.
    AbstainThrough(Height),
    /// Nothing of ours is missing through this height: written before a commit in whose height we said nothing.
    Covers(Height),
    /// This height is committed in the store; its records and those below were dropped.
    Committed(Height),
    /// Governance freed a validator whose promises are lost.
    Reset(GuardReset),
}

tanba_crypto::canonical_enum!(Record {
    1 = Owner(chain, key),
    2 = Certificate(certificate),
    3 = LeaderProposal(proposal),
    4 = OwnProposal(proposal),
    5 = OwnVote(vote),
    6 = AbstainThrough(height),
    7 = Covers(height),
    8 = Committed(height),
    9 = Reset(reset),
});

impl Record {
    /// The height the record speaks of; `None` for the owner.
    pub const fn height(&self) -> Option<Height> {
        match self {
            Record::Owner(..) => None,
            Record::Certificate(certificate) => Some(certificate.slot().height),
            Record::LeaderProposal(signed) | Record::OwnProposal(signed) => Some(signed.proposal.slot.height),
            Record::OwnVote(signed) => Some(signed.vote.slot().height),
            Record::AbstainThrough(height) | Record::Covers(height) | Record::Committed(height) => {
                Some(*height)
            }
            Record::Reset(reset) => Some(reset.abstain_through),
        }
    }

    /// Reads one record; fails on anything but canonical bytes within [`RECORD_BYTES_MAX`].
    pub fn read(bytes: &[u8]) -> Result<Record, DecodeError> {
        Record::from_canonical(bytes, RECORD_BYTES_MAX)
    }
}
