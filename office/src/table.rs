//! What lies in the tables beside the vault, by the first byte of its key. The crate's front page has the table of
//! tables.

use tanba_crypto::{
    Canonical, Hash,
    canonical::{Decode, Encode},
};
use tanba_ledger::{Approval, Bin, ChainId, Day, Month, Timestamp, operation::Basis, transaction::AuditHead};
use tanba_storage::{StoreError, tree::Tree, value};
use tanba_vault::{OfficerId, RecordId, Time};

use crate::{
    error::OfficeError,
    name::{BatchId, ClassId},
    state::{Differences, Progress, Refused},
};

/// The layout this version writes.
pub(crate) const FORMAT: u32 = 1;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Table {
    Format = 0x01,
    Pending = 0x02,
    Class = 0x10,
    Member = 0x11,
    Record = 0x12,
    Used = 0x13,
    Batch = 0x20,
    Body = 0x21,
    Entry = 0x22,
}

impl Table {
    pub(crate) fn key(self, name: &[&[u8]]) -> Vec<u8> {
        let mut key = vec![self as u8];
        name.iter().for_each(|part| key.extend_from_slice(part));
        key
    }
}

pub(crate) fn class(class: ClassId) -> Vec<u8> {
    Table::Class.key(&[&class.0])
}

pub(crate) fn member(class: ClassId, number: u32) -> Vec<u8> {
    Table::Member.key(&[&class.0, &number.to_be_bytes()])
}

pub(crate) fn record(record: RecordId) -> Vec<u8> {
    Table::Record.key(&[&record.0])
}

pub(crate) fn used(subject: &Hash) -> Vec<u8> {
    Table::Used.key(&[subject.as_bytes()])
}

pub(crate) fn batch(batch: BatchId) -> Vec<u8> {
    Table::Batch.key(&[&batch.0])
}

pub(crate) fn body(batch: BatchId) -> Vec<u8> {
    Table::Body.key(&[&batch.0])
}

pub(crate) fn entry(batch: BatchId, record: RecordId) -> Vec<u8> {
    Table::Entry.key(&[&batch.0, &record.0])
}

/// Whose tables these are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub(crate) struct Format {
    pub(crate) format: u32,
    pub(crate) chain: ChainId,
    pub(crate) issuer: Bin,
}

/// Batches that are being made: what a crash leaves of them is removed.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode)]
pub(crate) struct Pending {
    pub(crate) batches: Vec<BatchId>,
}

/// A class.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub(crate) struct ClassRow {
    pub(crate) made: Time,
    pub(crate) by: OfficerId,
    pub(crate) rows: u32,
    /// The list's digest under the import's key.
    pub(crate) list: Hash,
    /// The day of the documents.
    pub(crate) issued_on: Day,
    pub(crate) basis: Basis,
    /// Whether every record of it was made.
    pub(crate) ready: bool,
    /// Whether every draft of it was looked at after its time.
    pub(crate) swept: bool,
}

/// A row of a class.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub(crate) struct Member {
    pub(crate) record: RecordId,
    /// The line of the list.
    pub(crate) line: u32,
    pub(crate) differences: Differences,
}

/// What was decided about a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub(crate) struct RecordRow {
    pub(crate) class: ClassId,
    pub(crate) drafted: Time,
    pub(crate) refused: Option<Refused>,
    /// Whether its time as a draft is over.
    pub(crate) expired: bool,
    /// The last batch it was dealt into; counts if that batch exists.
    pub(crate) batch: Option<BatchId>,
    /// When its file was first given out.
    pub(crate) delivered: Option<Time>,
}

/// A batch.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub(crate) struct BatchRow {
    pub(crate) made: Time,
    pub(crate) by: OfficerId,
    pub(crate) entries: u32,
    pub(crate) month: Month,
    /// Until when it may become final: renewed without touching the body.
    pub(crate) expiry: Timestamp,
    pub(crate) audit: Option<AuditHead>,
    pub(crate) decision_salt: [u8; 32],
    /// How many of its records the registry has otherwise in each field, by [`Field::ALL`](tanba_credential::Field::ALL).
    pub(crate) differences: [u32; 12],
    /// The records whose documents the approver opens.
    pub(crate) sample: Vec<RecordId>,
    /// Who opened some of them, and which: bit n is number n.
    pub(crate) opened: Option<(OfficerId, u32)>,
    pub(crate) approvals: Vec<(OfficerId, Approval)>,
    /// The expiry of the last transaction that was handed out to be sent: until then one may become final.
    pub(crate) sent_until: Option<Timestamp>,
    pub(crate) progress: Progress,
}

pub(crate) fn get<T: Tree, R: Canonical>(tree: &T, key: &[u8]) -> Result<Option<R>, OfficeError> {
    Ok(value::read_record(tree, key)?)
}

pub(crate) fn put<T: Tree>(tree: &T, key: Vec<u8>, record: &impl Canonical) -> Result<(), OfficeError> {
    let (key, value) = value::record(key, record);
    Ok(tree.insert(&key, &value)?)
}

/// The last `N` bytes of every key that begins with `prefix`, which is all that follows it.
pub(crate) fn names<T: Tree, const N: usize>(tree: &T, prefix: &[u8]) -> Result<Vec<[u8; N]>, OfficeError> {
    let names = tree.keys(prefix)?.into_iter().map(|key| key[prefix.len()..].try_into());
    let names: Result<_, _> = names.collect();
    names.map_err(|_| damaged(prefix, "a key has another length"))
}

pub(crate) fn damaged(key: &[u8], what: &str) -> OfficeError {
    let place = format!("the office's table {:#04x}", key.first().copied().unwrap_or_default());
    StoreError::Damaged { place, what: what.to_owned() }.into()
}
