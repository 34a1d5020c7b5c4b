//! Words of the next height that come before our own commit: kept for a moment, bounded by peer, and heard when
//! the height begins. Without this, the fastest validators would have to say everything twice.

use std::collections::{BTreeMap, VecDeque};

use tanba_crypto::{Canonical, PublicKey};
use tanba_ledger::Height;

use crate::message::Message;

/// Messages kept of one peer.
const MESSAGES_MAX: usize = 32;

/// Canonical bytes of the messages kept of one peer; a proposal that names a full block has an eighth of it.
const BYTES_MAX: usize = 1 << 20;

/// Messages of the next height.
#[derive(Debug, Default)]
pub(crate) struct Ahead {
    height: Height,
    kept: BTreeMap<PublicKey, Kept>,
}

/// What is kept of one peer, oldest first, each with its length.
#[derive(Debug, Default)]
struct Kept {
    messages: VecDeque<(usize, Message)>,
    bytes: usize,
}

impl Ahead {
    /// Keeps a message of `height`, which is the one after the present. The oldest of the peer goes first.
    pub(crate) fn keep(&mut self, height: Height, from: PublicKey, message: Message) {
        if height != self.height {
            self.kept.clear();
            self.height = height;
        }
        let kept = self.kept.entry(from).or_default();
        let length_bytes = message.to_canonical().len();
        kept.messages.push_back((length_bytes, message));
        kept.bytes += length_bytes;
        while kept.messages.len() > MESSAGES_MAX || kept.bytes > BYTES_MAX {
            let Some((length_bytes, _)) = kept.messages.pop_front() else { break };
            kept.bytes -= length_bytes;
        }
    }

    /// Gives what was kept of `height`, in each peer's order.
    pub(crate) fn take(&mut self, height: Height) -> Vec<(PublicKey, Message)> {
        let kept = std::mem::take(&mut self.kept);
        if height != self.height {
            return Vec::new();
        }
        let of_peer =
            |(from, kept): (PublicKey, Kept)| kept.messages.into_iter().map(move |(_, m)| (from, m));
        kept.into_iter().flat_map(of_peer).collect()
    }
}
