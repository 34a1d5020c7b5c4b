//! What the scheduler can do to one host.

use std::hash::Hash;

use tanba_consensus::{
    Input, Purpose, SignedProposal, Timeout, Utterance, input::Verdict, recovery::CheckedAnswer,
};
use tanba_crypto::Verified;
use tanba_ledger::{BlockHash, Certificate, SignedVote, Slot};

use super::{
    fingerprint::Fingerprint,
    message::Parcel,
    names::{block_name, vote_name, word_name},
    node::Node,
    stage::Stage,
    violation::Violation,
};

/// One choice of the scheduler.
#[derive(Clone, Debug)]
pub enum Action {
    /// A certificate arrives.
    Certificate(Verified<Certificate>),
    /// A proposal arrives.
    Proposal(Verified<SignedProposal>),
    /// A vote arrives.
    Vote(Verified<SignedVote>),
    /// A peer answers the question of a starting node.
    Answer(usize, CheckedAnswer),
    /// A timer fires.
    Timeout(Timeout),
    /// The host has checked a block.
    Checked(BlockHash, Purpose, Verdict),
    /// A body arrives that the host had asked for.
    Body(BlockHash),
    /// The host has built a block.
    Build,
    /// The host has committed the decided block.
    Commit,
    /// Work comes or goes.
    Work(bool),
    /// A heartbeat falls due by the host's clock.
    Heartbeat,
    /// The power fails.
    Crash,
    /// The journal is gone and, if so said, the store is an old backup.
    Lose(bool),
}

impl Action {
    /// Tells actions apart.
    pub fn fingerprint(&self) -> u128 {
        let mut state = Fingerprint::default();
        std::mem::discriminant(self).hash(&mut state);
        match self {
            Action::Certificate(held) => (held.vote, &held.signers, held.signatures.len()).hash(&mut state),
            Action::Proposal(signed) => signed.proposal.hash(&mut state),
            Action::Vote(signed) => (signed.vote, signed.voter).hash(&mut state),
            Action::Answer(peer, answer) => {
                (peer, answer.decided.as_ref().map(|held| held.vote)).hash(&mut state);
                answer.votes.iter().for_each(|signed| signed.vote.hash(&mut state));
                answer.proposals.iter().for_each(|signed| signed.proposal.hash(&mut state));
            }
            Action::Timeout(timeout) => timeout.hash(&mut state),
            Action::Checked(block, purpose, verdict) => (block, purpose, verdict).hash(&mut state),
            Action::Body(block) => block.hash(&mut state),
            Action::Build | Action::Commit | Action::Heartbeat | Action::Crash => {}
            Action::Work(flag) | Action::Lose(flag) => flag.hash(&mut state),
        }
        state.value()
    }

    /// The slot of what arrives; `None` for what happens within a host.
    pub fn slot(&self) -> Option<Slot> {
        match self {
            Action::Certificate(held) => Some(held.slot()),
            Action::Proposal(signed) => Some(signed.proposal.slot),
            Action::Vote(signed) => Some(signed.vote.slot()),
            Action::Answer(..)
            | Action::Timeout(_)
            | Action::Checked(..)
            | Action::Body(_)
            | Action::Build
            | Action::Commit
            | Action::Work(_)
            | Action::Heartbeat
            | Action::Crash
            | Action::Lose(_) => None,
        }
    }

    /// Does it.
    pub fn apply(&self, stage: &Stage, node: &mut Node) -> Result<(), Violation> {
        let sent: &mut Vec<Parcel> = &mut Vec::new();
        match self {
            Action::Certificate(held) => node.input(stage, Input::Certificate(held.clone()), sent),
            Action::Proposal(signed) => node.input(stage, Input::Proposal(signed.clone()), sent),
            Action::Vote(signed) => node.input(stage, Input::Vote(signed.clone()), sent),
            Action::Answer(peer, answer) => node.answered(stage, *peer, answer, sent),
            Action::Timeout(timeout) => {
                node.retries += u8::from(matches!(timeout, Timeout::Retry(_)));
                node.input(stage, Input::TimeoutElapsed(*timeout), sent)
            }
            Action::Checked(block, purpose, verdict) => {
                let input = Input::BlockChecked { block: *block, purpose: *purpose, verdict: *verdict };
                node.input(stage, input, sent)
            }
            Action::Body(block) => node.pulled(stage, *block, sent),
            Action::Build => node.build_now(stage, sent),
            Action::Commit => node.commit_now(stage, sent),
            Action::Work(has_work) => {
                node.toggles += 1;
                node.work(stage, *has_work, sent)
            }
            Action::Heartbeat => node.beat(stage, sent),
            Action::Crash => node.crash(stage, sent),
            Action::Lose(backup) => node.lose_journal(stage, *backup, sent),
        }
    }

    /// In words.
    pub fn describe(&self) -> String {
        match self {
            Action::Certificate(held) => {
                let signers: Vec<String> = held.signer_indices().map(|index| index.0.to_string()).collect();
                format!("gets a certificate: {} by {}", vote_name(&held.vote), signers.join(" "))
            }
            Action::Proposal(signed) => {
                format!("gets a proposal: {}", word_name(&Utterance::Proposal(signed.proposal)))
            }
            Action::Vote(signed) => format!("gets a vote of {}: {}", signed.voter.0, vote_name(&signed.vote)),
            Action::Answer(peer, answer) => {
                let head = answer.decided.as_ref().map_or(0, |held| held.slot().height.0);
                format!("is answered by {peer}, whose head is {head}")
            }
            Action::Timeout(timeout) => format!("sees a timer fire: {}", timer_name(timeout)),
            Action::Checked(block, purpose, verdict) => {
                let what = if matches!(purpose, Purpose::Fresh(_)) { "fresh" } else { "notarized" };
                format!("finds the {what} block {} {verdict:?}", block_name(*block))
            }
            Action::Body(block) => format!("gets the body of {}", block_name(*block)),
            Action::Build => "builds its block".into(),
            Action::Commit => "commits".into(),
            Action::Work(true) => "has work".into(),
            Action::Work(false) => "has no work any more".into(),
            Action::Heartbeat => "sees its heartbeat fall due".into(),
            Action::Crash => "crashes and restarts".into(),
            Action::Lose(false) => "restarts without its journal".into(),
            Action::Lose(true) => "restarts without its journal, from an old store".into(),
        }
    }
}

fn timer_name(timeout: &Timeout) -> String {
    match timeout {
        Timeout::View(slot) => format!("view {}/{}", slot.height, slot.view),
        Timeout::Retry(slot) => format!("retry {}/{}", slot.height, slot.view),
        Timeout::Reproposal(slot) => format!("reproposal {}/{}", slot.height, slot.view),
        Timeout::BlockInterval(height) => format!("block interval {height}"),
        Timeout::Answers(height) => format!("answers {height}"),
    }
}
