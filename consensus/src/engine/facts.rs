//! What peers say becomes facts: votes, proposals, certificates. Each certificate is broadcast once, whether
//! counted here or received (R4, R6, R7).

use tanba_ledger::{Certificate, SignedVote};

use super::instance::{Instance, Phase};
use crate::{message::SignedProposal, output::Output, tally::Counted};

impl Instance {
    pub(super) fn on_vote(&mut self, signed: SignedVote) {
        // Past the decision a vote is only evidence or a sign of life.
        if self.phase == Phase::Diverged || !self.count(signed) || self.phase == Phase::Decided {
            return;
        }
        if let Some(certificate) = self.tally.certificate(&signed.vote) {
            self.on_certificate(certificate);
        }
        self.settle();
    }

    /// Counts a vote, its own or one inside a certificate; says whether anything is new.
    fn count(&mut self, signed: SignedVote) -> bool {
        match self.tally.add_vote(signed, self.view) {
            Counted::OutOfWindow | Counted::Repeated => return false,
            Counted::New => {
                let member = self.validators.get(signed.voter).expect("a checked vote names a member");
                self.silence.heard(member.key);
            }
            Counted::Contradictory(evidence) => {
                self.outputs.extend(evidence.map(Output::Equivocation));
            }
        }
        true
    }

    pub(super) fn on_proposal(&mut self, signed: SignedProposal) {
        if self.phase == Phase::Diverged {
            return;
        }
        match self.tally.add_proposal(signed, self.view) {
            Counted::OutOfWindow | Counted::Repeated => return,
            Counted::New => {
                let slot = signed.proposal.slot;
                let leader = self.validators.leader(slot.height, slot.view);
                let leader = self.validators.get(leader).expect("the leader is a member");
                self.silence.heard(leader.key);
            }
            Counted::Contradictory(evidence) => {
                self.outputs.extend(evidence.map(Output::Equivocation));
            }
        }
        self.settle();
    }

    /// A certificate counted here or broadcast by a peer: whoever lacks it shall have it.
    pub(super) fn on_certificate(&mut self, certificate: Certificate) {
        if self.phase == Phase::Open && self.keep_certificate(certificate.clone()) {
            self.output(Output::Broadcast(certificate));
        }
    }

    /// Keeps a certificate of this height; says whether it was missing. The votes in it are counted too: they
    /// may convict a member that said something else to us.
    pub(super) fn keep_certificate(&mut self, certificate: Certificate) -> bool {
        if certificate.slot().height != self.height || self.phase != Phase::Open {
            return false;
        }
        let votes: Vec<SignedVote> = certificate.votes().collect();
        let missing = self.certificates.insert(certificate);
        if missing {
            for signed in votes {
                self.count(signed);
            }
        }
        missing
    }
}
