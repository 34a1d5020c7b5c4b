//! The two stores under one handle, so that every test runs over both.

use std::{cell::Cell, fs, path::Path};

use tanba_ledger::{Block, ChainId, Height, state::Delta};
use tanba_storage::{
    DiskStore, FileJournal, Journal, MemoryDisk, MemoryJournal, MemoryStore, Replay, Store, StoreError,
    StoreReader, TreeStore, disk::SledTree, memory::MemoryTree, tree::Tree,
};
use tempfile::TempDir;

use crate::chain;

/// Where a store lies between two lives of a node.
pub(crate) trait Rig: Sized {
    type Tree: Tree;
    type Journal: Journal + 'static;

    fn new() -> Self;
    fn create(&self, genesis: &Block, delta: Delta) -> Result<(), StoreError>;
    fn create_journal(&self, chain: &ChainId) -> Result<(), StoreError>;
    fn open_by(&self, chain: &ChainId, replay: &Replay<'_>) -> Result<RigStore<Self>, StoreError>;
    /// The process dies with `store` open.
    fn crash(&mut self, store: RigStore<Self>);
    fn cut_journal(&self, length: usize);
    fn flip_in_journal(&self, byte: usize);
    fn lose_journal(&self);

    /// A rig with a store and a journal, opened.
    fn founded() -> (Self, RigStore<Self>) {
        let rig = Self::new();
        let (genesis, delta) = chain::genesis();
        rig.create(&genesis, delta).expect("founded");
        rig.create_journal(&chain::chain_id()).expect("founded");
        let store = rig.open().expect("opened");
        (rig, store)
    }

    fn open(&self) -> Result<RigStore<Self>, StoreError> {
        self.open_as(&chain::chain_id())
    }

    fn open_as(&self, chain: &ChainId) -> Result<RigStore<Self>, StoreError> {
        self.open_by(chain, &counted_replay)
    }

    fn reopen(&mut self, store: RigStore<Self>) -> RigStore<Self> {
        drop(store);
        self.open().expect("opened again")
    }
}

pub(crate) type RigStore<R> = TreeStore<<R as Rig>::Tree, <R as Rig>::Journal>;

pub(crate) struct Memory {
    pub(crate) disk: MemoryDisk,
}

impl Rig for Memory {
    type Tree = MemoryTree;
    type Journal = MemoryJournal;

    fn new() -> Memory {
        Memory { disk: MemoryDisk::new() }
    }

    fn create(&self, genesis: &Block, delta: Delta) -> Result<(), StoreError> {
        MemoryStore::create(&self.disk, genesis, delta)
    }

    fn create_journal(&self, chain: &ChainId) -> Result<(), StoreError> {
        MemoryJournal::create(&self.disk, chain)
    }

    fn open_by(&self, chain: &ChainId, replay: &Replay<'_>) -> Result<MemoryStore, StoreError> {
        MemoryStore::open(&self.disk, chain, replay)
    }

    fn crash(&mut self, store: MemoryStore) {
        self.disk.crash();
        drop(store);
    }

    fn cut_journal(&self, length: usize) {
        self.disk.cut_journal(length);
    }

    fn flip_in_journal(&self, byte: usize) {
        self.disk.corrupt_journal(byte);
    }

    fn lose_journal(&self) {
        self.disk.lose_journal();
    }
}

pub(crate) struct Disk {
    pub(crate) home: TempDir,
}

impl Disk {
    pub(crate) fn path(&self) -> &Path {
        self.home.path()
    }

    fn promises(&self) -> std::path::PathBuf {
        self.path().join("journal/promises")
    }
}

impl Rig for Disk {
    type Tree = SledTree;
    type Journal = FileJournal;

    fn new() -> Disk {
        Disk { home: tempfile::tempdir().expect("a folder") }
    }

    fn create(&self, genesis: &Block, delta: Delta) -> Result<(), StoreError> {
        DiskStore::create(self.path(), genesis, delta)
    }

    fn create_journal(&self, chain: &ChainId) -> Result<(), StoreError> {
        FileJournal::create(self.path(), chain)
    }

    fn open_by(&self, chain: &ChainId, replay: &Replay<'_>) -> Result<DiskStore, StoreError> {
        DiskStore::open(self.path(), chain, replay)
    }

    /// The files as they are are what a killed process leaves: it has no chance to write what it still holds.
    fn crash(&mut self, store: DiskStore) {
        let left = tempfile::tempdir().expect("a folder");
        copy_folder(self.path(), left.path());
        drop(store);
        self.home = left;
    }

    fn cut_journal(&self, length: usize) {
        let file = fs::File::options().write(true).open(self.promises()).expect("there is a journal");
        file.set_len(length as u64).expect("cut");
    }

    fn flip_in_journal(&self, byte: usize) {
        let mut bytes = fs::read(self.promises()).expect("there is a journal");
        let at = byte % bytes.len();
        bytes[at] ^= 1;
        fs::write(self.promises(), bytes).expect("written");
    }

    fn lose_journal(&self) {
        fs::remove_dir_all(self.path().join("journal")).expect("there was a journal");
    }
}

pub(crate) fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("copied");
        }
    }
}

thread_local! {
    static REPLAYED: Cell<u64> = const { Cell::new(0) };
}

/// Blocks applied again by this thread's openings since this was last asked.
pub(crate) fn replayed() -> u64 {
    REPLAYED.take()
}

fn counted_replay(
    block: &Block,
    parent: &tanba_ledger::state::Tip,
    reader: &dyn tanba_ledger::merkle::NodeReader,
) -> Result<Delta, String> {
    REPLAYED.set(REPLAYED.get() + 1);
    chain::replay(block, parent, reader)
}

/// Commits one block of `count` transactions on the head.
pub(crate) fn commit<S: Store>(store: &mut S, count: u32) -> Result<Block, StoreError> {
    let reader = store.reader();
    let (block, certificate, delta) = chain::next(&reader.tip(), &reader, count);
    store.commit(&block, &certificate, delta)?;
    Ok(block)
}

/// Commits blocks up to `height`, of three transactions each.
pub(crate) fn commit_to<S: Store>(store: &mut S, height: u64) {
    while store.reader().tip().header.height < Height(height) {
        commit(store, 3).expect("committed");
    }
}

/// Everything a reader can be asked about the chain up to `height`, as text; any error fails the test.
pub(crate) fn everything<R: StoreReader>(reader: &R, height: u64) -> String {
    try_everything(reader, height).expect("readable")
}

/// As [`everything`], but with the first error.
pub(crate) fn try_everything<R: StoreReader>(reader: &R, height: u64) -> Result<String, StoreError> {
    use std::fmt::Write as _;
    let mut all = format!("{:?}\n", reader.tip());
    for height in (0..=height).map(Height) {
        let found = reader.block(height)?.expect("a block at every height");
        let hash = found.block.hash();
        let header = reader.header(height)?;
        let finalization = reader.finalization(height)?;
        let places: Result<Vec<_>, _> =
            found.block.transactions.iter().map(|it| reader.position(&it.id())).collect();
        let places = places?;
        let history = reader.history_node(0, height.0)?;
        let level = height.0.trailing_ones() as u8;
        let subtree = reader.history_node(level, height.0 >> level)?;
        let leaf = node(reader, &chain::leaf_hash(height))?;
        let rest = (reader.height_of(&hash)?, places, history, subtree, leaf);
        writeln!(all, "{found:?} {header:?} {finalization:?} {rest:?}").expect("text");
    }
    let top = node(reader, &chain::root(&reader.tip()))?;
    Ok(all + &format!("{top:?}"))
}

/// What a reader says of one height, and of nothing above it; with the first error.
pub(crate) fn facts<R: StoreReader>(reader: &R, height: Height) -> Result<String, StoreError> {
    let found = reader.block(height)?.expect("a block at every height");
    let header = reader.header(height)?;
    let finalization = reader.finalization(height)?;
    let places: Result<Vec<_>, _> =
        found.block.transactions.iter().map(|it| reader.position(&it.id())).collect();
    let history = reader.history_node(0, height.0)?;
    let level = height.0.trailing_ones() as u8;
    let subtree = reader.history_node(level, height.0 >> level)?;
    let leaf = node(reader, &chain::leaf_hash(height))?;
    let of_hash = reader.height_of(&found.block.hash())?;
    Ok(format!(
        "{found:?} {header:?} {finalization:?} {of_hash:?} {places:?} {history:?} {subtree:?} {leaf:?}"
    ))
}

fn node<R: StoreReader>(
    reader: &R,
    hash: &tanba_crypto::Hash,
) -> Result<tanba_ledger::merkle::Node, StoreError> {
    reader.node(hash).map_err(|error| StoreError::Damaged { place: "a node".into(), what: error.to_string() })
}

/// Runs each test over both stores.
macro_rules! over_both_stores {
    ($($name:ident),* $(,)?) => {
        mod in_memory {
            $(#[test] fn $name() { super::$name::<crate::rig::Memory>(); })*
        }
        mod on_disk {
            $(#[test] fn $name() { super::$name::<crate::rig::Disk>(); })*
        }
    };
}
pub(crate) use over_both_stores;
