//! Stores that are gone while the journals are whole: whoever has signed more than its store shows says nothing until
//! the blocks are there again.

use tanba_ledger::{Height, state::genesis_state, testkit};
use tanba_node::handle::Voting;
use tanba_storage::MemoryStore;
use tanba_tests::cluster::Cluster;

fn voting(cluster: &Cluster, node: usize) -> Option<Voting> {
    cluster.nodes[node].status.as_ref().map(|status| status.voting.clone())
}

fn all_vote(cluster: &Cluster) -> bool {
    (0..4).all(|node| voting(cluster, node) == Some(Voting::Voting))
}

/// The node dies, and its store with it; it is founded anew.
fn lose_store(cluster: &mut Cluster, node: usize) {
    cluster.crash(node);
    cluster.nodes[node].disk.lose_store();
    let genesis = genesis_state(&testkit::records()).expect("records that fit together");
    MemoryStore::create(&cluster.nodes[node].disk, &genesis.block, genesis.delta).expect("founded");
}

#[test]
fn three_of_four_without_their_stores_say_nothing_until_the_fourth_gives_the_blocks_back() {
    for seed in 0..8 {
        let mut cluster = Cluster::seeded(seed);
        cluster.run_until(5_000, "every validator votes", all_vote);
        let mut last = None;
        for number in 0..3 {
            let batch = cluster.world.issue(0, number * 20, 20);
            let id = cluster.submit(0, batch);
            cluster.run_until(2_000, "final", |cluster| cluster.is_final(id));
            last = Some(id);
        }
        cluster.run_until(5_000, "everyone has it", |cluster| {
            cluster.heads().iter().flatten().all(|head| *head >= Height(3))
        });
        let observers: Vec<usize> = (4..cluster.nodes.len()).collect();
        cluster.partition(&[1, 2, 3], &[&[0], &observers[..]].concat());
        for node in 1..4 {
            lose_store(&mut cluster, node);
        }
        for node in 1..4 {
            cluster.start(node);
        }
        cluster.run_ms(20_000);
        for node in 1..4 {
            assert_eq!(voting(&cluster, node), Some(Voting::Recovering), "node {node} of seed {seed}");
            assert_eq!(cluster.heads()[node], Some(Height::GENESIS));
        }
        cluster.partition(&[], &[]);
        cluster.run_until(60_000, "all of them vote again", all_vote);
        let more = cluster.world.issue(1, 0, 20);
        let id = cluster.submit(2, more);
        cluster.run_until(10_000, "and decide", |cluster| cluster.is_final(id));
        assert!(last.is_some_and(|last| cluster.is_final(last)));
        cluster.check_nothing_acknowledged_is_lost();
    }
}

#[test]
fn a_vote_keeps_its_body_while_the_store_below_it_is_filled_again() {
    let mut stood = 0;
    for seed in 0..8 {
        let mut cluster = Cluster::seeded(seed);
        cluster.run_until(5_000, "every validator votes", all_vote);
        for number in 0..2 {
            let batch = cluster.world.issue(0, number * 20, 20);
            let id = cluster.submit(0, batch);
            cluster.run_until(2_000, "final", |cluster| cluster.is_final(id));
        }
        cluster.run_until(5_000, "everyone has it", |cluster| {
            cluster.heads().iter().flatten().all(|head| *head >= Height(2))
        });
        // Two of four vote for a block, and nobody can decide it.
        cluster.partition(&[0, 1], &[2, 3, 4, 5]);
        for node in [0, 2] {
            let batch = cluster.world.issue(1, node * 20, 20);
            cluster.submit(node as usize, batch);
        }
        cluster.run_ms(100);
        let chain = cluster.world.chain;
        let kept = cluster.nodes[1].disk.journal_bodies(&chain);
        lose_store(&mut cluster, 1);
        cluster.start(1);
        // Its store comes back from those who never saw that block, and they decide another one with it.
        cluster.partition(&[1, 2, 3], &[0, 4, 5]);
        cluster.run_until(60_000, "the others decide with it", |cluster| {
            let undecided = cluster.heads()[1] < Some(Height(3));
            let bodies = cluster.nodes[1].disk.journal_bodies(&chain);
            assert!(!undecided || kept.is_subset(&bodies), "seed {seed}: a vote lost its body");
            // Another body beside it is what would have taken its place.
            !undecided
        });
        stood += usize::from(!kept.is_empty());
    }
    assert!(stood > 0, "in no seed a vote rested on a body");
}
