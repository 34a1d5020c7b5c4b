//! Why the office refuses. An error carries names, numbers and codes, never what a record holds.

use tanba_credential::{
    DrawError, OpenError,
    consent::{ConsentError, TermsError},
    requisites::FieldError,
    seal::SealError,
};
use tanba_ledger::limits::{ENTRIES_MAX, SCOPES_MAX};
use tanba_storage::StoreError;
use tanba_vault::{RecordId, VaultError};

use crate::{
    approvals::ApprovalError,
    name::{BatchId, ClassId},
    registry::RegistryUnavailable,
    roster::RosterRefused,
    state::State,
};

/// A refusal. [`OfficeError::code`] is what machines and the audit log read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[expect(missing_docs, reason = "the message of each says it, and fields are named after what they are")]
pub enum OfficeError {
    // --- of everything
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error("the office stopped after an earlier error; open it again")]
    Stopped,
    #[error("these are the tables of another network or institution, or of another version")]
    WrongOffice,
    #[error("this step is for another role")]
    Role,
    #[error("this takes two different officers")]
    TwoOfficers,
    #[error("this is another person's record")]
    NotTheSubject,
    // --- of a class
    #[error(transparent)]
    Rows(#[from] RosterRefused),
    #[error(transparent)]
    Registry(#[from] RegistryUnavailable),
    #[error("there is no class {0}")]
    NoClass(ClassId),
    #[error("another list, day or basis was imported under the same key")]
    ClassDiffers,
    #[error(
        "class {0} is not ready: its import was cut short; import the same list again under the same key"
    )]
    ClassUnfinished(ClassId),
    #[error("line {line}: {error}")]
    Requisites { line: u64, error: FieldError },
    #[error(transparent)]
    Draw(#[from] DrawError),
    // --- of a record
    #[error("there is no record {0}")]
    NoRecord(RecordId),
    #[error("record {record} is {state}: this step does not follow")]
    State { record: RecordId, state: State },
    #[error("what was sealed of record {0} does not read back as it was written")]
    Parts(RecordId),
    // --- of a consent
    #[error(transparent)]
    Consent(#[from] ConsentError),
    #[error("the consent was given for another diploma already: one consent, one credential")]
    ConsentReused,
    #[error("record {0} has another consent already")]
    ConsentExists(RecordId),
    #[error("the terms of consent cannot stand in the form: {0}")]
    Terms(#[from] TermsError),
    #[error("the control key is weak or no key")]
    ControlKey,
    #[error("{bytes} bytes of revocation evidence, {bytes_max} can be kept with a signature")]
    Evidence { bytes: usize, bytes_max: usize },
    // --- of a seal
    #[error("the seal does not hold: {0}")]
    Seal(#[from] SealError),
    #[error("record {0} has another seal already")]
    SealExists(RecordId),
    // --- of a batch
    #[error("{0} diplomas in a transaction; choose 1 to {ENTRIES_MAX}")]
    EntriesMax(usize),
    #[error("a batch has {0} programmes and levels, the limit is {SCOPES_MAX}; choose smaller batches")]
    Scopes(usize),
    #[error("classes of different basis in one batch")]
    Basis,
    #[error("there is no batch {0}")]
    NoBatch(BatchId),
    #[error("batch {batch} is {progress}: this step does not follow")]
    BatchState { batch: BatchId, progress: &'static str },
    #[error("batch {0} may still become final: it was sent, or expires later than the ledger's time")]
    BatchLive(BatchId),
    #[error("the expiry of batch {0} would not be later than it is")]
    Expiry(BatchId),
    #[error("{missing} records of the sample were not opened by this approver")]
    SampleUnopened { missing: u32 },
    #[error("the sample has no record of this number")]
    SampleNumber,
    #[error("who made the batch does not open its sample, nor approve in the other role")]
    SameOfficer,
    #[error(transparent)]
    Approval(#[from] ApprovalError),
    #[error("another outcome of batch {0} is known")]
    OutcomeDiffers(BatchId),
    // --- of what is given out
    #[error("the holder's file does not open: {0}")]
    File(OpenError),
    // --- of requests
    #[error("the request is of another record or kind, or was refused")]
    RequestDiffers,
}

impl OfficeError {
    /// A short name that never changes. Codes of the vault, of signatures and of consents are theirs.
    pub fn code(&self) -> &'static str {
        match self {
            OfficeError::Vault(error) => error.code(),
            OfficeError::Stopped => "stopped",
            OfficeError::WrongOffice => "wrong-office",
            OfficeError::Role => "role",
            OfficeError::TwoOfficers => "two-officers",
            OfficeError::NotTheSubject => "not-the-subject",
            OfficeError::Rows(_) => "rows",
            OfficeError::Registry(_) => "registry-unavailable",
            OfficeError::NoClass(_) => "no-class",
            OfficeError::ClassDiffers => "class-differs",
            OfficeError::ClassUnfinished(_) => "class-unfinished",
            OfficeError::Requisites { .. } => "row-invalid",
            OfficeError::Draw(_) => "no-randomness",
            OfficeError::NoRecord(_) => "no-record",
            OfficeError::State { state, .. } => match state {
                State::Draft => "record-draft",
                State::Consented => "record-consented",
                State::Sealed => "record-sealed",
                State::Batched => "record-batched",
                State::Submitted => "record-submitted",
                State::Final => "record-final",
                State::Delivered => "record-delivered",
                State::Refused(refused) => refused.code(),
                State::Expired => "record-expired",
                State::Erased => "record-erased",
            },
            OfficeError::Parts(_) => "parts",
            OfficeError::Consent(error) => error.code(),
            OfficeError::ConsentReused => "consent-reused",
            OfficeError::ConsentExists(_) => "consent-exists",
            OfficeError::Terms(_) => "consent-terms",
            OfficeError::ControlKey => "control-key",
            OfficeError::Evidence { .. } => "evidence-too-long",
            OfficeError::Seal(error) => error.code(),
            OfficeError::SealExists(_) => "seal-exists",
            OfficeError::EntriesMax(_) => "entries-max",
            OfficeError::Scopes(_) => "scopes-many",
            OfficeError::Basis => "basis-mixed",
            OfficeError::NoBatch(_) => "no-batch",
            OfficeError::BatchState { .. } => "batch-state",
            OfficeError::BatchLive(_) => "batch-live",
            OfficeError::Expiry(_) => "batch-expiry",
            OfficeError::SampleUnopened { .. } => "sample-unopened",
            OfficeError::SampleNumber => "sample-number",
            OfficeError::SameOfficer => "same-officer",
            OfficeError::Approval(error) => error.code(),
            OfficeError::OutcomeDiffers(_) => "outcome-differs",
            OfficeError::File(_) => "file-altered",
            OfficeError::RequestDiffers => "request-differs",
        }
    }

    /// Whether the system refused in the middle: what is on disk is unknown until the office is opened again.
    pub(crate) fn ends(&self) -> bool {
        matches!(
            self,
            OfficeError::Vault(
                VaultError::Io { .. } | VaultError::Store(_) | VaultError::Keeper(_) | VaultError::Stopped
            )
        )
    }
}

impl From<StoreError> for OfficeError {
    fn from(error: StoreError) -> OfficeError {
        OfficeError::Vault(error.into())
    }
}
