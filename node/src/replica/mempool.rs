//! Transactions that wait for a block: checked, bounded by bytes, one share for each institution.
//!
//! A full mempool refuses; it never forgets what it admitted, except when the ledger refuses it or its expiry
//! passes. Whoever floods fills the own institution's share and nobody else's.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use tanba_crypto::{Hash, Verified};
use tanba_ledger::{Bin, Timestamp, Transaction, TransactionId, limits};

/// How much may wait. One institution may use a quarter of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MempoolLimits {
    /// Bytes of all waiting transactions together.
    pub bytes_max: usize,
    /// How many may wait.
    pub count_max: usize,
}

impl Default for MempoolLimits {
    fn default() -> MempoolLimits {
        MempoolLimits { bytes_max: 64 << 20, count_max: 65_536 }
    }
}

impl MempoolLimits {
    /// One institution's share, never less than one largest transaction.
    fn share(&self) -> MempoolLimits {
        let bytes_max = (self.bytes_max / 4).max(limits::TRANSACTION_BYTES_MAX);
        MempoolLimits { bytes_max, count_max: (self.count_max / 4).max(1) }
    }
}

/// Why a transaction is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MempoolError {
    /// It waits already.
    #[error("the transaction waits already")]
    Known,
    /// The institution's share is used up.
    #[error("too many transactions of this institution are waiting")]
    InstitutionFull,
    /// All shares together are used up.
    #[error("too many transactions are waiting")]
    Full,
}

/// A waiting transaction.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    /// What waits.
    pub(crate) transaction: Arc<Verified<Transaction>>,
    /// Its name.
    pub(crate) id: TransactionId,
    /// The name of its bytes.
    pub(crate) bytes_hash: Hash,
    length_bytes: usize,
    arrival: u64,
}

impl Waiting {
    /// The length of its canonical form.
    pub(crate) fn length_bytes(&self) -> usize {
        self.length_bytes
    }
}

/// The waiting transactions.
#[derive(Debug)]
pub(crate) struct Mempool {
    limits: MempoolLimits,
    waiting: BTreeMap<TransactionId, Waiting>,
    by_bytes: BTreeMap<Hash, TransactionId>,
    queues: BTreeMap<Bin, Queue>,
    bytes: usize,
    arrivals: u64,
}

#[derive(Debug, Default)]
struct Queue {
    by_arrival: BTreeMap<u64, TransactionId>,
    bytes: usize,
}

impl Mempool {
    /// An empty mempool.
    pub(crate) fn new(limits: MempoolLimits) -> Mempool {
        Mempool {
            limits,
            waiting: BTreeMap::new(),
            by_bytes: BTreeMap::new(),
            queues: BTreeMap::new(),
            bytes: 0,
            arrivals: 0,
        }
    }

    /// Takes a transaction whose canonical form is `length_bytes` long.
    pub(crate) fn admit(
        &mut self,
        transaction: Arc<Verified<Transaction>>,
        length_bytes: usize,
    ) -> Result<(), MempoolError> {
        let id = transaction.id();
        if self.waiting.contains_key(&id) {
            return Err(MempoolError::Known);
        }
        let institution = transaction.body.institution;
        let queued = self.queues.get(&institution);
        let (queued_bytes, queued_count) = queued.map_or((0, 0), |q| (q.bytes, q.by_arrival.len()));
        let share = self.limits.share();
        if queued_bytes + length_bytes > share.bytes_max || queued_count >= share.count_max {
            return Err(MempoolError::InstitutionFull);
        }
        if self.bytes + length_bytes > self.limits.bytes_max || self.waiting.len() >= self.limits.count_max {
            return Err(MempoolError::Full);
        }
        self.arrivals += 1;
        let arrival = self.arrivals;
        let bytes_hash = transaction.bytes_hash();
        let queue = self.queues.entry(institution).or_default();
        queue.by_arrival.insert(arrival, id);
        queue.bytes += length_bytes;
        self.bytes += length_bytes;
        self.by_bytes.insert(bytes_hash, id);
        self.waiting.insert(id, Waiting { transaction, id, bytes_hash, length_bytes, arrival });
        Ok(())
    }

    /// Whether a transaction waits.
    pub(crate) fn contains(&self, id: &TransactionId) -> bool {
        self.waiting.contains_key(id)
    }

    /// A waiting transaction.
    pub(crate) fn get(&self, id: &TransactionId) -> Option<&Waiting> {
        self.waiting.get(id)
    }

    /// The one that waits longest.
    pub(crate) fn oldest(&self) -> Option<TransactionId> {
        let firsts = self.queues.values().filter_map(|queue| queue.by_arrival.first_key_value());
        firsts.min_by_key(|(arrival, _)| **arrival).map(|(_, id)| *id)
    }

    /// The waiting transaction whose bytes have this name.
    pub(crate) fn by_bytes(&self, bytes_hash: &Hash) -> Option<&Waiting> {
        self.waiting.get(self.by_bytes.get(bytes_hash)?)
    }

    /// Takes a transaction out.
    pub(crate) fn remove(&mut self, id: &TransactionId) -> Option<Waiting> {
        let removed = self.waiting.remove(id)?;
        self.by_bytes.remove(&removed.bytes_hash);
        self.bytes -= removed.length_bytes;
        let institution = removed.transaction.body.institution;
        let queue = self.queues.get_mut(&institution).expect("what waits is queued");
        queue.by_arrival.remove(&removed.arrival);
        queue.bytes -= removed.length_bytes;
        if queue.by_arrival.is_empty() {
            self.queues.remove(&institution);
        }
        Some(removed)
    }

    /// Candidates for a block: the institutions in turn, each in order of arrival, up to a block's limits.
    pub(crate) fn candidates(&self) -> Vec<Waiting> {
        let mut queues: VecDeque<_> = self.queues.values().map(|q| q.by_arrival.values()).collect();
        let (mut chosen, mut bytes) = (Vec::new(), 0);
        while let Some(mut queue) = queues.pop_front() {
            let Some(id) = queue.next() else { continue };
            let waiting = &self.waiting[id];
            bytes += waiting.length_bytes;
            if bytes > limits::BLOCK_BYTES_MAX || chosen.len() == limits::TRANSACTIONS_MAX {
                break;
            }
            chosen.push(waiting.clone());
            queues.push_back(queue);
        }
        chosen
    }

    /// Those that no block of `time` or later may hold.
    pub(crate) fn expired(&self, time: Timestamp) -> Vec<TransactionId> {
        let over = |w: &&Waiting| w.transaction.body.expiry < time;
        self.waiting.values().filter(over).map(|w| w.id).collect()
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Their bytes together.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether none waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use tanba_crypto::Canonical;
    use tanba_ledger::testkit::World;

    use super::*;

    fn admit(mempool: &mut Mempool, transaction: &Verified<Transaction>) -> Result<(), MempoolError> {
        let length_bytes = transaction.to_canonical().len();
        mempool.admit(Arc::new(transaction.clone()), length_bytes)
    }

    #[test]
    fn a_flooding_institution_fills_its_own_share_alone() {
        let world = World::new();
        let mut mempool = Mempool::new(MempoolLimits { bytes_max: 1 << 20, count_max: 8 });
        for number in 0..2 {
            assert_eq!(admit(&mut mempool, &world.issue(0, number * 20, 20)), Ok(()));
        }
        assert_eq!(admit(&mut mempool, &world.issue(0, 900, 20)), Err(MempoolError::InstitutionFull));
        assert_eq!(admit(&mut mempool, &world.issue(1, 900, 20)), Ok(()));
    }

    #[test]
    fn candidates_take_turns_and_leave_when_removed() {
        let world = World::new();
        let mut mempool = Mempool::new(MempoolLimits::default());
        let batches = [world.issue(0, 0, 20), world.issue(0, 20, 20), world.issue(1, 40, 20)];
        for batch in &batches {
            assert_eq!(admit(&mut mempool, batch), Ok(()));
            assert_eq!(admit(&mut mempool, batch), Err(MempoolError::Known));
        }
        let order: Vec<_> = mempool.candidates().iter().map(|waiting| waiting.id).collect();
        assert_eq!(order, [batches[0].id(), batches[2].id(), batches[1].id()]);
        assert!(mempool.by_bytes(&batches[0].bytes_hash()).is_some());
        for id in order {
            assert!(mempool.remove(&id).is_some());
        }
        assert_eq!((mempool.len(), mempool.bytes(), mempool.is_empty()), (0, 0, true));
        assert!(mempool.by_bytes(&batches[0].bytes_hash()).is_none());
    }
}
