//! What breaks a certificate or its chain, each by its own code.

#[path = "common/world.rs"]
#[allow(dead_code, reason = "each suite uses its part of the world")]
mod world;

use tanba_eds::{
    Bin, Certificate, Chain, Error, Iin, Office, Oid, Realm, Role, Root, Time, Trust,
    authority::{Authority, Subject, Template},
    der::{tag, write},
    oid,
};
use world::{NOW, World, entity, key, person, serial, validity};

/// Issues a person's certificate bent by `bend` and builds its chain.
fn bent(world: &World, bend: impl FnOnce(&mut Template)) -> Result<(), Error> {
    bent_as(world, &Subject::Person(person()), bend).and_then(|certificate| chain(world, &certificate))
}

fn bent_as(
    world: &World,
    subject: &Subject<'_>,
    bend: impl FnOnce(&mut Template),
) -> Result<Certificate, Error> {
    let mut template = world.nca.template(subject, &key(9).verifying_key(), &serial(9), validity());
    bend(&mut template);
    Certificate::from_der(&template.sign_unread(&world.nca.as_holder().key))
}

fn chain(world: &World, certificate: &Certificate) -> Result<(), Error> {
    Chain::build(certificate, &world.trust, NOW).map(|chain| assert_eq!(chain.realm(), Realm::Test))
}

fn oids(oids: &[Oid]) -> Vec<u8> {
    write::sequence(&[&oids.iter().map(write::oid).collect::<Vec<_>>().concat()])
}

#[test]
fn a_leaf_reaches_its_root() {
    let world = World::new();
    for holder in [&world.person, &world.head, &world.ocsp, &world.tsa] {
        assert_eq!(chain(&world, &holder.certificate), Ok(()));
    }
    assert_eq!(world.head.certificate.role(), Ok(Role::Entity(Office::Head)));
    assert_eq!(world.head.certificate.bin(), Ok(Some(entity().bin)));
    assert_eq!(world.person.certificate.iin(), Ok(Some(person().iin)));
}

#[test]
fn validity_counts_at_both_ends() {
    let world = World::new();
    let ends = |from: i64, to: i64| bent(&world, |t| t.validity = (NOW.plus_s(from), NOW.plus_s(to)));
    assert_eq!(ends(0, 0), Ok(()));
    assert_eq!(ends(1, 2), Err(Error::CertificateNotYetValid));
    assert_eq!(ends(-2, -1), Err(Error::CertificateExpired));
}

#[test]
fn an_expired_authority_vouches_for_nobody() {
    let mut world = World::new();
    let nca = world.root.issuing("NCA", key(2), &serial(2), (Time::MIN, NOW.plus_s(-1)));
    world.trust.issuers = vec![nca.certificate().clone()];
    assert_eq!(chain(&world, &world.person.certificate), Err(Error::CertificateExpired));
}

#[test]
fn names_keys_and_signatures_must_be_the_issuers() {
    let mut world = World::new();
    let name = write::sequence(&[]);
    assert_eq!(bent(&world, |t| t.issuer = name), Err(Error::ChainIssuerUnknown));
    let other_key = write::element(tag::context(0), &[&[7; 20]]);
    let other_key = write::sequence(&[&other_key]);
    assert_eq!(bent(&world, |t| t.set(oid::AUTHORITY_KEY, false, other_key)), Err(Error::ChainKeyId));
    // Signed by somebody else in the issuer's name.
    let template =
        world.nca.template(&Subject::Person(person()), &key(9).verifying_key(), &serial(9), validity());
    assert_eq!(chain(&world, &template.sign(&key(8))), Err(Error::CertificateSignature));
    // The authority between is not known, or not of this root.
    let issuers = std::mem::take(&mut world.trust.issuers);
    assert_eq!(chain(&world, &world.person.certificate), Err(Error::ChainIssuerUnknown));
    world.trust.issuers = issuers;
    let stranger = Authority::root("ROOT", key(7), &serial(1), validity());
    world.trust.roots = vec![Root::new(stranger.certificate().clone(), Realm::Test).expect("a root")];
    assert_eq!(chain(&world, &world.person.certificate), Err(Error::ChainKeyId));
}

#[test]
fn one_issuer_that_verified_speaks_for_no_other() {
    let world = World::new();
    let (leaf, own) = (&world.person.certificate, world.nca.certificate());
    let namesake = world.root.issuing("NCA", key(7), &serial(2), validity());
    for _ in 0..2 {
        assert_eq!(leaf.check_signature(own), Ok(()));
        assert_eq!(leaf.check_signature(namesake.certificate()), Err(Error::CertificateSignature));
    }
}

#[test]
fn only_an_authority_with_the_right_key_usage_issues() {
    let mut world = World::new();
    let bend = |bend: &dyn Fn(&mut Template)| {
        let own = world.nca.certificate();
        let mut template =
            world.root.template(&Subject::OcspResponder, &key(2).verifying_key(), own.serial(), validity());
        template.subject = own.subject().as_der().to_vec();
        template.set(oid::BASIC_CONSTRAINTS, true, write::sequence(&[&write::truth()]));
        template.set(oid::KEY_USAGE, true, write::named_bits(1 << 5));
        bend(&mut template);
        template.sign(&world.root.as_holder().key)
    };
    let bent = [
        (bend(&|t| t.remove(&oid::BASIC_CONSTRAINTS)), Error::ChainNotAuthority),
        (bend(&|t| t.set(oid::BASIC_CONSTRAINTS, true, write::sequence(&[]))), Error::ChainNotAuthority),
        (bend(&|t| t.remove(&oid::KEY_USAGE)), Error::ChainKeyUsage),
        (bend(&|t| t.set(oid::KEY_USAGE, true, write::named_bits(1))), Error::ChainKeyUsage),
    ];
    let straight = bend(&|_| {});
    world.trust.issuers = vec![straight];
    assert_eq!(chain(&world, &world.person.certificate), Ok(()));
    for (certificate, error) in bent {
        world.trust.issuers = vec![certificate];
        assert_eq!(chain(&world, &world.person.certificate), Err(error));
    }
}

#[test]
fn path_lengths_are_kept() {
    let mut world = World::new();
    let below = world.nca.issuing("BELOW", key(10), &serial(10), validity());
    let leaf = below.issue(&Subject::Person(person()), key(11), &serial(11), validity());
    world.trust.issuers.push(below.certificate().clone());
    assert_eq!(chain(&world, &leaf.certificate), Ok(()));
    // The same authority, which may have none below it.
    let own = world.nca.certificate();
    let mut template =
        world.root.template(&Subject::OcspResponder, &key(2).verifying_key(), own.serial(), validity());
    template.subject = own.subject().as_der().to_vec();
    let none = write::sequence(&[&write::truth(), &write::unsigned(&[0])]);
    template.set(oid::BASIC_CONSTRAINTS, true, none);
    template.set(oid::KEY_USAGE, true, write::named_bits(1 << 5));
    world.trust.issuers[0] = template.sign(&world.root.as_holder().key);
    assert_eq!(chain(&world, &world.person.certificate), Ok(()));
    assert_eq!(chain(&world, &leaf.certificate), Err(Error::ChainPathLength));
}

#[test]
fn a_chain_has_an_end() {
    let mut world = World::new();
    let mut last = world.nca.clone();
    for n in 20..24 {
        last = last.issuing(&format!("NCA {n}"), key(n), &serial(n), validity());
        world.trust.issuers.push(last.certificate().clone());
    }
    assert_eq!(chain(&world, last.certificate()), Err(Error::ChainTooLong));
    // Two that issue each other lead nowhere.
    let (left, right) = (
        Authority::root("L", key(30), &serial(30), validity()),
        Authority::root("R", key(31), &serial(31), validity()),
    );
    let (from_right, from_left) = (
        right.issuing("L", key(30), &serial(30), validity()),
        left.issuing("R", key(31), &serial(31), validity()),
    );
    let trust = Trust {
        issuers: vec![from_left.certificate().clone(), from_right.certificate().clone()],
        ..Trust::default()
    };
    assert_eq!(Chain::build(from_left.certificate(), &trust, NOW).err(), Some(Error::ChainTooLong));
}

#[test]
fn test_roots_and_false_roots_are_refused() {
    let mut world = World::new();
    world.trust.devnet = false;
    assert_eq!(Chain::build(&world.person.certificate, &world.trust, NOW).err(), Some(Error::ChainTestRoot));
    let mut template =
        world.nca.template(&Subject::Person(person()), &key(9).verifying_key(), &serial(9), validity());
    template.issuer = template.subject.clone();
    let false_root = template.sign(&key(8));
    assert_eq!(Root::new(false_root, Realm::Production).err(), Some(Error::CertificateSignature));
}

#[test]
fn extensions_are_understood_or_refused() {
    let world = World::new();
    let (unknown, value) = (oid::CONTENT_DATA, write::null());
    assert_eq!(bent(&world, |t| t.set(unknown, false, value.clone())), Ok(()));
    assert_eq!(bent(&world, |t| t.set(unknown, true, value.clone())), Err(Error::ExtensionCritical));
    let twice = |t: &mut Template| t.extensions.push(t.extensions[0].clone());
    assert_eq!(bent(&world, twice), Err(Error::ExtensionTwice));
    assert_eq!(
        bent(&world, |t| t.set(oid::KEY_USAGE, true, write::named_bits(0))),
        Err(Error::ExtensionMalformed)
    );
    let padded = write::element(tag::BIT_STRING, &[&[0, 0xc0]]);
    assert_eq!(bent(&world, |t| t.set(oid::KEY_USAGE, true, padded)), Err(Error::DerBitString));
    let trailing = [write::sequence(&[]), vec![0]].concat();
    assert_eq!(bent(&world, |t| t.set(oid::BASIC_CONSTRAINTS, true, trailing)), Err(Error::DerTrailing));
    let default = write::sequence(&[&write::element(tag::BOOLEAN, &[&[0]])]);
    assert_eq!(bent(&world, |t| t.set(oid::BASIC_CONSTRAINTS, true, default)), Err(Error::DerDefault));
}

#[test]
fn a_role_is_one_and_whole() {
    let world = World::new();
    let role = |purposes: &[Oid]| {
        let certificate = bent_as(&world, &Subject::Person(person()), |t| {
            t.set(oid::EXTENDED_USAGE, false, oids(purposes))
        });
        certificate.and_then(|certificate| certificate.role())
    };
    assert_eq!(role(&[oid::ROLE_ENTITY, oid::ROLE_EMPLOYEE]), Ok(Role::Entity(Office::Employee)));
    assert_eq!(role(&[oid::ROLE_ENTITY]), Ok(Role::Other));
    assert_eq!(role(&[oid::PURPOSE_EMAIL]), Ok(Role::Other));
    for unclear in [
        &[oid::ROLE_PERSON, oid::ROLE_ENTITY, oid::ROLE_HEAD][..],
        &[oid::ROLE_HEAD],
        &[oid::ROLE_ENTITY, oid::ROLE_EMPLOYEE, oid::ROLE_HEAD],
        &[oid::ROLE_PERSON, oid::PURPOSE_OCSP],
    ] {
        assert_eq!(role(unclear), Err(Error::RoleUnclear), "{unclear:?}");
    }
    assert!(Office::Head.signs_for_entity() && !Office::Employee.signs_for_entity());
}

#[test]
fn each_acts_in_its_own_name_only() {
    let world = World::new();
    let (iin, bin) = (person().iin, entity().bin);
    let (other_iin, other_bin) = (Iin::from_digits("000000000009"), Bin::from_digits("000000000009"));
    let (other_iin, other_bin) = (other_iin.expect("digits"), other_bin.expect("digits"));
    let issue = |subject: &Subject<'_>| world.nca.issue(subject, key(9), &serial(9), validity()).certificate;
    let employee = issue(&Subject::Officer(person(), entity(), Office::Employee));
    let system = issue(&Subject::System("УЗЕЛ", entity()));
    let (graduate, head) = (&world.person.certificate, &world.head.certificate);
    assert_eq!(graduate.check_is_person(&iin), Ok(()));
    assert_eq!(graduate.check_is_person(&other_iin), Err(Error::PersonDiffers));
    assert_eq!(head.check_is_person(&iin), Err(Error::RoleWrong));
    assert_eq!(head.check_signs_for(&bin), Ok(()));
    assert_eq!(head.check_signs_for(&other_bin), Err(Error::EntityDiffers));
    assert_eq!(employee.check_signs_for(&bin), Err(Error::OfficeWithoutRight));
    assert_eq!(graduate.check_signs_for(&bin), Err(Error::RoleWrong));
    assert_eq!(system.check_signs_for(&bin), Err(Error::OfficeWithoutRight));
    assert_eq!(system.check_is_system_of(&bin), Ok(()));
    assert_eq!(system.check_is_system_of(&other_bin), Err(Error::EntityDiffers));
    assert_eq!(head.check_is_system_of(&bin), Err(Error::RoleWrong));
}

#[test]
fn numbers_in_names_are_twelve_digits_and_one() {
    let world = World::new();
    let with = |parts: &[&str]| {
        let parts: Vec<(Oid, Vec<u8>)> =
            parts.iter().map(|text| (oid::SERIAL_NUMBER, write::printable(text))).collect();
        bent_as(&world, &Subject::Person(person()), |t| t.subject = tanba_eds::authority::name(&parts))
            .and_then(|certificate| certificate.iin().map(|iin| iin.is_some()))
    };
    assert_eq!(with(&["IIN000000000001"]), Ok(true));
    assert_eq!(with(&["000000000001"]), Ok(false));
    for bad in [&["IIN00000000001"][..], &["IIN00000000001x"], &["IIN000000000001", "IIN000000000002"]] {
        assert_eq!(with(bad), Err(Error::CertificateIdentifier), "{bad:?}");
    }
}

#[test]
fn what_is_around_a_certificate_is_refused() {
    let world = World::new();
    let der = world.person.certificate.as_der();
    let read = |bytes: &[u8]| Certificate::from_der(bytes).err();
    assert_eq!(read(&[der, &[0]].concat()), Some(Error::DerTrailing));
    assert_eq!(read(&der[..der.len() - 1]), Some(Error::DerTruncated));
    assert_eq!(read(&[der, &[0; 20_000]].concat()), Some(Error::DerTooLong));
    assert_eq!(read(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]), Some(Error::DerTooLong));
    assert_eq!(read(&[0x30, 0x80, 0, 0]), Some(Error::DerLength));
}
