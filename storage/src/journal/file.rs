//! A log on disk: a plain file, `fdatasync` after each append, replaced by renaming.

use std::{
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Read, Write},
    ops::Range,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use crate::{StoreError, disk::home::sync_directory, journal::Log};

/// A file that is appended to.
#[derive(Debug)]
pub struct FileLog {
    path: PathBuf,
    file: Option<File>,
}

impl FileLog {
    /// The log at `path`, which need not exist.
    pub(crate) fn open(path: PathBuf) -> Result<FileLog, StoreError> {
        match OpenOptions::new().read(true).append(true).open(&path) {
            Ok(file) => Ok(FileLog { path, file: Some(file) }),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(FileLog { path, file: None }),
            Err(error) => Err(StoreError::io(format!("opening {}", path.display()))(error)),
        }
    }

    fn file(&self) -> &File {
        self.file.as_ref().expect("a log is written to once it exists")
    }

    fn io(&self, doing: &str) -> impl FnOnce(std::io::Error) -> StoreError + use<> {
        StoreError::io(format!("{doing} {}", self.path.display()))
    }

    fn directory(&self) -> &Path {
        self.path.parent().expect("a log lies in a folder")
    }
}

impl Log for FileLog {
    fn read(&self, bytes_max: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(file) = &self.file else { return Ok(None) };
        let length = file.metadata().map_err(self.io("reading"))?.len();
        if length > bytes_max {
            let what = format!("it has {length} bytes, more than the {bytes_max} it may have");
            return Err(StoreError::journal_damaged(self.path.display().to_string(), what));
        }
        let mut bytes = Vec::with_capacity(length as usize);
        let mut from_start = File::open(&self.path).map_err(self.io("reading"))?.take(length);
        from_start.read_to_end(&mut bytes).map_err(self.io("reading"))?;
        Ok(Some(bytes))
    }

    fn read_range(&self, range: Range<u64>) -> Result<Vec<u8>, StoreError> {
        let mut bytes = vec![0; (range.end - range.start) as usize];
        self.file().read_exact_at(&mut bytes, range.start).map_err(self.io("reading"))?;
        Ok(bytes)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.file().write_all(bytes).map_err(self.io("writing"))
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        self.file().sync_data().map_err(self.io("syncing"))
    }

    fn replace(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        let new = self.path.with_extension("new");
        if !self.directory().exists() {
            fs::create_dir(self.directory()).map_err(self.io("making the folder of"))?;
            self.directory().parent().map_or(Ok(()), sync_directory)?;
        }
        let write = || {
            let mut file = File::create(&new)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&new, &self.path)
        };
        write().map_err(self.io("replacing"))?;
        sync_directory(self.directory())?;
        // The old handle names the file that was replaced.
        *self = FileLog::open(self.path.clone())?;
        Ok(())
    }
}
