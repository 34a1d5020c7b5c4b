//! What the network tells the node, and the words both use.

use tanba_crypto::{Hash, PublicKey};
use tanba_ledger::record::PeerKind;

/// A node that may connect: what the registry of the ledger says of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Admitted {
    /// Its node key; the network identity (PeerId) follows from it.
    pub key: PublicKey,
    /// What it may do. Only validators are reached by [`super::NetworkHandle::broadcast`].
    pub kind: PeerKind,
}

/// What gossip is about; each has its own size limit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Topic {
    /// Transactions on their way into a block.
    Transactions,
    /// Announcements of final blocks.
    Blocks,
}

impl Topic {
    /// Every topic.
    pub const ALL: [Topic; 2] = [Topic::Transactions, Topic::Blocks];
}

/// Names one gossiped message in [`super::NetworkHandle::report`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct GossipId {
    /// Hash over topic and data: the same on every node, whoever sends it.
    pub hash: Hash,
    /// The peer it came from.
    pub from: PublicKey,
}

/// What the node thinks of a gossiped message. Until it has said so, the message is not passed on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Good: pass it on.
    Accept,
    /// Bad beyond doubt, for every honest node at every height: do not pass it on, and hold it against the peer
    /// it came from, which had to check it too.
    Reject,
    /// Not passed on, nobody's fault: expired, known, or undecidable here.
    Ignore,
}

/// Names a request of ours until its [`NetworkEvent::Response`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct RequestId(pub(super) u64);

/// Names a peer's request until [`super::NetworkHandle::answer`]. Use it once, and drop what is not answered:
/// the peer then sees its request fail when the time for it is over.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Channel(pub(super) u64);

/// Why a request has no answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RequestFailure {
    /// The peer is not connected.
    #[error("the peer is not connected")]
    NotConnected,
    /// We have as many requests in flight as we allow ourselves.
    #[error("too many requests are in flight")]
    TooMany,
    /// No whole answer came in time.
    #[error("no answer in time")]
    Timeout,
    /// The connection ended first.
    #[error("the connection closed before the answer")]
    Disconnected,
    /// The peer does not speak the protocol.
    #[error("the peer does not speak the sync protocol")]
    Unsupported,
    /// The answer announced more bytes than are allowed; none were read.
    #[error("the answer is larger than allowed")]
    TooLarge,
    /// The peer ended the stream without an answer.
    #[error("the peer gave no answer")]
    Refused,
}

/// What happened on the network.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NetworkEvent {
    /// An admitted peer is connected. Comes before anything it says.
    Connected {
        /// Its node key.
        key: PublicKey,
    },
    /// The last connection to a peer ended. What it had said before may still follow.
    Disconnected {
        /// Its node key.
        key: PublicKey,
    },
    /// A gossiped message that waits for [`super::NetworkHandle::report`].
    Gossip {
        /// The peer that passed it on: not always the one that made it.
        from: PublicKey,
        /// Its name.
        id: GossipId,
        /// What it is about.
        topic: Topic,
        /// Unverified bytes, within the topic's limit.
        bytes: Vec<u8>,
    },
    /// A message sent to us alone.
    Message {
        /// Who sent it.
        from: PublicKey,
        /// Unverified bytes, within [`super::NetworkLimits::message_bytes_max`].
        bytes: Vec<u8>,
    },
    /// A peer asks.
    Request {
        /// Who asks.
        from: PublicKey,
        /// Where the answer goes.
        channel: Channel,
        /// Unverified bytes, within [`super::NetworkLimits::request_bytes_max`].
        bytes: Vec<u8>,
    },
    /// The end of a request of ours; comes once for each.
    Response {
        /// Which.
        request: RequestId,
        /// Who was asked.
        from: PublicKey,
        /// Unverified bytes, within [`super::NetworkLimits::answer_bytes_max`], or why there are none.
        result: Result<Vec<u8>, RequestFailure>,
    },
}
