//! What follows from a refusal: its stable code for machines, what a person can do, and whether waiting helps.

use super::Refusal;

impl Refusal {
    /// The reason's stable name, in capitals. Codes are never reused or renamed.
    pub const fn code(&self) -> &'static str {
        match self {
            Refusal::WrongChain { .. } => "WRONG_CHAIN",
            Refusal::Expired { .. } => "EXPIRED",
            Refusal::ExpiryTooFar { .. } => "EXPIRY_TOO_FAR",
            Refusal::UnknownInstitution(_) => "UNKNOWN_INSTITUTION",
            Refusal::AuditMissing => "AUDIT_MISSING",
            Refusal::AuditConflict { .. } => "AUDIT_CONFLICT",
            Refusal::AuditByHolder => "AUDIT_BY_HOLDER",
            Refusal::ListLength { .. } => "LIST_LENGTH",
            Refusal::ListOrder { .. } => "LIST_ORDER",
            Refusal::ApprovalMissing(_) => "APPROVAL_MISSING",
            Refusal::HolderApprovalMissing => "HOLDER_APPROVAL_MISSING",
            Refusal::ApprovalUnneeded(_) => "APPROVAL_UNNEEDED",
            Refusal::UnknownKey { .. } => "UNKNOWN_KEY",
            Refusal::WrongRole { .. } => "WRONG_ROLE",
            Refusal::KeyNotYetInForce { .. } => "KEY_NOT_YET_IN_FORCE",
            Refusal::KeyRetired { .. } => "KEY_RETIRED",
            Refusal::FactorsMissing { .. } => "FACTORS_MISSING",
            Refusal::NotIssuerNorSuccessor { .. } => "NOT_ISSUER_NOR_SUCCESSOR",
            Refusal::NotTheHolder { .. } => "NOT_THE_HOLDER",
            Refusal::Frozen { .. } => "FROZEN",
            Refusal::Stopped(_) => "STOPPED",
            Refusal::NotAUniversity(_) => "NOT_A_UNIVERSITY",
            Refusal::RegimeMissing(_) => "REGIME_MISSING",
            Refusal::RegimeNotYet { .. } => "REGIME_NOT_YET",
            Refusal::RegimeEnded { .. } => "REGIME_ENDED",
            Refusal::CapitalMissing => "CAPITAL_MISSING",
            Refusal::CapitalLapsed { .. } => "CAPITAL_LAPSED",
            Refusal::CapReached { .. } => "CAP_REACHED",
            Refusal::DailyIssueLimit { .. } => "DAILY_ISSUE_LIMIT",
            Refusal::DailyChangeLimit { .. } => "DAILY_CHANGE_LIMIT",
            Refusal::NotAccredited(_) => "NOT_ACCREDITED",
            Refusal::NotAccreditedThen { .. } => "NOT_ACCREDITED_THEN",
            Refusal::AwardedInFuture { .. } => "AWARDED_IN_FUTURE",
            Refusal::SmallNotDeclared { .. } => "SMALL_NOT_DECLARED",
            Refusal::SmallWithoutNeed { .. } => "SMALL_WITHOUT_NEED",
            Refusal::AlreadyRecorded(_) => "ALREADY_RECORDED",
            Refusal::UnknownToken { .. } => "UNKNOWN_TOKEN",
            Refusal::WrongVersion { .. } => "WRONG_VERSION",
            Refusal::StandingFinal { .. } => "STANDING_FINAL",
            Refusal::AlreadySuspended(_) => "ALREADY_SUSPENDED",
            Refusal::NotSuspended(_) => "NOT_SUSPENDED",
            Refusal::Withdrawn(_) => "WITHDRAWN",
            Refusal::AlreadyRestricted(_) => "ALREADY_RESTRICTED",
            Refusal::NotRestricted(_) => "NOT_RESTRICTED",
            Refusal::DailyActsLimit { .. } => "DAILY_ACTS_LIMIT",
        }
    }

    /// What to do next, as a sentence without a full stop.
    pub const fn next_step(&self) -> &'static str {
        match self {
            Refusal::WrongChain { .. } => "prepare and sign the transaction for this network's chain id",
            Refusal::Expired { .. } => "prepare it again with a later expiry and have it approved again",
            Refusal::ExpiryTooFar { .. } => "set an expiry at most 24 hours ahead and have it approved again",
            Refusal::UnknownInstitution(_) => "check the 12 digits of the BIN",
            Refusal::AuditMissing => "add the head of the institution's audit log and have it approved again",
            Refusal::AuditConflict { .. } => {
                "two audit logs are in use or one was changed: verify the log before anything else is signed"
            }
            Refusal::AuditByHolder => "leave the audit head out of the holder's own act",
            Refusal::ListLength { .. } => "split the list, or leave the operation out if nothing is in it",
            Refusal::ListOrder { .. } => "sort the list in ascending order and remove repetitions",
            Refusal::ApprovalMissing(_) => "have the missing officer approve the same transaction",
            Refusal::HolderApprovalMissing => {
                "have the holder approve with the control key, or name the holder's signed request"
            }
            Refusal::ApprovalUnneeded(_) => "remove the approval: only those asked for are accepted",
            Refusal::UnknownKey { .. } => "approve with a key registered for the acting institution",
            Refusal::WrongRole { .. } => "approve in the role the key is registered for, by two officers",
            Refusal::KeyNotYetInForce { .. } => "wait until the key counts, or approve with another",
            Refusal::KeyRetired { .. } => "approve with a key that is in force",
            Refusal::FactorsMissing { .. } => "have the officer approve again with all required factors",
            Refusal::NotIssuerNorSuccessor { .. } => "let the issuer or its appointed successor act",
            Refusal::NotTheHolder { .. } => "approve with the control key made for this diploma",
            Refusal::Frozen { .. } => "wait until the freeze ends or is thawed by admins and a regulator",
            Refusal::Stopped(_) => "ask the regulator that gave the order",
            Refusal::NotAUniversity(_) => "only universities issue diplomas",
            Refusal::RegimeMissing(_) => "have the institution's permit recorded",
            Refusal::RegimeNotYet { .. } => "issue on or after the regime's first day",
            Refusal::RegimeEnded { .. } => {
                "have the renewed regime recorded; holders and status are unaffected"
            }
            Refusal::CapitalMissing | Refusal::CapitalLapsed { .. } => {
                "have a current attestation of capital recorded"
            }
            Refusal::CapReached { .. } => "ask for a higher cap or another regime",
            Refusal::DailyIssueLimit { .. } | Refusal::DailyChangeLimit { .. } => {
                "submit the rest after midnight in Kazakhstan, in parts within the limit"
            }
            Refusal::NotAccredited(_) => "have the regulator record the accreditation, or correct the scope",
            Refusal::NotAccreditedThen { .. } => {
                "correct the month of award, or have the regulator correct the accreditation"
            }
            Refusal::AwardedInFuture { .. } => "correct the month of award",
            Refusal::SmallNotDeclared { .. } => {
                "wait for more diplomas, or flag the batch small if the holders' consents say so"
            }
            Refusal::SmallWithoutNeed { .. } => "remove the flag: the batch is large enough",
            Refusal::AlreadyRecorded(_) => "leave it out: the diploma is on the ledger",
            Refusal::UnknownToken { .. } => "check issuer and fingerprint, or wait until the issue is final",
            Refusal::WrongVersion { .. } => {
                "read the token's current version and prepare the operation again"
            }
            Refusal::StandingFinal { .. } => {
                "nothing changes a final standing; a new document is a new token"
            }
            Refusal::AlreadySuspended(_) | Refusal::AlreadyRestricted(_) => "leave it out: it is done",
            Refusal::NotSuspended(_) | Refusal::NotRestricted(_) => "leave it out: there is nothing to lift",
            Refusal::Withdrawn(_) => "nothing shows a withdrawn token again; a new document is a new token",
            Refusal::DailyActsLimit { .. } => "act again after midnight in Kazakhstan",
        }
    }

    /// Whether the same bytes may still be accepted before they expire, because time passes or because another
    /// transaction, already under way, comes first.
    pub const fn may_pass_later(&self) -> bool {
        match self {
            Refusal::ExpiryTooFar { .. }
            | Refusal::KeyNotYetInForce { .. }
            | Refusal::Frozen { .. }
            | Refusal::RegimeNotYet { .. }
            | Refusal::DailyIssueLimit { .. }
            | Refusal::DailyChangeLimit { .. }
            | Refusal::DailyActsLimit { .. }
            | Refusal::AwardedInFuture { .. }
            | Refusal::UnknownToken { .. } => true,
            Refusal::WrongVersion { named, held, .. } => *named > *held,
            Refusal::WrongChain { .. }
            | Refusal::Expired { .. }
            | Refusal::UnknownInstitution(_)
            | Refusal::AuditMissing
            | Refusal::AuditConflict { .. }
            | Refusal::AuditByHolder
            | Refusal::ListLength { .. }
            | Refusal::ListOrder { .. }
            | Refusal::ApprovalMissing(_)
            | Refusal::HolderApprovalMissing
            | Refusal::ApprovalUnneeded(_)
            | Refusal::UnknownKey { .. }
            | Refusal::WrongRole { .. }
            | Refusal::KeyRetired { .. }
            | Refusal::FactorsMissing { .. }
            | Refusal::NotIssuerNorSuccessor { .. }
            | Refusal::NotTheHolder { .. }
            | Refusal::Stopped(_)
            | Refusal::NotAUniversity(_)
            | Refusal::RegimeMissing(_)
            | Refusal::RegimeEnded { .. }
            | Refusal::CapitalMissing
            | Refusal::CapitalLapsed { .. }
            | Refusal::CapReached { .. }
            | Refusal::NotAccredited(_)
            | Refusal::NotAccreditedThen { .. }
            | Refusal::SmallNotDeclared { .. }
            | Refusal::SmallWithoutNeed { .. }
            | Refusal::AlreadyRecorded(_)
            | Refusal::StandingFinal { .. }
            | Refusal::AlreadySuspended(_)
            | Refusal::NotSuspended(_)
            | Refusal::Withdrawn(_)
            | Refusal::AlreadyRestricted(_)
            | Refusal::NotRestricted(_) => false,
        }
    }
}
