//! Lists, deltas and answers: what shows that a certificate holds, what shows the contrary, and what shows nothing.

#[path = "common/world.rs"]
#[allow(dead_code, reason = "each suite uses its part of the world")]
mod world;

use tanba_eds::{
    Certificate, Crl, Error, Evidence, Proof, Response, Serial, Time,
    authority::{Holder, Listing, Subject, Template},
    crl::Reason,
    der::write,
    ocsp::Status,
    oid,
};
use world::{DAY_S, NOW, World, key, serial, validity};

const HOUR_AGO: Time = Time::from_unix_s(NOW.unix_s() - 3600);
const TOMORROW: Time = Time::from_unix_s(NOW.unix_s() + DAY_S);

/// What these files show about the person.
fn judge(world: &World, files: &[Vec<u8>]) -> Result<Proof, Error> {
    let mut evidence = Evidence::default();
    for file in files {
        evidence.add_crl(file).or_else(|_| evidence.add_ocsp(file))?;
    }
    world.context(&evidence).certificate(&world.person.certificate).map(|vouched| vouched.proof)
}

fn revoked(certificate: &Certificate) -> (Serial, Time, Reason) {
    (certificate.serial().clone(), HOUR_AGO, Reason::Hold)
}

fn listing<'a>(number: u64, amends: Option<u64>, revoked: &'a [(Serial, Time, Reason)]) -> Listing<'a> {
    Listing { number, amends, updates: (HOUR_AGO, TOMORROW), revoked, removed: &[] }
}

fn answer(world: &World, by: &Holder, status: Status) -> Vec<u8> {
    let about = [(world.person.certificate.serial().clone(), status)];
    by.answer(world.nca.certificate(), &about, NOW, Some(TOMORROW), None)
}

#[test]
fn a_list_shows_who_is_revoked_and_who_is_not() {
    let world = World::new();
    assert_eq!(judge(&world, &[]), Err(Error::RevocationUnknown));
    assert_eq!(judge(&world, &[world.crl(&[])]), Ok(Proof::Crl(HOUR_AGO, Some(10))));
    let head = revoked(&world.head.certificate);
    assert_eq!(judge(&world, &[world.crl(std::slice::from_ref(&head))]), Ok(Proof::Crl(HOUR_AGO, Some(10))));
    let both = world.crl(&[head, revoked(&world.person.certificate)]);
    assert_eq!(judge(&world, &[both]), Err(Error::Revoked));
}

#[test]
fn a_list_counts_in_its_time_only() {
    let world = World::new();
    let at = |from: i64, to: i64| {
        let updates = (NOW.plus_s(from), NOW.plus_s(to));
        judge(&world, &[world.nca.crl(&Listing { updates, ..listing(10, None, &[]) })]).map(drop)
    };
    assert_eq!(at(0, 1), Ok(()));
    assert_eq!(at(1, 2), Err(Error::CrlNotYetValid));
    assert_eq!(at(-1, 0), Err(Error::CrlStale));
}

#[test]
fn a_list_of_another_issuer_says_nothing() {
    let mut world = World::new();
    assert_eq!(judge(&world, &[world.root.crl(&listing(10, None, &[]))]), Err(Error::RevocationUnknown));
    let namesake = world.root.issuing("NCA", key(7), &serial(7), validity());
    assert_eq!(judge(&world, &[namesake.crl(&listing(10, None, &[]))]), Err(Error::CrlIssuer));
    // The last byte before the signature's own header is not signed twice: change one in the middle.
    let mut damaged = world.crl(&[revoked(&world.head.certificate)]);
    let at = damaged.windows(2).position(|two| two == [0x40, 4]).expect("the number") + 1;
    damaged[at] ^= 1;
    assert_eq!(judge(&world, &[damaged]), Err(Error::CrlSignature));
    // An authority that may issue, but not revoke.
    let mut template =
        world.root.template(&Subject::OcspResponder, &key(2).verifying_key(), &serial(2), validity());
    template.subject = world.nca.certificate().subject().as_der().to_vec();
    template.set(oid::BASIC_CONSTRAINTS, true, write::sequence(&[&write::truth()]));
    template.set(oid::KEY_USAGE, true, write::named_bits(1 << 5));
    world.trust.issuers = vec![template.sign(&world.root.as_holder().key)];
    assert_eq!(judge(&world, &[world.crl(&[])]), Err(Error::CrlKeyUsage));
}

#[test]
fn a_delta_amends_its_list() {
    let world = World::new();
    let person = revoked(&world.person.certificate);
    let (clean, listed) = (world.crl(&[]), world.crl(std::slice::from_ref(&person)));
    let delta = |number, base, revoked: &[_], removed: &[Serial]| {
        world.nca.crl(&Listing { removed, ..listing(number, Some(base), revoked) })
    };
    let (adds, takes) = (
        delta(11, 10, std::slice::from_ref(&person), &[]),
        delta(12, 9, &[], std::slice::from_ref(&person.0)),
    );
    assert_eq!(
        judge(&world, &[clean.clone(), delta(11, 10, &[], &[])]),
        Ok(Proof::DeltaCrl(HOUR_AGO, Some(11)))
    );
    assert_eq!(judge(&world, &[clean.clone(), adds.clone()]), Err(Error::Revoked));
    assert_eq!(judge(&world, &[listed.clone(), takes.clone()]), Ok(Proof::DeltaCrl(HOUR_AGO, Some(12))));
    assert_eq!(judge(&world, &[adds.clone(), takes, listed]), Ok(Proof::DeltaCrl(HOUR_AGO, Some(12))));
    // Alone it shows nothing, and what it adds to a list we do not have it still revokes.
    assert_eq!(judge(&world, std::slice::from_ref(&adds)), Err(Error::RevocationUnknown));
    assert_eq!(judge(&world, &[clean, delta(13, 12, &[person], &[])]), Err(Error::Revoked));
    let base = Crl::from_der(&adds).map(|delta| delta.is_delta());
    assert_eq!(base, Ok(true));
}

#[test]
fn a_removal_belongs_to_deltas_alone() {
    let world = World::new();
    let removed = [serial(3)];
    let whole = world.nca.crl(&Listing { removed: &removed, ..listing(10, None, &[]) });
    assert_eq!(Crl::from_der(&whole).err(), Some(Error::RevocationReason));
}

#[test]
fn an_authority_that_was_revoked_vouches_for_nobody() {
    let world = World::new();
    let by_root = world.root.crl(&listing(3, None, &[revoked(world.nca.certificate())]));
    assert_eq!(judge(&world, &[world.crl(&[]), by_root]), Err(Error::Revoked));
}

#[test]
fn answers_of_the_issuer_or_its_responder_count() {
    let world = World::new();
    for by in [&world.ocsp, world.nca.as_holder()] {
        assert_eq!(judge(&world, &[answer(&world, by, Status::Good)]), Ok(Proof::Ocsp(NOW)));
        let bad = answer(&world, by, Status::Revoked(HOUR_AGO, Reason::KeyCompromise));
        assert_eq!(judge(&world, &[answer(&world, by, Status::Good), bad]), Err(Error::Revoked));
        assert_eq!(judge(&world, &[answer(&world, by, Status::Unknown)]), Err(Error::OcspUnknown));
    }
    let good = answer(&world, &world.ocsp, Status::Good);
    assert_eq!(judge(&world, &[good, world.crl(&[revoked(&world.person.certificate)])]), Err(Error::Revoked));
}

#[test]
fn answers_of_anybody_else_do_not() {
    let world = World::new();
    assert_eq!(judge(&world, &[answer(&world, &world.person, Status::Good)]), Err(Error::OcspResponderUsage));
    // Appointed for something else, for nothing, or only as long as somebody else says so.
    let template =
        || world.nca.template(&Subject::OcspResponder, &key(8).verifying_key(), &serial(8), validity());
    let bends: [fn(&mut Template); 4] = [
        |t| t.remove(&oid::EXTENDED_USAGE),
        |t| t.set(oid::EXTENDED_USAGE, false, write::sequence(&[&write::oid(&oid::PURPOSE_EMAIL)])),
        |t| t.set(oid::KEY_USAGE, true, write::named_bits(1 << 5)),
        |t| t.remove(&oid::OCSP_NO_CHECK),
    ];
    for bend in bends {
        let mut bent = template();
        bend(&mut bent);
        let by = Holder { key: key(8), certificate: bent.sign(&world.nca.as_holder().key) };
        assert_eq!(judge(&world, &[answer(&world, &by, Status::Good)]), Err(Error::OcspResponderUsage));
    }
    let stranger = world.root.issue(&Subject::OcspResponder, key(7), &serial(7), validity());
    assert_eq!(judge(&world, &[answer(&world, &stranger, Status::Good)]), Err(Error::OcspResponder));
    let expired = world.nca.issue(&Subject::OcspResponder, key(7), &serial(7), (Time::MIN, HOUR_AGO));
    assert_eq!(judge(&world, &[answer(&world, &expired, Status::Good)]), Err(Error::CertificateExpired));
    let thief = Holder { key: key(8), certificate: world.ocsp.certificate.clone() };
    assert_eq!(judge(&world, &[answer(&world, &thief, Status::Good)]), Err(Error::OcspSignature));
    // About the same number of another issuer.
    let about = [(world.person.certificate.serial().clone(), Status::Good)];
    let other = world.ocsp.answer(world.root.certificate(), &about, NOW, None, None);
    assert_eq!(judge(&world, &[other]), Err(Error::RevocationUnknown));
    // Or of one that has the name, but another key.
    let namesake = world.root.issuing("NCA", key(7), &serial(7), validity());
    let other = world.ocsp.answer(namesake.certificate(), &about, NOW, None, None);
    assert_eq!(judge(&world, &[other]), Err(Error::RevocationUnknown));
}

#[test]
fn answers_count_in_their_time_and_to_their_request() {
    let world = World::new();
    let about = [(world.person.certificate.serial().clone(), Status::Good)];
    let at = |made: i64, next: Option<i64>| {
        let next = next.map(|next| NOW.plus_s(next));
        let file = world.ocsp.answer(world.nca.certificate(), &about, NOW.plus_s(made), next, None);
        judge(&world, &[file]).map(drop)
    };
    assert_eq!(at(0, None), Ok(()));
    assert_eq!(at(-3600, None), Ok(()));
    assert_eq!(at(-3601, None), Err(Error::OcspStale));
    assert_eq!(at(-7200, Some(0)), Ok(()));
    assert_eq!(at(-7200, Some(-1)), Err(Error::OcspStale));
    assert_eq!(at(300, None), Ok(()));
    assert_eq!(at(301, None), Err(Error::OcspNotYetValid));
    let file = world.ocsp.answer(world.nca.certificate(), &about, NOW, None, Some(b"nonce"));
    let response = Response::from_der(&file).expect("an answer");
    assert_eq!(response.check_nonce(b"nonce"), Ok(()));
    assert_eq!(response.check_nonce(b"other"), Err(Error::OcspNonce));
    let refusal = write::sequence(&[&write::element(0x0a, &[&[6]])]);
    assert_eq!(Response::from_der(&refusal).err(), Some(Error::OcspStatus));
}

#[test]
fn a_list_of_twenty_megabytes_is_read_where_it_lies() {
    let world = World::new();
    let number =
        |n: u32| Serial::from_bytes(&[&[0x50; 16][..], &n.to_be_bytes()].concat()).expect("above zero");
    let count = if cfg!(debug_assertions) { 20_000 } else { 400_000 };
    let entries: Vec<(Serial, Time, Reason)> =
        (0..count).map(|n| (number(n), HOUR_AGO, Reason::Superseded)).collect();
    let bytes = world.crl(&entries);
    let crl = Crl::from_der(&bytes).expect("a list");
    assert_eq!(crl.len(), count as usize);
    crl.check_issuer(world.nca.certificate()).expect("its issuer's");
    let index = crl.index();
    assert!(index.entry(&number(count - 1)).is_some() && index.entry(&number(count)).is_none());
    assert_eq!(crl.entry(&number(7)), index.entry(&number(7)));
}
