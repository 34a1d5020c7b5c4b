//! What becomes of the transactions submitted here, for as long as somebody may ask: a bounded table from id to
//! the last thing known.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tanba_ledger::{Timestamp, TransactionId};
use tanba_storage::Position;
use tokio::sync::{oneshot, watch};

use super::limits::TRACKED_MAX;
use crate::handle::{Outcome, Refusal};

/// How far a transaction has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// In the mempool.
    Admitted,
    /// Final and behind the barrier.
    Final(Position),
    /// It will not become final as it is.
    Refused(Refusal),
}

/// One transaction that is followed.
#[derive(Clone, Debug)]
pub(super) struct Followed {
    /// The last step, and the next ones. Closed without a decision if the replica gave the outcome up; then
    /// the store and `expiry` tell.
    pub(super) step: watch::Receiver<Step>,
    /// After this block time it can no longer become final.
    pub(super) expiry: Timestamp,
}

/// The table. Entries whose end is known leave first, oldest first; those still open are never displaced.
#[derive(Clone, Debug, Default)]
pub(super) struct Tracker(Arc<Mutex<Table>>);

#[derive(Debug, Default)]
struct Table {
    followed: BTreeMap<TransactionId, Followed>,
    ended: VecDeque<TransactionId>,
}

impl Tracker {
    /// What is known of a transaction.
    pub(super) fn get(&self, id: &TransactionId) -> Option<Followed> {
        self.table().followed.get(id).cloned()
    }

    /// Follows an admitted transaction to its end. With no room left it is not followed, and only the store
    /// tells of it once it is final.
    pub(super) fn follow(&self, id: TransactionId, expiry: Timestamp, outcome: oneshot::Receiver<Outcome>) {
        let (sender, step) = watch::channel(Step::Admitted);
        if !self.table().insert(id, Followed { step, expiry }) {
            return;
        }
        let tracker = self.clone();
        // One task an open entry, so at most TRACKED_MAX; it ends with the replica at the latest.
        tokio::spawn(async move {
            match outcome.await {
                Ok(Outcome::Final(position)) => sender.send_replace(Step::Final(position)),
                Ok(Outcome::Refused(refusal)) => sender.send_replace(Step::Refused(refusal)),
                Err(_) => Step::Admitted,
            };
            tracker.table().ended.push_back(id);
        });
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// Whether there was room, and nothing open under that id.
    fn insert(&mut self, id: TransactionId, followed: Followed) -> bool {
        if let Some(held) = self.followed.get(&id) {
            if held.step.has_changed().is_ok() {
                return false;
            }
            self.ended.retain(|ended| *ended != id);
        } else if self.followed.len() >= TRACKED_MAX {
            let Some(oldest) = self.ended.pop_front() else { return false };
            self.followed.remove(&oldest);
        }
        self.followed.insert(id, followed);
        true
    }
}

#[cfg(test)]
mod tests {
    use tanba_crypto::Hash;
    use tanba_ledger::Height;

    use super::*;

    const POSITION: Position = Position { height: Height(7), index: 1 };

    fn id(n: u64) -> TransactionId {
        let mut hash = Hash::ZERO;
        hash.0[..8].copy_from_slice(&n.to_be_bytes());
        TransactionId(hash)
    }

    async fn end_of(tracker: &Tracker, n: u64) -> Step {
        let mut step = tracker.get(&id(n)).expect("followed").step;
        let step = step.wait_for(|step| *step != Step::Admitted).await;
        step.expect("decided before the replica went").clone()
    }

    #[tokio::test]
    async fn an_outcome_reaches_whoever_asks_then_or_later() {
        let tracker = Tracker::default();
        let (decide, outcome) = oneshot::channel();
        tracker.follow(id(1), Timestamp(9), outcome);
        assert_eq!(*tracker.get(&id(1)).expect("followed").step.borrow(), Step::Admitted);
        decide.send(Outcome::Final(POSITION)).expect("it is followed");
        assert_eq!(end_of(&tracker, 1).await, Step::Final(POSITION));
        assert_eq!(end_of(&tracker, 1).await, Step::Final(POSITION));
    }

    #[tokio::test]
    async fn a_full_table_forgets_the_oldest_end_and_never_an_open_entry() {
        let tracker = Tracker::default();
        let mut open = Vec::new();
        for n in 0..TRACKED_MAX as u64 {
            let (decide, outcome) = oneshot::channel();
            tracker.follow(id(n), Timestamp(9), outcome);
            open.push(Some(decide));
        }
        let (_decide, outcome) = oneshot::channel();
        tracker.follow(id(u64::MAX), Timestamp(9), outcome);
        assert!(tracker.get(&id(u64::MAX)).is_none(), "no room: all are open");
        open[5].take().expect("open").send(Outcome::Final(POSITION)).expect("it is followed");
        while tracker.table().ended.is_empty() {
            tokio::task::yield_now().await;
        }
        let (_decide, outcome) = oneshot::channel();
        tracker.follow(id(u64::MAX), Timestamp(9), outcome);
        assert!(tracker.get(&id(u64::MAX)).is_some() && tracker.get(&id(5)).is_none());
    }

    #[tokio::test]
    async fn a_transaction_that_was_refused_may_be_followed_again() {
        let tracker = Tracker::default();
        let (decide, outcome) = oneshot::channel();
        tracker.follow(id(1), Timestamp(9), outcome);
        let refusal = Refusal { code: "X", message: "x".into(), next_step: "y".into(), retry: true };
        decide.send(Outcome::Refused(refusal.clone())).expect("it is followed");
        assert_eq!(end_of(&tracker, 1).await, Step::Refused(refusal));
        while tracker.get(&id(1)).expect("followed").step.has_changed().is_ok() {
            tokio::task::yield_now().await;
        }
        let (decide, outcome) = oneshot::channel();
        tracker.follow(id(1), Timestamp(9), outcome);
        decide.send(Outcome::Final(POSITION)).expect("it is followed");
        assert_eq!(end_of(&tracker, 1).await, Step::Final(POSITION));
    }
}
