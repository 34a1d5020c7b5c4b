//! The slot file: one sector a record, which holds its data keys, each wrapped by the epoch's key. A sector is
//! overwritten in place, whole or not at all, so a key is destroyed where it lies.

use crate::{
    VaultError,
    epoch_keys::WrappedKey,
    folder::{Folder, SECTOR_BYTES, destroy},
    name::{Epoch, Part, RecordId},
};

const MAGIC: &[u8; 4] = b"TVS1";
const WRAPPED_BYTES: usize = 64;
const RECORD_AT: usize = MAGIC.len();
const EPOCH_AT: usize = RECORD_AT + 16;
const MASK_AT: usize = EPOCH_AT + 8;
const KEYS_AT: usize = MASK_AT + 1;
const CHECKSUM_AT: usize = SECTOR_BYTES - 4;
const _: () = assert!(KEYS_AT + Part::ALL.len() * WRAPPED_BYTES <= CHECKSUM_AT);

/// Records a vault can hold keys of: what 2 GiB of slots hold.
pub const SLOTS_MAX: u32 = 1 << 22;

/// The keys of one record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Slot {
    pub(crate) record: RecordId,
    pub(crate) epoch: Epoch,
    pub(crate) keys: [Option<WrappedKey>; Part::ALL.len()],
}

/// What a sector says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Sector {
    Free,
    Held(Slot),
    Damaged,
}

impl Slot {
    fn to_bytes(self) -> [u8; SECTOR_BYTES] {
        let mut bytes = [0; SECTOR_BYTES];
        bytes[..RECORD_AT].copy_from_slice(MAGIC);
        bytes[RECORD_AT..EPOCH_AT].copy_from_slice(&self.record.0);
        bytes[EPOCH_AT..MASK_AT].copy_from_slice(&self.epoch.0.to_be_bytes());
        for (place, key) in self.keys.iter().enumerate() {
            let Some(WrappedKey { nonce, sealed }) = key else { continue };
            bytes[MASK_AT] |= 1 << place;
            let at = KEYS_AT + place * WRAPPED_BYTES;
            bytes[at..at + nonce.len()].copy_from_slice(nonce);
            bytes[at + nonce.len()..at + WRAPPED_BYTES].copy_from_slice(sealed);
        }
        let checksum = crc32c::crc32c(&bytes[..CHECKSUM_AT]).to_be_bytes();
        bytes[CHECKSUM_AT..].copy_from_slice(&checksum);
        bytes
    }
}

impl Sector {
    fn of(bytes: &[u8]) -> Sector {
        if bytes.iter().all(|byte| *byte == 0) {
            return Sector::Free;
        }
        let sound = bytes.starts_with(MAGIC)
            && crc32c::crc32c(&bytes[..CHECKSUM_AT]).to_be_bytes() == bytes[CHECKSUM_AT..];
        if !sound {
            return Sector::Damaged;
        }
        let mut keys = [None; Part::ALL.len()];
        for (place, key) in keys.iter_mut().enumerate() {
            if bytes[MASK_AT] & 1 << place != 0 {
                let wrapped = &bytes[KEYS_AT + place * WRAPPED_BYTES..][..WRAPPED_BYTES];
                let (nonce, sealed) = wrapped.split_at(16);
                let nonce = nonce.try_into().expect("16 bytes");
                *key = Some(WrappedKey { nonce, sealed: sealed.try_into().expect("48 bytes") });
            }
        }
        let record = RecordId(bytes[RECORD_AT..EPOCH_AT].try_into().expect("16 bytes"));
        let epoch = u64::from_be_bytes(bytes[EPOCH_AT..MASK_AT].try_into().expect("8 bytes"));
        Sector::Held(Slot { record, epoch: Epoch(epoch), keys })
    }
}

/// The slot files of a vault: one an epoch, and for an instant two.
pub(crate) struct Slots<F> {
    folder: F,
    name: String,
}

impl<F: Folder> Slots<F> {
    /// Makes an empty file for `epoch`, in place of one left by a crash.
    pub(crate) fn create(&mut self, epoch: Epoch) -> Result<(), VaultError> {
        let name = file_name(epoch);
        destroy(&mut self.folder, &name)?;
        self.folder.create(&name)
    }

    pub(crate) fn new(folder: F, epoch: Epoch) -> Slots<F> {
        Slots { folder, name: file_name(epoch) }
    }

    /// From now on works in the file of `epoch`.
    pub(crate) fn turn(&mut self, epoch: Epoch) {
        self.name = file_name(epoch);
    }

    pub(crate) fn exists(&self) -> Result<bool, VaultError> {
        Ok(self.folder.names()?.contains(&self.name))
    }

    /// Overwrites and removes every file but the current one.
    pub(crate) fn destroy_others(&mut self) -> Result<(), VaultError> {
        for name in self.folder.names()?.into_iter().filter(|name| *name != self.name) {
            destroy(&mut self.folder, &name)?;
        }
        Ok(())
    }

    /// Sectors in the file, the last perhaps not whole.
    pub(crate) fn count(&self) -> Result<u32, VaultError> {
        let sectors = self.folder.length(&self.name)?.div_ceil(SECTOR_BYTES as u64);
        u32::try_from(sectors).ok().filter(|count| *count <= SLOTS_MAX).ok_or(VaultError::Full)
    }

    pub(crate) fn read(&self, slot: u32) -> Result<Sector, VaultError> {
        Ok(Sector::of(&self.folder.read(&self.name, at(slot), SECTOR_BYTES)?))
    }

    pub(crate) fn write(&mut self, number: u32, slot: &Slot) -> Result<(), VaultError> {
        self.folder.write(&self.name, at(number), &slot.to_bytes())
    }

    pub(crate) fn clear(&mut self, number: u32) -> Result<(), VaultError> {
        self.folder.write(&self.name, at(number), &[0; SECTOR_BYTES])
    }

    pub(crate) fn sync(&mut self) -> Result<(), VaultError> {
        self.folder.sync(&self.name)
    }

    /// Writes a slot to the file of another epoch.
    pub(crate) fn write_to(&mut self, epoch: Epoch, number: u32, slot: &Slot) -> Result<(), VaultError> {
        self.folder.write(&file_name(epoch), at(number), &slot.to_bytes())
    }

    /// Makes the file of another epoch durable, and its name.
    pub(crate) fn sync_to(&mut self, epoch: Epoch) -> Result<(), VaultError> {
        self.folder.sync(&file_name(epoch))?;
        self.folder.sync_names()
    }
}

fn at(slot: u32) -> u64 {
    u64::from(slot) * SECTOR_BYTES as u64
}

fn file_name(epoch: Epoch) -> String {
    format!("slots.{:016x}", epoch.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_reads_back_and_every_flipped_byte_is_seen() {
        let key = WrappedKey { nonce: [3; 16], sealed: [4; 48] };
        let keys = [Some(key), None, None, Some(key), None];
        let slot = Slot { record: RecordId([1; 16]), epoch: Epoch(2), keys };
        let bytes = slot.to_bytes();
        assert_eq!(Sector::of(&bytes), Sector::Held(slot));
        for at in 0..SECTOR_BYTES {
            let mut other = bytes;
            other[at] ^= 1;
            assert_eq!(Sector::of(&other), Sector::Damaged, "byte {at}");
        }
        assert_eq!(Sector::of(&[0; SECTOR_BYTES]), Sector::Free);
    }
}
