//! The protocols and the transport of this node, put together.

use std::{convert::Infallible, sync::Arc, time::Duration};

use libp2p::{
    Swarm, SwarmBuilder, Transport,
    allow_block_list::{self, AllowedPeers},
    connection_limits::{self, ConnectionLimits},
    core::upgrade::Version,
    identity::Keypair,
    memory_connection_limits, noise, ping,
    swarm::{NetworkBehaviour, StreamProtocol},
    tcp, yamux,
};
use tanba_ledger::ChainId;

use super::{
    NetworkError, NetworkLimits,
    closing::Closing,
    gossip::{self, Topics},
    handshakes,
    links::Links,
    messages,
    stats::Counters,
    sync,
};

/// From a TCP connection to a proven identity.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// Connections to one peer: two that dial each other at once, and as many that are dead but not yet known to be.
const CONNECTIONS_PER_PEER_MAX: u32 = 4;
/// A peer is asked for a sign of life at this pace.
const PING_INTERVAL: Duration = Duration::from_secs(2);
/// A question without an answer has failed after this. The second failure in a row cuts the connection: 10 s after
/// the last answer at the latest. After a longer silence TCP tries again too rarely to wait for it, and a new
/// connection goes on at once when the network heals.
const PING_TIMEOUT: Duration = Duration::from_secs(3);
/// A connection that nothing uses is closed after this.
const IDLE_MAX: Duration = Duration::from_secs(10);
/// Streams of one connection that have not said yet what they are.
const STREAMS_NEGOTIATING_MAX: usize = 16;
/// Yamux gives each stream a window of 256 KiB and lets one grow within the connection's 1 GiB less that of
/// this many streams: with 4,096 nothing is left to grow into. What a peer can make us buffer is then 256 KiB
/// for each of the few streams that the protocols accept.
const YAMUX_STREAMS_MAX: usize = 4_096;

/// Every protocol of a connection. The guards stand first: what they refuse reaches nobody else.
#[derive(NetworkBehaviour)]
pub(super) struct Behaviour {
    pub(super) allowed: allow_block_list::Behaviour<AllowedPeers>,
    handshakes: handshakes::Behaviour,
    connections: connection_limits::Behaviour,
    memory: memory_connection_limits::Behaviour,
    ping: ping::Behaviour,
    pub(super) messages: messages::Behaviour,
    pub(super) sync: sync::Behaviour,
    pub(super) gossip: gossip::Behaviour,
}

/// The names of one network's protocols: a node of another network shares none of them.
#[derive(Clone, Debug)]
pub(super) struct Names {
    prefix: String,
    message: StreamProtocol,
    sync: StreamProtocol,
    pub(super) topics: Topics,
}

impl Names {
    pub(super) fn new(chain: &ChainId) -> Names {
        let chain = chain.0.to_string();
        let prefix = format!("/tanba/{}", &chain[..16]);
        let name = |protocol: &str| {
            StreamProtocol::try_from_owned(format!("{prefix}/{protocol}")).expect("it begins with a slash")
        };
        Names { message: name("message/1"), sync: name("sync/1"), topics: Topics::new(&prefix), prefix }
    }

    /// What both sides of a handshake must agree on: with another network's it does not even decrypt.
    fn prologue(&self, chain: &ChainId) -> Vec<u8> {
        [self.prefix.as_bytes(), b"/noise/1\0", chain.0.as_bytes()].concat()
    }
}

/// The swarm: TCP with Noise and Yamux under the protocols.
pub(super) fn build(
    keypair: Keypair,
    chain: &ChainId,
    names: &Names,
    links: Arc<Links>,
    counters: Arc<Counters>,
    limits: &NetworkLimits,
) -> Result<Swarm<Behaviour>, NetworkError> {
    let setup = |what: String| NetworkError::Setup(what);
    let gossip = gossip::behaviour(keypair.clone(), &names.prefix, &names.topics, limits).map_err(setup)?;
    let behaviour = Behaviour {
        allowed: allow_block_list::Behaviour::default(),
        handshakes: handshakes::Behaviour::new(limits.connections_pending_per_address_max),
        connections: connection_limits::Behaviour::new(
            ConnectionLimits::default()
                .with_max_pending_incoming(Some(limits.connections_pending_max))
                .with_max_pending_outgoing(Some(limits.connections_pending_max))
                .with_max_established(Some(limits.connections_max))
                .with_max_established_per_peer(Some(CONNECTIONS_PER_PEER_MAX)),
        ),
        memory: memory_connection_limits::Behaviour::with_max_bytes(limits.process_bytes_max),
        ping: ping::Behaviour::new(
            ping::Config::new().with_interval(PING_INTERVAL).with_timeout(PING_TIMEOUT),
        ),
        sync: sync::behaviour(names.sync.clone(), counters.clone(), limits),
        messages: messages::Behaviour::new(names.message.clone(), links, counters, limits),
        gossip,
    };
    let noise = noise::Config::new(&keypair).map_err(|error| setup(error.to_string()))?;
    let mut yamux = yamux::Config::default();
    yamux.set_max_num_streams(YAMUX_STREAMS_MAX);
    let transport = tcp::tokio::Transport::new(tcp::Config::default().nodelay(true))
        .upgrade(Version::V1Lazy)
        .authenticate(noise.with_prologue(names.prologue(chain)))
        .multiplex(yamux)
        .map(|(peer, connection), _| (peer, Closing::new(connection)));
    let swarm = SwarmBuilder::with_existing_identity(keypair)
        .with_tokio()
        .with_other_transport(|_| transport)
        .unwrap_or_else(|never: Infallible| match never {})
        .with_behaviour(|_| behaviour)
        .unwrap_or_else(|never: Infallible| match never {})
        .with_swarm_config(|config| {
            config
                .with_max_negotiating_inbound_streams(STREAMS_NEGOTIATING_MAX)
                .with_idle_connection_timeout(IDLE_MAX)
        })
        .with_connection_timeout(HANDSHAKE_MAX)
        .build();
    Ok(swarm)
}
