use std::collections::BTreeMap;

use proptest::prelude::*;
use tanba_crypto::Canonical;

use super::*;
use crate::{
    Height,
    merkle::{MemoryNodes, map},
};

fn key(n: u8) -> Hash {
    let mut bytes = [0; 32];
    (bytes[0], bytes[31]) = (n & 0xf0, n & 0x0f);
    Hash(bytes)
}

fn leaf(n: u8) -> Leaf {
    Leaf { key: key(n), version: 1, changed_at: Height(1), previous: Hash::ZERO, value: vec![n] }
}

fn trie(numbers: &[u8]) -> (MemoryNodes, Hash) {
    let puts: BTreeMap<Hash, Leaf> = numbers.iter().map(|n| (key(*n), leaf(*n))).collect();
    let mut nodes = MemoryNodes::new();
    let update = map::update(&nodes, &Hash::ZERO, &puts).expect("reads");
    nodes.apply(&update);
    (nodes, update.root)
}

#[test]
fn an_empty_trie_proves_absence_and_nothing_else() {
    let proof = prove(&MemoryNodes::new(), &Hash::ZERO, &key(1)).expect("reads");
    assert_eq!(proof.verify(&Hash::ZERO, &key(1)), Ok(None));
    let (_, root) = trie(&[1]);
    assert_eq!(proof.verify(&root, &key(1)), Err(ProofError::Root));
    let stretched = MapProof { path: vec![Step { bit: 0, sibling: Hash::ZERO }], leaf: None };
    assert_eq!(stretched.verify(&Hash::ZERO, &key(1)), Err(ProofError::Root));
}

#[test]
fn a_foreign_leaf_from_another_corner_proves_nothing() {
    // 0x10 is present; the path of 0xf0 must not pass for its absence.
    let (nodes, root) = trie(&[0x10, 0xf0]);
    let elsewhere = prove(&nodes, &root, &key(0xf0)).expect("reads");
    assert_eq!(elsewhere.verify(&root, &key(0x10)), Err(ProofError::Elsewhere));
    assert_eq!(elsewhere.verify(&root, &key(0xf0)), Ok(Some(&leaf(0xf0))));
}

#[test]
fn bits_that_do_not_increase_are_refused_before_hashing() {
    let step = |bit| Step { bit, sibling: Hash::ZERO };
    for path in [vec![step(3), step(3)], vec![step(4), step(3)], vec![step(256)], vec![step(u16::MAX)]] {
        let proof = MapProof { path, leaf: Some(leaf(1)) };
        assert_eq!(proof.verify(&Hash::ZERO, &key(1)), Err(ProofError::Bits));
    }
}

#[test]
fn every_flipped_bit_of_a_proof_is_refused() {
    let (nodes, root) = trie(&[0x00, 0x01, 0x13, 0x80, 0x8f]);
    for asked in [0x01, 0x02, 0x8f, 0x90] {
        let good = prove(&nodes, &root, &key(asked)).expect("reads");
        assert!(good.verify(&root, &key(asked)).is_ok());
        let bytes = good.to_canonical();
        for at in 0..bytes.len() * 8 {
            let mut bad = bytes.clone();
            bad[at / 8] ^= 1 << (at % 8);
            if let Ok(bad) = MapProof::from_canonical(&bad, 1 << 16) {
                assert!(bad.verify(&root, &key(asked)).is_err(), "bit {at} of the proof of {asked:#x}");
            }
        }
    }
}

proptest! {
    #[test]
    fn a_proof_answers_as_a_read_does(numbers: Vec<u8>, asked: u8) {
        let (nodes, root) = trie(&numbers);
        let proof = prove(&nodes, &root, &key(asked)).expect("reads");
        let expected = numbers.contains(&asked).then(|| leaf(asked));
        prop_assert_eq!(proof.verify(&root, &key(asked)), Ok(expected.as_ref()));
        prop_assert_eq!(&MapProof::from_canonical(&proof.to_canonical(), 1 << 16), &Ok(proof));
    }

    #[test]
    fn no_proof_of_one_key_gives_a_wrong_answer_for_another(numbers: Vec<u8>, asked: u8, other: u8) {
        let (nodes, root) = trie(&numbers);
        let proof = prove(&nodes, &root, &key(other)).expect("reads");
        if let Ok(answer) = proof.verify(&root, &key(asked)) {
            prop_assert_eq!(answer.is_some(), numbers.contains(&asked));
        }
    }
}
