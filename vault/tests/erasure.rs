//! That an erasure is true: everything that can be copied is copied, the record is erased, the epoch is turned, and
//! nothing that is left opens anything.

mod support;

use support::{
    Crash, LIMITATION, Machine, NOW, TestVault, founded, open, opens, random, read, record, seal, text,
};
use tanba_vault::{
    Destruction, Part, Suite, Time, VaultError,
    epoch_keys::{EPOCH_AGE_MAX_S, EpochKeys, WrappedKey},
    erase::{ConsentKept, Copies},
};

const SUITES: [Suite; 2] = [Suite::Kuznyechik, Suite::ChaCha20];

fn of(suite: Suite) -> (Machine, TestVault) {
    let (machine, mut vault) = founded(suite);
    for n in 0..3 {
        seal(&mut vault, n, 10 + u64::from(n)).expect("sealed");
    }
    (machine, vault)
}

/// What a thief opens with an old copy and the keys of today.
fn thief_opens(copy: &Machine, today: &Machine, n: u32, suite: Suite) -> Vec<Part> {
    let mut open_now = Vec::new();
    // An old copy as a whole, its slots alone, its database alone; each with the epoch keys of today.
    for old in [&["store", "slots"][..], &["store"], &["slots"]] {
        let machine = today.copy();
        old.iter().for_each(|what| machine.restore(what, copy));
        let Ok(mut vault) = open(&machine, suite) else { continue };
        open_now.extend(Part::ALL.into_iter().filter(|part| read(&mut vault, n, *part).is_ok()));
    }
    open_now
}

/// How many data keys a thief who writes a program of his own takes out of old slots with the epoch keys of today.
fn keys_unwrapped(copy: &Machine, today: &Machine, n: u32, suite: Suite) -> usize {
    let keys = support::keys(today, suite).expect("today's keys");
    let slots =
        copy.everything().into_iter().filter(|(name, _)| name.starts_with("slots")).flat_map(|it| it.1);
    let slots: Vec<u8> = slots.collect();
    let mut count = 0;
    for sector in slots.chunks(512).filter(|sector| sector[4..20] == record(n).0) {
        for part in Part::ALL {
            let wrapped = &sector[29 + (usize::from(part.number()) - 1) * 64..][..64];
            let nonce = wrapped[..16].try_into().expect("16 bytes");
            let wrapped = WrappedKey { nonce, sealed: wrapped[16..].try_into().expect("48 bytes") };
            let tag = tanba_crypto::Tag::VAULT_KEY.as_bytes();
            let vault = support::config(suite).vault.0;
            let associated = [tag, &vault, &record(n).0, &[part.number(), suite.number()], &[0, 1]].concat();
            for epoch in keys.epochs().expect("listed") {
                count += usize::from(keys.unwrap(epoch, &associated, &wrapped).expect("tried").is_some());
            }
        }
    }
    count
}

#[test]
fn after_an_erasure_and_the_epoch_no_copy_opens_with_any_key_there_is() {
    for suite in SUITES {
        let (machine, mut vault) = of(suite);
        let copy = machine.copy();
        vault.erase(record(1), LIMITATION, NOW).expect("erased");
        assert_eq!(opens(&mut vault, 1), [Part::Consent]);
        let late = machine.copy();
        // Until the epoch ends an older copy opens, and the certificate says until when.
        assert!(thief_opens(&copy, &machine, 1, suite).contains(&Part::Document), "the thief's way works");
        assert_eq!(keys_unwrapped(&copy, &machine, 1, suite), 5, "and so does the thief's program");
        assert_eq!(keys_unwrapped(&late, &machine, 1, suite), 1, "the consent's alone");
        let certificate = vault.certificate(record(1)).expect("readable").expect("erased");
        assert_eq!((certificate.live, certificate.how), (NOW, Destruction::Erased));
        assert_eq!(certificate.copies, Copies::EndBy(NOW.plus_s(EPOCH_AGE_MAX_S)));

        let later = NOW.plus_s(1_000);
        vault.turn_epoch(&[], later, &mut random(7)).expect("turned");
        let certificate = vault.certificate(record(1)).expect("readable").expect("erased");
        assert_eq!(certificate.copies, Copies::Ended(later));
        assert_eq!(certificate.consent, ConsentKept::LockedUntil(LIMITATION));
        drop(vault);
        for n in 0..3 {
            assert_eq!(thief_opens(&copy, &machine, n, suite), [], "record {n}, copied before");
            assert_eq!(keys_unwrapped(&copy, &machine, n, suite), 0, "record {n}, by a program");
        }
        assert_eq!(thief_opens(&late, &machine, 1, suite), [], "copied between erasure and turn");
        assert_eq!(keys_unwrapped(&late, &machine, 1, suite), 0);
        assert_eq!(keys_unwrapped(&machine, &machine, 1, suite), 1, "today's slots hold the consent's key");
        let mut vault = open(&machine, suite).expect("opened");
        assert_eq!(opens(&mut vault, 0), Part::ALL, "the others live");
        assert_eq!(opens(&mut vault, 1), [Part::Consent]);
    }
}

/// The wrapped keys of erased parts are in no file of the machine.
#[test]
fn the_keys_of_an_erased_record_are_overwritten_where_they_lay() {
    let (machine, mut vault) = of(Suite::Kuznyechik);
    let slots = |machine: &Machine| {
        machine.everything().into_iter().find(|it| it.0.starts_with("slots")).expect("there").1
    };
    let before = slots(&machine);
    let place = |part: Part| 512 + 29 + (usize::from(part.number()) - 1) * 64;
    vault.erase(record(1), LIMITATION, NOW).expect("erased");
    // Before anything is opened again, and so mended: confirmed is overwritten, also for the power to go.
    machine.crash(Crash::PowerCut);
    for part in Part::ALL {
        let key = &before[place(part)..place(part) + 64];
        assert!(key.iter().any(|byte| *byte != 0));
        let there = machine.everything().iter().any(|(_, bytes)| bytes.windows(64).any(|it| it == key));
        assert_eq!(there, part == Part::Consent, "the key of the {part}");
    }
}

#[test]
fn to_anonymise_takes_the_names_and_what_ties_to_the_ledger_and_can_be_followed_by_an_erasure() {
    for suite in SUITES {
        let (machine, mut vault) = of(suite);
        let copy = machine.copy();
        let first = vault.anonymise(record(2), LIMITATION, NOW).expect("anonymised");
        assert_eq!(first.how, Destruction::Anonymised);
        assert_eq!(opens(&mut vault, 2), [Part::Document, Part::Consent]);
        assert_eq!(vault.anonymise(record(2), Time(5), NOW.plus_s(9)), Ok(first), "done again, the same");
        vault.turn_epoch(&[], NOW, &mut random(7)).expect("turned");
        assert_eq!(thief_opens(&copy, &machine, 2, suite), []);
        let second = vault.erase(record(2), LIMITATION, NOW.plus_s(50)).expect("erased");
        assert_eq!((second.how, second.live), (Destruction::Erased, NOW.plus_s(50)));
        assert_eq!(opens(&mut vault, 2), [Part::Consent]);
        assert_eq!(vault.anonymise(record(2), LIMITATION, NOW), Ok(second), "what is erased stays erased");
    }
}

#[test]
fn an_erasure_done_again_gives_the_same_certificate_and_its_name_is_never_used_again() {
    let (machine, mut vault) = of(Suite::ChaCha20);
    let certificate = vault.erase(record(0), LIMITATION, NOW).expect("erased");
    let writes = machine.writes();
    assert_eq!(vault.erase(record(0), Time(7), NOW.plus_s(77)), Ok(certificate));
    assert_eq!(machine.writes(), writes, "the second time writes nothing");
    assert_eq!(seal(&mut vault, 0, 50), Err(VaultError::RecordExists(record(0))));
    let add = vault.add(record(0), Part::Document, &text(0, Part::Document), &mut random(3));
    assert_eq!(add, Err(VaultError::Destroyed(record(0), Part::Document)));
    assert_eq!(vault.certificate(record(1)), Ok(None));
}

#[test]
fn a_consent_ends_at_its_limitation_and_not_before() {
    let (_, mut vault) = of(Suite::ChaCha20);
    assert_eq!(vault.end_consent(record(0), LIMITATION).expect_err("it lives").code(), "limitation-runs");
    vault.erase(record(0), LIMITATION, NOW).expect("erased");
    assert_eq!(
        vault.end_consent(record(0), Time(LIMITATION.0 - 1)),
        Err(VaultError::LimitationRuns { record: record(0), until: LIMITATION })
    );
    let certificate = vault.end_consent(record(0), LIMITATION).expect("ended");
    assert!(matches!(certificate.consent, ConsentKept::Gone(LIMITATION, Copies::EndBy(_))));
    assert_eq!(certificate.live, NOW, "the erasure is as old as it was");
    assert_eq!(opens(&mut vault, 0), []);
    assert_eq!(vault.end_consent(record(0), LIMITATION.plus_s(9)), Ok(certificate));
}
