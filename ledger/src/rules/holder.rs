//! Operations 6 to 8: what the holder lets be seen. The holder's control key acts alone, through any node;
//! or the university acts on the holder's signed request. Neither a freeze nor the end of a regime is a bar,
//! and no act improves a standing.

use super::{Case, CheckError, Refusal};
use crate::{
    Fingerprint,
    limits::HOLDER_ACTS_DAILY_MAX,
    operation::{HolderAct, control_of},
    record::{RecordKey, Token, Visibility},
    state::{Changes, Record, StateReader},
};

/// A holder's act.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Act {
    Restrict,
    Lift,
    Withdraw,
}

impl Act {
    /// Where this leads from `visibility`, if it is allowed.
    fn from(self, visibility: Visibility, fingerprint: Fingerprint) -> Result<Visibility, Refusal> {
        match (visibility, self) {
            (Visibility::Withdrawn, _) => Err(Refusal::Withdrawn(fingerprint)),
            (Visibility::Open, Act::Restrict) => Ok(Visibility::Restricted),
            (Visibility::Open, Act::Lift) => Err(Refusal::NotRestricted(fingerprint)),
            (Visibility::Restricted, Act::Restrict) => Err(Refusal::AlreadyRestricted(fingerprint)),
            (Visibility::Restricted, Act::Lift) => Ok(Visibility::Open),
            (Visibility::Open | Visibility::Restricted, Act::Withdraw) => Ok(Visibility::Withdrawn),
        }
    }
}

/// Checks a holder's act.
pub(super) fn check<S: StateReader>(
    case: &Case<'_, S>,
    act: Act,
    operation: &HolderAct,
) -> Result<Changes, CheckError> {
    let (issuer, fingerprint) = (operation.issuer, operation.fingerprint);
    let token: Record<Token> = match operation.request {
        Some(_) => {
            case.check_registrar_and_approver()?;
            case.check_acts_for(issuer)?;
            case.token(issuer, fingerprint)?
        }
        None => {
            let approval = case.check_holder_alone()?;
            if case.bin != issuer {
                return Err(Refusal::NotIssuerNorSuccessor { institution: case.bin, issuer }.into());
            }
            let token = case.token(issuer, fingerprint)?;
            if control_of(&approval.key) != token.control {
                return Err(Refusal::NotTheHolder { key: approval.key, fingerprint }.into());
            }
            token
        }
    };
    if token.version != operation.version {
        let (named, held) = (operation.version, token.version);
        return Err(Refusal::WrongVersion { fingerprint, named, held }.into());
    }
    let visibility = act.from(token.visibility, fingerprint)?;
    let acts_day = case.day();
    let acts_before = if token.acts_day == acts_day { token.acts_count } else { 0 };
    if acts_before >= HOLDER_ACTS_DAILY_MAX {
        return Err(Refusal::DailyActsLimit { fingerprint, day: acts_day }.into());
    }
    let mut changes = Changes::default();
    let token = Token { visibility, acts_day, acts_count: acts_before + 1, ..token.value };
    changes.put(RecordKey::token(issuer, &fingerprint), &token);
    Ok(changes)
}
