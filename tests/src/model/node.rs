//! One host of the real engine, guard and start-up protocol: what it was asked for and has not answered yet, its
//! journal, its chain.
//!
//! Whatever leaves no choice is done at once: a promise is admitted, written, signed and handed back within the
//! step that asked for it. What may happen late, twice or never waits here until the scheduler picks it.

use std::collections::BTreeSet;

use tanba_consensus::{
    Admission, Audience, Engine, Guard, Input, Output, Purpose, Record, Recovery, StartHeight, Timeout,
    Utterance, input::Verdict,
};
use tanba_ledger::{BlockHash, Certificate, CertificateKind, Height, Slot, View};

use super::{
    founded,
    message::{Message, Parcel},
    names,
    stage::{CHAIN, Stage},
    violation::Violation,
};

mod alike;
mod bodies;
mod lives;

/// A power cut at the n-th promise of a step, before or after it reached the disk; never after it was sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cut {
    /// Which promise of the step, from 0.
    pub promise: u8,
    /// Whether it is on disk.
    pub written: bool,
}

/// A host.
#[derive(Clone)]
pub struct Node {
    /// Its member.
    pub member: usize,
    /// 0, or 1 for the second instance of a twin.
    pub instance: u8,
    /// The production engine.
    pub engine: Engine,
    /// The production guard.
    pub guard: Guard,
    journal: Vec<Record>,
    /// Finalizations, from the first height of the stage on.
    pub decided: Vec<Certificate>,
    /// Timeouts asked for.
    pub timers: BTreeSet<Timeout>,
    /// Blocks to check.
    pub checks: BTreeSet<(BlockHash, Purpose)>,
    /// A block to build.
    pub build: Option<Slot>,
    /// Bodies of the present height, beside the journal.
    pub bodies: BTreeSet<BlockHash>,
    /// A decision to commit.
    pub deciding: Option<Certificate>,
    /// Whether its clients have something to submit.
    pub has_work: bool,
    /// Whether by its clock the time has come for a block without transactions.
    pub heartbeat: bool,
    /// All it ever signed, whatever its journal still knows.
    pub signed: BTreeSet<Utterance>,
    /// The start-up protocol, while it lasts.
    pub recovery: Option<Recovery>,
    /// Restarts so far.
    pub lives: u8,
    /// Lost journals so far.
    pub losses: u8,
    /// How often its work came or went.
    pub toggles: u8,
    /// How often a question was repeated.
    pub retries: u8,
    /// Slots whose proposal arrived.
    pub heard: BTreeSet<Slot>,
    promises: u8,
    cut: Option<Cut>,
}

type Outcome = Result<(), Violation>;

impl Node {
    /// A host that was founded below the first height of the stage and starts deciding it.
    pub fn new(stage: &Stage, member: usize, instance: u8, has_work: bool) -> Result<Node, Violation> {
        let (mut guard, owner) = Guard::create(CHAIN, stage.public(member));
        let below = stage.first.previous().unwrap_or(Height::GENESIS);
        let covers = Record::Covers(below);
        guard.remember(std::slice::from_ref(&covers));
        guard.commit(below);
        let mut node = Node {
            member,
            instance,
            engine: Engine::new(stage.config),
            guard,
            journal: vec![owner, covers],
            decided: Vec::new(),
            timers: BTreeSet::new(),
            checks: BTreeSet::new(),
            build: None,
            bodies: BTreeSet::new(),
            deciding: None,
            has_work,
            heartbeat: false,
            signed: BTreeSet::new(),
            recovery: None,
            lives: 0,
            losses: 0,
            toggles: 0,
            retries: 0,
            heard: BTreeSet::new(),
            promises: 0,
            cut: None,
        };
        node.start_height(stage);
        node.drain(stage, &mut Vec::new())?;
        Ok(node)
    }

    /// The height it decides.
    pub fn height(&self, stage: &Stage) -> Height {
        Height(stage.first.0 + self.decided.len() as u64)
    }

    /// Where it is.
    pub fn slot(&self, stage: &Stage) -> Slot {
        Slot { height: self.height(stage), view: self.engine.view() }
    }

    /// Whether it decided all heights of the stage.
    pub fn is_done(&self, stage: &Stage) -> bool {
        self.height(stage) > stage.last
    }

    /// Whether it has work that it may bring about itself.
    pub fn pushes(&self, stage: &Stage) -> bool {
        let height = self.height(stage);
        self.is_work_due(stage)
            && self.recovery.is_none()
            && self.guard.may_speak_at(height)
            && stage.index(self.member, height).is_some()
    }

    /// Whether the engine is told of work: of clients, or because a heartbeat is due.
    fn is_work_due(&self, stage: &Stage) -> bool {
        (self.has_work || self.heartbeat) && self.height(stage) <= stage.last
    }

    /// Arms a power cut within the next step; says afterwards how many promises the step made.
    pub fn arm(&mut self, cut: Option<Cut>) {
        (self.promises, self.cut) = (0, cut);
    }

    /// Promises made since [`Node::arm`].
    pub fn promises(&self) -> u8 {
        self.promises
    }

    /// Feeds one input and does all it leads to without a choice. What is to be sent goes to `sent`.
    pub fn input(&mut self, stage: &Stage, input: Input, sent: &mut Vec<Parcel>) -> Outcome {
        match &input {
            Input::Proposal(signed) => {
                self.heard.insert(signed.proposal.slot);
            }
            Input::TimeoutElapsed(timeout) => {
                self.timers.remove(timeout);
            }
            Input::BlockChecked { block, purpose, .. } => {
                self.checks.remove(&(*block, *purpose));
            }
            _ => {}
        }
        self.engine.handle(input);
        self.drain(stage, sent)?;
        self.prune();
        Ok(())
    }

    fn drain(&mut self, stage: &Stage, sent: &mut Vec<Parcel>) -> Outcome {
        while let Some(output) = self.engine.next_output() {
            self.perform(stage, output, sent)?;
        }
        Ok(())
    }

    /// Drops what the engine would ignore, so that equal states look equal.
    fn prune(&mut self) {
        let present = Slot { height: self.engine.height().unwrap_or_default(), view: self.engine.view() };
        self.timers.retain(|timeout| match timeout {
            Timeout::View(slot) | Timeout::Retry(slot) | Timeout::Reproposal(slot) => *slot == present,
            Timeout::BlockInterval(height) | Timeout::Answers(height) => *height == present.height,
        });
        self.build = self.build.filter(|slot| *slot == present);
        self.heard.retain(|slot| slot.height == present.height);
    }

    fn perform(&mut self, stage: &Stage, output: Output, sent: &mut Vec<Parcel>) -> Outcome {
        let height = self.height(stage);
        let member_at =
            |height: Height, index: tanba_ledger::ValidatorIndex| stage.members(height)[index.at()];
        match output {
            Output::Entered(_) => {}
            Output::Build(slot) => {
                self.build = Some(slot);
                if !stage.slow_host {
                    self.built(stage);
                }
            }
            Output::Check { block, purpose, .. } if self.checks_at_once(stage, block) => {
                self.engine.handle(valid(block, purpose));
            }
            Output::Check { block, purpose, .. } => {
                self.checks.insert((block, purpose));
            }
            Output::Speak { utterance, grounds } => self.speak(stage, &utterance, &grounds, sent)?,
            Output::Broadcast(certificate) => {
                founded::certificate(stage, self.member, &certificate)?;
                sent.push((None, Message::Certificate(certificate)));
            }
            Output::Resend(standing) => sent.push((None, Message::Standing(standing))),
            Output::SendJustification { to, certificates } => {
                sent.push((Some(member_at(height, to)), Message::Justification(certificates)));
            }
            Output::PullJustification { from, wanted } => {
                sent.push((Some(member_at(height, from)), Message::Wanted(wanted)));
            }
            Output::SendFinalization { to, height } => {
                sent.extend(
                    self.finalization(stage, height)
                        .map(|held| (Some(member_at(height, to)), Message::Certificate(held))),
                );
            }
            // A heartbeat cannot be sent to anyone.
            Output::ForwardWork(_) if !self.has_work => {}
            Output::ForwardWork(Audience::Leader(leader)) => {
                sent.push((Some(member_at(height, leader)), Message::Work));
            }
            Output::ForwardWork(Audience::All) => sent.push((None, Message::Work)),
            Output::ScheduleTimeout { timeout, .. } => {
                self.timers.insert(timeout);
            }
            Output::Decide(certificate) => {
                founded::certificate(stage, self.member, &certificate)?;
                self.deciding = Some(certificate);
                if !stage.slow_host {
                    self.commit(stage)?;
                }
            }
            Output::Equivocation(evidence) => {
                let electorate = stage.electorate(evidence.height());
                let offender = member_at(evidence.height(), evidence.offender(electorate));
                if stage.is_honest(offender) {
                    return Err(Violation::FalseEvidence(self.member, offender));
                }
            }
            Output::Diverged { slot, .. } => return Err(Violation::Diverged(self.member, slot)),
        }
        Ok(())
    }

    /// Answers a pending [`Output::Build`].
    pub fn built(&mut self, stage: &Stage) {
        let Some(slot) = self.build.take() else { return };
        debug_assert_eq!(slot.height, self.height(stage));
        let block = names::built(self.member, self.instance, self.lives + self.losses, slot);
        self.keep_body(stage, block);
        self.engine.handle(Input::Built { slot, block });
    }

    /// Answers a pending build, as a step of its own.
    pub fn build_now(&mut self, stage: &Stage, sent: &mut Vec<Parcel>) -> Outcome {
        self.built(stage);
        self.drain(stage, sent)?;
        self.prune();
        Ok(())
    }

    /// The host's part of a promise: guard, one sync, send, hand back; with the armed power cut in between.
    fn speak(
        &mut self,
        stage: &Stage,
        utterance: &Utterance,
        grounds: &[Record],
        sent: &mut Vec<Parcel>,
    ) -> Outcome {
        let admission = self.guard.admit(utterance, grounds);
        let admission = admission.map_err(|refusal| Violation::Refused(self.member, *utterance, refusal))?;
        let at = utterance.slot();
        let own = stage.index(self.member, at.height).expect("only members of the set speak");
        let cut = self.cut.filter(|cut| cut.promise == self.promises);
        self.promises += 1;
        if let Admission::New(promise) = admission {
            if cut.is_some_and(|cut| !cut.written) {
                return self.crash(stage, sent);
            }
            let signature = match utterance {
                Utterance::Vote(vote) => stage.signed_vote(*vote, own).signature,
                Utterance::Proposal(proposal) => stage.proposal(*proposal).signature,
            };
            let records = promise.into_records(own, signature);
            for record in &records {
                if let Record::Certificate(certificate) = record {
                    founded::certificate(stage, self.member, certificate)?;
                }
            }
            self.guard.remember(&records);
            self.journal.extend(records);
            founded::utterance(self.member, utterance, &self.journal)?;
            if let Some(other) = self.signed.iter().find(|other| founded::contradict(other, utterance)) {
                return Err(Violation::DoubleSign(self.member, *other, *utterance));
            }
            self.signed.insert(*utterance);
            if cut.is_some() {
                return self.crash(stage, sent);
            }
        }
        match utterance {
            Utterance::Vote(vote) => {
                let signed = stage.signed_vote(*vote, own);
                sent.push((None, Message::Vote(*signed)));
                self.engine.handle(Input::Vote(signed));
            }
            Utterance::Proposal(proposal) => {
                let signed = stage.proposal(*proposal);
                let notarization = grounds.iter().find_map(|ground| match ground {
                    Record::Certificate(held) if held.kind() == CertificateKind::Notarization => {
                        Some(held.clone())
                    }
                    _ => None,
                });
                sent.push((None, Message::Proposal(*signed, notarization)));
                self.engine.handle(Input::Proposal(signed));
            }
        }
        Ok(())
    }

    /// Hands the pending decision to the store, if its body is here, and starts the next height.
    fn commit(&mut self, stage: &Stage) -> Outcome {
        if !self.can_commit(stage) {
            return Ok(());
        }
        let certificate = self.deciding.take().expect("there is a decision to commit");
        let height = self.height(stage);
        assert_eq!(certificate.slot().height, height, "blocks are committed in order");
        if let Some(cover) = self.guard.cover(height).filter(|_| self.has_journal()) {
            self.guard.remember(std::slice::from_ref(&cover));
            self.journal.push(cover);
        }
        self.guard.commit(height);
        if self.has_journal() {
            self.journal = self.guard.compacted();
        }
        self.decided.push(certificate);
        if let Some(recovery) = &mut self.recovery {
            recovery.advance(height, stage.set(height.next()).clone());
        }
        self.judge(stage)?;
        self.checks.clear();
        self.bodies.clear();
        self.heartbeat = false;
        self.timers.clear();
        self.start_height(stage);
        Ok(())
    }

    /// Commits a pending decision, as a step of its own.
    pub fn commit_now(&mut self, stage: &Stage, sent: &mut Vec<Parcel>) -> Outcome {
        self.commit(stage)?;
        self.drain(stage, sent)?;
        self.prune();
        Ok(())
    }

    /// The catch-up: a certified block of the present height.
    pub fn catch_up(&mut self, stage: &Stage, held: Certificate, sent: &mut Vec<Parcel>) -> Outcome {
        founded::certificate(stage, self.member, &held)?;
        self.bodies.extend(held.vote.block());
        self.deciding = Some(held);
        self.commit_now(stage, sent)
    }

    /// The finalization of a decided height.
    pub fn finalization(&self, stage: &Stage, height: Height) -> Option<Certificate> {
        let place = height.0.checked_sub(stage.first.0)?;
        self.decided.get(place as usize).cloned()
    }

    fn start_height(&mut self, stage: &Stage) {
        let height = self.height(stage);
        let speaks = self.guard.may_speak_at(height) && self.recovery.is_none();
        let own = stage.index(self.member, height).filter(|_| speaks);
        let recovered = self.guard.recovered(stage.electorate(height)).expect("our own journal verifies");
        self.heard = recovered.proposals.iter().map(|signed| signed.proposal.slot).collect();
        let validators = stage.set(height).clone();
        self.engine.handle(Input::StartHeight(StartHeight { height, validators, own, recovered }));
        self.engine.handle(Input::Work(self.is_work_due(stage)));
    }

    /// Work comes or goes.
    pub fn work(&mut self, stage: &Stage, has_work: bool, sent: &mut Vec<Parcel>) -> Outcome {
        self.has_work = has_work;
        if !has_work {
            self.build = None;
        }
        let due = self.is_work_due(stage);
        self.input(stage, Input::Work(due), sent)
    }

    /// By its clock a heartbeat falls due; it stays so until the next block.
    pub fn beat(&mut self, stage: &Stage, sent: &mut Vec<Parcel>) -> Outcome {
        self.heartbeat = true;
        let due = self.is_work_due(stage);
        self.input(stage, Input::Work(due), sent)
    }

    /// Whether the present view is one the model still looks at.
    pub fn is_within(&self, views: View) -> bool {
        self.engine.view() <= views
    }
}

/// A check that succeeds.
pub const fn valid(block: BlockHash, purpose: Purpose) -> Input {
    Input::BlockChecked { block, purpose, verdict: Verdict::Valid }
}
