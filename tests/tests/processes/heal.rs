//! Nodes whose store is damaged: each says what it found, sets the store aside, fetches every block from its peers,
//! and votes again when it may. What it serves meanwhile is true.

use std::{
    fs::{self, File},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use tanba_ledger::{Height, Transaction};
use tanba_node::client::ClientError;
use tanba_proto::ledger::v1::Voting;
use tanba_storage::{DiskStore, disk::aside::Found};
use tanba_tests::network::{Network, VALIDATORS, eventually, run_to_end};

use crate::{folder, program};

/// The validator whose store is damaged.
const VICTIM: usize = 3;

const ASIDE: &str = "the store is set aside as";
const PASSED: &str = "this node has come to its peers and past what its damaged store is known to have had";

type Batches = Vec<(Transaction, Height)>;

/// A network in which `count` batches of `size` diplomas are final and known to all.
async fn with_batches(folder: &Path, count: u64, size: u64) -> (Network, Batches) {
    let network = Network::run(program(), folder).await;
    let mut batches = Vec::new();
    for number in 0..count {
        let batch = network.issue(number as usize % 2, number * size, size);
        let place = network.make_final(0, &batch).await;
        batches.push((batch, place.height));
    }
    let last = batches.last().expect("a batch").1;
    for number in 0..network.nodes.len() {
        network.reaches(number, last).await;
    }
    (network, batches)
}

/// Asks one node for every block and every batch until it has answered all, and compares with what `other` says. The
/// node may be away, behind, or say that it cannot read; what it must not do is answer wrong.
async fn serves_what_is_true(network: &Network, number: usize, other: usize, batches: &Batches) {
    for (batch, height) in batches {
        let (truth, _) = network.client(other).header(*height).await.expect("a header");
        let asked = eventually("the node answers with a block", async || {
            network.client(number).block(*height).await.ok()
        });
        assert_eq!(asked.await.block.hash(), truth.hash(), "block {height}");
        eventually("the node proves a batch", async || {
            match network.client(number).receipt(batch.id(), &network.trust()).await {
                Ok((included, _)) => {
                    assert_eq!(included.height, *height);
                    Some(())
                }
                Err(ClientError::Unreachable { .. } | ClientError::Ended { .. }) => None,
                Err(ClientError::Refused(refused)) => {
                    let known = ["TRANSACTION_UNKNOWN", "STORE_FAILED", "STOPPING"];
                    assert!(known.contains(&refused.reason.as_str()), "{refused}");
                    None
                }
                Err(other) => panic!("a wrong answer: {other}"),
            }
        })
        .await;
    }
}

/// Waits until a node votes, also while it starts again by itself.
async fn votes(network: &Network, number: usize) {
    eventually("the validator votes", async || {
        let status = network.client(number).node_status().await.ok()?;
        (status.voting() == Voting::Voting).then_some(())
    })
    .await;
}

/// Waits until a node's log, from `from` on, holds `text`.
async fn says(network: &Network, number: usize, from: usize, text: &str) {
    eventually(text, async || network.log(number)[from..].contains(text).then_some(())).await;
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        if entry.file_type().expect("a type").is_file() {
            fs::copy(entry.path(), to.join(entry.file_name())).expect("copied");
        }
    }
}

/// The file ends with much room; this is where its content ends.
fn used(db: &Path) -> u64 {
    let bytes = fs::read(db).expect("the database");
    bytes.iter().rposition(|byte| *byte != 0).expect("something was written") as u64
}

/// Inverts 64 bytes every `step` bytes of a file, from `from` to where its content ends.
fn invert(file: &Path, from: u64, step: u64) {
    let end = used(file);
    let file = File::options().read(true).write(true).open(file).expect("opened");
    for at in (from..end).step_by(usize::try_from(step).expect("a step")) {
        let mut bytes = [0; 64];
        file.read_exact_at(&mut bytes, at).expect("read");
        file.write_all_at(&bytes.map(|byte| !byte), at).expect("written");
    }
}

fn snapshot(store: &Path) -> PathBuf {
    let entries = fs::read_dir(store).expect("a folder").map(|entry| entry.expect("an entry").path());
    let is_snapshot =
        |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("snap."));
    entries.filter(is_snapshot).max().expect("a snapshot")
}

/// A kind of damage: its name, whether every start must see it, and what it does to the folder.
type Damage = (&'static str, bool, fn(&Path));

const DAMAGES: &[Damage] = &[
    ("one bit in the middle", false, |store| {
        let db = store.join("db");
        let at = used(&db) / 2;
        let file = File::options().read(true).write(true).open(db).expect("opened");
        let mut byte = [0];
        file.read_exact_at(&mut byte, at).expect("read");
        file.write_all_at(&[byte[0] ^ 4], at).expect("written");
    }),
    ("all over the file", true, |store| invert(&store.join("db"), 0, 997)),
    ("the database cut to half", false, |store| {
        let db = store.join("db");
        let half = used(&db) / 2;
        File::options().write(true).open(db).expect("opened").set_len(half).expect("cut");
    }),
    ("the database emptied", true, |store| fs::write(store.join("db"), b"").expect("emptied")),
    ("the database gone", true, |store| fs::remove_file(store.join("db")).expect("removed")),
    ("the settings gone", false, |store| fs::remove_file(store.join("conf")).expect("removed")),
    ("the snapshot of another time", false, |store| fs::write(snapshot(store), [7; 4_000]).expect("written")),
    ("the folder emptied", true, |store| {
        fs::remove_dir_all(store).expect("removed");
        fs::create_dir(store).expect("a folder");
    }),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_node_comes_back_by_itself_from_every_damage_to_its_store() {
    let folder = folder();
    let (mut network, mut batches) = with_batches(folder.path(), 4, 20).await;
    let store = network.home(VICTIM).join("store");
    let whole = folder.path().join("whole");
    for (damage, sure, inflict) in DAMAGES {
        network.stop(VICTIM).await;
        let _ = fs::remove_dir_all(&whole);
        copy(&store, &whole);
        inflict(&store);
        let before = network.log(VICTIM).len();
        network.start(VICTIM).await;
        // In the meantime there is something new.
        let batch = network.issue(0, 20 * batches.len() as u64, 20);
        let place = network.make_final(0, &batch).await;
        batches.push((batch, place.height));
        serves_what_is_true(&network, VICTIM, 0, &batches).await;
        votes(&network, VICTIM).await;
        let log = network.log(VICTIM).split_off(before);
        assert!(!sure || log.contains(ASIDE), "{damage}: it says what it did: {log}");
        if log.contains(ASIDE) {
            assert!(log.contains("damage found: "), "{damage}: it says what it found: {log}");
            says(&network, VICTIM, before, PASSED).await;
            assert!(network.home(VICTIM).join("store.replaced").exists());
        }
    }
    network.stop_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_under_a_running_node_is_never_served_and_mended_in_place() {
    let folder = folder();
    let (mut network, batches) = with_batches(folder.path(), 5, 500).await;
    // Just started, the node has read next to nothing: what is asked for comes from the disk.
    network.stop(VICTIM).await;
    network.start(VICTIM).await;
    let (before, grpc) = (network.log(VICTIM).len(), network.nodes[VICTIM].grpc.clone());
    let pid = network.nodes[VICTIM].pid();
    invert(&network.home(VICTIM).join("store/db"), 600, 61);
    serves_what_is_true(&network, VICTIM, 0, &batches).await;
    says(&network, VICTIM, before, ASIDE).await;
    serves_what_is_true(&network, VICTIM, 0, &batches).await;
    votes(&network, VICTIM).await;
    says(&network, VICTIM, before, PASSED).await;
    network.nodes[VICTIM].check_running().expect("the same process");
    assert_eq!(network.nodes[VICTIM].pid(), pid);
    let again = network.nodes[VICTIM].ready().await.expect("it answers");
    assert_eq!(again.address(), grpc, "where it answered before");

    // Three of four decide: it is needed.
    network.stop(0).await;
    let batch = network.issue(1, 10_000, 20);
    network.make_final(VICTIM, &batch).await;
    network.start(0).await;
    network.stop_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_store_of_a_network_can_be_damaged_one_after_the_other() {
    let folder = folder();
    let (mut network, mut batches) = with_batches(folder.path(), 3, 20).await;
    for number in 0..VALIDATORS {
        network.stop(number).await;
        invert(&network.home(number).join("store/db"), 0, 4_096);
        let before = network.log(number).len();
        network.start(number).await;
        serves_what_is_true(&network, number, (number + 1) % VALIDATORS, &batches).await;
        votes(&network, number).await;
        assert!(network.log(number)[before..].contains(ASIDE), "{}", network.log(number));
        let batch = network.issue(1, 20 * batches.len() as u64, 20);
        let place = network.make_final((number + 1) % VALIDATORS, &batch).await;
        batches.push((batch, place.height));
    }
    network.stop_all().await;
    network.start_all().await;
    for number in 0..network.nodes.len() {
        serves_what_is_true(&network, number, 0, &batches).await;
    }
    network.stop_all().await;
}

/// Runs `tanba db check` in a node's home; gives its exit code and its last line.
async fn db_check(network: &Network, number: usize) -> (Option<i32>, String) {
    let home = network.home(number).display().to_string();
    let output = run_to_end(program(), &["--home", &home, "db", "check"]).await;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.code(), said.lines().last().unwrap_or_default().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_tells_a_whole_store_from_a_damaged_one() {
    let folder = folder();
    let (mut network, _) = with_batches(folder.path(), 2, 300).await;
    assert_eq!(db_check(&network, VICTIM).await.0, Some(6), "not while the node runs");
    network.stop(VICTIM).await;
    let (code, said) = db_check(&network, VICTIM).await;
    assert_eq!((code, &*said), (Some(0), "OK: all of the store is as it was written"));
    // One bit at a time, in places that nobody may ask for in years.
    let store = network.home(VICTIM).join("store");
    let whole = folder.path().join("whole");
    copy(&store, &whole);
    let mut found = 0;
    for part in 1..16 {
        let db = store.join("db");
        let at = used(&db) * part / 16;
        let file = File::options().read(true).write(true).open(&db).expect("opened");
        let mut byte = [0];
        file.read_exact_at(&mut byte, at).expect("read");
        file.write_all_at(&[byte[0] ^ 1], at).expect("written");
        let (code, said) = db_check(&network, VICTIM).await;
        // A bit in a record that was written over since does no harm.
        assert!((code == Some(40) && said.starts_with("FAILED: ")) || code == Some(0), "{code:?}: {said}");
        found += usize::from(code == Some(40));
        fs::remove_dir_all(&store).expect("removed");
        copy(&whole, &store);
    }
    assert!(found > 1, "most of the file is in use: {found} of 15 found");
    fs::remove_dir_all(&store).expect("removed");
    assert_eq!(db_check(&network, VICTIM).await.0, Some(40));
    network.start(VICTIM).await;
    votes(&network, VICTIM).await;
    network.stop_all().await;
    assert_eq!(db_check(&network, VICTIM).await.0, Some(0));
}

/// A journal cut short looks whole by itself; only the store could tell, and that is gone as well. Its head is known
/// from the note beside it.
#[tokio::test(flavor = "multi_thread")]
async fn a_validator_that_lost_store_and_promises_follows_and_never_votes_again() {
    let folder = folder();
    let (mut network, batches) = with_batches(folder.path(), 4, 20).await;
    network.stop(VICTIM).await;
    let home = network.home(VICTIM);
    let found = Found { what: "damage made by a test", when: "now", head: None };
    DiskStore::set_aside(&home, &found).expect("set aside");
    let promises = File::options().write(true).open(home.join("journal/promises")).expect("a journal");
    let length = promises.metadata().expect("a length").len();
    promises.set_len(length / 3).expect("cut");
    for _ in 0..2 {
        network.start(VICTIM).await;
        serves_what_is_true(&network, VICTIM, 0, &batches).await;
        eventually("the key is retired", async || {
            (network.status(VICTIM).await.voting() == Voting::Retired).then_some(())
        })
        .await;
        network.stop(VICTIM).await;
    }
    let log = network.log(VICTIM);
    assert!(log.contains("the promise journal ends at height"), "{log}");
    assert!(log.contains("its key must not vote again"), "{log}");
    network.start(VICTIM).await;
    network.stop_all().await;
}
