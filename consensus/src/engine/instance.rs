//! The state of one height, and the order in which the rules look at it.
//!
//! An input changes facts; then every rule is asked once whether the facts now ask for something. Rules only
//! read facts and speak, so one pass is enough: whatever they ask for comes back as another input.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    hash::{Hash, Hasher},
};

use tanba_ledger::{BlockHash, Certificate, Height, Slot, ValidatorIndex, ValidatorSet, View, Vote};

use super::{Delays, timers::Turn, views::Pull};
use crate::{
    certificates::Certificates,
    input::{Input, Purpose, StartHeight, Verdict},
    output::Output,
    promise::{Record, Utterance},
    silence::Silence,
    tally::Tally,
};

/// How far a height has come.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Phase {
    /// Nothing is final.
    Open,
    /// The finalization is known and given to the host.
    Decided,
    /// The node is wrong about the world and says nothing more.
    Diverged,
}

/// One height.
#[derive(Clone, Debug)]
pub(super) struct Instance {
    pub(super) delays: Delays,
    pub(super) height: Height,
    pub(super) validators: ValidatorSet,
    pub(super) own: Option<ValidatorIndex>,
    pub(super) phase: Phase,
    /// The present view, and the notarized view that its justification builds on (vp).
    pub(super) view: View,
    pub(super) parent: View,
    pub(super) tally: Tally,
    pub(super) certificates: Certificates,
    /// What was asked of the host and has not come back signed yet. What has is in the tally.
    pub(super) spoken: BTreeSet<Utterance>,
    /// What was asked of the host about blocks, and its answers.
    pub(super) checks: BTreeMap<(BlockHash, Purpose), Option<Verdict>>,
    pub(super) work: bool,
    pub(super) interval_passed: bool,
    pub(super) turn: Turn,
    pub(super) pull: Option<Pull>,
    /// Peers that were answered since the last `Timeout::Answers`.
    pub(super) answered: BTreeSet<ValidatorIndex>,
    pub(super) silence: Silence,
    pub(super) outputs: VecDeque<Output>,
}

impl Instance {
    pub(super) fn start(delays: Delays, silence: Silence, start: StartHeight) -> Instance {
        let StartHeight { height, validators, own, recovered } = start;
        let mut instance = Instance {
            delays,
            height,
            own,
            phase: Phase::Open,
            view: View::FIRST,
            parent: View::NONE,
            tally: Tally::new(height, validators.clone()),
            validators,
            certificates: Certificates::default(),
            spoken: BTreeSet::new(),
            checks: BTreeMap::new(),
            work: false,
            interval_passed: false,
            turn: Turn::default(),
            pull: None,
            answered: BTreeSet::new(),
            silence,
            outputs: VecDeque::new(),
        };
        instance.output(Output::Entered(instance.slot()));
        instance.start_interval();
        // Certificates first: they say which views are near enough for votes to be kept.
        for certificate in recovered.certificates {
            instance.keep_certificate(certificate.into_inner());
        }
        instance.enter();
        for signed in recovered.proposals {
            instance.tally.add_proposal(signed.into_inner(), instance.view);
        }
        for signed in recovered.votes {
            instance.tally.add_vote(signed.into_inner(), instance.view);
        }
        instance.repeat_after_restart();
        instance.settle();
        instance
    }

    /// See [`Engine::digest`](super::Engine::digest).
    pub(super) fn digest(&self, state: &mut impl Hasher) {
        let Instance {
            delays: _,
            height,
            validators: _,
            own,
            phase,
            view,
            parent,
            tally,
            certificates,
            spoken,
            checks,
            work,
            interval_passed,
            turn,
            pull,
            answered,
            silence,
            outputs: _,
        } = self;
        (height, own, phase, view, parent, spoken, checks).hash(state);
        (work, interval_passed, turn, pull, answered, silence).hash(state);
        tally.digest(state);
        certificates.digest(state);
    }

    pub(super) fn handle(&mut self, input: Input) {
        if self.phase == Phase::Diverged {
            return;
        }
        match input {
            Input::StartVoting(own) => {
                self.own = Some(own);
                self.repeat_after_restart();
            }
            Input::Certificate(certificate) => self.on_certificate(certificate.into_inner()),
            Input::Justification(certificates) => {
                for certificate in certificates {
                    self.keep_certificate(certificate.into_inner());
                }
            }
            Input::BlockChecked { block, purpose, verdict } => self.on_checked(block, purpose, verdict),
            Input::Built { slot, block } => self.on_built(slot, block),
            Input::Work(work) => self.on_work(work),
            Input::TimeoutElapsed(timeout) => self.on_timeout(timeout),
            Input::PeerAt { peer, slot } => self.answer(peer, slot),
            Input::JustificationAsked { by, wanted } => self.answer_wanted(by, wanted),
            Input::StartHeight(_) | Input::Vote(_) | Input::Proposal(_) => {
                unreachable!("the engine handles these, for they may belong to another height")
            }
        }
        self.settle();
    }

    /// Asks every rule once, in an order in which earlier ones change what later ones read.
    pub(super) fn settle(&mut self) {
        if self.phase != Phase::Open {
            return;
        }
        self.decide();
        if self.phase != Phase::Open {
            return;
        }
        self.enter();
        self.pull_missing();
        self.check_blocks();
        self.finalize();
        self.wake();
        self.propose();
        self.notarize();
        self.nullify();
    }

    pub(super) fn slot(&self) -> Slot {
        Slot { height: self.height, view: self.view }
    }

    pub(super) fn at(&self, view: View) -> Slot {
        Slot { height: self.height, view }
    }

    pub(super) fn leader(&self) -> ValidatorIndex {
        self.validators.leader(self.height, self.view)
    }

    pub(super) fn leads(&self) -> bool {
        self.own == Some(self.leader())
    }

    pub(super) fn justification(&self) -> Vec<Certificate> {
        self.certificates.justification(self.parent, self.view)
    }

    pub(super) fn output(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    /// Asks the host to say something, once.
    pub(super) fn speak(&mut self, utterance: Utterance, grounds: Vec<Record>) {
        assert!(self.own.is_some(), "only a member speaks");
        if self.spoken.insert(utterance) {
            self.output(Output::Speak { utterance, grounds });
        }
    }

    /// Whether we said a vote of this kind in `view`, now or before a restart.
    pub(super) fn voted(&self, view: View, kind: impl Fn(&Vote) -> bool) -> bool {
        let Some(own) = self.own else { return false };
        let spoken = self.spoken.iter().any(|utterance| match utterance {
            Utterance::Vote(vote) => vote.slot().view == view && kind(vote),
            Utterance::Proposal(_) => false,
        });
        spoken || self.tally.votes_of(own, view).any(|signed| kind(&signed.vote))
    }

    /// Whether we proposed in the present view, now or before a restart.
    pub(super) fn proposed(&self) -> bool {
        let slot = self.slot();
        let spoken = self.spoken.iter().any(|utterance| match utterance {
            Utterance::Proposal(proposal) => proposal.slot == slot,
            Utterance::Vote(_) => false,
        });
        self.leads() && (spoken || self.tally.proposal(self.view).is_some())
    }
}
