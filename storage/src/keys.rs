//! Where each thing lies in the tree: a byte for the table, then the name in the table, numbers big-endian, so
//! that the order of keys is the order of names. The crate's front page has the table of tables.

use tanba_crypto::Hash;
use tanba_ledger::{BlockHash, Height, TransactionId};

/// A key's first byte. Numbers are for ever; a change of layout changes
/// [`FORMAT`](crate::record::FORMAT).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Table {
    Probe = 0x01,
    Format = 0x02,
    Head = 0x03,
    Pending = 0x04,
    Derived = 0x05,
    Header = 0x10,
    Finalization = 0x11,
    Body = 0x12,
    Checkpoint = 0x20,
    Node = 0x21,
    HeightOf = 0x22,
    Position = 0x23,
    History = 0x24,
    Doomed = 0x25,
}

impl Table {
    /// The key of a table's only entry, and what all keys of a table begin with.
    pub(crate) fn key(self) -> Vec<u8> {
        vec![self as u8]
    }

    /// The key of an entry by height.
    pub(crate) fn at(self, height: Height) -> Vec<u8> {
        self.named(&height.0.to_be_bytes())
    }

    fn named(self, name: &[u8]) -> Vec<u8> {
        let mut key = Vec::with_capacity(1 + name.len());
        key.push(self as u8);
        key.extend_from_slice(name);
        key
    }
}

/// A state node, by its hash.
pub(crate) fn node(hash: &Hash) -> Vec<u8> {
    Table::Node.named(hash.as_bytes())
}

/// The height of a block.
pub(crate) fn height_of(block: &BlockHash) -> Vec<u8> {
    Table::HeightOf.named(block.0.as_bytes())
}

/// The place of a transaction.
pub(crate) fn position(transaction: &TransactionId) -> Vec<u8> {
    Table::Position.named(transaction.0.as_bytes())
}

/// A complete subtree of the history tree.
pub(crate) fn history(level: u8, index: u64) -> Vec<u8> {
    let mut name = [0; 9];
    name[0] = level;
    name[1..].copy_from_slice(&index.to_be_bytes());
    Table::History.named(&name)
}

/// The height in a key made by [`Table::at`], whole or of a further piece.
pub(crate) fn height_in(key: &[u8]) -> Option<Height> {
    let bytes = key.get(1..9)?;
    Some(Height(u64::from_be_bytes(bytes.try_into().expect("eight bytes"))))
}

/// A key in words, for messages about damage.
pub(crate) fn describe(key: &[u8]) -> String {
    let name = hex(key.get(1..).unwrap_or_default());
    match key.first() {
        Some(tag) => format!("table {tag:#04x}, key {name}"),
        None => "the empty key".to_owned(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_as_heights_do() {
        let keys: Vec<Vec<u8>> =
            [0, 1, 255, 256, u64::MAX].iter().map(|h| Table::Header.at(Height(*h))).collect();
        assert!(keys.is_sorted());
        assert_eq!(height_in(&keys[3]), Some(Height(256)));
        assert_eq!(height_in(&Table::Head.key()), None);
    }
}
