//! A cluster of the real [`Replica`](tanba_node::replica::Replica), over simulated clocks, network and disks,
//! deterministic from one seed.
//!
//! Universities vote (nodes 0 and on), two regulators observe. Every event lies in one queue ordered by
//! simulated time; nothing waits, nothing is concurrent, and the same seed gives the same run.
//!
//! Read in this order: this page (what a test does to a cluster); [`node`] (what lives through a crash);
//! [`network`]; `happen` (the loop); [`witness`] (what is checked at every step).

mod happen;
pub mod network;
pub mod node;
pub mod random;
pub mod witness;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt::Display,
};

use tanba_consensus::Config;
use tanba_crypto::{Canonical, PublicKey, Verified};
use tanba_ledger::{
    BlockHash, Height, Timestamp, Transaction,
    record::{NetworkKind, PeerKind},
    testkit::{self, REGULATORS, UNIVERSITIES, World},
};
use tanba_node::{
    delays,
    handle::Outcome,
    message::Message,
    replica::event::{ChannelId, Event, RequestId, SubmissionId},
};
use tanba_storage::StoreError;

pub use self::network::{FAIR, Weather};
use self::{
    network::Links,
    node::{Node, OpenError},
    random::Random,
    witness::{Owed, Witness},
};
use crate::sim::{Fault, Hits, Trace, adversary::Wicked};

/// Events in one simulated millisecond, at most; storms of hostile messages come to some hundreds.
const AT_ONCE_MAX: u64 = 20_000;

/// Delays as a devnet has them; late votes are compared for a short while only, so that this ends within a run.
pub fn delays() -> Config {
    Config { evidence_window: 16, ..delays::of(NetworkKind::Devnet) }
}

/// What waits in the queue.
#[derive(Debug)]
struct Due {
    node: usize,
    /// Meant for this life of the node; `None` for whichever lives then.
    life: Option<u64>,
    /// Who sent it over the network, and as the how manieth message.
    sent: Option<(usize, u64)>,
    /// `None` wakes a node that was paused or busy.
    event: Option<Event>,
}

/// A question under way: who asked in which life, under which name, and whom.
#[derive(Clone, Copy, Debug)]
struct Question {
    asker: usize,
    life: u64,
    id: RequestId,
    asked: usize,
}

/// The cluster.
pub struct Cluster {
    /// The universities' nodes, then the regulators'.
    pub nodes: Vec<Node>,
    /// Signs transactions and knows genesis.
    pub world: World,
    /// The network.
    pub links: Links,
    /// What became of each submission.
    pub outcomes: BTreeMap<SubmissionId, Outcome>,
    /// Nodes that had to stop, and why. A stop that no test allowed is a failure.
    pub stopped: BTreeMap<usize, String>,
    /// Sees everything, and fails the run at the first thing that must not be.
    pub witness: Witness,
    /// Nodes that die at a write while the power stays: what they wrote is there when they start again.
    pub killed_in_step: BTreeSet<usize>,
    /// Nodes that do not keep to the protocol.
    pub wicked: BTreeMap<usize, Wicked>,
    /// How often each kind of fault did something.
    pub hits: Hits,
    /// What happened, if anyone wants to read it.
    pub trace: Trace,
    /// All chance comes from here.
    pub random: Random,
    universities: usize,
    queue: BTreeMap<(u64, u64), Due>,
    /// What arrived at nodes that were paused or busy, oldest first.
    waiting: BTreeMap<usize, VecDeque<Due>>,
    questions: BTreeMap<ChannelId, Question>,
    answered: BTreeSet<(usize, u64, RequestId)>,
    now_ms: u64,
    numbered: u64,
}

impl Cluster {
    /// A cluster of four universities that has just been founded; every node is started.
    pub fn seeded(seed: u64) -> Cluster {
        let mut cluster = Cluster::founded(UNIVERSITIES, seed, Trace::silent());
        for node in 0..cluster.nodes.len() {
            cluster.start(node);
        }
        cluster
    }

    /// A cluster of so many universities that has just been founded; nothing runs yet.
    pub fn founded(universities: usize, seed: u64, trace: Trace) -> Cluster {
        let world = node::world(universities);
        Cluster {
            nodes: (0..universities + REGULATORS).map(|number| Node::founded(universities, number)).collect(),
            witness: Witness::new(world.chain, world.tip.validators.clone()),
            world,
            links: Links::default(),
            outcomes: BTreeMap::new(),
            stopped: BTreeMap::new(),
            killed_in_step: BTreeSet::new(),
            wicked: BTreeMap::new(),
            hits: Hits::default(),
            trace,
            random: Random::new(seed),
            universities,
            queue: BTreeMap::new(),
            waiting: BTreeMap::new(),
            questions: BTreeMap::new(),
            answered: BTreeSet::new(),
            now_ms: 1_000,
            numbered: 0,
        }
    }

    /// Universities, and so validators.
    pub const fn universities(&self) -> usize {
        self.universities
    }

    /// The true time, in milliseconds since genesis.
    pub const fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// The true wall clock.
    pub fn wall(&self) -> Timestamp {
        testkit::GENESIS_TIME.saturating_add_ms(self.now_ms)
    }

    /// Notes what happens.
    pub fn note(&mut self, what: impl FnOnce() -> String) {
        self.trace.note(self.now_ms, what);
    }

    /// Starts a node on what its disk holds. A damaged store is set aside and made anew, as a node does it by
    /// itself.
    ///
    /// # Panics
    /// If the node does not open, and was not allowed to stop.
    pub fn start(&mut self, node: usize) {
        let (chain, universities) = (self.world.chain, self.universities);
        assert!(self.nodes[node].replica.is_none(), "node {node} runs already");
        let mut opened = self.nodes[node].open(&chain, universities);
        if let Err(OpenError::Store(error @ StoreError::Damaged { .. })) = &opened {
            let found = error.to_string();
            assert!(self.witness.may_be_damaged(node), "node {node} finds damage nobody did: {found}");
            self.note(|| format!("node {node}: {found}"));
            self.set_aside(node);
            opened = self.nodes[node].open(&chain, universities);
        }
        if let Err(error) = opened {
            self.stop(node, &format!("{error:?}"));
            return;
        }
        self.note(|| format!("node {node} starts"));
        self.witness.started(node, &self.nodes[node]);
        let life = self.nodes[node].life;
        self.put(0, node, Some(life), None, Event::Started);
        for other in 0..self.nodes.len() {
            if self.are_joined(node, other) {
                self.introduce(node, other);
            }
        }
    }

    /// Kills a node's process. The system under it goes on: what was written and not synced is still read.
    pub fn kill(&mut self, node: usize) {
        self.note(|| format!("node {node} is killed"));
        self.nodes[node].disk.kill();
        self.ended(node);
    }

    /// Takes a node's power: what it had not synced is gone.
    pub fn crash(&mut self, node: usize) {
        self.crash_keeping(node, |_| false);
    }

    /// As [`Cluster::crash`], but what `survives` of the writes that were not synced had reached the disk.
    pub fn crash_keeping(&mut self, node: usize, survives: impl Fn(usize) -> bool) {
        self.note(|| format!("node {node} crashes"));
        self.nodes[node].disk.crash_keeping(survives);
        self.ended(node);
    }

    fn ended(&mut self, node: usize) {
        if let Some(head) = self.nodes[node].head() {
            self.witness.was_at(node, head);
        }
        self.nodes[node].end();
        // What had reached the process, and waited there, is gone with it.
        self.waiting.remove(&node);
        let key = self.nodes[node].key;
        for other in self.others(node, None) {
            if self.nodes[other].replica.is_some() {
                self.put(1, other, None, None, Event::Disconnected(key));
            }
        }
    }

    /// Cuts every way between two groups, or mends all ways when one group is empty. Neither side notices.
    pub fn partition(&mut self, left: &[usize], right: &[usize]) {
        self.links.cut.clear();
        for (a, b) in left.iter().flat_map(|a| right.iter().map(move |b| (*a, *b))) {
            self.links.cut.extend([(a, b), (b, a)]);
        }
    }

    /// Two nodes lose their connection, and know it.
    pub fn part(&mut self, a: usize, b: usize) {
        if self.links.parted.insert((a.min(b), a.max(b))) {
            self.hits.count(Fault::Disconnection);
            for (here, there) in [(a, b), (b, a)] {
                let key = self.nodes[there].key;
                self.put(1, here, None, None, Event::Disconnected(key));
            }
        }
    }

    /// Two nodes are connected again.
    pub fn join(&mut self, a: usize, b: usize) {
        if self.links.parted.remove(&(a.min(b), a.max(b))) && self.are_joined(a, b) {
            self.introduce(a, b);
        }
    }

    /// A peer says something to a node, over whatever network there is.
    pub fn say(&mut self, from: usize, to: usize, message: Message) {
        let from = self.nodes[from].key;
        self.put(1, to, None, None, Event::Message { from, message });
    }

    /// Submits a transaction through a node.
    pub fn submit(&mut self, node: usize, transaction: Verified<Transaction>) -> SubmissionId {
        self.numbered += 1;
        let id = SubmissionId(self.numbered);
        self.witness.submitted(id, transaction.id());
        let length_bytes = transaction.to_canonical().len();
        self.put(0, node, None, None, Event::Submitted { id, transaction, length_bytes });
        id
    }

    /// Runs for so many simulated milliseconds.
    pub fn run_ms(&mut self, ms: u64) {
        let end = self.now_ms + ms;
        let mut at_once = 0;
        while let Some(((at, _), _)) = self.queue.first_key_value() {
            if *at > end {
                break;
            }
            let ((at, _), due) = self.queue.pop_first().expect("seen above");
            at_once = if at == self.now_ms { at_once + 1 } else { 1 };
            assert!(
                at_once <= AT_ONCE_MAX,
                "time stands still: {AT_ONCE_MAX} events in one millisecond, now {due:?}"
            );
            self.now_ms = at;
            self.happen(due);
        }
        self.now_ms = end;
    }

    /// Runs until `done` says so; panics after `ms_max` simulated milliseconds.
    pub fn run_until(&mut self, ms_max: u64, what: impl Display, done: impl Fn(&Cluster) -> bool) {
        let end = self.now_ms + ms_max;
        while !done(self) {
            assert!(self.now_ms < end, "{what}: not within {ms_max} ms; heads {:?}", self.heads());
            self.run_ms(10);
        }
    }

    /// The heads of the running nodes; `None` for those that are down.
    pub fn heads(&self) -> Vec<Option<Height>> {
        let head = |node: &Node| node.status.as_ref().filter(|_| node.replica.is_some()).map(|s| s.height);
        self.nodes.iter().map(head).collect()
    }

    /// The highest block that any honest node committed.
    pub fn highest(&self) -> (Height, BlockHash) {
        self.witness.highest()
    }

    /// Whether a submission is final.
    pub fn is_final(&self, id: SubmissionId) -> bool {
        matches!(self.outcomes.get(&id), Some(Outcome::Final(_)))
    }

    /// Every acknowledged transaction must be on every running honest node that is as high as its block, and at
    /// its place.
    pub fn check_nothing_acknowledged_is_lost(&self) {
        for (number, node) in self.nodes.iter().enumerate() {
            if let (Some(reader), false) = (&node.reader, self.wicked.contains_key(&number)) {
                self.witness.check_acknowledged(number, reader);
            }
        }
    }

    /// The validators' nodes other than this one and its twins.
    pub fn validators_besides(&self, node: usize) -> Vec<usize> {
        self.others(node, Some(PeerKind::Validator))
    }

    /// The nodes other than this one and its twins, of a kind or of any.
    fn others(&self, node: usize, kind: Option<PeerKind>) -> Vec<usize> {
        let key = self.nodes[node].key;
        let fits = |other: &usize| {
            self.nodes[*other].key != key && kind.is_none_or(|kind| self.nodes[*other].kind == kind)
        };
        (0..self.nodes.len()).filter(fits).collect()
    }

    /// Whether two nodes run and nothing parts them.
    fn are_joined(&self, a: usize, b: usize) -> bool {
        let runs = |node: usize| self.nodes[node].replica.is_some();
        self.nodes[a].key != self.nodes[b].key
            && runs(a)
            && runs(b)
            && !self.links.parted.contains(&(a.min(b), a.max(b)))
    }

    fn introduce(&mut self, a: usize, b: usize) {
        for (here, there) in [(a, b), (b, a)] {
            let key = self.nodes[there].key;
            self.put(1, here, None, None, Event::Connected(key));
        }
    }

    /// The nodes that go by a key: one, or two if it has a twin.
    fn known_as(&self, key: &PublicKey) -> Vec<usize> {
        (0..self.nodes.len()).filter(|node| self.nodes[*node].key == *key).collect()
    }

    fn put(
        &mut self,
        delay_ms: u64,
        node: usize,
        life: Option<u64>,
        sent: Option<(usize, u64)>,
        event: Event,
    ) {
        self.numbered += 1;
        self.queue
            .insert((self.now_ms + delay_ms, self.numbered), Due { node, life, sent, event: Some(event) });
    }

    /// A node stopped by itself.
    fn stop(&mut self, node: usize, why: &str) {
        assert!(self.witness.may_stop(node, why), "node {node} stopped: {why}");
        self.note(|| format!("node {node} stops: {why}"));
        self.stopped.insert(node, why.to_owned());
        self.kill(node);
        if witness::is_damage(why) {
            self.set_aside(node);
        }
    }

    /// A node died in the middle of an event, alone or with the power.
    fn die_in_step(&mut self, node: usize) {
        self.stopped.insert(node, "it died in the middle of an event".to_owned());
        if self.killed_in_step.remove(&node) {
            self.hits.count(Fault::Kill);
            return self.kill(node);
        }
        self.hits.count(Fault::CrashInStep);
        self.note(|| format!("node {node} loses its power"));
        self.crash_torn(node);
    }

    /// A crash of which half the time some part of what was not synced survives.
    pub(crate) fn crash_torn(&mut self, node: usize) {
        if self.nodes[node].disk.unsynced() == 0 {
            return self.crash(node);
        }
        if self.random.per_mille(500) {
            let kept = self.random.below(u64::MAX);
            self.hits.count(Fault::TornWrites);
            self.crash_keeping(node, |nth| kept >> (nth % 64) & 1 == 1);
        } else {
            self.hits.count(Fault::LostWrites);
            self.crash(node);
        }
    }

    /// A damaged store makes room for a new one, as a node does it by itself.
    fn set_aside(&mut self, node: usize) {
        self.note(|| format!("node {node} sets its store aside"));
        self.hits.healed += 1;
        self.witness.store_replaced(node, Owed::default());
        self.nodes[node].disk.lose_store();
    }
}
