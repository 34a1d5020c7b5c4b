//! sled 0.34.7 as a [`Tree`]: the only file that names it.
//!
//! What it takes to use it carefully: real syncs ([`real_sync`](crate::real_sync)); an opening that first syncs
//! what an earlier process left in the page cache and removes a half-written snapshot, on which sled would
//! never open again; small values, so that nothing goes to `blobs/`, which sled never syncs; no `apply_batch`,
//! which locks out every reader of the process; no background flusher; and no trust: sled answers some damage
//! with a panic, which becomes an error here, and some with older or no data, which the store's own checks find.

use std::{
    any::Any,
    fs::{self, File},
    io::ErrorKind,
    ops::Deref,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    StoreError,
    disk::home::{Home, HomeLock, lock_patiently, sync_directory},
    keys::{self, Table},
    real_sync,
    tree::{Tree, VALUE_BYTES_MAX},
};

/// What sled may keep in memory.
const CACHE_BYTES: u64 = 64 << 20;

/// An open sled database. Clones share it.
#[derive(Clone)]
pub struct SledTree {
    // Dropped in this order: sled is closed before another process may take the home.
    db: Arc<Database>,
    _lock: Arc<HomeLock>,
}

impl SledTree {
    /// Opens or creates a tree of another crate's in `home`, with the lock and the layout of folders of a node's
    /// home. Key 01 is the tree's own; see [`crate`].
    ///
    /// # Errors
    /// [`StoreError::InUse`] if a process has the home open, [`StoreError::NotDurable`] if syncs do not reach the
    /// disk.
    pub fn open_home(home: &Path) -> Result<SledTree, StoreError> {
        let home = Home::new(home);
        home.make()?;
        let lock = HomeLock::take(&home)?;
        SledTree::open(&home.store(), Arc::new(lock))
    }

    /// Opens or creates the database in the folder `path`, in a home that `lock` holds.
    pub(crate) fn open(path: &Path, lock: Arc<HomeLock>) -> Result<SledTree, StoreError> {
        prepare(path)?;
        let config = sled::Config::new().path(path).cache_capacity(CACHE_BYTES).flush_every_ms(None);
        let db = shielded("opening the store", || config.open())?;
        let tree = SledTree { db: Arc::new(Database::new(db, path)), _lock: lock };
        sync_opened(path)?;
        check_blobs(path)?;
        tree.see_a_real_sync()?;
        Ok(tree)
    }

    /// One insert and flush must reach the disk as a real sync. The value counts openings, so that it differs
    /// from the one before and sled has something to write.
    fn see_a_real_sync(&self) -> Result<(), StoreError> {
        let key = Table::Probe.key();
        let last = self.get(&key)?.and_then(|value| Some(u64::from_be_bytes(value.try_into().ok()?)));
        let before = real_sync::syncs();
        self.insert(&key, &last.unwrap_or_default().wrapping_add(1).to_be_bytes())?;
        self.barrier()?;
        if real_sync::COUNTED && real_sync::syncs() == before {
            let what =
                "a flush of the store ended in no fdatasync; this program was not linked as it must be";
            return Err(StoreError::NotDurable(what.to_owned()));
        }
        Ok(())
    }
}

impl Tree for SledTree {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match shielded("reading the store", || self.db.get(key)) {
            Ok(value) => Ok(value.map(|value| value.to_vec())),
            Err(StoreError::Damaged { what, .. }) => Err(StoreError::damaged(keys::describe(key), what)),
            Err(error) => Err(error),
        }
    }

    fn insert(&self, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        assert!(value.len() <= VALUE_BYTES_MAX, "a value of {} bytes would leave the log", value.len());
        shielded("writing the store", || self.db.insert(key, value)).map(drop)
    }

    fn remove(&self, key: &[u8]) -> Result<(), StoreError> {
        shielded("writing the store", || self.db.remove(key)).map(drop)
    }

    fn keys(&self, prefix: &[u8]) -> Result<Vec<Vec<u8>>, StoreError> {
        let keys = || self.db.scan_prefix(prefix).keys().map(|key| key.map(|it| it.to_vec())).collect();
        shielded("reading the store", keys)
    }

    fn barrier(&self) -> Result<(), StoreError> {
        shielded("syncing the store", || self.db.flush()).map(drop)
    }

    fn size_bytes(&self) -> Result<u64, StoreError> {
        shielded("measuring the store", || self.db.size_on_disk())
    }
}

/// sled while it is open.
struct Database {
    /// `None` only while this is dropped.
    db: Option<sled::Db>,
    file: PathBuf,
}

impl Database {
    fn new(db: sled::Db, folder: &Path) -> Database {
        Database { db: Some(db), file: folder.join("db") }
    }
}

impl Deref for Database {
    type Target = sled::Db;

    fn deref(&self) -> &sled::Db {
        self.db.as_ref().expect("taken only when nobody can ask any more")
    }
}

impl Drop for Database {
    /// sled syncs when it is closed and panics when it cannot, as on a disk that is gone. Whether it can is tried
    /// here first; if not, sled is left as it is until the process ends. Nobody is told of a failure: who needs what
    /// was written has asked for a barrier, and got its answer.
    fn drop(&mut self) {
        let db = self.db.take();
        match sync_file(&self.file) {
            Ok(()) => drop(db),
            Err(_) => std::mem::forget(db),
        }
    }
}

/// Makes `path` fit to be opened: a process that was killed may have left the file unsynced, and sled would draw
/// conclusions from it; or a snapshot half written, on which sled would fail.
fn prepare(path: &Path) -> Result<(), StoreError> {
    if !path.exists() {
        return fs::create_dir_all(path).map_err(StoreError::io(format!("making {}", path.display())));
    }
    sync_file(&path.join("db"))?;
    read_anew(&path.join("db"))?;
    let io = || StoreError::io(format!("reading {}", path.display()));
    for entry in fs::read_dir(path).map_err(io())? {
        let name = entry.map_err(io())?.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            let half = path.join(&*name);
            fs::remove_file(&half).map_err(StoreError::io(format!("removing {}", half.display())))?;
        }
    }
    wait_for_lock(&path.join("db"))
}

/// Has the system forget what it remembers of the file, all of which is synced. After a sync that failed Linux counts
/// the pages as written although the disk does not have them: the next process would read, and build on, what the next
/// power cut takes away.
pub fn read_anew(path: &Path) -> Result<(), StoreError> {
    #[cfg(target_os = "linux")]
    if path.exists() {
        let forget = || {
            rustix::fs::fadvise(File::open(path)?, 0, None, rustix::fs::Advice::DontNeed).map_err(Into::into)
        };
        forget().map_err(StoreError::io(format!("reading {}", path.display())))?;
    }
    Ok(())
}

/// sled asks for its lock once and gives up. Nobody but this process can hold it, for an instant: the home is
/// ours.
fn wait_for_lock(db: &Path) -> Result<(), StoreError> {
    if !db.exists() {
        return Ok(());
    }
    let wait = || lock_patiently(&File::open(db)?);
    match wait().map_err(StoreError::io(format!("locking {}", db.display())))? {
        true => Ok(()),
        false => Err(StoreError::InUse(db.display().to_string())),
    }
}

/// sled writes `conf` and names of files without a sync.
fn sync_opened(path: &Path) -> Result<(), StoreError> {
    sync_file(&path.join("db"))?;
    sync_file(&path.join("conf"))?;
    sync_directory(path)?;
    path.parent().map_or(Ok(()), sync_directory)
}

fn sync_file(path: &Path) -> Result<(), StoreError> {
    if !path.exists() {
        return Ok(());
    }
    let sync = || File::open(path)?.sync_all();
    sync().map_err(StoreError::io(format!("syncing {}", path.display())))
}

/// A file in `blobs/` was never synced, so nothing that needs it can be trusted.
fn check_blobs(path: &Path) -> Result<(), StoreError> {
    let blobs = path.join("blobs");
    let io = StoreError::io(format!("reading {}", blobs.display()));
    match fs::read_dir(&blobs).map_err(io)?.next() {
        None => Ok(()),
        Some(_) => Err(StoreError::damaged(blobs.display().to_string(), "values lie outside the log")),
    }
}

/// Runs a call of sled's: its errors become ours, and so do its panics, with which it answers some damage.
fn shielded<R>(doing: &str, call: impl FnOnce() -> sled::Result<R>) -> Result<R, StoreError> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(translated(doing, error)),
        Err(panic) => Err(panicked(doing, panic_text(&*panic))),
    }
}

/// sled also unwraps what the system refused it, and then the disk is full or broken but tells no lies.
fn panicked(doing: &str, text: &str) -> StoreError {
    match text.contains("Os { code:") {
        true => StoreError::Io { doing: doing.to_owned(), source_text: text.to_owned() },
        false => StoreError::damaged(doing, format!("sled panicked: {text}")),
    }
}

fn translated(doing: &str, error: sled::Error) -> StoreError {
    match error {
        // Not the system's words but sled's: a file that is shorter than it was, or does not decode.
        sled::Error::Io(error)
            if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::InvalidData) =>
        {
            StoreError::damaged(doing, error.to_string())
        }
        sled::Error::Io(error) => StoreError::io(doing)(error),
        sled::Error::Corruption { at, .. } => {
            let at = at.map(|at| format!(" (in the file at {at:?})")).unwrap_or_default();
            StoreError::damaged(doing, format!("a page does not fit its checksum{at}"))
        }
        sled::Error::CollectionNotFound(_) | sled::Error::Unsupported(_) | sled::Error::ReportableBug(_) => {
            StoreError::damaged(doing, error.to_string())
        }
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a word")
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::real_sync::observer;

    fn open(folder: &Path) -> SledTree {
        let home = Home::new(folder);
        let lock = HomeLock::take(&home).expect("nobody else is here");
        SledTree::open(&home.store(), Arc::new(lock)).expect("opened")
    }

    /// A power cut keeps what the last real sync covered; the rest of the file may be gone. Small and large
    /// rounds, since sled writes whole segments by themselves.
    #[test]
    fn what_was_written_before_a_barrier_is_in_the_file_as_last_synced() {
        let home = tempfile::tempdir().expect("a folder");
        let tree = open(home.path());
        let db = home.path().join("store/db").canonicalize().expect("there");
        observer::watch(&db);
        let mut keys = 0u32;
        for count in [1, 3, 400, 1, 700] {
            for _ in 0..count {
                tree.insert(&keys.to_be_bytes(), &[keys as u8; 2_000]).expect("inserted");
                keys += 1;
            }
            tree.barrier().expect("synced");
            let cut = tempfile::tempdir().expect("a folder");
            fs::create_dir(cut.path().join("store")).expect("a folder");
            fs::copy(home.path().join("store/conf"), cut.path().join("store/conf")).expect("copied");
            fs::write(cut.path().join("store/db"), observer::image(&db)).expect("written");
            let survivor = open(cut.path());
            for key in 0..keys {
                let value = survivor.get(&key.to_be_bytes()).expect("readable");
                assert_eq!(value, Some(vec![key as u8; 2_000]), "key {key} of {keys}");
            }
        }
    }

    #[test]
    fn what_the_system_refuses_is_no_damage_however_sled_says_so() {
        let full = || std::io::Error::from_raw_os_error(28);
        let errors = [sled::Error::Io(full()), sled::Error::Io(full()).clone()];
        for error in errors {
            assert!(matches!(translated("writing", error), StoreError::Io { .. }));
        }
        // As `Result::unwrap` words it.
        let panic = format!("called `Result::unwrap()` on an `Err` value: {:?}", full());
        assert!(matches!(panicked("writing", &panic), StoreError::Io { .. }));
        assert!(matches!(panicked("reading", "a checksum is wrong"), StoreError::Damaged { .. }));
        let short = sled::Error::Io(ErrorKind::UnexpectedEof.into());
        assert!(matches!(translated("reading", short), StoreError::Damaged { .. }));
    }

    #[test]
    fn a_closed_tree_opens_again_at_once() {
        let home = tempfile::tempdir().expect("a folder");
        for round in 0u8..20 {
            let tree = open(home.path());
            tree.insert(&[9, round], &[round; 4_000]).expect("inserted");
            assert_eq!(tree.keys(&[9]).expect("readable").len(), usize::from(round) + 1);
        }
    }
}
