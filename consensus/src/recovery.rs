//! What a validator does before its first word after a start: it makes sure that its journal is all it ever
//! said.
//!
//! It asks all validators for their decided height, with its finalization, and for any signature of its own
//! above its committed head. Nodes that are starting themselves answer too, so a network that lost its power
//! as a whole gets up again.
//!
//! * A **whole** journal votes as soon as q − 1 others answered; f may be dead. That it ends below the
//!   network's head is downtime, not loss.
//! * A **lost** one (missing, damaged, ending below our own store's head, or lacking a signature of ours that
//!   a peer shows) waits for q others. Let H be the highest height they prove, or our own head. If it has
//!   voted at h, then h − 1 was decided by q `Finalize` votes; one of these q is honest and among the q that
//!   answered; and it had committed h − 2 before it voted at h − 1. So h ≤ H + 2: it abstains through H + 2,
//!   and writes that down first.
//! * A node that lost its store as well knows nothing of where it stood. It never votes with that key again;
//!   its institution rotates the key.
//! * If more than f are lost, abstaining and gone together, nobody can decide anything: a [`GuardReset`] signed
//!   by governance is the only way on.

use std::{
    collections::BTreeMap,
    hash::{Hash, Hasher},
};

use tanba_crypto::{
    PublicKey, Verified,
    canonical::{Decode, Encode},
    planted,
};
use tanba_ledger::{Certificate, ChainId, Height, SignedVote, Slot, ValidatorSet};

use crate::{
    guard::Guard,
    limits::{CERTIFICATE_BYTES_MAX, SIGNED_BYTES_MAX},
    message::SignedProposal,
    promise::{GuardReset, Record},
};

/// Signatures in one [`Answer`], at most: one of each kind in the views of the present height and some before.
pub const SHOWN_MAX: usize = 1_024;

/// Canonical bytes of one [`Answer`].
pub const ANSWER_BYTES_MAX: usize = 1 + CERTIFICATE_BYTES_MAX + 16 + SHOWN_MAX * SIGNED_BYTES_MAX;

/// How far above the highest proven height a validator without its journal stays silent.
const ABSTAIN_ABOVE_PROVEN: u64 = 2;

/// What a starting validator asks all others.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Inquiry {
    /// Whose signatures are asked for: the asker's.
    pub key: PublicKey,
    /// Only those above this height.
    pub above: Height,
}

/// What it is answered; unchecked.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Answer {
    /// The finalization of the answerer's head; `None` if that is genesis.
    pub decided: Option<Certificate>,
    /// Votes of the asker; at most [`SHOWN_MAX`] together with the proposals.
    pub votes: Vec<SignedVote>,
    /// Proposals of the asker.
    pub proposals: Vec<SignedProposal>,
}

/// An answer whose signatures were checked, each under the set of its height. An answer about heights whose set
/// is not known yet waits, and does not count, until the catch-up has come so far.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CheckedAnswer {
    /// The finalization of the answerer's head; `None` if that is genesis.
    pub decided: Option<Verified<Certificate>>,
    /// Votes of ours: those of the answer, and those in its finalization.
    pub votes: Vec<Verified<SignedVote>>,
    /// Proposals of ours.
    pub proposals: Vec<Verified<SignedProposal>>,
}

/// Why a journal counts as lost.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Loss {
    /// There is none where one must be.
    #[error("there is no promise journal")]
    Missing,
    /// A complete record is damaged.
    #[error("the promise journal is damaged")]
    Damaged,
    /// The store knows more than the journal.
    #[error("the promise journal ends at height {end}, below the store's head {head}")]
    EndsBelowHead {
        /// Where the journal ends.
        end: Height,
        /// Where the store ends.
        head: Height,
    },
    /// A peer showed a signature of ours that the journal lacks.
    #[error("a peer shows a signature of ours at height {0} that the promise journal lacks")]
    Shown(Height),
}

/// Where a starting validator stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Too few answers yet.
    Wait {
        /// Others that answered.
        answered: usize,
        /// Others that must.
        needed: usize,
    },
    /// The journal is whole: vote.
    Vote,
    /// The journal is lost: replace it by [`Recovery::new_journal`], then vote above this height.
    AbstainThrough(Height),
    /// Journal and store are lost: never vote with this key again.
    Retire,
}

/// The start-up protocol of one validator: answers in, a verdict out. Ask [`Recovery::verdict`] after each.
#[derive(Clone, Debug)]
pub struct Recovery {
    own: PublicKey,
    validators: ValidatorSet,
    head: Height,
    loss: Option<Loss>,
    /// The height each other validator proved.
    answers: BTreeMap<PublicKey, Height>,
    reset: Option<GuardReset>,
}

impl Recovery {
    /// Feeds everything that the verdict depends on to `state`, but for the set, which the height determines.
    /// For explorers and tests.
    pub fn digest(&self, state: &mut impl Hasher) {
        let Recovery { own, validators: _, head, loss, answers, reset } = self;
        (own, head, loss.is_some(), answers).hash(state);
        reset.map(|reset| (reset.key, reset.abstain_through)).hash(state);
    }

    /// Begins. `journal` is what was found on disk: the guard replayed from a whole journal, or why there is
    /// none. `validators` is the set that decides the height above the store's head.
    pub fn begin(
        own: PublicKey,
        validators: ValidatorSet,
        head: Height,
        journal: Result<&Guard, Loss>,
    ) -> Recovery {
        let loss = match journal {
            Err(loss) => Some(loss),
            Ok(guard) if guard.end() < head => Some(Loss::EndsBelowHead { end: guard.end(), head }),
            Ok(_) => None,
        };
        Recovery { own, validators, head, loss, answers: BTreeMap::new(), reset: None }
    }

    /// The question for all validators; repeated until a verdict is reached.
    pub fn inquiry(&self) -> Inquiry {
        Inquiry { key: self.own, above: self.head }
    }

    /// The store has grown by catch-up meanwhile.
    pub fn advance(&mut self, head: Height, validators: ValidatorSet) {
        assert!(head >= self.head, "a store's head never falls");
        (self.head, self.validators) = (head, validators);
    }

    /// Takes in a peer's answer. `guard` is the journal's, as long as it is whole.
    pub fn on_answer(&mut self, peer: PublicKey, answer: &CheckedAnswer, guard: Option<&Guard>) {
        if peer == self.own {
            return;
        }
        let decided = answer.decided.as_ref().map_or(Height::GENESIS, |proof| proof.slot().height);
        self.answers.insert(peer, decided);
        // Whoever shows another's signature shows nothing of ours.
        let own = self.validators.index_of(&self.own);
        let leader = |slot: Slot| self.validators.leader(slot.height, slot.view);
        let votes = answer.votes.iter().filter(|signed| Some(signed.voter) == own);
        let votes = votes.map(|signed| Record::OwnVote(**signed));
        let proposals = answer.proposals.iter().filter(|signed| Some(leader(signed.proposal.slot)) == own);
        let proposals = proposals.map(|signed| Record::OwnProposal(**signed));
        let mut shown = votes.chain(proposals);
        let unknown = guard.and_then(|guard| shown.find(|record| !guard.knows(record)));
        if let (None, Some(height)) = (&self.loss, unknown.and_then(|record| record.height())) {
            self.loss = Some(Loss::Shown(height));
        }
    }

    /// Governance frees this validator; its signatures were checked. Ignored if it names another key.
    pub fn on_reset(&mut self, reset: GuardReset) {
        if reset.key == self.own {
            self.reset = Some(reset);
        }
    }

    /// Why the journal counts as lost, if it does.
    pub const fn loss(&self) -> Option<&Loss> {
        self.loss.as_ref()
    }

    /// Where things stand now.
    pub fn verdict(&self) -> Verdict {
        if let Some(reset) = self.reset {
            return Verdict::AbstainThrough(reset.abstain_through);
        }
        if self.loss.is_some() && self.head == Height::GENESIS {
            return Verdict::Retire;
        }
        let member = |key: &PublicKey| self.validators.index_of(key).is_some();
        let answered = self.answers.keys().filter(|key| member(key)).count();
        let others = self.validators.len() - usize::from(member(&self.own));
        let quorum = self.validators.quorum();
        // Fewer than four validators have no quorum of others; then all of them must answer.
        let needed = if self.loss.is_some() { quorum.min(others) } else { (quorum - 1).min(others) };
        if answered < needed {
            return Verdict::Wait { answered, needed };
        }
        if self.loss.is_none() {
            return Verdict::Vote;
        }
        let proven = self.answers.values().copied().max().unwrap_or_default().max(self.head);
        let above = planted!(AbstainTooShort => ABSTAIN_ABOVE_PROVEN - 1, ABSTAIN_ABOVE_PROVEN);
        Verdict::AbstainThrough(Height(proven.0.saturating_add(above)))
    }

    /// The journal that replaces a lost one, in one atomic step and before anything else: it says through which
    /// height we are silent, so that a second restart does not start counting again.
    ///
    /// Panics unless the verdict is to abstain.
    pub fn new_journal(&self, chain: ChainId) -> Vec<Record> {
        let Verdict::AbstainThrough(through) = self.verdict() else {
            panic!("a journal is replaced only after the verdict to abstain");
        };
        let silence = match self.reset {
            Some(reset) => Record::Reset(reset),
            None => Record::AbstainThrough(through),
        };
        vec![Record::Owner(chain, self.own), Record::Covers(self.head), silence]
    }
}
