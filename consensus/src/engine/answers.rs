//! R8: a peer that lags is answered, also while we rest; each at most once per retry interval.

use tanba_ledger::{Certificate, Height, Slot, ValidatorIndex};

use super::instance::{Instance, Phase};
use crate::{input::Timeout, limits::PAGE_CERTIFICATES_MAX, message::Wanted, output::Output};

impl Instance {
    /// A peer behind us in height gets the finalization, one in a lower view gets what lifts it to ours.
    pub(super) fn answer(&mut self, peer: ValidatorIndex, slot: Slot) {
        if Some(peer) == self.own && slot.height == self.height {
            return;
        }
        let answer = if slot.height == Height::GENESIS {
            None
        } else if slot.height < self.height {
            Some(Output::SendFinalization { to: peer, height: slot.height })
        } else if slot.height == self.height {
            let certificates = self.lift(slot);
            (!certificates.is_empty()).then_some(Output::SendJustification { to: peer, certificates })
        } else {
            None
        };
        let Some(answer) = answer else { return };
        let first = self.answered.is_empty();
        if self.answered.insert(peer) {
            self.output(answer);
            if first {
                let timeout = Timeout::Answers(self.height);
                self.output(Output::ScheduleTimeout { timeout, delay_ms: self.delays.retry_ms });
            }
        }
    }

    /// What a peer in `slot` lacks: the finalization, or the lowest page from its view on. Whoever needs more
    /// shows its new view and is answered again.
    fn lift(&self, slot: Slot) -> Vec<Certificate> {
        if self.phase == Phase::Decided {
            return self.certificates.finalization().into_iter().cloned().collect();
        }
        if slot.view >= self.view {
            return Vec::new();
        }
        let mut page = self.justification();
        page.retain(|certificate| certificate.slot().view >= slot.view);
        page.truncate(PAGE_CERTIFICATES_MAX);
        page
    }

    pub(super) fn answer_wanted(&mut self, by: ValidatorIndex, wanted: Wanted) {
        if wanted.first.height != self.height {
            return;
        }
        let certificates = match self.phase {
            Phase::Decided => self.certificates.finalization().into_iter().cloned().collect(),
            Phase::Open | Phase::Diverged => self.certificates.page(&wanted),
        };
        if !certificates.is_empty() {
            self.output(Output::SendJustification { to: by, certificates });
        }
    }
}
