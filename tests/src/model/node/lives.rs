//! Restarts: with the journal, without it, and the start-up protocol in between.

use tanba_consensus::{
    Engine, Guard, Input, Recovery,
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
        let head = self.height(stage).previous().unwrap_or(Height::GENESIS);
        let key = stage.public(self.member);
        if stage.forgetful == Some(self.member) {
            let (guard, owner) = Guard::create(CHAIN, key);
            (self.guard, self.journal) = (guard, vec![owner]);
            self.guard.commit(head);
        } else if self.recovery.is_none() {
            let mut guard = Guard::replay(&self.journal, CHAIN, key).expect("our own journal");
            guard.commit(head);
            if digest_of(&guard) != digest_of(&self.guard) {
                return Err(Violation::Forgotten(self.member));
            }
            let whole = Recovery::begin(key, stage.set(head.next()).clone(), head, Ok(&guard));
            if let Some(loss) = whole.loss() {
                return Err(Violation::Recovery(self.member, format!("a whole journal: {loss}")));
            }
            self.guard = guard;
        }
        self.begin_life(stage, sent)
    }

    /// The journal is gone; with `backup`, the store is back at the height the stage began with.
    pub fn lose_journal(&mut self, stage: &Stage, backup: bool, sent: &mut Vec<Parcel>) -> Outcome {
        self.losses += 1;
        self.bodies.clear();
        if backup {
            self.decided.clear();
        }
        let head = self.height(stage).previous().unwrap_or(Height::GENESIS);
        let key = stage.public(self.member);
        let (mut guard, owner) = Guard::create(CHAIN, key);
        guard.commit(head);
        (self.guard, self.journal) = (guard, vec![owner]);
        self.recovery = Some(Recovery::begin(key, stage.set(head.next()).clone(), head, Err(Loss::Missing)));
        self.begin_life(stage, sent)
    }

    fn begin_life(&mut self, stage: &Stage, sent: &mut Vec<Parcel>) -> Outcome {
        self.engine = Engine::new(stage.config);
        (self.build, self.deciding) = (None, None);
        self.timers.clear();
        self.checks.clear();
        self.start_height(stage);
        self.drain(stage, sent)?;
        self.prune();
        sent.push((None, Message::Head(self.slot(stage))));
        Ok(())
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
        recovery.on_answer(stage.public(peer), answer, None);
        match recovery.verdict() {
            Standpoint::Wait { .. } => return Ok(()),
            Standpoint::Vote => return Err(Violation::Recovery(self.member, "leave to vote".into())),
            Standpoint::Retire => self.retired = true,
            Standpoint::AbstainThrough(_) => {
                self.journal = recovery.new_journal(CHAIN);
                let key = stage.public(self.member);
                self.guard = Guard::replay(&self.journal, CHAIN, key).expect("our own journal");
                self.guard.commit(self.height(stage).previous().unwrap_or(Height::GENESIS));
            }
        }
        self.recovery = None;
        let height = self.height(stage);
        match stage.index(self.member, height) {
            Some(own) if self.guard.may_speak_at(height) && !self.retired => {
                self.input(stage, Input::StartVoting(own), sent)
            }
            _ => Ok(()),
        }
    }
}

fn digest_of(guard: &Guard) -> u128 {
    let mut state = Fingerprint::default();
    guard.digest(&mut state);
    state.value()
}
