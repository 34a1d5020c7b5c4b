//! Protobuf messages of the public API: each request that a client sends to a node, and each answer that a node which
//! nobody need trust sends to a client; then their way into ledger types.

use prost::Message;
use tanba_ledger::{
    Transaction,
    proof::Question,
    record::{NetworkKind, PeerKind},
};
use tanba_proto::{
    convert::{self, AsOf},
    ledger::v1 as ledger,
    registrar::v1 as registrar,
    verifier::v1 as verifier,
};

use super::vectors;
use crate::fuzz::{Bound, Target};

pub(super) fn targets() -> Vec<Target> {
    vec![Target {
        name: "grpc",
        input_bytes_max: 4 * 1024,
        // Two bytes of input make an empty element of a repeated message: the largest has a few hundred bytes, and a
        // list that grows holds its old half beside the new one. Then the same for what is decoded again.
        bound: Bound { factor: 600, constant_bytes: 16 * 1024 },
        seeds,
        words: &["260740000007"],
        attack: |bytes| {
            let Some((kind, bytes)) = bytes.split_first() else { return };
            KINDS[usize::from(*kind) % KINDS.len()](bytes);
        },
    }]
}

/// What a message is read as, by the first byte of an input.
const KINDS: [fn(&[u8]); 20] = [
    |bytes| {
        if let Some(request) = read::<registrar::SubmitRequest>(bytes) {
            drop(Transaction::try_from(&request));
        }
    },
    |bytes| {
        if let Some(request) = read::<registrar::TrackRequest>(bytes) {
            drop(convert::transaction_id("transaction_id", &request.transaction_id));
        }
    },
    |bytes| {
        if let Some(request) = read::<registrar::GetReceiptRequest>(bytes) {
            drop(convert::transaction_id("transaction_id", &request.transaction_id));
        }
    },
    |bytes| {
        if let Some(request) = read::<verifier::GetBucketRequest>(bytes)
            && let Ok((key, bits)) = convert::prefix(&request.prefix, request.bits)
        {
            assert_eq!(convert::prefix_of(&key, bits), request.prefix, "a bucket has one name");
        }
    },
    |bytes| {
        if let Some(request) = read::<verifier::GetStatusRequest>(bytes) {
            request.query.iter().for_each(question);
        }
    },
    |bytes| {
        if let Some(request) = read::<verifier::BatchGetStatusRequest>(bytes) {
            request.queries.iter().for_each(question);
        }
    },
    |bytes| {
        if let Some(request) = read::<verifier::StreamStatusRequest>(bytes) {
            request.query.iter().for_each(question);
        }
    },
    |bytes| {
        read::<ledger::GetHeaderRequest>(bytes);
    },
    |bytes| {
        read::<ledger::GetBlockRequest>(bytes);
    },
    |bytes| {
        read::<ledger::StreamBlocksRequest>(bytes);
    },
    |bytes| {
        read::<ledger::GetCheckpointRequest>(bytes);
    },
    // What a client reads.
    |bytes| {
        if let Some(answer) = read::<ledger::GetNodeInfoResponse>(bytes) {
            drop(NetworkKind::try_from(answer.network_kind()));
            drop(AsOf::try_from(answer.as_of));
        }
    },
    |bytes| drop(read::<ledger::GetNodeStatusResponse>(bytes).map(|answer| AsOf::try_from(answer.as_of))),
    |bytes| {
        if let Some(answer) = read::<ledger::ListPeersResponse>(bytes) {
            answer.peers.iter().for_each(|peer| drop(PeerKind::try_from(peer.kind())));
        }
    },
    |bytes| {
        read::<ledger::StreamBlocksResponse>(bytes);
    },
    |bytes| drop(read::<ledger::GetBlockResponse>(bytes).map(|answer| AsOf::try_from(answer.as_of))),
    |bytes| {
        read::<registrar::TrackResponse>(bytes);
    },
    |bytes| {
        read::<registrar::GetReceiptResponse>(bytes);
    },
    |bytes| {
        read::<verifier::BatchGetStatusResponse>(bytes);
    },
    |bytes| {
        read::<verifier::StreamStatusResponse>(bytes);
    },
];

/// Reads a message. Protobuf has many forms of one; what was understood must mean the same when written again.
fn read<M: Message + Default + PartialEq>(bytes: &[u8]) -> Option<M> {
    let message = M::decode(bytes).ok()?;
    let again = M::decode(message.encode_to_vec().as_slice()).expect("what was read can be written and read");
    assert!(again == message, "a message means the same when it is written again");
    Some(message)
}

fn question(query: &verifier::StatusQuery) {
    if let Ok(question) = Question::try_from(query) {
        assert!(verifier::StatusQuery::from(&question) == *query, "a question has one form");
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let transaction = vectors::bytes("ledger-transactions.json", &["restriction by the holder"]).remove(0);
    let query = verifier::StatusQuery {
        issuer: "260740000007".into(),
        fingerprint: vec![7; 32],
        at: Some(verifier::status_query::At::AtHeight(3)),
    };
    let as_of = Some(ledger::AsOf { height: 1, hash: vec![2; 32], time_ms: 3 });
    let messages = [
        (0, registrar::SubmitRequest { transaction }.encode_to_vec()),
        (1, registrar::TrackRequest { transaction_id: vec![1; 32] }.encode_to_vec()),
        (
            3,
            verifier::GetBucketRequest { prefix: vec![5], bits: 8, checkpoint_height: Some(2) }
                .encode_to_vec(),
        ),
        (
            4,
            verifier::GetStatusRequest { query: Some(query.clone()), checkpoint_height: None }
                .encode_to_vec(),
        ),
        (
            5,
            verifier::BatchGetStatusRequest { queries: vec![query; 3], checkpoint_height: Some(1) }
                .encode_to_vec(),
        ),
        (11, ledger::GetNodeInfoResponse { as_of, ..Default::default() }.encode_to_vec()),
        (
            13,
            ledger::ListPeersResponse { as_of: None, peers: vec![ledger::Peer::default(); 3] }
                .encode_to_vec(),
        ),
    ];
    messages.into_iter().map(|(kind, bytes)| [vec![kind], bytes].concat()).collect()
}
