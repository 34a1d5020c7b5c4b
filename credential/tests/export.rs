//! The views in other vocabularies: of the shape of the published samples, with what was disclosed and nothing else.

#[path = "common/sample.rs"]
mod sample;

use std::{collections::BTreeMap, fs, path::PathBuf};

use sample::{draw, requisites};
use serde_json::Value;
use tanba_credential::{
    Diploma, HolderFile, IssuerBin, Opened, Requisites, Template,
    export::{Language, Missing, europass, open_badge},
    holder,
    presentation::present_signed,
    requisites::{Field, Texts},
};
use tanba_crypto::{Hash, SigningKey};

fn texts(kk: &str, ru: &str, en: &str) -> Texts {
    Texts { kk: kk.into(), ru: ru.into(), en: en.into() }
}

fn institution() -> Texts {
    texts("Үлгі университеті", "Образцовый университет", "Sample University")
}

fn opened(template: Template) -> Opened {
    let requisites = Requisites { honours: true, ..requisites() };
    let issuer = IssuerBin::parse("000000000018").expect("12 digits");
    let key = SigningKey::ed25519(&[6; 32]);
    let diploma = Diploma::sign(&requisites, issuer, 20_634, None, &draw(), &key).expect("legal");
    let file = HolderFile::new(Hash([9; 32]), &diploma, SigningKey::ed25519(&[3; 32]).public(), None);
    assert!(holder::open_signed(&file, &key.public()).is_ok());
    let shown = present_signed(&file, template, &key.public()).expect("opens");
    shown.open_signed(&key.public()).expect("opens")
}

fn sample(name: &str) -> Option<Value> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/credentials").join(name);
    let Ok(bytes) = fs::read(&path) else {
        #[expect(clippy::print_stdout, reason = "a skipped test says so")]
        {
            println!("skipped: {name} is not beside the repository");
        }
        return None;
    };
    Some(serde_json::from_slice(&bytes).expect("a sample is JSON"))
}

/// Where ours and the sample have the same member, it must be of the same kind. A member with one `type` may list it.
/// Returns how many members both have.
fn same_shape(ours: &Value, sample: &Value, path: &str) -> usize {
    match (ours, sample) {
        (Value::Object(ours), Value::Object(sample)) => ours
            .iter()
            .filter_map(|(name, value)| Some((name, value, sample.get(name)?)))
            .map(|(name, ours, sample)| 1 + same_shape(ours, sample, &format!("{path}.{name}")))
            .sum(),
        (Value::Array(ours), Value::Array(sample)) => match (ours.first(), sample.first()) {
            (Some(ours), Some(sample)) => same_shape(ours, sample, &format!("{path}[]")),
            _ => 0,
        },
        (Value::Array(list), one) if path.ends_with(".type") => {
            assert_eq!(list.as_slice(), std::slice::from_ref(one), "{path}");
            0
        }
        (Value::Array(list), one) if path.ends_with("language") => same_shape(&list[0], one, path),
        (Value::String(_), Value::String(_)) | (Value::Bool(_), Value::Bool(_)) => 0,
        _ => panic!("{path} is {ours}, the sample has another kind"),
    }
}

/// Every member name of ours, wherever it stands, except languages and those that `sample` does not need to have.
fn names(value: &Value, into: &mut BTreeMap<String, ()>) {
    match value {
        Value::Object(object) => object.iter().for_each(|(name, value)| {
            into.insert(name.clone(), ());
            names(value, into);
        }),
        Value::Array(list) => list.iter().for_each(|value| names(value, into)),
        _ => (),
    }
}

#[test]
fn a_europass_view_has_the_shape_of_the_published_sample() {
    let view = europass(&opened(Template::Full), &institution()).expect("disclosed");
    let Some(sample) = sample("europass-edc-elm/Sample-MC-Annex1-unsigned.jsonld.json") else { return };
    let shared = same_shape(&view, &sample, "");
    assert!(shared >= 50, "{shared} members shared");
    let (mut ours, mut theirs) = (BTreeMap::new(), BTreeMap::new());
    names(&view, &mut ours);
    names(&sample, &mut theirs);
    let new: Vec<&String> = ours.keys().filter(|name| !theirs.contains_key(*name)).collect();
    // Members of the model that the micro-credential of the sample has no use for.
    assert_eq!(new, ["additionalNote", "awardingDate", "kk", "patronymicName", "ru"]);
}

#[test]
fn an_open_badge_has_the_shape_of_the_published_sample() {
    let view = open_badge(&opened(Template::Full), &institution(), Language::English).expect("disclosed");
    for required in ["/id", "/type/1", "/issuer/id", "/validFrom", "/credentialSubject/achievement/id"] {
        assert!(view.pointer(required).is_some_and(Value::is_string), "{required}");
    }
    for required in ["name", "description", "criteria", "type"] {
        assert!(view["credentialSubject"]["achievement"].get(required).is_some(), "{required}");
    }
    let Some(sample) = sample("ebsi/OpenBadgeCredential.json") else { return };
    let shared = same_shape(&view, &sample, "");
    assert!(shared >= 17, "{shared} members shared");
}

#[test]
fn a_view_says_what_was_disclosed_in_its_language_and_no_more() {
    let employer = opened(Template::Employer);
    let badge = open_badge(&employer, &institution(), Language::Kazakh).expect("the print set is enough");
    let subject = &badge["credentialSubject"];
    assert_eq!(subject["identifier"][0]["identityHash"], "Үлгіұлы-Әуеқала Мысал-0001");
    assert_eq!(subject["achievement"]["achievementType"], "BachelorDegree");
    assert_eq!(badge["issuer"]["id"], "urn:kz:bin:000000000018");
    let elm = europass(&employer, &institution()).expect("the print set is enough");
    for view in [badge.to_string(), elm.to_string()] {
        assert!(!view.contains("2026-0001") && !view.contains("Hamganouly"), "not disclosed");
        assert!(!view.contains("exp"), "a diploma does not lapse");
    }
    let full = europass(&opened(Template::Full), &institution()).expect("disclosed");
    assert_eq!(full["credentialSubject"]["fullName"]["en"], "Sample-Auekala Example-0001 Hamganouly");
    assert_eq!(full["credentialSubject"]["hasClaim"]["identifier"]["notation"], "2026-0001");
}

#[test]
fn a_degree_is_not_shown_without_its_level() {
    let mut opened = opened(Template::Employer);
    opened.fields.remove(&Field::Level);
    assert_eq!(europass(&opened, &institution()), Err(Missing(Field::Level)));
    assert_eq!(open_badge(&opened, &institution(), Language::English), Err(Missing(Field::Level)));
}
