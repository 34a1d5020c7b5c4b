//! A throw-away national authority and a handful of holders, the same on every run.

use tanba_crypto::gost::SigningKey;
use tanba_eds::{
    Bin, Context, Evidence, Iin, Office, Policy, Realm, Root, Serial, Time, Trust,
    authority::{Authority, Entity, Holder, Listing, Person, Subject},
    crl::Reason,
};

/// The moment that counts.
pub(crate) const NOW: Time = Time::from_unix_s(1_793_000_000);
pub(crate) const DAY_S: i64 = 86_400;

/// The key with this number.
pub(crate) fn key(number: u8) -> SigningKey {
    SigningKey::from_number(&[number; 64]).expect("a number below q")
}

pub(crate) fn serial(number: u8) -> Serial {
    Serial::from_bytes(&[0x40, number]).expect("a number above zero")
}

/// From a day before the moment to a year after.
pub(crate) fn validity() -> (Time, Time) {
    (NOW.plus_s(-DAY_S), NOW.plus_s(365 * DAY_S))
}

pub(crate) fn person() -> Person<'static> {
    Person { surname: "АЛМА", name: "ТЕСТ", iin: Iin::from_digits("000000000001").expect("digits") }
}

pub(crate) fn entity() -> Entity<'static> {
    Entity { name: "УНИВЕРСИТЕТ", bin: Bin::from_digits("000000000002").expect("digits") }
}

pub(crate) struct World {
    pub(crate) root: Authority,
    pub(crate) nca: Authority,
    pub(crate) person: Holder,
    pub(crate) head: Holder,
    pub(crate) ocsp: Holder,
    pub(crate) tsa: Holder,
    pub(crate) trust: Trust,
}

impl World {
    pub(crate) fn new() -> World {
        let root = Authority::root("ROOT", key(1), &serial(1), validity());
        let nca = root.issuing("NCA", key(2), &serial(2), validity());
        let trust = Trust {
            roots: vec![Root::new(root.certificate().clone(), Realm::Test).expect("a root")],
            issuers: vec![nca.certificate().clone()],
            devnet: true,
        };
        let head = Subject::Officer(person(), entity(), Office::Head);
        World {
            person: nca.issue(&Subject::Person(person()), key(3), &serial(3), validity()),
            head: nca.issue(&head, key(4), &serial(4), validity()),
            ocsp: nca.issue(&Subject::OcspResponder, key(5), &serial(5), validity()),
            tsa: nca.issue(&Subject::TimeStamping, key(6), &serial(6), validity()),
            root,
            nca,
            trust,
        }
    }

    /// A list of an hour ago that holds for a day.
    pub(crate) fn crl(&self, revoked: &[(Serial, Time, Reason)]) -> Vec<u8> {
        self.nca.crl(&Listing {
            number: 10,
            amends: None,
            updates: (NOW.plus_s(-3600), NOW.plus_s(DAY_S)),
            revoked,
            removed: &[],
        })
    }

    /// The world as it is checked at its moment.
    pub(crate) fn context<'a>(&'a self, evidence: &'a Evidence<'a>) -> Context<'a> {
        Context { trust: &self.trust, evidence, at: NOW, policy: Policy::default() }
    }
}
