//! Reading a class list: CSV with named columns, as a spreadsheet saves it.
//!
//! Every row is checked and every mistake told, with line, column and code, before anything is made of any row: half a
//! class issued is worse than none. What a code says, in three languages, is in [`crate::message`]. A mistake never
//! quotes the list: what stands in a wrong cell may be a name.

mod cells;

use std::{collections::BTreeMap, fmt};

use cells::{Cells, Header};
use csv::{ByteRecord, ReaderBuilder};
use tanba_credential::{Requisites, requisites::DiplomaNumber};
use tanba_crypto::Hash;
use tanba_eds::Iin;
use tanba_ledger::{Level, Programme, Scope};

use crate::message::{Language, RowCode};

/// Bytes of a list.
pub const ROSTER_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Rows of a list.
pub const ROWS_MAX: usize = 10_000;

/// Bytes of one row; a row beyond it has a quotation mark that is never closed.
const ROW_BYTES_MAX: usize = 16 * 1024;

/// Mistakes told one by one; the rest are counted.
pub const ERRORS_MAX: usize = 1_000;

/// One mistake in a list. Carries no cell's content. Shown in English; [`RosterError::what`] and
/// [`RosterError::remedy`] speak the other languages too.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RosterError {
    /// The line of the file, from 1.
    pub line: u64,
    /// The column by name, where it is one that the list should have.
    pub column: Option<&'static str>,
    /// The cell's place in its row, from 1, where that is all that can be said.
    pub cell: Option<usize>,
    /// What is wrong.
    pub code: RowCode,
    /// The numbers that the message names, in order.
    pub numbers: [u64; 2],
}

impl std::error::Error for RosterError {}

impl fmt::Display for RosterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        match (self.column, self.cell) {
            (Some(column), _) => write!(f, ", column {column}")?,
            (None, Some(cell)) => write!(f, ", cell {cell}")?,
            (None, None) => {}
        }
        let (what, remedy) = (self.what(Language::En), self.remedy(Language::En));
        write!(f, ": {what} ({}): {remedy}", self.code.name())
    }
}

/// A list with mistakes: nothing was made of it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the list has mistakes ({count}), nothing was made of it; the first: {}", .errors[0])]
pub struct RosterRefused {
    /// The mistakes in order of lines; at least one, at most [`ERRORS_MAX`].
    pub errors: Vec<RosterError>,
    /// All of them, also those not listed.
    pub count: usize,
}

/// Mistakes as they are found.
#[derive(Default)]
pub(crate) struct Mistakes {
    errors: Vec<RosterError>,
    count: usize,
}

impl Mistakes {
    pub(crate) fn add(&mut self, error: RosterError) {
        self.count += 1;
        if self.errors.len() < ERRORS_MAX {
            self.errors.push(error);
        }
    }

    fn refuse<T>(self) -> Result<T, RosterRefused> {
        assert!(self.count > 0, "a refusal names a mistake");
        Err(RosterRefused { errors: self.errors, count: self.count })
    }

    /// Nothing, or a refusal with all of them.
    pub(crate) fn told(self) -> Result<(), RosterRefused> {
        if self.count > 0 { self.refuse() } else { Ok(()) }
    }
}

/// One graduate of the list. `Debug` shows the line alone, so that no log can name the person.
#[derive(Clone, PartialEq, Eq)]
pub struct Row {
    /// Where it stood.
    pub line: u64,
    /// The column `university`, if the list has it: a BIN, or a number by which the reader knows one.
    pub university: Option<String>,
    /// The column `iin`, if the list has it. It never enters the diploma: a consent is checked against it.
    pub iin: Option<Iin>,
    /// What the diploma will say.
    pub requisites: Requisites,
}

impl Row {
    /// The programme and level that must be accredited for this diploma.
    pub fn scope(&self) -> Scope {
        let programme = Programme::new(&self.requisites.programme.code);
        Scope {
            programme: programme.expect("a checked code has the ledger's alphabet"),
            level: Level::new(self.requisites.level).expect("a checked level is the ledger's"),
        }
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row").field("line", &self.line).finish_non_exhaustive()
    }
}

/// A list without mistakes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Roster {
    /// The graduates in order of lines; at least one, at most [`ROWS_MAX`].
    pub rows: Vec<Row>,
}

impl Roster {
    /// Reads a list. Comma, semicolon and tab part cells, whichever the first line uses; quotation marks, a
    /// byte order mark and both ends of line are as spreadsheets write them. Cells are trimmed, rows of empty
    /// cells skipped.
    pub fn parse(bytes: &[u8]) -> Result<Roster, RosterRefused> {
        let mut mistakes = Mistakes::default();
        let Some((text, delimiter)) = text_and_delimiter(bytes, &mut mistakes) else {
            return mistakes.refuse();
        };
        let mut reader = ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(text);
        let header = match reader.byte_headers() {
            Ok(names) => Header::read(names, &mut mistakes),
            Err(_) => None,
        };
        let Some(header) = header else { return mistakes.refuse() };
        let mut rows = Vec::new();
        let mut seen = Seen::default();
        let mut lines = Lines { text, at: 0, line: 1 };
        for record in reader.byte_records() {
            // Reading from memory with rows of any length cannot fail.
            let record = record.expect("a list in memory is read to its end");
            let line = lines.line_of(record.position().map_or(0, csv::Position::byte));
            if record.iter().all(|cell| cell.trim_ascii().is_empty()) {
                continue;
            }
            if rows.len() >= ROWS_MAX {
                mistakes.add(RosterError::counting(line, RowCode::TooManyRows, [ROWS_MAX as u64, 0]));
                break;
            }
            rows.extend(read_row(&record, line, &header, &mut seen, &mut mistakes));
        }
        if rows.is_empty() && mistakes.count == 0 {
            mistakes.add(RosterError::of_row(1, RowCode::NoRows));
        }
        if mistakes.count > 0 { mistakes.refuse() } else { Ok(Roster { rows }) }
    }

    /// The graduates of one university, by what the column `university` says.
    pub fn of_university<'a>(&'a self, university: &'a str) -> impl Iterator<Item = &'a Row> {
        self.rows.iter().filter(move |row| row.university.as_deref() == Some(university))
    }
}

impl RosterError {
    pub(crate) const fn of_row(line: u64, code: RowCode) -> RosterError {
        RosterError::counting(line, code, [0; 2])
    }

    pub(crate) const fn counting(line: u64, code: RowCode, numbers: [u64; 2]) -> RosterError {
        RosterError { line, column: None, cell: None, code, numbers }
    }

    /// What is wrong, in this language.
    pub fn what(&self, language: Language) -> String {
        self.code.told(language, self.numbers)
    }

    /// What to do, in this language.
    pub const fn remedy(&self, language: Language) -> &'static str {
        self.code.remedy(language)
    }
}

/// Refuses what is no text of a bearable length, and finds what parts the cells of the first line.
fn text_and_delimiter<'a>(bytes: &'a [u8], mistakes: &mut Mistakes) -> Option<(&'a [u8], u8)> {
    if bytes.len() > ROSTER_BYTES_MAX {
        let numbers = [bytes.len() as u64, ROSTER_BYTES_MAX as u64];
        mistakes.add(RosterError::counting(1, RowCode::ListTooLong, numbers));
        return None;
    }
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if text.starts_with(b"\xff\xfe") || text.starts_with(b"\xfe\xff") || std::str::from_utf8(text).is_err() {
        let line = 1 + valid_prefix(text).iter().filter(|byte| **byte == b'\n').count() as u64;
        mistakes.add(RosterError::of_row(line, RowCode::NotUtf8));
        return None;
    }
    let first = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let delimiter = [b',', b';', b'\t'].into_iter().max_by_key(|delimiter| {
        // The first of equals should win, and `max_by_key` gives the last.
        let count = first.iter().filter(|byte| *byte == delimiter).count();
        (count, std::cmp::Reverse(*delimiter))
    })?;
    if !first.contains(&delimiter) {
        mistakes.add(RosterError::of_row(1, RowCode::WrongDelimiter));
        return None;
    }
    Some((text, delimiter))
}

fn valid_prefix(text: &[u8]) -> &[u8] {
    match std::str::from_utf8(text) {
        Ok(_) => text,
        Err(error) => &text[..error.valid_up_to()],
    }
}

/// Counts lines as an editor shows them. The CSV reader's own count lags behind at CRLF and at empty lines.
struct Lines<'a> {
    text: &'a [u8],
    at: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line of the row that begins at `byte` or, past ends of line, after it. Rows are asked in order.
    fn line_of(&mut self, byte: u64) -> u64 {
        let from = self.text.len().min(byte as usize);
        let ends = self.text[from..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let passed = &self.text[self.at..from + ends];
        self.line += passed.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.at = from + ends;
        self.line
    }
}

/// The rows and numbers read so far, by the line they stood on.
#[derive(Default)]
struct Seen {
    rows: BTreeMap<Hash, u64>,
    numbers: BTreeMap<DiplomaNumber, u64>,
}

fn read_row(
    record: &ByteRecord,
    line: u64,
    header: &Header,
    seen: &mut Seen,
    mistakes: &mut Mistakes,
) -> Option<Row> {
    if record.as_slice().len() > ROW_BYTES_MAX {
        mistakes.add(RosterError::counting(line, RowCode::RowTooLong, [ROW_BYTES_MAX as u64, 0]));
        return None;
    }
    if record.len() != header.len() {
        let numbers = [record.len() as u64, header.len() as u64];
        mistakes.add(RosterError::counting(line, RowCode::WrongCellCount, numbers));
        return None;
    }
    if let Some(first) = seen.rows.insert(name_of(record), line) {
        mistakes.add(RosterError::counting(line, RowCode::DuplicateRow, [first, 0]));
        return None;
    }
    let (university, iin, requisites) = Cells { record, line, header, mistakes }.read()?;
    if let Some(first) = seen.numbers.insert(requisites.diploma_number.clone(), line) {
        mistakes.add(RosterError {
            column: Some("diploma_number"),
            ..RosterError::counting(line, RowCode::DuplicateNumber, [first, 0])
        });
        return None;
    }
    Some(Row { line, university, iin, requisites })
}

/// A name for the content of a row: two rows with the same cells have the same.
fn name_of(record: &ByteRecord) -> Hash {
    let mut framed = Vec::with_capacity(record.as_slice().len() + 8 * record.len());
    for cell in record {
        framed.extend((cell.len() as u64).to_be_bytes());
        framed.extend(cell);
    }
    Hash::plain(&framed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::{HEADER, csv, line};

    fn mistakes(list: &str) -> Vec<(u64, Option<&'static str>, &'static str)> {
        let refused = Roster::parse(list.as_bytes()).expect_err("has mistakes");
        refused.errors.iter().map(|error| (error.line, error.column, error.code.name())).collect()
    }

    /// The mistakes of a list whose second row has `from` replaced by `to`.
    fn with(from: &str, to: &str) -> Vec<(u64, Option<&'static str>, &'static str)> {
        assert!(line(2).contains(from), "{from}");
        mistakes(&csv([line(1), line(2).replacen(from, to, 1)]))
    }

    #[test]
    fn the_example_class_has_no_mistakes() {
        let roster = Roster::parse(include_bytes!("../../examples/class-2026.csv")).expect("no mistakes");
        assert_eq!(roster.rows.len(), 1_000);
        let sizes = ["1", "2", "3", "4"].map(|university| roster.of_university(university).count());
        assert_eq!(sizes, [260, 260, 240, 240]);
    }

    #[test]
    fn the_example_class_shows_every_kazakh_letter() {
        let text = include_str!("../../examples/class-2026.csv");
        for letter in "әғқңөұүһі".chars() {
            assert!(text.contains(letter), "{letter}");
        }
    }

    #[test]
    fn every_cell_tells_its_own_mistake() {
        let found = |column, code| vec![(3, Some(column), code)];
        assert_eq!(with("Үлгі-Қиял", ""), found("family_name_kk", "EMPTY"));
        assert_eq!(with("Sample", "a\u{202e}b"), found("family_name_en", "CHARACTERS"));
        assert_eq!(with("Sample", &"x".repeat(201)), found("family_name_en", "TOO_LONG"));
        assert_eq!(with("6B06101", "6b06101"), found("programme_code", "PROGRAMME_CODE"));
        assert_eq!(with("6B06101", ""), found("programme_code", "EMPTY"));
        assert_eq!(with(",6,no", ",bachelor,no"), found("level", "LEVEL"));
        assert_eq!(with(",6,no", ",9,no"), found("level", "LEVEL"));
        assert_eq!(with(",6,no", ",,no"), found("level", "LEVEL"));
        assert_eq!(with(",6,no", ",7,no"), found("level", "LEVEL_OF_PROGRAMME"));
        assert_eq!(with("no", "maybe"), found("honours", "HONOURS"));
        assert_eq!(with("full_time", "fulltime"), found("study_form", "STUDY_FORM"));
        assert_eq!(with("2026-06-30", "30.06.2026"), found("award_date", "DATE"));
        assert_eq!(with("2026-06-30", "2026-06-31"), found("award_date", "DATE"));
        assert_eq!(with("2026-06-30", "2026-06-01"), found("award_date", "DATE_ORDER"));
        assert_eq!(with("R-2", &"9".repeat(33)), found("registration_number", "TOO_LONG"));
    }

    #[test]
    fn an_iin_is_read_beside_the_diploma_and_shown_nowhere() {
        let list = csv([line(1)]).replacen("level", "level,iin", 1).replacen(",6,", ",6,000000000001,", 1);
        let roster = Roster::parse(list.as_bytes()).expect("no mistakes");
        assert_eq!(roster.rows[0].iin.map(|iin| iin.digits().to_owned()).as_deref(), Some("000000000001"));
        assert!(!format!("{roster:?}").contains("000000000001"));
        assert_eq!(mistakes(&list.replace("000000000001", "1")), vec![(2, Some("iin"), "IIN")]);
    }

    #[test]
    fn all_rows_are_checked_and_all_mistakes_of_a_row_told() {
        let bad = line(2).replace("2026-06-30", "soon").replace("full_time", "?").replace("Sample", "");
        let found = mistakes(&csv([line(1), bad.clone(), line(3), bad.replace("R-2", "R-4")]));
        let columns = [Some("family_name_en"), Some("study_form"), Some("award_date")];
        let expected: Vec<_> = [3, 5].into_iter().flat_map(|n| columns.map(|column| (n, column))).collect();
        assert_eq!(found.iter().map(|(n, column, _)| (*n, *column)).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn repeated_rows_and_numbers_name_the_first() {
        assert_eq!(mistakes(&csv([line(1), line(1)])), vec![(3, None, "DUPLICATE_ROW")]);
        let same_number = line(2).replace("0000002", "0000001");
        let refused = Roster::parse(csv([line(1), same_number]).as_bytes()).expect_err("has a mistake");
        assert_eq!((refused.errors[0].code, refused.errors[0].line), (RowCode::DuplicateNumber, 3));
        assert_eq!(refused.errors[0].numbers, [2, 0]);
    }

    #[test]
    fn what_spreadsheets_write_is_read() {
        let plain = Roster::parse(csv([line(1), line(2)]).as_bytes()).expect("no mistakes");
        let quoted = csv([line(1), line(2)]).replace("Sample", "\"Sample\"");
        let with_mark = format!("\u{feff}{}", csv([line(1), line(2)]));
        let crlf = csv([line(1), line(2)]).replace('\n', "\r\n");
        let semicolons = csv([line(1), line(2)]).replace(',', ";");
        let tabs = csv([line(1), line(2)]).replace(',', "\t");
        let spaces = csv([line(1), line(2)]).replace(",no,", ", no ,");
        let empty_rows = csv([line(1), line(2)]) + &",".repeat(21) + "\n\n";
        let apart = csv([line(1), line(2)]).replace("R-1\n", "R-1\r\n\r\n");
        for (what, list) in [
            ("quotation marks", quoted),
            ("a byte order mark", with_mark),
            ("CRLF", crlf),
            ("semicolons", semicolons),
            ("tabs", tabs),
            ("spaces", spaces),
            ("empty rows", empty_rows),
        ] {
            assert_eq!(Roster::parse(list.as_bytes()), Ok(plain.clone()), "{what}");
        }
        let lines =
            Roster::parse(apart.as_bytes()).expect("no mistakes").rows.into_iter().map(|row| row.line);
        assert_eq!(lines.collect::<Vec<_>>(), [2, 4], "an empty line counts as a line");
    }

    #[test]
    fn a_file_that_is_no_list_is_told_so() {
        assert_eq!(mistakes(&csv([line(1)]).replace(',', "|")), vec![(1, None, "WRONG_DELIMITER")]);
        assert_eq!(mistakes(""), vec![(1, None, "WRONG_DELIMITER")]);
        assert_eq!(mistakes(&csv([])), vec![(1, None, "NO_ROWS")]);
        let cp1251 = [HEADER.as_bytes(), b"\n\xd3\xeb\xe3\xb3,"].concat();
        let utf16 = b"\xff\xfef\0a\0".to_vec();
        for (line, bytes) in [(2, cp1251), (1, utf16)] {
            let refused = Roster::parse(&bytes).expect_err("is not UTF-8");
            assert_eq!((refused.errors[0].code, refused.errors[0].line), (RowCode::NotUtf8, line));
        }
    }

    #[test]
    fn missing_foreign_and_repeated_columns_are_told() {
        let without = csv([line(1)]).replacen(",registration_number", "", 1).replacen(",R-1", "", 1);
        assert_eq!(mistakes(&without), vec![(1, Some("registration_number"), "MISSING_COLUMN")]);
        let foreign = csv([line(1)]).replacen("level", "birth_date", 1);
        assert_eq!(
            mistakes(&foreign),
            vec![(1, None, "UNKNOWN_COLUMN"), (1, Some("level"), "MISSING_COLUMN")]
        );
        let twice = csv([line(1)]).replacen("honours", "level", 1);
        let found = mistakes(&twice);
        assert_eq!(
            found,
            vec![(1, Some("level"), "DUPLICATE_COLUMN"), (1, Some("honours"), "MISSING_COLUMN")]
        );
    }

    #[test]
    fn cells_that_ran_together_and_open_quotation_marks_are_told() {
        assert_eq!(with(",no,", ",no"), vec![(3, None, "WRONG_CELL_COUNT")]);
        assert_eq!(with("Sample", "Sample,Sample"), vec![(3, None, "WRONG_CELL_COUNT")]);
        let open =
            csv((1..=400).map(|n| if n == 2 { line(n).replacen("Үлгі", "\"Үлгі", 1) } else { line(n) }));
        assert_eq!(mistakes(&open), vec![(3, None, "ROW_TOO_LONG")]);
    }

    #[test]
    fn mistakes_quote_nothing_of_the_list() {
        // No first line: the first graduate stands where the columns should be named.
        let headless = line(1) + "\n";
        let wrong = csv([line(1).replace(",6,no", ",Сынақова,no")]);
        for list in [headless, wrong] {
            let refused = Roster::parse(list.as_bytes()).expect_err("has mistakes");
            for error in &refused.errors {
                let mut told = error.to_string();
                Language::ALL.iter().for_each(|language| told += &error.what(*language));
                assert!(!told.contains("Сынақова") && !told.contains("Үлгі"), "{told}");
            }
        }
    }

    #[test]
    fn what_grows_is_bounded() {
        let many = csv((1..=ROWS_MAX + 2).map(line));
        assert_eq!(mistakes(&many), vec![(ROWS_MAX as u64 + 2, None, "TOO_MANY_ROWS")]);
        let bad = csv((1..=ERRORS_MAX + 5).map(|n| line(n).replace("full_time", "?")));
        let refused = Roster::parse(bad.as_bytes()).expect_err("has mistakes");
        assert_eq!((refused.errors.len(), refused.count), (ERRORS_MAX, ERRORS_MAX + 5));
        let huge = vec![b'a'; ROSTER_BYTES_MAX + 1];
        assert_eq!(Roster::parse(&huge).expect_err("is too long").errors[0].code, RowCode::ListTooLong);
    }
}
