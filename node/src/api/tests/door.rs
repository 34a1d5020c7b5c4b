//! Strangers at the port: the node stays up, and says what it can.

use std::time::Duration;

use tanba_proto::ledger::v1::{GetNodeInfoRequest, ledger_service_client::LedgerServiceClient};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::rig::{Node, Served};
use crate::api::limits::{CONNECTIONS_PER_ADDRESS_MAX, HEADERS_BYTES_MAX, PREFACE_WITHIN};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

async fn raw(served: &Served) -> TcpStream {
    TcpStream::connect(served.address).await.expect("the node listens")
}

/// Everything the node says until it closes. A reset counts as closed.
async fn until_closed(stream: &mut TcpStream) -> Vec<u8> {
    let mut said = Vec::new();
    let _ = stream.read_to_end(&mut said).await;
    said
}

#[tokio::test]
async fn garbage_is_cut_and_the_node_stays_up() {
    let node = Node::new();
    let served = node.serve().await;
    for garbage in
        [&b"\x16\x03\x01\x02\x00\x01\x00"[..], b"SSH-2.0-OpenSSH\r\n", b"\x00\x00\x00", &[0xff; 4096]]
    {
        let mut stream = raw(&served).await;
        stream.write_all(garbage).await.expect("sent");
        // Half closed, so that the shortest garbage is not waited for.
        let _ = stream.shutdown().await;
        assert_eq!(until_closed(&mut stream).await, b"", "nothing is said to garbage");
    }
    let mut stream = raw(&served).await;
    stream.write_all(&[PREFACE, &[0xff; 64]].concat()).await.expect("sent");
    until_closed(&mut stream).await;
    served.client().await.node_info().await.expect("the node is up");
    assert!(served.metrics.text().contains("tanba_api_connections_refused_total 4"));
}

#[tokio::test]
async fn a_browser_is_told_what_this_port_is() {
    let node = Node::new();
    let served = node.serve().await;
    let mut stream = raw(&served).await;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
    stream.shutdown().await.expect("half closed");
    let said = String::from_utf8(until_closed(&mut stream).await).expect("text");
    let (head, body) = said.split_once("\r\n\r\n").expect("an HTTP answer");
    assert!(head.starts_with("HTTP/1.1 505 "), "{said}");
    assert!(head.contains(&format!("content-length: {}", body.len())), "{said}");
}

#[tokio::test(start_paused = true)]
async fn a_silent_connection_loses_its_place() {
    let node = Node::new();
    let served = node.serve().await;
    let mut silent = raw(&served).await;
    let mut slow = raw(&served).await;
    slow.write_all(&PREFACE[..10]).await.expect("sent");
    tokio::time::sleep(PREFACE_WITHIN + Duration::from_secs(1)).await;
    assert_eq!(until_closed(&mut silent).await, b"");
    assert_eq!(until_closed(&mut slow).await, b"");
}

#[tokio::test]
async fn one_address_cannot_take_every_connection() {
    let node = Node::new();
    let served = node.serve().await;
    let mut held = Vec::new();
    for _ in 0..CONNECTIONS_PER_ADDRESS_MAX {
        let mut stream = raw(&served).await;
        stream.write_all(PREFACE).await.expect("sent");
        // The server's SETTINGS say that this connection has its place.
        stream.read_exact(&mut [0; 9]).await.expect("a frame");
        held.push(stream);
    }
    let mut refused = raw(&served).await;
    let said = until_closed(&mut refused).await;
    assert!(String::from_utf8_lossy(&said).contains("too many connections to this node"));
    drop(held.pop());
    // The place is given back when the server has seen the connection end.
    while served.metrics.text().contains(&format!("tanba_api_connections {CONNECTIONS_PER_ADDRESS_MAX}\n")) {
        tokio::task::yield_now().await;
    }
    served.client().await.node_info().await.expect("there is room again");
}

#[tokio::test]
async fn an_endless_header_list_is_refused() {
    let node = Node::new();
    let served = node.serve().await;
    let client = served.client().await;
    let mut raw = LedgerServiceClient::new(served.channel());
    let mut request = tonic::Request::new(GetNodeInfoRequest {});
    let long = "x".repeat(HEADERS_BYTES_MAX as usize + 1);
    request.metadata_mut().insert("x-long", long.parse().expect("ASCII"));
    raw.get_node_info(request).await.expect_err("refused");
    client.node_info().await.expect("the node is up");
}
