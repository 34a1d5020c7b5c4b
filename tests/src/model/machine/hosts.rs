//! The local states: found by running production code once for each action, numbered, and kept whole while fresh.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tanba_consensus::{
    Purpose, Timeout, Utterance,
    input::Verdict,
    recovery::{CheckedAnswer, Inquiry, Verdict as Standpoint},
};
use tanba_ledger::{BlockHash, Height, Slot, View, Vote};

use super::{
    super::names::is_invented, Action, Asks, Cut, Local, Machine, NODES_MAX, NOTHING, Node, Origin, Outcomes,
    SEVERAL, State, UNKNOWN, Violation, answer, panic_text,
};

impl Machine<'_> {
    /// The number of a host's state.
    pub(super) fn intern(&mut self, node: Node, origin: Option<Origin>) -> u32 {
        let mut node = node;
        if node.is_done(self.stage) {
            node.forget_words(self.stage).expect("a host that has nothing to decide says nothing");
        }
        let fingerprint = node.fingerprint(self.stage);
        if let Some(id) = self.local_ids.get(&fingerprint) {
            return *id;
        }
        let id = self.locals.len() as u32;
        assert!(u128::from(id) < 1 << self.bits && id < SEVERAL, "too many local states for this scope");
        self.local_ids.insert(fingerprint, id);
        let mut signed = 0;
        for utterance in node.signed.clone() {
            signed |= 1 << self.word(utterance);
        }
        let mut decided = 0;
        for held in &node.decided.clone() {
            let block = held.vote.block().expect("a finalization names a block");
            let slot = Slot { height: held.slot().height, view: View::NONE };
            decided |= 1 << self.word(Utterance::Vote(Vote::Finalize(slot, block)));
        }
        let own = self.own_actions(&node);
        let fresh = self.essence_ids.len() as u32;
        let essence = *self.essence_ids.entry(node.essence(self.stage)).or_insert(fresh);
        let (holds, wants) = self.bodies(&node);
        let slot = node.slot(self.stage);
        let (done, heard) = (node.is_done(self.stage), node.heard.contains(&slot));
        let asks = self.asks(&node);
        let can_crash = node.lives < self.scope.crashes;
        let next = Vec::new();
        self.locals.push(Local {
            node: None,
            origin,
            asks,
            can_crash,
            slot,
            done,
            heard,
            signed,
            decided,
            holds,
            wants,
            essence,
            own,
            next,
        });
        self.keep(id, node);
        id
    }

    /// The bodies that a host has and those that it asks for, as bits.
    fn bodies(&mut self, node: &Node) -> (u64, u64) {
        let held = node.held_bodies(self.stage);
        let wanted = if self.stage.bodies { node.wanted_bodies(self.stage) } else { Default::default() };
        let holds = held.into_iter().fold(0, |bits, block| bits | self.block(block));
        let wants = wanted.into_iter().fold(0, |bits, block| bits | self.block(block));
        (holds, wants)
    }

    /// The bit of a block.
    fn block(&mut self, block: BlockHash) -> u64 {
        let place = self.bodies.iter().position(|(known, _)| *known == block).unwrap_or_else(|| {
            let action = self.action(Action::Body(block));
            self.bodies.push((block, action));
            self.bodies.len() - 1
        });
        assert!(place < 64, "a scope has at most 64 blocks");
        let bit = 1 << place;
        self.invented |= if is_invented(block) { bit } else { 0 };
        bit
    }

    /// Keeps a host whole until many others have been kept after it; where all began, for ever.
    fn keep(&mut self, id: u32, node: Node) {
        self.locals[id as usize].node = Some(Box::new(node));
        if self.locals[id as usize].origin.is_some() {
            self.whole.push_back(id);
        }
        if self.whole.len() > NODES_MAX {
            let oldest = self.whole.pop_front().expect("many are kept");
            self.locals[oldest as usize].node = None;
        }
    }

    /// A copy of the host in this local state.
    pub(super) fn node(&mut self, id: u32) -> Node {
        let local = &self.locals[id as usize];
        if let Some(node) = &local.node {
            return node.as_ref().clone();
        }
        let (from, action, cut) = local.origin.expect("where all began is kept");
        let mut node = self.node(from);
        node.arm(cut);
        let again = self.actions[action as usize].apply(self.stage, &mut node);
        again.expect("what succeeded once succeeds again");
        if node.is_done(self.stage) {
            node.forget_words(self.stage).expect("as before");
        }
        node.arm(None);
        self.keep(id, node.clone());
        node
    }

    /// What can happen within a host: timers, answers of its own parts, trouble.
    fn own_actions(&mut self, node: &Node) -> Vec<u32> {
        if node.is_done(self.stage) {
            return Vec::new();
        }
        let mut actions = Vec::new();
        let within = node.is_within(View(self.scope.views));
        for timeout in &node.timers {
            let counts = match timeout {
                // Repetitions change nothing at the one who repeats but whom it asks next.
                Timeout::Retry(_) => node.retries < self.scope.retries,
                Timeout::Answers(_) => false,
                Timeout::View(_) if self.scope.calm => false,
                Timeout::View(_) | Timeout::Reproposal(_) | Timeout::BlockInterval(_) => true,
            };
            if within && counts {
                actions.push(Action::Timeout(*timeout));
            }
        }
        for (block, purpose) in &node.checks {
            // Whoever lacks the body gets it first.
            if !self.stage.bodies {
                actions.push(Action::Checked(*block, *purpose, Verdict::Valid));
            }
            if self.scope.refusals && matches!(purpose, Purpose::Fresh(_)) {
                actions.push(Action::Checked(*block, *purpose, Verdict::Invalid));
            }
        }
        if within && node.build.is_some() {
            actions.push(Action::Build);
        }
        if node.can_commit(self.stage) {
            actions.push(Action::Commit);
        }
        if within && node.toggles < self.scope.toggles {
            actions.push(Action::Work(!node.has_work));
        }
        if within && self.stage.heartbeats && !node.heartbeat {
            actions.push(Action::Heartbeat);
        }
        if node.lives < self.scope.crashes {
            actions.push(Action::Crash);
        }
        // Who loses its journal in its first height is silent to the end of the scope anyhow.
        if self.scope.loses == Some(node.member) && node.losses == 0 && !node.decided.is_empty() {
            actions.extend([Action::Lose(false), Action::Lose(true)]);
        }
        actions.into_iter().map(|action| self.action(action)).collect()
    }

    /// Where an action leads a host: looked up, or found out by running production code.
    pub(super) fn next(&mut self, id: u32, action: u32) -> u32 {
        let known = self.locals[id as usize].next.get(action as usize);
        match known {
            Some(code) if *code != UNKNOWN => return *code,
            _ => {}
        }
        let mut outcomes: Outcomes = Vec::new();
        let can_crash = self.locals[id as usize].can_crash;
        let (whole, promises) = self.run(id, action, None);
        outcomes.push((0, whole));
        for promise in (0..promises).filter(|_| can_crash) {
            for written in [false, true] {
                let (cut, _) = self.run(id, action, Some(Cut { promise, written }));
                outcomes.push((1 + 2 * promise + u8::from(written), cut));
            }
        }
        let code = match outcomes.as_slice() {
            [(0, Ok(to))] if *to == id => NOTHING,
            [(0, Ok(to))] => *to,
            _ => {
                self.several.push(outcomes);
                SEVERAL + self.several.len() as u32 - 1
            }
        };
        let next = &mut self.locals[id as usize].next;
        if next.len() <= action as usize {
            next.resize(action as usize + 1, UNKNOWN);
        }
        next[action as usize] = code;
        code
    }

    fn run(&mut self, id: u32, action: u32, cut: Option<Cut>) -> (Result<u32, Violation>, u8) {
        let mut node = self.node(id);
        node.arm(cut);
        let (stage, deed) = (self.stage, &self.actions[action as usize]);
        let done = catch_unwind(AssertUnwindSafe(|| deed.apply(stage, &mut node)));
        let promises = node.promises();
        node.arm(None);
        let outcome = match done {
            Ok(Ok(())) => Ok(self.intern(node, Some((id, action, cut)))),
            Ok(Err(violation)) => Err(violation),
            Err(panic) => Err(Violation::Panic(Some(node.member), panic_text(panic.as_ref()))),
        };
        (outcome, promises)
    }

    fn asks(&self, node: &Node) -> Asks {
        let Some(recovery) = &node.recovery else { return Asks::Nothing };
        match recovery.verdict() {
            // An honest journal holds all that was signed: every restart compares the two.
            Standpoint::Wait { answered, .. }
                if recovery.loss().is_none() && self.stage.forgetful.is_none() =>
            {
                Asks::Memories { answered }
            }
            _ => Asks::Heights { above: recovery.inquiry().above },
        }
    }

    /// The answers that a starting host can get now, of everyone and also of liars, who show nothing.
    pub(super) fn answers_for(&mut self, state: State, host: usize) -> Vec<u32> {
        let nothing = || CheckedAnswer { decided: None, votes: Vec::new(), proposals: Vec::new() };
        let (own, member) = (self.local(state, host), self.hosts[host]);
        let Local { asks, slot, .. } = self.locals[own as usize];
        match asks {
            Asks::Nothing => Vec::new(),
            // Only their number counts; so they answer one after the other.
            Asks::Memories { answered } => {
                let members = self.stage.members(slot.height);
                let peer = members.iter().copied().filter(|peer| *peer != member).nth(answered);
                peer.map(|peer| self.action(Action::Answer(peer, nothing()))).into_iter().collect()
            }
            Asks::Heights { above } => {
                let mut actions = Vec::new();
                for peer in (0..self.hosts.len()).filter(|peer| *peer != host) {
                    let from = self.local(state, peer);
                    // What is said of heights above the present one waits for the catch-up.
                    if self.locals[from as usize].slot.height <= slot.height.next() {
                        actions.push(self.answer_of(from, member, above));
                    }
                }
                for liar in self.stage.liars.clone() {
                    actions.push(self.action(Action::Answer(liar, nothing())));
                }
                actions
            }
        }
    }

    /// What a peer in this local state answers.
    fn answer_of(&mut self, from: u32, asker: usize, above: Height) -> u32 {
        if let Some(known) = self.answers.get(&(from, above)) {
            return *known;
        }
        let peer = self.node(from);
        let (member, shown) = answer(self.stage, &peer, &Inquiry { key: self.stage.public(asker), above });
        if self.stage.forgetful.is_some() {
            return self.action(Action::Answer(member, shown));
        }
        // The journal is lost: only the height matters, and not what is shown of it.
        let shown = CheckedAnswer { votes: Vec::new(), proposals: Vec::new(), ..shown };
        let action = self.action(Action::Answer(member, shown));
        self.answers.insert((from, above), action);
        action
    }
}
