//! Damage of every kind to every file of a store: one bit flipped, a file cut, a file gone. What opens afterwards
//! answers right, perhaps up to an earlier head; what does not is reported as damage. Nothing hangs, nothing ends
//! the process, and nothing wrong is ever read.
#![allow(clippy::print_stdout, reason = "a test tells how much of it did no harm")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use tanba_ledger::Height;
use tanba_storage::{MemoryDisk, MemoryStore, Store, StoreError, StoreReader};

use crate::{
    chain,
    rig::{Disk, Memory, Rig, commit, commit_to, copy_folder, facts},
};

const HEAD: u64 = 6;

/// What a damaged store came to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Outcome {
    /// It opened, and all of it is right.
    Whole,
    /// It opened with an earlier head, and all up to there is right.
    Older,
    /// It said that it is damaged, at opening or at a read.
    Found,
}

/// Reads everything there is and compares it with the truth.
fn judge<S: Store>(opened: Result<S, StoreError>, truths: &[String], what: &str) -> Outcome {
    let found = |error: StoreError| match error {
        StoreError::Damaged { .. } | StoreError::Stopped(_) => Outcome::Found,
        other => panic!("{what}: damage is named as such, not: {other}"),
    };
    let store = match opened {
        Ok(store) => store,
        Err(error) => return found(error),
    };
    let reader = store.reader();
    let head = reader.tip().header.height.0;
    for height in 0..=head {
        match facts(&reader, Height(height)) {
            Ok(facts) => assert_eq!(facts, truths[height as usize], "{what}: height {height} reads wrong"),
            Err(error) => return found(error),
        }
    }
    if head == HEAD { Outcome::Whole } else { Outcome::Older }
}

/// A store of several openings, so that there are snapshots; gives what is true at each height.
fn written() -> (Disk, Vec<String>) {
    let (mut rig, mut store) = Disk::founded();
    for height in 1..=HEAD {
        commit(&mut store, 3).expect("committed");
        if height % 2 == 0 {
            store.write_behind().run().expect("written behind");
            store = rig.reopen(store);
        }
    }
    let reader = store.reader();
    let truths = (0..=HEAD).map(|height| facts(&reader, Height(height)).expect("readable")).collect();
    drop((store, reader));
    (rig, truths)
}

fn files(store: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(store)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_file())
        .collect();
    found.sort();
    found
}

/// Damages copies of one store, one after the other, and counts what becomes of them.
struct Bench {
    rig: Disk,
    truths: Vec<String>,
    copy: Disk,
    seen: BTreeMap<Outcome, usize>,
}

impl Bench {
    fn new() -> Bench {
        let (rig, truths) = written();
        Bench { rig, truths, copy: Disk::new(), seen: BTreeMap::new() }
    }

    fn files(&self) -> Vec<(String, Vec<u8>)> {
        let name = |path: &Path| path.file_name().expect("a file").to_string_lossy().into_owned();
        let read = |path: PathBuf| (name(&path), fs::read(&path).expect("readable"));
        files(&self.rig.path().join("store")).into_iter().map(read).collect()
    }

    /// `content` takes the place of a file; `None`: the file is gone.
    fn damage(&mut self, name: &str, content: Option<&[u8]>, what: &str) {
        fs::remove_dir_all(self.copy.path()).expect("emptied");
        copy_folder(self.rig.path(), self.copy.path());
        let path = self.copy.path().join("store").join(name);
        match content {
            Some(bytes) => fs::write(&path, bytes).expect("written"),
            None => fs::remove_file(&path).expect("removed"),
        }
        let outcome = judge(self.copy.open(), &self.truths, &format!("{name}: {what}"));
        *self.seen.entry(outcome).or_default() += 1;
    }

    fn tell(&self) {
        println!("{:?}", self.seen);
        assert!(self.seen.contains_key(&Outcome::Found), "damage is found");
    }
}

/// `count` places all over what is not zero in `bytes`, the first and the last among them.
fn places(bytes: &[u8], count: usize) -> Vec<usize> {
    let written: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at] != 0).collect();
    let step = (written.len() / count).max(1);
    written.iter().copied().step_by(step).chain(written.last().copied()).collect()
}

#[test]
fn one_flipped_bit_anywhere_in_any_file_is_found_or_does_no_harm() {
    let mut bench = Bench::new();
    let files = bench.files();
    assert!(files.len() >= 3, "database, settings and a snapshot");
    for (name, bytes) in &files {
        for (n, at) in places(bytes, 150).into_iter().enumerate() {
            let mut rotten = bytes.clone();
            rotten[at] ^= 1 << (n % 8);
            bench.damage(name, Some(&rotten), &format!("bit {} of byte {at}", n % 8));
        }
    }
    bench.tell();
}

#[test]
fn a_file_cut_anywhere_is_found_or_does_no_harm() {
    let mut bench = Bench::new();
    for (name, bytes) in bench.files() {
        for at in places(&bytes, 60) {
            bench.damage(&name, Some(&bytes[..at]), &format!("cut to {at} bytes"));
        }
        bench.damage(&name, Some(&[]), "emptied");
    }
    bench.tell();
}

#[test]
fn a_file_that_is_gone_or_is_another_is_found_or_does_no_harm() {
    let mut bench = Bench::new();
    let files = bench.files();
    for (name, bytes) in &files {
        bench.damage(name, None, "gone");
        bench.damage(name, Some(&vec![0; bytes.len()]), "nothing but zeros");
        for (other, content) in files.iter().filter(|(other, _)| other != name) {
            bench.damage(name, Some(content), &format!("with the content of {other}"));
        }
    }
    bench.tell();
}

#[test]
fn an_emptied_folder_is_damage() {
    let (rig, _) = written();
    fs::remove_dir_all(rig.path().join("store")).expect("removed");
    fs::create_dir(rig.path().join("store")).expect("a folder");
    assert!(matches!(rig.open().err(), Some(StoreError::Damaged { .. })));
}

/// Every byte of every short record of every kind, and many of each long one, one after the other.
#[test]
fn every_byte_of_every_record_is_covered() {
    let (rig, mut store) = Memory::founded();
    commit(&mut store, 1).expect("committed");
    commit(&mut store, 2).expect("committed");
    store.write_behind().run().expect("written behind");
    commit(&mut store, 1).expect("committed");
    let reader = store.reader();
    let truths: Vec<String> =
        (0..=3).map(|height| facts(&reader, Height(height)).expect("readable")).collect();
    drop((store, reader));
    let (mut found, mut harmless, mut nth) = (0, 0, 0);
    while let Some(length) = rig.disk.value_bytes(nth) {
        let step = (length / 100).max(1);
        for byte in (0..length).step_by(step) {
            let rotten: MemoryDisk = rig.disk.copy();
            assert!(rotten.corrupt(nth, byte), "there is such a byte");
            let opened = MemoryStore::open(&rotten, &chain::chain_id(), &chain::replay);
            match judge(opened, &truths, &format!("byte {byte} of value {nth}")) {
                Outcome::Found => found += 1,
                // The probe and what a replay does without.
                Outcome::Whole | Outcome::Older => harmless += 1,
            }
        }
        nth += 1;
    }
    println!("{found} damages found, {harmless} without harm");
    assert!(found > 20 * harmless);
}

/// What a reader would meet one day is found before: each damage by itself, with its place, and the check goes on.
#[test]
fn a_check_reads_all_of_it_and_finds_each_damage() {
    let (rig, mut store) = Memory::founded();
    commit_to(&mut store, 5);
    let sound = store.check(&mut |_| {}).expect("checked");
    assert_eq!((sound.head, sound.blocks, sound.certificates, sound.damages_total), (Height(5), 6, 5, 0));
    assert_eq!((sound.transactions, sound.nodes), (15, 3), "the branch and two leaves that the head reaches");
    drop(store);
    let (mut refused, mut found, mut missed, mut nth) = (0, 0, Vec::new(), 0);
    while rig.disk.value_bytes(nth).is_some() {
        let rotten = rig.disk.copy();
        assert!(rotten.corrupt(nth, 3), "there is such a byte");
        match MemoryStore::open(&rotten, &chain::chain_id(), &chain::replay) {
            Err(_) => refused += 1,
            Ok(store) => {
                let report = store.check(&mut |_| {}).expect("checked");
                match report.damages_total {
                    0 => missed.push(rotten.key(nth)),
                    _ => found += 1,
                }
            }
        }
        nth += 1;
    }
    println!("{refused} refused at opening, {found} found by the check, {} without harm", missed.len());
    assert!(found > 30, "most of it only a check finds");
    // The probe, branches that no head reaches any more, and the lists by which they are removed.
    assert!(missed.iter().all(|key| matches!(key[0], 0x01 | 0x04 | 0x21 | 0x25)), "{missed:?}");
}
