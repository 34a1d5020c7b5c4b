//! A machine in memory: one disk with a database and two folders, which can be killed or lose power at every single
//! write, and then keeps of what was not synced whatever the test chooses.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tanba_storage::{StoreError, tree::Tree};
use tanba_vault::{
    VaultError,
    folder::{Folder, SECTOR_BYTES},
};

/// One write that a crash may undo.
#[derive(Clone, Debug)]
enum Write {
    Tree(Vec<u8>, Option<Vec<u8>>),
    Sector(u64, u64, Vec<u8>),
    Name(Place, Option<u64>),
}

/// Folder and name.
type Place = (&'static str, String);

#[derive(Clone, Debug, Default)]
struct Content {
    tree: BTreeMap<Vec<u8>, Vec<u8>>,
    names: BTreeMap<Place, u64>,
    files: BTreeMap<u64, Vec<u8>>,
}

impl Content {
    fn apply(&mut self, write: &Write) {
        match write.clone() {
            Write::Tree(key, Some(value)) => drop(self.tree.insert(key, value)),
            Write::Tree(key, None) => drop(self.tree.remove(&key)),
            Write::Name(place, Some(file)) => drop(self.names.insert(place, file)),
            Write::Name(place, None) => drop(self.names.remove(&place)),
            Write::Sector(file, at, bytes) => {
                let content = self.files.entry(file).or_default();
                let end = at as usize + bytes.len();
                content.resize(content.len().max(end), 0);
                content[at as usize..end].copy_from_slice(&bytes);
            }
        }
    }
}

#[derive(Clone, Debug, Default)]
struct Device {
    now: Content,
    durable: Content,
    unsynced: Vec<Write>,
    files: u64,
    writes: u64,
    writes_left: Option<u64>,
}

/// The machine. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Machine(Arc<Mutex<Device>>);

/// How a process ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Crash {
    /// It is killed: all it wrote is readable.
    Kill,
    /// The power goes, and of what was not synced nothing is kept.
    PowerCut,
    /// The power goes, and some of what was not synced is kept, by these bits.
    PowerCutKeeping(u64),
}

impl Machine {
    fn device(&self) -> MutexGuard<'_, Device> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A machine of its own with the same content.
    pub(crate) fn copy(&self) -> Machine {
        Machine(Arc::new(Mutex::new(self.device().clone())))
    }

    pub(crate) fn writes(&self) -> u64 {
        self.device().writes
    }

    /// After so many more writes and syncs, none succeeds.
    pub(crate) fn fail_after(&self, writes: u64) {
        self.device().writes_left = Some(writes);
    }

    pub(crate) fn crash(&self, how: Crash) {
        let mut device = self.device();
        device.writes_left = None;
        let bits = match how {
            Crash::Kill => return,
            Crash::PowerCut => 0,
            Crash::PowerCutKeeping(bits) => bits,
        };
        let unsynced = std::mem::take(&mut device.unsynced);
        device.now = device.durable.clone();
        for (n, write) in unsynced.iter().enumerate() {
            if bits >> (n % 64) & 1 == 1 {
                device.now.apply(write);
            }
        }
        device.durable = device.now.clone();
    }

    fn write(&self, write: Write) -> Result<(), StoreError> {
        let mut device = self.begin()?;
        device.now.apply(&write);
        device.unsynced.push(write);
        Ok(())
    }

    fn begin(&self) -> Result<MutexGuard<'_, Device>, StoreError> {
        let mut device = self.device();
        device.writes += 1;
        if device.writes_left == Some(0) {
            let (doing, source_text) = ("writing".to_owned(), "the power is gone".to_owned());
            return Err(StoreError::Io { doing, source_text });
        }
        device.writes_left = device.writes_left.map(|left| left - 1);
        Ok(device)
    }

    fn sync(&self, covers: impl Fn(&Write) -> bool) -> Result<(), StoreError> {
        let mut device = self.begin()?;
        let (synced, rest) = std::mem::take(&mut device.unsynced).into_iter().partition(covers);
        device.unsynced = rest;
        let synced: Vec<Write> = synced;
        synced.iter().for_each(|write| device.durable.apply(write));
        Ok(())
    }

    /// Every value of the database and every file, by where it lies: what somebody who takes the disk has.
    pub(crate) fn everything(&self) -> Vec<(String, Vec<u8>)> {
        let device = self.device();
        let tree =
            device.now.tree.iter().map(|(key, value)| (format!("{key:02x?}"), [&key[..], value].concat()));
        let file = |file: &u64| device.now.files.get(file).cloned().unwrap_or_default();
        let files = device.now.names.iter().map(|(place, id)| (format!("{}/{}", place.0, place.1), file(id)));
        tree.chain(files).collect()
    }

    /// Puts back what lay in one folder, or in the database (`store`), of an older copy.
    pub(crate) fn restore(&self, what: &str, older: &Machine) {
        let older = older.device().now.clone();
        let mut device = self.device();
        let content = &mut device.now;
        if what == "store" {
            content.tree = older.tree;
        } else {
            content.names.retain(|place, _| place.0 != what);
            for (place, file) in older.names.iter().filter(|(place, _)| place.0 == what) {
                // Numbers of files are never used again, so the older content may stand beside the newer.
                content.names.insert(place.clone(), file + 1_000_000);
                content.files.insert(file + 1_000_000, older.files.get(file).cloned().unwrap_or_default());
            }
        }
        device.durable = device.now.clone();
        device.unsynced.clear();
    }

    /// Changes the content of the one file of a folder.
    pub(crate) fn tamper(&self, folder: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut device = self.device();
        let id = *device.now.names.iter().find(|(place, _)| place.0 == folder).expect("a file").1;
        change(device.now.files.get_mut(&id).expect("it was written"));
        device.durable = device.now.clone();
    }

    /// Changes the database.
    pub(crate) fn tamper_tree(&self, change: impl FnOnce(&mut BTreeMap<Vec<u8>, Vec<u8>>)) {
        let mut device = self.device();
        change(&mut device.now.tree);
        device.durable = device.now.clone();
    }
}

#[derive(Clone, Debug)]
pub(crate) struct MachineTree(pub(crate) Machine);

impl Tree for MachineTree {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.0.device().now.tree.get(key).cloned())
    }

    fn insert(&self, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        assert!(value.len() <= tanba_storage::tree::VALUE_BYTES_MAX);
        self.0.write(Write::Tree(key.to_vec(), Some(value.to_vec())))
    }

    fn remove(&self, key: &[u8]) -> Result<(), StoreError> {
        self.0.write(Write::Tree(key.to_vec(), None))
    }

    fn keys(&self, prefix: &[u8]) -> Result<Vec<Vec<u8>>, StoreError> {
        let device = self.0.device();
        let from = device.now.tree.range(prefix.to_vec()..).map(|(key, _)| key);
        Ok(from.take_while(|key| key.starts_with(prefix)).cloned().collect())
    }

    fn barrier(&self) -> Result<(), StoreError> {
        self.0.sync(|write| matches!(write, Write::Tree(..)))
    }

    fn size_bytes(&self) -> Result<u64, StoreError> {
        Ok(0)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct MachineFolder(pub(crate) Machine, pub(crate) &'static str);

impl MachineFolder {
    fn file(&self, name: &str) -> u64 {
        self.0.device().now.names[&(self.1, name.to_owned())]
    }
}

impl Folder for MachineFolder {
    fn names(&self) -> Result<Vec<String>, VaultError> {
        let device = self.0.device();
        Ok(device.now.names.keys().filter(|place| place.0 == self.1).map(|place| place.1.clone()).collect())
    }

    fn create(&mut self, name: &str) -> Result<(), VaultError> {
        assert!(!self.names()?.contains(&name.to_owned()), "{name} is made once");
        let file = {
            let mut device = self.0.device();
            device.files += 1;
            device.files
        };
        Ok(self.0.write(Write::Name((self.1, name.to_owned()), Some(file)))?)
    }

    fn length(&self, name: &str) -> Result<u64, VaultError> {
        let file = self.file(name);
        Ok(self.0.device().now.files.get(&file).map_or(0, |file| file.len() as u64))
    }

    fn read(&self, name: &str, at: u64, length: usize) -> Result<Vec<u8>, VaultError> {
        let file = self.file(name);
        let content = self.0.device().now.files.get(&file).cloned().unwrap_or_default();
        let mut bytes: Vec<u8> = content.into_iter().skip(at as usize).take(length).collect();
        bytes.resize(length, 0);
        Ok(bytes)
    }

    fn write(&mut self, name: &str, at: u64, bytes: &[u8]) -> Result<(), VaultError> {
        assert_eq!(at % SECTOR_BYTES as u64, 0, "sectors are written whole");
        let file = self.file(name);
        for (n, sector) in bytes.chunks(SECTOR_BYTES).enumerate() {
            let at = at + (n * SECTOR_BYTES) as u64;
            self.0.write(Write::Sector(file, at, sector.to_vec()))?;
        }
        Ok(())
    }

    fn sync(&mut self, name: &str) -> Result<(), VaultError> {
        let file = self.file(name);
        Ok(self.0.sync(|write| matches!(write, Write::Sector(of, ..) if *of == file))?)
    }

    fn remove(&mut self, name: &str) -> Result<(), VaultError> {
        Ok(self.0.write(Write::Name((self.1, name.to_owned()), None))?)
    }

    fn sync_names(&mut self) -> Result<(), VaultError> {
        let folder = self.1;
        Ok(self.0.sync(|write| matches!(write, Write::Name(place, _) if place.0 == folder))?)
    }
}
