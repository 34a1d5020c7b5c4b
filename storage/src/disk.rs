//! The store on disk: a home with one lock, sled in `store/`, the promise journal in `journal/`.

use std::{fs, path::Path, sync::Arc};

use tanba_ledger::{Block, ChainId, state::Delta};

use crate::{
    StoreError,
    journal::{FileLog, LogJournal},
    open,
    reader::TreeReader,
    replay::Replay,
    tree_store::TreeStore,
};

pub mod aside;
pub(crate) mod home;
mod sled_tree;

pub use home::sync_directory;
use home::{Home, HomeLock};
pub use sled_tree::{SledTree, read_anew};

/// A store above this size opens slowly, since an opening reads the log (about 1.7 seconds a gigabyte). Watch
/// [`TreeStore::size_bytes`] and fetch the store anew into a fresh folder before it is reached.
pub const STORE_BYTES_ADVISED_MAX: u64 = 2_500_000_000;

/// The store on disk.
pub type DiskStore = TreeStore<SledTree, FileJournal>;

/// A reader of a [`DiskStore`].
pub type DiskReader = TreeReader<SledTree>;

/// The promise journal on disk.
pub type FileJournal = LogJournal<FileLog>;

impl DiskStore {
    /// Whether `home` holds a store.
    pub fn exists(home: &Path) -> bool {
        Home::new(home).store().exists()
    }

    /// Founds a store from genesis and the state it begins with. The journal is another matter:
    /// [`FileJournal::create`].
    ///
    /// Atomic: the store is built beside its place and renamed. A store that was damaged and moved aside is
    /// made anew by this, too.
    ///
    /// # Errors
    /// [`StoreError::Exists`] if there is a store, [`StoreError::InUse`] if a process has the home open,
    /// [`StoreError::NotDurable`] if syncs do not reach the disk.
    ///
    /// # Panics
    /// Unless `delta` is that of `genesis`.
    pub fn create(home: &Path, genesis: &Block, delta: Delta) -> Result<(), StoreError> {
        let home = Home::new(home);
        home.make()?;
        let lock = Arc::new(HomeLock::take(&home)?);
        if home.store().exists() {
            return Err(StoreError::Exists(home.store().display().to_string()));
        }
        let unfinished = home.unfinished_store();
        if unfinished.exists() {
            let doing = format!("removing {}", unfinished.display());
            fs::remove_dir_all(&unfinished).map_err(StoreError::io(doing))?;
        }
        let tree = SledTree::open(&unfinished, lock)?;
        open::found(&tree, genesis, delta)?;
        drop(tree);
        let doing = format!("renaming {}", unfinished.display());
        fs::rename(&unfinished, home.store()).map_err(StoreError::io(doing))?;
        home::sync_directory(home.path())
    }

    /// Opens the store of the network `chain` and the journal beside it, in whatever condition that is.
    ///
    /// Checks format, network, head, its certificate and the state root, and applies again, by `replay`, the
    /// blocks above the last state on disk; that is bounded by [`REPLAY_BYTES_MAX`](crate::REPLAY_BYTES_MAX)
    /// and takes seconds at most.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if there is no store; [`StoreError::InUse`], [`StoreError::WrongNetwork`],
    /// [`StoreError::WrongFormat`], [`StoreError::NotDurable`]; [`StoreError::Damaged`], with the remedy.
    pub fn open(home: &Path, chain: &ChainId, replay: &Replay<'_>) -> Result<DiskStore, StoreError> {
        let home = Home::new(home);
        if !home.store().exists() {
            return Err(StoreError::Missing(home.path().display().to_string()));
        }
        let lock = Arc::new(HomeLock::take(&home)?);
        let journal = FileJournal::open(home.promises()?, home.bodies()?, chain)?;
        let tree = SledTree::open(&home.store(), lock)?;
        let head_aside = aside::highest_head(&home)?;
        Ok(TreeStore::new(open::open(tree, chain, replay)?, journal, head_aside))
    }
}

impl FileJournal {
    /// Makes an empty journal in `home`. Only `tanba init` does this.
    ///
    /// # Errors
    /// [`StoreError::Exists`] if there is one, [`StoreError::InUse`] if a process has the home open.
    pub fn create(home: &Path, chain: &ChainId) -> Result<(), StoreError> {
        let home = Home::new(home);
        home.make()?;
        let _lock = HomeLock::take(&home)?;
        FileJournal::found(home.promises()?, home.bodies()?, chain)?;
        home::sync_directory(home.path())
    }
}
