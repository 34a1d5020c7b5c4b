//! Selective disclosure by RFC 9901, for any issuer's document: reading both serialisations, checking the signature,
//! putting disclosures in place of their digests, the holder's answer, and the rules of SD-JWT VC. The diploma's own
//! document (`crate::document`) is stricter still and stands on this.
//!
//! Read in this order: `json` (no member twice), `jws` (signature and keys), `form` (compact and JSON), `process`
//! (section 7.1, steps 3 to 5), [`key_binding`] (section 7.3), [`vc`] (the credential's claims and times), [`check`]
//! (all of it, answered question by question, for people).
//!
//! What is not said to be allowed is refused, with a code of [`Error`]. Every input is bounded: bytes, disclosures,
//! nesting. Each digest is followed at most once, so the work is in proportion to the bytes.

mod check;
mod error;
mod form;
mod json;
mod jws;
pub mod key_binding;
mod process;
pub mod vc;

use std::fmt;

pub use check::{Answer, Outcome, Question, Report, Verdict, check};
pub use error::Error;
pub use form::{Form, SdJwt};
pub use json::{DEPTH_MAX, Object};
pub use jws::{JWK_BYTES_MAX, Jwk, thumbprint};
use serde_json::Value;

/// Bytes of an SD-JWT in either serialisation.
pub const SD_JWT_BYTES_MAX: usize = 256 * 1024;

/// Disclosures in one SD-JWT.
pub const DISCLOSURES_MAX: usize = 1024;

/// What an SD-JWT says, once its signature verified and its disclosures fit.
#[derive(Clone, PartialEq)]
pub struct Verified {
    claims: Object,
    disclosed: Vec<String>,
    withheld: usize,
}

impl Verified {
    /// The processed payload: every claim that stands in clear or was disclosed.
    pub fn claims(&self) -> &Object {
        &self.claims
    }

    /// Where what was disclosed stands: `address.locality`, `nationalities[]`. Paths are cut at 256 characters.
    pub fn disclosed(&self) -> &[String] {
        &self.disclosed
    }

    /// Digests of what is held back, and decoys.
    pub fn withheld(&self) -> usize {
        self.withheld
    }

    /// The holder's key, `cnf.jwk`. Fails with [`Error::KeyBindingKey`] where there is none.
    pub fn holder_key(&self) -> Result<Jwk, Error> {
        let jwk = self.claims.get("cnf").and_then(|cnf| cnf.get("jwk")).and_then(Value::as_object);
        Jwk::from_object(jwk.ok_or(Error::KeyBindingKey)?).map_err(|_| Error::KeyBindingKey)
    }
}

impl fmt::Debug for Verified {
    /// Counts alone: names and values are a person's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (disclosed, withheld) = (self.disclosed.len(), self.withheld);
        f.debug_struct("Verified").field("disclosed", &disclosed).field("withheld", &withheld).finish()
    }
}
