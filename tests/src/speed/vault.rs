//! A vault on disk: records sealed, opened and erased a second, beside the cipher over the same bytes in memory and the
//! syncs of one sector in the same folder.

use std::{
    error::Error,
    fs,
    io::{Seek, SeekFrom, Write},
    path::Path,
    time::Instant,
};

use tanba_crypto::gost::Mgm;
use tanba_vault::{
    BATCH_MAX, Config, DiskKeys, DiskVault, Draft, OfficerId, Part, RecordId, Suite, Time, VaultId,
    folder::DiskFolder,
    read::{Access, Purpose, Reader},
};

use super::Figure;
use crate::fuzz::random::Random;

/// A class; and what a diploma weighs, as documents of its form do.
const RECORDS: u32 = 1_024;
const PARTS: [(Part, usize); 5] = [
    (Part::Document, 6_000),
    (Part::Identity, 500),
    (Part::Opening, 96),
    (Part::Consent, 5_000),
    (Part::Seal, 5_000),
];
/// Records that are opened and erased one by one.
const SINGLE: usize = 128;
const NOW: Time = Time(1_800_000_000);

/// All of it, in a new folder below `folder`.
pub fn measure(folder: &Path) -> Result<Vec<Figure>, Box<dyn Error>> {
    let bytes: usize = PARTS.iter().map(|(_, bytes)| bytes).sum();
    let bound = cipher_rate();
    let mut figures = vec![Figure::plain(format!(
        "vault: {RECORDS} records of {bytes} bytes in {} parts; the disk syncs {:.0} times a second, Kuznyechik-MGM alone \
         seals {bound:.0} records",
        PARTS.len(),
        sync_rate(folder)?
    ))];
    for suite in [Suite::Kuznyechik, Suite::ChaCha20] {
        let home = tempfile::tempdir_in(folder)?;
        let [sealed, opened, single, turned, erased] = run(home.path(), suite)?;
        figures.push(Figure::plain(format!(
            "vault, {suite:?}: {sealed:.0} records a second sealed, {opened:.0} opened ({single:.0} one by one), \
             {turned:.0} wrapped anew, {erased:.0} erased"
        )));
    }
    Ok(figures)
}

/// Records a second: sealed, opened in batches, opened singly, wrapped by a turn of the epoch, erased.
fn run(home: &Path, suite: Suite) -> Result<[f64; 5], Box<dyn Error>> {
    let vault = VaultId([1; 32]);
    let config = Config { vault, suite, reads_per_day_max: u32::MAX, bulk_max: 1_000, local_ahead_s: 18_000 };
    let mut drawn = Random::of(1);
    let mut random = |bytes: &mut [u8]| bytes.fill_with(|| drawn.bits() as u8);
    let mut keys = DiskKeys::open(DiskFolder::open(&home.join("keys"))?, suite)?;
    DiskVault::create_in(&home.join("vault"), &mut keys, &config, NOW, &mut random)?;
    let mut vault = DiskVault::open_in(&home.join("vault"), keys, config, NOW)?;
    let texts = PARTS.map(|(part, bytes)| (part, vec![0x5a; bytes]));
    let parts: Vec<(Part, &[u8])> = texts.iter().map(|(part, text)| (*part, &text[..])).collect();
    let ids: Vec<RecordId> = (0..RECORDS).map(id).collect();
    let drafts: Vec<Draft<'_>> = ids.iter().map(|id| Draft { record: *id, parts: &parts }).collect();
    let rate = |records: usize, begun: Instant| records as f64 / begun.elapsed().as_secs_f64();

    let begun = Instant::now();
    for batch in drafts.chunks(BATCH_MAX) {
        vault.seal(batch, NOW, &mut random)?;
    }
    let sealed = rate(ids.len(), begun);
    let access = Access {
        reader: Reader::Officer(OfficerId([1; 16])),
        purpose: Purpose::Work,
        parts: &PARTS.map(|(part, _)| part),
        fields: u64::MAX,
    };
    let begun = Instant::now();
    for batch in ids.chunks(BATCH_MAX) {
        vault.read(batch, &access, NOW)?;
    }
    let opened = rate(ids.len(), begun);
    let begun = Instant::now();
    for id in &ids[..SINGLE] {
        vault.read(&[*id], &access, NOW)?;
    }
    let single = rate(SINGLE, begun);
    let begun = Instant::now();
    vault.turn_epoch(&[], NOW, &mut random)?;
    let turned = rate(ids.len(), begun);
    let begun = Instant::now();
    for id in &ids[..SINGLE] {
        vault.erase(*id, NOW, NOW)?;
    }
    Ok([sealed, opened, single, turned, rate(SINGLE, begun)])
}

fn id(n: u32) -> RecordId {
    let mut id = [0; 16];
    id[..4].copy_from_slice(&n.wrapping_mul(0x9e37_79b9).to_be_bytes());
    RecordId(id)
}

/// Records a second, sealed in memory: every part under a key of its own.
fn cipher_rate() -> f64 {
    let mut texts = PARTS.map(|(_, bytes)| vec![0x5a; bytes.next_multiple_of(256)]);
    let took = super::micros(100, || {
        for text in &mut texts {
            let tag = Mgm::new(&[7; 32]).seal(&[0; 16], b"associated", text);
            std::hint::black_box(tag).expect("a nonce of 127 bits and some text");
        }
    });
    1e6 / took
}

/// Syncs of one overwritten sector a second.
fn sync_rate(folder: &Path) -> Result<f64, Box<dyn Error>> {
    let mut file = tempfile::tempfile_in(fs::canonicalize(folder)?)?;
    file.write_all(&[0; 512])?;
    file.sync_all()?;
    let begun = Instant::now();
    let mut syncs = 0;
    while begun.elapsed().as_secs_f64() < 1.0 {
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&[syncs as u8; 512])?;
        file.sync_data()?;
        syncs += 1;
    }
    Ok(f64::from(syncs) / begun.elapsed().as_secs_f64())
}
