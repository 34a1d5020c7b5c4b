//! The national registry as a file: the JSON that the registry's answer has, for devnets and tests.

use std::collections::BTreeMap;

use serde::Deserialize;
use tanba_credential::requisites::{Date, DiplomaNumber};
use tanba_eds::Iin;

use super::{Graduate, NationalRegistry, RegistryUnavailable};

/// Bytes of a registry's file.
pub const REGISTRY_BYTES_MAX: usize = 32 * 1024 * 1024;

/// A registry read from a file, or an answer of the real one.
#[derive(Debug)]
pub struct FileRegistry {
    graduates: BTreeMap<DiplomaNumber, Graduate>,
}

/// A text that is no registry's file. It carries a place, and nothing of the file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FileRegistryError {
    /// Above [`REGISTRY_BYTES_MAX`].
    #[error("a registry's file has at most {REGISTRY_BYTES_MAX} bytes")]
    TooLong,
    /// Not the JSON of a registry.
    #[error("not the JSON of a registry's answer (line {line}, column {column})")]
    Malformed {
        /// Where, from 1.
        line: usize,
        /// Where in the line.
        column: usize,
    },
    /// A value that its field cannot have.
    #[error("number {at} of the list, counted from 0: {field} is none")]
    Value {
        /// Which.
        at: usize,
        /// Which field of it.
        field: &'static str,
    },
    /// Two diplomas of one series and number.
    #[error("number {at} of the list, counted from 0, has series and number of another")]
    Twice {
        /// The second of the two.
        at: usize,
    },
}

#[derive(Deserialize)]
struct Answer {
    graduates: Vec<Wire>,
}

/// The fields of the registry's record that are used here. It holds more (birth date, sex, ethnicity, funding), which is
/// not read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    iin: Option<String>,
    last_name: String,
    first_name: String,
    patronymic: Option<String>,
    profession_code: String,
    iac_diploma_series: String,
    iac_diploma_number: String,
    registration_number: Option<String>,
    diploma_date: Option<String>,
    diploma_honor: Option<bool>,
}

impl FileRegistry {
    /// Reads `{"graduates":[…]}`.
    pub fn parse(bytes: &[u8]) -> Result<FileRegistry, FileRegistryError> {
        if bytes.len() > REGISTRY_BYTES_MAX {
            return Err(FileRegistryError::TooLong);
        }
        let answer: Answer = serde_json::from_slice(bytes)
            .map_err(|error| FileRegistryError::Malformed { line: error.line(), column: error.column() })?;
        let mut graduates = BTreeMap::new();
        for (at, wire) in answer.graduates.into_iter().enumerate() {
            let graduate = graduate(at, wire)?;
            let (series, number) = (graduate.series.clone(), graduate.number.clone());
            if graduates.insert(DiplomaNumber { series, number }, graduate).is_some() {
                return Err(FileRegistryError::Twice { at });
            }
        }
        Ok(FileRegistry { graduates })
    }
}

impl NationalRegistry for FileRegistry {
    fn find(&mut self, numbers: &[DiplomaNumber]) -> Result<Vec<Option<Graduate>>, RegistryUnavailable> {
        Ok(numbers.iter().map(|number| self.graduates.get(number).cloned()).collect())
    }
}

fn graduate(at: usize, wire: Wire) -> Result<Graduate, FileRegistryError> {
    let none = |field| FileRegistryError::Value { at, field };
    // The registry writes what it does not have as an empty text.
    let present = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    let iin = present(wire.iin).map(|iin| Iin::from_digits(&iin).ok_or(none("iin"))).transpose()?;
    let date = present(wire.diploma_date).map(|date| Date::parse(&date).ok_or(none("diplomaDate")));
    Ok(Graduate {
        iin,
        family_name: wire.last_name,
        given_name: wire.first_name,
        patronymic: present(wire.patronymic),
        programme_code: wire.profession_code,
        series: wire.iac_diploma_series,
        number: wire.iac_diploma_number,
        registration_number: present(wire.registration_number),
        award_date: date.transpose()?,
        honours: wire.diploma_honor,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = r#"{"graduates":[{"iin":"000000000001","lastName":"Үлгі","firstName":"Мысал","patronymic":"",
        "professionCode":"6B06101","iacDiplomaSeries":"TEST-BD","iacDiplomaNumber":"0000001",
        "registrationNumber":"R-1","diplomaDate":"2026-06-30","diplomaHonor":false,
        "birthDate":"2004-01-01","nationId":1}]}"#;

    fn number(number: &str) -> DiplomaNumber {
        DiplomaNumber { series: "TEST-BD".into(), number: number.into() }
    }

    #[test]
    fn a_diploma_is_found_by_series_and_number() {
        let mut registry = FileRegistry::parse(ONE.as_bytes()).expect("a registry");
        let found = registry.find(&[number("0000001"), number("0000002")]).expect("answers");
        let graduate = found[0].as_ref().expect("is there");
        assert_eq!((graduate.patronymic.as_deref(), graduate.honours), (None, Some(false)));
        assert_eq!(found[1], None);
    }

    #[test]
    fn what_is_no_registry_is_refused_without_quoting_it() {
        let refused = |text: &str| FileRegistry::parse(text.as_bytes()).expect_err("is refused").to_string();
        assert!(refused("{").contains("line 1"));
        assert!(refused(&ONE.replace("2026-06-30", "30.06.2026")).contains("diplomaDate"));
        assert!(refused(&ONE.replace("000000000001", "1")).contains("iin"));
        let twice = ONE.replace("]}", &format!(",{}", &ONE[ONE.find('[').expect("a list") + 1..]));
        assert!(refused(&twice).contains("of another"));
        assert!(!refused(&ONE.replace("Мысал\"", "Мысал")).contains("Мысал"));
    }
}
