//! What the metrics learn from the loop.

use std::time::Duration;

use tanba_ledger::{Height, Timestamp};

use crate::{
    handle::{NodeStatus, Outcome, Voting},
    metrics::Metrics,
    network::NetworkStats,
};

/// The node's own view of itself.
pub(crate) fn status(metrics: &Metrics, status: &NodeStatus) {
    metrics.head(status.height.0, status.time.0);
    metrics.network_height(status.network_height.0);
    metrics.agreement(status.view.0, status.voting == Voting::Voting);
    metrics.equivocations(status.equivocations);
    metrics.mempool(status.mempool_count, status.mempool_bytes);
    let connected = status.peers.iter().filter(|peer| peer.connected).count();
    metrics.peers(connected, status.peers.len());
}

/// A block is final; `took` is how long the loop was busy with the event that made it so.
pub(crate) fn committed(metrics: &Metrics, height: Height, time: Timestamp, count: u64, took: Duration) {
    metrics.committed(height.0, time.0, count, took);
}

/// What the disk was asked for, counted by those who ask; each total only grows.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Disk {
    store_syncs: u64,
    journal_syncs: u64,
}

impl Disk {
    /// Tells the metrics what came since the last call.
    pub(crate) fn observe(&mut self, metrics: &Metrics, journal_syncs: u64, journal_bytes: u64) {
        let store_syncs = tanba_storage::real_sync::syncs();
        metrics.store_synced(store_syncs - self.store_syncs);
        metrics.journal_synced(journal_syncs - self.journal_syncs, journal_bytes);
        *self = Disk { store_syncs, journal_syncs };
    }
}

/// Messages went to peers; `before` is what was counted at the last call.
pub(crate) fn messages_sent(metrics: &Metrics, stats: &NetworkStats, before: &mut u64) {
    metrics.network_bytes_out(stats.message_bytes_sent - *before);
    *before = stats.message_bytes_sent;
}

/// The promise guard refused to sign; `before` is what was counted at the last call.
pub(crate) fn refused(metrics: &Metrics, refusals: u64, before: &mut u64) {
    metrics.guard_refused(refusals - *before);
    *before = refusals;
}

/// A client's transaction came to its end.
pub(crate) fn concluded(metrics: &Metrics, outcome: &Outcome) {
    match outcome {
        Outcome::Final(_) => {}
        Outcome::Refused(refusal) => metrics.submission_refused(refusal.code),
    }
}
