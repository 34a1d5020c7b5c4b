//! Ends of processes, wished for and not: what was acknowledged stays.

use std::sync::Arc;

use tanba_ledger::Transaction;
use tanba_node::{client::End, devnet::ProcessError};
use tanba_tests::network::{Network, OBSERVER, VALIDATORS, signal};
use tokio::task::JoinSet;

use crate::{folder, program};

/// Batches offered before the power goes, and those acknowledged when it does.
const OFFERED: u64 = 24;
const ACKNOWLEDGED: usize = 9;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_when_all_five_are_killed_at_once() {
    let folder = folder();
    let mut network = Network::run(program(), folder.path()).await;

    let mut under_way = JoinSet::new();
    for number in 0..OFFERED {
        let university = number as usize % VALIDATORS;
        let transaction: Arc<Transaction> = network.issue(university, number * 20, 20).into();
        let client = network.client(university).clone();
        under_way.spawn(async move {
            match client.submit_and_track(&transaction).await {
                Ok(End::Final { position, .. }) => Some((transaction.id(), position)),
                Ok(End::Refused(refused)) => panic!("refused: {refused}"),
                Err(_) => None,
            }
        });
    }
    let mut acknowledged = Vec::new();
    while acknowledged.len() < ACKNOWLEDGED {
        let ended = under_way.join_next().await.expect("more are offered").expect("no panic");
        acknowledged.push(ended.expect("the power is still on"));
    }
    let pids: Vec<u32> = network.nodes.iter().filter_map(|node| node.pid()).collect();
    assert_eq!(pids.len(), VALIDATORS + 1);
    signal("KILL", &pids);
    // An answer may have been on its way when its node was killed.
    under_way.abort_all();
    while let Some(ended) = under_way.join_next().await {
        acknowledged.extend(ended.ok().flatten());
    }
    for number in 0..=OBSERVER {
        network.kill(number).await;
    }

    network.start_all().await;
    for (id, position) in &acknowledged {
        for number in 0..=OBSERVER {
            network.reaches(number, position.height).await;
            assert_eq!(network.proven(number, *id).await, position.height);
        }
    }
    let next = network.issue(0, OFFERED * 20, 20);
    let place = network.make_final(0, &next).await;
    assert!(acknowledged.iter().all(|(_, earlier)| earlier.height < place.height));
    network.stop_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminated_node_ends_within_its_deadline_with_code_0() {
    let folder = folder();
    let mut network = Network::run(program(), folder.path()).await;
    let transaction = network.issue(0, 0, 20);
    let place = network.make_final(0, &transaction).await;
    let mut stream = network.client(0).blocks(place.height);
    stream.next_block().await.expect("a block");

    // A node that misses its deadline ends with another code.
    signal("TERM", &[network.nodes[0].pid().expect("it runs")]);
    match network.ended(0).await {
        ProcessError::Ended { status, log, .. } => assert_eq!(status.code(), Some(0), "{log}"),
        other => panic!("{other}"),
    }
    network.start(0).await;
    network.votes(0).await;
    assert_eq!(network.proven(0, transaction.id()).await, place.height);
    network.stop_all().await;
}
