//! The keys above all keys: one an epoch, held elsewhere than what it wraps, destroyed when its epoch ends. What
//! lies in older copies of slots and database dies with it.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use crate::{
    VaultError,
    folder::{Folder, SECTOR_BYTES, destroy},
    name::Epoch,
    suite::{Cipher, KEY_BYTES, Key, NONCE_BYTES, Suite, TAG_BYTES},
};

/// An epoch ends after 30 days at most: what erasure says of older copies rests on it.
pub const EPOCH_AGE_MAX_S: u64 = 30 * 24 * 3600;

/// A data key, sealed by an epoch key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WrappedKey {
    /// Drawn at random for each wrapping.
    pub nonce: [u8; NONCE_BYTES],
    /// The key and its tag.
    pub sealed: [u8; KEY_BYTES + TAG_BYTES],
}

/// Keeps epoch keys. A hardware module stands behind this as well: no epoch key is ever asked for.
///
/// Whoever copies these keys (for fear of losing them) destroys the copies when [`EpochKeys::destroy`] is called, or
/// no erasure is true.
pub trait EpochKeys {
    /// The epochs there are keys of, in order; a damaged key counts.
    fn epochs(&self) -> Result<Vec<Epoch>, VaultError>;
    /// Makes the key of `epoch`, in place of one left by a crash. Durable when this returns.
    fn create(&mut self, epoch: Epoch, random: &Key) -> Result<(), VaultError>;
    /// Seals `key` and binds `associated` to it.
    fn wrap(
        &self,
        epoch: Epoch,
        nonce: [u8; NONCE_BYTES],
        associated: &[u8],
        key: &Key,
    ) -> Result<WrappedKey, VaultError>;
    /// Opens what [`EpochKeys::wrap`] made; `None` if this is not it.
    fn unwrap(
        &self,
        epoch: Epoch,
        associated: &[u8],
        wrapped: &WrappedKey,
    ) -> Result<Option<Key>, VaultError>;
    /// Destroys the key of `epoch` for ever, if there is one. Durable when this returns.
    fn destroy(&mut self, epoch: Epoch) -> Result<(), VaultError>;
}

/// Epoch keys in files, in another folder than the vault's: for devnets. A file is mode 0600 and holds the key as it
/// is; whoever reads it and the slots reads the vault.
pub struct FileKeys<F> {
    folder: F,
    suite: Suite,
    keys: BTreeMap<Epoch, Option<Cipher>>,
}

impl<F> std::fmt::Debug for FileKeys<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileKeys").field("epochs", &self.keys.keys()).finish_non_exhaustive()
    }
}

const MAGIC: &[u8; 4] = b"TVE1";
const FILE_BYTES: usize = MAGIC.len() + 1 + KEY_BYTES + 4;
const _: () = assert!(FILE_BYTES <= SECTOR_BYTES, "a key file is written whole or not at all");

impl<F: Folder> FileKeys<F> {
    /// Reads all keys in `folder`. `suite` is that of keys made from now on.
    pub fn open(folder: F, suite: Suite) -> Result<FileKeys<F>, VaultError> {
        let mut keys = BTreeMap::new();
        for name in folder.names()? {
            let Some(epoch) = epoch_of(&name) else { continue };
            let bytes = Zeroizing::new(folder.read(&name, 0, FILE_BYTES)?);
            keys.insert(epoch, read_file(&bytes));
        }
        Ok(FileKeys { folder, suite, keys })
    }

    fn cipher(&self, epoch: Epoch) -> Result<&Cipher, VaultError> {
        let key = self.keys.get(&epoch).ok_or(VaultError::EpochKeyMissing(epoch))?;
        key.as_ref().ok_or(VaultError::EpochKeyDamaged(epoch))
    }
}

impl<F: Folder> EpochKeys for FileKeys<F> {
    fn epochs(&self) -> Result<Vec<Epoch>, VaultError> {
        Ok(self.keys.keys().copied().collect())
    }

    fn create(&mut self, epoch: Epoch, random: &Key) -> Result<(), VaultError> {
        self.destroy(epoch)?;
        let name = file_name(epoch);
        // Of full size at once: a list that grows leaves its bytes behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(FILE_BYTES));
        bytes.extend_from_slice(MAGIC);
        bytes.push(self.suite.number());
        bytes.extend_from_slice(random.bytes());
        let checksum = crc32c::crc32c(&bytes).to_be_bytes();
        bytes.extend_from_slice(&checksum);
        self.folder.create(&name)?;
        self.folder.write(&name, 0, &bytes)?;
        self.folder.sync(&name)?;
        self.folder.sync_names()?;
        self.keys.insert(epoch, Some(Cipher::new(self.suite, random.bytes())));
        Ok(())
    }

    fn wrap(
        &self,
        epoch: Epoch,
        nonce: [u8; NONCE_BYTES],
        associated: &[u8],
        key: &Key,
    ) -> Result<WrappedKey, VaultError> {
        let mut text = key.clone();
        let tag = self.cipher(epoch)?.seal(&nonce, associated, text.bytes_mut());
        let mut sealed = [0; KEY_BYTES + TAG_BYTES];
        sealed[..KEY_BYTES].copy_from_slice(text.bytes());
        sealed[KEY_BYTES..].copy_from_slice(&tag);
        Ok(WrappedKey { nonce, sealed })
    }

    fn unwrap(
        &self,
        epoch: Epoch,
        associated: &[u8],
        wrapped: &WrappedKey,
    ) -> Result<Option<Key>, VaultError> {
        let (sealed, tag) = wrapped.sealed.split_at(KEY_BYTES);
        let mut key = Key::new(sealed.try_into().expect("a key's bytes"));
        let tag = tag.try_into().expect("a tag's bytes");
        let opened = self.cipher(epoch)?.open(&wrapped.nonce, associated, key.bytes_mut(), tag);
        Ok(opened.is_ok().then_some(key))
    }

    fn destroy(&mut self, epoch: Epoch) -> Result<(), VaultError> {
        self.keys.remove(&epoch);
        destroy(&mut self.folder, &file_name(epoch))
    }
}

fn file_name(epoch: Epoch) -> String {
    format!("epoch.{:016x}", epoch.0)
}

fn epoch_of(name: &str) -> Option<Epoch> {
    u64::from_str_radix(name.strip_prefix("epoch.")?, 16).ok().map(Epoch)
}

fn read_file(bytes: &[u8]) -> Option<Cipher> {
    let (body, checksum) = bytes.split_last_chunk()?;
    let key = body.strip_prefix(MAGIC).filter(|_| crc32c::crc32c(body) == u32::from_be_bytes(*checksum))?;
    let suite = [Suite::Kuznyechik, Suite::ChaCha20].into_iter().find(|suite| suite.number() == key[0])?;
    Some(Cipher::new(suite, key[1..].try_into().ok()?))
}
