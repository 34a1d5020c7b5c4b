//! The document: what the institution says in clear, and the digests of what it says salted.
//!
//! The payload is that of an SD-JWT VC (RFC 9901): `iss`, `vct`, `iat` by day, `_sd_alg`, thirty-two `_sd`, and
//! `cnf` where the holder gave a key. Nothing else may occur: no `exp` (a diploma does not lapse), no `status`
//! and no URL (what a diploma is worth now is asked of the ledger, and whoever asks stays private).
//!
//! **The unsigned sample.** An SD-JWT is a JWS of three parts, `header.payload.signature`. A sample is its
//! signing input alone: two parts, and a header that is exactly `{"typ":"tanba-unsigned-sample"}`, without
//! `alg`. It is no JWS: RFC 7515 requires `alg` and three parts, so no JOSE library takes it for a signed one,
//! and `"alg":"none"` is never written. Where a commitment covers "the document JWS", it covers the bytes of
//! these two parts. Only a network of kind `Devnet` accepts a sample. A document of three parts is refused
//! here: its signature could not be checked, and what cannot be checked is not believed.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use tanba_crypto::{Hash, PublicKey};

use crate::{
    encoding::{array_from_b64url, b64url, from_b64url},
    leaves::LEAVES,
};

/// The type of this credential, by which a verifier knows the rules of this crate.
pub const VCT: &str = "urn:kz:edu:diploma:1";

/// The `typ` of a document without a signature.
pub const UNSIGNED_SAMPLE: &str = "tanba-unsigned-sample";

/// Bytes of a document.
pub const DOCUMENT_BYTES_MAX: usize = 8 * 1024;

const HEADER: &str = r#"{"typ":"tanba-unsigned-sample"}"#;
const DAY_S: u64 = 24 * 3_600;

/// A business identification number as documents spell it: 12 digits. Its control digit is the ledger's to
/// check, which knows the institution anyway.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IssuerBin([u8; 12]);

impl IssuerBin {
    /// Reads 12 digits.
    pub fn parse(text: &str) -> Option<IssuerBin> {
        let digits: [u8; 12] = text.as_bytes().try_into().ok()?;
        digits.iter().all(u8::is_ascii_digit).then_some(IssuerBin(digits))
    }

    /// The 12 digits.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("digits are ASCII")
    }
}

impl fmt::Display for IssuerBin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for IssuerBin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for IssuerBin {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for IssuerBin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<IssuerBin, D::Error> {
        let text = String::deserialize(deserializer)?;
        IssuerBin::parse(&text).ok_or_else(|| de::Error::custom("a BIN has 12 digits"))
    }
}

/// A document that was read or made by the rules above.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Document {
    text: String,
    issuer: IssuerBin,
    issued_on_day: u32,
    digests: [Hash; LEAVES],
    holder_key: Option<PublicKey>,
}

/// Why a text is no document by these rules. Carries nothing of the text.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DocumentError {
    /// Longer than [`DOCUMENT_BYTES_MAX`].
    #[error("the document is longer than {DOCUMENT_BYTES_MAX} bytes")]
    TooLong,
    /// Three parts.
    #[error("the document is signed, and this version checks unsigned samples only")]
    Signed,
    /// Not two parts, or another header.
    #[error("the document is not marked as an unsigned sample")]
    Header,
    /// The payload lacks a claim, has a foreign one, or spells one wrongly.
    #[error("the document's claims are not those of a diploma")]
    Claims,
    /// A day with an hour would tell which documents were made together.
    #[error("the document's date of issue is not a whole day")]
    IssuedAt,
    /// A digest occurs twice.
    #[error("the document lists a digest twice")]
    RepeatedDigest,
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

const ISSUER_PREFIX: &str = "urn:kz:bin:";

impl Document {
    /// Writes an unsigned sample. `issued_on_day` counts days since 1970-01-01; `holder_key` is the key by which
    /// the holder will answer a verifier's nonce.
    pub fn unsigned_sample(
        issuer: IssuerBin,
        issued_on_day: u32,
        digests: [Hash; LEAVES],
        holder_key: Option<PublicKey>,
    ) -> Document {
        let claims = Claims {
            iss: format!("{ISSUER_PREFIX}{issuer}"),
            vct: VCT.to_owned(),
            iat: u64::from(issued_on_day) * DAY_S,
            _sd_alg: "sha-256".to_owned(),
            _sd: digests.iter().map(|digest| b64url(digest.as_bytes())).collect(),
            cnf: holder_key.map(confirmation),
        };
        let payload = serde_json::to_vec(&claims).expect("texts and numbers are JSON");
        let text = format!("{}.{}", b64url(HEADER.as_bytes()), b64url(&payload));
        Document { text, issuer, issued_on_day, digests, holder_key }
    }

    /// Reads an unsigned sample.
    pub fn parse(text: &str) -> Result<Document, DocumentError> {
        if text.len() > DOCUMENT_BYTES_MAX {
            return Err(DocumentError::TooLong);
        }
        let mut parts = text.split('.');
        let (header, payload) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        if parts.next().is_some() {
            return Err(DocumentError::Signed);
        }
        if from_b64url(header).as_deref() != Some(HEADER.as_bytes()) {
            return Err(DocumentError::Header);
        }
        let payload = from_b64url(payload).ok_or(DocumentError::Claims)?;
        let claims: Claims = serde_json::from_slice(&payload).map_err(|_| DocumentError::Claims)?;
        if claims.vct != VCT || claims._sd_alg != "sha-256" {
            return Err(DocumentError::Claims);
        }
        let issuer = claims.iss.strip_prefix(ISSUER_PREFIX).and_then(IssuerBin::parse);
        Ok(Document {
            text: text.to_owned(),
            issuer: issuer.ok_or(DocumentError::Claims)?,
            issued_on_day: whole_day(claims.iat)?,
            digests: digests_of(&claims._sd)?,
            holder_key: claims.cnf.map(|cnf| holder_key(&cnf)).transpose()?,
        })
    }

    /// The document as issued: what the commitments cover.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Who says it.
    pub const fn issuer(&self) -> IssuerBin {
        self.issuer
    }

    /// When, in days since 1970-01-01.
    pub const fn issued_on_day(&self) -> u32 {
        self.issued_on_day
    }

    /// The digests of fields and decoys, in order of their leaves.
    pub const fn digests(&self) -> &[Hash; LEAVES] {
        &self.digests
    }

    /// The key by which the holder answers a verifier's nonce.
    pub const fn holder_key(&self) -> Option<&PublicKey> {
        self.holder_key.as_ref()
    }
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

#[cfg(test)]
mod tests {
    use tanba_crypto::SigningKey;

    use super::*;

    fn sample() -> Document {
        let digests = std::array::from_fn(|n| Hash([n as u8; 32]));
        let issuer = IssuerBin::parse("012345678901").expect("12 digits");
        Document::unsigned_sample(issuer, 20_634, digests, Some(SigningKey::ed25519(&[1; 32]).public()))
    }

    fn with_payload(change: impl Fn(&mut serde_json::Value)) -> Result<Document, DocumentError> {
        let sample = sample();
        let (header, payload) = sample.text.split_once('.').expect("two parts");
        let mut value = serde_json::from_slice(&from_b64url(payload).expect("b64url")).expect("JSON");
        change(&mut value);
        Document::parse(&format!("{header}.{}", b64url(value.to_string().as_bytes())))
    }

    #[test]
    fn a_sample_reads_back_and_cannot_be_taken_for_a_jws() {
        let sample = sample();
        assert_eq!(Document::parse(sample.text()), Ok(sample.clone()));
        assert_eq!(sample.text().matches('.').count(), 1);
        let header = from_b64url(sample.text().split('.').next().expect("a header")).expect("b64url");
        assert_eq!(header, format!(r#"{{"typ":"{UNSIGNED_SAMPLE}"}}"#).as_bytes());
        assert_eq!(Document::parse(&format!("{}.", sample.text())), Err(DocumentError::Signed));
    }

    #[test]
    fn exactly_these_claims_may_stand_in_clear() {
        assert_eq!(with_payload(|_| ()), Ok(sample()));
        for foreign in ["exp", "status", "jti", "sub", "nbf", "url", "issuing_country"] {
            let refused = with_payload(|claims| claims[foreign] = 1.into());
            assert_eq!(refused, Err(DocumentError::Claims), "{foreign}");
        }
        for (claim, value) in [("vct", "urn:kz:edu:diploma:2"), ("_sd_alg", "sha-1"), ("iss", "https://x")] {
            assert_eq!(with_payload(|claims| claims[claim] = value.into()), Err(DocumentError::Claims));
        }
    }

    #[test]
    fn other_headers_other_hours_and_other_counts_are_refused() {
        let none = sample().text().replacen(&b64url(HEADER.as_bytes()), &b64url(br#"{"alg":"none"}"#), 1);
        assert_eq!(Document::parse(&none), Err(DocumentError::Header));
        assert_eq!(with_payload(|claims| claims["iat"] = 1.into()), Err(DocumentError::IssuedAt));
        let fewer = with_payload(|claims| {
            claims["_sd"].as_array_mut().expect("a list").pop();
        });
        assert_eq!(fewer, Err(DocumentError::Claims));
        let twice = with_payload(|claims| claims["_sd"][1] = claims["_sd"][0].clone());
        assert_eq!(twice, Err(DocumentError::RepeatedDigest));
    }
}
