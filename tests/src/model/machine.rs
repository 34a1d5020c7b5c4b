//! The transition system. A state of the world is one *local state* for each honest host: what was signed is
//! part of them, and nothing else lies between hosts, for the network may deliver anything that can be made of
//! what was signed, at any time, to anyone, or never.
//!
//! So production code runs only once for each local state and each action on it. The rest is arithmetic on
//! numbers, and states of the world are told apart exactly, not by a hash.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    panic::{AssertUnwindSafe, catch_unwind},
};

use tanba_consensus::{Purpose, Timeout, Utterance, input::Verdict, recovery::CheckedAnswer};
use tanba_ledger::{BlockHash, Height, Slot, ValidatorIndex, View, Vote};

use super::{
    action::Action,
    fingerprint::Fast,
    names::invented,
    net::answer,
    node::{Cut, Node},
    scope::Scope,
    stage::Stage,
    violation::Violation,
};

/// One local state for each honest host, packed.
pub type State = u128;

/// One step: which host, which action, which variant of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Step {
    /// Place among the honest hosts.
    pub host: u8,
    /// The host's local state before.
    pub from: u32,
    /// Number of the action.
    pub action: u32,
    /// 0 for the whole step; else a power cut within it.
    pub variant: u8,
}

impl Step {
    /// Whether the same is done, wherever it is done from.
    pub fn is_same(&self, other: &Step) -> bool {
        (self.host, self.action, self.variant) == (other.host, other.action, other.variant)
    }
}

const UNKNOWN: u32 = u32::MAX;
const NOTHING: u32 = u32::MAX - 1;
/// Numbers from here on name a list of several outcomes.
const SEVERAL: u32 = 1 << 31;

/// Hosts kept whole; the others are made again from where they came from.
const NODES_MAX: usize = 8_192;

/// How a local state came about: from which one, by which action, with which power cut.
type Origin = (u32, u32, Option<Cut>);

/// A host's state, and what follows from it alone.
struct Local {
    node: Option<Box<Node>>,
    origin: Option<Origin>,
    recovering: bool,
    can_crash: bool,
    slot: Slot,
    done: bool,
    heard: bool,
    signed: u128,
    decided: u128,
    /// Actions that need nothing from outside.
    own: Vec<u32>,
    /// Where each action leads.
    next: Vec<u32>,
}

/// Something that was signed by an honest host, or decided by one.
struct Word {
    utterance: Utterance,
    /// The words whose certificates exclude this one's.
    excluded: u128,
    /// The certificate that each set of honest signers allows, as an action.
    certificates: Vec<u32>,
    /// What the liars add once this was said.
    inspired: Vec<u32>,
}

type Outcomes = Vec<(u8, Result<u32, Violation>)>;

/// States, each with the place of the one before and the step from it.
type Silence = Vec<(State, Option<(usize, Step)>)>;

/// What must not be: this state, or the step from it.
type Expanded = Result<(), (Option<Step>, Violation)>;

/// The transition system of one part of a scope.
pub struct Machine<'s> {
    scope: &'s Scope,
    stage: &'s Stage,
    /// The honest members.
    pub hosts: Vec<usize>,
    bits: u32,
    locals: Vec<Local>,
    local_ids: HashMap<u128, u32, Fast>,
    /// Whose hosts are kept whole, oldest first.
    whole: VecDeque<u32>,
    words: Vec<Word>,
    word_ids: HashMap<Utterance, u32, Fast>,
    actions: Vec<Action>,
    action_slots: Vec<Option<Slot>>,
    action_ids: HashMap<u128, u32, Fast>,
    several: Vec<Outcomes>,
    /// What the liars can say at any time.
    always: Vec<u32>,
    answers: HashMap<(u32, Height), u32, Fast>,
    offered: Vec<u32>,
}

impl<'s> Machine<'s> {
    /// The system, and where it begins.
    pub fn new(scope: &'s Scope, stage: &'s Stage) -> Result<(Machine<'s>, State), Violation> {
        let hosts: Vec<usize> = (0..stage.cast()).filter(|member| stage.is_honest(*member)).collect();
        let mut machine = Machine {
            scope,
            stage,
            bits: 128 / hosts.len() as u32,
            hosts,
            locals: Vec::new(),
            local_ids: HashMap::default(),
            whole: VecDeque::new(),
            words: Vec::new(),
            word_ids: HashMap::default(),
            actions: Vec::new(),
            action_slots: Vec::new(),
            action_ids: HashMap::default(),
            several: Vec::new(),
            always: Vec::new(),
            answers: HashMap::default(),
            offered: Vec::new(),
        };
        machine.invent();
        let mut ids = Vec::new();
        for member in machine.hosts.clone() {
            let mut node = Node::new(stage, member, 0, scope.workers.contains(&member))?;
            if scope.silent {
                machine.decide_without_last(&mut node)?;
            }
            ids.push(machine.intern(node, None));
        }
        let state = machine.pack(&ids);
        Ok((machine, state))
    }

    /// The first height is decided by all but the last member.
    fn decide_without_last(&self, node: &mut Node) -> Result<(), Violation> {
        let slot = Slot { height: self.stage.first, view: View::FIRST };
        let others = self.stage.members(slot.height).len() - 1;
        let signers: Vec<ValidatorIndex> = (0..others as u16).map(ValidatorIndex).collect();
        let vote = Vote::Finalize(slot, invented(0, 0, slot));
        let held = self.stage.certificate(vote, &signers).expect("all but one member are a quorum");
        Action::Certificate(held).apply(self.stage, node)?;
        node.signed.clear();
        Ok(())
    }

    /// What the liars can say without any help: fresh blocks A and B where they lead and, if votes are delivered
    /// one by one, every vote on these.
    fn invent(&mut self) {
        for height in (self.stage.first.0..=self.stage.last.0).map(Height) {
            for slot in (1..=self.scope.views).map(|view| Stage::slot(height, view)) {
                let leader = self.stage.leader(slot);
                if !self.stage.is_honest(leader) {
                    for block in [0, 1].map(|which| invented(leader, which, slot)) {
                        let fresh = tanba_consensus::Proposal { slot, block, parent_view: View::NONE };
                        let action = self.action(Action::Proposal(self.stage.proposal(fresh)));
                        self.always.push(action);
                        let votes = self.lies(&[Vote::Notarize(slot, block), Vote::Finalize(slot, block)]);
                        self.always.extend(votes);
                    }
                }
                let nullify = self.lies(&[Vote::Nullify(slot)]);
                self.always.extend(nullify);
            }
        }
    }

    /// These votes by every liar, if votes are delivered one by one.
    fn lies(&mut self, votes: &[Vote]) -> Vec<u32> {
        let mut actions = Vec::new();
        for vote in votes.iter().filter(|_| self.scope.votes) {
            for liar in self.stage.liars.clone() {
                if self.stage.index(liar, vote.slot().height).is_some() {
                    actions.push(self.action(Action::Vote(self.stage.vote(*vote, liar))));
                }
            }
        }
        actions
    }

    fn action(&mut self, action: Action) -> u32 {
        let fresh = self.actions.len() as u32;
        let id = *self.action_ids.entry(action.fingerprint()).or_insert(fresh);
        if id == fresh {
            self.action_slots.push(action.slot());
            self.actions.push(action);
        }
        id
    }

    fn word(&mut self, utterance: Utterance) -> u32 {
        if let Some(id) = self.word_ids.get(&utterance) {
            return *id;
        }
        let id = self.words.len() as u32;
        assert!(id < 128, "a scope has at most 128 words");
        self.word_ids.insert(utterance, id);
        let mut excluded = 0;
        for (other, word) in self.words.iter_mut().enumerate() {
            if exclude(&utterance, &word.utterance) {
                excluded |= 1 << other;
                word.excluded |= 1 << id;
            }
        }
        let certificates = vec![UNKNOWN; 1 << self.hosts.len()];
        let inspired = self.inspire(utterance);
        self.words.push(Word { utterance, excluded, certificates, inspired });
        id
    }

    /// Liars that lead a later view propose a notarized block again, and vote for what they hear of.
    fn inspire(&mut self, utterance: Utterance) -> Vec<u32> {
        let (slot, block) = match utterance {
            Utterance::Proposal(proposal) => (proposal.slot, proposal.block),
            Utterance::Vote(Vote::Notarize(slot, block)) => (slot, block),
            Utterance::Vote(Vote::Nullify(_) | Vote::Finalize(..)) => return Vec::new(),
        };
        let mut actions = self.lies(&[Vote::Notarize(slot, block), Vote::Finalize(slot, block)]);
        for view in slot.view.0 + 1..=self.scope.views {
            let later = Slot { view: View(view), ..slot };
            let notarize = matches!(utterance, Utterance::Vote(_));
            if notarize && !self.stage.is_honest(self.stage.leader(later)) {
                let again = tanba_consensus::Proposal { slot: later, block, parent_view: slot.view };
                actions.push(self.action(Action::Proposal(self.stage.proposal(again))));
            }
        }
        actions
    }

    fn intern(&mut self, node: Node, origin: Option<Origin>) -> u32 {
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
        let slot = node.slot(self.stage);
        let (done, heard) = (node.is_done(self.stage), node.heard.contains(&slot));
        let recovering = node.recovery.is_some();
        let can_crash = node.lives < self.scope.crashes;
        let next = Vec::new();
        self.locals.push(Local {
            node: None,
            origin,
            recovering,
            can_crash,
            slot,
            done,
            heard,
            signed,
            decided,
            own,
            next,
        });
        self.keep(id, node);
        id
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
    fn node(&mut self, id: u32) -> Node {
        let local = &self.locals[id as usize];
        if let Some(node) = &local.node {
            return node.as_ref().clone();
        }
        let (from, action, cut) = local.origin.expect("where all began is kept");
        let mut node = self.node(from);
        node.arm(cut);
        let again = self.actions[action as usize].apply(self.stage, &mut node);
        again.expect("what succeeded once succeeds again");
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
                Timeout::View(_) | Timeout::Reproposal(_) | Timeout::BlockInterval(_) => true,
            };
            if within && counts {
                actions.push(Action::Timeout(*timeout));
            }
        }
        for (block, purpose) in &node.checks {
            actions.push(Action::Checked(*block, *purpose, Verdict::Valid));
            if self.scope.refusals && matches!(purpose, Purpose::Fresh(_)) {
                actions.push(Action::Checked(*block, *purpose, Verdict::Invalid));
            }
        }
        if within && node.build.is_some() {
            actions.push(Action::Build);
        }
        if node.deciding.is_some() {
            actions.push(Action::Commit);
        }
        if within && node.toggles < self.scope.toggles {
            actions.push(Action::Work(!node.has_work));
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

    fn pack(&self, ids: &[u32]) -> State {
        ids.iter().rev().fold(0, |state, id| state << self.bits | u128::from(*id))
    }

    fn local(&self, state: State, host: usize) -> u32 {
        (state >> (self.bits * host as u32) & ((1 << self.bits) - 1)) as u32
    }

    fn replace(&self, state: State, host: usize, id: u32) -> State {
        let shift = self.bits * host as u32;
        state & !(((1 << self.bits) - 1) << shift) | u128::from(id) << shift
    }

    /// Checks the state and notes what the network can deliver in it.
    fn offer(&mut self, state: State) -> Result<(), Violation> {
        let hosts = self.hosts.len();
        let (mut said, mut certified) = (0, 0);
        let mut signed = [0_u128; 16];
        for (host, signed) in signed.iter_mut().enumerate().take(hosts) {
            let local = &self.locals[self.local(state, host) as usize];
            *signed = local.signed;
            said |= local.signed;
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
    fn reaches(&self, local: &Local, action: u32) -> bool {
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

    /// The states after the next thing that anybody could notice: some host does whatever it does in silence, and
    /// then signs or decides. Such a step names the local state that it is taken from.
    ///
    /// Silent steps commute with all steps of other hosts, and what the network can deliver only grows. So every
    /// word that is ever said is also said in a run in which each host puts off its silence until just before
    /// its next word.
    pub fn expand_wide(&mut self, state: State, next: &mut Vec<(State, Step)>) -> Expanded {
        next.clear();
        self.offer(state).map_err(|violation| (None, violation))?;
        let mut found = Silence::new();
        for host in 0..self.hosts.len() {
            self.silence(state, host, &mut found)?;
            for (state, _) in &found {
                self.follow_host(*state, host, next)?;
            }
        }
        next.retain(|(to, step)| !self.is_silent(*to, *step));
        Ok(())
    }

    /// Whether nobody could notice the step to this state.
    fn is_silent(&self, to: State, step: Step) -> bool {
        // What a starting host is told depends on when it asks.
        if matches!(self.actions[step.action as usize], Action::Answer(..) | Action::Lose(_)) {
            return false;
        }
        let before = &self.locals[step.from as usize];
        let after = &self.locals[self.local(to, usize::from(step.host)) as usize];
        before.signed == after.signed && before.decided == after.decided
    }

    /// Fills `found` with every state that one host can reach in silence, this one first, each with the place of
    /// the one before and the step from it. Where a step fails, `found` holds the way there.
    fn silence(&mut self, state: State, host: usize, found: &mut Silence) -> Expanded {
        found.clear();
        found.push((state, None));
        let mut met: HashSet<State, Fast> = HashSet::from_iter([state]);
        let (mut at, mut next) = (0, Vec::new());
        while at < found.len() {
            next.clear();
            self.follow_host(found[at].0, host, &mut next)?;
            for (to, step) in &next {
                if self.is_silent(*to, *step) && met.insert(*to) {
                    found.push((*to, Some((at, *step))));
                }
            }
            at += 1;
        }
        Ok(())
    }

    /// The silent steps that lead a host to the local state from which `step` is taken, and that step.
    pub fn spell_out(&mut self, state: State, step: Step) -> Vec<Step> {
        let (host, mut found) = (usize::from(step.host), Silence::new());
        // Where it ends in a failure, the way to the failure is known all the same.
        let _ends = self.offer(state).is_ok() && self.silence(state, host, &mut found).is_ok();
        let place = found.iter().position(|(to, _)| self.local(*to, host) == step.from);
        let mut steps = place.map_or(Vec::new(), |place| way(&found, place));
        steps.push(step);
        steps
    }

    /// A state in which each host has gone some way in silence, drawn from `seed`, and the steps to it.
    pub fn deepen(&mut self, state: State, seed: u64) -> (State, Vec<Step>) {
        let (mut deep, mut steps, mut found) = (state, Vec::new(), Silence::new());
        for host in 0..self.hosts.len() {
            if self.silence(state, host, &mut found).is_err() {
                continue;
            }
            let place = (seed.rotate_left(13 * host as u32) % found.len() as u64) as usize;
            deep = self.replace(deep, host, self.local(found[place].0, host));
            steps.extend(way(&found, place));
        }
        (deep, steps)
    }

    /// The states that follow. Fails if this state, or a step from it, must not be.
    pub fn expand(
        &mut self,
        state: State,
        next: &mut Vec<(State, Step)>,
    ) -> Result<(), (Option<Step>, Violation)> {
        next.clear();
        self.offer(state).map_err(|violation| (None, violation))?;
        for host in 0..self.hosts.len() {
            self.follow_host(state, host, next)?;
        }
        Ok(())
    }

    /// Adds all steps of one host, with what was offered last.
    fn follow_host(&mut self, state: State, host: usize, next: &mut Vec<(State, Step)>) -> Expanded {
        let id = self.local(state, host);
        if self.locals[id as usize].done {
            return Ok(());
        }
        for place in 0..self.locals[id as usize].own.len() {
            let action = self.locals[id as usize].own[place];
            self.follow(state, host, id, action, next)?;
        }
        for place in 0..self.offered.len() {
            let action = self.offered[place];
            if self.reaches(&self.locals[id as usize], action) {
                self.follow(state, host, id, action, next)?;
            }
        }
        for action in self.answers_for(state, host) {
            self.follow(state, host, id, action, next)?;
        }
        Ok(())
    }

    fn follow(
        &mut self,
        state: State,
        host: usize,
        id: u32,
        action: u32,
        next: &mut Vec<(State, Step)>,
    ) -> Result<(), (Option<Step>, Violation)> {
        let step = |variant| Step { host: host as u8, from: id, action, variant };
        match self.next(id, action) {
            NOTHING => {}
            several if several >= SEVERAL => {
                for (variant, outcome) in &self.several[(several - SEVERAL) as usize] {
                    let to = outcome.clone().map_err(|violation| (Some(step(*variant)), violation))?;
                    if to != id {
                        next.push((self.replace(state, host, to), step(*variant)));
                    }
                }
            }
            to => next.push((self.replace(state, host, to), step(0))),
        }
        Ok(())
    }

    /// Where an action leads a host: looked up, or found out by running production code.
    fn next(&mut self, id: u32, action: u32) -> u32 {
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
            Err(panic) => Err(Violation::Panic(node.member, panic_text(panic.as_ref()))),
        };
        (outcome, promises)
    }

    /// The answers that a starting host can get now, of everyone and also of liars, who show nothing.
    fn answers_for(&mut self, state: State, host: usize) -> Vec<u32> {
        let id = self.local(state, host);
        if !self.locals[id as usize].recovering {
            return Vec::new();
        }
        let recovery = self.node(id).recovery.expect("it is recovering");
        let above = recovery.inquiry().above;
        let mut actions = Vec::new();
        for peer in (0..self.hosts.len()).filter(|peer| *peer != host) {
            let from = self.local(state, peer);
            let known = self.answers.get(&(from, above)).copied();
            actions.push(known.unwrap_or_else(|| {
                let peer = self.node(from);
                let (member, shown) = answer(self.stage, &peer, &recovery);
                // Once the journal counts as lost, only the height matters, and not what is shown of it.
                let shown = CheckedAnswer { votes: Vec::new(), proposals: Vec::new(), ..shown };
                let action = self.action(Action::Answer(member, shown));
                self.answers.insert((from, above), action);
                action
            }));
        }
        for liar in self.stage.liars.clone() {
            let nothing = CheckedAnswer { decided: None, votes: Vec::new(), proposals: Vec::new() };
            actions.push(self.action(Action::Answer(liar, nothing)));
        }
        actions
    }

    /// The hosts in this state.
    pub fn nodes(&mut self, state: State) -> Vec<Node> {
        let ids: Vec<u32> = (0..self.hosts.len()).map(|host| self.local(state, host)).collect();
        ids.into_iter().map(|id| self.node(id)).collect()
    }

    /// Whether some host has gone beyond the views that are looked at.
    pub fn is_cut_off(&self, state: State) -> bool {
        let views = self.scope.views;
        let beyond = |host| {
            let local = &self.locals[self.local(state, host) as usize];
            !local.done && local.slot.view.0 > views
        };
        (0..self.hosts.len()).any(beyond)
    }

    /// How many local states were met.
    pub fn locals(&self) -> usize {
        self.locals.len()
    }

    /// A step in words.
    pub fn describe(&self, step: Step) -> String {
        let cut = match step.variant {
            0 => String::new(),
            variant => {
                let (promise, written) = ((variant - 1) / 2 + 1, (variant - 1) % 2 == 1);
                let written = if written { "after" } else { "before" };
                format!(", and its power fails {written} the write of promise {promise}")
            }
        };
        let member = self.hosts[usize::from(step.host)];
        format!("member {member} {}{cut}", self.actions[step.action as usize].describe())
    }
}

/// Whether the certificates of two words cannot both be, by the protocol's promises.
fn exclude(a: &Utterance, b: &Utterance) -> bool {
    let (Utterance::Vote(a), Utterance::Vote(b)) = (a, b) else { return false };
    let different = |a: BlockHash, b: BlockHash| a != b;
    match (*a, *b) {
        (Vote::Finalize(at, x), Vote::Finalize(also, y)) => at.height == also.height && different(x, y),
        (Vote::Notarize(at, x), Vote::Notarize(also, y)) => at == also && different(x, y),
        (Vote::Finalize(at, _), Vote::Nullify(also)) | (Vote::Nullify(at), Vote::Finalize(also, _)) => {
            at == also
        }
        _ => false,
    }
}

/// The steps to one of the states found.
fn way(found: &Silence, place: usize) -> Vec<Step> {
    let (mut steps, mut at) = (Vec::new(), place);
    while let Some((before, step)) = found[at].1 {
        steps.push(step);
        at = before;
    }
    steps.reverse();
    steps
}

/// What a panic said.
pub fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message").to_owned()
}
