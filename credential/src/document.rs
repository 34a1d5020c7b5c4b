//! The document: what the institution says in clear, and the digests of what it says salted.
//!
//! The payload is that of an SD-JWT VC (RFC 9901): `iss`, `vct`, `iat` by day, `_sd_alg`, thirty-two `_sd`, and
//! `cnf` where the holder gave a key. Nothing else may occur: no `exp` (a diploma does not lapse), no `status`
//! and no URL (what a diploma is worth now is asked of the ledger, and whoever asks stays private). Every document has
//! thirty-two digests of one length, so its own length tells nothing of what it holds.
//!
//! **The signed document** is a JWS of three parts by the institution's `Document` key, `EdDSA` over Ed25519. Its
//! header is exactly `{"alg":"EdDSA","typ":"dc+sd-jwt","kid":…}`, where `kid` is the key's name by RFC 7638; any
//! tool that reads SD-JWT VC can check it. [`Document::verify`] is the only way from such a text to a [`Document`]: the
//! key comes from the ledger, and [`Document::claimed`] tells whom to ask for it.
//!
//! **The unsigned sample** is a signing input alone: two parts, and a header that is exactly
//! `{"typ":"tanba-unsigned-sample"}`, without `alg`. It is no JWS: RFC 7515 requires `alg` and three parts, so no JOSE
//! library takes it for a signed one, and `"alg":"none"` is never written. Only a network of kind `Devnet` accepts a
//! sample. Where a commitment covers "the document JWS", it covers all bytes of the two or three parts.

mod claims;
mod issuer;

use claims::Clear;
pub use issuer::IssuerBin;
use tanba_crypto::{Hash, PublicKey, Signature, SigningKey};

use crate::{
    encoding::{array_from_b64url, b64url, from_b64url},
    leaves::LEAVES,
    sd_jwt::thumbprint,
};

/// The type of this credential, by which a verifier knows the rules of this crate.
pub const VCT: &str = "urn:kz:edu:diploma:1";

/// The `typ` of a document without a signature.
pub const UNSIGNED_SAMPLE: &str = "tanba-unsigned-sample";

/// Bytes of a document.
pub const DOCUMENT_BYTES_MAX: usize = 8 * 1024;

const SAMPLE_HEADER: &str = r#"{"typ":"tanba-unsigned-sample"}"#;

/// A document that was made or read by the rules above; a signed one was verified.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Document {
    text: String,
    clear: Clear,
    signer: Option<PublicKey>,
}

/// What a signed document says of its signer, for asking the ledger whose key that is. Nothing of it is believed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claimed {
    /// The institution it names.
    pub issuer: IssuerBin,
    /// The day it names, in days since 1970-01-01.
    pub issued_on_day: u32,
    /// The name of the key, a thumbprint by RFC 7638.
    pub key_id: String,
}

/// Why a text is no document by these rules. Carries nothing of the text.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DocumentError {
    /// Longer than [`DOCUMENT_BYTES_MAX`].
    #[error("the document is longer than {DOCUMENT_BYTES_MAX} bytes")]
    TooLong,
    /// Three parts, where only a sample is read.
    #[error("the document is signed, and no key to check it by was given")]
    Signed,
    /// Two parts, where only a signed document is read.
    #[error("the document is not signed")]
    Unsigned,
    /// Not two or three parts, or another header.
    #[error("the document's header is not that of a diploma")]
    Header,
    /// Signed, by its own word, by another key.
    #[error("the document names another key than the institution's")]
    KeyId,
    /// The signature is not by this key.
    #[error("the document's signature does not verify")]
    Signature,
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

impl Document {
    /// Writes an unsigned sample. `issued_on_day` counts days since 1970-01-01; `holder_key` is the key by which
    /// the holder will answer a verifier's nonce.
    pub fn unsigned_sample(
        issuer: IssuerBin,
        issued_on_day: u32,
        digests: [Hash; LEAVES],
        holder_key: Option<PublicKey>,
    ) -> Document {
        let clear = Clear { issuer, issued_on_day, digests, holder_key };
        let text = format!("{}.{}", b64url(SAMPLE_HEADER.as_bytes()), clear.write());
        Document { text, clear, signer: None }
    }

    /// Writes and signs a document by the institution's `Document` key. The other arguments are those of
    /// [`Document::unsigned_sample`].
    pub fn sign(
        issuer: IssuerBin,
        issued_on_day: u32,
        digests: [Hash; LEAVES],
        holder_key: Option<PublicKey>,
        key: &SigningKey,
    ) -> Document {
        let clear = Clear { issuer, issued_on_day, digests, holder_key };
        let header = signed_header(&thumbprint(&key.public()));
        let input = format!("{}.{}", b64url(header.as_bytes()), clear.write());
        let Signature::Ed25519(signature) = key.sign(input.as_bytes());
        let text = format!("{input}.{}", b64url(&signature));
        Document { text, clear, signer: Some(key.public()) }
    }

    /// Reads an unsigned sample, and nothing else: a signed document takes its key, [`Document::verify`].
    pub fn parse(text: &str) -> Result<Document, DocumentError> {
        match parts(text)? {
            Parts::Sample { header, payload } => {
                if from_b64url(header).as_deref() != Some(SAMPLE_HEADER.as_bytes()) {
                    return Err(DocumentError::Header);
                }
                Ok(Document { text: text.to_owned(), clear: Clear::read(payload)?, signer: None })
            }
            Parts::Signed { .. } => Err(DocumentError::Signed),
        }
    }

    /// Reads a signed document and checks it by `key`, which is the institution's by the ledger's word.
    pub fn verify(text: &str, key: &PublicKey) -> Result<Document, DocumentError> {
        let Parts::Signed { header, payload, signature, input } = parts(text)? else {
            return Err(DocumentError::Unsigned);
        };
        if key_id(header)? != thumbprint(key) {
            return Err(DocumentError::KeyId);
        }
        let signature = array_from_b64url(signature).ok_or(DocumentError::Signature)?;
        key.verify(input.as_bytes(), &Signature::Ed25519(signature)).map_err(|_| DocumentError::Signature)?;
        Ok(Document { text: text.to_owned(), clear: Clear::read(payload)?, signer: Some(*key) })
    }

    /// Reads whom a signed document names as its signer, to ask the ledger for the key.
    pub fn claimed(text: &str) -> Result<Claimed, DocumentError> {
        let Parts::Signed { header, payload, .. } = parts(text)? else {
            return Err(DocumentError::Unsigned);
        };
        let Clear { issuer, issued_on_day, .. } = Clear::read(payload)?;
        Ok(Claimed { issuer, issued_on_day, key_id: key_id(header)? })
    }

    /// The document as issued: what the commitments cover.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the institution signed it; a sample is signed by nobody.
    pub const fn is_signed(&self) -> bool {
        self.signer.is_some()
    }

    /// The key that signed it.
    pub const fn signer(&self) -> Option<&PublicKey> {
        self.signer.as_ref()
    }

    /// Who says it.
    pub const fn issuer(&self) -> IssuerBin {
        self.clear.issuer
    }

    /// When, in days since 1970-01-01.
    pub const fn issued_on_day(&self) -> u32 {
        self.clear.issued_on_day
    }

    /// The digests of fields and decoys, in order of their leaves.
    pub const fn digests(&self) -> &[Hash; LEAVES] {
        &self.clear.digests
    }

    /// The key by which the holder answers a verifier's nonce.
    pub const fn holder_key(&self) -> Option<&PublicKey> {
        self.clear.holder_key.as_ref()
    }
}

/// A text split at its dots.
enum Parts<'a> {
    Sample { header: &'a str, payload: &'a str },
    Signed { header: &'a str, payload: &'a str, signature: &'a str, input: &'a str },
}

fn parts(text: &str) -> Result<Parts<'_>, DocumentError> {
    if text.len() > DOCUMENT_BYTES_MAX {
        return Err(DocumentError::TooLong);
    }
    let parts: Vec<&str> = text.splitn(4, '.').collect();
    match parts[..] {
        [header, payload] => Ok(Parts::Sample { header, payload }),
        [header, payload, signature] => {
            let input = &text[..header.len() + 1 + payload.len()];
            Ok(Parts::Signed { header, payload, signature, input })
        }
        _ => Err(DocumentError::Header),
    }
}

fn signed_header(key_id: &str) -> String {
    format!(r#"{{"alg":"EdDSA","typ":"dc+sd-jwt","kid":"{key_id}"}}"#)
}

/// Reads the one header that a signed document may have.
fn key_id(header: &str) -> Result<String, DocumentError> {
    let bytes = from_b64url(header).ok_or(DocumentError::Header)?;
    let header = str::from_utf8(&bytes).map_err(|_| DocumentError::Header)?;
    let before = signed_header("");
    let (begin, end) = before.split_at(before.len() - 2);
    let key_id = header.strip_prefix(begin).and_then(|rest| rest.strip_suffix(end));
    let is_thumbprint = |id: &&str| array_from_b64url::<32>(id).is_some();
    key_id.filter(is_thumbprint).map(str::to_owned).ok_or(DocumentError::Header)
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
        let none =
            sample().text().replacen(&b64url(SAMPLE_HEADER.as_bytes()), &b64url(br#"{"alg":"none"}"#), 1);
        assert_eq!(Document::parse(&none), Err(DocumentError::Header));
        assert_eq!(with_payload(|claims| claims["iat"] = 1.into()), Err(DocumentError::IssuedAt));
        let fewer = with_payload(|claims| {
            claims["_sd"].as_array_mut().expect("a list").pop();
        });
        assert_eq!(fewer, Err(DocumentError::Claims));
        let twice = with_payload(|claims| claims["_sd"][1] = claims["_sd"][0].clone());
        assert_eq!(twice, Err(DocumentError::RepeatedDigest));
    }

    fn key(n: u8) -> SigningKey {
        SigningKey::ed25519(&[n; 32])
    }

    fn signed() -> Document {
        let digests = std::array::from_fn(|n| Hash([n as u8; 32]));
        let issuer = IssuerBin::parse("012345678901").expect("12 digits");
        Document::sign(issuer, 20_634, digests, Some(key(1).public()), &key(2))
    }

    #[test]
    fn a_signed_document_reads_back_by_its_key_alone() {
        let signed = signed();
        assert_eq!(Document::verify(signed.text(), &key(2).public()), Ok(signed.clone()));
        assert_eq!(Document::verify(signed.text(), &key(3).public()), Err(DocumentError::KeyId));
        assert_eq!((signed.is_signed(), signed.signer()), (true, Some(&key(2).public())));
        let claimed = Document::claimed(signed.text()).expect("names its signer");
        assert_eq!(claimed.key_id, thumbprint(&key(2).public()));
        assert_eq!((claimed.issuer, claimed.issued_on_day), (signed.issuer(), 20_634));
    }

    #[test]
    fn a_sample_is_never_taken_for_a_signed_document_nor_the_other_way() {
        let (sample, signed, key) = (sample(), signed(), key(2).public());
        assert!(!sample.is_signed());
        assert_eq!(Document::parse(signed.text()), Err(DocumentError::Signed));
        assert_eq!(Document::verify(sample.text(), &key), Err(DocumentError::Unsigned));
        assert_eq!(Document::claimed(sample.text()), Err(DocumentError::Unsigned));
        let (input, _) = signed.text().rsplit_once('.').expect("three parts");
        assert_eq!(Document::verify(&format!("{input}."), &key), Err(DocumentError::Signature));
        assert_eq!(Document::parse(input), Err(DocumentError::Header));
        let dressed = format!("{}.{}", sample.text(), b64url(&[0; 64]));
        assert_eq!(Document::verify(&dressed, &key), Err(DocumentError::Header));
    }

    #[test]
    fn every_changed_byte_of_a_signed_document_is_refused() {
        let signed = signed();
        for at in 0..signed.text().len() {
            let mut bad = signed.text().to_owned().into_bytes();
            bad[at] = if bad[at] == b'A' { b'B' } else { b'A' };
            let bad = String::from_utf8(bad).expect("ASCII");
            assert!(Document::verify(&bad, &key(2).public()).is_err(), "byte {at}");
        }
    }

    #[test]
    fn whoever_signs_other_claims_or_another_header_signs_no_diploma() {
        let sign = |header: &str, payload: &str| {
            let input = format!("{}.{}", b64url(header.as_bytes()), payload);
            let Signature::Ed25519(signature) = key(2).sign(input.as_bytes());
            Document::verify(&format!("{input}.{}", b64url(&signature)), &key(2).public())
        };
        let payload = signed().clear.write();
        let name = thumbprint(&key(2).public());
        assert!(sign(&signed_header(&name), &payload).is_ok());
        for header in [
            format!(r#"{{"typ":"dc+sd-jwt","alg":"EdDSA","kid":"{name}"}}"#),
            format!(r#"{{"alg":"none","typ":"dc+sd-jwt","kid":"{name}"}}"#),
            format!(r#"{{"alg":"EdDSA","typ":"dc+sd-jwt","kid":"{name}","x5u":"x"}}"#),
            r#"{"alg":"EdDSA","typ":"dc+sd-jwt"}"#.to_owned(),
            SAMPLE_HEADER.to_owned(),
        ] {
            assert_eq!(sign(&header, &payload), Err(DocumentError::Header), "{header}");
        }
        let claims = from_b64url(&payload).expect("b64url");
        let claims = String::from_utf8(claims).expect("JSON").replacen('{', r#"{"exp":1,"#, 1);
        let refused = sign(&signed_header(&name), &b64url(claims.as_bytes()));
        assert_eq!(refused, Err(DocumentError::Claims));
    }
}
