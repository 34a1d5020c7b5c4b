//! Streams neither skip nor fall silent, and say why they end.

use std::{sync::Arc, time::Duration};

use tanba_ledger::Height;
use tanba_proto::ledger::v1::{
    StreamBlocksRequest, StreamBlocksResponse, ledger_service_client::LedgerServiceClient,
    ledger_service_server::LedgerService, stream_blocks_response::Event,
};
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};
use tokio_stream::StreamExt;
use tonic::{Request, Status, transport::Endpoint};
use tonic_types::StatusExt;

use super::rig::Node;
use crate::{
    api::{
        core::Core,
        ledger::Ledger,
        limits::{PARTING_WITHIN, STREAM_AGE_MAX},
        stream::Answers,
    },
    client::BlockEvent,
};

type Stream = Answers<StreamBlocksResponse>;

/// The stream as the service makes it, without a network, so that the test owns the clock.
async fn blocks(node: &Node, from_height: u64) -> (Stream, watch::Sender<bool>) {
    let (stop, stopped) = watch::channel(false);
    let ledger = Ledger { core: Arc::new(Core::new(node.backend(), stopped)) };
    let stream = ledger.stream_blocks(Request::new(StreamBlocksRequest { from_height })).await;
    (stream.expect("a stream").into_inner(), stop)
}

async fn next(stream: &mut Stream) -> Result<Event, Status> {
    stream.next().await.expect("not ended").map(|message| message.event.expect("an event"))
}

fn reason(status: &Status) -> String {
    status.get_error_details().error_info().expect("an ErrorInfo").reason.clone()
}

#[tokio::test(start_paused = true)]
async fn a_quiet_stream_shows_life_within_fifteen_seconds() {
    let mut node = Node::new();
    node.grow(1, 1);
    let (mut stream, _stop) = blocks(&node, 1).await;
    assert!(matches!(next(&mut stream).await, Ok(Event::Block(block)) if block.height == 1));
    let mut last = Instant::now();
    for _ in 0..5 {
        assert!(matches!(next(&mut stream).await, Ok(Event::Heartbeat(_))));
        assert!(last.elapsed() <= Duration::from_secs(15), "{:?}", last.elapsed());
        last = Instant::now();
    }
    node.grow(2, 1);
    assert!(matches!(next(&mut stream).await, Ok(Event::Block(block)) if block.height == 2));
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_with_its_age_and_says_so() {
    let node = Node::new();
    let (mut stream, _stop) = blocks(&node, 1).await;
    let began = Instant::now();
    let status = loop {
        if let Err(status) = next(&mut stream).await {
            break status;
        }
    };
    assert!(began.elapsed() >= STREAM_AGE_MAX);
    assert_eq!(reason(&status), "STREAM_ENDED");
    assert!(stream.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_takes_nothing_loses_its_stream() {
    let mut node = Node::new();
    node.grow(1, 5);
    let (mut stream, _stop) = blocks(&node, 1).await;
    tokio::time::sleep(Duration::from_secs(61)).await;
    for height in [1, 2] {
        assert!(matches!(next(&mut stream).await, Ok(Event::Block(block)) if block.height == height));
    }
    assert_eq!(reason(&next(&mut stream).await.expect_err("ended")), "STREAM_ENDED");
}

#[tokio::test]
async fn a_stopping_node_ends_its_streams_and_then_itself() {
    let node = Node::new();
    let served = node.serve().await;
    let client = served.client().await;
    let mut stream = client.blocks(Height(1));
    assert!(matches!(stream.next().await, Ok(BlockEvent::Heartbeat(_))));
    drop(client);
    served.stop.send(true).expect("the server runs");
    drop(stream);
    served.server.await.expect("it ended").expect("in order");
}

#[tokio::test]
async fn a_reader_that_takes_nothing_does_not_hold_up_the_end() {
    let mut node = Node::new();
    node.grow(1, 5);
    let served = node.serve().await;
    // It answers pings, and lets come no more than this of a stream before it has read it.
    let endpoint = Endpoint::from_shared(format!("http://{}", served.address)).expect("an address");
    let channel = endpoint.initial_stream_window_size(16).connect().await.expect("the node listens");
    let request = StreamBlocksRequest { from_height: 1 };
    let mut stream =
        LedgerServiceClient::new(channel).stream_blocks(request).await.expect("a stream").into_inner();
    stream.message().await.expect("the stream goes on").expect("a block");
    served.stop.send(true).expect("the server runs");
    let ended = timeout(2 * PARTING_WITHIN, served.server).await;
    ended.expect("within its time").expect("no panic").expect("in order");
    assert!(stream.message().await.is_err(), "the reader is told that more was to come");
}

#[tokio::test]
async fn stopping_is_told_on_open_streams() {
    let node = Node::new();
    let (mut stream, stop) = blocks(&node, 1).await;
    assert!(matches!(next(&mut stream).await, Ok(Event::Heartbeat(_))));
    stop.send(true).expect("the stream runs");
    assert_eq!(reason(&next(&mut stream).await.expect_err("ended")), "STOPPING");
}

#[tokio::test]
async fn blocks_come_in_order_from_any_height_and_then_live() {
    let mut node = Node::new();
    let served = node.serve().await;
    node.grow(1, 5);
    let mut stream = served.client().await.blocks(Height(2));
    for height in 2..=5 {
        let block = stream.next_block().await.expect("a block");
        assert_eq!(block.block.header.height, Height(height));
    }
    node.grow(6, 1);
    assert_eq!(stream.next_block().await.expect("a block").block.header.height, Height(6));
    assert_eq!(stream.next_height(), Height(7));
}

#[tokio::test]
async fn a_height_two_above_the_head_is_refused() {
    let node = Node::new();
    let served = node.serve().await;
    let error = served.client().await.blocks(Height(2)).next().await.expect_err("a gap");
    assert_eq!(error.reason(), Some("ABOVE_HEAD"));
}

#[tokio::test]
async fn a_broken_connection_is_resumed_at_the_block_that_is_due() {
    let mut node = Node::new();
    let first = node.serve().await;
    node.grow(1, 2);
    // A relay whose first connection is cut after a while, as networks do.
    let relay = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = relay.local_addr().expect("bound").to_string();
    let (cut, mut when) = watch::channel(false);
    let target = first.address;
    tokio::spawn(async move {
        while let Ok((mut near, _)) = relay.accept().await {
            let mut far = tokio::net::TcpStream::connect(target).await.expect("the node listens");
            tokio::select! {
                _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
                _ = when.changed() => {}
            }
        }
    });
    let mut stream = crate::client::Client::connect(&address).await.expect("connected").blocks(Height(1));
    assert_eq!(stream.next_block().await.expect("a block").block.header.height, Height(1));
    assert_eq!(stream.next_block().await.expect("a block").block.header.height, Height(2));
    cut.send(true).expect("the relay runs");
    node.grow(3, 1);
    assert_eq!(stream.next_block().await.expect("a block").block.header.height, Height(3));
}
