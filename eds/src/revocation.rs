//! Whether a certificate was revoked, from whatever lists and answers the caller has.
//!
//! One authentic, fresh word that it was is enough to refuse it. That it was not needs an authentic, fresh word too:
//! without one nothing is known, and what is not known is not valid.

use std::sync::OnceLock;

use crate::{
    Certificate, Error, Time,
    crl::{Crl, Entry, Index},
    ocsp::{Response, Status},
};

/// How strict the caller is about time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Policy {
    /// How far the clocks of those who sign may run ahead of the caller's moment, in seconds.
    pub clock_skew_s: i64,
    /// How long an answer about revocation holds that does not say it, in seconds.
    pub ocsp_age_s_max: i64,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy { clock_skew_s: 300, ocsp_age_s_max: 3600 }
    }
}

/// Lists and answers, in any order. Their signatures are checked when they are used.
#[derive(Default)]
pub struct Evidence<'a> {
    lists: Vec<List<'a>>,
    answers: Vec<Response>,
}

struct List<'a> {
    crl: Crl<'a>,
    index: Index<'a>,
    /// The issuer whose signature was checked first, and how that went: a long list is hashed once.
    checked: OnceLock<(Certificate, Result<(), Error>)>,
}

/// What shows that a certificate was not revoked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Proof {
    /// A list made at this moment, with its number.
    Crl(Time, Option<u64>),
    /// A list and the delta that amends it: the delta's moment and number.
    DeltaCrl(Time, Option<u64>),
    /// An answer signed at this moment.
    Ocsp(Time),
    /// The caller pinned it.
    Pinned,
}

impl<'a> Evidence<'a> {
    /// Adds a revocation list, whole or delta.
    pub fn add_crl(&mut self, bytes: &'a [u8]) -> Result<(), Error> {
        let crl = Crl::from_der(bytes)?;
        let index = crl.index();
        self.lists.push(List { crl, index, checked: OnceLock::new() });
        Ok(())
    }

    /// Adds an answer.
    pub fn add_ocsp(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.answers.push(Response::from_der(bytes)?);
        Ok(())
    }

    /// What shows at the moment `at` that `issuer` did not revoke `certificate`. Errors: [`Error::Revoked`]; what was
    /// wrong with the evidence, if there was some; else [`Error::RevocationUnknown`].
    pub fn check(
        &self,
        certificate: &Certificate,
        issuer: &Certificate,
        at: Time,
        policy: &Policy,
    ) -> Result<Proof, Error> {
        let by_answers = self.answers.iter().flat_map(|response| {
            let about =
                response.answers().iter().filter(|answer| answer.is_about(certificate.serial(), issuer));
            about.map(|answer| {
                response.check_signer(issuer, at)?;
                response.check_fresh(answer, at, policy)?;
                match answer.status {
                    Status::Good => Ok(Proof::Ocsp(response.produced_at())),
                    Status::Revoked(..) => Err(Error::Revoked),
                    Status::Unknown => Err(Error::OcspUnknown),
                }
            })
        });
        let of_issuer = self.lists.iter().filter(|list| list.crl.issuer() == issuer.subject());
        let by_lists = of_issuer.filter(|list| !list.crl.is_delta()).map(|list| {
            list.check(issuer, at)?;
            self.check_lists(list, certificate, issuer, at)
        });
        let mut outcome = Err(Error::RevocationUnknown);
        for found in by_answers.chain(by_lists) {
            match (found, outcome) {
                (Err(Error::Revoked), _) => return Err(Error::Revoked),
                (Ok(_), Err(_)) | (Err(_), Err(Error::RevocationUnknown)) => outcome = found,
                _ => {}
            }
        }
        outcome
    }

    /// Asks the newest delta that amends `base`, and then `base` itself.
    fn check_lists(
        &self,
        base: &List<'_>,
        certificate: &Certificate,
        issuer: &Certificate,
        at: Time,
    ) -> Result<Proof, Error> {
        let deltas = self.lists.iter().filter(|list| list.crl.is_delta() && list.check(issuer, at).is_ok());
        let newest = deltas.clone().max_by_key(|list| list.crl.number());
        let amending = deltas.filter(|list| list.crl.check_amends(&base.crl).is_ok());
        let delta = amending.max_by_key(|list| list.crl.number());
        // A delta that reaches back to another list proves nothing good, but what it revokes is revoked.
        let bad_news = newest.and_then(|newest| newest.index.entry(certificate.serial()));
        if let Some(Entry::Revoked(..)) = bad_news {
            return Err(Error::Revoked);
        }
        let entry = delta.and_then(|delta| delta.index.entry(certificate.serial()));
        match entry.or_else(|| base.index.entry(certificate.serial())) {
            Some(Entry::Revoked(..)) => Err(Error::Revoked),
            Some(Entry::Removed) | None => Ok(match delta {
                Some(delta) => Proof::DeltaCrl(delta.crl.updates().0, delta.crl.number()),
                None => Proof::Crl(base.crl.updates().0, base.crl.number()),
            }),
        }
    }
}

impl List<'_> {
    fn check(&self, issuer: &Certificate, at: Time) -> Result<(), Error> {
        self.crl.check_fresh(at)?;
        let (known, outcome) = self.checked.get_or_init(|| (issuer.clone(), self.crl.check_issuer(issuer)));
        if known == issuer { *outcome } else { self.crl.check_issuer(issuer) }
    }
}
