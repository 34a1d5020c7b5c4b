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
            (KINDS[usize::from(*kind) % KINDS.len()].attack)(bytes);
        },
    }]
}

/// One message of the contract.
struct Kind {
    /// The name of its type, as the compiler has it.
    type_name: fn() -> &'static str,
    /// Reads it, and takes it into the types of the ledger.
    attack: fn(&[u8]),
}

/// A message, and what is done with it when it was read.
macro_rules! kind {
    ($message:ty) => {
        kind!($message, |_| {})
    };
    ($message:ty, $then:expr) => {
        Kind {
            type_name: std::any::type_name::<$message>,
            attack: |bytes| {
                let then: fn($message) = $then;
                read(bytes).into_iter().for_each(then);
            },
        }
    };
}

/// What a message is read as, by the first byte of an input: every request and every answer of the contract.
const KINDS: [Kind; 30] = [
    kind!(registrar::SubmitRequest, |request| drop(Transaction::try_from(&request))),
    kind!(registrar::TrackRequest, |request| {
        drop(convert::transaction_id("transaction_id", &request.transaction_id));
    }),
    kind!(registrar::GetReceiptRequest, |request| {
        drop(convert::transaction_id("transaction_id", &request.transaction_id));
    }),
    kind!(verifier::GetBucketRequest, |request| {
        if let Ok((key, bits)) = convert::prefix(&request.prefix, request.bits) {
            assert_eq!(convert::prefix_of(&key, bits), request.prefix, "a bucket has one name");
        }
    }),
    kind!(verifier::GetStatusRequest, |request| request.query.iter().for_each(question)),
    kind!(verifier::BatchGetStatusRequest, |request| request.queries.iter().for_each(question)),
    kind!(verifier::StreamStatusRequest, |request| request.query.iter().for_each(question)),
    kind!(ledger::GetNodeInfoRequest),
    kind!(ledger::GetNodeStatusRequest),
    kind!(ledger::ListPeersRequest),
    kind!(ledger::GetGenesisRequest),
    kind!(ledger::GetHeaderRequest),
    kind!(ledger::GetBlockRequest),
    kind!(ledger::StreamBlocksRequest),
    kind!(ledger::GetCheckpointRequest),
    // What a client reads.
    kind!(ledger::GetNodeInfoResponse, |answer| {
        drop(NetworkKind::try_from(answer.network_kind()));
        drop(AsOf::try_from(answer.as_of));
    }),
    kind!(ledger::GetNodeStatusResponse, |answer| drop(AsOf::try_from(answer.as_of))),
    kind!(ledger::ListPeersResponse, |answer| {
        answer.peers.iter().for_each(|peer| drop(PeerKind::try_from(peer.kind())));
    }),
    kind!(ledger::GetGenesisResponse, |answer| drop(AsOf::try_from(answer.as_of))),
    kind!(ledger::GetHeaderResponse, |answer| drop(AsOf::try_from(answer.as_of))),
    kind!(ledger::GetBlockResponse, |answer| drop(AsOf::try_from(answer.as_of))),
    kind!(ledger::StreamBlocksResponse),
    kind!(ledger::GetCheckpointResponse, |answer| drop(AsOf::try_from(answer.as_of))),
    kind!(registrar::SubmitResponse, |answer| drop(AsOf::try_from(answer.as_of))),
    kind!(registrar::TrackResponse),
    kind!(registrar::GetReceiptResponse),
    kind!(verifier::GetBucketResponse, |answer| drop(AsOf::try_from(answer.as_of))),
    kind!(verifier::GetStatusResponse, |answer| drop(AsOf::try_from(answer.as_of))),
    kind!(verifier::BatchGetStatusResponse),
    kind!(verifier::StreamStatusResponse),
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
    let as_of = || Some(ledger::AsOf { height: 1, hash: vec![2; 32], time_ms: 3 });
    vec![
        input(&registrar::SubmitRequest { transaction }),
        input(&registrar::TrackRequest { transaction_id: vec![1; 32] }),
        input(&verifier::GetBucketRequest { prefix: vec![5], bits: 8, checkpoint_height: Some(2) }),
        input(&verifier::GetStatusRequest { query: Some(query.clone()), checkpoint_height: None }),
        input(&verifier::BatchGetStatusRequest { queries: vec![query; 3], checkpoint_height: Some(1) }),
        input(&ledger::GetNodeInfoResponse { as_of: as_of(), ..Default::default() }),
        input(&ledger::ListPeersResponse { as_of: as_of(), peers: vec![ledger::Peer::default(); 3] }),
        input(&ledger::GetHeaderResponse {
            as_of: as_of(),
            header: vec![3; 64],
            finalization: Some(vec![4; 64]),
        }),
        input(&ledger::GetCheckpointResponse { as_of: as_of(), checkpoint: vec![5; 64] }),
        input(&verifier::GetStatusResponse { as_of: as_of(), proof: vec![6; 64] }),
        input(&verifier::GetBucketResponse { as_of: as_of(), proof: vec![7; 64] }),
    ]
}

/// The input that is read as this message.
fn input<M: Message>(message: &M) -> Vec<u8> {
    let own = std::any::type_name::<M>();
    let kind = KINDS.iter().position(|kind| (kind.type_name)() == own).expect("a message of the contract");
    [vec![kind as u8], message.encode_to_vec()].concat()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// As much of a set of descriptors (`google/protobuf/descriptor.proto`) as names what methods take and give.
    #[derive(Clone, PartialEq, Message)]
    struct Files {
        #[prost(message, repeated, tag = "1")]
        files: Vec<File>,
    }

    #[derive(Clone, PartialEq, Message)]
    struct File {
        #[prost(message, repeated, tag = "6")]
        services: Vec<Service>,
    }

    #[derive(Clone, PartialEq, Message)]
    struct Service {
        #[prost(message, repeated, tag = "2")]
        methods: Vec<Method>,
    }

    #[derive(Clone, PartialEq, Message)]
    struct Method {
        #[prost(string, tag = "2")]
        takes: String,
        #[prost(string, tag = "3")]
        gives: String,
    }

    #[test]
    fn every_message_of_the_contract_is_attacked() {
        let contract = Files::decode(tanba_proto::DESCRIPTORS).expect("descriptors");
        let services = contract.files.into_iter().flat_map(|file| file.services);
        let methods = services.flat_map(|service| service.methods);
        let named: BTreeSet<String> = methods.flat_map(|method| [method.takes, method.gives]).collect();
        // tanba_proto::ledger::v1::GetBlockRequest is .tanba.ledger.v1.GetBlockRequest.
        let in_contract =
            |kind: &Kind| (kind.type_name)().replace("tanba_proto::", ".tanba.").replace("::", ".");
        let attacked: BTreeSet<String> = KINDS.iter().map(in_contract).collect();
        assert_eq!(attacked, named);
        assert_eq!(KINDS.len(), named.len(), "each stands there once");
    }
}
