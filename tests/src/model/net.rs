//! A synchronous network of hosts, with the real messages: what is sent arrives at once, within the sender's
//! group; timers fire when they are told to.
//!
//! The explorer probes progress on it, and Twins plays its scenarios on it. What is lost stays lost: only
//! the protocol's own repetitions, pulls and answers bring it back.

use std::collections::VecDeque;

use tanba_consensus::{
    Input, Purpose, Standing, Timeout,
    recovery::{CheckedAnswer, Inquiry},
    set_change::Handover,
};
use tanba_crypto::Verified;
use tanba_ledger::{BlockHash, Certificate, CertificateKind, SignedVote};

use super::{
    message::{Message, Parcel},
    node::{Node, valid},
    stage::Stage,
    violation::Violation,
};

/// Messages that one settling may need; more means that hosts talk without end.
const DELIVERIES_MAX: usize = 20_000;

/// Which timers fire.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bell {
    /// The short waits: block interval and finalization.
    Short,
    /// Repetitions and the limit on answers.
    Retry,
    /// Views.
    View,
}

impl Bell {
    const fn rings(self, timeout: &Timeout) -> bool {
        match timeout {
            Timeout::BlockInterval(_) | Timeout::Reproposal(_) => matches!(self, Bell::Short),
            Timeout::Retry(_) | Timeout::Answers(_) => matches!(self, Bell::Retry),
            Timeout::View(_) => matches!(self, Bell::View),
        }
    }
}

/// Hosts and what is under way between them.
#[derive(Clone)]
pub struct Net<'s> {
    stage: &'s Stage,
    /// The hosts.
    pub nodes: Vec<Node>,
    queue: VecDeque<(usize, usize, Message)>,
    groups: Vec<u8>,
    /// Of members that left the set: whether they may stop serving.
    leaving: Vec<Option<Handover>>,
}

type Outcome = Result<(), Violation>;

impl<'s> Net<'s> {
    /// A network in which everyone reaches everyone.
    pub fn new(stage: &'s Stage, nodes: Vec<Node>) -> Net<'s> {
        let (groups, leaving) = (vec![0; nodes.len()], vec![None; nodes.len()]);
        Net { stage, nodes, queue: VecDeque::new(), groups, leaving }
    }

    /// From now on messages pass only between hosts of equal group.
    pub fn divide(&mut self, groups: &[u8]) {
        self.groups.copy_from_slice(groups);
    }

    fn post(&mut self, from: usize, parcels: Vec<Parcel>) {
        for (member, message) in parcels {
            for to in 0..self.nodes.len() {
                let meant = member.is_none_or(|member| self.nodes[to].member == member);
                if meant && to != from && self.groups[to] == self.groups[from] {
                    self.queue.push_back((to, from, message.clone()));
                }
            }
        }
    }

    /// Does something at one host and sends what comes of it.
    fn act(
        &mut self,
        at: usize,
        deed: impl FnOnce(&mut Node, &Stage, &mut Vec<Parcel>) -> Outcome,
    ) -> Outcome {
        let mut sent = Vec::new();
        deed(&mut self.nodes[at], self.stage, &mut sent)?;
        self.post(at, sent);
        self.watch_leaving(at);
        Ok(())
    }

    fn watch_leaving(&mut self, at: usize) {
        let node = &self.nodes[at];
        let height = node.height(self.stage);
        let left = height > self.stage.first && self.stage.index(node.member, height).is_none();
        let below = height.previous().expect("above the first height");
        if left && self.leaving[at].is_none() && self.stage.index(node.member, below).is_some() {
            self.leaving[at] = Some(Handover::begin(below, self.stage.set(height).clone()));
        }
    }

    /// Whether the host has left the set, has been told that its successors carry on, and stopped.
    pub fn is_gone(&self, at: usize) -> bool {
        self.leaving[at].as_ref().is_some_and(Handover::is_done)
    }

    /// Connections are made anew: heads are exchanged, work is said again, starting nodes are answered.
    pub fn connect(&mut self) -> Outcome {
        for at in 0..self.nodes.len() {
            self.act(at, |node, stage, sent| {
                sent.push((None, Message::Head(node.slot(stage))));
                Ok(())
            })?;
        }
        for at in 0..self.nodes.len() {
            let has_work = self.nodes[at].has_work;
            self.act(at, |node, stage, sent| node.work(stage, has_work, sent))?;
        }
        self.answer_starters()
    }

    /// Time passes, until a heartbeat is due by every clock.
    pub fn beat(&mut self) -> Outcome {
        (0..self.nodes.len()).try_for_each(|at| self.act(at, Node::beat))
    }

    /// Starting hosts ask again whom they reach.
    pub fn answer_starters(&mut self) -> Outcome {
        for at in 0..self.nodes.len() {
            for peer in 0..self.nodes.len() {
                let Some(recovery) = &self.nodes[at].recovery else { break };
                let (own, head) = (self.nodes[at].height(self.stage), self.nodes[peer].height(self.stage));
                // What is said of heights above the present one waits for the catch-up.
                let reached = peer != at && self.groups[peer] == self.groups[at] && head <= own.next();
                if reached {
                    let (member, answer) = answer(self.stage, &self.nodes[peer], &recovery.inquiry());
                    self.act(at, |node, stage, sent| node.answered(stage, member, &answer, sent))?;
                }
            }
        }
        Ok(())
    }

    /// Delivers what is under way and answers every host at once, until nothing moves.
    pub fn settle(&mut self) -> Outcome {
        for _ in 0..DELIVERIES_MAX {
            if self.serve()? {
                continue;
            }
            let Some((to, from, message)) = self.queue.pop_front() else { return Ok(()) };
            if !self.is_gone(to) {
                self.deliver(to, from, message)?;
            }
        }
        Err(Violation::Restless((0..self.nodes.len()).map(|at| self.nodes[at].member).collect()))
    }

    /// The host's own answers: builds, checks, commits. Says whether there was one.
    fn serve(&mut self) -> Result<bool, Violation> {
        for at in 0..self.nodes.len() {
            let node = &self.nodes[at];
            if node.can_commit(self.stage) {
                self.act(at, Node::commit_now)?;
            } else if let Some(block) = self.body_for(at) {
                self.act(at, |node, stage, sent| node.pulled(stage, block, sent))?;
            } else if let Some((block, purpose)) = self.check_at(at) {
                self.act(at, |node, stage, sent| node.input(stage, valid(block, purpose), sent))?;
            } else if node.build.is_some() {
                self.act(at, Node::build_now)?;
            } else {
                continue;
            }
            return Ok(true);
        }
        Ok(false)
    }

    /// A body that a host waits for, and that somebody it reaches holds.
    fn body_for(&self, at: usize) -> Option<BlockHash> {
        let gives = |from: usize, block: BlockHash| {
            let reached = from != at && self.groups[from] == self.groups[at] && !self.is_gone(from);
            reached && self.nodes[from].holds(self.stage, block)
        };
        let mut wanted = self.nodes[at].wanted_bodies(self.stage).into_iter();
        wanted.find(|block| (0..self.nodes.len()).any(|from| gives(from, *block)))
    }

    /// A check that the host can answer.
    fn check_at(&self, at: usize) -> Option<(BlockHash, Purpose)> {
        let node = &self.nodes[at];
        node.checks.iter().find(|(block, _)| node.holds(self.stage, *block)).copied()
    }

    /// Fires the timers of one kind that run now.
    pub fn ring(&mut self, bell: Bell) -> Outcome {
        for at in 0..self.nodes.len() {
            let due: Vec<Timeout> =
                self.nodes[at].timers.iter().filter(|timeout| bell.rings(timeout)).copied().collect();
            for timeout in due {
                if self.nodes[at].timers.contains(&timeout) {
                    self.act(at, |node, stage, sent| {
                        node.input(stage, Input::TimeoutElapsed(timeout), sent)
                    })?;
                }
            }
        }
        Ok(())
    }

    /// Whether a timer runs at a host that has not stopped.
    pub fn is_busy(&self, at: usize) -> bool {
        !self.is_gone(at) && !self.nodes[at].timers.is_empty()
    }

    fn deliver(&mut self, to: usize, from: usize, message: Message) -> Outcome {
        let stage = self.stage;
        let own = self.nodes[to].height(stage);
        let sender = self.nodes[from].member;
        if let Some(height) = message.height().filter(|height| *height > own) {
            if let (Some(leaving), Some(index)) = (&mut self.leaving[to], stage.index(sender, height)) {
                leaving.on_shown(index, height);
            }
            // Behind: fetch blocks, in order, from whoever is ahead.
            while let Some(held) = self.nodes[from].finalization(stage, self.nodes[to].height(stage)) {
                self.act(to, |node, stage, sent| node.catch_up(stage, held, sent))?;
            }
            return Ok(());
        }
        if let (Some(leaving), Some(height)) = (&mut self.leaving[to], message.height())
            && let Some(index) = stage.index(sender, height)
        {
            leaving.on_shown(index, height);
        }
        let present = |certificate: &Certificate| certificate.slot().height == own;
        let checked = |certificate: Certificate| stage.checked(certificate);
        let vote = |signed: SignedVote| Input::Vote(stage.signed_vote(signed.vote, signed.voter));
        let mut inputs = Vec::new();
        match message {
            Message::Proposal(signed, notarization) => {
                let notarization = notarization.filter(present).and_then(checked);
                inputs.extend(notarization.map(Input::Certificate));
                inputs.push(Input::Proposal(stage.proposal(signed.proposal)));
            }
            Message::Vote(signed) => inputs.push(vote(signed)),
            Message::Certificate(certificate) if present(&certificate) => {
                inputs.extend(checked(certificate).map(Input::Certificate));
            }
            Message::Standing(Standing { slot, proposal, votes, justification }) => {
                if slot.height == own {
                    inputs.push(Input::Justification(all(justification, checked)));
                }
                inputs.extend(proposal.map(|signed| Input::Proposal(stage.proposal(signed.proposal))));
                inputs.extend(votes.into_iter().map(vote));
                inputs.extend(stage.index(sender, slot.height).map(|peer| Input::PeerAt { peer, slot }));
            }
            Message::Justification(list) => {
                let list = list.into_iter().filter(present).collect();
                inputs.push(Input::Justification(all(list, checked)));
            }
            Message::Wanted(wanted) => {
                let by = stage.index(sender, wanted.first.height);
                inputs.extend(by.map(|by| Input::JustificationAsked { by, wanted }));
            }
            Message::Head(slot) => {
                inputs.extend(stage.index(sender, slot.height).map(|peer| Input::PeerAt { peer, slot }));
            }
            Message::Work => {
                self.nodes[to].has_work = true;
                inputs.push(Input::Work(own <= stage.last));
            }
            Message::Certificate(_) => {}
        }
        for input in inputs {
            if self.nodes[to].height(stage) == own {
                self.act(to, |node, stage, sent| node.input(stage, input, sent))?;
            }
        }
        Ok(())
    }
}

fn all<T, U>(list: Vec<T>, check: impl Fn(T) -> Option<U>) -> Vec<U> {
    list.into_iter().filter_map(check).collect()
}

/// What a host answers a starting one, checked; and the member it is from.
pub fn answer(stage: &Stage, from: &Node, inquiry: &Inquiry) -> (usize, CheckedAnswer) {
    let decided = from.decided.last().cloned();
    let raw = from.engine.answer_inquiry(inquiry, decided);
    let decided: Option<Verified<Certificate>> = raw.decided.and_then(|held| {
        debug_assert_eq!(held.kind(), CertificateKind::Finalization);
        stage.checked(held)
    });
    let votes = raw.votes.iter().map(|signed| stage.signed_vote(signed.vote, signed.voter)).collect();
    let proposals = raw.proposals.iter().map(|signed| stage.proposal(signed.proposal)).collect();
    (from.member, CheckedAnswer { decided, votes, proposals })
}
