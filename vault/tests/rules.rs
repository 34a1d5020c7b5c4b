//! Who may see what: restriction, legal hold, locks, quotas, the log; and the clocks of the register.

mod support;

use std::collections::BTreeSet;

use support::{LIMITATION, NOW, TestVault, founded, officer, open, opens, record, seal};
use tanba_vault::{
    ActId, Hold, OfficerId, Part, RecipientId, RecordId, RequestId, Suite, Time, VaultError,
    calendar::Calendar,
    read::{Access, Purpose, Reader},
    register::{Outcome, RequestKind},
};

const EMPLOYER: Purpose = Purpose::ThirdParty(RecipientId([9; 16]));
const DAY_S: u64 = 24 * 3600;

fn vault_of(count: u32) -> TestVault {
    let (_, mut vault) = founded(Suite::ChaCha20);
    (0..count).for_each(|n| seal(&mut vault, n, 100 + u64::from(n)).expect("sealed"));
    vault
}

fn ask(
    vault: &mut TestVault,
    records: &[RecordId],
    reader: Reader,
    purpose: Purpose,
    part: Part,
) -> Result<(), VaultError> {
    let access = Access { reader, purpose, parts: &[part], fields: 0b101 };
    vault.read(records, &access, NOW).map(drop)
}

fn hold(until: Time, officers: [OfficerId; 2]) -> Hold {
    Hold { act: ActId([7; 32]), until, officers }
}

#[test]
fn a_restricted_record_is_shown_to_its_subject_and_a_court_alone() {
    let mut vault = vault_of(1);
    let one = Reader::Officer(officer(1));
    let two = Reader::Officers(officer(1), officer(2));
    let id = [record(0)];
    vault.restrict(record(0), NOW).expect("restricted");
    vault.restrict(record(0), NOW.plus_s(5)).expect("again");
    assert_eq!(vault.standing(record(0)).expect("known").restricted, Some(NOW));
    for purpose in [EMPLOYER, Purpose::Work, Purpose::Abroad(RecipientId([8; 16]))] {
        assert_eq!(
            ask(&mut vault, &id, one, purpose, Part::Document),
            Err(VaultError::Restricted(record(0)))
        );
    }
    assert_eq!(ask(&mut vault, &id, one, Purpose::LegalClaim, Part::Document), Err(VaultError::TwoOfficers));
    assert_eq!(ask(&mut vault, &id, one, Purpose::Subject, Part::Document), Err(VaultError::Purpose));
    assert_eq!(ask(&mut vault, &id, Reader::Subject, EMPLOYER, Part::Document), Err(VaultError::Purpose));
    assert_eq!(ask(&mut vault, &id, Reader::Subject, Purpose::Subject, Part::Document), Ok(()));
    assert_eq!(ask(&mut vault, &id, two, Purpose::LegalClaim, Part::Document), Ok(()));
    vault.unrestrict(record(0)).expect("lifted");
    vault.unrestrict(record(0)).expect("again");
    assert_eq!(ask(&mut vault, &id, one, EMPLOYER, Part::Document), Ok(()));
}

#[test]
fn a_legal_hold_blocks_every_destruction_until_it_ends_and_locks_what_was_to_go() {
    let mut vault = vault_of(2);
    let until = NOW.plus_s(1_000);
    let pair = [officer(1), officer(2)];
    assert_eq!(vault.hold(record(0), hold(until, [officer(1); 2]), NOW), Err(VaultError::TwoOfficers));
    assert_eq!(vault.hold(record(0), hold(NOW, pair), NOW), Err(VaultError::HoldEnd));
    vault.hold(record(0), hold(until, pair), NOW).expect("held");
    vault.hold(record(0), hold(until, pair), NOW).expect("again");
    assert_eq!(vault.hold(record(0), hold(Time(until.0 - 1), pair), NOW), Err(VaultError::HoldEnd));
    assert_eq!(ask(&mut vault, &[record(0)], Reader::Officer(officer(1)), EMPLOYER, Part::Document), Ok(()));
    let held = VaultError::OnHold { record: record(0), until };
    assert_eq!(held.code(), "on-hold");
    assert_eq!(vault.erase(record(0), LIMITATION, NOW), Err(held.clone()));
    assert_eq!(vault.anonymise(record(0), LIMITATION, Time(until.0 - 1)), Err(held));
    assert_eq!(opens(&mut vault, 0), Part::ALL);
    let refused = ask(&mut vault, &[record(0)], Reader::Officer(officer(1)), EMPLOYER, Part::Document);
    assert_eq!(refused, Err(VaultError::Restricted(record(0))), "what may not go yet is locked");
    vault.erase(record(0), LIMITATION, until).expect("the hold is over");

    // The same of a consent; and a hold that is lifted.
    vault.erase(record(1), NOW, NOW).expect("erased");
    vault.hold(record(1), hold(until, pair), NOW).expect("held");
    assert_eq!(vault.end_consent(record(1), NOW).expect_err("held").code(), "on-hold");
    assert_eq!(vault.lift_hold(record(1), [officer(3); 2]), Err(VaultError::TwoOfficers));
    vault.lift_hold(record(1), pair).expect("lifted");
    vault.end_consent(record(1), NOW).expect("ended");
}

#[test]
fn the_consent_of_an_erased_record_is_locked_but_for_a_claim_by_two() {
    let mut vault = vault_of(1);
    vault.erase(record(0), LIMITATION, NOW).expect("erased");
    let one = Reader::Officer(officer(1));
    for (reader, purpose) in [(one, EMPLOYER), (one, Purpose::Work), (Reader::Subject, Purpose::Subject)] {
        let locked = VaultError::Locked { record: record(0), until: LIMITATION };
        assert_eq!(ask(&mut vault, &[record(0)], reader, purpose, Part::Consent), Err(locked));
        let gone = VaultError::Destroyed(record(0), Part::Opening);
        assert_eq!(ask(&mut vault, &[record(0)], reader, purpose, Part::Opening), Err(gone));
    }
    let two = Reader::Officers(officer(1), officer(2));
    assert_eq!(ask(&mut vault, &[record(0)], two, Purpose::LegalClaim, Part::Consent), Ok(()));
}

#[test]
fn reads_are_counted_by_officer_and_local_day_across_openings() {
    let (machine, mut vault) = founded(Suite::ChaCha20);
    (0..3).for_each(|n| seal(&mut vault, n, 100 + u64::from(n)).expect("sealed"));
    drop(vault);
    let config = tanba_vault::Config { reads_per_day_max: 4, ..support::config(Suite::ChaCha20) };
    let open = || {
        let folder = |name| support::MachineFolder(machine.clone(), name);
        let keys = support::keys(&machine, Suite::ChaCha20).expect("keys");
        TestVault::open(support::MachineTree(machine.clone()), folder("slots"), keys, config, NOW)
            .expect("opened")
    };
    let three = [record(0), record(1), record(2)];
    let access = |n| Access {
        reader: Reader::Officer(officer(n)),
        purpose: EMPLOYER,
        parts: &[Part::Seal],
        fields: 1,
    };
    let mut vault = open();
    assert!(vault.read(&three, &access(1), NOW).is_ok());
    assert_eq!(vault.read(&three, &access(1), NOW).expect_err("used up"), VaultError::Quota(4));
    drop(vault);
    let mut vault = open();
    assert_eq!(vault.read(&three, &access(1), NOW).expect_err("used up"), VaultError::Quota(4));
    assert!(vault.read(&three[..1], &access(1), NOW).is_ok());
    assert!(vault.read(&three, &access(2), NOW).is_ok(), "another officer has a quota of her own");
    // NOW is 2027-01-15T08:00Z, 13:00 in Astana: the next local day begins eleven hours on.
    let midnight = NOW.plus_s(11 * 3600);
    assert!(vault.read(&three, &access(1), Time(midnight.0 - 1)).is_err());
    assert!(vault.read(&three, &access(1), midnight).is_ok());
    let pair = Access { reader: Reader::Officers(officer(1), officer(3)), ..access(1) };
    assert_eq!(vault.read(&three, &pair, midnight).expect_err("one of the two"), VaultError::Quota(4));
    let subject = Access { reader: Reader::Subject, purpose: Purpose::Subject, ..access(1) };
    (0..9).for_each(|_| assert!(vault.read(&three, &subject, NOW).is_ok()));
}

#[test]
fn many_records_at_once_take_two_officers() {
    let mut vault = vault_of(11);
    let all: Vec<RecordId> = (0..11).map(record).collect();
    let one = Reader::Officer(officer(1));
    assert_eq!(ask(&mut vault, &all, one, Purpose::Work, Part::Seal), Err(VaultError::TwoOfficers));
    assert_eq!(ask(&mut vault, &all[..10], one, Purpose::Work, Part::Seal), Ok(()));
    let same = Reader::Officers(officer(1), officer(1));
    assert_eq!(ask(&mut vault, &all, same, Purpose::Work, Part::Seal), Err(VaultError::TwoOfficers));
    let two = Reader::Officers(officer(1), officer(2));
    assert_eq!(ask(&mut vault, &all, two, Purpose::Work, Part::Seal), Ok(()));
}

#[test]
fn every_disclosure_is_written_down_and_outlives_the_record() {
    let (machine, mut vault) = founded(Suite::ChaCha20);
    seal(&mut vault, 0, 1).expect("sealed");
    seal(&mut vault, 1, 2).expect("sealed");
    let one = Reader::Officer(officer(1));
    for _ in 0..3 {
        ask(&mut vault, &[record(0)], one, EMPLOYER, Part::Identity).expect("opened");
        ask(&mut vault, &[record(0)], Reader::Subject, Purpose::Subject, Part::Seal).expect("opened");
    }
    vault.restrict(record(0), NOW).expect("restricted");
    ask(&mut vault, &[record(0)], one, EMPLOYER, Part::Identity).expect_err("restricted");
    // All or none: the other is not opened and not written down.
    ask(&mut vault, &[record(1), record(0)], one, EMPLOYER, Part::Identity).expect_err("restricted");
    assert_eq!(vault.disclosures(record(1)), Ok(vec![]));
    vault.erase(record(0), LIMITATION, NOW).expect("erased");
    drop(vault);
    machine.crash(support::Crash::PowerCut);
    let vault = open(&machine, Suite::ChaCha20).expect("opened");
    let log = vault.disclosures(record(0)).expect("readable");
    assert_eq!(log.len(), 6);
    let shown = log.iter().filter(|line| line.purpose == EMPLOYER && line.reader == one && line.at == NOW);
    assert!(shown.clone().all(|line| line.parts == 0b10 && line.fields == 0b101));
    assert_eq!(shown.count(), 3);
}

/// January 2027 with made-up transfers: the day of a decree decides, not the code. Day 20,833 is Friday, 2027-01-15.
fn calendar() -> Calendar {
    let friday = 20_833;
    Calendar {
        first: friday - 30,
        last: friday + 30,
        // Monday is a public holiday, and Tuesday is free because Saturday is worked.
        free: BTreeSet::from([friday + 3, friday + 4]),
        worked: BTreeSet::from([friday + 1]),
        local_ahead_s: 18_000,
    }
}

fn local_midnight_after(day: i64) -> Time {
    Time((day as u64 + 1) * DAY_S - 18_000)
}

#[test]
fn clocks_run_over_weekends_holidays_and_transfers() {
    let calendar = calendar();
    let friday = 20_833;
    let deadline = |days| calendar.deadline(NOW, days).expect("covered");
    assert_eq!(deadline(1), local_midnight_after(friday + 1), "the Saturday that is worked");
    assert_eq!(
        deadline(2),
        local_midnight_after(friday + 5),
        "Wednesday: Sunday, Monday and Tuesday are free"
    );
    assert_eq!(deadline(3), local_midnight_after(friday + 6));
    assert_eq!(deadline(15), local_midnight_after(friday + 24));
    assert_eq!(calendar.deadline(NOW, 40), Err(VaultError::CalendarEnds(friday + 31)));
    // 19:00Z on Friday is Saturday in Astana.
    assert_eq!(calendar.deadline(NOW.plus_s(11 * 3600), 1), Ok(local_midnight_after(friday + 5)));
    assert_eq!(RequestKind::Correct.working_days(), 1);
    assert_eq!(RequestKind::Information.working_days(), 3);
    assert_eq!(RequestKind::Withdraw.working_days(), 15);
}

#[test]
fn the_register_knows_what_is_overdue_and_keeps_what_came_of_it() {
    let (machine, mut vault) = founded(Suite::ChaCha20);
    seal(&mut vault, 0, 1).expect("sealed");
    let id = |n| RequestId([n; 16]);
    let due =
        vault.enter(id(1), Some(record(0)), RequestKind::Information, NOW, &calendar()).expect("entered");
    let soon = vault.enter(id(2), Some(record(0)), RequestKind::Restrict, NOW, &calendar()).expect("entered");
    let again = vault.enter(id(2), Some(record(0)), RequestKind::Withdraw, NOW, &calendar());
    assert_eq!(again, Err(VaultError::RequestExists(id(2))));
    let nobody = vault.enter(id(3), Some(record(8)), RequestKind::Withdraw, NOW, &calendar());
    assert_eq!(nobody, Err(VaultError::NoRecord(record(8))));
    let stranger = vault.enter(id(4), None, RequestKind::Information, NOW.plus_s(1), &calendar());
    assert_eq!(stranger, Ok(due), "who is not kept here is answered as well");
    vault.close(id(4), Outcome::Done, officer(1), NOW).expect("closed");
    let names = |lines: Vec<(RequestId, _)>| lines.into_iter().map(|(id, _)| id).collect::<Vec<_>>();
    assert_eq!(names(vault.open_requests().expect("readable")), [id(2), id(1)]);
    assert_eq!(names(vault.overdue(Time(soon.0 - 1)).expect("readable")), []);
    assert_eq!(names(vault.overdue(soon).expect("readable")), [id(2)]);
    vault.close(id(2), Outcome::Done, officer(1), NOW).expect("closed");
    assert_eq!(vault.close(id(2), Outcome::Refused(3), officer(1), NOW), Err(VaultError::NoRequest(id(2))));
    drop(vault);
    machine.crash(support::Crash::PowerCut);
    let vault = open(&machine, Suite::ChaCha20).expect("opened");
    assert_eq!(names(vault.overdue(due).expect("readable")), [id(1)]);
    let closed = vault.request(id(2)).expect("readable").expect("kept").closed;
    assert_eq!(closed, Some((Outcome::Done, officer(1), NOW)));
}
