//! The authority's word about revocation: lists, deltas, and answers (RFC 5280, section 5; RFC 6960).

use super::{Authority, Holder, extension, key_identifier, wrap};
use crate::{
    Certificate, HashAlgorithm, Serial, Time,
    crl::Reason,
    der::{
        tag,
        write::{self, element, sequence},
    },
    ocsp::Status,
    oid,
};

/// What a revocation list says.
#[derive(Clone, Copy, Debug)]
pub struct Listing<'a> {
    /// Its number in the series.
    pub number: u64,
    /// The number of the list it amends, for a delta.
    pub amends: Option<u64>,
    /// When it is made, and when the next one is due.
    pub updates: (Time, Time),
    /// The revoked, since when and why.
    pub revoked: &'a [(Serial, Time, Reason)],
    /// Those a delta takes off the list.
    pub removed: &'a [Serial],
}

impl Authority {
    /// Signs a revocation list.
    pub fn crl(&self, listing: &Listing<'_>) -> Vec<u8> {
        let (this_update, next_update) = listing.updates;
        let revoked =
            listing.revoked.iter().map(|(serial, since, why)| entry(serial, *since, reason_number(*why)));
        let removed = listing.removed.iter().map(|serial| entry(serial, this_update, REMOVED));
        let entries: Vec<Vec<u8>> = revoked.chain(removed).collect();
        let key = element(tag::context(0), &[&key_identifier(&self.as_holder().key.verifying_key())]);
        let number = |number: u64| write::unsigned(&number.to_be_bytes());
        let mut extensions = vec![
            extension(&oid::AUTHORITY_KEY, false, &sequence(&[&key])),
            extension(&oid::CRL_NUMBER, false, &number(listing.number)),
        ];
        extensions.extend(listing.amends.map(|base| extension(&oid::CRL_DELTA, true, &number(base))));
        let signed = sequence(&[
            &write::unsigned(&[1]),
            &super::algorithm(&oid::SIGN_GOST_2015_512),
            self.certificate().subject().as_der(),
            &write::time(this_update),
            &write::time(next_update),
            // An empty list is left out (RFC 5280, section 5.1.2.6).
            &if entries.is_empty() { Vec::new() } else { sequence(&[&entries.concat()]) },
            &element(tag::context_constructed(0), &[&sequence(&[&extensions.concat()])]),
        ]);
        sequence(&wrap(&signed, &self.as_holder().key).each_ref().map(Vec::as_slice))
    }
}

/// removeFromCRL.
const REMOVED: u8 = 8;

fn reason_number(reason: Reason) -> u8 {
    match reason {
        Reason::Unspecified => 0,
        Reason::KeyCompromise => 1,
        Reason::AuthorityCompromise => 2,
        Reason::AffiliationChanged => 3,
        Reason::Superseded => 4,
        Reason::CessationOfOperation => 5,
        Reason::Hold => 6,
        Reason::PrivilegeWithdrawn => 9,
    }
}

fn entry(serial: &Serial, since: Time, reason: u8) -> Vec<u8> {
    let reason = element(tag::ENUMERATED, &[&[reason]]);
    let extensions = sequence(&[&extension(&oid::CRL_REASON, false, &reason)]);
    sequence(&[&write::unsigned(serial.as_bytes()), &write::time(since), &extensions])
}

impl Holder {
    /// Answers about certificates that `issuer` gave these numbers, as the responder it appointed, or as itself.
    pub fn answer(
        &self,
        issuer: &Certificate,
        statuses: &[(Serial, Status)],
        produced_at: Time,
        next_update: Option<Time>,
        nonce: Option<&[u8]>,
    ) -> Vec<u8> {
        let answers: Vec<Vec<u8>> = statuses
            .iter()
            .map(|(serial, status)| answer(issuer, serial, *status, produced_at, next_update))
            .collect();
        let nonce = nonce.map(|nonce| {
            let nonce = extension(&oid::OCSP_NONCE, false, &write::octets(nonce));
            element(tag::context_constructed(1), &[&sequence(&[&nonce])])
        });
        let signed = sequence(&[
            &element(tag::context_constructed(1), &[self.certificate.subject().as_der()]),
            &write::generalized_time(produced_at),
            &sequence(&[&answers.concat()]),
            &nonce.unwrap_or_default(),
        ]);
        let [signed, algorithm, signature] = wrap(&signed, &self.key);
        let certificate = element(tag::context_constructed(0), &[&sequence(&[self.certificate.as_der()])]);
        let basic = sequence(&[&signed, &algorithm, &signature, &certificate]);
        let bytes = sequence(&[&write::oid(&oid::OCSP_BASIC), &write::octets(&basic)]);
        sequence(&[&element(tag::ENUMERATED, &[&[0]]), &element(tag::context_constructed(0), &[&bytes])])
    }
}

fn answer(
    issuer: &Certificate,
    serial: &Serial,
    status: Status,
    at: Time,
    next_update: Option<Time>,
) -> Vec<u8> {
    let hash = HashAlgorithm::Sha256;
    let about = sequence(&[
        &super::algorithm(&hash.oid()),
        &write::octets(&hash.digest(&[issuer.subject().as_der()])),
        &write::octets(&hash.digest(&[issuer.key_bits()])),
        &write::unsigned(serial.as_bytes()),
    ]);
    let status = match status {
        Status::Good => element(tag::context(0), &[]),
        Status::Unknown => element(tag::context(2), &[]),
        Status::Revoked(since, why) => {
            let why = element(tag::ENUMERATED, &[&[reason_number(why)]]);
            let why = element(tag::context_constructed(0), &[&why]);
            element(tag::context_constructed(1), &[&write::generalized_time(since), &why])
        }
    };
    let next =
        next_update.map(|next| element(tag::context_constructed(0), &[&write::generalized_time(next)]));
    sequence(&[&about, &status, &write::generalized_time(at), &next.unwrap_or_default()])
}
