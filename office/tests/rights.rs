//! What a holder may ask for, what officers do about it, and what is left of an erased record.

mod support;

use std::collections::BTreeSet;

use support::{
    EXPIRY, LIMITATION_S, Machine, NOW, TestOffice, Town, approve, approver, batches, both, founded, open,
    order, prepare, prepare_as, random, records, registrar, sealed, states, submit,
};
use tanba_ledger::Timestamp;
use tanba_office::{OfficeError, Outcome, State, Swept, Who, state::Refused, testkit::iin};
use tanba_vault::{
    ActId, Destruction, Part, RecordId, RequestId, Time,
    calendar::Calendar,
    erase::ConsentKept,
    read::{Purpose, Reader},
    register::{Outcome as Closed, RequestKind},
};

const REQUEST: RequestId = RequestId([5; 16]);

fn calendar() -> Calendar {
    let (first, last) = (20_000, 22_000);
    Calendar { first, last, free: BTreeSet::new(), worked: BTreeSet::new(), local_ahead_s: 18_000 }
}

fn ask(office: &mut TestOffice, record: RecordId, n: usize, kind: RequestKind) -> Result<Time, OfficeError> {
    office.ask(REQUEST, record, kind, Who::Holder(&iin(n)), &calendar(), NOW)
}

#[test]
fn who_withdraws_before_anything_was_sent_is_not_issued_and_the_others_are_dealt_anew() {
    let (_, mut office, _, class) = sealed(3);
    let batch = batches(&mut office, &class, true)[0];
    approve(&mut office, batch);
    let record = records(&office, &class)[1];
    let due = ask(&mut office, record, 2, RequestKind::Withdraw).expect("entered");
    assert_eq!(ask(&mut office, record, 2, RequestKind::Withdraw), Ok(due), "the same again");
    assert!(due > NOW);
    assert_eq!(office.state(record), Ok(State::Refused(Refused::Withdrawn)));
    assert_eq!(office.begin_submission(batch, registrar()), Err(OfficeError::NoBatch(batch)));
    let again = office.make_batches(&order(&[class.id], true), registrar(), NOW, &mut random(9));
    let again = again.expect("made").batches[0];
    assert_eq!(office.summary(again).expect("there").diplomas, 2);
    assert!(!office.records(again).expect("listed").contains(&record));
    let lifted = office.lift(record, Who::Holder(&iin(2)), NOW).expect_err("it is withdrawn");
    assert_eq!(lifted.code(), "consent-withdrawn");
    assert_eq!(ask(&mut office, record, 2, RequestKind::Correct), Err(OfficeError::RequestDiffers));
}

#[test]
fn who_withdraws_while_the_transaction_is_on_its_way_is_not_dealt_again() {
    let (_, mut office, _, class) = sealed(2);
    let batch = batches(&mut office, &class, true)[0];
    approve(&mut office, batch);
    office.begin_submission(batch, registrar()).expect("submitted");
    let record = records(&office, &class)[0];
    ask(&mut office, record, 1, RequestKind::Withdraw).expect("entered");
    assert_eq!(office.state(record), Ok(State::Submitted), "it may become final");
    office.finished(batch, Outcome::Refused("EXPIRED".into())).expect("told");
    office.dissolve(batch, Timestamp(EXPIRY.0 + 1), registrar()).expect("dissolved");
    assert_eq!(states(&office, &class), [State::Refused(Refused::Withdrawn), State::Sealed]);
}

#[test]
fn an_erased_record_leaves_a_locked_consent_and_nothing_that_leads_to_its_token() {
    let (machine, mut office, _, class) = sealed(3);
    let batch = batches(&mut office, &class, true)[0];
    approve(&mut office, batch);
    submit(&mut office, batch);
    let record = records(&office, &class)[0];
    office.deliver(record, Who::Holder(&iin(1)), None, NOW).expect("delivered");
    let no_request = office.erase(record, REQUEST, registrar(), NOW);
    assert_eq!(no_request, Err(OfficeError::RequestDiffers));
    ask(&mut office, record, 1, RequestKind::Withdraw).expect("entered");
    let other = records(&office, &class)[1];
    assert_eq!(office.erase(other, REQUEST, registrar(), NOW), Err(OfficeError::RequestDiffers));
    let certificate = office.erase(record, REQUEST, registrar(), NOW).expect("erased");
    assert_eq!(certificate.how, Destruction::Erased);
    assert_eq!(certificate.consent, ConsentKept::LockedUntil(NOW.plus_s(LIMITATION_S)));
    assert_eq!(office.erase(record, REQUEST, registrar(), NOW), Ok(certificate), "the same again");
    assert_eq!(office.state(record), Ok(State::Erased));
    assert_eq!(office.vault().standing(record).expect("known").parts, [Part::Consent]);
    let request = office.vault().request(REQUEST).expect("readable").expect("there");
    assert_eq!(request.closed, Some((Closed::Done, registrar().id, NOW)));
    let refused = office.deliver(record, Who::Holder(&iin(1)), None, NOW).expect_err("it is gone");
    assert_eq!(refused.code(), "record-erased");
    assert!(!office.records(batch).expect("listed").contains(&record));
    assert_eq!(names_both(&machine, record, batch.0), 0, "no value ties it to its batch");
    assert_eq!(names_both(&machine, other, batch.0), 3, "the search finds what is there: row, entry, sample");
    assert_eq!(states(&office, &class), [State::Erased, State::Final, State::Final]);
}

/// How many keys with their values name both.
fn names_both(machine: &Machine, record: RecordId, batch: [u8; 16]) -> usize {
    let holds = |bytes: &[u8], name: &[u8]| bytes.windows(name.len()).any(|window| window == name);
    let all = machine.everything().into_iter().map(|(_, bytes)| bytes);
    all.filter(|bytes| holds(bytes, &record.0) && holds(bytes, &batch)).count()
}

#[test]
fn a_fingerprint_stands_beside_no_name_of_a_record() {
    let (machine, mut office, _, class) = sealed(3);
    let batch = batches(&mut office, &class, true)[0];
    let transaction = office.transaction(batch).expect("there");
    let tanba_ledger::Operation::Issue(issue) = transaction.body.operation else { panic!("an issue") };
    for entry in &issue.entries {
        for record in records(&office, &class) {
            let holds = |bytes: &[u8], name: &[u8]| bytes.windows(name.len()).any(|window| window == name);
            let both = machine
                .everything()
                .into_iter()
                .filter(|(_, bytes)| holds(bytes, entry.fingerprint.0.as_bytes()) && holds(bytes, &record.0));
            assert_eq!(both.count(), 0);
        }
    }
}

#[test]
fn nothing_of_a_person_is_on_disk_in_the_clear() {
    let (machine, mut office, _, class) = sealed(3);
    let batch = batches(&mut office, &class, true)[0];
    approve(&mut office, batch);
    submit(&mut office, batch);
    let all: Vec<Vec<u8>> = machine.everything().into_iter().map(|(_, bytes)| bytes).collect();
    let found = |text: &[u8]| all.iter().any(|bytes| bytes.windows(text.len()).any(|window| window == text));
    assert!(found(&class.id.0) && found(b"6B06101"), "the search finds what is there");
    for n in 1..=3 {
        let names = [format!("Мысал-{n}"), format!("Пример-{n}"), format!("{n:07}"), format!("R-{n}")];
        for text in names.iter().map(String::as_str).chain([iin(n).digits(), "Үлгі-Қиял", "Образцов"])
        {
            assert!(!found(text.as_bytes()), "{text}");
            assert!(!found(tanba_crypto::Hash::plain(text.as_bytes()).as_bytes()), "a digest of {text}");
        }
    }
}

#[test]
fn what_a_hold_keeps_is_not_erased_and_takes_two_to_lift() {
    let (_, mut office, _, class) = sealed(2);
    let record = records(&office, &class)[0];
    let (act, until) = (ActId([1; 32]), NOW.plus_s(1_000));
    let one = office.hold(record, act, until, [registrar(); 2], NOW);
    assert_eq!(one, Err(OfficeError::TwoOfficers));
    office.hold(record, act, until, [registrar(), approver()], NOW).expect("held");
    ask(&mut office, record, 1, RequestKind::Withdraw).expect("entered");
    let held = office.erase(record, REQUEST, registrar(), NOW).expect_err("it is held");
    assert_eq!(held.code(), "on-hold");
    assert_eq!(office.lift_hold(record, [approver(); 2]), Err(OfficeError::TwoOfficers));
    office.lift_hold(record, [registrar(), approver()]).expect("lifted");
    office.erase(record, REQUEST, registrar(), NOW).expect("erased");
}

#[test]
fn names_are_taken_out_on_a_request_for_that_alone() {
    let (_, mut office, _, class) = sealed(2);
    let record = records(&office, &class)[0];
    ask(&mut office, record, 1, RequestKind::Anonymise).expect("entered");
    assert_eq!(office.erase(record, REQUEST, registrar(), NOW), Err(OfficeError::RequestDiffers));
    office.anonymise(record, REQUEST, approver(), NOW).expect("anonymised");
    assert_eq!(office.vault().standing(record).expect("known").parts, [Part::Document, Part::Consent]);
    assert_eq!(office.state(record), Ok(State::Erased));
}

#[test]
fn a_holder_sees_who_looked_and_restricts_without_reason() {
    let (_, mut office, _, class) = sealed(1);
    let record = records(&office, &class)[0];
    let lines = office.disclosures(record, Who::Holder(&iin(1)), NOW).expect("listed");
    let of = |purpose| lines.iter().filter(|line| line.purpose == purpose).count();
    assert_eq!((of(Purpose::Work), of(Purpose::Subject)), (2, 3), "sealing twice; draft, consent and this");
    let other = office.disclosures(record, Who::Holder(&iin(2)), NOW);
    assert_eq!(other, Err(OfficeError::NotTheSubject));
    let lines = office.disclosures(record, both(), NOW).expect("listed");
    let subject = lines.iter().filter(|line| line.reader == Reader::Subject).count();
    assert_eq!(subject, 4, "the attempt stands there");
    office.restrict(record, Who::Holder(&iin(1)), NOW).expect("restricted");
    assert!(batches(&mut office, &class, true).is_empty());
    office.lift(record, Who::Holder(&iin(1)), NOW).expect("lifted");
    assert_eq!(batches(&mut office, &class, true).len(), 1);
}

#[test]
fn drafts_die_after_ninety_days_and_what_was_consented_to_does_not() {
    let (_, mut office) = founded();
    let town = Town::of(4);
    let class = prepare(&mut office, 4);
    let all = records(&office, &class);
    town.consent(&mut office, all[0], 1, true).expect("consented");
    office.refuse(all[1], Who::Holder(&iin(2)), NOW).expect("refused");
    office.hold(all[2], ActId([1; 32]), Time(u64::MAX), [registrar(), approver()], NOW).expect("held");
    let day = |days: u64| NOW.plus_s(days * 24 * 3_600);
    assert_eq!(office.sweep(day(89)), Ok(Swept::default()));
    let swept = office.sweep(day(90)).expect("swept");
    assert_eq!((swept.expired, swept.held), (vec![all[1], all[3]], vec![all[2]]));
    assert_eq!(states(&office, &class), [State::Consented, State::Expired, State::Expired, State::Expired]);
    for gone in [all[1], all[3]] {
        assert!(office.vault().standing(gone).expect("known").parts.is_empty());
    }
    let late = town.consent(&mut office, all[3], 4, true).expect_err("it died");
    assert_eq!(late.code(), "record-expired");
    office.lift_hold(all[2], [registrar(), approver()]).expect("lifted");
    assert_eq!(office.sweep(day(91)).expect("swept").expired, [all[2]]);
    assert_eq!(office.sweep(day(92)), Ok(Swept::default()));
}

#[test]
fn an_import_that_nobody_finished_dies_too() {
    let (empty, _) = founded();
    for at in 0.. {
        let machine = empty.copy();
        let mut office = open(&machine).expect("opened");
        machine.fail_after(at);
        let done = prepare_as(&mut office, 2, 3).is_ok();
        drop(office);
        machine.crash(support::Crash::Kill);
        let mut office = open(&machine).expect("opened");
        office.sweep(NOW.plus_s(90 * 24 * 3_600)).expect("swept");
        for class in office.classes().expect("listed") {
            for record in records(&office, &class) {
                let parts = office.vault().standing(record).map_or(0, |standing| standing.parts.len());
                assert_eq!(parts, 0, "after write {at}");
            }
        }
        if done {
            break;
        }
    }
}
