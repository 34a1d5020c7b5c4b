//! What is signed in a certificate (TBSCertificate, RFC 5280, section 4.1), as values that can still be changed.

use tanba_crypto::gost::{SigningKey, VerifyingKey};

use super::{algorithm, extension, key_identifier, wrap};
use crate::{
    Certificate, Oid, Serial, Time,
    der::{
        tag,
        write::{self, element, sequence},
    },
    oid,
};

/// A certificate before it is signed.
#[derive(Clone)]
pub struct Template {
    /// The number.
    pub serial: Serial,
    /// The issuer's name, in DER.
    pub issuer: Vec<u8>,
    /// The subject's name, in DER.
    pub subject: Vec<u8>,
    /// The first and the last moment.
    pub validity: (Time, Time),
    /// The subject's key.
    pub key: VerifyingKey,
    /// Identifier, whether it is critical, and value of each extension.
    pub extensions: Vec<(Oid, bool, Vec<u8>)>,
}

/// A Name with one value in each part. The values are whole strings in DER.
pub fn name(parts: &[(Oid, Vec<u8>)]) -> Vec<u8> {
    let part = |(kind, value): &(Oid, Vec<u8>)| element(tag::SET, &[&sequence(&[&write::oid(kind), value])]);
    sequence(&[&parts.iter().map(part).collect::<Vec<_>>().concat()])
}

impl Template {
    pub(super) fn new(
        issuer: Vec<u8>,
        subject: Vec<u8>,
        key: &VerifyingKey,
        serial: &Serial,
        validity: (Time, Time),
    ) -> Template {
        let (key, serial) = (key.clone(), serial.clone());
        Template { serial, issuer, subject, validity, key, extensions: Vec::new() }
    }

    /// Sets an extension: in the place of the one of that kind, or behind the others.
    pub fn set(&mut self, oid: Oid, is_critical: bool, value: Vec<u8>) {
        match self.extensions.iter_mut().find(|(other, ..)| *other == oid) {
            Some(found) => *found = (oid, is_critical, value),
            None => self.extensions.push((oid, is_critical, value)),
        }
    }

    /// Takes an extension out.
    pub fn remove(&mut self, oid: &Oid) {
        self.extensions.retain(|(other, ..)| other != oid);
    }

    pub(super) fn set_policy(&mut self, policy: &Oid) {
        self.set(oid::POLICIES, false, sequence(&[&sequence(&[&write::oid(policy)])]));
    }

    /// The identifiers of the subject's and the issuer's key.
    pub(super) fn set_keys(&mut self, own: &VerifyingKey, issuer: &VerifyingKey) {
        self.set(oid::SUBJECT_KEY, false, write::octets(&key_identifier(own)));
        let named = element(tag::context(0), &[&key_identifier(issuer)]);
        self.set(oid::AUTHORITY_KEY, false, sequence(&[&named]));
    }

    /// Signs it with the issuer's key and reads it back.
    ///
    /// # Panics
    /// If what was set cannot be read: names, numbers and extensions are the caller's.
    pub fn sign(&self, key: &SigningKey) -> Certificate {
        Certificate::from_der(&self.sign_unread(key)).expect("what is written here is read here")
    }

    /// Signs it with the issuer's key, whatever it says.
    pub fn sign_unread(&self, key: &SigningKey) -> Vec<u8> {
        let extensions: Vec<Vec<u8>> = self
            .extensions
            .iter()
            .map(|(oid, is_critical, value)| extension(oid, *is_critical, value))
            .collect();
        let signed = sequence(&[
            &element(tag::context_constructed(0), &[&write::unsigned(&[2])]),
            &write::unsigned(self.serial.as_bytes()),
            &algorithm(&oid::SIGN_GOST_2015_512),
            &self.issuer,
            &sequence(&[&write::time(self.validity.0), &write::time(self.validity.1)]),
            &self.subject,
            &public_key(&self.key),
            &element(tag::context_constructed(3), &[&sequence(&[&extensions.concat()])]),
        ]);
        sequence(&wrap(&signed, key).each_ref().map(Vec::as_slice))
    }
}

/// SubjectPublicKeyInfo of a key on the 512-bit set A.
fn public_key(key: &VerifyingKey) -> Vec<u8> {
    let set = sequence(&[&write::oid(&oid::CURVE_512_A), &write::oid(&oid::HASH_STREEBOG_512)]);
    let kind = sequence(&[&write::oid(&oid::KEY_GOST_2015_512), &set]);
    sequence(&[&kind, &write::bit_string(&write::octets(&key.to_certificate()))])
}
