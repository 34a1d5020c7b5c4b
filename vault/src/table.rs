//! What lies in the database, by the first byte of its key. The crate's front page has the table of tables.

use tanba_crypto::{
    Canonical,
    canonical::{Decode, Encode},
};
use tanba_storage::{tree::Tree, value};

use crate::{
    VaultError,
    name::{Epoch, OfficerId, Part, RecordId, RequestId, Time, VaultId},
};

/// The layout this version writes.
pub(crate) const FORMAT: u32 = 1;

// 01 is the tree's own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Table {
    Format = 0x02,
    Epoch = 0x03,
    EpochPast = 0x04,
    Pending = 0x05,
    Part = 0x10,
    Record = 0x11,
    RequestOpen = 0x20,
    RequestClosed = 0x21,
    Disclosure = 0x30,
    Reads = 0x31,
}

impl Table {
    pub(crate) fn key(self, name: &[&[u8]]) -> Vec<u8> {
        let mut key = vec![self as u8];
        name.iter().for_each(|part| key.extend_from_slice(part));
        key
    }
}

pub(crate) fn part(record: RecordId, part: Part) -> Vec<u8> {
    Table::Part.key(&[&record.0, &[part.number()]])
}

pub(crate) fn record(record: RecordId) -> Vec<u8> {
    Table::Record.key(&[&record.0])
}

pub(crate) fn epoch_past(epoch: Epoch) -> Vec<u8> {
    Table::EpochPast.key(&[&epoch.0.to_be_bytes()])
}

pub(crate) fn request_open(request: RequestId) -> Vec<u8> {
    Table::RequestOpen.key(&[&request.0])
}

pub(crate) fn request_closed(request: RequestId) -> Vec<u8> {
    Table::RequestClosed.key(&[&request.0])
}

pub(crate) fn reads(officer: OfficerId, day: i64) -> Vec<u8> {
    Table::Reads.key(&[&officer.0, &day.to_be_bytes()])
}

/// What a vault is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub(crate) struct Format {
    pub(crate) format: u32,
    pub(crate) vault: VaultId,
}

/// The epoch in force.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub(crate) struct EpochNow {
    pub(crate) epoch: Epoch,
    pub(crate) since: Time,
}

/// An epoch that is over. Its key and its slots are destroyed from `ended` on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub(crate) struct EpochPast {
    pub(crate) since: Time,
    pub(crate) ended: Option<Time>,
}

/// Slots that are being given keys, and for which records: what a crash leaves in them is wiped.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode)]
pub(crate) struct Pending {
    pub(crate) slots: Vec<(u32, RecordId)>,
}

pub(crate) fn get<T: Tree, R: Canonical>(tree: &T, key: &[u8]) -> Result<Option<R>, VaultError> {
    Ok(value::read_record(tree, key)?)
}

pub(crate) fn put<T: Tree>(tree: &T, key: Vec<u8>, record: &impl Canonical) -> Result<(), VaultError> {
    let (key, value) = value::record(key, record);
    Ok(tree.insert(&key, &value)?)
}

/// Names in a table whose keys are `N` bytes long.
pub(crate) fn names<T: Tree, const N: usize>(tree: &T, table: Table) -> Result<Vec<[u8; N]>, VaultError> {
    let names = tree.keys(&table.key(&[]))?.into_iter().map(|key| key[1..].try_into());
    let names: Result<_, _> = names.collect();
    names.map_err(|_| damaged(format!("table {:#04x}", table as u8), "a key has another length"))
}

pub(crate) fn damaged(place: impl Into<String>, what: impl Into<String>) -> VaultError {
    VaultError::Damaged { place: place.into(), what: what.into() }
}
