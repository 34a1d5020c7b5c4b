//! R4, R6: how views follow each other; and how a node asks for the certificates it lacks to follow.

use tanba_ledger::{Slot, ValidatorIndex, View};

use super::{instance::Instance, timers::Turn};
use crate::{limits::PAGE_CERTIFICATES_MAX, message::Wanted, output::Output};

/// A question under way: what is asked for, and how many peers were asked in vain.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Pull {
    pub(super) wanted: Wanted,
    attempts: usize,
}

impl Instance {
    /// Enters the highest view that the certificates justify, then builds on the highest view they let it
    /// build on. A notarization is followed even if we nullified its view: only our `Finalize` is withheld.
    pub(super) fn enter(&mut self) {
        let from = self.view;
        loop {
            let notarized = self.certificates.notarized_views().next_back().map(|(view, _)| view);
            match notarized {
                Some(view) if view >= self.view => {
                    self.parent = view;
                    self.view = view.next();
                }
                _ if self.certificates.is_nullified(self.view) => self.view = self.view.next(),
                _ => break,
            }
        }
        if self.view > from {
            self.turn = Turn::default();
            self.tally.forget_below(self.view);
            self.output(Output::Entered(self.slot()));
        }
        self.adopt_parent();
    }

    /// R4, third sentence: a notarization of an earlier view becomes the one to build on if every view since
    /// is nullified. A leader that has proposed here keeps what it said.
    fn adopt_parent(&mut self) {
        if self.proposed() {
            return;
        }
        let parent = self.parent;
        let better = self.certificates.notarized_views().rev().map(|(view, _)| view);
        let better = better
            .take_while(|view| *view > parent)
            .find(|candidate| self.certificates.gap(*candidate, self.view).is_none());
        if let Some(better) = better {
            self.parent = better;
        }
    }

    /// R6, R2: asks for what is missing to enter a view that others have left, or to see the present leader's
    /// proposal justified. Asks once for each page; the retry asks another peer.
    pub(super) fn pull_missing(&mut self) {
        let Some(wanted) = self.wanted() else {
            self.pull = None;
            return;
        };
        if self.pull.is_none_or(|pull| pull.wanted != wanted) {
            self.send_pull(Pull { wanted, attempts: 0 });
        }
    }

    /// Asks the next peer for what the last one did not give.
    pub(super) fn pull_again(&mut self) {
        if let Some(pull) = self.pull {
            self.send_pull(Pull { attempts: pull.attempts + 1, ..pull });
        }
    }

    fn send_pull(&mut self, pull: Pull) {
        self.pull = Some(pull);
        let holders = self.holders(pull.wanted.last.next());
        if !holders.is_empty() {
            let from = holders[pull.attempts % holders.len()];
            self.output(Output::PullJustification { from, wanted: pull.wanted });
        }
    }

    fn wanted(&self) -> Option<Wanted> {
        let ahead = self.certificates.nullified_last().map(|certificate| certificate.slot().view);
        let (first, end) = match ahead {
            // Present and next view stay apart: had we this view's nullification, we would have left it.
            Some(ahead) if ahead > self.view => {
                let below = View(self.view.0 - 1);
                (self.certificates.gap(below, ahead)?, ahead)
            }
            _ => {
                let proposal = self.tally.proposal(self.view)?.proposal;
                (self.certificates.gap(proposal.parent_view, self.view)?, self.view)
            }
        };
        let page = first.0.saturating_add(PAGE_CERTIFICATES_MAX as u32 - 1);
        Some(Wanted { first: self.at(first), last: View(page.min(end.0 - 1)) })
    }

    /// Who must hold the justification of `view`: those who spoke in it, its leader first; else everyone.
    fn holders(&self, view: View) -> Vec<ValidatorIndex> {
        let slot: Slot = self.at(view);
        let leader = self.validators.leader(slot.height, slot.view);
        let ahead = self.certificates.nullified_last().filter(|ahead| ahead.slot().view > self.view);
        let mut holders: Vec<ValidatorIndex> = match ahead {
            Some(ahead) => ahead.signer_indices().collect(),
            None => self.validators.indices().collect(),
        };
        if let Some(place) = holders.iter().position(|holder| *holder == leader) {
            holders.rotate_left(place);
        }
        holders.retain(|holder| Some(*holder) != self.own);
        holders
    }
}
