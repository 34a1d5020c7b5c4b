//! The engine: height after height, one instance each. What the host calls is here; the rules are in the
//! files beside it, each under its number.

mod answers;
mod blocks;
mod facts;
mod instance;
mod propose;
mod timers;
mod views;
mod vote;

use std::{
    collections::{BTreeMap, VecDeque},
    hash::{Hash, Hasher},
    ops::Bound::{Excluded, Unbounded},
};

use tanba_ledger::{Certificate, Height, SignedVote, ValidatorIndex, View};

use crate::{
    input::{Input, StartHeight},
    message::SignedProposal,
    output::Output,
    recovery::{Answer, Inquiry, SHOWN_MAX},
    silence::Silence,
    tally::{Counted, Tally},
};
use instance::Instance;

/// How long things may take: milliseconds throughout, chosen by the host for its network.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Delays {
    /// What the first view of a height may take. More than four message delays, the time to check the largest
    /// block, and `reproposal_wait_ms` together; else good leaders are nullified.
    pub view_timeout_base_ms: u64,
    /// What each further view may take longer.
    pub view_timeout_step_ms: u64,
    /// What no view takes longer than. A cap is safe: views are synchronised by certificates, not by clocks.
    pub view_timeout_cap_ms: u64,
    /// From one repetition to the next; also how often a peer that lags is answered.
    pub retry_ms: u64,
    /// How long a leader that builds on a notarized view waits for its finalization; about two message delays.
    pub reproposal_wait_ms: u64,
    /// From a commit to the next fresh block; 0 for no wait.
    pub min_block_interval_ms: u64,
}

/// What an engine is told once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Config {
    /// How long things may take.
    pub delays: Delays,
    /// Decided heights without a word after which a validator's turns are skipped; 8 is a good choice, 0 never.
    pub silent_heights: usize,
    /// Decided heights whose late votes are still compared; memory grows with it times the validators.
    pub evidence_window: u64,
}

/// Agreement on one block hash per height: events in, requests out, nothing else.
///
/// Deterministic: the same inputs give the same outputs. The crate's documentation says how to drive it.
#[derive(Clone, Debug)]
pub struct Engine {
    config: Config,
    present: Option<Instance>,
    past: BTreeMap<Height, Tally>,
    outputs: VecDeque<Output>,
}

impl Engine {
    /// An engine that waits for its first [`Input::StartHeight`].
    pub fn new(config: Config) -> Engine {
        Engine { config, present: None, past: BTreeMap::new(), outputs: VecDeque::new() }
    }

    /// Takes in one event. Drain [`next_output`](Engine::next_output) afterwards.
    ///
    /// Panics when heights do not grow: the host's mistake.
    pub fn handle(&mut self, input: Input) {
        match input {
            Input::StartHeight(start) => self.start(start),
            Input::Vote(signed) => self.on_vote(signed.into_inner()),
            Input::Proposal(signed) => self.on_proposal(signed.into_inner()),
            other => {
                if let Some(present) = &mut self.present {
                    present.handle(other);
                }
            }
        }
        if let Some(present) = &mut self.present {
            self.outputs.append(&mut present.outputs);
        }
    }

    /// The next request, oldest first; `None` when there is nothing to do until the next event.
    pub fn next_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// The height being decided.
    pub fn height(&self) -> Option<Height> {
        self.present.as_ref().map(|present| present.height)
    }

    /// The present view; [`View::NONE`] before the first height.
    pub fn view(&self) -> View {
        self.present.as_ref().map_or(View::NONE, |present| present.view)
    }

    /// The highest view of the present height of which votes or proposals are kept: never more than
    /// [`VIEWS_AHEAD_MAX`](crate::limits::VIEWS_AHEAD_MAX) above ours.
    pub fn highest_view_kept(&self) -> View {
        self.present.as_ref().map_or(View::NONE, |present| present.tally.highest_view())
    }

    /// Whose turn it is.
    pub fn leader(&self) -> Option<ValidatorIndex> {
        self.present.as_ref().map(Instance::leader)
    }

    /// Whether nothing is under way: no timer runs and nothing is sent (R0).
    pub fn is_resting(&self) -> bool {
        self.present.as_ref().is_none_or(|present| !present.is_active())
    }

    /// How the present view was entered, J(v).
    pub fn justification(&self) -> Vec<Certificate> {
        self.present.as_ref().map(Instance::justification).unwrap_or_default()
    }

    /// The answer to a validator that starts and asks what it may have forgotten: every signature of its key
    /// above the height it names that is in memory here, also those inside certificates. `decided` is the
    /// finalization of our head, `None` at genesis.
    pub fn answer_inquiry(&self, inquiry: &Inquiry, decided: Option<Certificate>) -> Answer {
        let mut answer = Answer { decided, votes: Vec::new(), proposals: Vec::new() };
        let past = self.past.range((Excluded(inquiry.above), Unbounded)).map(|(_, tally)| tally);
        let present = self.present.iter().filter(|present| present.height > inquiry.above);
        // The latest first: the present height is what a forgetful validator could harm most.
        for tally in present.map(|present| &present.tally).chain(past.rev()) {
            let Some(member) = tally.validators().index_of(&inquiry.key) else { continue };
            let (votes, proposals) = tally.signed_by(member);
            answer.votes.extend(votes);
            answer.proposals.extend(proposals);
        }
        answer.proposals.truncate(SHOWN_MAX);
        answer.votes.truncate(SHOWN_MAX - answer.proposals.len());
        answer
    }

    /// Feeds everything that future behaviour depends on to `state`: engines of one configuration and network
    /// that feed the same answer every input alike. For explorers and tests.
    ///
    /// Left out are signatures, which the signed words determine; the validator sets, which their heights
    /// determine; and outputs that were not taken yet: drain them first.
    pub fn digest(&self, state: &mut impl Hasher) {
        let Engine { config: _, present, past, outputs } = self;
        debug_assert!(outputs.is_empty(), "outputs are drained before an engine is compared");
        past.len().hash(state);
        past.values().for_each(|tally| tally.digest(state));
        present.is_some().hash(state);
        present.iter().for_each(|present| present.digest(state));
    }

    fn start(&mut self, start: StartHeight) {
        let silence = match self.present.take() {
            None => Silence::new(self.config.silent_heights),
            Some(mut last) => {
                assert!(start.height > last.height, "heights are decided in order");
                self.outputs.extend(last.outputs);
                last.tally.close(last.view);
                self.past.insert(last.height, last.tally);
                last.silence
            }
        };
        let first = Height(start.height.0.saturating_sub(self.config.evidence_window));
        self.past = self.past.split_off(&first);
        self.present = Some(Instance::start(self.config.delays, silence, start));
    }

    fn on_vote(&mut self, signed: SignedVote) {
        let Some(present) = &mut self.present else { return };
        let height = signed.vote.slot().height;
        if height == present.height {
            return present.on_vote(signed);
        }
        let Some(tally) = self.past.get_mut(&height) else { return };
        let counted = tally.add_vote(signed, signed.vote.slot().view);
        let key = tally.validators().get(signed.voter).map(|member| member.key);
        present.on_late(counted, key.expect("a checked vote names a member"));
    }

    fn on_proposal(&mut self, signed: SignedProposal) {
        let Some(present) = &mut self.present else { return };
        let slot = signed.proposal.slot;
        if slot.height == present.height {
            return present.on_proposal(signed);
        }
        let Some(tally) = self.past.get_mut(&slot.height) else { return };
        let leader = tally.validators().leader(slot.height, slot.view);
        let key = tally.validators().get(leader).expect("the leader is a member").key;
        let counted = tally.add_proposal(signed, slot.view);
        present.on_late(counted, key);
    }
}

impl Instance {
    /// A vote or proposal of a decided height: nothing but a sign of life, or evidence.
    fn on_late(&mut self, counted: Counted, key: tanba_crypto::PublicKey) {
        match counted {
            Counted::New => self.silence.heard(key),
            Counted::Contradictory(Some(evidence)) => self.outputs.push_back(Output::Equivocation(evidence)),
            Counted::Contradictory(None) | Counted::Repeated | Counted::OutOfWindow => {}
        }
    }
}
