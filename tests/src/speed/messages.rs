//! Messages as consents are: one signer each, a person of the authority, its certificate inside, checked from their bytes
//! to the root with revocation. Beside the two checks of signatures that each needs: its own, and its certificate's.

use std::{hint::black_box, time::Instant};

use tanba_crypto::gost::SigningKey;
use tanba_eds::{
    Context, Evidence, Iin, Policy, Realm, Root, Serial, SignedData, Time, Trust,
    authority::{Authority, Listing, Message, Person, Subject},
};

use super::{Figure, gost};

const NOW: Time = Time::from_unix_s(1_793_000_000);
const DAY_S: i64 = 86_400;

/// Persons with a message each.
const MESSAGES: u16 = 256;

/// Bytes that each signs: names of parties and categories, as a consent has them.
const CONTENT_BYTES: usize = 1_024;

/// Checks of signatures in one message: its own and its certificate's. The authority's is checked once.
const CHECKS: f64 = 2.0;

/// Reading, hashing and looking up take some, too.
const RATIO_MAX: f64 = 1.5;

/// All of it.
pub fn measure() -> Vec<Figure> {
    let validity = (NOW.plus_s(-DAY_S), NOW.plus_s(365 * DAY_S));
    let serial = |number: u16| Serial::from_bytes(&[&[0x40][..], &number.to_be_bytes()].concat());
    let serial = |number| serial(number).expect("a number above zero");
    let key = |number: u16| {
        let mut bytes = [1; 64];
        bytes[..2].copy_from_slice(&number.to_be_bytes());
        SigningKey::from_number(&bytes).expect("below q")
    };
    let root = Authority::root("ROOT", key(1), &serial(1), validity);
    let nca = root.issuing("NCA", key(2), &serial(2), validity);
    let updates = (NOW.plus_s(-60), NOW.plus_s(DAY_S));
    let list = nca.crl(&Listing { number: 1, amends: None, updates, revoked: &[], removed: &[] });
    let mut evidence = Evidence::default();
    evidence.add_crl(&list).expect("what is made is read");
    let trust = Trust {
        roots: vec![Root::new(root.certificate().clone(), Realm::Test).expect("a root")],
        issuers: vec![nca.certificate().clone()],
        devnet: true,
    };
    let content = vec![0x5a; CONTENT_BYTES];
    let signed: Vec<(Iin, Vec<u8>)> = (0..MESSAGES)
        .map(|n| {
            let iin = Iin::from_digits(&format!("{n:012}")).expect("digits");
            let person = Subject::Person(Person { surname: "ҮЛГІ", name: "МЫСАЛ", iin });
            let holder = nca.issue(&person, key(100 + n), &serial(100 + n), validity);
            let message = Message::new(&content).sign(&holder, NOW).attached();
            (iin, message)
        })
        .collect();

    let context = Context { trust: &trust, evidence: &evidence, at: NOW, policy: Policy::default() };
    let check_all = || {
        let begun = Instant::now();
        for (iin, message) in &signed {
            let message = SignedData::from_bytes(black_box(message)).expect("what is made is read");
            let signers = context.message(&message, None, 1).expect("it holds");
            signers[0].signer.certificate.check_is_person(iin).expect("its own");
        }
        begun.elapsed().as_secs_f64() * 1e6 / f64::from(MESSAGES)
    };
    let took = (0..3).map(|_| check_all()).fold(f64::INFINITY, f64::min);
    let ratio = took / (CHECKS * gost::check_us());
    let line = format!(
        "messages like consents: {:.0} checked a second on one core, {ratio:.2} times their two signatures",
        1e6 / took
    );
    vec![Figure { line, ratio: Some(ratio), ratio_max: RATIO_MAX }]
}
