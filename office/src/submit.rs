//! Handing a transaction out to be sent, and what came of it. The batch's name is what makes this repeatable: whoever
//! finds it *submitted* after a crash asks for it again and sends it again, and the ledger knows it.

use tanba_ledger::{Height, Transaction, record::KeyRole};
use tanba_storage::tree::Tree;
use tanba_vault::{epoch_keys::EpochKeys, folder::Folder};

use crate::{
    error::OfficeError,
    name::BatchId,
    office::{Office, Officer},
    state::{CODE_BYTES_MAX, Progress},
    table::{self, BatchRow},
};

/// What came of a transaction, by the ledger's word.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It is final, in this block and at this place in it.
    Final(Height, u32),
    /// A rule refuses it, by this code. What only says *try again later* is not told here: it is tried again.
    Refused(String),
}

impl<T: Tree, F: Folder, K: EpochKeys> Office<T, F, K> {
    /// Marks a batch as submitted, and gives what is to be sent. By a registrar. The mark is durable when this returns;
    /// again, it gives the same.
    ///
    /// # Errors
    /// [`OfficeError::BatchState`] unless it is approved, or submitted already.
    pub fn begin_submission(&mut self, id: BatchId, officer: Officer) -> Result<Transaction, OfficeError> {
        officer.expect(KeyRole::Registrar)?;
        self.alive(|office| {
            let row = office.batch(id)?;
            let transaction = office.transaction_of(id, &row)?;
            match row.progress {
                Progress::Submitted => {}
                Progress::Approved => {
                    let sent_until = Some(row.expiry.max(row.sent_until.unwrap_or_default()));
                    let progress = Progress::Submitted;
                    office.put(table::batch(id), &BatchRow { progress, sent_until, ..row })?;
                }
                Progress::Waiting | Progress::Refused(_) | Progress::Final(..) => {
                    return Err(OfficeError::BatchState { batch: id, progress: row.progress.name() });
                }
            }
            Ok(transaction)
        })
    }

    /// Takes in what came of a batch, and thereby of its records. Durable when this returns; the same again changes
    /// nothing. A final outcome counts also for a batch that was renewed meanwhile: its older transaction was sent.
    ///
    /// # Errors
    /// [`OfficeError::BatchState`] if it was never sent; [`OfficeError::OutcomeDiffers`] if it is final otherwise.
    pub fn finished(&mut self, id: BatchId, outcome: Outcome) -> Result<(), OfficeError> {
        self.alive(|office| {
            let row = office.batch(id)?;
            let progress = match outcome {
                Outcome::Final(height, index) => Progress::Final(height, index),
                Outcome::Refused(mut code) => {
                    code.retain(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
                    code.truncate(CODE_BYTES_MAX);
                    Progress::Refused(code)
                }
            };
            match (&row.progress, &progress) {
                (held, told) if held == told => Ok(()),
                (Progress::Final(..), _) => Err(OfficeError::OutcomeDiffers(id)),
                (Progress::Submitted, _) => office.put(table::batch(id), &BatchRow { progress, ..row }),
                (_, Progress::Final(..)) if row.sent_until.is_some() => {
                    office.put(table::batch(id), &BatchRow { progress, ..row })
                }
                (Progress::Waiting | Progress::Approved | Progress::Refused(_), _) => {
                    Err(OfficeError::BatchState { batch: id, progress: row.progress.name() })
                }
            }
        })
    }
}
