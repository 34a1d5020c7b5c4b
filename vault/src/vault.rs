//! The vault, founded and opened. Opening finishes what a crash cut short.

use std::collections::{BTreeMap, BTreeSet};

use tanba_storage::tree::Tree;

use crate::{
    VaultError,
    epoch_keys::EpochKeys,
    folder::Folder,
    name::{Epoch, Part, RecordId, Time, VaultId},
    record::Record,
    slots::{SLOTS_MAX, Sector, Slots},
    suite::{Key, Suite},
    table::{self, EpochNow, EpochPast, FORMAT, Format, Pending, Table, damaged, get, put},
};

/// Where random bytes come from: fills what it is given, from the system's generator.
pub type Random<'a> = &'a mut dyn FnMut(&mut [u8]);

/// What is the operator's to decide.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Config {
    /// Which vault this is.
    pub vault: VaultId,
    /// How records are sealed from now on; those that are stay as they are.
    pub suite: Suite,
    /// Records an officer may read on one day.
    pub reads_per_day_max: u32,
    /// Records that one officer may read at once; more takes two.
    pub bulk_max: usize,
    /// What local time is ahead of UTC, in seconds: days are local.
    pub local_ahead_s: i32,
}

/// A vault over a database, the folder of its slots, and the keeper of its epoch keys.
///
/// One owner, no clock and no randomness of its own: both come in as arguments. After an error of the system it stops
/// ([`VaultError::Stopped`]) until it is opened again, for what is on disk is then unknown.
pub struct Vault<T, F, K> {
    pub(crate) tree: T,
    pub(crate) slots: Slots<F>,
    pub(crate) keys: K,
    pub(crate) config: Config,
    pub(crate) epoch: EpochNow,
    /// Slots below `next` that hold nothing.
    pub(crate) free: BTreeSet<u32>,
    pub(crate) next: u32,
    stopped: bool,
}

impl<T, F, K> std::fmt::Debug for Vault<T, F, K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault")
            .field("vault", &self.config.vault)
            .field("epoch", &self.epoch)
            .finish_non_exhaustive()
    }
}

impl<T: Tree, F: Folder, K: EpochKeys> Vault<T, F, K> {
    /// Founds a vault. A crash before this returned leaves none, and it can be called again.
    ///
    /// # Errors
    /// [`VaultError::Exists`], and what the system refused.
    pub fn create(
        tree: &T,
        folder: F,
        keys: &mut K,
        config: &Config,
        now: Time,
        random: Random<'_>,
    ) -> Result<(), VaultError> {
        if get::<_, Format>(tree, &Table::Format.key(&[]))?.is_some() {
            return Err(VaultError::Exists);
        }
        let mut slots = Slots::new(folder, Epoch::FIRST);
        keys.create(Epoch::FIRST, &fresh_key(random))?;
        slots.create(Epoch::FIRST)?;
        slots.sync_to(Epoch::FIRST)?;
        put(tree, Table::Epoch.key(&[]), &EpochNow { epoch: Epoch::FIRST, since: now })?;
        tree.barrier()?;
        put(tree, Table::Format.key(&[]), &Format { format: FORMAT, vault: config.vault })?;
        Ok(tree.barrier()?)
    }

    /// Opens a vault, and finishes every destruction and every change of epoch that a crash cut short.
    ///
    /// Nothing is destroyed unless the key and the slots of the epoch in force are there.
    ///
    /// # Errors
    /// [`VaultError::Missing`], [`VaultError::WrongVault`], [`VaultError::WrongFormat`],
    /// [`VaultError::EpochKeyMissing`]; [`VaultError::Damaged`] if slots and database do not fit.
    pub fn open(tree: T, folder: F, keys: K, config: Config, now: Time) -> Result<Self, VaultError> {
        // What a killed process wrote is readable and perhaps not durable; nothing may rest on it before it is.
        tree.barrier()?;
        let format: Format = get(&tree, &Table::Format.key(&[]))?.ok_or(VaultError::Missing)?;
        if format.format != FORMAT {
            return Err(VaultError::WrongFormat { found: format.format, expected: FORMAT });
        }
        if format.vault != config.vault {
            return Err(VaultError::WrongVault);
        }
        let epoch: Option<EpochNow> = get(&tree, &Table::Epoch.key(&[]))?;
        let epoch = epoch.ok_or_else(|| damaged("the epoch", "it is missing"))?;
        let slots = Slots::new(folder, epoch.epoch);
        let (free, stopped) = (BTreeSet::new(), false);
        let mut vault = Vault { tree, slots, keys, config, epoch, free, next: 0, stopped };
        vault.end_other_epochs(now)?;
        vault.finish(now)?;
        Ok(vault)
    }

    /// When the epoch in force began. It is to be turned before
    /// [`EPOCH_AGE_MAX_S`](crate::epoch_keys::EPOCH_AGE_MAX_S) have passed.
    pub fn epoch(&self) -> (Epoch, Time) {
        (self.epoch.epoch, self.epoch.since)
    }

    /// Destroys slots and keys of every epoch but the one in force, and says when that was done.
    pub(crate) fn end_other_epochs(&mut self, now: Time) -> Result<(), VaultError> {
        let current = self.epoch.epoch;
        let epochs = self.keys.epochs()?;
        if !epochs.contains(&current) {
            return Err(VaultError::EpochKeyMissing(current));
        }
        if !self.slots.exists()? {
            return Err(damaged("the slots", "the file of the epoch in force is missing"));
        }
        self.slots.destroy_others()?;
        for epoch in epochs.into_iter().filter(|epoch| *epoch != current) {
            self.keys.destroy(epoch)?;
        }
        for name in table::names::<_, 8>(&self.tree, Table::EpochPast)? {
            let epoch = Epoch(u64::from_be_bytes(name));
            let past: Option<EpochPast> = get(&self.tree, &table::epoch_past(epoch))?;
            if let Some(EpochPast { since, ended: None }) = past.filter(|_| epoch < current) {
                let past = EpochPast { since, ended: Some(now) };
                put(&self.tree, table::epoch_past(epoch), &past)?;
            }
        }
        Ok(self.tree.barrier()?)
    }

    /// Brings slots into line with the database: what it says was destroyed is, and what was being sealed is gone.
    fn finish(&mut self, now: Time) -> Result<(), VaultError> {
        let pending: Option<Pending> = get(&self.tree, &Table::Pending.key(&[]))?;
        let pending: BTreeMap<u32, RecordId> = pending.unwrap_or_default().slots.into_iter().collect();
        let mut owners = BTreeMap::new();
        for name in table::names::<_, 16>(&self.tree, Table::Record)? {
            let id = RecordId(name);
            let record = self.record(id)?;
            if let Some(slot) = record.slot {
                if slot >= SLOTS_MAX {
                    return Err(damaged(format!("record {id}"), format!("no vault has a slot {slot}")));
                }
                if let Some(other) = owners.insert(slot, id) {
                    let what = format!("records {other} and {id} both claim it");
                    return Err(damaged(format!("slot {slot}"), what));
                }
            }
            if record.gone.is_some_and(|gone| gone.under_way) {
                self.destroy_keys(id, record, now)?;
            }
        }
        // Behind the end of the file nothing was ever written; whoever reads a record there is told.
        let count = self.slots.count()?;
        self.next = count.max(owners.keys().next_back().map_or(0, |slot| slot + 1));
        for slot in 0..count {
            self.finish_slot(slot, owners.get(&slot).copied(), pending.get(&slot).copied())?;
        }
        self.slots.sync()
    }

    fn finish_slot(
        &mut self,
        slot: u32,
        owner: Option<RecordId>,
        pending: Option<RecordId>,
    ) -> Result<(), VaultError> {
        let sector = self.slots.read(slot)?;
        // A destruction just finished may have freed it.
        let owner = owner.map(|id| self.record(id).map(|record| (id, record))).transpose()?;
        let owner: Option<(RecordId, Record)> = owner.filter(|(_, record)| record.slot == Some(slot));
        match (sector, owner) {
            (Sector::Free, None) => drop(self.free.insert(slot)),
            (_, None) => {
                let Some(id) = pending else {
                    let what = "it holds keys of no record: the database is older than the slots";
                    return Err(damaged(format!("slot {slot}"), what));
                };
                self.slots.clear(slot)?;
                if get::<_, Record>(&self.tree, &table::record(id))?.is_none() {
                    self.remove_parts(id, |_| true)?;
                }
                self.free.insert(slot);
            }
            // A key that the database knows nothing of, and that nobody was writing, is no reason to destroy it.
            (Sector::Held(mut held), Some((id, record)))
                if held.record == id && (record.gone.is_some() || pending == Some(id)) =>
            {
                let mut surplus = false;
                for part in Part::ALL.into_iter().filter(|part| !record.has(*part)) {
                    surplus |= held.keys[part.index()].take().is_some();
                }
                if surplus {
                    self.slots.write(slot, &held)?;
                }
            }
            // Whoever reads the record is told.
            (Sector::Free | Sector::Held(_) | Sector::Damaged, Some(_)) => {}
        }
        Ok(())
    }

    pub(crate) fn remove_parts(
        &self,
        record: RecordId,
        which: impl Fn(Part) -> bool,
    ) -> Result<(), VaultError> {
        for part in Part::ALL.into_iter().filter(|part| which(*part)) {
            tanba_storage::value::remove_all(&self.tree, &table::part(record, part))?;
        }
        Ok(())
    }

    pub(crate) fn record(&self, id: RecordId) -> Result<Record, VaultError> {
        get(&self.tree, &table::record(id))?.ok_or(VaultError::NoRecord(id))
    }

    pub(crate) fn put_record(&self, id: RecordId, record: &Record) -> Result<(), VaultError> {
        put(&self.tree, table::record(id), record)
    }

    /// Runs `work` unless an earlier error ended this vault, and notes whether this one does.
    pub(crate) fn alive<R>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<R, VaultError>,
    ) -> Result<R, VaultError> {
        if self.stopped {
            return Err(VaultError::Stopped);
        }
        let done = work(self);
        self.stopped = done.as_ref().is_err_and(VaultError::ends);
        done
    }
}

pub(crate) fn fresh_key(random: Random<'_>) -> Key {
    let mut key = Key::default();
    random(key.bytes_mut());
    key
}
