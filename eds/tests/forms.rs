//! Every form that a file may not have, each refused by its own code.

#[path = "common/edit.rs"]
mod edit;
#[path = "common/world.rs"]
#[allow(dead_code, reason = "each suite uses its part of the world")]
mod world;

use edit::{append, at, edit as change, replace};
use tanba_eds::{
    Certificate, Crl, Error, Oid, Response, SignatureAlgorithm, SignedData, TimeStamp,
    authority::{Listing, Message, Subject},
    crl::Reason,
    der::{tag, write},
    ocsp::Status,
    oid,
};
use world::{DAY_S, NOW, World, key, serial, validity};

const CONTENT: &[u8] = b"content";

fn algorithm(oid: &Oid, parameters: &[u8]) -> Vec<u8> {
    write::sequence(&[&write::oid(oid), parameters])
}

#[test]
fn certificates_have_one_form() {
    let world = World::new();
    let good = world.person.certificate.as_der();
    let with = |path: &[usize], by: &[u8]| Certificate::from_der(&replace(good, path, by)).err();
    let version = |number: u8| write::element(tag::context_constructed(0), &[&write::unsigned(&[number])]);
    assert_eq!(with(&[0, 0], &version(2)), None);
    assert_eq!(with(&[0, 0], &version(1)), Some(Error::CertificateVersion));
    for number in [&[][..], &[1; 21]] {
        assert_eq!(with(&[0, 1], &write::unsigned(number)), Some(Error::CertificateSerial));
    }
    let null = write::null();
    assert_eq!(with(&[1], &algorithm(&oid::SIGN_GOST_2015_512, &[])), None);
    assert_eq!(with(&[1], &algorithm(&oid::SIGN_GOST_2015_256, &null)), Some(Error::AlgorithmDiffers));
    assert_eq!(with(&[1], &algorithm(&oid::KEY_RSA, &null)), Some(Error::AlgorithmUnknown));
    let parameters = write::sequence(&[]);
    assert_eq!(
        with(&[1], &algorithm(&oid::SIGN_GOST_2015_512, &parameters)),
        Some(Error::AlgorithmParameters)
    );
    let teletex = write::element(0x14, &[b"X"]);
    assert_eq!(with(&[0, 5, 0, 0, 1], &teletex), Some(Error::CertificateName));
    assert_eq!(with(&[0, 5, 0, 0, 1], &write::printable("a*b")), Some(Error::CertificateName));
    assert_eq!(with(&[0, 5, 0, 0, 1], &write::element(tag::UTF8, &[&[0xff]])), Some(Error::CertificateName));
    // A key identifier's own value, behind the name, is opaque; an extension that is not even a sequence is not.
    assert_eq!(with(&[0, 7, 0], &write::sequence(&[])), Some(Error::ExtensionMalformed));
}

#[test]
fn keys_have_one_form() {
    let world = World::new();
    let good = world.person.certificate.as_der();
    let with = |key: &[u8]| Certificate::from_der(&replace(good, &[0, 6], key)).err();
    let bits = |inside: &[u8]| write::bit_string(inside);
    let set = |set: &Oid, hash: &Oid| write::sequence(&[&write::oid(set), &write::oid(hash)]);
    let gost = |parameters: &[u8], bytes: &[u8]| {
        write::sequence(&[&algorithm(&oid::KEY_GOST_2015_512, parameters), &bits(&write::octets(bytes))])
    };
    let right = set(&oid::CURVE_512_A, &oid::HASH_STREEBOG_512);
    assert_eq!(with(&gost(&right, &key(9).verifying_key().to_certificate())), None);
    assert_eq!(with(&gost(&right, &[1; 128])), Some(Error::KeyMalformed));
    assert_eq!(with(&gost(&right, &[1; 64])), Some(Error::KeyMalformed));
    for wrong in
        [set(&oid::CURVE_256_A, &oid::HASH_STREEBOG_512), set(&oid::CURVE_512_A, &oid::HASH_STREEBOG_256)]
    {
        assert_eq!(with(&gost(&wrong, &[1; 128])), Some(Error::AlgorithmParameters));
    }
    // The point of order two of the 256-bit set: y is 0, x the root of the cubic, little-endian.
    let x = hex::decode("aa4aa1e7dc7530a67ec42a195cfe448758d978d4444b978e15ff95f573fe0001").expect("hex");
    let small = write::octets(&[x, vec![0; 32]].concat());
    let kind = algorithm(&oid::KEY_GOST_2015_256, &set(&oid::CURVE_256_A, &oid::HASH_STREEBOG_256));
    assert_eq!(with(&write::sequence(&[&kind, &bits(&small)])), Some(Error::KeyWeak));
    let rsa = |modulus: &[u8], exponent: &[u8]| {
        let key = write::sequence(&[&write::unsigned(modulus), &write::unsigned(exponent)]);
        write::sequence(&[&algorithm(&oid::KEY_RSA, &write::null()), &bits(&key)])
    };
    assert_eq!(with(&rsa(&[0xff; 256], &[1, 0, 1])), None);
    assert_eq!(with(&rsa(&[0xff; 255], &[1, 0, 1])), Some(Error::RsaKeySize));
    assert_eq!(with(&rsa(&[0x7f; 256], &[1, 0, 1])), Some(Error::RsaKeySize));
    assert_eq!(with(&rsa(&[0xff; 513], &[1, 0, 1])), Some(Error::RsaKeySize));
    assert_eq!(with(&rsa(&[0xff; 256], &[3])), Some(Error::RsaExponent));
    assert_eq!(with(&rsa(&[0xfe; 256], &[1, 0, 1])), Some(Error::KeyMalformed));
}

#[test]
fn a_key_verifies_signatures_of_its_kind_and_length() {
    let world = World::new();
    let key = world.person.certificate.key();
    let verify = |algorithm, signature: &[u8]| key.verify(algorithm, CONTENT, signature);
    let good = tanba_eds::authority::sign(&world.person.key, CONTENT);
    assert_eq!(verify(SignatureAlgorithm::Gost2015With512, &good), Ok(()));
    assert_eq!(verify(SignatureAlgorithm::Gost2015With512, &good[1..]), Err(Error::SignatureLength));
    assert_eq!(verify(SignatureAlgorithm::Gost2015With512, &[0; 128]), Err(Error::SignatureMismatch));
    for other in
        [SignatureAlgorithm::Gost2015With256, SignatureAlgorithm::Gost2004, SignatureAlgorithm::RsaSha256]
    {
        assert_eq!(verify(other, &good), Err(Error::AlgorithmKey));
    }
    let reversed: Vec<u8> = good.iter().rev().copied().collect();
    assert_eq!(verify(SignatureAlgorithm::Gost2015With512, &reversed), Err(Error::SignatureMismatch));
}

#[test]
fn lists_and_answers_have_one_form() {
    let world = World::new();
    let list = world.crl(&[(serial(3), NOW, Reason::Hold)]);
    assert_eq!(
        Crl::from_der(&replace(&list, &[0, 0], &write::unsigned(&[0]))).err(),
        Some(Error::CrlVersion)
    );
    assert_eq!(
        Crl::from_der(&replace(&list, &[0, 5], &write::sequence(&[]))).err(),
        Some(Error::DerTruncated)
    );
    let amends = |number, amends| {
        let updates = (NOW, NOW.plus_s(DAY_S));
        world.nca.crl(&Listing { number, amends, updates, revoked: &[], removed: &[] })
    };
    let delta = amends(12, Some(11));
    // Its extensions: key, number, base.
    let numberless = change(&delta, &[0, 5, 0], &|all| write::sequence(&[&at(all, &[0]), &at(all, &[2])]));
    assert_eq!(Crl::from_der(&numberless).err(), Some(Error::CrlNumberMissing));
    let (delta, base) = (Crl::from_der(&delta).expect("a delta"), amends(11, None));
    let base = Crl::from_der(&base).expect("a list");
    assert_eq!(delta.check_amends(&base), Ok(()));
    for wrong in [Crl::from_der(&list), Ok(delta.clone())] {
        assert_eq!(delta.check_amends(&wrong.expect("a list")), Err(Error::CrlDeltaBase));
    }
    let answer = world.ocsp.answer(world.nca.certificate(), &[(serial(3), Status::Good)], NOW, None, None);
    let read = |bytes: &[u8]| Response::from_der(bytes).err();
    assert_eq!(read(&replace(&answer, &[1, 0, 0], &write::oid(&oid::OCSP_NONCE))), Some(Error::OcspType));
    // A second certificate that answers for nothing.
    let basic = at(&answer, &[1, 0, 1]);
    let content = tanba_eds::der::read(&basic, |r| r.octets()).expect("octets");
    let more = append(content, &[3, 0, 0], world.person.certificate.as_der());
    let more = Response::from_der(&replace(&answer, &[1, 0, 1], &write::octets(&more))).expect("an answer");
    assert_eq!(more.check_signer(world.nca.certificate(), NOW), Err(Error::OcspCertificateExtra));
}

#[test]
fn a_responder_may_be_named_by_its_key() {
    let world = World::new();
    let answer = world.ocsp.answer(world.nca.certificate(), &[(serial(3), Status::Good)], NOW, None, None);
    let basic = at(&answer, &[1, 0, 1]);
    let basic = tanba_eds::der::read(&basic, |r| r.octets()).expect("octets");
    let named = |bits: &[u8]| {
        let hash = tanba_eds::HashAlgorithm::Sha1.digest(&[bits]);
        let key = write::element(tag::context_constructed(2), &[&write::octets(&hash)]);
        let signed = replace(&at(basic, &[0]), &[0], &key);
        let signature = write::bit_string(&tanba_eds::authority::sign(&world.ocsp.key, &signed));
        let basic = replace(&replace(basic, &[0], &signed), &[2], &signature);
        let response =
            Response::from_der(&replace(&answer, &[1, 0, 1], &write::octets(&basic))).expect("an answer");
        response.check_signer(world.nca.certificate(), NOW)
    };
    assert_eq!(named(world.ocsp.certificate.key_bits()), Ok(()));
    assert_eq!(named(world.tsa.certificate.key_bits()), Err(Error::OcspResponder));
}

#[test]
fn messages_have_one_form() {
    let world = World::new();
    let good = Message::new(CONTENT).sign(&world.person, NOW).attached();
    // Within: version, hashes, content, certificates, signers.
    let data = [1, 0];
    let with = |place: usize, by: &[u8]| {
        SignedData::from_bytes(&replace(&good, &[&data[..], &[place]].concat(), by)).err()
    };
    assert_eq!(
        SignedData::from_bytes(&replace(&good, &[0], &write::oid(&oid::CONTENT_DATA))).err(),
        Some(Error::CmsType)
    );
    assert_eq!(with(0, &write::unsigned(&[3])), Some(Error::CmsVersion));
    let version = replace(&good, &[1, 0, 4, 0, 0], &write::unsigned(&[3]));
    assert_eq!(SignedData::from_bytes(&version).err(), Some(Error::CmsVersion));
    let hashes = |hashes: &[Oid]| {
        let hashes: Vec<u8> = hashes.iter().flat_map(|hash| algorithm(hash, &write::null())).collect();
        write::element(tag::SET, &[&hashes])
    };
    assert_eq!(with(1, &hashes(&[oid::HASH_STREEBOG_512])), None);
    for wrong in [
        &[][..],
        &[oid::HASH_SHA_256],
        &[oid::HASH_STREEBOG_512, oid::HASH_SHA_256],
        &[oid::HASH_STREEBOG_512; 2],
    ] {
        assert_eq!(with(1, &hashes(wrong)), Some(Error::CmsHashes), "{wrong:?}");
    }
    let lists = append(&good, &[1, 0, 3], &write::element(tag::context_constructed(1), &[&world.crl(&[])]));
    assert_eq!(SignedData::from_bytes(&lists).err(), Some(Error::CmsListsInside));
    let retyped = replace(&good, &[1, 0, 2, 0], &write::oid(&oid::CONTENT_TIME_STAMP));
    let retyped = SignedData::from_bytes(&replace(&retyped, &[1, 0, 0], &write::unsigned(&[3])))
        .expect("its form is right");
    assert_eq!(retyped.check_signatures(CONTENT, |_| false).err(), Some(Error::CmsContentType));
    let twice = Message::new(CONTENT).sign(&world.person, NOW).sign(&world.person, NOW.plus_s(-1)).attached();
    let one = world.person.certificate.as_der();
    let twice = change(&twice, &[1, 0, 3], &|_| write::element(tag::context_constructed(0), &[one]));
    let twice = SignedData::from_bytes(&twice).expect("its form is right");
    assert_eq!(twice.check_signatures(CONTENT, |_| false).err(), Some(Error::CmsSignerTwice));
    let extra = append(&good, &[1, 0, 3, 0], world.head.certificate.as_der());
    let extra = SignedData::from_bytes(&extra).expect("its form is right");
    assert_eq!(extra.check_signatures(CONTENT, |_| false).err(), Some(Error::CmsCertificateExtra));
    assert!(extra.check_signatures(CONTENT, |other| *other == world.head.certificate).is_ok());
}

#[test]
fn time_stamps_have_one_form() {
    let world = World::new();
    let hash = |oid: &Oid, digest: &[u8]| {
        write::sequence(&[&algorithm(oid, &write::null()), &write::octets(digest)])
    };
    let stamp = |version: u8, policy: &Oid, imprint: &[u8]| {
        let number = write::unsigned(&[1]);
        let time = write::generalized_time(NOW);
        write::sequence(&[&write::unsigned(&[version]), &write::oid(policy), imprint, &number, &time])
    };
    let token = |stamp: &[u8]| {
        let extra = [world.tsa.signing_certificate()];
        TimeStamp::from_bytes(
            &Message::of(oid::CONTENT_TIME_STAMP, stamp)
                .sign_with(&world.tsa, Some(NOW), &extra, |_| None)
                .attached(),
        )
    };
    let (policy, sha_256) = (oid::POLICY_TIME_STAMP_GOST_2015, hash(&oid::HASH_SHA_256, &[7; 32]));
    let good = token(&stamp(1, &policy, &sha_256)).expect("a stamp");
    assert!(good.check_signature(|_| false).is_ok());
    assert_eq!(good.check_imprint(CONTENT), Err(Error::TimeStampImprint));
    assert_eq!(token(&stamp(2, &policy, &sha_256)).err(), Some(Error::TimeStampVersion));
    assert_eq!(token(&stamp(1, &oid::POLICY_AUTHORITY, &sha_256)).err(), Some(Error::TimeStampPolicy));
    let short = hash(&oid::HASH_SHA_256, &[7; 20]);
    assert_eq!(token(&stamp(1, &policy, &short)).err(), Some(Error::TimeStampImprint));
    let sha_1 = tanba_eds::HashAlgorithm::Sha1.digest(&[CONTENT]);
    let weak = token(&stamp(1, &policy, &hash(&oid::HASH_SHA_1, &sha_1))).expect("a stamp");
    assert_eq!(weak.check_imprint(CONTENT), Err(Error::TimeStampWeak));
    assert_eq!(
        TimeStamp::from_bytes(&Message::new(CONTENT).sign(&world.tsa, NOW).attached()).err(),
        Some(Error::CmsType)
    );
    let bytes = stamp(1, &policy, &sha_256);
    let other = world.nca.issue(&Subject::TimeStamping, key(9), &serial(9), validity());
    let both = Message::of(oid::CONTENT_TIME_STAMP, &bytes)
        .sign_with(&world.tsa, Some(NOW), &[world.tsa.signing_certificate()], |_| None)
        .sign_with(&other, Some(NOW), &[other.signing_certificate()], |_| None)
        .attached();
    let both = TimeStamp::from_bytes(&both).expect("its form is right");
    assert_eq!(both.check_signature(|_| false).err(), Some(Error::TimeStampSigners));
    let unbound = Message::of(oid::CONTENT_TIME_STAMP, &bytes).sign(&world.tsa, NOW).attached();
    let unbound = TimeStamp::from_bytes(&unbound).expect("its form is right");
    assert_eq!(unbound.check_signature(|_| false).err(), Some(Error::CmsAttributeMissing));
    // A response: the status, and the token if it was granted.
    let response = |status: u8, token: &[u8]| {
        write::sequence(&[&write::sequence(&[&write::unsigned(&[status])]), token])
    };
    let token = world.tsa.stamp(CONTENT, NOW, 1, None);
    assert!(TimeStamp::from_bytes(&response(0, &token)).is_ok());
    for refused in [response(1, &token), response(2, &[])] {
        assert_eq!(TimeStamp::from_bytes(&refused).err(), Some(Error::TimeStampRefused));
    }
}
