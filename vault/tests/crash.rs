//! A kill and a power cut at every single write of sealing, adding, erasing, anonymising, ending a consent, turning
//! the epoch and founding: afterwards the old or the new, and what was confirmed stays.

mod support;

use std::collections::BTreeSet;

use support::{
    Crash, LIMITATION, Machine, NOW, TestVault, create, founded, officer, open, opens, random, read, record,
    seal, text,
};
use tanba_vault::{
    ActId, Addition, Draft, Epoch, Hold, Part, RequestId, Suite, VaultError,
    calendar::Calendar,
    register::{Outcome, RequestKind},
};

const SUITE: Suite = Suite::ChaCha20;

/// What a test can see of a vault: which parts of records 0 to 2 open.
type Seen = Vec<Vec<Part>>;

fn seen(vault: &mut TestVault) -> Seen {
    for n in 0..3 {
        let Ok(standing) = vault.standing(record(n)) else { continue };
        let certificate = vault.certificate(record(n)).expect("readable");
        assert_eq!(standing.destroyed, certificate.map(|it| it.how), "what is destroyed has its certificate");
    }
    (0..3).map(|n| opens(vault, n)).collect()
}

const CRASHES: [Crash; 7] = [
    Crash::Kill,
    Crash::PowerCut,
    Crash::PowerCutKeeping(u64::MAX),
    Crash::PowerCutKeeping(0x5555_5555_5555_5555),
    Crash::PowerCutKeeping(0xaaaa_aaaa_aaaa_aaaa),
    Crash::PowerCutKeeping(0x0123_4567_89ab_cdef),
    Crash::PowerCutKeeping(0xfedc_ba98_7654_3210),
];

/// Runs `act` once whole and then with a crash at each of its writes, and a second crash at each write of the opening
/// after it. `before` sets the vault up.
fn check(before: impl Fn(&mut TestVault), act: impl Fn(&mut TestVault) -> Result<(), VaultError>) {
    let (machine, mut vault) = founded(SUITE);
    before(&mut vault);
    let old = seen(&mut vault);
    drop(vault);
    let whole = machine.copy();
    let mut vault = open(&whole, SUITE).expect("opened");
    let from = whole.writes();
    act(&mut vault).expect("nothing fails");
    let writes = whole.writes() - from;
    let new = seen(&mut vault);
    assert_ne!(old, new, "the act shows");
    assert!(writes > 3, "the act writes");
    let mut crashed = [0, 0];
    for crash in CRASHES {
        for at in 0..=writes {
            let machine = machine.copy();
            let mut vault = open(&machine, SUITE).expect("opened");
            machine.fail_after(at);
            let confirmed = act(&mut vault).is_ok();
            drop(vault);
            machine.crash(crash);
            // Quadratic, so for three kinds of crash.
            if matches!(crash, Crash::Kill | Crash::PowerCut | Crash::PowerCutKeeping(0x0123_4567_89ab_cdef))
            {
                crash_while_opening(&machine, confirmed, &old, &new);
            }
            let found = reopened(&machine, confirmed, &old, &new, &format!("{crash:?} at write {at}"));
            crashed[usize::from(found == new)] += 1;
        }
    }
    assert!(
        crashed.iter().all(|count| *count > 0),
        "crashes left the old {} times, the new {}",
        crashed[0],
        crashed[1]
    );
}

/// The power goes at each write of the opening: what a killed process left unsynced was no ground to build on.
fn crash_while_opening(machine: &Machine, confirmed: bool, old: &Seen, new: &Seen) {
    let trial = machine.copy();
    let from = trial.writes();
    drop(open(&trial, SUITE).expect("opened"));
    for at in 0..trial.writes() - from {
        let machine = machine.copy();
        machine.fail_after(at);
        drop(open(&machine, SUITE));
        machine.crash(Crash::PowerCut);
        let when = format!("a power cut at write {at} of the opening");
        let mut vault = open(&machine, SUITE).unwrap_or_else(|error| panic!("{when}: {error}"));
        let found = seen(&mut vault);
        assert!(found == *new || (found == *old && !confirmed), "{when}, confirmed {confirmed}: {found:?}");
    }
}

/// Opens, looks, and cuts the power once more: nothing seen may go.
fn reopened(machine: &Machine, confirmed: bool, old: &Seen, new: &Seen, when: &str) -> Seen {
    let mut vault = open(machine, SUITE).unwrap_or_else(|error| panic!("{when}: {error}"));
    let found = seen(&mut vault);
    assert!(found == *new || (found == *old && !confirmed), "{when}, confirmed {confirmed}: {found:?}");
    // And it works on.
    seal(&mut vault, 9, 99).unwrap_or_else(|error| panic!("{when}: {error}"));
    drop(vault);
    machine.crash(Crash::PowerCut);
    let mut vault = open(machine, SUITE).unwrap_or_else(|error| panic!("{when}, later: {error}"));
    assert_eq!(seen(&mut vault), found, "{when}: what was seen stays");
    assert_eq!(opens(&mut vault, 9), Part::ALL);
    found
}

fn two_records(vault: &mut TestVault) {
    seal(vault, 0, 10).expect("sealed");
    seal(vault, 1, 11).expect("sealed");
}

#[test]
fn a_record_is_sealed_or_not_there() {
    check(two_records, |vault| seal(vault, 2, 12));
}

#[test]
fn each_record_of_a_batch_is_sealed_or_not_there() {
    let texts = Part::ALL.map(|part| [0, 1, 2].map(|n| (part, text(n, part))));
    let parts = [0, 1, 2].map(|n| texts.each_ref().map(|it| (it[n].0, &it[n].1[..])));
    let drafts: Vec<Draft<'_>> =
        parts.iter().zip(0..).map(|(parts, n)| Draft { record: record(n), parts }).collect();
    let (empty, _) = founded(SUITE);
    for crash in CRASHES {
        for at in 0.. {
            let machine = empty.copy();
            let mut vault = open(&machine, SUITE).expect("opened");
            machine.fail_after(at);
            let confirmed = vault.seal(&drafts, NOW, &mut random(5)).is_ok();
            drop(vault);
            machine.crash(crash);
            let mut vault =
                open(&machine, SUITE).unwrap_or_else(|error| panic!("{crash:?} at {at}: {error}"));
            for parts in seen(&mut vault) {
                assert!(
                    parts == Part::ALL || (parts.is_empty() && !confirmed),
                    "{crash:?} at {at}: {parts:?}"
                );
            }
            if confirmed {
                break;
            }
        }
    }
}

#[test]
fn a_part_is_added_or_missing() {
    let before = |vault: &mut TestVault| {
        two_records(vault);
        let document = text(2, Part::Document);
        let draft = Draft { record: record(2), parts: &[(Part::Document, &document)] };
        vault.seal(&[draft], NOW, &mut random(12)).expect("sealed");
    };
    check(before, |vault| vault.add(record(2), Part::Consent, &text(2, Part::Consent), &mut random(13)));
}

#[test]
fn each_part_of_several_is_added_or_missing() {
    let (machine, mut vault) = founded(SUITE);
    let documents = [0, 1, 2].map(|n| text(n, Part::Document));
    let consents = [0, 1, 2].map(|n| text(n, Part::Consent));
    let parts = documents.each_ref().map(|text| [(Part::Document, &text[..])]);
    let drafts: Vec<Draft<'_>> =
        parts.iter().zip(0..).map(|(parts, n)| Draft { record: record(n), parts }).collect();
    vault.seal(&drafts, NOW, &mut random(5)).expect("sealed");
    let added: Vec<Addition<'_>> = consents
        .iter()
        .zip(0..)
        .map(|(text, n)| Addition { record: record(n), part: Part::Consent, text })
        .collect();
    let (one, twice) = (added[0], [added[1], added[1]]);
    let slots = |machine: &Machine| {
        machine.everything().into_iter().find(|(name, _)| name.starts_with("slots/")).expect("slots").1
    };
    let (before, mut left) = (slots(&machine), 0);
    assert_eq!(vault.add_all(&twice, &mut random(6)), Err(VaultError::RecordExists(record(1))));
    drop(vault);
    for crash in CRASHES {
        for at in 0.. {
            let machine = machine.copy();
            let mut vault = open(&machine, SUITE).expect("opened");
            machine.fail_after(at);
            let confirmed = vault.add_all(&added, &mut random(6)).is_ok();
            drop(vault);
            machine.crash(crash);
            left += usize::from(slots(&machine) != before);
            let mut vault =
                open(&machine, SUITE).unwrap_or_else(|error| panic!("{crash:?} at {at}: {error}"));
            if seen(&mut vault).iter().all(|parts| parts == &[Part::Document]) {
                assert!(slots(&machine) == before, "{crash:?} at {at}: a key of what never came to be");
            }
            for parts in seen(&mut vault) {
                let both = parts == [Part::Document, Part::Consent];
                assert!(both || (parts == [Part::Document] && !confirmed), "{crash:?} at {at}: {parts:?}");
            }
            if confirmed {
                let again = vault.add_all(&[one], &mut random(7));
                assert_eq!(again, Err(VaultError::PartExists(record(0), Part::Consent)));
                break;
            }
        }
    }
    assert!(left > 0, "keys were left to remove");
}

#[test]
fn a_record_is_whole_or_erased_and_once_erased_stays_so() {
    check(two_records, |vault| vault.erase(record(0), LIMITATION, NOW).map(drop));
}

#[test]
fn a_record_names_its_person_or_nobody() {
    check(two_records, |vault| vault.anonymise(record(1), LIMITATION, NOW).map(drop));
}

#[test]
fn an_anonymised_record_is_erased_or_as_it_was() {
    let before = |vault: &mut TestVault| {
        two_records(vault);
        vault.anonymise(record(1), LIMITATION, NOW).expect("anonymised");
    };
    check(before, |vault| vault.erase(record(1), LIMITATION, NOW).map(drop));
}

#[test]
fn a_consent_is_locked_or_gone() {
    let before = |vault: &mut TestVault| {
        two_records(vault);
        vault.erase(record(1), LIMITATION, NOW).expect("erased");
    };
    check(before, |vault| vault.end_consent(record(1), LIMITATION).map(drop));
}

/// The slot that an erased record left is used again at once.
#[test]
fn a_record_is_sealed_into_a_used_slot_or_not_there() {
    let before = |vault: &mut TestVault| {
        two_records(vault);
        vault.erase(record(0), NOW, NOW).expect("erased");
        vault.end_consent(record(0), NOW).expect("ended");
    };
    check(before, |vault| seal(vault, 2, 12));
}

#[test]
fn an_epoch_is_the_old_or_the_new_and_no_key_of_another_is_left() {
    let (machine, mut vault) = founded(SUITE);
    two_records(&mut vault);
    vault.erase(record(0), LIMITATION, NOW).expect("erased");
    let old = seen(&mut vault);
    drop(vault);
    let whole = machine.copy();
    let mut vault = open(&whole, SUITE).expect("opened");
    let from = whole.writes();
    vault.turn_epoch(&[], NOW, &mut random(20)).expect("turned");
    let writes = whole.writes() - from;
    let mut found = [0, 0];
    for crash in CRASHES {
        for at in 0..=writes {
            let machine = machine.copy();
            let mut vault = open(&machine, SUITE).expect("opened");
            machine.fail_after(at);
            let confirmed = vault.turn_epoch(&[], NOW, &mut random(20)).is_ok();
            drop(vault);
            machine.crash(crash);
            // Before anything is opened again, and so mended.
            assert!(!confirmed || only_epoch(&machine, Epoch(2)), "{crash:?} at {at}");
            if matches!(crash, Crash::Kill | Crash::PowerCut) {
                crash_while_opening(&machine, true, &old, &old);
            }
            let mut vault =
                open(&machine, SUITE).unwrap_or_else(|error| panic!("{crash:?} at {at}: {error}"));
            assert_eq!(seen(&mut vault), old, "{crash:?} at {at}");
            let (epoch, _) = vault.epoch();
            assert!(epoch == Epoch(2) || !confirmed);
            found[epoch.0 as usize - 1] += 1;
            assert!(only_epoch(&machine, epoch), "{crash:?} at {at}");
        }
    }
    assert!(found.iter().all(|count| *count > 0), "both epochs are met: {found:?}");
}

/// Whether the machine has the key and the slots of `epoch` and of no other.
fn only_epoch(machine: &Machine, epoch: Epoch) -> bool {
    let files: Vec<String> = machine.everything().into_iter().map(|(name, _)| name).collect();
    ["keys/epoch", "slots/slots"].iter().all(|kind| {
        let here: Vec<&String> = files.iter().filter(|name| name.starts_with(kind)).collect();
        here == [&format!("{kind}.{:016x}", epoch.0)]
    })
}

#[test]
fn a_founding_cut_short_is_done_again() {
    let whole = Machine::default();
    create(&whole, SUITE).expect("founded");
    for crash in CRASHES {
        for at in 0..whole.writes() {
            let machine = Machine::default();
            machine.fail_after(at);
            assert!(create(&machine, SUITE).is_err());
            machine.crash(crash);
            match create(&machine, SUITE) {
                Ok(()) | Err(VaultError::Exists) => {}
                Err(error) => panic!("{crash:?} at {at}: {error}"),
            }
            let mut vault =
                open(&machine, SUITE).unwrap_or_else(|error| panic!("{crash:?} at {at}: {error}"));
            seal(&mut vault, 0, 10).expect("sealed");
        }
    }
}

/// What is known of record 0 and of request 1 without opening anything.
fn known(vault: &TestVault) -> String {
    let request = vault.request(RequestId([1; 16]));
    format!("{:?} {request:?} {:?}", vault.standing(record(0)), vault.open_requests())
}

type Act = fn(&mut TestVault) -> Result<(), VaultError>;

fn enter(vault: &mut TestVault) -> Result<(), VaultError> {
    let (first, last) = (20_000, 21_000);
    let calendar =
        Calendar { first, last, free: BTreeSet::new(), worked: BTreeSet::new(), local_ahead_s: 18_000 };
    vault.enter(RequestId([1; 16]), Some(record(0)), RequestKind::Withdraw, NOW, &calendar).map(drop)
}

fn hold(vault: &mut TestVault) -> Result<(), VaultError> {
    let hold = Hold { act: ActId([3; 32]), until: LIMITATION, officers: [officer(1), officer(2)] };
    vault.hold(record(0), hold, NOW)
}

/// Restrictions, holds and the register: each change is there or not, and once confirmed stays.
#[test]
fn small_acts_are_done_or_not() {
    let acts: [(Act, Act); 6] = [
        (|_| Ok(()), |vault| vault.restrict(record(0), NOW)),
        (|vault| vault.restrict(record(0), NOW), |vault| vault.unrestrict(record(0))),
        (|_| Ok(()), hold),
        (hold, |vault| vault.lift_hold(record(0), [officer(1), officer(2)])),
        (|_| Ok(()), enter),
        (enter, |vault| vault.close(RequestId([1; 16]), Outcome::Done, officer(1), NOW)),
    ];
    for (before, act) in acts {
        let (set_up, mut vault) = founded(SUITE);
        seal(&mut vault, 0, 10).expect("sealed");
        before(&mut vault).expect("set up");
        let old = known(&vault);
        drop(vault);
        for crash in CRASHES {
            for at in 0.. {
                let machine = set_up.copy();
                let mut vault = open(&machine, SUITE).expect("opened");
                machine.fail_after(at);
                let confirmed = act(&mut vault).is_ok();
                let new = known(&vault);
                drop(vault);
                machine.crash(crash);
                let found = known(&open(&machine, SUITE).expect("opened"));
                assert!(found == new || (found == old && !confirmed), "{crash:?} at {at}: {found}");
                if confirmed {
                    assert_ne!(old, new, "the act shows");
                    break;
                }
            }
        }
    }
}

/// What was opened is in the log and in the quota, whatever happens then; what could not be logged stays closed.
#[test]
fn nothing_is_opened_that_the_log_may_forget() {
    let (set_up, mut vault) = founded(SUITE);
    seal(&mut vault, 0, 10).expect("sealed");
    drop(vault);
    for crash in CRASHES {
        for at in 0.. {
            let machine = set_up.copy();
            let mut vault = open(&machine, SUITE).expect("opened");
            machine.fail_after(at);
            let opened = read(&mut vault, 0, Part::Identity).is_ok();
            drop(vault);
            machine.crash(crash);
            let lines = open(&machine, SUITE).expect("opened").disclosures(record(0)).expect("readable");
            assert!(!opened || lines.len() == 1, "{crash:?} at {at}");
            if opened {
                assert!(at > 1, "the log was written first");
                break;
            }
        }
    }
}

#[test]
fn a_vault_that_failed_once_does_nothing_more_until_it_is_opened_again() {
    let (machine, mut vault) = founded(SUITE);
    machine.fail_after(0);
    assert_eq!(seal(&mut vault, 0, 10).expect_err("no power").code(), "io");
    machine.crash(Crash::Kill);
    assert_eq!(seal(&mut vault, 0, 10), Err(VaultError::Stopped));
    let mut vault = open(&machine, SUITE).expect("opened");
    seal(&mut vault, 0, 10).expect("sealed");
}
