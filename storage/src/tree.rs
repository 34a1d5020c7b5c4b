//! The seam between what the store means and what holds the bytes: an ordered map with one barrier.
//!
//! Two implementations: sled on disk, and a map in memory that can lose what was not synced, fill up and rot.
//! All of the store's own logic stands above this seam, so a simulated power cut runs the code that a real one
//! meets.

use crate::{StoreError, value::Entry};

/// A value in the tree has at most so many bytes. sled writes larger records to files of their own, which it
/// never syncs; longer values are cut into pieces.
pub const VALUE_BYTES_MAX: usize = 4096;

/// An ordered map from keys to values of at most [`VALUE_BYTES_MAX`] bytes. Cheap to clone; every method may be
/// called from any thread. What one thread inserted, every thread reads.
pub trait Tree: Clone + Send + Sync + 'static {
    /// The value at `key`.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// Sets the value at `key`, whole or not at all. It survives a crash only once [`Tree::barrier`] returned;
    /// until then a crash keeps it or not, whatever it does to writes before and after.
    fn insert(&self, key: &[u8], value: &[u8]) -> Result<(), StoreError>;

    /// Removes `key`, if it is there; durable as an insert is.
    fn remove(&self, key: &[u8]) -> Result<(), StoreError>;

    /// All keys that begin with `prefix`, in order. For small tables only.
    fn keys(&self, prefix: &[u8]) -> Result<Vec<Vec<u8>>, StoreError>;

    /// When this returns, every write that returned before it was called survives a power cut.
    fn barrier(&self) -> Result<(), StoreError>;

    /// Bytes on disk.
    fn size_bytes(&self) -> Result<u64, StoreError>;
}

/// Inserts all of `entries`, in order.
pub fn insert_all<T: Tree>(tree: &T, entries: &[Entry]) -> Result<(), StoreError> {
    entries.iter().try_for_each(|(key, value)| tree.insert(key, value))
}
