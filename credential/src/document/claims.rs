//! The payload of a document: exactly these claims, each with one meaning.

use serde::{Deserialize, Serialize};
use tanba_crypto::{Hash, PublicKey};

use super::{DocumentError, IssuerBin, VCT};
use crate::{
    encoding::{array_from_b64url, b64url, from_b64url},
    leaves::LEAVES,
};

const DAY_S: u64 = 24 * 3_600;

const ISSUER_PREFIX: &str = "urn:kz:bin:";

/// What a document says in clear.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Clear {
    pub(super) issuer: IssuerBin,
    pub(super) issued_on_day: u32,
    pub(super) digests: [Hash; LEAVES],
    pub(super) holder_key: Option<PublicKey>,
}

impl Clear {
    /// The payload, as base64url.
    pub(super) fn write(&self) -> String {
        let claims = Claims {
            iss: format!("{ISSUER_PREFIX}{}", self.issuer),
            vct: VCT.to_owned(),
            iat: u64::from(self.issued_on_day) * DAY_S,
            _sd_alg: "sha-256".to_owned(),
            _sd: self.digests.iter().map(|digest| b64url(digest.as_bytes())).collect(),
            cnf: self.holder_key.map(confirmation),
        };
        b64url(&serde_json::to_vec(&claims).expect("texts and numbers are JSON"))
    }

    /// Reads a payload. A claim outside the list, or named twice, refuses it.
    pub(super) fn read(payload: &str) -> Result<Clear, DocumentError> {
        let payload = from_b64url(payload).ok_or(DocumentError::Claims)?;
        let claims: Claims = serde_json::from_slice(&payload).map_err(|_| DocumentError::Claims)?;
        if claims.vct != VCT || claims._sd_alg != "sha-256" {
            return Err(DocumentError::Claims);
        }
        let issuer = claims.iss.strip_prefix(ISSUER_PREFIX).and_then(IssuerBin::parse);
        Ok(Clear {
            issuer: issuer.ok_or(DocumentError::Claims)?,
            issued_on_day: whole_day(claims.iat)?,
            digests: digests_of(&claims._sd)?,
            holder_key: claims.cnf.map(|cnf| holder_key(&cnf)).transpose()?,
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    iss: String,
    vct: String,
    iat: u64,
    _sd_alg: String,
    _sd: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    cnf: Option<Confirmation>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Confirmation {
    jwk: Jwk,
}

/// An Ed25519 key by RFC 8037.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Jwk {
    kty: String,
    crv: String,
    x: String,
}

fn whole_day(iat_s: u64) -> Result<u32, DocumentError> {
    if !iat_s.is_multiple_of(DAY_S) {
        return Err(DocumentError::IssuedAt);
    }
    u32::try_from(iat_s / DAY_S).map_err(|_| DocumentError::IssuedAt)
}

fn digests_of(listed: &[String]) -> Result<[Hash; LEAVES], DocumentError> {
    let digests: Option<Vec<Hash>> = listed.iter().map(|text| array_from_b64url(text).map(Hash)).collect();
    let digests: [Hash; LEAVES] =
        digests.and_then(|list| list.try_into().ok()).ok_or(DocumentError::Claims)?;
    let mut sorted = digests;
    sorted.sort_unstable();
    if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(DocumentError::RepeatedDigest);
    }
    Ok(digests)
}

fn confirmation(key: PublicKey) -> Confirmation {
    let PublicKey::Ed25519(bytes) = key;
    Confirmation { jwk: Jwk { kty: "OKP".into(), crv: "Ed25519".into(), x: b64url(&bytes) } }
}

fn holder_key(cnf: &Confirmation) -> Result<PublicKey, DocumentError> {
    if cnf.jwk.kty != "OKP" || cnf.jwk.crv != "Ed25519" {
        return Err(DocumentError::Claims);
    }
    let key = PublicKey::Ed25519(array_from_b64url(&cnf.jwk.x).ok_or(DocumentError::Claims)?);
    key.check().map_err(|_| DocumentError::Claims)?;
    Ok(key)
}
