//! What a diploma says: the requisites of a university's own-sample diploma, and nothing else.
//!
//! The list is closed. The national registry's record of a graduate holds much more (identification number,
//! birth date, sex, ethnicity, citizenship, funding, marks); none of it has a place here, so none of it can
//! enter a document by mistake. A field outside [`Field`] is refused on making and on reading.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Characters of one name, title or programme name in one language.
pub const TEXT_CHARS_MAX: usize = 200;

/// Characters of a number or series.
pub const NUMBER_CHARS_MAX: usize = 32;

/// A claim that a diploma may carry.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Field {
    /// `family_name`: three texts.
    FamilyName,
    /// `given_name`: three texts.
    GivenName,
    /// `patronymic`: three texts; the only field that may be missing.
    Patronymic,
    /// `qualification`: the degree or qualification awarded, three texts.
    Qualification,
    /// `programme`: the code and name of the educational programme.
    Programme,
    /// `level`: the level of the national qualifications framework, 5 to 8.
    Level,
    /// `honours`: whether the diploma is with honours.
    Honours,
    /// `study_form`: a code of [`StudyForm`].
    StudyForm,
    /// `award_date`: the day of award.
    AwardDate,
    /// `commission_minutes`: number and day of the attestation commission's minutes.
    CommissionMinutes,
    /// `diploma_number`: series and number given by the national registry; without them a diploma is invalid.
    DiplomaNumber,
    /// `registration_number`: the university's own.
    RegistrationNumber,
}

impl Field {
    /// Every claim that may occur.
    pub const ALL: [Field; 12] = [
        Field::FamilyName,
        Field::GivenName,
        Field::Patronymic,
        Field::Qualification,
        Field::Programme,
        Field::Level,
        Field::Honours,
        Field::StudyForm,
        Field::AwardDate,
        Field::CommissionMinutes,
        Field::DiplomaNumber,
        Field::RegistrationNumber,
    ];

    /// What the face of a printed diploma says; kept in one subtree, so that a printed code proves it with two
    /// nodes.
    pub const PRINT_SET: [Field; 8] = [
        Field::FamilyName,
        Field::GivenName,
        Field::Qualification,
        Field::Programme,
        Field::Level,
        Field::Honours,
        Field::AwardDate,
        Field::DiplomaNumber,
    ];

    /// The claim's name in the document.
    pub const fn name(self) -> &'static str {
        match self {
            Field::FamilyName => "family_name",
            Field::GivenName => "given_name",
            Field::Patronymic => "patronymic",
            Field::Qualification => "qualification",
            Field::Programme => "programme",
            Field::Level => "level",
            Field::Honours => "honours",
            Field::StudyForm => "study_form",
            Field::AwardDate => "award_date",
            Field::CommissionMinutes => "commission_minutes",
            Field::DiplomaNumber => "diploma_number",
            Field::RegistrationNumber => "registration_number",
        }
    }

    /// The field of this name, if the list has it.
    pub fn by_name(name: &str) -> Option<Field> {
        Field::ALL.into_iter().find(|field| field.name() == name)
    }

    /// Whether every diploma has it.
    pub const fn is_required(self) -> bool {
        !matches!(self, Field::Patronymic)
    }
}

/// One text in the three languages of a diploma.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Texts {
    /// Kazakh.
    pub kk: String,
    /// Russian.
    pub ru: String,
    /// English.
    pub en: String,
}

/// An educational programme.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProgrammeName {
    /// The classifier's code: 1 to 16 of `A-Z` and `0-9`.
    pub code: String,
    /// What it is called.
    pub name: Texts,
}

/// The minutes in which the attestation commission awarded the qualification.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Minutes {
    /// Their number.
    pub number: String,
    /// Their day.
    pub date: Date,
}

/// What the national registry numbers a diploma by.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiplomaNumber {
    /// The series.
    pub series: String,
    /// The number within it.
    pub number: String,
}

/// How the graduate studied.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StudyForm {
    /// By day, on site.
    FullTime,
    /// In the evening, on site.
    Evening,
    /// By correspondence, as older diplomas have it.
    Correspondence,
    /// Online.
    Online,
}

impl StudyForm {
    /// Reads the code: `full_time`, `evening`, `correspondence` or `online`.
    pub fn parse(code: &str) -> Option<StudyForm> {
        match code {
            "full_time" => Some(StudyForm::FullTime),
            "evening" => Some(StudyForm::Evening),
            "correspondence" => Some(StudyForm::Correspondence),
            "online" => Some(StudyForm::Online),
            _ => None,
        }
    }
}

/// A day of the Gregorian calendar between 1970 and 9999, written `YYYY-MM-DD`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl Date {
    /// The day of this year, month and day of month, if there is one.
    pub fn new(year: u16, month: u8, day: u8) -> Option<Date> {
        let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let days = match month {
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            1..=12 => 31,
            _ => return None,
        };
        ((1970..=9999).contains(&year) && (1..=days).contains(&day)).then_some(Date { year, month, day })
    }

    /// Reads `YYYY-MM-DD`, and no other spelling.
    pub fn parse(text: &str) -> Option<Date> {
        let bytes = text.as_bytes();
        if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
            return None;
        }
        let number = |range: std::ops::Range<usize>| {
            bytes[range].iter().try_fold(0u16, |sum, digit| {
                digit.is_ascii_digit().then(|| sum * 10 + u16::from(digit - b'0'))
            })
        };
        Date::new(number(0..4)?, number(5..7)? as u8, number(8..10)? as u8)
    }

    /// The year.
    pub const fn year(self) -> u16 {
        self.year
    }

    /// The month, from 1.
    pub const fn month(self) -> u8 {
        self.month
    }

    /// The day of the month, from 1.
    pub const fn day(self) -> u8 {
        self.day
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
        let text = String::deserialize(deserializer)?;
        Date::parse(&text).ok_or_else(|| de::Error::custom("expected a day as YYYY-MM-DD"))
    }
}

/// The value of one field.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// Of names and the qualification.
    Texts(Texts),
    /// Of the programme.
    Programme(ProgrammeName),
    /// Of the level.
    Level(u8),
    /// Of the honours.
    Honours(bool),
    /// Of the form of study.
    StudyForm(StudyForm),
    /// Of the day of award.
    Date(Date),
    /// Of the commission's minutes.
    Minutes(Minutes),
    /// Of series and number.
    DiplomaNumber(DiplomaNumber),
    /// Of the registration number.
    Text(String),
}

/// What is wrong with a value. Never carries the value, which may be personal.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Fault {
    /// Nothing there.
    #[error("it is empty")]
    Empty,
    /// Longer than its limit.
    #[error("it is longer than {chars_max} characters")]
    TooLong {
        /// Characters allowed.
        chars_max: usize,
    },
    /// Characters that are not seen or that reorder what is seen, or space at either end.
    #[error("it holds invisible or control characters, or begins or ends with a space")]
    Characters,
    /// Not a programme code.
    #[error("a programme code has 1 to 16 of A-Z and 0-9")]
    ProgrammeCode,
    /// Not a level of the framework.
    #[error("a level is a number from 5 to 8")]
    Level,
    /// The code names a level, and it is not the level given.
    #[error("the programme code is of another level")]
    LevelOfProgramme,
    /// A decision that came before what it decides on.
    #[error("the award is dated before the commission's minutes")]
    AwardBeforeMinutes,
}

/// A field that may not enter a diploma as it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{}: {fault}", .field.name())]
pub struct FieldError {
    /// Which field.
    pub field: Field,
    /// What is wrong with it.
    pub fault: Fault,
}

/// Checks a text of a person's or institution's making: not empty, at most `chars_max` characters, all of them
/// visible, no space at the ends. Two texts that look alike shall not differ in what cannot be seen.
pub fn check_text(text: &str, chars_max: usize) -> Result<(), Fault> {
    let unseen = |c: char| {
        c.is_control()
            || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
            || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff0}'..='\u{ffff}')
    };
    if text.is_empty() {
        Err(Fault::Empty)
    } else if text.chars().nth(chars_max).is_some() {
        Err(Fault::TooLong { chars_max })
    } else if text.chars().any(unseen) || text.trim() != text {
        Err(Fault::Characters)
    } else {
        Ok(())
    }
}

/// Checks the code of a programme.
pub fn check_programme_code(code: &str) -> Result<(), Fault> {
    let allowed = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
    if (1..=16).contains(&code.len()) && code.bytes().all(allowed) {
        Ok(())
    } else {
        Err(Fault::ProgrammeCode)
    }
}

/// Checks a level, and that it is the one the code names: codes since 2019 begin with the level and its letter
/// (`6B` bachelor, `7M` master, `8D` doctor). Older codes name none.
pub fn check_level(level: u8, programme_code: &str) -> Result<(), Fault> {
    if !(5..=8).contains(&level) {
        return Err(Fault::Level);
    }
    let named = [("6B", 6), ("7M", 7), ("8D", 8)].into_iter().find(|(p, _)| programme_code.starts_with(p));
    if named.is_some_and(|(_, named)| named != level) { Err(Fault::LevelOfProgramme) } else { Ok(()) }
}

impl Value {
    /// Whether this is a value that `field` may have.
    pub fn check(&self, field: Field) -> Result<(), FieldError> {
        self.fault().map_err(|fault| FieldError { field, fault })
    }

    fn fault(&self) -> Result<(), Fault> {
        let texts = |texts: &Texts| {
            [&texts.kk, &texts.ru, &texts.en]
                .into_iter()
                .try_for_each(|text| check_text(text, TEXT_CHARS_MAX))
        };
        match self {
            Value::Texts(value) => texts(value),
            Value::Programme(programme) => {
                check_programme_code(&programme.code)?;
                texts(&programme.name)
            }
            Value::Level(level) => check_level(*level, ""),
            Value::Honours(_) | Value::StudyForm(_) | Value::Date(_) => Ok(()),
            Value::Minutes(minutes) => check_text(&minutes.number, NUMBER_CHARS_MAX),
            Value::DiplomaNumber(number) => {
                check_text(&number.series, NUMBER_CHARS_MAX)?;
                check_text(&number.number, NUMBER_CHARS_MAX)
            }
            Value::Text(text) => check_text(text, NUMBER_CHARS_MAX),
        }
    }

    /// Reads the value out of a disclosure's JSON, `[salt, name, value]`, in the shape its field has.
    pub(crate) fn read(field: Field, disclosure: &[u8]) -> Result<Value, serde_json::Error> {
        fn third<T: de::DeserializeOwned>(json: &[u8]) -> Result<T, serde_json::Error> {
            serde_json::from_slice::<(de::IgnoredAny, de::IgnoredAny, T)>(json).map(|(_, _, value)| value)
        }
        match field {
            Field::FamilyName | Field::GivenName | Field::Patronymic | Field::Qualification => {
                third(disclosure).map(Value::Texts)
            }
            Field::Programme => third(disclosure).map(Value::Programme),
            Field::Level => third(disclosure).map(Value::Level),
            Field::Honours => third(disclosure).map(Value::Honours),
            Field::StudyForm => third(disclosure).map(Value::StudyForm),
            Field::AwardDate => third(disclosure).map(Value::Date),
            Field::CommissionMinutes => third(disclosure).map(Value::Minutes),
            Field::DiplomaNumber => third(disclosure).map(Value::DiplomaNumber),
            Field::RegistrationNumber => third(disclosure).map(Value::Text),
        }
    }
}

/// All that one diploma says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Requisites {
    /// Family name.
    pub family_name: Texts,
    /// Given name.
    pub given_name: Texts,
    /// Patronymic, where the graduate has one.
    pub patronymic: Option<Texts>,
    /// Degree or qualification.
    pub qualification: Texts,
    /// Programme.
    pub programme: ProgrammeName,
    /// Level, 5 to 8.
    pub level: u8,
    /// With honours.
    pub honours: bool,
    /// Form of study.
    pub study_form: StudyForm,
    /// Day of award.
    pub award_date: Date,
    /// The commission's minutes.
    pub commission_minutes: Minutes,
    /// Series and number of the national registry.
    pub diploma_number: DiplomaNumber,
    /// The university's registration number.
    pub registration_number: String,
}

impl Requisites {
    /// The fields and their values, each checked.
    pub fn fields(&self) -> Result<BTreeMap<Field, Value>, FieldError> {
        let mut fields = BTreeMap::from([
            (Field::FamilyName, Value::Texts(self.family_name.clone())),
            (Field::GivenName, Value::Texts(self.given_name.clone())),
            (Field::Qualification, Value::Texts(self.qualification.clone())),
            (Field::Programme, Value::Programme(self.programme.clone())),
            (Field::Level, Value::Level(self.level)),
            (Field::Honours, Value::Honours(self.honours)),
            (Field::StudyForm, Value::StudyForm(self.study_form)),
            (Field::AwardDate, Value::Date(self.award_date)),
            (Field::CommissionMinutes, Value::Minutes(self.commission_minutes.clone())),
            (Field::DiplomaNumber, Value::DiplomaNumber(self.diploma_number.clone())),
            (Field::RegistrationNumber, Value::Text(self.registration_number.clone())),
        ]);
        if let Some(patronymic) = &self.patronymic {
            fields.insert(Field::Patronymic, Value::Texts(patronymic.clone()));
        }
        fields.iter().try_for_each(|(field, value)| value.check(*field))?;
        check_level(self.level, &self.programme.code)
            .map_err(|fault| FieldError { field: Field::Level, fault })?;
        if self.award_date < self.commission_minutes.date {
            return Err(FieldError { field: Field::AwardDate, fault: Fault::AwardBeforeMinutes });
        }
        Ok(fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_these_claims_may_occur() {
        let names: Vec<&str> = Field::ALL.iter().map(|field| field.name()).collect();
        let allowed = [
            "family_name",
            "given_name",
            "patronymic",
            "qualification",
            "programme",
            "level",
            "honours",
            "study_form",
            "award_date",
            "commission_minutes",
            "diploma_number",
            "registration_number",
        ];
        assert_eq!(names, allowed);
        for never in ["iin", "birth_date", "sex", "nationality", "funding", "gpa", "photo", "exp", "status"] {
            assert_eq!(Field::by_name(never), None);
        }
    }

    #[test]
    fn texts_that_deceive_the_eye_are_refused() {
        assert_eq!(check_text("Үлгіұлы-Һәқ ғңөі", 200), Ok(()));
        for bad in ["a\u{202e}b", "a\u{200b}b", "a\nb", " a", "a ", "a\u{feff}", "\u{ad}a"] {
            assert_eq!(check_text(bad, 200), Err(Fault::Characters), "{bad:?}");
        }
        assert_eq!(check_text("", 200), Err(Fault::Empty));
        assert_eq!(check_text(&"ә".repeat(200), 200), Ok(()));
        assert_eq!(check_text(&"ә".repeat(201), 200), Err(Fault::TooLong { chars_max: 200 }));
    }

    #[test]
    fn a_date_has_one_spelling_and_must_exist() {
        assert_eq!(Date::parse("2024-02-29").map(|d| d.to_string()), Some("2024-02-29".into()));
        for bad in ["2026-02-29", "2026-6-30", "30.06.2026", "2026-13-01", "2026-00-10", "1969-12-31", ""] {
            assert_eq!(Date::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_code_that_names_its_level_must_name_this_one() {
        assert_eq!(check_level(6, "6B06101"), Ok(()));
        assert_eq!(check_level(7, "6B06101"), Err(Fault::LevelOfProgramme));
        assert_eq!(check_level(6, "5B070400"), Ok(()));
        assert_eq!(check_level(9, "6B06101"), Err(Fault::Level));
    }
}
