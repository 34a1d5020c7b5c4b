//! How the rest of the process speaks with the replica: submissions go in, heads and peers come out.
//!
//! Reads do not pass here: they go to the store's reader directly and wait for nobody.

use std::sync::Arc;

use tanba_crypto::{PublicKey, Verified};
use tanba_ledger::{
    Bin, BlockHash, Height, Timestamp, Transaction, TransactionId, View, record::PeerKind, rules,
};
use tanba_storage::Position;
use tokio::sync::{mpsc, oneshot, watch};

/// What became of a submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Final and behind the barrier on this node.
    Final(Position),
    /// Refused, with a stable code (`UPPER_SNAKE`), a sentence, and the next step.
    Refused(Refusal),
}

/// Why a submission was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// Stable, for machines: `UPPER_SNAKE`.
    pub code: &'static str,
    /// For people, without a full stop; carries nothing another client sent.
    pub message: String,
    /// What to do next.
    pub next_step: String,
    /// Whether the same bytes may be accepted later (mempool full, node behind).
    pub retry: bool,
}

/// A rule's refusal in the words of the API.
impl From<&rules::Refusal> for Refusal {
    fn from(refusal: &rules::Refusal) -> Refusal {
        Refusal {
            code: refusal.code(),
            message: refusal.to_string(),
            next_step: refusal.next_step().to_owned(),
            retry: false,
        }
    }
}

/// A submission on its way to the replica.
#[derive(Debug)]
pub struct Submission {
    /// The checked transaction.
    pub transaction: Verified<Transaction>,
    /// Answered as soon as the transaction is admitted (`None`), known to be final, or refused.
    pub admitted: oneshot::Sender<Result<TransactionId, Refusal>>,
    /// Answered when it is final or can no longer become so; dropped if the node stops first.
    pub outcome: Option<oneshot::Sender<Outcome>>,
}

/// What the node knows of itself, refreshed with each head and each change of peers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeStatus {
    /// The last final block.
    pub height: Height,
    /// Its hash.
    pub hash: BlockHash,
    /// Its time.
    pub time: Timestamp,
    /// The view in which agreement on the next height stands.
    pub view: View,
    /// Whether this node votes now, follows only, or waits and why.
    pub voting: Voting,
    /// The highest height any peer has shown.
    pub network_height: Height,
    /// Transactions waiting.
    pub mempool_count: usize,
    /// Their bytes together.
    pub mempool_bytes: usize,
    /// Validators that were seen to contradict themselves since the start.
    pub equivocations: u64,
    /// The peers, in order of key.
    pub peers: Vec<PeerStatus>,
}

/// Whether a node votes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Voting {
    /// It votes.
    Voting,
    /// It is an observer.
    Observer,
    /// Its journal is being compared with its peers' memory.
    Recovering,
    /// Journal and store were lost: its key never votes again.
    Retired,
    /// Its journal was lost; it votes above this height.
    AbstainingThrough(Height),
}

/// One peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerStatus {
    /// Its node key.
    pub key: PublicKey,
    /// Its institution.
    pub bin: Bin,
    /// What it may do.
    pub kind: PeerKind,
    /// Whether it is connected now.
    pub connected: bool,
    /// Its last known head.
    pub height: Option<Height>,
}

/// The handle that the API and the CLI hold.
#[derive(Clone, Debug)]
pub struct NodeHandle {
    /// To the replica; bounded, so that a flood waits at the door.
    pub submissions: mpsc::Sender<Submission>,
    /// From the replica.
    pub status: watch::Receiver<Arc<NodeStatus>>,
}
