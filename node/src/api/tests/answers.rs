//! Reads of the ledger, health and reflection.

use tanba_ledger::{Height, block::HEADER_VERSION, record::NetworkKind};
use tanba_proto::ledger::v1::{GetHeaderRequest, ledger_service_client::LedgerServiceClient};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

use super::rig::{DOCUMENT, Node};
use crate::client::ClientError;

#[tokio::test]
async fn a_node_says_which_network_it_serves_and_how_far_it_is() {
    let mut node = Node::new();
    let served = node.serve().await;
    node.grow(1, 2);
    let client = served.client().await;
    let info = client.expect_chain(&node.world.chain).await.expect("the right network");
    assert_eq!((info.as_of.height, info.as_of.hash), (Height(2), node.world.tip.hash));
    assert_eq!((info.kind, info.lowest), (NetworkKind::Devnet, Height::GENESIS));
    assert_eq!(HEADER_VERSION, 1);
    let mut other = node.world.chain;
    other.0.0[0] ^= 1;
    assert!(matches!(client.expect_chain(&other).await, Err(ClientError::WrongNetwork { .. })));
    let status = client.node_status().await.expect("a status");
    assert_eq!((status.network_height, status.peers_known), (2, 0));
    assert_eq!(client.peers().await, Ok(vec![]));
}

#[tokio::test]
async fn genesis_blocks_and_headers_are_served_as_they_are() {
    let mut node = Node::new();
    let served = node.serve().await;
    let issue = node.world.issue(0, 1, 20);
    let block = node.commit(&[issue]);
    let client = served.client().await;
    let genesis = client.genesis().await.expect("genesis");
    assert_eq!((genesis.document.as_slice(), &genesis.header), (DOCUMENT, &node.genesis));
    let found = client.block(Height(1)).await.expect("a block");
    assert_eq!(found.block, block);
    let finalization = found.finalization.expect("a certificate");
    assert_eq!(client.header(Height(1)).await.expect("a header"), (block.header, Some(finalization)));
    assert_eq!(client.block(Height(0)).await.expect("genesis").finalization, None);
}

#[tokio::test]
async fn health_follows_the_node() {
    let node = Node::new();
    let served = node.serve().await;
    let mut health = HealthClient::new(served.channel());
    let request = HealthCheckRequest { service: "tanba.verifier.v1.VerifierService".into() };
    let mut watching = health.watch(request).await.expect("a stream").into_inner();
    let mut seen = Vec::new();
    while !seen.contains(&1) {
        seen.push(watching.message().await.expect("a message").expect("a state").status);
    }
    // The replica is gone: the node serves no more.
    drop(node);
    let state = watching.message().await.expect("a message").expect("a state");
    assert_eq!(state.status, 2, "NOT_SERVING");
}

#[tokio::test]
async fn reflection_lists_the_services() {
    let node = Node::new();
    let served = node.serve().await;
    let mut client = ServerReflectionClient::new(served.channel());
    let message_request = Some(MessageRequest::ListServices(String::new()));
    let request = ServerReflectionRequest { host: String::new(), message_request };
    let mut answers =
        client.server_reflection_info(tokio_stream::iter([request])).await.expect("a stream").into_inner();
    let answer = answers.message().await.expect("a message").expect("an answer").message_response;
    let Some(MessageResponse::ListServicesResponse(list)) = answer else { panic!("{answer:?}") };
    let mut names: Vec<String> = list.service.into_iter().map(|service| service.name).collect();
    names.sort();
    assert_eq!(
        names,
        [
            "grpc.health.v1.Health",
            "grpc.reflection.v1.ServerReflection",
            "tanba.ledger.v1.LedgerService",
            "tanba.registrar.v1.RegistrarService",
            "tanba.verifier.v1.VerifierService",
        ]
    );
}

#[tokio::test]
async fn calls_are_counted_by_method_and_code_and_strangers_add_no_labels() {
    let node = Node::new();
    let served = node.serve().await;
    let mut client = LedgerServiceClient::new(served.channel());
    client.get_header(GetHeaderRequest { height: 0 }).await.expect("genesis");
    client.get_header(GetHeaderRequest { height: 9 }).await.expect_err("above the head");
    let mut grpc = tonic::client::Grpc::new(served.channel());
    grpc.ready().await.expect("connected");
    let path = tonic::codegen::http::uri::PathAndQuery::from_static("/tanba.ledger.v1.LedgerService/Strange");
    let codec = tonic_prost::ProstCodec::<GetHeaderRequest, GetHeaderRequest>::default();
    let status = grpc.unary(tonic::Request::new(GetHeaderRequest { height: 0 }), path, codec).await;
    assert_eq!(status.expect_err("no such method").code(), tonic::Code::Unimplemented);
    let text = served.metrics.text();
    let service = "service=\"tanba.ledger.v1.LedgerService\"";
    for (method, code) in [("GetHeader", "OK"), ("GetHeader", "OUT_OF_RANGE"), ("other", "UNIMPLEMENTED")] {
        let line = format!("tanba_api_calls_total{{{service},method=\"{method}\",code=\"{code}\"}} 1");
        assert!(text.contains(&line), "{line} in\n{text}");
    }
    assert!(!text.contains("Strange"));
}
