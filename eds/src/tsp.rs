//! Time stamps (RFC 3161): a service's word that a digest existed at a moment.

use std::fmt;

use crate::{
    Certificate, Error, HashAlgorithm, Oid, SignedData, Time,
    certificate::extensions::read_extension,
    der::{self, Reader, tag},
    oid,
};

/// Extensions of a stamp.
const EXTENSIONS_MAX: usize = 8;

/// A token whose form was checked. `Debug` shows its moment alone.
pub struct TimeStamp {
    message: SignedData,
    policy: Oid,
    hash: HashAlgorithm,
    imprint: Vec<u8>,
    time: Time,
    nonce: Option<Vec<u8>>,
}

impl TimeStamp {
    /// Reads a token, or a service's response with a token inside, and nothing after it.
    pub fn from_bytes(bytes: &[u8]) -> Result<TimeStamp, Error> {
        match token_of(bytes)? {
            Some(token) => TimeStamp::from_message(SignedData::from_bytes(token)?),
            None => TimeStamp::from_message(SignedData::from_bytes(bytes)?),
        }
    }

    /// Reads what a message signs.
    pub fn from_message(message: SignedData) -> Result<TimeStamp, Error> {
        if message.content_type() != oid::CONTENT_TIME_STAMP {
            return Err(Error::CmsType);
        }
        let content = message.content().ok_or(Error::CmsContentMissing)?;
        let (policy, hash, imprint, time, nonce) = der::read(content, |r| r.sequence(read_stamp))?;
        if !policy.is_below(&oid::POLICY_TIME_STAMP_ARC) {
            return Err(Error::TimeStampPolicy);
        }
        Ok(TimeStamp { message, policy, hash, imprint, time, nonce })
    }

    /// The moment it vouches for.
    pub fn time(&self) -> Time {
        self.time
    }

    /// Under which policy of the authority.
    pub fn policy(&self) -> Oid {
        self.policy
    }

    /// The hash of its imprint.
    pub fn hash(&self) -> HashAlgorithm {
        self.hash
    }

    /// Checks that it is of `content`. An imprint by SHA-1 is of anything and of nothing.
    pub fn check_imprint(&self, content: &[u8]) -> Result<(), Error> {
        if !self.hash.binds() {
            return Err(Error::TimeStampWeak);
        }
        if self.hash.digest(&[content]) == self.imprint { Ok(()) } else { Err(Error::TimeStampImprint) }
    }

    /// Checks that it answers the request with this nonce.
    pub fn check_nonce(&self, nonce: &[u8]) -> Result<(), Error> {
        if self.nonce.as_deref() == Some(nonce) { Ok(()) } else { Err(Error::TimeStampNonce) }
    }

    /// Checks its signature, that its one signer names its certificate by digest, and that this certificate is for
    /// stamping time and nothing else (section 2.3). Gives the certificate, whose chain is another question.
    pub fn check_signature(&self, is_known: impl Fn(&Certificate) -> bool) -> Result<&Certificate, Error> {
        let [signer] = self.message.signers() else { return Err(Error::TimeStampSigners) };
        if !signer.binds_certificate() {
            return Err(Error::CmsAttributeMissing);
        }
        if signer.time_stamp().is_some() {
            return Err(Error::CmsAttributeUnknown);
        }
        let content = self.message.content_or(None)?;
        let found = self.message.check_signatures(content, is_known)?;
        let certificate = *found.first().ok_or(Error::TimeStampSigners)?;
        let extensions = certificate.extensions();
        if extensions.purposes != [oid::PURPOSE_TIME_STAMPING] || !extensions.purposes_are_critical {
            return Err(Error::TimeStampUsage);
        }
        Ok(certificate)
    }
}

impl fmt::Debug for TimeStamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TimeStamp {{ time: {} }}", self.time)
    }
}

/// The token inside a TimeStampResp (2.4.2); `None` if `bytes` are none. A refusal is an error.
fn token_of(bytes: &[u8]) -> Result<Option<&[u8]>, Error> {
    if !is_response(bytes) {
        return Ok(None);
    }
    der::read(bytes, |r| {
        r.sequence(|r| {
            // 0 is granted. A stamp that was changed, and words beside the status, are not what was asked for.
            if r.sequence(|r| r.small())? != 0 {
                return Err(Error::TimeStampRefused);
            }
            Ok(Some(r.expect(tag::SEQUENCE)?.whole))
        })
    })
}

/// Whether `bytes` look like a response: a SEQUENCE that opens with a SEQUENCE of one short INTEGER.
pub(crate) fn is_response(bytes: &[u8]) -> bool {
    let first = der::header(bytes).ok().filter(|(tag, ..)| *tag == tag::SEQUENCE);
    let inner = first.and_then(|(_, header, _)| bytes.get(header..));
    let second = inner.and_then(|inner| der::header(inner).ok().map(|found| (inner, found)));
    second.is_some_and(|(inner, (tag, header, length))| {
        tag == tag::SEQUENCE && length == 3 && inner.get(header..header + 2) == Some(&[tag::INTEGER, 1])
    })
}

type Stamp = (Oid, HashAlgorithm, Vec<u8>, Time, Option<Vec<u8>>);

/// TSTInfo (2.4.2).
fn read_stamp(r: &mut Reader<'_>) -> Result<Stamp, Error> {
    if r.small()? != 1 {
        return Err(Error::TimeStampVersion);
    }
    let policy = r.oid()?;
    let (hash, imprint) = r.sequence(|r| Ok((HashAlgorithm::read(r)?, r.octets()?.to_vec())))?;
    if imprint.len() != hash.digest(&[]).len() {
        return Err(Error::TimeStampImprint);
    }
    r.unsigned()?;
    let time = r.generalized_time()?;
    // How exact, and whether stamps have an order: nothing here depends on it.
    r.optional(tag::SEQUENCE)?;
    r.boolean_or_false()?;
    let nonce = if r.peek() == Some(tag::INTEGER) { Some(r.unsigned()?.to_vec()) } else { None };
    r.optional(tag::context_constructed(0))?;
    r.optional_nested(tag::context_constructed(1), |r| {
        r.list(EXTENSIONS_MAX, |r| match read_extension(r)? {
            (_, true, _) => Err(Error::ExtensionCritical),
            _ => Ok(()),
        })
    })?;
    Ok((policy, hash, imprint, time, nonce))
}
