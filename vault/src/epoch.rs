//! Turning the epoch: every living key is wrapped anew under a new epoch key, then the old one is destroyed, and with
//! it every older copy of slots and database.
//!
//! The order: the new key; the new slot file, whole and synced; what the old epoch was, a barrier; the new epoch, a
//! barrier: from here on it is in force. Then the old slots and the old key are overwritten and removed, and the
//! register of epochs says when. A crash before that barrier leaves the old epoch, one after it the new; opening
//! destroys whichever is not in force. A file of its own, rather than slots wrapped anew where they lie, means that
//! no moment has half of each.

use tanba_storage::tree::Tree;

use crate::{
    VaultError,
    epoch_keys::EpochKeys,
    folder::Folder,
    name::{Epoch, Part, RecordId, Time},
    record::Record,
    slots::Slot,
    table::{self, EpochNow, EpochPast, Table, put},
    vault::{Random, Vault, fresh_key},
};

impl<T: Tree, F: Folder, K: EpochKeys> Vault<T, F, K> {
    /// Turns the epoch. Durable when this returns, and every key of an older epoch is destroyed.
    ///
    /// A slot that does not open stops this, for its keys would die with the old epoch. Records named in `lost` are let
    /// go: their slots are left behind.
    ///
    /// # Errors
    /// [`VaultError::SlotDamaged`], [`VaultError::SlotForeign`], [`VaultError::KeyForged`],
    /// [`VaultError::KeyMissing`], each with its record; the old epoch is then in force.
    pub fn turn_epoch(
        &mut self,
        lost: &[RecordId],
        now: Time,
        random: Random<'_>,
    ) -> Result<Epoch, VaultError> {
        self.alive(|vault| {
            let old = vault.epoch;
            let new = EpochNow { epoch: old.epoch.next(), since: now };
            if let Err(refusal) = vault.wrap_anew(new.epoch, lost, random) {
                if !refusal.ends() {
                    vault.slots.destroy_others()?;
                    vault.keys.destroy(new.epoch)?;
                }
                return Err(refusal);
            }
            let past = EpochPast { since: old.since, ended: None };
            put(&vault.tree, table::epoch_past(old.epoch), &past)?;
            vault.tree.barrier()?;
            put(&vault.tree, Table::Epoch.key(&[]), &new)?;
            vault.tree.barrier()?;
            vault.epoch = new;
            vault.slots.turn(new.epoch);
            vault.end_other_epochs(now)?;
            Ok(new.epoch)
        })
    }

    fn wrap_anew(&mut self, new: Epoch, lost: &[RecordId], random: Random<'_>) -> Result<(), VaultError> {
        self.keys.create(new, &fresh_key(random))?;
        self.slots.create(new)?;
        for name in table::names::<_, 16>(&self.tree, Table::Record)? {
            let id = RecordId(name);
            let record = self.record(id)?;
            let Some(place) = record.slot.filter(|_| !lost.contains(&id)) else { continue };
            let slot = self.slot_anew(id, &record, place, new, random)?;
            self.slots.write_to(new, place, &slot)?;
        }
        self.slots.sync_to(new)
    }

    fn slot_anew(
        &self,
        id: RecordId,
        record: &Record,
        place: u32,
        new: Epoch,
        random: Random<'_>,
    ) -> Result<Slot, VaultError> {
        let old = self.slot(id, place)?;
        let mut slot = Slot { record: id, epoch: new, keys: [None; Part::ALL.len()] };
        for part in Part::ALL.into_iter().filter(|part| record.has(*part)) {
            let key = self.unwrap(id, record, &old, part)?;
            slot.keys[part.index()] = Some(self.wrap(id, record, new, part, &key, random)?);
        }
        Ok(slot)
    }
}
