//! What goes on the ledger for one record, opened from the vault: the only place where a record's name and its fingerprint
//! meet.

use std::collections::{BTreeMap, BTreeSet};

use tanba_credential::{
    Field, Value,
    commitment::{self, GostParts, control_of},
    consent::Statement,
};
use tanba_eds::SignedData;
use tanba_ledger::{Fingerprint, Level, Month, Programme, Scope, operation::Entry};
use tanba_storage::tree::Tree;
use tanba_vault::{OfficerId, Part, RecordId, Time, epoch_keys::EpochKeys, folder::Folder, read::Opened};

use crate::{
    error::OfficeError,
    name::ClassId,
    office::Office,
    parts::{self, ConsentPart, DocumentPart, OpeningPart, SealPart},
    state::{Differences, State},
    table::RecordRow,
};

/// One diploma that can go.
pub(crate) struct Candidate {
    pub(crate) record: RecordId,
    pub(crate) row: RecordRow,
    pub(crate) differences: Differences,
    pub(crate) month: Month,
    pub(crate) scope: Scope,
    pub(crate) entry: Entry,
    pub(crate) small_group: bool,
}

impl<T: Tree, F: Folder, K: EpochKeys> Office<T, F, K> {
    /// The sealed records of these classes that nothing keeps back, opened.
    pub(crate) fn candidates(
        &mut self,
        classes: &[ClassId],
        by: OfficerId,
        now: Time,
    ) -> Result<Vec<Candidate>, OfficeError> {
        let mut rows = BTreeMap::new();
        for class in classes.iter().collect::<BTreeSet<_>>() {
            for number in 0..self.class(*class)?.rows {
                let member = self.member(*class, number)?;
                let row = self.row(member.record)?;
                let free = self.state_of(member.record, &row)? == State::Sealed
                    && self.vault.standing(member.record)?.restricted.is_none();
                if free {
                    rows.insert(member.record, (row, member.differences));
                }
            }
        }
        let records: Vec<RecordId> = rows.keys().copied().collect();
        let parts = [Part::Document, Part::Opening, Part::Consent, Part::Seal];
        let mut candidates = Vec::with_capacity(records.len());
        self.read_all(&records, by, parts, now, |record, opened| {
            let (row, differences) = rows[&record];
            candidates.push(candidate(record, row, differences, opened)?);
            Ok(())
        })?;
        Ok(candidates)
    }
}

/// What goes on the ledger for one record.
fn candidate(
    record: RecordId,
    row: RecordRow,
    differences: Differences,
    [document, opening, consent, seal]: [Opened; 4],
) -> Result<Candidate, OfficeError> {
    let document: DocumentPart = parts::read(record, &document)?;
    let opening: OpeningPart = parts::read(record, &opening)?;
    let consent: ConsentPart = parts::read(record, &consent)?;
    let seal: SealPart = parts::read(record, &seal)?;
    let damaged = || OfficeError::Parts(record);
    let values =
        [Field::AwardDate, Field::Programme, Field::Level].map(|field| document.value(record, field));
    let [Ok(Value::Date(date)), Ok(Value::Programme(programme)), Ok(Value::Level(level))] = values else {
        return Err(damaged());
    };
    let scope = Scope {
        programme: Programme::new(&programme.code).ok_or_else(damaged)?,
        level: Level::new(level).ok_or_else(damaged)?,
    };
    let read = document.document(record)?;
    let gost = GostParts {
        document: Some(read.text().as_bytes()),
        seal: Some(&seal.cms),
        consent: Some(&consent.cms),
    };
    let message = SignedData::from_bytes(&consent.cms).map_err(|_| damaged())?;
    let statement = message.content_or(None).ok().and_then(|text| Statement::from_text(text).ok());
    Ok(Candidate {
        record,
        row,
        differences,
        month: Month::new(date.year(), date.month()).ok_or_else(damaged)?,
        scope,
        entry: Entry {
            fingerprint: Fingerprint(opening.fingerprint(&read)),
            gost: commitment::gost_commitment(&opening.r_g, &gost),
            control: control_of(&consent.control),
        },
        small_group: statement.ok_or_else(damaged)?.terms().small_group,
    })
}
