//! Files that are written in place, behind a small seam, so that a test can cut the power at each write.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io,
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use tanba_storage::disk::{read_anew, sync_directory};

use crate::VaultError;

/// What a disk writes whole or not at all, if it begins at a multiple of itself.
pub const SECTOR_BYTES: usize = 512;

/// A flat folder of small files.
///
/// What was written survives a crash once the file's [`Folder::sync`] returned; a name made or removed, once
/// [`Folder::sync_names`] did. Until then a crash keeps each sector and each name, or not.
pub trait Folder {
    /// All names, in order.
    fn names(&self) -> Result<Vec<String>, VaultError>;
    /// Makes an empty file that only its owner may read. Fails if the name is taken.
    fn create(&mut self, name: &str) -> Result<(), VaultError>;
    /// Bytes in a file.
    fn length(&self, name: &str) -> Result<u64, VaultError>;
    /// `length` bytes from `at` on; zeros where the file has ended.
    fn read(&self, name: &str, at: u64, length: usize) -> Result<Vec<u8>, VaultError>;
    /// Writes over what is there; the file grows as needed, with zeros in between.
    fn write(&mut self, name: &str, at: u64, bytes: &[u8]) -> Result<(), VaultError>;
    /// Makes the content durable.
    fn sync(&mut self, name: &str) -> Result<(), VaultError>;
    /// Removes a file; what it held must be overwritten before.
    fn remove(&mut self, name: &str) -> Result<(), VaultError>;
    /// Makes names durable.
    fn sync_names(&mut self) -> Result<(), VaultError>;
}

/// Overwrites a file with zeros, syncs it, removes it, syncs the folder. Nothing happens if there is none.
///
/// A drive may keep what it was told to overwrite, and so may a file system that copies on write: what lies in such
/// a file is worthless without a key that lies elsewhere.
pub(crate) fn destroy(folder: &mut impl Folder, name: &str) -> Result<(), VaultError> {
    if !folder.names()?.iter().any(|it| it == name) {
        return Ok(());
    }
    static ZEROS: [u8; 1 << 16] = [0; 1 << 16];
    let length = folder.length(name)?;
    let mut at = 0;
    while at < length {
        let count = ZEROS.len().min((length - at) as usize);
        folder.write(name, at, &ZEROS[..count])?;
        at += count as u64;
    }
    folder.sync(name)?;
    folder.remove(name)?;
    folder.sync_names()
}

/// A folder on disk. One process has it open: the vault's home is locked.
#[derive(Debug)]
pub struct DiskFolder {
    path: PathBuf,
    files: Mutex<BTreeMap<String, File>>,
}

impl DiskFolder {
    /// Opens or makes the folder, for its owner alone. What an earlier process left in the system's memory is synced
    /// and then read from the disk again: after a failed sync memory may hold what the disk does not.
    pub fn open(path: &Path) -> Result<DiskFolder, VaultError> {
        let mut builder = fs::DirBuilder::new();
        std::os::unix::fs::DirBuilderExt::mode(builder.recursive(true), 0o700);
        builder.create(path).map_err(refused("making", path))?;
        path.parent().filter(|it| !it.as_os_str().is_empty()).map_or(Ok(()), sync_directory)?;
        let mut folder = DiskFolder { path: path.to_owned(), files: Mutex::default() };
        for name in folder.names()? {
            folder.sync(&name)?;
            read_anew(&folder.path.join(&name))?;
        }
        folder.sync_names()?;
        Ok(folder)
    }

    fn files(&self) -> MutexGuard<'_, BTreeMap<String, File>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<R>(
        &self,
        doing: &str,
        name: &str,
        work: impl FnOnce(&File) -> io::Result<R>,
    ) -> Result<R, VaultError> {
        let path = self.path.join(name);
        let mut files = self.files();
        let run = || {
            if !files.contains_key(name) {
                files.insert(name.to_owned(), File::options().read(true).write(true).open(&path)?);
            }
            work(&files[name])
        };
        run().map_err(refused(doing, &path))
    }
}

impl Folder for DiskFolder {
    fn names(&self) -> Result<Vec<String>, VaultError> {
        let read = || -> io::Result<Vec<String>> {
            let name = |entry: io::Result<fs::DirEntry>| {
                entry.map(|entry| entry.file_name().to_string_lossy().into_owned())
            };
            fs::read_dir(&self.path)?.map(name).collect()
        };
        let mut names = read().map_err(refused("reading", &self.path))?;
        names.sort();
        Ok(names)
    }

    fn create(&mut self, name: &str) -> Result<(), VaultError> {
        let path = self.path.join(name);
        let file = File::options().read(true).write(true).create_new(true).mode(0o600).open(&path);
        let file = file.map_err(refused("making", &path))?;
        self.files().insert(name.to_owned(), file);
        Ok(())
    }

    fn length(&self, name: &str) -> Result<u64, VaultError> {
        self.with("reading", name, |file| Ok(file.metadata()?.len()))
    }

    fn read(&self, name: &str, at: u64, length: usize) -> Result<Vec<u8>, VaultError> {
        let mut bytes = vec![0; length];
        self.with("reading", name, |file| {
            let mut done = 0;
            while done < length {
                match file.read_at(&mut bytes[done..], at + done as u64) {
                    Ok(0) => break,
                    Ok(count) => done += count,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(())
        })?;
        Ok(bytes)
    }

    fn write(&mut self, name: &str, at: u64, bytes: &[u8]) -> Result<(), VaultError> {
        self.with("writing", name, |file| file.write_all_at(bytes, at))
    }

    fn sync(&mut self, name: &str) -> Result<(), VaultError> {
        self.with("syncing", name, File::sync_all)
    }

    fn remove(&mut self, name: &str) -> Result<(), VaultError> {
        self.files().remove(name);
        let path = self.path.join(name);
        fs::remove_file(&path).map_err(refused("removing", &path))
    }

    fn sync_names(&mut self) -> Result<(), VaultError> {
        Ok(sync_directory(&self.path)?)
    }
}

fn refused(doing: &str, path: &Path) -> impl FnOnce(io::Error) -> VaultError {
    let doing = format!("{doing} {}", path.display());
    move |error| VaultError::Io { doing, source_text: error.to_string() }
}
