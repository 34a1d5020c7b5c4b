//! R1, R2: what a leader proposes, and which proposals count.

use tanba_crypto::planted;
use tanba_ledger::{BlockHash, Slot, View};

use super::{instance::Instance, timers::Wait};
use crate::{
    input::{Purpose, Timeout, Verdict},
    message::Proposal,
    output::Output,
    promise::{Record, Utterance},
};

impl Instance {
    /// R1: the leader proposes once: a fresh block if it builds on the head, the notarized one again if not.
    pub(super) fn propose(&mut self) {
        if !self.leads() || self.proposed() {
            return;
        }
        match self.certificates.notarized(self.parent) {
            None => self.build(),
            Some(block) => self.propose_again(block),
        }
    }

    fn build(&mut self) {
        if self.work && self.interval_passed && !self.turn.building {
            self.turn.building = true;
            self.output(Output::Build(self.slot()));
        }
    }

    pub(super) fn on_built(&mut self, slot: Slot, block: BlockHash) {
        let wanted = self.turn.building && slot == self.slot() && self.parent == View::NONE;
        if !wanted || self.proposed() || !self.leads() {
            return;
        }
        self.checks.insert((block, Purpose::Fresh(slot)), Some(Verdict::Valid));
        self.say_proposal(block);
    }

    /// The finalization usually is on its way; then there is nothing to propose again.
    fn propose_again(&mut self, block: BlockHash) {
        match self.turn.reproposal {
            Wait::Passed => self.say_proposal(block),
            Wait::Running => {}
            Wait::Off => {
                self.turn.reproposal = Wait::Running;
                let timeout = Timeout::Reproposal(self.slot());
                let delay_ms = self.delays.reproposal_wait_ms;
                self.output(Output::ScheduleTimeout { timeout, delay_ms });
            }
        }
    }

    fn say_proposal(&mut self, block: BlockHash) {
        let proposal = Proposal { slot: self.slot(), block, parent_view: self.parent };
        let grounds = self.justification().into_iter().map(Record::Certificate).collect();
        self.speak(Utterance::Proposal(proposal), grounds);
    }

    /// The present leader's proposal, if it counts (R2): it builds on what its parent view notarized, and every
    /// view between is nullified, whatever this node itself builds on.
    pub(super) fn justified_proposal(&self) -> Option<Proposal> {
        let proposal = self.tally.proposal(self.view)?.proposal;
        let builds =
            proposal.is_fresh() || self.certificates.notarized(proposal.parent_view) == Some(proposal.block);
        let gap = self.certificates.gap(proposal.parent_view, self.view);
        let nullified = planted!(MissingNullifications => true, gap.is_none());
        (builds && nullified).then_some(proposal)
    }
}
