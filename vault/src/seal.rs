//! Sealing records, up to [`BATCH_MAX`] at once, and adding parts to as many.
//!
//! The order: the slots in use are noted, a barrier; the slots are written and synced; the sealed parts, a barrier;
//! the records, a barrier. A record exists once its entry does; before that, opening wipes the slots noted.

use tanba_storage::{
    tree::{Tree, insert_all},
    value,
};

use crate::{
    VaultError,
    epoch_keys::EpochKeys,
    folder::Folder,
    name::{Part, RecordId, Time},
    part::Sealed,
    record::{Record, VERSION},
    slots::{SLOTS_MAX, Sector, Slot},
    table::{self, Pending, Table, get, put},
    vault::{Random, Vault},
};

/// Bytes of a part, at most.
pub const PART_BYTES_MAX: usize = 1 << 20;

/// Records sealed at once, at most: the list of their slots fits one entry.
pub const BATCH_MAX: usize = 128;

/// What is to be sealed under one name.
#[derive(Clone, Copy)]
pub struct Draft<'a> {
    /// Its name: fresh random bytes.
    pub record: RecordId,
    /// Its parts, each once.
    pub parts: &'a [(Part, &'a [u8])],
}

impl std::fmt::Debug for Draft<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Draft").field("record", &self.record).finish_non_exhaustive()
    }
}

/// A part for a record that lacks it.
#[derive(Clone, Copy)]
pub struct Addition<'a> {
    /// The record.
    pub record: RecordId,
    /// Which part.
    pub part: Part,
    /// What it holds.
    pub text: &'a [u8],
}

impl std::fmt::Debug for Addition<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Addition")
            .field("record", &self.record)
            .field("part", &self.part)
            .finish_non_exhaustive()
    }
}

impl<T: Tree, F: Folder, K: EpochKeys> Vault<T, F, K> {
    /// Seals up to [`BATCH_MAX`] records; durable when this returns. A crash before leaves each of them sealed or
    /// not there.
    ///
    /// # Errors
    /// Before anything is written: [`VaultError::RecordExists`], [`VaultError::PartSize`], [`VaultError::PartExists`]
    /// (a part given twice), [`VaultError::TooMany`], [`VaultError::Full`].
    pub fn seal(&mut self, drafts: &[Draft<'_>], now: Time, random: Random<'_>) -> Result<(), VaultError> {
        self.alive(|vault| vault.seal_all(drafts, now, random))
    }

    fn seal_all(&mut self, drafts: &[Draft<'_>], now: Time, random: Random<'_>) -> Result<(), VaultError> {
        if drafts.len() > BATCH_MAX {
            return Err(VaultError::TooMany { count: drafts.len(), count_max: BATCH_MAX });
        }
        refuse_twice(drafts.iter().map(|draft| draft.record))?;
        for draft in drafts {
            if get::<_, Record>(&self.tree, &table::record(draft.record))?.is_some() {
                return Err(VaultError::RecordExists(draft.record));
            }
            check_parts(draft)?;
        }
        let places = self.places(drafts.len())?;
        let slots = places.iter().copied().zip(drafts.iter().map(|draft| draft.record)).collect();
        let mut records = Vec::with_capacity(drafts.len());
        let mut texts = Vec::with_capacity(drafts.len());
        let mut sectors = Vec::with_capacity(drafts.len());
        for (draft, place) in drafts.iter().zip(&places) {
            let mut record = Record {
                slot: Some(*place),
                suite: self.config.suite,
                version: VERSION,
                sealed_at: now,
                parts: [None; Part::ALL.len()],
                gone: None,
                restricted: None,
                hold: None,
            };
            let mut slot =
                Slot { record: draft.record, epoch: self.epoch.epoch, keys: [None; Part::ALL.len()] };
            for (part, text) in draft.parts {
                let sealed = self.seal_part(draft.record, &record, *part, text, random)?;
                slot.keys[part.index()] = Some(sealed.key);
                record.parts[part.index()] = Some(sealed.text.len() as u32);
                texts.push((draft.record, sealed));
            }
            records.push((draft.record, record));
            sectors.push((*place, slot));
        }
        self.write(slots, &sectors, texts, &records)?;
        for place in places {
            self.free.remove(&place);
            self.next = self.next.max(place + 1);
        }
        Ok(())
    }

    /// Adds a part that a record lacks: the consent, and then the seal, come after the document. Durable when this
    /// returns.
    ///
    /// # Errors
    /// [`VaultError::PartExists`]; [`VaultError::Destroyed`] if anything of the record was; [`VaultError::PartSize`].
    pub fn add(
        &mut self,
        record: RecordId,
        part: Part,
        text: &[u8],
        random: Random<'_>,
    ) -> Result<(), VaultError> {
        self.add_all(&[Addition { record, part, text }], random)
    }

    /// Adds up to [`BATCH_MAX`] parts, each to another record: the same syncs as for one. Durable when this returns. A
    /// crash before leaves each of them added or not there.
    ///
    /// # Errors
    /// Those of [`Vault::add`] for one of them, and then none is added; [`VaultError::TooMany`];
    /// [`VaultError::RecordExists`] for a record that occurs twice.
    pub fn add_all(&mut self, additions: &[Addition<'_>], random: Random<'_>) -> Result<(), VaultError> {
        self.alive(|vault| vault.add_parts(additions, random))
    }

    fn add_parts(&mut self, additions: &[Addition<'_>], random: Random<'_>) -> Result<(), VaultError> {
        if additions.len() > BATCH_MAX {
            return Err(VaultError::TooMany { count: additions.len(), count_max: BATCH_MAX });
        }
        refuse_twice(additions.iter().map(|addition| addition.record))?;
        let mut slots = Vec::with_capacity(additions.len());
        let mut sectors = Vec::with_capacity(additions.len());
        let mut texts = Vec::with_capacity(additions.len());
        let mut records = Vec::with_capacity(additions.len());
        for Addition { record: id, part, text } in additions.iter().copied() {
            let mut record = self.record(id)?;
            if record.has(part) {
                return Err(VaultError::PartExists(id, part));
            }
            let place =
                record.slot.filter(|_| record.gone.is_none()).ok_or(VaultError::Destroyed(id, part))?;
            check_parts(&Draft { record: id, parts: &[(part, text)] })?;
            let mut slot = self.slot(id, place)?;
            let sealed = self.seal_part(id, &record, part, text, random)?;
            slot.keys[part.index()] = Some(sealed.key);
            record.parts[part.index()] = Some(sealed.text.len() as u32);
            slots.push((place, id));
            sectors.push((place, slot));
            texts.push((id, sealed));
            records.push((id, record));
        }
        self.write(slots, &sectors, texts, &records)
    }

    fn write(
        &mut self,
        pending: Vec<(u32, RecordId)>,
        sectors: &[(u32, Slot)],
        texts: Vec<(RecordId, Sealed)>,
        records: &[(RecordId, Record)],
    ) -> Result<(), VaultError> {
        put(&self.tree, Table::Pending.key(&[]), &Pending { slots: pending })?;
        self.tree.barrier()?;
        for (place, slot) in sectors {
            self.slots.write(*place, slot)?;
        }
        self.slots.sync()?;
        for (id, sealed) in texts {
            insert_all(&self.tree, &value::pieces(table::part(id, sealed.part), sealed.text))?;
        }
        self.tree.barrier()?;
        for (id, record) in records {
            self.put_record(*id, record)?;
        }
        Ok(self.tree.barrier()?)
    }

    /// Free slots, lowest first.
    fn places(&self, count: usize) -> Result<Vec<u32>, VaultError> {
        let places = self.free.iter().copied().chain(self.next..SLOTS_MAX).take(count);
        let places: Vec<u32> = places.collect();
        if places.len() == count { Ok(places) } else { Err(VaultError::Full) }
    }

    /// The keys of a record, which are its own and of this epoch.
    pub(crate) fn slot(&self, id: RecordId, place: u32) -> Result<Slot, VaultError> {
        match self.slots.read(place)? {
            Sector::Held(slot) if slot.record == id && slot.epoch == self.epoch.epoch => Ok(slot),
            Sector::Held(_) => Err(VaultError::SlotForeign(id)),
            Sector::Free | Sector::Damaged => Err(VaultError::SlotDamaged(id)),
        }
    }
}

fn refuse_twice(records: impl Iterator<Item = RecordId>) -> Result<(), VaultError> {
    let mut names: Vec<RecordId> = records.collect();
    names.sort();
    let twice = names.windows(2).find(|pair| pair[0] == pair[1]);
    twice.map_or(Ok(()), |twice| Err(VaultError::RecordExists(twice[0])))
}

fn check_parts(draft: &Draft<'_>) -> Result<(), VaultError> {
    let mut seen = [false; Part::ALL.len()];
    for (part, text) in draft.parts {
        if text.is_empty() || text.len() > PART_BYTES_MAX {
            let (record, part, bytes) = (draft.record, *part, text.len());
            return Err(VaultError::PartSize { record, part, bytes, bytes_max: PART_BYTES_MAX });
        }
        if std::mem::replace(&mut seen[part.index()], true) {
            return Err(VaultError::PartExists(draft.record, *part));
        }
    }
    Ok(())
}
