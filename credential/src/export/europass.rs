//! The European Learning Model 3, a `EuropeanDigitalCredential`: every text in the diploma's three languages.

use serde_json::{Value as Json, json};

use super::{Face, Language, Missing, id, issuer_id, midnight};
use crate::{
    Opened,
    requisites::{Field, StudyForm, Texts, Value},
};

/// The view of `opened`. `institution` is its legal name by the ledger, never by the file.
pub fn europass(opened: &Opened, institution: &Texts) -> Result<Json, Missing> {
    let face = Face::of(&opened.fields)?;
    let issuer = json!({
        "id": issuer_id(opened),
        "type": "Organisation",
        "legalName": texts(institution),
        "registration": {
            "id": "urn:kz:registration:1",
            "type": "LegalIdentifier",
            "notation": opened.issuer.as_str(),
            "spatial": concept("http://publications.europa.eu/resource/authority/country/KAZ", "Kazakhstan"),
        },
    });
    let languages = [Language::Kazakh, Language::Russian, Language::English].map(language);
    Ok(json!({
        "@context": [
            "https://www.w3.org/2018/credentials/v1",
            "http://data.europa.eu/snb/model/context/edc-ap",
        ],
        "id": id(opened),
        "type": ["VerifiableCredential", "EuropeanDigitalCredential"],
        "credentialSchema": {
            "id": "http://data.europa.eu/snb/model/ap/edc-generic-full",
            "type": "ShaclValidator2017",
        },
        "identifier": identifier("urn:kz:identifier:1", "Diploma number", &face.number()),
        "displayParameter": {
            "id": "urn:kz:displayParameter:1",
            "type": "DisplayParameter",
            "primaryLanguage": language(Language::Kazakh),
            "language": languages,
            "title": texts(face.qualification),
        },
        "validFrom": midnight(face.award_date),
        "issuer": issuer,
        "credentialSubject": person(opened, &face, &issuer),
    }))
}

fn person(opened: &Opened, face: &Face<'_>, issuer: &Json) -> Json {
    let full = [Language::Kazakh, Language::Russian, Language::English]
        .map(|language| (language.tag().to_owned(), Json::from(face.full_name(language))));
    let mut person = json!({
        "id": "urn:kz:person:1",
        "type": "Person",
        "familyName": texts(face.family_name),
        "givenName": texts(face.given_name),
        "fullName": Json::Object(full.into_iter().collect()),
        "hasClaim": achievement(opened, face, issuer),
    });
    if let Some(patronymic) = face.patronymic {
        person["patronymicName"] = texts(patronymic);
    }
    person
}

fn achievement(opened: &Opened, face: &Face<'_>, issuer: &Json) -> Json {
    let mut awarded = json!({
        "id": "urn:kz:awardingProcess:1",
        "type": "AwardingProcess",
        "awardingBody": issuer,
        "awardingDate": midnight(face.award_date),
    });
    if let Some(Value::Minutes(minutes)) = opened.fields.get(&Field::CommissionMinutes) {
        let notation = format!("{}, {}", minutes.number, minutes.date);
        awarded["identifier"] = identifier("urn:kz:identifier:2", "Minutes of the commission", &notation);
    }
    let mut achievement = json!({
        "id": "urn:kz:learningAchievement:1",
        "type": "LearningAchievement",
        "title": texts(face.qualification),
        "awardedBy": awarded,
        "specifiedBy": qualification(opened, face),
    });
    if let Some(Value::Text(number)) = opened.fields.get(&Field::RegistrationNumber) {
        achievement["identifier"] = identifier("urn:kz:identifier:3", "Registration number", number);
    }
    if face.honours {
        achievement["additionalNote"] = json!({
            "id": "urn:kz:note:1",
            "type": "Note",
            "noteLiteral": { "kk": "Үздік диплом", "ru": "Диплом с отличием", "en": "Diploma with honours" },
        });
    }
    achievement
}

fn qualification(opened: &Opened, face: &Face<'_>) -> Json {
    let level = face.level;
    let mut qualification = json!({
        "id": "urn:kz:qualification:1",
        "type": "Qualification",
        "title": texts(face.qualification),
        "description": texts(&face.programme.name),
        "identifier": identifier("urn:kz:identifier:4", "Programme code", &face.programme.code),
        "isPartialQualification": false,
        "nqfLevel": concept(&format!("urn:kz:nqf:{level}"), &format!("National framework, level {level}")),
    });
    if let Some(Value::StudyForm(form)) = opened.fields.get(&Field::StudyForm) {
        let (code, label) = match form {
            StudyForm::FullTime => ("full_time", "Full time"),
            StudyForm::Evening => ("evening", "Evening"),
            StudyForm::Correspondence => ("correspondence", "Correspondence"),
            StudyForm::Online => ("online", "Online"),
        };
        qualification["mode"] = concept(&format!("urn:kz:study-form:{code}"), label);
    }
    qualification
}

fn texts(texts: &Texts) -> Json {
    json!({ "kk": texts.kk, "ru": texts.ru, "en": texts.en })
}

fn identifier(id: &str, scheme: &str, notation: &str) -> Json {
    json!({ "id": id, "type": "Identifier", "schemeName": scheme, "notation": notation })
}

fn concept(id: &str, label: &str) -> Json {
    json!({ "id": id, "type": "Concept", "prefLabel": { "en": label } })
}

fn language(language: Language) -> Json {
    let (code, label) = match language {
        Language::Kazakh => ("KAZ", "Kazakh"),
        Language::Russian => ("RUS", "Russian"),
        Language::English => ("ENG", "English"),
    };
    concept(&format!("http://publications.europa.eu/resource/authority/language/{code}"), label)
}
