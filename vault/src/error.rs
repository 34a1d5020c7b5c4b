//! Why the vault refuses. Errors carry names and numbers, never what a record holds.

use tanba_storage::StoreError;

use crate::name::{Epoch, Part, RecordId, RequestId, Time};

/// A refusal. [`VaultError::code`] is what machines and the audit log read.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[expect(missing_docs, reason = "the message of each says it, and fields are named after what they are")]
pub enum VaultError {
    #[error("{doing}: {source_text}")]
    Io { doing: String, source_text: String },
    #[error("the vault is damaged at {place}: {what}; restore its newest copy")]
    Damaged { place: String, what: String },
    #[error("{0}")]
    Store(StoreError),
    #[error("the vault stopped after an earlier error; open it again")]
    Stopped,
    #[error("there is no vault here; found one first")]
    Missing,
    #[error("there is a vault here already")]
    Exists,
    #[error("the vault has format {found}, this version reads {expected}")]
    WrongFormat { found: u32, expected: u32 },
    #[error("this is another vault than the one configured")]
    WrongVault,
    #[error("there is no key of epoch {}", .0.0)]
    EpochKeyMissing(Epoch),
    #[error("the key of epoch {} is damaged", .0.0)]
    EpochKeyDamaged(Epoch),
    #[error("the keeper of epoch keys refused: {0}")]
    Keeper(String),
    #[error("there is no record {0}")]
    NoRecord(RecordId),
    #[error("record {0} exists already; a name is used once")]
    RecordExists(RecordId),
    #[error("record {0} has no {1}")]
    PartMissing(RecordId, Part),
    #[error("record {0} has its {1} already")]
    PartExists(RecordId, Part),
    #[error("the {part} of record {record} has {bytes} bytes, the limit is {bytes_max} and none is too few")]
    PartSize { record: RecordId, part: Part, bytes: usize, bytes_max: usize },
    #[error("{count} records at once, the limit is {count_max}")]
    TooMany { count: usize, count_max: usize },
    #[error("the vault is full")]
    Full,
    #[error("the {1} of record {0} was destroyed")]
    Destroyed(RecordId, Part),
    #[error("the {part} of record {record} has {found} sealed bytes where {expected} were written")]
    PartTruncated { record: RecordId, part: Part, found: usize, expected: usize },
    #[error("the {1} of record {0} is not what was sealed")]
    PartForged(RecordId, Part),
    #[error("the keys of record {0} are damaged in their slot")]
    SlotDamaged(RecordId),
    #[error("the slot of record {0} holds another record's keys, or another epoch's")]
    SlotForeign(RecordId),
    #[error("the slot of record {0} holds no key for its {1}")]
    KeyMissing(RecordId, Part),
    #[error("the key for the {1} of record {0} is not the one that was wrapped")]
    KeyForged(RecordId, Part),
    #[error("record {0} is restricted")]
    Restricted(RecordId),
    #[error("the consent of record {record} is locked until {}, but for a legal claim and two officers", .until.0)]
    Locked { record: RecordId, until: Time },
    #[error("record {record} is under a legal hold until {}", .until.0)]
    OnHold { record: RecordId, until: Time },
    #[error("a legal hold ends in the future and is not shortened; lift it instead")]
    HoldEnd,
    #[error("the subject reads for the subject, and nobody else does")]
    Purpose,
    #[error("this takes two different officers")]
    TwoOfficers,
    #[error("the day's {0} reads of this officer are used up")]
    Quota(u32),
    #[error("the consent of record {record} is kept until {}", .until.0)]
    LimitationRuns { record: RecordId, until: Time },
    #[error("there is no open request {0}")]
    NoRequest(RequestId),
    #[error("request {0} exists already")]
    RequestExists(RequestId),
    #[error("the calendar of working days says nothing about day {0} since 1970; extend it")]
    CalendarEnds(i64),
}

impl VaultError {
    /// A short name that never changes.
    pub fn code(&self) -> &'static str {
        match self {
            VaultError::Io { .. } => "io",
            VaultError::Damaged { .. } => "damaged",
            VaultError::Store(_) => "store",
            VaultError::Stopped => "stopped",
            VaultError::Missing => "no-vault",
            VaultError::Exists => "vault-exists",
            VaultError::WrongFormat { .. } => "wrong-format",
            VaultError::WrongVault => "wrong-vault",
            VaultError::EpochKeyMissing(_) => "epoch-key-missing",
            VaultError::EpochKeyDamaged(_) => "epoch-key-damaged",
            VaultError::Keeper(_) => "keeper",
            VaultError::NoRecord(_) => "no-record",
            VaultError::RecordExists(_) => "record-exists",
            VaultError::PartMissing(..) => "part-missing",
            VaultError::PartExists(..) => "part-exists",
            VaultError::PartSize { .. } => "part-size",
            VaultError::TooMany { .. } => "too-many",
            VaultError::Full => "full",
            VaultError::Destroyed(..) => "destroyed",
            VaultError::PartTruncated { .. } => "part-truncated",
            VaultError::PartForged(..) => "part-forged",
            VaultError::SlotDamaged(_) => "slot-damaged",
            VaultError::SlotForeign(_) => "slot-foreign",
            VaultError::KeyMissing(..) => "key-missing",
            VaultError::KeyForged(..) => "key-forged",
            VaultError::Restricted(_) => "restricted",
            VaultError::Locked { .. } => "locked",
            VaultError::OnHold { .. } => "on-hold",
            VaultError::HoldEnd => "hold-end",
            VaultError::Purpose => "purpose",
            VaultError::TwoOfficers => "two-officers",
            VaultError::Quota(_) => "quota",
            VaultError::LimitationRuns { .. } => "limitation-runs",
            VaultError::NoRequest(_) => "no-request",
            VaultError::RequestExists(_) => "request-exists",
            VaultError::CalendarEnds(_) => "calendar-ends",
        }
    }

    /// Whether the system refused in the middle: what is on disk is unknown until the vault is opened again.
    pub(crate) fn ends(&self) -> bool {
        matches!(self, VaultError::Io { .. } | VaultError::Store(_) | VaultError::Keeper(_))
    }
}

impl From<StoreError> for VaultError {
    /// The store's own words about damage tell how a node mends its blocks; a vault is mended otherwise.
    fn from(error: StoreError) -> VaultError {
        match error {
            StoreError::Damaged { place, what } => VaultError::Damaged { place, what },
            StoreError::Io { doing, source_text } => VaultError::Io { doing, source_text },
            other => VaultError::Store(other),
        }
    }
}
