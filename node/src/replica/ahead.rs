//! Words of the next height that come before our own commit: kept for a moment, bounded by peer, and heard when
//! the height begins. Without this, the fastest validators would have to say everything twice.

use std::collections::{BTreeMap, VecDeque};

use tanba_crypto::PublicKey;
use tanba_ledger::Height;

use crate::message::Message;

/// Messages kept of one peer.
const MESSAGES_MAX: usize = 32;

/// Messages of the next height.
#[derive(Debug, Default)]
pub(crate) struct Ahead {
    height: Height,
    kept: BTreeMap<PublicKey, VecDeque<Message>>,
}

impl Ahead {
    /// Keeps a message of `height`, which is the one after the present. The oldest of the peer goes first.
    pub(crate) fn keep(&mut self, height: Height, from: PublicKey, message: Message) {
        if height != self.height {
            self.kept.clear();
            self.height = height;
        }
        let kept = self.kept.entry(from).or_default();
        if kept.len() == MESSAGES_MAX {
            kept.pop_front();
        }
        kept.push_back(message);
    }

    /// Gives what was kept of `height`, in each peer's order.
    pub(crate) fn take(&mut self, height: Height) -> Vec<(PublicKey, Message)> {
        let kept = std::mem::take(&mut self.kept);
        if height != self.height {
            return Vec::new();
        }
        kept.into_iter().flat_map(|(from, messages)| messages.into_iter().map(move |m| (from, m))).collect()
    }
}
