//! The promise journal: nothing it took is lost, nothing that was lost goes unsaid.

use std::collections::BTreeSet;

use tanba_crypto::Hash;
use tanba_ledger::{BlockHash, ChainId};
use tanba_storage::{JournalCondition, Store, StoreError};

use crate::{
    chain,
    rig::{Memory, Rig, RigStore, over_both_stores},
};

over_both_stores!(
    records_outlive_a_crash,
    a_journal_cut_at_any_byte_keeps_the_records_before_the_cut,
    a_journal_goes_on_after_a_cut,
    damage_is_told_and_stops_the_journal_until_it_is_rewritten,
    a_missing_journal_is_told_and_not_made_by_opening,
    a_rewritten_journal_holds_the_new_records_alone,
    bodies_outlive_a_crash_until_they_are_forgotten,
    a_journal_is_made_once,
    a_journal_of_another_network_is_refused,
);

const BLOCK: BlockHash = BlockHash(Hash([5; 32]));

fn promises(n: u8) -> Vec<Vec<u8>> {
    (0..n).map(|i| vec![i; usize::from(i) * 3]).collect()
}

fn with_promises<R: Rig>(n: u8) -> (R, RigStore<R>) {
    let (rig, mut store) = R::founded();
    for promise in promises(n) {
        store.journal().append(&[promise]).expect("appended");
    }
    (rig, store)
}

fn records_outlive_a_crash<R: Rig>() {
    let (mut rig, mut store) = with_promises::<R>(4);
    store.journal().append(&[b"two".to_vec(), b"at once".to_vec()]).expect("appended");
    let size_bytes = store.journal().size_bytes();
    rig.crash(store);
    let mut store = rig.open().expect("opened");
    let mut expected = promises(4);
    expected.extend([b"two".to_vec(), b"at once".to_vec()]);
    assert_eq!(store.journal().condition(), JournalCondition::Whole);
    assert_eq!(store.journal().records(), Ok(expected));
    assert_eq!(store.journal().size_bytes(), size_bytes);
}

fn a_journal_cut_at_any_byte_keeps_the_records_before_the_cut<R: Rig>() {
    let (rig, mut store) = with_promises::<R>(2);
    let kept = store.journal().size_bytes() as usize;
    store.journal().append(&[b"cut short".to_vec()]).expect("appended");
    let length = store.journal().size_bytes() as usize;
    drop(store);
    for cut in (kept..length).rev() {
        rig.cut_journal(cut);
        let mut store = rig.open().expect("opened");
        assert_eq!(store.journal().condition(), JournalCondition::Whole, "cut at {cut}");
        assert_eq!(store.journal().records(), Ok(promises(2)), "cut at {cut}");
        assert_eq!(store.journal().size_bytes() as usize, kept);
        store.journal().append(&[b"cut short".to_vec()]).expect("appended in its place");
        drop(store);
        if cut % 8 != 0 {
            continue;
        }
        let mut store = rig.open().expect("opened");
        assert_eq!(store.journal().records().map(|records| records.len()), Ok(3));
    }
}

fn a_journal_goes_on_after_a_cut<R: Rig>() {
    let (mut rig, mut store) = with_promises::<R>(3);
    let length = store.journal().size_bytes() as usize;
    drop(store);
    rig.cut_journal(length - 1);
    let mut store = rig.open().expect("opened");
    store.journal().append(&[b"next".to_vec()]).expect("appended");
    rig.crash(store);
    let mut expected = promises(2);
    expected.push(b"next".to_vec());
    assert_eq!(rig.open().expect("opened").journal().records(), Ok(expected));
}

fn damage_is_told_and_stops_the_journal_until_it_is_rewritten<R: Rig>() {
    let (rig, mut store) = with_promises::<R>(5);
    let length = store.journal().size_bytes() as usize;
    drop(store);
    rig.flip_in_journal(length / 2);
    let mut store = rig.open().expect("a damaged journal keeps nobody from reading");
    let JournalCondition::Damaged { readable } = store.journal().condition() else {
        panic!("{:?}", store.journal().condition())
    };
    assert!(readable < 5);
    assert_eq!(store.journal().records(), Ok(promises(readable as u8)));
    assert_eq!(store.journal().append(&[vec![1]]), Err(StoreError::JournalLost("damaged")));
    assert_eq!(store.journal().put_body(BLOCK, b"body"), Err(StoreError::JournalLost("damaged")));
    store.journal().rewrite(&[b"abstain".to_vec()]).expect("rewritten");
    store.journal().append(&[b"then vote".to_vec()]).expect("appended");
    drop(store);
    let mut store = rig.open().expect("opened");
    assert_eq!(store.journal().condition(), JournalCondition::Whole);
    assert_eq!(store.journal().records(), Ok(vec![b"abstain".to_vec(), b"then vote".to_vec()]));
}

fn a_missing_journal_is_told_and_not_made_by_opening<R: Rig>() {
    let (rig, store) = with_promises::<R>(1);
    drop(store);
    rig.lose_journal();
    for _ in 0..2 {
        let mut store = rig.open().expect("opened");
        assert_eq!(store.journal().condition(), JournalCondition::Missing);
        assert_eq!(store.journal().records(), Ok(vec![]));
        assert_eq!(store.journal().size_bytes(), 0);
        assert_eq!(store.journal().body(&BLOCK), Ok(None));
        assert_eq!(store.journal().append(&[vec![1]]), Err(StoreError::JournalLost("missing")));
    }
    let mut store = rig.open().expect("opened");
    store.journal().rewrite(&[b"abstain".to_vec()]).expect("rewritten");
    store.journal().put_body(BLOCK, b"body").expect("put");
    drop(store);
    let mut store = rig.open().expect("opened");
    assert_eq!(store.journal().condition(), JournalCondition::Whole);
    assert_eq!(store.journal().records(), Ok(vec![b"abstain".to_vec()]));
}

fn a_rewritten_journal_holds_the_new_records_alone<R: Rig>() {
    let (mut rig, mut store) = with_promises::<R>(9);
    store.journal().put_body(BLOCK, b"body").expect("put");
    let before = store.journal().size_bytes();
    store.journal().rewrite(&promises(2)).expect("rewritten");
    assert!(store.journal().size_bytes() < before);
    store.journal().append(&[b"next".to_vec()]).expect("appended");
    rig.crash(store);
    let mut store = rig.open().expect("opened");
    let mut expected = promises(2);
    expected.push(b"next".to_vec());
    assert_eq!(store.journal().records(), Ok(expected));
    assert_eq!(store.journal().body(&BLOCK), Ok(Some(b"body".to_vec())), "bodies stay");
}

fn bodies_outlive_a_crash_until_they_are_forgotten<R: Rig>() {
    let (mut rig, mut store) = R::founded();
    let other = BlockHash(Hash([6; 32]));
    store.journal().put_body(BLOCK, &[1; 10_000]).expect("put");
    store.journal().put_body(other, b"").expect("put");
    store.journal().put_body(BLOCK, &[1; 10_000]).expect("put once more");
    rig.crash(store);
    let mut store = rig.open().expect("opened");
    assert_eq!(store.journal().body(&BLOCK), Ok(Some(vec![1; 10_000])));
    assert_eq!(store.journal().body(&other), Ok(Some(vec![])));
    store.journal().forget_bodies().expect("forgotten");
    assert_eq!(store.journal().body(&BLOCK), Ok(None));
    store.journal().put_body(other, b"of the next height").expect("put");
    rig.crash(store);
    let mut store = rig.open().expect("opened");
    assert_eq!(store.journal().condition(), JournalCondition::Whole);
    assert_eq!(store.journal().body(&BLOCK), Ok(None));
    assert_eq!(store.journal().body(&other), Ok(Some(b"of the next height".to_vec())));
}

fn a_journal_is_made_once<R: Rig>() {
    let (rig, store) = R::founded();
    drop(store);
    assert!(matches!(rig.create_journal(&chain::chain_id()), Err(StoreError::Exists(_))));
}

fn a_journal_of_another_network_is_refused<R: Rig>() {
    let rig = R::new();
    let (genesis, delta) = chain::genesis();
    rig.create(&genesis, delta).expect("founded");
    rig.create_journal(&ChainId(Hash([1; 32]))).expect("made");
    assert!(matches!(rig.open().err(), Some(StoreError::WrongNetwork { .. })));
}

#[test]
fn a_crash_at_any_write_of_a_rewrite_leaves_the_old_journal_or_the_new() {
    let mut seen = [false, false];
    for writes in 0..3 {
        let (mut rig, mut store) = with_promises::<Memory>(5);
        rig.disk.fail_after(writes);
        let result = store.journal().rewrite(&promises(1));
        rig.crash(store);
        rig.disk.heal();
        let found = rig.open().expect("opened").journal().records().expect("readable");
        assert_eq!(found, if result.is_ok() { promises(1) } else { promises(5) });
        seen[usize::from(result.is_ok())] = true;
    }
    assert_eq!(seen, [true, true]);
}

#[test]
fn an_append_that_failed_leaves_nothing_of_it() {
    let (mut rig, mut store) = with_promises::<Memory>(2);
    rig.disk.fail_after(0);
    let batch = [b"first of three".to_vec(), b"second".to_vec(), b"third".to_vec()];
    store.journal().append(&batch).expect_err("the disk is full");
    rig.crash(store);
    rig.disk.heal();
    let mut store = rig.open().expect("opened");
    assert_eq!(store.journal().condition(), JournalCondition::Whole);
    assert_eq!(store.journal().records(), Ok(promises(2)), "half the bytes, none of three records");
}

/// What a killed process had written, and what a sync failed for, is readable and may not be on the disk. Whoever is
/// told of it may act on it at once, so that it must be there after the power went.
#[test]
fn what_opening_reads_survives_a_power_cut() {
    for failed in [Failed::BeforeSync, Failed::InSync] {
        let (rig, mut store) = with_promises::<Memory>(2);
        match failed {
            Failed::BeforeSync => rig.disk.fail_after(1),
            Failed::InSync => rig.disk.fail_next_sync(),
        }
        store.journal().append(&[vec![2; 6]]).expect_err("not synced");
        rig.disk.kill();
        let read = rig.open().expect("opened").journal().records();
        assert_eq!(read, Ok(promises(3)), "written by the process that was killed");
        rig.disk.crash();
        let mut store = rig.open().expect("opened");
        assert_eq!(store.journal().condition(), JournalCondition::Whole);
        assert_eq!(store.journal().records(), read, "what was told once stays");
    }
}

/// How an append came to an end.
enum Failed {
    BeforeSync,
    InSync,
}

/// The same for bodies.
#[test]
fn bodies_that_opening_finds_survive_a_power_cut() {
    let (rig, mut store) = Memory::founded();
    rig.disk.fail_next_sync();
    store.journal().put_body(BLOCK, &[1; 3_000]).expect_err("not synced");
    rig.disk.kill();
    assert_eq!(rig.open().expect("opened").journal().body(&BLOCK), Ok(Some(vec![1; 3_000])));
    rig.disk.crash();
    assert_eq!(rig.open().expect("opened").journal().body(&BLOCK), Ok(Some(vec![1; 3_000])));
    assert_eq!(rig.disk.journal_bodies(&chain::chain_id()), BTreeSet::from([BLOCK]));
}

#[test]
fn damaged_bodies_make_a_journal_damaged() {
    let (rig, mut store) = crate::rig::Disk::founded();
    store.journal().append(&promises(1)).expect("appended");
    store.journal().put_body(BLOCK, b"body").expect("put");
    drop(store);
    let path = rig.path().join("journal/bodies");
    let mut bytes = std::fs::read(&path).expect("there are bodies");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&path, bytes).expect("written");
    let mut store = rig.open().expect("opened");
    assert_eq!(store.journal().condition(), JournalCondition::Damaged { readable: 1 });
    assert_eq!(store.journal().body(&BLOCK), Ok(None));
}
