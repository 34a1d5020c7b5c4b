//! What the metrics learn from the loop.

use std::time::Duration;

use tanba_ledger::{Height, Timestamp};

use crate::{
    handle::{NodeStatus, Outcome, Voting},
    metrics::Metrics,
};

/// The node's own view of itself.
pub(crate) fn status(metrics: &Metrics, status: &NodeStatus) {
    metrics.head(status.height.0, status.time.0);
    metrics.network_height(status.network_height.0);
    metrics.agreement(status.view.0, status.voting == Voting::Voting);
    metrics.mempool(status.mempool_count, status.mempool_bytes);
    let connected = status.peers.iter().filter(|peer| peer.connected).count();
    metrics.peers(connected, status.peers.len());
}

/// A block is final; `took` is how long the loop was busy with the event that made it so.
pub(crate) fn committed(metrics: &Metrics, height: Height, time: Timestamp, count: u64, took: Duration) {
    metrics.committed(height.0, time.0, count, took);
}

/// A client's transaction came to its end.
pub(crate) fn concluded(metrics: &Metrics, outcome: &Outcome) {
    match outcome {
        Outcome::Final(_) => {}
        Outcome::Refused(refusal) => metrics.submission_refused(refusal.code),
    }
}
