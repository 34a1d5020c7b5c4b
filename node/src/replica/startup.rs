//! A validator's first moments: what its journal holds is compared with what its peers remember, and only then
//! it speaks. The rules are the consensus crate's ([`Recovery`]); here they meet journal, peers and catch-up.

use std::collections::BTreeMap;

use tanba_consensus::{
    guard::Guard,
    input::Input,
    promise::Record,
    recovery::{Answer, CheckedAnswer, Inquiry, Loss, Recovery, Verdict},
};
use tanba_crypto::{Canonical, PublicKey, Verified, planted};
use tanba_ledger::{Height, Slot, ValidatorIndex, certificate::Electorate, state::Tip};
use tanba_storage::{JournalCondition, Store, StoreReader};

use super::{Asked, Replica, Stop, Voice, timer::Timer};
use crate::{
    message::{CheckedResponse, Request},
    signer::Signer,
};

/// From one question to the next, while answers are missing, in milliseconds.
const ASK_AGAIN_MS: u64 = 500;

/// A key that abstains through this height never votes again.
const FOR_EVER: Height = Height(u64::MAX);

/// Where a start stands.
#[derive(Debug)]
pub(crate) struct Startup {
    /// `None` when there is nothing to find out, or no more.
    recovery: Option<Recovery>,
    /// Answers about heights that the catch-up has not reached.
    early: BTreeMap<PublicKey, Answer>,
}

impl Startup {
    /// Nothing to find out: an observer says nothing.
    pub(crate) fn observer() -> Startup {
        Startup { recovery: None, early: BTreeMap::new() }
    }

    /// Whether the verdict is reached.
    pub(crate) fn is_over(&self) -> bool {
        self.recovery.is_none()
    }

    /// Whether the journal takes records: a lost one does not, before a new one takes its place.
    pub(crate) fn has_journal(&self) -> bool {
        self.recovery.as_ref().is_none_or(|recovery| recovery.loss().is_none())
    }
}

impl Voice {
    /// Whether journal and store were once lost together: this key never votes again.
    pub(super) fn is_retired(&self) -> bool {
        self.guard.abstains_through() == Some(FOR_EVER)
    }

    /// Reads the journal and begins the start-up protocol.
    pub(super) fn open<S: Store>(signer: Signer, store: &mut S, tip: &Tip) -> Result<(Voice, Startup), Stop> {
        let (chain, key, head) = (tip.chain(), signer.public(), tip.header.height);
        let head_once = store.head_once();
        let journal = store.journal();
        planted!(
            LossUnnoticed => if journal.condition() != JournalCondition::Whole {
                journal.rewrite(&[Record::Owner(chain, key), Record::Covers(head)].map(|r| r.to_canonical()))?;
            }
        );
        let found = match journal.condition() {
            JournalCondition::Whole => {
                let records =
                    journal.records()?.iter().map(|bytes| Record::read(bytes)).collect::<Result<Vec<_>, _>>();
                let records = records.map_err(|error| Stop::Journal(error.to_string()))?;
                let guard = Guard::replay(&records, chain, key);
                not_cut(guard.map_err(|error| Stop::Journal(error.to_string()))?, head_once)
            }
            JournalCondition::Missing => Err(Loss::Missing),
            JournalCondition::Damaged { .. } => Err(Loss::Damaged),
        };
        let recovery =
            Recovery::begin(key, tip.validators.clone(), head, found.as_ref().map_err(Clone::clone));
        if let Some(loss) = recovery.loss() {
            tracing::error!(%loss, "earlier promises of this validator may be lost; it is silent until that is safe");
        }
        let mut guard = found.unwrap_or_else(|_| Guard::create(chain, key).0);
        if guard.end() > head.next() {
            tracing::error!(
                "the store ends at block {head}, but this validator has signed at height {}: the blocks between are \
                 fetched from the peers, and nothing is signed before they are there",
                guard.end()
            );
        }
        guard.commit(head);
        if recovery.loss().is_none() && guard.end() <= head {
            // It died between a commit and what follows it.
            store.journal().forget_bodies()?;
        }
        let startup = Startup { recovery: Some(recovery), early: BTreeMap::new() };
        Ok((Voice { signer, guard }, startup))
    }
}

impl<S: Store> Replica<S> {
    /// Begins to ask, or votes at once where nobody needs to be asked.
    pub(super) fn begin_startup(&mut self) -> Result<(), Stop> {
        if !self.startup.is_over() {
            self.schedule(Timer::Recovery, ASK_AGAIN_MS);
            self.judge_startup()?;
        }
        self.report_status();
        Ok(())
    }

    /// Asks one validator, if it is one and an answer is wanted.
    pub(super) fn ask_memory_of(&mut self, peer: &PublicKey) {
        let Some(recovery) = &self.startup.recovery else { return };
        let inquiry = recovery.inquiry();
        if let Some(index) = self.peers.index_of(peer, &self.tip.validators) {
            self.ask(*peer, Asked::Memory(index), Request::Memory(inquiry));
        }
    }

    /// Asks every connected validator again.
    pub(super) fn ask_memory_again(&mut self) {
        if self.startup.is_over() {
            return;
        }
        let connected: Vec<PublicKey> =
            self.peers.iter().filter(|(_, peer)| peer.connected).map(|(key, _)| *key).collect();
        for peer in connected {
            self.ask_memory_of(&peer);
        }
        self.schedule(Timer::Recovery, ASK_AGAIN_MS);
    }

    /// Answers a validator that starts; not while this one has lost blocks itself. Whoever lost its journal counts
    /// on it that each honest answer proves what its giver had decided.
    pub(super) fn remembered(&self, inquiry: Inquiry) -> Result<Option<Answer>, Stop> {
        if self.is_short() {
            return Ok(None);
        }
        let decided = self.reader.finalization(self.tip.header.height)?;
        Ok(Some(self.engine.answer_inquiry(&inquiry, decided)))
    }

    /// A validator answered, or did not.
    pub(super) fn got_memory(
        &mut self,
        member: ValidatorIndex,
        response: Option<CheckedResponse>,
    ) -> Result<(), Stop> {
        let Some(CheckedResponse::Memory(answer)) = response else { return Ok(()) };
        let Some(member) = self.tip.validators.get(member).copied() else { return Ok(()) };
        if self.startup.is_over() {
            return Ok(());
        }
        self.startup.early.insert(member.key, *answer);
        self.hear_memories()
    }

    /// Takes in every answer whose heights are known by now.
    pub(super) fn hear_memories(&mut self) -> Result<(), Stop> {
        if self.startup.is_over() {
            return Ok(());
        }
        let head = self.tip.header.height;
        if let Some(recovery) = &mut self.startup.recovery {
            recovery.advance(head, self.tip.validators.clone());
        }
        for (peer, answer) in std::mem::take(&mut self.startup.early) {
            let own = self.own_index();
            match check_answer(&answer, self.electorate(), own) {
                Heard::Now(checked) => {
                    let voice = self.voice.as_ref().expect("a validator starts");
                    if let Some(recovery) = &mut self.startup.recovery {
                        let guard = recovery.loss().is_none().then_some(&voice.guard);
                        recovery.on_answer(peer, &checked, guard);
                    }
                }
                Heard::Later => drop(self.startup.early.insert(peer, answer)),
                Heard::Never => tracing::warn!(?peer, "a validator's memory of us does not verify"),
            }
        }
        self.judge_startup()
    }

    /// Whether the store has lost blocks: a validator signs only at the height above its head, so the journal then
    /// ends higher. Until they are there again it says nothing, and what it remembers is no memory of its own.
    pub(super) fn is_short(&self) -> bool {
        self.voice.as_ref().is_some_and(|voice| voice.guard.end() > self.height())
    }

    /// The highest height this node is known to have come to, in this life or before.
    pub fn height_once(&self) -> Height {
        let promised = self.voice.as_ref().map_or(Height::GENESIS, |voice| voice.guard.end());
        promised.max(self.store.head_once())
    }

    fn judge_startup(&mut self) -> Result<(), Stop> {
        if self.is_short() {
            return Ok(());
        }
        let Some(recovery) = &self.startup.recovery else { return Ok(()) };
        match recovery.verdict() {
            Verdict::Wait { .. } => return Ok(()),
            Verdict::Vote => tracing::info!("the promise journal is whole; this validator votes"),
            Verdict::AbstainThrough(through) => {
                let records = recovery.new_journal(self.chain);
                let bytes: Vec<Vec<u8>> = records.iter().map(Canonical::to_canonical).collect();
                self.store.journal().rewrite(&bytes)?;
                let voice = self.voice.as_mut().expect("a validator starts");
                let guard = Guard::replay(&records, self.chain, voice.signer.public());
                voice.guard = guard.map_err(|error| Stop::Journal(error.to_string()))?;
                voice.guard.commit(self.tip.header.height);
                tracing::warn!(%through, "promises were lost; this validator is silent through that height");
            }
            Verdict::Retire => {
                let voice = self.voice.as_mut().expect("a validator starts");
                let key = voice.signer.public();
                // Written down: after a restart the store will be there again, and the key must stay silent.
                let records = [
                    Record::Owner(self.chain, key),
                    Record::Covers(self.tip.header.height),
                    Record::AbstainThrough(FOR_EVER),
                ];
                let bytes: Vec<Vec<u8>> = records.iter().map(Canonical::to_canonical).collect();
                self.store.journal().rewrite(&bytes)?;
                let guard = Guard::replay(&records, self.chain, key);
                voice.guard = guard.map_err(|error| Stop::Journal(error.to_string()))?;
                voice.guard.commit(self.tip.header.height);
                tracing::error!(
                    "promises and store of this validator are lost: its key must not vote again; \
                     follow the chain and have the institution rotate the validator key"
                );
            }
        }
        self.startup.recovery = None;
        let may_speak = self.voice.as_ref().is_some_and(|voice| voice.guard.may_speak_at(self.height()));
        if let Some(own) = self.own_index().filter(|_| may_speak) {
            self.engine.handle(Input::StartVoting(own));
        }
        self.report_status();
        Ok(())
    }
}

/// A journal that ends below the head of a store that was set aside is not whole, though each of its records is: the
/// store that would have shown it is no longer there.
fn not_cut(guard: Guard, head_once: Height) -> Result<Guard, Loss> {
    let covered = guard.end().max(guard.abstains_through().unwrap_or_default());
    if covered < head_once {
        return Err(Loss::EndsBelowHead { end: guard.end(), head: head_once });
    }
    Ok(guard)
}

/// What can be said of an answer now.
enum Heard {
    Now(CheckedAnswer),
    Later,
    Never,
}

/// Checks an answer under the set of the height being decided. Statements about committed heights need no
/// check: nothing is signed there any more, and our own head proves as much as they could.
fn check_answer(answer: &Answer, electorate: Electorate<'_>, own: Option<ValidatorIndex>) -> Heard {
    let present = electorate.height;
    let highest = answer.decided.as_ref().map_or(Height::GENESIS, |proof| proof.slot().height);
    let votes = answer.votes.iter().filter(|signed| signed.vote.slot().height >= present);
    let proposals = answer.proposals.iter().filter(|signed| signed.proposal.slot.height >= present);
    let above = votes.clone().any(|signed| signed.vote.slot().height > present)
        || proposals.clone().any(|signed| signed.proposal.slot.height > present);
    if highest > present || above {
        return Heard::Later;
    }
    // What is shown as ours must be ours: another's genuine signature would read as a promise we forgot.
    let leader = |slot: Slot| electorate.validators.leader(slot.height, slot.view);
    let foreign = votes.clone().any(|signed| Some(signed.voter) != own)
        || proposals.clone().any(|signed| Some(leader(signed.proposal.slot)) != own);
    if foreign {
        return Heard::Never;
    }
    let decided = match &answer.decided {
        Some(proof) if highest == present => match Verified::check(proof.clone(), electorate) {
            Ok(checked) => Some(checked),
            Err(_) => return Heard::Never,
        },
        Some(_) | None => None,
    };
    // Our vote in the finalization shown is a signature of ours like any other.
    let certified = decided.iter().flat_map(|proof| proof.votes()).filter(|signed| Some(signed.voter) == own);
    let votes = votes.copied().chain(certified);
    let votes = votes.map(|signed| Verified::check(signed, electorate)).collect::<Result<Vec<_>, _>>();
    let proposals =
        proposals.map(|signed| Verified::check(*signed, electorate)).collect::<Result<Vec<_>, _>>();
    match (votes, proposals) {
        (Ok(votes), Ok(proposals)) => Heard::Now(CheckedAnswer { decided, votes, proposals }),
        _ => Heard::Never,
    }
}

#[cfg(test)]
mod tests {
    use tanba_ledger::{
        BlockHash, SignedVote, View, Vote,
        testkit::{self, World},
    };

    use super::*;

    #[test]
    fn another_validators_signature_is_no_promise_of_ours() {
        let world = World::new();
        let electorate =
            Electorate { chain: &world.chain, height: Height(1), validators: &world.tip.validators };
        let slot = Slot { height: Height(1), view: View(1) };
        let vote = Vote::Notarize(slot, BlockHash(world.tip.hash.0));
        let shown = |number: usize| {
            let index = ValidatorIndex(number as u16);
            let signed = SignedVote::sign(vote, index, &world.chain, &testkit::keys(number).validator);
            Answer { decided: None, votes: vec![signed], proposals: Vec::new() }
        };
        let own = Some(ValidatorIndex(0));
        assert!(matches!(check_answer(&shown(1), electorate, own), Heard::Never));
        assert!(
            matches!(check_answer(&shown(0), electorate, own), Heard::Now(checked) if checked.votes.len() == 1)
        );
    }
}
