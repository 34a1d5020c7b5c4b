//! Signed messages and time stamps, as NCALayer and the authority's service make them (RFC 5652, RFC 3161).

use super::{Holder, algorithm, sign};
use crate::{
    HashAlgorithm, Oid, Time,
    der::{
        tag,
        write::{self, element, sequence, set_of},
    },
    oid,
};

const HASH: HashAlgorithm = HashAlgorithm::Streebog512;

/// A message that signers are added to.
#[derive(Clone)]
pub struct Message<'a> {
    content_type: Oid,
    content: &'a [u8],
    certificates: Vec<&'a [u8]>,
    signers: Vec<Vec<u8>>,
}

impl<'a> Message<'a> {
    /// A message about `content`.
    pub fn new(content: &'a [u8]) -> Message<'a> {
        Message::of(oid::CONTENT_DATA, content)
    }

    /// A message about `content` of another type than plain data.
    pub fn of(content_type: Oid, content: &'a [u8]) -> Message<'a> {
        Message { content_type, content, certificates: Vec::new(), signers: Vec::new() }
    }

    /// Lets `holder` sign at `time`.
    pub fn sign(self, holder: &'a Holder, time: Time) -> Message<'a> {
        self.sign_with(holder, Some(time), &[], |_| None)
    }

    /// The same, with a token over the signature that `service` stamps at `stamped_at` under this number.
    pub fn sign_stamped(
        self,
        holder: &'a Holder,
        time: Time,
        service: &Holder,
        stamped_at: Time,
        number: u64,
    ) -> Message<'a> {
        self.sign_with(holder, Some(time), &[], |signature| {
            Some(service.stamp(signature, stamped_at, number, None))
        })
    }

    /// Lets `holder` sign, with `extra` attributes beside the usual ones, and a token over the signature.
    pub fn sign_with(
        mut self,
        holder: &'a Holder,
        time: Option<Time>,
        extra: &[Vec<u8>],
        stamp: impl FnOnce(&[u8]) -> Option<Vec<u8>>,
    ) -> Message<'a> {
        let mut attributes = vec![
            attribute(&oid::ATTRIBUTE_CONTENT_TYPE, &write::oid(&self.content_type)),
            attribute(&oid::ATTRIBUTE_DIGEST, &write::octets(&HASH.digest(&[self.content]))),
        ];
        attributes.extend(time.map(|time| attribute(&oid::ATTRIBUTE_TIME, &write::time(time))));
        attributes.extend_from_slice(extra);
        let attributes = set_of(attributes);
        let signature = sign(&holder.key, &attributes);
        let stamp = stamp(&signature).map(|token| {
            element(tag::context_constructed(1), &[&attribute(&oid::ATTRIBUTE_TIME_STAMP, &token)])
        });
        let certificate = &holder.certificate;
        // The attributes are sent under a context tag in the place of the SET's.
        let mut sent = attributes;
        sent[0] = tag::context_constructed(0);
        self.signers.push(sequence(&[
            &write::unsigned(&[1]),
            &sequence(&[certificate.issuer().as_der(), &write::unsigned(certificate.serial().as_bytes())]),
            &algorithm(&HASH.oid()),
            &sent,
            &algorithm(&oid::SIGN_GOST_2015_512),
            &write::octets(&signature),
            &stamp.unwrap_or_default(),
        ]));
        self.certificates.push(certificate.as_der());
        self
    }

    /// The message with its content inside.
    pub fn attached(&self) -> Vec<u8> {
        self.bytes(&element(tag::context_constructed(0), &[&write::octets(self.content)]))
    }

    /// The message without its content.
    pub fn detached(&self) -> Vec<u8> {
        self.bytes(&[])
    }

    fn bytes(&self, content: &[u8]) -> Vec<u8> {
        let version = if self.content_type == oid::CONTENT_DATA { 1 } else { 3 };
        let mut certificates = self.certificates.clone();
        certificates.sort();
        let data = sequence(&[
            &write::unsigned(&[version]),
            &element(tag::SET, &[&algorithm(&HASH.oid())]),
            &sequence(&[&write::oid(&self.content_type), content]),
            &element(tag::context_constructed(0), &certificates),
            &set_of(self.signers.clone()),
        ]);
        sequence(&[&write::oid(&oid::CONTENT_SIGNED), &element(tag::context_constructed(0), &[&data])])
    }
}

/// An Attribute with one value.
fn attribute(kind: &Oid, value: &[u8]) -> Vec<u8> {
    sequence(&[&write::oid(kind), &element(tag::SET, &[value])])
}

impl Holder {
    /// Stamps `content` at `time`, under this number: a token.
    pub fn stamp(&self, content: &[u8], time: Time, number: u64, nonce: Option<&[u8]>) -> Vec<u8> {
        let imprint = sequence(&[&algorithm(&HASH.oid()), &write::octets(&HASH.digest(&[content]))]);
        let stamp = sequence(&[
            &write::unsigned(&[1]),
            &write::oid(&oid::POLICY_TIME_STAMP_GOST_2015),
            &imprint,
            &write::unsigned(&number.to_be_bytes()),
            &write::generalized_time(time),
            &nonce.map(write::unsigned).unwrap_or_default(),
        ]);
        Message::of(oid::CONTENT_TIME_STAMP, &stamp)
            .sign_with(self, Some(time), &[self.signing_certificate()], |_| None)
            .attached()
    }

    /// The attribute that says for which certificate a message is signed (RFC 5035): by SHA-256.
    pub fn signing_certificate(&self) -> Vec<u8> {
        let digest = write::octets(&self.certificate.digest(HashAlgorithm::Sha256));
        let identifiers = sequence(&[&sequence(&[&digest])]);
        attribute(&oid::ATTRIBUTE_CERTIFICATE_V2, &sequence(&[&identifiers]))
    }
}
