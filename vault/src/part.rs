//! One part of a record: padded and sealed under a fresh key, and the key wrapped for the record's slot.
//!
//! A data key seals one text in its life, so its nonce is fixed; the record, the part, the vault, the suite and the
//! version of the form are bound to the text and to the key, so that nothing opens in another's place. Texts are padded
//! to 256 bytes (ISO/IEC 7816-4), so that the length of a name does not show.

use tanba_crypto::Tag;
use tanba_storage::{tree::Tree, value};
use zeroize::Zeroizing;

use crate::{
    VaultError,
    epoch_keys::{EpochKeys, WrappedKey},
    folder::Folder,
    name::{Epoch, Part, RecordId},
    read::Opened,
    record::Record,
    slots::Slot,
    suite::{Cipher, Key, NONCE_BYTES, TAG_BYTES},
    table,
    vault::{Random, Vault, fresh_key},
};

const PADDING_BYTES: usize = 256;

/// A data key's only nonce.
const NONCE: [u8; NONCE_BYTES] = [0; NONCE_BYTES];

/// A part made ready to be written.
pub(crate) struct Sealed {
    pub(crate) part: Part,
    pub(crate) key: WrappedKey,
    pub(crate) text: Vec<u8>,
}

impl<T: Tree, F: Folder, K: EpochKeys> Vault<T, F, K> {
    /// Seals `text` for a record, and wraps its key for the epoch in force.
    pub(crate) fn seal_part(
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
