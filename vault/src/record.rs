//! What the vault knows about a record without opening it.

use tanba_crypto::canonical::{Decode, Encode};

use crate::{
    VaultError,
    name::{ActId, Epoch, OfficerId, Part, RecordId, Time},
    suite::Suite,
};

/// How records are sealed now: fresh key a part, padding, associated data. Bound into every seal.
pub(crate) const VERSION: u16 = 1;

/// Which part of a person's rights was carried out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Destruction {
    /// All but the consent is gone.
    Erased,
    /// What names the person is gone, and what ties the document to the ledger.
    Anonymised,
}
tanba_crypto::canonical_enum!(Destruction { 1 = Erased, 2 = Anonymised });

impl Destruction {
    /// Whether it takes `part`. The consent stays, locked; see [`crate::erase`].
    pub const fn takes(self, part: Part) -> bool {
        match (self, part) {
            (_, Part::Consent) => false,
            (Destruction::Erased, _) => true,
            (Destruction::Anonymised, Part::Identity | Part::Opening | Part::Seal) => true,
            (Destruction::Anonymised, Part::Document) => false,
        }
    }
}

/// A destruction, decided once and never undone.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub(crate) struct Gone {
    pub(crate) how: Destruction,
    /// The limitation date: the consent is locked until then.
    pub(crate) consent_until: Time,
    /// When the keys were overwritten, and in which epoch.
    pub(crate) done: Option<(Time, Epoch)>,
    /// The same of the consent.
    pub(crate) consent_done: Option<(Time, Epoch)>,
    /// Keys are being overwritten now: opening goes on with it.
    pub(crate) under_way: bool,
}

/// A legal hold: nothing of the record is destroyed before it ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Hold {
    /// The act that orders it.
    pub act: ActId,
    /// From here on it is over.
    pub until: Time,
    /// Who entered it: two different people.
    pub officers: [OfficerId; 2],
}

/// A record as the database has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub(crate) struct Record {
    /// Where its keys lie; nothing once the last was destroyed.
    pub(crate) slot: Option<u32>,
    pub(crate) suite: Suite,
    pub(crate) version: u16,
    pub(crate) sealed_at: Time,
    /// Sealed bytes of each part; nothing if it was never there or was destroyed.
    pub(crate) parts: [Option<u32>; Part::ALL.len()],
    pub(crate) gone: Option<Gone>,
    pub(crate) restricted: Option<Time>,
    pub(crate) hold: Option<Hold>,
}

impl Record {
    pub(crate) fn has(&self, part: Part) -> bool {
        self.parts[part.index()].is_some()
    }

    /// The hold in force.
    pub(crate) fn held(&self, now: Time) -> Option<Hold> {
        self.hold.filter(|hold| now < hold.until)
    }

    pub(crate) fn refuse_held(&self, record: RecordId, now: Time) -> Result<(), VaultError> {
        match self.held(now) {
            Some(hold) => Err(VaultError::OnHold { record, until: hold.until }),
            None => Ok(()),
        }
    }
}
