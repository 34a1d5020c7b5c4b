//! A reader that keeps its connection alive and takes nothing: it costs its node two seconds and no more.

use std::{fs::File, os::unix::fs::FileExt};

use tanba_crypto::{Canonical, Hash};
use tanba_ledger::{BlockHash, Height, SignedVote, Slot, ValidatorIndex, View, Vote, record::PeerKind};
use tanba_node::{
    devnet::ProcessError,
    message::Message,
    network::{self, Admitted, NetworkConfig, NetworkLimits},
};
use tanba_proto::ledger::v1::{
    StreamBlocksRequest, StreamBlocksResponse, Voting, ledger_service_client::LedgerServiceClient,
};
use tanba_tests::network::{Network, eventually};
use tonic::{Streaming, transport::Channel};

use crate::{folder, program};

/// The node that is read from, and whose end is awaited.
const VICTIM: usize = 0;

/// A reader lets come no more than this before it has taken it.
const WINDOW_BYTES: u32 = 16;

/// A network with blocks enough to fill every buffer on the way to a reader.
async fn with_blocks() -> (tempfile::TempDir, Network) {
    let folder = folder();
    let network = Network::run(program(), folder.path()).await;
    for batch in 0..5 {
        let batch = network.issue(1, batch * 500, 500);
        let place = network.make_final(1, &batch).await;
        network.reaches(VICTIM, place.height).await;
    }
    (folder, network)
}

/// Reads the first block of many, and no more.
async fn slow_reader(network: &Network) -> Streaming<StreamBlocksResponse> {
    let address = format!("http://{}", network.nodes[VICTIM].grpc);
    let endpoint =
        Channel::from_shared(address).expect("an address").initial_stream_window_size(WINDOW_BYTES);
    let mut client = LedgerServiceClient::new(endpoint.connect().await.expect("the node answers"));
    let request = StreamBlocksRequest { from_height: 1 };
    let mut stream = client.stream_blocks(request).await.expect("a stream").into_inner();
    stream.message().await.expect("the stream goes on").expect("a block");
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_reader_does_not_keep_a_node_from_mending_its_store() {
    let (_folder, mut network) = with_blocks().await;
    // Just started, the node has read next to nothing: what is asked for comes from the disk.
    network.stop(VICTIM).await;
    network.start(VICTIM).await;
    let stream = slow_reader(&network).await;
    let before = network.log(VICTIM).len();
    let db = File::options().read(true).write(true).open(network.home(VICTIM).join("store/db"));
    let db = db.expect("the database");
    for at in (600..db.metadata().expect("its length").len()).step_by(61) {
        let mut byte = [0];
        db.read_exact_at(&mut byte, at).expect("read");
        db.write_all_at(&[!byte[0]], at).expect("written");
    }
    let whole = network.height(1).await;
    eventually("the node has mended its store", async || {
        for height in 1..=whole.0 {
            // Whatever is asked for shows the damage.
            let _ = network.client(VICTIM).block(Height(height)).await;
        }
        network.log(VICTIM)[before..].contains("the store is set aside as").then_some(())
    })
    .await;
    eventually("the validator votes", async || {
        let status = network.client(VICTIM).node_status().await.ok()?;
        (status.voting() == Voting::Voting).then_some(())
    })
    .await;
    network.nodes[VICTIM].check_running().expect("the same process");
    drop(stream);
    network.stop_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_reader_does_not_hide_that_a_key_is_used_elsewhere() {
    let (_folder, mut network) = with_blocks().await;
    let stream = slow_reader(&network).await;
    // Somebody speaks through another node with the validator's key.
    network.stop(1).await;
    let [victim, other] = [VICTIM, 1].map(|number| &network.founded.parties[number]);
    let node = victim.node.as_ref().expect("a node").public();
    let (chain, key) = (network.founded.genesis.chain_id(), victim.validator.clone().expect("a validator"));
    let config = NetworkConfig {
        chain,
        node_key: other.node.clone().expect("a node"),
        listen: Vec::new(),
        dial: vec![(node, victim.p2p.expect("it listens"))],
        limits: NetworkLimits::default(),
    };
    let (speaker, _events) = network::spawn(config).await.expect("a network");
    speaker.set_admitted(vec![Admitted { key: node, kind: PeerKind::Validator }]);
    let ended = eventually("the node ends", async || {
        if let Ok(status) = network.client(VICTIM).node_status().await
            && let Some(head) = status.as_of
        {
            let height = Height(head.height).next();
            let slot = Slot { height, view: View::FIRST };
            let vote = Vote::Notarize(slot, BlockHash(Hash::plain(b"another block")));
            let signed = SignedVote::sign(vote, ValidatorIndex(VICTIM as u16), &chain, &key);
            // It is not connected at once.
            let _ = speaker.send(&node, Message::Vote(signed).to_canonical());
        }
        network.nodes[VICTIM].check_running().err()
    })
    .await;
    match ended {
        ProcessError::Ended { status, log, .. } => assert_eq!(status.code(), Some(30), "{log}"),
        other => panic!("{other}"),
    }
    drop(stream);
    speaker.shutdown().await;
}
