//! Whatever lies on disk and was not sealed so is refused, each kind by its own code; and errors name nobody.

mod support;

use support::{LIMITATION, Machine, NOW, TestVault, founded, keys, open, random, read, record, seal};
use tanba_vault::{Part, Suite, VaultError, folder::SECTOR_BYTES};

const SUITES: [Suite; 2] = [Suite::Kuznyechik, Suite::ChaCha20];
const PART_TABLE: u8 = 0x10;
const WRAPPED_BYTES: usize = 64;
const KEYS_AT: usize = 29;

fn two_records(suite: Suite) -> (Machine, TestVault) {
    let (machine, mut vault) = founded(suite);
    seal(&mut vault, 0, 10).expect("sealed");
    seal(&mut vault, 1, 11).expect("sealed");
    (machine, vault)
}

fn part_key(n: u32, part: Part) -> Vec<u8> {
    [&[PART_TABLE], &record(n).0[..], &[part.number()]].concat()
}

fn code(vault: &mut TestVault, n: u32, part: Part) -> &'static str {
    let error = read(vault, n, part).expect_err("refused");
    let words = format!("{error} {error:?}");
    assert!(!words.contains("Айгерім"), "{words}");
    error.code()
}

/// Makes the checksum of a sector fit what was changed in it.
fn reseal(sector: &mut [u8]) {
    let checksum = crc32c::crc32c(&sector[..SECTOR_BYTES - 4]).to_be_bytes();
    sector[SECTOR_BYTES - 4..SECTOR_BYTES].copy_from_slice(&checksum);
}

#[test]
fn parts_swapped_between_records_and_within_one_are_forged() {
    for suite in SUITES {
        let (machine, mut vault) = two_records(suite);
        machine.tamper_tree(|tree| {
            let (one, other) = (part_key(0, Part::Identity), part_key(1, Part::Identity));
            let (a, b) = (tree[&one].clone(), tree[&other].clone());
            tree.extend([(one, b), (other, a)]);
            let (one, other) = (part_key(0, Part::Consent), part_key(0, Part::Seal));
            let (a, b) = (tree[&one].clone(), tree[&other].clone());
            tree.extend([(one, b), (other, a)]);
        });
        for (n, part) in [(0, Part::Identity), (1, Part::Identity), (0, Part::Consent), (0, Part::Seal)] {
            assert_eq!(code(&mut vault, n, part), "part-forged");
        }
        assert!(read(&mut vault, 1, Part::Consent).is_ok());
    }
}

#[test]
fn a_flipped_bit_anywhere_in_a_part_is_seen() {
    for suite in SUITES {
        let (machine, mut vault) = two_records(suite);
        let key = part_key(0, Part::Opening);
        let mut length = 0;
        machine.tamper_tree(|tree| length = tree[&key].len());
        for at in 0..length {
            let flip = || machine.tamper_tree(|tree| tree.get_mut(&key).expect("there")[at] ^= 1 << (at % 8));
            flip();
            assert_eq!(code(&mut vault, 0, Part::Opening), "part-forged");
            flip();
        }
        assert!(read(&mut vault, 0, Part::Opening).is_ok());
    }
}

#[test]
fn a_part_cut_short_or_gone_is_truncated() {
    let (machine, mut vault) = two_records(Suite::Kuznyechik);
    machine.tamper_tree(|tree| {
        assert!(tree.get_mut(&part_key(0, Part::Opening)).expect("there").pop().is_some())
    });
    machine.tamper_tree(|tree| drop(tree.remove(&part_key(1, Part::Opening))));
    assert_eq!(code(&mut vault, 0, Part::Opening), "part-truncated");
    assert_eq!(code(&mut vault, 1, Part::Opening), "part-truncated");
    // The second piece of a long part.
    let second = [&part_key(0, Part::Document)[..], &[0, 1]].concat();
    machine.tamper_tree(|tree| assert!(tree.remove(&second).is_some()));
    assert_eq!(code(&mut vault, 0, Part::Document), "damaged");
}

#[test]
fn a_flipped_bit_anywhere_in_a_slot_is_seen() {
    let (machine, mut vault) = two_records(Suite::ChaCha20);
    for at in 0..SECTOR_BYTES {
        machine.tamper("slots", |slots| slots[at] ^= 1);
        assert_eq!(code(&mut vault, 0, Part::Opening), "slot-damaged", "byte {at}");
        machine.tamper("slots", |slots| slots[at] ^= 1);
    }
    machine.tamper("slots", |slots| slots.truncate(SECTOR_BYTES + 100));
    assert_eq!(code(&mut vault, 1, Part::Opening), "slot-damaged");
    assert!(read(&mut vault, 0, Part::Opening).is_ok());
}

#[test]
fn swapped_slots_are_foreign_and_hinder_an_erasure_that_would_not_be_true() {
    let (machine, mut vault) = two_records(Suite::ChaCha20);
    machine.tamper("slots", |slots| slots.rotate_left(SECTOR_BYTES));
    assert_eq!(code(&mut vault, 0, Part::Opening), "slot-foreign");
    assert_eq!(vault.erase(record(0), LIMITATION, NOW), Err(VaultError::SlotForeign(record(0))));
    assert_eq!(vault.turn_epoch(&[], NOW, &mut random(3)), Err(VaultError::SlotForeign(record(0))));
    machine.tamper("slots", |slots| slots.rotate_left(SECTOR_BYTES));
    assert!(read(&mut vault, 0, Part::Opening).is_ok(), "nothing was destroyed by what was refused");
    vault.turn_epoch(&[], NOW, &mut random(3)).expect("turned");
}

#[test]
fn wrapped_keys_swapped_or_flipped_under_a_right_checksum_are_forged() {
    for suite in SUITES {
        let (machine, mut vault) = two_records(suite);
        let place = |part: Part| KEYS_AT + (usize::from(part.number()) - 1) * WRAPPED_BYTES;
        // The keys of two parts of one record, and of one part of two.
        machine.tamper("slots", |slots| {
            for n in 0..WRAPPED_BYTES {
                slots.swap(place(Part::Consent) + n, place(Part::Seal) + n);
                slots.swap(place(Part::Opening) + n, SECTOR_BYTES + place(Part::Opening) + n);
            }
            slots.chunks_mut(SECTOR_BYTES).for_each(reseal);
        });
        for (n, part) in [(0, Part::Consent), (0, Part::Seal), (0, Part::Opening), (1, Part::Opening)] {
            assert_eq!(code(&mut vault, n, part), "key-forged");
        }
        for byte in 1..WRAPPED_BYTES {
            let at = place(Part::Identity) + byte;
            // ChaCha20 takes the first 12 bytes of the nonce alone.
            if suite == Suite::ChaCha20 && (12..16).contains(&byte) {
                continue;
            }
            let flip = || {
                machine.tamper("slots", |slots| {
                    slots[at] ^= 4;
                    reseal(&mut slots[..SECTOR_BYTES]);
                });
            };
            flip();
            assert_eq!(code(&mut vault, 0, Part::Identity), "key-forged", "byte {byte}");
            flip();
        }
        assert!(read(&mut vault, 0, Part::Identity).is_ok());
        // A key taken away.
        machine.tamper("slots", |slots| {
            slots[KEYS_AT - 1] &= !(1 << (Part::Identity.number() - 1));
            reseal(&mut slots[..SECTOR_BYTES]);
        });
        assert_eq!(code(&mut vault, 0, Part::Identity), "key-missing");
    }
}

#[test]
fn a_damaged_slot_stops_a_turn_until_its_record_is_given_up() {
    let (machine, mut vault) = two_records(Suite::ChaCha20);
    machine.tamper("slots", |slots| slots[100] ^= 1);
    assert_eq!(vault.turn_epoch(&[], NOW, &mut random(3)), Err(VaultError::SlotDamaged(record(0))));
    assert_eq!(
        keys(&machine, Suite::ChaCha20).map(|keys| format!("{keys:?}").contains("Epoch(2)")),
        Ok(false)
    );
    vault.turn_epoch(&[record(0)], NOW, &mut random(3)).expect("turned");
    assert_eq!(code(&mut vault, 0, Part::Opening), "slot-damaged");
    assert!(read(&mut vault, 1, Part::Opening).is_ok());
}

#[test]
fn epoch_keys_damaged_foreign_or_gone_have_their_codes() {
    let (machine, vault) = two_records(Suite::ChaCha20);
    drop(vault);
    let damaged = machine.copy();
    damaged.tamper("keys", |key| key[10] ^= 1);
    let mut vault = open(&damaged, Suite::ChaCha20).expect("opened");
    assert_eq!(code(&mut vault, 0, Part::Opening), "epoch-key-damaged");

    let (stranger, _) = founded(Suite::Kuznyechik);
    stranger.tamper_tree(|_| {});
    let foreign = machine.copy();
    foreign.restore("keys", &stranger);
    let mut vault = open(&foreign, Suite::ChaCha20).expect("opened");
    assert_eq!(code(&mut vault, 0, Part::Opening), "key-forged");

    let gone = machine.copy();
    gone.restore("keys", &Machine::default());
    assert_eq!(open(&gone, Suite::ChaCha20).expect_err("refused").code(), "epoch-key-missing");
    assert_eq!(open(&Machine::default(), Suite::ChaCha20).expect_err("refused").code(), "no-vault");
}

/// Such bytes no crash leaves; they are refused where they are read, and nothing is reckoned from them.
#[test]
fn a_record_that_names_a_slot_no_vault_has_is_damage() {
    let (machine, vault) = two_records(Suite::ChaCha20);
    drop(vault);
    let key = [&[0x11][..], &record(0).0].concat();
    for slot in [tanba_vault::SLOTS_MAX, u32::MAX] {
        machine.tamper_tree(|tree| {
            let value = &tree[&key];
            let mut bytes = value[..value.len() - 4].to_vec();
            bytes[1..5].copy_from_slice(&slot.to_be_bytes());
            tree.extend(tanba_storage::value::sealed(key.clone(), &bytes));
        });
        assert_eq!(open(&machine, Suite::ChaCha20).expect_err("refused").code(), "damaged", "{slot}");
    }
}

/// A database that lost its latest records must not make the vault destroy their keys.
#[test]
fn slots_newer_than_the_database_are_kept_and_named() {
    let (machine, vault) = two_records(Suite::ChaCha20);
    drop(vault);
    let (empty, _) = founded(Suite::ChaCha20);
    let older = machine.copy();
    older.restore("store", &empty);
    assert_eq!(open(&older, Suite::ChaCha20).expect_err("refused").code(), "damaged");
    older.restore("store", &machine);
    let mut vault = open(&older, Suite::ChaCha20).expect("opened");
    assert!(read(&mut vault, 0, Part::Document).is_ok());
}

#[test]
fn bad_drafts_are_refused_before_anything_is_written() {
    let (machine, mut vault) = two_records(Suite::ChaCha20);
    let before = machine.writes();
    fn draft<'a>(n: u32, parts: &'a [(Part, &'a [u8])]) -> tanba_vault::Draft<'a> {
        tanba_vault::Draft { record: record(n), parts }
    }
    let large = vec![1; tanba_vault::PART_BYTES_MAX + 1];
    let (empty, large): (&[u8], &[u8]) = (&[], &large);
    let cases = [
        (vec![draft(0, &[(Part::Seal, b"x")])], "record-exists"),
        (vec![draft(5, &[(Part::Seal, b"x")]), draft(5, &[(Part::Seal, b"x")])], "record-exists"),
        (vec![draft(5, &[(Part::Seal, b"x"), (Part::Seal, b"y")])], "part-exists"),
    ];
    for (drafts, expected) in cases {
        let error = vault.seal(&drafts, NOW, &mut random(5)).expect_err("refused");
        assert_eq!(error.code(), expected);
    }
    for text in [empty, large] {
        let error = vault.seal(&[draft(5, &[(Part::Seal, text)])], NOW, &mut random(5)).expect_err("refused");
        assert_eq!(error.code(), "part-size");
    }
    let many: Vec<_> = (10..139).map(|n| draft(n, &[])).collect();
    assert_eq!(vault.seal(&many, NOW, &mut random(5)).expect_err("refused").code(), "too-many");
    assert_eq!(
        vault.add(record(0), Part::Seal, b"x", &mut random(5)).expect_err("refused").code(),
        "part-exists"
    );
    assert_eq!(machine.writes(), before);
}
