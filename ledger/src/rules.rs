//! The rules: every reason to refuse a transaction, in one enum, and what an accepted one changes.
//!
//! Signatures were checked before anything comes here ([`Verified`]); the rules ask *whose* keys signed, and
//! whether the operation may happen now. A rule only reads. What passes all of them returns its [`Changes`],
//! to be written together, so a transaction happens as a whole or not at all.
//!
//! There are no nonces. A replayed transaction fails by itself: an issued fingerprint is no longer new, and a
//! changed record no longer has the version that the operation names.

mod approvals;
mod holder;
pub(crate) mod issue;
pub mod refusal;
mod remedy;
mod standing;

pub use refusal::{CheckError, List, Refusal};

use tanba_crypto::Verified;

use crate::{
    Bin, ChainId, Day, Fingerprint, Operation, Timestamp, Transaction, TransactionId,
    limits::EXPIRY_MS_MAX,
    merkle::ReadError,
    record::{Institution, InstitutionState, NetworkKind, Params, Quota, RecordKey, Token},
    state::{Changes, Record, StateReader, Tip},
    transaction::{Approval, AuditHead},
};

/// What the rules need to know besides transaction and records.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The network.
    pub chain: ChainId,
    /// The time of the block that holds the transaction.
    pub time: Timestamp,
    /// The parameters in force.
    pub params: &'a Params,
}

impl<'a> Context<'a> {
    /// The context of a block at `time` on `parent`.
    pub fn on(parent: &'a Tip, time: Timestamp) -> Context<'a> {
        Context { chain: parent.chain(), time, params: &parent.params }
    }

    /// The context of a transaction that waits for the block after `head`: the time is now, or just after the
    /// head's where our clock is behind.
    pub fn waiting(head: &'a Tip, now: Timestamp) -> Context<'a> {
        Context::on(head, now.max(head.header.time.saturating_add_ms(1)))
    }
}

/// Checks one transaction against `state`, and says what it changes.
///
/// Pure: the same transaction, state and context give the same answer on every node.
pub fn check_transaction<S: StateReader>(
    state: &S,
    transaction: &Verified<Transaction>,
    context: &Context<'_>,
) -> Result<Changes, CheckError> {
    check_chain_and_expiry(transaction, context)?;
    let bin = transaction.body.institution;
    let actor = institution(state, bin)?;
    let case = Case { state, transaction, id: transaction.id(), context, bin, actor };
    let mut changes = match &transaction.body.operation {
        Operation::Issue(issue) => issue::check(&case, issue)?,
        Operation::Suspend(changes) => standing::check(&case, standing::Move::Suspend, changes)?,
        Operation::Reinstate(changes) => standing::check(&case, standing::Move::Reinstate, changes)?,
        Operation::Revoke(changes) => standing::check(&case, standing::Move::Revoke, changes)?,
        Operation::Replace(replacements) => standing::check_replacements(&case, replacements)?,
        Operation::Restrict(act) => holder::check(&case, holder::Act::Restrict, act)?,
        Operation::Lift(act) => holder::check(&case, holder::Act::Lift, act)?,
        Operation::Withdraw(act) => holder::check(&case, holder::Act::Withdraw, act)?,
    };
    case.check_audit(&mut changes)?;
    Ok(changes)
}

/// One transaction before the rules.
struct Case<'a, S> {
    state: &'a S,
    transaction: &'a Transaction,
    id: TransactionId,
    context: &'a Context<'a>,
    /// The institution that acts.
    bin: Bin,
    /// Its record.
    actor: Institution,
}

impl<S: StateReader> Case<'_, S> {
    fn approvals(&self) -> &[Approval] {
        &self.transaction.approvals
    }

    fn time(&self) -> Timestamp {
        self.context.time
    }

    fn day(&self) -> Day {
        self.context.time.day()
    }

    fn token(&self, issuer: Bin, fingerprint: Fingerprint) -> Result<Record<Token>, CheckError> {
        let record = self.state.record(&RecordKey::token(issuer, &fingerprint))?;
        record.ok_or_else(|| Refusal::UnknownToken { issuer, fingerprint }.into())
    }

    /// What the acting institution did today, at the start of the transaction.
    fn quota_today(&self) -> Result<Quota, ReadError> {
        let quota = self.state.record::<Quota>(&RecordKey::quota(self.bin))?;
        let quota = quota.map_or_else(Quota::default, |record| record.value);
        let day = self.day();
        Ok(if quota.day == day { quota } else { Quota { day, issued_today: 0, changed_today: 0, ..quota } })
    }

    /// Refuses what a frozen institution may not do. A freeze ends by itself; from its end on it is no bar.
    fn check_not_frozen(&self) -> Result<(), Refusal> {
        match self.actor.state {
            InstitutionState::FrozenUntil(until) if self.time() < until => {
                Err(Refusal::Frozen { institution: self.bin, until })
            }
            InstitutionState::FrozenUntil(_) | InstitutionState::Active | InstitutionState::Stopped => Ok(()),
        }
    }

    /// Compares the audit head with the highest one known, and keeps the higher.
    ///
    /// A *lower* count is accepted and changes nothing: approvals are gathered over hours, so transactions
    /// arrive in another order than they were drawn up in, and the block body keeps every head for the auditor
    /// to compare with the log. One count with two heads is two logs, and is refused. A holder who acts alone
    /// does not know the log, and must not be able to raise its count.
    fn check_audit(&self, changes: &mut Changes) -> Result<(), CheckError> {
        let by_holder = self.approvals().iter().any(|approval| matches!(approval, Approval::Holder(_)));
        let head = match (self.transaction.body.audit, by_holder) {
            (Some(_), true) => return Err(Refusal::AuditByHolder.into()),
            (None, true) => return Ok(()),
            (Some(head), false) => head,
            (None, false) => {
                return match self.context.params.kind {
                    NetworkKind::Devnet => Ok(()),
                    NetworkKind::Main => Err(Refusal::AuditMissing.into()),
                };
            }
        };
        let key = RecordKey::audit(self.bin);
        match self.state.record::<AuditHead>(&key)? {
            Some(held) if held.count == head.count && held.head != head.head => {
                return Err(Refusal::AuditConflict { count: head.count, held: held.head }.into());
            }
            Some(held) if held.count >= head.count => {}
            Some(_) | None => changes.put(key, &head),
        }
        Ok(())
    }
}

fn institution(state: &impl StateReader, bin: Bin) -> Result<Institution, CheckError> {
    let record = state.record(&RecordKey::institution(bin))?;
    record.map(|record| record.value).ok_or_else(|| Refusal::UnknownInstitution(bin).into())
}

fn check_chain_and_expiry(transaction: &Transaction, context: &Context<'_>) -> Result<(), Refusal> {
    let (body, time) = (&transaction.body, context.time);
    if body.chain != context.chain {
        return Err(Refusal::WrongChain { found: body.chain, expected: context.chain });
    }
    if body.expiry < time {
        return Err(Refusal::Expired { expiry: body.expiry, time });
    }
    if body.expiry > time.saturating_add_ms(EXPIRY_MS_MAX) {
        return Err(Refusal::ExpiryTooFar { expiry: body.expiry, time });
    }
    Ok(())
}

/// Refuses a list that is empty, too long, or not strictly ascending.
fn check_list<T: Ord>(
    list: List,
    names: impl ExactSizeIterator<Item = T> + Clone,
    count_max: usize,
) -> Result<(), Refusal> {
    if names.len() == 0 || names.len() > count_max {
        return Err(Refusal::ListLength { list, count: names.len(), count_max });
    }
    match names.clone().zip(names.skip(1)).position(|(before, after)| before >= after) {
        Some(before) => Err(Refusal::ListOrder { list, at: before + 1 }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
