//! Everything a replica can cause, in one closed list. The driver performs actions in order; whatever had to be
//! on disk before them is on disk already.

use std::sync::Arc;

use tanba_crypto::{PublicKey, Verified};
use tanba_ledger::{Height, Timestamp, Transaction, TransactionId, record::PeerKind};

use super::{
    event::{ChannelId, GossipId, RequestId, SubmissionId},
    timer::Timer,
};
use crate::{
    handle::{NodeStatus, Outcome, Refusal},
    message::{Announcement, Message, Request, Response},
};

/// What the network should think of a gossiped message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// Pass it on.
    Accept,
    /// Drop it; the sender is not to blame.
    Ignore,
    /// Drop it; the sender is to blame.
    Reject,
}

/// What is to be done.
#[derive(Debug)]
pub enum Action {
    /// Say something to one peer.
    Send {
        /// Whom.
        to: PublicKey,
        /// What.
        message: Arc<Message>,
    },
    /// Say something to every connected validator.
    Broadcast(Arc<Message>),
    /// Announce our head to everyone.
    Announce(Announcement),
    /// Gossip a transaction.
    Gossip(Arc<Verified<Transaction>>),
    /// Judge a gossiped message.
    Judge {
        /// Which.
        gossip: GossipId,
        /// How.
        judgement: Judgement,
    },
    /// Ask a peer.
    Request {
        /// Under this name; a [`Response`](super::event::Event::Response) follows, come what may.
        id: RequestId,
        /// Whom.
        to: PublicKey,
        /// What.
        request: Request,
    },
    /// Answer a peer.
    Answer {
        /// To which question.
        channel: ChannelId,
        /// The answer.
        response: Response,
    },
    /// Fire a timer after a delay.
    Schedule {
        /// Which.
        timer: Timer,
        /// After so many milliseconds.
        delay_ms: u64,
    },
    /// Tell a client that its transaction was taken, or why not.
    Admitted {
        /// Which client.
        id: SubmissionId,
        /// Taken, or why not.
        result: Result<TransactionId, Refusal>,
    },
    /// Tell a client what became of its transaction.
    Concluded {
        /// Which client.
        id: SubmissionId,
        /// What became of it.
        outcome: Outcome,
    },
    /// From now on talk to these peers and no others.
    AdmitPeers(Vec<(PublicKey, PeerKind)>),
    /// A block is final and behind the barrier.
    Committed {
        /// Its height.
        height: Height,
        /// Its time.
        time: Timestamp,
        /// How many transactions it holds.
        transactions: u64,
    },
    /// The node's own view of itself changed.
    Status(Arc<NodeStatus>),
}
