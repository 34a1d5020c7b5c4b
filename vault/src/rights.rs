//! What is done to a record without opening it: *restrict* and its end, the legal hold and its end, and how a record
//! stands. Each is one small entry behind a barrier, and changes nothing when done twice.

use tanba_storage::tree::Tree;

use crate::{
    VaultError,
    epoch_keys::EpochKeys,
    folder::Folder,
    name::{OfficerId, Part, RecordId, Time},
    record::{Destruction, Hold},
    vault::Vault,
};

/// How a record stands: what its subject is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Standing {
    /// When it was sealed.
    pub sealed_at: Time,
    /// The parts that are there.
    pub parts: Vec<Part>,
    /// What was destroyed; [`Vault::certificate`] says when.
    pub destroyed: Option<Destruction>,
    /// Since when it is shown to no third party.
    pub restricted: Option<Time>,
    /// The last legal hold, in force or over.
    pub hold: Option<Hold>,
}

impl<T: Tree, F: Folder, K: EpochKeys> Vault<T, F, K> {
    /// Stops every disclosure but to the subject and for a legal claim.
    pub fn restrict(&mut self, record: RecordId, now: Time) -> Result<(), VaultError> {
        self.alive(|vault| vault.set_restricted(record, Some(now)))
    }

    /// Ends a restriction.
    pub fn unrestrict(&mut self, record: RecordId) -> Result<(), VaultError> {
        self.alive(|vault| vault.set_restricted(record, None))
    }

    /// Puts a record under a legal hold, or makes one last longer: until it ends, nothing of the record is destroyed.
    /// The caller tells the subject.
    ///
    /// # Errors
    /// [`VaultError::TwoOfficers`] if both are one; [`VaultError::HoldEnd`] if it ends in the past or before the one
    /// in force.
    pub fn hold(&mut self, record: RecordId, hold: Hold, now: Time) -> Result<(), VaultError> {
        if hold.officers[0] == hold.officers[1] {
            return Err(VaultError::TwoOfficers);
        }
        self.alive(|vault| {
            let held = vault.record(record)?.held(now);
            if hold.until <= now || held.is_some_and(|held| hold.until < held.until) {
                return Err(VaultError::HoldEnd);
            }
            vault.set_hold(record, Some(hold))
        })
    }

    /// Ends a legal hold before its time. Who ordered that is for the audit log.
    pub fn lift_hold(&mut self, record: RecordId, officers: [OfficerId; 2]) -> Result<(), VaultError> {
        if officers[0] == officers[1] {
            return Err(VaultError::TwoOfficers);
        }
        self.alive(|vault| vault.set_hold(record, None))
    }

    /// How a record stands. Opens nothing.
    pub fn standing(&self, record: RecordId) -> Result<Standing, VaultError> {
        let record = self.record(record)?;
        Ok(Standing {
            sealed_at: record.sealed_at,
            parts: Part::ALL.into_iter().filter(|part| record.has(*part)).collect(),
            destroyed: record.gone.map(|gone| gone.how),
            restricted: record.restricted,
            hold: record.hold,
        })
    }

    pub(crate) fn set_restricted(&self, id: RecordId, since: Option<Time>) -> Result<(), VaultError> {
        let mut record = self.record(id)?;
        if record.restricted.is_some() == since.is_some() {
            return Ok(());
        }
        record.restricted = since;
        self.put_record(id, &record)?;
        Ok(self.tree.barrier()?)
    }

    fn set_hold(&self, id: RecordId, hold: Option<Hold>) -> Result<(), VaultError> {
        let mut record = self.record(id)?;
        if record.hold == hold {
            return Ok(());
        }
        record.hold = hold;
        self.put_record(id, &record)?;
        Ok(self.tree.barrier()?)
    }
}
