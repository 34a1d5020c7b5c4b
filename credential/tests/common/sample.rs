//! One clearly invented diploma, the same for every suite.

use tanba_credential::{
    Draw, Requisites,
    requisites::{Date, DiplomaNumber, Minutes, ProgrammeName, StudyForm, Texts},
};
use tanba_crypto::Hash;

pub(crate) fn requisites() -> Requisites {
    let texts = |kk: &str, ru: &str, en: &str| Texts { kk: kk.into(), ru: ru.into(), en: en.into() };
    Requisites {
        family_name: texts("Үлгіұлы-Әуеқала", "Образцов-Ауекала", "Sample-Auekala"),
        given_name: texts("Мысал-0001", "Пример-0001", "Example-0001"),
        patronymic: Some(texts("Һәмғаңөұлы", "Хамгануулы", "Hamganouly")),
        qualification: texts("Техника бакалавры", "Бакалавр техники", "Bachelor of Engineering"),
        programme: ProgrammeName {
            code: "6B06101".into(),
            name: texts("Бағдарламалық инженерия", "Программная инженерия", "Software Engineering"),
        },
        level: 6,
        honours: false,
        study_form: StudyForm::FullTime,
        award_date: Date::parse("2026-06-30").expect("a day"),
        commission_minutes: Minutes { number: "17".into(), date: Date::parse("2026-06-25").expect("a day") },
        diploma_number: DiplomaNumber { series: "TEST-BD".into(), number: "0000001".into() },
        registration_number: "2026-0001".into(),
    }
}

pub(crate) fn draw() -> Draw {
    let random: Vec<u8> = (0..Draw::BYTES / 32).flat_map(|n| Hash::plain(&[n as u8]).0).collect();
    Draw::from_bytes(random.as_slice().try_into().expect("as many as a draw takes")).expect("distinct")
}
