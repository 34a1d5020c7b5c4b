//! Damaged stores are set aside, kept while they may be needed, and never pile up.

use std::fs;

use tanba_ledger::Height;
use tanba_storage::{
    DiskStore, Store, StoreError, StoreReader,
    disk::aside::{ASIDE_MAX, Found, NOTE},
};

use crate::{
    chain,
    rig::{Disk, Rig, commit_to, everything},
};

const FOUND: Found<'static> = Found { what: "a bit flipped", when: "today", head: None };

fn set_aside(rig: &Disk) -> Result<std::path::PathBuf, StoreError> {
    DiskStore::set_aside(rig.path(), &FOUND)
}

fn create(rig: &Disk) {
    let (genesis, delta) = chain::genesis();
    rig.create(&genesis, delta).expect("made anew");
}

#[test]
fn a_store_set_aside_says_why_keeps_all_it_had_and_makes_room_for_another() {
    let (rig, mut store) = Disk::founded();
    commit_to(&mut store, 4);
    let had = everything(&store.reader(), 4);
    assert!(matches!(set_aside(&rig), Err(StoreError::InUse(_))), "not while it is open");
    drop(store);
    let aside = set_aside(&rig).expect("set aside");
    assert!(!DiskStore::exists(rig.path()));
    let note = fs::read_to_string(aside.join(NOTE)).expect("a note");
    assert_eq!(note, "found: a bit flipped\nwhen: today\nhead: 4\n");

    create(&rig);
    let store = rig.open().expect("opened");
    assert_eq!((store.reader().tip().header.height, store.head_once()), (Height(0), Height(4)));
    drop(store);
    fs::remove_dir_all(rig.path().join("store")).expect("removed");
    fs::rename(&aside, rig.path().join("store")).expect("put back");
    let store = rig.open().expect("it is as it was, note or not");
    assert_eq!(everything(&store.reader(), 4), had);
}

#[test]
fn what_was_set_aside_stays_until_it_is_passed_and_then_the_last_alone() {
    let (rig, store) = Disk::founded();
    drop(store);
    for number in 1..=ASIDE_MAX {
        let aside = set_aside(&rig).expect("set aside");
        assert_eq!(
            aside.file_name().and_then(|name| name.to_str()),
            Some(&*format!("store.damaged-{number}"))
        );
        create(&rig);
    }
    let refusal = set_aside(&rig).expect_err("a disk that rots each time");
    assert!(matches!(refusal, StoreError::TooManyAside { kept: ASIDE_MAX, .. }), "{refusal}");
    assert!(DiskStore::exists(rig.path()), "it stays where it is");

    for _ in 0..2 {
        let kept = DiskStore::release_aside(rig.path()).expect("released").expect("the last one");
        assert!(kept.join(NOTE).exists() && kept.ends_with("store.replaced"));
        assert!(!DiskStore::has_aside(rig.path()).expect("readable"));
        assert_eq!(DiskStore::release_aside(rig.path()), Ok(None));
        set_aside(&rig).expect("there is room again");
        create(&rig);
    }
    let folders = fs::read_dir(rig.path()).expect("a home").count();
    assert_eq!(folders, 5, "LOCK, journal, store, one set aside, one replaced");
}

#[test]
fn a_store_that_tells_nothing_any_more_is_set_aside_all_the_same() {
    let (rig, store) = Disk::founded();
    drop(store);
    fs::remove_dir_all(rig.path().join("store")).expect("removed");
    fs::create_dir(rig.path().join("store")).expect("an empty folder");
    let aside = set_aside(&rig).expect("set aside");
    let note = fs::read_to_string(aside.join(NOTE)).expect("a note");
    assert!(note.ends_with("head: unknown\n"), "{note}");
}
