//! The vault on a real disk: one process a home, files for their owner alone, and nothing of an old epoch left.

use std::{collections::BTreeSet, fs, os::unix::fs::PermissionsExt, path::Path};

use tanba_vault::{
    Config, DiskKeys, DiskVault, Draft, OfficerId, Part, RecordId, Suite, Time, VaultError, VaultId,
    epoch_keys::EpochKeys,
    folder::DiskFolder,
    read::{Access, Purpose, Reader},
};

const NOW: Time = Time(1_800_000_000);
const RECORD: RecordId = RecordId([3; 16]);

fn config(suite: Suite) -> Config {
    let vault = VaultId([0x31; 32]);
    Config { vault, suite, reads_per_day_max: 100, bulk_max: 50, local_ahead_s: 18_000 }
}

fn random(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the system has random bytes");
}

fn keys(folder: &Path, suite: Suite) -> DiskKeys {
    DiskKeys::open(DiskFolder::open(&folder.join("keys")).expect("a folder"), suite).expect("keys")
}

fn open(folder: &Path, suite: Suite) -> Result<DiskVault<DiskKeys>, VaultError> {
    DiskVault::open_in(&folder.join("vault"), keys(folder, suite), config(suite), NOW)
}

fn document(vault: &mut DiskVault<DiskKeys>) -> Vec<u8> {
    let reader = Reader::Officer(OfficerId([1; 16]));
    let access = Access { reader, purpose: Purpose::Work, parts: &[Part::Document], fields: 0 };
    vault.read(&[RECORD], &access, NOW).expect("opened").remove(0).remove(0).to_vec()
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
}

fn founded(folder: &Path, suite: Suite) -> DiskVault<DiskKeys> {
    let home = folder.join("vault");
    DiskVault::create_in(&home, &mut keys(folder, suite), &config(suite), NOW, &mut random).expect("founded");
    open(folder, suite).expect("opened")
}

#[test]
fn a_record_of_several_pieces_outlives_openings_and_turns() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = vec![0x5a; 100_000];
    let mut vault = founded(folder.path(), Suite::Kuznyechik);
    vault
        .seal(&[Draft { record: RECORD, parts: &[(Part::Document, &text)] }], NOW, &mut random)
        .expect("sealed");
    for _ in 0..3 {
        drop(vault);
        vault = open(folder.path(), Suite::Kuznyechik).expect("opened");
        assert_eq!(document(&mut vault), text);
        vault.turn_epoch(&[], NOW, &mut random).expect("turned");
        assert_eq!(document(&mut vault), text);
    }
    drop(vault);
    // Another suite from now on; what is sealed stays as it is.
    let mut vault = open(folder.path(), Suite::ChaCha20).expect("opened");
    vault.turn_epoch(&[], NOW, &mut random).expect("turned");
    assert_eq!(document(&mut vault), text);
    assert_eq!(names(&folder.path().join("keys")), BTreeSet::from(["epoch.0000000000000005".to_owned()]));
    assert_eq!(
        names(&folder.path().join("vault/slots")),
        BTreeSet::from(["slots.0000000000000005".to_owned()])
    );
}

#[test]
fn keys_and_slots_are_for_their_owner_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    drop(founded(folder.path(), Suite::ChaCha20));
    for path in ["keys", "vault/slots"] {
        let path = folder.path().join(path);
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o700);
        for name in names(&path) {
            assert_eq!(mode(&path.join(name)), 0o600);
        }
    }
}

#[test]
fn a_vault_is_founded_once_opened_by_one_and_known_by_its_name() {
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(open(folder.path(), Suite::ChaCha20).expect_err("none").code(), "no-vault");
    let vault = founded(folder.path(), Suite::ChaCha20);
    assert_eq!(open(folder.path(), Suite::ChaCha20).expect_err("in use").code(), "store");
    drop(vault);
    let (home, mut again) = (folder.path().join("vault"), keys(folder.path(), Suite::ChaCha20));
    let twice = DiskVault::create_in(&home, &mut again, &config(Suite::ChaCha20), NOW, &mut random);
    assert_eq!(twice, Err(VaultError::Exists));
    assert_eq!(again.epochs().expect("listed").len(), 1, "the key in force was left alone");
    let other = Config { vault: VaultId([0x32; 32]), ..config(Suite::ChaCha20) };
    let opened = DiskVault::open_in(&home, again, other, NOW);
    assert_eq!(opened.expect_err("another").code(), "wrong-vault");
}
