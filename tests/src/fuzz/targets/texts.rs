//! Words that people and other programs type: hashes, keys, BINs, dates, addresses, names, and the texts inside a diploma.

use tanba_credential::{
    Decoy, Disclosure, Document, IssuerBin,
    requisites::{Date, StudyForm, check_programme_code, check_text},
};
use tanba_crypto::{Hash, PublicKey};
use tanba_genesis::text::{is_network_name, parse_hash, parse_key, parse_signature, signature};
use tanba_ledger::{Bin, Programme};
use tanba_node::{
    cli::trust::parse_duration_ms,
    config::settings::{self, parse_address, parse_peer},
    issue::RecordId,
    keystore::KeyName,
};

use super::vectors;
use crate::fuzz::{Bound, Target};

pub(super) fn targets() -> Vec<Target> {
    vec![
        Target {
            name: "text-words",
            input_bytes_max: 256,
            bound: Bound { factor: 64, constant_bytes: 128 * 1024 },
            seeds: word_seeds,
            words: &[
                "ed25519:",
                "@",
                "127.0.0.1:4600",
                "[::1]:1",
                "2026-06-30",
                "info,tanba=debug",
                "180d",
                "off",
            ],
            attack: words,
        },
        Target {
            name: "text-diploma",
            input_bytes_max: 8 * 1024,
            bound: Bound { factor: 24, constant_bytes: 16 * 1024 },
            seeds: diploma_seeds,
            words: &["eyJ", "~", ".", "-", "_", "="],
            attack: diploma,
        },
    ]
}

/// What parses must print as what was parsed, where a word has one form.
fn words(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let same = |printed: Option<String>| assert!(printed.is_none_or(|p| p == text), "{text:?} has one form");
    let lower = |printed: Option<String>| {
        assert!(printed.is_none_or(|p| p == text.to_lowercase()), "{text:?} has one form but for its case");
    };
    lower(Hash::from_hex(text).ok().map(|hash| hash.to_string()));
    lower(PublicKey::from_text(text).ok().map(|key| key.to_string()));
    lower(parse_hash(text).map(|hash| hash.to_string()));
    lower(parse_key(text).map(|key| key.to_string()));
    lower(parse_signature(text).map(|one| signature(&one)));
    same(Bin::parse(text).ok().map(|bin| bin.to_string()));
    same(IssuerBin::parse(text).map(|bin| bin.as_str().to_owned()));
    same(Date::parse(text).map(|date| date.to_string()));
    same(RecordId::parse(text).map(|id| id.to_string()));
    same(KeyName::new(text).map(|name| name.to_string()));
    same(Programme::new(text).map(|programme| programme.as_str().to_owned()));
    let _ = (StudyForm::parse(text), is_network_name(text), check_programme_code(text), check_text(text, 64));
    let _ = (parse_address(text), parse_peer(text), parse_duration_ms(text), settings::hint(text));
    for setting in settings::SETTINGS {
        drop(setting.parse(text));
    }
}

fn word_seeds() -> Vec<Vec<u8>> {
    let hash = "00".repeat(32);
    let key = "ed25519:c2466cc40081baa80323048ef6da3e8cda4a2bf0d0a5a0ea8b8a5a8e5c5a3a3a";
    [
        hash.as_str(),
        key,
        "260740000007",
        "2026-06-30",
        "127.0.0.1:4600",
        "6B06101",
        "full_time",
        "tanba-kz",
        "180d",
        "node",
        "info,tanba_node=debug",
        "[span{field=\"x\"}]=trace",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

fn diploma(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(one) = Disclosure::parse(text) {
        assert_eq!(one.text(), text, "a disclosure keeps its text, over which its digest is");
    }
    if let Some(one) = Decoy::parse(text) {
        assert_eq!(one.text(), text, "a decoy keeps its text");
    }
    if let Ok(one) = Document::parse(text) {
        assert_eq!(one.text(), text, "a document keeps its text");
    }
}

fn diploma_seeds() -> Vec<Vec<u8>> {
    let vector = vectors::file("credential-diploma.json");
    let list = |name: &str| vector[name].as_array().cloned().unwrap_or_default();
    let all = [vec![vector["document"].clone()], list("disclosures"), list("decoys")].concat();
    all.iter().filter_map(|text| text.as_str()).map(|text| text.as_bytes().to_vec()).collect()
}
