//! Keys and signatures. Every key and signature carries its scheme, so that no code may assume a length.
//!
//! One rule on every node: Ed25519 is checked by `verify_strict`, one signature at a time. Batch verification
//! accepts signatures that single verification refuses, and two nodes must never differ on what is valid.
//! GOST R 34.10-2012 has its scheme numbers and comes later; until then such bytes are refused as unknown.

use std::fmt;

use bincode::{
    Decode, Encode,
    de::{Decoder, read::Reader},
    enc::{Encoder, write::Writer},
    error::{DecodeError, EncodeError},
};
use ed25519_dalek::Signer as _;
use zeroize::ZeroizeOnDrop;

/// A signature scheme, by the number that its keys and signatures carry.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Scheme {
    /// Ed25519 (RFC 8032).
    Ed25519 = 1,
    /// GOST R 34.10-2012 with 256-bit keys (RFC 7091). Reserved.
    Gost256 = 2,
    /// GOST R 34.10-2012 with 512-bit keys (RFC 7091). Reserved.
    Gost512 = 3,
}

/// Why bytes are not a key this ledger accepts.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum KeyError {
    /// Text that is not `ed25519:` and 64 hex digits.
    #[error("a public key is written \"ed25519:\" and 64 hex digits")]
    Text,
    /// Not a point of the curve.
    #[error("the key is not a point of the curve")]
    NotAPoint,
    /// A point of small order: anyone can make signatures that such a key verifies.
    #[error("the key is weak (a point of small order)")]
    Weak,
}

/// Why a signature is not believed.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SignatureError {
    /// The key is malformed or weak.
    #[error("the key cannot verify anything: {0}")]
    Key(#[from] KeyError),
    /// Key and signature are of different schemes.
    #[error("the signature is of another scheme than the key")]
    Scheme,
    /// The signature does not belong to these bytes and this key.
    #[error("the signature does not verify")]
    Mismatch,
    /// Something around the signatures is wrong: members, counts, order.
    #[error("{0}")]
    Structure(&'static str),
}

/// A public key. Ordered by scheme and then bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PublicKey {
    /// An Ed25519 key, 32 bytes, compressed as RFC 8032 says; not checked to be a point until it is used.
    Ed25519([u8; 32]),
}

/// A signature, with its scheme.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Signature {
    /// An Ed25519 signature, 64 bytes: R then S.
    Ed25519([u8; 64]),
}

impl PublicKey {
    /// Refuses keys that must never be registered: malformed or of small order.
    pub fn check(&self) -> Result<(), KeyError> {
        self.point().map(|_| ())
    }

    /// Checks `signature` over `message`, by the one strict rule of this ledger (`verify_strict`).
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), SignatureError> {
        #[cfg(feature = "memo")]
        return crate::memo::verify(self, message, signature, || self.verify_strict(message, signature));
        #[cfg(not(feature = "memo"))]
        self.verify_strict(message, signature)
    }

    pub(crate) fn verify_strict(&self, message: &[u8], signature: &Signature) -> Result<(), SignatureError> {
        let Signature::Ed25519(bytes) = signature;
        let signature = ed25519_dalek::Signature::from_bytes(bytes);
        self.point()?.verify_strict(message, &signature).map_err(|_| SignatureError::Mismatch)
    }

    /// The scheme this key is of.
    pub const fn scheme(&self) -> Scheme {
        match self {
            PublicKey::Ed25519(_) => Scheme::Ed25519,
        }
    }

    /// The key's own bytes, without the scheme.
    pub const fn as_bytes(&self) -> &[u8] {
        match self {
            PublicKey::Ed25519(bytes) => bytes,
        }
    }

    /// Reads the form that `Display` writes.
    pub fn from_text(text: &str) -> Result<PublicKey, KeyError> {
        let digits = text.strip_prefix("ed25519:").ok_or(KeyError::Text)?;
        let mut bytes = [0; 32];
        hex::decode_to_slice(digits, &mut bytes).map_err(|_| KeyError::Text)?;
        Ok(PublicKey::Ed25519(bytes))
    }

    fn point(&self) -> Result<ed25519_dalek::VerifyingKey, KeyError> {
        let PublicKey::Ed25519(bytes) = self;
        let point = ed25519_dalek::VerifyingKey::from_bytes(bytes).map_err(|_| KeyError::NotAPoint)?;
        if point.is_weak() { Err(KeyError::Weak) } else { Ok(point) }
    }
}

/// A private key. Wiped on drop; `Debug` shows the public half alone.
#[derive(Clone, ZeroizeOnDrop)]
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// Makes an Ed25519 key from 32 bytes that the caller drew at random and wipes.
    pub fn ed25519(seed: &[u8; 32]) -> SigningKey {
        SigningKey(ed25519_dalek::SigningKey::from_bytes(seed))
    }

    /// The 32 bytes this key was made from: for the keystore alone.
    pub fn seed(&self) -> zeroize::Zeroizing<[u8; 32]> {
        zeroize::Zeroizing::new(self.0.to_bytes())
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        PublicKey::Ed25519(self.0.verifying_key().to_bytes())
    }

    /// Signs `message`. Deterministic (RFC 8032): the same message gives the same signature.
    pub fn sign(&self, message: &[u8]) -> Signature {
        let sign = || Signature::Ed25519(self.0.sign(message).to_bytes());
        #[cfg(feature = "memo")]
        return crate::memo::sign(&self.public(), message, sign);
        #[cfg(not(feature = "memo"))]
        sign()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({:?})", self.public())
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PublicKey::Ed25519(bytes) => write!(f, "ed25519:{}", hex::encode(bytes)),
        }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "key:{}", hex::encode(&self.as_bytes()[..4]))
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Signature::Ed25519(bytes) = self;
        write!(f, "sig:{}", hex::encode(&bytes[..4]))
    }
}

/// One byte of scheme, then as many bytes as the scheme says.
macro_rules! scheme_tagged_bytes {
    ($name:ident) => {
        impl Encode for $name {
            fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
                match self {
                    $name::Ed25519(bytes) => {
                        (Scheme::Ed25519 as u8).encode(encoder)?;
                        encoder.writer().write(bytes)
                    }
                }
            }
        }

        impl<C> Decode<C> for $name {
            fn decode<D: Decoder<Context = C>>(decoder: &mut D) -> Result<Self, DecodeError> {
                const ED25519: u8 = Scheme::Ed25519 as u8;
                match u8::decode(decoder)? {
                    ED25519 => {
                        let mut bytes = [0; _];
                        decoder.claim_bytes_read(bytes.len())?;
                        decoder.reader().read(&mut bytes)?;
                        Ok($name::Ed25519(bytes))
                    }
                    _ => Err(DecodeError::Other("unknown signature scheme")),
                }
            }
        }

        bincode::impl_borrow_decode!($name);
    };
}
scheme_tagged_bytes!(PublicKey);
scheme_tagged_bytes!(Signature);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Canonical, canonical};

    fn key(n: u8) -> SigningKey {
        SigningKey::ed25519(&[n; 32])
    }

    #[test]
    fn rfc_8032_test_1_is_reproduced() {
        let mut seed = [0; 32];
        hex::decode_to_slice("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", &mut seed)
            .expect("hex");
        let key = SigningKey::ed25519(&seed);
        let public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
        assert_eq!(key.public().to_string(), format!("ed25519:{public}"));
        let Signature::Ed25519(bytes) = key.sign(b"");
        assert_eq!(hex::encode(&bytes[..8]), "e5564300c360ac72");
        assert_eq!(key.public().verify(b"", &key.sign(b"")), Ok(()));
    }

    #[test]
    fn a_signature_holds_for_its_message_and_key_alone() {
        let signature = key(1).sign(b"diploma");
        assert_eq!(key(1).public().verify(b"diploma", &signature), Ok(()));
        assert_eq!(key(1).public().verify(b"diplomb", &signature), Err(SignatureError::Mismatch));
        assert_eq!(key(2).public().verify(b"diploma", &signature), Err(SignatureError::Mismatch));
    }

    #[test]
    fn weak_and_malformed_keys_are_refused() {
        let mut identity = [0; 32];
        identity[0] = 1;
        assert_eq!(PublicKey::Ed25519(identity).check(), Err(KeyError::Weak));
        assert_eq!(PublicKey::Ed25519([0; 32]).check(), Err(KeyError::Weak));
        let mut off_curve = [0; 32];
        off_curve[0] = 2;
        assert_eq!(PublicKey::Ed25519(off_curve).check(), Err(KeyError::NotAPoint));
    }

    #[test]
    fn bytes_carry_the_scheme_and_unknown_schemes_are_refused() {
        let mut bytes = key(1).public().to_canonical();
        assert_eq!((bytes.len(), bytes[0]), (33, 1));
        assert_eq!(PublicKey::from_canonical(&bytes, 64), Ok(key(1).public()));
        bytes[0] = 2;
        assert!(matches!(PublicKey::from_canonical(&bytes, 64), Err(canonical::DecodeError::Malformed(_))));
        assert_eq!(key(1).sign(b"x").to_canonical().len(), 65);
    }

    #[test]
    fn debug_hides_the_private_half() {
        let shown = format!("{:?}", key(1));
        assert!(!shown.contains(&hex::encode(&key(1).seed()[..4])), "{shown}");
    }

    #[test]
    fn text_form_reads_back() {
        let public = key(3).public();
        assert_eq!(PublicKey::from_text(&public.to_string()), Ok(public));
        assert_eq!(PublicKey::from_text("ed25519:zz"), Err(KeyError::Text));
    }
}
