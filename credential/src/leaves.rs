//! The thirty-two digests of a diploma, their order, and their root.
//!
//! Every document has 32 leaves, fields and decoys alike, so that the number of fields tells nothing. The eight
//! fields of the print set lie in one aligned subtree of eight leaves: a printed code proves all of them with
//! two nodes instead of one path each. Which of the four subtrees it is, the order within it and the order
//! outside it are shuffled, so that a position tells nothing either. The root is the tree of RFC 6962 over the
//! raw 32-byte digests.

use tanba_crypto::{Hash, Tag};

/// Leaves of every document.
pub const LEAVES: usize = 32;

/// Leaves of the print set's subtree.
pub const PRINT_LEAVES: usize = 8;

/// Aligned subtrees among which the print set is one.
pub const BLOCKS: usize = LEAVES / PRINT_LEAVES;

/// Orders print set and others by the shuffle that `seed` (32 random bytes) names.
pub fn arrange(
    print: [Hash; PRINT_LEAVES],
    others: [Hash; LEAVES - PRINT_LEAVES],
    seed: &[u8; 32],
) -> [Hash; LEAVES] {
    let mut print = shuffled(&print, seed, 1).into_iter();
    let mut others = shuffled(&others, seed, 2).into_iter();
    let block = usize::from(draw(seed, 0, 0).0[0]) % BLOCKS;
    std::array::from_fn(|at| {
        let next = if at / PRINT_LEAVES == block { print.next() } else { others.next() };
        next.expect("eight leaves fill the block, the rest fill the rest")
    })
}

/// Sorted by a pseudo-random number each: every order is equally likely, without a biased remainder.
fn shuffled(leaves: &[Hash], seed: &[u8; 32], domain: u8) -> Vec<Hash> {
    let mut order: Vec<usize> = (0..leaves.len()).collect();
    order.sort_by_key(|at| draw(seed, domain, *at as u8));
    order.into_iter().map(|at| leaves[at]).collect()
}

fn draw(seed: &[u8; 32], domain: u8, at: u8) -> Hash {
    Hash::tagged(Tag::SHUFFLE, &[seed, &[domain, at]])
}

/// RFC 6962: the root over the 32 digests, each the data of one leaf.
pub fn field_root(digests: &[Hash; LEAVES]) -> Hash {
    root(digests)
}

/// The two nodes that lead from the root of `block` to the field root, nearest first.
pub fn print_path(digests: &[Hash; LEAVES], block: usize) -> [Hash; 2] {
    let blocks: Vec<Hash> = digests.chunks_exact(PRINT_LEAVES).map(root).collect();
    let pair = (block & !1) ^ 2;
    [blocks[block ^ 1], node(&blocks[pair], &blocks[pair + 1])]
}

/// The field root that the leaves of `block` and its path lead to: what a printed code proves.
pub fn root_from_block(leaves: &[Hash; PRINT_LEAVES], block: usize, path: &[Hash; 2]) -> Hash {
    path.iter().enumerate().fold(root(leaves), |below, (level, sibling)| {
        if (block >> level) & 1 == 0 { node(&below, sibling) } else { node(sibling, &below) }
    })
}

fn root(leaves: &[Hash]) -> Hash {
    assert!(leaves.len().is_power_of_two(), "field trees are complete");
    match leaves {
        [leaf] => Hash::plain(&[&[0], leaf.as_bytes().as_slice()].concat()),
        _ => {
            let (left, right) = leaves.split_at(leaves.len() / 2);
            node(&root(left), &root(right))
        }
    }
}

fn node(left: &Hash, right: &Hash) -> Hash {
    Hash::plain(&[&[1], left.as_bytes().as_slice(), right.as_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn leaf(n: u8) -> Hash {
        Hash([n; 32])
    }

    fn arranged(seed: u8) -> [Hash; LEAVES] {
        arrange(
            std::array::from_fn(|n| leaf(n as u8)),
            std::array::from_fn(|n| leaf(8 + n as u8)),
            &[seed; 32],
        )
    }

    #[test]
    fn every_leaf_is_placed_once_and_the_print_set_is_one_aligned_block() {
        let mut blocks = BTreeSet::new();
        let mut orders = BTreeSet::new();
        for seed in 0..64 {
            let digests = arranged(seed);
            assert_eq!(BTreeSet::from(digests).len(), LEAVES);
            let at: Vec<usize> = (0..LEAVES).filter(|at| digests[*at] < leaf(8)).collect();
            assert_eq!(at.len(), PRINT_LEAVES);
            assert_eq!(at[0] % PRINT_LEAVES, 0);
            assert_eq!(at[7] - at[0], 7);
            blocks.insert(at[0]);
            orders.insert(digests);
        }
        assert_eq!(blocks.len(), BLOCKS, "every block is used");
        assert_eq!(orders.len(), 64, "every seed has its own order");
    }

    #[test]
    fn a_block_and_two_nodes_give_the_field_root() {
        let digests = arranged(3);
        for block in 0..BLOCKS {
            let leaves: [Hash; 8] = std::array::from_fn(|n| digests[block * 8 + n]);
            let path = print_path(&digests, block);
            assert_eq!(root_from_block(&leaves, block, &path), field_root(&digests));
            let mut swapped = leaves;
            swapped.swap(0, 1);
            assert_ne!(root_from_block(&swapped, block, &path), field_root(&digests));
            assert_ne!(root_from_block(&leaves, block ^ 1, &path), field_root(&digests));
        }
    }
}
