//! Making the drafts of a class: all checks first, then names for all rows, then the records, then the word that the
//! class is ready.
//!
//! An import is named by its secret key ([`ImportKey`]), so that sending it again is harmless: a ready class answers as
//! it is, an unfinished one goes on behind the last record that is there, and another list under the same key is refused.

use tanba_credential::{Diploma, Draw, IssuerBin};
use tanba_crypto::{Hash, SigningKey};
use tanba_eds::Iin;
use tanba_ledger::{Day, operation::Basis, record::KeyRole};
use tanba_storage::{tree::Tree, value::remove_all};
use tanba_vault::{
    BATCH_MAX, Draft, OfficerId, Part, Random, RecordId, Time, VaultError, epoch_keys::EpochKeys,
    folder::Folder,
};
use zeroize::Zeroizing;

use crate::{
    error::OfficeError,
    message::RowCode,
    name::{ClassId, ImportKey},
    office::{Office, Officer},
    parts,
    registry::{ASKED_MAX, NationalRegistry, RegistryUnavailable, compare},
    roster::{Mistakes, ROWS_MAX, RosterError, RosterRefused, Row},
    state::{Differences, State},
    table::{self, ClassRow, Member, RecordRow, Table, get, names, put},
};

/// Lines that are listed at once.
pub const LINES_MAX: usize = 500;

/// What a registrar imports.
#[derive(Clone, Copy)]
pub struct Import<'a> {
    /// Its secret, and thereby the class's name.
    pub key: ImportKey,
    /// The bytes of the list. A digest under the key is kept.
    pub list: &'a [u8],
    /// The rows of it that are this institution's, in order.
    pub rows: &'a [&'a Row],
    /// The day of the documents.
    pub issued_on: Day,
    /// Whether the diplomas were just awarded, or are confirmed from the archive.
    pub basis: Basis,
}

impl std::fmt::Debug for Import<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Import").field("rows", &self.rows.len()).finish_non_exhaustive()
    }
}

/// A class.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Class {
    /// Its name.
    pub id: ClassId,
    /// When it was imported.
    pub made: Time,
    /// By whom.
    pub by: OfficerId,
    /// Its rows.
    pub rows: u32,
    /// Why its diplomas are recorded.
    pub basis: Basis,
    /// Whether all its records are there.
    pub ready: bool,
}

/// One row of a class, as the office sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Line {
    /// Its number in the class, from 0.
    pub number: u32,
    /// The line of the list.
    pub line: u32,
    /// Its record.
    pub record: RecordId,
    /// How far it came; nothing while the class is not ready.
    pub state: Option<State>,
    /// What the national registry has otherwise.
    pub differences: Differences,
}

impl<T: Tree, F: Folder, K: EpochKeys> Office<T, F, K> {
    /// Makes the drafts of a class, each document signed by the institution's `Document` key. By a registrar. Durable
    /// when this returns; cut short, it goes on when the same is imported again.
    ///
    /// # Errors
    /// Before anything is written: [`OfficeError::Rows`] with every mistake, [`OfficeError::Registry`],
    /// [`OfficeError::ClassDiffers`], [`OfficeError::Requisites`]. Of a broken random source, [`OfficeError::Draw`].
    pub fn prepare(
        &mut self,
        import: &Import<'_>,
        registry: &mut dyn NationalRegistry,
        key: &SigningKey,
        officer: Officer,
        now: Time,
        random: Random<'_>,
    ) -> Result<Class, OfficeError> {
        let by = officer.expect(KeyRole::Registrar)?;
        self.alive(|office| {
            let id = import.key.class();
            let list = import.key.digest(import.list);
            let known: Option<ClassRow> = get(&office.tree, &table::class(id))?;
            if let Some(row) = known {
                let same = (row.list, row.issued_on, row.basis) == (list, import.issued_on, import.basis);
                if !same || row.rows as usize != import.rows.len() {
                    return Err(OfficeError::ClassDiffers);
                }
                if row.ready {
                    return Ok(row.told(id));
                }
            }
            let checked = check(import.rows, registry)?;
            let row = match known {
                Some(row) => row,
                None => office.begin(import, list, &checked, by, now, random)?,
            };
            office.make(id, import, &checked, key, now, random)?;
            let row = ClassRow { ready: true, ..row };
            office.put(table::class(id), &row)?;
            Ok(row.told(id))
        })
    }

    /// Every class, in order of names.
    pub fn classes(&self) -> Result<Vec<Class>, OfficeError> {
        let ids = names::<_, 16>(&self.tree, &Table::Class.key(&[]))?.into_iter().map(ClassId);
        ids.map(|id| self.class(id).map(|row| row.told(id))).collect()
    }

    /// Up to `count` rows of a class, at most [`LINES_MAX`], from the number `from` on.
    pub fn lines(&self, class: ClassId, from: u32, count: usize) -> Result<Vec<Line>, OfficeError> {
        let row = self.class(class)?;
        let numbers = (from..row.rows).take(count.min(LINES_MAX));
        let line = |number| {
            let Member { record, line, differences } = self.member(class, number)?;
            let state = if row.ready { Some(self.state(record)?) } else { None };
            Ok(Line { number, line, record, state, differences })
        };
        numbers.map(line).collect()
    }

    pub(crate) fn member(&self, class: ClassId, number: u32) -> Result<Member, OfficeError> {
        let key = table::member(class, number);
        get(&self.tree, &key)?.ok_or_else(|| table::damaged(&key, "a row of a class is missing"))
    }

    /// Draws and writes a name for every row, and then that there is such a class.
    fn begin(
        &mut self,
        import: &Import<'_>,
        list: Hash,
        checked: &[(Iin, Differences)],
        by: OfficerId,
        now: Time,
        random: Random<'_>,
    ) -> Result<ClassRow, OfficeError> {
        let id = import.key.class();
        // What an import left that was cut short before its class existed.
        remove_all(&self.tree, &Table::Member.key(&[&id.0]))?;
        for ((number, row), (_, differences)) in (0..).zip(import.rows).zip(checked) {
            let mut record = RecordId([0; 16]);
            random(&mut record.0);
            let line = u32::try_from(row.line).unwrap_or(u32::MAX);
            put(&self.tree, table::member(id, number), &Member { record, line, differences: *differences })?;
        }
        self.tree.barrier()?;
        let rows = u32::try_from(import.rows.len()).expect("a list is bounded");
        let (issued_on, basis) = (import.issued_on, import.basis);
        let row = ClassRow { made: now, by, rows, list, issued_on, basis, ready: false, swept: false };
        self.put(table::class(id), &row)?;
        Ok(row)
    }

    /// Makes the records that are not there yet.
    fn make(
        &mut self,
        class: ClassId,
        import: &Import<'_>,
        checked: &[(Iin, Differences)],
        key: &SigningKey,
        now: Time,
        random: Random<'_>,
    ) -> Result<(), OfficeError> {
        let all: Vec<(&Row, &Iin)> =
            import.rows.iter().copied().zip(checked.iter().map(|(iin, _)| iin)).collect();
        for (at, rows) in all.chunks(BATCH_MAX).enumerate() {
            let mut records = Vec::new();
            let mut made = Vec::new();
            for (number, (row, iin)) in ((at * BATCH_MAX) as u32..).zip(rows) {
                let Member { record, .. } = self.member(class, number)?;
                if get::<_, RecordRow>(&self.tree, &table::record(record))?.is_some() {
                    continue;
                }
                records.push(record);
                match self.vault.standing(record) {
                    // Sealed by a run that was cut short.
                    Ok(_) => {}
                    Err(VaultError::NoRecord(_)) => {
                        made.push((record, draft(row, iin, import.issued_on, self.issuer(), key, random)?));
                    }
                    Err(error) => return Err(error.into()),
                }
            }
            let parts: Vec<(RecordId, Named<'_>)> =
                made.iter().map(|(record, parts)| (*record, named(parts))).collect();
            let drafts: Vec<Draft<'_>> =
                parts.iter().map(|(record, parts)| Draft { record: *record, parts }).collect();
            if !drafts.is_empty() {
                self.vault.seal(&drafts, now, random)?;
            }
            for record in records {
                let row = RecordRow {
                    class,
                    drafted: now,
                    refused: None,
                    expired: false,
                    batch: None,
                    delivered: None,
                };
                put(&self.tree, table::record(record), &row)?;
            }
        }
        Ok(self.tree.barrier()?)
    }

    pub(crate) fn issuer(&self) -> IssuerBin {
        IssuerBin::parse(&self.config.issuer.to_string()).expect("a BIN has 12 digits")
    }
}

/// The parts of a draft, as the vault takes them.
type Named<'a> = [(Part, &'a [u8]); 3];

fn named(parts: &[Zeroizing<Vec<u8>>; 3]) -> Named<'_> {
    let [document, identity, opening] = parts;
    [(Part::Document, &document[..]), (Part::Identity, &identity[..]), (Part::Opening, &opening[..])]
}

/// The parts of a new diploma.
fn draft(
    row: &Row,
    iin: &Iin,
    issued_on: Day,
    issuer: IssuerBin,
    key: &SigningKey,
    random: Random<'_>,
) -> Result<[Zeroizing<Vec<u8>>; 3], OfficeError> {
    let mut bytes = Zeroizing::new([0; Draw::BYTES]);
    random(&mut bytes[..]);
    let mut r_f = Zeroizing::new([0; 32]);
    random(&mut r_f[..]);
    let draw = Draw::from_bytes(&bytes)?;
    let diploma = Diploma::sign(&row.requisites, issuer, issued_on.0, None, &draw, key)
        .map_err(|error| OfficeError::Requisites { line: row.line, error })?;
    Ok(parts::of(&diploma, key.public(), iin, *r_f))
}

/// Asks the national registry about every row, and tells every mistake at once.
fn check(rows: &[&Row], registry: &mut dyn NationalRegistry) -> Result<Vec<(Iin, Differences)>, OfficeError> {
    let whole = match rows.len() {
        0 => Some(RosterError::of_row(1, RowCode::NoRows)),
        1..=ROWS_MAX => None,
        _ => Some(RosterError::counting(1, RowCode::TooManyRows, [ROWS_MAX as u64, 0])),
    };
    if let Some(error) = whole {
        return Err(RosterRefused { errors: vec![error], count: 1 }.into());
    }
    for row in rows {
        row.requisites.fields().map_err(|error| OfficeError::Requisites { line: row.line, error })?;
    }
    let mut mistakes = Mistakes::default();
    let mut checked = Vec::with_capacity(rows.len());
    for rows in rows.chunks(ASKED_MAX) {
        let numbers: Vec<_> = rows.iter().map(|row| row.requisites.diploma_number.clone()).collect();
        let found = registry.find(&numbers)?;
        if found.len() != numbers.len() {
            return Err(RegistryUnavailable.into());
        }
        for (row, found) in rows.iter().zip(&found) {
            match compare(row, found.as_ref()) {
                Ok(taken) => checked.push(taken),
                Err((column, code)) => {
                    let error = RosterError::of_row(row.line, code);
                    mistakes.add(RosterError { column: Some(column), ..error });
                }
            }
        }
    }
    mistakes.told()?;
    Ok(checked)
}

impl ClassRow {
    fn told(self, id: ClassId) -> Class {
        let ClassRow { made, by, rows, basis, ready, .. } = self;
        Class { id, made, by, rows, basis, ready }
    }
}
