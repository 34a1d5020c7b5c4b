//! What is expected of one node beyond what is expected of all: what its store owes, and what we did to it.

use std::collections::BTreeMap;

use tanba_ledger::{Height, TransactionId};
use tanba_storage::{Position, StoreReader};

/// How the disk in memory says that it is full.
pub const DISK_IS_FULL: &str = "no space left";

/// How the disk in memory says that a sync failed.
pub const SYNC_FAILED: &str = "input/output error";

/// Whether a node that stopped with this message sets its store aside.
pub fn is_damage(why: &str) -> bool {
    ["the store is damaged", "the state has no node"].iter().any(|text| why.contains(text))
}

/// What one store owes. A copy of the store owes the same.
#[derive(Clone, Debug, Default)]
pub struct Owed {
    /// Bytes of it were changed: what is read is right still, or an error.
    pub(super) damage: bool,
    /// What its node called final on it.
    acknowledged: BTreeMap<TransactionId, Position>,
    /// The head it had when its node last called something final.
    head: Height,
}

/// What is expected of one node.
#[derive(Clone, Debug, Default)]
pub(super) struct Expected {
    /// By the store it has now.
    pub(super) owed: Owed,
    /// Its disk lies: of what was written since, anything may be missing, and nothing tells.
    pub(super) gaps: bool,
    /// Its disk may refuse to work.
    pub(super) disk_errors: bool,
    /// Its promises may be lost, or another process may make some with its key: by our doing.
    pub(super) lost_promises: bool,
}

impl Expected {
    /// Whether damage may be found.
    pub(super) const fn may_be_damaged(&self) -> bool {
        self.owed.damage || self.gaps
    }

    /// Whether a stop with this message was our doing.
    pub(super) fn may_stop(&self, why: &str) -> bool {
        let by_disk = why.contains(DISK_IS_FULL) || why.contains(SYNC_FAILED);
        let by_twin = why.contains("another process votes with this validator's key");
        (self.disk_errors && by_disk)
            || (self.may_be_damaged() && is_damage(why))
            || (self.lost_promises && by_twin)
    }

    /// Its node calls a transaction final. A head on a disk that lies is owed by nobody.
    pub(super) fn acknowledge(&mut self, head: Height, transaction: TransactionId, position: Position) {
        self.owed.acknowledged.insert(transaction, position);
        if !self.gaps {
            self.owed.head = self.owed.head.max(head);
        }
    }

    /// What is owed is there.
    pub(super) fn check_store(&self, node: usize, reader: &impl StoreReader) {
        let (head, owed) = (reader.tip().header.height, self.owed.head);
        assert!(head >= owed, "node {node} called height {owed} final and came back with head {head}");
        for (transaction, position) in &self.owed.acknowledged {
            self.check_position(node, reader, transaction, *position);
        }
    }

    /// A transaction that is final is at its place, or its record is rotten: then its node finds that when it matters.
    pub(super) fn check_position(
        &self,
        node: usize,
        reader: &impl StoreReader,
        transaction: &TransactionId,
        position: Position,
    ) {
        let found = reader.position(transaction);
        let excused = match &found {
            Err(_) => self.may_be_damaged(),
            Ok(None) => self.gaps,
            Ok(Some(_)) => false,
        };
        let head = reader.tip().header.height;
        assert!(
            excused || found == Ok(Some(position)),
            "node {node} lacks what is final: {found:?} instead of {position:?} at head {head}"
        );
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use tanba_crypto::Hash;

    use super::*;
    use crate::cluster::node::{Node, world};

    /// Whether it is noticed that a new store has nothing of what was acknowledged at height 1.
    fn is_missed(mut expected: Expected, excuse: impl FnOnce(&mut Expected)) -> bool {
        let transaction = TransactionId(Hash::plain(b"final"));
        expected.acknowledge(Height(1), transaction, Position { height: Height(1), index: 0 });
        excuse(&mut expected);
        let mut node = Node::founded(4, 1);
        node.open(&world(4).chain, 4).expect("a founded node opens");
        let reader = node.reader.expect("it runs");
        catch_unwind(AssertUnwindSafe(|| expected.check_store(1, &reader))).is_err()
    }

    #[test]
    fn nothing_acknowledged_goes_in_silence_but_from_a_disk_that_lied_or_with_its_store() {
        let honest = Expected::default;
        assert!(is_missed(honest(), |_| {}));
        assert!(is_missed(honest(), |it| it.owed.damage = true), "rot is an error");
        assert!(is_missed(honest(), |it| it.gaps = true), "a head of before the lie is durable");
        assert!(!is_missed(Expected { gaps: true, ..honest() }, |_| {}));
        assert!(!is_missed(honest(), |it| it.owed = Owed::default()), "a new store owes nothing");
    }
}
