//! Damaged stores, set aside. A store that is not what was written is renamed and kept until one made anew has come
//! as far as it had: until then it may hold the only copy of something.
//!
//! Beside the database lies [`NOTE`]: what was found, when, and the head the store had, as far as that is known. A
//! journal that ends below this head has lost promises, also when the store that could have told is no longer there.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};

use tanba_ledger::Height;

use super::{
    DiskStore, SledTree,
    home::{Home, HomeLock, sync_directory},
};
use crate::{StoreError, keys::Table, record::Head, value};

/// The file in a store that was set aside that says why.
pub const NOTE: &str = "DAMAGE.txt";

/// Damaged stores kept in a home, at most. Whoever comes here so often without one success has a broken disk.
pub const ASIDE_MAX: usize = 3;

const PREFIX: &str = "store.damaged-";
const REPLACED: &str = "store.replaced";
const HEAD_LINE: &str = "head: ";

/// What was found, for [`DiskStore::set_aside`].
#[derive(Clone, Debug)]
pub struct Found<'a> {
    /// The damage, in words.
    pub what: &'a str,
    /// The moment, in words.
    pub when: &'a str,
    /// The head the store had, if the caller knows it; else the store itself is asked once more.
    pub head: Option<Height>,
}

impl DiskStore {
    /// Renames the damaged store of `home`, which no process may have open, and leaves a [`NOTE`] in it. The journal
    /// stays where it is. Gives the new path. Durable when this returns; after a crash the store has one name or the
    /// other.
    ///
    /// # Errors
    /// [`StoreError::InUse`]; [`StoreError::TooManyAside`] if [`ASIDE_MAX`] lie there already; [`StoreError::Io`].
    pub fn set_aside(home: &Path, found: &Found<'_>) -> Result<PathBuf, StoreError> {
        let home = Home::new(home);
        let lock = Arc::new(HomeLock::take(&home)?);
        let kept = list(&home)?;
        if kept.len() >= ASIDE_MAX {
            let home = home.path().display().to_string();
            return Err(StoreError::TooManyAside { kept: kept.len(), home });
        }
        let store = home.store();
        let head = found.head.or_else(|| head_of(&store, &lock));
        write_note(&store, found, head)?;
        let number = kept.last().map_or(1, |(number, _)| number + 1);
        let aside = home.path().join(format!("{PREFIX}{number}"));
        let doing = format!("renaming {} to {}", store.display(), aside.display());
        fs::rename(&store, &aside).map_err(StoreError::io(doing))?;
        sync_directory(home.path())?;
        Ok(aside)
    }

    /// The store made anew has come as far as those set aside had: they are removed, but for the last, which stays as
    /// `store.replaced` for whoever wants to know what the disk did, and takes the place of an earlier one. Gives
    /// its path, if there was any.
    ///
    /// # Errors
    /// [`StoreError::Io`]; what is left is removed the next time.
    pub fn release_aside(home: &Path) -> Result<Option<PathBuf>, StoreError> {
        let home = Home::new(home);
        let mut kept = list(&home)?;
        let Some((_, last)) = kept.pop() else { return Ok(None) };
        let replaced = home.path().join(REPLACED);
        let earlier =
            kept.into_iter().map(|(_, path)| path).chain(replaced.exists().then(|| replaced.clone()));
        for path in earlier {
            fs::remove_dir_all(&path).map_err(StoreError::io(format!("removing {}", path.display())))?;
        }
        let doing = format!("renaming {}", last.display());
        fs::rename(&last, &replaced).map_err(StoreError::io(doing))?;
        sync_directory(home.path())?;
        Ok(Some(replaced))
    }

    /// Whether `home` keeps damaged stores that none made anew has come as far as yet.
    pub fn has_aside(home: &Path) -> Result<bool, StoreError> {
        Ok(!list(&Home::new(home))?.is_empty())
    }
}

/// The highest head of the stores set aside; genesis if there are none, or none that could tell.
pub(crate) fn highest_head(home: &Home) -> Result<Height, StoreError> {
    let heads = list(home)?.into_iter().filter_map(|(_, path)| {
        // A note is help, and its store is damaged: what cannot be read tells nothing.
        let note = fs::read_to_string(path.join(NOTE)).ok()?;
        note.lines().find_map(|line| line.strip_prefix(HEAD_LINE)?.parse().ok().map(Height))
    });
    Ok(heads.max().unwrap_or(Height::GENESIS))
}

/// Stores set aside by number, the last at the end.
fn list(home: &Home) -> Result<Vec<(u64, PathBuf)>, StoreError> {
    let io = || StoreError::io(format!("reading {}", home.path().display()));
    let mut found = Vec::new();
    for entry in fs::read_dir(home.path()).map_err(io())? {
        let entry = entry.map_err(io())?;
        let number = entry.file_name().to_str().and_then(|name| name.strip_prefix(PREFIX)?.parse().ok());
        found.extend(number.map(|number| (number, entry.path())));
    }
    found.sort();
    Ok(found)
}

/// What a damaged store still says of its head, if anything.
fn head_of(store: &Path, lock: &Arc<HomeLock>) -> Option<Height> {
    let tree = SledTree::open(store, Arc::clone(lock)).ok()?;
    let head: Head = value::read_record(&tree, &Table::Head.key()).ok()??;
    Some(head.height)
}

fn write_note(store: &Path, found: &Found<'_>, head: Option<Height>) -> Result<(), StoreError> {
    let head = head.map_or_else(|| "unknown".to_owned(), |height| height.to_string());
    let text = format!("found: {}\nwhen: {}\n{HEAD_LINE}{head}\n", found.what, found.when);
    let path = store.join(NOTE);
    let write = || {
        let mut file = File::create(&path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write().map_err(StoreError::io(format!("writing {}", path.display())))?;
    sync_directory(store)
}
