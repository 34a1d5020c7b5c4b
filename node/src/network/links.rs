//! Who may connect: the admitted peers by node key and by network identity, with the queues of each.

use std::{
    collections::BTreeMap,
    sync::{Arc, RwLock, RwLockReadGuard},
};

use libp2p::{PeerId, identity};
use tanba_crypto::{PublicKey, SigningKey};
use tanba_ledger::record::PeerKind;
use tokio::sync::Semaphore;

use super::{Admitted, NetworkLimits, outbox::Outbox};

/// One admitted peer.
#[derive(Debug)]
pub(super) struct Link {
    /// Its node key.
    pub(super) key: PublicKey,
    /// Its network identity, which follows from the key.
    pub(super) peer: PeerId,
    /// What waits to be sent to it.
    pub(super) outbox: Outbox,
    /// What it may still have us hold, in bytes: a message takes its part before it is read.
    pub(super) inbound: Arc<Semaphore>,
}

/// The admitted peers. Written by the network task alone, read by connections and callers.
#[derive(Debug)]
pub(super) struct Links {
    maps: RwLock<Maps>,
    own_key: PublicKey,
    outbox_bytes_max: usize,
    inbound_bytes_max: usize,
}

#[derive(Default, Debug)]
struct Maps {
    by_key: BTreeMap<PublicKey, (PeerKind, Arc<Link>)>,
    by_peer: BTreeMap<PeerId, Arc<Link>>,
}

/// What a new admitted set changes.
#[derive(Default, Debug)]
pub(super) struct AdmittedChange {
    pub(super) added: Vec<PeerId>,
    pub(super) removed: Vec<PeerId>,
    /// Keys no peer can prove to hold.
    pub(super) unusable: Vec<PublicKey>,
}

impl Links {
    /// Nobody is admitted yet.
    pub(super) fn new(own_key: PublicKey, limits: &NetworkLimits) -> Links {
        Links {
            maps: RwLock::default(),
            own_key,
            outbox_bytes_max: limits.outbox_bytes_max,
            inbound_bytes_max: limits.inbox_message_bytes_max,
        }
    }

    /// Replaces the admitted set. Peers that stay keep their queues.
    pub(super) fn set(&self, admitted: &[Admitted]) -> AdmittedChange {
        let mut change = AdmittedChange::default();
        let mut maps = self.maps.write().expect("nothing panics while it holds the links");
        let mut old = std::mem::take(&mut maps.by_key);
        for Admitted { key, kind } in admitted {
            if *key == self.own_key {
                continue;
            }
            let link = match old.remove(key) {
                Some((_, link)) => link,
                None => match peer_id(key) {
                    Some(peer) => {
                        change.added.push(peer);
                        Arc::new(self.link(*key, peer))
                    }
                    None => {
                        change.unusable.push(*key);
                        continue;
                    }
                },
            };
            maps.by_peer.insert(link.peer, link.clone());
            maps.by_key.insert(*key, (*kind, link));
        }
        for (_, link) in old.into_values() {
            maps.by_peer.remove(&link.peer);
            change.removed.push(link.peer);
        }
        change
    }

    /// The peer with this node key, if it is admitted.
    pub(super) fn by_key(&self, key: &PublicKey) -> Option<Arc<Link>> {
        self.read().by_key.get(key).map(|(_, link)| link.clone())
    }

    /// The peer with this network identity, if it is admitted.
    pub(super) fn by_peer(&self, peer: &PeerId) -> Option<Arc<Link>> {
        self.read().by_peer.get(peer).cloned()
    }

    /// The connected peers, in order of key.
    pub(super) fn connected(&self) -> Vec<(PeerKind, Arc<Link>)> {
        self.read().by_key.values().filter(|(_, link)| link.outbox.is_connected()).cloned().collect()
    }

    fn link(&self, key: PublicKey, peer: PeerId) -> Link {
        let inbound = Arc::new(Semaphore::new(self.inbound_bytes_max));
        Link { key, peer, outbox: Outbox::new(self.outbox_bytes_max), inbound }
    }

    fn read(&self) -> RwLockReadGuard<'_, Maps> {
        self.maps.read().expect("nothing panics while it holds the links")
    }
}

/// The network identity that follows from a node key; `None` if the bytes are no point of the curve.
pub(super) fn peer_id(key: &PublicKey) -> Option<PeerId> {
    let PublicKey::Ed25519(bytes) = key;
    let key = identity::ed25519::PublicKey::try_from_bytes(bytes).ok()?;
    Some(identity::PublicKey::from(key).to_peer_id())
}

/// The identity this node proves in every handshake.
pub(super) fn keypair(key: &SigningKey) -> identity::Keypair {
    let mut seed = key.seed();
    identity::Keypair::ed25519_from_bytes(seed.as_mut_slice()).expect("32 bytes are an Ed25519 seed")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u8) -> PublicKey {
        SigningKey::ed25519(&[n; 32]).public()
    }

    fn links() -> Links {
        Links::new(key(1), &NetworkLimits::default())
    }

    fn observer(n: u8) -> Admitted {
        Admitted { key: key(n), kind: PeerKind::Observer }
    }

    #[test]
    fn identity_and_key_belong_together() {
        let signing = SigningKey::ed25519(&[7; 32]);
        assert_eq!(peer_id(&signing.public()), Some(keypair(&signing).public().to_peer_id()));
    }

    #[test]
    fn a_new_set_names_who_came_and_who_left() {
        let links = links();
        links.set(&[observer(1), observer(2), observer(3)]);
        let kept = links.by_key(&key(3)).expect("admitted");
        let change = links.set(&[observer(3), observer(4)]);
        assert_eq!(change.added, [peer_id(&key(4)).expect("a key")]);
        assert_eq!(change.removed, [peer_id(&key(2)).expect("a key")]);
        assert!(Arc::ptr_eq(&kept, &links.by_key(&key(3)).expect("still admitted")));
        assert!(links.by_peer(&peer_id(&key(2)).expect("a key")).is_none());
        assert!(links.by_key(&key(1)).is_none(), "a node is not its own peer");
    }

    #[test]
    fn a_key_that_is_no_point_admits_nobody() {
        let mut off_curve = [0; 32];
        off_curve[0] = 2;
        let key = PublicKey::Ed25519(off_curve);
        assert_eq!(links().set(&[Admitted { key, kind: PeerKind::Validator }]).unusable, [key]);
    }
}
