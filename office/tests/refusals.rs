//! Bad input, nothing lost: each refused by its own code, before anything changes, and the right one still taken after.

mod support;

use support::{
    EXPIRY, NOW, TestOffice, Town, approval, approve, approver, batches, both, control_key, document_key,
    founded, officer, order, prepare, prepare_as, random, records, registrar, registry, registry_json,
    sealed, states, submit,
};
use tanba_credential::{
    consent::{CONSENT_BYTES_MAX, Language, Method},
    requisites::DiplomaNumber,
};
use tanba_eds::authority::Holder;
use tanba_ledger::{Approval, Day, Timestamp, operation::Basis, record::KeyRole};
use tanba_office::{
    BatchOrder, Choice, Consent, FileRegistry, Graduate, Import, ImportKey, NationalRegistry, OfficeError,
    Officer, RegistryUnavailable, RowCode, State, Who, testkit,
};
use tanba_vault::{Part, RecordId};

fn code<T>(refused: Result<T, OfficeError>) -> &'static str {
    refused.err().map_or("taken", |error| error.code())
}

struct Draft {
    office: TestOffice,
    town: Town,
    records: Vec<RecordId>,
}

/// A class of three drafts.
fn drafts() -> Draft {
    let (_, mut office) = founded();
    let class = prepare(&mut office, 3);
    let records = records(&office, &class);
    Draft { office, town: Town::of(3), records }
}

impl Draft {
    fn text(&mut self, n: usize) -> Vec<u8> {
        let choice = Choice { language: Language::Kk, method: Method::Eds, small_group: true };
        let iin = testkit::iin(n);
        let offer = self.office.draft(self.records[n - 1], Who::Holder(&iin), &choice, NOW);
        offer.expect("offered").text.into_bytes()
    }

    /// The code by which a consent to the first diploma is refused.
    fn give(&mut self, cms: &[u8]) -> &'static str {
        code(self.town.give(&mut self.office, self.records[0], 1, cms))
    }

    /// The same while `revoked` is on the list.
    fn give_without(&mut self, cms: &[u8], revoked: &Holder) -> &'static str {
        let (iin, control) = (testkit::iin(1), control_key(1).public());
        let (office, record) = (&mut self.office, self.records[0]);
        code(self.town.checked_without(Some(revoked), |checks| {
            office.consent(&Consent { record, who: Who::Holder(&iin), cms, control }, checks, &mut random(1))
        }))
    }

    /// The first diploma is as it was, and its holder's consent is taken.
    fn nothing_happened(mut self) {
        let record = self.records[0];
        let parts = self.office.vault().standing(record).expect("there").parts;
        assert_eq!(parts, [Part::Document, Part::Identity, Part::Opening]);
        assert_eq!(self.office.state(record), Ok(State::Draft));
        self.town.consent(&mut self.office, record, 1, true).expect("consented");
        assert_eq!(self.office.state(record), Ok(State::Consented));
    }
}

#[test]
fn a_consent_to_another_diploma_is_refused_and_one_that_was_given_for_it_is_called_reused() {
    let mut drafts = drafts();
    let other = drafts.text(2);
    let cms = drafts.town.sign(&other, &[&drafts.town.graduates[0]]);
    assert_eq!(drafts.give(&cms), "consent-other-diploma");
    let record = drafts.records[1];
    let theirs = drafts.town.signed_consent(&mut drafts.office, record, 2, true).expect("signed");
    drafts.town.give(&mut drafts.office, record, 2, &theirs).expect("consented");
    assert_eq!(drafts.give(&theirs), "consent-reused");
    drafts.nothing_happened();
}

#[test]
fn a_consent_by_whom_it_is_not_is_refused() {
    let mut drafts = drafts();
    let text = drafts.text(1);
    let by = |town: &Town, holders: &[&Holder]| town.sign(&text, holders);
    let town = Town::of(3);
    assert_eq!(drafts.give(&by(&town, &[&town.graduates[1]])), "person-differs");
    assert_eq!(drafts.give(&by(&town, &[&town.head])), "role-wrong");
    assert_eq!(drafts.give(&by(&town, &[&town.expired(1)])), "certificate-expired");
    assert_eq!(drafts.give(&by(&town, &[&town.graduates[0], &town.graduates[1]])), "consent-signers");
    assert_eq!(drafts.give_without(&by(&town, &[&town.graduates[0]]), &town.graduates[0]), "revoked");
    assert_eq!(drafts.give(&by(&town, &[&town.impostor(1)])), "issuer-unknown");
    drafts.nothing_happened();
}

#[test]
fn a_consent_with_a_field_missing_or_another_text_is_refused() {
    let mut drafts = drafts();
    let text = String::from_utf8(drafts.text(1)).expect("UTF-8");
    let count = text.lines().count();
    for gone in 1..count {
        let cut: String = text
            .split_inclusive('\n')
            .enumerate()
            .filter(|(n, _)| *n != gone)
            .map(|(_, line)| line)
            .collect();
        let cms = drafts.town.sign(cut.as_bytes(), &[&drafts.town.graduates[0]]);
        assert_eq!(drafts.give(&cms), "consent-line-missing", "line {gone}");
    }
    for (from, to, expected) in [
        ("Мысал-1", "Мысал-2", "consent-other-name"),
        ("2036", "2037", "consent-other-term"),
        ("университеті (kk)", "университеті (ru)", "consent-other-operator"),
    ] {
        assert!(text.contains(from), "{from}");
        let cms = drafts.town.sign(text.replace(from, to).as_bytes(), &[&drafts.town.graduates[0]]);
        assert_eq!(drafts.give(&cms), expected);
    }
    drafts.nothing_happened();
}

#[test]
fn a_damaged_message_is_refused() {
    let mut drafts = drafts();
    let text = drafts.text(1);
    let mut other = text.clone();
    other[text.len() / 2] ^= 1;
    // What was signed is another text of the same length; what lies inside is the right one.
    let mut swapped = drafts.town.sign(&other, &[&drafts.town.graduates[0]]);
    let at = swapped.windows(other.len()).position(|window| window == other).expect("inside");
    swapped[at..at + text.len()].copy_from_slice(&text);
    assert_eq!(drafts.give(&swapped), "cms-digest");
    assert_eq!(drafts.give(&vec![0x30; CONSENT_BYTES_MAX + 1]), "consent-too-long");
    assert_eq!(drafts.give(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]), "der-too-long");
    assert_eq!(drafts.give(b""), "der-truncated");
    drafts.nothing_happened();
}

#[test]
fn a_consent_that_another_person_brings_is_refused() {
    let mut drafts = drafts();
    let cms = drafts.town.signed_consent(&mut drafts.office, drafts.records[0], 1, true).expect("signed");
    assert_eq!(code(drafts.town.give(&mut drafts.office, drafts.records[0], 2, &cms)), "not-the-subject");
    let one = Who::Officers(registrar(), registrar());
    assert_eq!(code(drafts.office.refuse(drafts.records[0], one, NOW)), "two-officers");
    drafts.nothing_happened();
}

#[test]
fn too_much_evidence_is_refused() {
    let mut drafts = drafts();
    let cms = drafts.town.signed_consent(&mut drafts.office, drafts.records[0], 1, true).expect("signed");
    let (iin, control) = (testkit::iin(1), control_key(1).public());
    let answers = [vec![0; 256 * 1024 + 1]];
    let (office, record) = (&mut drafts.office, drafts.records[0]);
    let refused = drafts.town.checked(|checks| {
        let checks = tanba_office::Checks { answers: &answers, ..*checks };
        office.consent(
            &Consent { record, who: Who::Holder(&iin), cms: &cms, control },
            &checks,
            &mut random(1),
        )
    });
    assert_eq!(code(refused), "evidence-too-long");
    drafts.nothing_happened();
}

#[test]
fn a_seal_that_is_none_is_refused() {
    let mut drafts = drafts();
    let (one, other) = (drafts.records[0], drafts.records[1]);
    let put = |drafts: &mut Draft, cms: &[u8]| code(drafts.town.put_seal(&mut drafts.office, one, cms));
    assert_eq!(code(drafts.town.seal(&mut drafts.office, one)), "record-draft");
    assert_eq!(put(&mut drafts, b"x"), "record-draft");
    for (n, record) in [(1, one), (2, other)] {
        drafts.town.consent(&mut drafts.office, record, n, true).expect("consented");
    }
    let bytes = drafts.office.to_seal(&[one, other], registrar(), NOW).expect("given");
    let town = Town::of(1);
    let signed = |by: &[&Holder]| town.sign(&bytes[0], by);
    assert_eq!(put(&mut drafts, &signed(&[&town.employee])), "office-without-right");
    assert_eq!(put(&mut drafts, &signed(&[&town.stranger])), "entity-differs");
    assert_eq!(put(&mut drafts, &signed(&[&town.graduates[0]])), "role-wrong");
    assert_eq!(put(&mut drafts, &signed(&[&town.head, &town.signer])), "seal-signers");
    assert_eq!(put(&mut drafts, &town.sign(&bytes[1], &[&town.head])), "seal-other-fingerprint");
    assert_eq!(put(&mut drafts, &town.sign(&bytes[0][1..], &[&town.head])), "seal-layout");
    assert_eq!(put(&mut drafts, &vec![0; 64 * 1024 + 1]), "seal-too-long");
    let (office, cms) = (&mut drafts.office, signed(&[&town.head]));
    let revoked = town.checked_without(Some(&town.head), |checks| {
        office.seal(one, &cms, registrar(), checks, &mut random(1))
    });
    assert_eq!(code(revoked), "revoked");
    assert_eq!(drafts.office.state(one), Ok(State::Consented));
    let by_approver =
        town.checked(|checks| drafts.office.seal(one, &cms, approver(), checks, &mut random(1)));
    assert_eq!(code(by_approver), "role");
    // Whoever has the right to sign seals as the head does.
    assert_eq!(put(&mut drafts, &signed(&[&town.signer])), "taken");
    assert_eq!(drafts.office.state(one), Ok(State::Sealed));
}

/// Line, column and code.
type Mistake = (u64, Option<&'static str>, RowCode);

/// Imports a class of three against this registry; gives the code, and the first mistake.
fn import(office: &mut TestOffice, registry: &mut dyn NationalRegistry) -> (&'static str, Option<Mistake>) {
    let rows = testkit::rows(3);
    let rows: Vec<_> = rows.iter().collect();
    let (key, issued_on, basis) = (ImportKey([3; 32]), Day(20_700), Basis::Award);
    let import = Import { key, list: b"a list", rows: &rows, issued_on, basis };
    let refused = office.prepare(&import, registry, &document_key(), registrar(), NOW, &mut random(1)).err();
    let first = match &refused {
        Some(OfficeError::Rows(rows)) => {
            Some((rows.errors[0].line, rows.errors[0].column, rows.errors[0].code))
        }
        _ => None,
    };
    (refused.map_or("taken", |error| error.code()), first)
}

#[test]
fn a_registry_that_answers_otherwise_stops_the_class_before_anything_is_written() {
    struct Silent;
    impl NationalRegistry for Silent {
        fn find(&mut self, _: &[DiplomaNumber]) -> Result<Vec<Option<Graduate>>, RegistryUnavailable> {
            Err(RegistryUnavailable)
        }
    }
    struct Short;
    impl NationalRegistry for Short {
        fn find(&mut self, _: &[DiplomaNumber]) -> Result<Vec<Option<Graduate>>, RegistryUnavailable> {
            Ok(vec![None])
        }
    }
    let (machine, mut office) = founded();
    let writes = machine.writes();
    let json = |from: &str, to: &str| {
        let text = registry_json(3).replace(from, to);
        FileRegistry::parse(text.as_bytes()).expect("a registry")
    };
    let differs = |line, column| ("rows", Some((line, Some(column), RowCode::RegistryDiffers)));
    assert_eq!(import(&mut office, &mut json("Мысал-2", "Басқа")), differs(3, "given_name_kk"));
    assert_eq!(import(&mut office, &mut json("6B06101", "6B06102")), differs(2, "programme_code"));
    let not_found = ("rows", Some((4, Some("diploma_number"), RowCode::RegistryNotFound)));
    assert_eq!(import(&mut office, &mut json("0000003\"", "0000004\"")), not_found);
    let no_iin = ("rows", Some((2, Some("iin"), RowCode::IinMissing)));
    assert_eq!(import(&mut office, &mut json(testkit::iin(1).digits(), "")), no_iin);
    assert_eq!(import(&mut office, &mut Silent), ("registry-unavailable", None));
    assert_eq!(import(&mut office, &mut Short), ("registry-unavailable", None));
    assert_eq!(machine.writes(), writes, "nothing was written");
    assert_eq!(import(&mut office, &mut json("R-2", "R-9")).0, "taken");
    let class = office.classes().expect("listed").remove(0);
    let differing = |n: usize| office.lines(class.id, 0, 3).expect("listed")[n].differences.0;
    assert_eq!((differing(0), differing(1)), (0, 1 << 11), "what does not refuse is told to the approver");
}

#[test]
fn another_list_under_the_same_key_and_another_role_are_refused() {
    let (_, mut office) = founded();
    let class = prepare(&mut office, 3);
    assert_eq!(code(prepare_as(&mut office, 2, 3)), "class-differs");
    assert_eq!(code(prepare_as(&mut office, 3, 3)), "taken");
    let rows = testkit::rows(1);
    let rows: Vec<_> = rows.iter().collect();
    let (key, issued_on, basis) = (ImportKey([4; 32]), Day(20_700), Basis::Award);
    let import = Import { key, list: b"a list", rows: &rows, issued_on, basis };
    let refused = office.prepare(&import, &mut registry(1), &document_key(), approver(), NOW, &mut random(1));
    assert_eq!(code(refused), "role");
    let empty = Import { rows: &[], ..import };
    let refused = office.prepare(&empty, &mut registry(1), &document_key(), registrar(), NOW, &mut random(1));
    assert_eq!(code(refused), "rows");
    assert_eq!(code(office.lines(ImportKey([5; 32]).class(), 0, 1)), "no-class");
    assert_eq!(office.classes().expect("listed"), [class]);
}

#[test]
fn a_broken_random_source_makes_nothing() {
    let (_, mut office) = founded();
    let rows = testkit::rows(1);
    let rows: Vec<_> = rows.iter().collect();
    let (key, issued_on, basis) = (ImportKey([4; 32]), Day(20_700), Basis::Award);
    let import = Import { key, list: b"a list", rows: &rows, issued_on, basis };
    let zeros = &mut |bytes: &mut [u8]| bytes.fill(0);
    let refused = office.prepare(&import, &mut registry(1), &document_key(), registrar(), NOW, zeros);
    assert_eq!(code(refused), "no-randomness");
    assert!(!office.classes().expect("listed")[0].ready);
}

#[test]
fn a_batch_is_not_made_of_too_few_or_of_what_is_kept_back() {
    let (_, mut office, _, class) = sealed(3);
    let classes = [class.id];
    let made = |office: &mut TestOffice, order: &BatchOrder<'_>| {
        office.make_batches(order, registrar(), NOW, &mut random(9))
    };
    let few = made(&mut office, &order(&classes, false)).expect("made");
    assert!(few.batches.is_empty());
    assert_eq!(few.waiting.values().copied().collect::<Vec<_>>(), [3]);
    let wrong = BatchOrder { entries_max: 0, ..order(&classes, true) };
    assert_eq!(code(made(&mut office, &wrong)), "entries-max");
    assert_eq!(code(office.make_batches(&order(&classes, true), approver(), NOW, &mut random(9))), "role");
    let kept = records(&office, &class)[0];
    office.restrict(kept, both(), NOW).expect("restricted");
    let made = made(&mut office, &order(&classes, true)).expect("made");
    assert_eq!(office.summary(made.batches[0]).expect("there").diplomas, 2);
    assert_eq!(office.state(kept), Ok(State::Sealed));
}

#[test]
fn who_did_not_consent_to_a_small_group_is_in_none() {
    let mut drafts = drafts();
    for (n, record) in (1..).zip(drafts.records.clone()) {
        drafts.town.consent(&mut drafts.office, record, n, n != 2).expect("consented");
        drafts.town.seal(&mut drafts.office, record).expect("sealed");
    }
    let (class, kept) = (drafts.office.classes().expect("listed")[0], drafts.records[1]);
    let made = drafts.office.make_batches(&order(&[class.id], true), registrar(), NOW, &mut random(9));
    let made = made.expect("made");
    assert_eq!(made.waiting.values().copied().collect::<Vec<_>>(), [1]);
    assert!(!drafts.office.records(made.batches[0]).expect("listed").contains(&kept));
    assert_eq!(drafts.office.state(kept), Ok(State::Sealed));
}

#[test]
fn no_record_of_an_unfinished_class_is_worked_on() {
    let (machine, mut office) = founded();
    // Cut short between the records and the word that the class is ready.
    let whole = machine.copy();
    let mut once = support::open(&whole).expect("opened");
    let before = whole.writes();
    prepare(&mut once, 2);
    machine.fail_after(whole.writes() - before - 2);
    assert_eq!(code(prepare_as(&mut office, 2, 3)), "io");
    drop(office);
    machine.crash(support::Crash::Kill);
    let mut office = support::open(&machine).expect("opened");
    let class = office.classes().expect("listed")[0];
    let record = records(&office, &class)[0];
    let town = Town::of(1);
    assert_eq!(code(office.state(record).map(drop)), "class-unfinished");
    assert_eq!(code(town.consent(&mut office, record, 1, true)), "class-unfinished");
    assert_eq!(code(office.refuse(record, both(), NOW)), "class-unfinished");
    let batch = office.make_batches(&order(&[class.id], true), registrar(), NOW, &mut random(9));
    assert_eq!(code(batch), "class-unfinished");
}

#[test]
fn a_batch_is_not_waved_through() {
    let (_, mut office, _, class) = sealed(3);
    let batch = batches(&mut office, &class, true)[0];
    let of = |office: &TestOffice, role| approval(office, batch, role);
    let approving = of(&office, KeyRole::Approver);
    assert_eq!(code(office.approve(batch, approving, approver(), NOW)), "sample-unopened");
    office.open_sample(batch, 0, approver(), NOW).expect("opened");
    office.open_sample(batch, 1, approver(), NOW).expect("opened");
    // Another approver's look does not count for this one.
    let second = officer(4, KeyRole::Approver);
    office.open_sample(batch, 2, second, NOW).expect("opened");
    assert_eq!(code(office.approve(batch, approving, approver(), NOW)), "sample-unopened");
    assert_eq!(code(office.open_sample(batch, 3, approver(), NOW)), "sample-number");
    assert_eq!(code(office.open_sample(batch, 0, registrar(), NOW)), "role");
    let maker = Officer { role: KeyRole::Approver, ..registrar() };
    assert_eq!(code(office.open_sample(batch, 0, maker, NOW)), "same-officer");
    for number in 0..3 {
        office.open_sample(batch, number, approver(), NOW).expect("opened");
    }
    assert_eq!(code(office.approve(batch, of(&office, KeyRole::Registrar), approver(), NOW)), "role");
    let mut forged = approving;
    let Approval::Officer(officer_approval) = &mut forged else { panic!("an officer's") };
    officer_approval.factors = 0xffff;
    assert_eq!(code(office.approve(batch, forged, approver(), NOW)), "approval-signature");
    assert_eq!(code(office.begin_submission(batch, registrar())), "batch-state");
    office.approve(batch, approving, approver(), NOW).expect("approved");
    let same_person = Officer { role: KeyRole::Registrar, ..approver() };
    let registrars = of(&office, KeyRole::Registrar);
    assert_eq!(code(office.approve(batch, registrars, same_person, NOW)), "same-officer");
    assert_eq!(code(office.begin_submission(batch, registrar())), "batch-state");
    let late = tanba_vault::Time(EXPIRY.0 / 1_000);
    assert_eq!(code(office.approve(batch, registrars, registrar(), late)), "batch-expiry");
    office.approve(batch, registrars, registrar(), NOW).expect("approved");
    assert_eq!(code(office.renew(batch, EXPIRY, None, registrar())), "batch-expiry");
    assert_eq!(code(office.finished(batch, tanba_office::Outcome::Refused("X".into()))), "batch-state");
    submit(&mut office, batch);
    assert_eq!(code(office.renew(batch, Timestamp(u64::MAX), None, registrar())), "batch-state");
    assert_eq!(code(office.dissolve(batch, Timestamp(u64::MAX), registrar())), "batch-state");
}

#[test]
fn nothing_is_delivered_before_it_is_final_nor_to_another() {
    let (_, mut office, _, class) = sealed(2);
    let record = records(&office, &class)[0];
    let iin = testkit::iin(1);
    assert_eq!(code(office.deliver(record, Who::Holder(&iin), None, NOW)), "record-sealed");
    let batch = batches(&mut office, &class, true)[0];
    assert_eq!(code(office.deliver(record, Who::Holder(&iin), None, NOW)), "record-batched");
    approve(&mut office, batch);
    submit(&mut office, batch);
    let other = testkit::iin(2);
    assert_eq!(code(office.deliver(record, Who::Holder(&other), None, NOW)), "not-the-subject");
    assert_eq!(states(&office, &class), [State::Final; 2]);
    assert_eq!(code(office.refuse(record, Who::Holder(&iin), NOW)), "record-final");
    assert_eq!(code(office.state(RecordId([0; 16])).map(drop)), "no-record");
}

#[test]
fn no_refusal_tells_anything_of_a_person() {
    let mut drafts = drafts();
    let text = String::from_utf8(drafts.text(1)).expect("UTF-8");
    let cms = drafts.town.sign(text.replace("Мысал-1", "Мысал-2").as_bytes(), &[&drafts.town.graduates[0]]);
    let refused = drafts.town.give(&mut drafts.office, drafts.records[0], 1, &cms).expect_err("refused");
    for told in [refused.to_string(), format!("{refused:?}"), format!("{:?}", drafts.office)] {
        assert!(!told.contains("Мысал") && !told.contains("000000000001"), "{told}");
    }
}
