//! The whole question put once: is this certificate, message, list, answer or stamp to be believed at a moment, given
//! what the caller trusts and which evidence it has?

use crate::{
    Certificate, Chain, Crl, Error, Evidence, Policy, Proof, Response, SignedData, Time, TimeStamp, Trust,
    oid,
};

/// What the caller brings to every check.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// Roots and issuing authorities.
    pub trust: &'a Trust,
    /// Revocation lists and answers.
    pub evidence: &'a Evidence<'a>,
    /// The moment that counts as now.
    pub at: Time,
    /// How strict to be about time.
    pub policy: Policy,
}

/// A certificate that holds: its way to a root, and what shows that it was not revoked.
#[derive(Clone, Debug)]
pub struct Vouched<'a> {
    /// The certificate.
    pub certificate: Certificate,
    /// Its issuers.
    pub chain: Chain<'a>,
    /// Why it counts as not revoked.
    pub proof: Proof,
}

/// One signature of a message that holds.
#[derive(Clone, Debug)]
pub struct Signed<'a> {
    /// Who signed.
    pub signer: Vouched<'a>,
    /// When the signer says it was.
    pub time: Time,
    /// When the signature existed at the latest by a service's word, and whose.
    pub stamp: Option<(Time, Vouched<'a>)>,
}

impl<'a> Context<'a> {
    /// Checks a certificate: chain, validity now, and revocation of it and of every authority above it.
    pub fn certificate(&self, certificate: &Certificate) -> Result<Vouched<'a>, Error> {
        self.certificate_at(certificate, self.at)
    }

    /// The same with the validity of the chain judged at `at`, the revocation still now.
    fn certificate_at(&self, certificate: &Certificate, at: Time) -> Result<Vouched<'a>, Error> {
        let chain = Chain::build(certificate, self.trust, at)?;
        let proof = self.revocation(certificate, &chain)?;
        Ok(Vouched { certificate: certificate.clone(), chain, proof })
    }

    /// What shows that neither `certificate` nor any authority of its chain is revoked: the proof for the first.
    pub fn revocation(&self, certificate: &Certificate, chain: &Chain<'_>) -> Result<Proof, Error> {
        let mut proof = Proof::Pinned;
        for (n, (below, issuer)) in chain.steps(certificate).into_iter().enumerate() {
            let found = match self.evidence.check(below, issuer, self.at, &self.policy) {
                // The caller's own list of authorities is the word on those in it.
                Err(Error::RevocationUnknown) if self.trust.holds(below) => Proof::Pinned,
                found => found?,
            };
            if n == 0 {
                proof = found;
            }
        }
        Ok(proof)
    }

    /// Checks a message: every signature, every signer's certificate and its purpose, every time. `apart` is the
    /// content if it does not lie inside; `signers_max` how many may have signed. All hold, or none does.
    pub fn message(
        &self,
        message: &SignedData,
        apart: Option<&[u8]>,
        signers_max: usize,
    ) -> Result<Vec<Signed<'a>>, Error> {
        if message.content_type() != oid::CONTENT_DATA {
            return Err(Error::CmsType);
        }
        if message.signers().len() > signers_max {
            return Err(Error::CmsSignerExtra);
        }
        let content = message.content_or(apart)?;
        let certificates = message.check_signatures(content, |other| self.trust.holds(other))?;
        let mut signed = Vec::with_capacity(certificates.len());
        for (signer, certificate) in message.signers().iter().zip(certificates) {
            let time = signer.time().ok_or(Error::CmsAttributeMissing)?;
            if time > self.at.plus_s(self.policy.clock_skew_s) {
                return Err(Error::SigningTimeFuture);
            }
            let vouched = self.certificate(certificate)?;
            certificate.check_may_sign()?;
            certificate.check_validity(time).map_err(|_| Error::SigningTimeValidity)?;
            let stamp = match signer.time_stamp() {
                Some(token) => Some(self.stamp_of(token, signer.signature(), time, certificate)?),
                None => None,
            };
            signed.push(Signed { signer: vouched, time, stamp });
        }
        Ok(signed)
    }

    /// The stamp of a signature made at `signed_at`.
    fn stamp_of(
        &self,
        token: &[u8],
        signature: &[u8],
        signed_at: Time,
        signer: &Certificate,
    ) -> Result<(Time, Vouched<'a>), Error> {
        let stamp = TimeStamp::from_message(SignedData::from_bytes(token)?)?;
        stamp.check_imprint(signature)?;
        let service = self.time_stamp(&stamp)?;
        if stamp.time().plus_s(self.policy.clock_skew_s) < signed_at {
            return Err(Error::TimeStampOrder);
        }
        signer.check_validity(stamp.time()).map_err(|_| Error::SigningTimeValidity)?;
        Ok((stamp.time(), service))
    }

    /// Checks a time stamp by itself: signature, purpose, and the service's certificate, valid when it stamped. What it
    /// is of is for [`TimeStamp::check_imprint`].
    pub fn time_stamp(&self, stamp: &TimeStamp) -> Result<Vouched<'a>, Error> {
        let service = stamp.check_signature(|other| self.trust.holds(other))?;
        if stamp.time() > self.at.plus_s(self.policy.clock_skew_s) {
            return Err(Error::TimeStampOrder);
        }
        self.certificate_at(service, stamp.time())
    }

    /// Checks a revocation list: issued by a known authority that holds, and fresh.
    pub fn crl(&self, crl: &Crl<'_>) -> Result<Vouched<'a>, Error> {
        let named = self.trust.authorities().filter(|authority| authority.subject() == crl.issuer());
        let mut error = Error::ChainIssuerUnknown;
        for authority in named {
            match crl.check_issuer(authority) {
                Ok(()) => {
                    let vouched = self.certificate(authority)?;
                    crl.check_fresh(self.at)?;
                    return Ok(vouched);
                }
                Err(found) => error = found,
            }
        }
        Err(error)
    }

    /// Checks an answer about revocation: of a known authority that holds or of who it appointed, fresh, and to the
    /// request with `nonce` if the caller has one.
    pub fn ocsp(&self, response: &Response, nonce: Option<&[u8]>) -> Result<Vouched<'a>, Error> {
        let names_all =
            |authority: &&Certificate| response.answers().iter().all(|answer| answer.names(authority));
        let authority = self.trust.authorities().find(names_all).ok_or(Error::ChainIssuerUnknown)?;
        response.check_signer(authority, self.at)?;
        let vouched = self.certificate(authority)?;
        for answer in response.answers() {
            response.check_fresh(answer, self.at, &self.policy)?;
        }
        nonce.map_or(Ok(()), |nonce| response.check_nonce(nonce))?;
        Ok(vouched)
    }
}
