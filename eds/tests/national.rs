//! Every real file gives its documented answer, at a moment when the evidence at hand counts.

mod common;

use common::{ANSWERS, LISTS, check_at, data, evidence, trust};
use tanba_eds::{
    Certificate, Chain, Crl, Error, Evidence, Iin, Office, Realm, Role, SignedData, Trust, Verdict,
    check::{What, open},
    der,
    ocsp::Status,
};

const NOW: &str = "2026-11-01T00:00:00Z";
const AUTHORITY: Option<Role> = Some(Role::Authority);
const HEAD: Option<Role> = Some(Role::Entity(Office::Head));
const EMPLOYEE: Option<Role> = Some(Role::Entity(Office::Employee));
const SYSTEM: Option<Role> = Some(Role::Entity(Office::System));
const PERSON: Option<Role> = Some(Role::Person);

/// File, moment, role of the first certificate of its chain, code.
const TABLE: &[(&str, &str, Option<Role>, &str)] = &[
    // Production, 2015 and 2018: roots and authorities, expired in 2025.
    ("ncanode-old/root_gost.crt", "2024-01-01T00:00:00Z", AUTHORITY, "valid"),
    ("ncanode-old/nca_gost.crt", "2024-01-01T00:00:00Z", AUTHORITY, "valid"),
    ("ncanode-old/nca_gost.crt", NOW, AUTHORITY, "certificate-expired"),
    ("ncanode-old/root_rsa.crt", "2024-01-01T00:00:00Z", AUTHORITY, "valid"),
    ("ncanode-old/nca_rsa.crt", "2024-01-01T00:00:00Z", AUTHORITY, "valid"),
    ("ncanode-old/nca_rsa.crt", "2018-01-01T00:00:00Z", AUTHORITY, "certificate-not-yet-valid"),
    // Test, 2022.
    ("ncanode-go/root_test_gost_2022.cer", NOW, AUTHORITY, "valid"),
    ("ncanode-go/nca_gost2022_test.cer", NOW, AUTHORITY, "valid"),
    ("ncanode/nca_gost2015_test.cer", NOW, AUTHORITY, "valid"),
    ("ncanode-go/leafs/individual_valid_individual_valid.pem", NOW, PERSON, "valid"),
    ("ncanode-go/leafs/individual_revoked_individual_revoked.pem", NOW, PERSON, "revoked"),
    ("ncanode-go/leafs/legal_valid_head.pem", NOW, HEAD, "valid"),
    ("ncanode-go/leafs/legal_revoked_employee.pem", NOW, EMPLOYEE, "revoked"),
    // Two more that their names call valid were revoked by the list of August 2026; the names of the last two are
    // swapped where they come from.
    ("ncanode-go/leafs/legal_valid_employee.pem", NOW, EMPLOYEE, "revoked"),
    ("ncanode-go/leafs/legal_valid_infosystem.pem", NOW, Some(Role::Treasury), "revoked"),
    ("ncanode-go/leafs/legal_valid_treasury_client.pem", NOW, SYSTEM, "valid"),
    ("gokalkan/test_certs_gost1.cer", "2024-01-01T00:00:00Z", PERSON, "crl-not-yet-valid"),
    ("gokalkan/test_certs_gost2.cer", NOW, PERSON, "certificate-expired"),
    ("gokalkan/wtest_certs_gost1.cer", "2024-01-01T00:00:00Z", PERSON, "crl-not-yet-valid"),
    ("gokalkan/wtest_certs_gost2.cer", NOW, PERSON, "certificate-expired"),
    // Test, 2019: GOST 34.310-2004 and RSA.
    ("ncanode/nca_gost_test.crt", "2022-06-01T00:00:00Z", AUTHORITY, "valid"),
    ("ncanode/nca_rsa_test.crt", "2022-06-01T00:00:00Z", AUTHORITY, "valid"),
    ("ncanode/ceo_valid_sign_2004_gost.cer", "2022-06-01T00:00:00Z", HEAD, "valid"),
    ("ncanode/individual_valid_sign_2004_rsa.cer", "2022-06-01T00:00:00Z", PERSON, "valid"),
    ("ncanode/individual_valid_sign_2004_rsa_auth.cer", "2022-06-01T00:00:00Z", PERSON, "valid"),
    // Self-made: nobody vouches for it.
    ("ncalayer-rs/test_gost512.cer.pem", NOW, Some(Role::Other), "issuer-unknown"),
    // Lists and answers.
    ("ncanode-go/nca_gost2022_test.crl", NOW, AUTHORITY, "valid"),
    ("ncanode-go/nca_gost2022_test.crl", "2027-02-08T00:00:00Z", None, "crl-stale"),
    ("ncanode/crl/nca_gost2022_test.crl", "2022-09-01T00:00:00Z", AUTHORITY, "valid"),
    ("ncanode/crl/nca_gost_test.crl", "2022-09-01T00:00:00Z", AUTHORITY, "valid"),
    ("ncanode/crl/nca_rsa_test.crl", "2022-09-01T00:00:00Z", AUTHORITY, "valid"),
    ("ncanode/ocsp/ocsp_response_ceo_2015_revoked.bin", "2022-09-02T17:00:00Z", AUTHORITY, "valid"),
    ("ncanode/ocsp/ocsp_response_ceo_2015_revoked.bin", "2022-09-02T18:00:00Z", None, "ocsp-stale"),
    ("ncanode/ocsp/ocsp_response_ceo_sign_2004_revoked.bin", "2022-09-02T17:00:00Z", AUTHORITY, "valid"),
    ("ncanode/ocsp/ocsp_response_individual_sign_2004.bin", "2022-09-02T17:00:00Z", AUTHORITY, "valid"),
    // Messages, signed when their RSA certificate had expired: see below for their signatures.
    ("ncanode/cms/signed_cms_gost_rsa.cms", "2022-09-29T00:00:00Z", PERSON, "certificate-expired"),
    ("ncanode/cms/signed_cms_one_signer_gost_rsa.cms", "2022-09-29T00:00:00Z", PERSON, "certificate-expired"),
    // Time stamps.
    ("ncanode/tsp/tsp_response.bin", "2022-09-18T14:00:00Z", Some(Role::TimeStamping), "valid"),
    ("ncanode/tsp/tsp_token.bin", "2022-09-18T14:00:00Z", Some(Role::TimeStamping), "valid"),
    ("ncanode/tsp/tsp_token.bin", "2022-09-18T12:00:00Z", None, "time-stamp-order"),
];

/// Every list and answer of the shared data, owned.
fn files() -> Vec<Vec<u8>> {
    LISTS.iter().chain(&ANSWERS).filter_map(|name| data(name)).collect()
}

#[test]
fn every_file_gives_its_documented_answer() {
    let Some(trust) = trust() else { return };
    let files = files();
    let evidence = evidence(&files);
    for (name, at, role, code) in TABLE {
        let Some(file) = data(name) else { return };
        let report = check_at(&file, &trust, &evidence, at);
        assert_eq!(report.verdict.code(), *code, "{name} at {at}: {report:?}");
        assert_eq!(report.chain.first().and_then(|link| link.role), *role, "{name}");
    }
}

#[test]
fn a_test_root_counts_on_a_devnet_only() {
    let Some(mut trust) = trust() else { return };
    trust.devnet = false;
    let (files, name) = (files(), "ncanode-go/leafs/legal_valid_head.pem");
    let report = check_at(&data(name).expect("it is there"), &trust, &evidence(&files), NOW);
    assert_eq!(report.verdict, Verdict::Invalid(Error::ChainTestRoot));
    let report = check_at(
        &data("ncanode-old/nca_gost.crt").expect("it is there"),
        &trust,
        &evidence(&files),
        "2024-01-01T00:00:00Z",
    );
    assert_eq!(report.verdict, Verdict::Valid);
}

#[test]
fn without_evidence_nothing_is_known() {
    let Some(trust) = trust() else { return };
    let file = data("ncanode-go/leafs/legal_valid_head.pem").expect("it is there");
    let report = check_at(&file, &trust, &Evidence::default(), NOW);
    assert_eq!(report.verdict, Verdict::Undetermined(Error::RevocationUnknown));
}

#[test]
fn names_and_numbers_are_read_and_not_shown() {
    let Some(head) = common::certificate("ncanode-go/leafs/legal_valid_head.pem") else { return };
    assert_eq!(
        head.iin().map(|iin| iin.map(|iin| iin == Iin::from_digits("123456789011").expect("digits"))),
        Ok(Some(true))
    );
    assert_eq!(head.bin().map(|bin| bin.map(|bin| bin.digits() == "123456789021")), Ok(Some(true)));
    let shown = format!("{head:?} {:?} {:?}", head.subject(), head.iin());
    assert!(!shown.contains("1234567890") && !shown.contains("ТЕСТ"), "{shown}");
    let Some(trust) = trust() else { return };
    let files = files();
    let report = check_at(head.as_der(), &trust, &evidence(&files), NOW);
    assert!(!format!("{report:?}").contains("1234567890"), "{report:?}");
}

#[test]
fn a_list_is_read_to_its_last_entry() {
    let Some(bytes) = data(LISTS[0]) else { return };
    let crl = Crl::from_der(&bytes).expect("a list");
    assert_eq!((crl.len(), crl.number(), crl.is_delta()), (195, Some(166), false));
    let index = crl.index();
    for (serial, entry) in crl.entries() {
        let serial = tanba_eds::Serial::from_bytes(serial).expect("a number");
        assert_eq!((crl.entry(&serial), index.entry(&serial)), (Some(entry), Some(entry)));
    }
    let valid = common::certificate("ncanode-go/leafs/legal_valid_head.pem").expect("it is there");
    assert_eq!((crl.entry(valid.serial()), index.entry(valid.serial())), (None, None));
}

#[test]
fn answers_say_what_is_documented() {
    let Some(trust) = trust() else { return };
    for (name, word) in ANSWERS.iter().zip(["Revoked", "Revoked", "Good"]) {
        let Some(file) = data(name) else { return };
        let report = check_at(&file, &trust, &Evidence::default(), "2022-09-02T17:00:00Z");
        assert_eq!((report.verdict, report.what), (Verdict::Valid, Some(What::Answer)));
        let [(_, status)] = report.answers.as_slice() else { panic!("{name}: one answer") };
        assert!(format!("{status:?}").starts_with(word), "{name}: {status:?}");
        assert_ne!(*status, Status::Unknown);
    }
}

/// Every signature of the message is good, and every signer's certificate was when it was young.
fn is_message_believed(bytes: &[u8], trust: &Trust) -> Result<usize, Error> {
    let message = SignedData::from_bytes(bytes)?;
    let content = message.content_or(Some(b"test123"))?;
    let signers = message.check_signatures(content, |_| false)?;
    for certificate in &signers {
        Chain::build(certificate, trust, certificate.validity().0.plus_s(1))?;
    }
    Ok(signers.len())
}

#[test]
fn messages_are_signed_by_whom_they_name() {
    let Some(trust) = trust() else { return };
    for (name, count) in
        [("ncanode/cms/signed_cms_gost_rsa.cms", 2), ("ncanode/cms/signed_cms_one_signer_gost_rsa.cms", 1)]
    {
        let file = data(name).expect("it is there");
        assert_eq!(is_message_believed(&file, &trust), Ok(count), "{name}");
        let message = SignedData::from_bytes(&file).expect("a message");
        assert_eq!(message.content(), Some(&b"test123"[..]));
        assert_eq!(message.content_or(Some(b"test124")), Err(Error::CmsContentDiffers));
    }
}

/// Flips one bit of every `step`-th byte and expects that `is_believed` never is.
fn mutate(name: &str, bytes: &[u8], step: usize, is_believed: impl Fn(&[u8]) -> bool) {
    assert!(is_believed(bytes), "{name} as it is");
    let mut mutated = bytes.to_vec();
    for at in (0..bytes.len()).step_by(step) {
        let bit = 1 << (at % 8);
        mutated[at] ^= bit;
        assert!(!is_believed(&mutated), "{name}: byte {at} xor {bit:#04x}");
        mutated[at] ^= bit;
    }
}

fn is_valid(bytes: &[u8], trust: &Trust, evidence: &Evidence<'_>, at: &str) -> bool {
    check_at(bytes, trust, evidence, at).verdict == Verdict::Valid
}

#[test]
fn no_byte_of_a_certificate_can_be_changed() {
    let Some(trust) = trust() else { return };
    let (files, none) = (files(), Evidence::default());
    let evidence = evidence(&files);
    for (name, at, _, code) in TABLE {
        let is_certificate = name.ends_with(".crt") || name.ends_with(".cer") || name.ends_with(".pem");
        if *code != "valid" || !is_certificate {
            continue;
        }
        let file = data(name).expect("it is there");
        let (_, der) = open(&file).expect("a readable file");
        let evidence = if name.contains("nca_") || name.contains("root_") { &none } else { &evidence };
        mutate(name, &der, 1, |bytes| is_valid(bytes, &trust, evidence, at));
    }
    // The text around one of them, too.
    let (name, at) = ("ncanode-go/leafs/legal_valid_head.pem", NOW);
    mutate(name, &data(name).expect("it is there"), 3, |bytes| is_valid(bytes, &trust, &evidence, at));
}

#[test]
fn no_byte_of_a_message_or_stamp_can_be_changed() {
    let Some(trust) = trust() else { return };
    let files = files();
    let evidence = evidence(&files);
    for name in ["ncanode/cms/signed_cms_gost_rsa.cms", "ncanode/cms/signed_cms_one_signer_gost_rsa.cms"] {
        mutate(name, &data(name).expect("it is there"), 1, |bytes| {
            is_message_believed(bytes, &trust).is_ok()
        });
    }
    for name in ["ncanode/tsp/tsp_response.bin", "ncanode/tsp/tsp_token.bin"] {
        let file = data(name).expect("it is there");
        mutate(name, &file, 1, |bytes| is_valid(bytes, &trust, &evidence, "2022-09-18T14:00:00Z"));
    }
}

#[test]
fn no_byte_of_an_answer_or_list_can_be_changed() {
    let Some(trust) = trust() else { return };
    let none = Evidence::default();
    for name in ANSWERS {
        let file = data(name).expect("it is there");
        mutate(name, &file, 1, |bytes| is_valid(bytes, &trust, &none, "2022-09-02T17:00:00Z"));
    }
    for name in LISTS {
        let file = data(name).expect("it is there");
        let at = if name.starts_with("ncanode-go") { NOW } else { "2022-09-01T00:00:00Z" };
        // The long ones by sample, in steps that share no factor with the length of an entry.
        let step = if file.len() > 4096 { 13 } else { 1 };
        mutate(name, &file, step, |bytes| is_valid(bytes, &trust, &none, at));
    }
}

#[test]
fn the_byte_order_of_the_rfc_is_refused() {
    let Some(trust) = trust() else { return };
    for (name, len) in
        [("ncanode-go/leafs/legal_valid_head.pem", 128), ("ncanode/ceo_valid_sign_2004_gost.cer", 64)]
    {
        let certificate = common::certificate(name).expect("it is there");
        let mut bytes = certificate.as_der().to_vec();
        let start = bytes.len() - len;
        bytes[start..].reverse();
        let reversed = Certificate::from_der(&bytes).expect("its form is right");
        let at = certificate.validity().0.plus_s(1);
        assert_eq!(Chain::build(&certificate, &trust, at).map(|chain| chain.realm()).ok(), Some(Realm::Test));
        assert_eq!(Chain::build(&reversed, &trust, at).err(), Some(Error::CertificateSignature), "{name}");
        bytes[start..].reverse();
        bytes[start..].rotate_left(len / 2);
        let swapped = Certificate::from_der(&bytes).expect("its form is right");
        assert_eq!(Chain::build(&swapped, &trust, at).err(), Some(Error::CertificateSignature), "{name}");
    }
}

#[test]
fn an_rsa_signature_has_one_number() {
    let Some(leaf) = common::certificate("ncanode/individual_valid_sign_2004_rsa.cer") else { return };
    let authority = common::certificate("ncanode/nca_rsa_test.crt").expect("it is there");
    assert_eq!(leaf.check_signature(&authority), Ok(()));
    // The same residue, one modulus higher, still fits the bytes.
    let modulus = der::read(authority.key_bits(), |r| r.sequence(|r| Ok((r.unsigned()?, r.small()?))));
    let (modulus, _) = modulus.expect("a key");
    let mut bytes = leaf.as_der().to_vec();
    let start = bytes.len() - modulus.len();
    let mut carry = 0;
    for (digit, more) in bytes[start..].iter_mut().zip(modulus).rev() {
        let sum = u16::from(*digit) + u16::from(*more) + carry;
        (*digit, carry) = (sum as u8, sum >> 8);
    }
    assert_eq!(carry, 0, "it fits");
    let higher = Certificate::from_der(&bytes).expect("its form is right");
    assert_eq!(higher.check_signature(&authority), Err(Error::CertificateSignature));
}
