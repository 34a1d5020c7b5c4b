//! How far a record and a batch came.

use std::fmt;

use tanba_crypto::canonical::{Decode, Encode};
use tanba_ledger::Height;

/// How far a record came. Computed, never stored; see the crate's front page.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum State {
    /// The document is made and signed, its openings are sealed; nothing of it is on the ledger.
    Draft,
    /// The holder consented.
    Consented,
    /// The institution sealed it.
    Sealed,
    /// It is in a transaction that waits for approvals, or was refused by the ledger and waits for a decision.
    Batched,
    /// The transaction was handed out to be sent; its outcome is not known here.
    Submitted,
    /// On the ledger.
    Final,
    /// On the ledger, and its file was given out once at least.
    Delivered,
    /// Nothing more is made of it.
    Refused(Refused),
    /// Its draft was older than [`DRAFT_AGE_MAX_S`](crate::expire::DRAFT_AGE_MAX_S), and is destroyed.
    Expired,
    /// Erased or anonymised; the vault's certificate says which, and when.
    Erased,
}

impl State {
    /// Its word for machines.
    pub const fn name(self) -> &'static str {
        match self {
            State::Draft => "draft",
            State::Consented => "consented",
            State::Sealed => "sealed",
            State::Batched => "batched",
            State::Submitted => "submitted",
            State::Final => "final",
            State::Delivered => "delivered",
            State::Refused(_) => "refused",
            State::Expired => "expired",
            State::Erased => "erased",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why nothing more is made of a record. The paper diploma is not touched by any of these.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Refused {
    /// The holder does not consent.
    ByHolder,
    /// The holder took the consent back before anything was sent.
    Withdrawn,
    /// The registrar found the list, or the registry, to be wrong; the row is imported anew.
    ByRegistrar,
}
tanba_crypto::canonical_enum!(Refused { 1 = ByHolder, 2 = Withdrawn, 3 = ByRegistrar });

impl Refused {
    /// Its word for machines; never changes.
    pub const fn code(self) -> &'static str {
        match self {
            Refused::ByHolder => "refused-by-holder",
            Refused::Withdrawn => "consent-withdrawn",
            Refused::ByRegistrar => "refused-by-registrar",
        }
    }
}

/// Bytes of a code by which the ledger refused.
pub(crate) const CODE_BYTES_MAX: usize = 64;

/// How far a batch came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Progress {
    /// An approval is missing.
    Waiting,
    /// Approved by a registrar and an approver.
    Approved,
    /// Handed out to be sent.
    Submitted,
    /// The ledger refused it, by this code of its rules. It is renewed or dissolved.
    Refused(String),
    /// In this block, at this place from 0.
    Final(Height, u32),
}
tanba_crypto::canonical_enum!(Progress {
    1 = Waiting, 2 = Approved, 3 = Submitted, 4 = Refused(code), 5 = Final(height, index)
});

impl Progress {
    /// Its word for machines.
    pub const fn name(&self) -> &'static str {
        match self {
            Progress::Waiting => "waiting",
            Progress::Approved => "approved",
            Progress::Submitted => "submitted",
            Progress::Refused(_) => "refused",
            Progress::Final(..) => "final",
        }
    }

    /// The state of its records.
    pub(crate) const fn of_records(&self) -> State {
        match self {
            Progress::Waiting | Progress::Approved | Progress::Refused(_) => State::Batched,
            Progress::Submitted => State::Submitted,
            Progress::Final(..) => State::Final,
        }
    }
}

/// Fields that the registry has otherwise than the list, as a set: bit n is number n of
/// [`Field::ALL`](tanba_credential::Field::ALL).
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Encode, Decode)]
pub struct Differences(pub u16);
