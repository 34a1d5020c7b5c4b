//! A genesis has one set of bytes and one chain id, whatever order its file was written in; other bytes are
//! refused.

mod common;

use common::{NETWORK, bin, network};
use tanba_crypto::Canonical;
use tanba_genesis::{
    GENESIS_BYTES_MAX, Genesis, GenesisDocument, Join,
    file::read_join,
    template::{assemble, sheet},
};
use tanba_ledger::{
    Height, Timestamp,
    record::{InstitutionState, NetworkKind},
};

fn document() -> GenesisDocument {
    GenesisDocument::new("values", network(NetworkKind::Devnet, 4)).expect("a good network")
}

#[test]
fn text_and_bytes_read_back_as_the_same_network() {
    for kind in [NetworkKind::Devnet, NetworkKind::Main] {
        let document = GenesisDocument::new("values", network(kind, 4)).expect("a good network");
        let from_text = GenesisDocument::read_toml("g.toml", &document.genesis().to_toml());
        let from_bytes = GenesisDocument::from_bytes("g.bin", &document.to_bytes());
        assert_eq!((from_text.as_ref(), from_bytes.as_ref()), (Ok(&document), Ok(&document)));
    }
}

#[test]
fn the_order_of_the_file_does_not_matter() {
    let mut genesis = network(NetworkKind::Devnet, 4);
    genesis.members.reverse();
    genesis.validators.reverse();
    for member in &mut genesis.members {
        member.keys.reverse();
    }
    let shuffled = GenesisDocument::read_toml("g.toml", &genesis.to_toml()).expect("a good network");
    assert_eq!(shuffled.to_bytes(), document().to_bytes());
    assert_eq!(shuffled.chain_id(), document().chain_id());
}

#[test]
fn the_chain_id_is_the_hash_of_block_zero_and_follows_every_fact() {
    let document = document();
    assert_eq!(document.chain_id(), document.block().header.founded_chain());
    assert_eq!(document.block().header.height, Height::GENESIS);
    let mut changed = document.genesis().clone();
    changed.members[0].institution.names.en.push('!');
    let changed = GenesisDocument::new("values", changed).expect("a good network");
    assert_ne!(changed.chain_id(), document.chain_id());
}

#[test]
fn bytes_that_are_no_document_are_refused() {
    let good = document().to_bytes();
    let refused =
        |bytes: &[u8]| GenesisDocument::from_bytes("g.bin", bytes).expect_err("refused").to_string();
    assert!(refused(b"network = 1").contains("no genesis document"));
    assert!(refused(&good[..good.len() - 1]).contains("damaged"));
    assert!(refused(&[&good[..], b"\0"].concat()).contains("damaged"));
    let long = [&good[..16], &vec![0; GENESIS_BYTES_MAX + 1]].concat();
    assert!(refused(&long).contains("the limit here is"));
    let mut flipped = good.clone();
    let last = flipped.len() - 1;
    flipped[last] ^= 1;
    assert!(refused(&flipped).contains("is no validator key of"));
}

#[test]
fn bytes_out_of_canonical_order_are_refused() {
    let refused = |genesis: &Genesis| {
        let bytes = [&document().to_bytes()[..16], &genesis.to_canonical()].concat();
        GenesisDocument::from_bytes("g.bin", &bytes).expect_err("refused").to_string()
    };
    let mut genesis = document().genesis().clone();
    genesis.members.swap(0, 1);
    assert!(refused(&genesis).contains("not in canonical form"));
    genesis.members.swap(0, 1);
    genesis.members[0].institution.state = InstitutionState::Stopped;
    assert!(refused(&genesis).contains("not in canonical form"));
}

#[test]
fn joins_make_a_network() {
    let genesis = network(NetworkKind::Devnet, 4);
    let text = |member| Join { network: NETWORK.into(), member }.to_toml();
    let joins = genesis.members.iter().map(|member| {
        let join = read_join("join.toml", &text(member.clone())).expect("a good join");
        ("join.toml".to_owned(), join)
    });
    let joined = assemble(NETWORK, NetworkKind::Devnet, genesis.time, joins.collect());
    assert_eq!(joined, Ok(genesis));
}

#[test]
fn a_join_for_another_network_is_refused() {
    let member = network(NetworkKind::Devnet, 1).members.swap_remove(0);
    let join = Join { network: NETWORK.into(), member };
    let refused = assemble("tanba-other", NetworkKind::Devnet, Timestamp(0), vec![("j.toml".into(), join)]);
    assert!(refused.expect_err("refused").to_string().starts_with("j.toml: made for network"));
}

#[test]
fn a_join_with_a_false_proof_is_refused() {
    let mut member = network(NetworkKind::Devnet, 1).members.swap_remove(0);
    member.institution.bin = bin(7);
    let text = Join { network: NETWORK.into(), member }.to_toml();
    let refused = read_join("j.toml", &text).expect_err("refused");
    assert!(refused.0.iter().all(|mistake| mistake.finding.path.ends_with(".proof")), "{refused}");
    assert_eq!(refused.0.len(), 6);
}

#[test]
fn the_empty_sheet_is_toml_and_says_what_is_missing() {
    for kind in [NetworkKind::Devnet, NetworkKind::Main] {
        let sheet = sheet("tanba-kz", kind, Timestamp(1_788_220_800_000));
        let missing = GenesisDocument::read_toml("g.toml", &sheet).expect_err("nobody joined yet");
        assert!(missing.to_string().contains("a network has 1 to 256 validators"), "{missing}");
        assert!(!missing.to_string().contains("not TOML"), "{missing}");
    }
}
