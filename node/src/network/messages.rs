//! One-way messages to one peer, over one long-lived stream in each direction and connection.
//!
//! A stream per message would pay a negotiation for each vote. Here a vote is four bytes of length and its own
//! bytes on a stream that is already open, written by the connection's own task as soon as it is queued. Every
//! message takes its part of the sender's budget *before* it is read; while the budget is spent the stream is
//! not read, the sender's window closes, and its own bounded outbox drops the oldest.
//!
//! A peer that announces more bytes than allowed, or breaks off inside a frame, is disconnected: its stream can
//! no longer be followed.

use std::{
    collections::VecDeque,
    io,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures::{
    AsyncRead, AsyncWriteExt as _, FutureExt as _, StreamExt as _, TryStreamExt as _,
    future::BoxFuture,
    io::BufWriter,
    stream::{self, BoxStream},
};
use libp2p::{
    Multiaddr, PeerId, Stream, StreamProtocol,
    core::{Endpoint, transport::PortUse, upgrade::ReadyUpgrade},
    swarm::{
        CloseConnection, ConnectionClosed, ConnectionDenied, ConnectionHandler, ConnectionHandlerEvent,
        ConnectionId, FromSwarm, NetworkBehaviour, StreamUpgradeError, SubstreamProtocol, THandler,
        THandlerInEvent, THandlerOutEvent, ToSwarm,
        behaviour::ConnectionEstablished,
        handler::{ConnectionEvent, DialUpgradeError},
    },
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{
    NetworkLimits, frame,
    links::{Link, Links},
    stats::Counters,
};

/// From asking for a stream to having it.
const NEGOTIATION_MAX: Duration = Duration::from_secs(10);
/// Small messages are gathered up to this many bytes before they go to the connection.
const GATHER_BYTES: usize = 16 * 1024;

/// What the behaviour tells the network task.
#[derive(Debug)]
pub(super) enum Event {
    /// A message, with its part of the sender's budget.
    Message { peer: PeerId, bytes: Vec<u8>, permit: OwnedSemaphorePermit },
    /// A connection that cannot carry messages any more; it is being closed.
    Broken { peer: PeerId, reason: Broken },
}

/// Why a connection cannot carry messages.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    /// The peer speaks no version of the protocol that we do.
    #[error("the peer does not speak the message protocol")]
    Unsupported,
    /// No stream came about in time.
    #[error("no stream was negotiated in time")]
    Timeout,
    /// Reading or writing failed, or the peer broke the framing.
    #[error("the message stream failed: {0}")]
    Io(#[from] io::Error),
}

/// The protocol on all connections. Refuses peers that are not admitted, like the allow list before it.
pub(super) struct Behaviour {
    protocol: StreamProtocol,
    links: Arc<Links>,
    counters: Arc<Counters>,
    message_bytes_max: usize,
    events: VecDeque<ToSwarm<Event, std::convert::Infallible>>,
}

impl Behaviour {
    pub(super) fn new(
        protocol: StreamProtocol,
        links: Arc<Links>,
        counters: Arc<Counters>,
        limits: &NetworkLimits,
    ) -> Behaviour {
        let message_bytes_max = limits.message_bytes_max;
        Behaviour { protocol, links, counters, message_bytes_max, events: VecDeque::new() }
    }

    fn handler(&self, connection: ConnectionId, peer: PeerId) -> Result<Handler, ConnectionDenied> {
        let link = self.links.by_peer(&peer).ok_or_else(|| ConnectionDenied::new(NotAdmitted))?;
        Ok(Handler {
            protocol: self.protocol.clone(),
            connection,
            link,
            counters: self.counters.clone(),
            message_bytes_max: self.message_bytes_max,
            outbound: Outbound::Wanted,
            inbound: None,
            broken: None,
        })
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the peer is not admitted")]
struct NotAdmitted;

impl NetworkBehaviour for Behaviour {
    type ConnectionHandler = Handler;
    type ToSwarm = Event;

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.handler(connection, peer)
    }

    fn handle_established_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.handler(connection, peer)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionEstablished(ConnectionEstablished { peer_id, connection_id, .. }) => {
                if let Some(link) = self.links.by_peer(&peer_id) {
                    link.outbox.attach(connection_id);
                }
            }
            FromSwarm::ConnectionClosed(ConnectionClosed { peer_id, connection_id, .. }) => {
                if let Some(link) = self.links.by_peer(&peer_id) {
                    self.counters.messages_dropped.add(link.outbox.detach(connection_id));
                }
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        match event {
            Received::Message { bytes, permit } => {
                self.events.push_back(ToSwarm::GenerateEvent(Event::Message { peer, bytes, permit }));
            }
            Received::Broken(reason) => {
                self.events.push_back(ToSwarm::GenerateEvent(Event::Broken { peer, reason }));
                let connection = CloseConnection::One(connection);
                self.events.push_back(ToSwarm::CloseConnection { peer_id: peer, connection });
            }
        }
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        self.events.pop_front().map_or(Poll::Pending, Poll::Ready)
    }
}

/// What a connection tells the behaviour.
#[derive(Debug)]
pub(super) enum Received {
    Message { bytes: Vec<u8>, permit: OwnedSemaphorePermit },
    Broken(Broken),
}

/// The protocol on one connection.
pub(super) struct Handler {
    protocol: StreamProtocol,
    connection: ConnectionId,
    link: Arc<Link>,
    counters: Arc<Counters>,
    message_bytes_max: usize,
    outbound: Outbound,
    /// The peer's stream; a second one replaces the first, so that no peer has two.
    inbound: Option<Incoming>,
    /// Told once, then the connection is closed.
    broken: Option<Broken>,
}

/// The messages of a stream, each with its part of the sender's budget.
type Incoming = BoxStream<'static, io::Result<(Vec<u8>, OwnedSemaphorePermit)>>;

enum Outbound {
    Wanted,
    Asked,
    /// Ends only when writing fails.
    Open(BoxFuture<'static, io::Error>),
    Ended,
}

impl ConnectionHandler for Handler {
    type FromBehaviour = std::convert::Infallible;
    type ToBehaviour = Received;
    type InboundProtocol = ReadyUpgrade<StreamProtocol>;
    type OutboundProtocol = ReadyUpgrade<StreamProtocol>;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = ();

    fn listen_protocol(&self) -> SubstreamProtocol<Self::InboundProtocol> {
        SubstreamProtocol::new(ReadyUpgrade::new(self.protocol.clone()), ()).with_timeout(NEGOTIATION_MAX)
    }

    fn connection_keep_alive(&self) -> bool {
        true
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<Self::OutboundProtocol, (), Self::ToBehaviour>> {
        if matches!(self.outbound, Outbound::Wanted) {
            self.outbound = Outbound::Asked;
            let protocol = self.listen_protocol();
            return Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol });
        }
        if let Outbound::Open(writer) = &mut self.outbound
            && let Poll::Ready(error) = writer.poll_unpin(cx)
        {
            self.outbound = Outbound::Ended;
            self.broken = Some(error.into());
        }
        if let Some(stream) = &mut self.inbound {
            match stream.poll_next_unpin(cx) {
                Poll::Ready(Some(Ok((bytes, permit)))) => {
                    let event = Received::Message { bytes, permit };
                    return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(event));
                }
                Poll::Ready(Some(Err(error))) => {
                    self.inbound = None;
                    self.broken = Some(error.into());
                }
                Poll::Ready(None) => self.inbound = None,
                Poll::Pending => {}
            }
        }
        match self.broken.take() {
            Some(reason) => Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(Received::Broken(reason))),
            None => Poll::Pending,
        }
    }

    fn on_behaviour_event(&mut self, event: Self::FromBehaviour) {
        match event {}
    }

    fn on_connection_event(
        &mut self,
        event: ConnectionEvent<'_, Self::InboundProtocol, Self::OutboundProtocol>,
    ) {
        match event {
            ConnectionEvent::FullyNegotiatedInbound(stream) => {
                let budget = self.link.inbound.clone();
                self.inbound = Some(read_messages(stream.protocol, budget, self.message_bytes_max));
            }
            ConnectionEvent::FullyNegotiatedOutbound(stream) => {
                let (link, counters) = (self.link.clone(), self.counters.clone());
                let writer = write_messages(stream.protocol, link, self.connection, counters);
                self.outbound = Outbound::Open(writer.boxed());
            }
            ConnectionEvent::DialUpgradeError(DialUpgradeError { error, .. }) => {
                self.outbound = Outbound::Ended;
                self.broken = Some(match error {
                    StreamUpgradeError::Timeout => Broken::Timeout,
                    StreamUpgradeError::NegotiationFailed => Broken::Unsupported,
                    StreamUpgradeError::Io(error) => Broken::Io(error),
                    StreamUpgradeError::Apply(never) => match never {},
                });
            }
            _ => {}
        }
    }
}

/// Writes the outbox to the stream as it fills; returns when that fails.
async fn write_messages(
    stream: Stream,
    link: Arc<Link>,
    connection: ConnectionId,
    counters: Arc<Counters>,
) -> io::Error {
    let mut stream = BufWriter::with_capacity(GATHER_BYTES, stream);
    loop {
        let mut next = Some(link.outbox.next(connection).await);
        while let Some(message) = next {
            if let Err(error) = frame::write(&mut stream, &message).await {
                return error;
            }
            counters.messages_sent.one();
            counters.message_bytes_sent.add(message.len());
            next = link.outbox.try_next(connection);
        }
        if let Err(error) = stream.flush().await {
            return error;
        }
    }
}

/// The messages of a stream, each read only once its part of the budget is free.
fn read_messages<R>(stream: R, budget: Arc<Semaphore>, message_bytes_max: usize) -> Incoming
where
    R: AsyncRead + Unpin + Send + 'static,
{
    stream::try_unfold((stream, budget), move |(mut stream, budget)| async move {
        let Some(length) = frame::read_length(&mut stream, message_bytes_max).await? else {
            return Ok(None);
        };
        let permit = budget.clone().acquire_many_owned(NetworkLimits::permits(length)).await;
        let permit = permit.expect("the budget is never closed");
        let bytes = frame::read_body(&mut stream, length).await?;
        Ok(Some(((bytes, permit), (stream, budget))))
    })
    .into_stream()
    .boxed()
}

#[cfg(test)]
mod tests {
    use futures::{executor::block_on, io::Cursor};

    use super::*;

    fn stream(messages: &[&[u8]]) -> Cursor<Vec<u8>> {
        let mut bytes = Vec::new();
        for message in messages {
            block_on(frame::write(&mut bytes, message)).expect("a Vec takes everything");
        }
        Cursor::new(bytes)
    }

    #[test]
    fn a_message_is_read_only_when_there_is_room_for_it() {
        let budget = Arc::new(Semaphore::new(2 * NetworkLimits::cost(1)));
        let mut incoming = read_messages(stream(&[b"a", b"b", b"c"]), budget, 1);
        let mut next = || incoming.next().now_or_never();
        let held = [next(), next()].map(|read| read.flatten().expect("room").expect("whole"));
        assert!(next().is_none(), "the third waits for room");
        let [(first, permit), _second] = held;
        assert_eq!(first, b"a");
        drop(permit);
        let (third, _permit) = next().flatten().expect("room again").expect("whole");
        assert_eq!(third, b"c");
    }

    #[test]
    fn a_stream_ends_at_its_first_oversized_message() {
        let budget = Arc::new(Semaphore::new(10_000));
        let mut incoming = read_messages(stream(&[b"a", b"bb", b"c"]), budget.clone(), 1);
        let read: Vec<bool> = block_on((&mut incoming).map(|read| read.is_ok()).collect());
        assert_eq!(read, [true, false]);
        assert_eq!(budget.available_permits(), 10_000, "nothing is held for what was not read");
    }
}
