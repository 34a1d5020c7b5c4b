//! The promise guard: everything the validator key signs in agreement passes here.
//!
//! The guard is a value: the records of the journal, replayed. It answers whether an utterance may be signed,
//! and names the records that must be on disk, with one sync, before the signature leaves the node. It is no
//! high-water mark: a late `Finalize` of an old view is legal after votes in newer ones, and a mark that
//! refuses it has halted other chains.
//!
//! ```text
//! match guard.admit(&utterance, &grounds)? {
//!     Admission::Repeat(record)  => send it again, as it is
//!     Admission::New(promise)    => signature = key.sign(&utterance.signing_bytes(&chain))
//!                                   records = promise.into_records(signature)
//!                                   journal.append(&records)?      one sync
//!                                   guard.remember(&records)
//!                                   send, and hand back to the engine
//! }
//! ```
//!
//! **Compaction.** Once height h is committed in the store, nothing at or below h is ever signed again, so
//! [`Guard::compacted`] keeps the owner, `Committed(h)`, an abstention that still holds, the last reset, and
//! every record above h. Evidence against others lives in the tallies, not here; and the start-up protocol
//! asks for our signatures *above* the committed height only, so nothing it compares is ever dropped.

mod admission;

use std::{
    collections::BTreeMap,
    hash::{Hash, Hasher},
};

use tanba_crypto::{PublicKey, SignatureError, Verified, planted};
use tanba_ledger::{Certificate, ChainId, Height, SignedVote, Slot, View, Vote, certificate::Electorate};

use crate::{
    message::SignedProposal,
    promise::{GuardReset, Record},
};

pub use admission::{Admission, Promise, Refusal};

/// Why a journal cannot be replayed. It is not a lost journal but a wrong one: the node refuses to start.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ReplayError {
    /// The first record does not name an owner.
    #[error("the promise journal does not begin with its owner")]
    NoOwner,
    /// It belongs to another network or key.
    #[error("the promise journal belongs to key {key:?} of chain {chain}")]
    WrongOwner {
        /// The network it names.
        chain: ChainId,
        /// The key it names.
        key: Box<PublicKey>,
    },
    /// It names a second owner further on.
    #[error("the promise journal names its owner twice")]
    SecondOwner,
    /// A signature in it does not verify under the height's set.
    #[error("a record of the promise journal does not verify: {0}")]
    Signature(SignatureError),
}

/// What the journal holds of one height, checked again, for [`StartHeight`](crate::input::StartHeight).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Recovered {
    /// Grounds: justifications and notarizations.
    pub certificates: Vec<Verified<Certificate>>,
    /// The leaders' proposals we voted for, and our own.
    pub proposals: Vec<Verified<SignedProposal>>,
    /// Our own votes.
    pub votes: Vec<Verified<SignedVote>>,
}

/// What was said and recorded in one slot.
#[derive(Clone, Default, Debug)]
struct Said {
    proposal: Option<SignedProposal>,
    leader_proposal: Option<SignedProposal>,
    notarize: Option<SignedVote>,
    nullify: Option<SignedVote>,
    finalize: Option<SignedVote>,
    notarization: Option<Certificate>,
    nullification: Option<Certificate>,
}

/// What the validator key has promised, and what it may still say.
#[derive(Clone, Debug)]
pub struct Guard {
    chain: ChainId,
    key: PublicKey,
    committed: Height,
    end: Height,
    abstain_through: Option<Height>,
    reset: Option<GuardReset>,
    slots: BTreeMap<Slot, Said>,
}

impl Guard {
    /// The guard of a new journal, and the record to write first. Only `tanba init`, and a node that has
    /// decided that its journal is lost, make one.
    pub fn create(chain: ChainId, key: PublicKey) -> (Guard, Record) {
        let guard = Guard {
            chain,
            key,
            committed: Height::GENESIS,
            end: Height::GENESIS,
            abstain_through: None,
            reset: None,
            slots: BTreeMap::new(),
        };
        (guard, Record::Owner(chain, key))
    }

    /// Replays a journal's records, oldest first. Fails if it is another node's.
    pub fn replay(records: &[Record], chain: ChainId, key: PublicKey) -> Result<Guard, ReplayError> {
        let Some((Record::Owner(found_chain, found_key), records)) = records.split_first() else {
            return Err(ReplayError::NoOwner);
        };
        if (*found_chain, *found_key) != (chain, key) {
            return Err(ReplayError::WrongOwner { chain: *found_chain, key: Box::new(*found_key) });
        }
        if records.iter().any(|record| matches!(record, Record::Owner(..))) {
            return Err(ReplayError::SecondOwner);
        }
        let (mut guard, _) = Guard::create(chain, key);
        for record in records {
            planted!(VotesForgotten => if matches!(record, Record::OwnVote(_)) { continue });
            guard.remember_one(record);
        }
        Ok(guard)
    }

    /// Feeds everything that future answers depend on to `state`, signatures left out, which the signed words
    /// determine: guards that feed the same admit and refuse alike. For explorers and tests.
    pub fn digest(&self, state: &mut impl Hasher) {
        let Guard { chain, key, committed, end, abstain_through, reset, slots } = self;
        (chain, key, committed, end, abstain_through, slots.len()).hash(state);
        reset.map(|reset| (reset.key, reset.abstain_through)).hash(state);
        for (slot, said) in slots {
            let Said { proposal, leader_proposal, notarize, nullify, finalize, notarization, nullification } =
                said;
            let proposals = [proposal, leader_proposal].map(|signed| signed.map(|signed| signed.proposal));
            let votes = [notarize, nullify, finalize].map(|signed| signed.map(|signed| signed.vote));
            (slot, proposals, votes).hash(state);
            for certificate in [notarization, nullification] {
                certificate.as_ref().map(|held| (&held.vote, &held.signers)).hash(state);
            }
        }
    }

    /// Takes in records that are on disk now.
    pub fn remember(&mut self, records: &[Record]) {
        for record in records {
            self.remember_one(record);
        }
    }

    fn remember_one(&mut self, record: &Record) {
        if let Some(height) = record.height() {
            // An abstention reaches above what the journal knows; it says nothing about its end.
            if !matches!(record, Record::AbstainThrough(_) | Record::Reset(_)) {
                self.end = self.end.max(height);
            }
        }
        match record {
            Record::Owner(..) | Record::Covers(_) => {}
            Record::Certificate(certificate) => {
                let said = self.slots.entry(certificate.slot()).or_default();
                match certificate.vote {
                    Vote::Notarize(..) => said.notarization = Some(certificate.clone()),
                    Vote::Nullify(_) => said.nullification = Some(certificate.clone()),
                    // A finalization is its block's certificate in the store; nothing rests on it here.
                    Vote::Finalize(..) => {}
                }
            }
            Record::LeaderProposal(signed) => {
                self.slots.entry(signed.proposal.slot).or_default().leader_proposal = Some(*signed);
            }
            Record::OwnProposal(signed) => {
                self.slots.entry(signed.proposal.slot).or_default().proposal = Some(*signed);
            }
            Record::OwnVote(signed) => {
                let said = self.slots.entry(signed.vote.slot()).or_default();
                match signed.vote {
                    Vote::Notarize(..) => said.notarize = Some(*signed),
                    Vote::Nullify(_) => said.nullify = Some(*signed),
                    Vote::Finalize(..) => said.finalize = Some(*signed),
                }
            }
            Record::AbstainThrough(height) => {
                self.abstain_through = self.abstain_through.max(Some(*height));
            }
            Record::Committed(height) => self.commit(*height),
            Record::Reset(reset) => {
                self.abstain_through = Some(reset.abstain_through);
                self.reset = Some(*reset);
            }
        }
    }

    /// The store has committed `height`: nothing at or below it is signed again. Call it at start with the
    /// store's head, and after each commit; it needs no record of its own until the next compaction.
    pub fn commit(&mut self, height: Height) {
        if height <= self.committed {
            return;
        }
        self.committed = height;
        self.slots = self.slots.split_off(&Slot { height: height.next(), view: View::NONE });
    }

    /// The highest height of which the journal holds anything: where it ends.
    pub const fn end(&self) -> Height {
        self.end
    }

    /// The highest height known to be committed.
    pub const fn committed(&self) -> Height {
        self.committed
    }

    /// The last height of silence, if promises were lost.
    pub const fn abstains_through(&self) -> Option<Height> {
        self.abstain_through
    }

    /// Whether anything may be said at `height`.
    pub fn may_speak_at(&self, height: Height) -> bool {
        height > self.committed && self.abstain_through.is_none_or(|through| height > through)
    }

    /// The record to append before committing `height`, if the journal would else end below the store's head,
    /// which reads as loss. A validator that voted at `height` needs none.
    pub fn cover(&self, height: Height) -> Option<Record> {
        (self.end < height).then_some(Record::Covers(height))
    }

    /// Whether this utterance of ours is on record. At heights where nothing is signed any more, committed or
    /// given up, it does not matter, and the answer is yes.
    pub fn knows(&self, shown: &Record) -> bool {
        let Some(height) = shown.height() else { return true };
        if !self.may_speak_at(height) {
            return true;
        }
        match shown {
            Record::OwnProposal(signed) => {
                let said = self.slots.get(&signed.proposal.slot);
                said.and_then(|said| said.proposal).is_some_and(|own| own.proposal == signed.proposal)
            }
            Record::OwnVote(signed) => {
                let Some(said) = self.slots.get(&signed.vote.slot()) else { return false };
                let own = match signed.vote {
                    Vote::Notarize(..) => said.notarize,
                    Vote::Nullify(_) => said.nullify,
                    Vote::Finalize(..) => said.finalize,
                };
                own.is_some_and(|own| own.vote == signed.vote)
            }
            Record::Owner(..)
            | Record::Certificate(_)
            | Record::LeaderProposal(_)
            | Record::AbstainThrough(_)
            | Record::Covers(_)
            | Record::Committed(_)
            | Record::Reset(_) => true,
        }
    }

    /// What the journal holds of one height, verified under the height's set. Fails if a signature does not
    /// hold: then the journal is damaged in a way its checksums did not show.
    pub fn recovered(&self, electorate: Electorate<'_>) -> Result<Recovered, ReplayError> {
        let first = Slot { height: electorate.height, view: View::NONE };
        let last = Slot { height: electorate.height, view: View(u32::MAX) };
        let mut recovered = Recovered::default();
        for said in self.slots.range(first..=last).map(|(_, said)| said) {
            for certificate in [&said.notarization, &said.nullification].into_iter().flatten() {
                let checked = Verified::check(certificate.clone(), electorate);
                recovered.certificates.push(checked.map_err(ReplayError::Signature)?);
            }
            if let Some(signed) = said.proposal.or(said.leader_proposal) {
                recovered
                    .proposals
                    .push(Verified::check(signed, electorate).map_err(ReplayError::Signature)?);
            }
            for signed in [said.notarize, said.nullify, said.finalize].into_iter().flatten() {
                recovered.votes.push(Verified::check(signed, electorate).map_err(ReplayError::Signature)?);
            }
        }
        Ok(recovered)
    }

    /// The records of a journal that says the same in less space; see the module's words on compaction. The
    /// host replaces the file by them, atomically.
    pub fn compacted(&self) -> Vec<Record> {
        let mut records = vec![Record::Owner(self.chain, self.key)];
        if self.committed > Height::GENESIS {
            records.push(Record::Committed(self.committed));
        }
        if self.end > self.committed {
            records.push(Record::Covers(self.end));
        }
        records.extend(self.reset.map(Record::Reset));
        records.extend(
            self.abstain_through.filter(|through| *through > self.committed).map(Record::AbstainThrough),
        );
        for said in self.slots.values() {
            records.extend(said.notarization.clone().map(Record::Certificate));
            records.extend(said.nullification.clone().map(Record::Certificate));
            records.extend(said.leader_proposal.map(Record::LeaderProposal));
            records.extend(said.proposal.map(Record::OwnProposal));
            let votes = [said.notarize, said.nullify, said.finalize];
            records.extend(votes.into_iter().flatten().map(Record::OwnVote));
        }
        records
    }
}
