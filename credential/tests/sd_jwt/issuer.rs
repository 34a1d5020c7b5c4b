//! An issuer and a holder for tests: they sign whatever they are told to, sound or not.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tanba_credential::sd_jwt::{Error, Jwk, SdJwt, Verified, vc};
use tanba_crypto::{Hash, Signature, SigningKey};

/// A time at which everything made here holds.
pub(crate) const AT: u64 = 1_800_000_000;

pub(crate) const SALT: &str = "AAAAAAAAAAAAAAAAAAAAAA";

pub(crate) fn b64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn unb64(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).expect("base64url")
}

pub(crate) fn issuer() -> SigningKey {
    SigningKey::ed25519(&[11; 32])
}

pub(crate) fn holder() -> SigningKey {
    SigningKey::ed25519(&[12; 32])
}

pub(crate) fn jwk(key: &SigningKey) -> Jwk {
    Jwk::Ed25519(key.public())
}

pub(crate) fn jwk_json(key: &SigningKey) -> Value {
    json!({ "kty": "OKP", "crv": "Ed25519", "x": b64(key.public().as_bytes()) })
}

/// A JWS over exactly these texts.
pub(crate) fn jws(key: &SigningKey, header: &str, payload: &str) -> String {
    let input = format!("{}.{}", b64(header.as_bytes()), b64(payload.as_bytes()));
    let Signature::Ed25519(signature) = key.sign(input.as_bytes());
    format!("{input}.{}", b64(&signature))
}

pub(crate) const HEADER: &str = r#"{"alg":"EdDSA","typ":"dc+sd-jwt"}"#;

/// A disclosure of these bytes, and its digest.
pub(crate) fn disclosure(json: &str) -> (String, String) {
    let text = b64(json.as_bytes());
    let digest = b64(Hash::plain(text.as_bytes()).as_bytes());
    (text, digest)
}

pub(crate) fn member(name: &str, value: &Value) -> (String, String) {
    disclosure(&json!([SALT, name, value]).to_string())
}

/// The claims of a sound credential, with `more` beside them.
pub(crate) fn claims(more: Value) -> Value {
    let mut claims = json!({ "iss": "urn:kz:bin:000000000018", "vct": "urn:example:1", "iat": AT });
    for (name, value) in more.as_object().expect("an object") {
        claims[name] = value.clone();
    }
    claims
}

pub(crate) fn compact(payload: &str, disclosures: &[&str]) -> String {
    let mut text = jws(&issuer(), HEADER, payload);
    for part in disclosures {
        text.push('~');
        text.push_str(part);
    }
    text + "~"
}

pub(crate) fn verify(text: &str) -> Result<Verified, Error> {
    vc::verify(&SdJwt::read(text.as_bytes())?, &jwk(&issuer()), AT)
}

/// Checks a credential with `more` claims and these disclosures.
pub(crate) fn answer(more: Value, disclosures: &[&str]) -> Result<Verified, Error> {
    verify(&compact(&claims(more).to_string(), disclosures))
}

/// The one error that a document earns.
pub(crate) fn refusal(more: Value, disclosures: &[&str]) -> Error {
    answer(more, disclosures).expect_err("refused")
}
