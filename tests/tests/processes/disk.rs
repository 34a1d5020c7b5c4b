//! Disks that lie, and disks that are full: the node stops with what to do, the others go on, and nothing that
//! was final is lost.

use std::{
    fs,
    os::unix::fs::{FileExt, symlink},
    path::{Path, PathBuf},
    process::Command,
};

use tanba_ledger::{Height, Transaction, limits::ENTRIES_MAX};
use tanba_node::{client::ClientError, devnet::ProcessError};
use tanba_tests::network::{Network, eventually};

use crate::{folder, program};

/// The validator whose disk fails.
const VICTIM: usize = 3;

/// Exit codes, as `--help` lists them.
const EXIT_FAILURE: i32 = 1;
const EXIT_DAMAGED: i32 = 40;

/// Starts the victim on what its disk holds now. If it refuses, the remedy is named; else it serves nothing wrong,
/// as long as it goes on.
async fn refuses_or_serves_nothing_wrong(network: &mut Network, batches: &[(Transaction, Height)]) -> bool {
    let before = network.log(VICTIM).len();
    match network.try_start(VICTIM).await {
        Ok(()) => {
            for (batch, height) in batches {
                serves_nothing_wrong(network, batch, *height).await;
            }
            network.kill(VICTIM).await;
            false
        }
        Err(ProcessError::Ended { status, log, .. }) => {
            assert_eq!(status.code(), Some(EXIT_DAMAGED), "{log}");
            let said = network.log(VICTIM).split_off(before);
            assert!(said.contains("move the folder `store` aside"), "the remedy is named: {said}");
            true
        }
        Err(other) => panic!("{other}"),
    }
}

/// What the victim proves holds, and what it says is what the others say. It may also say that it cannot.
async fn serves_nothing_wrong(network: &Network, batch: &Transaction, height: Height) {
    let answer = network.client(VICTIM).receipt(batch.id(), &network.trust()).await;
    match answer {
        Ok((included, _)) => assert_eq!(included.height, height),
        Err(ClientError::Unreachable { .. }) => {}
        // Not caught up yet, or damage seen at the door.
        Err(ClientError::Refused(refused)) => {
            let known = ["TRANSACTION_UNKNOWN", "STORE_FAILED", "UNPROVEN", "STOPPING"];
            assert!(known.contains(&refused.reason.as_str()), "{refused}");
        }
        Err(other) => panic!("a wrong answer: {other}"),
    }
    if let Ok((own, _)) = network.client(VICTIM).header(height).await {
        let (other, _) = network.client(0).header(height).await.expect("a header");
        assert_eq!(own.hash(), other.hash(), "block {height}");
    }
}

/// Copies the files of a folder without folders.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        if entry.file_type().expect("a type").is_file() {
            fs::copy(entry.path(), to.join(entry.file_name())).expect("copied");
        }
    }
}

/// More bytes than any file has here.
const ONCE: u64 = 1 << 40;

/// Inverts 64 bytes every `step` bytes of the file, from `from` on.
fn damage(file: &Path, from: u64, step: u64) {
    let opened = fs::File::options().read(true).write(true).open(file).expect("the file");
    let length = opened.metadata().expect("its length").len();
    for at in (from..length.saturating_sub(64)).step_by(usize::try_from(step).expect("a step")) {
        let mut bytes = [0; 64];
        opened.read_exact_at(&mut bytes, at).expect("read");
        opened.write_all_at(&bytes.map(|byte| !byte), at).expect("written");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_store_serves_nothing_wrong_and_is_made_anew_from_its_peers() {
    let folder = folder();
    let mut network = Network::run(program(), folder.path()).await;
    let mut batches = Vec::new();
    for number in 0..6 {
        let batch = network.issue(number as usize % 2, number * 20, 20);
        let place = network.make_final(0, &batch).await;
        batches.push((batch, place.height));
    }
    let last = batches.last().expect("a batch").1;
    network.reaches(VICTIM, last).await;
    network.stop(VICTIM).await;

    let store = network.home(VICTIM).join("store");
    let whole = folder.path().join("whole");
    copy(&store, &whole);
    // The file is longer than what was written into it.
    let bytes = fs::read(whole.join("db")).expect("the database");
    let used = bytes.iter().rposition(|byte| *byte != 0).expect("something was written") as u64;
    let mut refused = 0;
    for (from, step) in [(0, ONCE), (used / 4, ONCE), (used / 2, ONCE), (used * 3 / 4, 4_096), (0, 997)] {
        fs::remove_dir_all(&store).expect("removed");
        copy(&whole, &store);
        damage(&store.join("db"), from, step);
        refused += usize::from(refuses_or_serves_nothing_wrong(&mut network, &batches).await);
    }
    assert!(refused > 0, "damage all over the file is seen at the start");

    fs::rename(&store, network.home(VICTIM).join("store.damaged")).expect("moved aside");
    network.start(VICTIM).await;
    serves_what_is_true(&network, &batches).await;
    network.votes(VICTIM).await;
    network.stop_all().await;
}

/// The victim catches up, and proves every batch where the others have it.
async fn serves_what_is_true(network: &Network, batches: &[(Transaction, Height)]) {
    for (batch, height) in batches {
        network.reaches(VICTIM, *height).await;
        assert_eq!(network.proven(VICTIM, batch.id()).await, *height);
        let (own, _) = network.client(VICTIM).header(*height).await.expect("a header");
        let (other, _) = network.client(0).header(*height).await.expect("a header");
        assert_eq!(own.hash(), other.hash(), "block {height}");
    }
}

/// A small disk, taken away with the value.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None` where this process may not mount.
    fn at(path: &Path, bytes: u64) -> Option<SmallDisk> {
        fs::create_dir_all(path).expect("a folder");
        let options = format!("size={bytes},mode=0700");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(path).output();
        mounted.is_ok_and(|output| output.status.success()).then(|| SmallDisk(path.to_owned()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a process that was just killed may still hold it for a moment.
        let unmounted = Command::new("umount").arg("--lazy").arg(&self.0).status();
        if !unmounted.is_ok_and(|status| status.success()) {
            eprintln!("{} could not be unmounted", self.0.display());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_stops_its_node_alone() {
    const DISK_BYTES: u64 = 3 << 20;
    let (folder, log_folder) = (folder(), folder());
    let path = folder.path().join(format!("university-{}", VICTIM + 1));
    let Some(disk) = SmallDisk::at(&path, DISK_BYTES) else {
        eprintln!("skipped: this process may not mount a small disk");
        return;
    };
    let mut network = Network::found(program(), folder.path());
    // The disk that is full has no room for what the node says of it.
    let log = log_folder.path().join("node.log");
    symlink(&log, network.nodes[VICTIM].log_path()).expect("a link");
    network.start_all().await;

    let mut batches = Vec::new();
    while network.nodes[VICTIM].check_running().is_ok() {
        assert!(batches.len() < 64, "a disk of {DISK_BYTES} bytes is not full yet");
        let batch = network.issue(0, batches.len() as u64 * 1_000, ENTRIES_MAX.min(1_000) as u64);
        let place = network.make_final(0, &batch).await;
        batches.push((batch, place.height));
    }
    let said = fs::read_to_string(&log).expect("a log");
    let error = said.lines().find(|line| line.starts_with("error: ")).unwrap_or_else(|| panic!("{said}"));
    let full = error.contains("No space left on device") || error.contains("os error 28");
    assert!(full && said.contains("\nnext: "), "the end says what to mend: {said}");
    assert_eq!(exit_code(&mut network).await, Some(EXIT_FAILURE), "{said}");

    // The others go on, and everything is there.
    let after = network.issue(1, 0, 20);
    let place = network.make_final(1, &after).await;
    batches.push((after, place.height));
    for (batch, height) in &batches {
        for number in 0..VICTIM {
            network.reaches(number, *height).await;
            assert_eq!(network.proven(number, batch.id()).await, *height);
        }
    }

    // With room again, the node has all it had, fetches the rest and votes.
    let grown = format!("remount,size={}", 64 << 20);
    let remounted = Command::new("mount").args(["-o", &grown]).arg(&path).status();
    assert!(remounted.expect("`mount` runs").success());
    network.start(VICTIM).await;
    serves_what_is_true(&network, &batches).await;
    network.votes(VICTIM).await;
    network.stop_all().await;
    drop(network);
    drop(disk);
}

/// How the victim ended: as it is told, starting it once more on the same full disk.
async fn exit_code(network: &mut Network) -> Option<i32> {
    network.nodes[VICTIM].start().expect("a process starts");
    let node = &mut network.nodes[VICTIM];
    match eventually("a node on a full disk ends", async || node.check_running().err()).await {
        ProcessError::Ended { status, .. } => status.code(),
        other => panic!("{other}"),
    }
}
