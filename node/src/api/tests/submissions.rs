//! What happens to what is submitted.

use tanba_crypto::{Canonical, Hash};
use tanba_ledger::{Height, Transaction, TransactionId, limits::TRANSACTION_BYTES_MAX};
use tanba_proto::registrar::v1::{SubmitRequest, registrar_service_client::RegistrarServiceClient};
use tanba_storage::Position;
use tonic::Code;
use tonic_types::StatusExt;

use super::rig::{Node, Served, serve_at};
use crate::{
    client::{ClientError, End, Submitted},
    handle::{Outcome, Refusal},
};

fn refusal(retry: bool) -> Refusal {
    Refusal { code: "DAILY_ISSUE_LIMIT", message: "it is full".into(), next_step: "wait a day".into(), retry }
}

async fn submit_bytes(served: &Served, transaction: Vec<u8>) -> tonic::Status {
    let mut client = RegistrarServiceClient::new(served.channel());
    client.submit(SubmitRequest { transaction }).await.expect_err("refused")
}

#[tokio::test]
async fn a_transaction_is_admitted_and_then_final() {
    let mut node = Node::new();
    let served = node.serve().await;
    let transaction = node.world.issue(0, 1, 20).into_inner();
    let client = served.client().await;
    let ending = tokio::spawn(async move { client.submit_and_track(&transaction).await });
    let position = node.accept_one().await;
    let end = ending.await.expect("the client ran").expect("an end");
    let End::Final { position: found, as_of } = end else { panic!("{end:?}") };
    assert_eq!(found, position);
    assert!(as_of.height >= position.height, "final is said of what is behind the barrier");
}

#[tokio::test]
async fn submitting_again_what_is_final_answers_where_it_stands() {
    let mut node = Node::new();
    let served = node.serve().await;
    let transaction = node.world.issue(0, 1, 20);
    node.commit(std::slice::from_ref(&transaction));
    let submitted = served.client().await.submit(&transaction).await.expect("known");
    let position = Position { height: Height(1), index: 0 };
    assert!(matches!(submitted, Submitted { position: Some(found), .. } if found == position));
    assert!(node.submissions.try_recv().is_err(), "the replica is not asked again");
}

#[tokio::test]
async fn a_refusal_at_the_door_names_its_reason_and_next_step() {
    let mut node = Node::new();
    let served = node.serve().await;
    let transaction = node.world.issue(0, 1, 20).into_inner();
    let client = served.client().await;
    let asking = tokio::spawn(async move { client.submit(&transaction).await });
    let submission = node.submissions.recv().await.expect("a submission");
    submission.admitted.send(Err(refusal(false))).expect("somebody waits");
    let error = asking.await.expect("the client ran").expect_err("refused");
    assert_eq!(error.reason(), Some("DAILY_ISSUE_LIMIT"));
    assert_eq!(error.to_string(), "it is full; wait a day");
    let counted = "tanba_submissions_refused_total{reason=\"DAILY_ISSUE_LIMIT\"} 1";
    assert!(served.metrics.text().contains(counted));
}

#[tokio::test]
async fn a_transaction_that_falls_out_later_ends_as_refused() {
    let mut node = Node::new();
    let served = node.serve().await;
    let transaction = node.world.issue(0, 1, 20).into_inner();
    let client = served.client().await;
    let ending = tokio::spawn(async move { client.submit_and_track(&transaction).await });
    let submission = node.submissions.recv().await.expect("a submission");
    submission.admitted.send(Ok(submission.transaction.id())).expect("somebody waits");
    submission.outcome.expect("followed").send(Outcome::Refused(refusal(false))).expect("followed");
    let End::Refused(refused) = ending.await.expect("the client ran").expect("an end") else {
        panic!("not final")
    };
    assert_eq!(refused.reason, "DAILY_ISSUE_LIMIT");
}

#[tokio::test]
async fn a_transaction_whose_replica_forgot_it_is_told_by_the_store() {
    let mut node = Node::new();
    let served = node.serve().await;
    let transaction = node.world.issue(0, 1, 20);
    let (client, submitted) = (served.client().await, transaction.clone());
    let ending = tokio::spawn(async move { client.submit_and_track(&submitted).await });
    let submission = node.submissions.recv().await.expect("a submission");
    submission.admitted.send(Ok(submission.transaction.id())).expect("somebody waits");
    drop(submission.outcome);
    node.commit(&[transaction]);
    assert!(matches!(ending.await.expect("the client ran"), Ok(End::Final { .. })));
}

#[tokio::test]
async fn a_transaction_whose_time_is_over_ends_as_expired() {
    let mut node = Node::new();
    let served = node.serve().await;
    let mut body = node.world.issue(0, 1, 20).into_inner().body;
    body.expiry = node.world.tip.header.time;
    let transaction = node.world.by_officers(0, body).into_inner();
    let client = served.client().await;
    let ending = tokio::spawn(async move { client.submit_and_track(&transaction).await });
    let submission = node.submissions.recv().await.expect("a submission");
    submission.admitted.send(Ok(submission.transaction.id())).expect("somebody waits");
    drop(submission.outcome);
    node.grow(100, 1);
    let End::Refused(refused) = ending.await.expect("the client ran").expect("an end") else {
        panic!("not final")
    };
    assert_eq!(refused.reason, "EXPIRED");
}

#[tokio::test]
async fn an_unknown_transaction_is_not_found() {
    let node = Node::new();
    let served = node.serve().await;
    let unknown = TransactionId(Hash([9; 32]));
    let client = served.client().await;
    let error = client.track(unknown).await.expect_err("unknown");
    assert_eq!(error.reason(), Some("TRANSACTION_UNKNOWN"));
    let error = client.receipt(unknown, &node.trust()).await.expect_err("unknown");
    assert_eq!(error.reason(), Some("TRANSACTION_UNKNOWN"));
}

#[tokio::test]
async fn bytes_that_are_no_transaction_name_the_field_and_are_not_echoed() {
    let node = Node::new();
    let served = node.serve().await;
    for bytes in [b"secret".to_vec(), vec![], vec![0xff; TRANSACTION_BYTES_MAX]] {
        let status = submit_bytes(&served, bytes).await;
        assert_eq!(status.code(), Code::InvalidArgument);
        let details = status.get_error_details();
        assert_eq!(details.bad_request().expect("a BadRequest").field_violations[0].field, "transaction");
        assert!(!status.message().contains("secret"));
    }
}

#[tokio::test]
async fn approvals_that_do_not_hold_go_no_further_than_the_door() {
    let mut node = Node::new();
    let served = node.serve().await;
    let client = served.client().await;
    let good = node.world.issue(0, 1, 20).into_inner();
    let mut changed = good.clone();
    changed.body.expiry = changed.body.expiry.saturating_add_ms(1);
    let none = Transaction { approvals: vec![], ..good.clone() };
    let mut elsewhere = good.clone();
    elsewhere.body.chain.0.0[0] ^= 1;
    for (bad, reason) in
        [(changed, "INVALID_APPROVALS"), (none, "INVALID_APPROVALS"), (elsewhere, "WRONG_CHAIN")]
    {
        let error = client.submit(&bad).await.expect_err("refused");
        assert_eq!(error.reason(), Some(reason));
    }
    assert!(node.submissions.try_recv().is_err());
}

#[tokio::test]
async fn an_oversized_message_is_refused_and_the_connection_lives_on() {
    let node = Node::new();
    let served = node.serve().await;
    let status = submit_bytes(&served, vec![0; TRANSACTION_BYTES_MAX + 2048]).await;
    assert_eq!(status.code(), Code::OutOfRange);
    assert!(status.message().contains("too large"), "{status}");
    served.client().await.node_info().await.expect("the node is up");
}

#[tokio::test]
async fn a_full_replica_turns_submissions_away_with_a_time_to_come_back() {
    let mut node = Node::new();
    let served = node.serve().await;
    let client = served.client().await;
    let transaction = node.world.issue(0, 1, 20).into_inner();
    // The node's replica does not take submissions: sixteen wait in its queue, the next finds no room.
    let asking: Vec<_> = (0..17)
        .map(|_| {
            let (client, transaction) = (client.clone(), transaction.clone());
            tokio::spawn(async move { client.submit(&transaction).await })
        })
        .collect();
    let (first, _, others) = futures::future::select_all(asking).await;
    let error = first.expect("the client ran").expect_err("no room");
    assert_eq!(error.reason(), Some("OVERLOADED"));
    let ClientError::Refused(refused) = error else { panic!("{error:?}") };
    assert!(refused.retry_after.is_some());
    while let Ok(submission) = node.submissions.try_recv() {
        submission.admitted.send(Ok(submission.transaction.id())).expect("somebody waits");
    }
    for answer in others {
        answer.await.expect("the client ran").expect("admitted");
    }
}

#[tokio::test]
async fn a_receipt_proves_where_a_transaction_stands() {
    let mut node = Node::new();
    let served = node.serve().await;
    node.grow(1, 3);
    let transactions = [node.world.issue(0, 50, 20), node.world.issue(1, 80, 20)];
    let block = node.commit(&transactions);
    let client = served.client().await;
    for (grown, index) in [(0, 1), (2, 0)] {
        node.grow(200, grown);
        let id = block.transactions[index].id();
        let (included, receipt) = client.receipt(id, &node.trust()).await.expect("proven");
        assert_eq!((included.height, included.index), (block.header.height, index as u32));
        assert_eq!(receipt.transaction.to_canonical(), block.transactions[index].to_canonical());
        assert_eq!(included.head.height, node.world.tip.header.height);
    }
}

#[tokio::test]
async fn a_restarted_node_is_given_the_transaction_again() {
    let mut node = Node::new();
    let first = node.serve().await;
    let transaction = node.world.issue(0, 1, 20).into_inner();
    let client = first.client().await;
    let ending = tokio::spawn(async move { client.submit_and_track(&transaction).await });
    let submission = node.submissions.recv().await.expect("a submission");
    submission.admitted.send(Ok(submission.transaction.id())).expect("somebody waits");
    first.stop.send(true).expect("the server runs");
    first.server.await.expect("it ended").expect("in order");
    let _second = serve_at(first.address, node.backend()).await;
    let position = node.accept_one().await;
    let end = ending.await.expect("the client ran").expect("an end");
    assert!(matches!(end, End::Final { position: found, .. } if found == position));
}
