//! The deterministic heart of a node: agreement, state, mempool and catch-up over one store.
//!
//! [`Replica::handle`] takes the time and one event, and returns what is to be done. There is no clock, no
//! thread, no socket and no chance in here: the code that runs in production runs in a simulator, and the same
//! events give the same actions. What must be on disk before an action is on disk when `handle` returns.
//!
//! Where to find what: `event`, `action` and `timer` are the doors; `agreement` turns peers' words into inputs
//! of the consensus engine and its outputs into actions; `checks` fetches and judges blocks; `commit` is the one
//! door to history; `catch_up` brings certified blocks to that door; `submissions` admits transactions;
//! `startup` compares the journal with what the peers remember.

pub mod action;
mod agreement;
mod ahead;
mod blocks;
mod catch_up;
mod checks;
mod commit;
pub mod event;
mod mempool;
mod peers;
mod startup;
mod status;
mod submissions;
pub mod timer;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tanba_consensus::{Config, Engine, Guard, Input, Output, StartHeight};
use tanba_crypto::PublicKey;
use tanba_ledger::{
    BlockHash, Certificate, ChainId, Height, ValidatorIndex, View, Vote, certificate::Electorate,
    merkle::ReadError, state::Tip,
};
use tanba_storage::{Store, StoreError, StoreReader};

pub use self::mempool::MempoolLimits;
use self::{
    action::Action,
    ahead::Ahead,
    blocks::Blocks,
    catch_up::CatchUp,
    event::{Event, Now, RequestId},
    mempool::Mempool,
    peers::Peers,
    startup::Startup,
    submissions::Submissions,
    timer::Timer,
};
use crate::{
    message::{Message, Request},
    signer::Signer,
};

/// Why a replica must stop. None of these can be repaired while it runs.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    /// The disk failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The state cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A quorum certified what is invalid here.
    #[error(
        "this node diverged: block {block} at height {height} was certified by a quorum, but here {why}; \
         stop the node, keep its home, and compare its version with the other institutions'"
    )]
    Diverged {
        /// The height.
        height: Height,
        /// The block.
        block: BlockHash,
        /// What is wrong with it here.
        why: String,
    },
    /// Another process signs with this validator's key.
    #[error(
        "another process votes with this validator's key (seen at height {height}); make sure that one node alone \
         holds it, and start that one"
    )]
    Twin {
        /// Where its signature was seen.
        height: Height,
    },
    /// The network's task is gone, without anyone's wish.
    #[error("the network task ended by itself; this is a mistake of the program")]
    Network,
    /// The promise journal is not this validator's.
    #[error("the promise journal cannot be used: {0}")]
    Journal(String),
}

/// What a question to a peer was about.
#[derive(Clone, Copy, Debug)]
enum Asked {
    /// A body, or transactions of it.
    Fetch(BlockHash),
    /// Certified blocks.
    Blocks,
    /// What a validator remembers of us.
    Memory(ValidatorIndex),
}

/// A replica over a store.
pub struct Replica<S: Store> {
    chain: ChainId,
    store: S,
    reader: S::Reader,
    tip: Arc<Tip>,
    engine: Engine,
    /// The validator key and what it has promised; an observer has none.
    voice: Option<Voice>,
    startup: Startup,
    blocks: Blocks,
    /// A block that is decided and not committed yet: its body is on the way.
    deciding: Option<Certificate>,
    /// Certificates of the present height that were checked, one for each statement.
    certificates: BTreeSet<Vote>,
    mempool: Mempool,
    submissions: Submissions,
    peers: Peers,
    catch_up: CatchUp,
    ahead: Ahead,
    requests: BTreeMap<RequestId, Asked>,
    requests_made: u64,
    view: View,
    has_work: bool,
    equivocations: u64,
    /// Whom the evidence named; no more than there were validators.
    offenders: BTreeSet<PublicKey>,
    refusals: u64,
    now: Now,
    actions: Vec<Action>,
}

/// The validator key and its promises.
#[derive(Debug)]
struct Voice {
    signer: Signer,
    guard: Guard,
}

impl<S: Store> Replica<S> {
    /// A replica over an opened store. `signer` holds the validator key; observers have none.
    pub fn open(
        mut store: S,
        signer: Option<Signer>,
        delays: Config,
        mempool: MempoolLimits,
    ) -> Result<Replica<S>, Stop> {
        let reader = store.reader();
        let tip = reader.tip();
        let chain = tip.chain();
        let voice = signer.map(|signer| Voice::open(signer, &mut store, &tip)).transpose()?;
        let (voice, startup) = match voice {
            Some((voice, startup)) => (Some(voice), startup),
            None => (None, Startup::observer()),
        };
        Ok(Replica {
            chain,
            reader,
            store,
            engine: Engine::new(delays),
            voice,
            startup,
            blocks: Blocks::default(),
            deciding: None,
            certificates: BTreeSet::new(),
            mempool: Mempool::new(mempool),
            submissions: Submissions::default(),
            peers: Peers::default(),
            catch_up: CatchUp::default(),
            ahead: Ahead::default(),
            requests: BTreeMap::new(),
            requests_made: 0,
            view: View::FIRST,
            has_work: false,
            equivocations: 0,
            offenders: BTreeSet::new(),
            refusals: 0,
            now: Now { monotonic_ms: 0, wall: tip.header.time },
            actions: Vec::new(),
            tip,
        })
    }

    /// Syncs of the promise journal since it was opened, and its size in bytes.
    pub fn journal_usage(&mut self) -> (u64, u64) {
        let journal = self.store.journal();
        (journal.syncs(), journal.size_bytes())
    }

    /// How often the promise guard refused what agreement wanted to say: 0, unless something is wrong here.
    pub const fn refusals(&self) -> u64 {
        self.refusals
    }

    /// The validators that were seen to contradict themselves since the start.
    pub const fn offenders(&self) -> &BTreeSet<PublicKey> {
        &self.offenders
    }

    /// The present view, and the highest of which votes are kept.
    pub fn views(&self) -> (View, View) {
        (self.engine.view(), self.engine.highest_view_kept())
    }

    /// Blocks of the present height that are in memory: a few beside those that agreement waits for.
    pub fn blocks(&self) -> usize {
        self.blocks.len()
    }

    /// Takes in one event at a time; returns what to do, in order. After an error the replica is not used again.
    pub fn handle(&mut self, now: Now, event: Event) -> Result<Vec<Action>, Stop> {
        self.now = now;
        match event {
            Event::Started => self.start()?,
            Event::Connected(peer) => self.connected(peer),
            Event::Disconnected(peer) => {
                self.peers.set_connected(&peer, false);
                self.report_status();
            }
            Event::Message { from, message } => self.hear(from, message)?,
            Event::Request { channel, request } => self.answer(channel, request)?,
            Event::Response { id, from, response } => self.answered(id, from, response)?,
            Event::Transaction { gossip, transaction, length_bytes } => {
                self.offered(gossip, transaction, length_bytes)?;
            }
            Event::Announced { from, gossip, announcement } => self.announced(from, gossip, announcement),
            Event::Submitted { id, transaction, length_bytes } => {
                self.submitted(id, transaction, length_bytes)?
            }
            Event::TimerFired(timer) => self.woken(timer)?,
        }
        self.drain()?;
        if !self.has_work {
            self.drop_refused_first()?;
        }
        self.tell_work();
        self.drain()?;
        Ok(std::mem::take(&mut self.actions))
    }

    /// The set that decides the next block.
    fn electorate(&self) -> Electorate<'_> {
        Electorate { chain: &self.chain, height: self.height(), validators: &self.tip.validators }
    }

    /// The height being decided.
    fn height(&self) -> Height {
        self.tip.header.height.next()
    }

    /// Our place among the validators of the height being decided, spoken or not.
    fn own_index(&self) -> Option<ValidatorIndex> {
        self.tip.validators.index_of(&self.voice.as_ref()?.signer.public())
    }

    fn start(&mut self) -> Result<(), Stop> {
        self.refresh_peers()?;
        self.start_height()?;
        self.begin_startup()
    }

    /// Begins agreement on the height after the head.
    fn start_height(&mut self) -> Result<(), Stop> {
        let height = self.height();
        let may_speak = self.startup.is_over()
            && self.voice.as_ref().is_some_and(|voice| voice.guard.may_speak_at(height));
        let recovered = match &self.voice {
            Some(voice) => {
                voice.guard.recovered(self.electorate()).map_err(|error| Stop::Journal(error.to_string()))?
            }
            _ => Default::default(),
        };
        self.leave_height()?;
        self.engine.handle(Input::StartHeight(StartHeight {
            height,
            validators: self.tip.validators.clone(),
            own: self.own_index().filter(|_| may_speak),
            recovered,
        }));
        self.drain()?;
        self.schedule_heartbeat();
        for (from, message) in self.ahead.take(height) {
            self.hear(from, message)?;
        }
        Ok(())
    }

    /// What agreement still asked for belongs to a height that is decided, perhaps by catch-up while the engine
    /// was about to decide it as well. Only evidence outlives its height.
    fn leave_height(&mut self) -> Result<(), Stop> {
        while let Some(output) = self.engine.next_output() {
            if matches!(output, Output::Equivocation(_)) {
                self.perform(output)?;
            }
        }
        self.deciding = None;
        self.blocks = Blocks::default();
        self.view = View::FIRST;
        self.has_work = false;
        Ok(())
    }

    fn connected(&mut self, peer: PublicKey) {
        self.peers.set_connected(&peer, true);
        let head = self.tip.header.height;
        self.actions.push(Action::Send { to: peer, message: Arc::new(Message::Head(head)) });
        self.ask_memory_of(&peer);
        self.report_status();
    }

    fn woken(&mut self, timer: Timer) -> Result<(), Stop> {
        match timer {
            Timer::Consensus(timeout) => self.engine.handle(Input::TimeoutElapsed(timeout)),
            // Whether one is due is seen with all other work. The wall clock may have fallen behind the timer's.
            Timer::Heartbeat(height) => {
                if height == self.height() && self.now.wall < self.heartbeat_due() {
                    self.schedule_heartbeat();
                }
            }
            Timer::Live(block) | Timer::Fetch(block) => self.advance(block)?,
            Timer::CatchUp(height) => {
                if height == self.height() {
                    self.fetch_blocks();
                }
            }
            Timer::Recovery => self.ask_memory_again(),
        }
        Ok(())
    }

    fn schedule(&mut self, timer: Timer, delay_ms: u64) {
        self.actions.push(Action::Schedule { timer, delay_ms });
    }

    fn ask(&mut self, to: PublicKey, asked: Asked, request: Request) -> RequestId {
        self.requests_made += 1;
        let id = RequestId(self.requests_made);
        self.requests.insert(id, asked);
        self.actions.push(Action::Request { id, to, request });
        id
    }

    /// Reads the registry of nodes and tells the network when it changed.
    fn refresh_peers(&mut self) -> Result<(), Stop> {
        if self.peers.refresh(&self.tip, &self.reader)? {
            let admitted = self.peers.iter().map(|(key, peer)| (*key, peer.kind)).collect();
            self.actions.push(Action::AdmitPeers(admitted));
        }
        Ok(())
    }
}
