//! A vault over a machine in memory, and invented records in it.

#![allow(dead_code, unused_imports, reason = "each test binary uses its own part of this")]

mod machine;

pub(crate) use machine::{Crash, Machine, MachineFolder, MachineTree};
use tanba_vault::{
    Config, Draft, OfficerId, Part, RecordId, Suite, Time, Vault, VaultError, VaultId,
    epoch_keys::FileKeys,
    read::{Access, Opened, Purpose, Reader},
};

pub(crate) const NOW: Time = Time(1_800_000_000);
pub(crate) const LIMITATION: Time = Time(1_900_000_000);

pub(crate) fn config(suite: Suite) -> Config {
    let vault = VaultId([0x4b; 32]);
    Config { vault, suite, reads_per_day_max: 100_000, bulk_max: 10, local_ahead_s: 18_000 }
}

pub(crate) fn record(n: u32) -> RecordId {
    let mut id = [0xa5; 16];
    id[..4].copy_from_slice(&n.to_be_bytes());
    RecordId(id)
}

pub(crate) fn officer(n: u8) -> OfficerId {
    OfficerId([n; 16])
}

/// Bytes that look random and are the same in every run.
pub(crate) fn random(seed: u64) -> impl FnMut(&mut [u8]) {
    let mut state = seed;
    move |bytes: &mut [u8]| {
        for byte in bytes {
            // SplitMix64.
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = state;
            z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
            *byte = (z ^ z >> 31) as u8;
        }
    }
}

pub(crate) type TestVault = Vault<MachineTree, MachineFolder, FileKeys<MachineFolder>>;

pub(crate) fn keys(machine: &Machine, suite: Suite) -> Result<FileKeys<MachineFolder>, VaultError> {
    FileKeys::open(MachineFolder(machine.clone(), "keys"), suite)
}

pub(crate) fn create(machine: &Machine, suite: Suite) -> Result<(), VaultError> {
    let (tree, folder) = (MachineTree(machine.clone()), MachineFolder(machine.clone(), "slots"));
    TestVault::create(&tree, folder, &mut keys(machine, suite)?, &config(suite), NOW, &mut random(1))
}

pub(crate) fn open(machine: &Machine, suite: Suite) -> Result<TestVault, VaultError> {
    let (tree, folder) = (MachineTree(machine.clone()), MachineFolder(machine.clone(), "slots"));
    Vault::open(tree, folder, keys(machine, suite)?, config(suite), NOW)
}

/// A machine with an empty vault, and the vault.
pub(crate) fn founded(suite: Suite) -> (Machine, TestVault) {
    let machine = Machine::default();
    create(&machine, suite).expect("founded");
    let vault = open(&machine, suite).expect("opened");
    (machine, vault)
}

/// What the part of a record says: invented, and known to every test.
pub(crate) fn text(n: u32, part: Part) -> Vec<u8> {
    let line = format!("the {part} of record {n}, with Айгерім in it; ");
    let times = if part == Part::Document { 110 } else { 3 };
    line.repeat(times).into_bytes()
}

pub(crate) fn seal(vault: &mut TestVault, n: u32, seed: u64) -> Result<(), VaultError> {
    let texts = Part::ALL.map(|part| (part, text(n, part)));
    let parts: Vec<(Part, &[u8])> = texts.iter().map(|(part, text)| (*part, &text[..])).collect();
    vault.seal(&[Draft { record: record(n), parts: &parts }], NOW, &mut random(seed))
}

/// Opens one part for a claim, which is refused by nothing but the want of it.
pub(crate) fn read(vault: &mut TestVault, n: u32, part: Part) -> Result<Opened, VaultError> {
    let reader = Reader::Officers(officer(1), officer(2));
    let access = Access { reader, purpose: Purpose::LegalClaim, parts: &[part], fields: 0 };
    Ok(vault.read(&[record(n)], &access, NOW)?.remove(0).remove(0))
}

/// Which parts of a record open, each with its right text.
pub(crate) fn opens(vault: &mut TestVault, n: u32) -> Vec<Part> {
    let mut open = Vec::new();
    for part in Part::ALL {
        match read(vault, n, part) {
            Ok(found) => {
                assert_eq!(found[..], text(n, part)[..], "the {part} of {n} is what was sealed");
                open.push(part);
            }
            Err(VaultError::Destroyed(..) | VaultError::PartMissing(..) | VaultError::NoRecord(_)) => {}
            Err(error) => panic!("the {part} of {n}: {error}"),
        }
    }
    open
}
