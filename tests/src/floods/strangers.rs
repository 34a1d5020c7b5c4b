//! Floods by anyone who reaches a port and knows nothing: bare connections, bytes without meaning, slowness.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tanba_crypto::SigningKey;
use tanba_ledger::record::PeerKind;
use tanba_node::network::{self, Admitted, NetworkConfig, NetworkLimits};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{sleep, timeout},
};

use super::{Attack, Kind, Scene, connect_from, kind};

/// Connections that one attacker holds open.
const HELD_MAX: usize = 400;

/// Between two drops of a slow request.
const DRIP: Duration = Duration::from_millis(250);

/// Kinds on the port of peers and on the port of metrics; bare connections to the API's port as well.
pub const KINDS: &[Kind] = &[
    kind("p2p: idle connections", 4, |scene, n| hold(scene.clone(), n, scene.p2p, b"")),
    kind("p2p: handshakes that stop half-way", 4, |scene, n| hold(scene.clone(), n, scene.p2p, MULTISTREAM)),
    kind("p2p: handshakes drop by drop", 64, |scene, n| drip(scene.clone(), n, scene.p2p, MULTISTREAM)),
    kind("p2p: bytes without meaning", 8, |scene, n| pour(scene.clone(), n, scene.p2p, &[0xa5; 16 * 1024])),
    kind("p2p: connections that come and go", 16, |scene, n| churn(scene.clone(), n, scene.p2p)),
    kind("p2p: strangers with good handshakes", 8, |scene, n| Box::pin(knock(scene, n))),
    kind("metrics: idle connections", 2, |scene, n| hold(scene.clone(), n, scene.metrics, b"")),
    kind("metrics: requests drop by drop", 64, |scene, n| {
        drip(scene.clone(), n, scene.metrics, b"GET /metrics HTTP/1.1\r\nx: y")
    }),
    kind("metrics: endless requests", 8, |scene, n| {
        pour(scene.clone(), n, scene.metrics, &[b'a'; 64 * 1024])
    }),
    kind("metrics: requests at full rate", 8, |scene, n| ask(scene.clone(), n, scene.metrics)),
    kind("grpc: idle connections", 4, |scene, n| hold(scene.clone(), n, scene.grpc, b"")),
    kind("grpc: bytes without meaning", 8, |scene, n| pour(scene.clone(), n, scene.grpc, &[0x5a; 16 * 1024])),
];

/// The first words of a libp2p connection.
const MULTISTREAM: &[u8] = b"\x13/multistream/1.0.0\n\x07/noise\n\x00\x20";

/// Opens connections from many addresses, says `opening`, holds them; opens new ones for those that were closed.
fn hold(scene: Arc<Scene>, number: usize, to: SocketAddr, opening: &'static [u8]) -> Attack {
    Box::pin(async move {
        let mut held: Vec<TcpStream> = Vec::new();
        let mut opened = 0;
        loop {
            held.retain(is_open);
            if held.len() >= HELD_MAX {
                sleep(DRIP).await;
                continue;
            }
            opened += 1;
            // A quarter comes from one address, so that its share is tried too.
            let from = if opened % 4 == 0 { number } else { number * 1_000 + opened % 997 };
            // No answer, or none in time, is the victim's right.
            let Ok(Ok(mut stream)) = timeout(DRIP, connect_from(from, to)).await else { continue };
            scene.blow();
            if stream.write_all(opening).await.is_ok() {
                held.push(stream);
            }
        }
    })
}

fn is_open(stream: &TcpStream) -> bool {
    let mut bytes = [0; 64];
    match stream.try_read(&mut bytes) {
        Ok(0) => false,
        Ok(_) => true,
        Err(error) => error.kind() == std::io::ErrorKind::WouldBlock,
    }
}

/// Says `words` a byte at a time, and the last one for ever.
fn drip(scene: Arc<Scene>, number: usize, to: SocketAddr, words: &'static [u8]) -> Attack {
    Box::pin(async move {
        loop {
            let Ok(mut stream) = connect_from(number, to).await else {
                sleep(DRIP).await;
                continue;
            };
            let last = words[words.len() - 1];
            for byte in words.iter().copied().chain(std::iter::repeat(last)) {
                scene.blow();
                sleep(DRIP).await;
                if stream.write_all(&[byte]).await.is_err() || !is_open(&stream) {
                    break;
                }
            }
        }
    })
}

/// Writes without end, and connects again when cut.
fn pour(scene: Arc<Scene>, number: usize, to: SocketAddr, bytes: &'static [u8]) -> Attack {
    Box::pin(async move {
        loop {
            let Ok(mut stream) = connect_from(number, to).await else {
                sleep(DRIP).await;
                continue;
            };
            scene.blow();
            while let Ok(Ok(())) = timeout(DRIP, stream.write_all(bytes)).await {}
        }
    })
}

/// Connects and hangs up.
fn churn(scene: Arc<Scene>, number: usize, to: SocketAddr) -> Attack {
    Box::pin(async move {
        loop {
            match timeout(DRIP, connect_from(number, to)).await {
                Ok(Ok(stream)) => {
                    // Without lingering, so that this machine does not run out of ports.
                    let _ = stream.set_zero_linger();
                    scene.blow();
                }
                Ok(Err(_)) | Err(_) => sleep(Duration::from_millis(5)).await,
            }
        }
    })
}

/// Asks for the metrics again and again.
fn ask(scene: Arc<Scene>, number: usize, to: SocketAddr) -> Attack {
    Box::pin(async move {
        loop {
            let Ok(mut stream) = connect_from(number, to).await else {
                sleep(DRIP).await;
                continue;
            };
            let _ = stream.set_zero_linger();
            scene.blow();
            let mut answer = Vec::new();
            if stream.write_all(b"GET /metrics HTTP/1.1\r\n\r\n").await.is_ok() {
                let _ = timeout(Duration::from_secs(1), stream.read_to_end(&mut answer)).await;
            }
        }
    })
}

/// Completes the handshake with a key that no registry holds, again and again under another.
async fn knock(scene: Arc<Scene>, number: usize) {
    for life in 0u64.. {
        let mut seed = [number as u8; 32];
        seed[..8].copy_from_slice(&life.to_be_bytes());
        let config = NetworkConfig {
            chain: scene.chain,
            node_key: SigningKey::ed25519(&seed),
            listen: Vec::new(),
            dial: vec![(scene.victim, scene.p2p)],
            limits: NetworkLimits::default(),
        };
        let Ok((handle, _events)) = network::spawn(config).await else { return };
        handle.set_admitted(vec![Admitted { key: scene.victim, kind: PeerKind::Validator }]);
        scene.blow();
        sleep(DRIP).await;
        handle.shutdown().await;
    }
}
