//! The messages waiting for one peer: bounded in bytes, the oldest dropped first, shared by its connections.
//!
//! Everything sent here can be sent again (votes, proposals, certificates), and what is newest matters most to
//! a peer that fell behind. Two nodes that dial each other at once end up with two connections; only the newest
//! carries our messages, so that none is lost in one that is already dead but not yet known to be.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard},
};

use libp2p::swarm::ConnectionId;
use tokio::sync::Notify;

use super::NetworkLimits;

/// See the module.
#[derive(Debug)]
pub(super) struct Outbox {
    state: Mutex<State>,
    filled: Notify,
    bytes_max: usize,
}

#[derive(Default, Debug)]
struct State {
    frames: VecDeque<Arc<[u8]>>,
    bytes: usize,
    /// The peer's connections, newest last.
    connections: Vec<ConnectionId>,
}

impl Outbox {
    /// An outbox without connection, which takes nothing yet.
    pub(super) fn new(bytes_max: usize) -> Outbox {
        Outbox { state: Mutex::default(), filled: Notify::new(), bytes_max }
    }

    /// Queues a message. How many older ones had to go, or `None` if the peer is not connected.
    pub(super) fn push(&self, frame: Arc<[u8]>) -> Option<usize> {
        let mut state = self.lock();
        if state.connections.is_empty() {
            return None;
        }
        state.bytes += NetworkLimits::cost(frame.len());
        state.frames.push_back(frame);
        let mut dropped = 0;
        while state.bytes > self.bytes_max {
            state.pop().expect("what is counted is queued");
            dropped += 1;
        }
        drop(state);
        self.filled.notify_waiters();
        Some(dropped)
    }

    /// Whether the peer is connected.
    pub(super) fn is_connected(&self) -> bool {
        !self.lock().connections.is_empty()
    }

    /// A connection opened; it carries our messages from now on.
    pub(super) fn attach(&self, connection: ConnectionId) {
        self.lock().connections.push(connection);
        self.filled.notify_waiters();
    }

    /// A connection closed. How many messages were dropped because it was the last.
    pub(super) fn detach(&self, connection: ConnectionId) -> usize {
        let mut state = self.lock();
        state.connections.retain(|other| *other != connection);
        let dropped = if state.connections.is_empty() {
            state.bytes = 0;
            std::mem::take(&mut state.frames).len()
        } else {
            0
        };
        drop(state);
        self.filled.notify_waiters();
        dropped
    }

    /// The next message for `connection`; waits for one, and for its turn.
    pub(super) async fn next(&self, connection: ConnectionId) -> Arc<[u8]> {
        loop {
            let filled = self.filled.notified();
            tokio::pin!(filled);
            // Listen before looking: a message queued in between must wake us.
            filled.as_mut().enable();
            if let Some(frame) = self.try_next(connection) {
                return frame;
            }
            filled.await;
        }
    }

    /// The next message for `connection` if one waits and it is its turn.
    pub(super) fn try_next(&self, connection: ConnectionId) -> Option<Arc<[u8]>> {
        let mut state = self.lock();
        if state.connections.last() == Some(&connection) { state.pop() } else { None }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics while it holds an outbox")
    }
}

impl State {
    fn pop(&mut self) -> Option<Arc<[u8]>> {
        let frame = self.frames.pop_front()?;
        self.bytes -= NetworkLimits::cost(frame.len());
        Some(frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(n: u8) -> Arc<[u8]> {
        Arc::from([n])
    }

    fn connection(n: usize) -> ConnectionId {
        ConnectionId::new_unchecked(n)
    }

    #[test]
    fn the_oldest_message_goes_first_when_a_peer_is_slow() {
        let outbox = Outbox::new(2 * NetworkLimits::cost(1));
        outbox.attach(connection(1));
        assert_eq!([1, 2, 3].map(|n| outbox.push(frame(n))), [Some(0), Some(0), Some(1)]);
        assert_eq!(outbox.try_next(connection(1)), Some(frame(2)));
        assert_eq!(outbox.try_next(connection(1)), Some(frame(3)));
        assert_eq!(outbox.try_next(connection(1)), None);
    }

    #[test]
    fn only_the_newest_connection_carries_messages() {
        let outbox = Outbox::new(1024);
        outbox.attach(connection(1));
        outbox.attach(connection(2));
        assert_eq!(outbox.push(frame(1)), Some(0));
        assert_eq!(outbox.try_next(connection(1)), None);
        assert_eq!(outbox.detach(connection(2)), 0);
        assert_eq!(outbox.try_next(connection(1)), Some(frame(1)));
    }

    #[test]
    fn nothing_is_kept_for_a_peer_that_left() {
        let outbox = Outbox::new(1024);
        assert_eq!(outbox.push(frame(1)), None);
        outbox.attach(connection(1));
        assert_eq!(outbox.push(frame(1)), Some(0));
        assert_eq!(outbox.detach(connection(1)), 1);
        assert!(!outbox.is_connected());
        outbox.attach(connection(2));
        assert_eq!(outbox.try_next(connection(2)), None);
    }
}
