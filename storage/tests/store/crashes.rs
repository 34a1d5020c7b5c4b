//! A crash or a full disk at every single write, and a flipped bit in every single value. In memory, where
//! each of them can be had; the code above the tree is the same on disk.

use tanba_ledger::Height;
use tanba_storage::{MemoryStore, Store, StoreError, StoreReader};

use crate::rig::{Memory, Rig, commit, commit_to, everything, try_everything};

/// A store with history in every place: on disk, in memory, dead and dying.
fn lived_in() -> (Memory, MemoryStore) {
    let (rig, mut store) = Memory::founded();
    for height in 1..=20 {
        commit_to(&mut store, height);
        if height % 4 == 0 {
            store.write_behind().run().expect("written behind");
        }
    }
    commit_to(&mut store, 22);
    (rig, store)
}

fn copy(rig: &Memory) -> Memory {
    let copy = Memory { disk: rig.disk.copy() };
    copy.disk.crash();
    copy
}

#[test]
fn a_crash_at_any_write_of_a_commit_leaves_the_old_head_or_the_new() {
    let (rig, store) = lived_in();
    let before = everything(&store.reader(), 22);
    let size_bytes = copy(&rig).open().and_then(|store| store.size_bytes());
    let mut heads = [0, 0];
    for writes in 0.. {
        let mut rig = copy(&rig);
        let mut store = rig.open().expect("opened");
        rig.disk.fail_after(writes);
        let result = commit(&mut store, 20);
        rig.crash(store);
        rig.disk.heal();
        let mut store = rig.open().expect("whatever was written, the store opens");
        let head = store.reader().tip().header.height;
        heads[(head.0 - 22) as usize] += 1;
        if result.is_ok() {
            assert_eq!(head, Height(23), "what was said to be final is");
            break;
        }
        if head == Height(22) {
            assert_eq!(everything(&store.reader(), 22), before, "after {writes} writes");
            assert_eq!(store.size_bytes(), size_bytes, "nothing of block 23 is left after {writes} writes");
        }
        commit_to(&mut store, 24);
        everything(&store.reader(), 24);
    }
    assert!(heads[0] > 4 && heads[1] > 0, "both happened: {heads:?}");
}

/// Survival of unsynced writes by the bits of a number that a small generator makes of `seed`.
fn survivors(seed: u64) -> impl Fn(usize) -> bool {
    move |nth| {
        let mixed = (seed * 1_000 + nth as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 63 == 1
    }
}

#[test]
fn any_part_of_what_was_not_synced_may_survive_a_crash() {
    let (rig, _store) = lived_in();
    let writes = {
        let rig = copy(&rig);
        let mut store = rig.open().expect("opened");
        let before = rig.disk.writes();
        commit(&mut store, 20).expect("committed");
        rig.disk.writes() - before
    };
    let mut heads = [0, 0];
    for seed in 0..80 {
        let rig = copy(&rig);
        let mut store = rig.open().expect("opened");
        rig.disk.fail_after(seed % writes);
        commit(&mut store, 20).expect_err("the disk is full");
        rig.disk.crash_keeping(survivors(seed));
        rig.disk.heal();
        let mut store = rig.open().expect("opened");
        let head = store.reader().tip().header.height;
        heads[(head.0 - 22) as usize] += 1;
        commit_to(&mut store, 24);
        everything(&store.reader(), 24);
    }
    assert!(heads[0] > 0 && heads[1] > 0, "both happened: {heads:?}");
}

#[test]
fn a_crash_at_any_write_of_a_write_behind_changes_nothing_and_leaves_nothing() {
    let settle = |store: &mut MemoryStore| {
        commit_to(store, 40);
        store.write_behind().run().expect("written behind");
        commit_to(store, 58);
        store.write_behind().run().expect("written behind");
        (everything(&store.reader(), 58), store.size_bytes().expect("measured"))
    };
    let (rig, mut undisturbed) = lived_in();
    let crashed = copy(&rig);
    let expected = settle(&mut undisturbed);
    let mut rounds = 0;
    for writes in 0u64.. {
        let mut rig = Memory { disk: crashed.disk.copy() };
        rig.disk.fail_after(writes);
        // Opening applies again what is above the checkpoint and writes behind.
        let opened = rig.open();
        let done = opened.is_ok();
        match opened {
            Ok(store) => rig.crash(store),
            Err(_) => rig.disk.crash_keeping(survivors(writes)),
        }
        rig.disk.heal();
        let mut store = rig.open().expect("opened");
        assert_eq!(settle(&mut store), expected, "crash after {writes} writes");
        rounds += 1;
        if done {
            break;
        }
    }
    assert!(rounds > 10, "there were writes to crash at: {rounds}");
}

/// After a sync that failed the system remembers what the disk does not have. A store that builds on it loses what
/// it said was final.
#[test]
fn what_a_failed_sync_left_in_memory_is_built_on_by_nobody() {
    let (rig, store) = lived_in();
    let mut rounds = [0, 0];
    for syncs in 0.. {
        let rig = copy(&rig);
        let mut store = rig.open().expect("opened");
        rig.disk.fail_sync_after(syncs);
        let result = commit(&mut store, 20);
        let is_done = result.is_ok();
        drop(store);
        rig.disk.kill();
        rig.disk.heal();
        let mut store = rig.open().expect("whatever was written, the store opens");
        let head = store.reader().tip().header.height;
        assert!(head == Height(22) || head == Height(23));
        rounds[usize::from(head == Height(23))] += 1;
        commit_to(&mut store, 24);
        let before = everything(&store.reader(), 24);
        drop(store);
        rig.disk.crash();
        assert_eq!(everything(&rig.open().expect("opened").reader(), 24), before);
        if is_done {
            break;
        }
    }
    assert!(rounds[0] > 0 && rounds[1] > 0, "both happened: {rounds:?}");
    drop(store);
}

#[test]
fn after_the_first_error_every_call_fails() {
    let (rig, mut store) = Memory::founded();
    commit_to(&mut store, 2);
    let reader = store.reader();
    rig.disk.fail_after(1);
    assert!(matches!(commit(&mut store, 1), Err(StoreError::Io { .. })));
    rig.disk.heal();
    let (block, certificate, delta) = {
        let (_rig, mut other) = Memory::founded();
        commit_to(&mut other, 2);
        let reader = other.reader();
        crate::chain::next(&reader.tip(), &reader, 1)
    };
    assert!(matches!(store.commit(&block, &certificate, delta), Err(StoreError::Stopped(_))));
    assert!(matches!(reader.block(Height(1)), Err(StoreError::Stopped(_))));
    assert!(matches!(store.write_behind().run(), Err(StoreError::Stopped(_))));
    assert!(matches!(store.size_bytes(), Err(StoreError::Stopped(_))));
    assert_eq!(reader.tip().header.height, Height(2), "what was final is still known");
}

#[test]
fn a_failed_journal_takes_nothing_more() {
    let (rig, mut store) = Memory::founded();
    rig.disk.fail_after(0);
    assert!(matches!(store.journal().append(&[vec![1]]), Err(StoreError::Io { .. })));
    rig.disk.heal();
    assert!(matches!(store.journal().append(&[vec![1]]), Err(StoreError::Stopped(_))));
}

#[test]
fn a_flipped_bit_anywhere_is_found_or_does_no_harm() {
    let (rig, store) = lived_in();
    store.write_behind().run().expect("written behind");
    let truth = everything(&store.reader(), 22);
    drop(store);
    let rig = copy(&rig);
    let (mut found, mut harmless) = (0, 0);
    for nth in 0.. {
        let mut there = false;
        for byte in [0, 1_000_003] {
            let rig = Memory { disk: rig.disk.copy() };
            there |= rig.disk.corrupt(nth, byte);
            let read = rig.open().and_then(|store| try_everything(&store.reader(), 22));
            match read {
                Err(StoreError::Damaged { .. }) => found += 1,
                Err(other) => panic!("value {nth}, byte {byte}: {other}"),
                Ok(read) => {
                    assert_eq!(read, truth, "value {nth}, byte {byte}: never wrong data");
                    harmless += 1;
                }
            }
        }
        if !there {
            break;
        }
    }
    assert!(found > 10 * harmless, "nearly every value is read and checked: {found} to {harmless}");
}

#[test]
fn a_node_whose_store_was_lost_founds_it_anew_and_keeps_its_journal() {
    let (mut rig, mut store) = Memory::founded();
    store.journal().append(&[b"promise".to_vec()]).expect("appended");
    rig.crash(store);
    rig.disk.lose_store();
    let (genesis, delta) = crate::chain::genesis();
    rig.create(&genesis, delta).expect("founded");
    let mut store = rig.open().expect("opened");
    assert_eq!(store.journal().records(), Ok(vec![b"promise".to_vec()]));
}

/// A node that dies again and again before it has written enough for a write-behind of its own.
#[test]
fn however_often_a_node_dies_its_next_opening_has_no_more_to_do() {
    let (mut rig, mut store) = lived_in();
    let mut opened = Vec::new();
    for height in 23..103 {
        commit_to(&mut store, height);
        rig.crash(store);
        let before = rig.disk.writes();
        store = rig.open().expect("opened");
        opened.push(rig.disk.writes() - before);
        // The node's own thread begins with this.
        store.write_behind().run().expect("worked through");
    }
    // A state that grows makes for some more writes; lists that are never done, for more with every life.
    let early: u64 = opened[1..40].iter().sum();
    let late: u64 = opened[41..].iter().sum();
    assert!(late * 4 < early * 5, "openings write more and more: {opened:?}");
    let size_bytes = store.size_bytes().expect("measured");
    let (_, mut undisturbed) = lived_in();
    commit_to(&mut undisturbed, 102);
    for store in [&mut undisturbed, &mut store] {
        commit_to(store, 120);
        store.write_behind().run().expect("written behind");
        commit_to(store, 138);
        store.write_behind().run().expect("written behind");
    }
    assert!(store.size_bytes() == undisturbed.size_bytes(), "from {size_bytes}");
}
