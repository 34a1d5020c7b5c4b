//! How bytes lie under their keys: sealed with a checksum, and cut into pieces a tree can hold.
//!
//! The seal is a CRC32C (RFC 3720, section 12.1) over key and value, so a bit that flipped and a value that
//! turned up under a foreign key are both seen. State nodes carry no seal: they are read back by their hash. A
//! piece of full length is followed by another, which may be empty, so a value needs no stored length.

use tanba_crypto::Canonical;

use crate::{
    StoreError, keys,
    tree::{Tree, VALUE_BYTES_MAX},
};

/// A key and what to store there.
pub type Entry = (Vec<u8>, Vec<u8>);

const SEAL_BYTES: usize = 4;

/// Pieces of one value, at most.
const PIECES_MAX: usize = u16::MAX as usize;

/// The entries that hold `bytes`, sealed, under `key`.
pub fn sealed(key: Vec<u8>, bytes: &[u8]) -> Vec<Entry> {
    let mut value = Vec::with_capacity(bytes.len() + SEAL_BYTES);
    value.extend_from_slice(bytes);
    value.extend_from_slice(&seal(&key, bytes).to_be_bytes());
    pieces(key, value)
}

/// The one entry that holds a small record. One entry is written whole or not at all, so such a record may be
/// overwritten.
pub fn record(key: Vec<u8>, record: &impl Canonical) -> Entry {
    let mut entries = sealed(key, &record.to_canonical());
    assert_eq!(entries.len(), 1, "a record that is overwritten fits one entry");
    entries.swap_remove(0)
}

/// The entries that hold `bytes` as they are.
pub fn pieces(key: Vec<u8>, bytes: Vec<u8>) -> Vec<Entry> {
    if bytes.len() < VALUE_BYTES_MAX {
        return vec![(key, bytes)];
    }
    let count = pieces_count(bytes.len());
    assert!(
        count <= PIECES_MAX,
        "{} holds {} bytes, more than a value can",
        keys::describe(&key),
        bytes.len()
    );
    let piece = |n: usize| {
        let from = n * VALUE_BYTES_MAX;
        let to = bytes.len().min(from + VALUE_BYTES_MAX);
        (piece_key(&key, n), bytes[from..to].to_vec())
    };
    (0..count).map(piece).collect()
}

/// The key of the `n`-th piece of the value at `key`.
pub(crate) fn piece_key(key: &[u8], n: usize) -> Vec<u8> {
    let mut key = key.to_vec();
    if n > 0 {
        key.extend_from_slice(&u16::try_from(n).expect("values are bounded").to_be_bytes());
    }
    key
}

/// Reads and checks what [`sealed`] wrote. `None` if there is nothing at `key`.
pub fn read_sealed<T: Tree>(tree: &T, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
    let Some(mut value) = read_pieces(tree, key)? else { return Ok(None) };
    let damaged = || StoreError::damaged(keys::describe(key), "the checksum does not fit");
    let at = value.len().checked_sub(SEAL_BYTES).ok_or_else(damaged)?;
    let found = u32::from_be_bytes(value[at..].try_into().expect("four bytes"));
    value.truncate(at);
    if found == seal(key, &value) { Ok(Some(value)) } else { Err(damaged()) }
}

/// Reads, checks and decodes what [`sealed`] wrote of `R`'s canonical bytes.
pub fn read_record<T: Tree, R: Canonical>(tree: &T, key: &[u8]) -> Result<Option<R>, StoreError> {
    let Some(value) = read_sealed(tree, key)? else { return Ok(None) };
    let length = value.len();
    let decoded = R::from_canonical(&value, length);
    decoded.map(Some).map_err(|error| StoreError::damaged(keys::describe(key), error.to_string()))
}

/// Joins what [`pieces`] cut.
pub fn read_pieces<T: Tree>(tree: &T, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
    let Some(mut value) = tree.get(key)? else { return Ok(None) };
    let mut last_length = value.len();
    for n in 1..=PIECES_MAX {
        if last_length < VALUE_BYTES_MAX {
            return Ok(Some(value));
        }
        let piece = tree.get(&piece_key(key, n))?;
        let piece = piece.ok_or_else(|| StoreError::damaged(keys::describe(key), "a piece is missing"))?;
        last_length = piece.len();
        value.extend_from_slice(&piece);
    }
    Err(StoreError::damaged(keys::describe(key), "the value has no end"))
}

/// Removes a value of `count` pieces.
pub(crate) fn remove_pieces<T: Tree>(tree: &T, key: &[u8], count: usize) -> Result<(), StoreError> {
    (0..count).try_for_each(|n| tree.remove(&piece_key(key, n)))
}

/// Removes every entry whose key begins with `prefix`.
pub fn remove_all<T: Tree>(tree: &T, prefix: &[u8]) -> Result<(), StoreError> {
    tree.keys(prefix)?.iter().try_for_each(|key| tree.remove(key))
}

fn pieces_count(length: usize) -> usize {
    length / VALUE_BYTES_MAX + 1
}

fn seal(key: &[u8], bytes: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(key), bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MemoryDisk, tree::insert_all};

    #[test]
    fn values_of_every_length_around_a_piece_read_back() {
        let tree = MemoryDisk::new().tree();
        for length in [0, 1, 4091, 4092, 4093, 4096, 8187, 8188, 8189, 20_000] {
            let bytes: Vec<u8> = (0..length).map(|i| (i % 251) as u8).collect();
            let entries = sealed(vec![1, 2], &bytes);
            assert!(entries.iter().all(|(_, value)| value.len() <= VALUE_BYTES_MAX));
            insert_all(&tree, &entries).expect("stored");
            assert_eq!(read_sealed(&tree, &[1, 2]), Ok(Some(bytes)), "{length} bytes");
        }
    }

    #[test]
    fn a_missing_piece_and_a_foreign_key_are_damage() {
        let tree = MemoryDisk::new().tree();
        let entries = sealed(vec![1], &[7; 9000]);
        assert_eq!(entries.len(), 3);
        insert_all(&tree, &entries).expect("stored");
        tree.insert(&[2], &entries[2].1).expect("stored");
        assert!(matches!(read_sealed(&tree, &[2]), Err(StoreError::Damaged { .. })));
        tree.remove(&entries[1].0).expect("removed");
        assert!(matches!(read_sealed(&tree, &[1]), Err(StoreError::Damaged { .. })));
    }
}
