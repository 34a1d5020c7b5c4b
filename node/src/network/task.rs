//! The one task around the swarm: commands in, events out, dials on schedule.

use std::{
    collections::{BTreeMap, VecDeque},
    io::{self, ErrorKind},
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::{Duration, Instant},
};

use futures::StreamExt as _;
use libp2p::{
    Multiaddr, PeerId, Swarm,
    core::transport::{ListenerId, TransportError},
    gossipsub::{MessageAcceptance, MessageId, PublishError},
    multiaddr::Protocol,
    request_response::{InboundRequestId, OutboundRequestId},
    swarm::{
        DialError, SwarmEvent,
        dial_opts::{DialOpts, PeerCondition},
    },
};
use tanba_crypto::PublicKey;
use tracing::{debug, info, warn};

use super::{
    Admitted, Channel, GossipId, NetworkError, NetworkEvent, NetworkLimits, RequestFailure, RequestId, Topic,
    Verdict,
    dialer::Dialer,
    handle::{Command, Ends, Shared},
    inbox::Inbox,
    links,
    swarm::{Behaviour, Names},
    sync::{AnswerTo, Payload},
};

/// Listeners that are not up after so long never will be.
const LISTEN_MAX: Duration = Duration::from_secs(10);
/// How long closing connections may take at the end.
const CLOSE_MAX: Duration = Duration::from_secs(1);
/// Bytes of own gossip kept while no peer listens.
const UNSENT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// See the module.
pub(super) struct Task {
    pub(super) swarm: Swarm<Behaviour>,
    pub(super) names: Names,
    pub(super) shared: Arc<Shared>,
    pub(super) inbox: Arc<Inbox>,
    pub(super) dialer: Dialer,
    /// The connected peers, those among them that were removed a moment ago.
    pub(super) connected: BTreeMap<PeerId, PublicKey>,
    /// Our requests in flight.
    pub(super) asked: BTreeMap<OutboundRequestId, (RequestId, PublicKey)>,
    /// Peers' requests that wait for the node.
    pub(super) open: BTreeMap<Channel, Open>,
    pub(super) next_channel: u64,
    /// Own gossip that no peer could take yet, oldest first.
    unsent: VecDeque<(Topic, Vec<u8>)>,
    unsent_bytes: usize,
}

/// A peer's request that waits for the node.
pub(super) struct Open {
    pub(super) id: InboundRequestId,
    pub(super) from: PublicKey,
    pub(super) to: AnswerTo,
}

impl Drop for Task {
    fn drop(&mut self) {
        // Also when the task panics: the node must see the end rather than wait for ever.
        self.inbox.close();
    }
}

impl Task {
    pub(super) fn new(
        swarm: Swarm<Behaviour>,
        names: Names,
        shared: Arc<Shared>,
        inbox: Arc<Inbox>,
        dial: &[(PublicKey, SocketAddr)],
    ) -> Task {
        Task {
            swarm,
            names,
            shared,
            inbox,
            dialer: Dialer::new(dial),
            connected: BTreeMap::new(),
            asked: BTreeMap::new(),
            open: BTreeMap::new(),
            next_channel: 1,
            unsent: VecDeque::new(),
            unsent_bytes: 0,
        }
    }

    /// Opens the listeners and learns their addresses.
    pub(super) async fn listen(&mut self, addresses: &[SocketAddr]) -> Result<(), NetworkError> {
        let mut waiting: Vec<(ListenerId, SocketAddr)> = Vec::new();
        for address in addresses {
            probe(*address)?;
            let failed = |source| NetworkError::Listen { address: *address, source };
            let listener =
                self.swarm.listen_on(multiaddr(*address)).map_err(|error| failed(listen_error(error)))?;
            waiting.push((listener, *address));
        }
        let mut bound = Vec::new();
        let deadline = tokio::time::sleep(LISTEN_MAX);
        tokio::pin!(deadline);
        while let Some((_, address)) = waiting.first() {
            let failed = |source| NetworkError::Listen { address: *address, source };
            let event = tokio::select! {
                event = self.swarm.select_next_some() => event,
                () = &mut deadline => return Err(failed(ErrorKind::TimedOut.into())),
            };
            match event {
                SwarmEvent::NewListenAddr { listener_id, address } => {
                    let Some(at) = waiting.iter().position(|(listener, _)| *listener == listener_id) else {
                        continue;
                    };
                    // "Every address" stays that; only the port is news.
                    let (_, asked) = waiting.swap_remove(at);
                    bound.extend(port(&address).map(|port| SocketAddr::new(asked.ip(), port)));
                }
                SwarmEvent::ListenerClosed { reason: Err(source), .. } => return Err(failed(source)),
                SwarmEvent::ListenerError { error, .. } => return Err(failed(error)),
                // Nobody is admitted yet, so nothing else can be of interest.
                _ => {}
            }
        }
        self.shared.listen.set(bound).expect("the network listens once");
        Ok(())
    }

    /// Runs until told to stop, or until every handle is gone.
    pub(super) async fn run(mut self, mut ends: Ends) {
        loop {
            let wake_at = self.dialer.wake_at();
            tokio::select! {
                event = self.swarm.select_next_some() => self.on_swarm_event(event),
                command = ends.commands.recv() => match command {
                    Some(command) => self.on_command(command),
                    None => break,
                },
                Ok(()) = ends.admitted.changed() => {
                    let admitted = ends.admitted.borrow_and_update().clone();
                    self.set_admitted(&admitted);
                }
                () = sleep_until(wake_at) => {}
                _ = ends.stop.changed() => break,
            }
            self.dial_due();
        }
        self.close().await;
        // In this order: who sees that the network has stopped also sees that it takes nothing.
        drop(self);
        drop(ends.commands);
        drop(ends.stopped);
    }

    /// Closes the connections, so that peers see an end and not a silence.
    async fn close(&mut self) {
        let peers: Vec<PeerId> = self.swarm.connected_peers().copied().collect();
        for peer in peers {
            // An error says that the peer is gone already.
            let _ = self.swarm.disconnect_peer_id(peer);
        }
        let deadline = tokio::time::sleep(CLOSE_MAX);
        tokio::pin!(deadline);
        while self.swarm.connected_peers().next().is_some() {
            tokio::select! {
                // Whatever it is, nobody is interested any more.
                _ = self.swarm.select_next_some() => {}
                () = &mut deadline => break,
            }
        }
    }

    // ------------------------------------------------------------------------------------------ commands

    fn on_command(&mut self, command: Command) {
        match command {
            Command::Gossip { topic, bytes, permit: _permit } => self.publish(topic, bytes),
            Command::Request { request, to, payload } => self.request(request, to, payload),
            Command::Answer { channel, payload } => self.answer(channel, payload),
            Command::Report { id, verdict } => self.report(id, verdict),
        }
    }

    fn set_admitted(&mut self, admitted: &[Admitted]) {
        let change = self.shared.links.set(admitted);
        for key in &change.unusable {
            warn!(%key, "the registry admits a node key that no node can hold");
        }
        let allowed = &mut self.swarm.behaviour_mut().allowed;
        for peer in &change.added {
            allowed.allow_peer(*peer);
        }
        for peer in &change.removed {
            allowed.disallow_peer(*peer);
        }
        info!(added = change.added.len(), removed = change.removed.len(), "the admitted peers changed");
        let links = &self.shared.links;
        self.dialer.set_admitted(|key| links.by_key(key).is_some(), Instant::now());
    }

    fn publish(&mut self, topic: Topic, bytes: Vec<u8>) {
        let name = self.names.topics.name(topic).hash();
        match self.swarm.behaviour_mut().gossip.publish(name, bytes.clone()) {
            Ok(_) => self.shared.counters.gossip_sent.one(),
            // Gossip has brought it to us already, or is about to: either way it travels.
            Err(PublishError::Duplicate) => {}
            Err(PublishError::NoPeersSubscribedToTopic) => self.keep_unsent(topic, bytes),
            Err(PublishError::AllQueuesFull(_)) => self.shared.counters.gossip_unsent.one(),
            Err(
                error @ (PublishError::MessageTooLarge
                | PublishError::SigningError(_)
                | PublishError::TransformFailed(_)),
            ) => {
                self.shared.counters.gossip_unsent.one();
                warn!(%error, ?topic, "own gossip could not be sent");
            }
        }
    }

    fn keep_unsent(&mut self, topic: Topic, bytes: Vec<u8>) {
        self.unsent_bytes += NetworkLimits::cost(bytes.len());
        self.unsent.push_back((topic, bytes));
        while self.unsent_bytes > UNSENT_BYTES_MAX {
            let (_, oldest) = self.unsent.pop_front().expect("what is counted is kept");
            self.unsent_bytes -= NetworkLimits::cost(oldest.len());
            self.shared.counters.gossip_unsent.one();
        }
    }

    /// Somebody listens now: what nobody could take is offered again.
    pub(super) fn publish_unsent(&mut self) {
        self.unsent_bytes = 0;
        for (topic, bytes) in std::mem::take(&mut self.unsent) {
            self.publish(topic, bytes);
        }
    }

    fn request(&mut self, request: RequestId, to: PublicKey, payload: Payload) {
        let in_flight = self.asked.values().filter(|(_, key)| *key == to).count();
        let limits = &self.shared.limits;
        let link = self.shared.links.by_key(&to).filter(|link| self.swarm.is_connected(&link.peer));
        let failure = match link {
            None => RequestFailure::NotConnected,
            Some(_)
                if in_flight >= limits.requests_to_peer_max
                    || self.asked.len() >= limits.requests_total_max =>
            {
                RequestFailure::TooMany
            }
            Some(link) => {
                let id = self.swarm.behaviour_mut().sync.send_request(&link.peer, payload);
                self.asked.insert(id, (request, to));
                self.shared.counters.requests_sent.one();
                return;
            }
        };
        self.respond(request, to, Err(failure));
    }

    pub(super) fn respond(
        &self,
        request: RequestId,
        from: PublicKey,
        result: Result<Payload, RequestFailure>,
    ) {
        let (result, permit) = match result {
            Ok(Payload { bytes, permit }) => (Ok(bytes), permit),
            Err(failure) => {
                self.shared.counters.requests_failed.one();
                debug!(key = %from, %failure, "a request failed");
                (Err(failure), None)
            }
        };
        self.inbox.response(from, NetworkEvent::Response { request, from, result }, permit);
    }

    fn answer(&mut self, channel: Channel, payload: Payload) {
        let answered = match self.open.remove(&channel) {
            Some(open) => self.swarm.behaviour_mut().sync.send_response(open.to, payload).is_ok(),
            None => false,
        };
        if !answered {
            self.shared.counters.answers_dropped.one();
        }
    }

    fn report(&mut self, id: GossipId, verdict: Verdict) {
        let acceptance = match verdict {
            Verdict::Accept => MessageAcceptance::Accept,
            Verdict::Reject => {
                self.shared.counters.gossip_rejected.one();
                debug!(from = ?id.from, "gossip rejected");
                MessageAcceptance::Reject
            }
            Verdict::Ignore => MessageAcceptance::Ignore,
        };
        let source = match self.shared.links.by_key(&id.from) {
            Some(link) => link.peer,
            // It was removed since; gossip may still count the message against it.
            None => match links::peer_id(&id.from) {
                Some(peer) => peer,
                None => return,
            },
        };
        let name = MessageId::from(id.hash.0.to_vec());
        // `false` says that the message has left gossip's memory; it is then simply not passed on.
        self.swarm.behaviour_mut().gossip.report_message_validation_result(&name, &source, acceptance);
    }

    // ------------------------------------------------------------------------------------------ dialling

    fn dial_due(&mut self) {
        let now = Instant::now();
        while let Some((key, addresses)) = self.dialer.next_due(now) {
            let Some(link) = self.shared.links.by_key(&key) else { continue };
            let options = DialOpts::peer_id(link.peer)
                .addresses(addresses.into_iter().map(multiaddr).collect())
                .condition(PeerCondition::DisconnectedAndNotDialing)
                // A port of its own: the listening one may still be tied to a connection that just died.
                .allocate_new_port()
                .build();
            if let Err(error) = self.swarm.dial(options) {
                self.on_dial_failed(key, &error);
            }
        }
    }

    pub(super) fn on_dial_failed(&mut self, key: PublicKey, error: &DialError) {
        self.shared.counters.dials_failed.one();
        let reason = match error {
            DialError::Transport(errors) if errors.iter().any(|(_, error)| answered(error)) => {
                "what answers at its address is no node of this network"
            }
            DialError::Transport(_) => "nothing answers at its address",
            DialError::WrongPeerId { .. } => "another node answers at this address",
            DialError::LocalPeerId { .. } => "this node itself answers at this address",
            DialError::Denied { .. } => "a limit of this node forbids it",
            DialError::NoAddresses => "no address is known",
            DialError::Aborted | DialError::DialPeerConditionFalse(_) => "it was not needed",
        };
        let failures = self.dialer.failed(&key, Instant::now());
        // A peer that is down for days is worth a line now and then, not one every five seconds.
        if failures.is_power_of_two() {
            warn!(%key, failures, reason, "a peer cannot be reached");
        } else {
            debug!(%key, failures, reason, "a peer cannot be reached");
        }
    }
}

/// Says exactly that a port is taken. libp2p listens with `SO_REUSEPORT`, under which a second process of the
/// same user would share the port in silence, and each would get half of the connections.
fn probe(address: SocketAddr) -> Result<(), NetworkError> {
    if address.port() == 0 {
        return Ok(());
    }
    match TcpListener::bind(address) {
        Ok(_) => Ok(()),
        Err(source) if source.kind() == ErrorKind::AddrInUse => Err(NetworkError::PortInUse { address }),
        Err(source) => Err(NetworkError::Listen { address, source }),
    }
}

fn listen_error(error: TransportError<io::Error>) -> io::Error {
    match error {
        TransportError::Other(error) => error,
        TransportError::MultiaddrNotSupported(_) => ErrorKind::Unsupported.into(),
    }
}

fn multiaddr(address: SocketAddr) -> Multiaddr {
    Multiaddr::from(address.ip()).with(Protocol::Tcp(address.port()))
}

/// Whether there was a connection, on which the handshake then failed.
fn answered(error: &TransportError<io::Error>) -> bool {
    let TransportError::Other(error) = error else { return false };
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        // The system's own errors carry its number; what libp2p says of a handshake does not.
        if error.downcast_ref::<io::Error>().is_some_and(|error| error.raw_os_error().is_some()) {
            return false;
        }
        cause = error.source();
    }
    true
}

fn port(address: &Multiaddr) -> Option<u16> {
    address.iter().find_map(|part| match part {
        Protocol::Tcp(port) => Some(port),
        _ => None,
    })
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}
