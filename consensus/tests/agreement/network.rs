//! Four engines, a queue that reorders and loses, crashes that keep only the journal, and a liar.
//!
//! Each seed is one deterministic run in two phases. In the bad one, messages are lost, nodes crash at any
//! moment (also between the sync of a promise and its sending, and all at once), live checks refuse at random,
//! and member 3 is not like the others: in half of the runs it signs everything for everyone, else it may lose
//! its journal in a crash. Then the network heals, as the model of
//! partial synchrony promises, and every honest node must decide the same blocks up to the target, and after
//! that fall silent: not one timer may be left running.

use std::collections::{BTreeMap, BTreeSet};

use tanba_consensus::Verdict::{Invalid, Valid};
use tanba_consensus::{
    Admission, Engine, Guard, Input, Output, Proposal, Purpose, Record, SignedProposal, Standing,
    StartHeight, Timeout, Utterance, Wanted,
    recovery::{CheckedAnswer, Loss, Recovery, Verdict},
};
use tanba_crypto::Hash;
use tanba_ledger::{
    BlockHash, Certificate, CertificateKind, Height, SignedVote, Slot, ValidatorIndex, ValidatorSet, View,
    Vote, certificate::Electorate,
};

use crate::support::*;

const MEMBERS: usize = 4;
const LIAR: usize = 3;
const TARGET: Height = Height(3);
const BAD_PHASE_MS: u64 = 15_000;
const GIVE_UP_MS: u64 = 600_000;

/// A small generator of our own, so that a seed means the same run for ever (Steele, Lea and Flood 2014).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

#[derive(Clone, Debug)]
enum Message {
    Proposal(SignedProposal, Option<Certificate>),
    Vote(SignedVote),
    Certificate(Certificate),
    Standing(Standing),
    Justification(Vec<Certificate>),
    Wanted(Wanted),
    /// Transactions for whoever can use them.
    Work,
    /// A decided block of the receiver's height.
    Final(Certificate),
    /// "I am at this height": what peers exchange when they connect.
    Head(Slot),
}

impl Message {
    fn height(&self) -> Option<Height> {
        match self {
            Message::Proposal(signed, _) => Some(signed.proposal.slot.height),
            Message::Vote(signed) => Some(signed.vote.slot().height),
            Message::Certificate(certificate) | Message::Final(certificate) => {
                Some(certificate.slot().height)
            }
            Message::Standing(standing) => Some(standing.slot.height),
            Message::Justification(list) => list.first().map(|certificate| certificate.slot().height),
            Message::Wanted(wanted) => Some(wanted.first.height),
            Message::Head(slot) => Some(slot.height),
            Message::Work => None,
        }
    }
}

enum Event {
    Deliver { to: usize, from: usize, message: Message },
    Wake { node: usize, life: u32, timeout: Timeout },
    Answer { node: usize, life: u32, input: Input },
}

struct Node {
    engine: Engine,
    guard: Guard,
    /// The disk: promises, and decided blocks.
    journal: Vec<Record>,
    decided: Vec<Certificate>,
    /// Counts restarts, so that what an earlier life waited for does not reach a later one.
    life: u32,
    /// Journal and store were lost: it never speaks again.
    retired: bool,
    /// Whether its clients still have something to submit.
    has_clients: bool,
    early: Vec<(usize, Message)>,
}

/// What may go wrong besides the network itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trouble {
    /// Crashes, lost journals, and in half of the runs a liar.
    All,
    /// A liar in every run, and no crashes, so that it can work undisturbed.
    Liar,
}

struct Network {
    chance: Chance,
    nodes: Vec<Node>,
    queue: BTreeMap<(u64, u64), Event>,
    sequence: u64,
    now_ms: u64,
    has_liar: bool,
    crashes: bool,
    /// How bad the bad phase is.
    lost_percent: u64,
    slowest_ms: u64,
    refused_percent: u64,
    validators: ValidatorSet,
    certified: BTreeMap<(Slot, CertificateKind), Vote>,
    liar_said: BTreeSet<Slot>,
}

impl Network {
    fn new(seed: u64, trouble: Trouble) -> Network {
        let mut chance = Chance(seed);
        let has_liar = trouble == Trouble::Liar || chance.percent(50);
        let crashes = trouble == Trouble::All;
        let lost_percent = [5, 30, 50, 70][chance.below(4) as usize];
        let slowest_ms = [20, 400, 2_000][chance.below(3) as usize];
        let refused_percent = [0, 10, 60][chance.below(3) as usize];
        let nodes = (0..MEMBERS)
            .map(|member| {
                let (guard, owner) = Guard::create(CHAIN, key(member).public());
                Node {
                    engine: Engine::new(CONFIG),
                    guard,
                    journal: vec![owner],
                    decided: Vec::new(),
                    life: 0,
                    retired: false,
                    has_clients: member == 0 || chance.percent(30),
                    early: Vec::new(),
                }
            })
            .collect();
        let mut network = Network {
            chance,
            nodes,
            queue: BTreeMap::new(),
            sequence: 0,
            now_ms: 0,
            has_liar,
            crashes,
            lost_percent,
            slowest_ms,
            refused_percent,
            validators: set(MEMBERS),
            certified: BTreeMap::new(),
            liar_said: BTreeSet::new(),
        };
        for member in 0..MEMBERS {
            network.start_height(member);
        }
        network
    }

    fn honest(&self) -> std::ops::Range<usize> {
        0..if self.has_liar { LIAR } else { MEMBERS }
    }

    fn bad(&self) -> bool {
        self.now_ms < BAD_PHASE_MS
    }

    fn at(&mut self, delay_ms: u64, event: Event) {
        self.sequence += 1;
        self.queue.insert((self.now_ms + delay_ms, self.sequence), event);
    }

    fn send(&mut self, from: usize, to: usize, message: Message) {
        if self.bad() && self.chance.percent(self.lost_percent) {
            return;
        }
        let slowest_ms = if self.bad() { self.slowest_ms } else { 20 };
        let delay_ms = 1 + self.chance.below(slowest_ms);
        self.at(delay_ms, Event::Deliver { to, from, message });
    }

    fn broadcast(&mut self, from: usize, message: &Message) {
        for to in (0..MEMBERS).filter(|to| *to != from) {
            self.send(from, to, message.clone());
        }
    }

    fn height(&self, node: usize) -> Height {
        Height(self.nodes[node].decided.len() as u64 + 1)
    }

    fn start_height(&mut self, member: usize) {
        let height = self.height(member);
        let validators = self.validators.clone();
        let electorate = Electorate { chain: &CHAIN, height, validators: &validators };
        let node = &mut self.nodes[member];
        let recovered = node.guard.recovered(electorate).expect("our own journal verifies");
        let may_speak = node.guard.may_speak_at(height) && !node.retired;
        let own = may_speak.then_some(ValidatorIndex(member as u16));
        let has_work = node.has_clients && height <= TARGET;
        self.input(
            member,
            Input::StartHeight(StartHeight { height, validators: validators.clone(), own, recovered }),
        );
        self.input(member, Input::Work(has_work));
        for (from, message) in std::mem::take(&mut self.nodes[member].early) {
            self.deliver(member, from, message);
        }
    }

    fn input(&mut self, member: usize, input: Input) {
        self.nodes[member].engine.handle(input);
        while let Some(output) = self.nodes[member].engine.next_output() {
            let life = self.nodes[member].life;
            self.perform(member, output);
            if self.nodes[member].life != life {
                return;
            }
        }
    }

    fn perform(&mut self, member: usize, output: Output) {
        let life = self.nodes[member].life;
        match output {
            Output::Entered(_) => {}
            Output::Build(slot) => {
                let mut name = [member as u8; 32];
                name[1] = slot.height.0 as u8;
                name[2] = slot.view.0 as u8;
                let input = Input::Built { slot, block: BlockHash(Hash(name)) };
                self.at(3, Event::Answer { node: member, life, input });
            }
            Output::Check { block, purpose, .. } => {
                let refused = matches!(purpose, Purpose::Fresh(_))
                    && self.bad()
                    && self.chance.percent(self.refused_percent);
                let verdict = if refused { Invalid } else { Valid };
                let delay_ms = 1 + self.chance.below(10);
                let input = Input::BlockChecked { block, purpose, verdict };
                self.at(delay_ms, Event::Answer { node: member, life, input });
            }
            Output::Speak { utterance, grounds } => self.speak(member, &utterance, &grounds),
            Output::Broadcast(certificate) => {
                self.witness(&certificate);
                self.broadcast(member, &Message::Certificate(certificate));
            }
            Output::Resend(standing) => self.broadcast(member, &Message::Standing(standing)),
            Output::SendJustification { to, certificates } => {
                self.send(member, to.at(), Message::Justification(certificates));
            }
            Output::PullJustification { from, wanted } => {
                self.send(member, from.at(), Message::Wanted(wanted))
            }
            Output::SendFinalization { to, height } => self.send_final(member, to.at(), height),
            Output::ForwardWork(audience) => match audience {
                tanba_consensus::Audience::Leader(leader) => self.send(member, leader.at(), Message::Work),
                tanba_consensus::Audience::All => self.broadcast(member, &Message::Work),
            },
            Output::ScheduleTimeout { timeout, delay_ms } => {
                self.at(delay_ms, Event::Wake { node: member, life, timeout });
            }
            Output::Decide(certificate) => self.commit(member, certificate),
            Output::Equivocation(evidence) => {
                let electorate =
                    Electorate { chain: &CHAIN, height: evidence.height(), validators: &self.validators };
                assert!(self.has_liar, "nobody lies here");
                assert_eq!(evidence.offender(electorate).at(), LIAR, "only a liar contradicts himself");
            }
            Output::Diverged { .. } => panic!("every notarized block is valid here"),
        }
    }

    /// The host's part of a promise: guard, one sync, send, hand back; with a power cut in between at times.
    fn speak(&mut self, member: usize, utterance: &Utterance, grounds: &[Record]) {
        let own = ValidatorIndex(member as u16);
        let node = &mut self.nodes[member];
        let admission = node.guard.admit(utterance, grounds).expect("the engine asks for nothing forbidden");
        let Admission::New(promise) = admission else { panic!("the engine does not repeat itself") };
        let signature = match utterance {
            Utterance::Vote(vote) => sign(*vote, member).signature,
            Utterance::Proposal(proposal) => sign_proposal(*proposal, MEMBERS).signature,
        };
        let cut = self.crashes && self.bad() && self.chance.percent(3);
        let node = &mut self.nodes[member];
        if cut && self.chance.percent(50) {
            return self.crash(member);
        }
        let records = promise.into_records(own, signature);
        node.guard.remember(&records);
        node.journal.extend(records);
        if cut {
            return self.crash(member);
        }
        match utterance {
            Utterance::Vote(vote) => {
                let signed = sign(*vote, member);
                self.broadcast(member, &Message::Vote(signed));
                let input = Input::Vote(checked_vote(signed, &self.validators));
                self.input(member, input);
            }
            Utterance::Proposal(proposal) => {
                let signed = sign_proposal(*proposal, MEMBERS);
                let notarization = grounds.iter().find_map(|ground| match ground {
                    Record::Certificate(certificate)
                        if certificate.kind() == CertificateKind::Notarization =>
                    {
                        Some(certificate.clone())
                    }
                    _ => None,
                });
                self.broadcast(member, &Message::Proposal(signed, notarization));
                let input = Input::Proposal(checked_proposal(signed, &self.validators));
                self.input(member, input);
            }
        }
    }

    /// A certificate that an honest node vouches for: one block a view, and never finalized beside nullified.
    fn witness(&mut self, certificate: &Certificate) {
        let (slot, vote) = (certificate.slot(), certificate.vote);
        let first = *self.certified.entry((slot, certificate.kind())).or_insert(vote);
        assert_eq!(first, vote, "two certificates of one kind in {slot:?}");
        let has = |kind| self.certified.contains_key(&(slot, kind));
        assert!(
            !(has(CertificateKind::Finalization) && has(CertificateKind::Nullification)),
            "{slot:?} is finalized and nullified"
        );
    }

    fn commit(&mut self, member: usize, certificate: Certificate) {
        let height = self.height(member);
        assert_eq!(certificate.slot().height, height, "blocks are committed in order");
        self.witness(&certificate);
        for other in self.honest() {
            if let Some(theirs) = self.nodes[other].decided.get(height.0 as usize - 1) {
                assert_eq!(theirs.vote.block(), certificate.vote.block(), "agreement at height {height}");
            }
        }
        let node = &mut self.nodes[member];
        if let Some(cover) = node.guard.cover(height) {
            node.guard.remember(std::slice::from_ref(&cover));
            node.journal.push(cover);
        }
        node.decided.push(certificate);
        node.guard.commit(height);
        node.journal = node.guard.compacted();
        self.start_height(member);
    }

    fn crash(&mut self, member: usize) {
        let node = &mut self.nodes[member];
        node.life += 1;
        node.engine = Engine::new(CONFIG);
        node.guard = Guard::replay(&node.journal, CHAIN, key(member).public()).expect("our own journal");
        node.guard.commit(Height(node.decided.len() as u64));
        node.early.clear();
        assert!(node.guard.end() >= Height(node.decided.len() as u64), "a crash is no loss");
        if member == LIAR && !self.has_liar && self.chance.percent(20) {
            self.lose_journal(member);
        }
        self.start_height(member);
        let slot = Slot { height: self.height(member), view: self.nodes[member].engine.view() };
        self.broadcast(member, &Message::Head(slot));
    }

    /// The start-up protocol of a node without its journal; the others answer at once.
    fn lose_journal(&mut self, member: usize) {
        let own = key(member).public();
        let head = Height(self.nodes[member].decided.len() as u64);
        let mut recovery = Recovery::begin(own, self.validators.clone(), head, Err(Loss::Missing));
        for other in (0..MEMBERS).filter(|other| *other != member) {
            let decided = self.nodes[other].decided.last().cloned();
            let answer = self.nodes[other].engine.answer_inquiry(&recovery.inquiry(), decided);
            let check = |certificate| checked_certificate(certificate, &self.validators);
            let answer = CheckedAnswer {
                decided: answer.decided.map(check),
                votes: answer.votes.into_iter().map(|vote| checked_vote(vote, &self.validators)).collect(),
                proposals: Vec::new(),
            };
            recovery.on_answer(key(other).public(), &answer, None);
        }
        let node = &mut self.nodes[member];
        match recovery.verdict() {
            Verdict::AbstainThrough(_) => {
                node.journal = recovery.new_journal(CHAIN);
                node.guard = Guard::replay(&node.journal, CHAIN, own).expect("our own journal");
                node.guard.commit(head);
            }
            Verdict::Retire => node.retired = true,
            verdict => panic!("everyone answered, yet {verdict:?}"),
        }
    }

    fn send_final(&mut self, from: usize, to: usize, height: Height) {
        let decided = height.0.checked_sub(1).and_then(|at| self.nodes[from].decided.get(at as usize));
        if let Some(certificate) = decided.cloned() {
            self.send(from, to, Message::Final(certificate));
        }
    }

    fn deliver(&mut self, to: usize, from: usize, message: Message) {
        if self.has_liar && to == LIAR {
            self.lie(&message);
        }
        let own = self.height(to);
        if let Some(height) = message.height().filter(|height| *height > own) {
            // Behind: ask for the block; keep what belongs to the next height.
            self.send_final(from, to, own);
            if height == own.next() && self.nodes[to].early.len() < 200 {
                self.nodes[to].early.push((from, message));
            }
            return;
        }
        let peer = ValidatorIndex(from as u16);
        let life = self.nodes[to].life;
        let validators = self.validators.clone();
        let mut inputs = Vec::new();
        let present = |height: Height| height == own;
        match message {
            Message::Proposal(signed, notarization) => {
                let notarization = notarization.filter(|held| present(held.slot().height));
                inputs.extend(
                    notarization.map(|held| Input::Certificate(checked_certificate(held, &validators))),
                );
                inputs.push(Input::Proposal(checked_proposal(signed, &validators)));
            }
            Message::Vote(signed) => inputs.push(Input::Vote(checked_vote(signed, &validators))),
            Message::Certificate(certificate) if present(certificate.slot().height) => {
                inputs.push(Input::Certificate(checked_certificate(certificate, &validators)));
            }
            Message::Standing(standing) => inputs.extend(self.standing(peer, standing, own)),
            Message::Justification(list) => {
                let list = list.into_iter().filter(|one| present(one.slot().height));
                let list = list.map(|one| checked_certificate(one, &validators)).collect();
                inputs.push(Input::Justification(list));
            }
            Message::Wanted(wanted) => inputs.push(Input::JustificationAsked { by: peer, wanted }),
            Message::Head(slot) => inputs.push(Input::PeerAt { peer, slot }),
            Message::Work => inputs.push(Input::Work(own <= TARGET)),
            Message::Final(certificate) if present(certificate.slot().height) => {
                return self.commit(to, certificate);
            }
            Message::Certificate(_) | Message::Final(_) => {}
        }
        for input in inputs {
            if self.nodes[to].life == life && self.height(to) == own {
                self.input(to, input);
            }
        }
    }

    fn standing(&self, peer: ValidatorIndex, standing: Standing, own: Height) -> Vec<Input> {
        let mut inputs = Vec::new();
        let validators = &self.validators;
        if standing.slot.height == own {
            let list = standing.justification.into_iter();
            let list = list.map(|one| checked_certificate(one, validators)).collect();
            inputs.push(Input::Justification(list));
        }
        inputs.extend(standing.proposal.map(|one| Input::Proposal(checked_proposal(one, validators))));
        inputs.extend(standing.votes.into_iter().map(|one| Input::Vote(checked_vote(one, validators))));
        inputs.push(Input::PeerAt { peer, slot: standing.slot });
        inputs
    }

    /// The liar answers whatever it hears with votes for anything, different ones to different peers; its
    /// engine runs on beside that and leads its views like an honest one.
    fn lie(&mut self, message: &Message) {
        let (slot, blocks) = match message {
            Message::Proposal(signed, _) => (signed.proposal.slot, vec![signed.proposal.block]),
            Message::Vote(signed) => (signed.vote.slot(), signed.vote.block().into_iter().collect()),
            _ => return,
        };
        let bogus = BlockHash(Hash([0xbb; 32]));
        for to in 0..LIAR {
            let block =
                if self.chance.percent(80) { blocks.first().copied().unwrap_or(bogus) } else { bogus };
            for vote in [Vote::Notarize(slot, block), Vote::Nullify(slot), Vote::Finalize(slot, block)] {
                if self.chance.percent(60) {
                    self.send(LIAR, to, Message::Vote(sign(vote, LIAR)));
                }
            }
        }
        let ahead = Slot { view: View(slot.view.0 + 1), ..slot };
        if self.validators.leader(ahead.height, ahead.view).at() == LIAR && self.liar_said.insert(ahead) {
            for to in 0..LIAR {
                let block = BlockHash(Hash([0xb0 + self.chance.below(2) as u8; 32]));
                let proposal = Proposal { slot: ahead, block, parent_view: View::NONE };
                self.send(LIAR, to, Message::Proposal(sign_proposal(proposal, MEMBERS), None));
            }
        }
    }

    fn step(&mut self) -> bool {
        let Some(((now_ms, _), event)) = self.queue.pop_first() else { return false };
        self.now_ms = now_ms;
        match event {
            Event::Deliver { to, from, message } => self.deliver(to, from, message),
            Event::Wake { node, life, timeout } if life == self.nodes[node].life => {
                self.input(node, Input::TimeoutElapsed(timeout));
            }
            Event::Answer { node, life, input } if life == self.nodes[node].life => self.input(node, input),
            Event::Wake { .. } | Event::Answer { .. } => {}
        }
        if self.crashes && self.bad() && self.chance.below(150) == 0 {
            let all = self.chance.percent(20);
            let one = self.chance.below(MEMBERS as u64) as usize;
            for member in (0..MEMBERS).filter(|member| all || *member == one) {
                self.crash(member);
            }
        }
        true
    }

    /// Runs to silence.
    fn run(&mut self) {
        let mut healed = false;
        loop {
            let next_ms = self.queue.first_key_value().map_or(BAD_PHASE_MS, |((at_ms, _), _)| *at_ms);
            if !healed && next_ms >= BAD_PHASE_MS {
                // Connections are made anew: heads are exchanged, and clients submit again.
                (healed, self.now_ms) = (true, BAD_PHASE_MS);
                for member in 0..MEMBERS {
                    let slot = Slot { height: self.height(member), view: self.nodes[member].engine.view() };
                    self.broadcast(member, &Message::Head(slot));
                    let has_work = self.nodes[member].has_clients && slot.height <= TARGET;
                    self.input(member, Input::Work(has_work));
                }
            }
            assert!(self.now_ms < GIVE_UP_MS, "the network does not come to rest");
            if !self.step() {
                return;
            }
        }
    }
}

fn run(seed: u64, trouble: Trouble) {
    let mut network = Network::new(seed, trouble);
    network.run();
    for member in network.honest() {
        let decided = network.nodes[member].decided.len() as u64;
        assert!(decided >= TARGET.0, "seed {seed}: member {member} decided {decided} blocks");
    }
}

/// Runs this many seeds, or as many as `TANBA_SEEDS` says, for a long night.
fn run_seeds(count: u64, trouble: Trouble) {
    let count = std::env::var("TANBA_SEEDS").map_or(count, |count| count.parse().expect("a number of seeds"));
    for seed in 0..count {
        if let Err(panic) = std::panic::catch_unwind(|| run(seed, trouble)) {
            eprintln!("seed {seed} fails");
            std::panic::resume_unwind(panic);
        }
    }
}

#[test]
fn honest_nodes_agree_progress_and_come_to_rest() {
    run_seeds(300, Trouble::All);
}

#[test]
fn a_liar_neither_divides_nor_stops_the_others() {
    run_seeds(1_000, Trouble::Liar);
}

#[test]
fn a_seed_gives_the_same_run_twice() {
    let history = |seed| {
        let mut network = Network::new(seed, Trouble::All);
        network.run();
        let blocks: Vec<Vec<Certificate>> = network.nodes.into_iter().map(|node| node.decided).collect();
        (network.now_ms, network.sequence, blocks)
    };
    assert_eq!(history(7), history(7));
}
