//! Signed messages (CMS SignedData, RFC 5652) as the national tools make them: content inside or apart, one or several
//! signers, signed attributes always.
//!
//! What is not signed is tied down all the same: the list of hashes is that of the signers, every certificate brought
//! along belongs to a signer or to the caller, and there are no attributes outside the signature but a time stamp.

mod signer;

use std::{borrow::Cow, fmt};

pub use signer::Signer;

use crate::{
    Certificate, Error, HashAlgorithm, Oid, ber,
    der::{self, Reader, tag},
    oid,
};

/// Signers of one message.
pub const SIGNERS_MAX: usize = 16;
/// Certificates in one message.
const CERTIFICATES_MAX: usize = 32;

/// A message whose form was checked. `Debug` shows its counts alone.
pub struct SignedData {
    content_type: Oid,
    content: Option<Vec<u8>>,
    certificates: Vec<Certificate>,
    signers: Vec<Signer>,
}

impl SignedData {
    /// Reads a message in DER, or in the BER that NCALayer makes, and nothing after it.
    pub fn from_bytes(bytes: &[u8]) -> Result<SignedData, Error> {
        let bytes: Cow<'_, [u8]> = ber::normalise(bytes)?;
        der::read(&bytes, |r| {
            r.sequence(|r| {
                if r.oid()? != oid::CONTENT_SIGNED {
                    return Err(Error::CmsType);
                }
                r.nested(tag::context_constructed(0), |r| r.sequence(read_signed_data))
            })
        })
    }

    /// The type of what is signed: plain data, or a time stamp.
    pub fn content_type(&self) -> Oid {
        self.content_type
    }

    /// What is signed, if it lies inside.
    pub fn content(&self) -> Option<&[u8]> {
        self.content.as_deref()
    }

    /// The certificates it brings along.
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// The signers, in the order of the message.
    pub fn signers(&self) -> &[Signer] {
        &self.signers
    }

    /// The content to check signatures over: what lies inside, or what the caller has. If there is both, they must be
    /// one.
    pub fn content_or<'a>(&'a self, apart: Option<&'a [u8]>) -> Result<&'a [u8], Error> {
        match (self.content(), apart) {
            (Some(inside), Some(apart)) if inside != apart => Err(Error::CmsContentDiffers),
            (Some(content), _) | (None, Some(content)) => Ok(content),
            (None, None) => Err(Error::CmsContentMissing),
        }
    }

    /// The certificate a signer names, which must be in the message.
    pub fn certificate_of(&self, signer: &Signer) -> Result<&Certificate, Error> {
        self.certificates
            .iter()
            .find(|certificate| signer.names(certificate))
            .ok_or(Error::CmsCertificateMissing)
    }

    /// Checks every signature over `content`, and gives each signer's certificate. Whether to believe the certificates
    /// is another question. A certificate of nobody here that `is_known` does not know is an error.
    pub fn check_signatures(
        &self,
        content: &[u8],
        is_known: impl Fn(&Certificate) -> bool,
    ) -> Result<Vec<&Certificate>, Error> {
        let mut found: Vec<&Certificate> = Vec::with_capacity(self.signers.len());
        for signer in &self.signers {
            let certificate = self.certificate_of(signer)?;
            if found.contains(&certificate) {
                return Err(Error::CmsSignerTwice);
            }
            signer.check(certificate, &self.content_type, content)?;
            found.push(certificate);
        }
        if self.certificates.iter().any(|other| !found.contains(&other) && !is_known(other)) {
            return Err(Error::CmsCertificateExtra);
        }
        Ok(found)
    }
}

impl fmt::Debug for SignedData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignedData {{ signers: {} }}", self.signers.len())
    }
}

fn read_signed_data(r: &mut Reader<'_>) -> Result<SignedData, Error> {
    let version = r.small()?;
    let hashes = r.nested(tag::SET, |r| r.list(SIGNERS_MAX, HashAlgorithm::read))?;
    let (content_type, content) = r.sequence(|r| {
        let content_type = r.oid()?;
        let content = r.optional_nested(tag::context_constructed(0), |r| r.octets().map(<[u8]>::to_vec))?;
        Ok((content_type, content))
    })?;
    let certificates = r.optional_nested(tag::context_constructed(0), |r| {
        r.list(CERTIFICATES_MAX, |r| Certificate::from_der(r.expect(tag::SEQUENCE)?.whole))
    })?;
    // Revocation lists inside are the signer's choice of evidence: the caller brings its own.
    if r.peek() == Some(tag::context_constructed(1)) {
        return Err(Error::CmsListsInside);
    }
    let signers = r.nested(tag::SET, |r| r.list(SIGNERS_MAX, |r| r.sequence(Signer::read)))?;
    let certificates = certificates.unwrap_or_default();
    if signers.is_empty() {
        return Err(Error::CmsNoSigner);
    }
    // Section 5.1: 3 if the content is not plain data or a signer is named by key, else 1.
    let is_third = content_type != oid::CONTENT_DATA || signers.iter().any(Signer::is_named_by_key);
    if version != if is_third { 3 } else { 1 } {
        return Err(Error::CmsVersion);
    }
    let is_used = |hash: &HashAlgorithm| signers.iter().any(|signer| signer.hash() == *hash);
    let is_listed_once = |signer: &Signer| hashes.iter().filter(|hash| **hash == signer.hash()).count() == 1;
    if !hashes.iter().all(is_used) || !signers.iter().all(is_listed_once) {
        return Err(Error::CmsHashes);
    }
    if certificates.iter().enumerate().any(|(n, certificate)| certificates[..n].contains(certificate)) {
        return Err(Error::CmsCertificateExtra);
    }
    Ok(SignedData { content_type, content, certificates, signers })
}
