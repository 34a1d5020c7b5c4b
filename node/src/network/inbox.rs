//! The queue from the network to the node: bounded in bytes and by peer, consensus messages first, peers in turn.
//!
//! A consumer that falls behind costs a fixed amount of memory. Messages hold a part of their peer's budget
//! until they are taken, and a peer whose budget is spent is not read from; gossip beyond its bound is dropped
//! and counted; requests beyond theirs are refused; of a peer that comes and goes
//! only the latest state waits. Within a class peers take turns, so that one peer's flood delays another peer's
//! vote by one message and not by the flood.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
};

use tanba_crypto::PublicKey;
use tokio::sync::{Notify, OwnedSemaphorePermit};

use super::{NetworkEvent, NetworkLimits};

/// After so many urgent events in a row one of gossip is handed out, so that votes cannot starve transactions.
const URGENT_RUN_MAX: usize = 32;

/// The network's side of the queue.
#[derive(Debug)]
pub(super) struct Inbox {
    state: Mutex<State>,
    filled: Notify,
    request_bytes_max: usize,
    gossip_bytes_max: usize,
    gossip_bytes_total_max: usize,
}

/// The node's side of the queue: see [`NetworkEvents::recv`].
#[derive(Debug)]
pub struct NetworkEvents(Arc<Inbox>);

#[derive(Default, Debug)]
struct State {
    /// Peers whose connection changed since the node was last told.
    changes: BTreeMap<PublicKey, Change>,
    messages: Turns<(NetworkEvent, OwnedSemaphorePermit)>,
    exchanges: Turns<(NetworkEvent, Option<OwnedSemaphorePermit>)>,
    gossip: Turns<NetworkEvent>,
    urgent_run: usize,
    closed: bool,
}

/// What the node was told of a peer, and what is true.
#[derive(Clone, Copy, Debug)]
struct Change {
    told: bool,
    now: bool,
    /// It went and came back since: the node must hear both.
    again: bool,
}

impl Inbox {
    /// An empty queue and its reader.
    pub(super) fn new(limits: &NetworkLimits) -> (Arc<Inbox>, NetworkEvents) {
        let inbox = Arc::new(Inbox {
            state: Mutex::default(),
            filled: Notify::new(),
            request_bytes_max: limits.requests_from_peer_max * NetworkLimits::cost(limits.request_bytes_max),
            gossip_bytes_max: limits.inbox_gossip_bytes_max,
            gossip_bytes_total_max: limits.inbox_gossip_bytes_total_max,
        });
        (inbox.clone(), NetworkEvents(inbox))
    }

    /// A peer's first connection opened, or its last one closed.
    pub(super) fn connection_changed(&self, key: PublicKey, connected: bool) {
        let mut state = self.lock();
        let change =
            state.changes.entry(key).or_insert(Change { told: !connected, now: !connected, again: false });
        change.again |= connected && change.told && !change.now;
        change.now = connected;
        if change.told == change.now && !change.again {
            state.changes.remove(&key);
        }
        drop(state);
        self.filled.notify_one();
    }

    /// A message, with the part of its peer's budget it holds.
    pub(super) fn message(&self, from: PublicKey, bytes: Vec<u8>, permit: OwnedSemaphorePermit) {
        let cost = NetworkLimits::cost(bytes.len());
        self.lock().messages.push(from, cost, (NetworkEvent::Message { from, bytes }, permit));
        self.filled.notify_one();
    }

    /// A request of `bytes` from a peer. Whether there was room for it.
    #[must_use]
    pub(super) fn request(&self, from: PublicKey, bytes: usize, event: NetworkEvent) -> bool {
        let cost = NetworkLimits::cost(bytes);
        let mut state = self.lock();
        if state.exchanges.bytes_of(&from) + cost > self.request_bytes_max {
            return false;
        }
        state.exchanges.push(from, cost, (event, None));
        drop(state);
        self.filled.notify_one();
        true
    }

    /// The end of a request of ours, with the part of the answers' budget it holds. There are no more of them
    /// than requests were allowed.
    pub(super) fn response(
        &self,
        from: PublicKey,
        event: NetworkEvent,
        permit: Option<OwnedSemaphorePermit>,
    ) {
        self.lock().exchanges.push(from, 0, (event, permit));
        self.filled.notify_one();
    }

    /// Gossip of `bytes` from a peer. Whether there was room for it.
    #[must_use]
    pub(super) fn gossip(&self, from: PublicKey, bytes: usize, event: NetworkEvent) -> bool {
        let cost = NetworkLimits::cost(bytes);
        let mut state = self.lock();
        if state.gossip.bytes_of(&from) + cost > self.gossip_bytes_max
            || state.gossip.bytes + cost > self.gossip_bytes_total_max
        {
            return false;
        }
        state.gossip.push(from, cost, event);
        drop(state);
        self.filled.notify_one();
        true
    }

    /// Nothing follows; what waits may still be taken.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics while it holds the inbox")
    }
}

impl NetworkEvents {
    /// The next event: first who came and went, then messages, then requests and answers, then gossip. `None`
    /// when the network has stopped and everything was taken.
    ///
    /// Safe to cancel: an event is taken only by the call that returns it.
    pub async fn recv(&mut self) -> Option<NetworkEvent> {
        loop {
            {
                let mut state = self.0.lock();
                if let Some(event) = state.pop() {
                    return Some(event);
                }
                if state.closed {
                    return None;
                }
            }
            self.0.filled.notified().await;
        }
    }

    /// The next event if one waits.
    pub fn try_recv(&mut self) -> Option<NetworkEvent> {
        self.0.lock().pop()
    }
}

impl State {
    fn pop(&mut self) -> Option<NetworkEvent> {
        if let Some(event) = self.pop_change() {
            return Some(event);
        }
        if self.urgent_run < URGENT_RUN_MAX || self.gossip.is_empty() {
            let urgent = match self.messages.pop() {
                Some((event, _permit)) => Some(event),
                None => self.exchanges.pop().map(|(event, _permit)| event),
            };
            if urgent.is_some() {
                self.urgent_run += 1;
                return urgent;
            }
        }
        self.urgent_run = 0;
        self.gossip.pop()
    }

    fn pop_change(&mut self) -> Option<NetworkEvent> {
        let (&key, change) = self.changes.iter_mut().next()?;
        change.told = !change.told;
        let event =
            if change.told { NetworkEvent::Connected { key } } else { NetworkEvent::Disconnected { key } };
        change.again = false;
        if change.told == change.now {
            self.changes.remove(&key);
        }
        Some(event)
    }
}

/// A queue in which peers take turns.
#[derive(Debug)]
struct Turns<T> {
    lanes: BTreeMap<PublicKey, Lane<T>>,
    /// The peers with something waiting, next one first.
    order: VecDeque<PublicKey>,
    bytes: usize,
}

#[derive(Debug)]
struct Lane<T> {
    items: VecDeque<(usize, T)>,
    bytes: usize,
}

impl<T> Default for Turns<T> {
    fn default() -> Self {
        Turns { lanes: BTreeMap::new(), order: VecDeque::new(), bytes: 0 }
    }
}

impl<T> Turns<T> {
    fn push(&mut self, key: PublicKey, bytes: usize, item: T) {
        let order = &mut self.order;
        let lane = self.lanes.entry(key).or_insert_with(|| {
            order.push_back(key);
            Lane { items: VecDeque::new(), bytes: 0 }
        });
        lane.items.push_back((bytes, item));
        lane.bytes += bytes;
        self.bytes += bytes;
    }

    fn pop(&mut self) -> Option<T> {
        let key = self.order.pop_front()?;
        let lane = self.lanes.get_mut(&key).expect("a peer in the order has a lane");
        let (bytes, item) = lane.items.pop_front().expect("a lane is never empty");
        lane.bytes -= bytes;
        self.bytes -= bytes;
        if lane.items.is_empty() {
            self.lanes.remove(&key);
        } else {
            self.order.push_back(key);
        }
        Some(item)
    }

    fn bytes_of(&self, key: &PublicKey) -> usize {
        self.lanes.get(key).map_or(0, |lane| lane.bytes)
    }

    fn is_empty(&self) -> bool {
        self.order.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use tanba_crypto::Hash;
    use tokio::sync::Semaphore;

    use super::*;
    use crate::network::{GossipId, Topic};

    fn key(n: u8) -> PublicKey {
        PublicKey::Ed25519([n; 32])
    }

    fn gossip(n: u8) -> NetworkEvent {
        let id = GossipId { hash: Hash::ZERO, from: key(n) };
        NetworkEvent::Gossip { from: key(n), id, topic: Topic::Transactions, bytes: vec![n] }
    }

    fn message(inbox: &Inbox, from: u8, byte: u8) {
        let permit = Arc::new(Semaphore::new(1)).try_acquire_owned().expect("one is free");
        inbox.message(key(from), vec![byte], permit);
    }

    fn drain(events: &mut NetworkEvents) -> Vec<String> {
        let mut seen = Vec::new();
        while let Some(event) = events.try_recv() {
            seen.push(match event {
                NetworkEvent::Connected { key } => format!("+{}", key.as_bytes()[0]),
                NetworkEvent::Disconnected { key } => format!("-{}", key.as_bytes()[0]),
                NetworkEvent::Gossip { from, .. } => format!("g{}", from.as_bytes()[0]),
                NetworkEvent::Message { from, bytes } => format!("m{}.{}", from.as_bytes()[0], bytes[0]),
                other => format!("{other:?}"),
            });
        }
        seen
    }

    #[test]
    fn messages_overtake_gossip_and_peers_take_turns() {
        let (inbox, mut events) = Inbox::new(&NetworkLimits::default());
        assert!(inbox.gossip(key(1), 1, gossip(1)));
        for byte in 0..3 {
            message(&inbox, 1, byte);
        }
        message(&inbox, 2, 9);
        inbox.connection_changed(key(3), true);
        assert_eq!(drain(&mut events), ["+3", "m1.0", "m2.9", "m1.1", "m1.2", "g1"]);
    }

    #[test]
    fn a_flood_of_messages_does_not_starve_gossip() {
        let (inbox, mut events) = Inbox::new(&NetworkLimits::default());
        assert!(inbox.gossip(key(2), 1, gossip(2)));
        for byte in 0..100 {
            message(&inbox, 1, byte);
        }
        assert_eq!(drain(&mut events).iter().position(|seen| seen == "g2"), Some(URGENT_RUN_MAX));
    }

    #[test]
    fn gossip_beyond_a_peers_bound_is_dropped_and_another_peers_is_not() {
        let cost = NetworkLimits::cost(1);
        let limits = NetworkLimits {
            inbox_gossip_bytes_max: 2 * cost,
            inbox_gossip_bytes_total_max: 3 * cost,
            ..NetworkLimits::default()
        };
        let (inbox, mut events) = Inbox::new(&limits);
        let taken: Vec<bool> = [1, 1, 1, 2, 2].map(|n| inbox.gossip(key(n), 1, gossip(n))).to_vec();
        assert_eq!(taken, [true, true, false, true, false]);
        assert_eq!(drain(&mut events), ["g1", "g2", "g1"]);
        assert!(inbox.gossip(key(1), 1, gossip(1)), "room again");
    }

    #[test]
    fn a_peer_that_comes_and_goes_leaves_at_most_two_events() {
        let (inbox, mut events) = Inbox::new(&NetworkLimits::default());
        for connected in [true, false, true, false] {
            inbox.connection_changed(key(1), connected);
        }
        assert_eq!(drain(&mut events), [""; 0]);
        inbox.connection_changed(key(1), true);
        assert_eq!(drain(&mut events), ["+1"]);
        for connected in [false, true, false, true] {
            inbox.connection_changed(key(1), connected);
        }
        assert_eq!(drain(&mut events), ["-1", "+1"]);
        for connected in [false, true, false] {
            inbox.connection_changed(key(1), connected);
        }
        assert_eq!(drain(&mut events), ["-1"]);
    }

    #[test]
    fn a_closed_queue_is_emptied_before_it_ends() {
        let (inbox, mut events) = Inbox::new(&NetworkLimits::default());
        message(&inbox, 1, 7);
        inbox.close();
        let seen = futures::executor::block_on(async { (events.recv().await, events.recv().await) });
        assert!(matches!(seen, (Some(NetworkEvent::Message { .. }), None)), "{seen:?}");
    }
}
