//! A registrar's day from end to end, and the same day with every step done twice.

mod support;

use std::collections::BTreeSet;

use support::{
    EXPIRY, NOW, TestOffice, Town, approval, approve, approver, batches, both, control_key, document_key,
    founded, import, issuer, order, prepare, prepare_as, random, records, registrar, registry, registry_json,
    sealed, states, submit,
};
use tanba_credential::{
    Field, HolderFile,
    consent::{Language, Method},
    holder,
};
use tanba_crypto::Hash;
use tanba_eds::authority::Holder;
use tanba_ledger::{
    Height, Operation, Timestamp,
    operation::{Basis, control_of},
    record::KeyRole,
};
use tanba_office::{
    BatchOrder, Choice, Consent, FileRegistry, OfficeError, Outcome, Progress, State, Who, testkit::iin,
};

#[test]
fn a_class_goes_from_a_list_to_files_and_who_signs_late_is_in_a_later_batch() {
    let (_, mut office) = founded();
    let town = Town::of(23);
    let class = prepare(&mut office, 23);
    assert!(class.ready);
    let all = records(&office, &class);
    for (n, record) in (1..).zip(&all[..21]) {
        town.consent(&mut office, *record, n, false).expect("consented");
        town.seal(&mut office, *record).expect("sealed");
    }
    town.consent(&mut office, all[21], 22, true).expect("consented");
    let first = batches(&mut office, &class, false);
    assert_eq!(first.len(), 1);
    let summary = office.summary(first[0]).expect("there");
    assert_eq!((summary.diplomas, summary.small, summary.sample.len()), (21, false, 5));
    assert_eq!((summary.month.to_string(), summary.scopes.len()), ("2026-06".into(), 1));
    approve(&mut office, first[0]);
    let sent = office.begin_submission(first[0], registrar()).expect("submitted");
    assert_eq!(states(&office, &class)[..21], [State::Submitted; 21]);
    office.finished(first[0], Outcome::Final(Height(7), 3)).expect("final");
    let mut expected = vec![State::Final; 21];
    expected.extend([State::Consented, State::Draft]);
    assert_eq!(states(&office, &class), expected);

    let Operation::Issue(issue) = &sent.body.operation else { panic!("an issue") };
    let mut fingerprints = BTreeSet::new();
    for (n, record) in (1..).zip(&all[..21]) {
        let file = office.deliver(*record, Who::Holder(&iin(n)), None, NOW).expect("delivered");
        let read = HolderFile::from_json(&file.to_json()).expect("reads");
        let opened = holder::open_signed(&read, &document_key().public()).expect("opens");
        let entry = issue.entries.iter().find(|it| it.fingerprint.0 == opened.fingerprint).expect("issued");
        assert_eq!((entry.gost, Some(entry.control)), (opened.gost, opened.control));
        assert_eq!(entry.control, control_of(&control_key(n).public()));
        assert!(opened.seal.is_some() && opened.has_consent && read.control_secret.is_none());
        fingerprints.insert(opened.fingerprint);
    }
    assert_eq!(fingerprints.len(), 21);
    assert_eq!(office.state(all[0]), Ok(State::Delivered));
    assert_eq!(sent.body.institution, issuer());

    // The late one goes alone, as its holder allowed.
    town.seal(&mut office, all[21]).expect("sealed");
    assert!(batches(&mut office, &class, false).is_empty());
    let late = batches(&mut office, &class, true);
    let summary = office.summary(late[0]).expect("there");
    assert_eq!((summary.diplomas, summary.small, summary.sample.len()), (1, true, 1));
    approve(&mut office, late[0]);
    submit(&mut office, late[0]);
    assert_eq!(office.state(all[21]), Ok(State::Final));
    assert_eq!(office.state(all[22]), Ok(State::Draft));
}

#[test]
fn every_step_done_twice_is_done_once() {
    let (machine, mut office, town, class) = sealed(2);
    let all = records(&office, &class);
    let again = prepare_as(&mut office, 2, 3).expect("the same import");
    assert_eq!((again, records(&office, &class)), (class, all.clone()));
    let first = batches(&mut office, &class, true);
    assert!(batches(&mut office, &class, true).is_empty());
    let approving = approval(&office, first[0], KeyRole::Registrar);
    for _ in 0..2 {
        let progress = office.approve(first[0], approving, registrar(), NOW);
        assert_eq!(progress, Ok(Progress::Waiting));
    }
    for number in [0, 0, 1] {
        office.open_sample(first[0], number, approver(), NOW).expect("opened");
    }
    let approving = approval(&office, first[0], KeyRole::Approver);
    for _ in 0..2 {
        assert_eq!(office.approve(first[0], approving, approver(), NOW), Ok(Progress::Approved));
    }
    let sent = office.begin_submission(first[0], registrar()).expect("submitted");
    assert_eq!(office.begin_submission(first[0], registrar()), Ok(sent));
    for _ in 0..2 {
        office.finished(first[0], Outcome::Final(Height(7), 0)).expect("final");
    }
    assert_eq!(
        office.finished(first[0], Outcome::Final(Height(8), 0)),
        Err(OfficeError::OutcomeDiffers(first[0]))
    );
    let one = office.deliver(all[0], Who::Holder(&iin(1)), None, NOW).expect("delivered");
    assert_eq!(office.deliver(all[0], both(), None, NOW).expect("again"), one);
    // What was signed long ago is known again, and another signature of it is not.
    let consent = one.consent.expect("in the file");
    town.give(&mut office, all[0], 1, &consent).expect("the same consent");
    let seal = one.seal.expect("in the file");
    town.put_seal(&mut office, all[0], &seal).expect("the same seal");
    let other = town.sign(b"other", &[&town.head]);
    assert_eq!(town.give(&mut office, all[0], 1, &other), Err(OfficeError::ConsentExists(all[0])));
    assert_eq!(town.put_seal(&mut office, all[0], &other), Err(OfficeError::SealExists(all[0])));
    drop(office);
    assert_eq!(support::open(&machine).expect("opened").state(all[0]), Ok(State::Delivered));
}

#[test]
fn who_has_no_client_consents_on_paper_before_two_officers_or_by_a_state_service() {
    let (_, mut office) = founded();
    let town = Town::of(2);
    let class = prepare(&mut office, 2);
    let all = records(&office, &class);
    let methods: [(Method, &[&Holder]); 2] = [
        (Method::WitnessedPaper { sheet: Hash([5; 32]) }, &[&town.head, &town.employee]),
        (Method::StateService { request: "002241-77".into() }, &[&town.service]),
    ];
    for (n, (record, (method, signers))) in (1..).zip(all.iter().zip(methods)) {
        let choice = Choice { language: Language::Ru, method, small_group: true };
        let offer = office.draft(*record, both(), &choice, NOW).expect("offered");
        assert!(offer.text.contains(&format!("Образцов Пример-{n}")));
        let cms = town.sign(offer.text.as_bytes(), signers);
        let control = control_key(n).public();
        let consent = Consent { record: *record, who: both(), cms: &cms, control };
        let taken = town.checked(|checks| office.consent(&consent, checks, &mut random(n as u64)));
        taken.expect("consented");
        town.seal(&mut office, *record).expect("sealed");
    }
    let batch = batches(&mut office, &class, true)[0];
    approve(&mut office, batch);
    submit(&mut office, batch);
    let file = office.deliver(all[0], both(), Some(vec![1, 2]), NOW).expect("delivered");
    assert_eq!(file.proof, Some(vec![1, 2]));
}

#[test]
fn of_many_consents_and_seals_each_has_its_own_outcome() {
    let (machine, mut office) = founded();
    let town = Town::of(4);
    let class = prepare(&mut office, 4);
    let all = records(&office, &class);
    let iins = [1, 2, 3, 4].map(iin);
    let signed = |office: &mut _, n: usize| town.signed_consent(office, all[n - 1], n, true).expect("signed");
    let given = [1, 2, 3].map(|n| signed(&mut office, n));
    let consent = |n: usize, cms| {
        let control = control_key(n).public();
        Consent { record: all[n - 1], who: Who::Holder(&iins[n - 1]), cms, control }
    };
    // The second comes twice, and once another's; the fourth brings the third's.
    let items = [
        consent(1, &given[0][..]),
        consent(2, &given[1]),
        consent(2, &given[1]),
        consent(2, &given[0]),
        consent(4, &given[2]),
        consent(3, &given[2]),
    ];
    let outcomes =
        town.checked(|checks| office.consent_all(&items, checks, &mut random(5))).expect("looked at");
    let code =
        |outcome: &Result<(), OfficeError>| outcome.as_ref().map_or_else(OfficeError::code, |()| "taken");
    let codes: Vec<_> = outcomes.iter().map(code).collect();
    assert_eq!(codes, ["taken", "taken", "taken", "consent-exists", "consent-other-diploma", "taken"]);
    let bytes = office.to_seal(&all[..3], registrar(), NOW).expect("given");
    let seals = [0, 1, 0].map(|n| town.sign(&bytes[n], &[&town.head]));
    let items = [(all[0], &seals[0][..]), (all[1], &seals[1]), (all[2], &seals[2]), (all[3], b"x")];
    let outcomes = town.checked(|checks| office.seal_all(&items, registrar(), checks, &mut random(6)));
    let codes: Vec<_> = outcomes.expect("looked at").iter().map(code).collect();
    assert_eq!(codes, ["taken", "taken", "seal-other-fingerprint", "record-draft"]);
    drop(office);
    let office = support::open(&machine).expect("opened");
    assert_eq!(states(&office, &class), [State::Sealed, State::Sealed, State::Consented, State::Draft]);
}

#[test]
fn a_batch_that_the_ledger_refused_is_renewed_or_dissolved() {
    let (_, mut office, _, class) = sealed(2);
    let batch = batches(&mut office, &class, true)[0];
    approve(&mut office, batch);
    office.begin_submission(batch, registrar()).expect("submitted");
    assert_eq!(office.dissolve(batch, Timestamp(u64::MAX), registrar()), Err(OfficeError::BatchLive(batch)));
    office.finished(batch, Outcome::Refused("EXPIRED".into())).expect("told");
    assert_eq!(office.summary(batch).expect("there").progress, Progress::Refused("EXPIRED".into()));
    assert_eq!(states(&office, &class), [State::Batched; 2]);
    // Another node might still take it.
    assert_eq!(office.dissolve(batch, EXPIRY, registrar()), Err(OfficeError::BatchLive(batch)));
    let later = EXPIRY.saturating_add_ms(1);
    let before = office.summary(batch).expect("there").transaction;
    office.renew(batch, later, None, registrar()).expect("renewed");
    let renewed = office.summary(batch).expect("there");
    assert_ne!(renewed.transaction, before);
    assert_eq!((renewed.approvals, renewed.progress), (vec![], Progress::Waiting));
    assert!(renewed.sample.iter().all(|(_, opened)| *opened), "what was opened stays opened");
    assert_eq!(office.dissolve(batch, EXPIRY, registrar()), Err(OfficeError::BatchLive(batch)));
    office.dissolve(batch, later, registrar()).expect("dissolved");
    assert_eq!(states(&office, &class), [State::Sealed; 2]);
    assert!(office.batches().expect("listed").is_empty());
    let again = office.make_batches(&order(&[class.id], true), registrar(), NOW, &mut random(78));
    assert_eq!(again.expect("made").batches.len(), 1);
}

#[test]
fn an_approver_is_told_what_the_registry_has_otherwise_and_an_inspection_which_decision() {
    let (_, mut office) = founded();
    let json = registry_json(3).replace("R-2", "R-9").replacen("2026-06-30", "2026-06-29", 1);
    let mut otherwise = FileRegistry::parse(json.as_bytes()).expect("a registry");
    let class = import(&mut office, 3, 3, Basis::Award, &mut otherwise).expect("imported");
    Town::of(3).seal_class(&mut office, &class);
    let batch = batches(&mut office, &class, true)[0];
    let summary = office.summary(batch).expect("there");
    let told: Vec<_> = summary.differences.into_iter().collect();
    assert_eq!(told, [(Field::AwardDate, 1), (Field::RegistrationNumber, 1)]);
    let by = |decision| office.is_by_decision(batch, decision).expect("there");
    assert!(by(support::DECISION) && !by(b"another order"));
    let said = office.open_sample(batch, 0, approver(), NOW).expect("opened");
    let required = Field::ALL.into_iter().filter(|field| field.is_required());
    assert!(said.into_keys().eq(required), "everything the diploma says");
}

#[test]
fn classes_are_mixed_in_batches_of_nearly_one_size_but_not_awards_with_the_archive() {
    let (_, mut office) = founded();
    let town = Town::of(3);
    let mut all = Vec::new();
    for (key, basis) in [(3, Basis::Award), (4, Basis::Award), (5, Basis::Archive)] {
        let class = import(&mut office, 3, key, basis, &mut registry(3)).expect("imported");
        town.seal_class(&mut office, &class);
        all.push(class.id);
    }
    let make = |office: &mut _, classes: &[_], entries_max| {
        let asked = BatchOrder { entries_max, ..order(classes, true) };
        TestOffice::make_batches(office, &asked, registrar(), NOW, &mut random(9))
    };
    assert_eq!(make(&mut office, &all, 4), Err(OfficeError::Basis));
    let made = make(&mut office, &all[..2], 4).expect("made").batches;
    let sizes: Vec<_> = made.iter().map(|id| office.summary(*id).expect("there").diplomas).collect();
    assert_eq!(sizes, [3, 3]);
    let of = |id| office.records(id).expect("listed").into_iter().map(|record| office.state(record));
    assert!(made.iter().flat_map(|id| of(*id)).all(|state| state == Ok(State::Batched)));
    let archive = make(&mut office, &all[2..], 4).expect("made").batches;
    assert_eq!(office.summary(archive[0]).expect("there").basis, Basis::Archive);
}

#[test]
fn a_batch_that_was_renewed_is_final_if_its_older_transaction_was() {
    let (_, mut office, _, class) = sealed(2);
    let batch = batches(&mut office, &class, true)[0];
    approve(&mut office, batch);
    office.begin_submission(batch, registrar()).expect("submitted");
    office.renew(batch, EXPIRY.saturating_add_ms(1), None, registrar()).expect("renewed");
    office.finished(batch, Outcome::Final(Height(7), 0)).expect("final");
    assert_eq!(states(&office, &class), [State::Final; 2]);
}

#[test]
fn a_list_of_records_is_paged_and_tells_what_the_registry_has_otherwise() {
    let (_, mut office) = founded();
    let class = prepare(&mut office, 30);
    let lines = office.lines(class.id, 10, 5).expect("listed");
    assert_eq!(lines.iter().map(|line| line.number).collect::<Vec<_>>(), [10, 11, 12, 13, 14]);
    assert_eq!(lines[0].line, 12);
    assert!(office.lines(class.id, 30, 5).expect("listed").is_empty());
    assert_eq!(office.classes().expect("listed"), [class]);
}
