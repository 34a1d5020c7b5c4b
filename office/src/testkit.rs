//! An invented class, for tests. Behind the feature `testkit`; nothing in production builds it.

use tanba_eds::Iin;

use crate::roster::{Roster, Row};

/// The first line of the list: without the columns that a list may lack.
pub const HEADER: &str = "family_name_kk,family_name_ru,family_name_en,given_name_kk,given_name_ru,\
given_name_en,qualification_kk,qualification_ru,qualification_en,programme_code,programme_name_kk,\
programme_name_ru,programme_name_en,level,honours,study_form,award_date,commission_number,commission_date,\
diploma_series,diploma_number,registration_number";

/// The `n`th row of an invented class.
pub fn line(n: usize) -> String {
    format!(
        "Үлгі-Қиял,Образцов,Sample,Мысал-{n},Пример-{n},Example-{n},Бакалавр,Бакалавр,Bachelor,6B06101,\
         Инженерия,Инженерия,Engineering,6,no,full_time,2026-06-30,17,2026-06-25,TEST-BD,{n:07},R-{n}"
    )
}

/// A list of these rows.
pub fn csv(lines: impl IntoIterator<Item = String>) -> String {
    std::iter::once(HEADER.to_owned()).chain(lines).map(|line| line + "\n").collect()
}

/// The rows of an invented class.
pub fn rows(count: usize) -> Vec<Row> {
    Roster::parse(csv((1..=count).map(line)).as_bytes()).expect("an invented class has no mistakes").rows
}

/// The number of the `n`th graduate: of nobody, for its control digit is wrong or its day is none.
pub fn iin(n: usize) -> Iin {
    Iin::from_digits(&format!("{n:012}")).expect("twelve digits")
}
