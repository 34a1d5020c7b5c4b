//! The JSON serialisations: flattened and general say the same as compact, and nothing more is read into them.

use serde_json::{Value, json};
use tanba_credential::sd_jwt::{
    Error, Form, SdJwt,
    key_binding::{self, Challenge},
    vc,
};
use tanba_crypto::Hash;

use crate::issuer::{AT, b64, claims, compact, holder, issuer, jwk, jwk_json, jws, member, verify};

fn document() -> String {
    let (text, digest) = member("a", &json!(1));
    compact(&claims(json!({ "_sd": [digest], "cnf": { "jwk": jwk_json(&holder()) } })).to_string(), &[&text])
}

fn flattened() -> Value {
    let document = document();
    let mut parts = document.split('~');
    let jws: Vec<&str> = parts.next().expect("a JWS").split('.').collect();
    json!({
        "payload": jws[1], "protected": jws[0], "signature": jws[2],
        "header": { "disclosures": [parts.next()], "kid": "k" },
    })
}

fn general() -> Value {
    let mut one = flattened();
    let payload = one.as_object_mut().expect("an object").remove("payload");
    json!({ "payload": payload, "signatures": [one] })
}

fn refused(json: &Value) -> Option<Error> {
    verify(&json.to_string()).err()
}

#[test]
fn all_three_forms_say_the_same() {
    let compact = verify(&document());
    assert!(compact.is_ok());
    for (json, form) in [(flattened(), Form::Flattened), (general(), Form::General)] {
        assert_eq!(verify(&json.to_string()), compact);
        let read = SdJwt::read(json.to_string().as_bytes()).expect("reads");
        assert_eq!((read.form(), read.to_compact()), (form, document()));
    }
}

#[test]
fn an_answer_in_json_covers_the_compact_form() {
    let payload = json!({
        "aud": "v", "nonce": "n", "iat": AT, "sd_hash": b64(Hash::plain(document().as_bytes()).as_bytes()),
    });
    let answer = jws(&holder(), r#"{"alg":"EdDSA","typ":"kb+jwt"}"#, &payload.to_string());
    let asked = Challenge { audience: "v", nonce: "n", age_s_max: 1 };
    let mut json = flattened();
    json["header"]["kb_jwt"] = json!(answer);
    let check = |json: &Value| {
        let read = SdJwt::read(json.to_string().as_bytes())?;
        let key = vc::verify(&read, &jwk(&issuer()), AT)?.holder_key()?;
        key_binding::check(&read, &key, &asked, AT)
    };
    assert_eq!(check(&json), Ok(()));
    json["header"]["disclosures"] = json!([]);
    assert_eq!(check(&json), Err(Error::SdHash));
    json["header"]["kb_jwt"] = json!(1);
    assert_eq!(check(&json), Err(Error::FormMember));
}

#[test]
fn members_are_those_of_the_rfc() {
    for member in ["payload", "protected", "signature"] {
        let mut json = flattened();
        json.as_object_mut().expect("an object").remove(member);
        assert_eq!(refused(&json), Some(Error::FormMember), "{member}");
        json[member] = json!(1);
        assert_eq!(refused(&json), Some(Error::FormMember), "{member}");
    }
    let with = |change: &dyn Fn(&mut Value), mut json: Value| {
        change(&mut json);
        refused(&json)
    };
    let member = Some(Error::FormMember);
    assert_eq!(with(&|json| json["disclosures"] = json!([]), flattened()), member, "a draft's place");
    assert_eq!(with(&|json| json["header"] = json!([]), flattened()), member);
    assert_eq!(with(&|json| json["header"]["disclosures"] = json!("x"), flattened()), member);
    assert_eq!(with(&|json| json["header"]["disclosures"] = json!([1]), flattened()), member);
    assert_eq!(with(&|json| json["header"]["alg"] = json!("none"), flattened()), member);
    assert_eq!(with(&|json| json["protected"] = json!("x"), general()), member);
    assert_eq!(with(&|json| json["signatures"] = json!({}), general()), member);
    assert_eq!(with(&|json| json["signatures"] = json!([1]), general()), member);
    let count = Some(Error::SignatureCount);
    assert_eq!(with(&|json| json["signatures"] = json!([]), general()), count);
    let two = |json: &mut Value| {
        let one = json["signatures"][0].clone();
        json["signatures"] = json!([one, one]);
    };
    assert_eq!(with(&two, general()), count);
    let twice = flattened().to_string().replacen('{', r#"{"payload":"e30","#, 1);
    assert_eq!(verify(&twice).err(), Some(Error::DuplicateMember));
}

#[test]
fn a_parameter_is_protected_or_not_but_not_both() {
    let signed =
        jws(&issuer(), r#"{"alg":"EdDSA","typ":"dc+sd-jwt","kid":"a"}"#, &claims(json!({})).to_string());
    let parts: Vec<&str> = signed.split('.').collect();
    let json = json!({
        "payload": parts[1], "protected": parts[0], "signature": parts[2], "header": { "kid": "b" },
    });
    assert_eq!(refused(&json), Some(Error::Header));
}
