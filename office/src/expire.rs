//! Drafts die after ninety days: what nobody consented to is destroyed, with the openings that would lead to it.

use tanba_storage::tree::Tree;
use tanba_vault::{Part, RecordId, Time, VaultError, epoch_keys::EpochKeys, folder::Folder};

use crate::{
    error::OfficeError,
    office::Office,
    state::State,
    table::{self, ClassRow, RecordRow, get},
};

/// How long a draft, or a record that was refused, is kept: 90 days.
pub const DRAFT_AGE_MAX_S: u64 = 90 * 24 * 3_600;

/// What was found over its time.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Swept {
    /// Destroyed now.
    pub expired: Vec<RecordId>,
    /// Under a legal hold: locked instead, and destroyed once the hold is over.
    pub held: Vec<RecordId>,
}

impl<T: Tree, F: Folder, K: EpochKeys> Office<T, F, K> {
    /// Destroys every draft, every refused record and every record of an unfinished class that is over its time. To be
    /// called daily; again, it finds nothing. A consent among what is destroyed stays, locked, for the limitation period.
    pub fn sweep(&mut self, now: Time) -> Result<Swept, OfficeError> {
        self.alive(|office| {
            let mut swept = Swept::default();
            for class in office.classes()? {
                let row = office.class(class.id)?;
                if row.swept || now.since_s(row.made) < DRAFT_AGE_MAX_S {
                    continue;
                }
                let mut done = true;
                for number in 0..row.rows {
                    let record = office.member(class.id, number)?.record;
                    done &= office.sweep_record(record, &row, now, &mut swept)?;
                }
                if done {
                    office.put(table::class(class.id), &ClassRow { swept: true, ..row })?;
                }
            }
            Ok(swept)
        })
    }

    /// Destroys one record if it is over its time. Says whether it will never be again.
    fn sweep_record(
        &mut self,
        record: RecordId,
        class: &ClassRow,
        now: Time,
        swept: &mut Swept,
    ) -> Result<bool, OfficeError> {
        let standing = match self.vault.standing(record) {
            Ok(standing) => standing,
            // Of an unfinished class: drawn, and never made.
            Err(VaultError::NoRecord(_)) => return Ok(true),
            Err(error) => return Err(error.into()),
        };
        if standing.destroyed.is_some() {
            return Ok(true);
        }
        let row: Option<RecordRow> = get(&self.tree, &table::record(record))?;
        if let Some(row) = row.filter(|_| class.ready) {
            match self.state_of(record, &row)? {
                State::Draft | State::Refused(_) | State::Expired => {}
                State::Final | State::Delivered | State::Erased => return Ok(true),
                State::Consented | State::Sealed | State::Batched | State::Submitted => return Ok(false),
            }
            if now.since_s(row.drafted) < DRAFT_AGE_MAX_S {
                return Ok(false);
            }
            if !row.expired {
                self.put(table::record(record), &RecordRow { expired: true, ..row })?;
            }
        }
        let kept_s = if standing.parts.contains(&Part::Consent) { self.config.limitation_s } else { 0 };
        match self.vault.erase(record, now.plus_s(kept_s), now) {
            Ok(_) => swept.expired.push(record),
            Err(VaultError::OnHold { .. }) => {
                swept.held.push(record);
                return Ok(false);
            }
            Err(error) => return Err(error.into()),
        }
        Ok(true)
    }
}
