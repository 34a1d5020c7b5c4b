//! R0, R1, R5: when timers run, and what is repeated while a view lasts.

use tanba_crypto::planted;
use tanba_ledger::{SignedVote, View, Vote};

use super::instance::{Instance, Phase};
use crate::{
    certificates::highest_page,
    input::Timeout,
    message::Standing,
    output::{Audience, Output},
};

/// A wait of the present view.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(super) enum Wait {
    /// Not asked for.
    #[default]
    Off,
    /// Asked for.
    Running,
    /// Over.
    Passed,
}

/// What belongs to one view and is forgotten with it.
#[derive(Clone, Copy, Hash, Debug, Default)]
pub(super) struct Turn {
    pub(super) timer: Wait,
    pub(super) reproposal: Wait,
    pub(super) building: bool,
    retry: bool,
    forwarded: bool,
}

impl Instance {
    /// R0: whether there is a reason to act in this view. A notarized block must be brought to an end; else
    /// work here, a proposal that counts, or the votes of f + 1 members: one peer's word wakes nobody.
    pub(super) fn is_active(&self) -> bool {
        self.own.is_some()
            && self.phase == Phase::Open
            && (self.parent > View::NONE
                || self.work
                || self.justified_proposal().is_some()
                || self.tally.voters(self.view) > self.validators.faulty_max())
    }

    /// Starts what an active view needs, once.
    pub(super) fn wake(&mut self) {
        let active = self.is_active();
        if active && self.turn.timer == Wait::Off {
            self.turn.timer = Wait::Running;
            let (timeout, delay_ms) = (Timeout::View(self.slot()), self.view_timeout_ms());
            self.output(Output::ScheduleTimeout { timeout, delay_ms });
        }
        if (active || self.pull.is_some()) && !self.turn.retry {
            self.turn.retry = true;
            let (timeout, delay_ms) = (Timeout::Retry(self.slot()), self.delays.retry_ms);
            self.output(Output::ScheduleTimeout { timeout, delay_ms });
        }
        if self.forwards() && !self.turn.forwarded {
            self.turn.forwarded = true;
            self.output(Output::ForwardWork(Audience::Leader(self.leader())));
        }
    }

    /// Whether our transactions can only get on through another leader's fresh block.
    fn forwards(&self) -> bool {
        self.own.is_some() && self.work && self.parent == View::NONE && !self.leads()
    }

    fn view_timeout_ms(&self) -> u64 {
        let delays = &self.delays;
        let steps = u64::from(self.view.0 - 1).saturating_mul(delays.view_timeout_step_ms);
        let base = planted!(
            EndlessTimeouts => delays.view_timeout_base_ms << self.view.0.min(40),
            delays.view_timeout_base_ms.saturating_add(steps).min(delays.view_timeout_cap_ms)
        );
        // The leader may be waiting, and is not to be blamed for it.
        let wait = match (self.parent > View::NONE, self.interval_passed) {
            (true, _) => delays.reproposal_wait_ms,
            (false, true) => 0,
            (false, false) => delays.min_block_interval_ms,
        };
        base.saturating_add(wait)
    }

    pub(super) fn start_interval(&mut self) {
        let delay_ms = self.delays.min_block_interval_ms;
        self.interval_passed = delay_ms == 0;
        if !self.interval_passed {
            let timeout = Timeout::BlockInterval(self.height);
            self.output(Output::ScheduleTimeout { timeout, delay_ms });
        }
    }

    pub(super) fn on_work(&mut self, work: bool) {
        self.work = work;
        if !work {
            // A build that came to nothing may be asked for again.
            self.turn.building = false;
        }
    }

    pub(super) fn on_timeout(&mut self, timeout: Timeout) {
        match timeout {
            Timeout::View(slot) if slot == self.slot() && self.turn.timer == Wait::Running => {
                // The work may have gone meanwhile; should it return, it gets its full time.
                self.turn.timer = if self.is_active() { Wait::Passed } else { Wait::Off };
            }
            Timeout::Retry(slot) if slot == self.slot() && self.turn.retry => {
                self.turn.retry = false;
                self.repeat();
            }
            Timeout::Reproposal(slot) if slot == self.slot() && self.turn.reproposal == Wait::Running => {
                self.turn.reproposal = Wait::Passed;
            }
            Timeout::BlockInterval(height) if height == self.height => self.interval_passed = true,
            Timeout::Answers(height) if height == self.height => self.answered.clear(),
            Timeout::View(_)
            | Timeout::Retry(_)
            | Timeout::Reproposal(_)
            | Timeout::BlockInterval(_)
            | Timeout::Answers(_) => {}
        }
    }

    /// R5: says again whatever a peer might need to reach this view and vote in it.
    fn repeat(&mut self) {
        planted!(NoRepetition => return);
        if self.phase != Phase::Open {
            return;
        }
        self.pull_again();
        if !self.is_active() {
            return;
        }
        self.output(Output::Resend(self.standing()));
        if self.forwards() {
            self.output(Output::ForwardWork(Audience::All));
        }
    }

    /// A restarted node says again what it had said.
    pub(super) fn repeat_after_restart(&mut self) {
        let standing = self.standing();
        let own_proposal = self.leads() && standing.proposal.is_some();
        if self.own.is_some() && (own_proposal || !standing.votes.is_empty()) {
            self.output(Output::Resend(standing));
        }
    }

    fn standing(&self) -> Standing {
        let slot = self.slot();
        let proposal = self.justified_proposal();
        let mut justification = self.justification();
        let parent = proposal.map_or(View::NONE, |proposal| proposal.parent_view);
        if parent != self.parent {
            justification.extend(self.certificates.notarization(parent).cloned());
            justification.sort_by_key(|certificate| certificate.slot().view);
        }
        Standing {
            slot,
            proposal: proposal.and_then(|_| self.tally.proposal(self.view)).copied(),
            votes: self.own_votes(),
            justification: highest_page(justification, slot),
        }
    }

    /// Our votes of the present view, and our last `Finalize`, which may decide the height yet.
    fn own_votes(&self) -> Vec<SignedVote> {
        let Some(own) = self.own else { return Vec::new() };
        let finalized = self.certificates.notarized_views().rev().find_map(|(view, _)| {
            self.tally.votes_of(own, view).find(|signed| matches!(signed.vote, Vote::Finalize(..)))
        });
        self.tally
            .votes_of(own, self.view)
            .filter(|signed| !matches!(signed.vote, Vote::Finalize(..)))
            .chain(finalized)
            .collect()
    }
}
