//! What a holder may ask for, and what officers do about it: thin rules over the vault's own.
//!
//! | act | who | the vault's rule | the office adds |
//! |---|---|---|---|
//! | `restrict`, `lift` | the holder, or two officers | no disclosure but to the subject and a court | it goes into no batch |
//! | `ask` | the holder, or two officers | a line in the register, with a deadline in working days | a request to withdraw restricts at once, and ends what was not sent |
//! | `erase`, `anonymise` | one officer, on a request | keys destroyed; the consent locked | its batch, if it waits in one, is dissolved; the request is closed |
//! | `hold`, `lift_hold` | two officers | nothing is destroyed | |
//! | `disclosures` | the holder, or two officers | every line | |
//!
//! A token that is on the ledger is restricted and withdrawn there by its holder's control key, through any node: that
//! needs no office.

use tanba_ledger::record::KeyRole;
use tanba_storage::tree::Tree;
use tanba_vault::{
    ActId, Hold, RecordId, RequestId, Time,
    calendar::Calendar,
    epoch_keys::EpochKeys,
    erase::Certificate,
    folder::Folder,
    read::Disclosure,
    register::{Outcome, Request, RequestKind},
};

use crate::{
    error::OfficeError,
    office::{Office, Officer, Who},
    state::{Refused, State},
    table::{self, BatchRow, RecordRow, get, put},
};

impl<T: Tree, F: Folder, K: EpochKeys> Office<T, F, K> {
    /// Stops every disclosure of a record but to its subject and for a legal claim.
    pub fn restrict(&mut self, record: RecordId, who: Who<'_>, now: Time) -> Result<(), OfficeError> {
        self.alive(|office| {
            office.row(record)?;
            office.expect_subject(record, who, now)?;
            Ok(office.vault.restrict(record, now)?)
        })
    }

    /// Ends a restriction.
    ///
    /// # Errors
    /// As the vault says; [`OfficeError::State`] for a record whose consent was withdrawn.
    pub fn lift(&mut self, record: RecordId, who: Who<'_>, now: Time) -> Result<(), OfficeError> {
        self.alive(|office| {
            let row = office.row(record)?;
            if let Some(refused) = row.refused {
                return Err(OfficeError::State { record, state: State::Refused(refused) });
            }
            office.expect_subject(record, who, now)?;
            Ok(office.vault.unrestrict(record)?)
        })
    }

    /// Enters a request in the register and gives its deadline. The same request again gives the same deadline. A request
    /// to withdraw restricts the record at once, and ends it if nothing was sent.
    ///
    /// # Errors
    /// [`OfficeError::RequestDiffers`] if the name stands for another request; the vault's.
    pub fn ask(
        &mut self,
        request: RequestId,
        record: RecordId,
        kind: RequestKind,
        who: Who<'_>,
        calendar: &Calendar,
        now: Time,
    ) -> Result<Time, OfficeError> {
        self.alive(|office| {
            let row = office.row(record)?;
            office.expect_subject(record, who, now)?;
            let due = match office.vault.request(request)? {
                Some(Request { record: Some(of), kind: held, due, .. }) if of == record && held == kind => {
                    due
                }
                Some(_) => return Err(OfficeError::RequestDiffers),
                None => office.vault.enter(request, Some(record), kind, now, calendar)?,
            };
            if kind == RequestKind::Withdraw {
                office.vault.restrict(record, now)?;
                office.withdraw(record, row)?;
            }
            Ok(due)
        })
    }

    /// Erases a record on a request of its holder, and closes the request. By one officer. Durable when this returns;
    /// again, it gives the same certificate.
    ///
    /// # Errors
    /// [`OfficeError::RequestDiffers`] unless the request is of this record and of a kind that asks for it;
    /// [`OfficeError::BatchLive`] while its transaction is on its way; the vault's, which destroys nothing under a hold.
    pub fn erase(
        &mut self,
        record: RecordId,
        request: RequestId,
        officer: Officer,
        now: Time,
    ) -> Result<Certificate, OfficeError> {
        let kinds = [RequestKind::Withdraw, RequestKind::DestroyUnlawful];
        self.destroy(record, request, &kinds, officer, now, |office, until| {
            Ok(office.vault.erase(record, until, now)?)
        })
    }

    /// Takes out what names a record's person, and what ties the document to the ledger; as [`Office::erase`] else.
    pub fn anonymise(
        &mut self,
        record: RecordId,
        request: RequestId,
        officer: Officer,
        now: Time,
    ) -> Result<Certificate, OfficeError> {
        self.destroy(record, request, &[RequestKind::Anonymise], officer, now, |office, until| {
            Ok(office.vault.anonymise(record, until, now)?)
        })
    }

    /// Puts a record under a legal hold. By two officers; the caller tells the subject.
    pub fn hold(
        &mut self,
        record: RecordId,
        act: ActId,
        until: Time,
        officers: [Officer; 2],
        now: Time,
    ) -> Result<(), OfficeError> {
        let officers = pair(officers)?;
        self.alive(|office| Ok(office.vault.hold(record, Hold { act, until, officers }, now)?))
    }

    /// Ends a legal hold before its time. By two officers.
    pub fn lift_hold(&mut self, record: RecordId, officers: [Officer; 2]) -> Result<(), OfficeError> {
        let officers = pair(officers)?;
        self.alive(|office| Ok(office.vault.lift_hold(record, officers)?))
    }

    /// What was shown of a record, oldest first. A holder's own look at it is a line too.
    pub fn disclosures(
        &mut self,
        record: RecordId,
        who: Who<'_>,
        now: Time,
    ) -> Result<Vec<Disclosure>, OfficeError> {
        self.alive(|office| {
            office.row(record)?;
            office.expect_subject(record, who, now)?;
            Ok(office.vault.disclosures(record)?)
        })
    }

    /// Ends what was not sent. What was sent may become final, and the holder's own key then ends it on the ledger; if it
    /// does not, it is not dealt again.
    fn withdraw(&mut self, record: RecordId, row: RecordRow) -> Result<(), OfficeError> {
        let refused = Some(Refused::Withdrawn);
        match self.state_of(record, &row)? {
            State::Draft | State::Consented | State::Sealed | State::Batched => {
                match self.end(record, row, Refused::Withdrawn) {
                    Err(OfficeError::BatchLive(_)) => {
                        self.put(table::record(record), &RecordRow { refused, ..row })
                    }
                    ended => ended,
                }
            }
            State::Submitted => self.put(table::record(record), &RecordRow { refused, ..row }),
            State::Final | State::Delivered | State::Refused(_) | State::Expired | State::Erased => Ok(()),
        }
    }

    fn destroy(
        &mut self,
        record: RecordId,
        request: RequestId,
        kinds: &[RequestKind],
        officer: Officer,
        now: Time,
        how: impl FnOnce(&mut Self, Time) -> Result<Certificate, OfficeError>,
    ) -> Result<Certificate, OfficeError> {
        if !matches!(officer.role, KeyRole::Registrar | KeyRole::Approver) {
            return Err(OfficeError::Role);
        }
        self.alive(|office| {
            let row = office.row(record)?;
            let asked = office.vault.request(request)?.ok_or(OfficeError::RequestDiffers)?;
            let refused = matches!(asked.closed, Some((Outcome::Refused(_), ..)));
            if asked.record != Some(record) || !kinds.contains(&asked.kind) || refused {
                return Err(OfficeError::RequestDiffers);
            }
            let sent = matches!(
                office.state_of(record, &row)?,
                State::Submitted | State::Final | State::Delivered | State::Expired | State::Erased
            );
            if !sent {
                office.take_out(&row)?;
            }
            let certificate = how(office, now.plus_s(office.config.limitation_s))?;
            office.forget(record, &row)?;
            if asked.closed.is_none() {
                office.vault.close(request, Outcome::Done, officer.id, now)?;
            }
            Ok(certificate)
        })
    }

    /// Removes what ties a destroyed record to a batch: its place in the list, and in the sample.
    fn forget(&self, record: RecordId, row: &RecordRow) -> Result<(), OfficeError> {
        let Some(id) = row.batch else { return Ok(()) };
        if let Some(mut batch) = get::<_, BatchRow>(&self.tree, &table::batch(id))?
            && let Some(place) = batch.sample.iter().position(|it| *it == record)
        {
            batch.sample.remove(place);
            batch.opened = batch.opened.map(|(who, bits)| (who, without(bits, place)));
            put(&self.tree, table::batch(id), &batch)?;
        }
        self.tree.remove(&table::entry(id, record))?;
        self.put(table::record(record), &RecordRow { batch: None, ..*row })
    }
}

/// The bits without number `place`: those above it move down.
const fn without(bits: u32, place: usize) -> u32 {
    let below = (1 << place) - 1;
    bits & below | bits >> 1 & !below
}

fn pair(officers: [Officer; 2]) -> Result<[tanba_vault::OfficerId; 2], OfficeError> {
    let [one, other] = officers;
    if one.id == other.id { Err(OfficeError::TwoOfficers) } else { Ok([one.id, other.id]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_a_sample_is_taken_out_of_its_bits() {
        assert_eq!(without(0b1101, 0), 0b110);
        assert_eq!(without(0b1101, 1), 0b111);
        assert_eq!(without(0b1101, 3), 0b101);
        assert_eq!(without(u32::MAX, 31), u32::MAX >> 1);
    }
}
