//! Every decoder under the kept inputs and a few thousand spoiled ones, the same in every run. `cargo fuzz-all` attacks
//! for longer and finds new ones.

use tanba_tests::fuzz::{
    Bound, Target,
    allocations::{Counting, is_counting},
    hunt::{End, hunt},
    keep, targets,
    trial::{Harm, try_input},
};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Spoiled inputs of each target: about a second of an unoptimised build.
const SPOILED: u64 = 1_500;

fn attack(targets: &[Target]) {
    assert!(is_counting(), "the bound on memory is checked");
    for target in targets {
        let report = hunt(target, 1, End::After(SPOILED), None).expect("the kept inputs are readable");
        if let Some((input, harm)) = report.harm {
            let path = keep::write(&std::env::temp_dir().join("tanba-fuzz").join(target.name), &input);
            panic!("{}: {harm}; the input is {path:?}; try it with cargo fuzz-all --replay", target.name);
        }
    }
}

/// Targets whose name begins so.
fn named(beginning: &str) -> Vec<Target> {
    let found: Vec<Target> =
        targets::all().into_iter().filter(|target| target.name.starts_with(beginning)).collect();
    assert!(!found.is_empty(), "there are targets {beginning}*");
    found
}

#[test]
fn canonical_bytes_hold_under_attack() {
    attack(&named("canonical-"));
}

#[test]
fn frames_and_grpc_messages_hold_under_attack() {
    attack(&[named("frames"), named("grpc")].concat());
}

#[test]
fn files_hold_under_attack() {
    attack(&[named("csv-"), named("json-"), named("toml-")].concat());
}

#[test]
fn words_and_the_texts_of_diplomas_hold_under_attack() {
    attack(&named("text-"));
}

#[test]
fn no_forged_proof_is_believed() {
    attack(&named("proof-"));
}

#[test]
fn blocks_of_accomplices_hold_under_attack() {
    attack(&named("block-"));
}

#[test]
fn nothing_that_peers_say_stops_a_node() {
    attack(&named("replica"));
}

#[test]
fn no_forged_national_signature_is_believed() {
    attack(&named("eds-"));
}

#[test]
fn no_document_says_what_its_issuer_did_not() {
    attack(&named("sdjwt-"));
}

#[test]
fn a_text_of_consent_has_one_spelling() {
    attack(&named("consent-"));
}

#[test]
fn no_changed_record_of_a_vault_reads_otherwise() {
    attack(&named("vault-"));
}

#[test]
fn every_target_is_attacked_above() {
    let beginnings = [
        "canonical-",
        "frames",
        "grpc",
        "csv-",
        "json-",
        "toml-",
        "text-",
        "proof-",
        "block-",
        "replica",
        "consent-",
        "eds-",
        "sdjwt-",
        "vault-",
    ];
    for target in targets::all() {
        assert!(beginnings.iter().any(|beginning| target.name.starts_with(beginning)), "{}", target.name);
        assert!(!(target.seeds)().is_empty(), "{} begins from real values", target.name);
    }
}

#[test]
fn a_panic_and_a_broken_bound_are_seen() {
    let careless = Target {
        name: "careless",
        input_bytes_max: 16,
        bound: Bound { factor: 1, constant_bytes: 1_024 },
        seeds: || vec![b"abc".to_vec()],
        words: &[],
        attack: |bytes| match bytes {
            [b'a', .., b'z'] => panic!("a and z"),
            [b'b', count, ..] => drop(std::hint::black_box(vec![0u8; usize::from(*count) * 64])),
            _ => {}
        },
    };
    assert!(matches!(try_input(&careless, b"a-z"), Err(Harm::Panic(_))));
    assert!(matches!(try_input(&careless, b"b\xff"), Err(Harm::Memory { peak_bytes: 16_320, .. })));
    assert!(try_input(&careless, b"b\x08").is_ok());
    let report = hunt(&careless, 1, End::After(20_000), None).expect("nothing is kept of it");
    assert!(report.harm.is_some(), "a hunt meets one of them by chance");
}
