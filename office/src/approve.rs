//! What the approver sees of a batch, and the two approvals.
//!
//! The approver sees counts, what the national registry has otherwise, and a sample of records that chance chose when the
//! batch was made. Until every record of the sample was opened by this approver, the approval is not taken: a batch is
//! not waved through. Who made the batch does not open its sample.

use std::collections::BTreeMap;

use tanba_credential::{Field, Value};
use tanba_crypto::Canonical;
use tanba_ledger::{
    Approval, Month, Operation, Scope, Timestamp, Transaction, TransactionBody, TransactionId,
    limits::TRANSACTION_BYTES_MAX,
    operation::{Basis, document_commitment},
    record::KeyRole,
    transaction::AuditHead,
};
use tanba_storage::{tree::Tree, value};
use tanba_vault::{Part, RecordId, Time, epoch_keys::EpochKeys, folder::Folder};

use crate::{
    approvals,
    error::OfficeError,
    name::BatchId,
    office::{Office, Officer},
    parts::{self, DocumentPart, IdentityPart},
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

/// What a diploma says, field by field.
pub type Fields = BTreeMap<Field, Value>;

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

    /// Opens number `number` of a batch's sample, counted from 0: what the diploma says. By an approver, who compares it
    /// with the paper. That it was opened is durable when this returns.
    ///
    /// # Errors
    /// [`OfficeError::SampleNumber`], [`OfficeError::SameOfficer`].
    pub fn open_sample(
        &mut self,
        id: BatchId,
        number: usize,
        officer: Officer,
        now: Time,
    ) -> Result<Fields, OfficeError> {
        let approver = officer.expect(KeyRole::Approver)?;
        self.alive(|office| {
            let row = office.batch(id)?;
            let record = *row.sample.get(number).ok_or(OfficeError::SampleNumber)?;
            if approver == row.by {
                return Err(OfficeError::SameOfficer);
            }
            let mut fields = Fields::new();
            office.read_all(
                &[record],
                approver,
                [Part::Document, Part::Identity],
                now,
                |record, [document, identity]| {
                    let document: DocumentPart = parts::read(record, &document)?;
                    let identity: IdentityPart = parts::read(record, &identity)?;
                    for texts in [&document.disclosures, &identity.disclosures] {
                        let read = parts::disclosures(record, texts)?;
                        fields.extend(read.iter().map(|it| (it.field(), it.value().clone())));
                    }
                    Ok(())
                },
            )?;
            let before = row.opened.filter(|(who, _)| *who == approver).map_or(0, |(_, bits)| bits);
            let opened = Some((approver, before | 1 << number));
            office.put(table::batch(id), &BatchRow { opened, ..row })?;
            Ok(fields)
        })
    }

    /// Takes an officer's approval of a batch. Durable when this returns; the same again changes nothing.
    ///
    /// # Errors
    /// [`OfficeError::SampleUnopened`], [`OfficeError::SameOfficer`], [`OfficeError::Role`],
    /// [`OfficeError::Approval`], [`OfficeError::BatchState`], [`OfficeError::Expiry`] past its time.
    pub fn approve(
        &mut self,
        id: BatchId,
        approval: Approval,
        officer: Officer,
        now: Time,
    ) -> Result<Progress, OfficeError> {
        self.alive(|office| {
            let mut row = office.batch(id)?;
            if row.approvals.contains(&(officer.id, approval)) {
                return Ok(row.progress);
            }
            if row.progress != Progress::Waiting {
                return Err(OfficeError::BatchState { batch: id, progress: row.progress.name() });
            }
            if row.expiry.0 <= now.0.saturating_mul(1_000) {
                return Err(OfficeError::Expiry(id));
            }
            if approvals::role_of(&approval) != Some(officer.role) {
                return Err(OfficeError::Role);
            }
            let is_other = officer.role == KeyRole::Approver && officer.id == row.by;
            if is_other || row.approvals.iter().any(|(other, _)| *other == officer.id) {
                return Err(OfficeError::SameOfficer);
            }
            if officer.role == KeyRole::Approver {
                let opened = row.opened.filter(|(who, _)| *who == officer.id).map_or(0, |(_, bits)| bits);
                let missing = row.sample.len() as u32 - opened.count_ones();
                if missing > 0 {
                    return Err(OfficeError::SampleUnopened { missing });
                }
            }
            let mut transaction = office.transaction_of(id, &row)?;
            approvals::add(&mut transaction, approval)?;
            row.approvals.push((officer.id, approval));
            if approvals::is_approved(&transaction) {
                row.progress = Progress::Approved;
            }
            office.put(table::batch(id), &row)?;
            Ok(row.progress)
        })
    }

    /// Gives a batch a later expiry and a newer audit head. Approvals fall away; the sample stays opened. By a registrar.
    ///
    /// Safe also after it was sent: if the old one became final after all, the ledger refuses the new one, whose
    /// fingerprints are then recorded.
    ///
    /// # Errors
    /// [`OfficeError::Expiry`] unless it is later; [`OfficeError::BatchState`] if it is final.
    pub fn renew(
        &mut self,
        id: BatchId,
        expiry: Timestamp,
        audit: Option<AuditHead>,
        officer: Officer,
    ) -> Result<(), OfficeError> {
        officer.expect(KeyRole::Registrar)?;
        self.alive(|office| {
            let row = office.batch(id)?;
            if matches!(row.progress, Progress::Final(..)) {
                return Err(OfficeError::BatchState { batch: id, progress: row.progress.name() });
            }
            if expiry <= row.expiry {
                return Err(OfficeError::Expiry(id));
            }
            let (approvals, progress) = (Vec::new(), Progress::Waiting);
            office.put(table::batch(id), &BatchRow { expiry, audit, approvals, progress, ..row })
        })
    }

    /// Dissolves a batch: its records are sealed again, and dealt anew with the next. By a registrar. `ledger_time` is
    /// the time of the node's head.
    ///
    /// # Errors
    /// [`OfficeError::BatchLive`] while a transaction of it that was handed out may become final, or its outcome is not
    /// known; [`OfficeError::BatchState`] if it is final.
    pub fn dissolve(
        &mut self,
        id: BatchId,
        ledger_time: Timestamp,
        officer: Officer,
    ) -> Result<(), OfficeError> {
        officer.expect(KeyRole::Registrar)?;
        self.alive(|office| {
            let row = office.batch(id)?;
            match row.progress {
                Progress::Final(..) => {
                    Err(OfficeError::BatchState { batch: id, progress: row.progress.name() })
                }
                Progress::Submitted => Err(OfficeError::BatchLive(id)),
                _ if row.sent_until.is_some_and(|until| ledger_time <= until) => {
                    Err(OfficeError::BatchLive(id))
                }
                Progress::Waiting | Progress::Approved | Progress::Refused(_) => office.remove_batch(id),
            }
        })
    }

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
