//! Operation 1: a batch of diplomas is recorded.

use tanba_crypto::{Canonical, planted};

use super::{Case, CheckError, List, Refusal, check_list};
use crate::{
    Day, Scope,
    limits::{ENTRIES_MAX, SCOPES_MAX, SMALL_BATCH},
    merkle::tree,
    operation::{Basis, Issue},
    record::{
        Accreditation, Batch, Capital, InstitutionRole, InstitutionState, Quota, RecordKey, Regime,
        RegimeKind, Standing, Token, Visibility,
    },
    state::{Changes, StateReader},
};

/// Checks a batch: its shape, its approvals, the issuer's right to issue today, and every entry.
pub(super) fn check<S: StateReader>(case: &Case<'_, S>, issue: &Issue) -> Result<Changes, CheckError> {
    check_shape(issue)?;
    case.check_registrar_and_approver()?;
    let regime = check_issuer(case)?;
    check_regime(regime, case.actor.capital.as_ref(), case.day())?;
    if issue.awarded_month.first_day() > case.day() {
        return Err(Refusal::AwardedInFuture { month: issue.awarded_month, day: case.day() }.into());
    }
    match issue.basis {
        Basis::Award => issue.scopes.iter().try_for_each(|scope| check_accredited(case, issue, scope))?,
        // The award is older than the ledger; the archive answers for it, and every verdict says so.
        Basis::Archive => {}
    }
    let quota = counted(case, issue, regime)?;
    check_fingerprints(case, issue)?;
    Ok(recorded(case, issue, &quota))
}

fn check_shape(issue: &Issue) -> Result<(), Refusal> {
    check_list(List::Scopes, issue.scopes.iter(), SCOPES_MAX)?;
    check_list(List::Entries, issue.entries.iter().map(|entry| entry.fingerprint), ENTRIES_MAX)?;
    let count = issue.entries.len();
    match (count < SMALL_BATCH, issue.small) {
        (true, false) => Err(Refusal::SmallNotDeclared { count }),
        (false, true) => Err(Refusal::SmallWithoutNeed { count }),
        (true, true) | (false, false) => Ok(()),
    }
}

/// A university that is neither frozen nor stopped; returns its regime.
fn check_issuer<'c, S: StateReader>(case: &'c Case<'_, S>) -> Result<&'c Regime, Refusal> {
    match case.actor.role {
        InstitutionRole::University => {}
        InstitutionRole::Regulator => return Err(Refusal::NotAUniversity(case.bin)),
    }
    if case.actor.state == InstitutionState::Stopped {
        return Err(Refusal::Stopped(case.bin));
    }
    case.check_not_frozen()?;
    case.actor.regime.as_ref().ok_or(Refusal::RegimeMissing(case.bin))
}

/// The legal ground holds on `day`, and so does the capital where the ground asks for it: issuers of secured
/// digital assets under a permit or in the sandbox do, information systems of universities do not.
pub(crate) fn check_regime(regime: &Regime, capital: Option<&Capital>, day: Day) -> Result<(), Refusal> {
    if day < regime.from {
        return Err(Refusal::RegimeNotYet { from: regime.from, day });
    }
    if day > regime.to {
        return Err(Refusal::RegimeEnded { to: regime.to, day });
    }
    match (regime.kind, capital) {
        (RegimeKind::InfoSystem, _) => Ok(()),
        (RegimeKind::Permit | RegimeKind::AifcSandbox(_), None) => Err(Refusal::CapitalMissing),
        (RegimeKind::Permit | RegimeKind::AifcSandbox(_), Some(capital)) if day > capital.to => {
            Err(Refusal::CapitalLapsed { to: capital.to, day })
        }
        (RegimeKind::Permit | RegimeKind::AifcSandbox(_), Some(_)) => Ok(()),
    }
}

fn check_accredited<S: StateReader>(
    case: &Case<'_, S>,
    issue: &Issue,
    scope: &Scope,
) -> Result<(), CheckError> {
    let month = issue.awarded_month;
    match case.state.record::<Accreditation>(&RecordKey::accreditation(case.bin, scope))? {
        Some(accreditation) if accreditation.covers(month) => Ok(()),
        Some(accreditation) => {
            let (from, to) = (accreditation.from, accreditation.to);
            Err(Refusal::NotAccreditedThen { scope: scope.clone(), month, from, to }.into())
        }
        None => Err(Refusal::NotAccredited(scope.clone()).into()),
    }
}

/// The issuer's quota with this batch counted, if the day's limit and the regime's cap leave room for it.
fn counted<S: StateReader>(case: &Case<'_, S>, issue: &Issue, regime: &Regime) -> Result<Quota, CheckError> {
    let quota = case.quota_today()?;
    let asked = issue.entries.len() as u32;
    let daily_max = case.context.params.issued_daily_max;
    let issued_today = quota.issued_today.saturating_add(asked);
    if issued_today > daily_max {
        return Err(Refusal::DailyIssueLimit { issued: quota.issued_today, asked, daily_max }.into());
    }
    let issued_total = quota.issued_total.saturating_add(u64::from(asked));
    match regime.kind {
        RegimeKind::AifcSandbox(cap) if issued_total > cap => {
            return Err(Refusal::CapReached { issued: quota.issued_total, asked, cap }.into());
        }
        RegimeKind::AifcSandbox(_) | RegimeKind::Permit | RegimeKind::InfoSystem => {}
    }
    Ok(Quota { issued_today, issued_total, ..quota })
}

fn check_fingerprints<S: StateReader>(case: &Case<'_, S>, issue: &Issue) -> Result<(), CheckError> {
    for entry in &issue.entries {
        let recorded = case.state.leaf(&RecordKey::token(case.bin, &entry.fingerprint))?.is_some();
        if planted!(IssuedTwice => false, recorded) {
            return Err(Refusal::AlreadyRecorded(entry.fingerprint).into());
        }
    }
    Ok(())
}

fn recorded<S: StateReader>(case: &Case<'_, S>, issue: &Issue, quota: &Quota) -> Changes {
    let batch = Batch {
        issuer: case.bin,
        scopes: issue.scopes.clone(),
        awarded_month: issue.awarded_month,
        decision: issue.decision,
        basis: issue.basis,
        right: issue.right,
        small: issue.small,
        entries_root: tree::root(issue.entries.iter().map(Canonical::to_canonical)),
        count: issue.entries.len() as u32,
    };
    let mut changes = Changes::default();
    changes.put(RecordKey::batch(case.id), &batch);
    for entry in &issue.entries {
        let token = Token {
            batch: case.id,
            gost: entry.gost,
            control: entry.control,
            standing: Standing::Valid,
            visibility: Visibility::Open,
            reason: None,
            acts_day: Day::default(),
            acts_count: 0,
        };
        changes.put(RecordKey::token(case.bin, &entry.fingerprint), &token);
    }
    changes.put(RecordKey::quota(case.bin), quota);
    changes
}
