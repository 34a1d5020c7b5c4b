//! The network: libp2p over TCP, Noise and Yamux. The only files that name libp2p.
//!
//! Bytes in, bytes out: what they mean, and whether they are true, is decided elsewhere. What is promised here:
//!
//! * **Who.** Only peers of the admitted set connect, proven by their node keys in the handshake, before any
//!   protocol is spoken. The handshake is bound to the chain, so that a node of another network cannot
//!   complete it, even with the same keys.
//! * **Three ways.** *Messages* to one peer, one way, over a stream that stays open: proposals, votes,
//!   certificates. *Requests* with one answer each: catching up. *Gossip*: transactions and announcements.
//! * **Bounds.** Each queue, count and size has its limit in [`NetworkLimits`]; what exceeds its size is refused
//!   by its length prefix, before it is read. A slow peer loses its oldest messages, a slow node loses gossip
//!   (counted in [`NetworkStats`]) and stops reading messages; neither costs memory.
//! * **Order.** The node hears first who came and went, then messages, requests, and gossip last; peers take
//!   turns. Of a peer, messages come in order, and after its `Connected`.
//! * **Reaching.** Configured peers that are admitted are dialled for ever, on a fixed schedule.
//!
//! Read `handle` and `event` for the interface, `task` and `reactions` for the loop, `messages` for the stream
//! of votes, `swarm` for what is switched on. There is no peer discovery, and peers' descriptions
//! of themselves are not asked for (no identify): the registry says who they are and what they may do.

mod closing;
mod dialer;
mod event;
pub mod frame;
mod gossip;
mod handle;
mod handshakes;
mod inbox;
mod limits;
mod links;
mod messages;
mod outbox;
mod reactions;
mod stats;
mod swarm;
mod sync;
mod task;
#[cfg(test)]
mod tests;

use std::{io, net::SocketAddr, sync::Arc};

use tanba_crypto::{PublicKey, SigningKey};
use tanba_ledger::ChainId;

pub use event::{Admitted, Channel, GossipId, NetworkEvent, RequestFailure, RequestId, Topic, Verdict};
pub use handle::{NetworkHandle, SendError};
pub use inbox::NetworkEvents;
pub use limits::NetworkLimits;
pub use stats::NetworkStats;

/// What a network is started with.
#[derive(Clone, Debug)]
pub struct NetworkConfig {
    /// The network's identity; peers of another one cannot connect.
    pub chain: ChainId,
    /// The key this node proves to its peers; its PeerId follows from it.
    pub node_key: SigningKey,
    /// Where to listen; port 0 lets the system choose.
    pub listen: Vec<SocketAddr>,
    /// Whom to dial and where, as soon as they are admitted. A key may appear with several addresses.
    pub dial: Vec<(PublicKey, SocketAddr)>,
    /// Bounds of every queue.
    pub limits: NetworkLimits,
}

/// Why a network does not start.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// Another process listens there.
    #[error("port in use: another process listens on {address}; stop it, or set another listen address")]
    PortInUse {
        /// Where this node was told to listen.
        address: SocketAddr,
    },
    /// The address is not ours, or not allowed.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Where this node was told to listen.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The limits contradict each other.
    #[error("network limits: {0}")]
    Limits(&'static str),
    /// The library refused its configuration.
    #[error("network setup: {0}")]
    Setup(String),
}

/// Starts the network on its own task and returns when it listens. Nobody is admitted yet: call
/// [`NetworkHandle::set_admitted`] first.
///
/// Must be called within a tokio runtime.
pub async fn spawn(config: NetworkConfig) -> Result<(NetworkHandle, NetworkEvents), NetworkError> {
    let NetworkConfig { chain, node_key, listen, dial, limits } = config;
    limits.check().map_err(NetworkError::Limits)?;
    let counters = Arc::new(stats::Counters::default());
    let links = Arc::new(links::Links::new(node_key.public(), &limits));
    let names = swarm::Names::new(&chain);
    let keypair = links::keypair(&node_key);
    let swarm = swarm::build(keypair, &chain, &names, links.clone(), counters.clone(), &limits)?;
    let (inbox, events) = inbox::Inbox::new(&limits);
    let (handle, shared, ends) = NetworkHandle::new(links, counters, limits);
    let mut task = task::Task::new(swarm, names, shared, inbox, &dial);
    task.listen(&listen).await?;
    tokio::spawn(task.run(ends));
    Ok((handle, events))
}
