//! The columns of a class list and what may stand in their cells. All cells of a row are read, so that all
//! mistakes of a row are told at once.

use csv::ByteRecord;
use tanba_credential::{
    Requisites,
    requisites::{
        self, Date, DiplomaNumber, Fault, Minutes, NUMBER_CHARS_MAX, ProgrammeName, StudyForm,
        TEXT_CHARS_MAX, Texts,
    },
};
use tanba_eds::Iin;

use super::{Mistakes, RosterError};
use crate::message::RowCode;

type Column = &'static str;

const UNIVERSITY: Column = "university";
const IIN: Column = "iin";
const FAMILY_NAME: [Column; 3] = ["family_name_kk", "family_name_ru", "family_name_en"];
const GIVEN_NAME: [Column; 3] = ["given_name_kk", "given_name_ru", "given_name_en"];
const PATRONYMIC: [Column; 3] = ["patronymic_kk", "patronymic_ru", "patronymic_en"];
const QUALIFICATION: [Column; 3] = ["qualification_kk", "qualification_ru", "qualification_en"];
const PROGRAMME_CODE: Column = "programme_code";
const PROGRAMME_NAME: [Column; 3] = ["programme_name_kk", "programme_name_ru", "programme_name_en"];
const LEVEL: Column = "level";
const HONOURS: Column = "honours";
const STUDY_FORM: Column = "study_form";
const AWARD_DATE: Column = "award_date";
const COMMISSION_NUMBER: Column = "commission_number";
const COMMISSION_DATE: Column = "commission_date";
const DIPLOMA_SERIES: Column = "diploma_series";
const DIPLOMA_NUMBER: Column = "diploma_number";
const REGISTRATION_NUMBER: Column = "registration_number";

/// Every column, and whether a list must have it.
const COLUMNS: [(Column, bool); 27] = [
    (UNIVERSITY, false),
    (IIN, false),
    (FAMILY_NAME[0], true),
    (FAMILY_NAME[1], true),
    (FAMILY_NAME[2], true),
    (GIVEN_NAME[0], true),
    (GIVEN_NAME[1], true),
    (GIVEN_NAME[2], true),
    (PATRONYMIC[0], false),
    (PATRONYMIC[1], false),
    (PATRONYMIC[2], false),
    (QUALIFICATION[0], true),
    (QUALIFICATION[1], true),
    (QUALIFICATION[2], true),
    (PROGRAMME_CODE, true),
    (PROGRAMME_NAME[0], true),
    (PROGRAMME_NAME[1], true),
    (PROGRAMME_NAME[2], true),
    (LEVEL, true),
    (HONOURS, true),
    (STUDY_FORM, true),
    (AWARD_DATE, true),
    (COMMISSION_NUMBER, true),
    (COMMISSION_DATE, true),
    (DIPLOMA_SERIES, true),
    (DIPLOMA_NUMBER, true),
    (REGISTRATION_NUMBER, true),
];

/// The columns of a list, in the order it has them.
pub(super) struct Header {
    columns: Vec<Column>,
}

impl Header {
    /// Reads the first line; `None` after telling what is wrong with it.
    pub(super) fn read(names: &ByteRecord, mistakes: &mut Mistakes) -> Option<Header> {
        let mut columns = Vec::new();
        let mut sound = true;
        for (place, name) in names.iter().enumerate() {
            let name = String::from_utf8_lossy(name).trim().to_ascii_lowercase();
            let known = COLUMNS.iter().find(|(column, _)| *column == name).map(|(column, _)| *column);
            // The name is not repeated: a list without a first line has a graduate's name in its place.
            let code = match known {
                Some(column) if !columns.contains(&column) => {
                    columns.push(column);
                    continue;
                }
                Some(_) => RowCode::DuplicateColumn,
                None => RowCode::UnknownColumn,
            };
            sound = false;
            let error = RosterError::of_row(1, code);
            mistakes.add(RosterError { column: known, cell: Some(place + 1), ..error });
        }
        let patronymic = PATRONYMIC.iter().any(|column| columns.contains(column));
        for (column, required) in COLUMNS {
            let required = required || patronymic && PATRONYMIC.contains(&column);
            if required && !columns.contains(&column) {
                sound = false;
                let error = RosterError::of_row(1, RowCode::MissingColumn);
                mistakes.add(RosterError { column: Some(column), ..error });
            }
        }
        sound.then_some(Header { columns })
    }

    /// Columns of the list.
    pub(super) fn len(&self) -> usize {
        self.columns.len()
    }
}

/// The cells of one row.
pub(super) struct Cells<'a> {
    pub(super) record: &'a ByteRecord,
    pub(super) line: u64,
    pub(super) header: &'a Header,
    pub(super) mistakes: &'a mut Mistakes,
}

impl Cells<'_> {
    /// Reads the row, or tells every mistake in it.
    pub(super) fn read(mut self) -> Option<(Option<String>, Option<Iin>, Requisites)> {
        let university = self.university();
        let iin = self.iin();
        let family_name = self.texts(FAMILY_NAME);
        let given_name = self.texts(GIVEN_NAME);
        let patronymic = self.patronymic();
        let qualification = self.texts(QUALIFICATION);
        let code = self.checked(PROGRAMME_CODE, requisites::check_programme_code);
        let programme_name = self.texts(PROGRAMME_NAME);
        let level = self.level(code.as_deref().unwrap_or_default());
        let honours = self.honours();
        let study_form = self.study_form();
        let award_date = self.date(AWARD_DATE);
        let commission_number = self.text(COMMISSION_NUMBER, NUMBER_CHARS_MAX);
        let commission_date = self.date(COMMISSION_DATE);
        let series = self.text(DIPLOMA_SERIES, NUMBER_CHARS_MAX);
        let number = self.text(DIPLOMA_NUMBER, NUMBER_CHARS_MAX);
        let registration_number = self.text(REGISTRATION_NUMBER, NUMBER_CHARS_MAX);
        if award_date? < commission_date? {
            self.fault(AWARD_DATE, Fault::AwardBeforeMinutes);
            return None;
        }
        let requisites = Requisites {
            family_name: family_name?,
            given_name: given_name?,
            patronymic: patronymic?,
            qualification: qualification?,
            programme: ProgrammeName { code: code?, name: programme_name? },
            level: level?,
            honours: honours?,
            study_form: study_form?,
            award_date: award_date?,
            commission_minutes: Minutes { number: commission_number?, date: commission_date? },
            diploma_number: DiplomaNumber { series: series?, number: number? },
            registration_number: registration_number?,
        };
        Some((university?, iin?, requisites))
    }

    /// A cell of a column that the list may lack; trimmed.
    fn cell(&self, column: Column) -> &str {
        let place = self.header.columns.iter().position(|held| *held == column);
        let bytes = place.and_then(|place| self.record.get(place)).unwrap_or_default();
        std::str::from_utf8(bytes).expect("the list was checked to be UTF-8").trim()
    }

    fn checked(&mut self, column: Column, check: impl Fn(&str) -> Result<(), Fault>) -> Option<String> {
        let cell = self.cell(column).to_owned();
        match check(&cell) {
            Ok(()) => Some(cell),
            // An empty cell is told as empty, whatever else it is not.
            Err(fault) => {
                self.fault(column, if cell.is_empty() { Fault::Empty } else { fault });
                None
            }
        }
    }

    fn text(&mut self, column: Column, chars_max: usize) -> Option<String> {
        self.checked(column, |text| requisites::check_text(text, chars_max))
    }

    fn texts(&mut self, columns: [Column; 3]) -> Option<Texts> {
        let [kk, ru, en] = columns.map(|column| self.text(column, TEXT_CHARS_MAX));
        Some(Texts { kk: kk?, ru: ru?, en: en? })
    }

    fn patronymic(&mut self) -> Option<Option<Texts>> {
        if PATRONYMIC.iter().all(|column| self.cell(column).is_empty()) {
            return Some(None);
        }
        self.texts(PATRONYMIC).map(Some)
    }

    fn university(&mut self) -> Option<Option<String>> {
        if !self.header.columns.contains(&UNIVERSITY) {
            return Some(None);
        }
        let cell = self.cell(UNIVERSITY).to_owned();
        if (1..=12).contains(&cell.len()) && cell.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some(Some(cell));
        }
        self.mistake(UNIVERSITY, RowCode::University);
        None
    }

    /// An empty cell is no mistake here: the national registry may have the number.
    fn iin(&mut self) -> Option<Option<Iin>> {
        let cell = self.cell(IIN);
        if cell.is_empty() {
            return Some(None);
        }
        let iin = Iin::from_digits(cell);
        if iin.is_none() {
            self.mistake(IIN, RowCode::Iin);
        }
        iin.map(Some)
    }

    fn level(&mut self, programme_code: &str) -> Option<u8> {
        let cell = self.cell(LEVEL);
        let number = cell.bytes().all(|byte| byte.is_ascii_digit()).then(|| cell.parse().unwrap_or(0));
        let level: u8 = number.unwrap_or(0);
        match requisites::check_level(level, programme_code) {
            Ok(()) => Some(level),
            Err(fault) => {
                self.fault(LEVEL, fault);
                None
            }
        }
    }

    fn honours(&mut self) -> Option<bool> {
        match self.cell(HONOURS) {
            "yes" => return Some(true),
            "no" => return Some(false),
            _ => {}
        }
        self.mistake(HONOURS, RowCode::Honours);
        None
    }

    fn study_form(&mut self) -> Option<StudyForm> {
        let form = StudyForm::parse(self.cell(STUDY_FORM));
        if form.is_none() {
            self.mistake(STUDY_FORM, RowCode::StudyForm);
        }
        form
    }

    fn date(&mut self, column: Column) -> Option<Date> {
        let date = Date::parse(self.cell(column));
        if date.is_none() {
            self.mistake(column, RowCode::Date);
        }
        date
    }

    fn mistake(&mut self, column: Column, code: RowCode) {
        self.count(column, code, 0);
    }

    fn count(&mut self, column: Column, code: RowCode, number: u64) {
        let error = RosterError::counting(self.line, code, [number, 0]);
        self.mistakes.add(RosterError { column: Some(column), ..error });
    }

    fn fault(&mut self, column: Column, fault: Fault) {
        match fault {
            Fault::Empty => self.mistake(column, RowCode::Empty),
            Fault::TooLong { chars_max } => self.count(column, RowCode::TooLong, chars_max as u64),
            Fault::Characters => self.mistake(column, RowCode::Characters),
            Fault::ProgrammeCode => self.mistake(column, RowCode::ProgrammeCode),
            Fault::Level => self.mistake(column, RowCode::Level),
            Fault::LevelOfProgramme => self.mistake(column, RowCode::LevelOfProgramme),
            Fault::AwardBeforeMinutes => self.mistake(column, RowCode::DateOrder),
        }
    }
}
