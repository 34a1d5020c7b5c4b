//! The door for connections: counted in all and by address, and shown to speak HTTP/2 before anything is set
//! up for them.

use std::{
    collections::BTreeMap,
    io,
    net::{IpAddr, Ipv6Addr},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use futures::future::BoxFuture;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, mpsc, watch},
    time::{sleep, timeout},
};
use tonic::transport::server::Connected;

use super::{
    limits::{
        CALLS_PER_ADDRESS_MAX, CONNECTIONS_MAX, CONNECTIONS_PER_ADDRESS_MAX, PARTING_WITHIN, PREFACE_WITHIN,
        STREAMS_PER_ADDRESS_MAX,
    },
    stream::stopped,
};
use crate::metrics::Metrics;

/// What an HTTP/2 client says first (RFC 9113 section 3.4).
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What a browser is told.
const NOT_HTTP_1: &[u8] = b"HTTP/1.1 505 HTTP Version Not Supported\r\nconnection: close\r\n\
    content-type: text/plain\r\ncontent-length: 48\r\n\r\nthis port speaks gRPC, that is HTTP/2 in clear.\n";

/// So much of what a browser still sends is read before the connection closes: bytes left unread would reset it
/// and take the answer along.
const PARTING_BYTES_MAX: u64 = 16 * 1024;

/// A pause after an error of `accept` itself (no file descriptors left), so that it does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What the callers from one address share.
#[derive(Debug)]
pub(super) struct Address {
    /// Calls with one answer.
    pub(super) calls: Arc<Semaphore>,
    /// Streams.
    pub(super) streams: Arc<Semaphore>,
}

/// Who calls, for fairness alone: it is never logged.
#[derive(Clone, Debug)]
pub(super) struct Caller(pub(super) Arc<Address>);

/// Connections by address.
#[derive(Debug, Default)]
struct Places {
    by_address: BTreeMap<IpAddr, (usize, Arc<Address>)>,
    total: usize,
}

/// A place for one connection, given back on drop.
#[derive(Debug)]
struct Place {
    places: Arc<Mutex<Places>>,
    address: IpAddr,
    shared: Arc<Address>,
}

impl Place {
    fn take(places: &Arc<Mutex<Places>>, peer: IpAddr) -> Option<Place> {
        let address = counted_as(peer);
        let mut held = places.lock().unwrap_or_else(PoisonError::into_inner);
        if held.total >= CONNECTIONS_MAX {
            return None;
        }
        let (count, shared) = held.by_address.entry(address).or_insert_with(|| {
            let shared = Address {
                calls: Arc::new(Semaphore::new(CALLS_PER_ADDRESS_MAX)),
                streams: Arc::new(Semaphore::new(STREAMS_PER_ADDRESS_MAX)),
            };
            (0, Arc::new(shared))
        });
        if *count >= CONNECTIONS_PER_ADDRESS_MAX {
            return None;
        }
        *count += 1;
        let shared = Arc::clone(shared);
        held.total += 1;
        Some(Place { places: Arc::clone(places), address, shared })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut held = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        held.total -= 1;
        let Some((count, _)) = held.by_address.get_mut(&self.address) else { return };
        *count -= 1;
        if *count == 0 {
            held.by_address.remove(&self.address);
        }
    }
}

/// One customer usually holds a whole IPv6 /64, so that is what counts as one address.
fn counted_as(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
    }
}

/// A connection that has a place and speaks HTTP/2. It is cut some time after the node began to stop, whatever its
/// other end does.
pub(super) struct Connection {
    tcp: TcpStream,
    /// Ready when the time to part is over; `None` from then on.
    parting: Option<BoxFuture<'static, ()>>,
    /// Bytes of [`PREFACE`] that were read at the door and are still to be given to the server.
    preface_left: &'static [u8],
    place: Place,
    metrics: Metrics,
}

impl Connection {
    fn new(tcp: TcpStream, place: Place, metrics: Metrics, mut stop: watch::Receiver<bool>) -> Connection {
        let parting = async move {
            stopped(&mut stop).await;
            sleep(PARTING_WITHIN).await;
        };
        metrics.api_connection_opened();
        Connection { tcp, parting: Some(Box::pin(parting)), preface_left: PREFACE, place, metrics }
    }

    /// An error once the connection is cut. Asked before each read and write: the server always waits for one of them.
    fn check_not_cut(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if self.parting.as_mut().is_some_and(|parting| parting.as_mut().poll(cx).is_pending()) {
            return Ok(());
        }
        self.parting = None;
        Err(io::ErrorKind::ConnectionAborted.into())
    }
}

/// Accepts connections until the receiver is dropped.
pub(super) async fn accept(
    tcp: TcpListener,
    ready: mpsc::Sender<io::Result<Connection>>,
    metrics: Metrics,
    stop: watch::Receiver<bool>,
) {
    let places = Arc::new(Mutex::new(Places::default()));
    loop {
        let accepted = tokio::select! {
            accepted = tcp.accept() => accepted,
            () = ready.closed() => return,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection to the API could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let Some(place) = Place::take(&places, peer.ip()) else {
            metrics.api_connection_refused();
            turn_away(&stream);
            continue;
        };
        let (ready, metrics, stop) = (ready.clone(), metrics.clone(), stop.clone());
        // Bounded by the place each of these holds, and by PREFACE_WITHIN.
        tokio::spawn(async move {
            if let Some(connection) = greet(stream, place, metrics, stop).await {
                // A receiver that is gone means that the node stops: the connection closes.
                let _ = ready.send(Ok(connection)).await;
            }
        });
    }
}

/// Waits for the preface. Whoever says something else is told once what this port is.
async fn greet(
    mut tcp: TcpStream,
    place: Place,
    metrics: Metrics,
    stop: watch::Receiver<bool>,
) -> Option<Connection> {
    let mut heard = [0; PREFACE.len()];
    let mut length = 0;
    let greeting = async {
        while length < heard.len() && PREFACE.starts_with(&heard[..length]) {
            match tcp.read(&mut heard[length..]).await {
                Ok(0) | Err(_) => return,
                Ok(read) => length += read,
            }
        }
    };
    // Whatever came within the time is judged below.
    let _ = timeout(PREFACE_WITHIN, greeting).await;
    if heard == *PREFACE {
        // Answers are small and wanted at once; a socket that refuses the option still works.
        let _ = tcp.set_nodelay(true);
        return Some(Connection::new(tcp, place, metrics, stop));
    }
    metrics.api_connection_refused();
    if heard.starts_with(b"GET ") {
        // Best effort: the caller is a stranger to this protocol.
        let _ = timeout(PREFACE_WITHIN, part_from(tcp)).await;
    }
    None
}

async fn part_from(mut tcp: TcpStream) -> io::Result<()> {
    tcp.write_all(NOT_HTTP_1).await?;
    tcp.shutdown().await?;
    tokio::io::copy(&mut tcp.take(PARTING_BYTES_MAX), &mut tokio::io::sink()).await?;
    Ok(())
}

/// Says why, in HTTP/2 (empty SETTINGS, then GOAWAY with ENHANCE_YOUR_CALM, RFC 9113 section 6.8), and closes.
fn turn_away(tcp: &TcpStream) {
    const WHY: &[u8] = b"too many connections to this node; close some or wait";
    let mut frames = vec![0, 0, 0, 4, 0, 0, 0, 0, 0];
    frames.extend([0, 0, 8 + WHY.len() as u8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xb]);
    frames.extend(WHY);
    // Best effort, without waiting: a new socket has room for a hundred bytes.
    let _ = tcp.try_write(&frames);
}

impl Connected for Connection {
    type ConnectInfo = Caller;

    fn connect_info(&self) -> Caller {
        Caller(Arc::clone(&self.place.shared))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.metrics.api_connection_closed();
    }
}

impl AsyncRead for Connection {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.check_not_cut(cx)?;
        if !this.preface_left.is_empty() {
            let (now, later) = this.preface_left.split_at(this.preface_left.len().min(into.remaining()));
            into.put_slice(now);
            this.preface_left = later;
            return Poll::Ready(Ok(()));
        }
        let before = into.filled().len();
        ready!(Pin::new(&mut this.tcp).poll_read(cx, into))?;
        this.metrics.api_bytes_in((into.filled().len() - before) as u64);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.check_not_cut(cx)?;
        let written = ready!(Pin::new(&mut this.tcp).poll_write(cx, bytes))?;
        this.metrics.api_bytes_out(written as u64);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tcp).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tcp).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(places: &Arc<Mutex<Places>>, address: &str) -> Option<Place> {
        Place::take(places, address.parse().expect("an address"))
    }

    #[test]
    fn one_address_fills_its_own_places_and_gives_them_back() {
        let places = Arc::new(Mutex::new(Places::default()));
        let held: Vec<_> = (0..CONNECTIONS_PER_ADDRESS_MAX).map(|_| take(&places, "192.0.2.1")).collect();
        assert!(held.iter().all(Option::is_some));
        assert!(take(&places, "192.0.2.1").is_none(), "the address is full");
        assert!(take(&places, "::ffff:192.0.2.1").is_none(), "however it is written");
        assert!(take(&places, "192.0.2.2").is_some(), "another is not");
        drop(held);
        assert!(take(&places, "192.0.2.1").is_some());
        assert!(places.lock().expect("a lock").by_address.is_empty(), "nothing is kept of who left");
    }

    #[test]
    fn one_ipv6_network_is_one_address() {
        assert_eq!(
            counted_as("2001:db8::1".parse().expect("v6")),
            counted_as("2001:db8::2".parse().expect("v6"))
        );
        assert_ne!(
            counted_as("2001:db8::1".parse().expect("v6")),
            counted_as("2001:db8:0:1::1".parse().expect("v6"))
        );
    }
}
