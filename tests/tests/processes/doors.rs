//! The ports of a running node: what monitoring and tools find there, and what strangers leave there.

use std::collections::{BTreeMap, BTreeSet};

use tanba_ledger::{proof::At, proof::Question, record::PeerKind, testkit};
use tanba_node::{
    metrics::METRICS,
    network::{self, Admitted, NetworkConfig, NetworkEvent, NetworkLimits},
};
use tanba_proto::ledger::v1::Voting;
use tanba_tests::network::{Network, OBSERVER, VALIDATORS, eventually};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_stream::StreamExt;
use tonic::transport::Channel;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

use crate::shared::shared;

/// What a node serves.
const SERVICES: [&str; 3] = [
    "tanba.ledger.v1.LedgerService",
    "tanba.registrar.v1.RegistrarService",
    "tanba.verifier.v1.VerifierService",
];

/// Bytes without meaning: the same on every run.
fn garbage() -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut byte = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..256 * 1024).map(|_| byte()).collect()
}

/// Says something on a port and hears the other side out.
async fn say(address: &str, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.expect("somebody listens");
    // Whoever hangs up in the middle need not hear the rest.
    let _ = stream.write_all(bytes).await;
    let _ = stream.shutdown().await;
    let mut heard = Vec::new();
    let _ = stream.read_to_end(&mut heard).await;
    heard
}

/// A bare connection, as tools of others make it.
async fn channel(network: &Network, number: usize) -> Channel {
    let address = format!("http://{}", network.nodes[number].grpc);
    let endpoint = Channel::from_shared(address).expect("an address");
    endpoint.connect().await.expect("the node answers")
}

fn node_ports(network: &Network, number: usize) -> [String; 3] {
    let p2p = network.founded.parties[number].p2p.expect("a node listens").to_string();
    let metrics = network.nodes[number].metrics.clone().expect("metrics are served");
    [network.nodes[number].grpc.clone(), p2p, metrics]
}

#[test]
fn garbage_on_every_port_does_no_harm() {
    shared(async |network| {
        let garbage = garbage();
        let greetings: [&[u8]; 5] = [
            &garbage,
            b"",
            b"GET / HTTP/1.1\r\nhost: node\r\n\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff\xff\xff\xff\xff\xff",
            b"\x13/multistream/1.0.0\n\x07/noise\n\xff\xff",
        ];
        for port in node_ports(network, 3) {
            for greeting in greetings {
                say(&port, greeting).await;
            }
        }
        network.nodes[3].pid().expect("the process runs");
        let transaction = network.issue(0, 20_000, 20);
        network.make_final(3, &transaction).await;
        network.proven(3, transaction.id()).await;
        let scraped = say(&node_ports(network, 3)[2], b"GET /metrics HTTP/1.1\r\n\r\n").await;
        assert!(scraped.starts_with(b"HTTP/1.1 200 "), "metrics are served afterwards");
    });
}

#[test]
fn a_node_that_the_ledger_does_not_know_cannot_connect() {
    shared(async |network| {
        let stranger = testkit::seeded_key("a stranger");
        let validators = || network.founded.with_nodes().take(VALIDATORS);
        let reach = |party: &tanba_node::devnet::Party| Some((party.node.as_ref()?.public(), party.p2p?));
        let config = NetworkConfig {
            chain: network.founded.genesis.chain_id(),
            node_key: stranger,
            listen: Vec::new(),
            dial: validators().filter_map(reach).collect(),
            limits: NetworkLimits::default(),
        };
        let (handle, mut events) = network::spawn(config).await.expect("a network");
        let admit = |party: &tanba_node::devnet::Party| {
            Some(Admitted { key: party.node.as_ref()?.public(), kind: PeerKind::Validator })
        };
        handle.set_admitted(validators().filter_map(admit).collect());
        // A node that cuts a stranger does it after the handshake: the stranger may think for a moment that it
        // is connected, but hears nothing and is cut each time.
        let turned_away = async || {
            let stats = handle.stats();
            (stats.dials_failed + stats.connections_established >= 2 * VALIDATORS as u64).then_some(stats)
        };
        let stats = eventually("every validator was tried twice", turned_away).await;
        assert_eq!(stats.messages_received + stats.gossip_received, 0, "a stranger hears nothing: {stats:?}");
        handle.shutdown().await;
        while let Some(event) = events.recv().await {
            let came_or_went =
                matches!(event, NetworkEvent::Connected { .. } | NetworkEvent::Disconnected { .. });
            assert!(came_or_went, "nobody speaks to a stranger: {event:?}");
        }
        for number in 0..=OBSERVER {
            let peers = network.client(number).peers().await.expect("the node answers");
            assert_eq!(peers.len(), OBSERVER, "the others, and no stranger");
        }
    });
}

#[test]
fn every_documented_metric_is_served() {
    shared(async |network| {
        let transaction = network.issue(0, 21_000, 20);
        network.make_final(0, &transaction).await;
        network.client(0).submit(&network.issue(0, 21_000, 20)).await.expect_err("refused, and counted");
        let metrics = &node_ports(network, 0)[2];
        let answer = say(metrics, b"GET /metrics HTTP/1.1\r\nhost: node\r\n\r\n").await;
        let text = String::from_utf8(answer).expect("text");
        assert!(text.starts_with("HTTP/1.1 200 "), "{text}");
        for metric in METRICS {
            let family = metric.name.trim_end_matches("_total");
            assert!(
                text.contains(&format!("# TYPE {family} {}\n", metric.kind)),
                "{} in\n{text}",
                metric.name
            );
            let sample = |line: &str| line.starts_with(metric.name);
            assert!(text.lines().any(sample), "{} has a value in\n{text}", metric.name);
        }
        let number = |name: &str| -> f64 {
            let line =
                text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("{name}"));
            line.trim().parse().unwrap_or_else(|_| panic!("{name} is a number: {line}"))
        };
        assert_eq!((number("tanba_voting "), number("tanba_peers_known ")), (1.0, OBSERVER as f64));
        let fed =
            ["head_height", "commits_total", "journal_syncs_total", "journal_bytes", "store_syncs_total"];
        for name in fed {
            assert!(number(&format!("tanba_{name} ")) > 0.0, "{name} counts");
        }
    });
}

#[test]
fn the_health_service_says_serving() {
    shared(async |network| {
        for number in [0, OBSERVER] {
            let mut health = HealthClient::new(channel(network, number).await);
            for service in SERVICES.into_iter().chain([""]) {
                let request = HealthCheckRequest { service: service.to_owned() };
                let answer = health.check(request).await.expect("the service is known").into_inner();
                assert_eq!(answer.status(), ServingStatus::Serving, "{service}");
            }
        }
    });
}

#[test]
fn reflection_lists_the_services() {
    shared(async |network| {
        let mut reflection = ServerReflectionClient::new(channel(network, 0).await);
        let message_request = Some(MessageRequest::ListServices(String::new()));
        let request = ServerReflectionRequest { host: String::new(), message_request };
        let answers = reflection.server_reflection_info(tokio_stream::once(request)).await;
        let mut answers = answers.expect("reflection is served").into_inner();
        let answer = answers.next().await.expect("an answer").expect("no error");
        let Some(MessageResponse::ListServicesResponse(list)) = answer.message_response else {
            panic!("a list of services was asked for: {answer:?}");
        };
        let names: BTreeSet<&str> = list.service.iter().map(|service| service.name.as_str()).collect();
        for service in SERVICES.into_iter().chain(["grpc.health.v1.Health"]) {
            assert!(names.contains(service), "{service} in {names:?}");
        }
    });
}

#[test]
fn an_observer_proves_from_genesis_and_never_votes() {
    shared(async |network| {
        let transaction = network.issue(1, 22_000, 20);
        let place = network.make_final(1, &transaction).await;
        network.reaches(OBSERVER, place.height).await;
        assert_eq!(network.proven(OBSERVER, transaction.id()).await, place.height);
        let issuer = network.founded.universities()[1].bin;
        for (diploma, recorded) in [(22_007, true), (22_999, false)] {
            let question = Question { issuer, fingerprint: testkit::fingerprint(diploma), at: At::Head };
            let answer = network.client(OBSERVER).status(&question, &network.trust()).await.expect("a proof");
            assert_eq!(answer.status.recorded.is_some(), recorded, "diploma {diploma}");
        }

        assert_eq!(network.status(OBSERVER).await.voting(), Voting::Observer);
        let promises = std::fs::metadata(network.home(OBSERVER).join("journal/promises")).expect("a journal");
        let validators = std::fs::metadata(network.home(0).join("journal/promises")).expect("a journal");
        assert!(
            promises.len() < validators.len(),
            "a validator has promised, an observer has nothing to promise"
        );
        let mut signed: BTreeMap<u16, usize> = BTreeMap::new();
        for height in 1..=place.height.0 {
            let (_, certificate) =
                network.client(OBSERVER).header(tanba_ledger::Height(height)).await.expect("a header");
            for signer in certificate.expect("a final block has a certificate").signer_indices() {
                *signed.entry(signer.0).or_default() += 1;
            }
        }
        assert!(
            signed.keys().all(|signer| usize::from(*signer) < VALIDATORS),
            "validators alone sign: {signed:?}"
        );
    });
}
