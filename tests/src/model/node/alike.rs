//! When two hosts are alike: the explorer follows one of them.

use std::hash::Hash;

use tanba_consensus::Engine;

use super::{
    super::{fingerprint::Fingerprint, stage::Stage},
    Node, Outcome,
};

impl Node {
    /// Forgets who said what of the heights that are decided. Whoever is done judges nobody any more; otherwise
    /// hosts that decided alike, but heard different words, would be different.
    pub fn forget_words(&mut self, stage: &Stage) -> Outcome {
        self.engine = Engine::new(stage.config);
        self.timers.clear();
        self.start_height(stage);
        self.drain(stage, &mut Vec::new())
    }

    /// All that its future depends on. A node that is done only serves what it decided.
    pub fn fingerprint(&self, stage: &Stage) -> u128 {
        let mut state = Fingerprint::default();
        let decided: Vec<_> = self.decided.iter().map(|held| (held.vote, &held.signers)).collect();
        (self.member, self.instance, &self.signed, decided).hash(&mut state);
        if self.is_done(stage) {
            return state.value();
        }
        self.digest(&mut state);
        (&self.heard, self.lives, self.losses, self.toggles, self.retries).hash(&mut state);
        state.value()
    }

    /// All that its part in a healed network depends on: less than [`Node::fingerprint`], which also tells apart
    /// what was said, so long as the journal holds it, and what the scheduler has left to do.
    pub fn essence(&self, stage: &Stage) -> u128 {
        let mut state = Fingerprint::default();
        let decided: Vec<_> = self.decided.iter().map(|held| (held.vote, &held.signers)).collect();
        (self.member, self.instance, decided).hash(&mut state);
        if self.losses > 0 || stage.forgetful == Some(self.member) {
            self.signed.hash(&mut state);
        }
        if !self.is_done(stage) {
            self.digest(&mut state);
        }
        state.value()
    }

    fn digest(&self, state: &mut Fingerprint) {
        self.engine.digest(state);
        self.guard.digest(state);
        (&self.timers, &self.checks, &self.bodies, self.build).hash(state);
        (self.has_work, self.heartbeat).hash(state);
        self.deciding.as_ref().map(|held| (held.vote, &held.signers)).hash(state);
        self.recovery.is_some().hash(state);
        self.recovery.iter().for_each(|recovery| recovery.digest(state));
    }
}
