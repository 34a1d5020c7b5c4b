//! Files on disk, all or nothing: written beside their place under another name, synced, renamed, and the
//! folder synced. After a power cut a file is the old one or the new one, never half of either. Everything is
//! readable by its owner alone.

use std::{
    ffi::OsStr,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// What the disk refused. Carries the path, never the content.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The operating system's word.
    #[error("{}: {error}", .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// Longer than such a file may be.
    #[error("{} is longer than {limit} bytes", .path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// Bytes allowed.
        limit: usize,
    },
    /// More files than a folder may hold.
    #[error("{} holds more than {limit} files", .path.display())]
    TooMany {
        /// The folder.
        path: PathBuf,
        /// Files allowed.
        limit: usize,
    },
    /// Something stands where the output should go.
    #[error("{} exists already; choose another folder, nothing is overwritten", .path.display())]
    Exists {
        /// The folder.
        path: PathBuf,
    },
    /// An earlier run was cut short.
    #[error("{} is left over from a run that was cut short and holds personal data; remove it", .path.display())]
    LeftOver {
        /// The folder.
        path: PathBuf,
    },
}

impl FileError {
    pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> FileError {
        let path = path.to_owned();
        move |error| FileError::Io { path, error }
    }
}

/// Writes `bytes` to `path`, replacing what was there, mode 0600.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    // A leftover of a crash: it was never renamed, so nobody has read it.
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(FileError::at(&beside)(error)),
        _ => {}
    }
    write_new(&beside, bytes)?;
    fs::rename(&beside, path).map_err(FileError::at(path))?;
    sync_folder(path.parent().unwrap_or(Path::new(".")))
}

/// Writes a file that must not exist yet, synced, mode 0600. The caller syncs the folder.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let mut open = OpenOptions::new();
    let mut file = open.write(true).create_new(true).mode(0o600).open(path).map_err(FileError::at(path))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(FileError::at(path))
}

/// Makes a folder that must not exist yet, mode 0700.
pub(super) fn make_folder(path: &Path) -> Result<(), FileError> {
    DirBuilder::new().mode(0o700).create(path).map_err(FileError::at(path))
}

/// Makes renames and new names in `folder` survive a power cut.
pub(super) fn sync_folder(folder: &Path) -> Result<(), FileError> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(FileError::at(folder))
}

/// Reads a whole file of at most `limit` bytes.
pub fn read_bounded(path: &Path, limit: usize) -> Result<Vec<u8>, FileError> {
    let file = File::open(path).map_err(FileError::at(path))?;
    let mut bytes = Vec::new();
    file.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(FileError::at(path))?;
    if bytes.len() > limit {
        return Err(FileError::TooLong { path: path.to_owned(), limit });
    }
    Ok(bytes)
}

/// The `.json` files of a folder, at most `limit`, in order of names.
pub(super) fn list_json(folder: &Path, limit: usize) -> Result<Vec<PathBuf>, FileError> {
    let mut paths = Vec::new();
    for item in fs::read_dir(folder).map_err(FileError::at(folder))? {
        let path = item.map_err(FileError::at(folder))?.path();
        if path.extension() != Some(OsStr::new("json")) {
            continue;
        }
        if paths.len() == limit {
            return Err(FileError::TooMany { path: folder.to_owned(), limit });
        }
        paths.push(path);
    }
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_private() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.json");
        fs::write(path.with_extension("json.new"), b"left over").expect("writes");
        write_atomic(&path, b"one").expect("writes");
        write_atomic(&path, b"two").expect("writes again");
        assert_eq!(read_bounded(&path, 3).expect("reads"), b"two");
        let mode = fs::metadata(&path).expect("is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(list_json(folder.path(), 1).expect("lists"), vec![path]);
    }

    #[test]
    fn a_longer_file_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.json");
        fs::write(&path, b"four").expect("writes");
        assert!(matches!(read_bounded(&path, 3), Err(FileError::TooLong { limit: 3, .. })));
    }

    #[test]
    fn a_folder_with_too_many_files_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["a.json", "b.json", "c.txt"] {
            fs::write(folder.path().join(name), b"").expect("writes");
        }
        assert_eq!(list_json(folder.path(), 2).expect("lists").len(), 2);
        assert!(matches!(list_json(folder.path(), 1), Err(FileError::TooMany { limit: 1, .. })));
    }
}
