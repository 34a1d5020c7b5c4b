//! Signed messages and time stamps: what is believed, and what breaks each of their ties.

#[path = "common/world.rs"]
#[allow(dead_code, reason = "each suite uses its part of the world")]
mod world;

use tanba_eds::{
    Certificate, Error, Evidence, Report, Request, Serial, SignedData, Time, TimeStamp, Verdict,
    authority::{Holder, Message, Subject},
    check::{self, What},
    crl::Reason,
    der::{tag, write},
    oid, pem,
};
use world::{DAY_S, NOW, World, key, person, serial, validity};

const CONTENT: &[u8] = b"I agree";

/// Checks a message of at most one signer.
fn judge(world: &World, message: &[u8], content: Option<&[u8]>) -> Result<(), Error> {
    judge_with(world, message, content, &[])
}

fn judge_with(
    world: &World,
    message: &[u8],
    content: Option<&[u8]>,
    revoked: &[(Serial, Time, Reason)],
) -> Result<(), Error> {
    let list = world.crl(revoked);
    let mut evidence = Evidence::default();
    evidence.add_crl(&list)?;
    world.context(&evidence).message(&SignedData::from_bytes(message)?, content, 1).map(drop)
}

fn signed(by: &Holder) -> Vec<u8> {
    Message::new(CONTENT).sign(by, NOW).attached()
}

/// `bytes` with the one place of `from` replaced by `to` of the same length.
fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let at = bytes.windows(from.len()).position(|part| part == from).expect("it is there");
    [&bytes[..at], to, &bytes[at + to.len()..]].concat()
}

#[test]
fn a_message_with_its_content_inside_or_apart_is_believed() {
    let world = World::new();
    let message = Message::new(CONTENT).sign(&world.person, NOW);
    assert_eq!(judge(&world, &message.attached(), None), Ok(()));
    assert_eq!(judge(&world, &message.attached(), Some(CONTENT)), Ok(()));
    assert_eq!(judge(&world, &message.detached(), Some(CONTENT)), Ok(()));
    assert_eq!(judge(&world, &message.detached(), None), Err(Error::CmsContentMissing));
    assert_eq!(judge(&world, &message.attached(), Some(b"I agreE")), Err(Error::CmsContentDiffers));
    assert_eq!(judge(&world, &message.detached(), Some(b"I agreE")), Err(Error::CmsDigest));
}

#[test]
fn a_swapped_content_or_digest_is_noticed() {
    let world = World::new();
    let message = signed(&world.person);
    let swapped = replace(&message, CONTENT, b"I agreE");
    assert_eq!(judge(&world, &swapped, None), Err(Error::CmsDigest));
    // Content and digest swapped together: the signature is over the digest.
    let hash = tanba_eds::HashAlgorithm::Streebog512;
    let both = replace(&swapped, &hash.digest(&[CONTENT]), &hash.digest(&[b"I agreE"]));
    assert_eq!(judge(&world, &both, None), Err(Error::CmsSignature));
}

#[test]
fn no_signer_is_added_taken_or_doubled() {
    let world = World::new();
    let two = Message::new(CONTENT).sign(&world.person, NOW).sign(&world.head, NOW).attached();
    assert_eq!(judge(&world, &two, None), Err(Error::CmsSignerExtra));
    let list = world.crl(&[]);
    let mut evidence = Evidence::default();
    evidence.add_crl(&list).expect("a list");
    let context = world.context(&evidence);
    let both =
        context.message(&SignedData::from_bytes(&two).expect("a message"), None, 2).expect("both signed");
    let serials: Vec<&Serial> = both.iter().map(|signed| signed.signer.certificate.serial()).collect();
    assert!(serials.contains(&&serial(3)) && serials.contains(&&serial(4)));
    let twice = Message::new(CONTENT).sign(&world.person, NOW).sign(&world.person, NOW.plus_s(-1));
    assert_eq!(SignedData::from_bytes(&twice.attached()).err(), Some(Error::CmsCertificateExtra));
    assert_eq!(SignedData::from_bytes(&Message::new(CONTENT).attached()).err(), Some(Error::CmsNoSigner));
    // One bad signature among good ones spoils all.
    let thief = Holder { key: key(9), certificate: world.head.certificate.clone() };
    let half = Message::new(CONTENT).sign(&world.person, NOW).sign(&thief, NOW).attached();
    let half = SignedData::from_bytes(&half).expect("a message");
    assert_eq!(context.message(&half, None, 2).err(), Some(Error::CmsSignature));
}

#[test]
fn the_signer_must_hold_and_may_sign() {
    let world = World::new();
    let revoked = (serial(3), NOW.plus_s(-60), Reason::Hold);
    assert_eq!(judge_with(&world, &signed(&world.person), None, &[revoked]), Err(Error::Revoked));
    assert_eq!(judge(&world, &signed(&world.ocsp), None), Err(Error::CertificatePurpose));
    let stranger = world.root.issuing("X", key(8), &serial(8), validity());
    let stranger = stranger.issue(&Subject::Person(person()), key(9), &serial(9), validity());
    assert_eq!(judge(&world, &signed(&stranger), None), Err(Error::ChainIssuerUnknown));
    let expired =
        world.nca.issue(&Subject::Person(person()), key(9), &serial(9), (Time::MIN, NOW.plus_s(-DAY_S)));
    assert_eq!(judge(&world, &signed(&expired), None), Err(Error::CertificateExpired));
}

#[test]
fn the_time_of_signing_lies_in_the_validity_and_the_past() {
    let world = World::new();
    let at = |seconds: i64| {
        judge(&world, &Message::new(CONTENT).sign(&world.person, NOW.plus_s(seconds)).attached(), None)
    };
    assert_eq!(at(300), Ok(()));
    assert_eq!(at(301), Err(Error::SigningTimeFuture));
    assert_eq!(at(-DAY_S - 1), Err(Error::SigningTimeValidity));
    let timeless = Message::new(CONTENT).sign_with(&world.person, None, &[], |_| None).attached();
    assert_eq!(judge(&world, &timeless, None), Err(Error::CmsAttributeMissing));
}

#[test]
fn attributes_are_known_single_and_in_order() {
    let world = World::new();
    let with = |extra: &[Vec<u8>]| {
        judge(
            &world,
            &Message::new(CONTENT).sign_with(&world.person, Some(NOW), extra, |_| None).attached(),
            None,
        )
    };
    let attribute =
        |kind, value: Vec<u8>| write::sequence(&[&write::oid(&kind), &write::element(tag::SET, &[&value])]);
    assert_eq!(with(&[world.person.signing_certificate()]), Ok(()));
    assert_eq!(with(&[world.head.signing_certificate()]), Err(Error::CmsSigningCertificate));
    assert_eq!(with(&[attribute(oid::CONTENT_SIGNED, write::null())]), Err(Error::CmsAttributeUnknown));
    assert_eq!(
        with(&[attribute(oid::ATTRIBUTE_TIME, write::time(NOW.plus_s(1)))]),
        Err(Error::CmsAttributeTwice)
    );
    assert_eq!(with(&[attribute(oid::ATTRIBUTE_TIME, write::time(NOW))]), Err(Error::DerSetOrder));
    let two_values = [write::time(NOW), write::time(NOW)].concat();
    assert_eq!(with(&[attribute(oid::ATTRIBUTE_CERTIFICATE_V2, two_values)]), Err(Error::DerTrailing));
    let unknown_outside = |_: &[u8]| Some(write::null());
    let message = Message::new(CONTENT).sign_with(&world.person, Some(NOW), &[], unknown_outside).attached();
    assert!(judge(&world, &message, None).is_err());
}

#[test]
fn certificates_come_along_for_a_reason() {
    let world = World::new();
    let message = signed(&world.person);
    let data = SignedData::from_bytes(&message).expect("a message");
    assert_eq!(data.certificates(), std::slice::from_ref(&world.person.certificate));
    // The certificate of a signer that is named but not there.
    let renamed = replace(&message, &[2, 2, 0x40, 3, 0x30, 0x0c], &[2, 2, 0x40, 7, 0x30, 0x0c]);
    assert_eq!(judge(&world, &renamed, None), Err(Error::CmsCertificateMissing));
    let none = |other: &Certificate| other == world.root.certificate();
    assert!(data.check_signatures(CONTENT, none).is_ok());
}

#[test]
fn a_time_stamp_ties_the_signature_to_a_moment() {
    let world = World::new();
    let stamped = |service: &Holder, seconds: i64| {
        let message = Message::new(CONTENT).sign_stamped(
            &world.person,
            NOW.plus_s(-60),
            service,
            NOW.plus_s(seconds),
            1,
        );
        judge(&world, &message.attached(), None)
    };
    assert_eq!(stamped(&world.tsa, -30), Ok(()));
    assert_eq!(stamped(&world.tsa, 301), Err(Error::TimeStampOrder));
    assert_eq!(stamped(&world.tsa, -3600), Err(Error::TimeStampOrder));
    assert_eq!(stamped(&world.ocsp, -30), Err(Error::TimeStampUsage));
    let thief = Holder { key: key(9), certificate: world.tsa.certificate.clone() };
    assert_eq!(stamped(&thief, -30), Err(Error::CmsSignature));
    let of_another = |_: &[u8]| Some(world.tsa.stamp(b"another signature", NOW, 1, None));
    let message = Message::new(CONTENT).sign_with(&world.person, Some(NOW), &[], of_another).attached();
    assert_eq!(judge(&world, &message, None), Err(Error::TimeStampImprint));
    let revoked = (serial(6), NOW.plus_s(-60), Reason::KeyCompromise);
    let message = Message::new(CONTENT).sign_stamped(&world.person, NOW, &world.tsa, NOW, 1).attached();
    assert_eq!(judge_with(&world, &message, None, &[revoked]), Err(Error::Revoked));
}

#[test]
fn a_service_that_may_do_more_than_stamp_may_not_stamp() {
    let world = World::new();
    let mut template =
        world.nca.template(&Subject::TimeStamping, &key(9).verifying_key(), &serial(9), validity());
    let purposes = write::sequence(&[&write::oid(&oid::PURPOSE_TIME_STAMPING)]);
    template.set(oid::EXTENDED_USAGE, false, purposes);
    let service = Holder { key: key(9), certificate: template.sign(&world.nca.as_holder().key) };
    let stamp = TimeStamp::from_bytes(&service.stamp(CONTENT, NOW, 1, None)).expect("a token");
    assert_eq!(stamp.check_signature(|_| false).err(), Some(Error::TimeStampUsage));
}

fn report(world: &World, file: &[u8], content: Option<&[u8]>, nonce: Option<&[u8]>) -> Report {
    let list = world.crl(&[]);
    let mut evidence = Evidence::default();
    evidence.add_crl(&list).expect("a list");
    check::check(&Request { file, content, nonce, context: world.context(&evidence) })
}

#[test]
fn one_call_checks_a_file_of_any_kind() {
    let world = World::new();
    let stamp = world.tsa.stamp(CONTENT, NOW, 1, Some(&[5]));
    let message = Message::new(CONTENT).sign_stamped(&world.head, NOW, &world.tsa, NOW, 1).attached();
    let about = [(serial(3), tanba_eds::ocsp::Status::Good)];
    let answer = world.ocsp.answer(world.nca.certificate(), &about, NOW, None, Some(&[5]));
    for (file, what, label) in [
        (world.head.certificate.as_der().to_vec(), What::Certificate, "CERTIFICATE"),
        (message, What::Message, "CMS"),
        (world.crl(&[]), What::RevocationList, "X509 CRL"),
        (answer, What::Answer, "OCSP RESPONSE"),
        (stamp, What::TimeStamp, "PKCS7"),
    ] {
        let nonce = [5];
        let nonce = matches!(what, What::Answer | What::TimeStamp).then_some(&nonce[..]);
        let found = report(&world, &file, Some(CONTENT), nonce);
        assert_eq!((found.verdict, found.what), (Verdict::Valid, Some(what)));
        let text = pem::encode(label, &file);
        assert_eq!(report(&world, text.as_bytes(), Some(CONTENT), nonce), found);
        let wrong = pem::encode("PRIVATE KEY", &file);
        assert_eq!(report(&world, wrong.as_bytes(), None, None).verdict, Verdict::Invalid(Error::Pem));
        let shown = format!("{found:?}");
        assert!(!shown.contains("АЛМА") && !shown.contains("000000000001"), "{shown}");
    }
    assert_eq!(report(&world, b"", None, None).verdict, Verdict::Invalid(Error::FileUnknown));
    assert_eq!(report(&world, b"hello", None, None).verdict, Verdict::Invalid(Error::FileUnknown));
}

#[test]
fn stamps_and_answers_are_of_their_content_and_request() {
    let world = World::new();
    let stamp = world.tsa.stamp(CONTENT, NOW, 1, Some(&[5]));
    let verdict = |content, nonce| report(&world, &stamp, content, nonce).verdict;
    assert_eq!(verdict(Some(&b"else"[..]), None), Verdict::Invalid(Error::TimeStampImprint));
    assert_eq!(verdict(None, Some(&[6][..])), Verdict::Invalid(Error::TimeStampNonce));
    let about = [(serial(3), tanba_eds::ocsp::Status::Good)];
    let answer = world.ocsp.answer(world.nca.certificate(), &about, NOW, None, Some(&[5]));
    assert_eq!(report(&world, &answer, None, Some(&[6])).verdict, Verdict::Invalid(Error::OcspNonce));
    let alone = report(&world, &stamp, None, None);
    assert_eq!((alone.verdict, alone.compared), (Verdict::Valid, false));
}

/// A message as NCALayer's library frames it: indefinite lengths around, the content in pieces.
fn as_ber(der: &[u8]) -> Vec<u8> {
    let data = tanba_eds::der::read(der, |r| {
        r.sequence(|r| {
            r.oid()?;
            r.nested(tag::context_constructed(0), |r| Ok(r.any()?.content.to_vec()))
        })
    });
    let data = data.expect("a message");
    let (version, rest) = data.split_at(3);
    let (hashes, rest) = rest.split_at(usize::from(rest[1]) + 2);
    let rest = &rest[usize::from(rest[1]) + 2..];
    let end = [0, 0];
    let pieces = [&[0x24, 0x80][..], &write::octets(b"I "), &write::octets(b"agree"), &end].concat();
    let inner =
        [&[0x30, 0x80][..], &write::oid(&oid::CONTENT_DATA), &[0xa0, 0x80], &pieces, &end, &end].concat();
    let open = [&[0x30, 0x80][..], &write::oid(&oid::CONTENT_SIGNED), &[0xa0, 0x80], &[0x30, 0x80]].concat();
    [&open, version, hashes, &inner, rest, &end, &end, &end].concat()
}

#[test]
fn the_framing_of_ncalayer_is_believed_and_no_other() {
    let world = World::new();
    let ber = as_ber(&signed(&world.person));
    assert_eq!(judge(&world, &ber, None), Ok(()));
    assert_eq!(report(&world, &ber, None, None).verdict, Verdict::Valid);
    for at in 0..ber.len() {
        let mut mutated = ber.clone();
        mutated[at] ^= 1 << (at % 8);
        assert!(judge(&world, &mutated, None).is_err(), "byte {at}");
    }
    assert_eq!(judge(&world, &[&ber[..], &[0]].concat(), None), Err(Error::DerTrailing));
    assert_eq!(judge(&world, &ber[..ber.len() - 1], None), Err(Error::DerTruncated));
}

#[test]
fn huge_lengths_and_deep_nesting_are_refused_at_once() {
    let read = |bytes: &[u8]| SignedData::from_bytes(bytes).err();
    assert_eq!(read(&[0x30, 0x84, 0x7f, 0xff, 0xff, 0xff]), Some(Error::DerTooLong));
    assert_eq!(read(&[0x30, 0x88, 0, 0, 0, 0, 0, 0, 0, 1]), Some(Error::DerLength));
    assert_eq!(read(&[0x30, 0x82, 0x7f, 0xff, 6]), Some(Error::DerTruncated));
    assert_eq!(read(&[0x30, 0x80].repeat(500_000)), Some(Error::DerDepth));
}
