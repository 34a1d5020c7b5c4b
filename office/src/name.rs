//! Names: of classes, batches and imports. Records, officers and requests have the vault's.

use std::fmt;

use tanba_crypto::{Hash, Tag};

tanba_vault::names! {
    /// Names a class: made from its [`ImportKey`].
    ClassId(16);
    /// Names a batch: 16 random bytes.
    BatchId(16);
}

/// The secret of one import: 32 random bytes, drawn by who imports and kept beside the list as long as the list is.
///
/// It makes the import repeatable: the same key with the same list is the same class, however often it is sent. The
/// office keeps the class's name and a digest of the list under this key, never the key: without it no guess at a list
/// of names can be tried against the digest.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ImportKey(pub [u8; 32]);

impl ImportKey {
    /// The class that is imported under this key.
    pub fn class(&self) -> ClassId {
        let Hash(name) = Hash::tagged(Tag::IMPORT, &[&self.0]);
        ClassId(*name.first_chunk().expect("32 bytes begin with 16"))
    }

    /// The digest of a list, keyed by this.
    pub(crate) fn digest(&self, list: &[u8]) -> Hash {
        Hash::tagged(Tag::IMPORT, &[&self.0, &[0], list])
    }
}

impl fmt::Debug for ImportKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ImportKey")
    }
}
