//! The tables beside the records: apart from the vault's own, and in one copy with them.

mod support;

use support::{Crash, founded, open, opens, seal};
use tanba_storage::tree::Tree;
use tanba_vault::{Part, Suite};

const SUITE: Suite = Suite::ChaCha20;

#[test]
fn what_lies_beside_is_apart_from_the_records_whatever_its_name() {
    let (_, mut vault) = founded(SUITE);
    let beside = vault.beside();
    // Every byte by which a table of the vault could be named.
    for byte in 0..=u8::MAX {
        beside.insert(&[byte, 7], &[byte]).expect("stored");
    }
    seal(&mut vault, 0, 10).expect("sealed");
    assert_eq!(opens(&mut vault, 0), Part::ALL);
    assert_eq!(beside.keys(&[]).expect("listed").len(), 256, "the vault's own do not show");
    assert_eq!(beside.keys(&[3]).expect("listed"), [[3, 7]]);
    beside.remove(&[3, 7]).expect("removed");
    assert_eq!(beside.get(&[3, 7]).expect("readable"), None);
    assert_eq!(beside.get(&[4, 7]).expect("readable"), Some(vec![4]));
}

#[test]
fn one_barrier_covers_both() {
    let (machine, mut vault) = founded(SUITE);
    vault.beside().insert(b"written before", b"1").expect("stored");
    seal(&mut vault, 0, 10).expect("sealed");
    vault.beside().insert(b"written after", b"2").expect("stored");
    drop(vault);
    machine.crash(Crash::PowerCut);
    let beside = open(&machine, SUITE).expect("opened").beside();
    assert_eq!(beside.get(b"written before").expect("readable"), Some(b"1".to_vec()));
    assert_eq!(beside.get(b"written after").expect("readable"), None);
}
