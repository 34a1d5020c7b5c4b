//! A disk in memory, and what can be done to it: it loses what was not synced, tears it, fills up, fails, lies, rots.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tanba_ledger::{BlockHash, ChainId};

use super::{MemoryLog, MemoryTree};
use crate::{StoreError, journal};

/// What a node's disk holds. Outlives the store that is open on it: after [`MemoryDisk::crash`] a new one is
/// opened. Clones share the disk.
#[derive(Clone, Debug, Default)]
pub struct MemoryDisk(Arc<Mutex<Device>>);

#[derive(Clone, Debug, Default)]
pub(super) struct Device {
    /// Grows with each crash; handles of an earlier life are refused.
    life: u64,
    pub(super) tree: BTreeMap<Vec<u8>, Vec<u8>>,
    /// What was written to the tree since the last barrier, oldest first.
    pub(super) unsynced: Vec<Write>,
    /// What a barrier that failed should have made durable, oldest first: readable, and never written.
    lost: Vec<Write>,
    pub(super) files: BTreeMap<&'static str, MemoryFile>,
    /// Writes that still succeed; `None` for all.
    writes_left: Option<u64>,
    writes: u64,
    /// When no write is left, that is because the power is gone.
    pub(super) power_fails: bool,
    /// Syncs are reported and not done.
    pub(super) lies: bool,
    /// Syncs that still succeed before one fails; `None` for all.
    syncs_left: Option<u64>,
}

/// One write to the tree; `None` for no value.
#[derive(Clone, Debug)]
pub(super) struct Write {
    pub(super) key: Vec<u8>,
    pub(super) old: Option<Vec<u8>>,
    pub(super) new: Option<Vec<u8>>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct MemoryFile {
    pub(super) durable: Vec<u8>,
    pub(super) current: Vec<u8>,
    /// So many bytes at the beginning of both are the same.
    pub(super) synced: usize,
}

impl Device {
    /// For a sync; whether it is the one that fails.
    pub(super) fn fails_to_sync(&mut self) -> bool {
        let fails = self.syncs_left == Some(0);
        self.syncs_left = self.syncs_left.and_then(|left| left.checked_sub(1));
        fails
    }

    /// What was written to the tree is durable, also in place of what was lost.
    pub(super) fn sync(&mut self) {
        let synced = std::mem::take(&mut self.unsynced);
        self.lost.retain(|lost| synced.iter().all(|write| write.key != lost.key));
    }

    /// A sync failed: the system counts the pages as written and does not try again.
    pub(super) fn lose_unsynced(&mut self) {
        self.lost.append(&mut self.unsynced);
    }

    /// What never reached the disk is gone from memory.
    fn forget(&mut self, writes: Vec<Write>) {
        for Write { key, old, .. } in writes.into_iter().rev() {
            set(&mut self.tree, &key, old);
        }
    }
}

impl MemoryFile {
    pub(super) fn of(bytes: &[u8]) -> MemoryFile {
        MemoryFile { durable: bytes.to_vec(), current: bytes.to_vec(), synced: bytes.len() }
    }

    pub(super) fn sync(&mut self) {
        self.durable.truncate(self.synced);
        self.durable.extend_from_slice(&self.current[self.synced..]);
        self.synced = self.current.len();
    }

    /// A sync failed: what it was for stays readable, was never written, and no later sync will write it. The file is
    /// longer, and zeros are there.
    pub(super) fn lose_unsynced(&mut self) {
        self.durable.truncate(self.synced);
        self.durable.resize(self.current.len(), 0);
        self.synced = self.current.len();
    }

    /// The power was gone. Of the sectors that were not synced, counted from 0, those of which `survives` says so are
    /// there; another is zeros, or was the end of the file, which is then shorter.
    fn tear(&mut self, survives: impl Fn(usize) -> bool) {
        let grew = self.durable.len() == self.synced;
        let unsynced = if grew { self.current[self.synced..].to_vec() } else { Vec::new() };
        // A file that was cut or replaced is the old one or the new one.
        if !grew && survives(0) {
            self.durable.clone_from(&self.current);
        }
        let mut at = 0;
        while at < unsynced.len() {
            let in_sector = SECTOR_BYTES - (self.synced + at) % SECTOR_BYTES;
            let end = (at + in_sector).min(unsynced.len());
            if survives(at / SECTOR_BYTES) {
                self.durable.resize(self.synced + at, 0);
                self.durable.extend_from_slice(&unsynced[at..end]);
            }
            at = end;
        }
        self.reread();
    }

    /// Power is back: what is there is what was durable.
    fn reread(&mut self) {
        self.current.clone_from(&self.durable);
        self.synced = self.current.len();
    }
}

/// What a disk writes at once.
const SECTOR_BYTES: usize = 512;

pub(super) const PROMISES: &str = "promises";
pub(super) const BODIES: &str = "bodies";

impl MemoryDisk {
    /// An empty disk.
    pub fn new() -> MemoryDisk {
        MemoryDisk::default()
    }

    /// The process dies and the power stays: whatever was written is readable, synced or not; every handle is dead.
    pub fn kill(&self) {
        let mut device = self.device();
        (device.writes_left, device.power_fails) = (None, false);
        device.life += 1;
    }

    /// The process dies and the power fails: everything not synced is lost, every handle is dead.
    pub fn crash(&self) {
        self.crash_keeping(|_| false);
    }

    /// As [`MemoryDisk::crash`], but some of what was not synced happened to reach the disk: of the tree's
    /// writes since the last barrier, and of the sectors of each file of the journal, counted from 0, those of which
    /// `survives` says so.
    pub fn crash_keeping(&self, survives: impl Fn(usize) -> bool) {
        let mut guard = self.device();
        let device = &mut *guard;
        let unsynced = std::mem::take(&mut device.unsynced);
        device.forget(unsynced.clone());
        let lost = std::mem::take(&mut device.lost);
        device.forget(lost);
        for (_, Write { key, new, .. }) in unsynced.into_iter().enumerate().filter(|(n, _)| survives(*n)) {
            set(&mut device.tree, &key, new);
        }
        for file in device.files.values_mut() {
            file.tear(&survives);
        }
        (device.writes_left, device.power_fails) = (None, false);
        device.life += 1;
    }

    /// After `writes` more writes (inserts, removals, appends, syncs) every further one fails, as on a full
    /// disk; of an append that fails, half the bytes are on disk. Lasts until [`MemoryDisk::heal`].
    pub fn fail_after(&self, writes: u64) {
        let mut device = self.device();
        (device.writes_left, device.power_fails) = (Some(writes), false);
    }

    /// After `writes` more writes the power is gone: the next one is begun and not synced, and none follows. The
    /// owner of the process looks at [`MemoryDisk::has_lost_power`] and ends it by a crash.
    pub fn lose_power_after(&self, writes: u64) {
        let mut device = self.device();
        (device.writes_left, device.power_fails) = (Some(writes), true);
    }

    /// Whether a write was begun without power, or the power went after the last one.
    pub fn has_lost_power(&self) -> bool {
        let device = self.device();
        device.power_fails && device.writes_left == Some(0)
    }

    /// Writes and syncs succeed again, for stores opened from now on.
    pub fn heal(&self) {
        let mut device = self.device();
        (device.writes_left, device.power_fails) = (None, false);
        device.syncs_left = None;
    }

    /// From now on the disk says that it syncs and does not (`true`), or is honest again, and what it kept back
    /// becomes durable with the next sync.
    pub fn lie(&self, lies: bool) {
        self.device().lies = lies;
    }

    /// The next sync fails: what it was for is not durable, and no later sync makes it so.
    pub fn fail_next_sync(&self) {
        self.fail_sync_after(0);
    }

    /// As [`MemoryDisk::fail_next_sync`], after `syncs` that succeed.
    pub fn fail_sync_after(&self, syncs: u64) {
        self.device().syncs_left = Some(syncs);
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
        let from = file.durable.len().saturating_sub(bytes_max).next_multiple_of(SECTOR_BYTES);
        let tail = journal::frame::unmarked(file.durable.get(from..).unwrap_or_default());
        tail.windows(record.len()).rev().any(|window| window == record)
    }

    /// The blocks whose bodies the journal would hold after a crash now, as far as they are whole.
    pub fn journal_bodies(&self, chain: &ChainId) -> BTreeSet<BlockHash> {
        let durable = self.device().files.get(BODIES).map(|file| file.durable.clone());
        durable.map(|bytes| journal::bodies_of(&bytes, chain)).unwrap_or_default()
    }

    /// The records that the journal would hold after a crash now, as far as they are whole; none if it is gone or
    /// another network's.
    pub fn journal_records(&self, chain: &ChainId) -> Vec<Vec<u8>> {
        let durable = self.device().files.get(PROMISES).map(|file| file.durable.clone());
        durable.map(|bytes| journal::records_of(&bytes, chain)).unwrap_or_default()
    }

    /// Bytes of the journal, both files, durable or not.
    pub fn journal_bytes(&self) -> usize {
        let device = self.device();
        [PROMISES, BODIES]
            .iter()
            .filter_map(|name| device.files.get(*name))
            .map(|file| file.current.len())
            .sum()
    }

    /// The store becomes what it is on `other`, as after a backup was restored; the journal stays.
    pub fn restore_store(&self, other: &MemoryDisk) {
        let tree = other.device().tree.clone();
        let mut device = self.device();
        device.tree = tree;
        device.unsynced.clear();
        device.lost.clear();
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

    /// A disk of its own with the same content, on which nothing is about to fail.
    pub fn copy(&self) -> MemoryDisk {
        let copy = MemoryDisk(Arc::new(Mutex::new(self.device().clone())));
        copy.heal();
        copy
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
        device.lost.clear();
    }

    pub(crate) fn tree(&self) -> MemoryTree {
        let life = self.device().life;
        MemoryTree { disk: self.clone(), life }
    }

    pub(super) fn log(&self, name: &'static str) -> MemoryLog {
        let life = self.device().life;
        MemoryLog { disk: self.clone(), life, name }
    }

    pub(super) fn device(&self) -> MutexGuard<'_, Device> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn alive(&self, life: u64) -> Result<MutexGuard<'_, Device>, StoreError> {
        let device = self.device();
        if device.life == life { Ok(device) } else { Err(refused("the process that opened this has ended")) }
    }

    /// For a write; the second part says whether it succeeds.
    pub(super) fn writing(&self, life: u64) -> Result<(MutexGuard<'_, Device>, bool), StoreError> {
        let mut device = self.alive(life)?;
        device.writes += 1;
        let succeeds = device.writes_left != Some(0);
        device.writes_left = device.writes_left.map(|left| left.saturating_sub(1));
        Ok((device, succeeds))
    }

    /// What the opening of a store on disk does first: syncs what an earlier process wrote, and reads from the disk
    /// what the system may only remember.
    pub(super) fn read_anew(&self) -> Result<(), StoreError> {
        let mut device = self.device();
        if device.fails_to_sync() {
            device.lose_unsynced();
            return Err(not_synced());
        }
        if !device.lies {
            device.sync();
        }
        let lost = std::mem::take(&mut device.lost);
        device.forget(lost);
        Ok(())
    }

    /// For a sync, which is a write that needs power.
    pub(super) fn syncing(&self, life: u64) -> Result<MutexGuard<'_, Device>, StoreError> {
        match self.writing(life)? {
            (device, true) => Ok(device),
            (_, false) => Err(not_synced()),
        }
    }

    pub(super) fn write(&self, life: u64) -> Result<MutexGuard<'_, Device>, StoreError> {
        match self.writing(life)? {
            (device, true) => Ok(device),
            (_, false) => Err(full()),
        }
    }
}

fn set(tree: &mut BTreeMap<Vec<u8>, Vec<u8>>, key: &[u8], value: Option<Vec<u8>>) {
    match value {
        Some(value) => tree.insert(key.to_vec(), value),
        None => tree.remove(key),
    };
}

pub(super) fn full() -> StoreError {
    StoreError::Io {
        doing: "writing to memory".to_owned(),
        source_text: "no space left on device".to_owned(),
    }
}

pub(super) fn not_synced() -> StoreError {
    StoreError::Io { doing: "syncing memory".to_owned(), source_text: "input/output error".to_owned() }
}

pub(super) fn refused(why: &str) -> StoreError {
    StoreError::Io { doing: "using memory".to_owned(), source_text: why.to_owned() }
}
