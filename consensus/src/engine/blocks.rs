//! R4, R7: blocks are checked by the host; a notarized one that is stored gets our `Finalize`; a final one is
//! handed over.

use tanba_crypto::planted;
use tanba_ledger::{BlockHash, Slot, ValidatorIndex, View, Vote};

use super::instance::{Instance, Phase};
use crate::{
    input::{Purpose, Verdict},
    message::Proposal,
    output::Output,
    promise::{Record, Utterance},
};

impl Instance {
    /// R7: with the finalization nothing is left to vote on.
    pub(super) fn decide(&mut self) {
        let Some(finalization) = self.certificates.finalization().cloned() else { return };
        self.phase = Phase::Decided;
        self.silence.decided(&self.validators);
        self.output(Output::Decide(finalization));
    }

    /// Asks for each block that a rule waits for: the present leader's, and every notarized one.
    pub(super) fn check_blocks(&mut self) {
        if let Some(proposal) = self.justified_proposal().filter(Proposal::is_fresh) {
            self.check(proposal.block, Purpose::Fresh(proposal.slot), vec![self.leader()]);
        }
        let unchecked: Vec<(View, BlockHash)> =
            self.certificates.notarized_views().filter(|(_, block)| !self.is_stored(*block)).collect();
        for (view, block) in unchecked {
            let notarization = self.certificates.notarization(view).expect("this view is notarized");
            let holders = notarization.signer_indices().filter(|holder| Some(*holder) != self.own).collect();
            self.check(block, Purpose::Notarized, holders);
        }
    }

    fn check(&mut self, block: BlockHash, purpose: Purpose, holders: Vec<ValidatorIndex>) {
        if let std::collections::btree_map::Entry::Vacant(place) = self.checks.entry((block, purpose)) {
            place.insert(None);
            self.output(Output::Check { block, purpose, holders });
        }
    }

    pub(super) fn on_checked(&mut self, block: BlockHash, purpose: Purpose, verdict: Verdict) {
        // Only what was asked is believed; the first answer stands.
        let Some(answer @ None) = self.checks.get_mut(&(block, purpose)) else { return };
        *answer = Some(verdict);
        if verdict == Verdict::Invalid && purpose == Purpose::Notarized {
            let mut notarized = self.certificates.notarized_views();
            let at = notarized.find(|(_, notarized)| *notarized == block).map(|(view, _)| view);
            let slot: Slot = self.at(at.expect("only notarized blocks are checked so"));
            drop(notarized);
            self.phase = Phase::Diverged;
            self.output(Output::Diverged { slot, block });
        }
    }

    pub(super) fn verdict(&self, block: BlockHash, purpose: Purpose) -> Option<Verdict> {
        self.checks.get(&(block, purpose)).copied().flatten()
    }

    /// Whether the block is valid for ever, and stored. What was valid when fresh is valid for ever.
    pub(super) fn is_stored(&self, block: BlockHash) -> bool {
        let lowest = (block, Purpose::Fresh(Slot { height: self.height, view: View::NONE }));
        let highest = (block, Purpose::Notarized);
        self.checks.range(lowest..=highest).any(|(_, verdict)| *verdict == Some(Verdict::Valid))
    }

    /// R4: every notarized block that is stored gets our `Finalize`, in whatever view, unless we nullified it.
    pub(super) fn finalize(&mut self) {
        if self.own.is_none() {
            return;
        }
        let ready: Vec<(View, BlockHash)> = self
            .certificates
            .notarized_views()
            .filter(|(view, block)| {
                let excluded = |vote: &Vote| match vote {
                    Vote::Nullify(_) => planted!(FinalizeAfterNullify => false, true),
                    Vote::Finalize(..) => true,
                    Vote::Notarize(..) => false,
                };
                self.is_stored(*block) && !self.voted(*view, excluded)
            })
            .collect();
        for (view, block) in ready {
            let notarization = self.certificates.notarization(view).expect("this view is notarized").clone();
            let vote = Vote::Finalize(self.at(view), block);
            let grounds = vec![Record::Certificate(notarization)];
            self.speak(Utterance::Vote(vote), planted!(FinalizeWithoutGrounds => Vec::new(), grounds));
        }
    }
}
