//! How rules and answers read records: by name, from whatever state is meant.

use std::ops::Deref;

use tanba_crypto::Canonical;

use super::TableRoots;
use crate::{
    merkle::{Leaf, NodeReader, ReadError, map},
    record::RecordKey,
};

/// A state whose records can be read by name.
pub trait StateReader {
    /// The newest version of a record, or `None` if there is no such record.
    fn leaf(&self, key: &RecordKey) -> Result<Option<Leaf>, ReadError>;

    /// The newest version of a record, decoded as what lies in its table.
    fn record<T: Canonical>(&self, key: &RecordKey) -> Result<Option<Record<T>>, ReadError> {
        self.leaf(key)?.map(|leaf| Record::of(&leaf)).transpose()
    }
}

/// A record and which version of it this is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record<T> {
    /// 1 for a record that was never changed.
    pub version: u32,
    /// What the record holds.
    pub value: T,
}

impl<T: Canonical> Record<T> {
    /// Decodes a leaf. Bytes that are not a `T` mean that the store is damaged: only canonical records of
    /// the table's type are ever written.
    pub fn of(leaf: &Leaf) -> Result<Record<T>, ReadError> {
        let value = T::from_canonical(&leaf.value, leaf.value.len());
        let value = value.map_err(|_| ReadError::Damaged(leaf.hash()))?;
        Ok(Record { version: leaf.version, value })
    }
}

impl<T> Deref for Record<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// The state under some roots, as a store holds it.
#[derive(Clone, Copy, Debug)]
pub struct StateView<'a, R> {
    roots: &'a TableRoots,
    reader: &'a R,
}

impl<'a, R: NodeReader> StateView<'a, R> {
    /// The state under `roots`, whose nodes `reader` gives.
    pub fn new(roots: &'a TableRoots, reader: &'a R) -> StateView<'a, R> {
        StateView { roots, reader }
    }
}

impl<R: NodeReader> StateReader for StateView<'_, R> {
    fn leaf(&self, key: &RecordKey) -> Result<Option<Leaf>, ReadError> {
        map::get(self.reader, &self.roots.of(key.table), &key.key)
    }
}
