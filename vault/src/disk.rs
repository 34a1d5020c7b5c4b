//! The vault on disk: a home with one lock, the database in `store/`, the slots in `slots/`. The only file here that
//! names the database's engine. Epoch keys lie elsewhere.

use std::path::Path;

use tanba_storage::SledTree;

use crate::{
    VaultError,
    epoch_keys::{EpochKeys, FileKeys},
    folder::DiskFolder,
    name::Time,
    vault::{Config, Random, Vault},
};

/// A vault on disk.
pub type DiskVault<K> = Vault<SledTree, DiskFolder, K>;

/// Epoch keys in a folder on disk, for devnets.
pub type DiskKeys = FileKeys<DiskFolder>;

impl<K: EpochKeys> DiskVault<K> {
    /// Founds a vault in `home`; see [`Vault::create`].
    pub fn create_in(
        home: &Path,
        keys: &mut K,
        config: &Config,
        now: Time,
        random: Random<'_>,
    ) -> Result<(), VaultError> {
        let tree = SledTree::open_home(home)?;
        Vault::<_, _, K>::create(&tree, DiskFolder::open(&home.join("slots"))?, keys, config, now, random)
    }

    /// Opens the vault in `home`; see [`Vault::open`].
    pub fn open_in(home: &Path, keys: K, config: Config, now: Time) -> Result<DiskVault<K>, VaultError> {
        if !home.join("store").exists() {
            return Err(VaultError::Missing);
        }
        let tree = SledTree::open_home(home)?;
        Vault::open(tree, DiskFolder::open(&home.join("slots"))?, keys, config, now)
    }
}
