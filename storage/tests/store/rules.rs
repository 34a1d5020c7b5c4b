//! The ledger's own blocks in both stores: a replay by the rules gives the state that was there before the crash.

use tanba_crypto::Hash;
use tanba_ledger::{
    Block, Certificate, SignedVote, Slot, View, Vote,
    merkle::{Node, NodeReader},
    record::Table,
    state::{Tip, genesis_state},
    testkit::{World, keys, records},
};
use tanba_storage::{Store, StoreReader, replay};

use crate::rig::{Rig, over_both_stores};

over_both_stores!(a_replay_by_the_rules_gives_the_state_before_the_crash);

fn a_replay_by_the_rules_gives_the_state_before_the_crash<R: Rig>() {
    let (mut rig, mut world) = (R::new(), World::new());
    let genesis = genesis_state(&records()).expect("records that fit together");
    rig.create(&genesis.block, genesis.delta).expect("founded");
    let mut store = rig.open_by(&world.chain, &replay::by_the_rules).expect("opened");
    for height in 0..6u64 {
        let university = height as usize % 4;
        commit(&mut store, &mut world, &[(university, height * 100), (3 - university, height * 100 + 50)]);
        if height == 2 {
            store.write_behind().run().expect("written behind");
        }
    }
    let before = leaves(&store.reader(), &world.tip);
    assert_eq!(before, leaves(&world.nodes, &world.tip), "the store holds what the rules made");
    rig.crash(store);
    let store = rig.open_by(&world.chain, &replay::by_the_rules).expect("opened");
    assert_eq!(*store.reader().tip(), world.tip);
    assert_eq!(leaves(&store.reader(), &world.tip), before);
}

/// Commits a block in which universities issue twenty diplomas each, from the numbers given.
fn commit<S: Store>(store: &mut S, world: &mut World, issues: &[(usize, u64)]) {
    let reader = store.reader();
    let issues: Vec<_> =
        issues.iter().map(|(university, first)| world.issue(*university, *first, 20)).collect();
    let parent = world.tip.clone();
    let block = world.block(&issues);
    let delta = replay::by_the_rules(&block, &parent, &reader).expect("applies");
    store.commit(&block, &certificate(&block, &parent), delta).expect("committed");
}

fn certificate(block: &Block, parent: &Tip) -> Certificate {
    let vote = Vote::Finalize(Slot { height: block.header.height, view: View::FIRST }, block.hash());
    let sign = |number: usize| {
        let key = keys(number).validator;
        let voter = parent.validators.index_of(&key.public()).expect("universities vote");
        SignedVote::sign(vote, voter, &block.header.chain, &key)
    };
    let votes: Vec<SignedVote> = (0..parent.validators.quorum()).map(sign).collect();
    Certificate::assemble(vote, &votes, &parent.validators)
}

/// The hashes of all leaves under a tip.
fn leaves(reader: &impl NodeReader, tip: &Tip) -> Vec<Hash> {
    let mut to_visit: Vec<Hash> = Table::ALL.iter().map(|table| tip.roots.of(*table)).collect();
    let mut leaves = Vec::new();
    while let Some(hash) = to_visit.pop() {
        if hash == Hash::ZERO {
            continue;
        }
        match reader.node(&hash).expect("every node under a root is there") {
            Node::Leaf(_) => leaves.push(hash),
            Node::Branch(branch) => to_visit.extend([branch.left, branch.right]),
        }
    }
    leaves
}
