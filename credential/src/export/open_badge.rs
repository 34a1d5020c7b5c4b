//! Open Badges 3.0, an `OpenBadgeCredential` in one language: the vocabulary has no texts in several.

use serde_json::{Value, json};

use super::{Face, Language, Missing, id, issuer_id, midnight};
use crate::{Opened, requisites::Texts};

/// The view of `opened` in `language`. `institution` is its legal name by the ledger, never by the file.
pub fn open_badge(opened: &Opened, institution: &Texts, language: Language) -> Result<Value, Missing> {
    let face = Face::of(&opened.fields)?;
    let name = |part: &str| json!({ "type": "IdentityObject", "hashed": false, "identityHash": part, "identityType": "name" });
    let mut subject = json!({
        "type": ["AchievementSubject"],
        "identifier": [name(&face.full_name(language))],
        "licenseNumber": face.number(),
        "achievement": {
            "id": format!("urn:kz:edu:programme:{}:{}", opened.issuer, face.programme.code),
            "type": ["Achievement"],
            "achievementType": achievement_type(face.level),
            "name": language.of(face.qualification),
            "description": language.of(&face.programme.name),
            "fieldOfStudy": language.of(&face.programme.name),
            "humanCode": face.programme.code,
            "inLanguage": language.tag(),
            "criteria": { "narrative": criteria(language) },
        },
    });
    if face.honours {
        subject["narrative"] = honours(language).into();
    }
    Ok(json!({
        "@context": [
            "https://www.w3.org/ns/credentials/v2",
            "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
        ],
        "id": id(opened),
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": language.of(face.qualification),
        "issuer": { "id": issuer_id(opened), "type": ["Profile"], "name": language.of(institution) },
        "validFrom": midnight(face.award_date),
        "awardedDate": midnight(face.award_date),
        "credentialSubject": subject,
    }))
}

/// The term of the vocabulary's list. Levels outside the three degrees are a diploma.
const fn achievement_type(level: u8) -> &'static str {
    match level {
        6 => "BachelorDegree",
        7 => "MasterDegree",
        8 => "DoctoralDegree",
        _ => "Diploma",
    }
}

const fn honours(language: Language) -> &'static str {
    match language {
        Language::Kazakh => "Үздік диплом",
        Language::Russian => "Диплом с отличием",
        Language::English => "Diploma with honours",
    }
}

const fn criteria(language: Language) -> &'static str {
    match language {
        Language::Kazakh => "Аттестаттау комиссиясының шешімі",
        Language::Russian => "Решение аттестационной комиссии",
        Language::English => "Decision of the attestation commission",
    }
}
