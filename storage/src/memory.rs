//! The same store in memory, for tests and the simulator: it can lose what was not synced, fill up and rot.
//!
//! Deterministic and without threads. Only the bytes live here; what they mean, the order of writes and the
//! checks are the code of the store on disk.

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tanba_ledger::{Block, ChainId, Height, state::Delta};

use crate::{
    StoreError,
    journal::{Log, LogJournal},
    open,
    reader::TreeReader,
    replay::Replay,
    tree::{Tree, VALUE_BYTES_MAX},
    tree_store::TreeStore,
};

/// The store in memory.
pub type MemoryStore = TreeStore<MemoryTree, MemoryJournal>;

/// A reader of a [`MemoryStore`].
pub type MemoryReader = TreeReader<MemoryTree>;

/// The promise journal in memory.
pub type MemoryJournal = LogJournal<MemoryLog>;

/// What a node's disk holds. Outlives the store that is open on it: after [`MemoryDisk::crash`] a new one is
/// opened. Clones share the disk.
#[derive(Clone, Debug, Default)]
pub struct MemoryDisk(Arc<Mutex<Device>>);

#[derive(Clone, Debug, Default)]
struct Device {
    /// Grows with each crash; handles of an earlier life are refused.
    life: u64,
    tree: BTreeMap<Vec<u8>, Vec<u8>>,
    /// What was written to the tree since the last barrier, oldest first.
    unsynced: Vec<Write>,
    files: BTreeMap<&'static str, MemoryFile>,
    /// Writes that still succeed; `None` for all.
    writes_left: Option<u64>,
    writes: u64,
    /// Syncs are reported and not done.
    lies: bool,
    /// The next sync fails.
    sync_fails: bool,
}

/// One write to the tree; `None` for no value.
#[derive(Clone, Debug)]
struct Write {
    key: Vec<u8>,
    old: Option<Vec<u8>>,
    new: Option<Vec<u8>>,
}

#[derive(Clone, Debug, Default)]
struct MemoryFile {
    durable: Vec<u8>,
    current: Vec<u8>,
    /// So many bytes at the beginning of both are the same.
    synced: usize,
}

impl MemoryFile {
    fn of(bytes: &[u8]) -> MemoryFile {
        MemoryFile { durable: bytes.to_vec(), current: bytes.to_vec(), synced: bytes.len() }
    }

    fn sync(&mut self) {
        self.durable.truncate(self.synced);
        self.durable.extend_from_slice(&self.current[self.synced..]);
        self.synced = self.current.len();
    }

    /// Power is back: what is there is what was durable.
    fn reread(&mut self) {
        self.current.clone_from(&self.durable);
        self.synced = self.current.len();
    }
}

const PROMISES: &str = "promises";
const BODIES: &str = "bodies";

impl MemoryDisk {
    /// An empty disk.
    pub fn new() -> MemoryDisk {
        MemoryDisk::default()
    }

    /// The process dies and the power fails: everything not synced is lost, every handle is dead.
    pub fn crash(&self) {
        self.crash_keeping(|_| false);
    }

    /// As [`MemoryDisk::crash`], but some of what was not synced happened to reach the disk: of the tree's
    /// writes since the last barrier, counted from 0, those of which `survives` says so.
    pub fn crash_keeping(&self, survives: impl Fn(usize) -> bool) {
        let mut guard = self.device();
        let device = &mut *guard;
        let unsynced = std::mem::take(&mut device.unsynced);
        for Write { key, old, .. } in unsynced.iter().rev() {
            set(&mut device.tree, key, old.clone());
        }
        for (_, Write { key, new, .. }) in unsynced.into_iter().enumerate().filter(|(n, _)| survives(*n)) {
            set(&mut device.tree, &key, new);
        }
        for file in device.files.values_mut() {
            file.reread();
        }
        device.life += 1;
    }

    /// After `writes` more writes (inserts, removals, barriers, appends) every further one fails, as on a full
    /// disk; of an append that fails, half the bytes are on disk. Lasts until [`MemoryDisk::heal`].
    pub fn fail_after(&self, writes: u64) {
        self.device().writes_left = Some(writes);
    }

    /// Writes and syncs succeed again, for stores opened from now on.
    pub fn heal(&self) {
        let mut device = self.device();
        device.writes_left = None;
        device.sync_fails = false;
    }

    /// From now on the disk says that it syncs and does not (`true`), or is honest again, and what it kept back
    /// becomes durable with the next sync.
    pub fn lie(&self, lies: bool) {
        self.device().lies = lies;
    }

    /// The next sync (a barrier, or the one of an append) fails: what it was for is not durable.
    pub fn fail_next_sync(&self) {
        self.device().sync_fails = true;
    }

    /// What a crash would lose now: writes to the tree and bytes of files.
    pub fn unsynced(&self) -> usize {
        let device = self.device();
        let bytes = |file: &MemoryFile| file.current.len().max(file.durable.len()) - file.synced;
        device.unsynced.len() + device.files.values().map(bytes).sum::<usize>()
    }

    /// Whether the journal's durable bytes contain `record` in their last `bytes_max` bytes.
    pub fn journal_ends_with(&self, record: &[u8], bytes_max: usize) -> bool {
        let device = self.device();
        let Some(file) = device.files.get(PROMISES) else { return false };
        let tail = &file.durable[file.durable.len().saturating_sub(bytes_max)..];
        tail.windows(record.len()).rev().any(|window| window == record)
    }

    /// The store becomes what it is on `other`, as after a backup was restored; the journal stays.
    pub fn restore_store(&self, other: &MemoryDisk) {
        let tree = other.device().tree.clone();
        let mut device = self.device();
        device.tree = tree;
        device.unsynced.clear();
    }

    /// The journal becomes what it is on `other`: what no backup should hold.
    pub fn restore_journal(&self, other: &MemoryDisk) {
        let files = other.device().files.clone();
        self.device().files = files;
    }

    /// Writes so far, so that a test can fail or crash at each of them.
    pub fn writes(&self) -> u64 {
        self.device().writes
    }

    /// A disk of its own with the same content.
    pub fn copy(&self) -> MemoryDisk {
        MemoryDisk(Arc::new(Mutex::new(self.device().clone())))
    }

    /// How many values the tree has.
    pub fn values(&self) -> usize {
        self.device().tree.len()
    }

    /// Flips a bit: the lowest of byte `byte` (counted round) of the `nth` value of the tree in key order.
    /// Returns whether there are so many values and this one is not empty.
    pub fn corrupt(&self, nth: usize, byte: usize) -> bool {
        match self.device().tree.values_mut().nth(nth) {
            Some(value) if !value.is_empty() => {
                let at = byte % value.len();
                value[at] ^= 1;
                true
            }
            _ => false,
        }
    }

    /// The `nth` key of the tree, or nothing if there are fewer.
    pub fn key(&self, nth: usize) -> Vec<u8> {
        self.device().tree.keys().nth(nth).cloned().unwrap_or_default()
    }

    /// Bytes of the `nth` value of the tree in key order, if there are so many.
    pub fn value_bytes(&self, nth: usize) -> Option<usize> {
        self.device().tree.values().nth(nth).map(Vec::len)
    }

    /// Flips the lowest bit of a byte (counted round) of the journal's promises, if there are any.
    pub fn corrupt_journal(&self, byte: usize) {
        if let Some(file) = self.device().files.get_mut(PROMISES).filter(|file| !file.durable.is_empty()) {
            let at = byte % file.durable.len();
            file.durable[at] ^= 1;
            file.reread();
        }
    }

    /// Cuts the journal's promises to `length` bytes, as a write cut short leaves them.
    pub fn cut_journal(&self, length: usize) {
        if let Some(file) = self.device().files.get_mut(PROMISES) {
            file.durable.truncate(length);
            file.reread();
        }
    }

    /// The journal is gone.
    pub fn lose_journal(&self) {
        self.device().files.clear();
    }

    /// The store is gone; the journal is there.
    pub fn lose_store(&self) {
        let mut device = self.device();
        device.tree.clear();
        device.unsynced.clear();
    }

    pub(crate) fn tree(&self) -> MemoryTree {
        let life = self.device().life;
        MemoryTree { disk: self.clone(), life }
    }

    fn log(&self, name: &'static str) -> MemoryLog {
        let life = self.device().life;
        MemoryLog { disk: self.clone(), life, name }
    }

    fn device(&self) -> MutexGuard<'_, Device> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn alive(&self, life: u64) -> Result<MutexGuard<'_, Device>, StoreError> {
        let device = self.device();
        if device.life == life { Ok(device) } else { Err(refused("the process that opened this has ended")) }
    }

    /// For a write; the second part says whether it succeeds.
    fn writing(&self, life: u64) -> Result<(MutexGuard<'_, Device>, bool), StoreError> {
        let mut device = self.alive(life)?;
        device.writes += 1;
        let succeeds = device.writes_left != Some(0);
        device.writes_left = device.writes_left.map(|left| left.saturating_sub(1));
        Ok((device, succeeds))
    }

    fn write(&self, life: u64) -> Result<MutexGuard<'_, Device>, StoreError> {
        match self.writing(life)? {
            (device, true) => Ok(device),
            (_, false) => Err(full()),
        }
    }
}

impl MemoryStore {
    /// Founds a store from genesis on `disk`; the counterpart of
    /// [`DiskStore::create`](crate::DiskStore::create).
    pub fn create(disk: &MemoryDisk, genesis: &Block, delta: Delta) -> Result<(), StoreError> {
        if MemoryStore::exists(disk) {
            return Err(StoreError::Exists("the store in memory".to_owned()));
        }
        open::found(&disk.tree(), genesis, delta)
    }

    /// Whether `disk` holds a store.
    pub fn exists(disk: &MemoryDisk) -> bool {
        !disk.device().tree.is_empty()
    }

    /// Opens what is on `disk`; the counterpart of [`DiskStore::open`](crate::DiskStore::open).
    pub fn open(disk: &MemoryDisk, chain: &ChainId, replay: &Replay<'_>) -> Result<MemoryStore, StoreError> {
        if !MemoryStore::exists(disk) {
            return Err(StoreError::Missing("this memory".to_owned()));
        }
        let journal = MemoryJournal::open(disk.log(PROMISES), disk.log(BODIES), chain)?;
        Ok(TreeStore::new(open::open(disk.tree(), chain, replay)?, journal, Height::GENESIS))
    }
}

impl MemoryJournal {
    /// Makes an empty journal on `disk`.
    pub fn create(disk: &MemoryDisk, chain: &ChainId) -> Result<(), StoreError> {
        MemoryJournal::found(disk.log(PROMISES), disk.log(BODIES), chain)
    }
}

/// A tree on a [`MemoryDisk`].
#[derive(Clone, Debug)]
pub struct MemoryTree {
    disk: MemoryDisk,
    life: u64,
}

impl Tree for MemoryTree {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.disk.alive(self.life)?.tree.get(key).cloned())
    }

    fn insert(&self, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        assert!(value.len() <= VALUE_BYTES_MAX, "a value of {} bytes is too long for a tree", value.len());
        let mut device = self.disk.write(self.life)?;
        let old = device.tree.insert(key.to_vec(), value.to_vec());
        device.unsynced.push(Write { key: key.to_vec(), old, new: Some(value.to_vec()) });
        Ok(())
    }

    fn remove(&self, key: &[u8]) -> Result<(), StoreError> {
        let mut device = self.disk.write(self.life)?;
        if let Some(old) = device.tree.remove(key) {
            device.unsynced.push(Write { key: key.to_vec(), old: Some(old), new: None });
        }
        Ok(())
    }

    fn keys(&self, prefix: &[u8]) -> Result<Vec<Vec<u8>>, StoreError> {
        let device = self.disk.alive(self.life)?;
        let from = device.tree.range(prefix.to_vec()..);
        Ok(from.map(|(key, _)| key).take_while(|key| key.starts_with(prefix)).cloned().collect())
    }

    fn barrier(&self) -> Result<(), StoreError> {
        let mut device = self.disk.write(self.life)?;
        if std::mem::take(&mut device.sync_fails) {
            return Err(not_synced());
        }
        if !device.lies {
            device.unsynced.clear();
        }
        Ok(())
    }

    fn size_bytes(&self) -> Result<u64, StoreError> {
        let device = self.disk.alive(self.life)?;
        Ok(device.tree.iter().map(|(key, value)| (key.len() + value.len()) as u64).sum())
    }
}

/// A log on a [`MemoryDisk`].
#[derive(Clone, Debug)]
pub struct MemoryLog {
    disk: MemoryDisk,
    life: u64,
    name: &'static str,
}

impl Log for MemoryLog {
    fn read(&self, bytes_max: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let device = self.disk.alive(self.life)?;
        match device.files.get(self.name) {
            Some(file) if file.current.len() as u64 > bytes_max => {
                Err(StoreError::journal_damaged(self.name, format!("it has more than {bytes_max} bytes")))
            }
            file => Ok(file.map(|file| file.current.clone())),
        }
    }

    fn read_range(&self, range: Range<u64>) -> Result<Vec<u8>, StoreError> {
        let device = self.disk.alive(self.life)?;
        let bytes = device.files.get(self.name).map_or(&[][..], |file| &file.current);
        let range = range.start as usize..range.end as usize;
        bytes.get(range).map(<[u8]>::to_vec).ok_or_else(|| refused("reading past the end"))
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        let (mut device, succeeds) = self.disk.writing(self.life)?;
        let (lies, sync_fails) = (device.lies, std::mem::take(&mut device.sync_fails));
        let file = device.files.get_mut(self.name).expect("a log is written to once it exists");
        let written = if succeeds { bytes.len() } else { bytes.len() / 2 };
        file.current.extend_from_slice(&bytes[..written]);
        if sync_fails {
            return Err(not_synced());
        }
        if !lies {
            file.sync();
        }
        if succeeds { Ok(()) } else { Err(full()) }
    }

    fn cut(&mut self, length: u64) -> Result<(), StoreError> {
        let mut device = self.disk.write(self.life)?;
        let lies = device.lies;
        let file = device.files.get_mut(self.name).expect("a log is cut once it exists");
        file.current.truncate(length as usize);
        file.synced = file.synced.min(file.current.len());
        if !lies {
            file.sync();
        }
        Ok(())
    }

    fn replace(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        let mut device = self.disk.write(self.life)?;
        let mut file = MemoryFile::of(bytes);
        if let Some(old) = device.files.get(self.name).filter(|_| device.lies) {
            (file.durable, file.synced) = (old.durable.clone(), 0);
        }
        device.files.insert(self.name, file);
        Ok(())
    }
}

fn set(tree: &mut BTreeMap<Vec<u8>, Vec<u8>>, key: &[u8], value: Option<Vec<u8>>) {
    match value {
        Some(value) => tree.insert(key.to_vec(), value),
        None => tree.remove(key),
    };
}

fn full() -> StoreError {
    StoreError::Io {
        doing: "writing to memory".to_owned(),
        source_text: "no space left on device".to_owned(),
    }
}

fn not_synced() -> StoreError {
    StoreError::Io { doing: "syncing memory".to_owned(), source_text: "input/output error".to_owned() }
}

fn refused(why: &str) -> StoreError {
    StoreError::Io { doing: "using memory".to_owned(), source_text: why.to_owned() }
}
