//! A certificate (X.509 version 3, RFC 5280): read whole or refused. Whether to believe it is the matter of `chain`
//! and `revocation`.

pub mod extensions;

use std::{fmt, ops::Range, sync::OnceLock};

pub use extensions::{AuthorityKey, BasicConstraints, Extensions, KeyUsage};

use crate::{
    Bin, Error, HashAlgorithm, Iin, Name, PublicKey, Role, SignatureAlgorithm, Time,
    der::{self, Reader, tag},
};

/// Bytes of the largest certificate; real ones have up to 2 KB.
pub const CERTIFICATE_BYTES_MAX: usize = 16 * 1024;

/// The number an issuer gave: 1 to 20 bytes, above zero.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Serial(Vec<u8>);

impl Serial {
    /// Reads an INTEGER.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Serial, Error> {
        Serial::from_bytes(reader.unsigned()?)
    }

    /// The number with these big-endian bytes, the first not zero.
    pub fn from_bytes(bytes: &[u8]) -> Result<Serial, Error> {
        let is_minimal = bytes.first().is_some_and(|first| *first != 0);
        if is_minimal && bytes.len() <= 20 {
            Ok(Serial(bytes.to_vec()))
        } else {
            Err(Error::CertificateSerial)
        }
    }

    /// Big-endian, without leading zeros.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

impl fmt::Debug for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A certificate. `Debug` shows its serial and role alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    /// Where in `der` lies what is signed.
    signed: Range<usize>,
    serial: Serial,
    issuer: Name,
    subject: Name,
    not_before: Time,
    not_after: Time,
    key: PublicKey,
    key_bits: Vec<u8>,
    extensions: Extensions,
    algorithm: SignatureAlgorithm,
    signature: Vec<u8>,
    verified: VerifiedBy,
}

/// The bits of the first key that verified a certificate's signature. A fact about bytes that do not change: an
/// authority's certificate, which stands above thousands of leaves, is verified once. No part of what it is.
#[derive(Clone, Default)]
struct VerifiedBy(OnceLock<Vec<u8>>);

impl PartialEq for VerifiedBy {
    fn eq(&self, _: &VerifiedBy) -> bool {
        true
    }
}

impl Eq for VerifiedBy {}

impl Certificate {
    /// Reads a certificate, and nothing after it.
    pub fn from_der(bytes: &[u8]) -> Result<Certificate, Error> {
        if bytes.len() > CERTIFICATE_BYTES_MAX {
            return Err(Error::DerTooLong);
        }
        der::read(bytes, |r| {
            let whole = r.expect(tag::SEQUENCE)?;
            // What is signed comes first within.
            let start = whole.whole.len() - whole.content.len();
            whole.open(|r| Certificate::read_parts(bytes, start, r))
        })
    }

    fn read_parts(bytes: &[u8], start: usize, r: &mut Reader<'_>) -> Result<Certificate, Error> {
        let signed = r.expect(tag::SEQUENCE)?;
        let algorithm = SignatureAlgorithm::read(r)?;
        let signature = r.bit_string()?.to_vec();
        signed.open(|r| {
            let version = r.optional_nested(tag::context_constructed(0), |r| r.small())?;
            if version != Some(2) {
                return Err(Error::CertificateVersion);
            }
            let serial = Serial::read(r)?;
            if SignatureAlgorithm::read(r)? != algorithm {
                return Err(Error::AlgorithmDiffers);
            }
            let issuer = Name::read(r)?;
            let (not_before, not_after) = r.sequence(|r| Ok((r.time()?, r.time()?)))?;
            let subject = Name::read(r)?;
            let (key, key_bits) = PublicKey::read(r)?;
            let extensions = r.optional_nested(tag::context_constructed(3), Extensions::read)?;
            Ok(Certificate {
                der: bytes.to_vec(),
                signed: start..start + signed.whole.len(),
                serial,
                issuer,
                subject,
                not_before,
                not_after,
                key,
                key_bits: key_bits.to_vec(),
                extensions: extensions.unwrap_or_default(),
                algorithm,
                signature,
                verified: VerifiedBy::default(),
            })
        })
    }

    /// Its bytes.
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// The number its issuer gave it.
    pub fn serial(&self) -> &Serial {
        &self.serial
    }

    /// Who issued it.
    pub fn issuer(&self) -> &Name {
        &self.issuer
    }

    /// Whom it names.
    pub fn subject(&self) -> &Name {
        &self.subject
    }

    /// The first and the last moment of its validity.
    pub fn validity(&self) -> (Time, Time) {
        (self.not_before, self.not_after)
    }

    /// The key it speaks for.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// The bits of the key, as revocation answers hash them.
    pub fn key_bits(&self) -> &[u8] {
        &self.key_bits
    }

    /// Its extensions.
    pub fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// How it is signed.
    pub fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    /// The person's number, if it names one.
    pub fn iin(&self) -> Result<Option<Iin>, Error> {
        self.subject.iin()
    }

    /// The legal entity's number, if it names one.
    pub fn bin(&self) -> Result<Option<Bin>, Error> {
        self.subject.bin()
    }

    /// What its holder may do.
    pub fn role(&self) -> Result<Role, Error> {
        Role::of(self)
    }

    /// Whether subject and issuer are one.
    pub fn is_self_issued(&self) -> bool {
        self.subject == self.issuer
    }

    /// Checks that `at` lies within its validity, both ends included (RFC 5280, section 4.1.2.5).
    pub fn check_validity(&self, at: Time) -> Result<(), Error> {
        if at < self.not_before {
            return Err(Error::CertificateNotYetValid);
        }
        if at > self.not_after { Err(Error::CertificateExpired) } else { Ok(()) }
    }

    /// Checks that the holder may sign documents with it: nonRepudiation, which certificates for logging in lack.
    pub fn check_may_sign(&self) -> Result<(), Error> {
        let usage = self.extensions.key_usage.ok_or(Error::CertificatePurpose)?;
        if usage.has(KeyUsage::NON_REPUDIATION) { Ok(()) } else { Err(Error::CertificatePurpose) }
    }

    /// Checks its signature by the key of `issuer`.
    pub fn check_signature(&self, issuer: &Certificate) -> Result<(), Error> {
        // The bits stand for the key only together with its kind, which the algorithm of the signature fixes.
        if self.verified.0.get() == Some(&issuer.key_bits) && issuer.key.is_for(self.algorithm) {
            return Ok(());
        }
        let signed = &self.der[self.signed.clone()];
        let outcome = issuer.key.verify(self.algorithm, signed, &self.signature);
        outcome.map_err(|_| Error::CertificateSignature)?;
        self.verified.0.get_or_init(|| issuer.key_bits.clone());
        Ok(())
    }

    /// Whether the name of the issuing key, where both sides give one, is that of `issuer`.
    pub fn names_key_of(&self, issuer: &Certificate) -> bool {
        match &self.extensions.authority_key {
            Some(named) => named.is_of(issuer),
            None => true,
        }
    }

    /// The digest of its bytes.
    pub fn digest(&self, algorithm: HashAlgorithm) -> Vec<u8> {
        algorithm.digest(&[&self.der])
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate {{ serial: {}, role: {:?} }}", self.serial, self.role())
    }
}
