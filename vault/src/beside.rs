//! What lies beside the records: tables of whoever works with the vault, in the same database. One barrier covers both,
//! and a copy of the vault holds them too, so neither is ever older than the other.

use tanba_storage::{StoreError, tree::Tree};

use crate::vault::Vault;

/// The byte under which they lie. The vault's own tables are below it.
const BESIDE: u8 = 0x80;

/// A tree of its own within the vault's database. No personal data belongs here: what it holds is not sealed.
#[derive(Clone, Debug)]
pub struct Beside<T>(T);

impl<T: Tree, F, K> Vault<T, F, K> {
    /// The tables beside the records.
    pub fn beside(&self) -> Beside<T> {
        Beside(self.tree.clone())
    }
}

impl<T: Tree> Tree for Beside<T> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.0.get(&inside(key))
    }

    fn insert(&self, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        self.0.insert(&inside(key), value)
    }

    fn remove(&self, key: &[u8]) -> Result<(), StoreError> {
        self.0.remove(&inside(key))
    }

    fn keys(&self, prefix: &[u8]) -> Result<Vec<Vec<u8>>, StoreError> {
        let keys = self.0.keys(&inside(prefix))?;
        Ok(keys.into_iter().map(|mut key| key.split_off(1)).collect())
    }

    fn barrier(&self) -> Result<(), StoreError> {
        self.0.barrier()
    }

    fn size_bytes(&self) -> Result<u64, StoreError> {
        self.0.size_bytes()
    }
}

fn inside(key: &[u8]) -> Vec<u8> {
    [&[BESIDE], key].concat()
}
