//! Signed consents, withdrawals, seals and proofs: what is believed, and every way in which one is not.

#[path = "../../eds/tests/common/world.rs"]
#[allow(dead_code, reason = "each suite uses its part of the world")]
mod world;

use tanba_credential::{
    IssuerBin,
    consent::{
        self, CONSENT_BYTES_MAX, ConsentError, ConsentProof, Expected, FormError, Given, Item, Language,
        Method, Operator, Statement, TakenIn, Terms, Withdrawal, proof, subject,
    },
    requisites::Date,
    seal::{SealError, SealPart, Sealed},
};
use tanba_crypto::Hash;
use tanba_eds::{
    Bin, Error, Evidence, Iin, Office, Policy, Proof, Realm, Root, Time, Trust,
    authority::{Authority, Entity, Holder, Listing, Message, Person, Subject},
    crl::Reason,
};
use world::{DAY_S, NOW, World, entity, key, person, serial, validity};

const F: Hash = Hash([3; 32]);
const R_F: [u8; 32] = [4; 32];

fn terms() -> Terms {
    Terms {
        operator: Operator {
            name: entity().name.into(),
            bin: IssuerBin::parse(entity().bin.digits()).expect("12 digits"),
        },
        person: "АЛМА ТЕСТ".into(),
        until: Date::new(2031, 6, 30).expect("a day"),
        third_parties: None,
        abroad: None,
        publication: None,
        small_group: false,
    }
}

fn statement_of(fingerprint: &Hash, method: Method) -> Statement {
    Statement::new(Language::Kk, method, terms(), subject(fingerprint, &R_F)).expect("legal terms")
}

fn statement() -> Statement {
    statement_of(&F, Method::Eds)
}

fn signed(text: &str, by: &[&Holder]) -> Vec<u8> {
    by.iter().fold(Message::new(text.as_bytes()), |message, holder| message.sign(holder, NOW)).attached()
}

fn iin() -> Iin {
    person().iin
}

fn judge_with(
    world: &World,
    cms: &[u8],
    statement: &Statement,
    at: Time,
    revoked: &[u8],
) -> Result<Given, ConsentError> {
    let revoked: Vec<_> =
        revoked.iter().map(|number| (serial(*number), NOW.plus_s(-60), Reason::KeyCompromise)).collect();
    let list = world.crl(&revoked);
    let mut evidence = Evidence::default();
    evidence.add_crl(&list).expect("a list");
    let context = tanba_eds::Context { at, ..world.context(&evidence) };
    let service = Bin::from_digits("000000000009");
    let expected = Expected { statement, iin: &iin(), service: service.as_ref() };
    consent::check(cms, &expected, &context)
}

fn judge(world: &World, cms: &[u8]) -> Result<Given, ConsentError> {
    judge_with(world, cms, &statement(), NOW, &[])
}

/// Another holder of a certificate of this world.
fn holder(world: &World, number: u8, subject: &Subject<'_>) -> Holder {
    world.nca.issue(subject, key(number), &serial(number), validity())
}

fn other_person() -> Person<'static> {
    Person { surname: "ӨРІК", name: "ТЕСТ", iin: Iin::from_digits("000000000005").expect("digits") }
}

#[test]
fn the_persons_own_signature_over_the_prepared_text_is_a_consent() {
    let world = World::new();
    let given = judge(&world, &signed(&statement().to_text(), &[&world.person])).expect("holds");
    assert_eq!((given.signed_at, given.stamped_at), (NOW, None));
    assert!(matches!(given.proofs[..], [Proof::Crl(..)]));
    let text = statement().to_text();
    let stamped = Message::new(text.as_bytes())
        .sign_stamped(&world.person, NOW.plus_s(-60), &world.tsa, NOW, 7)
        .attached();
    assert_eq!(judge(&world, &stamped).expect("holds").stamped_at, Some(NOW));
}

#[test]
fn a_consent_for_another_diploma_or_of_another_text_is_named_by_what_differs() {
    let world = World::new();
    let with = |change: &dyn Fn(&mut Terms)| {
        let mut terms = terms();
        change(&mut terms);
        let other = Statement::new(Language::Kk, Method::Eds, terms, statement().subject()).expect("legal");
        judge(&world, &signed(&other.to_text(), &[&world.person])).map_err(ConsentError::code).err()
    };
    assert_eq!(with(&|_| ()), None);
    assert_eq!(with(&|terms| terms.person.push('А')), Some("consent-other-name"));
    assert_eq!(with(&|terms| terms.operator.name.push('А')), Some("consent-other-operator"));
    assert_eq!(with(&|terms| terms.abroad = Some("Ел".into())), Some("consent-other-abroad"));
    let reused = statement_of(&Hash([8; 32]), Method::Eds);
    let reused = judge(&world, &signed(&reused.to_text(), &[&world.person]));
    assert_eq!(reused, Err(ConsentError::Differs(Item::Diploma)));
    assert_eq!(reused.map_err(ConsentError::code), Err("consent-other-diploma"));
}

#[test]
fn a_text_without_one_of_the_contents_is_no_consent() {
    let world = World::new();
    let text = statement().to_text();
    for (n, line) in text.split_inclusive('\n').enumerate() {
        let cut = text.replacen(line, "", 1);
        let expected = if n == 0 { FormError::Unknown } else { FormError::Line { line: n + 1 } };
        assert_eq!(judge(&world, &signed(&cut, &[&world.person])), Err(ConsentError::Text(expected)));
    }
}

#[test]
fn who_is_not_the_graduate_cannot_consent() {
    let world = World::new();
    let text = statement().to_text();
    let code = |by: &[&Holder]| judge(&world, &signed(&text, by)).map_err(ConsentError::code).err();
    let other = holder(&world, 21, &Subject::Person(other_person()));
    let employee = holder(&world, 22, &Subject::Officer(person(), entity(), Office::Employee));
    let system = holder(&world, 23, &Subject::System("ЖҮЙЕ", entity()));
    assert_eq!(code(&[&other]), Some("person-differs"));
    assert_eq!(code(&[&employee]), Some("role-wrong"), "as an employee one signs for somebody else");
    assert_eq!(code(&[&system]), Some("role-wrong"));
    assert_eq!(code(&[&world.person, &other]), Some("consent-signers"));
    assert_eq!(code(&[&world.tsa]), Some("certificate-purpose"));
    let expired = world.nca.issue(
        &Subject::Person(person()),
        key(24),
        &serial(24),
        (NOW.plus_s(-9 * DAY_S), NOW.plus_s(-DAY_S)),
    );
    assert_eq!(code(&[&expired]), Some("certificate-expired"));
    let stranger = Authority::root("ROOT", key(31), &serial(31), validity());
    let stranger = stranger.issue(&Subject::Person(person()), key(32), &serial(32), validity());
    assert!(matches!(judge(&world, &signed(&text, &[&stranger])), Err(ConsentError::Eds(_))));
    let revoked = judge_with(&world, &signed(&text, &[&world.person]), &statement(), NOW, &[3]);
    assert_eq!(revoked, Err(ConsentError::Eds(Error::Revoked)));
}

#[test]
fn no_byte_of_a_consent_can_be_changed() {
    let world = World::new();
    let good = signed(&statement().to_text(), &[&world.person]);
    assert!(judge(&world, &good).is_ok());
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1;
        assert!(judge(&world, &bad).is_err(), "byte {at}");
    }
    for length in 0..good.len() {
        assert!(judge(&world, &good[..length]).is_err(), "{length} bytes");
    }
}

#[test]
fn a_consent_too_long_or_without_its_text_is_refused_unread() {
    let world = World::new();
    assert_eq!(judge(&world, &vec![0x30; CONSENT_BYTES_MAX + 1]), Err(ConsentError::TooLong));
    let text = statement().to_text();
    let apart = Message::new(text.as_bytes()).sign(&world.person, NOW).detached();
    assert_eq!(judge(&world, &apart), Err(ConsentError::Eds(Error::CmsContentMissing)));
}

#[test]
fn a_consent_ends_with_its_term() {
    let world = World::new();
    let mut terms = terms();
    let today = Date::parse(&NOW.to_string()[..10]).expect("a day");
    terms.until = today;
    let statement =
        Statement::new(Language::Kk, Method::Eds, terms.clone(), statement().subject()).expect("legal");
    let cms = signed(&statement.to_text(), &[&world.person]);
    assert!(judge_with(&world, &cms, &statement, NOW, &[]).is_ok());
    let yesterday = NOW.plus_s(-DAY_S).to_string();
    terms.until = Date::parse(&yesterday[..10]).expect("a day");
    let over = Statement::new(Language::Kk, Method::Eds, terms, statement.subject()).expect("legal");
    let cms = signed(&over.to_text(), &[&world.person]);
    assert_eq!(judge_with(&world, &cms, &over, NOW, &[]), Err(ConsentError::Ended));
}

#[test]
fn paper_takes_two_officers_of_the_operator_who_are_two_people() {
    let world = World::new();
    let paper = statement_of(&F, Method::WitnessedPaper { sheet: Hash([7; 32]) });
    let code = |by: &[&Holder]| {
        let cms = signed(&paper.to_text(), by);
        judge_with(&world, &cms, &paper, NOW, &[]).map_err(ConsentError::code).err()
    };
    let employee = holder(&world, 22, &Subject::Officer(other_person(), entity(), Office::Employee));
    let again = holder(&world, 23, &Subject::Officer(other_person(), entity(), Office::Signer));
    let elsewhere = Entity { bin: Bin::from_digits("000000000003").expect("digits"), ..entity() };
    let elsewhere = holder(&world, 24, &Subject::Officer(other_person(), elsewhere, Office::Head));
    let system = holder(&world, 25, &Subject::System("ЖҮЙЕ", entity()));
    assert_eq!(code(&[&world.head, &employee]), None);
    assert_eq!(code(&[&world.head]), Some("consent-signers"));
    assert_eq!(code(&[&again, &employee]), Some("consent-witnesses"));
    assert_eq!(code(&[&world.head, &elsewhere]), Some("entity-differs"));
    assert_eq!(code(&[&world.head, &system]), Some("role-wrong"));
    assert_eq!(code(&[&world.head, &world.person]), Some("role-wrong"));
}

#[test]
fn a_state_service_speaks_by_its_information_system() {
    let world = World::new();
    let asked = statement_of(&F, Method::StateService { request: "002241-77".into() });
    let service = Entity { name: "СЕРВИС", bin: Bin::from_digits("000000000009").expect("digits") };
    let system = holder(&world, 21, &Subject::System("СЕРВИС", service));
    let other = holder(&world, 22, &Subject::System("ЖҮЙЕ", entity()));
    let code = |by: &Holder| {
        let cms = signed(&asked.to_text(), &[by]);
        judge_with(&world, &cms, &asked, NOW, &[]).map_err(ConsentError::code).err()
    };
    assert_eq!(code(&system), None);
    assert_eq!(code(&other), Some("entity-differs"));
    assert_eq!(code(&world.person), Some("role-wrong"));
    let list = world.crl(&[]);
    let mut evidence = Evidence::default();
    evidence.add_crl(&list).expect("a list");
    let expected = Expected { statement: &asked, iin: &iin(), service: None };
    let cms = signed(&asked.to_text(), &[&system]);
    let none = consent::check(&cms, &expected, &world.context(&evidence));
    assert_eq!(none, Err(ConsentError::Service));
}

#[test]
fn a_withdrawal_is_the_same_persons_and_of_the_same_diploma() {
    let world = World::new();
    let list = world.crl(&[]);
    let mut evidence = Evidence::default();
    evidence.add_crl(&list).expect("a list");
    let context = world.context(&evidence);
    let check = |cms: &[u8]| consent::withdrawal::check(cms, &statement(), &iin(), &context);
    let text = Withdrawal::of(&statement()).to_text();
    assert_eq!(check(&signed(&text, &[&world.person])), Ok(NOW));
    let other = holder(&world, 21, &Subject::Person(other_person()));
    assert_eq!(check(&signed(&text, &[&other])), Err(ConsentError::Eds(Error::PersonDiffers)));
    let elsewhere = Withdrawal::of(&statement_of(&Hash([8; 32]), Method::Eds)).to_text();
    let elsewhere = check(&signed(&elsewhere, &[&world.person]));
    assert_eq!(elsewhere, Err(ConsentError::Differs(Item::Diploma)));
    let consent = check(&signed(&statement().to_text(), &[&world.person]));
    assert_eq!(consent, Err(ConsentError::Text(FormError::Unknown)));
    assert!(matches!(judge(&world, &signed(&text, &[&world.person])), Err(ConsentError::Text(_))));
}

fn taken_in(cms: Vec<u8>, checked_at: Time, list: Vec<u8>) -> TakenIn {
    TakenIn { cms, checked_at, lists: vec![list], answers: Vec::new() }
}

fn proven(world: &World) -> ConsentProof {
    let cms = signed(&statement().to_text(), &[&world.person]);
    let mut proof = ConsentProof::new(taken_in(cms, NOW, world.crl(&[])));
    proof.opening = Some(proof::Opening { fingerprint: F, r_f: R_F });
    proof
}

#[test]
fn a_proof_is_checked_with_nothing_but_the_roots() {
    let world = World::new();
    let verify =
        |proof: &ConsentProof, trust: &Trust| proof.verify(Some(&iin()), None, trust, Policy::default());
    let mut proof = ConsentProof::from_json(&proven(&world).to_json()).expect("reads back");
    assert_eq!(proof, proven(&world));
    let shown = verify(&proof, &world.trust).expect("holds");
    assert_eq!((shown.statement, shown.fingerprint, shown.withdrawn_at), (statement(), Some(F), None));
    assert!(proof.verify(None, None, &world.trust, Policy::default()).is_ok());
    assert!(verify(&proof, &Trust::default()).is_err(), "roots are the reader's");

    let mut without = proof.clone();
    without.consent.lists.clear();
    assert_eq!(verify(&without, &world.trust), Err(ConsentError::Eds(Error::RevocationUnknown)));
    let mut elsewhere = proof.clone();
    elsewhere.opening = Some(proof::Opening { fingerprint: Hash([8; 32]), r_f: R_F });
    assert_eq!(verify(&elsewhere, &world.trust), Err(ConsentError::Differs(Item::Diploma)));
    proof.opening = None;
    assert_eq!(verify(&proof, &world.trust).expect("holds").fingerprint, None);
}

#[test]
fn a_consent_withdrawn_when_its_certificate_has_expired_is_proven_all_the_same() {
    let world = World::new();
    let later = NOW.plus_s(500 * DAY_S);
    let later_validity = (later.plus_s(-DAY_S), later.plus_s(DAY_S));
    // The person, and the authority that lists it, have certificates of that day.
    let root = Authority::root("ROOT", key(41), &serial(41), later_validity);
    let renewed = root.issue(&Subject::Person(person()), key(43), &serial(43), later_validity);
    let updates = (later.plus_s(-60), later.plus_s(DAY_S));
    let list = root.crl(&Listing { number: 11, amends: None, updates, revoked: &[], removed: &[] });
    let mut trust = world.trust.clone();
    trust.roots.push(Root::new(root.certificate().clone(), Realm::Test).expect("a root"));

    let text = Withdrawal::of(&statement()).to_text();
    let cms = Message::new(text.as_bytes()).sign(&renewed, later).attached();
    let mut proof = proven(&world);
    proof.withdrawal = Some(taken_in(cms, later, list));
    let proof = ConsentProof::from_json(&proof.to_json()).expect("reads back");
    let verify = |proof: &ConsentProof| proof.verify(Some(&iin()), None, &trust, Policy::default());
    let shown = verify(&proof).expect("holds");
    assert_eq!((shown.given.signed_at, shown.withdrawn_at), (NOW, Some(later)));

    let mut early = proof;
    early.withdrawal.as_mut().expect("there").checked_at = NOW;
    assert!(verify(&early).is_err(), "nobody checks today what is signed next year");
}

#[test]
fn no_byte_of_a_proof_can_be_changed_into_another_proof() {
    let world = World::new();
    let good = proven(&world).to_json();
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1;
        let Ok(read) = ConsentProof::from_json(&bad) else { continue };
        if read.verify(Some(&iin()), None, &world.trust, Policy::default()).is_ok() {
            // Another moment at which the same evidence holds.
            assert_ne!(read.consent.checked_at, NOW, "byte {at}");
        }
    }
    assert!(matches!(
        ConsentProof::from_json(&vec![b' '; proof::PROOF_BYTES_MAX + 1]),
        Err(proof::ProofError::TooLong)
    ));
}

#[test]
fn a_seal_is_the_heads_or_a_signers_of_the_institution() {
    let world = World::new();
    let sealed = Sealed {
        fingerprint: F,
        field_root: Hash([1; 32]),
        document_sha256: Hash([2; 32]),
        document_streebog: Hash([5; 32]),
    };
    let list = world.crl(&[]);
    let mut evidence = Evidence::default();
    evidence.add_crl(&list).expect("a list");
    let context = world.context(&evidence);
    let seal = |what: &Sealed, by: &[&Holder]| {
        let bytes = what.to_bytes();
        by.iter().fold(Message::new(&bytes), |message, holder| message.sign(holder, NOW)).attached()
    };
    let check = |cms: &[u8]| sealed.check_cms(cms, &entity().bin, &context).map(|by| by.signed_at);
    let signer = holder(&world, 21, &Subject::Officer(other_person(), entity(), Office::Signer));
    let employee = holder(&world, 22, &Subject::Officer(other_person(), entity(), Office::Employee));
    let elsewhere = Entity { bin: Bin::from_digits("000000000003").expect("digits"), ..entity() };
    let elsewhere = holder(&world, 24, &Subject::Officer(other_person(), elsewhere, Office::Head));
    assert_eq!(check(&seal(&sealed, &[&world.head])), Ok(NOW));
    assert_eq!(check(&seal(&sealed, &[&signer])), Ok(NOW));
    assert_eq!(check(&seal(&sealed, &[&employee])), Err(SealError::Eds(Error::OfficeWithoutRight)));
    assert_eq!(check(&seal(&sealed, &[&elsewhere])), Err(SealError::Eds(Error::EntityDiffers)));
    assert_eq!(check(&seal(&sealed, &[&world.person])), Err(SealError::Eds(Error::RoleWrong)));
    assert_eq!(check(&seal(&sealed, &[&world.head, &signer])), Err(SealError::Signers { found: 2 }));
    let other = Sealed { document_sha256: Hash([9; 32]), ..sealed };
    let swapped = check(&seal(&other, &[&world.head]));
    assert_eq!(swapped, Err(SealError::Other(SealPart::DocumentSha256)));
    assert_eq!(check(&vec![0x30; tanba_credential::seal::SEAL_CMS_BYTES_MAX + 1]), Err(SealError::TooLong));
}
