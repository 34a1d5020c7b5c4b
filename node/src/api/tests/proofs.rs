//! Every proof is believed from the checkpoint alone, and nothing that does not verify leaves the node.

use std::sync::{Arc, Mutex};

use tanba_crypto::Hash;
use tanba_ledger::{
    BlockHash, Certificate, Header, Height, Operation, Timestamp, TransactionId,
    limits::TRUST_PERIOD_MS,
    merkle::{Node as StateNode, NodeReader, ReadError},
    operation::Reason,
    proof::{At, Question},
    record::Standing,
    state::Tip,
    testkit,
};
use tanba_proto::verifier::v1::{
    GetBucketRequest, StatusQuery, StreamStatusRequest, status_item,
    verifier_service_client::VerifierServiceClient,
};
use tanba_storage::{CertifiedBlock, MemoryReader, Position, StoreError, StoreReader};

use super::rig::{Node, question, question_at, serve_backend};
use crate::client::ClientError;

#[tokio::test]
async fn a_recorded_diploma_is_proven_and_a_forged_one_is_proven_absent() {
    let mut node = Node::new();
    let served = node.serve().await;
    let issue = node.world.issue(0, 1, 20);
    node.commit(&[issue]);
    let (client, trust) = (served.client().await, node.trust());
    let recorded = client.status_by_bucket(&question(7), &trust).await.expect("proven").status.recorded;
    assert_eq!(recorded.expect("recorded").token.standing, Standing::Valid);
    let status = client.status(&question(7), &trust).await.expect("proven").status;
    assert_eq!(status.recorded.expect("recorded").issued_at, Height(1));
    for absent in [question(999), Question { issuer: testkit::bin(1), ..question(7) }] {
        assert_eq!(client.status_by_bucket(&absent, &trust).await.expect("proven").status.recorded, None);
        assert_eq!(client.status(&absent, &trust).await.expect("proven").status.recorded, None);
    }
}

#[tokio::test]
async fn the_status_at_an_earlier_height_or_time_is_proven_at_the_head() {
    let mut node = Node::new();
    let served = node.serve().await;
    let issue = node.world.issue(0, 1, 20);
    node.commit(&[issue]);
    let issued = node.world.tip.header.time;
    let changes = testkit::changes(0, &[(7, 1)], Reason::Fraud);
    let revoke = node.world.operation(0, Operation::Revoke(changes));
    node.commit(&[revoke]);
    let (client, trust) = (served.client().await, node.trust());
    let standing = async |question| {
        let recorded = client.status(&question, &trust).await.expect("proven").status.recorded;
        recorded.map(|recorded| recorded.token.standing)
    };
    assert_eq!(standing(question(7)).await, Some(Standing::Revoked));
    assert_eq!(standing(question_at(7, 1)).await, Some(Standing::Valid));
    assert_eq!(standing(question_at(7, 0)).await, None);
    let then = Question { at: At::Time(Timestamp(issued.0 + 1)), ..question(7) };
    assert_eq!(standing(then).await, Some(Standing::Valid));
}

#[tokio::test]
async fn a_height_above_the_head_is_refused_with_the_head() {
    let node = Node::new();
    let served = node.serve().await;
    let client = served.client().await;
    let error = client.status(&question_at(7, 5), &node.trust()).await.expect_err("not yet");
    assert_eq!(error.reason(), Some("ABOVE_HEAD"));
    assert!(error.to_string().starts_with("the head of this node is 0;"), "{error}");
    assert_eq!(client.block(Height(5)).await.expect_err("not yet").reason(), Some("ABOVE_HEAD"));
}

#[tokio::test]
async fn a_later_head_serves_as_the_next_checkpoint() {
    let mut node = Node::new();
    let served = node.serve().await;
    node.grow(1, 2);
    let client = served.client().await;
    let mut trust = node.trust();
    trust.checkpoint = client.status(&question(1), &trust).await.expect("proven").status.head;
    node.grow(3, 2);
    trust.now = node.world.tip.header.time;
    let status = client.status(&question(4), &trust).await.expect("proven").status;
    assert_eq!(status.head.height, Height(4));
    assert_eq!(client.checkpoint(None).await, Ok(status.head));
    assert_eq!(client.checkpoint(Some(Height(2))).await, Ok(trust.checkpoint));
}

#[tokio::test]
async fn the_client_refuses_stale_proofs_and_other_chains() {
    let mut node = Node::new();
    let served = node.serve().await;
    node.grow(1, 1);
    let (client, good) = (served.client().await, node.trust());
    let mut late = good;
    late.now = late.now.saturating_add_ms(1);
    let error = client.status(&question(1), &late).await.expect_err("stale");
    assert!(error.to_string().contains("the node is behind"), "{error}");
    let mut elsewhere = good;
    elsewhere.checkpoint.hash = BlockHash(Hash([1; 32]));
    assert!(matches!(client.status(&question(1), &elsewhere).await, Err(ClientError::Proof { .. })));
}

#[tokio::test]
async fn a_checkpoint_older_than_the_trust_period_is_refused() {
    let mut node = Node::new();
    let served = node.serve().await;
    let far = node.world.tip.header.time.saturating_add_ms(TRUST_PERIOD_MS);
    node.commit_at(far, &[]);
    let error = served.client().await.status(&question(1), &node.trust()).await.expect_err("too old");
    assert_eq!(error.reason(), Some("OUT_OF_RANGE"));
}

#[tokio::test]
async fn a_batch_answers_each_item_for_itself() {
    let mut node = Node::new();
    let served = node.serve().await;
    node.grow(1, 1);
    let (client, trust) = (served.client().await, node.trust());
    let answers =
        client.statuses(&[question(1), question_at(1, 9), question(2)], &trust).await.expect("three");
    assert!(answers[0].as_ref().expect("proven").status.recorded.is_some());
    assert_eq!(answers[1].as_ref().expect_err("above the head").reason(), Some("ABOVE_HEAD"));
    assert!(answers[2].as_ref().expect("proven absent").status.recorded.is_none());
    let error = client.statuses(&[], &trust).await.expect_err("nothing asked");
    assert_eq!(error.reason(), Some("INVALID_FIELD"));
    let error = client.statuses(&vec![question(1); 257], &trust).await.expect_err("too many");
    assert_eq!(error.reason(), Some("INVALID_FIELD"));
}

#[tokio::test]
async fn a_stream_of_questions_is_answered_in_order() {
    let mut node = Node::new();
    let served = node.serve().await;
    node.grow(1, 1);
    let mut client = VerifierServiceClient::new(served.channel());
    let ask = |correlation_id, query: Option<StatusQuery>| StreamStatusRequest {
        correlation_id,
        query,
        checkpoint_height: None,
    };
    let bad = StatusQuery { issuer: "nobody".into(), ..StatusQuery::from(&question(1)) };
    let asked = vec![ask(5, Some(StatusQuery::from(&question(1)))), ask(6, Some(bad)), ask(7, None)];
    let stream = client.stream_status(tokio_stream::iter(asked)).await.expect("a stream");
    let mut stream = stream.into_inner();
    let mut seen = Vec::new();
    while let Some(answer) = stream.message().await.expect("an answer") {
        let said = match answer.item.and_then(|item| item.result).expect("a result") {
            status_item::Result::Proof(_) => "proof".to_owned(),
            status_item::Result::Problem(problem) => problem.message,
        };
        seen.push((answer.correlation_id, said));
    }
    assert_eq!(seen[0], (5, "proof".to_owned()));
    assert!(seen[1].0 == 6 && seen[1].1.starts_with("query.issuer: a BIN has 12 digits"), "{seen:?}");
    assert!(seen[2].0 == 7 && seen[2].1.starts_with("query: the field is missing"), "{seen:?}");
}

#[tokio::test]
async fn buckets_grow_finer_with_the_number_of_tokens_and_others_are_refused() {
    let mut node = Node::new();
    let served = node.serve().await;
    let client = served.client().await;
    assert_eq!(client.node_info().await.expect("info").bucket_bits, 0);
    for university in 0..3 {
        let first = 10_000 * university as u64;
        let issue = node.world.issue(university, first, 1_000);
        node.commit(&[issue]);
    }
    assert_eq!(client.node_info().await.expect("info").bucket_bits, 2);
    let trust = node.trust();
    for bits in [1, 2] {
        let bucket = client.bucket(&question(77), bits, &trust).await.expect("proven");
        assert!(bucket.status(&question(77)).expect("of this bucket").recorded.is_some());
    }
    for bits in [0, 3] {
        let error = client.bucket(&question(77), bits, &trust).await.expect_err("another size");
        assert_eq!(error.reason(), Some("BUCKET_BITS"));
    }
    let mut raw = VerifierServiceClient::new(served.channel());
    let crooked = GetBucketRequest { prefix: vec![0xff], bits: 2, checkpoint_height: None };
    let status = raw.get_bucket(crooked).await.expect_err("spare bits are set");
    assert!(status.message().starts_with("prefix: "), "{status}");
}

/// A store that tells another time for old blocks than their certificates do, and has lost a certificate.
#[derive(Clone)]
struct Lying {
    store: MemoryReader,
    /// The height of the certificate that is gone.
    lost: Option<Height>,
    condemned: Arc<Mutex<Vec<StoreError>>>,
}

impl Lying {
    fn new(node: &Node, lost: Option<Height>) -> Lying {
        Lying { store: node.backend().reader, lost, condemned: Arc::default() }
    }

    fn condemned(&self) -> Vec<StoreError> {
        self.condemned.lock().expect("a lock").clone()
    }
}

impl NodeReader for Lying {
    fn node(&self, hash: &Hash) -> Result<StateNode, ReadError> {
        self.store.node(hash)
    }
}

impl StoreReader for Lying {
    fn tip(&self) -> Arc<Tip> {
        self.store.tip()
    }

    fn block(&self, _: Height) -> Result<Option<CertifiedBlock>, StoreError> {
        Err(StoreError::Stopped("the disk is on fire, diploma of A. Person".into()))
    }

    fn header(&self, height: Height) -> Result<Option<Header>, StoreError> {
        let header = self.store.header(height)?;
        Ok(header.map(|header| match height {
            Height(1) => Header { time: Timestamp(header.time.0 + 1), ..header },
            _ => header,
        }))
    }

    fn finalization(&self, height: Height) -> Result<Option<Certificate>, StoreError> {
        if self.lost == Some(height) { Ok(None) } else { self.store.finalization(height) }
    }

    fn height_of(&self, block: &BlockHash) -> Result<Option<Height>, StoreError> {
        self.store.height_of(block)
    }

    fn history_node(&self, level: u8, index: u64) -> Result<Option<Hash>, StoreError> {
        self.store.history_node(level, index)
    }

    fn position(&self, transaction: &TransactionId) -> Result<Option<Position>, StoreError> {
        self.store.position(transaction)
    }

    fn condemn(&self, damage: StoreError) {
        self.condemned.lock().expect("a lock").push(damage);
    }
}

#[tokio::test]
async fn damage_that_a_proof_finds_condemns_the_store() {
    let mut node = Node::new();
    node.grow(1, 2);
    let lying = Lying::new(&node, Some(Height(2)));
    let served = serve_backend(node.backend_over(lying.clone())).await;
    let error = served.client().await.status(&question(2), &node.trust()).await.expect_err("no proof");
    assert_eq!(error.reason(), Some("STORE_FAILED"));
    let condemned = lying.condemned();
    assert!(condemned[0].to_string().contains("a certificate below the head is missing"), "{condemned:?}");
}

#[tokio::test]
async fn an_answer_that_does_not_verify_is_withheld() {
    let mut node = Node::new();
    node.grow(1, 2);
    let lying = Lying::new(&node, None);
    let served = serve_backend(node.backend_over(lying.clone())).await;
    let client = served.client().await;
    let error = client.status(&question(1), &node.trust()).await.expect_err("withheld");
    assert_eq!(error.reason(), Some("UNPROVEN"));
    assert_eq!(lying.condemned(), [], "whoever brought this about does not stop the node");
    client.status(&question(2), &node.trust()).await.expect("what verifies is served");
}

#[tokio::test]
async fn a_failing_disk_is_told_without_its_details() {
    let mut node = Node::new();
    node.grow(1, 1);
    let lying = Lying::new(&node, None);
    let served = serve_backend(node.backend_over(lying)).await;
    let error = served.client().await.block(Height(1)).await.expect_err("a dead disk");
    assert_eq!(error.reason(), Some("STORE_FAILED"));
    assert!(!error.to_string().contains("Person"), "{error}");
}
