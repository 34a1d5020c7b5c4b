//! SD-JWTs of any issuer: one that is valid says nothing that its issuer did not, whatever is done to it; and an issuer that
//! means harm gets no further than a verdict.

use std::sync::OnceLock;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tanba_credential::sd_jwt::{Form, Jwk, Object, Report, SdJwt, Verdict, check};
use tanba_crypto::{Hash, PublicKey, Signature, SigningKey};

use super::vectors;
use crate::fuzz::{Bound, Target};

const WORDS: &[&str] = &[
    "~",
    ".",
    "eyJ",
    "{\"",
    "\"_sd\":[",
    "{\"...\":\"",
    "\"_sd_alg\":\"sha-256\"",
    "\"cnf\":{\"jwk\":",
    "[\"s\",\"n\",",
    "[\"s\",",
    "$1",
    "$2",
    "\"exp\":",
    "null",
    "[[[[",
    "\\u0000",
    "\n",
];

pub(super) fn targets() -> Vec<Target> {
    // Text, its bytes, a tree of them, and the tree with its disclosures in place: a small value weighs some hundred bytes.
    let bound = Bound { factor: 160, constant_bytes: 64 * 1024 };
    let of =
        |name, seeds, attack| Target { name, input_bytes_max: 16 * 1024, bound, seeds, words: WORDS, attack };
    vec![
        of("sdjwt-compact", || vec![golden().compact.clone(), golden().whole.clone()], forge),
        of("sdjwt-json", json_seeds, forge),
        of("sdjwt-contents", contents_seeds, |bytes| {
            if let Some(text) = sign(bytes) {
                judge_issuer(&text);
            }
        }),
        of(
            "sdjwt-key",
            || vec![jwk().to_string().into_bytes()],
            |bytes| {
                // Only that it ends, and within its bound: a key is either read or not.
                let _ = Jwk::read(bytes);
            },
        ),
    ]
}

/// The golden document.
struct Golden {
    key: Jwk,
    at: u64,
    /// As shown, with the holder's answer.
    compact: Vec<u8>,
    /// With every disclosure and no answer.
    whole: Vec<u8>,
    /// All that the issuer said.
    claims: Object,
}

fn golden() -> &'static Golden {
    static GOLDEN: OnceLock<Golden> = OnceLock::new();
    GOLDEN.get_or_init(|| {
        let vector = vectors::file("credential-signed.json");
        let text = |name: &str| vector[name].as_str().expect("a text").to_owned();
        let key = Jwk::Ed25519(PublicKey::from_text(&text("document_key")).expect("a key"));
        let at = vector["presented_at"].as_u64().expect("a time");
        let disclosures: Vec<&str> =
            vector["disclosures"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
        let whole = format!("{}~{}~", text("document"), disclosures.join("~")).into_bytes();
        let report = check(&whole, Some(key), at);
        assert_eq!(report.verdict(), Verdict::Valid, "the golden document holds");
        let claims = report.claims().expect("it was read").clone();
        Golden { key, at, compact: text("sd_jwt").into_bytes(), whole, claims }
    })
}

fn forge(bytes: &[u8]) {
    let golden = golden();
    let read = SdJwt::read(bytes);
    if let Some(read) = read.as_ref().ok().filter(|read| read.form() == Form::Compact) {
        let text = read.to_compact() + read.key_binding().unwrap_or_default();
        assert_eq!(text.as_bytes(), bytes, "the compact form is read as it stands");
    }
    match check(bytes, None, golden.at).verdict() {
        Verdict::Valid => panic!("without a key nothing is valid"),
        Verdict::Invalid(_) => {}
        Verdict::NotChecked => {
            let read = SdJwt::read(bytes.trim_ascii()).expect("it was checked");
            let again = SdJwt::read(read.to_compact().as_bytes()).expect("what is written is read");
            assert_eq!(again.disclosures(), read.disclosures(), "every form holds the same");
        }
    }
    let report = check(bytes, Some(golden.key), golden.at);
    if report.verdict() == Verdict::Valid {
        let said = report.claims().expect("it was read");
        let is_said = |(name, value): (&String, &Value)| golden.claims.get(name) == Some(value);
        assert!(said.iter().all(is_said), "valid, and its issuer did not say so");
    }
}

/// Both JSON serialisations (RFC 9901, section 8) of what was shown.
fn json_seeds() -> Vec<Vec<u8>> {
    let text = str::from_utf8(&golden().compact).expect("text");
    let parts: Vec<&str> = text.split('~').collect();
    let [jws, disclosures @ .., answer] = &parts[..] else { panic!("parts") };
    let jws: Vec<&str> = jws.split('.').collect();
    let [protected, payload, signature] = jws[..] else { panic!("three parts") };
    let header = json!({ "disclosures": disclosures, "kb_jwt": answer });
    let one = json!({ "protected": protected, "signature": signature, "header": header });
    let mut flattened = one.clone();
    flattened["payload"] = payload.into();
    [flattened, json!({ "payload": payload, "signatures": [one] })]
        .map(|it| it.to_string().into_bytes())
        .to_vec()
}

// ------------------------------------------------------------------------------- an issuer that means harm

fn issuer() -> SigningKey {
    SigningKey::ed25519(&[11; 32])
}

fn jwk() -> Value {
    json!({ "kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(issuer().public().as_bytes()) })
}

/// A payload, and below it one disclosure a line; `$n` is the digest of line n.
fn contents_seeds() -> Vec<Vec<u8>> {
    let flat = concat!(
        "{\"iss\":\"urn:example\",\"vct\":\"urn:example:1\",\"iat\":1782777600,\"_sd_alg\":\"sha-256\",",
        "\"_sd\":[\"$1\",\"$2\"],\"list\":[{\"...\":\"$3\"},\"plain\"]}\n",
        "[\"s\",\"given_name\",\"Nobody\"]\n[\"s\",\"level\",7]\n[\"s\",\"hidden\"]",
    );
    let nested = concat!(
        "{\"vct\":\"urn:example:1\",\"_sd\":[\"$1\"],\"nbf\":1,\"exp\":4000000000}\n",
        "[\"s\",\"address\",{\"_sd\":[\"$2\"],\"list\":[{\"...\":\"$3\"}]}]\n",
        "[\"s\",\"street\",{\"_sd\":[]}]\n[\"s\",{\"_sd\":[\"$4\"]}]\n[\"s\",\"deep\",null]",
    );
    [flat, nested].map(|text| text.as_bytes().to_vec()).to_vec()
}

/// Signs what an input describes, as any issuer can sign anything.
fn sign(input: &[u8]) -> Option<Vec<u8>> {
    let text = str::from_utf8(input).ok()?;
    let mut lines: Vec<String> = text.split('\n').take(10).map(str::to_owned).collect();
    // A line names only lines below it, so the last is made first.
    let mut disclosures = Vec::new();
    for place in (1..lines.len()).rev() {
        let disclosure = URL_SAFE_NO_PAD.encode(&lines[place]);
        let digest = URL_SAFE_NO_PAD.encode(Hash::plain(disclosure.as_bytes()).as_bytes());
        let name = format!("${place}");
        lines[..place].iter_mut().for_each(|line| *line = line.replace(&name, &digest));
        disclosures.push(disclosure);
    }
    let header = json!({ "alg": "EdDSA", "typ": "dc+sd-jwt" }).to_string();
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(&lines[0]));
    let Signature::Ed25519(signature) = issuer().sign(signed.as_bytes());
    let mut text = format!("{signed}.{}~", URL_SAFE_NO_PAD.encode(signature));
    disclosures.iter().rev().for_each(|disclosure| text.extend([disclosure, "~"]));
    Some(text.into_bytes())
}

fn judge_issuer(text: &[u8]) {
    let key = Jwk::Ed25519(issuer().public());
    let report: Report = check(text, Some(key), golden().at);
    if let Some(claims) = report.claims() {
        let is_plain = claims.iter().all(|(name, value)| !is_digest(name) && holds_no_digest(value));
        assert!(is_plain, "what was read holds no digest any more");
    }
    drop(report.to_json(true));
}

fn is_digest(name: &str) -> bool {
    ["_sd", "...", "_sd_alg"].contains(&name)
}

fn holds_no_digest(value: &Value) -> bool {
    match value {
        Value::Object(object) => {
            object.iter().all(|(name, value)| !is_digest(name) && holds_no_digest(value))
        }
        Value::Array(list) => list.iter().all(holds_no_digest),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}
