//! A height that nobody can decide, past the view from which on blocks are empty: it fills neither memory nor disk, and
//! ends with a heartbeat when the network can decide.

use tanba_crypto::memo;
use tanba_ledger::{Height, limits::LOADED_VIEW_MAX};
use tanba_storage::StoreReader;
use tanba_tests::cluster::Cluster;

/// Views without decision.
const VIEWS: u32 = LOADED_VIEW_MAX + 24;

/// Bytes that the journal grows by in a view whose block must be empty: sectors of promises, and a header.
const VIEW_BYTES_MAX: usize = 8 * 1024;

/// Blocks in memory: sixteen, and those that agreement waits for.
const BLOCKS_MAX: usize = 20;

fn view(cluster: &Cluster, node: usize) -> u32 {
    cluster.nodes[node].replica.as_ref().map_or(0, |replica| replica.views().0.0)
}

/// The longest journal of the nodes that run.
fn journal_bytes(cluster: &Cluster) -> usize {
    (0..3).map(|node| cluster.nodes[node].disk.journal_bytes()).max().expect("three nodes")
}

/// One validator of four is down, and the clock of another is far ahead: it refuses what the others propose, and they
/// refuse what it proposes.
#[test]
fn a_height_without_decision_fills_neither_memory_nor_disk_and_ends_with_its_cause() {
    memo::remember();
    let mut cluster = Cluster::seeded(1);
    let batch = cluster.world.issue(0, 0, 20);
    let first = cluster.submit(0, batch);
    cluster.run_until(5_000, "final", |cluster| cluster.is_final(first));
    cluster.run_ms(1_000);
    cluster.crash(3);
    cluster.nodes[2].pace.wall_ahead_ms = 120_000;
    let waiting = cluster.world.issue(1, 0, 20);
    cluster.submit(1, waiting);
    let (mut bodies_max, mut loaded_bytes) = (0, 0);
    let chain = cluster.world.chain;
    while view(&cluster, 0) < VIEWS {
        cluster.run_ms(10_000);
        for node in 0..3 {
            let replica = cluster.nodes[node].replica.as_ref().expect("it runs");
            assert!(
                replica.blocks() <= BLOCKS_MAX,
                "node {node} keeps {} blocks in memory",
                replica.blocks()
            );
            // Reading a journal takes as long as it is; once it had more than memory it had enough.
            if bodies_max <= BLOCKS_MAX {
                bodies_max = bodies_max.max(cluster.nodes[node].disk.journal_bodies(&chain).len());
            }
        }
        if view(&cluster, 0) <= LOADED_VIEW_MAX {
            loaded_bytes = journal_bytes(&cluster);
        }
        assert_eq!(cluster.heads()[0], Some(Height(1)), "nobody can decide");
    }
    let grown = journal_bytes(&cluster) - loaded_bytes;
    let bound = (view(&cluster, 0) - LOADED_VIEW_MAX + 1) as usize * VIEW_BYTES_MAX;
    assert!(grown <= bound, "{grown} bytes since blocks must be empty, more than {bound}");
    assert!(bodies_max > BLOCKS_MAX, "only {bodies_max} bodies were kept: memory was never short");
    let last = cluster.submit(0, cluster.world.issue(0, 100, 20));
    cluster.run_ms(60_000);
    assert!(!cluster.is_final(last));
    cluster.nodes[2].pace.wall_ahead_ms = 0;
    cluster.run_until(60_000, "the height ends", |cluster| cluster.is_final(last));
    let reader = cluster.nodes[0].reader.as_ref().expect("it runs");
    let ended = reader.block(Height(2)).expect("readable").expect("final");
    assert!(ended.block.transactions.is_empty(), "at that view a block is a heartbeat");
    cluster.start(3);
    cluster.run_until(30_000, "everyone follows", |cluster| {
        let heads = cluster.heads();
        heads[3].is_some() && heads[3] == heads[0]
    });
    cluster.check_nothing_acknowledged_is_lost();
}
