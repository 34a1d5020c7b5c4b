use std::collections::BTreeMap;

use proptest::prelude::*;
use tanba_crypto::Canonical;

use super::*;
use crate::{
    Height,
    merkle::{MemoryNodes, map},
};

fn key(n: u16) -> Hash {
    let mut bytes = [0; 32];
    (bytes[0], bytes[1]) = ((n >> 8) as u8, n as u8);
    Hash(bytes)
}

fn leaf(n: u16) -> Leaf {
    Leaf { key: key(n), version: 1, changed_at: Height(1), previous: Hash::ZERO, value: vec![n as u8] }
}

fn trie(numbers: &[u16]) -> (MemoryNodes, Hash) {
    let puts: BTreeMap<Hash, Leaf> = numbers.iter().map(|n| (key(*n), leaf(*n))).collect();
    let mut nodes = MemoryNodes::new();
    let update = map::update(&nodes, &Hash::ZERO, &puts).expect("reads");
    nodes.apply(&update);
    (nodes, update.root)
}

const NUMBERS: [u16; 7] = [0x0000, 0x0001, 0x1234, 0x12ff, 0x1300, 0x8000, 0xffff];

#[test]
fn a_bucket_holds_what_is_under_its_prefix() {
    let (nodes, root) = trie(&NUMBERS);
    let read = bucket(&nodes, &root, &key(0x1200), 8, 10).expect("reads");
    assert_eq!(read.verify(&root, &key(0x1200), 8), Ok([leaf(0x1234), leaf(0x12ff)].as_slice()));
    let all = bucket(&nodes, &root, &key(0x1200), 0, 10).expect("reads");
    assert_eq!(all.verify(&root, &Hash::ZERO, 0).map(<[Leaf]>::len), Ok(7));
    let one = bucket(&nodes, &root, &key(0x1234), 256, 10).expect("reads");
    assert_eq!(one.verify(&root, &key(0x1234), 256), Ok([leaf(0x1234)].as_slice()));
}

#[test]
fn an_empty_bucket_is_shown_by_a_foreign_leaf() {
    let (nodes, root) = trie(&NUMBERS);
    for (prefix, bits) in [(0x1400, 8), (0x7000, 4), (0x1235, 16), (0x9000, 4)] {
        let read = bucket(&nodes, &root, &key(prefix), bits, 10).expect("reads");
        assert_eq!(read.verify(&root, &key(prefix), bits), Ok([].as_slice()), "{prefix:#x}/{bits}");
        assert_eq!(read.leaves.len(), 1);
    }
}

#[test]
fn a_full_bucket_cannot_be_shown_empty() {
    let (nodes, root) = trie(&NUMBERS);
    for shown in NUMBERS {
        let foreign = bucket(&nodes, &root, &key(shown), 256, 10).expect("reads");
        assert!(foreign.verify(&root, &key(0x1200), 8) != Ok(&[]), "{shown:#x}");
    }
}

#[test]
fn a_bucket_without_one_of_its_leaves_is_refused() {
    let (nodes, root) = trie(&NUMBERS);
    let good = bucket(&nodes, &root, &key(0x1200), 8, 10).expect("reads");
    for at in 0..good.leaves.len() {
        let mut short = good.clone();
        short.leaves.remove(at);
        assert!(short.verify(&root, &key(0x1200), 8).is_err());
    }
    // One side of the bucket, with the other as a sibling on the path, is a true statement about less.
    let half = bucket(&nodes, &root, &key(0x1234), 16, 10).expect("reads");
    assert_eq!(half.verify(&root, &key(0x1200), 8), Err(ProofError::Bits));
}

#[test]
fn a_wider_bucket_does_not_pass_for_a_narrower_one() {
    let (nodes, root) = trie(&NUMBERS);
    let all = bucket(&nodes, &root, &key(0x1200), 0, 10).expect("reads");
    assert_eq!(all.verify(&root, &key(0x1200), 8), Err(ProofError::Elsewhere));
}

#[test]
fn a_bucket_above_the_limit_is_refused() {
    let (nodes, root) = trie(&NUMBERS);
    assert_eq!(bucket(&nodes, &root, &key(0), 0, 6), Err(BucketError::TooLarge(6)));
}

#[test]
fn every_flipped_bit_of_a_bucket_is_refused() {
    let (nodes, root) = trie(&NUMBERS);
    for (prefix, bits) in [(0x1200, 8), (0x1400, 8), (0x0000, 1)] {
        let good = bucket(&nodes, &root, &key(prefix), bits, 10).expect("reads");
        let answer = good.verify(&root, &key(prefix), bits).expect("good").to_vec();
        let bytes = good.to_canonical();
        for at in 0..bytes.len() * 8 {
            let mut bad = bytes.clone();
            bad[at / 8] ^= 1 << (at % 8);
            if let Ok(bad) = MapBucket::from_canonical(&bad, 1 << 16) {
                assert_ne!(bad.verify(&root, &key(prefix), bits), Ok(answer.as_slice()), "bit {at}");
                assert!(bad.verify(&root, &key(prefix), bits).is_err(), "bit {at}");
            }
        }
    }
}

proptest! {
    #[test]
    fn a_bucket_is_the_filtered_list(numbers in prop::collection::vec(0u16..2048, 0..40), n in 0u16..2048, bits in 0u16..20) {
        let (nodes, root) = trie(&numbers);
        let read = bucket(&nodes, &root, &key(n), bits, 100).expect("reads");
        let mut expected: Vec<u16> = numbers.clone();
        expected.sort();
        expected.dedup();
        expected.retain(|m| key(*m).first_difference(&key(n)).is_none_or(|d| d >= bits));
        let expected: Vec<Leaf> = expected.into_iter().map(leaf).collect();
        prop_assert_eq!(read.verify(&root, &key(n), bits), Ok(expected.as_slice()));
    }
}
