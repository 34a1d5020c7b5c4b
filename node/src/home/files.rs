//! Files that must be whole, private or new: bounded reads, creation that never overwrites and survives a power
//! cut, and the modes that keep others out.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

/// Mode of a file that its owner alone reads and writes.
pub const MODE_PRIVATE: u32 = 0o600;

/// Mode of a file that anyone may read.
pub const MODE_PUBLIC: u32 = 0o644;

/// Why a file or directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The operating system refused.
    #[error("cannot {doing} {path}: {source}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// Where.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// The file to create is there.
    #[error("{0} exists already")]
    Exists(PathBuf),
    /// Longer than anything that belongs there.
    #[error("{path} is longer than {limit} bytes")]
    TooLong {
        /// The file.
        path: PathBuf,
        /// Bytes allowed.
        limit: usize,
    },
    /// Others can read what is private.
    #[error("{path} has mode {mode:04o}, others can look into it; it must be {due:04o}")]
    TooOpen {
        /// The file or directory.
        path: PathBuf,
        /// Its mode.
        mode: u32,
        /// The mode it must have.
        due: u32,
    },
    /// Not a directory.
    #[error("{0} is not a directory")]
    NotADirectory(PathBuf),
}

impl FileError {
    /// What to do about it.
    pub fn next_step(&self) -> String {
        match self {
            FileError::Io { source, path, .. } => match source.kind() {
                io::ErrorKind::NotFound => format!("check the path {}", path.display()),
                io::ErrorKind::PermissionDenied => "run as the owner of the file".to_owned(),
                io::ErrorKind::StorageFull => "make room on the disk and try again".to_owned(),
                _ => "mend what the system says and try again".to_owned(),
            },
            FileError::Exists(path) => format!("choose another name, or move {} away first", path.display()),
            FileError::TooLong { .. } => "check that this is the right file".to_owned(),
            FileError::TooOpen { path, due, .. } => format!("run: chmod {due:o} {}", path.display()),
            FileError::NotADirectory(path) => format!("move {} away, or choose another path", path.display()),
        }
    }

    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FileError {
        move |source| FileError::Io { doing, path: path.to_owned(), source }
    }
}

/// The whole of a file of at most `bytes_max`. Wiped on drop: it may hold a secret.
pub fn read_bounded(path: &Path, bytes_max: usize) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let file = File::open(path).map_err(FileError::io("open", path))?;
    read_open(file, path, bytes_max)
}

/// As [`read_bounded`], for a file that only its owner may reach. The mode is asked of the file that was opened,
/// not of its name.
pub fn read_private(path: &Path, bytes_max: usize) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let file = File::open(path).map_err(FileError::io("open", path))?;
    let mode = file.metadata().map_err(FileError::io("examine", path))?.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(FileError::TooOpen { path: path.to_owned(), mode, due: MODE_PRIVATE });
    }
    read_open(file, path, bytes_max)
}

fn read_open(file: File, path: &Path, bytes_max: usize) -> Result<Zeroizing<Vec<u8>>, FileError> {
    // Room for all of it at once: a vector that grows leaves copies of a secret behind.
    let length = file.metadata().map_err(FileError::io("examine", path))?.len();
    let room = usize::try_from(length).unwrap_or(usize::MAX).min(bytes_max).saturating_add(1);
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    file.take(bytes_max as u64 + 1).read_to_end(&mut bytes).map_err(FileError::io("read", path))?;
    if bytes.len() > bytes_max {
        return Err(FileError::TooLong { path: path.to_owned(), limit: bytes_max });
    }
    Ok(bytes)
}

/// Creates a file with all of `bytes`, or nothing; refuses to overwrite. When this returns, file and name
/// survive a power cut.
///
/// The bytes go into a file of another name, are synced, and then linked to `path`: a link, unlike a rename,
/// fails where something is already.
pub fn create_file(path: &Path, bytes: &[u8], mode: u32) -> Result<(), FileError> {
    if path.symlink_metadata().is_ok() {
        return Err(FileError::Exists(path.to_owned()));
    }
    put(path, bytes, mode, |draft| match fs::hard_link(draft, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(FileError::Exists(path.to_owned())),
        linked => linked.map_err(FileError::io("create", path)),
    })
}

/// Creates a file or takes the place of one that is there, atomically: a reader sees all of the old bytes or all
/// of the new ones. When this returns, the new ones survive a power cut.
pub fn replace_file(path: &Path, bytes: &[u8], mode: u32) -> Result<(), FileError> {
    put(path, bytes, mode, |draft| fs::rename(draft, path).map_err(FileError::io("replace", path)))
}

/// Writes and syncs a draft beside `path`, gives it its name by `publish`, and leaves no draft behind: one may
/// hold a secret.
fn put(
    path: &Path,
    bytes: &[u8],
    mode: u32,
    publish: impl FnOnce(&Path) -> Result<(), FileError>,
) -> Result<(), FileError> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let draft_path = dir.join(format!(".{name}.{}.draft", std::process::id()));
    let opened = OpenOptions::new().write(true).create_new(true).mode(mode).open(&draft_path);
    let draft = opened.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => FileError::Exists(draft_path.clone()),
        _ => FileError::io("create", &draft_path)(error),
    })?;
    let made = write_draft(draft, &draft_path, bytes).and_then(|()| publish(&draft_path));
    let removed = match fs::remove_file(&draft_path) {
        // Renamed, not linked.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed.map_err(FileError::io("remove", &draft_path)),
    };
    made?;
    removed?;
    sync_dir(dir)
}

fn write_draft(mut draft: File, path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    draft.write_all(bytes).map_err(FileError::io("write", path))?;
    draft.sync_all().map_err(FileError::io("sync", path))
}

/// Makes a directory's names survive a power cut.
pub fn sync_dir(dir: &Path) -> Result<(), FileError> {
    let opened = File::open(dir).map_err(FileError::io("open", dir))?;
    opened.sync_all().map_err(FileError::io("sync", dir))
}

/// Makes a directory and its parents, mode 0700, unless it is there; refuses one that others can look into.
pub fn create_private_dir(dir: &Path) -> Result<(), FileError> {
    if !dir.exists() {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(dir);
        made.map_err(FileError::io("create the directory", dir))?;
        if let Some(parent) = dir.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            sync_dir(parent)?;
        }
    }
    check_private_dir(dir)
}

/// Refuses what is no directory, or one that others can look into.
pub fn check_private_dir(dir: &Path) -> Result<(), FileError> {
    let metadata = fs::metadata(dir).map_err(FileError::io("examine", dir))?;
    if !metadata.is_dir() {
        return Err(FileError::NotADirectory(dir.to_owned()));
    }
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(FileError::TooOpen { path: dir.to_owned(), mode, due: 0o700 });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_created_whole_with_its_mode_and_leaves_no_draft() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("a");
        create_file(&path, b"secret", MODE_PRIVATE).expect("created");
        assert_eq!(read_private(&path, 6).expect("read").as_slice(), b"secret");
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).expect("a directory").count(), 1);
    }

    #[test]
    fn a_file_is_never_overwritten() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("a");
        create_file(&path, b"first", MODE_PUBLIC).expect("created");
        assert!(matches!(create_file(&path, b"second", MODE_PUBLIC), Err(FileError::Exists(_))));
        assert_eq!(read_bounded(&path, 16).expect("read").as_slice(), b"first");
    }

    #[test]
    fn a_file_is_replaced_whole_and_leaves_no_draft() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("a");
        replace_file(&path, b"first", MODE_PRIVATE).expect("created");
        replace_file(&path, b"2nd", MODE_PRIVATE).expect("replaced");
        assert_eq!(read_private(&path, 16).expect("read").as_slice(), b"2nd");
        assert_eq!(fs::read_dir(dir.path()).expect("a directory").count(), 1);
    }

    #[test]
    fn a_dangling_link_is_not_followed() {
        let dir = tempfile::tempdir().expect("a directory");
        let (link, target) = (dir.path().join("link"), dir.path().join("target"));
        std::os::unix::fs::symlink(&target, &link).expect("a link");
        assert!(matches!(create_file(&link, b"x", MODE_PRIVATE), Err(FileError::Exists(_))));
        assert!(!target.exists());
    }

    #[test]
    fn longer_than_the_limit_is_refused() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("a");
        create_file(&path, b"1234567", MODE_PRIVATE).expect("created");
        assert!(matches!(read_bounded(&path, 6), Err(FileError::TooLong { limit: 6, .. })));
        // A device has no length of its own.
        assert!(matches!(read_bounded(Path::new("/dev/zero"), 64), Err(FileError::TooLong { .. })));
    }
}
