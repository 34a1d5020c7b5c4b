use std::{collections::BTreeMap, path::PathBuf};

use base64::{Engine, prelude::BASE64_STANDARD};
use proptest::prelude::*;

use super::*;
use crate::merkle::{
    Frontier,
    tree::{
        BuildError, EMPTY_ROOT, leaf_hash, prove_consistency, prove_inclusion, prove_inclusion_among, root,
    },
};

/// The root by the RFC's own recursion.
fn naive_root(leaves: &[Vec<u8>]) -> Hash {
    match leaves {
        [] => Hash::plain(b""),
        [leaf] => leaf_hash(leaf),
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            node_hash(&naive_root(left), &naive_root(right))
        }
    }
}

fn leaves(count: u64) -> Vec<Vec<u8>> {
    (0..count).map(|i| i.to_be_bytes().to_vec()).collect()
}

/// Every complete subtree of a tree of `count` leaves.
fn subtrees(count: u64) -> BTreeMap<(u8, u64), Hash> {
    let mut frontier = Frontier::default();
    let completed = leaves(count).into_iter().flat_map(|leaf| frontier.append(&leaf)).collect::<Vec<_>>();
    completed.into_iter().map(|node| ((node.level, node.index), node.hash)).collect()
}

type Never = std::convert::Infallible;

fn lookup(subtrees: &BTreeMap<(u8, u64), Hash>) -> impl Fn(u8, u64) -> Result<Option<Hash>, Never> {
    |level, index| Ok(subtrees.get(&(level, index)).copied())
}

/// The eight leaves that the transparency logs' own tests use, and the roots over the first n of them.
#[test]
fn known_roots_are_reproduced() {
    let leaves: [&str; 8] =
        ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
    let leaves: Vec<Vec<u8>> = leaves.iter().map(|l| hex::decode(l).expect("hex")).collect();
    let roots = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    for (count, expected) in roots.iter().enumerate() {
        assert_eq!(root(&leaves[..count]).to_string(), *expected, "{count} leaves");
    }
}

#[test]
fn an_empty_tree_hashes_to_sha_256_of_nothing() {
    assert_eq!(EMPTY_ROOT, Hash::plain(b""));
    assert_eq!(Frontier::default().root(), EMPTY_ROOT);
}

/// RFC 6962, section 2.1.3: the tree of seven leaves d0 to d6 and the paths drawn there.
#[test]
fn the_rfc_s_own_example_holds() {
    let d: Vec<Vec<u8>> = (0..7).map(|i| format!("d{i}").into_bytes()).collect();
    let [a, b, c, dd, e, f, j] = [0, 1, 2, 3, 4, 5, 6].map(|i: usize| leaf_hash(&d[i]));
    let (g, h, i) = (node_hash(&a, &b), node_hash(&c, &dd), node_hash(&e, &f));
    let (k, l) = (node_hash(&g, &h), node_hash(&i, &j));
    assert_eq!(root(&d), node_hash(&k, &l));

    let hashes = [a, b, c, dd, e, f, j];
    let path = |index| prove_inclusion_among(&hashes, index).expect("inside").path;
    assert_eq!(path(0), [b, h, l]);
    assert_eq!(path(3), [c, g, l]);
    assert_eq!(path(4), [f, j, k]);
    assert_eq!(path(6), [i, k]);

    let mut frontier = Frontier::default();
    let nodes: BTreeMap<(u8, u64), Hash> = d
        .iter()
        .flat_map(|leaf| frontier.append(leaf))
        .map(|node| ((node.level, node.index), node.hash))
        .collect();
    let consistency = |old| prove_consistency(old, 7, lookup(&nodes)).expect("inside").path;
    assert_eq!(consistency(3), [c, dd, g, l]);
    assert_eq!(consistency(4), [l]);
    assert_eq!(consistency(6), [i, j, k]);
}

#[test]
fn every_leaf_of_every_small_tree_is_proven() {
    let all = leaves(40);
    let nodes = subtrees(40);
    for size in 1..=40u64 {
        let root = naive_root(&all[..size as usize]);
        for index in 0..size {
            let proof = prove_inclusion(index, size, lookup(&nodes)).expect("inside");
            let leaf = leaf_hash(&all[index as usize]);
            assert_eq!(proof.verify(&leaf, &root), Ok(()), "{index} of {size}");
            assert_eq!(prove_inclusion_among(&hashes(&all, size), index as usize), Some(proof));
        }
        assert_eq!(
            prove_inclusion(size, size, lookup(&nodes)),
            Err(BuildError::Bounds { at: size, size }),
            "outside"
        );
    }
}

fn hashes(leaves: &[Vec<u8>], size: u64) -> Vec<Hash> {
    leaves[..size as usize].iter().map(|leaf| leaf_hash(leaf)).collect()
}

#[test]
fn every_small_tree_begins_with_every_smaller_one() {
    let all = leaves(40);
    let nodes = subtrees(40);
    for new in 1..=40u64 {
        for old in 1..=new {
            let proof = prove_consistency(old, new, lookup(&nodes)).expect("inside");
            let (old_root, new_root) = (naive_root(&all[..old as usize]), naive_root(&all[..new as usize]));
            assert_eq!(proof.verify(&old_root, &new_root), Ok(()), "{old} to {new}");
        }
    }
}

#[test]
fn a_missing_subtree_is_reported() {
    let mut nodes = subtrees(8);
    nodes.remove(&(2, 1));
    assert_eq!(prove_inclusion(0, 8, lookup(&nodes)), Err(BuildError::Missing { level: 2, index: 1 }));
}

#[test]
fn the_largest_indices_do_not_overflow() {
    let proof = InclusionProof { index: u64::MAX - 1, size: u64::MAX, path: vec![Hash::ZERO; 64] };
    assert!(proof.verify(&Hash::ZERO, &Hash::ZERO).is_err());
    for old_size in [1, 1 << 63, u64::MAX - 1, u64::MAX] {
        let proof = ConsistencyProof { old_size, new_size: u64::MAX, path: vec![Hash::ZERO; 64] };
        assert!(proof.verify(&Hash::ZERO, &Hash::ZERO).is_err());
    }
}

proptest! {
    #[test]
    fn a_frontier_has_the_root_of_the_rfc(items in prop::collection::vec(any::<Vec<u8>>(), 0..80)) {
        prop_assert_eq!(root(&items), naive_root(&items));
    }

    #[test]
    fn a_changed_inclusion_proof_fails(
        size in 1u64..60, at: prop::sample::Index, hash: prop::sample::Index, bit in 0usize..256, change in 0..6,
    ) {
        let index = at.index(size as usize) as u64;
        let all = leaves(size);
        let (root, leaf) = (naive_root(&all), leaf_hash(&all[index as usize]));
        let good = prove_inclusion(index, size, lookup(&subtrees(size))).expect("inside");
        let mut bad = good.clone();
        match change {
            0 if !good.path.is_empty() => bad.path[hash.index(good.path.len())].0[bit / 8] ^= 1 << (bit % 8),
            1 if !good.path.is_empty() => drop(bad.path.remove(hash.index(good.path.len()))),
            2 => bad.path.insert(hash.index(good.path.len() + 1), leaf),
            3 => bad.index = (index + 1) % (size + 1),
            4 => bad.path.push(root),
            5 => bad.index = size,
            _ => return Ok(()),
        }
        prop_assert!(bad.verify(&leaf, &root).is_err(), "{:?}", bad);
        prop_assert!(good.verify(&root, &root).is_err() || size == 1);
    }

    #[test]
    fn a_changed_consistency_proof_fails(
        new in 2u64..60, old: prop::sample::Index, hash: prop::sample::Index, bit in 0usize..256, change in 0..4,
    ) {
        let old = 1 + old.index(new as usize - 1) as u64;
        let all = leaves(new);
        let (old_root, new_root) = (naive_root(&all[..old as usize]), naive_root(&all));
        let good = prove_consistency(old, new, lookup(&subtrees(new))).expect("inside");
        let mut bad = good.clone();
        match change {
            0 => bad.path[hash.index(good.path.len())].0[bit / 8] ^= 1 << (bit % 8),
            1 => drop(bad.path.remove(hash.index(good.path.len()))),
            2 => bad.path.insert(hash.index(good.path.len() + 1), old_root),
            _ => bad.old_size = 0,
        }
        prop_assert!(bad.verify(&old_root, &new_root).is_err(), "{:?}", bad);
        prop_assert!(good.verify(&new_root, &new_root).is_err());
        prop_assert!(good.verify(&old_root, &old_root).is_err());
    }
}

/// The vectors of the transparency-dev project, where the shared data are at hand.
fn vectors(name: &str) -> Vec<serde_json::Value> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/data/credentials/rfc6962-merkle")
        .join(name);
    let Ok(text) = std::fs::read_to_string(&path) else {
        #[expect(clippy::print_stdout, reason = "a skipped test says so")]
        {
            println!("skipped: {} is not here", path.display());
        }
        return Vec::new();
    };
    let file: serde_json::Value = serde_json::from_str(&text).expect("the vectors are JSON");
    file["vectors"].as_array().expect("a list").iter().map(|entry| entry["vector"].clone()).collect()
}

/// A hash of a vector; `None` for the malformed ones, which no proof of ours can hold.
fn hash_of(value: &serde_json::Value) -> Option<Hash> {
    let bytes = BASE64_STANDARD.decode(value.as_str().unwrap_or_default()).expect("base64");
    bytes.try_into().ok().map(Hash)
}

fn path_of(value: &serde_json::Value) -> Option<Vec<Hash>> {
    value.as_array().map_or(Some(Vec::new()), |items| items.iter().map(hash_of).collect())
}

#[test]
fn published_inclusion_vectors_hold() {
    for vector in vectors("inclusion.json") {
        let verdict = (|| {
            let (index, size) = (vector["leafIdx"].as_u64()?, vector["treeSize"].as_u64()?);
            let proof = InclusionProof { index, size, path: path_of(&vector["proof"])? };
            proof.verify(&hash_of(&vector["leafHash"])?, &hash_of(&vector["root"])?).ok()
        })();
        assert_eq!(verdict.is_none(), vector["wantErr"] == true, "{vector}");
    }
}

#[test]
fn published_consistency_vectors_hold() {
    for vector in vectors("consistency.json") {
        let verdict = (|| {
            let (old_size, new_size) = (vector["size1"].as_u64()?, vector["size2"].as_u64()?);
            let proof = ConsistencyProof { old_size, new_size, path: path_of(&vector["proof"])? };
            proof.verify(&hash_of(&vector["root1"])?, &hash_of(&vector["root2"])?).ok()
        })();
        assert_eq!(verdict.is_none(), vector["wantErr"] == true, "{vector}");
    }
}
