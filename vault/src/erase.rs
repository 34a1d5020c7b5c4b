//! Destroying: *erase* and *anonymise*, and the end of a consent.
//!
//! Identity is a part of its own rather than a field to be cut out of the document. To anonymise is then the same act
//! as to erase, on other keys: nothing is opened, nothing is sealed anew, one sector is overwritten, and no mistake in
//! reading a document can leave a name behind. The opening and the seal go with the identity: r_f would tie the kept
//! consent, which names the person, to the fingerprint, and r and the seal tie the fingerprint to the document.
//!
//! The consent stays, locked, until the limitation date (Law 94-V, article 25: proof of consent is kept). Until then an
//! anonymised record's consent still says whose it was, to a court and two officers; afterwards nothing does.
//!
//! The order: the record says what is destroyed, a barrier; from here on it will be. The sector is overwritten and
//! synced, the sealed parts removed; the record says when that was, a barrier. Opening goes on from wherever a crash
//! cut in. Older copies of slots and database still hold the wrapped keys: they die with the epoch's key.

use tanba_storage::tree::Tree;

use crate::{
    VaultError,
    epoch_keys::{EPOCH_AGE_MAX_S, EpochKeys},
    folder::Folder,
    name::{Part, RecordId, Time},
    record::{Destruction, Gone, Record},
    slots::Sector,
    table::{self, EpochPast, damaged, get},
    vault::Vault,
};

/// The word on a destruction: what is gone, since when here, and until when elsewhere.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Certificate {
    /// Of which record.
    pub record: RecordId,
    /// What was done.
    pub how: Destruction,
    /// When the keys were overwritten here.
    pub live: Time,
    /// Older copies of slots and database.
    pub copies: Copies,
    /// How it stands with the consent.
    pub consent: ConsentKept,
}

/// What becomes of older copies: they open until the key of their epoch is destroyed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Copies {
    /// They end with the epoch, which must be turned by then. An instant gone by says that the operator is late.
    EndBy(Time),
    /// They ended: the key was destroyed then.
    Ended(Time),
}

/// Whether a consent outlives its record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConsentKept {
    /// Locked, until this limitation date.
    LockedUntil(Time),
    /// Gone, or never there, since then here; and elsewhere.
    Gone(Time, Copies),
}

impl<T: Tree, F: Folder, K: EpochKeys> Vault<T, F, K> {
    /// Destroys all of a record but its consent, which is locked until `consent_until`. Once this returned, nothing
    /// brings it back; done again, it changes nothing and gives the same certificate.
    ///
    /// # Errors
    /// [`VaultError::OnHold`], and then the record is restricted instead; [`VaultError::NoRecord`];
    /// [`VaultError::SlotForeign`] if the slot holds another record's keys. Nothing was destroyed then.
    pub fn erase(
        &mut self,
        record: RecordId,
        consent_until: Time,
        now: Time,
    ) -> Result<Certificate, VaultError> {
        self.alive(|vault| vault.destroy(record, Destruction::Erased, consent_until, now))
    }

    /// Destroys what names the person and what ties the document to the ledger. As [`Vault::erase`] else; an erased
    /// record stays erased.
    pub fn anonymise(
        &mut self,
        record: RecordId,
        consent_until: Time,
        now: Time,
    ) -> Result<Certificate, VaultError> {
        self.alive(|vault| vault.destroy(record, Destruction::Anonymised, consent_until, now))
    }

    /// Destroys the consent that outlived its record, from its limitation date on.
    ///
    /// # Errors
    /// [`VaultError::LimitationRuns`], also while the record itself is there; [`VaultError::OnHold`].
    pub fn end_consent(&mut self, record: RecordId, now: Time) -> Result<Certificate, VaultError> {
        self.alive(|vault| vault.destroy_consent(record, now))
    }

    /// The certificate of a record that was erased or anonymised; `None` for one that was not.
    pub fn certificate(&self, id: RecordId) -> Result<Option<Certificate>, VaultError> {
        let Some(Gone { how, consent_until, done, consent_done, under_way }) = self.record(id)?.gone else {
            return Ok(None);
        };
        let (live, epoch) = match done {
            Some(done) => done,
            None if under_way => return Ok(None),
            None => return Err(damaged(format!("record {id}"), "a destruction in it has no end")),
        };
        let consent = match consent_done {
            Some((at, epoch)) => ConsentKept::Gone(at, self.copies(epoch)?),
            None => ConsentKept::LockedUntil(consent_until),
        };
        Ok(Some(Certificate { record: id, how, live, copies: self.copies(epoch)?, consent }))
    }

    fn copies(&self, epoch: crate::name::Epoch) -> Result<Copies, VaultError> {
        if epoch == self.epoch.epoch {
            return Ok(Copies::EndBy(self.epoch.since.plus_s(EPOCH_AGE_MAX_S)));
        }
        let past: Option<EpochPast> = get(&self.tree, &table::epoch_past(epoch))?;
        let ended = past.and_then(|past| past.ended);
        ended.map(Copies::Ended).ok_or_else(|| damaged("the epochs", "the end of one is missing"))
    }

    fn destroy(
        &mut self,
        id: RecordId,
        how: Destruction,
        consent_until: Time,
        now: Time,
    ) -> Result<Certificate, VaultError> {
        let mut record = self.record(id)?;
        let before = record.gone;
        if !before.is_some_and(|gone| gone.how == how || gone.how == Destruction::Erased) {
            if let Err(held) = record.refuse_held(id, now) {
                // What may not be destroyed yet is locked instead (Digital Code 255-VIII, article 41).
                self.set_restricted(id, Some(now))?;
                return Err(held);
            }
            self.refuse_foreign(id, &record)?;
            for part in Part::ALL.into_iter().filter(|part| how.takes(*part)) {
                record.parts[part.index()] = None;
            }
            let consent_until = before.map_or(consent_until, |gone| gone.consent_until.max(consent_until));
            let consent_done = before.and_then(|gone| gone.consent_done);
            record.gone = Some(Gone { how, consent_until, done: None, consent_done, under_way: true });
            self.put_record(id, &record)?;
            self.tree.barrier()?;
            self.destroy_keys(id, record, now)?;
        }
        Ok(self.certificate(id)?.expect("a destruction that ended has its certificate"))
    }

    fn destroy_consent(&mut self, id: RecordId, now: Time) -> Result<Certificate, VaultError> {
        let mut record = self.record(id)?;
        let Some(mut gone) = record.gone else {
            return Err(VaultError::LimitationRuns { record: id, until: Time(u64::MAX) });
        };
        if gone.consent_done.is_none() {
            record.refuse_held(id, now)?;
            if now < gone.consent_until {
                return Err(VaultError::LimitationRuns { record: id, until: gone.consent_until });
            }
            self.refuse_foreign(id, &record)?;
            record.parts[Part::Consent.index()] = None;
            gone.under_way = true;
            record.gone = Some(gone);
            self.put_record(id, &record)?;
            self.tree.barrier()?;
            self.destroy_keys(id, record, now)?;
        }
        Ok(self.certificate(id)?.expect("a destruction that ended has its certificate"))
    }

    /// Another record's keys in this one's slot: its own may lie anywhere, and no destruction here would be true.
    fn refuse_foreign(&self, id: RecordId, record: &Record) -> Result<(), VaultError> {
        match record.slot.map(|place| self.slots.read(place)).transpose()? {
            Some(Sector::Held(slot)) if slot.record != id => Err(VaultError::SlotForeign(id)),
            Some(Sector::Held(_) | Sector::Damaged | Sector::Free) | None => Ok(()),
        }
    }

    /// Overwrites the keys of all parts that `record` does not have. Ends what the record says is under way.
    pub(crate) fn destroy_keys(
        &mut self,
        id: RecordId,
        mut record: Record,
        now: Time,
    ) -> Result<(), VaultError> {
        self.refuse_foreign(id, &record)?;
        let kept = Part::ALL.into_iter().any(|part| record.has(part));
        if let Some(place) = record.slot {
            match self.slots.read(place)? {
                Sector::Held(mut slot) if kept => {
                    for part in Part::ALL.into_iter().filter(|part| !record.has(*part)) {
                        slot.keys[part.index()] = None;
                    }
                    self.slots.write(place, &slot)?;
                }
                Sector::Held(_) | Sector::Damaged | Sector::Free => self.slots.clear(place)?,
            }
            self.slots.sync()?;
        }
        self.remove_parts(id, |part| !record.has(part))?;
        let freed = if kept { None } else { record.slot.take() };
        let ended = (now, self.epoch.epoch);
        let gone = record.gone.as_mut().expect("a destruction is under way");
        gone.under_way = false;
        gone.done.get_or_insert(ended);
        if record.parts[Part::Consent.index()].is_none() {
            gone.consent_done.get_or_insert(ended);
        }
        self.put_record(id, &record)?;
        self.tree.barrier()?;
        self.free.extend(freed);
        Ok(())
    }
}
