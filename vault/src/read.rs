//! The one door to what a record holds. It asks whether the record may be shown, whether the officer may read more
//! today, writes down who is shown what and why, and only then opens.

use tanba_crypto::canonical::{Decode, Encode};
use tanba_storage::tree::Tree;
use zeroize::Zeroizing;

use crate::{
    VaultError,
    epoch_keys::EpochKeys,
    folder::Folder,
    name::{OfficerId, Part, RecipientId, RecordId, Time},
    record::Record,
    table::{self, Table, damaged, get, put},
    vault::Vault,
};

/// Who reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reader {
    /// The person the record is about, proven so by the caller. Logged, and without a quota.
    Subject,
    /// One officer.
    Officer(OfficerId),
    /// Two officers together; the day's quota of both is used.
    Officers(OfficerId, OfficerId),
}
tanba_crypto::canonical_enum!(Reader { 1 = Subject, 2 = Officer(one), 3 = Officers(one, other) });

/// Why.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// For the person the record is about: by that person alone, as an officer could give this as a pretext.
    Subject,
    /// The institution's own work: preparing, signing, correcting.
    Work,
    /// To show it to somebody else.
    ThirdParty(RecipientId),
    /// To show it to somebody abroad.
    Abroad(RecipientId),
    /// For a court or a claim. Takes two officers, and opens what is restricted or locked.
    LegalClaim,
}
tanba_crypto::canonical_enum!(Purpose {
    1 = Subject, 2 = Work, 3 = ThirdParty(recipient), 4 = Abroad(recipient), 5 = LegalClaim
});

/// A wish to read.
#[derive(Clone, Copy, Debug)]
pub struct Access<'a> {
    /// Who.
    pub reader: Reader,
    /// Why.
    pub purpose: Purpose,
    /// Which parts.
    pub parts: &'a [Part],
    /// Which fields of the document will be shown: one bit a field, by the document's own order.
    pub fields: u64,
}

/// A part, opened. Wiped when it is dropped, and shown by no `Debug`.
pub struct Opened(pub(crate) Zeroizing<Vec<u8>>);

impl std::ops::Deref for Opened {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Opened({} bytes)", self.0.len())
    }
}

/// A line of a record's log: who was shown what, why and when.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Disclosure {
    /// When.
    pub at: Time,
    /// Who.
    pub reader: Reader,
    /// Why.
    pub purpose: Purpose,
    /// Which parts: bit n is the part with number n + 1.
    pub parts: u8,
    /// Which fields, as [`Access::fields`].
    pub fields: u64,
}

impl<T: Tree, F: Folder, K: EpochKeys> Vault<T, F, K> {
    /// Opens `access.parts` of every record, in order: all, or none of them. The log and the quota are durable before
    /// anything is opened, so a crash can only leave a line too many.
    ///
    /// # Errors
    /// Nothing is logged by [`VaultError::Purpose`], [`VaultError::TwoOfficers`] (many records at once, or a legal claim, by fewer than two),
    /// [`VaultError::Restricted`], [`VaultError::Locked`], [`VaultError::Destroyed`], [`VaultError::PartMissing`],
    /// [`VaultError::NoRecord`], [`VaultError::Quota`]. What is on disk and was not sealed so is refused after the
    /// log was written, by a code of its own for key, slot and part.
    pub fn read(
        &mut self,
        records: &[RecordId],
        access: &Access<'_>,
        now: Time,
    ) -> Result<Vec<Vec<Opened>>, VaultError> {
        self.alive(|vault| {
            if (access.reader == Reader::Subject) != (access.purpose == Purpose::Subject) {
                return Err(VaultError::Purpose);
            }
            let two = match access.reader {
                Reader::Subject | Reader::Officer(_) => false,
                Reader::Officers(one, other) if one == other => return Err(VaultError::TwoOfficers),
                Reader::Officers(..) => true,
            };
            if !two && (records.len() > vault.config.bulk_max || access.purpose == Purpose::LegalClaim) {
                return Err(VaultError::TwoOfficers);
            }
            let admit = |id: &RecordId| vault.admit(*id, access).map(|record| (*id, record));
            let admitted = records.iter().map(admit).collect::<Result<Vec<_>, _>>()?;
            vault.log(records, access, now)?;
            admitted.iter().map(|(id, record)| vault.open_parts(*id, record, access.parts)).collect()
        })
    }

    /// What was shown of a record, oldest first.
    pub fn disclosures(&self, record: RecordId) -> Result<Vec<Disclosure>, VaultError> {
        let keys = self.tree.keys(&Table::Disclosure.key(&[&record.0]))?;
        let line = |key: &Vec<u8>| {
            get(&self.tree, key)?.ok_or_else(|| damaged("the log of disclosures", "a line is missing"))
        };
        keys.iter().map(line).collect()
    }

    fn admit(&self, id: RecordId, access: &Access<'_>) -> Result<Record, VaultError> {
        let record = self.record(id)?;
        for part in access.parts {
            match (record.has(*part), record.gone) {
                (true, Some(gone)) if *part == Part::Consent && access.purpose != Purpose::LegalClaim => {
                    return Err(VaultError::Locked { record: id, until: gone.consent_until });
                }
                (true, _) => {}
                (false, Some(_)) => return Err(VaultError::Destroyed(id, *part)),
                (false, None) => return Err(VaultError::PartMissing(id, *part)),
            }
        }
        match access.purpose {
            Purpose::Work | Purpose::ThirdParty(_) | Purpose::Abroad(_) if record.restricted.is_some() => {
                Err(VaultError::Restricted(id))
            }
            Purpose::Subject
            | Purpose::Work
            | Purpose::ThirdParty(_)
            | Purpose::Abroad(_)
            | Purpose::LegalClaim => Ok(record),
        }
    }

    /// Counts and writes down, in one barrier. A line's key holds the officer's count of the day, so that no two
    /// lines share one.
    fn log(&self, records: &[RecordId], access: &Access<'_>, now: Time) -> Result<(), VaultError> {
        const SUBJECT: OfficerId = OfficerId([0; 16]);
        let readers = match access.reader {
            Reader::Subject => vec![],
            Reader::Officer(officer) => vec![officer],
            Reader::Officers(one, other) => vec![other, one],
        };
        let count = u32::try_from(records.len()).unwrap_or(u32::MAX);
        let day = self.local_day(now);
        let mut counts = Vec::new();
        for officer in &readers {
            let read: u32 = get(&self.tree, &table::reads(*officer, day))?.unwrap_or_default();
            let most = self.config.reads_per_day_max;
            let after = read.checked_add(count).filter(|after| *after <= most);
            counts.push((*officer, read, after.ok_or(VaultError::Quota(most))?));
        }
        if readers.is_empty() {
            let read: u32 = get(&self.tree, &table::reads(SUBJECT, day))?.unwrap_or_default();
            counts.push((SUBJECT, read, read.wrapping_add(count)));
        }
        let (named, first, _) = *counts.last().expect("somebody reads");
        for (officer, _, after) in counts {
            put(&self.tree, table::reads(officer, day), &after)?;
        }
        let parts = access.parts.iter().fold(0, |bits, part| bits | 1 << part.index());
        let Access { reader, purpose, fields, .. } = *access;
        let line = Disclosure { at: now, reader, purpose, parts, fields };
        for (n, id) in (0u32..).zip(records) {
            let nth = first.wrapping_add(n).to_be_bytes();
            put(&self.tree, Table::Disclosure.key(&[&id.0, &now.0.to_be_bytes(), &named.0, &nth]), &line)?;
        }
        Ok(self.tree.barrier()?)
    }

    fn open_parts(&self, id: RecordId, record: &Record, parts: &[Part]) -> Result<Vec<Opened>, VaultError> {
        let place = record.slot.ok_or(VaultError::SlotDamaged(id))?;
        let slot = self.slot(id, place)?;
        parts.iter().map(|part| self.open_part(id, record, &slot, *part)).collect()
    }

    fn local_day(&self, now: Time) -> i64 {
        crate::calendar::local_day(now, self.config.local_ahead_s)
    }
}
