//! The verdict on a document: the ledger's words, and why nothing was found out where that is so. An outage
//! never looks like a bad diploma, nor the reverse.

use std::fmt;

use tanba_credential::{OpenError, Part};
use tanba_ledger::{
    operation::Basis,
    proof::{self, Hidden, ProofFailure},
};

use crate::client::ClientError;

/// The one word a verifier is told first. The basis goes along: a diploma confirmed from an archive has its own
/// wording.
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
    /// The institution has recorded no such diploma.
    NotRecorded,
    /// It is not what the institution recorded.
    Altered(Alteration),
    /// Nothing was found out.
    CouldNotCheck(Obstacle),
}

/// What of a document is not what was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alteration {
    /// The file does not agree with itself.
    File(Part),
    /// The ledger holds another GOST commitment under its fingerprint.
    Gost,
    /// The ledger names another control key.
    ControlKey,
    /// It names a programme or level that its batch does not.
    Programme,
    /// It names another month of award than its batch.
    AwardMonth,
}

/// Why nothing was found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// The file is not a diploma that can be read, or not by the rules of its type.
    File(OpenError),
    /// The issuer it names has no BIN.
    Issuer,
    /// It is recorded on another network than the one trusted.
    OtherNetwork,
    /// It carries no institution's seal, and only a devnet's samples may.
    Unsealed,
    /// There is no proof to check it by.
    NoProof,
    /// The proof at hand is not one.
    ProofUnreadable,
    /// The proof proves nothing under the terms given.
    Proof(ProofFailure),
    /// No node gave an answer that can be used.
    Node(ClientError),
}

impl Verdict {
    /// The ledger's verdict, in the words of this one.
    pub fn of_ledger(verdict: proof::Verdict) -> Verdict {
        match verdict {
            proof::Verdict::Valid(basis) => Verdict::Valid(basis),
            proof::Verdict::Replaced(basis) => Verdict::Replaced(basis),
            proof::Verdict::Suspended(basis) => Verdict::Suspended(basis),
            proof::Verdict::Revoked(basis) => Verdict::Revoked(basis),
            proof::Verdict::NotAvailable(hidden, basis) => Verdict::NotAvailable(hidden, basis),
            proof::Verdict::NotRecorded => Verdict::NotRecorded,
            proof::Verdict::Altered => Verdict::Altered(Alteration::Gost),
            proof::Verdict::CouldNotCheck(failure) => Verdict::CouldNotCheck(Obstacle::Proof(failure)),
        }
    }

    /// What a file that does not open means.
    pub fn of_unopened(error: OpenError) -> Verdict {
        match error {
            OpenError::Altered(part) => Verdict::Altered(Alteration::File(part)),
            OpenError::TooLong { .. }
            | OpenError::Malformed { .. }
            | OpenError::Document(_)
            | OpenError::Field(_)
            | OpenError::Fields(_) => Verdict::CouldNotCheck(Obstacle::File(error)),
        }
    }

    /// Whether the ledger's record is this document's and may be told of.
    pub const fn is_of_this_document(&self) -> bool {
        match self {
            Verdict::Valid(_) | Verdict::Replaced(_) | Verdict::Suspended(_) | Verdict::Revoked(_) => true,
            Verdict::NotAvailable(..)
            | Verdict::NotRecorded
            | Verdict::Altered(_)
            | Verdict::CouldNotCheck(_) => false,
        }
    }

    /// The verdict's code, for machines: `UPPER_SNAKE`, stable; the same codes as the ledger's.
    pub fn code(&self) -> &'static str {
        match self {
            Verdict::Valid(basis) => proof::Verdict::Valid(*basis).code(),
            Verdict::Replaced(basis) => proof::Verdict::Replaced(*basis).code(),
            Verdict::Suspended(basis) => proof::Verdict::Suspended(*basis).code(),
            Verdict::Revoked(basis) => proof::Verdict::Revoked(*basis).code(),
            Verdict::NotAvailable(hidden, basis) => proof::Verdict::NotAvailable(*hidden, *basis).code(),
            Verdict::NotRecorded => proof::Verdict::NotRecorded.code(),
            Verdict::Altered(_) => proof::Verdict::Altered.code(),
            Verdict::CouldNotCheck(_) => "COULD_NOT_CHECK",
        }
    }

    /// Why, where the code alone does not say: a code of [`Alteration`] or [`Obstacle`].
    pub fn reason_code(&self) -> Option<&str> {
        match self {
            Verdict::Altered(alteration) => Some(alteration.code()),
            Verdict::CouldNotCheck(obstacle) => Some(obstacle.code()),
            Verdict::Valid(_)
            | Verdict::Replaced(_)
            | Verdict::Suspended(_)
            | Verdict::Revoked(_)
            | Verdict::NotAvailable(..)
            | Verdict::NotRecorded => None,
        }
    }
}

impl Alteration {
    /// For machines: `UPPER_SNAKE`, stable.
    pub const fn code(self) -> &'static str {
        match self {
            Alteration::File(_) => "FILE_ALTERED",
            Alteration::Gost => "OTHER_GOST_COMMITMENT",
            Alteration::ControlKey => "OTHER_CONTROL_KEY",
            Alteration::Programme => "OTHER_PROGRAMME",
            Alteration::AwardMonth => "OTHER_AWARD_MONTH",
        }
    }
}

impl fmt::Display for Alteration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Alteration::File(part) => write!(f, "{part} does not fit the rest of the file"),
            Alteration::Gost => f.write_str("the ledger holds another GOST commitment for it"),
            Alteration::ControlKey => f.write_str("the ledger names another control key for it"),
            Alteration::Programme => {
                f.write_str("it names a programme or level under which it was not recorded")
            }
            Alteration::AwardMonth => f.write_str("it names another month of award than was recorded"),
        }
    }
}

impl Obstacle {
    /// For machines: `UPPER_SNAKE`, stable. A node's own reason is passed on.
    pub fn code(&self) -> &str {
        match self {
            Obstacle::File(
                OpenError::TooLong { .. } | OpenError::Malformed { .. } | OpenError::Altered(_),
            ) => "FILE_UNREADABLE",
            Obstacle::File(OpenError::Document(_) | OpenError::Field(_) | OpenError::Fields(_)) => {
                "DOCUMENT_RULES_BROKEN"
            }
            Obstacle::Issuer => "ISSUER_UNKNOWN",
            Obstacle::OtherNetwork => "OTHER_NETWORK",
            Obstacle::Unsealed => "UNSEALED",
            Obstacle::NoProof => "PROOF_MISSING",
            Obstacle::ProofUnreadable => "PROOF_UNREADABLE",
            Obstacle::Proof(failure) => failure.code(),
            Obstacle::Node(error) => match error {
                ClientError::Refused(refused) => &refused.reason,
                ClientError::Unreachable { .. } | ClientError::Ended { .. } => "NODE_UNREACHABLE",
                ClientError::WrongNetwork { .. } => "OTHER_NETWORK",
                ClientError::Proof { failure } => failure.code(),
                ClientError::Address(_) => "NODE_ADDRESS",
                ClientError::Foreign { .. } | ClientError::Malformed(_) | ClientError::OutOfOrder { .. } => {
                    "NODE_ANSWER_UNUSABLE"
                }
            },
        }
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Obstacle::File(error) => error.fmt(f),
            Obstacle::Issuer => f.write_str("the document names no institution by a BIN"),
            Obstacle::OtherNetwork => {
                f.write_str("it is recorded on another network than the checkpoint trusted here")
            }
            Obstacle::Unsealed => f.write_str(
                "it is an unsigned sample; such documents hold on a devnet alone, which its --genesis file shows",
            ),
            Obstacle::NoProof => f.write_str("there is no saved proof to check it by"),
            Obstacle::ProofUnreadable => f.write_str("the saved proof is not one that this version can read"),
            Obstacle::Proof(failure) => failure.fmt(f),
            Obstacle::Node(error) => error.fmt(f),
        }
    }
}

/// A proof that fails is told the same way whether it was fetched or at hand.
impl From<ClientError> for Obstacle {
    fn from(error: ClientError) -> Obstacle {
        match error {
            ClientError::Proof { failure } => Obstacle::Proof(failure),
            error => Obstacle::Node(error),
        }
    }
}
