//! Answers about revocation (OCSP, RFC 6960): who answers, about which certificate, and how fresh it is.

use std::fmt;

use crate::{
    Certificate, Error, HashAlgorithm, KeyUsage, Name, Policy, Serial, SignatureAlgorithm, Time,
    certificate::extensions::read_extension,
    crl::Reason,
    der::{self, Element, Reader, tag},
    oid,
};

/// Certificates an answer may speak of; the authority's speak of one.
const STATUSES_MAX: usize = 16;
/// Certificates an answer may bring along.
const CERTIFICATES_MAX: usize = 4;
/// Extensions of an answer.
const EXTENSIONS_MAX: usize = 16;

/// What is answered of a certificate (4.2.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// Not revoked.
    Good,
    /// Revoked, since when and why.
    Revoked(Time, Reason),
    /// The responder does not know it.
    Unknown,
}

/// The answer about one certificate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    hash: HashAlgorithm,
    issuer_name: Vec<u8>,
    issuer_key: Vec<u8>,
    /// The certificate's number.
    pub serial: Serial,
    /// What is answered.
    pub status: Status,
    /// When this was known to be so.
    pub this_update: Time,
    /// Until when it holds, if that is said.
    pub next_update: Option<Time>,
}

impl Answer {
    /// Whether it speaks of a certificate that `issuer` gave this number.
    pub fn is_about(&self, serial: &Serial, issuer: &Certificate) -> bool {
        self.serial == *serial && self.names(issuer)
    }

    /// Whether it names `issuer`, by the hashes of its name and key.
    pub fn names(&self, issuer: &Certificate) -> bool {
        self.hash.digest(&[issuer.subject().as_der()]) == self.issuer_name
            && self.hash.digest(&[issuer.key_bits()]) == self.issuer_key
    }
}

/// Who signed an answer.
#[derive(Clone, PartialEq, Eq)]
enum Responder {
    Name(Name),
    /// The SHA-1 of its key bits.
    Key(Vec<u8>),
}

impl Responder {
    fn is(&self, certificate: &Certificate) -> bool {
        match self {
            Responder::Name(name) => certificate.subject() == name,
            Responder::Key(hash) => HashAlgorithm::Sha1.digest(&[certificate.key_bits()]) == *hash,
        }
    }
}

/// An answer whose form was checked. `Debug` shows its moment alone.
#[derive(Clone)]
pub struct Response {
    signed: Vec<u8>,
    responder: Responder,
    produced_at: Time,
    answers: Vec<Answer>,
    nonce: Option<Vec<u8>>,
    algorithm: SignatureAlgorithm,
    signature: Vec<u8>,
    certificates: Vec<Certificate>,
}

impl Response {
    /// Reads a response, and nothing after it. One that is not successful, or not basic, is an error.
    pub fn from_der(bytes: &[u8]) -> Result<Response, Error> {
        let basic = der::read(bytes, |r| {
            r.sequence(|r| {
                if r.enumerated()? != 0 {
                    return Err(Error::OcspStatus);
                }
                r.nested(tag::context_constructed(0), |r| {
                    r.sequence(|r| {
                        if r.oid()? != oid::OCSP_BASIC {
                            return Err(Error::OcspType);
                        }
                        r.octets()
                    })
                })
            })
        })?;
        der::read(basic, |r| r.sequence(read_basic))
    }

    /// When it was signed.
    pub fn produced_at(&self) -> Time {
        self.produced_at
    }

    /// What it answers.
    pub fn answers(&self) -> &[Answer] {
        &self.answers
    }

    /// The certificate of its signer, if it is not the issuer itself.
    pub fn responder(&self) -> Option<&Certificate> {
        self.certificates.iter().find(|certificate| self.responder.is(certificate))
    }

    /// Checks that `issuer`, or who it appointed to answer (4.2.2.2), signed this, and may still do so at `at`.
    pub fn check_signer(&self, issuer: &Certificate, at: Time) -> Result<(), Error> {
        let signer = if self.responder.is(issuer) {
            issuer
        } else {
            let responder = self.responder().ok_or(Error::OcspResponder)?;
            check_responder(responder, issuer, at)?;
            responder
        };
        // What is brought along and speaks for nothing is nothing to pass over.
        if self.certificates.iter().any(|other| other != signer && other != issuer) {
            return Err(Error::OcspCertificateExtra);
        }
        signer.key().verify(self.algorithm, &self.signed, &self.signature).map_err(|_| Error::OcspSignature)
    }

    /// Checks that it answers the request with this nonce (4.4.1).
    pub fn check_nonce(&self, nonce: &[u8]) -> Result<(), Error> {
        if self.nonce.as_deref() == Some(nonce) { Ok(()) } else { Err(Error::OcspNonce) }
    }

    /// Checks that `answer` holds at `at`. One that does not say until when holds for as long as `policy` has it.
    pub fn check_fresh(&self, answer: &Answer, at: Time, policy: &Policy) -> Result<(), Error> {
        let latest = at.plus_s(policy.clock_skew_s);
        if answer.this_update > latest || self.produced_at > latest {
            return Err(Error::OcspNotYetValid);
        }
        let end = answer.next_update.unwrap_or_else(|| answer.this_update.plus_s(policy.ocsp_age_s_max));
        if at > end { Err(Error::OcspStale) } else { Ok(()) }
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Response {{ produced_at: {} }}", self.produced_at)
    }
}

/// Checks that `issuer` appointed `responder`: issued it, for this purpose, and vouches that it need not be asked about.
fn check_responder(responder: &Certificate, issuer: &Certificate, at: Time) -> Result<(), Error> {
    if responder.issuer() != issuer.subject() || !responder.names_key_of(issuer) {
        return Err(Error::OcspResponder);
    }
    let extensions = responder.extensions();
    let may_sign = extensions.key_usage.is_none_or(|usage| usage.has(KeyUsage::DIGITAL_SIGNATURE));
    if !extensions.purposes.contains(&oid::PURPOSE_OCSP) || !may_sign || !extensions.needs_no_check {
        return Err(Error::OcspResponderUsage);
    }
    responder.check_validity(at)?;
    responder.check_signature(issuer)
}

fn read_basic(r: &mut Reader<'_>) -> Result<Response, Error> {
    let signed = r.expect(tag::SEQUENCE)?;
    let algorithm = SignatureAlgorithm::read(r)?;
    let signature = r.bit_string()?.to_vec();
    let certificates = r.optional_nested(tag::context_constructed(0), |r| {
        r.sequence(|r| r.list(CERTIFICATES_MAX, |r| Certificate::from_der(r.expect(tag::SEQUENCE)?.whole)))
    })?;
    let certificates = certificates.unwrap_or_default();
    signed.open(|r| {
        // The version has a default, which DER leaves out.
        let responder = read_responder(r.any()?)?;
        let produced_at = r.generalized_time()?;
        let answers = r.sequence(|r| r.list(STATUSES_MAX, |r| r.sequence(read_answer)))?;
        let nonce = r.optional_nested(tag::context_constructed(1), read_nonce)?.flatten();
        if answers.is_empty() {
            return Err(Error::OcspType);
        }
        let signed = signed.whole.to_vec();
        Ok(Response { signed, responder, produced_at, answers, nonce, algorithm, signature, certificates })
    })
}

fn read_responder(element: Element<'_>) -> Result<Responder, Error> {
    const NAME: u8 = tag::context_constructed(1);
    const KEY: u8 = tag::context_constructed(2);
    match element.tag {
        NAME => Ok(Responder::Name(element.open(Name::read)?)),
        KEY => Ok(Responder::Key(element.open(|r| r.octets())?.to_vec())),
        _ => Err(Error::OcspType),
    }
}

fn read_answer(r: &mut Reader<'_>) -> Result<Answer, Error> {
    let (hash, issuer_name, issuer_key, serial) = r.sequence(|r| {
        let hash = HashAlgorithm::read(r)?;
        Ok((hash, r.octets()?.to_vec(), r.octets()?.to_vec(), Serial::read(r)?))
    })?;
    let status = read_status(r.any()?)?;
    let this_update = r.generalized_time()?;
    let next_update = r.optional_nested(tag::context_constructed(0), |r| r.generalized_time())?;
    r.optional_nested(tag::context_constructed(1), |r| {
        r.sequence(|r| r.list(EXTENSIONS_MAX, |r| read_extension(r).and_then(refuse_critical)))
    })?;
    Ok(Answer { hash, issuer_name, issuer_key, serial, status, this_update, next_update })
}

fn read_status(element: Element<'_>) -> Result<Status, Error> {
    const GOOD: u8 = tag::context(0);
    const REVOKED: u8 = tag::context_constructed(1);
    const UNKNOWN: u8 = tag::context(2);
    match element.tag {
        GOOD if element.content.is_empty() => Ok(Status::Good),
        UNKNOWN if element.content.is_empty() => Ok(Status::Unknown),
        REVOKED => element.open(|r| {
            let since = r.generalized_time()?;
            let reason = r.optional_nested(tag::context_constructed(0), |r| r.enumerated())?;
            Ok(Status::Revoked(since, Reason::from_number(reason.unwrap_or(0))?))
        }),
        _ => Err(Error::OcspType),
    }
}

fn refuse_critical<T>((_, is_critical, _): (T, bool, &[u8])) -> Result<(), Error> {
    if is_critical { Err(Error::ExtensionCritical) } else { Ok(()) }
}

fn read_nonce(r: &mut Reader<'_>) -> Result<Option<Vec<u8>>, Error> {
    let mut nonce = None;
    r.sequence(|r| {
        r.list(EXTENSIONS_MAX, |r| {
            let (oid, is_critical, value) = read_extension(r)?;
            if oid != oid::OCSP_NONCE {
                return refuse_critical((oid, is_critical, value));
            }
            if nonce.is_some() {
                return Err(Error::ExtensionTwice);
            }
            nonce = Some(der::read(value, |r| r.octets())?.to_vec());
            Ok(())
        })
    })?;
    Ok(nonce)
}
