//! The sample that the approver opens, and the two approvals; then what becomes of a batch that is late.
//!
//! Chance chose the sample when the batch was made. Until every record of the sample was opened by this approver, the approval is not taken: a batch is
//! not waved through. Who made the batch does not open its sample.

use std::collections::BTreeMap;

use tanba_credential::{Field, Value};
use tanba_ledger::{Approval, Timestamp, record::KeyRole, transaction::AuditHead};
use tanba_storage::tree::Tree;
use tanba_vault::{Part, Time, epoch_keys::EpochKeys, folder::Folder};

use crate::{
    approvals,
    error::OfficeError,
    name::BatchId,
    office::{Office, Officer},
    parts::{self, DocumentPart, IdentityPart},
    state::Progress,
    table::{self, BatchRow},
};

/// What a diploma says, field by field.
pub type Fields = BTreeMap<Field, Value>;

impl<T: Tree, F: Folder, K: EpochKeys> Office<T, F, K> {
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
}
