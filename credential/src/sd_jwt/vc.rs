//! The claims of a credential (SD-JWT VC): a type and an issuer in clear, times that hold, and nothing hidden that
//! decides whether it holds.

use serde_json::Value;

use super::{Error, Jwk, SdJwt, Verified, json::Object};

/// The `typ` of a credential. The former `vc+sd-jwt` is not accepted.
pub const TYPE: &str = "dc+sd-jwt";

/// Seconds by which two clocks may differ where a time is to come.
pub const SKEW_S: u64 = 60;

/// Claims that must not depend on what a holder discloses.
const CLEAR: [&str; 7] = ["iss", "nbf", "exp", "cnf", "vct", "vct#integrity", "status"];

/// Checks a credential by its issuer's key, at a time in seconds since 1970.
pub fn verify(sd_jwt: &SdJwt, key: &Jwk, at: u64) -> Result<Verified, Error> {
    let verified = sd_jwt.verify(key, &[TYPE])?;
    check_claims(&verified)?;
    check_times(verified.claims(), at)?;
    Ok(verified)
}

/// Checks that the claims are those of a credential.
pub fn check_claims(verified: &Verified) -> Result<(), Error> {
    let claims = verified.claims();
    let is_text = |name: &str| claims.get(name).and_then(Value::as_str).is_some_and(|text| !text.is_empty());
    // Drafts since 2025 let the issuer be named by a certificate alone; here a key comes from the ledger or from
    // whoever asks, so the document must say whose it is.
    if !is_text("vct") || !is_text("iss") {
        return Err(Error::Claim);
    }
    if claims.get("cnf").is_some_and(|cnf| !cnf.is_object()) {
        return Err(Error::Claim);
    }
    // A member of a claim in clear, such as `cnf.jwk`, decides as much as the claim.
    let first = |path: &str| path.split(['.', '[']).next().map(str::to_owned).unwrap_or_default();
    if verified.disclosed().iter().any(|path| CLEAR.contains(&first(path).as_str())) {
        return Err(Error::MustBeClear);
    }
    Ok(())
}

/// Checks `exp`, `nbf` and `iat`, where they are, against `at`, in seconds since 1970.
pub fn check_times(claims: &Object, at: u64) -> Result<(), Error> {
    let time = |name: &str| match claims.get(name) {
        None => Ok(None),
        Some(value) => value.as_u64().map(Some).ok_or(Error::TimeFormat),
    };
    let (expires, begins, issued) = (time("exp")?, time("nbf")?, time("iat")?);
    if expires.is_some_and(|expires| at >= expires) {
        return Err(Error::Expired);
    }
    if begins.is_some_and(|begins| begins > at.saturating_add(SKEW_S)) {
        return Err(Error::NotYetValid);
    }
    if issued.is_some_and(|issued| issued > at.saturating_add(SKEW_S)) {
        return Err(Error::IssuedInFuture);
    }
    Ok(())
}
