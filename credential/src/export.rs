//! The disclosed requisites in other vocabularies: Open Badges 3.0 (1EdTech) and the European Learning Model (Europass),
//! for tools that know those. A view is not signed and proves nothing: what proves is the document beside it. It is a
//! pure function of what was disclosed, and nothing is added that the diploma does not say.
//!
//! | Requisite | Open Badges 3.0 | European Learning Model |
//! |---|---|---|
//! | `family_name`, `given_name`, `patronymic` | `credentialSubject.identifier[]`, type `name` | `familyName`, `givenName`, `patronymicName`, `fullName` |
//! | `qualification` | `achievement.name` | `hasClaim.specifiedBy.title`, `hasClaim.title` |
//! | `programme` | `achievement.fieldOfStudy`, `achievement.humanCode` | `specifiedBy.identifier`, `specifiedBy.description` |
//! | `level` | `achievement.achievementType` | `specifiedBy.nqfLevel` |
//! | `honours` | `credentialSubject.narrative` | `hasClaim.additionalNote` |
//! | `study_form` | – | `specifiedBy.mode` |
//! | `award_date` | `awardedDate`, `validFrom` | `awardedBy.awardingDate`, `validFrom` |
//! | `commission_minutes` | – | `awardedBy.identifier` |
//! | `diploma_number` | `credentialSubject.licenseNumber` | `identifier` |
//! | `registration_number` | – | `hasClaim.identifier` |
//! | issuer, F | `issuer`, `id` | `issuer`, `id` |
//!
//! The level is the national framework's. Which European level it compares to is not the diploma's word, so `eqfLevel`
//! is left out.

mod europass;
mod open_badge;

use std::{collections::BTreeMap, fmt::Write};

pub use europass::europass;
pub use open_badge::open_badge;

use crate::{
    Opened,
    requisites::{Date, DiplomaNumber, Field, ProgrammeName, Texts, Value},
};

/// A language of the diploma.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Language {
    /// Kazakh.
    Kazakh,
    /// Russian.
    Russian,
    /// English.
    English,
}

impl Language {
    /// Its tag (BCP 47).
    pub const fn tag(self) -> &'static str {
        match self {
            Language::Kazakh => "kk",
            Language::Russian => "ru",
            Language::English => "en",
        }
    }

    fn of(self, texts: &Texts) -> &str {
        match self {
            Language::Kazakh => &texts.kk,
            Language::Russian => &texts.ru,
            Language::English => &texts.en,
        }
    }
}

/// Why there is no view: the fields of a diploma's face are not all disclosed. A degree is never shown without its
/// level, in any vocabulary.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{} is not disclosed", .0.name())]
pub struct Missing(pub Field);

/// The fields that every view needs, by name.
struct Face<'a> {
    family_name: &'a Texts,
    given_name: &'a Texts,
    patronymic: Option<&'a Texts>,
    qualification: &'a Texts,
    programme: &'a ProgrammeName,
    level: u8,
    honours: bool,
    award_date: Date,
    diploma_number: &'a DiplomaNumber,
}

impl<'a> Face<'a> {
    fn of(fields: &'a BTreeMap<Field, Value>) -> Result<Face<'a>, Missing> {
        let texts = |field| match fields.get(&field) {
            Some(Value::Texts(texts)) => Ok(texts),
            _ => Err(Missing(field)),
        };
        let programme = match fields.get(&Field::Programme) {
            Some(Value::Programme(programme)) => programme,
            _ => return Err(Missing(Field::Programme)),
        };
        let level = match fields.get(&Field::Level) {
            Some(Value::Level(level)) => *level,
            _ => return Err(Missing(Field::Level)),
        };
        let honours = match fields.get(&Field::Honours) {
            Some(Value::Honours(honours)) => *honours,
            _ => return Err(Missing(Field::Honours)),
        };
        let award_date = match fields.get(&Field::AwardDate) {
            Some(Value::Date(date)) => *date,
            _ => return Err(Missing(Field::AwardDate)),
        };
        let diploma_number = match fields.get(&Field::DiplomaNumber) {
            Some(Value::DiplomaNumber(number)) => number,
            _ => return Err(Missing(Field::DiplomaNumber)),
        };
        Ok(Face {
            family_name: texts(Field::FamilyName)?,
            given_name: texts(Field::GivenName)?,
            patronymic: texts(Field::Patronymic).ok(),
            qualification: texts(Field::Qualification)?,
            programme,
            level,
            honours,
            award_date,
            diploma_number,
        })
    }

    /// Family name, given name and, where there is one, patronymic: the order of an official paper.
    fn full_name(&self, language: Language) -> String {
        let mut name = format!("{} {}", language.of(self.family_name), language.of(self.given_name));
        if let Some(patronymic) = self.patronymic {
            write!(name, " {}", language.of(patronymic)).expect("a text takes more text");
        }
        name
    }

    fn number(&self) -> String {
        format!("{} {}", self.diploma_number.series, self.diploma_number.number)
    }
}

/// The token's name as a URN.
fn id(opened: &Opened) -> String {
    format!("urn:kz:edu:diploma:{}:{}", opened.issuer, opened.fingerprint)
}

fn issuer_id(opened: &Opened) -> String {
    format!("urn:kz:bin:{}", opened.issuer)
}

fn midnight(date: Date) -> String {
    format!("{date}T00:00:00Z")
}
