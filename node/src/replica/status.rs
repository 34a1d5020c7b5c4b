//! What the node says of itself.

use std::sync::Arc;

use tanba_consensus::evidence::Evidence;
use tanba_storage::Store;

use super::{Replica, action::Action};
use crate::handle::{NodeStatus, PeerStatus, Voting};

impl<S: Store> Replica<S> {
    /// Publishes the present status.
    pub(super) fn report_status(&mut self) {
        let peer = |(key, peer): (&tanba_crypto::PublicKey, &super::peers::Peer)| PeerStatus {
            key: *key,
            bin: peer.bin,
            kind: peer.kind,
            connected: peer.connected,
            height: peer.head,
        };
        let status = NodeStatus {
            height: self.tip.header.height,
            hash: self.tip.hash,
            time: self.tip.header.time,
            view: self.view,
            voting: self.voting(),
            network_height: self.peers.highest().max(self.tip.header.height),
            mempool_count: self.mempool.len(),
            mempool_bytes: self.mempool.bytes(),
            equivocations: self.equivocations,
            peers: self.peers.iter().map(peer).collect(),
        };
        self.actions.push(Action::Status(Arc::new(status)));
    }

    fn voting(&self) -> Voting {
        let Some(voice) = &self.voice else { return Voting::Observer };
        if !self.startup.is_over() {
            return Voting::Recovering;
        }
        if voice.is_retired() {
            return Voting::Retired;
        }
        match voice.guard.abstains_through() {
            Some(through) if through >= self.height() => Voting::AbstainingThrough(through),
            _ if self.own_index().is_none() => Voting::Observer,
            _ => Voting::Voting,
        }
    }

    /// A validator contradicted itself.
    pub(super) fn report_equivocation(&mut self, evidence: &Evidence) {
        self.equivocations += 1;
        let offender = evidence.offender(self.electorate());
        self.offenders.extend(self.tip.validators.get(offender).map(|member| member.key));
        self.report_status();
    }
}
