//! Everything that can happen to a replica, in one closed list.

use tanba_crypto::{PublicKey, Verified};
use tanba_ledger::{Timestamp, Transaction};

use super::timer::Timer;
use crate::message::{Announcement, CheckedResponse, Message, Request};

/// The time at which an event is handled, told by the driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds of a clock that never jumps; its zero means nothing.
    pub monotonic_ms: u64,
    /// The wall clock. Used for block times and the test of live proposals, never for safety.
    pub wall: Timestamp,
}

/// Names a question to a peer until its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestId(pub u64);

/// Names a peer's question until our answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChannelId(pub u64);

/// Names a gossiped message until it is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GossipId(pub u64);

/// Names a submission until it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SubmissionId(pub u64);

/// What can happen.
#[derive(Debug)]
pub enum Event {
    /// The process starts; said once, first.
    Started,
    /// An admitted peer is there.
    Connected(PublicKey),
    /// It is gone.
    Disconnected(PublicKey),
    /// A peer says something to us.
    Message {
        /// Who.
        from: PublicKey,
        /// What.
        message: Message,
    },
    /// A peer asks.
    Request {
        /// Where the answer goes.
        channel: ChannelId,
        /// What is asked.
        request: Request,
    },
    /// A peer answers, or does not.
    Response {
        /// To which question.
        id: RequestId,
        /// Who was asked.
        from: PublicKey,
        /// The answer; `None` if there is none, or none that holds.
        response: Option<CheckedResponse>,
    },
    /// A transaction came by gossip (to be judged) or was forwarded; its signatures hold.
    Transaction {
        /// What to judge, if it came by gossip.
        gossip: Option<GossipId>,
        /// The transaction.
        transaction: Verified<Transaction>,
        /// The length of its canonical form.
        length_bytes: usize,
    },
    /// A peer announces its head to everyone.
    Announced {
        /// Who passed it on.
        from: PublicKey,
        /// What to judge.
        gossip: GossipId,
        /// The head.
        announcement: Announcement,
    },
    /// A client submits; the signatures hold.
    Submitted {
        /// The client's place in the queue.
        id: SubmissionId,
        /// The transaction.
        transaction: Verified<Transaction>,
        /// The length of its canonical form.
        length_bytes: usize,
    },
    /// A delay is over.
    TimerFired(Timer),
}
