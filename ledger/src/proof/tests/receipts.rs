//! Receipts of transactions, over blocks that the rules accepted.

use std::collections::BTreeMap;

use tanba_crypto::Hash;

use super::super::{ChainReader, Checkpoint, Head, HeadProof, Part, ProofFailure, Receipt, prove_receipt};
use crate::{
    Block, Certificate, Header, Height,
    merkle::{Node, NodeReader, ReadError},
    testkit::World,
};

/// A chain of two blocks of two transactions each, as a store keeps it.
struct Chain {
    world: World,
    blocks: Vec<Block>,
    history: BTreeMap<(u8, u64), Hash>,
}

impl NodeReader for Chain {
    fn node(&self, hash: &Hash) -> Result<Node, ReadError> {
        self.world.nodes.node(hash)
    }
}

impl ChainReader for Chain {
    fn final_header(&self, height: Height) -> Result<Option<Header>, ReadError> {
        Ok(self.blocks.iter().map(|block| &block.header).find(|header| header.height == height).cloned())
    }

    fn certificate_of(&self, _: Height) -> Result<Option<Certificate>, ReadError> {
        Ok(None)
    }

    fn history_subtree(&self, level: u8, index: u64) -> Result<Option<Hash>, ReadError> {
        Ok(self.history.get(&(level, index)).copied())
    }
}

impl Chain {
    fn new() -> Chain {
        let world = World::new();
        let genesis = crate::merkle::tree::leaf_hash(world.tip.hash.0.as_bytes());
        let mut chain = Chain { world, blocks: Vec::new(), history: BTreeMap::from([((0, 0), genesis)]) };
        for first in [100, 200] {
            let transactions = [chain.world.issue(0, first, 20), chain.world.issue(1, first + 50, 20)];
            let built = chain.world.build(chain.world.next_time(), &transactions);
            let (block, delta) = built.block.expect("there is a block");
            chain.history.extend(delta.history.iter().map(|node| ((node.level, node.index), node.hash)));
            chain.world.commit(delta);
            chain.blocks.push(block);
        }
        chain
    }

    fn head(&self) -> (HeadProof, Head) {
        let tip = &self.world.tip;
        let proof = HeadProof { trusted: tip.header.clone(), links: vec![], roots: tip.roots.clone() };
        let head = proof.verify(&Checkpoint::of(&tip.header), tip.header.time, 0).expect("the head itself");
        (proof, head)
    }

    fn receipt(&self, block: usize, index: u32) -> (Receipt, Head) {
        let (proof, head) = self.head();
        (prove_receipt(self, proof, &self.blocks[block], index).expect("proven"), head)
    }
}

#[test]
fn a_receipt_proves_height_time_and_place_at_the_head_and_below() {
    let chain = Chain::new();
    for (at, block) in chain.blocks.iter().enumerate() {
        for (index, transaction) in block.transactions.iter().enumerate() {
            let (receipt, head) = chain.receipt(at, index as u32);
            let included = receipt.answer(&head, &transaction.id()).expect("proven");
            assert_eq!((included.height, included.time), (block.header.height, block.header.time));
            assert_eq!((included.index, included.head), (index as u32, *head.checkpoint()));
        }
    }
}

#[test]
fn a_receipt_is_worthless_for_another_transaction_block_or_place() {
    let chain = Chain::new();
    let (good, head) = chain.receipt(0, 0);
    let id = good.transaction.id();
    let other = chain.blocks[0].transactions[1].id();
    assert_eq!(good.answer(&head, &other), Err(ProofFailure::Missing(Part::Transaction)));
    let mut approvals = good.clone();
    approvals.transaction.approvals.pop();
    let mut moved = good.clone();
    moved.inclusion.index = 1;
    let mut smaller = good.clone();
    smaller.inclusion.size = 1;
    let mut beyond = good.clone();
    beyond.inclusion.index = u64::MAX;
    let mut elsewhere = good.clone();
    elsewhere.past = None;
    let mut forged = good.clone();
    forged.past.as_mut().expect("below the head").header.time.0 += 1;
    for bad in [approvals, moved, smaller, beyond, elsewhere, forged] {
        assert!(matches!(bad.answer(&head, &id), Err(ProofFailure::Path { .. })));
    }
}
