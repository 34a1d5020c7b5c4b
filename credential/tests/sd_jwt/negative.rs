//! The rules of RFC 9901, sections 4, 7.1 and 9, and of SD-JWT VC, each broken once.

use serde_json::{Value, json};
use tanba_credential::sd_jwt::{DEPTH_MAX, DISCLOSURES_MAX, Error, Jwk, SD_JWT_BYTES_MAX, SdJwt, vc};
use tanba_crypto::SigningKey;

use crate::issuer::{
    AT, HEADER, SALT, answer, b64, claims, compact, disclosure, holder, issuer, jwk, jwk_json, jws, member,
    refusal, verify,
};

#[test]
fn a_sound_document_says_what_was_disclosed_and_no_more() {
    let (name, name_digest) = member("given_name", &json!("A"));
    let (_, hidden) = member("family_name", &json!("B"));
    let (second, second_digest) = disclosure(&json!([SALT, "KZ"]).to_string());
    let said = answer(
        json!({
            "_sd": [name_digest, hidden],
            "nationalities": ["XX", { "...": second_digest }, { "...": b64(&[7; 32]) }],
            "_sd_alg": "sha-256",
        }),
        &[&name, &second],
    )
    .expect("sound");
    let expected = claims(json!({ "nationalities": ["XX", "KZ"], "given_name": "A" }));
    assert_eq!(Value::Object(said.claims().clone()), expected);
    assert_eq!(said.disclosed(), ["nationalities[]", "given_name"]);
    assert_eq!(said.withheld(), 2);
}

#[test]
fn what_lies_within_a_disclosure_is_disclosed_in_turn() {
    let (street, street_digest) = member("street", &json!("A"));
    let (address, address_digest) = member("address", &json!({ "_sd": [street_digest], "country": "KZ" }));
    let said = answer(json!({ "_sd": [address_digest] }), &[&street, &address]).expect("sound");
    assert_eq!(said.claims()["address"], json!({ "country": "KZ", "street": "A" }));
    assert_eq!(said.disclosed(), ["address", "address.street"]);
    // Without the outer one, nothing leads to the inner one.
    assert_eq!(refusal(json!({ "_sd": [address_digest] }), &[&street]), Error::Unreferenced);
}

#[test]
fn an_object_whose_claims_are_all_withheld_stays_as_an_empty_one() {
    let said = answer(json!({ "address": { "_sd": [b64(&[1; 32])] } }), &[]).expect("sound");
    assert_eq!(said.claims()["address"], json!({}));
}

#[test]
fn a_digest_that_stands_twice_is_refused_wherever() {
    let (text, digest) = member("a", &json!(1));
    let twice = Error::RepeatedDigest;
    assert_eq!(refusal(json!({ "_sd": [digest, digest] }), &[]), twice);
    assert_eq!(refusal(json!({ "_sd": [digest], "b": { "_sd": [digest] } }), &[&text]), twice);
    assert_eq!(refusal(json!({ "_sd": [digest], "b": [{ "...": digest }] }), &[]), twice);
    let (outer, outer_digest) = member("b", &json!({ "_sd": [digest] }));
    assert_eq!(refusal(json!({ "_sd": [digest, outer_digest] }), &[&outer, &text]), twice);
}

#[test]
fn a_disclosure_that_nothing_refers_to_is_refused() {
    let (text, _) = member("a", &json!(1));
    assert_eq!(refusal(json!({}), &[&text]), Error::Unreferenced);
    assert_eq!(refusal(json!({ "_sd": [b64(&[1; 32])] }), &[&text]), Error::Unreferenced);
}

#[test]
fn a_disclosure_given_twice_is_refused() {
    let (text, digest) = member("a", &json!(1));
    assert_eq!(refusal(json!({ "_sd": [digest] }), &[&text, &text]), Error::RepeatedDisclosure);
}

#[test]
fn reserved_names_are_refused() {
    for name in ["_sd", "...", "_sd_alg"] {
        let (text, digest) = member(name, &json!(["x"]));
        assert_eq!(refusal(json!({ "_sd": [digest] }), &[&text]), Error::ReservedName, "{name}");
    }
    // The same names within a disclosed value, or in clear.
    let (text, digest) = member("a", &json!({ "...": "x" }));
    assert_eq!(refusal(json!({ "_sd": [digest] }), &[&text]), Error::Placeholder);
    assert_eq!(refusal(json!({ "a": { "...": "x" } }), &[]), Error::Placeholder);
    assert_eq!(refusal(json!({ "a": { "_sd_alg": "sha-256" } }), &[]), Error::DigestAlgorithm);
}

#[test]
fn a_name_that_is_there_already_is_refused() {
    let (text, digest) = member("a", &json!(1));
    let (other, other_digest) = disclosure(&json!(["other salt", "a", 2]).to_string());
    assert_eq!(refusal(json!({ "_sd": [digest], "a": 0 }), &[&text]), Error::NameClash);
    assert_eq!(refusal(json!({ "a": 0, "_sd": [digest] }), &[&text]), Error::NameClash);
    assert_eq!(refusal(json!({ "_sd": [digest, other_digest] }), &[&text, &other]), Error::NameClash);
}

#[test]
fn an_unknown_digest_algorithm_is_refused() {
    for name in [json!("sha-1"), json!("SHA-256"), json!("sha-512"), json!(1), json!(null)] {
        assert_eq!(refusal(json!({ "_sd_alg": name }), &[]), Error::DigestAlgorithm, "{name}");
    }
}

#[test]
fn a_disclosure_has_the_shape_that_its_place_asks_for() {
    let (element, element_digest) = disclosure(&json!([SALT, "x"]).to_string());
    assert_eq!(refusal(json!({ "_sd": [element_digest] }), &[&element]), Error::DisclosureShape);
    let (named, named_digest) = member("a", &json!("x"));
    assert_eq!(refusal(json!({ "a": [{ "...": named_digest }] }), &[&named]), Error::DisclosureShape);
    for json in [r#"["s"]"#, r#"["s","a",1,2]"#, "[]", "{}", r#""text""#, r#"[1,"a",2]"#, r#"["s",1,2]"#] {
        let (text, digest) = disclosure(json);
        assert_eq!(refusal(json!({ "_sd": [digest] }), &[&text]), Error::DisclosureShape, "{json}");
    }
    for (json, error) in [
        ("", Error::Json),
        (r#"["s","a",1"#, Error::Json),
        (r#"["s","a",{"b":1,"b":2}]"#, Error::DuplicateMember),
    ] {
        let (text, digest) = disclosure(json);
        assert_eq!(refusal(json!({ "_sd": [digest] }), &[&text]), error, "{json}");
    }
    for text in ["W10=", "W1 0", "*"] {
        assert_eq!(refusal(json!({}), &[text]), Error::Base64, "{text}");
    }
}

#[test]
fn digests_stand_as_the_specification_lays_them_out() {
    for bad in [json!("text"), json!({}), json!([1]), json!([null]), json!([["x"]])] {
        assert_eq!(refusal(json!({ "_sd": bad }), &[]), Error::DigestList);
    }
    for bad in [json!({ "...": 1 }), json!({ "...": "x", "y": 1 }), json!({ "...": null })] {
        assert_eq!(refusal(json!({ "a": [bad] }), &[]), Error::Placeholder);
    }
}

#[test]
fn the_header_is_taken_at_its_word_and_brings_no_key() {
    let payload = claims(json!({})).to_string();
    let with = |header: &str| verify(&format!("{}~", jws(&issuer(), header, &payload))).err();
    let key = jwk_json(&issuer());
    for (header, error) in [
        (r#"{"typ":"dc+sd-jwt"}"#.to_owned(), Error::Algorithm),
        (r#"{"alg":"none","typ":"dc+sd-jwt"}"#.to_owned(), Error::Algorithm),
        (r#"{"alg":"NoNe","typ":"dc+sd-jwt"}"#.to_owned(), Error::Algorithm),
        (r#"{"alg":"HS256","typ":"dc+sd-jwt"}"#.to_owned(), Error::Algorithm),
        (r#"{"alg":1,"typ":"dc+sd-jwt"}"#.to_owned(), Error::Algorithm),
        (r#"{"alg":"ES256","typ":"dc+sd-jwt"}"#.to_owned(), Error::KeyAlgorithm),
        (r#"{"alg":"EdDSA"}"#.to_owned(), Error::Type),
        (r#"{"alg":"EdDSA","typ":"JWT"}"#.to_owned(), Error::Type),
        (r#"{"alg":"EdDSA","typ":"vc+sd-jwt"}"#.to_owned(), Error::Type),
        (r#"{"alg":"EdDSA","typ":"kb+jwt"}"#.to_owned(), Error::Type),
        (r#"{"alg":"EdDSA","typ":1}"#.to_owned(), Error::Header),
        (r#"{"alg":"EdDSA","typ":"dc+sd-jwt","kid":1}"#.to_owned(), Error::Header),
        (r#"{"alg":"EdDSA","typ":"dc+sd-jwt","crit":["x"],"x":1}"#.to_owned(), Error::Critical),
        (r#"{"alg":"EdDSA","typ":"dc+sd-jwt","b64":false}"#.to_owned(), Error::Critical),
        (format!(r#"{{"alg":"EdDSA","typ":"dc+sd-jwt","jwk":{key}}}"#), Error::HeaderKey),
        (r#"{"alg":"EdDSA","typ":"dc+sd-jwt","jku":"https://x"}"#.to_owned(), Error::HeaderKey),
        (r#"{"alg":"EdDSA","typ":"dc+sd-jwt","x5u":"https://x"}"#.to_owned(), Error::HeaderKey),
        (r#"{"alg":"EdDSA","alg":"EdDSA","typ":"dc+sd-jwt"}"#.to_owned(), Error::DuplicateMember),
        ("[]".to_owned(), Error::NotAnObject),
        (String::new(), Error::Json),
    ] {
        assert_eq!(with(&header), Some(error), "{header}");
    }
    assert_eq!(with(HEADER), None);
    assert_eq!(with(r#"{"alg":"EdDSA","typ":"application/dc+sd-jwt"}"#), None);
}

#[test]
fn another_key_or_an_empty_signature_does_not_verify() {
    let text = compact(&claims(json!({})).to_string(), &[]);
    let read = SdJwt::read(text.as_bytes()).expect("reads");
    let other = vc::verify(&read, &jwk(&SigningKey::ed25519(&[9; 32])), AT);
    assert_eq!(other, Err(Error::Signature));
    let (input, _) = text.rsplit_once('.').expect("three parts");
    for signature in ["", "AA", &b64(&[0; 64]), &b64(&[0; 65])] {
        assert_eq!(verify(&format!("{input}.{signature}~")), Err(Error::Signature), "{signature}");
    }
    // A P-256 key does not check an EdDSA document, whatever its bytes.
    let p256 = json!({
        "kty": "EC", "crv": "P-256",
        "x": "b28d4MwZMjw8-00CG4xfnn9SLMVMM19SlqZpVb_uNtQ", "y": "Xv5zWwuoaTgdS6hV43yI6gBwTnjukmFQQnJ_kCxzqk8",
    });
    let p256 = Jwk::read(p256.to_string().as_bytes()).expect("a key");
    assert_eq!(vc::verify(&read, &p256, AT), Err(Error::KeyAlgorithm));
}

#[test]
fn the_parts_of_a_compact_form_are_counted() {
    let jws = jws(&issuer(), HEADER, &claims(json!({})).to_string());
    let (input, _) = jws.rsplit_once('.').expect("three parts");
    assert!(verify(&format!("{jws}~")).is_ok());
    assert_eq!(verify(&jws), Err(Error::Form), "a JWT without a tilde is no SD-JWT");
    assert_eq!(verify(&format!("{input}~")), Err(Error::Unsigned));
    assert_eq!(verify(&format!("{jws}.x~")), Err(Error::Form));
    assert_eq!(verify("~"), Err(Error::Form));
    assert_eq!(verify(""), Err(Error::Form));
    assert_eq!(verify(&format!("{jws}~~")), Err(Error::Json), "an empty disclosure");
    assert_eq!(verify(&format!(" {jws}~")), Err(Error::Base64));
    assert_eq!(SdJwt::read(b"\xff~").err(), Some(Error::Form));
}

#[test]
fn claims_of_a_credential_are_there_and_of_their_type() {
    for more in [json!({ "vct": 1 }), json!({ "vct": "" }), json!({ "iss": {} }), json!({ "cnf": "x" })] {
        assert_eq!(refusal(more.clone(), &[]), Error::Claim, "{more}");
    }
    for missing in ["vct", "iss"] {
        let mut claims = claims(json!({}));
        claims.as_object_mut().expect("an object").remove(missing);
        assert_eq!(verify(&compact(&claims.to_string(), &[])), Err(Error::Claim), "{missing}");
    }
    assert_eq!(verify(&compact("[]", &[])), Err(Error::NotAnObject));
    assert_eq!(verify(&compact(r#"{"iss":"a","iss":"b"}"#, &[])), Err(Error::DuplicateMember));
}

#[test]
fn what_decides_whether_it_holds_stands_in_clear() {
    for (name, value) in [
        ("nbf", json!(1)),
        ("exp", json!(AT + 1)),
        ("status", json!({})),
        ("cnf", json!({ "jwk": jwk_json(&holder()) })),
    ] {
        let (text, digest) = member(name, &value);
        assert_eq!(refusal(json!({ "_sd": [digest] }), &[&text]), Error::MustBeClear, "{name}");
    }
    let (text, digest) = member("jwk", &jwk_json(&holder()));
    assert_eq!(refusal(json!({ "cnf": { "_sd": [digest] } }), &[&text]), Error::MustBeClear);
}

#[test]
fn times_hold_to_the_second() {
    assert!(answer(json!({ "exp": AT + 1, "nbf": AT }), &[]).is_ok());
    assert_eq!(refusal(json!({ "exp": AT }), &[]), Error::Expired);
    assert_eq!(refusal(json!({ "nbf": AT + vc::SKEW_S + 1 }), &[]), Error::NotYetValid);
    assert_eq!(refusal(json!({ "iat": AT + vc::SKEW_S + 1 }), &[]), Error::IssuedInFuture);
    for bad in [json!("1"), json!(1.5), json!(-1), json!(null), json!(1e30)] {
        assert_eq!(refusal(json!({ "exp": bad }), &[]), Error::TimeFormat, "{bad}");
    }
}

#[test]
fn sizes_are_bounded() {
    assert_eq!(SdJwt::read(&vec![b'~'; SD_JWT_BYTES_MAX + 1]).err(), Some(Error::TooLong));
    let many = vec!["e30"; DISCLOSURES_MAX + 1];
    assert_eq!(refusal(json!({}), &many), Error::TooManyDisclosures);
    let deep = format!("{}1{}", "[".repeat(DEPTH_MAX), "]".repeat(DEPTH_MAX));
    assert_eq!(verify(&compact(&format!(r#"{{"a":{deep}}}"#), &[])), Err(Error::TooDeep));
}

#[test]
fn disclosures_that_nest_without_end_are_refused() {
    // Each disclosure alone is shallow; put in place they would be a hundred deep.
    let (mut text, mut digest) = member("a", &json!(1));
    let mut all = vec![text.clone()];
    for _ in 0..100 {
        (text, digest) = member("a", &json!({ "_sd": [digest] }));
        all.push(text.clone());
    }
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    assert_eq!(refusal(json!({ "_sd": [digest] }), &all), Error::TooDeep);
}
