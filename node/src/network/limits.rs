//! Limits of the network: every queue, message and connection count has its bound here, with the reason.
//!
//! They protect one node and decide nothing about validity, so an operator may change them.

use std::time::Duration;

use tanba_ledger::limits::{BLOCK_BYTES_MAX, TRANSACTION_BYTES_MAX};

/// One kibibyte.
const KIB: usize = 1024;
/// One mebibyte.
const MIB: usize = 1024 * KIB;

/// What a queued message costs beside its bytes: a flood of empty messages is bounded like any other.
pub(super) const OVERHEAD_BYTES: usize = 256;

/// Bounds on what peers, and our own callers, can make the network hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkLimits {
    /// Bytes of one message (proposal, vote, certificate). Fits the largest legal block with its header.
    pub message_bytes_max: usize,
    /// Bytes of one request.
    pub request_bytes_max: usize,
    /// Bytes of one answer.
    pub answer_bytes_max: usize,
    /// Bytes of one gossiped transaction.
    pub gossip_transaction_bytes_max: usize,
    /// Bytes of one gossiped block announcement.
    pub gossip_block_bytes_max: usize,
    /// Bytes of messages waiting to be sent to one peer; the oldest is dropped first.
    pub outbox_bytes_max: usize,
    /// Bytes of messages received from one peer and not yet taken by the node. Beyond it the peer's stream is
    /// not read, so that it is the peer that waits.
    pub inbox_message_bytes_max: usize,
    /// Bytes of gossip received from one peer and not yet taken; more is dropped.
    pub inbox_gossip_bytes_max: usize,
    /// The same for all peers together.
    pub inbox_gossip_bytes_total_max: usize,
    /// Bytes of commands waiting for the network task: own gossip and requests.
    pub command_bytes_max: usize,
    /// Bytes of answers being sent, all peers together.
    pub answers_out_bytes_max: usize,
    /// Bytes of answers being received, or received and not yet taken, all peers together. An answer takes its
    /// part before it is read.
    pub answers_in_bytes_max: usize,
    /// Requests of ours in flight to one peer.
    pub requests_to_peer_max: usize,
    /// Requests of ours in flight to all peers together: a starting validator asks all others at once.
    pub requests_total_max: usize,
    /// Requests of one peer being answered.
    pub requests_from_peer_max: usize,
    /// From sending a request to having its whole answer.
    pub request_timeout: Duration,
    /// Established connections.
    pub connections_max: u32,
    /// Connections that have not shown yet whose they are, in each direction.
    pub connections_pending_max: u32,
    /// Incoming ones of those from one address (one IPv4 address, one IPv6 /64).
    pub connections_pending_per_address_max: usize,
    /// Resident memory of the process above which new connections are refused, in bytes.
    pub process_bytes_max: usize,
}

impl Default for NetworkLimits {
    fn default() -> Self {
        NetworkLimits {
            message_bytes_max: 2 * MIB,
            request_bytes_max: 256 * KIB,
            answer_bytes_max: 8 * MIB,
            gossip_transaction_bytes_max: TRANSACTION_BYTES_MAX + KIB,
            gossip_block_bytes_max: BLOCK_BYTES_MAX + 256 * KIB,
            outbox_bytes_max: 8 * MIB,
            inbox_message_bytes_max: 4 * MIB,
            inbox_gossip_bytes_max: 8 * MIB,
            inbox_gossip_bytes_total_max: 64 * MIB,
            command_bytes_max: 32 * MIB,
            answers_out_bytes_max: 64 * MIB,
            answers_in_bytes_max: 128 * MIB,
            requests_to_peer_max: 4,
            requests_total_max: 256,
            requests_from_peer_max: 8,
            request_timeout: Duration::from_secs(10),
            connections_max: 1_024,
            connections_pending_max: 64,
            connections_pending_per_address_max: 16,
            process_bytes_max: 2 * 1024 * MIB,
        }
    }
}

impl NetworkLimits {
    /// What one message is charged in a queue.
    pub(super) fn cost(bytes: usize) -> usize {
        bytes + OVERHEAD_BYTES
    }

    /// [`Self::cost`] as a budget counts it, for a size that was held against a limit.
    pub(super) fn permits(bytes: usize) -> u32 {
        u32::try_from(Self::cost(bytes)).expect("limits were checked to be below 4 GiB")
    }

    /// Checks what the rest relies on: a queue takes at least one message of the largest size, and no count is
    /// beyond what a semaphore or a frame's prefix can say.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        let message = Self::cost(self.message_bytes_max);
        let gossip = Self::cost(self.gossip_block_bytes_max.max(self.gossip_transaction_bytes_max));
        if self.outbox_bytes_max < message || self.inbox_message_bytes_max < message {
            return Err("a queue of messages must hold one of message_bytes_max");
        }
        if self.inbox_gossip_bytes_max < gossip || self.inbox_gossip_bytes_total_max < gossip {
            return Err("a queue of gossip must hold one of the largest size");
        }
        if self.command_bytes_max < gossip.max(Self::cost(self.request_bytes_max)) {
            return Err("command_bytes_max must hold one command of the largest size");
        }
        if self.answers_out_bytes_max.min(self.answers_in_bytes_max) < Self::cost(self.answer_bytes_max) {
            return Err("the bounds of all answers must hold one of answer_bytes_max");
        }
        let budgets = [
            self.inbox_message_bytes_max,
            self.command_bytes_max,
            self.answers_out_bytes_max,
            self.answers_in_bytes_max,
        ];
        if budgets.into_iter().any(|bytes| bytes > u32::MAX as usize) {
            return Err("a queue holds less than 4 GiB");
        }
        Ok(())
    }
}

// A proposal carries a block of the largest size, its header and certificates.
const _: () = assert!(BLOCK_BYTES_MAX + 512 * KIB <= 2 * MIB);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::settings::{Form, find};

    #[test]
    fn the_default_limits_agree_with_each_other() {
        assert_eq!(NetworkLimits::default().check(), Ok(()));
    }

    #[test]
    fn a_queue_smaller_than_one_message_is_refused() {
        let limits = NetworkLimits { outbox_bytes_max: 2 * MIB, ..NetworkLimits::default() };
        assert!(limits.check().is_err());
    }

    #[test]
    fn the_smallest_queue_that_settings_allow_is_large_enough() {
        let setting = find("p2p.peer_queue_bytes_max").expect("a setting");
        let Form::Integer { min, .. } = setting.form else { panic!("a number of bytes") };
        let outbox_bytes_max = usize::try_from(min).expect("fits");
        let limits = NetworkLimits { outbox_bytes_max, ..NetworkLimits::default() };
        assert_eq!(limits.check(), Ok(()));
    }
}
