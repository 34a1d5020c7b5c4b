//! How fast a vault on disk seals and opens, for both suites, beside what bounds it, measured in the same run: the
//! cipher over the same bytes in memory, and syncs of one sector in the same folder.
//!
//! `cargo run --release -p tanba-vault --example speed [FOLDER]`; without FOLDER in the system's folder for temporary
//! files, which may lie in memory.

#![expect(clippy::print_stdout, reason = "an example prints what it found")]

use std::{
    fs,
    io::{Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    time::Instant,
};

use chacha20poly1305::{ChaCha20Poly1305, KeyInit, aead::AeadInOut};
use tanba_crypto::gost::Mgm;
use tanba_vault::{
    BATCH_MAX, Config, DiskKeys, DiskVault, Draft, OfficerId, Part, RecordId, Suite, Time, VaultId,
    folder::DiskFolder,
    read::{Access, Purpose, Reader},
};

/// A class; and what a diploma weighs, as documents of its form do.
const RECORDS: u32 = 1_024;
const PARTS: [(Part, usize); 5] = [
    (Part::Document, 6_000),
    (Part::Identity, 500),
    (Part::Opening, 96),
    (Part::Consent, 5_000),
    (Part::Seal, 5_000),
];
const NOW: Time = Time(1_800_000_000);

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let folder = std::env::args_os().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    let bytes: usize = PARTS.iter().map(|(_, bytes)| bytes).sum();
    let syncs = sync_rate(&folder)?;
    println!(
        "{RECORDS} records of {bytes} bytes in {} parts; bound by the disk: {syncs:.0} syncs a second",
        PARTS.len()
    );
    for suite in [Suite::Kuznyechik, Suite::ChaCha20] {
        let home = tempfile::tempdir_in(&folder)?;
        let bound = cipher_rate(suite);
        println!(
            "{suite:?}: the cipher alone: {bound:.0} records a second ({:.1} MB/s)",
            bound * bytes as f64 / 1e6
        );
        run(home.path(), suite)?;
    }
    println!("OK: measured");
    Ok(())
}

fn run(home: &Path, suite: Suite) -> Result<(), Failure> {
    let vault = VaultId([1; 32]);
    let config = Config { vault, suite, reads_per_day_max: u32::MAX, bulk_max: 1_000, local_ahead_s: 18_000 };
    let mut random = |bytes: &mut [u8]| getrandom::fill(bytes).expect("the system has random bytes");
    let mut keys = DiskKeys::open(DiskFolder::open(&home.join("keys"))?, suite)?;
    DiskVault::create_in(&home.join("vault"), &mut keys, &config, NOW, &mut random)?;
    let mut vault = DiskVault::open_in(&home.join("vault"), keys, config, NOW)?;
    let texts = PARTS.map(|(part, bytes)| (part, vec![0x5a; bytes]));
    let parts: Vec<(Part, &[u8])> = texts.iter().map(|(part, text)| (*part, &text[..])).collect();
    let ids: Vec<RecordId> = (0..RECORDS).map(id).collect();
    let drafts: Vec<Draft<'_>> = ids.iter().map(|id| Draft { record: *id, parts: &parts }).collect();

    let rate = |name: &str, records: usize, start: Instant| {
        println!("{suite:?}: {name}: {:.0} records a second", records as f64 / start.elapsed().as_secs_f64());
    };
    let start = Instant::now();
    for batch in drafts.chunks(BATCH_MAX) {
        vault.seal(batch, NOW, &mut random)?;
    }
    rate("sealed, 128 at once", drafts.len(), start);
    let all = PARTS.map(|(part, _)| part);
    let access = Access {
        reader: Reader::Officer(OfficerId([1; 16])),
        purpose: Purpose::Work,
        parts: &all,
        fields: u64::MAX,
    };
    let start = Instant::now();
    for batch in ids.chunks(BATCH_MAX) {
        vault.read(batch, &access, NOW)?;
    }
    rate("opened, 128 at once", ids.len(), start);
    let start = Instant::now();
    for id in &ids[..200] {
        vault.read(&[*id], &access, NOW)?;
    }
    rate("opened, one by one", 200, start);
    let start = Instant::now();
    vault.turn_epoch(&[], NOW, &mut random)?;
    rate("wrapped anew by a turn of the epoch", ids.len(), start);
    let start = Instant::now();
    for id in &ids[..200] {
        vault.erase(*id, NOW, NOW)?;
    }
    rate("erased, one by one", 200, start);
    Ok(())
}

fn id(n: u32) -> RecordId {
    let mut id = [0; 16];
    id[..4].copy_from_slice(&n.wrapping_mul(0x9e37_79b9).to_be_bytes());
    RecordId(id)
}

/// Records a second, sealed in memory: every part under a key of its own.
fn cipher_rate(suite: Suite) -> f64 {
    let mut texts = PARTS.map(|(_, bytes)| vec![0x5a; bytes.next_multiple_of(256)]);
    let start = Instant::now();
    let mut records = 0;
    while start.elapsed().as_secs_f64() < 1.0 {
        for text in &mut texts {
            let key = [7; 32];
            match suite {
                Suite::Kuznyechik => {
                    std::hint::black_box(Mgm::new(&key).seal(&[0; 16], b"associated", text)).expect("sealed");
                }
                Suite::ChaCha20 => {
                    let cipher = ChaCha20Poly1305::new(&key.into());
                    let tag =
                        cipher.encrypt_inout_detached(&[0; 12].into(), b"associated", (&mut text[..]).into());
                    std::hint::black_box(tag).expect("sealed");
                }
            }
        }
        records += 1;
    }
    f64::from(records) / start.elapsed().as_secs_f64()
}

/// Syncs of one overwritten sector a second.
fn sync_rate(folder: &Path) -> Result<f64, Failure> {
    let mut file = tempfile::tempfile_in(fs::canonicalize(folder)?)?;
    file.write_all(&[0; 512])?;
    file.sync_all()?;
    let start = Instant::now();
    let mut syncs = 0;
    while start.elapsed().as_secs_f64() < 1.0 {
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&[syncs as u8; 512])?;
        file.sync_data()?;
        syncs += 1;
    }
    Ok(f64::from(syncs) / start.elapsed().as_secs_f64())
}
