//! One simulated node: a disk that outlives it, clocks, and the real replica while it runs.

use std::{cell::RefCell, collections::HashMap, sync::Arc};

use tanba_consensus::Guard;
use tanba_crypto::{Canonical, PublicKey};
use tanba_ledger::{
    ChainId, Height, Timestamp,
    record::PeerKind,
    state::{GenesisState, genesis_state},
    testkit::{self, Keys, World},
};
use tanba_node::{
    handle::NodeStatus,
    replica::{MempoolLimits, Replica, Stop, event::Now},
    signer::Signer,
};
use tanba_storage::{
    MemoryDisk, MemoryJournal, MemoryReader, MemoryStore, Store, StoreError, StoreReader, WriteBehind,
    memory::MemoryTree, replay::by_the_rules,
};

use super::delays;

/// What is wrong with a node's clocks and speed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pace {
    /// What its wall clock shows beyond the true time, in milliseconds.
    pub wall_ahead_ms: i64,
    /// How much faster its monotonic clock runs, in parts per million.
    drift_ppm: i64,
    /// How far its monotonic clock was ahead when it began to run so, in milliseconds.
    ahead_ms: i64,
    /// When that was, in true milliseconds.
    drifts_since_ms: u64,
    /// It does nothing before this moment, in true milliseconds.
    pub paused_until_ms: u64,
    /// It works on the last event until this moment, in true milliseconds.
    pub busy_until_ms: u64,
    /// What each event costs it, in milliseconds.
    pub event_ms: u64,
    /// What each event that writes costs it, in milliseconds.
    pub write_ms: u64,
}

/// A clock that is off by less is near, in milliseconds: nearer to ours than the live test of proposals is wide,
/// twice over.
pub const NEAR_MS: u64 = 60_000;

impl Pace {
    /// Whether the wall clock is near the true time; at most f are not.
    pub const fn is_near(&self) -> bool {
        self.wall_ahead_ms.unsigned_abs() <= NEAR_MS
    }

    /// From now on the monotonic clock runs so much faster or slower; it never goes back.
    pub fn drift(&mut self, now_ms: u64, drift_ppm: i64) {
        (self.ahead_ms, self.drifts_since_ms) = (self.ahead_ms_at(now_ms), now_ms);
        self.drift_ppm = drift_ppm;
    }

    /// Clocks and speed are right again; the monotonic clock keeps what it has gained or lost.
    pub fn mend(&mut self, now_ms: u64) {
        self.drift(now_ms, 0);
        let Pace { ahead_ms, drifts_since_ms, busy_until_ms, .. } = *self;
        *self = Pace { ahead_ms, drifts_since_ms, busy_until_ms, ..Pace::default() };
    }

    fn ahead_ms_at(&self, true_ms: u64) -> i64 {
        self.ahead_ms + (true_ms - self.drifts_since_ms) as i64 * self.drift_ppm / 1_000_000
    }
}

/// One node. Its number stands for its keys.
pub struct Node {
    /// Its institution's number in the test world.
    pub number: usize,
    /// What it keeps.
    pub disk: MemoryDisk,
    /// The replica, while the node runs.
    pub replica: Option<Replica<MemoryStore>>,
    /// What anyone may read of its store, while it runs.
    pub reader: Option<MemoryReader>,
    /// What its other thread does, while it runs.
    pub write_behind: Option<WriteBehind<MemoryTree>>,
    /// What it last said of itself.
    pub status: Option<Arc<NodeStatus>>,
    /// Clocks and speed.
    pub pace: Pace,
    /// Identifies it on the network.
    pub key: PublicKey,
    /// What it signs votes with, if it is a validator.
    pub validator_key: PublicKey,
    /// Whether it votes.
    pub kind: PeerKind,
    /// Grows with every start, so that what an earlier life waited for does not reach a later one.
    pub life: u64,
}

thread_local! {
    /// Founding a network costs a thousand times what copying it does.
    static FOUNDED: RefCell<HashMap<usize, GenesisState>> = RefCell::default();
    static WORLDS: RefCell<HashMap<usize, World>> = RefCell::default();
    static KEYS: RefCell<HashMap<usize, Keys>> = RefCell::default();
    static DISKS: RefCell<HashMap<(usize, usize), MemoryDisk>> = RefCell::default();
}

/// The keys of an institution, made once a thread.
pub fn keys(number: usize) -> Keys {
    KEYS.with_borrow_mut(|keys| keys.entry(number).or_insert_with(|| testkit::keys(number)).clone())
}

/// The world of a network of so many universities, as genesis leaves it.
pub fn world(universities: usize) -> World {
    let found = || World::founded(&testkit::records_of(universities));
    WORLDS.with_borrow_mut(|worlds| worlds.entry(universities).or_insert_with(found).clone())
}

/// The genesis of a network of so many universities.
pub fn genesis(universities: usize) -> GenesisState {
    FOUNDED.with_borrow_mut(|founded| {
        let found = || genesis_state(&testkit::records_of(universities)).expect("records that fit together");
        founded.entry(universities).or_insert_with(found).clone()
    })
}

fn founded_disk(universities: usize, number: usize) -> MemoryDisk {
    DISKS.with_borrow_mut(|disks| {
        let found = || {
            let (disk, genesis) = (MemoryDisk::new(), genesis(universities));
            found_store(&disk, &genesis);
            if number < universities {
                found_journal(&disk, &genesis.chain, number);
            } else {
                MemoryJournal::create(&disk, &genesis.chain).expect("an empty disk takes a journal");
            }
            disk
        };
        disks.entry((universities, number)).or_insert_with(found).copy()
    })
}

fn found_store(disk: &MemoryDisk, genesis: &GenesisState) {
    MemoryStore::create(disk, &genesis.block, genesis.delta.clone()).expect("an empty disk takes a store");
}

/// Makes the journal that `tanba init` makes.
pub fn found_journal(disk: &MemoryDisk, chain: &ChainId, number: usize) {
    MemoryJournal::create(disk, chain).expect("a disk without a journal takes one");
    let mut store = MemoryStore::open(disk, chain, &by_the_rules).expect("a founded store opens");
    let (_, owner) = Guard::create(*chain, keys(number).validator.public());
    store.journal().append(&[owner.to_canonical()]).expect("a new journal takes a record");
}

impl Node {
    /// A node of a network of so many universities, as `tanba init` leaves it.
    pub fn founded(universities: usize, number: usize) -> Node {
        let keys = keys(number);
        let kind = if number < universities { PeerKind::Validator } else { PeerKind::Observer };
        Node {
            number,
            disk: founded_disk(universities, number),
            replica: None,
            reader: None,
            write_behind: None,
            status: None,
            pace: Pace::default(),
            key: keys.node.public(),
            validator_key: keys.validator.public(),
            kind,
            life: 0,
        }
    }

    /// Whether it votes, if it is honest.
    pub fn is_validator(&self) -> bool {
        self.kind == PeerKind::Validator
    }

    /// Its head, while it runs.
    pub fn head(&self) -> Option<Height> {
        self.reader.as_ref().map(|reader| reader.tip().header.height)
    }

    /// Opens what its disk holds and begins a new life. A store that is gone is made anew from genesis, as a
    /// starting node does.
    pub fn open(&mut self, chain: &ChainId, universities: usize) -> Result<(), OpenError> {
        if !MemoryStore::exists(&self.disk) {
            found_store(&self.disk, &genesis(universities));
        }
        let store = MemoryStore::open(&self.disk, chain, &by_the_rules).map_err(OpenError::Store)?;
        let signer = self.is_validator().then(|| Signer::new(keys(self.number).validator));
        self.reader = Some(store.reader());
        self.write_behind = Some(store.write_behind());
        let replica = Replica::open(store, signer, delays(), MempoolLimits::default());
        self.replica = Some(replica.map_err(OpenError::Replica)?);
        self.life += 1;
        Ok(())
    }

    /// The process ends.
    pub fn end(&mut self) {
        self.replica = None;
        self.reader = None;
        self.write_behind = None;
        // What it said of itself is no longer so: the next life may begin lower.
        self.status = None;
        (self.pace.busy_until_ms, self.pace.paused_until_ms) = (0, 0);
    }

    /// What its clocks show at a true moment.
    pub fn now(&self, true_ms: u64) -> Now {
        let wall = testkit::GENESIS_TIME.0.saturating_add(true_ms);
        let wall = wall.saturating_add_signed(self.pace.wall_ahead_ms);
        let ahead_ms = self.pace.ahead_ms_at(true_ms);
        Now { monotonic_ms: true_ms.saturating_add_signed(ahead_ms), wall: Timestamp(wall) }
    }

    /// How long a delay on its clock really takes, in milliseconds.
    pub fn truly_ms(&self, delay_ms: u64) -> u64 {
        let faster = (delay_ms as i64) * self.pace.drift_ppm / 1_000_000;
        delay_ms.saturating_add_signed(-faster)
    }
}

/// Why a node does not start.
#[derive(Debug)]
pub enum OpenError {
    /// Its store does not open.
    Store(StoreError),
    /// Its replica does not open.
    Replica(Stop),
}
