//! What the network can deliver in a state: all that can be made of what was signed.

use tanba_consensus::Utterance;
use tanba_ledger::{ValidatorIndex, Vote};

use super::{Action, Local, Machine, NOTHING, State, UNKNOWN, Violation};

impl Machine<'_> {
    /// Checks the state and notes what the network can deliver in it.
    pub(super) fn offer(&mut self, state: State) -> Result<(), Violation> {
        let hosts = self.hosts.len();
        let (mut said, mut certified) = (0, 0);
        self.spread = self.invented;
        let mut signed = [0_u128; 16];
        for (host, signed) in signed.iter_mut().enumerate().take(hosts) {
            let local = &self.locals[self.local(state, host) as usize];
            *signed = local.signed;
            said |= local.signed;
            self.spread |= local.holds;
            certified |= local.decided;
        }
        self.offered.clear();
        self.offered.extend(&self.always);
        let mut rest = said;
        while rest != 0 {
            let word = rest.trailing_zeros() as usize;
            rest &= rest - 1;
            let signers = (0..hosts).fold(0, |mask, host| mask | (signed[host] >> word & 1) << host) as usize;
            self.offered.extend(&self.words[word].inspired);
            if self.can_certify(word, signers) {
                certified |= 1 << word;
            }
            self.offer_word(word, signers);
        }
        let mut rest = certified;
        while rest != 0 {
            let word = rest.trailing_zeros() as usize;
            rest &= rest - 1;
            let excluded = self.words[word].excluded & certified;
            if excluded != 0 {
                return Err(self.conflict(word, excluded.trailing_zeros() as usize));
            }
        }
        Ok(())
    }

    /// Whether these honest signers and all liars are a quorum, by our own arithmetic.
    fn can_certify(&self, word: usize, signers: usize) -> bool {
        let Utterance::Vote(vote) = self.words[word].utterance else { return false };
        let height = vote.slot().height;
        let liars = self.stage.liars.iter().filter(|liar| self.stage.index(**liar, height).is_some()).count();
        signers.count_ones() as usize + liars >= self.stage.quorum(height)
    }

    fn conflict(&self, a: usize, b: usize) -> Violation {
        match (self.words[a].utterance, self.words[b].utterance) {
            (Utterance::Vote(Vote::Finalize(slot, a)), Utterance::Vote(Vote::Finalize(_, b))) => {
                Violation::Disagreement(slot.height, a, b)
            }
            (Utterance::Vote(a), Utterance::Vote(b)) => Violation::Conflict(a, b),
            _ => unreachable!("only votes are certified"),
        }
    }

    fn offer_word(&mut self, word: usize, signers: usize) {
        let utterance = self.words[word].utterance;
        let vote = match utterance {
            Utterance::Proposal(proposal) => {
                let action = self.action(Action::Proposal(self.stage.proposal(proposal)));
                return self.offered.push(action);
            }
            Utterance::Vote(vote) => vote,
        };
        if self.scope.votes {
            for host in (0..self.hosts.len()).filter(|host| signers >> host & 1 == 1) {
                let action = self.action(Action::Vote(self.stage.vote(vote, self.hosts[host])));
                self.offered.push(action);
            }
            return;
        }
        if self.words[word].certificates[signers] == UNKNOWN {
            let height = vote.slot().height;
            let honest = (0..self.hosts.len()).filter(|host| signers >> host & 1 == 1);
            let all = honest.map(|host| self.hosts[host]).chain(self.stage.liars.iter().copied());
            let mut places: Vec<ValidatorIndex> =
                all.filter_map(|member| self.stage.index(member, height)).collect();
            places.sort();
            let held = self.stage.certificate(vote, &places);
            let action = held.map_or(NOTHING, |held| self.action(Action::Certificate(held)));
            self.words[word].certificates[signers] = action;
        }
        let action = self.words[word].certificates[signers];
        if action != NOTHING {
            self.offered.push(action);
        }
    }

    /// Whether what arrives is looked at by a host in this state; else it may as well arrive later.
    pub(super) fn reaches(&self, local: &Local, action: u32) -> bool {
        let Some(slot) = self.action_slots[action as usize] else { return true };
        if slot.height != local.slot.height || slot.view.0 > self.scope.views {
            return false;
        }
        match &self.actions[action as usize] {
            // A proposal is read only in its view, and only the first; unless equivocation is to be seen.
            Action::Proposal(_) => self.scope.votes || (slot == local.slot && !local.heard),
            _ => true,
        }
    }
}
