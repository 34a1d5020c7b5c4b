//! Every reason to refuse a transaction. The submitter is at fault, or was too early or too late; nothing here
//! is a fault of ours. Texts carry only what the submitter sent or anyone may read on the ledger.

use tanba_crypto::{Hash, PublicKey};

use crate::{
    Bin, ChainId, Day, Fingerprint, Month, Scope, Timestamp,
    limits::{HOLDER_ACTS_DAILY_MAX, SMALL_BATCH},
    merkle::ReadError,
    record::{KeyRole, Standing},
};

/// Why a transaction was not accepted.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CheckError {
    /// A rule refuses it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The state could not be read; nothing is known about the transaction.
    #[error("the state could not be read: {0}")]
    Read(#[from] ReadError),
}

/// A list inside an operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum List {
    /// Scopes of a batch.
    Scopes,
    /// Diplomas of a batch.
    Entries,
    /// Changes of standing.
    Changes,
}

impl std::fmt::Display for List {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            List::Scopes => "scopes",
            List::Entries => "entries",
            List::Changes => "changes",
        })
    }
}

/// A broken rule. [`Refusal::code`] is for machines, [`Refusal::next_step`] says what to do.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
    // Of every transaction.
    /// Meant for another network.
    #[error("the transaction is for network {found}, this is {expected}")]
    WrongChain {
        /// The network it names.
        found: ChainId,
        /// Ours.
        expected: ChainId,
    },
    /// Too late.
    #[error("the transaction expired at {} ms, the block's time is {} ms", expiry.0, time.0)]
    Expired {
        /// The last block time at which it could apply.
        expiry: Timestamp,
        /// The block's time.
        time: Timestamp,
    },
    /// Valid for longer than a transaction may be.
    #[error("the transaction expires at {} ms, more than 24 hours after the block's time {} ms", expiry.0, time.0)]
    ExpiryTooFar {
        /// When it expires.
        expiry: Timestamp,
        /// The block's time.
        time: Timestamp,
    },
    /// No such institution.
    #[error("institution {0} is not on the ledger")]
    UnknownInstitution(Bin),
    /// No audit head, outside a devnet.
    #[error("the transaction carries no head of the institution's audit log")]
    AuditMissing,
    /// Two logs: another head is known for this count.
    #[error("the audit head at {count} records is not {held}, which the ledger holds for the same count")]
    AuditConflict {
        /// Records in the log.
        count: u64,
        /// The head that the ledger holds.
        held: Hash,
    },
    /// A holder speaks for the institution's log.
    #[error("a holder's own act carries the head of an audit log")]
    AuditByHolder,
    /// A list is empty or too long.
    #[error("{list}: {count} listed, 1 to {count_max} are allowed")]
    ListLength {
        /// Which list.
        list: List,
        /// How many.
        count: usize,
        /// How many are allowed.
        count_max: usize,
    },
    /// A list is not strictly ascending.
    #[error("{list}: number {at}, counted from 0, does not come after the one before it")]
    ListOrder {
        /// Which list.
        list: List,
        /// The first that is repeated or in the wrong place, from 0.
        at: usize,
    },

    // Of approvals.
    /// An officer has not approved.
    #[error("no {0:?} has approved")]
    ApprovalMissing(KeyRole),
    /// The holder has not approved.
    #[error("the holder has not approved, and no signed request of the holder is named")]
    HolderApprovalMissing,
    /// More approvals than are asked for.
    #[error("the approval by {0} is not asked for")]
    ApprovalUnneeded(PublicKey),
    /// A key that the institution does not have.
    #[error("{key} is no key of {institution}")]
    UnknownKey {
        /// The key.
        key: PublicKey,
        /// The acting institution.
        institution: Bin,
    },
    /// A key in another role than its own.
    #[error("{key} approved as {claimed:?}, but its role is {held:?}")]
    WrongRole {
        /// The key.
        key: PublicKey,
        /// The role it claims.
        claimed: KeyRole,
        /// Its role.
        held: KeyRole,
    },
    /// A key that does not count yet.
    #[error("{key} counts from {} ms on", from.0)]
    KeyNotYetInForce {
        /// The key.
        key: PublicKey,
        /// From when it counts.
        from: Timestamp,
    },
    /// A key that does not count any more.
    #[error("{key} has not counted since {} ms", to.0)]
    KeyRetired {
        /// The key.
        key: PublicKey,
        /// Since when.
        to: Timestamp,
    },
    /// An officer recognised by too little.
    #[error("{key} approved with factors {given:#b}, the network asks for {required:#b}")]
    FactorsMissing {
        /// The key.
        key: PublicKey,
        /// What the approval carries.
        given: u16,
        /// What it must carry.
        required: u16,
    },
    /// Another institution's tokens.
    #[error("{institution} is neither {issuer} nor its successor")]
    NotIssuerNorSuccessor {
        /// The acting institution.
        institution: Bin,
        /// The tokens' issuer.
        issuer: Bin,
    },
    /// Another key than the token's control key.
    #[error("{key} does not control {fingerprint}")]
    NotTheHolder {
        /// The key that approved.
        key: PublicKey,
        /// The token.
        fingerprint: Fingerprint,
    },

    // Of the acting institution.
    /// A freeze is on.
    #[error("{institution} is frozen until {} ms", until.0)]
    Frozen {
        /// The acting institution.
        institution: Bin,
        /// When the freeze ends.
        until: Timestamp,
    },
    /// Issuing was stopped.
    #[error("{0} was ordered to stop issuing")]
    Stopped(Bin),
    /// A regulator issues.
    #[error("{0} is not a university")]
    NotAUniversity(Bin),
    /// No legal ground.
    #[error("{0} has no regime under which it could issue")]
    RegimeMissing(Bin),
    /// The legal ground does not hold yet.
    #[error("the regime begins on {from}, the block's day is {day}")]
    RegimeNotYet {
        /// Its first day.
        from: Day,
        /// The block's day.
        day: Day,
    },
    /// The legal ground holds no more.
    #[error("the regime ended on {to}, the block's day is {day}")]
    RegimeEnded {
        /// Its last day.
        to: Day,
        /// The block's day.
        day: Day,
    },
    /// The regime asks for capital, none is attested.
    #[error("the regime asks for an attestation of capital, there is none")]
    CapitalMissing,
    /// The attestation of capital is too old.
    #[error("the attestation of capital ended on {to}, the block's day is {day}")]
    CapitalLapsed {
        /// Its last day.
        to: Day,
        /// The block's day.
        day: Day,
    },
    /// The sandbox's cap on tokens in total.
    #[error("{issued} diplomas were recorded, {asked} more exceed the regime's cap of {cap}")]
    CapReached {
        /// Recorded so far.
        issued: u64,
        /// Asked for now.
        asked: u32,
        /// The cap.
        cap: u64,
    },
    /// The day's limit on diplomas.
    #[error("{issued} diplomas were recorded today, {asked} more exceed the daily limit of {daily_max}")]
    DailyIssueLimit {
        /// Recorded today.
        issued: u32,
        /// Asked for now.
        asked: u32,
        /// The limit.
        daily_max: u32,
    },
    /// The day's limit on changes of standing.
    #[error("{changed} standings were changed today, {asked} more exceed the daily limit of {daily_max}")]
    DailyChangeLimit {
        /// Changed today.
        changed: u32,
        /// Asked for now.
        asked: u32,
        /// The limit.
        daily_max: u32,
    },

    // Of a batch.
    /// Never accredited.
    #[error("{} at level {} is not accredited here", _0.programme.as_str(), _0.level.number())]
    NotAccredited(Scope),
    /// Accredited at another time.
    #[error(
        "{} at level {} was accredited from {from} to {to}, not in {month}",
        scope.programme.as_str(),
        scope.level.number()
    )]
    NotAccreditedThen {
        /// The scope.
        scope: Scope,
        /// The month of award.
        month: Month,
        /// The accreditation's first day.
        from: Day,
        /// Its last day.
        to: Day,
    },
    /// Awarded in a month that has not begun.
    #[error("the month of award {month} has not begun on {day}")]
    AwardedInFuture {
        /// The month of award.
        month: Month,
        /// The block's day.
        day: Day,
    },
    /// Too few entries to hide among, and not said so.
    #[error("{count} entries are fewer than {SMALL_BATCH}, and the batch is not flagged small")]
    SmallNotDeclared {
        /// Entries.
        count: usize,
    },
    /// Flagged small without being so.
    #[error("{count} entries are not fewer than {SMALL_BATCH}, but the batch is flagged small")]
    SmallWithoutNeed {
        /// Entries.
        count: usize,
    },
    /// The fingerprint is not new for this issuer.
    #[error("{0} is recorded already")]
    AlreadyRecorded(Fingerprint),

    // Of a token.
    /// No such token.
    #[error("{issuer} has recorded no {fingerprint}")]
    UnknownToken {
        /// The issuer named.
        issuer: Bin,
        /// The token named.
        fingerprint: Fingerprint,
    },
    /// Drawn up against another version of the record.
    #[error("{fingerprint} has version {held}, the operation names {named}")]
    WrongVersion {
        /// The token.
        fingerprint: Fingerprint,
        /// The version named.
        named: u32,
        /// The version held.
        held: u32,
    },
    /// Revoked and replaced tokens stay so.
    #[error("the standing of {fingerprint} is {standing:?}, which is final")]
    StandingFinal {
        /// The token.
        fingerprint: Fingerprint,
        /// Its standing.
        standing: Standing,
    },
    /// Suspended twice.
    #[error("{0} is suspended already")]
    AlreadySuspended(Fingerprint),
    /// Reinstated without a suspension.
    #[error("{0} is not suspended")]
    NotSuspended(Fingerprint),
    /// Withdrawn tokens stay so.
    #[error("{0} was withdrawn by its holder, which is final")]
    Withdrawn(Fingerprint),
    /// Restricted twice.
    #[error("{0} is restricted already")]
    AlreadyRestricted(Fingerprint),
    /// Lifted without a restriction.
    #[error("{0} is not restricted")]
    NotRestricted(Fingerprint),
    /// The day's limit on a holder's acts.
    #[error("{fingerprint} saw {HOLDER_ACTS_DAILY_MAX} acts of its holder on {day}, the daily limit")]
    DailyActsLimit {
        /// The token.
        fingerprint: Fingerprint,
        /// The block's day.
        day: Day,
    },
}
