//! Files that come from someone else: lists of graduates, batches and changes to approve, holders' files and what holders
//! show, genesis and join files, settings, key files, checkpoints.

use std::{fs, path::Path, sync::OnceLock};

use tanba_credential::{HolderFile, Presentation, Template, presentation::present};
use tanba_genesis::{GenesisDocument, Join, file::read_join};
use tanba_ledger::{
    ChainId, Day, Operation, Timestamp,
    operation::{Basis, Reason},
    record::KeyRole,
    testkit::{self, World, changes},
    transaction::factor,
};
use tanba_node::{
    change::ChangeFile,
    cli::trust::parse_checkpoint,
    config::{Layers, settings},
    issue::{BatchFile, Order, Prepared, RandomError, RandomSource, Roster, prepare},
    keystore::seal::KeyFile,
    verify::Shown,
};

use super::vectors;
use crate::fuzz::{Bound, Target, random::Random};

const JSON: &[&str] =
    &["{", "}", "[", "]", "\"", ":", ",", "null", "true", "1e9", "-1", "\\u0000", "\\ud800"];
const TOML: &[&str] = &[
    "[",
    "]",
    "[[",
    "]]",
    "=",
    "\"\"\"",
    "'''",
    "\n",
    "#",
    "{",
    "}",
    ".",
    "inf",
    "0x",
    "1979-05-27T07:32:00Z",
];
const CSV: &[&str] = &[",", ";", "\t", "\"", "\"\"", "\r\n", "\n", "\u{feff}", "\u{0}", "yes", "2026-02-29"];

pub(super) fn targets() -> Vec<Target> {
    let of = |name, seeds, words, bound, attack| Target {
        name,
        input_bytes_max: 16 * 1024,
        bound,
        seeds,
        words,
        attack,
    };
    // A tree of a parsed text, a copy of its strings, and the text written again for comparison.
    let json = Bound { factor: 24, constant_bytes: 32 * 1024 };
    // A spanned tree, and a mistake with path, excerpt and remedy for about every token.
    let toml = Bound { factor: 300, constant_bytes: 64 * 1024 };
    vec![
        of("csv-roster", roster_seeds, CSV, Bound { factor: 100, constant_bytes: 64 * 1024 }, |bytes| {
            if let Ok(roster) = Roster::parse(bytes) {
                assert!(!roster.rows.is_empty(), "an accepted list has a graduate");
                roster.rows.iter().for_each(|row| drop(row.scope()));
            }
        }),
        of("json-batch", batch_seeds, JSON, json, |bytes| {
            if let Ok(batch) = BatchFile::from_json(bytes) {
                let again =
                    BatchFile::from_json(&batch.to_json()).expect("what was read can be written and read");
                assert!(again == batch, "a batch is the same when it is written again");
            }
        }),
        of("json-change", change_seeds, JSON, json, |bytes| {
            if let Ok(change) = ChangeFile::from_json(bytes) {
                let again =
                    ChangeFile::from_json(&change.to_json()).expect("what was read can be written and read");
                assert!(again == change, "a change is the same when it is written again");
            }
        }),
        of("json-shown", shown_seeds, JSON, json, |bytes| drop(Shown::read(bytes))),
        of("json-holder-contents", contents_seeds, JSON, json, |bytes| {
            // Under a sum that fits, which an attacker can compute as well.
            if let Ok(file) = serde_json::from_slice::<HolderFile>(bytes) {
                drop(Shown::read(&file.to_json()));
            }
            if let Ok(shown) = serde_json::from_slice::<Presentation>(bytes) {
                drop(Shown::read(&shown.to_json()));
            }
        }),
        of("json-checkpoint", checkpoint_seeds, JSON, json, |bytes| {
            parse_checkpoint(bytes);
        }),
        of("json-key", key_seeds, JSON, json, |bytes| {
            if let Ok(file) = KeyFile::from_json(bytes) {
                let _ = (file.purpose(), file.public(), file.is_sealed());
            }
        }),
        of(
            "toml-config",
            || vec![settings::template().replace("# ", "").into_bytes(), settings::template().into_bytes()],
            TOML,
            toml,
            |bytes| {
                let Ok(text) = std::str::from_utf8(bytes) else { return };
                let mut layers = Layers::defaults();
                if layers.lay_file("config.toml", text).is_ok() {
                    drop(layers.config());
                }
            },
        ),
        of(
            "toml-genesis",
            || vec![genesis().genesis().to_toml().into_bytes()],
            TOML,
            toml,
            |bytes| {
                let Ok(text) = std::str::from_utf8(bytes) else { return };
                if let Ok(document) = GenesisDocument::read_toml("genesis.toml", text) {
                    let again = GenesisDocument::read_toml("genesis.toml", &document.genesis().to_toml());
                    assert!(
                        again.is_ok_and(|again| again == document),
                        "a network is the same when it is written again"
                    );
                }
            },
        ),
        of("toml-join", join_seeds, TOML, toml, |bytes| {
            let Ok(text) = std::str::from_utf8(bytes) else { return };
            if let Ok(join) = read_join("join.toml", text) {
                let again = read_join("join.toml", &join.to_toml());
                assert!(
                    again.is_ok_and(|again| again == join),
                    "a join is the same when it is written again"
                );
            }
        }),
    ]
}

fn genesis() -> GenesisDocument {
    let bytes = vectors::bytes("genesis-document.json", &["document"]).remove(0);
    GenesisDocument::from_bytes("genesis.bin", &bytes).expect("the golden document reads")
}

fn join_seeds() -> Vec<Vec<u8>> {
    let document = genesis();
    let join = |member| Join { network: document.genesis().network.clone(), member };
    document.genesis().members.iter().cloned().map(|member| join(member).to_toml().into_bytes()).collect()
}

/// The head of the example list, so that mutations find a row at once.
fn roster_seeds() -> Vec<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/class-2026.csv");
    let text = fs::read_to_string(path).expect("the example list is part of the repository");
    let head = |lines: usize| text.lines().take(lines).map(|line| format!("{line}\n")).collect::<String>();
    vec![head(2).into_bytes(), head(5).replace(',', ";").replace('\n', "\r\n").into_bytes()]
}

struct Drawn(Random);

impl RandomSource for Drawn {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), RandomError> {
        bytes.fill_with(|| self.0.bits() as u8);
        Ok(())
    }
}

fn prepared() -> &'static Prepared {
    static PREPARED: OnceLock<Prepared> = OnceLock::new();
    PREPARED.get_or_init(|| {
        let roster = Roster::parse(&roster_seeds()[0]).expect("the example list has no mistakes");
        let order = Order {
            chain: World::new().chain,
            issuer: testkit::bin(0),
            issued_on: Day::from_date(2026, 6, 30).expect("a date"),
            expiry: Timestamp(1_782_882_000_000),
            audit: None,
            basis: Basis::Award,
            decision: b"decision",
            entries_max: 20,
            small_consented: true,
        };
        prepare(&roster.rows, &order, &mut Drawn(Random::of(1))).expect("one graduate makes a batch")
    })
}

fn batch_seeds() -> Vec<Vec<u8>> {
    let batch = &prepared().batches[0];
    let mut approved = batch.clone();
    let keys = testkit::keys(0);
    for (role, key) in [(KeyRole::Registrar, keys.registrar), (KeyRole::Approver, keys.approver)] {
        approved.approve(role, factor::KEY, &key).expect("both officers approve");
    }
    vec![batch.to_json(), approved.to_json()]
}

fn change_seeds() -> Vec<Vec<u8>> {
    let operation = Operation::Suspend(changes(0, &[(1, 1), (2, 3)], Reason::Investigation));
    vec![ChangeFile::new(World::new().body(0, operation), Vec::new()).to_json()]
}

fn holder_file() -> &'static HolderFile {
    prepared().holders.values().next().expect("one graduate has one file")
}

fn shown_seeds() -> Vec<Vec<u8>> {
    let shown = present(holder_file(), Template::Employer).expect("a fresh file opens");
    vec![holder_file().to_json(), shown.to_json()]
}

fn contents_seeds() -> Vec<Vec<u8>> {
    let shown = present(holder_file(), Template::Employer).expect("a fresh file opens");
    let written = [serde_json::to_vec(holder_file()), serde_json::to_vec(&shown)];
    written.map(|json| json.expect("texts and lists of texts are JSON")).to_vec()
}

fn checkpoint_seeds() -> Vec<Vec<u8>> {
    let ChainId(chain) = World::new().chain;
    let file = serde_json::json!({
        "format": "tanba-checkpoint/1", "chain": chain.to_string(), "height": 7,
        "block": chain.to_string(), "time_ms": 1_782_882_000_000u64,
    });
    vec![file.to_string().into_bytes()]
}

fn key_seeds() -> Vec<Vec<u8>> {
    let public = testkit::keys(0).node.public().to_string();
    let sealed = serde_json::json!({
        "format": "tanba-key/1", "purpose": "node", "public": public,
        "sealed": {
            "derivation": "argon2id", "memory_kib": 65_536, "passes": 3, "lanes": 4, "salt": "00".repeat(16),
            "cipher": "chacha20-poly1305", "nonce": "00".repeat(12), "ciphertext": "00".repeat(48),
        },
    });
    let plain = serde_json::json!({
        "format": "tanba-key/1", "purpose": "node", "public": public,
        "plain": { "warning": "not sealed: for a devnet alone, refused elsewhere", "seed": "00".repeat(32) },
    });
    [sealed, plain].map(|file| file.to_string().into_bytes()).to_vec()
}
