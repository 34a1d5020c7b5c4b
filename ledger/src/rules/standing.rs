//! Operations 2 to 5: what the university says of diplomas it issued.
//!
//! ```text
//!              Suspend            Revoke
//!      Valid ----------> Suspended ------> Revoked      final
//!        |   <----------    |  |
//!        |    Reinstate     |  '---------> Replaced     final
//!        '------------------'-- Revoke, Replace
//! ```
//!
//! A standing may still fall after the holder has withdrawn the token: what the holder hides is not thereby
//! made good.

use tanba_crypto::Hash;

use super::{Case, CheckError, List, Refusal, check_list};
use crate::{
    Bin, Fingerprint,
    limits::CHANGES_MAX,
    operation::{Reason, Replacements, StandingChanges},
    record::{Quota, RecordKey, Standing, Token},
    state::{Changes, StateReader},
};

/// A change of standing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Move {
    Suspend,
    Reinstate,
    Revoke,
    /// With the link to the token that takes the place.
    Replace(Hash),
}

impl Move {
    /// Where this leads from `standing`, if it is allowed.
    fn from(self, standing: Standing, fingerprint: Fingerprint) -> Result<Standing, Refusal> {
        match (standing, self) {
            (Standing::Revoked | Standing::Replaced(_), _) => {
                Err(Refusal::StandingFinal { fingerprint, standing })
            }
            (Standing::Valid, Move::Suspend) => Ok(Standing::Suspended),
            (Standing::Valid, Move::Reinstate) => Err(Refusal::NotSuspended(fingerprint)),
            (Standing::Suspended, Move::Suspend) => Err(Refusal::AlreadySuspended(fingerprint)),
            (Standing::Suspended, Move::Reinstate) => Ok(Standing::Valid),
            (Standing::Valid | Standing::Suspended, Move::Revoke) => Ok(Standing::Revoked),
            (Standing::Valid | Standing::Suspended, Move::Replace(link)) => Ok(Standing::Replaced(link)),
        }
    }
}

/// One token's part in an operation.
struct Change {
    fingerprint: Fingerprint,
    version: u32,
    reason: Reason,
    step: Move,
}

/// Checks operations 2 to 4.
pub(super) fn check<S: StateReader>(
    case: &Case<'_, S>,
    step: Move,
    operation: &StandingChanges,
) -> Result<Changes, CheckError> {
    let changes = operation.changes.iter().map(|change| Change {
        fingerprint: change.fingerprint,
        version: change.version,
        reason: change.reason,
        step,
    });
    check_changes(case, operation.issuer, changes)
}

/// Checks operation 5.
pub(super) fn check_replacements<S: StateReader>(
    case: &Case<'_, S>,
    operation: &Replacements,
) -> Result<Changes, CheckError> {
    let changes = operation.changes.iter().map(|change| Change {
        fingerprint: change.fingerprint,
        version: change.version,
        reason: change.reason,
        step: Move::Replace(change.link),
    });
    check_changes(case, operation.issuer, changes)
}

fn check_changes<S: StateReader>(
    case: &Case<'_, S>,
    issuer: Bin,
    operation: impl ExactSizeIterator<Item = Change> + Clone,
) -> Result<Changes, CheckError> {
    check_list(List::Changes, operation.clone().map(|change| change.fingerprint), CHANGES_MAX)?;
    case.check_registrar_and_approver()?;
    case.check_acts_for(issuer)?;
    case.check_not_frozen()?;
    let quota = counted(case, operation.len() as u32)?;

    let mut changes = Changes::default();
    for change in operation {
        let token = case.token(issuer, change.fingerprint)?;
        if token.version != change.version {
            let (named, held) = (change.version, token.version);
            return Err(Refusal::WrongVersion { fingerprint: change.fingerprint, named, held }.into());
        }
        let standing = change.step.from(token.standing, change.fingerprint)?;
        let key = RecordKey::token(issuer, &change.fingerprint);
        changes.put(key, &Token { standing, reason: Some(change.reason), ..token.value });
    }
    changes.put(RecordKey::quota(case.bin), &quota);
    Ok(changes)
}

/// The actor's quota with `asked` more changes counted, if the day's limit leaves room for them.
fn counted<S: StateReader>(case: &Case<'_, S>, asked: u32) -> Result<Quota, CheckError> {
    let quota = case.quota_today()?;
    let daily_max = case.context.params.changed_daily_max;
    let changed_today = quota.changed_today.saturating_add(asked);
    if changed_today > daily_max {
        return Err(Refusal::DailyChangeLimit { changed: quota.changed_today, asked, daily_max }.into());
    }
    Ok(Quota { changed_today, ..quota })
}
