//! R3, R5: the two votes of the present view.

use tanba_crypto::planted;
use tanba_ledger::{View, Vote};

use super::{instance::Instance, timers::Wait};
use crate::{
    input::{Purpose, Verdict},
    promise::{Record, Utterance},
};

impl Instance {
    /// R3: the first justified proposal whose block is valid and stored gets our one `Notarize`, also after our
    /// `Nullify`: the two do not exclude each other, and a late block may still be saved.
    pub(super) fn notarize(&mut self) {
        let Some(proposal) = self.justified_proposal() else { return };
        let valid = if proposal.is_fresh() {
            self.verdict(proposal.block, Purpose::Fresh(proposal.slot)) == Some(Verdict::Valid)
        } else {
            self.is_stored(proposal.block)
        };
        let notarized = |vote: &Vote| match vote {
            Vote::Notarize(..) => planted!(NotarizeTwice => vote.block() == Some(proposal.block), true),
            Vote::Nullify(_) | Vote::Finalize(..) => false,
        };
        if !valid || self.own.is_none() || self.voted(self.view, notarized) {
            return;
        }
        let signed = *self.tally.proposal(self.view).expect("the justified proposal is in the tally");
        let justification = self.certificates.justification(proposal.parent_view, self.view);
        let mut grounds: Vec<Record> = justification.into_iter().map(Record::Certificate).collect();
        grounds.push(Record::LeaderProposal(signed));
        self.speak(Utterance::Vote(Vote::Notarize(proposal.slot, proposal.block)), grounds);
    }

    /// R5: gives the view up, unless we have finalized in it.
    pub(super) fn nullify(&mut self) {
        let excluded = |vote: &Vote| matches!(vote, Vote::Nullify(_) | Vote::Finalize(..));
        if !self.is_active() || !self.is_lost() || self.voted(self.view, excluded) {
            return;
        }
        let grounds = self.justification().into_iter().map(Record::Certificate).collect();
        self.speak(Utterance::Vote(Vote::Nullify(self.slot())), grounds);
    }

    /// Whether nothing good is to be expected of the present view any more.
    fn is_lost(&self) -> bool {
        self.turn.timer == Wait::Passed
            || self.is_refused()
            || self.is_skipped()
            || self.joins_nullification()
    }

    fn is_refused(&self) -> bool {
        self.justified_proposal().is_some_and(|proposal| {
            proposal.is_fresh()
                && self.verdict(proposal.block, Purpose::Fresh(proposal.slot)) == Some(Verdict::Invalid)
        })
    }

    fn is_skipped(&self) -> bool {
        let leader = self.validators.get(self.leader()).expect("the leader is a member");
        !self.leads() && self.silence.is_silent(&leader.key, &self.validators)
    }

    /// R0: a leader without work never gives up its view by itself, but does not hold others up either.
    fn joins_nullification(&self) -> bool {
        let nullify = Vote::Nullify(self.slot());
        let idle = self.leads() && !self.work && self.parent == View::NONE;
        idle && self.tally.count(&nullify) > self.validators.faulty_max()
    }
}
