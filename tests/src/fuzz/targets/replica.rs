//! A validator's whole replica under the words of peers: messages, requests, answers, announcements and transactions in
//! any order, and time that passes. Nothing that peers can say stops a node.

use std::sync::OnceLock;

use tanba_consensus::Guard;
use tanba_crypto::{Canonical, PublicKey, Verified};
use tanba_ledger::{
    ChainId, Height, Transaction,
    limits::TRANSACTION_BYTES_MAX,
    state::genesis_state,
    testkit::{self, GENESIS_TIME},
};
use tanba_node::{
    message::{Announcement, CheckedResponse, Message, Request, Response},
    replica::{
        MempoolLimits, Replica,
        action::Action,
        event::{ChannelId, Event, GossipId, Now, RequestId},
        timer::Timer,
    },
    signer::Signer,
};
use tanba_storage::{MemoryDisk, MemoryJournal, MemoryStore, Store, replay::by_the_rules};

use super::vectors;
use crate::{
    cluster::delays,
    fuzz::{Bound, Target},
};

/// Which validator is attacked. No seed holds a signature of its key, so none can be taken for a twin's.
const OWN: usize = 3;

/// Who speaks to it: the other validators and a regulator's observer.
const PEERS: [usize; 4] = [0, 1, 2, 4];

/// Steps of one input.
const STEPS_MAX: usize = 64;

/// Timers and questions that wait, of which a step names one.
const WAITING_MAX: usize = 256;

pub(super) fn targets() -> Vec<Target> {
    vec![Target {
        name: "replica",
        input_bytes_max: 48 * 1024,
        // The store and its disk in memory, each step's value in its decoded and encoded form, blocks that it makes.
        bound: Bound { factor: 100, constant_bytes: 512 * 1024 },
        seeds,
        words: &[],
        attack: |bytes| drop(Attack::begin().steps(bytes)),
    }]
}

/// A founded home, to be copied.
fn disk() -> &'static (MemoryDisk, ChainId) {
    static DISK: OnceLock<(MemoryDisk, ChainId)> = OnceLock::new();
    DISK.get_or_init(|| {
        let genesis = genesis_state(&testkit::records()).expect("records that fit together");
        let disk = MemoryDisk::new();
        MemoryStore::create(&disk, &genesis.block, genesis.delta).expect("creates");
        MemoryJournal::create(&disk, &genesis.chain).expect("creates");
        let mut store = MemoryStore::open(&disk, &genesis.chain, &by_the_rules).expect("opens");
        let (_, owner) = Guard::create(genesis.chain, testkit::keys(OWN).validator.public());
        store.journal().append(&[owner.to_canonical()]).expect("appends");
        drop(store);
        (disk, genesis.chain)
    })
}

fn node_key(number: u8) -> PublicKey {
    static KEYS: OnceLock<[PublicKey; PEERS.len()]> = OnceLock::new();
    let keys = KEYS.get_or_init(|| PEERS.map(|number| testkit::keys(number).node.public()));
    keys[usize::from(number) % PEERS.len()]
}

/// A node and what it waits for.
struct Attack {
    replica: Replica<MemoryStore>,
    chain: ChainId,
    now_ms: u64,
    questions: Vec<(RequestId, PublicKey)>,
    timers: Vec<(Timer, u64)>,
    numbered: u64,
    /// The highest block that the node said is final.
    height: Height,
}

impl Attack {
    /// A node that has just started and knows all its peers.
    fn begin() -> Attack {
        let (disk, chain) = disk();
        let store = MemoryStore::open(&disk.copy(), chain, &by_the_rules).expect("opens");
        let signer = Signer::new(testkit::keys(OWN).validator);
        let replica = Replica::open(store, Some(signer), delays(), MempoolLimits::default())
            .expect("a whole home opens");
        let (questions, timers) = (Vec::new(), Vec::new());
        let (now_ms, numbered, height) = (1_000, 0, Height(0));
        let mut attack = Attack { replica, chain: *chain, now_ms, questions, timers, numbered, height };
        attack.happen(Event::Started);
        (0..4).for_each(|peer| attack.happen(Event::Connected(node_key(peer))));
        attack
    }

    /// Reads an input as steps: a kind, an argument, two bytes of length, so many bytes.
    fn steps(mut self, mut bytes: &[u8]) -> Attack {
        for _ in 0..STEPS_MAX {
            let Some(([kind, argument, high, low], rest)) = bytes.split_first_chunk() else { break };
            let length = usize::from(u16::from_be_bytes([*high, *low])).min(rest.len());
            let (content, rest) = rest.split_at(length);
            self.step(*kind, *argument, content);
            bytes = rest;
        }
        self
    }

    fn step(&mut self, kind: u8, argument: u8, content: &[u8]) {
        let from = node_key(argument);
        self.numbered += 1;
        match kind % 6 {
            0 => {
                if let Ok(message) = Message::read(content) {
                    match message {
                        // The driver checks signatures and hands them in one by one.
                        Message::Transactions(list) => {
                            list.into_iter().take(8).for_each(|one| self.offer(None, one));
                        }
                        message => self.happen(Event::Message { from, message }),
                    }
                }
            }
            1 => {
                if let Ok(request) = Request::read(content) {
                    self.happen(Event::Request { channel: ChannelId(self.numbered), request });
                }
            }
            2 => {
                if self.questions.is_empty() {
                    return;
                }
                let (id, from) = self.questions.remove(usize::from(argument) % self.questions.len());
                let response: Option<CheckedResponse> = Response::read(content, &self.chain).ok();
                self.happen(Event::Response { id, from, response });
            }
            3 => {
                if let Ok(announcement) = Announcement::from_canonical(content, 64) {
                    self.happen(Event::Announced { from, gossip: GossipId(self.numbered), announcement });
                }
            }
            4 => {
                if self.timers.is_empty() {
                    return;
                }
                let (timer, due_ms) = self.timers.remove(usize::from(argument) % self.timers.len());
                self.now_ms = self.now_ms.max(due_ms);
                self.happen(Event::TimerFired(timer));
            }
            _ => {
                if let Ok(transaction) = Transaction::from_canonical(content, TRANSACTION_BYTES_MAX) {
                    self.offer(Some(GossipId(self.numbered)), transaction);
                }
            }
        }
    }

    fn offer(&mut self, gossip: Option<GossipId>, transaction: Transaction) {
        let length_bytes = transaction.to_canonical().len();
        if let Ok(transaction) = Verified::check(transaction, &self.chain) {
            self.happen(Event::Transaction { gossip, transaction, length_bytes });
        }
    }

    fn happen(&mut self, event: Event) {
        let now = Now { monotonic_ms: self.now_ms, wall: GENESIS_TIME.saturating_add_ms(self.now_ms) };
        let actions = match self.replica.handle(now, event) {
            Ok(actions) => actions,
            Err(stop) => panic!("peers stopped the node: {stop}"),
        };
        for action in actions {
            match action {
                Action::Request { id, to, .. } if self.questions.len() < WAITING_MAX => {
                    self.questions.push((id, to));
                }
                Action::Schedule { timer, delay_ms } if self.timers.len() < WAITING_MAX => {
                    self.timers.push((timer, self.now_ms.saturating_add(delay_ms)));
                }
                Action::Committed { height, .. } => self.height = height,
                _ => {}
            }
        }
    }
}

fn step(kind: u8, argument: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).expect("golden messages are short").to_be_bytes();
    [&[kind, argument], length.as_slice(), content].concat()
}

/// Each golden message alone, and the course of a height: peers tell what they remember, the leader proposes, bodies are
/// fetched, certificates arrive, a timer fires.
fn seeds() -> Vec<Vec<u8>> {
    let of = |word: &str| vectors::bytes("node-messages.json", &[word]);
    let memory = [vec![4], vectors::bytes("consensus.json", &["at genesis"]).remove(0)].concat();
    let remembered: Vec<u8> = (0..3).flat_map(|_| step(2, 0, &memory)).collect();
    let mut seeds: Vec<Vec<u8>> = Vec::new();
    for (word, kind) in [("message", 0), ("request", 1), ("response", 2), ("announcement", 3)] {
        seeds.extend(of(word).iter().map(|content| [remembered.clone(), step(kind, 2, content)].concat()));
    }
    let height = [
        remembered,
        step(0, 2, &of("message: proposal")[0]),
        step(2, 0, &of("response: transactions")[0]),
        step(0, 0, &of("message: vote")[0]),
        step(0, 1, &of("message: certificate")[0]),
        step(4, 0, &[]),
        step(0, 0, &of("message: head")[0]),
        // Whichever of its questions was about blocks, one of these answers it.
        step(2, 0, &of("response: blocks")[0]).repeat(8),
        step(4, 1, &[]),
    ];
    seeds.push(height.concat());
    seeds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seeds_lead_the_node_to_a_final_block() {
        let height = seeds().pop().expect("there are seeds");
        let attack = Attack::begin().steps(&height);
        assert!(attack.height > Height(0), "the attack reaches what lies behind a decided height");
    }
}
