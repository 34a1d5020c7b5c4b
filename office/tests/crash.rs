//! A kill, a full disk and a power cut at every single write of every step: afterwards each record and each batch is where
//! it was or where it was going, what was confirmed stays, and the same step done again ends where it should.

mod support;

use std::collections::BTreeSet;

use support::{
    Crash, EXPIRY, Machine, NOW, TestOffice, Town, approval, approve, approver, both, founded, open, order,
    prepare, prepare_as, random, records, registrar, sealed,
};
use tanba_ledger::{Height, record::KeyRole};
use tanba_office::{BatchId, Class, OfficeError, Outcome, Progress, State, Who, testkit::iin};
use tanba_vault::{RecordId, RequestId, Time, calendar::Calendar, register::RequestKind};

/// All that a test can see: each record's state and parts, each batch's progress, approvals and sample.
type Seen = (Vec<(Option<State>, usize)>, Vec<(Progress, usize, usize)>);

fn seen(office: &mut TestOffice) -> Seen {
    let mut states = Vec::new();
    for class in office.classes().expect("listed") {
        for line in office.lines(class.id, 0, 500).expect("listed") {
            let parts = office.vault().standing(line.record).map_or(0, |standing| standing.parts.len());
            // Of an unfinished class only that much shows: that it is not ready.
            states.push((line.state, if class.ready { parts } else { 0 }));
        }
    }
    let mut batches = Vec::new();
    for batch in office.batches().expect("listed") {
        let summary = office.summary(batch).expect("there");
        assert_eq!(office.records(batch).expect("listed").len(), summary.diplomas, "a batch has its list");
        let opened = summary.sample.iter().filter(|(_, opened)| *opened).count();
        batches.push((summary.progress, summary.approvals.len(), opened));
    }
    (states, batches)
}

const CRASHES: [Crash; 5] = [
    Crash::Kill,
    Crash::PowerCut,
    Crash::PowerCutKeeping(0x5555_5555_5555_5555),
    Crash::PowerCutKeeping(0xaaaa_aaaa_aaaa_aaaa),
    Crash::PowerCutKeeping(0x0123_4567_89ab_cdef),
];

/// Runs `act` whole and then with an end at each of its writes. Whatever is seen after must be one of `between`, the old or
/// the new; then `act` again gives the new.
fn check_through(
    machine: &Machine,
    between: impl Fn(&Seen) -> bool,
    act: impl Fn(&mut TestOffice) -> Result<(), OfficeError>,
) {
    let whole = machine.copy();
    let mut office = open(&whole).expect("opened");
    let old = seen(&mut office);
    let from = whole.writes();
    act(&mut office).expect("nothing fails");
    let writes = whole.writes() - from;
    let new = seen(&mut office);
    assert_ne!(old, new, "the act shows");
    let mut met = [0, 0];
    for crash in CRASHES {
        for at in 0..=writes {
            let when = format!("{crash:?} at write {at}");
            let machine = machine.copy();
            let mut office = open(&machine).expect("opened");
            machine.fail_after(at);
            let confirmed = match act(&mut office) {
                Ok(()) => true,
                Err(error) => {
                    assert!(["io", "stopped"].contains(&error.code()), "{when}: {error}");
                    let stopped = act(&mut office).expect_err("it stopped").code();
                    assert_eq!(stopped, "stopped", "{when}");
                    false
                }
            };
            drop(office);
            machine.crash(crash);
            let mut office = open(&machine).unwrap_or_else(|error| panic!("{when}: {error}"));
            let found = seen(&mut office);
            let fits = found == new || !confirmed && (found == old || between(&found));
            assert!(fits, "{when}, confirmed {confirmed}: {found:?}");
            met[usize::from(found == new)] += 1;
            act(&mut office).unwrap_or_else(|error| panic!("{when}, again: {error}"));
            assert_eq!(seen(&mut office), new, "{when}, again");
        }
    }
    assert!(met.iter().all(|count| *count > 0), "both are met: {met:?}");
}

fn check(machine: &Machine, act: impl Fn(&mut TestOffice) -> Result<(), OfficeError>) {
    check_through(machine, |_| false, act);
}

/// A class of three, sealed and in a batch.
fn batched() -> (Machine, Class, BatchId) {
    let (machine, mut office, _, class) = sealed(3);
    let classes = [class.id];
    let made = office.make_batches(&order(&classes, true), registrar(), NOW, &mut random(77));
    (machine, class, made.expect("made").batches[0])
}

#[test]
fn an_import_goes_on_where_it_was_cut_short() {
    let (machine, _) = founded();
    // Nothing of an unfinished class can be consented to.
    let unfinished = |seen: &Seen| seen.0.iter().all(|(state, _)| state.is_none()) && seen.1.is_empty();
    check_through(&machine, unfinished, |office| prepare_as(office, 3, 3).map(drop));
}

#[test]
fn an_import_of_several_groups_goes_on_where_it_was_cut_short() {
    // The vault seals 128 at once; not every write, as there are many.
    let (empty, _) = founded();
    for at in (0..).step_by(97) {
        let machine = empty.copy();
        let mut office = open(&machine).expect("opened");
        machine.fail_after(at);
        let confirmed = prepare_as(&mut office, 130, 3).is_ok();
        drop(office);
        machine.crash(Crash::PowerCutKeeping(0x5555_5555_5555_5555));
        let mut office = open(&machine).expect("opened");
        let class = prepare_as(&mut office, 130, 3).expect("goes on");
        let all: BTreeSet<RecordId> = records(&office, &class).into_iter().collect();
        assert_eq!(all.len(), 130);
        assert!(all.iter().all(|record| office.state(*record) == Ok(State::Draft)));
        if confirmed {
            break;
        }
    }
}

#[test]
fn a_consent_is_taken_or_not() {
    let (machine, mut office) = founded();
    let town = Town::of(2);
    let class = prepare(&mut office, 2);
    let record = records(&office, &class)[0];
    let cms = town.signed_consent(&mut office, record, 1, true).expect("signed");
    drop(office);
    check(&machine, |office| town.give(office, record, 1, &cms));
}

#[test]
fn a_seal_is_taken_or_not() {
    let (machine, mut office) = founded();
    let town = Town::of(2);
    let class = prepare(&mut office, 2);
    let record = records(&office, &class)[0];
    town.consent(&mut office, record, 1, true).expect("consented");
    let bytes = office.to_seal(&[record], registrar(), NOW).expect("given");
    let cms = town.sign(&bytes[0], &[&town.head]);
    drop(office);
    check(&machine, |office| town.put_seal(office, record, &cms));
}

#[test]
fn a_batch_is_made_whole_or_not_at_all() {
    let (machine, office, _, class) = sealed(3);
    drop(office);
    check(&machine, |office| {
        let classes = [class.id];
        let made = office.make_batches(&order(&classes, true), registrar(), NOW, &mut random(77))?;
        assert!(made.batches.len() <= 1);
        Ok(())
    });
}

#[test]
fn what_a_crash_left_of_a_batch_is_removed_at_opening() {
    let (set_up, office, _, class) = sealed(3);
    drop(office);
    let values = |machine: &Machine| {
        let all = machine.everything().into_iter();
        // The tables of bodies and entries, beside the vault's.
        all.filter(|(place, _)| place.starts_with("[80, 21") || place.starts_with("[80, 22")).count()
    };
    let mut left = 0;
    for at in 0.. {
        let machine = set_up.copy();
        let mut office = open(&machine).expect("opened");
        machine.fail_after(at);
        let classes = [class.id];
        let made = office.make_batches(&order(&classes, true), registrar(), NOW, &mut random(77));
        drop(office);
        machine.crash(Crash::Kill);
        left += usize::from(values(&machine) > 0);
        let office = open(&machine).expect("opened");
        if office.batches().expect("listed").is_empty() {
            assert_eq!(values(&machine), 0, "after write {at}");
        }
        if made.is_ok() {
            break;
        }
    }
    assert!(left > 1, "something was left to remove");
}

#[test]
fn the_steps_of_a_batch_are_done_or_not() {
    let (machine, _, batch) = batched();
    check(&machine, |office| office.open_sample(batch, 1, approver(), NOW).map(drop));
    let mut office = open(&machine).expect("opened");
    for number in 0..3 {
        office.open_sample(batch, number, approver(), NOW).expect("opened");
    }
    let approvers = approval(&office, batch, KeyRole::Approver);
    let registrars = approval(&office, batch, KeyRole::Registrar);
    drop(office);
    check(&machine, |office| office.approve(batch, approvers, approver(), NOW).map(drop));
    let mut office = open(&machine).expect("opened");
    office.approve(batch, approvers, approver(), NOW).expect("approved");
    drop(office);
    check(&machine, |office| office.approve(batch, registrars, registrar(), NOW).map(drop));
    let mut office = open(&machine).expect("opened");
    office.approve(batch, registrars, registrar(), NOW).expect("approved");
    drop(office);
    check(&machine, |office| office.begin_submission(batch, registrar()).map(drop));
    let mut office = open(&machine).expect("opened");
    office.begin_submission(batch, registrar()).expect("submitted");
    drop(office);
    check(&machine, |office| office.finished(batch, Outcome::Final(Height(7), 0)));
    check(&machine, |office| office.finished(batch, Outcome::Refused("EXPIRED".into())));
}

#[test]
fn a_file_is_given_out_after_it_is_written_that_it_was() {
    let (machine, class, batch) = batched();
    let mut office = open(&machine).expect("opened");
    approve(&mut office, batch);
    support::submit(&mut office, batch);
    let record = records(&office, &class)[0];
    drop(office);
    check(&machine, |office| office.deliver(record, Who::Holder(&iin(1)), None, NOW).map(drop));
}

#[test]
fn a_batch_is_dissolved_or_stays() {
    let (machine, class, batch) = batched();
    let office = open(&machine).expect("opened");
    let record = records(&office, &class)[0];
    drop(office);
    let dissolve = |office: &mut TestOffice| match office.dissolve(batch, EXPIRY, registrar()) {
        // Done before.
        Err(OfficeError::NoBatch(_)) => Ok(()),
        done => done,
    };
    check(&machine, dissolve);
    // The batch goes first, and then the record.
    let dissolved =
        |seen: &Seen| seen.1.is_empty() && seen.0.iter().all(|(state, _)| *state == Some(State::Sealed));
    check_through(&machine, dissolved, |office| office.refuse(record, Who::Holder(&iin(1)), NOW));
    check_through(&machine, dissolved, |office| office.refuse(record, both(), NOW));
}

fn calendar() -> Calendar {
    let (first, last) = (20_000, 22_000);
    Calendar { first, last, free: BTreeSet::new(), worked: BTreeSet::new(), local_ahead_s: 18_000 }
}

#[test]
fn a_withdrawal_and_the_erasure_after_it_are_done_or_not() {
    let (machine, class, _) = batched();
    let office = open(&machine).expect("opened");
    let record = records(&office, &class)[0];
    drop(office);
    let request = RequestId([5; 16]);
    let withdraw = |office: &mut TestOffice| {
        let who = Who::Holder(&iin(1));
        office.ask(request, record, RequestKind::Withdraw, who, &calendar(), NOW).map(drop)
    };
    let dissolved =
        |seen: &Seen| seen.1.is_empty() && seen.0.iter().all(|(state, _)| *state == Some(State::Sealed));
    check_through(&machine, dissolved, withdraw);
    let mut office = open(&machine).expect("opened");
    withdraw(&mut office).expect("withdrawn");
    drop(office);
    check(&machine, |office| office.erase(record, request, registrar(), NOW).map(drop));
}

#[test]
fn drafts_over_their_time_are_destroyed_or_there() {
    let (machine, mut office) = founded();
    prepare(&mut office, 2);
    drop(office);
    let late = Time(NOW.0 + 91 * 24 * 3_600);
    let some =
        |seen: &Seen| seen.0.iter().all(|(state, _)| matches!(state, Some(State::Draft | State::Expired)));
    check_through(&machine, some, |office| office.sweep(late).map(drop));
}
