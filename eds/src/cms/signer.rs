//! One signer of a message (SignerInfo, RFC 5652, section 5.3): whom it names, what it signed, and when it says so.

use crate::{
    Certificate, Error, HashAlgorithm, Name, Oid, Serial, SignatureAlgorithm, Time,
    der::{self, Reader, tag, write},
    oid,
};

/// Attributes a signer may have, on either side of the signature.
const ATTRIBUTES_MAX: usize = 8;

/// Whom a signer says to be.
enum Identifier {
    /// By issuer and serial.
    Certificate(Name, Serial),
    /// By the identifier of the key.
    Key(Vec<u8>),
}

/// The certificate a signer signed for, by digest (RFC 2634, RFC 5035).
struct CertificateDigest {
    hash: HashAlgorithm,
    digest: Vec<u8>,
    certificate: Option<(Name, Serial)>,
}

/// A signer.
pub struct Signer {
    identifier: Identifier,
    hash: HashAlgorithm,
    algorithm: SignatureAlgorithm,
    /// The attributes as they are signed: a SET OF.
    signed: Vec<u8>,
    content_type: Oid,
    digest: Vec<u8>,
    time: Option<Time>,
    certificate: Option<CertificateDigest>,
    signature: Vec<u8>,
    time_stamp: Option<Vec<u8>>,
}

impl Signer {
    pub(super) fn read(r: &mut Reader<'_>) -> Result<Signer, Error> {
        let version = r.small()?;
        let identifier = match r.optional(tag::context(0))? {
            Some(key) => Identifier::Key(key.content.to_vec()),
            None => {
                let (issuer, serial) = r.sequence(|r| Ok((Name::read(r)?, Serial::read(r)?)))?;
                Identifier::Certificate(issuer, serial)
            }
        };
        if version != if matches!(identifier, Identifier::Key(_)) { 3 } else { 1 } {
            return Err(Error::CmsVersion);
        }
        let hash = HashAlgorithm::read(r)?;
        let attributes = r.optional(tag::context_constructed(0))?.ok_or(Error::CmsAttributeMissing)?;
        let algorithm = SignatureAlgorithm::read(r)?;
        let signature = r.octets()?.to_vec();
        let time_stamp = r.optional_nested(tag::context_constructed(1), read_unsigned)?.flatten();
        let signed = attributes.open(Attributes::read)?;
        if hash != algorithm.hash() {
            return Err(Error::CmsHashes);
        }
        Ok(Signer {
            identifier,
            hash,
            algorithm,
            // Signed is the SET OF, sent is the same under a context tag (section 5.4).
            signed: write::element(tag::SET, &[attributes.content]),
            content_type: signed.content_type.ok_or(Error::CmsAttributeMissing)?,
            digest: signed.digest.ok_or(Error::CmsAttributeMissing)?,
            time: signed.time,
            certificate: signed.certificate,
            signature,
            time_stamp,
        })
    }

    /// Whether it names this certificate.
    pub fn names(&self, certificate: &Certificate) -> bool {
        match &self.identifier {
            Identifier::Certificate(issuer, serial) => {
                certificate.issuer() == issuer && certificate.serial() == serial
            }
            Identifier::Key(key) => certificate.extensions().subject_key.as_ref() == Some(key),
        }
    }

    pub(super) fn is_named_by_key(&self) -> bool {
        matches!(self.identifier, Identifier::Key(_))
    }

    /// The hash of the content that it signed.
    pub fn hash(&self) -> HashAlgorithm {
        self.hash
    }

    /// When it says it signed: under its signature, but nobody else's word for it.
    pub fn time(&self) -> Option<Time> {
        self.time
    }

    /// Whether it says for which certificate it signed.
    pub fn binds_certificate(&self) -> bool {
        self.certificate.is_some()
    }

    /// The bytes of its signature, which a time stamp covers.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// The token that says when the signature existed, unread.
    pub fn time_stamp(&self) -> Option<&[u8]> {
        self.time_stamp.as_deref()
    }

    /// Checks content type, digest, the certificate it signed for, and the signature.
    pub(super) fn check(
        &self,
        certificate: &Certificate,
        content_type: &Oid,
        content: &[u8],
    ) -> Result<(), Error> {
        if self.content_type != *content_type {
            return Err(Error::CmsContentType);
        }
        if self.hash.digest(&[content]) != self.digest {
            return Err(Error::CmsDigest);
        }
        if self.certificate.as_ref().is_some_and(|named| !named.is(certificate)) {
            return Err(Error::CmsSigningCertificate);
        }
        let key = certificate.key();
        key.verify(self.algorithm, &self.signed, &self.signature).map_err(|_| Error::CmsSignature)
    }
}

impl CertificateDigest {
    fn is(&self, certificate: &Certificate) -> bool {
        let names_it = |(issuer, serial): &(Name, Serial)| {
            certificate.issuer() == issuer && certificate.serial() == serial
        };
        certificate.digest(self.hash) == self.digest && self.certificate.as_ref().is_none_or(names_it)
    }

    /// ESSCertID: SHA-1; ESSCertIDv2: SHA-256 unless it says another. One certificate, no policies.
    fn read(r: &mut Reader<'_>, default: HashAlgorithm) -> Result<CertificateDigest, Error> {
        r.sequence(|r| {
            r.sequence(|r| {
                r.sequence(|r| {
                    let says_hash = default != HashAlgorithm::Sha1 && r.peek() == Some(tag::SEQUENCE);
                    let hash = if says_hash { HashAlgorithm::read(r)? } else { default };
                    if says_hash && hash == default {
                        return Err(Error::DerDefault);
                    }
                    let digest = r.octets()?.to_vec();
                    let certificate = r.optional_nested(tag::SEQUENCE, |r| {
                        let issuer = r.sequence(|r| r.nested(tag::context_constructed(4), Name::read))?;
                        Ok((issuer, Serial::read(r)?))
                    })?;
                    Ok(CertificateDigest { hash, digest, certificate })
                })
            })
        })
    }
}

/// The signed attributes this reader knows, each at most once; any other is refused.
#[derive(Default)]
struct Attributes {
    content_type: Option<Oid>,
    digest: Option<Vec<u8>>,
    time: Option<Time>,
    certificate: Option<CertificateDigest>,
}

impl Attributes {
    fn read(r: &mut Reader<'_>) -> Result<Attributes, Error> {
        r.is_set_of()?;
        let mut attributes = Attributes::default();
        r.list(ATTRIBUTES_MAX, |r| {
            let (kind, value) = read_attribute(r)?;
            let is_new = match kind {
                oid::ATTRIBUTE_CONTENT_TYPE => {
                    attributes.content_type.replace(der::read(value, |r| r.oid())?).is_none()
                }
                oid::ATTRIBUTE_DIGEST => {
                    attributes.digest.replace(der::read(value, |r| r.octets())?.to_vec()).is_none()
                }
                oid::ATTRIBUTE_TIME => attributes.time.replace(der::read(value, |r| r.time())?).is_none(),
                oid::ATTRIBUTE_CERTIFICATE | oid::ATTRIBUTE_CERTIFICATE_V2 => {
                    let is_first = kind == oid::ATTRIBUTE_CERTIFICATE;
                    let default = if is_first { HashAlgorithm::Sha1 } else { HashAlgorithm::Sha256 };
                    let digest = der::read(value, |r| CertificateDigest::read(r, default))?;
                    attributes.certificate.replace(digest).is_none()
                }
                _ => return Err(Error::CmsAttributeUnknown),
            };
            if is_new { Ok(()) } else { Err(Error::CmsAttributeTwice) }
        })?;
        Ok(attributes)
    }
}

/// The time stamp among the attributes outside the signature, the only one that may stand there.
fn read_unsigned(r: &mut Reader<'_>) -> Result<Option<Vec<u8>>, Error> {
    let mut token = None;
    r.list(1, |r| {
        let (kind, value) = read_attribute(r)?;
        if kind != oid::ATTRIBUTE_TIME_STAMP {
            return Err(Error::CmsAttributeUnknown);
        }
        token = Some(value.to_vec());
        Ok(())
    })?;
    if token.is_none() { Err(Error::CmsAttributeMissing) } else { Ok(token) }
}

/// An attribute and its one value.
fn read_attribute<'a>(r: &mut Reader<'a>) -> Result<(Oid, &'a [u8]), Error> {
    r.sequence(|r| Ok((r.oid()?, r.nested(tag::SET, |r| r.any())?.whole)))
}
