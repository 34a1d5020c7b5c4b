//! What only a real disk shows: locks, leftovers, real syncs, full devices, killed processes and rot.
#![allow(
    clippy::print_stdout,
    reason = "a test that cannot run here says so; a second process speaks to its test"
)]

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use tanba_ledger::Height;
use tanba_storage::{DiskStore, Store, StoreError, StoreReader, real_sync};

use crate::{
    chain,
    rig::{Disk, Rig, commit, commit_to, copy_folder, everything, try_everything},
};

#[test]
fn a_home_has_one_owner() {
    let (rig, store) = Disk::founded();
    let refusal = rig.open().err().expect("refused");
    assert!(matches!(refusal, StoreError::InUse(_)), "{refusal}");
    assert!(refusal.to_string().contains("one node per home"));
    drop(store);
    rig.open().expect("free again");
}

#[test]
fn a_commit_is_two_real_syncs_at_least() {
    let (_rig, mut store) = Disk::founded();
    let before = real_sync::syncs();
    commit(&mut store, 3).expect("committed");
    assert!(real_sync::syncs() >= before + 2, "the barrier before the head and the one after");
}

#[test]
fn no_value_leaves_the_log() {
    let (rig, mut store) = Disk::founded();
    for count in [300, 0, 900, 20] {
        commit(&mut store, count).expect("committed");
        store.write_behind().run().expect("written behind");
    }
    let blobs = fs::read_dir(rig.path().join("store/blobs")).expect("a folder").count();
    assert_eq!(blobs, 0, "sled never syncs what lies there");
    drop(store);
    fs::write(rig.path().join("store/blobs/17"), b"lost").expect("written");
    assert!(matches!(rig.open().err(), Some(StoreError::Damaged { .. })));
}

#[test]
fn a_snapshot_half_written_by_a_killed_opening_does_no_harm() {
    let (rig, mut store) = Disk::founded();
    commit_to(&mut store, 3);
    let before = everything(&store.reader(), 3);
    drop(store);
    let half = rig.path().join("store/snap.00000000000FFFFF.generating");
    fs::write(&half, b"half a snapshot").expect("written");
    let store = rig.open().expect("opened");
    assert_eq!(everything(&store.reader(), 3), before);
    assert!(!half.exists());
}

#[test]
fn a_creation_cut_short_is_begun_again() {
    let rig = Disk::new();
    fs::create_dir_all(rig.path().join("store.unfinished/blobs")).expect("a folder");
    fs::write(rig.path().join("store.unfinished/db"), b"nonsense").expect("written");
    assert!(!DiskStore::exists(rig.path()));
    let (genesis, delta) = chain::genesis();
    rig.create(&genesis, delta).expect("founded");
    assert!(DiskStore::exists(rig.path()));
    assert!(!rig.path().join("store.unfinished").exists());
    rig.open().expect("opened");
}

/// Flips bits all over sled's file. sled cuts its log at the first record that does not fit, so the store may
/// come back older; what it must never do is answer with what was not there.
#[test]
fn rot_in_the_database_file_is_found_or_does_no_harm() {
    let (rig, mut store) = Disk::founded();
    commit_to(&mut store, 6);
    store.write_behind().run().expect("written behind");
    let truths: Vec<String> = (0..=6).map(|h| blocks_to(&store.reader(), h)).collect();
    drop(store);
    let bytes = fs::read(rig.path().join("store/db")).expect("a database");
    let written: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at] != 0).collect();
    let mut found = 0;
    for at in written.iter().step_by(written.len() / 60) {
        let copy = Disk::new();
        copy_folder(rig.path(), copy.path());
        let mut rotten = bytes.clone();
        rotten[*at] ^= 0x10;
        fs::write(copy.path().join("store/db"), rotten).expect("written");
        let Ok(store) = copy.open() else {
            found += 1;
            continue;
        };
        let reader = store.reader();
        let head = reader.tip().header.height.0;
        match try_everything(&reader, head) {
            Ok(_) => assert_eq!(blocks_to(&reader, head), truths[head as usize], "byte {at}"),
            Err(_) => found += 1,
        }
    }
    assert!(found > 0, "some of it was found");
}

fn blocks_to<R: StoreReader>(reader: &R, height: u64) -> String {
    (0..=height).map(|h| format!("{:?}", reader.block(Height(h)).expect("readable"))).collect()
}

#[test]
fn a_killed_process_loses_nothing_it_had_committed() {
    if let Some(home) = home_of_the_second_run() {
        return commits_for_ever(&home);
    }
    let (rig, store) = Disk::founded();
    drop(store);
    for kill_at in [1, 8, 19] {
        let mut child = again("a_killed_process_loses_nothing_it_had_committed", rig.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("runs");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines().map_while(Result::ok);
        let committed = lines.filter_map(|line| line.rsplit_once("committed ")?.1.parse::<u64>().ok());
        let last = committed.take(kill_at).last().expect("it commits");
        child.kill().expect("killed");
        child.wait().expect("ended");
        let store = rig.open().expect("opened");
        let head = store.reader().tip().header.height.0;
        assert!(head >= last, "block {last} was final, the head is {head}");
        everything(&store.reader(), head);
    }
}

#[test]
fn no_sync_file_range_is_left() {
    if let Some(home) = home_of_the_second_run() {
        return commits_ten(&home);
    }
    if !runs(Command::new("strace").arg("-V")) {
        println!("skipped: strace is not installed");
        return;
    }
    let (rig, store) = Disk::founded();
    drop(store);
    let trace = rig.path().join("trace");
    let mut traced = Command::new("strace");
    traced.args(["-f", "-e", "trace=sync_file_range,fdatasync", "-o"]).arg(&trace);
    let worker = again("no_sync_file_range_is_left", rig.path());
    traced.arg(worker.get_program()).args(worker.get_args());
    traced.envs(worker.get_envs().filter_map(|(name, value)| Some((name, value?))));
    if !runs(&mut traced) {
        println!("skipped: strace may not trace here");
        return;
    }
    let calls = fs::read_to_string(&trace).expect("a trace");
    assert!(!calls.contains("sync_file_range"), "every sync is a real one");
    let syncs = calls.lines().filter(|line| line.contains("fdatasync(")).count();
    assert!(syncs >= 20, "ten commits of two barriers: {syncs} syncs");
}

#[test]
fn a_full_disk_stops_the_store_and_keeps_what_was_final() {
    if let Some(home) = home_of_the_second_run() {
        return fills_the_disk(&home);
    }
    let (rig, store) = Disk::founded();
    drop(store);
    let mount = format!(
        "mount -t tmpfs -o size=2m tmpfs '{0}/small' && cp -r '{0}/store' '{0}/journal' '{0}/small'",
        rig.path().display()
    );
    fs::create_dir(rig.path().join("small")).expect("a folder");
    let worker = again("a_full_disk_stops_the_store_and_keeps_what_was_final", &rig.path().join("small"));
    let program = worker.get_program().to_string_lossy().into_owned();
    let arguments: Vec<_> = worker.get_args().map(|it| it.to_string_lossy().into_owned()).collect();
    let run = |then: &str| {
        let mut command = Command::new("unshare");
        command.args(["--mount", "--map-root-user", "sh", "-c", &format!("{mount} && {then}")]);
        command.envs(worker.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.stdout(Stdio::null()).status().ok()
    };
    if !run("true").is_some_and(|status| status.success()) {
        println!("skipped: no small file system may be mounted here");
        return;
    }
    let status = run(&format!("'{program}' {}", arguments.join(" "))).expect("runs");
    assert!(status.success(), "the worker says what went wrong");
}

const HOME: &str = "TANBA_TEST_HOME";

/// A test of this file again, as a process of its own that works in `home`.
fn again(test: &str, home: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("a program"));
    command.args(["--exact", &format!("disk::{test}"), "--nocapture"]).env(HOME, home);
    command
}

fn runs(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// Where to work, if this process was started by the test it runs.
fn home_of_the_second_run() -> Option<std::path::PathBuf> {
    std::env::var_os(HOME).map(Into::into)
}

fn open(home: &Path) -> DiskStore {
    DiskStore::open(home, &chain::chain_id(), &chain::replay).expect("opened")
}

fn commits_for_ever(home: &Path) {
    let mut store = open(home);
    loop {
        let block = commit(&mut store, 40).expect("committed");
        println!("committed {}", block.header.height);
        if block.header.height.0.is_multiple_of(5) {
            store.write_behind().run().expect("written behind");
        }
    }
}

fn commits_ten(home: &Path) {
    let mut store = open(home);
    for _ in 0..10 {
        commit(&mut store, 3).expect("committed");
    }
    store.write_behind().run().expect("written behind");
}

fn fills_the_disk(home: &Path) {
    let mut store = open(home);
    let reader = store.reader();
    let error = loop {
        let tip = reader.tip();
        let (block, certificate, delta) = chain::next(&tip, &reader, 20);
        if let Err(error) = store.commit(&block, &certificate, delta) {
            break error;
        }
    };
    assert!(matches!(error, StoreError::Io { .. }), "{error}");
    let head = reader.tip().header.height;
    assert!(head > Height(2), "there was room for some blocks");
    assert!(matches!(reader.block(Height::GENESIS), Err(StoreError::Stopped(_))));
    drop((store, reader));
    // What was final is still there, once there is room.
    let roomy = Disk::new();
    copy_folder(home, roomy.path());
    let store = roomy.open().expect("opened");
    assert!(store.reader().tip().header.height >= head);
    everything(&store.reader(), store.reader().tip().header.height.0);
}
