//! The office: a vault, the tables beside it, and who may act.

use std::collections::BTreeMap;

use tanba_eds::Iin;
use tanba_ledger::{Bin, ChainId, record::KeyRole};
use tanba_storage::tree::Tree;
use tanba_vault::{
    Addition, BATCH_MAX, Beside, Destruction, OfficerId, Part, Random, RecordId, Time, Vault,
    epoch_keys::EpochKeys,
    folder::Folder,
    read::{Access, Opened, Purpose, Reader},
};
use zeroize::Zeroizing;

use crate::{
    error::OfficeError,
    name::{BatchId, ClassId},
    state::State,
    table::{self, BatchRow, ClassRow, FORMAT, Format, Pending, RecordRow, Table, get, put},
};

/// What is the institution's to decide.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// The network.
    pub chain: ChainId,
    /// The institution.
    pub issuer: Bin,
    /// What its graduates are asked to consent to.
    pub terms: ConsentTerms,
    /// Whose information system may speak for a state service; none is believed without it.
    pub service: Option<tanba_eds::Bin>,
    /// How long a consent outlives its record, in seconds: the limitation period.
    pub limitation_s: u64,
    /// Records that one officer reads at once; not above the vault's own limit.
    pub bulk: usize,
}

/// The terms of consent that are the same for all graduates, in Kazakh and in Russian.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConsentTerms {
    /// The institution's full name.
    pub operator: [String; 2],
    /// Days that a consent holds, counted from the draft.
    pub days: u32,
    /// To which third parties data may be given.
    pub third_parties: Option<[String; 2]>,
    /// To which countries.
    pub abroad: Option<[String; 2]>,
    /// In which public sources it may be published.
    pub publication: Option<[String; 2]>,
}

/// An officer, recognised by the caller.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Officer {
    /// Who.
    pub id: OfficerId,
    /// As what: a registrar or an approver. One person, one role, one key.
    pub role: KeyRole,
}

/// Who acts for a record.
#[derive(Clone, Copy, Debug)]
pub enum Who<'a> {
    /// The person of this number, proven so by the caller. Another person's record is refused; the attempt stands in
    /// that record's log.
    Holder(&'a Iin),
    /// Two officers, for a holder who signs on paper.
    Officers(Officer, Officer),
}

/// A registrar's day over a vault.
///
/// One owner. After an error of the system it stops ([`OfficeError::Stopped`]) until it is opened again.
pub struct Office<T, F, K> {
    pub(crate) vault: Vault<T, F, K>,
    pub(crate) tree: Beside<T>,
    pub(crate) config: Config,
    stopped: bool,
}

impl<T, F, K> std::fmt::Debug for Office<T, F, K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Office").field("issuer", &self.config.issuer).finish_non_exhaustive()
    }
}

impl<T: Tree, F: Folder, K: EpochKeys> Office<T, F, K> {
    /// Opens the office over a vault, or founds it there; removes what a crash left of batches that never came to be.
    ///
    /// # Errors
    /// [`OfficeError::WrongOffice`].
    pub fn open(vault: Vault<T, F, K>, config: Config) -> Result<Office<T, F, K>, OfficeError> {
        let tree = vault.beside();
        tree.barrier()?;
        let ours = Format { format: FORMAT, chain: config.chain, issuer: config.issuer };
        match get::<_, Format>(&tree, &Table::Format.key(&[]))? {
            Some(found) if found == ours => {}
            Some(_) => return Err(OfficeError::WrongOffice),
            None => {
                put(&tree, Table::Format.key(&[]), &ours)?;
                tree.barrier()?;
            }
        }
        let mut office = Office { vault, tree, config, stopped: false };
        office.alive(Office::finish)?;
        Ok(office)
    }

    /// The vault, for its operator: epochs, certificates, the register of requests.
    pub fn vault(&mut self) -> &mut Vault<T, F, K> {
        &mut self.vault
    }

    /// How far a record came. Opens nothing.
    ///
    /// # Errors
    /// [`OfficeError::NoRecord`]; [`OfficeError::ClassUnfinished`].
    pub fn state(&self, record: RecordId) -> Result<State, OfficeError> {
        self.state_of(record, &self.row(record)?)
    }

    pub(crate) fn state_of(&self, record: RecordId, row: &RecordRow) -> Result<State, OfficeError> {
        if !self.class(row.class)?.ready {
            return Err(OfficeError::ClassUnfinished(row.class));
        }
        let standing = self.vault.standing(record)?;
        if row.expired {
            return Ok(State::Expired);
        }
        match standing.destroyed {
            Some(Destruction::Erased | Destruction::Anonymised) => return Ok(State::Erased),
            None => {}
        }
        if row.delivered.is_some() {
            return Ok(State::Delivered);
        }
        if let Some(batch) = row.batch
            && let Some(BatchRow { progress, .. }) = get(&self.tree, &table::batch(batch))?
        {
            return Ok(progress.of_records());
        }
        // Behind the batch: what was sent before may become final whatever was decided since.
        if let Some(refused) = row.refused {
            return Ok(State::Refused(refused));
        }
        let has = |part| standing.parts.contains(&part);
        Ok(match (has(Part::Consent), has(Part::Seal)) {
            (true, true) => State::Sealed,
            (true, false) => State::Consented,
            (false, _) => State::Draft,
        })
    }

    pub(crate) fn row(&self, record: RecordId) -> Result<RecordRow, OfficeError> {
        get(&self.tree, &table::record(record))?.ok_or(OfficeError::NoRecord(record))
    }

    pub(crate) fn class(&self, class: ClassId) -> Result<ClassRow, OfficeError> {
        get(&self.tree, &table::class(class))?.ok_or(OfficeError::NoClass(class))
    }

    pub(crate) fn batch(&self, batch: BatchId) -> Result<BatchRow, OfficeError> {
        get(&self.tree, &table::batch(batch))?.ok_or(OfficeError::NoBatch(batch))
    }

    /// Writes one entry, durable when this returns.
    pub(crate) fn put(&self, key: Vec<u8>, row: &impl tanba_crypto::Canonical) -> Result<(), OfficeError> {
        put(&self.tree, key, row)?;
        Ok(self.tree.barrier()?)
    }

    /// Opens parts of one record for `who`, who must be its subject or two officers.
    pub(crate) fn read_for<const N: usize>(
        &mut self,
        record: RecordId,
        who: Who<'_>,
        parts: [Part; N],
        now: Time,
    ) -> Result<[Opened; N], OfficeError> {
        let (reader, purpose) = match who {
            Who::Holder(_) => (Reader::Subject, Purpose::Subject),
            Who::Officers(one, other) if one.id == other.id => return Err(OfficeError::TwoOfficers),
            Who::Officers(one, other) => (Reader::Officers(one.id, other.id), Purpose::Work),
        };
        let access = Access { reader, purpose, parts: &parts, fields: u64::MAX };
        Ok(one(self.vault.read(&[record], &access, now)?))
    }

    /// Opens parts of records for an officer's own work, as many at once as the configuration says.
    pub(crate) fn read_all<const N: usize>(
        &mut self,
        records: &[RecordId],
        officer: OfficerId,
        parts: [Part; N],
        now: Time,
        mut each: impl FnMut(RecordId, [Opened; N]) -> Result<(), OfficeError>,
    ) -> Result<(), OfficeError> {
        let reader = Reader::Officer(officer);
        let access = Access { reader, purpose: Purpose::Work, parts: &parts, fields: 0 };
        for some in records.chunks(self.config.bulk.max(1)) {
            for (record, opened) in some.iter().zip(self.vault.read(some, &access, now)?) {
                each(*record, one(vec![opened]))?;
            }
        }
        Ok(())
    }

    /// Takes many items in, each of which `check` turns into a part for its record, or into nothing if it is there
    /// already: all checks first, and then the parts with as few syncs as they take. Each item has its own outcome.
    pub(crate) fn take_all<I>(
        &mut self,
        part: Part,
        items: &[I],
        record_of: impl Fn(&I) -> RecordId,
        check: impl Fn(&mut Self, &I) -> Result<Option<Zeroizing<Vec<u8>>>, OfficeError>,
        random: Random<'_>,
    ) -> Result<Vec<Result<(), OfficeError>>, OfficeError> {
        self.alive(|office| {
            let mut made = BTreeMap::new();
            let mut outcomes = Vec::with_capacity(items.len());
            for item in items {
                let record = record_of(item);
                // Twice in one list is as once in each of two.
                if made.contains_key(&record) || made.len() == BATCH_MAX {
                    office.add_all(part, &std::mem::take(&mut made), random)?;
                }
                match check(office, item) {
                    Ok(text) => {
                        made.extend(text.map(|text| (record, text)));
                        outcomes.push(Ok(()));
                    }
                    Err(error) if error.ends() => return Err(error),
                    Err(refused) => outcomes.push(Err(refused)),
                }
            }
            office.add_all(part, &made, random)?;
            Ok(outcomes)
        })
    }

    fn add_all(
        &mut self,
        part: Part,
        made: &BTreeMap<RecordId, Zeroizing<Vec<u8>>>,
        random: Random<'_>,
    ) -> Result<(), OfficeError> {
        if made.is_empty() {
            return Ok(());
        }
        let additions = made.iter().map(|(record, text)| Addition { record: *record, part, text });
        Ok(self.vault.add_all(&additions.collect::<Vec<_>>(), random)?)
    }

    /// Runs `work` unless an earlier error ended this office, and notes whether this one does.
    pub(crate) fn alive<R>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<R, OfficeError>,
    ) -> Result<R, OfficeError> {
        if self.stopped {
            return Err(OfficeError::Stopped);
        }
        let done = work(self);
        self.stopped = done.as_ref().is_err_and(OfficeError::ends);
        done
    }

    /// Removes what a crash left of batches that never came to be.
    fn finish(&mut self) -> Result<(), OfficeError> {
        let pending: Option<Pending> = get(&self.tree, &Table::Pending.key(&[]))?;
        for batch in pending.unwrap_or_default().batches {
            if get::<_, BatchRow>(&self.tree, &table::batch(batch))?.is_none() {
                self.remove_body(batch)?;
            }
        }
        Ok(self.tree.barrier()?)
    }

    /// Removes the transaction and the list of a batch that has no entry any more.
    pub(crate) fn remove_body(&self, batch: BatchId) -> Result<(), OfficeError> {
        tanba_storage::value::remove_all(&self.tree, &table::body(batch))?;
        Ok(tanba_storage::value::remove_all(&self.tree, &Table::Entry.key(&[&batch.0]))?)
    }
}

/// The parts of the one record that was read.
fn one<const N: usize>(mut read: Vec<Vec<Opened>>) -> [Opened; N] {
    let parts = read.pop().expect("one record was asked for");
    parts.try_into().unwrap_or_else(|_| panic!("{N} parts were asked for"))
}

impl Officer {
    /// Refuses who does not act as `role`.
    pub(crate) fn expect(self, role: KeyRole) -> Result<OfficerId, OfficeError> {
        if self.role == role { Ok(self.id) } else { Err(OfficeError::Role) }
    }
}
