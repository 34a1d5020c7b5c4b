//! The samples that the IETF publishes with RFC 9901 and SD-JWT VC: read from the folder of collected data beside
//! the repository; where it is not there, the tests say that they were skipped.

use std::{collections::BTreeSet, fs, path::PathBuf};

use serde_json::Value;
use tanba_credential::sd_jwt::{
    Error, Form, Jwk, SdJwt, Verified,
    key_binding::{self, Challenge},
    vc,
};

/// A published sample.
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) file: Value,
    pub(crate) key: Jwk,
    pub(crate) audience: String,
}

/// Types that the samples of RFC 9901 and of SD-JWT VC carry.
pub(crate) const TYPES: [&str; 2] = ["example+sd-jwt", "dc+sd-jwt"];

/// A time between `iat` and `exp` of every sample, when the sample answers were given.
pub(crate) const AT: u64 = 1_795_400_330;

impl Sample {
    pub(crate) fn text(&self, part: &str) -> Option<String> {
        let compact = self.file[format!("{part}.txt")].as_str();
        let json = || self.file[format!("{part}.json")].as_str().map(rfc_9901_form);
        compact.map(str::to_owned).or_else(json)
    }

    pub(crate) fn presentation(&self) -> String {
        self.text("sd_jwt_presentation").expect("every sample has a presentation")
    }

    pub(crate) fn verify(&self, text: &str) -> Result<Verified, Error> {
        SdJwt::read(text.as_bytes())?.verify(&self.key, &TYPES)
    }

    pub(crate) fn challenge(&self) -> Challenge<'_> {
        Challenge { audience: &self.audience, nonce: "1234567890", age_s_max: 60 }
    }

    /// Whether a holder's answer comes with it, by the RFC's rules.
    pub(crate) fn answers_holder(&self) -> bool {
        self.file.get("kb_jwt_payload.json").is_some() && !self.answers_by_a_draft()
    }

    /// The generator of the JSON samples lets `sd_hash` cover the JSON text of the issuer's part, as no edition of the
    /// RFC has it: section 8 asks for the compact form.
    pub(crate) fn answers_by_a_draft(&self) -> bool {
        self.file.get("sd_jwt_presentation.json").is_some()
    }
}

/// The collected JSON samples are wrapped for print and carry disclosures where a draft had them; the RFC, section 8,
/// has them in the unprotected header. Text, digests and signatures stay as published.
fn rfc_9901_form(wrapped: &str) -> String {
    let unwrapped: String = wrapped.lines().map(str::trim_start).collect();
    let mut json: Value = serde_json::from_str(&unwrapped).expect("JSON once unwrapped");
    let object = json.as_object_mut().expect("an object");
    let mut header = serde_json::Map::new();
    for member in ["disclosures", "kb_jwt"] {
        header.extend(object.remove(member).map(|value| (member.to_owned(), value)));
    }
    object.insert("header".into(), Value::Object(header));
    json.to_string()
}

pub(crate) fn samples() -> Vec<Sample> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/credentials");
    let mut samples = Vec::new();
    for folder in ["rfc9901-sd-jwt", "sd-jwt-vc"] {
        let Ok(entries) = fs::read_dir(root.join(folder)) else {
            #[expect(clippy::print_stdout, reason = "a skipped test says so")]
            {
                println!("skipped: {folder} is not beside the repository");
            }
            continue;
        };
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("readable").path()).collect();
        paths.sort();
        let read = |path: &PathBuf| -> Value {
            serde_json::from_slice(&fs::read(path).expect("readable")).expect("a sample is JSON")
        };
        let settings = read(&root.join(folder).join("_settings-keys.json"));
        let mut key = settings["key_settings"]["issuer_key"].clone();
        key.as_object_mut().expect("a key").remove("d");
        let key = Jwk::read(key.to_string().as_bytes()).expect("a public key");
        let audience = settings["identifiers"]["verifier"].as_str().expect("a name").to_owned();
        for path in paths.iter().filter(|path| !path.ends_with("_settings-keys.json")) {
            let name = format!("{folder}/{}", path.file_stem().expect("a name").to_string_lossy());
            samples.push(Sample { name, file: read(path), key, audience: audience.clone() });
        }
    }
    samples
}

/// Lists whose elements were removed keep their order, members of objects have none.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(name, value)| other.get(name).is_some_and(|other| same(value, other)))
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (one, other) => one == other,
    }
}

#[test]
fn every_published_sample_holds_and_says_what_is_published() {
    let mut checked = BTreeSet::new();
    for sample in samples() {
        let name = &sample.name;
        let verified = sample.verify(&sample.presentation()).unwrap_or_else(|e| panic!("{name}: {e:?}"));
        let claims = Value::Object(verified.claims().clone());
        assert!(same(&claims, &sample.file["verified_contents.json"]), "{name}");
        let issued = sample.text("sd_jwt_issuance").expect("issued");
        let issued = sample.verify(&issued).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert!(issued.disclosed().len() >= verified.disclosed().len());
        if name.starts_with("sd-jwt-vc") {
            let read = SdJwt::read(sample.presentation().as_bytes()).expect("read above");
            assert!(vc::verify(&read, &sample.key, AT).is_ok(), "{name}");
            assert_eq!(vc::verify(&read, &sample.key, 1_883_000_000), Err(Error::Expired), "{name}");
        }
        checked.insert(name.clone());
    }
    assert!([0, 13].contains(&checked.len()), "{checked:?}");
}

#[test]
fn every_published_answer_of_a_holder_holds_for_its_question_alone() {
    let mut checked = 0;
    for sample in samples().into_iter().filter(Sample::answers_holder) {
        let (name, asked) = (&sample.name, sample.challenge());
        let read = SdJwt::read(sample.presentation().as_bytes()).expect("reads");
        let key = sample.verify(&sample.presentation()).and_then(|v| v.holder_key()).expect("names a key");
        let check = |challenge: Challenge<'_>, at| key_binding::check(&read, &key, &challenge, at);
        assert_eq!(check(asked, AT), Ok(()), "{name}");
        assert_eq!(check(Challenge { nonce: "1234567891", ..asked }, AT), Err(Error::Nonce), "{name}");
        let other = Challenge { audience: "https://example.net", ..asked };
        assert_eq!(check(other, AT), Err(Error::Audience), "{name}");
        assert_eq!(check(asked, AT + 3_600), Err(Error::KeyBindingTime), "{name}");
        assert_eq!(check(asked, AT - 3_600), Err(Error::KeyBindingTime), "{name}");
        let issuers = key_binding::check(&read, &sample.key, &asked, AT);
        assert_eq!(issuers, Err(Error::KeyBindingSignature), "{name}");
        checked += 1;
    }
    assert!([0, 4].contains(&checked), "{checked} answers");
}

#[test]
fn an_answer_that_covers_json_text_is_refused() {
    for sample in samples().into_iter().filter(Sample::answers_by_a_draft) {
        let read = SdJwt::read(sample.presentation().as_bytes()).expect("reads");
        let key = sample.verify(&sample.presentation()).and_then(|v| v.holder_key()).expect("names a key");
        assert_eq!(key_binding::check(&read, &key, &sample.challenge(), AT), Err(Error::SdHash));
    }
}

#[test]
fn a_json_sample_is_read_as_json_and_covers_the_same_as_its_compact_form() {
    for sample in samples().into_iter().filter(|sample| sample.name.contains("json_serialization")) {
        let read = SdJwt::read(sample.presentation().as_bytes()).expect("reads");
        assert_eq!(read.form(), Form::Flattened);
        let compact = SdJwt::read(read.to_compact().as_bytes()).expect("the compact form reads");
        assert_eq!(compact.verify(&sample.key, &TYPES), read.verify(&sample.key, &TYPES));
    }
}
