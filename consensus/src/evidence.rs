//! Two signatures of one key that no honest validator makes: the proof names the offender to anyone.

use tanba_crypto::{SignatureError, Verify};
use tanba_ledger::{Height, SignedVote, ValidatorIndex, Vote, certificate::Electorate};

use crate::message::SignedProposal;

/// A proof of equivocation. The order of the two has no meaning.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Evidence {
    /// Two votes of one voter in one slot that [`contradict`].
    Votes(SignedVote, SignedVote),
    /// Two proposals of one leader in one slot.
    Proposals(SignedProposal, SignedProposal),
}

tanba_crypto::canonical_enum!(Evidence { 1 = Votes(first, second), 2 = Proposals(first, second) });

/// Whether no honest validator says both in one slot: `Notarize` or `Finalize` of two blocks, or `Finalize`
/// with `Nullify`. A `Finalize` of another block than one's own `Notarize` is no contradiction: a leader may
/// have shown two blocks, and the other one won.
pub fn contradict(a: Vote, b: Vote) -> bool {
    match (a, b) {
        (Vote::Notarize(at, x), Vote::Notarize(also, y))
        | (Vote::Finalize(at, x), Vote::Finalize(also, y)) => at == also && x != y,
        (Vote::Finalize(at, _), Vote::Nullify(also)) | (Vote::Nullify(at), Vote::Finalize(also, _)) => {
            at == also
        }
        (Vote::Notarize(..), Vote::Nullify(_) | Vote::Finalize(..))
        | (Vote::Nullify(_), Vote::Notarize(..) | Vote::Nullify(_))
        | (Vote::Finalize(..), Vote::Notarize(..)) => false,
    }
}

impl Evidence {
    /// The height whose set the offender belongs to.
    pub const fn height(&self) -> Height {
        match self {
            Evidence::Votes(first, _) => first.vote.slot().height,
            Evidence::Proposals(first, _) => first.proposal.slot.height,
        }
    }

    /// Who it is.
    pub fn offender(&self, electorate: Electorate<'_>) -> ValidatorIndex {
        match self {
            Evidence::Votes(first, _) => first.voter,
            Evidence::Proposals(first, _) => {
                electorate.validators.leader(first.proposal.slot.height, first.proposal.slot.view)
            }
        }
    }
}

impl Verify for Evidence {
    type Context<'a> = Electorate<'a>;

    fn verify(&self, electorate: Electorate<'_>) -> Result<(), SignatureError> {
        match self {
            Evidence::Votes(first, second) => {
                if first.voter != second.voter || !contradict(first.vote, second.vote) {
                    return Err(SignatureError::Structure("the two votes do not contradict each other"));
                }
                first.verify(electorate)?;
                second.verify(electorate)
            }
            Evidence::Proposals(first, second) => {
                if first.proposal.slot != second.proposal.slot || first.proposal == second.proposal {
                    return Err(SignatureError::Structure("the two proposals do not contradict each other"));
                }
                first.verify(electorate)?;
                second.verify(electorate)
            }
        }
    }
}
