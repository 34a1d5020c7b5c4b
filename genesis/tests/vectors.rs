//! Golden vectors: the document of a small network, its hash and chain id, and a proof of possession, pinned in
//! `tests/vectors/genesis-document.json` at the root of the workspace.
//!
//! The network is two regulators and four universities whose n-th key has the seed of 32 bytes `of * 16 + n`.
//! A format that changes on purpose changes the document's version with it, and then:
//! `TANBA_WRITE_VECTORS=1 cargo test -p tanba-genesis --test vectors` writes the file anew. Read the diff.

mod common;
#[path = "../../tests/vectors/golden.rs"]
mod golden;

use common::{NETWORK, bin, key, network};
use golden::Vectors;
use tanba_crypto::Hash;
use tanba_genesis::{GenesisDocument, possession};
use tanba_ledger::record::{KeyRole, NetworkKind};

#[test]
fn a_genesis_document_has_its_bytes_its_hash_and_its_chain_id() {
    let mut vectors = Vectors::of("genesis-document.json");
    let document = GenesisDocument::new("values", network(NetworkKind::Devnet, 4)).expect("a good network");
    let bytes = document.to_bytes();
    assert_eq!(GenesisDocument::from_bytes("genesis.bin", &bytes).as_ref(), Ok(&document));
    vectors.add(
        "document",
        &[
            ("bytes", hex::encode(&bytes)),
            ("hash", Hash::plain(&bytes).to_string()),
            ("chain", document.chain_id().to_string()),
        ],
    );
    let (bin, role, key) = (bin(1), KeyRole::Registrar, key(1, 1));
    vectors.value(
        "possession of a registrar's key, seed 32 bytes 11",
        &possession::prove(NETWORK, bin, role, &key),
        &[
            ("network (text)", NETWORK.into()),
            ("bin (text)", bin.to_string()),
            ("key", key.public().to_string()),
        ],
    );
    vectors.check();
}
