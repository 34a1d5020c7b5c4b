//! Disks that are full: the node stops with what to do, the others go on, and nothing that was final is lost.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use tanba_ledger::{Height, Transaction, limits::ENTRIES_MAX};
use tanba_node::devnet::ProcessError;
use tanba_tests::network::{Network, eventually};

use crate::{folder, program};

/// The validator whose disk fails.
const VICTIM: usize = 3;

/// The exit code, as `--help` lists it.
const EXIT_FAILURE: i32 = 1;

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
