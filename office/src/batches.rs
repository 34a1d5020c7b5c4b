//! Transactions out of sealed records: dealt at random, by month of award, only of what has a consent and a seal.
//!
//! No record waits for another: whoever has no consent or no seal yet is not in it and comes with the next. Fewer than
//! twenty of a month wait for more, unless the registrar says `small`; then those go whose holders consented to a small
//! group, and the rest wait.
//!
//! The order: the names of the batches, a barrier; their transactions, their lists, and in each record the name of its
//! batch, a barrier; the batches' own entries, a barrier. A batch is there once its entry is.

use std::collections::{BTreeMap, BTreeSet};

use tanba_crypto::Canonical;
use tanba_ledger::{
    Month, Operation, Scope, Timestamp, TransactionBody,
    limits::{ENTRIES_MAX, SCOPES_MAX},
    operation::{Basis, Issue, document_commitment},
    record::KeyRole,
    transaction::AuditHead,
};
use tanba_storage::{
    tree::{Tree, insert_all},
    value,
};
use tanba_vault::{OfficerId, Random, RecordId, Time, epoch_keys::EpochKeys, folder::Folder};

use crate::{
    candidate::Candidate,
    deal::{deal, issue, makes_small, shuffle},
    error::OfficeError,
    name::{BatchId, ClassId},
    office::{Office, Officer},
    state::Progress,
    table::{self, BatchRow, Pending, RecordRow, Table, put},
};

/// Batches that are written together: their names fit one entry.
const TOGETHER_MAX: usize = 200;

/// What a registrar asks for.
#[derive(Clone, Copy, Debug)]
pub struct BatchOrder<'a> {
    /// The classes whose records are taken, all of one basis.
    pub classes: &'a [ClassId],
    /// The bytes of the university's decision to award; only a salted commitment leaves this machine, another for each
    /// batch.
    pub decision: &'a [u8],
    /// Diplomas in one transaction, at most [`ENTRIES_MAX`].
    pub entries_max: usize,
    /// Until when the transactions may become final; at most a day ahead. A late approval renews it.
    pub expiry: Timestamp,
    /// The head of the institution's audit log; required outside devnets.
    pub audit: Option<AuditHead>,
    /// Whether batches below twenty are made, of those who consented to it.
    pub small: bool,
}

/// What was made, and who waits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Made {
    /// The batches.
    pub batches: Vec<BatchId>,
    /// By month of award, how many sealed records were left for another time, as they would be too few together.
    pub waiting: BTreeMap<Month, usize>,
}

/// A batch as it is written.
struct Planned {
    id: BatchId,
    body: TransactionBody,
    row: BatchRow,
    records: Vec<(RecordId, RecordRow)>,
}

impl<T: Tree, F: Folder, K: EpochKeys> Office<T, F, K> {
    /// Makes batches of every sealed record of these classes that is not in one. By a registrar. Durable when this
    /// returns; again, it finds only what has come since.
    ///
    /// # Errors
    /// Before anything is written: [`OfficeError::EntriesMax`], [`OfficeError::Basis`], [`OfficeError::NoClass`],
    /// [`OfficeError::ClassUnfinished`], [`OfficeError::Scopes`].
    pub fn make_batches(
        &mut self,
        order: &BatchOrder<'_>,
        officer: Officer,
        now: Time,
        random: Random<'_>,
    ) -> Result<Made, OfficeError> {
        let by = officer.expect(KeyRole::Registrar)?;
        if !(1..=ENTRIES_MAX).contains(&order.entries_max) {
            return Err(OfficeError::EntriesMax(order.entries_max));
        }
        self.alive(|office| {
            let basis = office.basis(order.classes)?;
            let mut months: BTreeMap<Month, Vec<Candidate>> = BTreeMap::new();
            for candidate in office.candidates(order.classes, by, now)? {
                months.entry(candidate.month).or_default().push(candidate);
            }
            let mut waiting = BTreeMap::new();
            let mut planned = Vec::new();
            for (month, all) in months {
                let (going, staying) = split(all, order);
                if staying > 0 {
                    waiting.insert(month, staying);
                }
                for batch in deal(going, order.entries_max, random) {
                    planned.push(office.plan(batch, basis, order, by, now, random)?);
                }
            }
            let batches = planned.iter().map(|batch| batch.id).collect();
            for some in planned.chunks(TOGETHER_MAX) {
                office.write(some)?;
            }
            Ok(Made { batches, waiting })
        })
    }

    /// The one basis of these classes.
    fn basis(&self, classes: &[ClassId]) -> Result<Basis, OfficeError> {
        let mut basis = None;
        for class in classes {
            let row = self.class(*class)?;
            if !row.ready {
                return Err(OfficeError::ClassUnfinished(*class));
            }
            if *basis.get_or_insert(row.basis) != row.basis {
                return Err(OfficeError::Basis);
            }
        }
        Ok(basis.unwrap_or(Basis::Award))
    }

    /// The transaction of these, all of one month.
    fn plan(
        &self,
        batch: Vec<Candidate>,
        basis: Basis,
        order: &BatchOrder<'_>,
        by: OfficerId,
        now: Time,
        random: Random<'_>,
    ) -> Result<Planned, OfficeError> {
        let scopes: BTreeSet<Scope> = batch.iter().map(|one| one.scope.clone()).collect();
        if scopes.len() > SCOPES_MAX {
            return Err(OfficeError::Scopes(scopes.len()));
        }
        let (mut id, mut decision_salt) = (BatchId([0; 16]), [0; 32]);
        random(&mut id.0);
        random(&mut decision_salt);
        let month = batch.first().expect("a batch has entries").month;
        let entries = batch.iter().map(|one| one.entry).collect();
        let decision = document_commitment(&decision_salt, order.decision);
        let issue: Issue = issue(scopes, entries, month, basis, decision);
        let mut differences = [0; 12];
        for one in &batch {
            for (n, count) in differences.iter_mut().enumerate() {
                *count += u32::from(one.differences.0 >> n & 1);
            }
        }
        let mut sample = shuffle(batch.iter().map(|one| one.record).collect(), random);
        sample.truncate(sample_size(batch.len()));
        let row = BatchRow {
            made: now,
            by,
            entries: u32::try_from(batch.len()).expect("a batch is bounded"),
            month,
            expiry: order.expiry,
            audit: order.audit,
            decision_salt,
            differences,
            sample,
            opened: None,
            approvals: Vec::new(),
            sent_until: None,
            progress: Progress::Waiting,
        };
        let body = TransactionBody {
            chain: self.config.chain,
            institution: self.config.issuer,
            expiry: order.expiry,
            operation: Operation::Issue(issue),
            audit: order.audit,
        };
        let records =
            batch.iter().map(|one| (one.record, RecordRow { batch: Some(id), ..one.row })).collect();
        Ok(Planned { id, body, row, records })
    }

    fn write(&self, batches: &[Planned]) -> Result<(), OfficeError> {
        let pending = Pending { batches: batches.iter().map(|batch| batch.id).collect() };
        self.put(Table::Pending.key(&[]), &pending)?;
        for batch in batches {
            insert_all(&self.tree, &value::sealed(table::body(batch.id), &batch.body.to_canonical()))?;
            for (record, row) in &batch.records {
                put(&self.tree, table::entry(batch.id, *record), &())?;
                put(&self.tree, table::record(*record), row)?;
            }
        }
        self.tree.barrier()?;
        for batch in batches {
            put(&self.tree, table::batch(batch.id), &batch.row)?;
        }
        Ok(self.tree.barrier()?)
    }

    /// Takes a record out of the batch it waits in by dissolving that batch: its other records are sealed again.
    ///
    /// # Errors
    /// [`OfficeError::BatchLive`] once a transaction of it was handed out.
    pub(crate) fn take_out(&mut self, row: &RecordRow) -> Result<(), OfficeError> {
        let Some(id) = row.batch else { return Ok(()) };
        match self.batch(id) {
            Err(OfficeError::NoBatch(_)) => Ok(()),
            Err(error) => Err(error),
            Ok(batch) if batch.sent_until.is_some() => Err(OfficeError::BatchLive(id)),
            Ok(_) => self.remove_batch(id),
        }
    }

    /// Removes a batch: its entry first, which is all that makes it one.
    pub(crate) fn remove_batch(&self, id: BatchId) -> Result<(), OfficeError> {
        // So that a crash in between is tidied at opening.
        self.put(Table::Pending.key(&[]), &Pending { batches: vec![id] })?;
        self.tree.remove(&table::batch(id))?;
        self.tree.barrier()?;
        self.remove_body(id)?;
        Ok(self.tree.barrier()?)
    }
}

/// Records of a batch that its approver opens: five, and one more for each hundred.
pub const fn sample_size(entries: usize) -> usize {
    let size = 5 + entries / 100;
    if size < entries { size } else { entries }
}

/// Those that go now, and how many stay.
fn split(all: Vec<Candidate>, order: &BatchOrder<'_>) -> (Vec<Candidate>, usize) {
    if !makes_small(all.len(), order.entries_max) {
        return (all, 0);
    }
    if !order.small {
        return (Vec::new(), all.len());
    }
    let (going, staying): (Vec<_>, Vec<_>) = all.into_iter().partition(|one| one.small_group);
    (going, staying.len())
}
