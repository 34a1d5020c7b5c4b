//! What the task does about each event of the swarm.
//!
//! Text from peers (reasons, protocol names) is never logged: it is attacker-chosen. Logged are node keys, our
//! own words, and what this system says of its sockets.

use std::time::Instant;

use libp2p::{
    PeerId,
    gossipsub::{self, MessageAcceptance},
    ping,
    request_response::{InboundFailure, InboundRequestId, Message, OutboundFailure},
    swarm::{ConnectionId, ListenError, SwarmEvent},
};
use tokio::sync::OwnedSemaphorePermit;
use tracing::{debug, info, warn};

use super::{
    Channel, GossipId, NetworkEvent, RequestFailure,
    frame::Oversized,
    gossip, messages,
    swarm::BehaviourEvent,
    sync::{self, AnswerTo, Payload},
    task::{Open, Task},
};

impl Task {
    pub(super) fn on_swarm_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(event) => self.on_behaviour_event(event),
            SwarmEvent::ConnectionEstablished { peer_id, .. } => self.on_connected(peer_id),
            SwarmEvent::ConnectionClosed { peer_id, num_established: 0, .. } => self.on_disconnected(peer_id),
            SwarmEvent::IncomingConnectionError { error, .. } => self.on_refused(&error),
            SwarmEvent::OutgoingConnectionError { peer_id: Some(peer), error, .. } => {
                if let Some(link) = self.shared.links.by_peer(&peer) {
                    self.on_dial_failed(link.key, &error);
                }
            }
            SwarmEvent::ListenerError { error, .. } => warn!(%error, "a connection could not be accepted"),
            SwarmEvent::ListenerClosed { reason, .. } => warn!(?reason, "a listener closed"),
            _ => {}
        }
    }

    fn on_behaviour_event(&mut self, event: BehaviourEvent) {
        match event {
            BehaviourEvent::Messages(messages::Event::Message { peer, bytes, permit }) => {
                self.on_message(peer, bytes, permit);
            }
            BehaviourEvent::Messages(messages::Event::Broken { peer, reason }) => {
                self.on_broken(peer, &reason)
            }
            BehaviourEvent::Gossip(event) => self.on_gossip_event(event),
            BehaviourEvent::Sync(event) => self.on_sync_event(event),
            BehaviourEvent::Ping(ping::Event { peer, connection, result: Err(failure) }) => {
                self.on_ping_failed(peer, connection, &failure);
            }
            BehaviourEvent::Ping(ping::Event { result: Ok(_), .. }) => {}
            BehaviourEvent::Allowed(never)
            | BehaviourEvent::Handshakes(never)
            | BehaviourEvent::Connections(never)
            | BehaviourEvent::Memory(never) => match never {},
        }
    }

    // ------------------------------------------------------------------------------------------ connections

    fn on_connected(&mut self, peer: PeerId) {
        self.shared.counters.connections_established.one();
        let Some(link) = self.shared.links.by_peer(&peer) else { return };
        if self.connected.insert(peer, link.key).is_none() {
            info!(key = %link.key, "a peer connected");
            self.dialer.connected(&link.key, Instant::now());
            self.inbox.connection_changed(link.key, true);
        }
    }

    fn on_disconnected(&mut self, peer: PeerId) {
        let Some(key) = self.connected.remove(&peer) else { return };
        info!(%key, "a peer disconnected");
        self.dialer.disconnected(&key, Instant::now());
        self.inbox.connection_changed(key, false);
    }

    fn on_refused(&mut self, error: &ListenError) {
        self.shared.counters.connections_refused.one();
        match error {
            ListenError::Denied { .. } => debug!("refused a connection: not admitted, or too many"),
            ListenError::LocalPeerId { .. } => debug!("refused a connection from this node itself"),
            ListenError::Aborted | ListenError::WrongPeerId { .. } | ListenError::Transport(_) => {
                debug!("an incoming connection failed before it was known whose it is");
            }
        }
    }

    fn on_ping_failed(&mut self, peer: PeerId, connection: ConnectionId, failure: &ping::Failure) {
        if matches!(failure, ping::Failure::Unsupported) {
            return;
        }
        if self.swarm.close_connection(connection) {
            self.shared.counters.connections_cut.one();
            if let Some(key) = self.connected.get(&peer) {
                warn!(%key, "cut a peer that gives no sign of life");
            }
        }
    }

    // ------------------------------------------------------------------------------------------ messages

    fn on_message(&mut self, peer: PeerId, bytes: Vec<u8>, permit: OwnedSemaphorePermit) {
        // A peer that was removed a moment ago may still have been read from.
        let Some(link) = self.shared.links.by_peer(&peer) else { return };
        self.shared.counters.messages_received.one();
        self.shared.counters.message_bytes_received.add(bytes.len());
        self.inbox.message(link.key, bytes, permit);
    }

    fn on_broken(&mut self, peer: PeerId, reason: &messages::Broken) {
        let Some(key) = self.connected.get(&peer) else { return };
        match reason {
            messages::Broken::Io(error) if Oversized::is(error) => {
                self.shared.counters.oversized_refused.one();
                self.shared.counters.connections_cut.one();
                warn!(%key, %error, "cut a peer that sent too large a message");
            }
            messages::Broken::Io(error) => debug!(%key, kind = ?error.kind(), "a message stream ended"),
            messages::Broken::Unsupported | messages::Broken::Timeout => {
                self.shared.counters.connections_cut.one();
                warn!(%key, %reason, "cut a peer that takes no messages");
            }
        }
    }

    // ------------------------------------------------------------------------------------------ gossip

    fn on_gossip_event(&mut self, event: gossipsub::Event) {
        match event {
            gossipsub::Event::Message { propagation_source, message_id, message } => {
                self.on_gossip(propagation_source, &message_id, message);
            }
            gossipsub::Event::Subscribed { .. } => self.publish_unsent(),
            gossipsub::Event::SlowPeer { peer_id, failed_messages } => {
                // Its connection is sound, or its ping would fail; what it missed it can ask for.
                let dropped = failed_messages.priority + failed_messages.non_priority;
                self.shared.counters.gossip_dropped_slow_peer.add(dropped);
                if let Some(key) = self.connected.get(&peer_id) {
                    debug!(%key, dropped, "a peer takes gossip too slowly");
                }
            }
            gossipsub::Event::GossipsubNotSupported { peer_id } => {
                if let Some(key) = self.connected.get(&peer_id) {
                    warn!(%key, "a peer speaks no gossip of this network");
                }
            }
            gossipsub::Event::Unsubscribed { .. } => {}
        }
    }

    fn on_gossip(&mut self, peer: PeerId, id: &gossipsub::MessageId, message: gossipsub::Message) {
        let limits = &self.shared.limits;
        let known = self.shared.links.by_peer(&peer).zip(self.names.topics.topic(&message.topic));
        let Some(((link, topic), hash)) = known.zip(gossip::hash(id)) else {
            self.ignore_gossip(peer, id);
            return;
        };
        let (from, bytes) = (link.key, message.data);
        if bytes.len() > gossip::bytes_max(topic, limits) {
            // The envelope's allowance was used for data.
            self.shared.counters.oversized_refused.one();
            self.ignore_gossip(peer, id);
            return;
        }
        let length = bytes.len();
        let event = NetworkEvent::Gossip { from, id: GossipId { hash, from }, topic, bytes };
        if self.inbox.gossip(from, length, event) {
            self.shared.counters.gossip_received.one();
        } else {
            self.shared.counters.gossip_dropped.one();
            self.ignore_gossip(peer, id);
        }
    }

    fn ignore_gossip(&mut self, peer: PeerId, id: &gossipsub::MessageId) {
        let gossip = &mut self.swarm.behaviour_mut().gossip;
        gossip.report_message_validation_result(id, &peer, MessageAcceptance::Ignore);
    }

    // ------------------------------------------------------------------------------------------ requests

    fn on_sync_event(&mut self, event: sync::Event) {
        match event {
            sync::Event::Message {
                peer, message: Message::Request { request_id, request, channel }, ..
            } => {
                self.on_request(peer, request_id, request, channel);
            }
            sync::Event::Message { message: Message::Response { request_id, response }, .. } => {
                if let Some((request, from)) = self.asked.remove(&request_id) {
                    self.respond(request, from, Ok(response));
                }
            }
            sync::Event::OutboundFailure { request_id, error, .. } => {
                if let Some((request, from)) = self.asked.remove(&request_id) {
                    self.respond(request, from, Err(outbound_failure(&error)));
                }
            }
            sync::Event::InboundFailure { request_id, error, .. } => {
                self.on_inbound_failure(request_id, &error);
            }
            sync::Event::ResponseSent { .. } => {}
        }
    }

    fn on_request(&mut self, peer: PeerId, id: InboundRequestId, payload: Payload, to: AnswerTo) {
        let Some(link) = self.shared.links.by_peer(&peer) else { return };
        let (from, bytes) = (link.key, payload.bytes);
        let channel = Channel(self.next_channel);
        let (open, length) = (self.open.values().filter(|open| open.from == from).count(), bytes.len());
        let event = NetworkEvent::Request { from, channel, bytes };
        if open >= self.shared.limits.requests_from_peer_max || !self.inbox.request(from, length, event) {
            // Dropping `to` ends the stream, which tells the peer.
            self.shared.counters.requests_refused.one();
            return;
        }
        self.next_channel += 1;
        self.open.insert(channel, Open { id, from, to });
        self.shared.counters.requests_received.one();
    }

    fn on_inbound_failure(&mut self, id: InboundRequestId, error: &InboundFailure) {
        self.open.retain(|_, open| open.id != id);
        match error {
            // Ours: refused, or forgotten by the node.
            InboundFailure::ResponseOmission => {}
            InboundFailure::Timeout
            | InboundFailure::ConnectionClosed
            | InboundFailure::UnsupportedProtocols
            | InboundFailure::Io(_) => debug!("a peer's request ended without an answer"),
        }
    }
}

fn outbound_failure(error: &OutboundFailure) -> RequestFailure {
    match error {
        OutboundFailure::DialFailure => RequestFailure::NotConnected,
        OutboundFailure::Timeout => RequestFailure::Timeout,
        OutboundFailure::ConnectionClosed => RequestFailure::Disconnected,
        OutboundFailure::UnsupportedProtocols => RequestFailure::Unsupported,
        OutboundFailure::Io(error) if Oversized::is(error) => RequestFailure::TooLarge,
        OutboundFailure::Io(_) => RequestFailure::Refused,
    }
}
