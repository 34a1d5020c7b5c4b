//! The transition system. A state of the world is one *local state* for each honest host: what was signed is
//! part of them, and nothing else lies between hosts, for the network may deliver anything that can be made of
//! what was signed, at any time, to anyone, or never.
//!
//! So production code runs only once for each local state and each action on it. The rest is arithmetic on
//! numbers, and states of the world are told apart exactly, not by a hash.

use std::collections::{HashMap, VecDeque};

use tanba_consensus::Utterance;
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

mod hosts;
mod offers;
mod wide;

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

/// What a starting host still has to hear.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Asks {
    /// Nothing: it started long ago.
    Nothing,
    /// That so many more have heard nothing from it but what its journal holds: so many have said it.
    Memories { answered: usize },
    /// Where the others are, above this height.
    Heights { above: Height },
}

/// A host's state, and what follows from it alone.
struct Local {
    node: Option<Box<Node>>,
    origin: Option<Origin>,
    asks: Asks,
    can_crash: bool,
    slot: Slot,
    done: bool,
    heard: bool,
    signed: u128,
    decided: u128,
    /// Bodies that it gives to others, and those that it asks for.
    holds: u64,
    wants: u64,
    /// Number of what it is to a healed network.
    essence: u32,
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
    essence_ids: HashMap<u128, u32, Fast>,
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
    /// Each block that somebody holds or wants, with the arrival of its body.
    bodies: Vec<(BlockHash, u32)>,
    /// Those of them that liars have, and those that anybody has now.
    invented: u64,
    spread: u64,
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
            essence_ids: HashMap::default(),
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
            bodies: Vec::new(),
            invented: 0,
            spread: 0,
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
        let mut given = self.locals[id as usize].wants & self.spread;
        while given != 0 {
            let (_, action) = self.bodies[given.trailing_zeros() as usize];
            given &= given - 1;
            self.follow(state, host, id, action, next)?;
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

    /// The hosts in this state.
    pub fn nodes(&mut self, state: State) -> Vec<Node> {
        let ids: Vec<u32> = (0..self.hosts.len()).map(|host| self.local(state, host)).collect();
        ids.into_iter().map(|id| self.node(id)).collect()
    }

    /// What healing depends on: states that give the same heal alike.
    pub fn essence(&self, state: State) -> State {
        let essence = |host| self.locals[self.local(state, host) as usize].essence;
        let ids: Vec<u32> = (0..self.hosts.len()).map(essence).collect();
        self.pack(&ids)
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

/// What a panic said.
pub fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message").to_owned()
}
