//! Files of the national signature, of a throw-away authority: whatever is done to one, it is refused, or it says what an
//! honest file says.

use std::sync::OnceLock;

use tanba_crypto::gost::SigningKey;
use tanba_eds::{
    Bin, Certificate, Context, Crl, Evidence, Iin, Office, Policy, Realm, Report, Request, Response, Root,
    Serial, SignedData, Time, TimeStamp, Trust, Verdict,
    authority::{Authority, Entity, Holder, Listing, Message, Person, Subject},
    check::check,
    crl::Reason,
    der::{self, tag, write::element},
    ocsp::Status,
    pem,
};

use crate::fuzz::{Bound, Target};

const NOW: Time = Time::from_unix_s(1_793_000_000);
const DAY_S: i64 = 86_400;

/// What messages and stamps are of.
const CONTENT: &[u8] = b"the diploma";

/// Values in short forms, and beginnings of the longer ones.
const WORDS: &[&str] = &[
    "\u{5}\0",
    "\u{2}\u{1}\u{1}",
    "\u{1}\u{1}\0",
    "0\0",
    "1\0",
    "\u{4}\0",
    "\u{6}\u{3}U\u{1d}\u{f}",
    "\u{6}\u{3}U\u{4}\u{3}",
    "\u{17}\r261231235959Z",
    "\u{18}\u{f}20261231235959Z",
    "-----BEGIN CERTIFICATE-----\n",
    "-----END CMS-----\n",
];

pub(super) fn targets() -> Vec<Target> {
    // Values are copied once or twice; an entry of a list of 20 bytes has an index of 48, some hundred while it is sorted.
    let bound = Bound { factor: 24, constant_bytes: 32 * 1024 };
    let of =
        |name, seeds, attack| Target { name, input_bytes_max: 8 * 1024, bound, seeds, words: WORDS, attack };
    vec![
        of(
            "eds-certificate",
            || world().certificates(),
            |bytes| {
                if let Ok(found) = Certificate::from_der(bytes) {
                    assert_eq!(found.as_der(), bytes, "a certificate is its bytes");
                    let _ = (found.role(), found.iin(), found.bin(), found.check_may_sign());
                }
                judge(bytes, None);
            },
        ),
        of(
            "eds-list",
            || world().lists(),
            |bytes| {
                if let Ok(list) = Crl::from_der(bytes) {
                    let index = list.index();
                    for (serial, _) in list.entries() {
                        let serial = Serial::from_bytes(serial).expect("it was read as a number");
                        assert_eq!(
                            list.entry(&serial),
                            index.entry(&serial),
                            "the index says what the list says"
                        );
                    }
                }
                judge(bytes, None);
            },
        ),
        of(
            "eds-answer",
            || world().answers(),
            |bytes| {
                drop(Response::from_der(bytes));
                judge(bytes, None);
            },
        ),
        of(
            "eds-message",
            || world().messages(),
            |bytes| {
                if let Ok(message) = SignedData::from_bytes(bytes) {
                    drop(message.check_signatures(CONTENT, |_| false));
                }
                judge(bytes, None);
                judge(bytes, Some(CONTENT));
            },
        ),
        of(
            "eds-stamp",
            || world().stamps(),
            |bytes| {
                drop(TimeStamp::from_bytes(bytes));
                judge(bytes, None);
                judge(bytes, Some(CONTENT));
            },
        ),
        of("eds-text", texts, |bytes| {
            if let Ok((label, der)) = pem::decode(bytes) {
                let again = pem::encode(label, &der);
                assert_eq!(
                    pem::decode(again.as_bytes()),
                    Ok((label, der)),
                    "a block is read as it is written"
                );
            }
            judge(bytes, None);
        }),
        of("eds-mended", mended_seeds, |bytes| {
            if let Some(mended) = mend(bytes) {
                judge(&mended, Some(CONTENT));
            }
        }),
    ]
}

/// Checks a file. What is valid says what an honest file says.
fn judge(file: &[u8], content: Option<&[u8]>) {
    let report = world().check(file, content);
    if report.verdict == Verdict::Valid {
        assert!(honest().contains(&report), "valid, and signed by nobody: {report:?}");
    }
}

/// Every report that an honest file has, whole, or with what is not under a signature left away.
fn honest() -> &'static [Report] {
    static HONEST: OnceLock<Vec<Report>> = OnceLock::new();
    HONEST.get_or_init(|| {
        let world = world();
        let files =
            [world.certificates(), world.lists(), world.answers(), world.messages(), world.stamps()].concat();
        let parts = [
            Message::new(CONTENT).sign(&world.head, NOW).attached(),
            Message::new(CONTENT).sign(&world.person, NOW).attached(),
        ];
        let all: Vec<&Vec<u8>> = files.iter().chain(&parts).collect();
        let told = |content| all.iter().map(move |file| world.check(file, content)).collect::<Vec<_>>();
        let mut reports = [told(None), told(Some(CONTENT))].concat();
        reports.retain(|report| report.verdict == Verdict::Valid);
        assert!(reports.len() > files.len(), "honest files are valid");
        reports
    })
}

struct World {
    trust: Trust,
    evidence: Evidence<'static>,
    nca: Authority,
    person: Holder,
    head: Holder,
    ocsp: Holder,
    tsa: Holder,
}

fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(World::new)
}

fn serial(number: u8) -> Serial {
    Serial::from_bytes(&[0x40, number]).expect("a number above zero")
}

impl World {
    fn new() -> World {
        let key = |number: u8| SigningKey::from_number(&[number; 64]).expect("a number below q");
        let validity = (NOW.plus_s(-DAY_S), NOW.plus_s(365 * DAY_S));
        let root = Authority::root("ROOT", key(1), &serial(1), validity);
        let nca = root.issuing("NCA", key(2), &serial(2), validity);
        let iin = Iin::from_digits("000000000001").expect("digits");
        let person = Person { surname: "АЛМА", name: "ТЕСТ", iin };
        let entity =
            Entity { name: "УНИВЕРСИТЕТ", bin: Bin::from_digits("000000000018").expect("digits") };
        let head = Subject::Officer(person, entity, Office::Head);
        let list: &'static [u8] = crl(&nca, None, &[]).leak();
        let mut evidence = Evidence::default();
        evidence.add_crl(list).expect("what is made is read");
        World {
            trust: Trust {
                roots: vec![Root::new(root.certificate().clone(), Realm::Test).expect("a root")],
                issuers: vec![nca.certificate().clone()],
                devnet: true,
            },
            evidence,
            person: nca.issue(&Subject::Person(person), key(3), &serial(3), validity),
            head: nca.issue(&head, key(4), &serial(4), validity),
            ocsp: nca.issue(&Subject::OcspResponder, key(5), &serial(5), validity),
            tsa: nca.issue(&Subject::TimeStamping, key(6), &serial(6), validity),
            nca,
        }
    }

    fn check(&self, file: &[u8], content: Option<&[u8]>) -> Report {
        let context =
            Context { trust: &self.trust, evidence: &self.evidence, at: NOW, policy: Policy::default() };
        check(&Request { file, content, nonce: None, context })
    }

    fn certificates(&self) -> Vec<Vec<u8>> {
        let all = [&self.person, &self.head, &self.ocsp, &self.tsa].map(|holder| &holder.certificate);
        all.into_iter().chain([self.nca.certificate()]).map(|found| found.as_der().to_vec()).collect()
    }

    fn lists(&self) -> Vec<Vec<u8>> {
        let revoked =
            [(serial(7), NOW.plus_s(-60), Reason::KeyCompromise), (serial(8), NOW.plus_s(-30), Reason::Hold)];
        vec![
            crl(&self.nca, None, &[]),
            crl(&self.nca, None, &revoked),
            crl(&self.nca, Some(9), &revoked[1..]),
        ]
    }

    fn answers(&self) -> Vec<Vec<u8>> {
        let issuer = self.nca.certificate();
        let later = Some(NOW.plus_s(3_600));
        let statuses = [
            (serial(3), Status::Good),
            (serial(7), Status::Revoked(NOW.plus_s(-60), Reason::KeyCompromise)),
            (serial(9), Status::Unknown),
        ];
        vec![
            self.ocsp.answer(issuer, &statuses, NOW, later, Some(&[1; 8])),
            self.ocsp.answer(issuer, &statuses[..1], NOW, None, None),
            self.nca.as_holder().answer(issuer, &statuses[..1], NOW, later, None),
        ]
    }

    fn messages(&self) -> Vec<Vec<u8>> {
        let stamped = Message::new(CONTENT).sign_stamped(&self.head, NOW, &self.tsa, NOW, 7);
        let both = Message::new(CONTENT).sign(&self.head, NOW).sign(&self.person, NOW);
        let all = stamped.clone().sign(&self.person, NOW);
        vec![stamped.attached(), stamped.detached(), both.attached(), both.detached(), all.attached()]
    }

    fn stamps(&self) -> Vec<Vec<u8>> {
        let token = self.tsa.stamp(CONTENT, NOW, 8, Some(&[1; 8]));
        let granted = element(tag::SEQUENCE, &[&[tag::INTEGER, 1, 0]]);
        vec![self.tsa.stamp(CONTENT, NOW, 8, None), element(tag::SEQUENCE, &[&granted, &token]), token]
    }
}

fn crl(nca: &Authority, amends: Option<u64>, revoked: &[(Serial, Time, Reason)]) -> Vec<u8> {
    let updates = (NOW.plus_s(-3_600), NOW.plus_s(DAY_S));
    nca.crl(&Listing { number: 10, amends, updates, revoked, removed: &[] })
}

/// The shortest file of each kind as text.
fn texts() -> Vec<Vec<u8>> {
    let world = world();
    let labelled = [
        ("CERTIFICATE", world.certificates()),
        ("X509 CRL", world.lists()),
        ("OCSP RESPONSE", world.answers()),
        ("CMS", world.messages()),
        ("PKCS7", world.stamps()),
    ];
    let text = |(label, files): (&str, Vec<Vec<u8>>)| {
        let shortest = files.into_iter().min_by_key(Vec::len).expect("there are some");
        pem::encode(label, &shortest).into_bytes()
    };
    labelled.map(text).to_vec()
}

// --------------------------------------------------------------------------------------- one value in its place

/// Honest files, of which one value is exchanged.
fn files() -> &'static [Vec<u8>] {
    static FILES: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    FILES.get_or_init(|| {
        let world = world();
        [world.certificates(), world.lists(), world.answers(), world.messages(), world.stamps()].concat()
    })
}

/// The number of a file, of a value in it counted from the outside in, and that value's own bytes.
fn mended_seeds() -> Vec<Vec<u8>> {
    let numbered = files().iter().zip(0u8..);
    let seed = |(file, number): (&Vec<u8>, u8), place: u8| {
        let mut left = usize::from(place);
        let mut found = Vec::new();
        exchange(file, &mut left, &mut |value| {
            found = value.to_vec();
            value.to_vec()
        });
        [&[number, place][..], &found].concat()
    };
    numbered.flat_map(|numbered| [3, 17, 40].map(|place| seed(numbered, place))).collect()
}

/// The file that an input describes, with every length around the exchanged value mended: random bytes rarely are.
fn mend(input: &[u8]) -> Option<Vec<u8>> {
    let ([number, place], value) = input.split_first_chunk()?;
    let file = &files()[usize::from(*number) % files().len()];
    let mut left = usize::from(*place);
    Some(exchange(file, &mut left, &mut |_| value.to_vec()))
}

/// `bytes`, one value, with the value that is `left` further on replaced. Values in strings count as well.
fn exchange(bytes: &[u8], left: &mut usize, by: &mut dyn FnMut(&[u8]) -> Vec<u8>) -> Vec<u8> {
    const CONSTRUCTED: u8 = 0x20;
    if *left == 0 {
        *left = usize::MAX;
        return by(bytes);
    }
    *left -= 1;
    let Ok(whole) = der::read(bytes, |r| r.any()) else { return bytes.to_vec() };
    if whole.tag & CONSTRUCTED == 0 && whole.tag != tag::OCTETS {
        return bytes.to_vec();
    }
    let parts = der::read(whole.content, |r| r.list(4_096, |r| r.any().map(|part| part.whole)));
    let Ok(parts) = parts else { return bytes.to_vec() };
    let parts: Vec<Vec<u8>> = parts.into_iter().map(|part| exchange(part, left, by)).collect();
    element(whole.tag, &[&parts.concat()])
}
