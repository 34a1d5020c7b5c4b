//! What the network counted since it started.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Counts since the start of the network. All only grow.
        #[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
        pub struct NetworkStats {
            $($(#[$doc])* pub $name: u64,)*
        }

        /// The live counters behind [`NetworkStats`].
        #[derive(Default, Debug)]
        pub(super) struct Counters {
            $(pub(super) $name: Counter,)*
        }

        impl Counters {
            /// A copy of every count; each is exact, together they are not of one moment.
            pub(super) fn snapshot(&self) -> NetworkStats {
                NetworkStats { $($name: self.$name.0.load(Ordering::Relaxed),)* }
            }
        }
    };
}

counters! {
    /// Connections that became usable.
    connections_established,
    /// Inbound connections refused: not admitted, too many, or another network.
    connections_refused,
    /// Connections we cut because the peer broke a rule or fell silent.
    connections_cut,
    /// Attempts to reach a configured peer that failed.
    dials_failed,
    /// Messages handed to a peer's connection.
    messages_sent,
    /// Bytes of those.
    message_bytes_sent,
    /// Messages received.
    messages_received,
    /// Bytes of those.
    message_bytes_received,
    /// Messages dropped because the peer takes them too slowly or went away.
    messages_dropped,
    /// Messages, requests and answers refused because they announced more bytes than allowed.
    oversized_refused,
    /// Own gossip given to at least one peer.
    gossip_sent,
    /// Gossip received and handed to the node.
    gossip_received,
    /// Gossip received and dropped because the node was behind.
    gossip_dropped,
    /// Own gossip dropped because no peer could take it.
    gossip_unsent,
    /// Gossip the node rejected.
    gossip_rejected,
    /// Gossip dropped because a peer takes it too slowly.
    gossip_dropped_slow_peer,
    /// Requests sent.
    requests_sent,
    /// Requests of ours that failed.
    requests_failed,
    /// Requests received and handed to the node.
    requests_received,
    /// Requests received and refused because the peer has too many open.
    requests_refused,
    /// Answers that could not be delivered.
    answers_dropped,
}

/// One counter.
#[derive(Default, Debug)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    /// Counts one.
    pub(super) fn one(&self) {
        self.add(1);
    }

    /// Counts `count`.
    pub(super) fn add(&self, count: usize) {
        self.0.fetch_add(count as u64, Ordering::Relaxed);
    }
}
