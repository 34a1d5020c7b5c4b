//! The same store in memory, for tests and the simulator: it can lose what was not synced, fill up and rot.
//!
//! Deterministic and without threads. Only the bytes live here, on a [`MemoryDisk`]; what they mean, the order of
//! writes and the checks are the code of the store on disk.

use std::ops::Range;

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

mod disk;

pub use disk::MemoryDisk;
use disk::{BODIES, MemoryFile, PROMISES, Write, full, not_synced, refused};

/// The store in memory.
pub type MemoryStore = TreeStore<MemoryTree, MemoryJournal>;

/// A reader of a [`MemoryStore`].
pub type MemoryReader = TreeReader<MemoryTree>;

/// The promise journal in memory.
pub type MemoryJournal = LogJournal<MemoryLog>;

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
        disk.read_anew()?;
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
        let mut device = self.disk.syncing(self.life)?;
        if device.fails_to_sync() {
            device.lose_unsynced();
            return Err(not_synced());
        }
        if !device.lies {
            device.sync();
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

    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        let (mut device, succeeds) = self.disk.writing(self.life)?;
        let written = if succeeds || device.power_fails { bytes.len() } else { bytes.len() / 2 };
        let file = device.files.get_mut(self.name).expect("a log is written to once it exists");
        file.current.extend_from_slice(&bytes[..written]);
        if succeeds { Ok(()) } else { Err(full()) }
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        let mut device = self.disk.syncing(self.life)?;
        let lies = device.lies;
        let sync_fails = device.fails_to_sync();
        let file = device.files.get_mut(self.name).expect("a log is synced once it exists");
        if sync_fails {
            file.lose_unsynced();
            return Err(not_synced());
        }
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
