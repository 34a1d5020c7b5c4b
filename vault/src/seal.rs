//! Sealing: a fresh key a part, the part padded and sealed, the key wrapped and laid in the record's slot.
//!
//! A data key seals one text in its life, so its nonce is fixed; the record, the part, the vault, the suite and the
//! version of the form are bound to the text and to the key, so that nothing opens in another's place. Texts are padded
//! to 256 bytes (ISO/IEC 7816-4), so that the length of a name does not show.
//!
//! The order: the slots in use are noted, a barrier; the slots are written and synced; the sealed parts, a barrier;
//! the records, a barrier. A record exists once its entry does; before that, opening wipes the slots noted.

use tanba_crypto::Tag;
use tanba_storage::{
    tree::{Tree, insert_all},
    value,
};
use zeroize::Zeroizing;

use crate::{
    VaultError,
    epoch_keys::{EpochKeys, WrappedKey},
    folder::Folder,
    name::{Epoch, Part, RecordId, Time},
    read::Opened,
    record::{Record, VERSION},
    slots::{SLOTS_MAX, Sector, Slot},
    suite::{Cipher, Key, NONCE_BYTES, TAG_BYTES},
    table::{self, Pending, Table, get, put},
    vault::{Random, Vault, fresh_key},
};

/// Bytes of a part, at most.
pub const PART_BYTES_MAX: usize = 1 << 20;

/// Records sealed at once, at most: the list of their slots fits one entry.
pub const BATCH_MAX: usize = 128;

const PADDING_BYTES: usize = 256;

/// A data key's only nonce.
const NONCE: [u8; NONCE_BYTES] = [0; NONCE_BYTES];

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

/// A part made ready to be written.
struct Sealed {
    part: Part,
    key: WrappedKey,
    text: Vec<u8>,
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
        let mut names: Vec<RecordId> = drafts.iter().map(|draft| draft.record).collect();
        names.sort();
        if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(VaultError::RecordExists(twice[0]));
        }
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
        self.alive(|vault| vault.add_part(record, part, text, random))
    }

    fn add_part(
        &mut self,
        id: RecordId,
        part: Part,
        text: &[u8],
        random: Random<'_>,
    ) -> Result<(), VaultError> {
        let mut record = self.record(id)?;
        if record.has(part) {
            return Err(VaultError::PartExists(id, part));
        }
        let place = record.slot.filter(|_| record.gone.is_none()).ok_or(VaultError::Destroyed(id, part))?;
        check_parts(&Draft { record: id, parts: &[(part, text)] })?;
        let mut slot = self.slot(id, place)?;
        let sealed = self.seal_part(id, &record, part, text, random)?;
        slot.keys[part.index()] = Some(sealed.key);
        record.parts[part.index()] = Some(sealed.text.len() as u32);
        self.write(vec![(place, id)], &[(place, slot)], vec![(id, sealed)], &[(id, record)])
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

    fn seal_part(
        &self,
        id: RecordId,
        record: &Record,
        part: Part,
        text: &[u8],
        random: Random<'_>,
    ) -> Result<Sealed, VaultError> {
        let associated = self.associated(Tag::VAULT_PART, id, record, part);
        // Padded in the place where it is encrypted, so that no copy of it stays behind.
        let mut sealed = Vec::with_capacity((text.len() + 1).next_multiple_of(PADDING_BYTES) + TAG_BYTES);
        sealed.extend_from_slice(text);
        sealed.push(0x80);
        sealed.resize(sealed.len().next_multiple_of(PADDING_BYTES), 0);
        let key = fresh_key(random);
        let tag = Cipher::new(record.suite, key.bytes()).seal(&NONCE, &associated, &mut sealed);
        sealed.extend_from_slice(&tag);
        let key = self.wrap(id, record, self.epoch.epoch, part, &key, random)?;
        Ok(Sealed { part, key, text: sealed })
    }

    /// Wraps a data key under the key of `epoch`.
    pub(crate) fn wrap(
        &self,
        id: RecordId,
        record: &Record,
        epoch: Epoch,
        part: Part,
        key: &Key,
        random: Random<'_>,
    ) -> Result<WrappedKey, VaultError> {
        let mut nonce = [0; NONCE_BYTES];
        random(&mut nonce);
        self.keys.wrap(epoch, nonce, &self.associated(Tag::VAULT_KEY, id, record, part), key)
    }

    /// The data key of a part.
    pub(crate) fn unwrap(
        &self,
        id: RecordId,
        record: &Record,
        slot: &Slot,
        part: Part,
    ) -> Result<Key, VaultError> {
        let wrapped = slot.keys[part.index()].ok_or(VaultError::KeyMissing(id, part))?;
        let associated = self.associated(Tag::VAULT_KEY, id, record, part);
        let key = self.keys.unwrap(slot.epoch, &associated, &wrapped)?;
        key.ok_or(VaultError::KeyForged(id, part))
    }

    /// Opens a part with the key in `slot`.
    pub(crate) fn open_part(
        &self,
        id: RecordId,
        record: &Record,
        slot: &Slot,
        part: Part,
    ) -> Result<Opened, VaultError> {
        let key = self.unwrap(id, record, slot, part)?;
        let expected = record.parts[part.index()].ok_or(VaultError::PartMissing(id, part))? as usize;
        let found = value::read_pieces(&self.tree, &table::part(id, part))?.unwrap_or_default();
        let mut text = Zeroizing::new(found);
        if text.len() != expected || expected < TAG_BYTES {
            return Err(VaultError::PartTruncated { record: id, part, found: text.len(), expected });
        }
        let (body, tag) = text.split_at_mut(expected - TAG_BYTES);
        let tag = (&*tag).try_into().expect("a tag's bytes");
        let associated = self.associated(Tag::VAULT_PART, id, record, part);
        let opened = Cipher::new(record.suite, key.bytes()).open(&NONCE, &associated, body, tag);
        opened.map_err(|_| VaultError::PartForged(id, part))?;
        text.truncate(expected - TAG_BYTES);
        let end = text.iter().rposition(|byte| *byte != 0).filter(|at| text[*at] == 0x80);
        text.truncate(end.ok_or(VaultError::PartForged(id, part))?);
        Ok(Opened(text))
    }

    /// What a seal is bound to. No epoch: a text stays as it is when its key is wrapped anew.
    fn associated(&self, tag: Tag, id: RecordId, record: &Record, part: Part) -> Vec<u8> {
        let kind = [part.number(), record.suite.number()];
        [tag.as_bytes(), &self.config.vault.0, &id.0, &kind, &record.version.to_be_bytes()].concat()
    }
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
