//! The approvals of a transaction by two officers: a registrar and an approver, each with a key of their own. The rules
//! that every dossier obeys, wherever it lies.

use tanba_crypto::{SignatureError, Verify};
use tanba_ledger::{Approval, Transaction, record::KeyRole};

/// Why an approval is not taken.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApprovalError {
    /// A role that approves nothing, or a holder.
    #[error("a registrar and an approver approve, and nobody else")]
    Role,
    /// The role has approved.
    #[error("this role has approved already")]
    RoleTaken(KeyRole),
    /// One person, two roles.
    #[error("this key has approved in the other role; a second person must approve")]
    SameKey,
    /// A signature of something else.
    #[error("the approval does not hold: {0}")]
    Signature(SignatureError),
}

impl ApprovalError {
    /// A short name that never changes.
    pub const fn code(&self) -> &'static str {
        match self {
            ApprovalError::Role => "approval-role",
            ApprovalError::RoleTaken(_) => "approval-role-taken",
            ApprovalError::SameKey => "approval-same-key",
            ApprovalError::Signature(_) => "approval-signature",
        }
    }
}

/// Adds an approval to a transaction, if the rules allow it and it verifies.
pub fn add(transaction: &mut Transaction, approval: Approval) -> Result<(), ApprovalError> {
    let role = role_of(&approval).ok_or(ApprovalError::Role)?;
    if has_role(transaction, role) {
        return Err(ApprovalError::RoleTaken(role));
    }
    if transaction.approvals.iter().any(|held| held.key() == approval.key()) {
        return Err(ApprovalError::SameKey);
    }
    let alone = Transaction { body: transaction.body.clone(), approvals: vec![approval] };
    alone.verify(&alone.body.chain).map_err(ApprovalError::Signature)?;
    transaction.approve(approval);
    Ok(())
}

/// Whether a registrar and an approver have approved.
pub fn is_approved(transaction: &Transaction) -> bool {
    has_role(transaction, KeyRole::Registrar) && has_role(transaction, KeyRole::Approver)
}

fn has_role(transaction: &Transaction, role: KeyRole) -> bool {
    transaction.approvals.iter().any(|held| role_of(held) == Some(role))
}

/// The role of an approval that counts here.
pub(crate) fn role_of(approval: &Approval) -> Option<KeyRole> {
    match approval {
        Approval::Officer(officer) if matches!(officer.role, KeyRole::Registrar | KeyRole::Approver) => {
            Some(officer.role)
        }
        Approval::Officer(_) | Approval::Holder(_) => None,
    }
}
