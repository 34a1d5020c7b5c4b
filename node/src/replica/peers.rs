//! The nodes the ledger admits, whose they are, and what is known of each.

use std::collections::BTreeMap;

use tanba_crypto::{Hash, PublicKey};
use tanba_ledger::{
    Bin, Height, Timestamp, ValidatorIndex, ValidatorSet,
    merkle::{BucketError, NodeReader, ReadError, bucket::bucket},
    record::{Institution, PeerKind, Table},
    state::{Record, Tip},
};

/// One admitted node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Peer {
    /// Whose it is.
    pub(crate) bin: Bin,
    /// What it may do.
    pub(crate) kind: PeerKind,
    /// Whether it is connected.
    pub(crate) connected: bool,
    /// The highest head it has shown.
    pub(crate) head: Option<Height>,
}

/// All admitted nodes, by node key.
#[derive(Debug, Default)]
pub(crate) struct Peers {
    peers: BTreeMap<PublicKey, Peer>,
    root: Hash,
    /// When an admission next begins or ends.
    next_change: Option<Timestamp>,
}

impl Peers {
    /// Reads the registry again if the institutions changed or an admission began or ended; true if it did.
    pub(crate) fn refresh(&mut self, tip: &Tip, reader: &impl NodeReader) -> Result<bool, ReadError> {
        let root = tip.roots.of(Table::Institutions);
        let time = tip.header.time;
        if root == self.root && self.next_change.is_none_or(|change| time < change) {
            return Ok(false);
        }
        self.next_change = None;
        let mut registry = BTreeMap::new();
        for institution in institutions(reader, &root)? {
            for peer in &institution.peers {
                let changes =
                    [Some(peer.from), peer.to].into_iter().flatten().filter(|change| *change > time);
                self.next_change = self.next_change.into_iter().chain(changes).min();
                if !admitted_at(peer, time) {
                    continue;
                }
                let known = self.peers.remove(&peer.key);
                let (connected, head) = known.map_or((false, None), |k| (k.connected, k.head));
                registry.insert(peer.key, Peer { bin: institution.bin, kind: peer.kind, connected, head });
            }
        }
        self.peers = registry;
        self.root = root;
        Ok(true)
    }

    /// Every admitted node.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&PublicKey, &Peer)> {
        self.peers.iter()
    }

    /// Notes that a node is connected or gone.
    pub(crate) fn set_connected(&mut self, key: &PublicKey, connected: bool) {
        if let Some(peer) = self.peers.get_mut(key) {
            peer.connected = connected;
        }
    }

    /// Notes a head that a node has shown.
    pub(crate) fn saw_head(&mut self, key: &PublicKey, head: Height) {
        if let Some(peer) = self.peers.get_mut(key) {
            peer.head = peer.head.max(Some(head));
        }
    }

    /// Takes back what a node has shown: it could not prove it.
    pub(crate) fn disbelieve(&mut self, key: &PublicKey) {
        if let Some(peer) = self.peers.get_mut(key) {
            peer.head = None;
        }
    }

    /// The highest head shown by any node.
    pub(crate) fn highest(&self) -> Height {
        self.peers.values().filter_map(|peer| peer.head).max().unwrap_or_default()
    }

    /// A connected node that has shown a head of at least `height`, the one after `last` in turn.
    pub(crate) fn source(&self, height: Height, last: Option<PublicKey>) -> Option<PublicKey> {
        let able: Vec<PublicKey> = self
            .peers
            .iter()
            .filter(|(_, peer)| peer.connected && peer.head >= Some(height))
            .map(|(key, _)| *key)
            .collect();
        able.iter().find(|key| Some(**key) > last).or(able.first()).copied()
    }

    /// The place in `validators` of the institution whose validator node this is.
    pub(crate) fn index_of(&self, key: &PublicKey, validators: &ValidatorSet) -> Option<ValidatorIndex> {
        let peer = self.peers.get(key).filter(|peer| peer.kind == PeerKind::Validator)?;
        let place = validators.members().iter().position(|member| member.bin == peer.bin)?;
        Some(ValidatorIndex(place as u16))
    }

    /// The connected validator nodes of a member.
    pub(crate) fn nodes_of(&self, index: ValidatorIndex, validators: &ValidatorSet) -> Vec<PublicKey> {
        let Some(member) = validators.get(index) else { return Vec::new() };
        let its = |peer: &Peer| peer.bin == member.bin && peer.kind == PeerKind::Validator && peer.connected;
        self.peers.iter().filter(|(_, peer)| its(peer)).map(|(key, _)| *key).collect()
    }
}

fn admitted_at(peer: &tanba_ledger::record::Peer, time: Timestamp) -> bool {
    peer.from <= time && peer.to.is_none_or(|to| time < to)
}

/// Every institution's record: the whole table is one bucket.
fn institutions(reader: &impl NodeReader, root: &Hash) -> Result<Vec<Institution>, ReadError> {
    let table = bucket(reader, root, &Hash::ZERO, 0, usize::MAX).map_err(|error| match error {
        BucketError::Read(error) => error,
        BucketError::TooLarge(_) => unreachable!("no bound was asked for"),
    })?;
    table.leaves.iter().map(|leaf| Record::<Institution>::of(leaf).map(|record| record.value)).collect()
}
