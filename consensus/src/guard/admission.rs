//! The judgement over one utterance: repeat, promise, or refuse.

use tanba_crypto::{Signature, planted};
use tanba_ledger::{BlockHash, Certificate, Height, Slot, ValidatorIndex, View, Vote};

use super::{Guard, Said};
use crate::{
    message::Proposal,
    promise::{Record, Utterance},
};

/// Why the guard does not let an utterance be signed.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
pub enum Refusal {
    /// The height is decided and committed here.
    #[error("height {height} is not above the committed head {committed}")]
    Committed {
        /// Asked for.
        height: Height,
        /// Our head.
        committed: Height,
    },
    /// Promises may be lost through this height.
    #[error("promises were lost: nothing is signed through height {through}")]
    Abstaining {
        /// The last height of silence.
        through: Height,
    },
    /// The same was said with other content.
    #[error("slot {}/{} already holds another {what} of ours", .slot.height, .slot.view)]
    Otherwise {
        /// Where.
        slot: Slot,
        /// Which kind.
        what: &'static str,
    },
    /// `Finalize` and `Nullify` exclude each other.
    #[error("slot {}/{} is already {said}", .slot.height, .slot.view)]
    Excluded {
        /// Where.
        slot: Slot,
        /// What was said before.
        said: &'static str,
    },
    /// A `Finalize` without its notarization on record.
    #[error("no notarization of that block in slot {}/{} is on record", .slot.height, .slot.view)]
    NotNotarized {
        /// Where.
        slot: Slot,
    },
    /// A `Notarize` without the leader's signed proposal on record.
    #[error("no proposal of that block in slot {}/{} is on record", .slot.height, .slot.view)]
    NotProposed {
        /// Where.
        slot: Slot,
    },
    /// A vote or proposal in a view whose justification is not on record.
    #[error("the justification of slot {}/{} is not on record", .slot.height, .slot.view)]
    NotJustified {
        /// Where.
        slot: Slot,
    },
    /// There is no view 0.
    #[error("there is no view 0 to speak in")]
    NoView,
}

/// The guard's answer when it does not refuse.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Admission {
    /// Never said before: sign it, write [`Promise::into_records`] with one sync, then send.
    New(Promise),
    /// Said before in the same words: this record holds the signature to send again. It is on disk.
    Repeat(Record),
}

/// Leave to sign one utterance.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Promise {
    utterance: Utterance,
    grounds: Vec<Record>,
}

impl Promise {
    /// What may be signed.
    pub const fn utterance(&self) -> &Utterance {
        &self.utterance
    }

    /// The records to append with one sync before the signature is sent: the grounds that are not on disk
    /// yet, and last the signed utterance itself.
    pub fn into_records(self, own: ValidatorIndex, signature: Signature) -> Vec<Record> {
        let mut records = self.grounds;
        records.push(self.utterance.signed(own, signature));
        records
    }
}

impl Guard {
    /// Judges an utterance. `grounds` are what it rests on: certificates and the leader's proposal, verified
    /// by the caller; those on disk already are not written again. The body of a block that is proposed afresh,
    /// notarized or finalized must be stored before this is asked.
    pub fn admit(&self, utterance: &Utterance, grounds: &[Record]) -> Result<Admission, Refusal> {
        let slot = utterance.slot();
        self.check_slot(slot)?;
        planted!(HighWaterMark => {
            let later = |(at, said): (&Slot, &Said)| *at > slot && said.notarize.or(said.nullify).is_some();
            if self.slots.range(slot..).any(later) {
                return Err(Refusal::Otherwise { slot, what: "later vote" });
            }
        });
        let none = Said::default();
        let said = self.slots.get(&slot).unwrap_or(&none);
        if let Some(repeat) = said_before(said, utterance, slot)? {
            return Ok(Admission::Repeat(repeat));
        }
        let on_record = Grounds { guard: self, offered: grounds };
        match utterance {
            Utterance::Proposal(proposal) => on_record.check_justified(proposal)?,
            Utterance::Vote(Vote::Notarize(slot, block)) => {
                on_record.check_justified(&on_record.proposal(*slot, *block)?)?;
            }
            Utterance::Vote(Vote::Nullify(slot)) => {
                if said.finalize.is_some() {
                    return Err(Refusal::Excluded { slot: *slot, said: "finalized" });
                }
                on_record.check_entered(*slot)?;
            }
            Utterance::Vote(Vote::Finalize(slot, block)) => {
                if planted!(FinalizeAfterNullify => false, said.nullify.is_some()) {
                    return Err(Refusal::Excluded { slot: *slot, said: "nullified" });
                }
                let missing = on_record.notarized(*slot) != Some(*block);
                if planted!(FinalizeWithoutGrounds => false, missing) {
                    return Err(Refusal::NotNotarized { slot: *slot });
                }
            }
        }
        let grounds = grounds.iter().filter(|ground| !self.holds(ground)).cloned().collect();
        Ok(Admission::New(Promise { utterance: *utterance, grounds }))
    }

    fn check_slot(&self, slot: Slot) -> Result<(), Refusal> {
        if slot.view == View::NONE {
            return Err(Refusal::NoView);
        }
        if slot.height <= self.committed {
            return Err(Refusal::Committed { height: slot.height, committed: self.committed });
        }
        match self.abstain_through {
            Some(through) if slot.height <= through => Err(Refusal::Abstaining { through }),
            _ => Ok(()),
        }
    }

    /// Whether a ground is on disk already. One certificate of each kind and slot is enough, whoever signed.
    fn holds(&self, ground: &Record) -> bool {
        let said = |slot| self.slots.get(&slot);
        match ground {
            Record::Certificate(certificate) => said(certificate.slot()).is_some_and(|said| {
                let held = match certificate.vote {
                    Vote::Notarize(..) => &said.notarization,
                    Vote::Nullify(_) => &said.nullification,
                    Vote::Finalize(..) => &None,
                };
                held.as_ref().is_some_and(|held| held.vote == certificate.vote)
            }),
            Record::LeaderProposal(signed) => said(signed.proposal.slot).is_some_and(|said| {
                let held = [said.leader_proposal, said.proposal];
                held.into_iter().flatten().any(|held| held.proposal == signed.proposal)
            }),
            Record::Owner(..)
            | Record::OwnProposal(_)
            | Record::OwnVote(_)
            | Record::AbstainThrough(_)
            | Record::Covers(_)
            | Record::Committed(_)
            | Record::Reset(_) => false,
        }
    }
}

/// The same words again give the record to repeat; other words of the same kind are refused.
fn said_before(said: &Said, utterance: &Utterance, slot: Slot) -> Result<Option<Record>, Refusal> {
    let (what, own, same) = match utterance {
        Utterance::Proposal(proposal) => {
            let own = said.proposal;
            ("proposal", own.map(Record::OwnProposal), own.is_some_and(|own| own.proposal == *proposal))
        }
        Utterance::Vote(vote) => {
            let (what, own) = match vote {
                Vote::Notarize(..) => ("notarize", said.notarize),
                Vote::Nullify(_) => ("nullify", said.nullify),
                Vote::Finalize(..) => ("finalize", said.finalize),
            };
            (what, own.map(Record::OwnVote), own.is_some_and(|own| own.vote == *vote))
        }
    };
    match own {
        Some(record) if same => Ok(Some(record)),
        Some(_) => planted!(NotarizeTwice => Ok(None), Err(Refusal::Otherwise { slot, what })),
        None => Ok(None),
    }
}

/// What an utterance may rest on: what is on disk, and what will be with the same sync.
struct Grounds<'a> {
    guard: &'a Guard,
    offered: &'a [Record],
}

impl Grounds<'_> {
    fn offered_certificates(&self, slot: Slot) -> impl Iterator<Item = &Certificate> {
        self.offered.iter().filter_map(move |record| match record {
            Record::Certificate(certificate) if certificate.slot() == slot => Some(certificate),
            _ => None,
        })
    }

    fn notarized(&self, slot: Slot) -> Option<BlockHash> {
        let held = self.guard.slots.get(&slot).and_then(|said| said.notarization.as_ref());
        held.into_iter().chain(self.offered_certificates(slot)).find_map(|certificate| {
            match certificate.vote {
                Vote::Notarize(_, block) => Some(block),
                Vote::Nullify(_) | Vote::Finalize(..) => None,
            }
        })
    }

    fn nullified(&self, slot: Slot) -> bool {
        self.guard.slots.get(&slot).is_some_and(|said| said.nullification.is_some())
            || self.offered_certificates(slot).any(|certificate| matches!(certificate.vote, Vote::Nullify(_)))
    }

    fn proposal(&self, slot: Slot, block: BlockHash) -> Result<Proposal, Refusal> {
        let said = self.guard.slots.get(&slot);
        let held = said.into_iter().flat_map(|said| [said.leader_proposal, said.proposal]).flatten();
        let offered = self.offered.iter().filter_map(|record| match record {
            Record::LeaderProposal(signed) => Some(*signed),
            _ => None,
        });
        held.chain(offered)
            .map(|signed| signed.proposal)
            .find(|proposal| proposal.slot == slot && proposal.block == block)
            .ok_or(Refusal::NotProposed { slot })
    }

    /// R2: the proposal builds on its notarized parent, and every view between is nullified. This is also a
    /// justification of the view itself.
    fn check_justified(&self, proposal: &Proposal) -> Result<(), Refusal> {
        let slot = proposal.slot;
        let at = |view| Slot { view, ..slot };
        let parent = proposal.parent_view;
        let builds = proposal.is_fresh() || self.notarized(at(parent)) == Some(proposal.block);
        let nullified = (parent.0 + 1..slot.view.0).all(|view| self.nullified(at(View(view))));
        let gap = planted!(MissingNullifications => true, nullified);
        if builds && gap && parent < slot.view { Ok(()) } else { Err(Refusal::NotJustified { slot }) }
    }

    /// Some justification of the view is on record: walking down, nullifications reach a notarization or 0.
    fn check_entered(&self, slot: Slot) -> Result<(), Refusal> {
        for view in (1..slot.view.0).rev().map(View) {
            let below = Slot { view, ..slot };
            if self.notarized(below).is_some() {
                return Ok(());
            }
            if !self.nullified(below) {
                return Err(Refusal::NotJustified { slot });
            }
        }
        Ok(())
    }
}
