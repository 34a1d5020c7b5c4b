//! The holder's answer: a JWT by the key that the document names, over one verifier's question and over exactly the
//! disclosures sent (RFC 9901, sections 4.3 and 7.3).

use serde_json::{Value, json};
use tanba_crypto::{Signature, SigningKey};

use super::{Error, Jwk, SdJwt, json::Object, jws::Jws, vc};
use crate::{disclosure::digest, encoding::b64url};

/// The `typ` of an answer.
pub const TYPE: &str = "kb+jwt";

/// What the verifier asked, and when the answer came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Challenge<'a> {
    /// The verifier's name, as it gave it.
    pub audience: &'a str,
    /// The random text that makes the question fresh.
    pub nonce: &'a str,
    /// Seconds that an answer may be old.
    pub age_s_max: u64,
}

/// Answers `challenge` for exactly the disclosures of `sd_jwt`: the compact form with a fresh answer at its end, in place
/// of any there was. `key` is the one that the document names; `at` is in seconds since 1970.
pub fn answer(sd_jwt: &SdJwt, challenge: &Challenge<'_>, at: u64, key: &SigningKey) -> String {
    let text = sd_jwt.to_compact();
    let payload = json!({
        "iat": at,
        "aud": challenge.audience,
        "nonce": challenge.nonce,
        "sd_hash": b64url(digest(&text).as_bytes()),
    });
    let header = json!({ "alg": "EdDSA", "typ": TYPE });
    let part = |json: Value| b64url(json.to_string().as_bytes());
    let input = format!("{}.{}", part(header), part(payload));
    let Signature::Ed25519(signature) = key.sign(input.as_bytes());
    format!("{text}{input}.{}", b64url(&signature))
}

/// Checks the answer of `sd_jwt` by `holder_key` against `challenge`. `at` is in seconds since 1970.
pub fn check(sd_jwt: &SdJwt, holder_key: &Jwk, challenge: &Challenge<'_>, at: u64) -> Result<(), Error> {
    let answer = check_signed(sd_jwt, holder_key)?;
    if text(&answer, "aud")? != challenge.audience {
        return Err(Error::Audience);
    }
    if text(&answer, "nonce")? != challenge.nonce {
        return Err(Error::Nonce);
    }
    let given_at = answer.get("iat").and_then(Value::as_u64).ok_or(Error::KeyBindingClaim)?;
    if given_at > at.saturating_add(vc::SKEW_S) || at.saturating_sub(given_at) > challenge.age_s_max {
        return Err(Error::KeyBindingTime);
    }
    vc::check_times(&answer, at).map_err(|_| Error::KeyBindingTime)
}

/// Checks all of an answer but whom and when it answers: type, signature, claims, and what it covers.
pub(crate) fn check_signed(sd_jwt: &SdJwt, holder_key: &Jwk) -> Result<Object, Error> {
    let text_of = sd_jwt.key_binding().ok_or(Error::KeyBindingMissing)?;
    let jws = Jws::read_compact(text_of).map_err(|_| Error::KeyBindingForm)?;
    if !jws.is_of(&[TYPE]) {
        return Err(Error::KeyBindingType);
    }
    jws.verify(holder_key).map_err(|_| Error::KeyBindingSignature)?;
    let answer = jws.payload();
    for claim in ["aud", "nonce", "sd_hash"] {
        text(answer, claim)?;
    }
    if !answer.get("iat").is_some_and(Value::is_u64) {
        return Err(Error::KeyBindingClaim);
    }
    if text(answer, "sd_hash")? != b64url(digest(&sd_jwt.to_compact()).as_bytes()) {
        return Err(Error::SdHash);
    }
    Ok(answer.clone())
}

fn text<'a>(claims: &'a Object, name: &str) -> Result<&'a str, Error> {
    let text = claims.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    text.ok_or(Error::KeyBindingClaim)
}
