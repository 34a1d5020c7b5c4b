//! The national registry of diplomas: what it answers about a row, and how a list is compared with that.
//!
//! Series and number of a diploma come from the registry; without them it is invalid. So nothing is made of a row before
//! the registry has it, with the same person and the same programme. What else differs is no reason to refuse: the
//! approver is told how often, and in which field.
//!
//! An adapter only fetches. The comparison is here, one for all adapters: [`mod@file`] for devnets and tests, and one that
//! asks over HTTP, whose form is written down in `docs/national-registry.md`.

pub mod file;

use tanba_credential::{
    Field, Requisites,
    requisites::{Date, DiplomaNumber, Texts},
};
use tanba_eds::Iin;

pub use file::FileRegistry;

use crate::{message::RowCode, roster::Row, state::Differences};

/// Diplomas that are asked about at once.
pub const ASKED_MAX: usize = 100;

/// What the registry has of one diploma. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Graduate {
    /// The number of the person, which it has of every citizen.
    pub iin: Option<Iin>,
    /// Family name, as it spells it.
    pub family_name: String,
    /// Given name.
    pub given_name: String,
    /// Patronymic, if it has one.
    pub patronymic: Option<String>,
    /// The code of the programme.
    pub programme_code: String,
    /// The series.
    pub series: String,
    /// The number within it.
    pub number: String,
    /// The university's own number.
    pub registration_number: Option<String>,
    /// The day on the diploma.
    pub award_date: Option<Date>,
    /// With honours.
    pub honours: Option<bool>,
}

impl std::fmt::Debug for Graduate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Graduate")
    }
}

/// The registry gave no answer. Nothing was made; the same import is sent again later.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the national registry gives no answer; import the same list again later")]
pub struct RegistryUnavailable;

/// Asks the national registry.
pub trait NationalRegistry {
    /// What it has under each of these numbers, in their order; at most [`ASKED_MAX`]. `None` for one that it does not
    /// have.
    ///
    /// # Errors
    /// [`RegistryUnavailable`] if it did not answer about every one of them.
    fn find(&mut self, numbers: &[DiplomaNumber]) -> Result<Vec<Option<Graduate>>, RegistryUnavailable>;
}

/// Compares a row with what the registry has: the person's number, and what differs without being a reason to refuse.
///
/// # Errors
/// The column, and why nothing may be made of the row.
pub(crate) fn compare(
    row: &Row,
    found: Option<&Graduate>,
) -> Result<(Iin, Differences), (&'static str, RowCode)> {
    let number = ("diploma_number", RowCode::RegistryNotFound);
    let found = found.ok_or(number)?;
    let Requisites { programme, diploma_number, .. } = &row.requisites;
    let patronymic = match (&row.requisites.patronymic, &found.patronymic) {
        (Some(ours), Some(theirs)) => is_one_of(theirs, ours),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    };
    let same = [
        ("diploma_series", found.series == diploma_number.series),
        ("diploma_number", found.number == diploma_number.number),
        ("family_name_kk", is_one_of(&found.family_name, &row.requisites.family_name)),
        ("given_name_kk", is_one_of(&found.given_name, &row.requisites.given_name)),
        ("patronymic_kk", patronymic),
        ("programme_code", found.programme_code == programme.code),
        ("iin", found.iin.is_none() || row.iin.is_none() || found.iin == row.iin),
    ];
    if let Some((column, _)) = same.into_iter().find(|(_, same)| !same) {
        return Err((column, RowCode::RegistryDiffers));
    }
    let iin = row.iin.or(found.iin).ok_or(("iin", RowCode::IinMissing))?;
    Ok((iin, differences(&row.requisites, found)))
}

/// Whether the registry spells a name as the Kazakh or the Russian text has it; it writes some in capitals.
fn is_one_of(theirs: &str, ours: &Texts) -> bool {
    let theirs = theirs.trim().to_lowercase();
    [&ours.kk, &ours.ru].into_iter().any(|text| text.to_lowercase() == theirs)
}

fn differences(requisites: &Requisites, found: &Graduate) -> Differences {
    let registration = found.registration_number.as_ref();
    let differ = [
        (Field::RegistrationNumber, registration.is_some_and(|it| *it != requisites.registration_number)),
        (Field::AwardDate, found.award_date.is_some_and(|it| it != requisites.award_date)),
        (Field::Honours, found.honours.is_some_and(|it| it != requisites.honours)),
    ];
    let bit = |field: Field| Field::ALL.iter().position(|it| *it == field).expect("the list has every field");
    let bits =
        differ.into_iter().filter(|(_, differs)| *differs).fold(0, |bits, (field, _)| bits | 1 << bit(field));
    Differences(bits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::{iin, rows};

    fn row() -> Row {
        Row { iin: Some(iin(1)), ..rows(1).remove(0) }
    }

    /// What a registry has that agrees with the list.
    fn graduate() -> Graduate {
        Graduate {
            iin: Some(iin(1)),
            family_name: "ҮЛГІ-ҚИЯЛ".into(),
            given_name: "Пример-1".into(),
            patronymic: None,
            programme_code: "6B06101".into(),
            series: "TEST-BD".into(),
            number: "0000001".into(),
            registration_number: Some("R-1".into()),
            award_date: Date::new(2026, 6, 30),
            honours: Some(false),
        }
    }

    /// The comparison after `change` of what the registry has.
    fn with(change: impl FnOnce(&mut Graduate)) -> Result<(Iin, Differences), (&'static str, RowCode)> {
        let mut found = graduate();
        change(&mut found);
        compare(&row(), Some(&found))
    }

    #[test]
    fn a_row_that_agrees_in_kazakh_or_russian_is_taken() {
        assert_eq!(with(|_| ()), Ok((iin(1), Differences(0))));
    }

    #[test]
    fn each_field_that_must_agree_is_named() {
        let differs = |column| Err((column, RowCode::RegistryDiffers));
        assert_eq!(with(|it| it.series.push('X')), differs("diploma_series"));
        assert_eq!(with(|it| it.number.push('1')), differs("diploma_number"));
        assert_eq!(with(|it| it.family_name.push('а')), differs("family_name_kk"));
        assert_eq!(with(|it| it.given_name = "Example-1".into()), differs("given_name_kk"));
        assert_eq!(with(|it| it.patronymic = Some("Үлгіұлы".into())), differs("patronymic_kk"));
        assert_eq!(with(|it| it.programme_code = "7M06101".into()), differs("programme_code"));
        assert_eq!(with(|it| it.iin = Some(iin(2))), differs("iin"));
    }

    #[test]
    fn a_row_that_the_registry_does_not_have_is_refused() {
        assert_eq!(compare(&row(), None), Err(("diploma_number", RowCode::RegistryNotFound)));
    }

    #[test]
    fn the_person_must_be_known_to_one_of_the_two() {
        let unknown = Row { iin: None, ..row() };
        assert_eq!(compare(&unknown, Some(&graduate())), Ok((iin(1), Differences(0))));
        let found = Graduate { iin: None, ..graduate() };
        assert_eq!(compare(&row(), Some(&found)), Ok((iin(1), Differences(0))));
        assert_eq!(compare(&unknown, Some(&found)), Err(("iin", RowCode::IinMissing)));
    }

    #[test]
    fn what_else_differs_is_counted_and_does_not_refuse() {
        let taken = with(|it| {
            it.registration_number = Some("R-9".into());
            it.award_date = Date::new(2026, 6, 29);
            it.honours = None;
        });
        assert_eq!(taken, Ok((iin(1), Differences(1 << 8 | 1 << 11))));
    }
}
