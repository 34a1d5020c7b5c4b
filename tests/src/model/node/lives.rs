//! Restarts: with the journal, without it, and the start-up protocol in between.

use tanba_consensus::{
    Engine, Guard, Input, Record, Recovery,
    recovery::{CheckedAnswer, Loss, Verdict as Standpoint},
};
use tanba_ledger::Height;

use super::{
    super::{
        fingerprint::Fingerprint,
        message::{Message, Parcel},
        stage::{CHAIN, Stage},
        violation::Violation,
    },
    Node, Outcome,
};

impl Node {
    /// The power fails; only the journal and the store survive, and the node starts again from them.
    pub fn crash(&mut self, stage: &Stage, sent: &mut Vec<Parcel>) -> Outcome {
        (self.lives, self.cut) = (self.lives + 1, None);
        let head = self.head(stage);
        let key = stage.public(self.member);
        if stage.forgetful == Some(self.member) {
            self.journal = vec![Record::Owner(CHAIN, key), Record::Covers(head)];
        }
        if !self.journal.is_empty() {
            let mut guard = Guard::replay(&self.journal, CHAIN, key).expect("our own journal");
            guard.commit(head);
            if stage.forgetful != Some(self.member) && digest_of(&guard) != digest_of(&self.guard) {
                return Err(Violation::Forgotten(self.member));
            }
            self.guard = guard;
        }
        self.begin_life(stage, sent)
    }

    /// The journal is gone; with `backup`, the store is back at the height the stage began with.
    pub fn lose_journal(&mut self, stage: &Stage, backup: bool, sent: &mut Vec<Parcel>) -> Outcome {
        self.losses += 1;
        self.bodies.clear();
        self.journal.clear();
        if backup {
            self.decided.clear();
        }
        self.guard = Guard::create(CHAIN, stage.public(self.member)).0;
        self.guard.commit(self.head(stage));
        self.begin_life(stage, sent)
    }

    /// The highest block in the store.
    fn head(&self, stage: &Stage) -> Height {
        self.height(stage).previous().unwrap_or(Height::GENESIS)
    }

    /// Whether the journal takes records: a lost one does not, before a new one takes its place.
    pub(super) fn has_journal(&self) -> bool {
        self.recovery.as_ref().is_none_or(|recovery| recovery.loss().is_none())
    }

    fn begin_life(&mut self, stage: &Stage, sent: &mut Vec<Parcel>) -> Outcome {
        let found = if self.journal.is_empty() { Err(Loss::Missing) } else { Ok(&self.guard) };
        let (key, head) = (stage.public(self.member), self.head(stage));
        self.recovery = Some(Recovery::begin(key, stage.set(head.next()).clone(), head, found));
        self.engine = Engine::new(stage.config);
        (self.build, self.deciding) = (None, None);
        self.timers.clear();
        self.checks.clear();
        self.start_height(stage);
        self.drain(stage, sent)?;
        self.prune();
        sent.push((None, Message::Head(self.slot(stage))));
        self.judge(stage)
    }

    /// An answer to the start-up protocol's question.
    pub fn answered(
        &mut self,
        stage: &Stage,
        peer: usize,
        answer: &CheckedAnswer,
        sent: &mut Vec<Parcel>,
    ) -> Outcome {
        let Some(recovery) = &mut self.recovery else { return Ok(()) };
        let guard = recovery.loss().is_none().then_some(&self.guard);
        recovery.on_answer(stage.public(peer), answer, guard);
        self.judge(stage)?;
        let height = self.height(stage);
        let speaks = self.recovery.is_none() && self.guard.may_speak_at(height);
        match stage.index(self.member, height).filter(|_| speaks) {
            Some(own) => self.input(stage, Input::StartVoting(own), sent),
            None => Ok(()),
        }
    }

    /// Ends the start-up protocol if it has come to a verdict, which must be the right one.
    pub(super) fn judge(&mut self, stage: &Stage) -> Outcome {
        let Some(recovery) = &self.recovery else { return Ok(()) };
        let (missing, forgetful) = (self.journal.is_empty(), stage.forgetful == Some(self.member));
        if let Some(loss) = recovery.loss().filter(|_| !missing && !forgetful) {
            return Err(Violation::Recovery(self.member, format!("a whole journal: {loss}")));
        }
        match recovery.verdict() {
            Standpoint::Wait { .. } => return Ok(()),
            Standpoint::Vote if missing => {
                return Err(Violation::Recovery(self.member, "leave to vote".into()));
            }
            Standpoint::Vote => {}
            Standpoint::Retire => {
                return Err(Violation::Recovery(self.member, "retirement, though there is a store".into()));
            }
            Standpoint::AbstainThrough(_) => {
                self.journal = recovery.new_journal(CHAIN);
                let key = stage.public(self.member);
                self.guard = Guard::replay(&self.journal, CHAIN, key).expect("our own journal");
                self.guard.commit(self.head(stage));
            }
        }
        self.recovery = None;
        Ok(())
    }
}

fn digest_of(guard: &Guard) -> u128 {
    let mut state = Fingerprint::default();
    guard.digest(&mut state);
    state.value()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{net::Net, scope::named};

    /// What member 1, which leads, finds out of its peer 2 after a restart.
    fn loss_after_restart(forgetful: Option<usize>) -> Option<Loss> {
        let mut stage = named("n4-crash").expect("a scope").stage(40);
        stage.forgetful = forgetful;
        let nodes = [1, 2].map(|member| Node::new(&stage, member, 0, false).expect("a host starts"));
        let mut net = Net::new(&stage, nodes.to_vec());
        // Work comes when somebody can hear of it.
        net.nodes[0].has_work = true;
        net.connect().expect("hosts connect");
        net.settle().expect("they come to rest");
        net.nodes[0].crash(&stage, &mut Vec::new()).expect("a host restarts");
        net.answer_starters().expect("its peer answers");
        net.nodes[0].recovery.as_ref().expect("one answer is too few").loss().cloned()
    }

    #[test]
    fn a_forgotten_word_that_a_peer_shows_counts_as_loss() {
        assert_eq!(loss_after_restart(Some(1)), Some(Loss::Shown(Height(40))));
        assert_eq!(loss_after_restart(None), None);
    }
}
