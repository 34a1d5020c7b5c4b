//! Who has to approve, and whether the keys that did are the right ones. Approvals are minimal: one too many
//! is refused like one too few, so that a transaction has one shape.

use super::{Case, CheckError, Refusal, institution};
use crate::{
    Bin,
    record::{KeyRecord, KeyRole, RecordKey},
    state::StateReader,
    transaction::{Approval, HolderApproval, OfficerApproval},
};
use tanba_crypto::planted;

impl<S: StateReader> Case<'_, S> {
    /// Exactly one registrar and one approver of the acting institution. They are two keys: approvals are
    /// strictly ascending by key, and a key has one role for ever.
    pub(super) fn check_registrar_and_approver(&self) -> Result<(), CheckError> {
        let mut awaited = vec![KeyRole::Registrar, KeyRole::Approver];
        for approval in self.approvals() {
            match approval {
                Approval::Officer(officer) => {
                    self.check_officer(officer)?;
                    let Some(at) = awaited.iter().position(|role| *role == officer.role) else {
                        return Err(Refusal::ApprovalUnneeded(officer.key).into());
                    };
                    awaited.remove(at);
                }
                Approval::Holder(holder) => return Err(Refusal::ApprovalUnneeded(holder.key).into()),
            }
        }
        match awaited.first() {
            Some(_) if planted!(OneOfficer => awaited.len() == 1, false) => Ok(()),
            Some(role) => Err(Refusal::ApprovalMissing(*role).into()),
            None => Ok(()),
        }
    }

    /// Exactly one approval, by a holder's key, which is returned; whose it is the token says.
    pub(super) fn check_holder_alone(&self) -> Result<HolderApproval, Refusal> {
        let own = |approval: &Approval| match approval {
            Approval::Holder(holder) => Some(*holder),
            Approval::Officer(_) => None,
        };
        let holder = self.approvals().iter().find_map(own).ok_or(Refusal::HolderApprovalMissing)?;
        match self.approvals().iter().find(|approval| *approval.key() != holder.key) {
            Some(other) => Err(Refusal::ApprovalUnneeded(*other.key())),
            None => Ok(holder),
        }
    }

    /// The key is registered for the acting institution in the role it claims, in force at block time, and its
    /// owner was recognised by all the factors that the network asks for.
    fn check_officer(&self, approval: &OfficerApproval) -> Result<(), CheckError> {
        let (key, institution, time) = (approval.key, self.bin, self.time());
        let Some(record) = self.state.record::<KeyRecord>(&RecordKey::key(institution, &key))? else {
            return Err(Refusal::UnknownKey { key, institution }.into());
        };
        if record.role != approval.role {
            return Err(Refusal::WrongRole { key, claimed: approval.role, held: record.role }.into());
        }
        if time < record.from {
            return Err(Refusal::KeyNotYetInForce { key, from: record.from }.into());
        }
        if let Some(to) = record.to.filter(|to| *to <= time) {
            return Err(Refusal::KeyRetired { key, to }.into());
        }
        let required = self.context.params.factors_min;
        if approval.factors & required != required {
            return Err(Refusal::FactorsMissing { key, given: approval.factors, required }.into());
        }
        Ok(())
    }

    /// The acting institution may act for `issuer`: it is the issuer, or the one appointed to succeed it.
    pub(super) fn check_acts_for(&self, issuer: Bin) -> Result<(), CheckError> {
        if self.bin == issuer || institution(self.state, issuer)?.successor == Some(self.bin) {
            return Ok(());
        }
        Err(Refusal::NotIssuerNorSuccessor { institution: self.bin, issuer }.into())
    }
}
