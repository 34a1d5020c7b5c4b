//! What a status means: the one word a verifier is told first.
//!
//! Document, seal and consent have been checked before, by whoever computed F and G from them; this is the
//! ledger's part.

use super::{ProofFailure, Status};
use crate::{
    operation::Basis,
    record::{Standing, Token, Visibility},
};

/// The verdict. An outage or a broken proof is never told as a bad diploma, nor the reverse.
///
/// The basis goes along, since a diploma confirmed from an archive has its own wording in every verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is recorded and holds.
    Valid(Basis),
    /// A newer document took its place; the holder has it.
    Replaced(Basis),
    /// It does not hold for now.
    Suspended(Basis),
    /// It does not hold any more.
    Revoked(Basis),
    /// The holder does not let it be checked. This says nothing about the degree.
    NotAvailable(Hidden, Basis),
    /// The issuer has recorded no such diploma.
    NotRecorded,
    /// The ledger holds other evidence under this fingerprint than what was shown.
    Altered,
    /// Nothing was found out.
    CouldNotCheck(ProofFailure),
}

/// How the holder hid a diploma.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Hidden {
    /// For now.
    Restricted,
    /// For ever.
    Withdrawn,
}

impl Verdict {
    /// The verdict on a document with commitment G `gost`, whose F the status was asked for.
    pub fn of(status: &Result<Status, ProofFailure>, gost: &[u8; 32]) -> Verdict {
        let status = match status {
            Ok(status) => status,
            Err(failure) => return Verdict::CouldNotCheck(failure.clone()),
        };
        let Some(recorded) = &status.recorded else { return Verdict::NotRecorded };
        if recorded.token.gost != *gost {
            return Verdict::Altered;
        }
        Verdict::of_token(&recorded.token, recorded.batch.basis)
    }

    /// Visibility hides a good standing alone: a holder cannot turn "revoked" into silence.
    fn of_token(token: &Token, basis: Basis) -> Verdict {
        match (token.standing, token.visibility) {
            (Standing::Revoked, _) => Verdict::Revoked(basis),
            (Standing::Replaced(_), _) => Verdict::Replaced(basis),
            (Standing::Suspended, _) => Verdict::Suspended(basis),
            (Standing::Valid, Visibility::Withdrawn) => Verdict::NotAvailable(Hidden::Withdrawn, basis),
            (Standing::Valid, Visibility::Restricted) => Verdict::NotAvailable(Hidden::Restricted, basis),
            (Standing::Valid, Visibility::Open) => Verdict::Valid(basis),
        }
    }

    /// The verdict's code, for machines: `UPPER_SNAKE`, stable. Each code has one wording in each language.
    pub const fn code(&self) -> &'static str {
        match self {
            Verdict::Valid(Basis::Award) => "VALID",
            Verdict::Valid(Basis::Archive) => "VALID_FROM_ARCHIVE",
            Verdict::Replaced(Basis::Award) => "REPLACED",
            Verdict::Replaced(Basis::Archive) => "REPLACED_FROM_ARCHIVE",
            Verdict::Suspended(Basis::Award) => "SUSPENDED",
            Verdict::Suspended(Basis::Archive) => "SUSPENDED_FROM_ARCHIVE",
            Verdict::Revoked(Basis::Award) => "REVOKED",
            Verdict::Revoked(Basis::Archive) => "REVOKED_FROM_ARCHIVE",
            Verdict::NotAvailable(Hidden::Restricted, Basis::Award) => "NOT_AVAILABLE_RESTRICTED",
            Verdict::NotAvailable(Hidden::Restricted, Basis::Archive) => {
                "NOT_AVAILABLE_RESTRICTED_FROM_ARCHIVE"
            }
            Verdict::NotAvailable(Hidden::Withdrawn, Basis::Award) => "NOT_AVAILABLE_WITHDRAWN",
            Verdict::NotAvailable(Hidden::Withdrawn, Basis::Archive) => {
                "NOT_AVAILABLE_WITHDRAWN_FROM_ARCHIVE"
            }
            Verdict::NotRecorded => "NOT_RECORDED",
            Verdict::Altered => "ALTERED",
            Verdict::CouldNotCheck(_) => "COULD_NOT_CHECK",
        }
    }
}
