//! A node's home: which folder holds what, and the lock that keeps a second process out.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    thread,
};

use crate::{StoreError, journal::FileLog};

const LOCK_TRIES_MAX: usize = 100_000;

/// The folders of one node.
#[derive(Clone, Debug)]
pub(crate) struct Home(PathBuf);

impl Home {
    pub(crate) fn new(path: &Path) -> Home {
        Home(path.to_owned())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.0.join("store")
    }

    /// Where a store is built before it gets its name.
    pub(crate) fn unfinished_store(&self) -> PathBuf {
        self.0.join("store.unfinished")
    }

    pub(crate) fn promises(&self) -> Result<FileLog, StoreError> {
        FileLog::open(self.0.join("journal").join("promises"))
    }

    pub(crate) fn bodies(&self) -> Result<FileLog, StoreError> {
        FileLog::open(self.0.join("journal").join("bodies"))
    }

    /// Makes the folder, if it is not there.
    pub(crate) fn make(&self) -> Result<(), StoreError> {
        let doing = format!("making {}", self.0.display());
        fs::create_dir_all(&self.0).map_err(StoreError::io(doing))?;
        match self.0.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => sync_directory(parent),
            _ => Ok(()),
        }
    }
}

/// Held by the one process that works in a home; the system lets go of it when the process ends, however.
#[derive(Debug)]
pub(crate) struct HomeLock(#[expect(dead_code, reason = "held, not used")] File);

impl HomeLock {
    pub(crate) fn take(home: &Home) -> Result<HomeLock, StoreError> {
        let path = home.path().join("LOCK");
        let doing = || StoreError::io(format!("locking {}", path.display()));
        let options = File::options().create(true).truncate(false).write(true).open(&path);
        let file = options.map_err(doing())?;
        match lock_patiently(&file).map_err(doing())? {
            true => Ok(HomeLock(file)),
            false => Err(StoreError::InUse(home.path().display().to_string())),
        }
    }
}

/// Locks `file` for this handle alone; false if somebody else keeps it.
///
/// Asks for about a tenth of a second: a database closed in this process keeps its lock until the last of its
/// threads is done, and a child that another thread is starting holds copies of all locks until it runs its own
/// program.
pub(crate) fn lock_patiently(file: &File) -> io::Result<bool> {
    for _ in 0..LOCK_TRIES_MAX {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) => thread::yield_now(),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Ok(false)
}

/// Makes names made, changed or removed in a folder durable.
pub fn sync_directory(path: &Path) -> Result<(), StoreError> {
    let sync = || File::open(path)?.sync_all();
    sync().map_err(StoreError::io(format!("syncing {}", path.display())))
}
