//! Which signatures are believed: four, each a key on one curve (or RSA) with one hash, and nothing by negotiation.
//!
//! What the national authority names is GOST R 34.10-2012 and its predecessor on known curves; only the names and the
//! order of bytes are its own. A signature in the order of RFC 9215 does not verify here, and must not.

use std::fmt;

use tanba_crypto::gost::{self, Curve, Layout, VerifyingKey};

use crate::{
    Error, HashAlgorithm,
    der::{self, Reader},
    oid,
    rsa::RsaKey,
};

/// How something is signed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SignatureAlgorithm {
    /// GOST 34.10-2015 over 512 bits with Streebog-512: all the authority issues since 2024.
    Gost2015With512,
    /// The same over 256 bits with Streebog-256.
    Gost2015With256,
    /// GOST 34.310-2004 with GOST 34.311-95: before 2024.
    Gost2004,
    /// RSASSA-PKCS1-v1_5 with SHA-256: before 2024.
    RsaSha256,
}

impl SignatureAlgorithm {
    /// Reads an AlgorithmIdentifier, whose parameters are absent or NULL.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<SignatureAlgorithm, Error> {
        reader.sequence(|r| {
            let oid = r.oid()?;
            if !r.is_empty() {
                r.null().map_err(|_| Error::AlgorithmParameters)?;
            }
            match oid {
                oid::SIGN_GOST_2015_512 => Ok(SignatureAlgorithm::Gost2015With512),
                oid::SIGN_GOST_2015_256 => Ok(SignatureAlgorithm::Gost2015With256),
                oid::SIGN_GOST_2004 | oid::SIGN_GOST_2004_FIRST => Ok(SignatureAlgorithm::Gost2004),
                oid::SIGN_RSA_SHA_256 => Ok(SignatureAlgorithm::RsaSha256),
                _ => Err(Error::AlgorithmUnknown),
            }
        })
    }

    /// The hash it signs.
    pub fn hash(self) -> HashAlgorithm {
        match self {
            SignatureAlgorithm::Gost2015With512 => HashAlgorithm::Streebog512,
            SignatureAlgorithm::Gost2015With256 => HashAlgorithm::Streebog256,
            SignatureAlgorithm::Gost2004 => HashAlgorithm::Gost94,
            SignatureAlgorithm::RsaSha256 => HashAlgorithm::Sha256,
        }
    }

    /// The curve of its keys; `None` for RSA.
    fn curve(self) -> Option<Curve> {
        match self {
            SignatureAlgorithm::Gost2015With512 => Some(Curve::Tc26A512),
            SignatureAlgorithm::Gost2015With256 => Some(Curve::Tc26A256),
            SignatureAlgorithm::Gost2004 => Some(Curve::CryptoProA),
            SignatureAlgorithm::RsaSha256 => None,
        }
    }
}

/// A public key of a certificate.
#[derive(Clone, PartialEq, Eq)]
pub enum PublicKey {
    /// A point on one of the three curves.
    Gost(VerifyingKey),
    /// RSA, 2048 to 4096 bits.
    Rsa(RsaKey),
}

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo (RFC 5280, section 4.1). Also gives the bits of the key, which are what revocation
    /// answers hash to name an issuer.
    pub(crate) fn read<'a>(reader: &mut Reader<'a>) -> Result<(PublicKey, &'a [u8]), Error> {
        reader.sequence(|r| {
            let curve = r.sequence(read_key_algorithm)?;
            let bits = r.bit_string()?;
            let key = match curve {
                Some(curve) => {
                    let coordinates = der::read(bits, |r| r.octets())?;
                    PublicKey::Gost(VerifyingKey::from_certificate(curve, coordinates).map_err(|error| {
                        match error {
                            tanba_crypto::KeyError::Weak => Error::KeyWeak,
                            _ => Error::KeyMalformed,
                        }
                    })?)
                }
                None => PublicKey::Rsa(RsaKey::from_der(bits)?),
            };
            Ok((key, bits))
        })
    }

    /// Whether signatures of this algorithm are made with such keys.
    pub fn is_for(&self, algorithm: SignatureAlgorithm) -> bool {
        match self {
            PublicKey::Gost(key) => algorithm.curve() == Some(key.curve()),
            PublicKey::Rsa(_) => algorithm.curve().is_none(),
        }
    }

    /// Checks `signature` over `message`. GOST signatures stand in the authority's own order of bytes.
    pub fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), Error> {
        if !self.is_for(algorithm) {
            return Err(Error::AlgorithmKey);
        }
        match self {
            PublicKey::Rsa(key) => key.verify(message, signature),
            PublicKey::Gost(key) => {
                if signature.len() != 2 * key.curve().len_bytes() {
                    return Err(Error::SignatureLength);
                }
                let signature = gost::Signature::from_bytes(Layout::National, signature);
                let signature = signature.ok_or(Error::SignatureLength)?;
                let digest = algorithm.hash().digest(&[message]);
                key.verify(&digest, &signature).map_err(|_| Error::SignatureMismatch)
            }
        }
    }
}

/// The curve a key's AlgorithmIdentifier names; `None` for RSA.
fn read_key_algorithm(r: &mut Reader<'_>) -> Result<Option<Curve>, Error> {
    let (curve, set, hash) = match r.oid()? {
        oid::KEY_RSA => {
            r.null().map_err(|_| Error::AlgorithmParameters)?;
            return Ok(None);
        }
        oid::KEY_GOST_2015_512 => (Curve::Tc26A512, oid::CURVE_512_A, oid::HASH_STREEBOG_512),
        oid::KEY_GOST_2015_256 => (Curve::Tc26A256, oid::CURVE_256_A, oid::HASH_STREEBOG_256),
        oid::KEY_GOST_2004 => (Curve::CryptoProA, oid::CURVE_CRYPTO_PRO_A, oid::HASH_GOST_94_PARAMETERS),
        _ => return Err(Error::AlgorithmUnknown),
    };
    let parameters = r.sequence(|r| Ok((r.oid()?, r.oid()?)))?;
    if parameters == (set, hash) { Ok(Some(curve)) } else { Err(Error::AlgorithmParameters) }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PublicKey::Gost(key) => write!(f, "{:?}", key.curve()),
            PublicKey::Rsa(_) => f.write_str("Rsa"),
        }
    }
}
