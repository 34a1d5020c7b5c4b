//! What officers are shown of a batch before they sign: all of it computed from the bytes that they sign.

use std::collections::BTreeMap;

use tanba_credential::Field;
use tanba_crypto::Canonical;
use tanba_ledger::{
    Month, Operation, Scope, Timestamp, Transaction, TransactionBody, TransactionId,
    limits::TRANSACTION_BYTES_MAX,
    operation::{Basis, document_commitment},
    record::KeyRole,
};
use tanba_storage::{tree::Tree, value};
use tanba_vault::{RecordId, Time, epoch_keys::EpochKeys, folder::Folder};

use crate::{
    approvals,
    error::OfficeError,
    name::BatchId,
    office::Office,
    state::Progress,
    table::{self, BatchRow, Table, names},
};

/// What officers are shown of a batch, computed from what they sign.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Summary {
    /// Its name.
    pub id: BatchId,
    /// When it was made.
    pub made: Time,
    /// What is signed. Another after the batch was renewed.
    pub transaction: TransactionId,
    /// How many diplomas.
    pub diplomas: usize,
    /// The month of award.
    pub month: Month,
    /// Programmes and levels.
    pub scopes: Vec<Scope>,
    /// Why they are recorded.
    pub basis: Basis,
    /// Whether there are fewer than twenty, as their holders were told.
    pub small: bool,
    /// Until when it may become final.
    pub expiry: Timestamp,
    /// How many of its records the national registry has otherwise, by field; fields with none are left out.
    pub differences: BTreeMap<Field, u32>,
    /// The records to be opened before the approver approves, and whether each was.
    pub sample: Vec<(RecordId, bool)>,
    /// The roles that approved.
    pub approvals: Vec<KeyRole>,
    /// How far it came.
    pub progress: Progress,
}

impl<T: Tree, F: Folder, K: EpochKeys> Office<T, F, K> {
    /// Every batch, in order of names.
    pub fn batches(&self) -> Result<Vec<BatchId>, OfficeError> {
        let names = names::<_, 16>(&self.tree, &Table::Batch.key(&[]))?;
        Ok(names.into_iter().map(BatchId).collect())
    }

    /// What officers are shown of a batch.
    pub fn summary(&self, id: BatchId) -> Result<Summary, OfficeError> {
        let row = self.batch(id)?;
        let body = self.body(id, &row)?;
        let transaction = body.id();
        let Operation::Issue(issue) = body.operation else {
            return Err(table::damaged(&table::body(id), "a batch issues nothing"));
        };
        let differing = Field::ALL.into_iter().zip(row.differences).filter(|(_, count)| *count > 0);
        let opened = row.opened.map_or(0, |(_, bits)| bits);
        let was_opened = |n: usize| opened >> n & 1 == 1;
        Ok(Summary {
            id,
            made: row.made,
            transaction,
            diplomas: issue.entries.len(),
            month: issue.awarded_month,
            scopes: issue.scopes,
            basis: issue.basis,
            small: issue.small,
            expiry: row.expiry,
            differences: differing.collect(),
            sample: row.sample.iter().enumerate().map(|(n, record)| (*record, was_opened(n))).collect(),
            approvals: row.approvals.iter().filter_map(|(_, held)| approvals::role_of(held)).collect(),
            progress: row.progress,
        })
    }

    /// The records of a batch, in order of names, which says nothing of who is which entry.
    pub fn records(&self, id: BatchId) -> Result<Vec<RecordId>, OfficeError> {
        self.batch(id)?;
        let names = names::<_, 16>(&self.tree, &Table::Entry.key(&[&id.0]))?;
        Ok(names.into_iter().map(RecordId).collect())
    }

    /// The transaction of a batch, with the approvals it has.
    pub fn transaction(&self, id: BatchId) -> Result<Transaction, OfficeError> {
        let row = self.batch(id)?;
        self.transaction_of(id, &row)
    }

    /// Whether a batch was made on this decision, by its bytes: for an inspection.
    pub fn is_by_decision(&self, id: BatchId, decision: &[u8]) -> Result<bool, OfficeError> {
        let row = self.batch(id)?;
        let Operation::Issue(issue) = self.body(id, &row)?.operation else { return Ok(false) };
        Ok(issue.decision == document_commitment(&row.decision_salt, decision))
    }

    /// The transaction of a batch.
    pub(crate) fn transaction_of(&self, id: BatchId, row: &BatchRow) -> Result<Transaction, OfficeError> {
        let mut transaction = Transaction { body: self.body(id, row)?, approvals: Vec::new() };
        row.approvals.iter().for_each(|(_, approval)| transaction.approve(*approval));
        Ok(transaction)
    }

    fn body(&self, id: BatchId, row: &BatchRow) -> Result<TransactionBody, OfficeError> {
        let key = table::body(id);
        let bytes = value::read_sealed(&self.tree, &key)?;
        let bytes = bytes.ok_or_else(|| table::damaged(&key, "the transaction of a batch is missing"))?;
        let body = TransactionBody::from_canonical(&bytes, TRANSACTION_BYTES_MAX);
        let body = body.map_err(|_| table::damaged(&key, "it is no transaction"))?;
        Ok(TransactionBody { expiry: row.expiry, audit: row.audit, ..body })
    }
}
