use std::cell::RefCell;

use proptest::prelude::*;

use super::*;
use crate::{Height, merkle::MemoryNodes};

/// A key that shares much with its neighbours: the number's bits lie at both ends and in the middle.
fn key(n: u16) -> Hash {
    let mut bytes = [0; 32];
    bytes[0] = (n >> 12) as u8;
    bytes[13] = (n >> 4) as u8;
    bytes[31] = n as u8 & 15;
    Hash(bytes)
}

fn leaf(n: u16, version: u32) -> Leaf {
    Leaf { key: key(n), version, changed_at: Height(3), previous: Hash::ZERO, value: vec![version as u8] }
}

fn batch(items: &[(u16, u32)]) -> BTreeMap<Hash, Leaf> {
    items.iter().map(|(n, version)| (key(*n), leaf(*n, *version))).collect()
}

fn rebuilt(leaves: &BTreeMap<Hash, Leaf>) -> (Hash, BTreeMap<Hash, Node>) {
    let mut nodes = BTreeMap::new();
    let root = build(&leaves.values().collect::<Vec<_>>(), &mut |hash, node| drop(nodes.insert(hash, node)));
    (root, nodes)
}

/// Counts reads by node.
struct Counting<'n>(&'n MemoryNodes, RefCell<BTreeMap<Hash, u32>>);

impl NodeReader for Counting<'_> {
    fn node(&self, hash: &Hash) -> Result<Node, ReadError> {
        *self.1.borrow_mut().entry(*hash).or_default() += 1;
        self.0.node(hash)
    }
}

#[test]
fn the_empty_trie_has_a_zero_root_and_holds_nothing() {
    let nodes = MemoryNodes::new();
    let update = update(&nodes, &Hash::ZERO, &BTreeMap::new()).expect("reads");
    assert_eq!(update, MapUpdate { root: Hash::ZERO, nodes: vec![], dead: vec![] });
    assert_eq!(get(&nodes, &Hash::ZERO, &key(1)), Ok(None));
}

#[test]
fn one_leaf_is_its_own_root() {
    let update = update(&MemoryNodes::new(), &Hash::ZERO, &batch(&[(7, 1)])).expect("reads");
    assert_eq!(update.root, leaf(7, 1).hash());
    assert_eq!(update.nodes.len(), 1);
}

#[test]
fn writing_what_is_there_changes_nothing() {
    let mut nodes = MemoryNodes::new();
    let first = update(&nodes, &Hash::ZERO, &batch(&[(1, 1), (2, 1), (900, 1)])).expect("reads");
    nodes.apply(&first);
    let again = update(&nodes, &first.root, &batch(&[(2, 1)])).expect("reads");
    assert_eq!(again, MapUpdate { root: first.root, nodes: vec![], dead: vec![] });
}

#[test]
fn a_missing_node_is_an_error_and_not_an_absence() {
    let mut nodes = MemoryNodes::new();
    let first = update(&nodes, &Hash::ZERO, &batch(&[(1, 1), (40_000, 1)])).expect("reads");
    nodes.apply(&first);
    let lost = leaf(1, 1).hash();
    nodes.apply(&MapUpdate { root: first.root, nodes: vec![], dead: vec![lost] });
    assert_eq!(get(&nodes, &first.root, &key(1)), Err(ReadError::Missing(lost)));
    assert_eq!(update(&nodes, &first.root, &batch(&[(2, 1)])), Err(ReadError::Missing(lost)));
    assert_eq!(get(&nodes, &first.root, &key(40_000)), Ok(Some(leaf(40_000, 1))));
}

#[test]
fn branches_out_of_order_are_damage() {
    let mut nodes = MemoryNodes::new();
    let a = nodes.insert(Node::Leaf(leaf(1, 1)));
    let low = nodes.insert(Node::Branch(Branch { bit: 9, left: a, right: a }));
    let high = nodes.insert(Node::Branch(Branch { bit: 9, left: low, right: low }));
    let outside = nodes.insert(Node::Branch(Branch { bit: 256, left: a, right: a }));
    assert_eq!(get(&nodes, &high, &key(1)), Err(ReadError::Damaged(low)));
    assert_eq!(get(&nodes, &outside, &key(1)), Err(ReadError::Damaged(outside)));
}

#[test]
fn a_batch_reads_each_node_once() {
    let mut nodes = MemoryNodes::new();
    let items: Vec<(u16, u32)> = (0..400).map(|n| (n * 163, 1)).collect();
    let first = update(&nodes, &Hash::ZERO, &batch(&items)).expect("reads");
    nodes.apply(&first);
    let changes: Vec<(u16, u32)> = (0..400).map(|n| (n * 157 + 3, 2)).collect();
    let counting = Counting(&nodes, RefCell::default());
    update(&counting, &first.root, &batch(&changes)).expect("reads");
    assert!(counting.1.borrow().values().all(|reads| *reads == 1));
}

fn items() -> impl Strategy<Value = Vec<(u16, u32)>> {
    prop::collection::vec((any::<u16>(), 1u32..4), 0..60)
}

proptest! {
    #[test]
    fn a_trie_is_the_one_that_its_leaves_make(batches in prop::collection::vec(items(), 1..5)) {
        let mut nodes = MemoryNodes::new();
        let mut root = Hash::ZERO;
        let mut model = BTreeMap::new();
        for items in batches {
            let puts = batch(&items);
            let before = rebuilt(&model).1;
            let update = update(&nodes, &root, &puts).expect("reads");
            model.extend(puts);
            let (expected, after) = rebuilt(&model);
            prop_assert_eq!(update.root, expected);
            // Exactly the new nodes are new, exactly the branches that are gone are dead.
            let new: BTreeMap<Hash, Node> = update.nodes.iter().cloned().collect();
            prop_assert_eq!(new.len(), update.nodes.len(), "no node twice");
            let is_new = |hash: &Hash| !before.contains_key(hash);
            let expected_new: BTreeMap<Hash, Node> =
                after.iter().filter(|(hash, _)| is_new(hash)).map(|(h, n)| (*h, n.clone())).collect();
            prop_assert_eq!(new, expected_new);
            let mut dead = update.dead.clone();
            dead.sort();
            let is_branch = |node: &Node| matches!(node, Node::Branch(_));
            let expected_dead: Vec<Hash> = before
                .iter()
                .filter(|(hash, node)| is_branch(node) && !after.contains_key(hash))
                .map(|(hash, _)| *hash)
                .collect();
            prop_assert_eq!(dead, expected_dead);
            root = update.root;
            nodes.apply(&update);
            for (key, leaf) in &model {
                prop_assert_eq!(get(&nodes, &root, key), Ok(Some(leaf.clone())));
            }
        }
    }

    #[test]
    fn one_batch_is_the_same_as_one_by_one(first in items(), second in items()) {
        let mut whole = MemoryNodes::new();
        let mut whole_root = Hash::ZERO;
        for items in [&first, &second] {
            let update = update(&whole, &whole_root, &batch(items)).expect("reads");
            whole.apply(&update);
            whole_root = update.root;
        }
        let mut single = MemoryNodes::new();
        let mut single_root = Hash::ZERO;
        for item in first.iter().chain(&second) {
            let update = update(&single, &single_root, &batch(&[*item])).expect("reads");
            single.apply(&update);
            single_root = update.root;
        }
        prop_assert_eq!(single_root, whole_root);
    }

    #[test]
    fn absent_keys_are_absent(items in items(), asked: u16) {
        let mut nodes = MemoryNodes::new();
        let update = update(&nodes, &Hash::ZERO, &batch(&items)).expect("reads");
        nodes.apply(&update);
        let held = batch(&items).get(&key(asked)).cloned();
        prop_assert_eq!(get(&nodes, &update.root, &key(asked)), Ok(held));
    }
}
