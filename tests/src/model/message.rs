//! What one host sends to another.

use tanba_consensus::{SignedProposal, Standing, Wanted};
use tanba_ledger::{Certificate, Height, SignedVote, Slot};

/// A message as hosts exchange it.
#[derive(Clone, Debug)]
pub enum Message {
    /// A proposal, and the notarization of its parent view.
    Proposal(SignedProposal, Option<Certificate>),
    /// A vote.
    Vote(SignedVote),
    /// A certificate: sent once to all, and a finalization to whoever is behind.
    Certificate(Certificate),
    /// What is repeated while a view lasts.
    Standing(Standing),
    /// The answer to a question, or to a standing that lags.
    Justification(Vec<Certificate>),
    /// A question for certificates.
    Wanted(Wanted),
    /// Transactions for whoever can use them.
    Work,
    /// "I am here": exchanged on every connect.
    Head(Slot),
}

impl Message {
    /// The height that it is about.
    pub fn height(&self) -> Option<Height> {
        match self {
            Message::Proposal(signed, _) => Some(signed.proposal.slot.height),
            Message::Vote(signed) => Some(signed.vote.slot().height),
            Message::Certificate(held) => Some(held.slot().height),
            Message::Standing(standing) => Some(standing.slot.height),
            Message::Justification(list) => list.first().map(|held| held.slot().height),
            Message::Wanted(wanted) => Some(wanted.first.height),
            Message::Head(slot) => Some(slot.height),
            Message::Work => None,
        }
    }
}

/// A message and the member it is for; without one, for all.
pub type Parcel = (Option<usize>, Message);
