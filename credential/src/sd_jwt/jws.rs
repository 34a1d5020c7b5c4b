//! The signed envelope (RFC 7515): header, payload, signature, and the keys that may check it (RFC 7517, RFC 8037).
//! A key comes from whoever asks, never from the document's own header.

use std::fmt;

use serde_json::Value;
use tanba_crypto::{Hash, PublicKey, Signature, es256};

use super::{
    Error,
    json::{self, Object},
};
use crate::encoding::{array_from_b64url, b64url, from_b64url};

/// A public key that checks signatures.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Jwk {
    /// `{"kty":"OKP","crv":"Ed25519"}`, for `EdDSA`.
    Ed25519(PublicKey),
    /// `{"kty":"EC","crv":"P-256"}`, for `ES256`.
    P256(es256::PublicKey),
}

impl Jwk {
    /// Reads a JWK's bytes. Fails as JSON does, and with [`Error::Key`] for other kinds, weak keys, and private ones: who
    /// checks a signature by a private key has the wrong file.
    pub fn read(bytes: &[u8]) -> Result<Jwk, Error> {
        if bytes.len() > JWK_BYTES_MAX {
            return Err(Error::Key);
        }
        Jwk::from_object(&json::read_object(bytes)?)
    }

    pub(crate) fn from_object(jwk: &Object) -> Result<Jwk, Error> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str).unwrap_or_default();
        let coordinate = |name: &str| array_from_b64url::<32>(text(name)).ok_or(Error::Key);
        if jwk.contains_key("d") {
            return Err(Error::Key);
        }
        match (text("kty"), text("crv")) {
            ("OKP", "Ed25519") => {
                let key = PublicKey::Ed25519(coordinate("x")?);
                key.check().map(|()| Jwk::Ed25519(key)).map_err(|_| Error::Key)
            }
            ("EC", "P-256") => es256::PublicKey::from_coordinates(&coordinate("x")?, &coordinate("y")?)
                .map(Jwk::P256)
                .map_err(|_| Error::Key),
            _ => Err(Error::Key),
        }
    }

    fn algorithm(&self) -> &'static str {
        match self {
            Jwk::Ed25519(_) => "EdDSA",
            Jwk::P256(_) => "ES256",
        }
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Error> {
        let signature: &[u8; 64] = signature.try_into().map_err(|_| Error::Signature)?;
        let verified = match self {
            Jwk::Ed25519(key) => key.verify(message, &Signature::Ed25519(*signature)),
            Jwk::P256(key) => key.verify(message, signature),
        };
        verified.map_err(|_| Error::Signature)
    }
}

/// Bytes of a JWK: room for a certificate that somebody left in it.
pub const JWK_BYTES_MAX: usize = 16 * 1024;

/// The name of an Ed25519 key by RFC 7638: what `kid` says.
pub fn thumbprint(key: &PublicKey) -> String {
    let PublicKey::Ed25519(bytes) = key;
    let members = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, b64url(bytes));
    b64url(Hash::plain(members.as_bytes()).as_bytes())
}

/// A JWS whose parts were read and whose signature was not checked.
#[derive(Clone)]
pub(crate) struct Jws {
    /// `protected.payload`, as signed.
    signing_input: String,
    header: Object,
    payload: Object,
    signature: Vec<u8>,
    signature_text: String,
}

impl Jws {
    /// Reads the three parts as they stand.
    pub(crate) fn read(protected: &str, payload: &str, signature: &str) -> Result<Jws, Error> {
        let bytes = |text: &str| from_b64url(text).ok_or(Error::Base64);
        let header = json::read_object(&bytes(protected)?)?;
        check_header(&header)?;
        Ok(Jws {
            header,
            payload: json::read_object(&bytes(payload)?)?,
            signature: bytes(signature)?,
            signing_input: format!("{protected}.{payload}"),
            signature_text: signature.to_owned(),
        })
    }

    /// Reads the compact form, three parts between dots.
    pub(crate) fn read_compact(text: &str) -> Result<Jws, Error> {
        let parts: Vec<&str> = text.splitn(4, '.').collect();
        match parts[..] {
            [protected, payload, signature] => Jws::read(protected, payload, signature),
            [_, _] => Err(Error::Unsigned),
            _ => Err(Error::Form),
        }
    }

    /// The compact form.
    pub(crate) fn to_compact(&self) -> String {
        format!("{}.{}", self.signing_input, self.signature_text)
    }

    pub(crate) fn header(&self) -> &Object {
        &self.header
    }

    /// The payload, not to be believed before [`Jws::verify`].
    pub(crate) fn payload(&self) -> &Object {
        &self.payload
    }

    /// Whether `typ` is one of `types`, by the rule that `application/` may be left out (RFC 7515, section 4.1.9).
    pub(crate) fn is_of(&self, types: &[&str]) -> bool {
        let typ = self.header.get("typ").and_then(Value::as_str).unwrap_or_default();
        let short = typ.strip_prefix("application/").unwrap_or(typ);
        types.iter().any(|allowed| short.eq_ignore_ascii_case(allowed))
    }

    /// Checks algorithm and signature by `key`.
    pub(crate) fn verify(&self, key: &Jwk) -> Result<(), Error> {
        // The algorithm is the key's; the header may only agree.
        if self.header.get("alg").and_then(Value::as_str) != Some(key.algorithm()) {
            return Err(Error::KeyAlgorithm);
        }
        key.verify(self.signing_input.as_bytes(), &self.signature)
    }
}

impl fmt::Debug for Jws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jws").field("bytes", &self.signing_input.len()).finish_non_exhaustive()
    }
}

fn check_header(header: &Object) -> Result<(), Error> {
    if header.contains_key("crit") || header.contains_key("b64") {
        return Err(Error::Critical);
    }
    if ["jwk", "jku", "x5u"].iter().any(|name| header.contains_key(*name)) {
        return Err(Error::HeaderKey);
    }
    if !matches!(header.get("alg").and_then(Value::as_str), Some("EdDSA" | "ES256")) {
        return Err(Error::Algorithm);
    }
    if ["typ", "kid"].iter().any(|name| header.get(*name).is_some_and(|value| !value.is_string())) {
        return Err(Error::Header);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_8037_a_3_names_its_key() {
        let x = array_from_b64url("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").expect("32 bytes");
        let name = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";
        assert_eq!(thumbprint(&PublicKey::Ed25519(x)), name);
    }

    #[test]
    fn private_weak_and_foreign_keys_are_refused() {
        let zero = b64url(&[0; 32]);
        for jwk in [
            format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{zero}"}}"#),
            format!(r#"{{"kty":"EC","crv":"P-256","x":"{zero}","y":"{zero}"}}"#),
            format!(r#"{{"kty":"OKP","crv":"X25519","x":"{zero}"}}"#),
            r#"{"kty":"oct","k":"AA"}"#.to_owned(),
            "{}".to_owned(),
        ] {
            assert_eq!(Jwk::read(jwk.as_bytes()), Err(Error::Key), "{jwk}");
        }
        let good = tanba_crypto::SigningKey::ed25519(&[1; 32]).public();
        let x = b64url(good.as_bytes());
        let jwk = |rest: &str| format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}"{rest}}}"#);
        assert_eq!(Jwk::read(jwk("").as_bytes()), Ok(Jwk::Ed25519(good)));
        assert_eq!(Jwk::read(jwk(r#","d":"AA""#).as_bytes()), Err(Error::Key));
    }
}
