//! A cluster of the real [`Replica`], over a simulated clock, network and disk, deterministic from one seed.
//!
//! Four universities vote, two regulators observe (nodes 0 to 3, and 4 and 5). Every event lies in one queue
//! ordered by simulated time; nothing waits, nothing is concurrent, and the same seed gives the same run.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tanba_consensus::{Config, Delays, Guard};
use tanba_crypto::{Canonical, PublicKey, Verified};
use tanba_ledger::{
    Block, BlockHash, Height, Timestamp, Transaction, TransactionId,
    record::PeerKind,
    state::genesis_state,
    testkit::{self, REGULATORS, UNIVERSITIES, World},
};
use tanba_node::{
    handle::{NodeStatus, Outcome},
    message::{Message, Request, Response},
    replica::{
        MempoolLimits, Replica,
        action::Action,
        event::{ChannelId, Event, GossipId, Now, RequestId, SubmissionId},
        timer::Timer,
    },
    serve,
    signer::Signer,
};
use tanba_storage::{MemoryDisk, MemoryJournal, MemoryStore, Store, StoreReader, replay::by_the_rules};

/// Delays of a small network, as a devnet has them.
pub const DELAYS: Config = Config {
    delays: Delays {
        view_timeout_base_ms: 1_000,
        view_timeout_step_ms: 500,
        view_timeout_cap_ms: 10_000,
        retry_ms: 500,
        reproposal_wait_ms: 100,
        min_block_interval_ms: 0,
    },
    silent_heights: 8,
    evidence_window: 16,
};

/// How the network treats what is sent over it.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    /// The least delay of a message, in milliseconds.
    pub delay_ms_min: u64,
    /// The greatest delay of a message, in milliseconds; different delays reorder.
    pub delay_ms_max: u64,
    /// Of 1,000 messages so many are lost.
    pub lost_per_mille: u64,
    /// Of 1,000 messages so many arrive twice.
    pub doubled_per_mille: u64,
}

/// A network that does no harm.
pub const FAIR: Weather =
    Weather { delay_ms_min: 1, delay_ms_max: 3, lost_per_mille: 0, doubled_per_mille: 0 };

/// One node: its disk outlives it.
pub struct Node {
    /// What it keeps.
    pub disk: MemoryDisk,
    /// The replica, while the node runs.
    pub replica: Option<Replica<MemoryStore>>,
    /// What it last said of itself.
    pub status: Option<Arc<NodeStatus>>,
    key: PublicKey,
    kind: PeerKind,
    admitted: BTreeSet<PublicKey>,
    life: u64,
}

/// What waits in the queue.
#[derive(Debug)]
struct Due {
    node: usize,
    /// Meant for this life of the node; `None` for whichever lives then.
    life: Option<u64>,
    event: Event,
}

/// The cluster.
pub struct Cluster {
    /// Six nodes.
    pub nodes: Vec<Node>,
    /// Signs transactions and knows genesis.
    pub world: World,
    /// How the network behaves now.
    pub weather: Weather,
    /// Pairs (from, to) over which nothing passes.
    pub cut: BTreeSet<(usize, usize)>,
    /// What became of each submission.
    pub outcomes: BTreeMap<SubmissionId, Outcome>,
    /// Nodes that had to stop, and why. A stop that no test allowed is a failure.
    pub stopped: BTreeMap<usize, String>,
    /// Nodes that may stop.
    pub may_stop: BTreeSet<usize>,
    /// Every block that any node committed, by height: there is one.
    pub history: BTreeMap<Height, BlockHash>,
    /// Every transaction that any node acknowledged as final.
    pub acknowledged: BTreeMap<TransactionId, Height>,
    queue: BTreeMap<(u64, u64), Due>,
    questions: BTreeMap<ChannelId, (usize, u64, RequestId, usize)>,
    submitted: BTreeMap<SubmissionId, TransactionId>,
    now_ms: u64,
    numbered: u64,
    random: u64,
}

impl Cluster {
    /// A cluster that has just been founded; every node is started.
    pub fn seeded(seed: u64) -> Cluster {
        let world = World::new();
        let nodes = (0..UNIVERSITIES + REGULATORS).map(Node::founded).collect();
        let mut cluster = Cluster {
            nodes,
            world,
            weather: FAIR,
            cut: BTreeSet::new(),
            outcomes: BTreeMap::new(),
            stopped: BTreeMap::new(),
            may_stop: BTreeSet::new(),
            history: BTreeMap::new(),
            acknowledged: BTreeMap::new(),
            queue: BTreeMap::new(),
            questions: BTreeMap::new(),
            submitted: BTreeMap::new(),
            now_ms: 1_000,
            numbered: 0,
            random: seed,
        };
        for node in 0..cluster.nodes.len() {
            cluster.start(node);
        }
        cluster
    }

    /// SplitMix64 (Steele, Lea and Flood 2014): small, and good enough to draw faults with.
    pub fn draw(&mut self, below: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below.max(1)
    }

    /// The simulated wall clock.
    pub fn wall(&self) -> Timestamp {
        testkit::GENESIS_TIME.saturating_add_ms(self.now_ms)
    }

    /// Starts a node on what its disk holds.
    pub fn start(&mut self, node: usize) {
        let chain = self.world.chain;
        let started = &mut self.nodes[node];
        assert!(started.replica.is_none(), "node {node} runs already");
        let store = MemoryStore::open(&started.disk, &chain, &by_the_rules).expect("the store opens");
        let signer =
            (started.kind == PeerKind::Validator).then(|| Signer::new(testkit::keys(node).validator));
        started.replica =
            Some(Replica::open(store, signer, DELAYS, MempoolLimits::default()).expect("the replica opens"));
        started.life += 1;
        let life = started.life;
        self.put(0, node, Some(life), Event::Started);
        for other in 0..self.nodes.len() {
            if other != node && self.nodes[other].replica.is_some() {
                let (here, there) = (self.nodes[node].key, self.nodes[other].key);
                self.put(1, node, Some(life), Event::Connected(there));
                self.put(1, other, None, Event::Connected(here));
            }
        }
    }

    /// Kills a node: what it had not synced is gone.
    pub fn crash(&mut self, node: usize) {
        self.nodes[node].replica = None;
        self.nodes[node].disk.crash();
        let key = self.nodes[node].key;
        for other in 0..self.nodes.len() {
            if other != node && self.nodes[other].replica.is_some() {
                self.put(1, other, None, Event::Disconnected(key));
            }
        }
    }

    /// Cuts every way between two groups, or mends all ways when one group is empty.
    pub fn partition(&mut self, left: &[usize], right: &[usize]) {
        self.cut.clear();
        for (a, b) in left.iter().flat_map(|a| right.iter().map(move |b| (*a, *b))) {
            self.cut.extend([(a, b), (b, a)]);
        }
    }

    /// A peer says something to a node.
    pub fn say(&mut self, from: usize, to: usize, message: Message) {
        let from = self.nodes[from].key;
        self.put(1, to, None, Event::Message { from, message });
    }

    /// Submits a transaction through a node.
    pub fn submit(&mut self, node: usize, transaction: Verified<Transaction>) -> SubmissionId {
        self.numbered += 1;
        let id = SubmissionId(self.numbered);
        self.submitted.insert(id, transaction.id());
        let length_bytes = transaction.to_canonical().len();
        self.put(0, node, None, Event::Submitted { id, transaction, length_bytes });
        id
    }

    /// Runs for so many simulated milliseconds.
    pub fn run_ms(&mut self, ms: u64) {
        let end = self.now_ms + ms;
        while let Some(((at, _), _)) = self.queue.first_key_value() {
            if *at > end {
                break;
            }
            let ((at, _), due) = self.queue.pop_first().expect("seen above");
            self.now_ms = at;
            self.happen(due);
        }
        self.now_ms = end;
    }

    /// Runs until `done` says so; panics after `ms_max` simulated milliseconds.
    pub fn run_until(&mut self, ms_max: u64, what: &str, done: impl Fn(&Cluster) -> bool) {
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

    /// Whether a submission is final.
    pub fn is_final(&self, id: SubmissionId) -> bool {
        matches!(self.outcomes.get(&id), Some(Outcome::Final(_)))
    }

    /// Every acknowledged transaction must be in the history of every running node that is high enough.
    pub fn check_nothing_acknowledged_is_lost(&self) {
        for node in self.nodes.iter().filter(|node| node.replica.is_some()) {
            let store =
                MemoryStore::open(&node.disk.copy(), &self.world.chain, &by_the_rules).expect("opens");
            let reader = store.reader();
            let head = reader.tip().header.height;
            for (id, height) in &self.acknowledged {
                if *height <= head {
                    let position = reader.position(id).expect("reads").expect("what was final is there");
                    assert_eq!(position.height, *height);
                }
            }
        }
    }

    fn put(&mut self, delay_ms: u64, node: usize, life: Option<u64>, event: Event) {
        self.numbered += 1;
        self.queue.insert((self.now_ms + delay_ms, self.numbered), Due { node, life, event });
    }

    /// Sends an event over the network; `false` if it is lost.
    fn send(&mut self, from: usize, to: usize, event: impl Fn() -> Event) -> bool {
        if self.cut.contains(&(from, to)) || self.draw(1_000) < self.weather.lost_per_mille {
            return false;
        }
        let times = 1 + u64::from(self.draw(1_000) < self.weather.doubled_per_mille);
        for _ in 0..times {
            let spread = self.weather.delay_ms_max - self.weather.delay_ms_min + 1;
            let delay_ms = self.weather.delay_ms_min + self.draw(spread);
            self.put(delay_ms, to, None, event());
        }
        true
    }

    fn happen(&mut self, due: Due) {
        let now = Now { monotonic_ms: self.now_ms, wall: self.wall() };
        let node = &mut self.nodes[due.node];
        if due.life.is_some_and(|life| life != node.life) {
            return;
        }
        let Some(replica) = &mut node.replica else { return };
        let actions = match replica.handle(now, due.event) {
            Ok(actions) => actions,
            Err(stop) => {
                assert!(self.may_stop.contains(&due.node), "node {} stopped: {stop}", due.node);
                self.stopped.insert(due.node, stop.to_string());
                return self.crash(due.node);
            }
        };
        for action in actions {
            self.perform(due.node, action);
        }
    }

    fn index(&self, key: &PublicKey) -> usize {
        self.nodes.iter().position(|node| node.key == *key).expect("every peer is a node of the cluster")
    }

    fn others(&self, node: usize, kind: Option<PeerKind>) -> Vec<usize> {
        let fits = |other: &usize| *other != node && kind.is_none_or(|kind| self.nodes[*other].kind == kind);
        (0..self.nodes.len()).filter(fits).collect()
    }

    fn perform(&mut self, node: usize, action: Action) {
        let from = self.nodes[node].key;
        match action {
            Action::Send { to, message } => {
                let to = self.index(&to);
                self.send_message(node, to, &message);
            }
            Action::Broadcast(message) => {
                for to in self.others(node, Some(PeerKind::Validator)) {
                    self.send_message(node, to, &message);
                }
            }
            Action::Announce(announcement) => {
                for to in self.others(node, None) {
                    self.send(node, to, || Event::Announced { from, gossip: GossipId(0), announcement });
                }
            }
            Action::Gossip(transaction) => self.gossip(node, &transaction),
            Action::Request { id, to, request } => self.ask(node, id, to, request),
            Action::Answer { channel, response } => self.answer(channel, response),
            Action::Schedule { timer, delay_ms } => self.schedule(node, timer, delay_ms),
            Action::Concluded { id, outcome } => self.conclude(id, outcome),
            Action::AdmitPeers(peers) => {
                self.nodes[node].admitted = peers.into_iter().map(|(key, _)| key).collect();
            }
            Action::Committed { .. } | Action::Judge { .. } | Action::Admitted { result: Ok(_), .. } => {}
            Action::Admitted { id, result: Err(refusal) } => {
                self.outcomes.insert(id, Outcome::Refused(refusal));
            }
            Action::Status(status) => {
                let known = *self.history.entry(status.height).or_insert(status.hash);
                assert_eq!(known, status.hash, "two nodes disagree at height {}", status.height);
                self.nodes[node].status = Some(status);
            }
        }
    }

    fn send_message(&mut self, from: usize, to: usize, message: &Message) {
        let bytes = message.to_canonical();
        let key = self.nodes[from].key;
        match Message::read(&bytes).expect("a node's own message reads back") {
            Message::Transactions(list) => {
                for transaction in list {
                    self.offer(from, to, None, &transaction);
                }
            }
            message => {
                self.send(from, to, || Event::Message { from: key, message: message.clone() });
            }
        }
    }

    fn gossip(&mut self, from: usize, transaction: &Transaction) {
        for to in self.others(from, None) {
            self.offer(from, to, Some(GossipId(0)), transaction);
        }
    }

    fn offer(&mut self, from: usize, to: usize, gossip: Option<GossipId>, transaction: &Transaction) {
        let checked = self.world.verified(transaction.clone());
        let length_bytes = transaction.to_canonical().len();
        self.send(from, to, || Event::Transaction { gossip, transaction: checked.clone(), length_bytes });
    }

    fn ask(&mut self, node: usize, id: RequestId, to: PublicKey, request: Request) {
        let peer = self.index(&to);
        let life = self.nodes[node].life;
        // Whatever happens, the asker hears something within a second.
        self.put(1_000, node, Some(life), Event::Response { id, from: to, response: None });
        if let Request::Blocks(height) = request {
            let Some(store) = self.nodes[peer].replica.as_ref().map(|_| self.nodes[peer].disk.copy()) else {
                return;
            };
            let store = MemoryStore::open(&store, &self.world.chain, &by_the_rules)
                .expect("a running node's disk opens");
            let page = serve::blocks_page(&store.reader(), height).expect("reads");
            let response =
                Response::read(&page.to_canonical(), &self.world.chain).expect("own page reads back");
            self.send(peer, node, || Event::Response { id, from: to, response: Some(response.clone()) });
            return;
        }
        self.numbered += 1;
        let channel = ChannelId(self.numbered);
        self.questions.insert(channel, (node, life, id, peer));
        self.send(node, peer, || Event::Request { channel, request: request.clone() });
    }

    fn answer(&mut self, channel: ChannelId, response: Response) {
        let Some((asker, life, id, peer)) = self.questions.remove(&channel) else { return };
        if self.nodes[asker].life != life {
            return;
        }
        let from = self.nodes[peer].key;
        let response = Response::read(&response.to_canonical(), &self.world.chain).expect("reads back");
        self.send(peer, asker, || Event::Response { id, from, response: Some(response.clone()) });
    }

    fn schedule(&mut self, node: usize, timer: Timer, delay_ms: u64) {
        let life = self.nodes[node].life;
        self.put(delay_ms, node, Some(life), Event::TimerFired(timer));
    }

    fn conclude(&mut self, id: SubmissionId, outcome: Outcome) {
        if let (Outcome::Final(position), Some(transaction)) = (&outcome, self.submitted.get(&id)) {
            self.acknowledged.insert(*transaction, position.height);
        }
        self.outcomes.insert(id, outcome);
    }
}

impl Node {
    fn founded(number: usize) -> Node {
        let genesis = genesis_state(&testkit::records()).expect("records that fit together");
        let (disk, keys) = (MemoryDisk::new(), testkit::keys(number));
        let block: &Block = &genesis.block;
        MemoryStore::create(&disk, block, genesis.delta).expect("creates");
        MemoryJournal::create(&disk, &genesis.chain).expect("creates");
        let kind = if number < UNIVERSITIES { PeerKind::Validator } else { PeerKind::Observer };
        if kind == PeerKind::Validator {
            let mut store = MemoryStore::open(&disk, &genesis.chain, &by_the_rules).expect("opens");
            let (_, owner) = Guard::create(genesis.chain, keys.validator.public());
            store.journal().append(&[owner.to_canonical()]).expect("appends");
        }
        Node {
            disk,
            replica: None,
            status: None,
            key: keys.node.public(),
            kind,
            admitted: BTreeSet::new(),
            life: 0,
        }
    }
}
