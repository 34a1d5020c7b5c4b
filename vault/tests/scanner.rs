//! A scanner over every byte that a vault on disk leaves: no field of any record is there in the clear, and no digest
//! of one that could be guessed at, for classes of 1, 2, 5 and 1,000. It must find what is planted, or it proves
//! nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use tanba_crypto::{
    Hash,
    gost::{streebog_256, streebog_512},
};
use tanba_vault::{
    BATCH_MAX, Config, DiskKeys, DiskVault, Draft, OfficerId, Part, RecipientId, RecordId, Suite, Time,
    VaultId,
    calendar::Calendar,
    folder::DiskFolder,
    read::{Access, Purpose, Reader},
    register::{Outcome, RequestKind},
};

const NOW: Time = Time(1_800_000_000);

fn random(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the system has random bytes");
}

/// Invented people: the fields of number `n`.
fn person(n: usize) -> Vec<(Part, String)> {
    let given = ["Айгерім", "Нұрлан", "Асель", "Бақыт", "Жанар", "Ерлан", "Мадина"];
    let family = ["Ойдан", "Жоқова", "Болмаған", "Қиялов", "Ертегі"];
    vec![
        (Part::Identity, format!("{} {}-{n}", family[n % family.len()], given[n % given.len()])),
        (Part::Identity, format!("{:012}", 990_101_300_000 + n * 7)),
        (Part::Document, format!("ТКБ {:07}", 74_691 + n)),
        (Part::Document, format!("Есептеу техникасы 6B061-{n:04}")),
        (Part::Document, "GPA 3.67, үздік".to_owned()),
        (Part::Opening, format!("{:032x}r", u128::MAX / 7 - n as u128 * (u128::MAX / 9_001))),
        (Part::Consent, format!("IIN{:012}", 990_101_300_000 + n * 7)),
    ]
}

fn config() -> Config {
    let vault = VaultId([0x31; 32]);
    Config { vault, suite: Suite::Kuznyechik, reads_per_day_max: 5_000, bulk_max: 50, local_ahead_s: 18_000 }
}

fn id(n: usize) -> RecordId {
    let mut id = [0xc3; 16];
    id[..8].copy_from_slice(&(n as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    RecordId(id)
}

/// Every file below `folder` and every name.
fn all_bytes(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.display().to_string();
        if path.is_dir() {
            found.extend(all_bytes(&path));
        } else {
            found.push((name.clone(), fs::read(&path).expect("a readable file")));
        }
        found.push((format!("the name {name}"), name.into_bytes()));
    }
    found
}

/// What must not be found of a field: itself in two encodings, and its digests in three forms.
fn traces(field: &str) -> Vec<(&'static str, Vec<u8>)> {
    let bytes = field.as_bytes();
    let utf16: Vec<u8> = field.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let digests = [
        ("SHA-256", Hash::plain(bytes).0.to_vec()),
        ("Streebog-256", streebog_256(&[bytes]).to_vec()),
        ("Streebog-512", streebog_512(&[bytes]).to_vec()),
    ];
    let mut traces = vec![("itself", bytes.to_vec()), ("UTF-16", utf16)];
    for (name, digest) in digests {
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        traces.push((name, digest.iter().rev().copied().collect()));
        traces.push((name, hex.to_uppercase().into_bytes()));
        traces.push((name, hex.into_bytes()));
        traces.push((name, digest));
    }
    traces
}

/// Which traces lie in which file. Looks at eight bytes at a time, so that a thousand people take one pass.
fn scan(files: &[(String, Vec<u8>)], people: &[Vec<(Part, String)>]) -> Vec<String> {
    let fields: BTreeSet<&str> = people.iter().flatten().map(|(_, field)| field.as_str()).collect();
    let mut by_head: BTreeMap<[u8; 8], Vec<(&str, Vec<u8>)>> = BTreeMap::new();
    for (kind, trace) in fields.into_iter().flat_map(traces) {
        by_head.entry(*trace.first_chunk().expect("eight bytes or more")).or_default().push((kind, trace));
    }
    let mut heads: Vec<bool> = vec![false; 1 << 16];
    by_head.keys().for_each(|head| heads[usize::from(head[0]) << 8 | usize::from(head[1])] = true);
    let mut found = Vec::new();
    for (name, bytes) in files {
        for at in 0..bytes.len().saturating_sub(7) {
            let head: &[u8; 8] = bytes[at..].first_chunk().expect("eight bytes");
            if !heads[usize::from(head[0]) << 8 | usize::from(head[1])] {
                continue;
            }
            for (kind, trace) in by_head.get(head).into_iter().flatten() {
                if bytes[at..].starts_with(trace) {
                    found.push(format!("{kind} in {name} at {at}"));
                }
            }
        }
    }
    found
}

/// A year in the life of a class, on disk; gives all errors and debug texts that came up, too.
fn live(home: &Path, keys: &Path, people: &[Vec<(Part, String)>]) -> String {
    let mut file_keys =
        DiskKeys::open(DiskFolder::open(keys).expect("a folder"), config().suite).expect("keys");
    DiskVault::create_in(home, &mut file_keys, &config(), NOW, &mut random).expect("founded");
    let mut vault = DiskVault::open_in(home, file_keys, config(), NOW).expect("opened");
    let mut words = format!("{vault:?}");
    let texts: Vec<Vec<(Part, Vec<u8>)>> = people.iter().map(|person| parts(person)).collect();
    let borrowed: Vec<Vec<(Part, &[u8])>> =
        texts.iter().map(|parts| parts.iter().map(|(part, text)| (*part, &text[..])).collect()).collect();
    let drafts: Vec<Draft<'_>> =
        borrowed.iter().enumerate().map(|(n, parts)| Draft { record: id(n), parts }).collect();
    for batch in drafts.chunks(BATCH_MAX) {
        vault.seal(batch, NOW, &mut random).expect("sealed");
        words += &format!("{batch:?} {:?}", vault.seal(batch, NOW, &mut random));
    }
    let calendar = Calendar {
        first: 20_000,
        last: 21_000,
        free: BTreeSet::new(),
        worked: BTreeSet::new(),
        local_ahead_s: 18_000,
    };
    let officer = OfficerId([1; 16]);
    for n in (0..people.len()).step_by(7) {
        let purpose = Purpose::ThirdParty(RecipientId([4; 16]));
        let access =
            Access { reader: Reader::Officer(officer), purpose, parts: &[Part::Identity], fields: 3 };
        let opened = vault.read(&[id(n)], &access, NOW).expect("opened").remove(0).remove(0);
        let name = people[n][0].1.as_bytes();
        words += &format!("{opened:?}");
        assert!(opened.windows(name.len()).any(|window| window == name), "the name is in what was sealed");
        let request = tanba_vault::RequestId(id(n).0);
        vault.enter(request, Some(id(n)), RequestKind::Withdraw, NOW, &calendar).expect("entered");
        vault.close(request, Outcome::Done, officer, NOW).expect("closed");
    }
    vault.anonymise(id(0), NOW.plus_s(9), NOW).expect("anonymised");
    vault.erase(id(people.len() - 1), NOW.plus_s(9), NOW).expect("erased");
    vault.turn_epoch(&[], NOW, &mut random).expect("turned");
    words += &format!("{:?} {:?}", vault.standing(id(0)), vault.certificate(id(0)));
    words
}

/// One text a part, its fields in it as in a document.
fn parts(person: &[(Part, String)]) -> Vec<(Part, Vec<u8>)> {
    let mut parts: BTreeMap<Part, Vec<u8>> = BTreeMap::new();
    for (part, field) in person {
        let text = parts.entry(*part).or_default();
        text.extend_from_slice(
            format!("{{\"field\":\"{field}\",\"digest\":\"{}\"}}", Hash::plain(field.as_bytes())).as_bytes(),
        );
    }
    parts.into_iter().collect()
}

#[test]
fn no_field_and_no_digest_of_one_is_in_any_file_of_any_class() {
    for count in [1, 2, 5, 1_000] {
        let folder = tempfile::tempdir().expect("a folder");
        let (home, keys) = (folder.path().join("vault"), folder.path().join("keys"));
        let people: Vec<_> = (0..count).map(person).collect();
        let words = live(&home, &keys, &people);
        let mut files = all_bytes(folder.path());
        files.push(("errors and debug texts".to_owned(), words.into_bytes()));
        let bytes: usize = files.iter().map(|(_, bytes)| bytes.len()).sum();
        assert!(bytes > 1_000 * count, "the files were read: {bytes} bytes");
        assert_eq!(scan(&files, &people), Vec::<String>::new(), "a class of {count}");
    }
}

#[test]
fn the_scanner_finds_every_kind_of_trace_wherever_it_is_planted() {
    let people: Vec<_> = (0..5).map(person).collect();
    for (_, field) in people.iter().flatten() {
        for (kind, trace) in traces(field) {
            let file = [&[7; 13][..], &trace, &[0; 3]].concat();
            let found = scan(&[("planted".to_owned(), file)], &people);
            assert!(found.iter().any(|line| line.starts_with(kind)), "{kind} of a field");
        }
    }
}
