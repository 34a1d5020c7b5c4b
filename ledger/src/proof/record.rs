//! One record with as much of its past as a question needs. Nothing on the ledger is deleted and every version
//! names the one before it, so a proof at the head proves what held, or was absent, at any earlier height.

use tanba_crypto::{
    Hash,
    canonical::{Decode, Encode},
};

use super::{Part, ProofFailure, VERSIONS_MAX};
use crate::{
    Height,
    merkle::{Leaf, MapProof},
};

/// A record's leaf at the head, or its absence, and earlier versions.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct RecordProof {
    /// The newest version, or its absence.
    pub current: MapProof,
    /// Versions before it, newest first, at most [`VERSIONS_MAX`].
    pub earlier: Vec<Leaf>,
}

impl RecordProof {
    /// Checks the record at `key` under its table's `root`, and every earlier version.
    pub fn verify(&self, root: &Hash, key: &Hash, part: Part) -> Result<Versions<'_>, ProofFailure> {
        let current = self.current.verify(root, key).map_err(|flaw| ProofFailure::Path { part, flaw })?;
        let newest = current.into_iter();
        let versions = Versions { part, newest_first: newest.chain(&self.earlier).collect() };
        let follows = |pair: &[&Leaf]| {
            let (newer, older) = (pair[0], pair[1]);
            older.hash() == newer.previous
                && older.key == *key
                && older.version.checked_add(1) == Some(newer.version)
                && older.changed_at <= newer.changed_at
        };
        let orphaned = current.is_none() && !self.earlier.is_empty();
        if orphaned || self.earlier.len() > VERSIONS_MAX || !versions.newest_first.windows(2).all(follows) {
            return Err(ProofFailure::Versions(part));
        }
        Ok(versions)
    }
}

/// The proven versions of a record, newest first; none for a record that never was.
#[derive(Clone, Debug)]
pub struct Versions<'a> {
    part: Part,
    newest_first: Vec<&'a Leaf>,
}

impl<'a> Versions<'a> {
    /// The version at the head.
    pub fn current(&self) -> Option<&'a Leaf> {
        self.newest_first.first().copied()
    }

    /// The version after the block at `height`; `None`: there was none yet.
    pub fn at(&self, height: Height) -> Result<Option<&'a Leaf>, ProofFailure> {
        match self.newest_first.iter().find(|leaf| leaf.changed_at <= height) {
            Some(leaf) => Ok(Some(leaf)),
            None => self.check_first_shown().map(|()| None),
        }
    }

    /// Every version that held at some moment within the block at `height`, newest first: the one it began
    /// with and those it wrote. A transaction of the block was judged under one of them.
    pub fn within(&self, height: Height) -> Result<Vec<&'a Leaf>, ProofFailure> {
        let until = self.newest_first.iter().filter(|leaf| leaf.changed_at <= height);
        let written = until.clone().take_while(|leaf| leaf.changed_at == height).count();
        let held: Vec<&Leaf> = until.take(written + 1).copied().collect();
        if held.len() == written {
            self.check_first_shown()?;
        }
        Ok(held)
    }

    /// Only a chain that goes back to a first version shows that there was nothing before it.
    fn check_first_shown(&self) -> Result<(), ProofFailure> {
        match self.newest_first.last() {
            Some(oldest) if oldest.previous != Hash::ZERO => Err(ProofFailure::Versions(self.part)),
            Some(_) | None => Ok(()),
        }
    }
}
