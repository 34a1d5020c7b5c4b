//! The holder's answer: whatever of it is wrong is named.

use serde_json::{Value, json};
use tanba_credential::sd_jwt::{
    Error, SdJwt,
    key_binding::{self, Challenge},
    vc,
};
use tanba_crypto::{Hash, SigningKey};

use crate::issuer::{AT, b64, claims, compact, holder, issuer, jwk, jwk_json, jws, member};

const ASKED: Challenge<'_> = Challenge { audience: "urn:kz:bin:000000000026", nonce: "n-1", age_s_max: 300 };

const HEADER: &str = r#"{"alg":"EdDSA","typ":"kb+jwt"}"#;

fn document() -> String {
    let (text, digest) = member("a", &json!(1));
    compact(&claims(json!({ "cnf": { "jwk": jwk_json(&holder()) }, "_sd": [digest] })).to_string(), &[&text])
}

fn sound() -> Value {
    let sd_hash = b64(Hash::plain(document().as_bytes()).as_bytes());
    json!({ "aud": ASKED.audience, "nonce": ASKED.nonce, "iat": AT, "sd_hash": sd_hash })
}

fn answer(key: &SigningKey, header: &str, payload: &Value) -> Result<(), Error> {
    checked(&(document() + &jws(key, header, &payload.to_string())))
}

fn checked(text: &str) -> Result<(), Error> {
    let read = SdJwt::read(text.as_bytes())?;
    let key = vc::verify(&read, &jwk(&issuer()), AT)?.holder_key()?;
    key_binding::check(&read, &key, &ASKED, AT)
}

#[test]
fn a_sound_answer_holds() {
    assert_eq!(answer(&holder(), HEADER, &sound()), Ok(()));
}

#[test]
fn every_part_of_an_answer_is_checked() {
    let with = |claim: &str, value: Value| {
        let mut payload = sound();
        payload[claim] = value;
        answer(&holder(), HEADER, &payload)
    };
    let claim = Err(Error::KeyBindingClaim);
    for name in ["aud", "nonce", "iat", "sd_hash"] {
        assert_eq!(with(name, json!(null)), claim, "{name}");
        assert_eq!(with(name, json!([ASKED.audience])), claim, "{name}");
        assert_eq!(with(name, json!("")), claim, "{name}");
    }
    assert_eq!(with("iat", json!(1.5)), claim);
    assert_eq!(with("aud", json!("urn:kz:bin:000000000027")), Err(Error::Audience));
    assert_eq!(with("nonce", json!("n-2")), Err(Error::Nonce));
    assert_eq!(with("sd_hash", json!(b64(&[0; 32]))), Err(Error::SdHash));
    for iat in [AT - 301, AT + 61, 0, u64::MAX] {
        assert_eq!(with("iat", json!(iat)), Err(Error::KeyBindingTime), "{iat}");
    }
    assert_eq!(with("iat", json!(AT - 300)), Ok(()));
    assert_eq!(with("exp", json!(AT)), Err(Error::KeyBindingTime));
    assert_eq!(with("nbf", json!(AT + 61)), Err(Error::KeyBindingTime));
}

#[test]
fn only_the_holders_key_and_the_right_type_answer() {
    assert_eq!(answer(&issuer(), HEADER, &sound()), Err(Error::KeyBindingSignature));
    for header in [r#"{"alg":"EdDSA","typ":"JWT"}"#, r#"{"alg":"EdDSA"}"#] {
        assert_eq!(answer(&holder(), header, &sound()), Err(Error::KeyBindingType), "{header}");
    }
    for header in [r#"{"alg":"none","typ":"kb+jwt"}"#, r#"{"alg":"EdDSA","typ":"kb+jwt","crit":[]}"#] {
        assert_eq!(answer(&holder(), header, &sound()), Err(Error::KeyBindingForm), "{header}");
    }
    let es256 = r#"{"alg":"ES256","typ":"kb+jwt"}"#;
    assert_eq!(answer(&holder(), es256, &sound()), Err(Error::KeyBindingSignature));
    assert_eq!(checked(&document()), Err(Error::KeyBindingMissing));
    assert_eq!(checked(&(document() + "x")), Err(Error::KeyBindingForm));
    let unbound = compact(&claims(json!({})).to_string(), &[]);
    let signed = unbound + &jws(&holder(), HEADER, &sound().to_string());
    assert_eq!(checked(&signed), Err(Error::KeyBindingKey));
    let mut private = jwk_json(&holder());
    private["d"] = json!("AA");
    let private = compact(&claims(json!({ "cnf": { "jwk": private } })).to_string(), &[]);
    assert_eq!(checked(&private), Err(Error::KeyBindingKey));
}

#[test]
fn an_answer_to_one_selection_is_none_to_another() {
    let whole = document();
    let (fewer, _) = whole.split_once('~').expect("a JWS");
    let text = format!("{fewer}~{}", jws(&holder(), HEADER, &sound().to_string()));
    assert_eq!(checked(&text), Err(Error::SdHash));
}
